//! Payload files: contents and attachments too large for a record, named by their SHA-256.
//!
//! **Layout, stable:** `ab/cdef…`, the first two hexadecimal digits of the SHA-256 as a folder,
//! the other 62 as the file's name; the file is the bytes and nothing else. `tmp/` holds files
//! that are being written and is emptied on opening.
//!
//! The crate `object_store` was considered for the local folder: 0.14.2 syncs files and folders
//! when asked to (`with_fsync`, off by default), but speaks only async, while whoever puts a
//! payload stands on a blocking thread and waits for the disk. It can carry another engine, over
//! S3, behind the same trait.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Payloads};
use lienthong_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::disk::{create_folder, damaged, io_error, sync_folder};

/// Payloads as files in a folder. Puts and gets may run side by side.
#[derive(Debug)]
pub struct PayloadFiles {
    folder: PathBuf,
    unfinished: PathBuf,
    /// Makes the names of unfinished files differ.
    begun: AtomicU64,
}

/// A payload file as it is found, without trust in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadFile {
    /// Where it lies below the folder of payloads.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256.
    pub digest: Digest,
}

impl PayloadFile {
    /// Reads the file that a payload has in a folder of payloads, changing nothing; `None` when it
    /// is not there. A mebibyte is in memory at a time.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn examine(folder: &Path, digest: &Digest) -> Result<Option<Self>, EngineError> {
        let name = Self::name(digest);
        let path = folder.join(&name);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("open", &path)(error)),
        };
        let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
        loop {
            let count = file.read(&mut buffer).map_err(io_error("read", &path))?;
            let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
            hash.update(read);
            bytes += read.len() as u64;
        }
        Ok(Some(Self { name, bytes, digest: Digest(hash.finalize().into()) }))
    }

    /// Returns where the file of a payload lies below the folder of payloads.
    pub fn name(digest: &Digest) -> String {
        let hex = digest.to_string();
        let (shelf, name) = hex.split_at_checked(2).unwrap_or((&hex, ""));
        format!("{shelf}/{name}")
    }
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
                std::fs::create_dir(&shelf).map_err(io_error("create", &shelf))?;
            }
        }
        sync_folder(folder)?;
        for entry in std::fs::read_dir(&unfinished).map_err(io_error("list", &unfinished))? {
            let path = entry.map_err(io_error("list", &unfinished))?.path();
            std::fs::remove_file(&path).map_err(io_error("remove", &path))?;
        }
        Ok(Self { folder: folder.to_owned(), unfinished, begun: AtomicU64::new(0) })
    }

    /// The file of a payload, and the folder that it is in.
    fn place(&self, digest: &Digest) -> (PathBuf, PathBuf) {
        let hex = digest.to_string();
        let (shelf, name) = hex.split_at_checked(2).unwrap_or((&hex, ""));
        let shelf = self.folder.join(shelf);
        (shelf.join(name), shelf)
    }

    /// Writes a file that has another name until it is whole and on disk.
    fn write(&self, digest: &Digest, bytes: &[u8]) -> Result<(), EngineError> {
        let (path, _shelf) = self.place(digest);
        let count = self.begun.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.unfinished.join(format!("{digest}.{count}"));
        let written = write_synced(&unfinished, bytes).and_then(|()| {
            std::fs::rename(&unfinished, &path).map_err(io_error("rename", &unfinished))
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
            self.write(&digest, bytes)?;
        }
        // Also when it was there: whoever wrote it may not have come to this yet.
        sync_folder(&shelf)?;
        Ok(digest)
    }

    fn get(&self, digest: &Digest) -> Result<Option<Bytes>, EngineError> {
        let (path, _shelf) = self.place(digest);
        let Some(bytes) = read(&path)? else { return Ok(None) };
        let found = Digest::of(&bytes);
        if found != *digest {
            let why = format!("its {} bytes have the SHA-256 {found}", bytes.len());
            return Err(damaged(format!("payload file of {digest}"), why));
        }
        Ok(Some(bytes.into()))
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(io_error("create", path))?;
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
mod tests {
    use super::*;

    fn one_file(folder: &Path, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        folder.join(&hex[..2]).join(&hex[2..])
    }

    #[test]
    fn payload_files_do_what_all_payloads_do() {
        let folder = tempfile::tempdir().unwrap();
        lienthong_core::engine_suite::payloads(|| PayloadFiles::open(folder.path()).unwrap());
    }

    #[test]
    fn a_payload_stands_under_the_digits_of_its_digest_and_nothing_is_left_unfinished() {
        let folder = tempfile::tempdir().unwrap();
        let payloads = PayloadFiles::open(folder.path()).unwrap();
        let digest = payloads.put(b"content").unwrap();
        assert_eq!(std::fs::read(one_file(folder.path(), &digest)).unwrap(), b"content");
        assert_eq!(std::fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn a_payload_that_was_tampered_with_is_never_returned() {
        let folder = tempfile::tempdir().unwrap();
        let payloads = PayloadFiles::open(folder.path()).unwrap();
        let digest = payloads.put(b"content").unwrap();
        for bytes in [&b"contEnt"[..], b"conten", b"", b"content and more"] {
            std::fs::write(one_file(folder.path(), &digest), bytes).unwrap();
            let error = payloads.get(&digest).unwrap_err();
            assert!(matches!(&error, EngineError::Damaged { .. }), "{error}");
            assert!(error.to_string().contains(&digest.to_string()), "{error}");
        }
        payloads.put(b"content").unwrap();
        assert_eq!(payloads.get(&digest).unwrap().unwrap(), &b"content"[..]);
    }

    #[test]
    fn what_was_never_finished_is_removed_on_opening() {
        let folder = tempfile::tempdir().unwrap();
        drop(PayloadFiles::open(folder.path()).unwrap());
        let unfinished = folder.path().join("tmp").join("half");
        std::fs::write(&unfinished, b"ha").unwrap();
        drop(PayloadFiles::open(folder.path()).unwrap());
        assert!(!unfinished.exists());
    }

    #[test]
    fn the_same_payload_put_from_many_threads_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let payloads = PayloadFiles::open(folder.path()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| payloads.put(&[7; 100_000]).unwrap());
            }
        });
        let digest = Digest::of(&[7; 100_000]);
        assert_eq!(payloads.get(&digest).unwrap().unwrap().len(), 100_000);
        let shelf = one_file(folder.path(), &digest);
        assert_eq!(std::fs::read_dir(shelf.parent().unwrap()).unwrap().count(), 1);
    }
}
