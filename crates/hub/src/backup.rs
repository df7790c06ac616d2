//! Backups of a data folder: taken while its hub runs, gone on with, checked, restored.
//!
//! ```text
//!  data folder        backup folder                 restored data folder
//!   journal/    ──▶    data/journal/          ──▶    journal/
//!   payloads/   ──▶    data/payloads/         ──▶    payloads/
//!   log.key     ──▶    data/log.key           ──▶    log.key
//!   state/             MANIFEST: what it             state/  made from the journal
//!                      stands for, written last
//! ```
//! Journal files are only appended to and payload files never change, so that a further backup into
//! the same folder copies what is new, and one that was interrupted goes on. A backup stands for
//! whole blocks that are on the hub's own disk, and for every payload that they name: for the log as
//! the hub states it in the checkpoint of the last of these blocks.
//!
//! The log's key is the hub's word: without it a restored hub cannot go on with its log, whoever has
//! it can sign in the hub's name. A backup has it unless it is asked not to. What the operator gives
//! a hub (configuration, its own certificate, lists) is the operator's to keep.

mod check;
mod copying;
mod manifest;
mod restore;
mod take;

use std::io;
use std::path::{Path, PathBuf};

use lienthong_core::engine::EngineError;
use lienthong_ledger::FolderLock;

pub use check::{BackupCheck, check_backup};
pub use manifest::{Manifest, ManifestFile};
pub use restore::{Restore, Restored, Restoring};
pub use take::{Backup, BackupReport};

use crate::log_key::LogKeyError;

/// The part of a backup that is laid out as a data folder.
const DATA: &str = "data";

/// Why a backup cannot be taken, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The source is no data folder.
    #[error("`{0}` is no data folder")]
    NoDataFolder(PathBuf),
    /// The folder is no backup.
    #[error("`{0}` is no backup: it has no `MANIFEST`")]
    NoBackup(PathBuf),
    /// The target has files that are none of a backup's, or of a data folder that is to be restored.
    #[error("`{folder}` is not empty: it has `{entry}`")]
    NotEmpty {
        /// The target.
        folder: PathBuf,
        /// Something that is in it.
        entry: String,
    },
    /// Source and target are one folder, or one lies in the other.
    #[error("`{0}` lies in the folder that is copied, or holds it")]
    Nested(PathBuf),
    /// The backup is of another hub.
    #[error("the backup in `{folder}` is of the log `{backup}`, the data folder has `{data}`")]
    OtherHub {
        /// The backup.
        folder: PathBuf,
        /// Its log.
        backup: String,
        /// The data folder's log.
        data: String,
    },
    /// The journal does not have the block with which the backup ends.
    #[error("the journal does not go on from the backup, which ends with block {block}: {why}")]
    Diverged {
        /// The backup's last block.
        block: u64,
        /// How that shows.
        why: EngineError,
    },
    /// The manifest is not as it was written.
    #[error("damaged: `{path}`: {why}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// How that shows.
        why: String,
    },
    /// A newer version made the backup.
    #[error("the backup has format {0}, newer than this version reads: use a newer one")]
    TooNew(u16),
    /// What was restored is not what the manifest says.
    #[error("the restored {what} is {found}, the manifest says {expected}")]
    Unlike {
        /// What differs.
        what: &'static str,
        /// What came out.
        found: String,
        /// What the manifest says.
        expected: String,
    },
    /// The backup is without the log's key.
    #[error("the backup does not hold the log's key: give the file that was kept elsewhere")]
    WithoutKey,
    /// The key given is not that of the log.
    #[error("the key given is of the log `{found}`, the backup is of `{expected}`")]
    OtherKey {
        /// The log of the key.
        found: String,
        /// The log of the backup.
        expected: String,
    },
    /// The log's key cannot be read.
    #[error(transparent)]
    LogKey(#[from] LogKeyError),
    /// A file cannot be read or written.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Journal or payloads cannot be read or written, or are damaged.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl BackupError {
    /// Returns whether a disk is full: with room made, the same command goes on.
    pub fn is_disk_full(&self) -> bool {
        let (Self::Io { source, .. } | Self::Engine(EngineError::Io { source, .. })) = self else {
            return false;
        };
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { doing, path, source }
}

/// Makes a folder that only its owner may enter, unless it is there.
fn create_folder(path: &Path) -> Result<(), BackupError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(io_error("create", path))
}

/// Keeps others out of a backup that is read; one that is not there is none.
fn lock(backup: &Path) -> Result<Option<FolderLock>, BackupError> {
    if !backup.join(manifest::FILE).is_file() {
        return Err(BackupError::NoBackup(backup.to_owned()));
    }
    Ok(FolderLock::take_existing(backup)?)
}

fn sync_folder(path: &Path) -> Result<(), BackupError> {
    let folder = std::fs::File::open(path).map_err(io_error("open", path))?;
    folder.sync_all().map_err(io_error("sync", path))
}

/// The first entry of a folder that is none of `known`; `None` also when there is no folder.
fn entry_besides(folder: &Path, known: &[&str]) -> Result<Option<String>, BackupError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("list", folder)(error)),
    };
    for entry in entries {
        let name = entry.map_err(io_error("list", folder))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if !known.contains(&&*name) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Refuses a target that lies in the source, or holds it.
fn refuse_nested(source: &Path, target: &Path) -> Result<(), BackupError> {
    let whole = |path: &Path| path.canonicalize().map_err(io_error("find", path));
    let (from, to) = (whole(source)?, whole(target)?);
    if from.starts_with(&to) || to.starts_with(&from) {
        return Err(BackupError::Nested(target.to_owned()));
    }
    Ok(())
}
