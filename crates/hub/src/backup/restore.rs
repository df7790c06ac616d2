//! Restoring a backup into a new data folder.

use std::path::Path;

use lienthong_core::Query;
use lienthong_core::engine::rows_digest;
use lienthong_model::Digest;
use lienthong_trust::merkle::Frontier;

use super::copying::{Copying, Stop};
use super::manifest::{self, Manifest, ManifestContents};
use super::take::journal_bytes;
use super::{BackupError, DATA, create_folder, entry_besides, io_error, lock, refuse_nested};
use crate::log_key::{self, LogKey, write_whole};
use crate::open_folder::OpenFolder;

/// What may lie in a folder before something is restored into it: the operator's own.
const PREPARED: [&str; 4] = ["hub.toml", "pki", "BALLAST", "lost+found"];

/// A backup to be restored.
#[derive(Debug)]
pub struct Restore<'a> {
    /// The backup.
    pub from: &'a Path,
    /// The data folder to be made: new, or empty but for the operator's own files.
    pub to: &'a Path,
    /// The file of the log's key, where the backup is without it.
    pub key: Option<&'a Path>,
}

/// How far a restoration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restoring {
    /// Bytes of the journal copied, of so many.
    Copying(u64, u64),
    /// Blocks of which the state was made, of so many.
    Replaying(u64, u64),
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup stood for.
    pub manifest: Manifest,
    /// Payload files.
    pub payloads: u64,
    /// Their bytes.
    pub payload_bytes: u64,
    /// The SHA-256 over the rows of the state that was made, see [`rows_digest`].
    pub state: Digest,
}

impl Restore<'_> {
    /// Copies the backup, makes the state from it, and compares the log with the checkpoint. Every
    /// byte is checked on the way. The folder becomes a data folder only when all of it is on disk:
    /// after an error no hub starts on it, and it is to be deleted.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn run(&self, mut progress: impl FnMut(Restoring)) -> Result<Restored, BackupError> {
        let _lock = lock(self.from)?;
        let manifest = Manifest::read(self.from)?;
        let source = self.from.join(DATA);
        let key = self.key(&manifest, &source)?;
        if let Some(entry) = entry_besides(self.to, &PREPARED)? {
            return Err(BackupError::NotEmpty { folder: self.to.to_owned(), entry });
        }
        create_folder(self.to)?;
        refuse_nested(self.from, self.to)?;
        let sides = (source.as_path(), self.to);
        let known = ManifestContents::default();
        let mut copying = Copying::begin(sides, None, Frontier::default(), Vec::new(), &known)?;
        let bytes = journal_bytes(&source)?;
        let told = |behind| progress(Restoring::Copying(behind, bytes));
        copy(&mut copying, manifest.block, told)?;
        same("last block", copying.journal.last().hash, &manifest.block_hash)?;
        same("root of the log", copying.log.root(), &manifest.log_root)?;
        if manifest.checkpoint_by(key.public()).is_none() {
            let why = "its checkpoint is not the log's own".to_owned();
            return Err(BackupError::Manifest { path: self.from.join(manifest::FILE), why });
        }
        self.finish(&source, &key)?;
        let counts = copying.counts;
        drop(copying);
        let state =
            self.open(&manifest, |block, end| progress(Restoring::Replaying(block, end)))?;
        let (payloads, payload_bytes) = (counts.payloads, counts.payload_bytes);
        Ok(Restored { manifest, payloads, payload_bytes, state })
    }

    /// The log's key, from the backup or from elsewhere.
    fn key(&self, manifest: &Manifest, source: &Path) -> Result<LogKey, BackupError> {
        let key = match self.key {
            Some(path) => LogKey::read(path)?,
            None if manifest.with_key => LogKey::read(&source.join(log_key::FILE))?,
            None => return Err(BackupError::WithoutKey),
        };
        if key.public().to_string() != manifest.log_key {
            let (found, expected) = (key.public().to_string(), manifest.log_key.clone());
            return Err(BackupError::OtherKey { found, expected });
        }
        Ok(key)
    }

    /// Writes the key and then the format, with which the folder becomes a data folder.
    fn finish(&self, source: &Path, key: &LogKey) -> Result<(), BackupError> {
        let path = self.to.join(log_key::FILE);
        write_whole(self.to, &path, &key.to_text()).map_err(io_error("write", &path))?;
        let from = source.join("FORMAT");
        let format = std::fs::read_to_string(&from).map_err(io_error("read", &from))?;
        let path = self.to.join("FORMAT");
        write_whole(self.to, &path, &format).map_err(io_error("write", &path))
    }

    /// Makes the state, as the start of a hub does.
    fn open(
        &self,
        manifest: &Manifest,
        progress: impl FnMut(u64, u64),
    ) -> Result<Digest, BackupError> {
        let mut folder = OpenFolder::open(self.to, progress)?;
        folder.flush()?;
        let root = Query(&*folder.state).log_root(manifest.log_size)?;
        same("root of the state's log", root.unwrap_or(Digest([0; 32])), &manifest.log_root)?;
        Ok(rows_digest(&*folder.state)?)
    }
}

fn copy(copying: &mut Copying, until: u64, mut told: impl FnMut(u64)) -> Result<(), BackupError> {
    while copying.run(until, &mut told)? == Stop::File {}
    Ok(())
}

fn same(what: &'static str, found: Digest, expected: &str) -> Result<(), BackupError> {
    let found = found.to_string();
    if found == expected {
        return Ok(());
    }
    Err(BackupError::Unlike { what, found, expected: expected.to_owned() })
}
