//! Recalls, updates and replacements as commands print them.

use lienthong_client::{
    ActsOn, ChangeMessage, ChangeOutcome, DeliveryMark, DocumentMention, NegativeAcknowledgements,
};
use lienthong_model::{Standing, StatusCode};
use serde::Serialize;

/// What a change means for one recipient.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OutcomeView {
    recipient: String,
    kind: &'static str,
    effect: &'static str,
    #[serde(skip)]
    text: String,
}

/// The message that changes a document.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MessageView {
    kind: &'static str,
    id: String,
    position: u64,
    at: String,
    reason: String,
    #[serde(skip)]
    kind_vi: &'static str,
}

/// What a document is to its recipient.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MarkView {
    standing: &'static str,
    by: MessageView,
    #[serde(skip)]
    standing_vi: &'static str,
}

/// A document that is mentioned.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MentionView {
    id: String,
    position: u64,
}

/// What a document does to one sent before it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ActsOnView {
    kind: &'static str,
    document: MentionView,
    reason: String,
    #[serde(skip)]
    kind_vi: &'static str,
}

/// That a recipient's node could not take a delivery.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NegativeView {
    count: u32,
    last_at: String,
    last_reason: String,
}

impl From<&ChangeOutcome> for OutcomeView {
    fn from(outcome: &ChangeOutcome) -> Self {
        let ChangeOutcome { recipient, kind, effect } = outcome;
        Self {
            recipient: recipient.to_string(),
            kind: kind.name_en(),
            effect: effect.name_en(),
            text: format!(
                "{recipient}  {} / {}: {} / {}",
                kind.name_vi(),
                kind.name_en(),
                effect.name_vi(),
                effect.name_en()
            ),
        }
    }
}

impl OutcomeView {
    /// For people.
    pub(crate) fn text(&self) -> String {
        self.text.clone()
    }
}

impl From<&ChangeMessage> for MessageView {
    fn from(message: &ChangeMessage) -> Self {
        Self {
            kind: message.kind.name_en(),
            id: message.id.to_string(),
            position: message.position.0,
            at: message.at.to_string(),
            reason: message.reason.clone(),
            kind_vi: message.kind.name_vi(),
        }
    }
}

impl MessageView {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let Self { kind, kind_vi, id, at, reason, .. } = self;
        format!("{at}  {kind_vi} / {kind} {id}: {reason}")
    }
}

impl From<&DeliveryMark> for MarkView {
    fn from(mark: &DeliveryMark) -> Self {
        Self {
            standing: mark.standing.name_en(),
            by: MessageView::from(&mark.by),
            standing_vi: mark.standing.name_vi(),
        }
    }
}

impl MarkView {
    /// Whether the document left the mailbox before it was acknowledged.
    pub(crate) fn is_withdrawn(&self) -> bool {
        [Standing::Withdrawn, Standing::Replaced].map(Standing::name_en).contains(&self.standing)
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let Self { standing, standing_vi, by } = self;
        format!("{} / {}: {}", standing_vi.to_uppercase(), standing.to_uppercase(), by.text())
    }
}

impl From<&DocumentMention> for MentionView {
    fn from(mention: &DocumentMention) -> Self {
        Self { id: mention.id.to_string(), position: mention.position.0 }
    }
}

impl MentionView {
    /// For people.
    pub(crate) fn text(&self) -> String {
        format!("{}  #{}", self.id, self.position)
    }
}

impl From<&ActsOn> for ActsOnView {
    fn from(acts: &ActsOn) -> Self {
        Self {
            kind: acts.kind.name_en(),
            document: MentionView::from(&acts.document),
            reason: acts.reason.clone(),
            kind_vi: acts.kind.name_vi(),
        }
    }
}

impl ActsOnView {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let Self { kind, kind_vi, document, reason } = self;
        format!("{kind_vi} / {kind} {}: {reason}", document.text())
    }
}

impl From<&NegativeAcknowledgements> for NegativeView {
    fn from(said: &NegativeAcknowledgements) -> Self {
        Self {
            count: said.count,
            last_at: said.last_at.to_string(),
            last_reason: said.last_reason.clone(),
        }
    }
}

impl NegativeView {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let Self { count, last_at, last_reason } = self;
        format!("{last_at}  chưa nhận được / could not be taken ({count}×): {last_reason}")
    }
}

/// The statuses that are open, for people.
pub(crate) fn open_text(open: &[String]) -> String {
    format!("còn được báo / open: {}", open.join(", "))
}

/// The statuses that are open, for programs.
pub(crate) fn open_codes(open: &[StatusCode]) -> Vec<String> {
    open.iter().map(ToString::to_string).collect()
}
