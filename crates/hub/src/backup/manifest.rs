//! The file `MANIFEST` of a backup: what it stands for. JSON, written whole, last.
//!
//! **Stable:** names of fields are never reused. Hashes are SHA-256 in hexadecimal. The hash of the
//! last block stands for all blocks, each of which has the hash of the one before; payload files are
//! named by theirs.

use std::path::Path;

use lienthong_core::Retention;
use lienthong_core::engine::Marker;
use lienthong_ledger::JournalPlace;
use lienthong_model::{Digest, Timestamp};
use lienthong_trust::merkle::Frontier;
use lienthong_trust::{Checkpoint, NoteKey};
use serde::{Deserialize, Serialize};

use super::{BackupError, io_error};
use crate::log_key::write_whole;
use crate::retention::Missing;

/// The version of the layout of backups. Stable: a newer one is refused.
const FORMAT: u16 = 1;
/// The file's name.
pub(super) const FILE: &str = "MANIFEST";

/// What a backup stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the layout.
    pub format: u16,
    /// The version of the program that wrote it.
    pub made_by: String,
    /// When it was written, by the machine's clock.
    pub made_at: String,
    /// The last block; 0 before anything was copied.
    pub block: u64,
    /// The hash of that block.
    pub block_hash: String,
    /// Leaves of the log.
    pub log_size: u64,
    /// The log's root.
    pub log_root: String,
    /// The hashes of its largest whole subtrees, from which the log goes on.
    pub log_peaks: Vec<String>,
    /// The hub's key for checkpoints: name+id+key.
    pub log_key: String,
    /// Whether the secret half is in the backup.
    pub with_key: bool,
    /// The hub's checkpoint of this log, as it signs it itself.
    pub checkpoint: String,
    /// The journal's files, rising.
    pub files: Vec<ManifestFile>,
    /// Which contents are kept no longer; not there while all are.
    #[serde(default, skip_serializing_if = "ManifestContents::is_empty")]
    pub contents: ManifestContents,
    /// The hash of this file as it is with nothing here.
    pub check: String,
}

/// What is known of contents that are kept no longer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestContents {
    /// For how long contents are kept after acceptance, in milliseconds.
    pub kept_ms: Option<u64>,
    /// Contents of documents accepted before this were given up.
    pub given_up: Option<String>,
    /// Files that were not there to be copied.
    pub missing: u64,
    /// The one that was named last, and when: with it all others have expired.
    pub missing_last: Option<(String, String)>,
}

/// A file of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// The file's name.
    pub name: String,
    /// Its first block.
    pub first: u64,
    /// Its bytes that are part of the backup.
    pub bytes: u64,
    /// Its last block.
    pub last: u64,
    /// Where the frame of that block begins.
    pub frame: u64,
    /// The hash of that block.
    pub hash: String,
}

impl Manifest {
    /// The manifest of a backup that has nothing yet.
    pub(super) fn begun(key: &NoteKey, with_key: bool) -> Self {
        let nothing = Digest([0; 32]).to_string();
        Self {
            format: FORMAT,
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: String::new(),
            block: 0,
            block_hash: nothing,
            log_size: 0,
            log_root: Frontier::default().root().to_string(),
            log_peaks: Vec::new(),
            log_key: key.to_string(),
            with_key,
            checkpoint: String::new(),
            files: Vec::new(),
            contents: ManifestContents::default(),
            check: String::new(),
        }
    }

    /// Reads the manifest of a backup; every byte must be as it was written.
    ///
    /// # Errors
    /// [`BackupError`] when there is none, it is damaged or newer.
    pub fn read(backup: &Path) -> Result<Self, BackupError> {
        let path = backup.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(BackupError::NoBackup(backup.to_owned()));
            }
            Err(error) => return Err(io_error("read", &path)(error)),
        };
        let damaged = |why: &str| BackupError::Manifest { path: path.clone(), why: why.to_owned() };
        let loose: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(&error.to_string()))?;
        if let Some(format) = loose["format"].as_u64().filter(|format| *format > FORMAT.into()) {
            return Err(BackupError::TooNew(u16::try_from(format).unwrap_or(u16::MAX)));
        }
        let manifest: Self =
            serde_json::from_value(loose).map_err(|error| damaged(&error.to_string()))?;
        if manifest.text() != bytes || manifest.check != manifest.sum() {
            return Err(damaged("it is not as it was written"));
        }
        Ok(manifest)
    }

    /// Writes it, whole or not at all; on disk on return.
    pub(super) fn write(&mut self, backup: &Path, now: Timestamp) -> Result<(), BackupError> {
        self.made_at = now.to_string();
        self.made_by = env!("CARGO_PKG_VERSION").to_owned();
        self.check = self.sum();
        let path = backup.join(FILE);
        let text = String::from_utf8_lossy(&self.text()).into_owned();
        write_whole(backup, &path, &text).map_err(io_error("write", &path))
    }

    fn text(&self) -> Vec<u8> {
        // A struct of texts and numbers can always be written.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    fn sum(&self) -> String {
        Digest::of(&Self { check: String::new(), ..self.clone() }.text()).to_string()
    }

    /// Where the journal goes on; `None` when nothing was copied.
    pub(super) fn place(&self) -> Option<JournalPlace> {
        let last = self.files.last()?;
        let marker = Marker { block: last.last, hash: Digest::parse(&last.hash)? };
        Some(JournalPlace { first: last.first, frame: last.frame, offset: last.bytes, marker })
    }

    /// The log that it stands for.
    pub(super) fn frontier(&self) -> Option<Frontier> {
        let peaks = self.log_peaks.iter().map(|peak| Digest::parse(peak)).collect::<Option<_>>()?;
        Frontier::of(self.log_size, peaks)
    }

    /// The checkpoint, its signature checked with a key; `None` when it is not one of this log.
    pub(super) fn checkpoint_by(&self, key: &NoteKey) -> Option<Checkpoint> {
        let found = Checkpoint::open(&self.checkpoint, key).ok()?;
        let said = (found.size, found.root.to_string());
        (said == (self.log_size, self.log_root.clone())).then_some(found)
    }
}

impl ManifestContents {
    pub(super) fn of(retention: Retention, missing: &Missing<Digest>) -> Self {
        Self {
            kept_ms: retention.keep_ms(),
            given_up: retention.given_up().map(|at| at.to_string()),
            missing: missing.contents,
            missing_last: missing.newest.map(|(at, one)| (at.to_string(), one.to_string())),
        }
    }

    pub(super) fn read(&self) -> (Retention, Missing<Digest>) {
        let newest = self.missing_last.as_ref();
        let newest =
            newest.and_then(|(at, digest)| Some((Timestamp::parse(at)?, Digest::parse(digest)?)));
        let missing = Missing { contents: self.missing, newest };
        let given_up = self.given_up.as_deref().and_then(Timestamp::parse);
        (Retention::of(self.kept_ms, given_up), missing)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl ManifestFile {
    /// A file with nothing but its header, and the block before it.
    pub(super) fn begun(name: String, first: u64, bytes: u64, before: Marker) -> Self {
        Self { name, first, bytes, last: before.block, frame: 0, hash: before.hash.to_string() }
    }

    /// Notes the next block.
    pub(super) fn goes_to(&mut self, place: &JournalPlace) {
        self.bytes = place.offset;
        self.frame = place.frame;
        self.last = place.marker.block;
        self.hash = place.marker.hash.to_string();
    }
}
