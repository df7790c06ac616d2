//! A received document as it is printed and as it is kept beside its bytes.

use lienthong_client::Delivery;
use lienthong_connector::Received;
use lienthong_model::{AgencyCode, MessageId};
use serde::Serialize;

use crate::change_view::{MarkView, MessageView};
use crate::output::{self, thousands};
use crate::revocation;

/// A received document, and what became of it here.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DocumentView {
    #[serde(flatten)]
    pub received: Received,
    /// What the document is to the recipient by now.
    pub mark: Option<MarkView>,
    /// What its sender asks and the recipient has not answered.
    pub asked: Option<MessageView>,
    /// Where it is kept.
    pub saved: Option<String>,
    /// Whether the hub has the acknowledgement on its disk.
    pub acknowledged: bool,
    pub reported: Vec<ReportedView>,
}

/// A status that was reported.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ReportedView {
    pub code: String,
    pub name: &'static str,
    pub name_vi: &'static str,
    pub position: u64,
}

impl DocumentView {
    /// A document of which nothing has become yet.
    pub(super) fn new(delivery: &Delivery, received: Received) -> Self {
        Self {
            received,
            mark: delivery.mark.as_ref().map(MarkView::from),
            asked: delivery.asked.as_ref().map(MessageView::from),
            saved: None,
            acknowledged: false,
            reported: Vec::new(),
        }
    }

    pub(super) fn sender_code(&self) -> anyhow::Result<AgencyCode> {
        Ok(AgencyCode::parse(&self.received.sender)?)
    }

    pub(super) fn message(&self) -> anyhow::Result<MessageId> {
        Ok(self.received.id.parse()?)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let received = &self.received;
        let mut lines = vec![(
            "văn bản / document",
            format!("#{} → {}", received.position, received.recipient),
        )];
        if !received.verified {
            lines.push(("chữ ký / signatures", "KHÔNG HỢP LỆ / NOT VALID: not taken".to_owned()));
            return output::pairs(&lines);
        }
        lines.push(("từ / from", format!("{}  {}", received.sender, received.id)));
        lines.extend(self.mark.iter().map(|mark| ("HIỆN NAY / BY NOW", mark.text())));
        lines.extend(self.asked.iter().map(|asked| ("NƠI GỬI YÊU CẦU / ASKED", asked.text())));
        if let Some(acts) = &received.acts_on {
            let text = format!("{} {}: {}", acts.kind, acts.id, acts.reason);
            lines.push(("tác động / acts on", text));
        }
        lines.push(("trích yếu / subject", received.subject.clone()));
        if !received.reference.is_empty() {
            lines.push(("số hiệu / reference", received.reference.clone()));
        }
        lines.push(("loại / type", format!("{} ({})", received.document_type, received.urgency)));
        lines.extend(received.due.iter().map(|due| ("hạn / due", due.clone())));
        let force = match received.signers.is_empty() {
            true => "không chữ ký, để biết / unsigned, for information, without legal force",
            false => "hợp lệ / valid",
        };
        lines.push(("chữ ký / signatures", force.to_owned()));
        let mark = revocation::mark(received.revocation);
        lines.extend(mark.map(|mark| (revocation::LINE, mark.to_owned())));
        for signer in &received.signers {
            let who = match signer.role {
                "person" => format!("{}, {}, {}", signer.name, signer.title, signer.agency),
                _ => format!("con dấu / seal {}", signer.agency),
            };
            lines.push(("  ký / signed", who));
        }
        for attachment in &received.attachments {
            let size = thousands(attachment.size);
            lines.push(("đính kèm / attachment", format!("{}  {size} B", attachment.name)));
        }
        lines.extend(self.saved.iter().map(|path| ("lưu / kept in", path.clone())));
        let state = if self.acknowledged { "đã xác nhận / yes" } else { "chưa / no" };
        lines.push(("xác nhận / acknowledged", state.to_owned()));
        for report in &self.reported {
            let ReportedView { code, name, name_vi, .. } = report;
            lines.push(("báo cáo / reported", format!("{code} {name_vi} / {name}")));
        }
        output::pairs(&lines)
    }
}
