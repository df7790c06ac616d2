//! Payload files: contents and attachments too large for a record, named by their SHA-256.
//!
//! **Layout, stable:**
//!
//! | entry | is | goes away |
//! |---|---|---|
//! | `ab/cdef…` | a payload: the first two hexadecimal digits of its SHA-256 as a folder, the other 62 as the file's name; the file is the bytes and nothing else | when its term has passed ([`PayloadFiles::remove_expired`]) |
//! | `proposed/<digest>` | the bytes of what is being proposed ([`Proposed`]) | when it is decided: onto its shelf, or removed |
//! | `uploads/<agency>-<digest>-<size>`, unfinished ones with `.part` | what agencies upload ([`Uploads`]) | when a document names it, or it expires |
//! | `tmp/` | files that are being written | on opening |
//!
//! Clearing up elsewhere never touches a shelf: that is why an upload that expires cannot take what a
//! document names. From a shelf a payload goes only by its own name, and never while it is claimed.
//!
//! The crate `object_store` was considered for the local folder: 0.14.2 syncs files and folders
//! when asked to (`with_fsync`, off by default), but speaks only async, while whoever puts a
//! payload stands on a blocking thread and waits for the disk. It can carry another engine, over
//! S3, behind the same trait.

mod copies;
mod examined;
mod proposed;
mod uploads;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Payloads};
use lienthong_model::Digest;

pub use self::copies::{Copied, PayloadCopies};
pub use self::examined::ExaminedPayload;
use self::proposed::Proposed;
pub use self::proposed::{Claim, Settled};
pub use self::uploads::{Progress, Upload, UploadError, UploadKey, UploadLimits, Uploads};
use crate::disk::{create_folder, damaged, io_error, make_folder, owners_only, sync_folder};

/// Payloads as files in a folder. Puts and gets may run side by side.
#[derive(Debug)]
pub struct PayloadFiles {
    folder: PathBuf,
    unfinished: PathBuf,
    /// Makes the names of unfinished files differ.
    begun: AtomicU64,
    proposed: Arc<Proposed>,
    uploads: Arc<Uploads>,
}

/// A payload that is open for reading.
#[derive(Debug)]
pub struct PayloadFile {
    /// The file, at its beginning.
    pub file: File,
    /// How many bytes it has.
    pub size: u64,
}

