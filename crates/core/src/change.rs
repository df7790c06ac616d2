//! Recalls, updates and replacements, as decisions and rows hold them.
//!
//! What a change means for one delivery says [`crate::delivery_state`]; here is what is written
//! down of it. Journalled and stored: field numbers are stable.

use lienthong_model::{
    ChangeEffect, ChangeKind, MessageId, Ordinal, Position, Standing, Timestamp, Urgency,
};
use minicbor::{Decode, Encode};

use crate::command::Delivery;

/// What a recall, an update or a replacement does to the document that it acts on.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ChangeMade {
    /// The document acted on.
    #[n(0)]
    pub document: Position,
    /// Which change of that document this is, from 1; at most
    /// [`lienthong_model::limits::CHANGES_PER_DOCUMENT_MAX`].
    #[n(1)]
    pub number: u32,
    /// What it means for each delivery concerned.
    #[n(2)]
    pub deliveries: Vec<DeliveryChange>,
    /// New recipients, which get the document acted on too.
    #[n(3)]
    pub added: Vec<Delivery>,
    /// How urgent the document acted on is: the queue that it waits in.
    #[n(4)]
    pub urgency: Urgency,
    /// Which of the document's recipients the first new one is, from 0; none without new ones, and
    /// where the document went to all at once.
    #[n(5)]
    pub first_added: Option<u32>,
}

impl ChangeMade {
    /// The new recipients, each with which of the document's recipients it is where the document
    /// went by slices.
    pub(crate) fn added_by_index(&self) -> impl Iterator<Item = (Option<u32>, &Delivery)> {
        let first = self.first_added;
        let indices = (0..).map(move |nth| first.map(|first| first.saturating_add(nth)));
        indices.zip(&self.added)
    }
}

/// What a change means for one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DeliveryChange {
    /// Whose delivery.
    #[n(0)]
    pub recipient: Ordinal,
    /// What is done: an update removes recipients by a recall.
    #[n(1)]
    pub kind: ChangeKind,
    /// What it means.
    #[n(2)]
    pub effect: ChangeEffect,
}

/// The message that changes a document: a report 13 or a document.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChangeMessage {
    /// What it does.
    #[n(0)]
    pub kind: ChangeKind,
    /// Its place in the log.
    #[n(1)]
    pub position: Position,
    /// Its id.
    #[n(2)]
    pub id: MessageId,
    /// When the hub accepted it.
    #[n(3)]
    pub at: Timestamp,
    /// Why; cut at 200 characters (the whole is in the journal).
    #[n(4)]
    pub reason: String,
}

/// That a document is no longer, to its recipient, what it was when it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mark {
    /// What it is now.
    #[n(0)]
    pub standing: Standing,
    /// What made it so.
    #[n(1)]
    pub by: ChangeMessage,
}

/// What a document does to one sent before it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ActsOn {
    /// What.
    #[n(0)]
    pub kind: ChangeKind,
    /// The place of the document acted on.
    #[n(1)]
    pub position: Position,
    /// The id of the document acted on.
    #[n(2)]
    pub id: MessageId,
    /// Why; cut at 200 characters (the whole is in the journal).
    #[n(3)]
    pub reason: String,
}

/// The last change of a document.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LastChange {
    /// Which change it was, from 1.
    #[n(0)]
    pub number: u32,
    /// What made it.
    #[n(1)]
    pub by: ChangeMessage,
}

/// That a recipient's report has answered what its sender asked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Answered {
    /// The mark that the delivery has from now on; none when it stays as it was.
    #[n(0)]
    pub mark: Option<Mark>,
}

/// What is counted of a document beside its type and signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Extent {
    /// Pages as the document says.
    #[n(0)]
    pub pages: u32,
    /// Whether a paper copy follows.
    #[n(1)]
    pub paper_copy: bool,
    /// Bytes of content and attachments.
    #[n(2)]
    pub bytes: u64,
}
