//! Recall, update, replacement, as the hub tells of them.

use lienthong_model::{
    AgencyCode, ChangeEffect, ChangeKind, MessageId, Position, Standing, Timestamp,
};
use lienthong_wire::{
    change_effect_from_proto, change_kind_from_proto, proto, standing_from_proto,
};

use crate::error::CallError;
use crate::read;

/// Names a document of a sender that is known from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentMention {
    /// The message's id.
    pub id: MessageId,
    /// The place in the hub's log.
    pub position: Position,
}

/// The message that changes a document: a report 13 or a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMessage {
    /// What it does.
    pub kind: ChangeKind,
    /// Its id.
    pub id: MessageId,
    /// Its place in the hub's log.
    pub position: Position,
    /// When the hub received it, in business time.
    pub at: Timestamp,
    /// Why; at most 200 characters, the message has all of it.
    pub reason: String,
}

/// That a document is no longer, to its recipient, what it was when it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryMark {
    /// What it is now.
    pub standing: Standing,
    /// What made it so.
    pub by: ChangeMessage,
}

/// What a document does to one sent before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActsOn {
    /// What.
    pub kind: ChangeKind,
    /// The document acted on.
    pub document: DocumentMention,
    /// Why; at most 200 characters, the document has all of it.
    pub reason: String,
}

/// What a recall, an update or a replacement means for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOutcome {
    /// The recipient's code.
    pub recipient: AgencyCode,
    /// What is done: an update removes recipients by a recall.
    pub kind: ChangeKind,
    /// What it means.
    pub effect: ChangeEffect,
}

/// That a recipient's node could not take a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegativeAcknowledgements {
    /// How often it said so.
    pub count: u32,
    /// When it said so last, in business time.
    pub last_at: Timestamp,
    /// Why, as it said last.
    pub last_reason: String,
}

fn kind(number: i32) -> Result<ChangeKind, CallError> {
    change_kind_from_proto(number).ok_or_else(|| CallError::answer("change.kind", number))
}

impl DocumentMention {
    pub(crate) fn read(mention: proto::DocumentMention) -> Result<Self, CallError> {
        let id = read::id("mention.id", &mention.id)?;
        Ok(Self { id, position: Position(mention.position) })
    }
}

impl ChangeMessage {
    pub(crate) fn read(message: proto::ChangeMessage) -> Result<Self, CallError> {
        Ok(Self {
            kind: kind(message.kind)?,
            id: read::id("change.id", &message.id)?,
            position: Position(message.position),
            at: read::moment("change.at", message.at.as_ref())?,
            reason: message.reason,
        })
    }
}

impl DeliveryMark {
    pub(crate) fn read(mark: proto::DeliveryMark) -> Result<Self, CallError> {
        let standing = standing_from_proto(mark.standing)
            .ok_or_else(|| CallError::answer("mark.standing", mark.standing))?;
        Ok(Self { standing, by: ChangeMessage::read(read::present("mark.by", mark.by)?)? })
    }
}

impl ActsOn {
    pub(crate) fn read(acts: proto::ActsOn) -> Result<Self, CallError> {
        let document = read::present("acts_on.document", acts.document)?;
        Ok(Self {
            kind: kind(acts.kind)?,
            document: DocumentMention::read(document)?,
            reason: acts.reason,
        })
    }
}

impl ChangeOutcome {
    pub(crate) fn read(outcome: proto::ChangeOutcome) -> Result<Self, CallError> {
        let effect = change_effect_from_proto(outcome.effect)
            .ok_or_else(|| CallError::answer("changes.effect", outcome.effect))?;
        Ok(Self {
            recipient: read::code("changes.recipient", &outcome.recipient)?,
            kind: kind(outcome.kind)?,
            effect,
        })
    }
}

impl NegativeAcknowledgements {
    pub(crate) fn read(said: proto::NegativeAcknowledgements) -> Result<Self, CallError> {
        Ok(Self {
            count: said.count,
            last_at: read::moment("negative.last_at", said.last_at.as_ref())?,
            last_reason: said.last_reason,
        })
    }
}
