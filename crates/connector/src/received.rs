//! A received document on this machine's disk: a folder of its own.
//!
//! ```text
//! document.json        what it says, for people and programs
//! content.bin          the bytes that were signed
//! signatures.json      content type, signatures and certificates
//! attachments/<name>   as they travelled
//! ```
//! Written under another name and put in its place by renaming, by whoever knows the place.

use std::collections::HashSet;
use std::path::Path;

use lienthong_client::{AttachmentPlace, Checked, Client, Delivery, FileDigest, TransferError};
use lienthong_model::{Business, BusinessKind, Revocation, SignedContent};
use lienthong_trust::{Certificate, Holder};
use serde::Serialize;

use crate::disk::{self, DiskError};
use crate::files::Progress;
use crate::refused::Refused;
use crate::signed_files;

/// Longest file name that is made, in bytes; file systems take 255.
const NAME_BYTES_MAX: usize = 180;

/// What is said of a received document in `document.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Received {
    /// The recipient.
    pub recipient: String,
    /// The sender; empty when the content does not verify.
    pub sender: String,
    /// The sender's name as it stands on the document.
    pub sender_name: String,
    /// The message's id.
    pub id: String,
    /// The place in the hub's log.
    pub position: u64,
    /// When the hub received it.
    pub received_at: String,
    /// Which attempt brought it.
    pub attempt: u32,
    /// Whether the signatures hold.
    pub verified: bool,
    /// Which signatures it bears.
    pub signature: &'static str,
    /// What the hub says: `proven`, `not-proven` or `found-revoked`; none from an older hub.
    pub revocation: Option<&'static str>,
    /// Who signed.
    pub signers: Vec<Signed>,
    /// What it is about.
    pub subject: String,
    /// A summary.
    #[serde(rename = "abstract")]
    pub abstract_text: String,
    /// The document's reference as written.
    pub reference: String,
    /// Number and notation as written.
    pub document_code: String,
    /// The day of issue as written.
    pub issued_on: String,
    /// The administrative type.
    pub document_type: String,
    /// How urgent it is.
    pub urgency: &'static str,
    /// When the signer says it was signed.
    pub signed_at: String,
    /// When an answer is due.
    pub due: Option<String>,
    /// Everybody whom it is addressed to.
    pub recipients: Vec<String>,
    /// References of the documents that it answers.
    pub answers: Vec<String>,
    /// For a recall, an update or a replacement: what it does, on which document of the sender.
    pub acts_on: Option<ActsOn>,
    /// Whether a paper copy follows.
    pub paper_copy: bool,
    /// Its attachments, in order.
    pub attachments: Vec<AttachmentRecord>,
    /// Why it did not verify.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// What a document does to one sent before it, as its signed content says.
#[derive(Debug, Clone, Serialize)]
pub struct ActsOn {
    /// `recall`, `update` or `replace`.
    pub kind: &'static str,
    /// The message acted on.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// Who signed.
#[derive(Debug, Clone, Serialize)]
pub struct Signed {
    /// `person` or `seal`.
    pub role: &'static str,
    /// Whose.
    pub agency: String,
    /// The person's name.
    pub name: String,
    /// The person's title.
    pub title: String,
    /// The certificate.
    pub certificate_sha256: String,
}

/// An attachment.
#[derive(Debug, Clone, Serialize)]
pub struct AttachmentRecord {
    /// The name as the sender wrote it.
    pub name: String,
    /// The id by which the content names it.
    pub content_id: String,
    /// The name of the file in `attachments/`.
    pub file: String,
    /// What it is.
    pub media_type: String,
    /// Bytes as they travelled.
    pub size: u64,
    /// SHA-256 of the bytes as they travelled.
    pub sha256: String,
    /// Whether it is the document itself.
    pub is_document: bool,
}

impl Received {
    /// What can be said of a delivery that did not verify: only what the hub says, and why.
    pub fn unverified(delivery: &Delivery, refused: Option<Refused>) -> Self {
        Self {
            recipient: delivery.key.recipient.to_string(),
            sender: String::new(),
            sender_name: String::new(),
            id: String::new(),
            position: delivery.key.position.0,
            received_at: delivery.received_at.to_string(),
            attempt: delivery.attempt,
            verified: false,
            signature: "none",
            revocation: delivery.revocation.map(Revocation::name),
            signers: Vec::new(),
            subject: String::new(),
            abstract_text: String::new(),
            reference: String::new(),
            document_code: String::new(),
            issued_on: String::new(),
            document_type: String::new(),
            urgency: "",
            signed_at: String::new(),
            due: None,
            recipients: Vec::new(),
            answers: Vec::new(),
            acts_on: None,
            paper_copy: false,
            attachments: Vec::new(),
            refused,
        }
    }

