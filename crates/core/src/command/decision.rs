//! What was decided on a command. Replay takes it over.
//!
//! Stable: variants and fields are numbered, new ones are added at the end, none is reused.

use lienthong_model::limits::SLICE_RECIPIENTS;
use lienthong_model::{Ordinal, Position, Reason, Refusal, Terms};
use lienthong_trust::{SignatureKind, Unproven};
use minicbor::{Decode, Encode};

use super::DeliveryKey;
use crate::change::{Answered, ChangeMade};
use crate::directory::Place;
use crate::notice::{NoticeKey, Notices};
use crate::quotas::Used;
use crate::routing::{Route, Span};

/// What was decided on a command.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Decision {
    /// The document is accepted.
    #[n(1)]
    Accepted(#[n(0)] Accepted),
    /// The same content was accepted before: its place. Never journalled.
    #[n(2)]
    Repeated(#[n(0)] Position),
    /// Declined.
    #[n(3)]
    Refused(#[n(0)] Refusal),
    /// The report is accepted.
    #[n(4)]
    Reported(#[n(0)] Reported),
    /// What became of each acknowledgement.
    #[n(5)]
    Acknowledged(#[n(0)] Acknowledged),
    /// An administrator's command is carried out.
    #[n(6)]
    Done,
    /// How the recipients of a slice are reached.
    #[n(30)]
    FannedOut(#[n(0)] Vec<Delivery>),
    /// What follows from deadlines that passed.
    #[n(31)]
    Ticked(#[n(0)] Ticked),
    /// How many recipients are reminded.
    #[n(32)]
    Reminded(#[n(0)] u32),
    /// What the list says of each document or report, in their order.
    #[n(10)]
    Settled(#[n(0)] Vec<Settlement>),
    /// Which notices are acknowledged.
    #[n(20)]
    NoticesAcknowledged(#[n(0)] NoticesAcknowledged),
    /// How often each delivery could not be taken so far, of those to which that means something.
    /// In blocks of rules up to 2 a 0 stands for each of the others.
    #[n(21)]
    NegativelyAcknowledged(#[n(0)] Vec<u32>),
}

/// What a revocation list says of something that was accepted before it was there. Numbers are
/// stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Settlement {
    /// Nothing was revoked before it was received.
    #[n(1)]
    Proven,
    /// A certificate had been revoked before it was received.
    #[n(2)]
    Revoked,
}

/// How a document was accepted.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Accepted {
    /// Its place in the log.
    #[n(0)]
    pub position: Position,
    /// The sender.
    #[n(1)]
    pub sender: Ordinal,
    /// Which signatures count.
    #[n(2)]
    pub signature: SignatureKind,
    /// Where it goes, in the sender's order; none when it goes by slices.
    #[n(3)]
    pub deliveries: Vec<Delivery>,
    /// Where the sender stood: replay counts by it, whatever the directory says by then.
    #[n(4)]
    pub place: Place,
    /// Certificates of which it was not proven that they were not revoked, by issuer; none when all
    /// was proven.
    #[cbor(n(5), with = "crate::codec::sparse", has_nil)]
    pub unproven: Vec<Unproven>,
    /// What the sender has used of its daily quota with this document; none without such a quota.
    #[n(6)]
    pub used: Option<Used>,
    /// For a recall, an update or a replacement: what it does to the document acted on.
    #[n(10)]
    pub change: Option<Box<ChangeMade>>,
    /// What it tells whom.
    #[n(11)]
    pub notices: Option<Notices>,
    /// For a new document whose reference its sender had used before: the first document with it.
    #[n(12)]
    pub same_reference: Option<Position>,
    /// What became of lists, and of recipients that are more than a slice; none where there were
    /// neither.
    #[n(15)]
    pub resolution: Option<Box<Resolution>>,
    /// How long recipients may take; none: the terms of [`Terms::default`].
    #[n(16)]
    pub terms: Option<Terms>,
}

impl Accepted {
    /// Returns how many recipients the document has, lists resolved.
    pub fn recipients(&self) -> usize {
        self.fan_out().map_or(self.deliveries.len(), |plan| plan.recipients.len())
    }

    /// Returns whom it goes to by slices; none when it went to all at once.
    pub fn fan_out(&self) -> Option<&FanOutPlan> {
        self.resolution.as_ref()?.fan_out.as_ref()
    }

    /// Returns the agencies of lists that do not get it.
    pub fn left_out(&self) -> &[LeftOut] {
        self.resolution.as_ref().map_or(&[], |resolution| &resolution.left_out)
    }
}

/// What became of lists and of many recipients.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Resolution {
    /// The lists, in the sender's order.
    #[n(0)]
    pub lists: Vec<ResolvedList>,
    /// Agencies of lists that do not get the document, each once.
    #[n(1)]
    pub left_out: Vec<LeftOut>,
    /// Whom it goes to by slices, when they are more than one slice.
    #[n(2)]
    pub fan_out: Option<FanOutPlan>,
}

/// A list as it was when the document was accepted.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ResolvedList {
    /// Its name as written.
    #[n(0)]
    pub name: String,
    /// How many agencies were on it, the sender not counted.
    #[n(1)]
    pub members: u32,
    /// For a saved list: its version.
    #[n(2)]
    pub version: Option<u64>,
}

/// An agency of a list that does not get the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LeftOut {
    /// The agency.
    #[n(0)]
    pub agency: Ordinal,
    /// Why.
    #[n(1)]
    pub reason: Reason,
}

/// Whom a document goes to by slices.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct FanOutPlan {
    /// All recipients, in the sender's order.
    #[n(0)]
    pub recipients: Vec<Ordinal>,
    /// The widest scope of sender and recipients, for the statistics.
    #[n(1)]
    pub scope: Span,
}

impl FanOutPlan {
    /// Returns in how many slices it goes to them.
    pub fn slices(&self) -> u16 {
        let slices = self.recipients.len().div_ceil(SLICE_RECIPIENTS);
        u16::try_from(slices).unwrap_or(u16::MAX)
    }
}

/// What follows from deadlines that passed.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Ticked {
    /// Documents of the page, by position; those that are not among them follow in another tick.
    #[n(0)]
    pub lapses: Vec<Lapse>,
    /// What is told to whom.
    #[n(1)]
    pub notices: Option<Notices>,
}

/// What follows for one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Lapse {
    /// The document.
    #[n(0)]
    pub position: Position,
    /// How many recipients lag; nobody is told when nobody does.
    #[n(1)]
    pub laggards: u32,
    /// The slice whose recipients are told next; none when all were.
    #[n(2)]
    pub next_slice: Option<u16>,
}

/// One recipient and how it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Delivery {
    /// The recipient.
    #[n(0)]
    pub recipient: Ordinal,
    /// How it is reached.
    #[n(1)]
    pub route: Route,
    /// Where the recipient stood: replay counts by it, whatever the directory says by then.
    #[n(2)]
    pub place: Place,
}

/// How a report was accepted.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Reported {
    /// Its place in the log.
    #[n(0)]
    pub position: Position,
    /// The delivery that it is about; of a request of the sender (13) the document, with the sender
    /// in the recipient's place.
    #[n(1)]
    pub delivery: DeliveryKey,
    /// What it tells whom.
    #[n(2)]
    pub notices: Option<Notices>,
    /// Of a request of the sender: what it does.
    #[n(3)]
    pub change: Option<Box<ChangeMade>>,
    /// Of a recipient's report that answers what its sender asked: how.
    #[n(4)]
    pub answered: Option<Answered>,
    /// Certificates of which it was not proven that they were not revoked, by issuer.
    #[cbor(n(5), with = "crate::codec::sparse", has_nil)]
    pub unproven: Vec<Unproven>,
}

/// Which notices leave their mailboxes: of those named, the ones that waited.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct NoticesAcknowledged {
    /// Which.
    #[n(0)]
    pub left: Vec<NoticeKey>,
    /// Whether more wait up to the number named: at most
    /// [`lienthong_model::limits::NOTICES_ACKNOWLEDGED_MAX`] leave at a time.
    #[n(1)]
    pub more: bool,
}

/// What became of acknowledgements, in the order in which they were asked.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Acknowledged {
    /// One outcome a delivery.
    #[n(0)]
    pub outcomes: Vec<AcknowledgeOutcome>,
}

/// What became of one acknowledgement. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum AcknowledgeOutcome {
    /// It counts.
    #[n(1)]
    Counted,
    /// It had been acknowledged before.
    #[n(2)]
    Repeated,
    /// There is no such delivery for this caller.
    #[n(3)]
    Unknown,
    /// The document was taken back before.
    #[n(4)]
    TakenBack,
    /// Another document stands in its place since before.
    #[n(5)]
    Replaced,
}
