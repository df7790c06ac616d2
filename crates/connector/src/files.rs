//! The files of a document: small ones travel beside it, as far as there is room, the others are
//! uploaded before it.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use lienthong_client::{Client, FileDigest, TransferError};
use lienthong_model::limits::{ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX, INLINE_ATTACHMENT_BYTES_MAX};
use lienthong_model::{Attachment, AttachmentEntry};

use crate::compose::ComposeError;
use crate::disk::DiskError;
use crate::refused::{Fault, LocalReason};

/// A file that becomes an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is the document itself.
    pub is_document: bool,
}

/// The files of one document.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// What the content says of each, in order.
    pub entries: Vec<AttachmentEntry>,
    /// The bytes that travel beside the content.
    pub beside: Vec<Attachment>,
    /// The files that are uploaded.
    pub uploads: Vec<(PathBuf, FileDigest)>,
}

/// Who is told of bytes read or sent: the file, how many, of how many.
pub trait Progress: FnMut(&Path, u64, u64) {}

impl<F: FnMut(&Path, u64, u64)> Progress for F {}

/// Takes files in their order, as long as they fit beside the content.
#[derive(Debug, Default)]
struct Room(u64);

impl Room {
    fn takes(&mut self, size: u64) -> bool {
        let fits = self.0.saturating_add(size) <= INLINE_ATTACHMENT_BYTES_MAX as u64;
        self.0 += if fits { size } else { 0 };
        fits
    }
}

impl Files {
    /// Reads the files: those that fit beside the content in the order given, of the others the
    /// SHA-256 only.
    ///
    /// # Errors
    /// [`ComposeError`] when there are too many, one is too large, or one cannot be read.
    pub async fn read(
        files: &[AttachedFile],
        mut progress: impl Progress,
    ) -> Result<Self, ComposeError> {
        if files.len() > ATTACHMENTS_MAX {
            let value = format!("{} files, at most {ATTACHMENTS_MAX}", files.len());
            return Err(Fault::new(LocalReason::FilesTooMany, value).into());
        }
        let (mut read, mut room) = (Self::default(), Room::default());
        for (index, file) in files.iter().enumerate() {
            let AttachedFile { path, is_document } = file;
            let size = std::fs::metadata(path).map_err(DiskError::of("read", path))?.len();
            if size > ATTACHMENT_BYTES_MAX {
                let value = format!("`{}`: {size} bytes, at most 10 GiB", name(path));
                return Err(Fault::new(LocalReason::FilesTooLarge, value).into());
            }
            let content_id = format!("attachment-{}", index + 1);
            let mut entry = if room.takes(size) {
                let bytes = bytes_of(path).await?;
                let entry = AttachmentEntry::of(content_id.clone(), name(path), &bytes);
                read.beside.push(Attachment { content_id, bytes });
                entry
            } else {
                let told = |bytes| progress(path, bytes, size);
                let whole = FileDigest::of(path, told).await.map_err(in_file)?;
                read.uploads.push((path.clone(), whole));
                let FileDigest { size, sha256 } = whole;
                AttachmentEntry { size, sha256, ..AttachmentEntry::of(content_id, name(path), b"") }
            };
            media_type(path).clone_into(&mut entry.media_type);
            entry.is_document = *is_document;
            read.entries.push(entry);
        }
        Ok(read)
    }

    /// Takes the files again that signed content names, from the folder in which they lie.
    ///
    /// # Errors
    /// [`DiskError`] when one that travels beside the content cannot be read, or a name leads out
    /// of the folder.
    pub(crate) async fn named(
        entries: Vec<AttachmentEntry>,
        folder: &Path,
    ) -> Result<Self, DiskError> {
        let (mut named, mut room) = (Self::default(), Room::default());
        for entry in &entries {
            // We wrote the name ourselves; the disk may have been changed since.
            let path = folder.join(&entry.name);
            if Path::new(&entry.name).file_name().is_none_or(|name| *name != *entry.name) {
                let why = std::io::Error::other("it is no name of a file");
                return Err(DiskError::of("read", &path)(why));
            }
            if room.takes(entry.size) {
                let (content_id, bytes) = (entry.content_id.clone(), bytes_of(&path).await?);
                named.beside.push(Attachment { content_id, bytes });
            } else {
                named.uploads.push((path, FileDigest { size: entry.size, sha256: entry.sha256 }));
            }
        }
        Ok(Self { entries, ..named })
    }

    /// Uploads what does not travel beside the content; what is at the hub already is not sent
    /// again, and what was interrupted goes on.
    ///
    /// # Errors
    /// [`TransferError`]: the hub declines or cannot be reached for too long, or a file was changed.
    pub async fn upload(
        &self,
        client: &Client,
        mut progress: impl Progress,
    ) -> Result<(), TransferError> {
        for (path, whole) in &self.uploads {
            client.upload(path, whole, |bytes| progress(path, bytes, whole.size)).await?;
        }
        Ok(())
    }
}

async fn bytes_of(path: &Path) -> Result<Bytes, DiskError> {
    tokio::fs::read(path).await.map(Bytes::from).map_err(DiskError::of("read", path))
}

fn in_file(error: TransferError) -> ComposeError {
    match error {
        TransferError::File { path, source } => DiskError { what: "read", path, source }.into(),
        // Reading a file asks nobody else.
        other => {
            let source = std::io::Error::other(other.to_string());
            DiskError { what: "read", path: PathBuf::new(), source }.into()
        }
    }
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the media type that the ending of a file's name stands for.
pub fn media_type(file: &Path) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fits_travels_beside_and_is_found_again_from_the_signed_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, size: usize| {
            let path = folder.path().join(name);
            std::fs::write(&path, vec![7; size]).unwrap();
            AttachedFile { path, is_document: false }
        };
        let mib = INLINE_ATTACHMENT_BYTES_MAX;
        let files = [file("a", mib / 2), file("b", mib), file("c", mib / 2), file("d", 1)];
        let read = Files::read(&files, |_: &Path, _, _| {}).await.unwrap();
        let ids = |files: &Files| -> Vec<String> {
            files.beside.iter().map(|one| one.content_id.clone()).collect()
        };
        assert_eq!(ids(&read), ["attachment-1", "attachment-3"]);
        let uploads: Vec<PathBuf> = read.uploads.iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(uploads, [folder.path().join("b"), folder.path().join("d")]);
        let named = Files::named(read.entries.clone(), folder.path()).await.unwrap();
        assert_eq!((ids(&named), &named.uploads), (ids(&read), &read.uploads));
        let mut climbing = read.entries;
        climbing[0].name = "../a".to_owned();
        assert!(Files::named(climbing, folder.path()).await.is_err());
        let many = vec![file("x", 1); ATTACHMENTS_MAX + 1];
        assert!(Files::read(&many, |_: &Path, _, _| {}).await.is_err());
    }
}
