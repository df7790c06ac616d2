//! The rows of the state. Field numbers are stable; see [`crate::keys`] for where each stands.

use lienthong_model::{
    Digest, DocumentType, MessageId, Ordinal, Position, Reference, Refusal, Revocation, Standing,
    StatusCode, Timestamp, Urgency,
};
use lienthong_trust::judge::Serial;
use lienthong_trust::{AuthorityId, SignatureKind};
use minicbor::{Decode, Encode};

use crate::change::{ActsOn, ChangeMessage, Extent, LastChange, Mark};
use crate::command::Counted;
use crate::deadlines::DeadlineKind;
use crate::delivery_state::{DeliveryState, Progress};
use crate::lists::SavedName;
use crate::progress::Stage;
use crate::routing::Route;
use crate::statistics::Made;
use crate::threads::AnsweredReference;

/// `bytes::Bytes` as a CBOR byte string.
pub(crate) mod shared_bytes {
    use bytes::Bytes;
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{Encoder, Write};

    pub fn encode<C, W: Write>(
        value: &Bytes,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(value)?.ok()
    }

    pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Bytes, Error> {
        decoder.bytes().map(Bytes::copy_from_slice)
    }
}

/// The head: where the log stands.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct HeadRow {
    #[n(0)]
    pub block: u64,
    #[n(1)]
    pub hash: Digest,
    #[n(2)]
    pub time: Timestamp,
    #[n(3)]
    pub next_position: Position,
    /// The number of the last notice; 0 before the first.
    #[n(4)]
    #[cbor(skip_if = "crate::notice::NoticeNumber::is_none")]
    pub last_notice: crate::notice::NoticeNumber,
}

/// Who has used an id, and for what.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct IdRow {
    #[n(0)]
    pub position: Position,
    #[n(1)]
    pub digest: Digest,
    /// For a report: the delivery that it is about.
    #[n(2)]
    pub report_on: Option<crate::command::DeliveryKey>,
    /// For a report from version 0.2 on: where it stands.
    #[n(3)]
    pub reported: Option<ReportPlace>,
}

/// Where a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ReportPlace {
    /// When the hub accepted it.
    #[n(0)]
    pub at: Timestamp,
    /// The journal's block that holds it.
    #[n(1)]
    pub block: u64,
    /// Its entry in that block, from 0.
    #[n(2)]
    pub entry: u32,
}

/// An accepted document: what is asked of it without reading its content.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct DocumentRow {
    /// Its id.
    #[n(0)]
    pub id: MessageId,
    /// Its sender.
    #[n(1)]
    pub sender: Ordinal,
    /// When the hub accepted it.
    #[n(2)]
    pub received_at: Timestamp,
    /// SHA-256 of the DSSE bytes.
    #[n(3)]
    pub digest: Digest,
    /// The journal's block that holds it.
    #[n(4)]
    pub block: u64,
    /// Its entry in that block, from 0.
    #[n(5)]
    pub entry: u32,
    /// Which signatures count.
    #[n(6)]
    pub signature: SignatureKind,
    /// Identity of the document.
    #[n(7)]
    pub reference: Reference,
    /// What it is about.
    #[n(8)]
    pub subject: String,
    /// Its type.
    #[n(9)]
    pub document_type: DocumentType,
    /// How urgent it is.
    #[n(10)]
    pub urgency: Urgency,
    /// When its signer says it was signed.
    #[n(11)]
    pub signed_at: Timestamp,
    /// When an answer is due.
    #[n(12)]
    pub due: Option<Timestamp>,
    /// How many recipients it had when it was accepted.
    #[n(13)]
    pub recipients: u32,
    /// Issuers whose revocation lists have not proven yet that nothing was revoked.
    #[cbor(n(14), with = "crate::codec::sparse", has_nil)]
    pub unproven: Vec<AuthorityId>,
    /// When a revocation list that came later said that a certificate had been revoked before
    /// receipt.
    #[n(15)]
    pub found_revoked: Option<Timestamp>,
    /// For a new document whose reference its sender had used before: the first document with it.
    #[n(16)]
    pub same_reference: Option<Position>,
    /// For a recall, an update or a replacement: what it acts on.
    #[n(17)]
    pub acts_on: Option<ActsOn>,
    /// The last recall, update or replacement of it.
    #[n(18)]
    pub changed: Option<LastChange>,
    /// What is counted of it; unknown for one from before version 0.2.
    #[n(19)]
    pub extent: Option<Extent>,
    /// In how many slices it goes to them, or on how many pages of progress they and whom updates
    /// have added stand; none when it went to all at once.
    #[n(20)]
    pub slices: Option<u16>,
    /// What it answers.
    #[n(21)]
    pub answers: Option<Vec<AnsweredReference>>,
    /// Deadlines that passed while recipients lagged, at most one a kind.
    #[n(22)]
    pub lapsed: Option<Vec<LapsedLine>>,
    /// When its sender last had laggards reminded.
    #[n(23)]
    pub reminded: Option<Reminded>,
}

