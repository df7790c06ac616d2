//! A received document as it is printed and as it is kept beside its bytes.

use lienthong_client::{Checked, Delivery};
use lienthong_model::{AgencyCode, Business, ChangeKind, MessageId};
use lienthong_trust::Holder;
use serde::Serialize;

use crate::change_view::{MarkView, MessageView};
use crate::output::{self, thousands};

/// A received document.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DocumentView {
    pub recipient: String,
    pub sender: String,
    pub id: String,
    pub position: u64,
    pub received_at: String,
    pub attempt: u32,
    pub verified: bool,
    pub signature: &'static str,
    pub signers: Vec<SignerView>,
    pub subject: String,
    pub reference: String,
    pub document_type: String,
    pub urgency: &'static str,
    pub signed_at: String,
    pub due: Option<String>,
    pub attachments: Vec<AttachmentView>,
    /// For a recall, an update or a replacement: what it does, on which document of the sender.
    pub acts_on: Option<ActsOnView>,
    /// What the document is to the recipient by now.
    pub mark: Option<MarkView>,
    /// What its sender asks and the recipient has not answered.
    pub asked: Option<MessageView>,
    /// Why it did not verify.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<serde_json::Value>,
    /// Where it is kept.
    pub saved: Option<String>,
    /// Whether the hub has the acknowledgement on its disk.
    pub acknowledged: bool,
    pub reported: Vec<ReportedView>,
}

/// What a document does to one sent before it, as its signed content says.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ActsOnView {
    pub kind: &'static str,
    pub id: String,
    pub reason: String,
}

/// Who signed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SignerView {
    pub role: &'static str,
    pub agency: String,
    pub name: String,
    pub title: String,
    pub certificate_sha256: String,
}

/// An attachment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AttachmentView {
    pub name: String,
    pub media_type: String,
    pub size: u64,
    pub sha256: String,
    pub is_document: bool,
}

/// A status that was reported.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ReportedView {
    pub code: String,
    pub name: &'static str,
    pub position: u64,
}

impl DocumentView {
    /// What can be said of a delivery that did not verify: only what the hub says.
    pub(super) fn unverified(delivery: &Delivery) -> Self {
        Self {
            recipient: delivery.key.recipient.to_string(),
            sender: String::new(),
            id: String::new(),
            position: delivery.key.position.0,
            received_at: delivery.received_at.to_string(),
            attempt: delivery.attempt,
            verified: false,
            signature: "none",
            signers: Vec::new(),
            subject: String::new(),
            reference: String::new(),
            document_type: String::new(),
            urgency: "",
            signed_at: String::new(),
            due: None,
            attachments: Vec::new(),
            acts_on: None,
            mark: delivery.mark.as_ref().map(MarkView::from),
            asked: delivery.asked.as_ref().map(MessageView::from),
            refused: None,
            saved: None,
            acknowledged: false,
            reported: Vec::new(),
        }
    }

    /// A delivery whose signatures hold.
    pub(super) fn of(delivery: &Delivery, checked: &Checked) -> Self {
        let document = &checked.document;
        let due = &document.due;
        let attachment = |entry: &lienthong_model::AttachmentEntry| AttachmentView {
            name: entry.name.clone(),
            media_type: entry.media_type.clone(),
            size: entry.size,
            sha256: entry.sha256.to_string(),
            is_document: entry.is_document,
        };
        Self {
            sender: document.from.code.to_string(),
            id: document.id.to_string(),
            verified: true,
            signature: checked.signature.name(),
            signers: checked.signers.iter().map(|signer| SignerView::of(signer)).collect(),
            subject: document.subject.clone(),
            reference: document.reference.text.clone(),
            document_type: document.document_type().name_vi().to_owned(),
            urgency: document.urgency.name_en(),
            signed_at: document.signed_at.to_string(),
            due: due.value.map(|_| due.text.clone()),
            attachments: document.attachments.iter().map(attachment).collect(),
            acts_on: ActsOnView::of(&document.business),
            ..Self::unverified(delivery)
        }
    }

    pub(super) fn sender_code(&self) -> anyhow::Result<AgencyCode> {
        Ok(AgencyCode::parse(&self.sender)?)
    }

    pub(super) fn message(&self) -> anyhow::Result<MessageId> {
        Ok(self.id.parse()?)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut lines =
            vec![("văn bản / document", format!("#{} → {}", self.position, self.recipient))];
        if !self.verified {
            lines.push(("chữ ký / signatures", "KHÔNG HỢP LỆ / NOT VALID: not taken".to_owned()));
            return output::pairs(&lines);
        }
        lines.push(("từ / from", format!("{}  {}", self.sender, self.id)));
        lines.extend(self.mark.iter().map(|mark| ("HIỆN NAY / BY NOW", mark.text())));
        lines.extend(self.asked.iter().map(|asked| ("NƠI GỬI YÊU CẦU / ASKED", asked.text())));
        if let Some(ActsOnView { kind, id, reason }) = &self.acts_on {
            lines.push(("tác động / acts on", format!("{kind} {id}: {reason}")));
        }
        lines.push(("trích yếu / subject", self.subject.clone()));
        if !self.reference.is_empty() {
            lines.push(("số hiệu / reference", self.reference.clone()));
        }
        lines.push(("loại / type", format!("{} ({})", self.document_type, self.urgency)));
        lines.extend(self.due.iter().map(|due| ("hạn / due", due.clone())));
        let force = match self.signers.is_empty() {
            true => "không chữ ký, để biết / unsigned, for information, without legal force",
            false => "hợp lệ / valid",
        };
        lines.push(("chữ ký / signatures", force.to_owned()));
        for signer in &self.signers {
            let who = match signer.role {
                "person" => format!("{}, {}, {}", signer.name, signer.title, signer.agency),
                _ => format!("con dấu / seal {}", signer.agency),
            };
            lines.push(("  ký / signed", who));
        }
        for attachment in &self.attachments {
            let size = thousands(attachment.size);
            lines.push(("đính kèm / attachment", format!("{}  {size} B", attachment.name)));
        }
        lines.extend(self.saved.iter().map(|path| ("lưu / kept in", path.clone())));
        let state = if self.acknowledged { "đã xác nhận / yes" } else { "chưa / no" };
        lines.push(("xác nhận / acknowledged", state.to_owned()));
        for report in &self.reported {
            lines.push(("báo cáo / reported", format!("{} {}", report.code, report.name)));
        }
        output::pairs(&lines)
    }
}

impl ActsOnView {
    fn of(business: &Business) -> Option<Self> {
        let kind = ChangeKind::of(business.kind)?;
        let id = business.acts_on.map(|id| id.to_string()).unwrap_or_default();
        Some(Self { kind: kind.name_en(), id, reason: business.reason.clone() })
    }
}

impl SignerView {
    fn of(certificate: &lienthong_trust::Certificate) -> Self {
        let (role, name, title) = match certificate.holder() {
            Holder::Person { name, title, .. } => ("person", name.clone(), title.clone()),
            Holder::Seal { .. } => ("seal", String::new(), String::new()),
            Holder::Authority { .. }
            | Holder::Node { .. }
            | Holder::Operator { .. }
            | Holder::Hub { .. } => ("other", String::new(), String::new()),
        };
        Self {
            role,
            agency: certificate.agency().map(ToString::to_string).unwrap_or_default(),
            name,
            title,
            certificate_sha256: certificate.fingerprint().to_string(),
        }
    }
}
