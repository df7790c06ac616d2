//! Keeping a document: every byte on the disk, synced, before anybody is told.
//!
//! ```text
//! DIR/<recipient>/<sender>_<id>/
//!   document.json        what it says, for people and programs
//!   content.bin          the bytes that were signed
//!   signatures.json      content type, signatures and certificates
//!   attachments/<name>   as they travelled
//! ```
//! The folder is made under another name and put in its place by renaming, so that one that is
//! there is whole.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lienthong_client::Delivery;
use lienthong_model::SignedContent;
use lienthong_pki::pem;
use serde_json::json;

use super::view::DocumentView;

/// Longest file name that is made, in bytes; file systems take 255.
const NAME_BYTES_MAX: usize = 180;

/// Keeps a document; returns its folder. One that is there already stays as it is.
///
/// # Errors
/// When something cannot be written or synced: nothing may be acknowledged then.
pub(super) fn keep(
    folder: &Path,
    delivery: &Delivery,
    view: &DocumentView,
) -> anyhow::Result<PathBuf> {
    // Codes and ids have letters, digits, dots and dashes only: they cannot climb.
    let mailbox = folder.join(delivery.key.recipient.as_str());
    let place = mailbox.join(format!("{}_{}", view.sender, view.id));
    if place.is_dir() {
        return Ok(place);
    }
    let failed = || format!("cannot keep the document in `{}`", place.display());
    write(&mailbox, &place, delivery, view).with_context(failed)?;
    Ok(place)
}

fn write(
    mailbox: &Path,
    place: &Path,
    delivery: &Delivery,
    view: &DocumentView,
) -> anyhow::Result<()> {
    let mut unfinished = place.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let attachments = unfinished.join("attachments");
    fs::create_dir_all(&attachments)?;
    let mut document = serde_json::to_value(view)?;
    if let Some(fields) = document.as_object_mut() {
        // These say what becomes of the document after it was kept.
        for later in ["saved", "acknowledged", "reported", "mark", "asked"] {
            fields.remove(later);
        }
    }
    file(&unfinished.join("document.json"), &serde_json::to_vec_pretty(&document)?)?;
    file(&unfinished.join("content.bin"), &delivery.signed.content)?;
    file(&unfinished.join("signatures.json"), &signatures(&delivery.signed)?)?;
    let names = names(view, &delivery.signed);
    for (attachment, name) in delivery.signed.attachments.iter().zip(names) {
        file(&attachments.join(name), &attachment.bytes)?;
    }
    for folder in [&attachments, &unfinished] {
        File::open(folder)?.sync_all()?;
    }
    fs::rename(&unfinished, place)?;
    File::open(mailbox)?.sync_all()?;
    if let Some(parent) = mailbox.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
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

/// File names for the attachments, in their order: each once, none that leads elsewhere.
fn names(view: &DocumentView, signed: &SignedContent) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    let mut names = Vec::with_capacity(signed.attachments.len());
    for (index, attachment) in signed.attachments.iter().enumerate() {
        let sha256 = lienthong_model::Digest::of(&attachment.bytes).to_string();
        let named = view.attachments.iter().find(|entry| entry.sha256 == sha256);
        let mut name = harmless(named.map_or("", |entry| entry.name.as_str()));
        if name.is_empty() || !taken.insert(name.to_lowercase()) {
            name = format!("{}-{name}", index + 1);
            taken.insert(name.to_lowercase());
        }
        names.push(name);
    }
    names
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
    use super::harmless;

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
