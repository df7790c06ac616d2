//! Commands and decisions, in the form in which the journal keeps them, and proposals, in the form
//! in which they come in.
//!
//! Stable: variants and fields are numbered, new ones are added at the end, none is reused.

use std::collections::HashSet;

use bytes::Bytes;
use lienthong_model::{
    Actor, AgencyEntry, Appointment, AttachmentHeader, Digest, Fingerprint, Header, Mandate,
    MessageId, Ordinal, Position, Quota, Reason, Refusal, Signatory, StatusHeader, Urgency,
};
use lienthong_trust::{
    AuthorityId, SignatureKind, StatusSubmission, Submission, Unproven, Verified,
};
use minicbor::{Decode, Encode};

use crate::change::{Answered, ChangeMade};
use crate::deadlines::{DeadlineKind, DeadlinePage, Terms};
use crate::directory::Place;
use crate::keys::SliceKey;
use crate::lists::SavedName;
use crate::notice::{NoticeKey, Notices};
use crate::quotas::Used;
use crate::routing::{Route, RoutingRules, Span};
use crate::rows::RemindTo;
use crate::statistics::Traits;
use crate::trust_store::RevocationPolicy;

/// A command and what was decided on it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Entry {
    /// What was asked.
    #[n(0)]
    pub command: Command,
    /// What was decided; replay takes it over.
    #[n(1)]
    pub decision: Decision,
}

