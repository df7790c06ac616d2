//! Notices: what the hub has to tell an agency beside documents.
//!
//! Every agency has a second mailbox beside the one of documents. Its entries carry numbers of one
//! sequence for the whole hub, which rises and is never reused; the decision that tells something
//! holds the numbers, so that replay gives the same rows. A notice waits until it is acknowledged;
//! then its row goes, the journal keeps what happened.

use lienthong_model::{Ordinal, Position, StatusCode, Timestamp};
use minicbor::{Decode, Encode};

use crate::command::DeliveryKey;

/// A notice's number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct NoticeNumber(#[n(0)] pub u64);

/// Names a notice: an agency and a number of its notice mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct NoticeKey {
    /// Who is told.
    #[n(0)]
    pub agency: Ordinal,
    /// Which.
    #[n(1)]
    pub number: NoticeNumber,
}

/// What is told. Numbers are stable; 20 to 39 are for what time brings (deadlines, reminders).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum NoticeKind {
    /// To the sender: a recipient reported on its delivery; the report is the cause.
    #[n(1)]
    Reported = 1,
    /// To a recipient that has the document: its sender asks to take it back.
    #[n(2)]
    RecallRequested = 2,
    /// To a recipient that has the document: its sender asks to update it.
    #[n(3)]
    UpdateRequested = 3,
    /// To a recipient that has the document: its sender asks to replace it.
    #[n(4)]
    ReplacementRequested = 4,
    /// To a recipient that had not acknowledged the document: it was taken back.
    #[n(5)]
    Withdrawn = 5,
    /// To a recipient that had not acknowledged the document: it is updated by another.
    #[n(6)]
    Updated = 6,
    /// To a recipient that had not acknowledged the document: it is replaced by another.
    #[n(7)]
    Replaced = 7,
    /// To the sender: recipients have not picked the document up in time; one of them is named.
    #[n(20)]
    Undelivered = 20,
    /// To the sender: recipients have neither accepted nor refused it in time; one is named.
    #[n(21)]
    Unanswered = 21,
    /// To the sender: recipients have not finished it by its due date; one is named.
    #[n(22)]
    Overdue = 22,
    /// To the sender: recipients did not have it at the hour to deliver it by; one is named.
    #[n(23)]
    DeliverByMissed = 23,
    /// To a recipient that has not finished it: its due date is over.
    #[n(24)]
    OverdueHere = 24,
    /// To a recipient that lags: the sender reminds it.
    #[n(25)]
    Reminder = 25,
}

impl NoticeKind {
    /// All kinds, in numeric order.
    pub const ALL: [Self; 13] = [
        Self::Reported,
        Self::RecallRequested,
        Self::UpdateRequested,
        Self::ReplacementRequested,
        Self::Withdrawn,
        Self::Updated,
        Self::Replaced,
        Self::Undelivered,
        Self::Unanswered,
        Self::Overdue,
        Self::DeliverByMissed,
        Self::OverdueHere,
        Self::Reminder,
    ];
}

/// What one decision tells. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Notices {
    /// The number of the first; the others follow without gaps.
    #[n(0)]
    pub first: NoticeNumber,
    /// What is told to whom; at least one.
    #[n(1)]
    pub told: Vec<Told>,
}

/// One thing that is told. Journalled: field numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Told {
    /// To whom.
    #[n(0)]
    pub to: Ordinal,
    /// What.
    #[n(1)]
    pub kind: NoticeKind,
    /// About which delivery.
    #[n(2)]
    pub delivery: DeliveryKey,
}

/// A notice that waits. Field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NoticeRow {
    /// To whom.
    #[n(0)]
    pub to: Ordinal,
    /// What.
    #[n(1)]
    pub kind: NoticeKind,
    /// About which delivery.
    #[n(2)]
    pub delivery: DeliveryKey,
    /// When it was decided.
    #[n(3)]
    pub at: Timestamp,
    /// The report or document that it follows from; none when time alone brought it.
    #[n(4)]
    pub cause: Option<NoticeCause>,
}

/// The report or document that a notice follows from. Field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NoticeCause {
    /// Its place in the log.
    #[n(0)]
    pub position: Position,
    /// The journal's block that holds it.
    #[n(1)]
    pub block: u64,
    /// Its entry in that block, from 0.
    #[n(2)]
    pub entry: u32,
    /// What was reported; none for a document.
    #[n(3)]
    pub status: Option<StatusCode>,
    /// Why; cut at 200 characters (the whole is in the journal).
    #[n(4)]
    pub reason: String,
}

impl NoticeNumber {
    /// Whether there was no notice yet.
    pub(crate) fn is_none(&self) -> bool {
        self.0 == 0
    }
}

impl Notices {
    /// Returns what is told with its keys, in order.
    pub fn keyed(&self) -> impl Iterator<Item = (NoticeKey, &Told)> {
        let numbers = self.first.0..;
        numbers.zip(&self.told).map(|(number, told)| {
            (NoticeKey { agency: told.to, number: NoticeNumber(number) }, told)
        })
    }

    /// Returns the number of the last.
    pub(crate) fn last(&self) -> NoticeNumber {
        NoticeNumber(self.first.0.saturating_add(self.told.len() as u64).saturating_sub(1))
    }
}

impl NoticeKey {
    /// Returns the place in the notice mailbox, as the delivery machine counts.
    pub(crate) fn place(self) -> DeliveryKey {
        DeliveryKey { recipient: self.agency, position: Position(self.number.0) }
    }
}
