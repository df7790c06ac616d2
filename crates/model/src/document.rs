//! Document v1 as plain values: every field that the field uses, as written and as read.
//!
//! How it travels is `wire`'s business, what it means for the exchange is `core`'s. The rule kept
//! here: a code, date or time stays beside its parsed form exactly as somebody wrote it, so that
//! it comes back unchanged. Bounds are those of [`crate::limits`]; they are checked when signed
//! content is read, not when a value is built.

mod business;
mod kind;
mod parts;
mod types;
mod written;

pub use business::{Business, Change, RecipientChange, Replacement, Staff};
pub use kind::{BusinessKind, Steering, Urgency, Wrapping};
pub use parts::{
    Addressee, Answer, AttachmentEntry, Correspondent, Extension, Recipient, Signer, TraceHop,
};
pub use types::{AdministrativeType, DocumentType};
pub use written::Written;

use crate::header::{AttachmentHeader, Header, RecipientChangeHeader, Reference};
use crate::ids::MessageId;
use crate::time::Timestamp;

/// A document as its sender signs it (Document v1).
///
/// Texts that are not given are empty, numbers that are not given are 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Identity of the message, made by the sender.
    pub id: MessageId,
    /// Identity of the document; several messages may carry the same one.
    pub reference: Reference,
    /// The sending agency.
    pub from: Correspondent,
    /// Agencies and lists that it is addressed to, in order; at least one.
    pub recipients: Vec<Recipient>,
    /// The number as written (`15`).
    pub number: String,
    /// The notation as written (`QĐ-UBND`).
    pub notation: String,
    /// Where it was issued.
    pub place_of_issue: String,
    /// The day of issue.
    pub issued_on: Written<Timestamp>,
    /// The producer's code of the type, as written; not settled between producers.
    pub type_code: String,
    /// The producer's code of the type's detail, as written; not settled between producers.
    pub type_detail: String,
    /// The name of the type, as written (`Quyết định`); the type is found by it.
    pub type_name: String,
    /// What the document is about (*trích yếu*); mandatory, at most 500 characters.
    pub subject: String,
    /// A summary of the content; at most 500 characters.
    pub abstract_text: String,
    /// The signer as printed on the document.
    pub signer: Signer,
    /// When the signer says it was signed.
    pub signed_at: Timestamp,
    /// When an answer is due.
    pub due: Written<Timestamp>,
    /// Places that it goes to, as printed (*nơi nhận*); at most 150 characters each.
    pub places_to: Vec<String>,
    /// The documents that this one answers.
    pub answers: Vec<Answer>,
    /// Codes of the tasks that it assigns or answers.
    pub task_codes: Vec<String>,
    /// Whether it steers, or reports on steering.
    pub steering: Option<Steering>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// For *hỏa tốc hẹn giờ*: when it must have been delivered.
    pub deliver_by: Written<Timestamp>,
    /// The sphere in which it may be published (*phạm vi phổ biến*).
    pub sphere: String,
    /// The typist's mark.
    pub typist_mark: String,
    /// Copies issued.
    pub copies: u32,
    /// Pages.
    pub pages: u32,
    /// The direction, as written.
    pub direction: String,
    /// Names of appendixes.
    pub appendixes: Vec<String>,
    /// What the message does: new, recall, update, replace.
    pub business: Business,
    /// One entry for every hop before the hub.
    pub trace: Vec<TraceHop>,
    /// Attachments; their bytes travel beside the content.
    pub attachments: Vec<AttachmentEntry>,
    /// Whatever more a source has.
    pub extensions: Vec<Extension>,
}

impl Document {
    /// A new document with what is mandatory, everything else empty.
    pub fn new<R: Into<Recipient>>(
        id: MessageId,
        from: impl Into<Correspondent>,
        recipients: impl IntoIterator<Item = R>,
        subject: impl Into<String>,
        signed_at: Timestamp,
    ) -> Self {
        Self {
            id,
            reference: Reference::default(),
            from: from.into(),
            recipients: recipients.into_iter().map(Into::into).collect(),
            number: String::new(),
            notation: String::new(),
            place_of_issue: String::new(),
            issued_on: Written::default(),
            type_code: String::new(),
            type_detail: String::new(),
            type_name: String::new(),
            subject: subject.into(),
            abstract_text: String::new(),
            signer: Signer::default(),
            signed_at,
            due: Written::default(),
            places_to: Vec::new(),
            answers: Vec::new(),
            task_codes: Vec::new(),
            steering: None,
            urgency: Urgency::Normal,
            deliver_by: Written::default(),
            sphere: String::new(),
            typist_mark: String::new(),
            copies: 0,
            pages: 0,
            direction: String::new(),
            appendixes: Vec::new(),
            business: Business::default(),
            trace: Vec::new(),
            attachments: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// The same document with number, notation, day of issue and type, and the reference that the
    /// field makes of them: `<agency code>,<yyyy/MM/dd>,<number>/<notation>`.
    pub fn issued(mut self, number: u32, document_type: DocumentType, unit: &str) -> Self {
        let date = self.signed_at.day().to_string().replace('-', "/");
        let notation = match document_type.abbreviation() {
            "" => unit.to_owned(),
            abbreviation => format!("{abbreviation}-{unit}"),
        };
        self.reference = Reference {
            text: format!("{},{date},{number}/{notation}", self.from.code),
            code: Some(self.from.code.to_string()),
            date: Some(date.clone()),
            number: Some(number.to_string()),
            notation: Some(notation.clone()),
        };
        self.issued_on = Written::date(date);
        self.number = number.to_string();
        self.notation = notation;
        self.type_name = document_type.name_vi().to_owned();
        self
    }

    /// The administrative type: by its name, or by the notation when no name is given.
    pub fn document_type(&self) -> DocumentType {
        DocumentType::of(&self.type_name, &self.notation)
    }

    /// What judgement, search and statistics read of the document.
    pub fn header(&self) -> Header {
        Header {
            id: self.id,
            sender: self.from.code.clone(),
            recipients: self.recipients.iter().map(Recipient::addressee).collect(),
            reference: self.reference.clone(),
            subject: self.subject.clone(),
            document_type: self.document_type(),
            urgency: self.urgency,
            deliver_by: self.deliver_by.value,
            signed_at: self.signed_at,
            due: self.due.value,
            pages: self.pages,
            paper_copy: self.business.paper_copy,
            kind: self.business.kind,
            acts_on: self.business.acts_on,
            attachments: self.attachments.iter().map(AttachmentHeader::from).collect(),
            answers: self.answers.iter().cloned().map(Answer::into_reference).collect(),
            reason: self.business.reason.clone(),
            recipient_changes: self.business.recipient_changes.iter().map(Into::into).collect(),
        }
    }
}

impl From<&RecipientChange> for RecipientChangeHeader {
    fn from(change: &RecipientChange) -> Self {
        Self { code: change.code.value.clone(), change: change.change }
    }
}

impl From<&AttachmentEntry> for AttachmentHeader {
    fn from(entry: &AttachmentEntry) -> Self {
        Self { content_id: entry.content_id.clone(), sha256: entry.sha256, size: entry.size }
    }
}

#[cfg(test)]
mod tests;