/// What the journal keeps of a request.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Command {
    /// A document that was accepted.
    #[n(1)]
    Submit(#[n(0)] Box<Submit>),
    /// A status report that was accepted.
    #[n(2)]
    Report(#[n(0)] Box<Report>),
    /// Recipients' nodes have documents on their own disks.
    #[n(3)]
    Acknowledge(#[n(0)] Acknowledge),
    /// Refusals: of ingress and of judgement, one or several added up.
    #[n(4)]
    Refused {
        /// What was refused.
        #[n(0)]
        requests: RefusedRequests,
        /// The caller's province at the time; none for the centre.
        #[n(1)]
        province: Option<Ordinal>,
    },
    /// A whole directory, kept as a payload.
    #[n(5)]
    ImportDirectory(#[n(0)] ImportDirectory),
    /// Some entries of the directory.
    #[n(6)]
    ChangeDirectory(#[n(0)] Vec<AgencyEntry>),
    /// A root that is trusted from now on, or an authority below one that is known from now on.
    #[n(7)]
    AddAuthority(#[n(0)] AddAuthority),
    /// A revocation list, kept as a payload.
    #[n(8)]
    AddRevocationList(#[n(0)] AddRevocationList),
    /// The routing rules in force from now on.
    #[n(9)]
    SetRoutingRules(#[n(0)] RoutingRules),
    /// Who may sign for agencies, from one day until another.
    #[n(10)]
    ChangeMandates(#[n(0)] Vec<Mandate>),
    /// What is done while it is not known whether a certificate was revoked.
    #[n(11)]
    SetRevocationPolicy(#[n(0)] RevocationPolicy),
    /// A revocation list settles what was accepted before it was there.
    #[n(12)]
    SettleRevocation(#[n(0)] SettleRevocation),
    /// Who operates and administers the hub.
    #[n(13)]
    ChangeAppointments(#[n(0)] Vec<Appointment>),
    /// How much agencies may send.
    #[n(14)]
    ChangeQuotas(#[n(0)] Vec<Quota>),
    /// An act of administration by a person.
    #[n(15)]
    Act {
        /// Who.
        #[n(0)]
        by: Actor,
        /// What; not an act by a person again.
        #[n(1)]
        act: Box<Command>,
    },
    /// Agencies know what they were told.
    #[n(20)]
    AcknowledgeNotices(#[n(0)] AcknowledgeNotices),
    /// Recipients' nodes could not take deliveries.
    #[n(21)]
    NegativeAcknowledge(#[n(0)] NegativeAcknowledge),
    /// A slice of a document's recipients gets it. The machine's own work.
    #[n(30)]
    FanOut(#[n(0)] FanOut),
    /// A list of recipients is saved, anew or instead of the one before.
    #[n(31)]
    SaveList(#[n(0)] SaveList),
    /// A saved list is removed.
    #[n(32)]
    RemoveList(#[n(0)] RemoveList),
    /// Time passes: deadlines are due. The machine's own work.
    #[n(34)]
    Tick(#[n(0)] Tick),
    /// How long recipients may take, for documents from now on.
    #[n(35)]
    SetTerms(#[n(0)] Terms),
    /// A sender reminds the laggards of a document.
    #[n(36)]
    Remind(#[n(0)] Remind),
}

/// An accepted document.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Submit {
    /// Whose connection brought it: the sender's or its gateway's.
    #[n(0)]
    pub caller: Ordinal,
    /// What the signed bytes say.
    #[n(1)]
    pub header: Header,
    /// The bytes and who signed them.
    #[n(2)]
    pub signed: SignedRecord,
}

impl Submit {
    /// Returns the attachments that did not travel beside the content: each was uploaded before and
    /// is the payload of its digest.
    pub fn uploaded(&self) -> impl Iterator<Item = &AttachmentHeader> {
        let beside: HashSet<&str> = self
            .signed
            .attachments
            .iter()
            .map(|attachment| attachment.content_id.as_str())
            .collect();
        let named = self.header.attachments.iter();
        named.filter(move |header| !beside.contains(header.content_id.as_str()))
    }

    /// Returns the bytes of content and attachments, those of uploaded ones included.
    pub fn whole_size(&self) -> u64 {
        let uploaded = self.uploaded().map(|attachment| attachment.size).sum::<u64>();
        self.signed.size().saturating_add(uploaded)
    }
}

impl SignedRecord {
    /// Returns the payload files that hold its bytes, those of uploaded attachments left out.
    pub fn payloads(&self) -> impl Iterator<Item = Digest> {
        let beside = self.attachments.iter().map(|attachment| &attachment.bytes);
        std::iter::once(&self.content).chain(beside).filter_map(|stored| match stored {
            Stored::Inline(_) => None,
            Stored::Payload { digest, .. } => Some(*digest),
        })
    }
}

/// An accepted status report.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Report {
    /// Whose connection brought it: the reporter's or its gateway's.
    #[n(0)]
    pub caller: Ordinal,
    /// What the signed bytes say.
    #[n(1)]
    pub header: StatusHeader,
    /// The bytes and who signed them.
    #[n(2)]
    pub signed: SignedRecord,
}

/// Signed bytes as the journal keeps them. Certificates are kept once, by fingerprint.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SignedRecord {
    /// The content type.
    #[n(0)]
    pub content_type: String,
    /// The content.
    #[n(1)]
    pub content: Stored,
    /// Attachments that travelled beside it.
    #[n(2)]
    pub attachments: Vec<StoredAttachment>,
    /// SHA-256 of the DSSE bytes.
    #[n(3)]
    pub digest: Digest,
    /// SHA-256 of the signatures.
    #[n(4)]
    pub signatures_digest: Digest,
    /// The signatures and their signers' chains.
    #[n(5)]
    pub signatures: Vec<SignatureRecord>,
    /// Certificates (DER) that the journal did not have yet.
    #[n(6)]
    pub new_certificates: Vec<CertificateBytes>,
}

impl SignedRecord {
    /// Returns the bytes of content and attachments.
    pub fn size(&self) -> u64 {
        let attachments = self.attachments.iter().map(|attachment| attachment.bytes.size());
        self.content.size() + attachments.sum::<u64>()
    }
}

/// A certificate's DER.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(transparent)]
pub struct CertificateBytes(#[cbor(n(0), with = "crate::rows::shared_bytes")] pub Bytes);

/// One signature.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SignatureRecord {
    /// The signer's certificate first, the root last.
    #[n(0)]
    pub chain: Vec<Fingerprint>,
    /// The signature.
    #[cbor(n(1), with = "crate::rows::shared_bytes")]
    pub value: Bytes,
}

/// Bytes in the record itself or in a payload file.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Stored {
    /// In the record.
    #[n(0)]
    Inline(#[cbor(n(0), with = "crate::rows::shared_bytes")] Bytes),
    /// In a payload file that was on disk before the record was.
    #[n(1)]
    Payload {
        /// Its name.
        #[n(0)]
        digest: Digest,
        /// Its length in bytes.
        #[n(1)]
        size: u64,
    },
}

impl Stored {
    /// Returns how many bytes there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Payload { size, .. } => *size,
        }
    }
}

/// An attachment that travelled beside the content.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct StoredAttachment {
    /// The content id by which the document names it.
    #[n(0)]
    pub content_id: String,
    /// The bytes.
    #[n(1)]
    pub bytes: Stored,
}

/// An acknowledgement of several deliveries.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Acknowledge {
    /// Whose connection brought it.
    #[n(0)]
    pub caller: Ordinal,
    /// The deliveries.
    #[n(1)]
    pub deliveries: Vec<AcknowledgedDelivery>,
}

/// One delivery that its recipient has on its own disk.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct AcknowledgedDelivery {
    /// Which delivery.
    #[n(0)]
    pub key: DeliveryKey,
    /// How often the hub had pushed it.
    #[n(1)]
    pub attempts: u32,
}

/// One document for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct DeliveryKey {
    /// The recipient.
    #[n(0)]
    pub recipient: Ordinal,
    /// The document.
    #[n(1)]
    pub position: Position,
}

/// That a caller's nodes could not take deliveries.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct NegativeAcknowledge {
    /// Whose connection brought it.
    #[n(0)]
    pub caller: Ordinal,
    /// Which.
    #[n(1)]
    pub deliveries: Vec<NegativeDelivery>,
}

/// A delivery that its recipient's node could not take.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct NegativeDelivery {
    /// Which delivery.
    #[n(0)]
    pub key: DeliveryKey,
    /// How often since it was journalled last; at least 1.
    #[n(1)]
    pub times: u32,
    /// Why, as it was said last; at most 200 characters.
    #[n(2)]
    pub reason: String,
}

/// An acknowledgement of notices.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AcknowledgeNotices {
    /// Whose connection brought it.
    #[n(0)]
    pub caller: Ordinal,
    /// Notices one by one.
    #[n(1)]
    pub keys: Vec<NoticeKey>,
    /// All of one agency's up to a number.
    #[n(2)]
    pub through: Option<NoticeKey>,
}

/// Refusals of one caller.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct RefusedRequests {
    /// Who asked.
    #[n(0)]
    pub caller: Ordinal,
    /// The id that was claimed, when it could be read.
    #[n(1)]
    pub id: Option<MessageId>,
    /// SHA-256 of the DSSE bytes of the last one.
    #[n(2)]
    pub digest: Digest,
    /// Bytes of the last one.
    #[n(3)]
    pub size: u64,
    /// Refusals of the same caller before it that were not journalled one by one, added up.
    #[n(4)]
    pub added_up: Vec<RefusalCount>,
}

/// How often a reason occurred.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct RefusalCount {
    /// The reason.
    #[n(0)]
    pub reason: Reason,
    /// How often.
    #[n(1)]
    pub count: u32,
}

/// A directory to take over as a whole.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ImportDirectory {
    /// What the importer calls it.
    #[n(0)]
    pub source: String,
    /// The payload: entries in the encoding of [`crate::codec`].
    #[n(1)]
    pub payload: Digest,
}

/// An authority's certificate.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AddAuthority {
    /// Its DER.
    #[n(0)]
    pub certificate: CertificateBytes,
    /// Whether it is a root to be trusted.
    #[n(1)]
    pub trusted: bool,
}

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AddRevocationList {
    /// The payload: its DER.
    #[n(0)]
    pub payload: Digest,
    /// The issuer's certificate.
    #[n(1)]
    pub issuer: Fingerprint,
}

/// What a revocation list settles.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SettleRevocation {
    /// The issuer.
    #[n(0)]
    pub issuer: AuthorityId,
    /// The list's payload.
    #[n(1)]
    pub list: Digest,
    /// Documents and reports that rest on the issuer's certificates, at most
    /// [`lienthong_model::limits::SETTLED_PER_ENTRY_MAX`], by position.
    #[n(2)]
    pub positions: Vec<Position>,
}

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
    /// How often each delivery could not be taken so far; 0 for one to which that means nothing.
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

/// A slice of a document's recipients gets it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct FanOut {
    /// The document.
    #[n(0)]
    pub position: Position,
    /// Which slice, from 0.
    #[n(1)]
    pub slice: u16,
    /// How urgent the document is.
    #[n(2)]
    pub urgency: Urgency,
    /// What the statistics count of each delivery.
    #[n(3)]
    pub counted: Counted,
}

impl FanOut {
    /// Returns which slice it is of those that waited.
    pub fn key(&self) -> SliceKey {
        let lane = crate::machine::apply::lane(self.urgency);
        SliceKey { lane, position: self.position, slice: self.slice }
    }
}

/// What the statistics count of a delivery, beside its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Counted {
    /// Where the sender stood.
    #[n(0)]
    pub sender: Place,
    /// What is counted of the document.
    #[n(1)]
    pub traits: Traits,
    /// Bytes of content and attachments.
    #[n(2)]
    pub bytes: u64,
}

/// Deadlines of a kind in one minute are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Tick {
    /// Minutes since the epoch.
    #[n(0)]
    pub minute: i32,
    /// What about.
    #[n(1)]
    pub kind: DeadlineKind,
    /// Which page of documents of that minute.
    #[n(2)]
    pub page: u64,
}

