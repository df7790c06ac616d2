//! What a document does to one sent before it.

use clap::Args;
use lienthong_model::{
    AgencyCode, Business, BusinessKind, Change, MessageId, RecipientChange, Written,
};

/// Flags of recalls, updates and replacements.
#[derive(Debug, Args)]
#[command(next_help_heading = "On a document sent before / tác động văn bản đã gửi")]
pub(super) struct ActsArgs {
    /// Replace the document with this id
    #[arg(long, value_name = "ID", group = "acts_on", requires = "reason")]
    replaces: Option<MessageId>,
    /// Update the document with this id
    #[arg(long, value_name = "ID", group = "acts_on", requires = "reason")]
    updates: Option<MessageId>,
    /// Take the document with this id back (without a document: `lienthong recall`)
    #[arg(long, value_name = "ID", group = "acts_on", requires = "reason")]
    recalls: Option<MessageId>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "acts_on")]
    reason: Option<String>,
    /// With --updates: recipients that get the document too from now on
    #[arg(long, value_name = "CODE", value_delimiter = ',', requires = "updates")]
    add: Vec<AgencyCode>,
    /// With --updates: recipients from whom the document is taken back
    #[arg(long, value_name = "CODE", value_delimiter = ',', requires = "updates")]
    remove: Vec<AgencyCode>,
}

impl ActsArgs {
    /// What the document says of it.
    pub(super) fn business(&self) -> Business {
        let (kind, acts_on) = match (self.recalls, self.updates, self.replaces) {
            (Some(id), _, _) => (BusinessKind::Recall, Some(id)),
            (_, Some(id), _) => (BusinessKind::Update, Some(id)),
            (_, _, Some(id)) => (BusinessKind::Replace, Some(id)),
            (None, None, None) => (BusinessKind::New, None),
        };
        let change = |change: Change| {
            move |code: &AgencyCode| RecipientChange { code: Written::code(code.as_str()), change }
        };
        let added = self.add.iter().map(change(Change::Added));
        let removed = self.remove.iter().map(change(Change::Removed));
        Business {
            kind,
            acts_on,
            reason: self.reason.clone().unwrap_or_default(),
            recipient_changes: added.chain(removed).collect(),
            ..Business::default()
        }
    }
}
