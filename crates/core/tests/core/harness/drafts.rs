//! Documents and reports to be, with what most tests do not care for filled in.

use lienthong_model::{BusinessKind, DocumentType, MessageId, StatusCode, Timestamp, Urgency};

use super::signers::Signs;

/// A document to be.
#[derive(Debug, Clone)]
pub struct Draft {
    pub caller: Option<&'static str>,
    pub from: &'static str,
    pub to: Vec<String>,
    pub lists: Vec<String>,
    pub signs: Vec<Signs>,
    pub id: Option<MessageId>,
    pub signed_at: Option<Timestamp>,
    pub subject: String,
    pub urgency: Urgency,
    pub due: Option<Timestamp>,
    pub deliver_by: Option<Timestamp>,
    pub document_type: DocumentType,
    pub kind: BusinessKind,
    pub paper_copy: bool,
    pub pages: u32,
    pub acts_on: Option<MessageId>,
    pub reason: String,
    pub changes: Vec<(&'static str, lienthong_model::Change)>,
    pub number: u32,
    pub unit: String,
    /// Bytes of attachments that were uploaded before.
    pub uploaded: Vec<&'static [u8]>,
}

/// A report to be.
#[derive(Debug, Clone)]
pub struct ReportDraft {
    pub caller: Option<&'static str>,
    pub from: &'static str,
    pub sender: &'static str,
    pub document: MessageId,
    pub code: StatusCode,
    pub reason: &'static str,
    pub recipients: Vec<&'static str>,
    pub signs: Vec<Signs>,
    pub id: Option<MessageId>,
    pub signed_at: Option<Timestamp>,
}

pub fn draft(from: &'static str, to: &[&str]) -> Draft {
    Draft {
        caller: None,
        from,
        to: to.iter().map(ToString::to_string).collect(),
        lists: Vec::new(),
        signs: vec![Signs::Person(from)],
        id: None,
        signed_at: None,
        subject: "Về việc gửi văn bản".to_owned(),
        urgency: Urgency::Normal,
        due: None,
        deliver_by: None,
        document_type: DocumentType::DECISION,
        kind: BusinessKind::New,
        paper_copy: false,
        pages: 3,
        acts_on: None,
        reason: String::new(),
        changes: Vec::new(),
        number: 15,
        unit: "UBND".to_owned(),
        uploaded: Vec::new(),
    }
}

/// A document that acts on another.
pub fn acting(kind: BusinessKind, from: &'static str, on: MessageId, to: &[&str]) -> Draft {
    let reason = "Có sai sót".to_owned();
    Draft { kind, acts_on: Some(on), reason, ..draft(from, to) }
}

pub fn report(
    from: &'static str,
    sender: &'static str,
    document: MessageId,
    code: StatusCode,
) -> ReportDraft {
    let reason = if code.needs_reason() { "Không thuộc thẩm quyền" } else { "" };
    ReportDraft {
        caller: None,
        from,
        sender,
        document,
        code,
        reason,
        recipients: Vec::new(),
        signs: vec![Signs::Seal(from)],
        id: None,
        signed_at: None,
    }
}
