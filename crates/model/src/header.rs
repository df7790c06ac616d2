//! Headers: what judgement, search and statistics read of a signed content, whatever its form.

use minicbor::{Decode, Encode};

use crate::code::AgencyCode;
use crate::document::{Addressee, BusinessKind, Change, DocumentType, Urgency};
use crate::ids::{Digest, MessageId};
use crate::status::StatusCode;
use crate::time::Timestamp;

/// Identity of a *document* (as against a message): several messages may carry the same one.
/// Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Reference {
    /// The whole text as written, for instance `H36,2020/11/16,15/QĐ-UBND`.
    #[n(0)]
    pub text: String,
    /// The issuing agency's code as written, where it can be read.
    #[n(1)]
    pub code: Option<String>,
    /// The day of issue as written (`yyyy/MM/dd`), where it can be read.
    #[n(2)]
    pub date: Option<String>,
    /// The number as written (`15`), where it can be read.
    #[n(3)]
    pub number: Option<String>,
    /// The notation as written (`QĐ-UBND`), where it can be read.
    #[n(4)]
    pub notation: Option<String>,
}

/// The header of a document. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// Identity of the message.
    #[n(0)]
    pub id: MessageId,
    /// The sending agency, as written.
    #[n(1)]
    pub sender: AgencyCode,
    /// Agencies and lists it is addressed to, in the sender's order; at least one.
    #[n(2)]
    pub recipients: Vec<Addressee>,
    /// Identity of the document.
    #[n(3)]
    pub reference: Reference,
    /// What the document is about (*trích yếu*).
    #[n(4)]
    pub subject: String,
    /// The administrative type.
    #[n(5)]
    pub document_type: DocumentType,
    /// How urgent it is.
    #[n(6)]
    pub urgency: Urgency,
    /// For *hỏa tốc hẹn giờ*: when it must have been delivered.
    #[n(7)]
    pub deliver_by: Option<Timestamp>,
    /// When the signer says it was signed.
    #[n(8)]
    pub signed_at: Timestamp,
    /// When an answer is due.
    #[n(9)]
    pub due: Option<Timestamp>,
    /// Pages of the document; 0 when not said.
    #[n(10)]
    pub pages: u32,
    /// Whether a paper copy follows.
    #[n(11)]
    pub paper_copy: bool,
    /// What kind of business the message is.
    #[n(12)]
    pub kind: BusinessKind,
    /// For recall, update and replace: the message acted on.
    #[n(13)]
    pub acts_on: Option<MessageId>,
    /// Attachments named by the content.
    #[n(14)]
    pub attachments: Vec<AttachmentHeader>,
    /// The documents that this one answers.
    #[n(15)]
    pub answers: Vec<Reference>,
    /// Why; mandatory for recall, update and replace.
    #[n(16)]
    #[cbor(skip_if = "String::is_empty")]
    pub reason: String,
    /// Recipients that an update adds and removes, in order.
    #[n(17)]
    #[cbor(skip_if = "Vec::is_empty")]
    pub recipient_changes: Vec<RecipientChangeHeader>,
}

/// What a header keeps of a change of recipients. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecipientChangeHeader {
    /// The recipient; none when its code cannot be read.
    #[n(0)]
    pub code: Option<AgencyCode>,
    /// What happens to it.
    #[n(1)]
    pub change: Change,
}

/// What a header keeps of an attachment. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AttachmentHeader {
    /// The content id, unique in the document.
    #[n(0)]
    pub content_id: String,
    /// SHA-256 of the bytes as they travel.
    #[n(1)]
    pub sha256: Digest,
    /// Bytes as they travel.
    #[n(2)]
    pub size: u64,
}

/// The header of a status report. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StatusHeader {
    /// Identity of the report.
    #[n(0)]
    pub id: MessageId,
    /// The reporting agency, as written.
    #[n(1)]
    pub from: AgencyCode,
    /// The sender of the message acted on, as written: ids are unique together with it.
    #[n(2)]
    pub document_sender: AgencyCode,
    /// The message acted on.
    #[n(3)]
    pub document: MessageId,
    /// What is reported.
    #[n(4)]
    pub code: StatusCode,
    /// Why, or what is being done. Mandatory for 02, 13 and 16.
    #[n(5)]
    pub reason: String,
    /// For 13: the recipients meant; none means all.
    #[n(6)]
    pub recipients: Vec<AgencyCode>,
    /// When the signer says it was signed.
    #[n(7)]
    pub signed_at: Timestamp,
}