impl From<DeadlinePage> for Tick {
    fn from(DeadlinePage { minute, kind, page }: DeadlinePage) -> Self {
        Self { minute, kind, page }
    }
}

impl From<Tick> for DeadlinePage {
    fn from(Tick { minute, kind, page }: Tick) -> Self {
        Self { minute, kind, page }
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

/// A sender reminds the laggards of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Remind {
    /// Whose connection brought it: the sender's or its gateway's.
    #[n(0)]
    pub caller: Ordinal,
    /// The document.
    #[n(1)]
    pub position: Position,
    /// What is wanted of them.
    #[n(2)]
    pub to: RemindTo,
}

/// A list of recipients to save.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SaveList {
    /// Whose connection brought it: the owner's or its gateway's; none for an administrator.
    #[n(0)]
    pub caller: Option<Ordinal>,
    /// Whose list it is.
    #[n(1)]
    pub owner: Ordinal,
    /// Its name among the owner's.
    #[n(2)]
    pub name: SavedName,
    /// What it is for; at most 500 characters.
    #[n(3)]
    pub title: String,
    /// Its members, in order, none twice; 1 to 16,384.
    #[n(4)]
    pub members: Vec<Ordinal>,
}

/// A saved list to remove.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct RemoveList {
    /// Whose connection brought it: the owner's or its gateway's; none for an administrator.
    #[n(0)]
    pub caller: Option<Ordinal>,
    /// Whose list it is.
    #[n(1)]
    pub owner: Ordinal,
    /// Its name among the owner's.
    #[n(2)]
    pub name: SavedName,
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