impl PayloadFiles {
    /// Opens the payloads in a folder, which is created when it is not there, and removes what
    /// was never finished. Keeping other processes out is [`crate::DataFolder`]'s part.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn open(folder: &Path) -> Result<Self, EngineError> {
        let unfinished = folder.join("tmp");
        create_folder(folder)?;
        create_folder(&unfinished)?;
        // All at once, so that a put never has a new folder's entry to sync.
        for shelf in 0..=u8::MAX {
            let shelf = folder.join(format!("{shelf:02x}"));
            if !shelf.is_dir() {
                make_folder(&shelf).map_err(io_error("create", &shelf))?;
            }
        }
        sync_folder(folder)?;
        for entry in std::fs::read_dir(&unfinished).map_err(io_error("list", &unfinished))? {
            let path = entry.map_err(io_error("list", &unfinished))?.path();
            std::fs::remove_file(&path).map_err(io_error("remove", &path))?;
        }
        let proposed = Arc::new(Proposed::open(&folder.join("proposed"))?);
        let uploads = Arc::new(Uploads::open(&folder.join("uploads"))?);
        let begun = AtomicU64::new(0);
        Ok(Self { folder: folder.to_owned(), unfinished, begun, proposed, uploads })
    }

    /// Returns what agencies upload.
    pub fn uploads(&self) -> &Arc<Uploads> {
        &self.uploads
    }

    /// Stores bytes that a proposal is about to name; on return they are on disk, folder entry
    /// included, and stay there while the claim is held. What becomes of them then
    /// [`PayloadFiles::settle`] decides.
    ///
    /// # Errors
    /// [`EngineError`] when they cannot be written.
    pub fn propose(&self, bytes: &[u8]) -> Result<Claim, EngineError> {
        let digest = Digest::of(bytes);
        let claim = Proposed::claim(&self.proposed, digest);
        let (path, shelf) = self.place(&digest);
        if read(&path)?.is_some_and(|found| found == bytes) {
            sync_folder(&shelf)?;
            return Ok(claim);
        }
        let path = self.proposed.path(&digest);
        if read(&path)?.is_none_or(|found| found != bytes) {
            self.write(&digest, bytes, &path)?;
        }
        sync_folder(self.proposed.folder())?;
        Ok(claim)
    }

    /// Lets a proposal name a complete upload of an agency, as [`PayloadFiles::propose`] does with
    /// bytes. The upload stays the agency's: it may be named again when this proposal is refused.
    /// `None` when the agency has no such upload.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be linked.
    pub fn propose_upload(&self, key: &UploadKey) -> Result<Option<Claim>, EngineError> {
        let Some(upload) = self.uploads.complete(key) else { return Ok(None) };
        let claim = Proposed::claim(&self.proposed, key.sha256);
        let (path, shelf) = self.place(&key.sha256);
        if std::fs::metadata(&path).is_ok_and(|there| there.len() == key.size) {
            sync_folder(&shelf)?;
            return Ok(Some(claim));
        }
        // A second name of the same bytes: whatever becomes of the upload, these stay.
        let path = self.proposed.path(&key.sha256);
        match std::fs::hard_link(&upload, &path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // It has expired just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("link", &path)(error)),
        }
        sync_folder(self.proposed.folder())?;
        Ok(Some(claim))
    }

    /// Decides about what was proposed and is claimed no more: `is_named` says whether an accepted
    /// document names it. Named payloads move to their shelves, the others are removed.
    ///
    /// `is_named` must see everything that was accepted before the claims were dropped.
    ///
    /// # Errors
    /// [`EngineError`] of `is_named`, or when a file cannot be moved; what is left is tried again
    /// by the next call.
    pub fn settle(
        &self,
        is_named: impl FnMut(&Digest) -> Result<bool, EngineError>,
    ) -> Result<Settled, EngineError> {
        self.proposed.settle(is_named, |digest| self.place(digest))
    }

    /// Returns the payloads on a shelf, in no order.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn shelf(&self, shelf: u8) -> Result<Vec<Digest>, EngineError> {
        let shelf = format!("{shelf:02x}");
        let folder = self.folder.join(&shelf);
        let mut digests = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(io_error("list", &folder))? {
            let name = entry.map_err(io_error("list", &folder))?.file_name();
            digests.extend(Digest::parse(&format!("{shelf}{}", name.to_string_lossy())));
        }
        Ok(digests)
    }

    /// Removes a payload from its shelf when it has expired and no proposal claims it; returns
    /// whether it did. A power cut may bring it back.
    ///
    /// `has_expired` must see everything that was accepted before claims were dropped.
    ///
    /// # Errors
    /// [`EngineError`] of `has_expired`, or when the file cannot be removed.
    pub fn remove_expired(
        &self,
        digest: &Digest,
        has_expired: impl FnOnce() -> Result<bool, EngineError>,
    ) -> Result<bool, EngineError> {
        let (path, _shelf) = self.place(digest);
        self.proposed.unless_claimed(digest, || {
            if !has_expired()? {
                return Ok(false);
            }
            std::fs::remove_file(&path).map(|()| true).map_err(io_error("remove", &path))
        })
    }

    /// Opens a payload for reading; `None` when there is none. Its bytes are not checked.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be opened.
    pub fn file(&self, digest: &Digest) -> Result<Option<PayloadFile>, EngineError> {
        for path in self.places(digest) {
            match File::open(&path) {
                Ok(file) => {
                    let size = file.metadata().map_err(io_error("read", &path))?.len();
                    return Ok(Some(PayloadFile { file, size }));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io_error("open", &path)(error)),
            }
        }
        Ok(None)
    }

    /// Where a payload may be. The shelf comes twice: it may have moved there meanwhile.
    fn places(&self, digest: &Digest) -> [PathBuf; 3] {
        let (shelved, _shelf) = self.place(digest);
        [shelved.clone(), self.proposed.path(digest), shelved]
    }

    /// The file of a payload, and the folder that it is in.
    fn place(&self, digest: &Digest) -> (PathBuf, PathBuf) {
        let hex = digest.to_string();
        let (shelf, name) = hex.split_at_checked(2).unwrap_or((&hex, ""));
        let shelf = self.folder.join(shelf);
        (shelf.join(name), shelf)
    }

    /// Writes a file that has another name until it is whole and on disk.
    fn write(&self, digest: &Digest, bytes: &[u8], path: &Path) -> Result<(), EngineError> {
        let count = self.begun.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.unfinished.join(format!("{digest}.{count}"));
        let written = write_synced(&unfinished, bytes).and_then(|()| {
            std::fs::rename(&unfinished, path).map_err(io_error("rename", &unfinished))
        });
        if written.is_err() {
            // The next opening removes it if this does not.
            let _ = std::fs::remove_file(&unfinished);
        }
        written
    }
}

impl Payloads for PayloadFiles {
    /// A file that is there is read and, if it is not what it should be, written anew.
    fn put(&self, bytes: &[u8]) -> Result<Digest, EngineError> {
        let digest = Digest::of(bytes);
        let (path, shelf) = self.place(&digest);
        let there = read(&path)?.is_some_and(|found| found == bytes);
        if !there {
            self.write(&digest, bytes, &path)?;
        }
        // Also when it was there: whoever wrote it may not have come to this yet.
        sync_folder(&shelf)?;
        Ok(digest)
    }

    fn get(&self, digest: &Digest) -> Result<Option<Bytes>, EngineError> {
        let mut found = None;
        for path in self.places(digest) {
            found = read(&path)?;
            if found.is_some() {
                break;
            }
        }
        let Some(bytes) = found else { return Ok(None) };
        let found = Digest::of(&bytes);
        if found != *digest {
            let why = format!("its {} bytes have the SHA-256 {found}", bytes.len());
            return Err(damaged(format!("payload file of {digest}"), why));
        }
        Ok(Some(bytes.into()))
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let mut file =
        owners_only().write(true).create_new(true).open(path).map_err(io_error("create", path))?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    file.sync_all().map_err(io_error("sync", path))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, EngineError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", path)(error)),
    }
}

#[cfg(test)]
mod tests;
