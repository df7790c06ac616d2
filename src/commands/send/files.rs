//! The files of a document: small ones travel beside it, as far as there is room, the others are
//! uploaded before it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lienthong_client::{Client, FileDigest};
use lienthong_model::limits::{ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX, INLINE_ATTACHMENT_BYTES_MAX};
use lienthong_model::{Attachment, AttachmentEntry};

use crate::output::thousands;
use crate::say::Usage;
use crate::terminal::Progress;

/// Files that were read, or whose SHA-256 is known.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// As the document names them.
    pub entries: Vec<AttachmentEntry>,
    /// Those that travel beside it.
    pub beside: Vec<Attachment>,
    /// Those to be uploaded.
    uploads: Vec<(PathBuf, FileDigest)>,
    /// Bytes of those beside it.
    bytes_beside: u64,
}

impl Files {
    /// Reads the document itself and the attachments; of large ones only the SHA-256 is kept.
    ///
    /// # Errors
    /// [`Usage`] for too many or too large ones; when one cannot be read.
    pub(super) async fn read(body: Option<&Path>, files: &[PathBuf]) -> anyhow::Result<Self> {
        let body = body.into_iter().map(|file| (file, true));
        let all: Vec<(&Path, bool)> =
            body.chain(files.iter().map(|file| (file.as_path(), false))).collect();
        if all.len() > ATTACHMENTS_MAX {
            return Err(Usage::new(format!("{} files, at most {ATTACHMENTS_MAX}", all.len()))
                .remedy("put files together, or send several documents")
                .into());
        }
        let mut read = Self::default();
        for (file, is_document) in all {
            read.add(file, is_document).await?;
        }
        Ok(read)
    }

    /// Uploads what does not travel beside the document; what is there already is not sent again.
    ///
    /// # Errors
    /// The client's, when the hub declines or cannot be reached for too long.
    pub(super) async fn upload(&self, client: &Client) -> anyhow::Result<()> {
        for (path, whole) in &self.uploads {
            let mut progress = Progress::of_bytes(format!("tải lên / uploading {}", name(path)));
            let uploaded = client
                .upload(path, whole, |bytes| progress.reached(bytes, whole.size))
                .await
                .with_context(|| format!("`{}` is not uploaded", path.display()));
            progress.finish();
            uploaded?;
        }
        Ok(())
    }

    async fn add(&mut self, file: &Path, is_document: bool) -> anyhow::Result<()> {
        let failed = || format!("cannot read `{}`", file.display());
        let size = std::fs::metadata(file).with_context(failed)?.len();
        if size > ATTACHMENT_BYTES_MAX {
            let (found, most) = (thousands(size), thousands(ATTACHMENT_BYTES_MAX));
            return Err(Usage::new(format!(
                "`{}` has {found} bytes, an attachment at most {most}",
                file.display()
            ))
            .remedy("send it in parts")
            .into());
        }
        let content_id = format!("attachment-{}", self.entries.len() + 1);
        let mut entry = if self.bytes_beside + size <= INLINE_ATTACHMENT_BYTES_MAX as u64 {
            let bytes = std::fs::read(file).with_context(failed)?;
            let entry = AttachmentEntry::of(content_id.clone(), name(file), &bytes);
            self.bytes_beside += entry.size;
            self.beside.push(Attachment { content_id, bytes: bytes.into() });
            entry
        } else {
            let mut progress = Progress::of_bytes(format!("đọc / reading {}", name(file)));
            let whole = FileDigest::of(file, |bytes| progress.reached(bytes, size)).await;
            progress.finish();
            let whole = whole.with_context(failed)?;
            self.uploads.push((file.to_owned(), whole));
            let FileDigest { size, sha256 } = whole;
            AttachmentEntry { size, sha256, ..AttachmentEntry::of(content_id, name(file), b"") }
        };
        media_type(file).clone_into(&mut entry.media_type);
        entry.is_document = is_document;
        self.entries.push(entry);
        Ok(())
    }
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn media_type(file: &Path) -> &'static str {
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("pdf") => "application/pdf",
        Some("doc") => "application/msword",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xls") => "application/vnd.ms-excel",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("xml") => "application/xml",
        Some("zip") => "application/zip",
        Some("txt") => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => "application/octet-stream",
    }
}