/// What enters the sequencer. The caller's identity is proven; signed content is verified; bytes
/// above the inline bound are in payload files that are on disk.
#[derive(Debug)]
pub enum Proposal {
    /// A document.
    Submit {
        /// Whose connection brought it.
        caller: Ordinal,
        /// Its facts.
        submission: Box<Verified<Submission>>,
        /// Where its bytes are.
        stored: StoredContent,
    },
    /// A status report.
    Report {
        /// Whose connection brought it.
        caller: Ordinal,
        /// Its facts.
        submission: Box<Verified<StatusSubmission>>,
        /// Where its bytes are.
        stored: StoredContent,
    },
    /// Acknowledgements.
    Acknowledge(Acknowledge),
    /// Deliveries that could not be taken.
    NegativeAcknowledge(NegativeAcknowledge),
    /// Acknowledgements of notices.
    AcknowledgeNotices(AcknowledgeNotices),
    /// An act of the hub's own start-up, or of whoever has the folder.
    Administer(Command),
    /// A list is saved.
    SaveList(SaveList),
    /// A list is removed.
    RemoveList(RemoveList),
    /// Laggards are reminded.
    Remind(Remind),
    /// An act of administration by a person.
    Act {
        /// Who: its operator's certificate is proven.
        by: Signatory,
        /// What.
        act: Command,
    },
    /// Work that the hub owes itself: see [`crate::Machine::next_work`].
    Work(Work),
}

/// Where the bytes of a content are.
#[derive(Debug, Clone)]
pub struct StoredContent {
    /// The content.
    pub content: Stored,
    /// The attachments beside it, in the order of the submission.
    pub attachments: Vec<StoredAttachment>,
}

/// Work that the hub owes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Settles what an issuer's new revocation list decides.
    Settle(AuthorityId),
    /// Delivers to a slice of a document's recipients.
    Slice(SliceKey),
    /// Does what is due.
    Tick(DeadlinePage),
}
