//! Documents and reports, signed before the clock starts.

use std::collections::HashMap;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use lienthong_client::{Client, FileDigest, sign_document, sign_report};
use lienthong_model::limits::INLINE_ATTACHMENT_BYTES_MAX;
use lienthong_model::{
    AgencyCode, Attachment, AttachmentEntry, Digest, Document, DocumentType, MessageId,
    SignedContent, StatusCode, StatusReport,
};
use rand::Rng as _;

use crate::error::BenchError;
use crate::load::{Load, Work};
use crate::scene::{Recipient, Scene, Sender};

/// Bytes of signed content of one document.
const CONTENT_BYTES: usize = 1_500;
const CONTENT_ID: &str = "cid:toan-van";
/// What every recipient reports, in order.
pub(crate) const REPORTED: [StatusCode; 2] = [StatusCode::Accepted, StatusCode::Finished];

/// Documents of one series.
pub(crate) struct Batch {
    pub documents: Vec<Prepared>,
    /// Which document bears a signature, by its first eight bytes.
    by_signature: HashMap<u64, usize>,
}

/// One document, ready to be handed over.
pub(crate) struct Prepared {
    /// Which of the senders.
    pub sender: usize,
    pub signed: SignedContent,
    /// Its attachment, when it is uploaded first.
    pub upload: Option<Upload>,
    /// What each recipient will report; empty when nobody reports.
    pub reports: Vec<[SignedContent; 2]>,
}

/// A file to upload.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub path: PathBuf,
    pub whole: FileDigest,
}

impl Batch {
    /// Writes and signs `count` documents, the senders in turn, to the first recipients.
    ///
    /// # Errors
    /// [`BenchError`] when a file to upload cannot be written.
    pub fn sign(scene: &Scene, load: &Load, count: usize) -> Result<Self, BenchError> {
        let recipients = scene.recipients.get(..load.fan_out).unwrap_or_default();
        let to: Vec<AgencyCode> = recipients.iter().map(|one| one.code.clone()).collect();
        let filler = noise(usize::try_from(load.payload).unwrap_or_default());
        let mut batch = Self { documents: Vec::with_capacity(count), by_signature: HashMap::new() };
        for number in 0..count {
            let index = number % scene.senders.len().max(1);
            let Some(sender) = scene.senders.get(index) else { break };
            let mut document = letter(&sender.client, &sender.code, &to, number);
            let (beside, upload) = attach(scene, load, &mut document, &filler)?;
            let reports = match load.work {
                Work::Statuses => reports(sender, &document, recipients),
                Work::Submit | Work::Deliver => Vec::new(),
            };
            let signed = sign_document(&document, beside, &[&sender.seal]);
            batch.by_signature.insert(signature_key(&signed), number);
            batch.documents.push(Prepared { sender: index, signed, upload, reports });
        }
        Ok(batch)
    }

    /// Which document somebody received.
    pub fn index(&self, received: &SignedContent) -> Option<usize> {
        self.by_signature.get(&signature_key(received)).copied()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        for upload in self.documents.iter().filter_map(|document| document.upload.as_ref()) {
            // What cannot be removed lies in a temporary folder.
            let _ = std::fs::remove_file(&upload.path);
        }
    }
}

/// A letter whose signed content has [`CONTENT_BYTES`], or more where its recipients take more.
pub(crate) fn letter(
    client: &Client,
    from: &AgencyCode,
    to: &[AgencyCode],
    number: usize,
) -> Document {
    let id = client.new_id();
    let subject = format!("Về việc thử tải số {number}");
    let mut letter = Document::new(id, from.clone(), to.to_vec(), subject, id.time()).issued(
        u32::try_from(number + 1).unwrap_or(u32::MAX),
        DocumentType::OFFICIAL_LETTER,
        "UBND",
    );
    let length = |letter: &Document| sign_document(letter, Vec::new(), &[]).content.len();
    let missing = CONTENT_BYTES.saturating_sub(length(&letter));
    letter.abstract_text = "x".repeat(missing.min(490));
    let missing = CONTENT_BYTES.saturating_sub(length(&letter));
    letter.places_to = (0..missing / 120).map(|_| "y".repeat(118)).collect();
    letter
}

/// Gives a document its attachment: beside it, or as a file to upload.
fn attach(
    scene: &Scene,
    load: &Load,
    document: &mut Document,
    filler: &Bytes,
) -> Result<(Vec<Attachment>, Option<Upload>), BenchError> {
    if load.payload == 0 {
        return Ok((Vec::new(), None));
    }
    // No two are the same: the hub would keep one of them only.
    let bytes = made_unique(filler, document.id);
    document.attachments.push(AttachmentEntry::of(CONTENT_ID, "toan-van.pdf", &bytes));
    if bytes.len() <= INLINE_ATTACHMENT_BYTES_MAX {
        return Ok((vec![Attachment { content_id: CONTENT_ID.to_owned(), bytes }], None));
    }
    let path = scene.target.folder.join(format!("upload-{}", document.id));
    std::fs::write(&path, &bytes).map_err(BenchError::file(&path))?;
    let whole = FileDigest { size: bytes.len() as u64, sha256: Digest::of(&bytes) };
    Ok((Vec::new(), Some(Upload { path, whole })))
}

fn made_unique(filler: &Bytes, id: MessageId) -> Bytes {
    let mut bytes = BytesMut::from(filler.as_ref());
    for (byte, of_id) in bytes.iter_mut().zip(id.as_bytes()) {
        *byte = *of_id;
    }
    bytes.freeze()
}

fn reports(
    sender: &Sender,
    document: &Document,
    recipients: &[Recipient],
) -> Vec<[SignedContent; 2]> {
    let of = |recipient: &Recipient, code| {
        let on = (sender.code.clone(), document.id);
        let id = recipient.client.new_id();
        let report = StatusReport::new(id, recipient.code.clone(), on, code);
        sign_report(&report, &[&recipient.seal])
    };
    recipients.iter().map(|recipient| REPORTED.map(|code| of(recipient, code))).collect()
}

fn signature_key(signed: &SignedContent) -> u64 {
    let value = signed.signatures.first().and_then(|one| one.value.first_chunk::<8>());
    value.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn noise(bytes: usize) -> Bytes {
    let mut noise = BytesMut::zeroed(bytes);
    rand::rng().fill_bytes(&mut noise);
    noise.freeze()
}