    /// What a delivery says whose signatures hold.
    pub fn of(delivery: &Delivery, checked: &Checked) -> Self {
        let document = &checked.document;
        let recipient = |recipient: &lienthong_model::Recipient| recipient.addressee().to_string();
        let answer = |answer: &lienthong_model::Answer| match answer.reference.as_str() {
            "" => answer.document_code.clone(),
            reference => reference.to_owned(),
        };
        Self {
            sender: document.from.code.to_string(),
            sender_name: document.from.name.clone(),
            id: document.id.to_string(),
            verified: true,
            signature: checked.signature.name(),
            signers: checked.signers.iter().map(|signer| Signed::of(signer)).collect(),
            subject: document.subject.clone(),
            abstract_text: document.abstract_text.clone(),
            reference: document.reference.text.clone(),
            document_code: match (document.number.as_str(), document.notation.as_str()) {
                ("", notation) => notation.to_owned(),
                (number, notation) => format!("{number}/{notation}"),
            },
            issued_on: document.issued_on.text.clone(),
            document_type: document.document_type().name_vi().to_owned(),
            urgency: document.urgency.name_en(),
            signed_at: document.signed_at.to_string(),
            due: document.due.value.map(|_| document.due.text.clone()),
            recipients: document.recipients.iter().map(recipient).collect(),
            answers: document.answers.iter().map(answer).collect(),
            acts_on: ActsOn::of(&document.business),
            paper_copy: document.business.paper_copy,
            attachments: attachments(&document.attachments),
            ..Self::unverified(delivery, None)
        }
    }
}

impl ActsOn {
    fn of(business: &Business) -> Option<Self> {
        let kind = match business.kind {
            BusinessKind::New => return None,
            BusinessKind::Recall | BusinessKind::Update | BusinessKind::Replace => business.kind,
        };
        let id = business.acts_on.map(|id| id.to_string()).unwrap_or_default();
        Some(Self { kind: kind.name_en(), id, reason: business.reason.clone() })
    }
}

impl Signed {
    fn of(certificate: &Certificate) -> Self {
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

/// File names for the attachments, in their order: each once, none that leads elsewhere, none that
/// another one has while it is downloaded.
fn attachments(entries: &[lienthong_model::AttachmentEntry]) -> Vec<AttachmentRecord> {
    let mut taken = HashSet::new();
    let mut records = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let names = |name: &str| [name.to_lowercase(), format!("{}.part", name.to_lowercase())];
        let mut file = harmless(&entry.name);
        if file.is_empty() || names(&file).iter().any(|name| taken.contains(name)) {
            file = format!("{}-{file}", index + 1);
        }
        taken.extend(names(&file));
        records.push(AttachmentRecord {
            name: entry.name.clone(),
            content_id: entry.content_id.clone(),
            file,
            media_type: entry.media_type.clone(),
            size: entry.size,
            sha256: entry.sha256.to_string(),
            is_document: entry.is_document,
        });
    }
    records
}

/// What of a name may stand on a disk: no separators, no control characters, no leading dot.
fn harmless(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c if c.is_control() => '_',
            c => c,
        })
        .collect();
    let mut kept = String::new();
    for c in plain.trim().trim_start_matches('.').chars() {
        if kept.len() + c.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        kept.push(c);
    }
    kept
}