/// A deadline that passed while recipients lagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LapsedLine {
    /// What about.
    #[n(0)]
    pub kind: DeadlineKind,
    /// When the hub told of it.
    #[n(1)]
    pub at: Timestamp,
    /// How many recipients lagged then.
    #[n(2)]
    pub laggards: u32,
}

/// A reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Reminded {
    /// When.
    #[n(0)]
    pub at: Timestamp,
    /// What was wanted.
    #[n(1)]
    pub to: RemindTo,
}

/// What a reminder wants of recipients. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum RemindTo {
    /// To pick it up.
    #[n(1)]
    PickUp = 1,
    /// To accept or refuse it.
    #[n(2)]
    Answer = 2,
    /// To finish it.
    #[n(3)]
    Finish = 3,
}

impl RemindTo {
    /// Returns whether a recipient that is so far has still to do it.
    pub fn is_before(self, stage: Stage) -> bool {
        match self {
            Self::PickUp => stage == Stage::Waiting,
            Self::Answer => matches!(stage, Stage::Waiting | Stage::Acknowledged | Stage::Arrived),
            Self::Finish => !stage.is_end(),
        }
    }
}

/// A slice of a fan-out that waits.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct SliceRow {
    #[n(0)]
    pub urgency: Urgency,
    #[n(1)]
    pub counted: Counted,
    #[n(2)]
    pub recipients: Vec<Ordinal>,
}

/// A saved list of recipients.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SavedList {
    /// Its name among its owner's.
    #[n(0)]
    pub name: SavedName,
    /// What it is for.
    #[n(1)]
    pub title: String,
    /// Its version: the number of the journal's block that saved it.
    #[n(2)]
    pub version: u64,
    /// When it was saved.
    #[n(3)]
    pub saved_at: Timestamp,
    /// Its members, in order.
    #[n(4)]
    pub members: Vec<Ordinal>,
}

/// Something accepted whose revocation is not proven by one issuer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct UnprovenRow {
    #[n(0)]
    pub received_at: Timestamp,
    /// The certificates of the issuer.
    #[n(1)]
    pub serials: Vec<Serial>,
}

impl DocumentRow {
    /// Returns what is known of its certificates' revocation.
    pub fn revocation(&self) -> Revocation {
        match (self.found_revoked.is_some(), self.unproven.is_empty()) {
            (true, _) => Revocation::FoundRevoked,
            (false, false) => Revocation::NotProven,
            (false, true) => Revocation::Proven,
        }
    }
}

/// One document for one recipient.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct DeliveryRow {
    /// How the recipient is reached.
    #[n(0)]
    pub route: Route,
    /// When its node had it on its own disk.
    #[n(1)]
    pub acknowledged_at: Option<Timestamp>,
    /// How often the hub had pushed it by then.
    #[n(2)]
    pub attempts: u32,
    /// What was reported on it, and asked back, in order. Bounded: reports of progress by
    /// [`lienthong_model::limits::STATUSES_PER_DELIVERY_MAX`], requests and their answers by
    /// [`lienthong_model::limits::CHANGES_PER_DOCUMENT_MAX`] each.
    #[n(3)]
    pub statuses: Vec<StatusLine>,
    /// What the document is to this recipient; none while it stands as it was sent.
    #[n(4)]
    pub mark: Option<Mark>,
    /// What its sender asks and has no answer to.
    #[n(5)]
    pub asked: Option<ChangeMessage>,
    /// That the recipient's node could not take it.
    #[n(6)]
    pub negative: Option<Negative>,
    /// Which of the document's recipients it is, from 0, when the document went by slices.
    #[n(8)]
    pub index: Option<u32>,
    /// Where and when it was made: what comes of it counts there. None from before version 0.3.
    #[n(9)]
    pub made: Option<Made>,
    /// Which entry of the journal said first that the recipient's node has it.
    #[n(10)]
    pub picked_up_by: Option<EntryPlace>,
    /// Which entry of the journal said first that it is overdue.
    #[n(11)]
    pub overdue_by: Option<EntryPlace>,
}

