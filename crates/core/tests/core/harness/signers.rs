//! Whoever signs, with real keys and certificates, and what comes out of it verified.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::{Stored, StoredAttachment, StoredContent};
use lienthong_model::{
    AttachmentEntry, DOCUMENT_V1, Document, Fingerprint, MessageId, Recipient, STATUS_V1,
    SignatureEntry, SignedContent, StatusReport, Timestamp,
};
use lienthong_pki::{Authority, Identity, Profile, Serial, TestPki, Validity};
use lienthong_trust::{Authorities, Known, StatusSubmission, Submission, Verified, Verifier, dsse};
use lienthong_wire::{DocumentContents, encode_document, encode_status};

use super::country::{at, code};
use super::drafts::{Draft, ReportDraft};

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// A person of an agency.
    Person(&'static str),
    /// The seal of an agency.
    Seal(&'static str),
    /// A person of an agency with a certificate of an authority that nobody trusts.
    Stranger(&'static str),
    /// A seal whose certificate is valid from 1 November to 30 November 2020 only.
    ShortSeal(&'static str),
}

/// Certificates come with every content; nobody is known beforehand.
pub struct Nobody;

impl Known for Nobody {
    fn certificate(&self, _: &Fingerprint) -> Option<Bytes> {
        None
    }

    fn authorities(&self) -> Arc<Authorities> {
        Arc::default()
    }
}

/// Keys and the verifier; made once a hub.
pub struct Signers {
    pub pki: TestPki,
    pub stranger: TestPki,
    identities: HashMap<String, Identity>,
    verifier: Verifier<DocumentContents, Nobody>,
    made: u64,
}

impl Signers {
    pub fn new() -> Self {
        let validity = Validity { not_before: at("2019-01-01"), not_after: at("2030-01-01") };
        Self {
            pki: TestPki::new([1; 32], validity).unwrap(),
            stranger: TestPki::new([2; 32], validity).unwrap(),
            identities: HashMap::new(),
            verifier: Verifier::new(DocumentContents, Nobody),
            made: 0,
        }
    }

    pub fn identity(&mut self, signs: Signs) -> Identity {
        let key = format!("{signs:?}");
        if let Some(known) = self.identities.get(&key) {
            return known.clone();
        }
        let identity = match signs {
            Signs::Person(agency) => self.pki.identity(&person(agency)),
            Signs::Stranger(agency) => self.stranger.identity(&person(agency)),
            Signs::Seal(agency) => self.pki.seal(&code(agency)),
            Signs::ShortSeal(agency) => Ok(self.short_seal(agency)),
        };
        self.identities.insert(key, identity.clone().unwrap());
        identity.unwrap()
    }

    fn short_seal(&self, agency: &str) -> Identity {
        let key = self.pki.seal(&code(agency)).unwrap().key;
        let validity = Validity { not_before: at("2020-11-01"), not_after: at("2020-11-30") };
        let profile = Profile::Seal { agency: code(agency) };
        let public = key.public_key().unwrap();
        let certificate =
            self.pki.issuing().issue(&profile, &public, validity, Serial::Derived).unwrap();
        Identity { certificate: Arc::new(certificate), key }
    }

    /// A new id of a moment; no two are the same.
    pub fn new_id(&mut self, at: Timestamp) -> MessageId {
        self.made += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.made.to_be_bytes());
        MessageId::new(at, random)
    }

    pub fn sign(&mut self, content_type: &str, content: Bytes, signs: &[Signs]) -> SignedContent {
        let message = dsse::pre_authentication_encoding(content_type, &content);
        let mut signatures = Vec::new();
        let mut certificates = Vec::new();
        for signs in signs {
            let identity = self.identity(*signs);
            signatures.push(SignatureEntry {
                certificate: *identity.certificate.fingerprint(),
                value: Bytes::copy_from_slice(&identity.key.sign(&message)),
            });
            let pki = match signs {
                Signs::Stranger(_) => &self.stranger,
                Signs::Person(_) | Signs::Seal(_) | Signs::ShortSeal(_) => &self.pki,
            };
            let above = [pki.issuing(), pki.root()].map(Authority::certificate);
            certificates.push(identity.certificate.der().clone());
            certificates.extend(above.map(|certificate| certificate.der().clone()));
        }
        SignedContent {
            content_type: content_type.to_owned(),
            content,
            signatures,
            certificates,
            attachments: Vec::new(),
        }
    }

    pub fn document(&mut self, draft: &Draft, now: Timestamp) -> Verified<Submission> {
        let id = draft.id.unwrap_or_else(|| self.new_id(now));
        let signed_at = draft.signed_at.unwrap_or(now);
        let agencies = draft.to.iter().map(|to| Recipient::from(code(to)));
        let to: Vec<Recipient> =
            agencies.chain(draft.lists.iter().cloned().map(Recipient::List)).collect();
        let mut document = Document::new(id, code(draft.from), to, &*draft.subject, signed_at)
            .issued(draft.number, draft.document_type, &draft.unit);
        document.urgency = draft.urgency;
        document.due.value = draft.due;
        document.deliver_by.value = draft.deliver_by;
        document.pages = draft.pages;
        document.business.kind = draft.kind;
        document.business.paper_copy = draft.paper_copy;
        document.business.acts_on = draft.acts_on;
        document.business.reason = draft.reason.clone();
        let change =
            |(text, change): &(&str, lienthong_model::Change)| lienthong_model::RecipientChange {
                code: lienthong_model::Written::code(*text),
                change: *change,
            };
        document.business.recipient_changes = draft.changes.iter().map(change).collect();
        let entry = |(index, bytes): (usize, &&[u8])| {
            AttachmentEntry::of(format!("cid:{index}"), "tep.pdf", bytes)
        };
        document.attachments = draft.uploaded.iter().enumerate().map(entry).collect();
        let content = encode_document(&document);
        let signed = self.sign(DOCUMENT_V1, content, &draft.signs);
        self.verifier.document(signed).unwrap()
    }

    pub fn status(&mut self, draft: &ReportDraft, now: Timestamp) -> Verified<StatusSubmission> {
        let id = draft.id.unwrap_or_else(|| self.new_id(now));
        let about = (code(draft.sender), draft.document);
        let mut status = StatusReport::new(id, code(draft.from), about, draft.code);
        status.signed_at = draft.signed_at.unwrap_or(now);
        status.reason = draft.reason.to_owned();
        status.recipients = draft.recipients.iter().map(|to| code(to)).collect();
        let signed = self.sign(STATUS_V1, encode_status(&status), &draft.signs);
        self.verifier.status(signed).unwrap()
    }
}

fn person(agency: &str) -> Profile {
    Profile::Person {
        agency: code(agency),
        person: "chief".to_owned(),
        name: "Nguyễn Văn An".to_owned(),
        title: "Chủ tịch".to_owned(),
    }
}

pub(super) fn stored(content: &SignedContent) -> StoredContent {
    let attachment = |attachment: &lienthong_model::Attachment| StoredAttachment {
        content_id: attachment.content_id.clone(),
        bytes: Stored::Inline(attachment.bytes.clone()),
    };
    StoredContent {
        content: Stored::Inline(content.content.clone()),
        attachments: content.attachments.iter().map(attachment).collect(),
    }
}
