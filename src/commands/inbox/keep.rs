//! Keeping a document: every byte on the disk, synced, before anybody is told.
//!
//! ```text
//! DIR/<recipient>/<sender>_<id>/
//!   document.json        what it says, for people and programs
//!   content.bin          the bytes that were signed
//!   signatures.json      content type, signatures and certificates
//!   attachments/<name>   as they travelled
//! ```
//! The folder is made under another name (`.part` at its end) and put in its place by renaming, so
//! that one that is there is whole. Large attachments are downloaded into it first; a download that
//! was interrupted goes on when the document comes again.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lienthong_client::{AttachmentPlace, Checked, Client, Delivery, FileDigest};
use lienthong_model::{AttachmentEntry, SignedContent};
use lienthong_pki::pem;
use serde_json::json;

use super::view::DocumentView;
use crate::terminal::Progress;

/// Longest file name that is made, in bytes; file systems take 255.
const NAME_BYTES_MAX: usize = 180;

/// Keeps a document; returns its folder. One that is there already stays as it is.
///
/// # Errors
/// When something cannot be downloaded, written or synced: nothing may be acknowledged then.
pub(super) async fn keep(
    client: &Client,
    folder: &Path,
    received: &Received<'_>,
) -> anyhow::Result<PathBuf> {
    // Codes and ids have letters, digits, dots and dashes only: they cannot climb.
    let mailbox = folder.join(received.delivery.key.recipient.as_str());
    let place = mailbox.join(format!("{}_{}", received.view.sender, received.view.id));
    if place.is_dir() {
        return Ok(place);
    }
    let failed = || format!("cannot keep the document in `{}`", place.display());
    let mut unfinished = place.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let attachments = unfinished.join("attachments");
    let files = named(&received.checked.document.attachments);
    prepare(&attachments, &files).with_context(failed)?;
    download(client, &attachments, received, &files).await.with_context(failed)?;
    write(&unfinished, received, &files).with_context(failed)?;
    put_in_place(&unfinished, &place, &mailbox).with_context(failed)?;
    Ok(place)
}

/// A delivery that verifies.
pub(super) struct Received<'r> {
    pub delivery: &'r Delivery,
    pub checked: &'r Checked,
    pub view: &'r DocumentView,
}

/// An attachment that the document names, and its file's name.
type Named<'a> = (&'a AttachmentEntry, String);

/// Makes the folder, and removes from it what an earlier attempt left and this one does not use.
fn prepare(attachments: &Path, files: &[Named<'_>]) -> std::io::Result<()> {
    fs::create_dir_all(attachments)?;
    for entry in fs::read_dir(attachments)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = |file: &str| name == file || name.strip_suffix(".part") == Some(file);
        if !files.iter().any(|(_, file)| ours(file)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

async fn download(
    client: &Client,
    attachments: &Path,
    received: &Received<'_>,
    files: &[Named<'_>],
) -> anyhow::Result<()> {
    let document = &received.checked.document;
    for wanted in &received.checked.to_download {
        let named = files.iter().find(|(entry, _)| entry.content_id == wanted.content_id);
        let Some((entry, file)) = named else { continue };
        let place = AttachmentPlace {
            sender: document.from.code.clone(),
            document: document.id,
            content_id: wanted.content_id.clone(),
        };
        let whole = FileDigest { size: wanted.size, sha256: wanted.sha256 };
        let mut progress = Progress::of_bytes(format!("tải về / downloading {}", entry.name));
        let told = |bytes| progress.reached(bytes, whole.size);
        let downloaded = client.download(&place, &whole, &attachments.join(file), told).await;
        progress.finish();
        downloaded?;
    }
    Ok(())
}

fn write(unfinished: &Path, received: &Received<'_>, files: &[Named<'_>]) -> anyhow::Result<()> {
    let signed = &received.delivery.signed;
    let mut document = serde_json::to_value(received.view)?;
    if let Some(fields) = document.as_object_mut() {
        // These say what becomes of the document after it was kept.
        for later in ["saved", "acknowledged", "reported", "mark", "asked"] {
            fields.remove(later);
        }
    }
    file(&unfinished.join("document.json"), &serde_json::to_vec_pretty(&document)?)?;
    file(&unfinished.join("content.bin"), &signed.content)?;
    file(&unfinished.join("signatures.json"), &signatures(signed)?)?;
    for attachment in &signed.attachments {
        let named = files.iter().find(|(entry, _)| entry.content_id == attachment.content_id);
        if let Some((_, name)) = named {
            file(&unfinished.join("attachments").join(name), &attachment.bytes)?;
        }
    }
    Ok(())
}

fn put_in_place(unfinished: &Path, place: &Path, mailbox: &Path) -> std::io::Result<()> {
    for folder in [&unfinished.join("attachments"), unfinished] {
        File::open(folder)?.sync_all()?;
    }
    fs::rename(unfinished, place)?;
    File::open(mailbox)?.sync_all()?;
    match mailbox.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn signatures(signed: &SignedContent) -> anyhow::Result<Vec<u8>> {
    let hexadecimal =
        |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let signature = |entry: &lienthong_model::SignatureEntry| {
        json!({
            "certificate_sha256": entry.certificate.to_string(),
            "ed25519": hexadecimal(&entry.value),
        })
    };
    let certificates: Vec<String> = signed
        .certificates
        .iter()
        .map(|der| pem::encode(pem::CERTIFICATE, der))
        .collect::<Result<_, _>>()?;
    Ok(serde_json::to_vec_pretty(&json!({
        "content_type": signed.content_type,
        "signatures": signed.signatures.iter().map(signature).collect::<Vec<_>>(),
        "certificates": certificates,
    }))?)
}

/// File names for the attachments, in their order: each once, none that leads elsewhere, none that
/// another one has while it is downloaded.
fn named(attachments: &[AttachmentEntry]) -> Vec<Named<'_>> {
    let mut taken = std::collections::HashSet::new();
    let mut files = Vec::with_capacity(attachments.len());
    for (index, entry) in attachments.iter().enumerate() {
        let names = |name: &str| [name.to_lowercase(), format!("{}.part", name.to_lowercase())];
        let mut name = harmless(&entry.name);
        if name.is_empty() || names(&name).iter().any(|name| taken.contains(name)) {
            name = format!("{}-{name}", index + 1);
        }
        taken.extend(names(&name));
        files.push((entry, name));
    }
    files
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

#[cfg(test)]
mod tests {
    use lienthong_model::AttachmentEntry;

    use super::{harmless, named};

    #[test]
    fn every_attachment_has_a_file_of_its_own_also_while_it_is_downloaded() {
        let entry = |name: &str| AttachmentEntry::of(name, name, b"");
        let entries = ["a", "A", "a.part", "", "/", "b.part", "b"].map(entry);
        let names: Vec<String> = named(&entries).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["a", "2-A", "3-a.part", "4-", "_", "b.part", "7-b"]);
    }

    #[test]
    fn a_name_from_outside_cannot_lead_out_of_the_folder() {
        assert_eq!(harmless("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(harmless("..\\a"), "_a");
        assert_eq!(harmless(".."), "");
        assert_eq!(harmless("a\0b\nc"), "a_b_c");
        assert_eq!(harmless("Quyết định số 15.pdf"), "Quyết định số 15.pdf");
        assert!(harmless(&"ế".repeat(300)).len() <= super::NAME_BYTES_MAX);
    }
}
