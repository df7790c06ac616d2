//! Payload files copied from one folder of payloads into another, each checked by its name on the
//! way. The source may be in use; nothing in it is changed.
//!
//! A copy gets its own name only when its bytes are on disk: what a power cut leaves behind is never
//! taken for a payload.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use lienthong_core::engine::EngineError;
use lienthong_model::limits::BACKUP_COPIES_WAITING_MAX;
use lienthong_model::{Digest, Digester};

use super::examined::{ExaminedPayload, PIECE_BYTES};
use crate::disk::{create_file, create_folder, damaged, io_error, make_folder};

/// What became of a payload that was to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// It was copied; so many bytes.
    New(u64),
    /// It was there already.
    There,
    /// There is nothing to copy: it has expired, or is lost.
    Missing,
}

/// A folder of payloads into which others are copied.
#[derive(Debug)]
pub struct PayloadCopies {
    from: PathBuf,
    to: PathBuf,
    /// Copied whole, not yet on disk under their own names.
    waiting: BTreeSet<Digest>,
}

impl PayloadCopies {
    /// Opens both folders; the second one is created when it is not there, and unfinished copies in
    /// it are removed.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn open(from: &Path, to: &Path) -> Result<Self, EngineError> {
        let unfinished = to.join("tmp");
        if unfinished.is_dir() {
            std::fs::remove_dir_all(&unfinished).map_err(io_error("remove", &unfinished))?;
        }
        create_folder(&unfinished)?;
        Ok(Self { from: from.to_owned(), to: to.to_owned(), waiting: BTreeSet::new() })
    }

    /// Copies a payload unless it is there. A mebibyte is in memory at a time. When as many copies
    /// wait as may, they are settled first.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when its bytes are not those of its name;
    /// [`EngineError::Io`].
    pub fn copy(&mut self, digest: &Digest) -> Result<Copied, EngineError> {
        if self.waiting.contains(digest) || self.shelved(digest).is_file() {
            return Ok(Copied::There);
        }
        if self.waiting.len() >= BACKUP_COPIES_WAITING_MAX {
            self.settle()?;
        }
        let Some(mut source) = self.open_source(digest)? else { return Ok(Copied::Missing) };
        let path = self.unfinished(digest);
        let mut target = create_file(&path).map_err(io_error("create", &path))?;
        let (mut hash, mut bytes, mut buffer) = (Digester::default(), 0, vec![0; PIECE_BYTES]);
        loop {
            let read = source.read(&mut buffer).map_err(io_error("read", &self.from))?;
            let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
            hash.update(piece);
            target.write_all(piece).map_err(io_error("write", &path))?;
            bytes += read as u64;
        }
        let found = hash.finish();
        if found != *digest {
            let why = format!("its {bytes} bytes have the SHA-256 {found}");
            return Err(damaged(format!("payload file of {digest}"), why));
        }
        self.waiting.insert(*digest);
        Ok(Copied::New(bytes))
    }

    /// Gives everything that was copied its name; on return it is on disk.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn settle(&mut self) -> Result<(), EngineError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // One call for thousands of files: bytes first, then names.
        sync_file_system(&self.to)?;
        for digest in &self.waiting {
            let (from, to) = (self.unfinished(digest), self.shelved(digest));
            if let Some(shelf) = to.parent().filter(|shelf| !shelf.is_dir()) {
                make_folder(shelf).map_err(io_error("create", shelf))?;
            }
            std::fs::rename(&from, &to).map_err(io_error("rename", &from))?;
        }
        sync_file_system(&self.to)?;
        self.waiting.clear();
        Ok(())
    }

    fn shelved(&self, digest: &Digest) -> PathBuf {
        let [shelved, _proposed] = ExaminedPayload::names(digest);
        self.to.join(shelved)
    }

    fn unfinished(&self, digest: &Digest) -> PathBuf {
        self.to.join("tmp").join(digest.to_string())
    }

    /// Opens a payload where it lies. The shelf comes twice: it may have moved there meanwhile.
    fn open_source(&self, digest: &Digest) -> Result<Option<File>, EngineError> {
        let [shelved, proposed] = ExaminedPayload::names(digest);
        for name in [&shelved, &proposed, &shelved] {
            let path = self.from.join(name);
            match File::open(&path) {
                Ok(file) => return Ok(Some(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io_error("open", &path)(error)),
            }
        }
        Ok(None)
    }
}

/// Waits until everything written to the file system of a folder is on disk.
fn sync_file_system(folder: &Path) -> Result<(), EngineError> {
    let open = File::open(folder).map_err(io_error("open", folder))?;
    rustix::fs::syncfs(&open).map_err(|error| io_error("sync", folder)(error.into()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use lienthong_core::engine::Payloads as _;

    use super::*;
    use crate::payload::PayloadFiles;

    #[test]
    fn a_payload_is_copied_once_and_read_back_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let source = PayloadFiles::open(&from).unwrap();
        let shelved = source.put(&vec![7; 3 << 20]).unwrap();
        let proposed = source.propose(b"on its way").unwrap().digest();
        let mut copies = PayloadCopies::open(&from, &to).unwrap();
        assert_eq!(copies.copy(&shelved).unwrap(), Copied::New(3 << 20));
        assert_eq!(copies.copy(&proposed).unwrap(), Copied::New(10));
        assert_eq!(copies.copy(&shelved).unwrap(), Copied::There);
        copies.settle().unwrap();
        assert_eq!(copies.copy(&proposed).unwrap(), Copied::There);
        let copied = PayloadFiles::open(&to).unwrap();
        assert_eq!(copied.get(&shelved).unwrap().unwrap().len(), 3 << 20);
        assert_eq!(copied.get(&proposed).unwrap().unwrap(), &b"on its way"[..]);
    }

    #[test]
    fn copies_are_for_their_owner_only_whoever_might_read_the_source() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let digest = PayloadFiles::open(&from).unwrap().put(b"what was signed").unwrap();
        let [name, _proposed] = ExaminedPayload::names(&digest);
        let all = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(from.join(&name), all).unwrap();
        let mut copies = PayloadCopies::open(&from, &to).unwrap();
        copies.copy(&digest).unwrap();
        copies.settle().unwrap();
        let copy = to.join(&name);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&copy), mode(copy.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn a_payload_that_is_missing_is_said_and_another_is_damage_and_leaves_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let source = PayloadFiles::open(&from).unwrap();
        let digest = source.put(b"what was signed").unwrap();
        let mut copies = PayloadCopies::open(&from, &to).unwrap();
        assert_eq!(copies.copy(&Digest::of(b"other")).unwrap(), Copied::Missing);
        std::fs::write(from.join(&ExaminedPayload::names(&digest)[0]), b"What was signed").unwrap();
        let changed = copies.copy(&digest).unwrap_err();
        assert!(changed.to_string().contains(&digest.to_string()), "{changed}");
        copies.settle().unwrap();
        assert!(!to.join(&ExaminedPayload::names(&digest)[0]).exists());
    }
}
