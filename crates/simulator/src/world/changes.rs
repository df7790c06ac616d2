//! Senders that take back, update or replace what they have sent.

use std::sync::Arc;

use lienthong_model::{BusinessKind, DocumentType, MessageId, StatusCode, StatusReport};
use rand::RngExt as _;

use super::hub::Sent;
use super::sending::{Sheet, Then};
use super::{Event, World, WorldError};

/// Why a document is changed.
const MISTAKE: &str = "Có sai sót về nội dung";

/// A change that a sender will make.
pub(super) struct Change {
    sender: usize,
    recipients: Vec<usize>,
    id: MessageId,
    kind: BusinessKind,
}

impl World<'_> {
    /// Whether the sender of an accepted document will change it, and when.
    pub(super) fn perhaps_change(&mut self, sheet: &Sheet) {
        let (Some(traffic), Some(id)) = (sheet.traffic, sheet.id) else { return };
        let changes = self.scenario.traffic[traffic].changes;
        if changes.recall + changes.update + changes.replace == 0.0 {
            return;
        }
        let mut drawn = self.dice.clerks.random_range(0.0..1.0);
        for (share, kind) in [
            (changes.recall, BusinessKind::Recall),
            (changes.update, BusinessKind::Update),
            (changes.replace, BusinessKind::Replace),
        ] {
            if (0.0..share).contains(&drawn) {
                let hours = self.hours(changes.hours);
                let at = self.scenario.calendar.after(self.now, hours);
                let (sender, recipients) = (sheet.sender, sheet.recipients.clone());
                let change = Change { sender, recipients, id, kind };
                self.queue.put(at, Event::Change(Box::new(change)));
            }
            drawn -= share;
        }
    }

    /// A recall is a report (13), an update or a replacement a document.
    pub(super) fn change(&mut self, change: Change) -> Result<(), WorldError> {
        let Change { sender, recipients, id, kind } = change;
        let from = self.nodes[sender].member.entry.code.clone();
        self.trace.line(self.now, "changes", &[&from, &id, &kind.number()])?;
        if kind == BusinessKind::Recall {
            let new = self.new_id(self.now);
            let about = (from.clone(), id);
            let report = StatusReport::new(new, from, about, StatusCode::RecallRequested);
            let signed = self.signed_report(&report.because(MISTAKE), sender)?;
            let sent = Sent::Report(Arc::new(signed));
            return self.call(sender, sent, Then::Nothing(recipients));
        }
        let subject = match kind {
            BusinessKind::Replace => "V/v thay thế văn bản đã gửi",
            BusinessKind::Update | BusinessKind::New | BusinessKind::Recall => {
                "V/v đính chính văn bản đã gửi"
            }
        };
        let letter = DocumentType::OFFICIAL_LETTER;
        let mut document = self.document(sender, &recipients, letter, subject.to_owned());
        document.business.kind = kind;
        document.business.acts_on = Some(id);
        document.business.reason = MISTAKE.to_owned();
        document.pages = 1;
        self.sign_and_send(document, None, Sheet::new(sender, recipients, None))
    }
}