/// An entry of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct EntryPlace {
    /// The block.
    #[n(0)]
    pub block: u64,
    /// The entry in it, from 0.
    #[n(1)]
    pub entry: u32,
}

/// That a recipient's node could not take a delivery.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Negative {
    /// How often.
    #[n(0)]
    pub count: u32,
    /// When it was said last.
    #[n(1)]
    pub at: Timestamp,
    /// Why, as it was said last; at most 300 bytes; up to rules 2, 200 characters.
    #[n(2)]
    pub reason: String,
}

/// The last refusal of an id.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct RefusedId {
    /// The id.
    #[n(0)]
    pub id: MessageId,
    /// When.
    #[n(1)]
    pub at: Timestamp,
    /// Why; at most 10 violations of it (all are in the journal).
    #[n(2)]
    pub refusal: Refusal,
    /// SHA-256 of the DSSE bytes that were refused.
    #[n(3)]
    pub digest: Digest,
    /// Bytes of them.
    #[n(4)]
    pub size: u64,
}

/// One report on a delivery.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct StatusLine {
    /// What was reported.
    #[n(0)]
    pub code: StatusCode,
    /// When the hub accepted the report.
    #[n(1)]
    pub at: Timestamp,
    /// The report's place in the log.
    #[n(2)]
    pub position: Position,
    /// Why, or what is being done; cut at 200 characters (the whole is in the journal).
    #[n(3)]
    pub reason: String,
}

impl DeliveryRow {
    /// Returns a delivery that nothing was heard of.
    pub(crate) fn new(route: Route, made: Made) -> Self {
        Self {
            route,
            made: Some(made),
            picked_up_by: None,
            overdue_by: None,
            acknowledged_at: None,
            attempts: 0,
            statuses: Vec::new(),
            mark: None,
            asked: None,
            negative: None,
            index: None,
        }
    }

    /// Returns the delivery's state.
    pub fn state(&self) -> DeliveryState {
        let heard =
            if self.acknowledged_at.is_some() { Progress::PickedUp } else { Progress::Waiting };
        let reported = self.statuses.iter().rev().find_map(|line| Progress::of(line.code));
        DeliveryState {
            progress: reported.unwrap_or(heard),
            standing: self.mark.as_ref().map_or(Standing::Stands, |mark| mark.standing),
            asked: self.asked.as_ref().map(|message| message.kind),
        }
    }

    /// Returns the statuses that the recipient may report next.
    pub fn open_statuses(&self) -> Vec<StatusCode> {
        self.state().open()
    }

    /// Returns how many reports of progress (01 to 06) there are.
    pub(crate) fn progress_reports(&self) -> usize {
        self.statuses.iter().filter(|line| Progress::of(line.code).is_some()).count()
    }

    /// Notes that the recipient's node has the document, unless that is known.
    pub(crate) fn pick_up(&mut self, at: Timestamp, attempts: u32, by: EntryPlace) {
        if self.acknowledged_at.is_none() {
            self.acknowledged_at = Some(at);
            self.attempts = attempts;
            self.picked_up_by = Some(by);
        }
    }

    /// Files a line by its position; one that is there stays.
    pub(crate) fn file(&mut self, line: StatusLine) {
        let place = self.statuses.binary_search_by_key(&line.position, |known| known.position);
        if let Err(place) = place {
            self.statuses.insert(place, line);
        }
    }
}