/// Makes the folder of a document, and removes from it what an earlier attempt left and this one
/// does not use: a download that was interrupted goes on.
///
/// # Errors
/// [`DiskError`].
pub fn prepare(folder: &Path, record: &Received) -> Result<(), DiskError> {
    let attachments = folder.join("attachments");
    disk::make_folder(&attachments)?;
    let entries = std::fs::read_dir(&attachments).map_err(DiskError::of("list", &attachments))?;
    for entry in entries {
        let entry = entry.map_err(DiskError::of("list", &attachments))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = |file: &str| name == file || name.strip_suffix(".part") == Some(file);
        if !record.attachments.iter().any(|one| ours(&one.file)) {
            disk::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Downloads what did not come with the delivery into the folder of a document; on return each is
/// there, synced, with the SHA-256 that the document names.
///
/// # Errors
/// [`TransferError`]: nothing may be acknowledged then.
pub async fn download(
    client: &Client,
    folder: &Path,
    checked: &Checked,
    record: &Received,
    mut progress: impl Progress,
) -> Result<(), TransferError> {
    for wanted in &checked.to_download {
        let is_it = |one: &&AttachmentRecord| one.content_id == wanted.content_id;
        // The record is made of the same content.
        let Some(named) = record.attachments.iter().find(is_it) else { continue };
        let place = AttachmentPlace {
            sender: checked.document.from.code.clone(),
            document: checked.document.id,
            content_id: wanted.content_id.clone(),
        };
        let whole = FileDigest { size: wanted.size, sha256: wanted.sha256 };
        let path = folder.join("attachments").join(&named.file);
        client.download(&place, &whole, &path, |bytes| progress(&path, bytes, whole.size)).await?;
    }
    Ok(())
}

/// Writes a document into the folder that [`prepare`] made, beside what was downloaded; on return
/// every byte and name in it is synced.
///
/// # Errors
/// [`DiskError`]: nothing may be acknowledged then.
pub fn write(folder: &Path, record: &Received, signed: &SignedContent) -> Result<(), DiskError> {
    let attachments = folder.join("attachments");
    let json = serde_json::to_vec_pretty(record)
        .map_err(|why| DiskError::of("write", folder)(std::io::Error::other(why)))?;
    disk::write(&folder.join("document.json"), &json)?;
    for (index, attachment) in signed.attachments.iter().enumerate() {
        let is_named = |entry: &&AttachmentRecord| entry.content_id == attachment.content_id;
        let named = record.attachments.iter().find(is_named);
        let file = named.map_or_else(|| format!("{}", index + 1), |entry| entry.file.clone());
        disk::write(&attachments.join(file), &attachment.bytes)?;
    }
    disk::sync_folder(&attachments)?;
    signed_files::write(folder, signed)?;
    disk::sync_folder(folder)
}

/// Renames a folder that [`write()`] wrote into its place; on return that is synced.
///
/// # Errors
/// [`DiskError`].
pub fn put(unfinished: &Path, place: &Path) -> Result<(), DiskError> {
    if let Some(parent) = place.parent() {
        disk::make_folder(parent)?;
    }
    disk::rename(unfinished, place)
}

#[cfg(test)]
mod tests {
    use lienthong_model::AttachmentEntry;

    use super::*;

    #[test]
    fn a_name_from_outside_cannot_lead_out_of_the_folder() {
        assert_eq!(harmless("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(harmless("..\\a"), "_a");
        assert_eq!(harmless(".."), "");
        assert_eq!(harmless("a\0b\nc"), "a_b_c");
        assert_eq!(harmless("Quyết định số 15.pdf"), "Quyết định số 15.pdf");
        assert!(harmless(&"ế".repeat(300)).len() <= NAME_BYTES_MAX);
    }

    #[test]
    fn every_attachment_has_a_file_of_its_own_also_while_it_is_downloaded() {
        let entry = |name: &str| AttachmentEntry::of(name, name, b"");
        let entries = ["a", "A", "a.part", "", "/", "b.part", "b"].map(entry);
        let files: Vec<String> = attachments(&entries).into_iter().map(|one| one.file).collect();
        assert_eq!(files, ["a", "2-A", "3-a.part", "4-", "_", "b.part", "7-b"]);
    }
}
