//! The few operations on files and folders that every engine here needs, with errors that name
//! what was being done to which path.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use lienthong_core::engine::EngineError;

/// Makes an [`EngineError::Io`] out of an error of the operating system.
pub(crate) fn io_error<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> EngineError + use<'a> {
    move |source| EngineError::Io { doing, path: path.display().to_string(), source }
}

/// Makes an [`EngineError::Damaged`].
pub(crate) fn damaged(what: impl Into<String>, why: impl Into<String>) -> EngineError {
    EngineError::Damaged { what: what.into(), why: why.into() }
}

/// Options to open a file that only its owner may read and write when it is made here: what agencies
/// write to each other lies in it.
///
/// Every file and folder of ours is made like this, rather than by a `umask` of the process: commands
/// that work on a folder at rest make them, too, and write files for others beside. sled makes its
/// own, in a folder that nobody else may enter.
pub(crate) fn owners_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Creates a file as [`File::create`] does, for its owner only.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    owners_only().write(true).create(true).truncate(true).open(path)
}

/// Creates a folder that only its owner may enter.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Creates a folder that only its owner may enter, and those above it, unless it exists; the entry of
/// every new folder is on disk on return.
pub(crate) fn create_folder(path: &Path) -> Result<(), EngineError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_folder(parent)?;
    }
    match make_folder(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(io_error("create", path)(error))
        }
        _ => sync_parent(path),
    }
}

/// Syncs a folder: the names in it are on disk on return.
pub(crate) fn sync_folder(path: &Path) -> Result<(), EngineError> {
    let folder = File::open(path).map_err(io_error("open", path))?;
    folder.sync_all().map_err(io_error("sync", path))
}

/// Syncs the folder that holds `path`.
pub(crate) fn sync_parent(path: &Path) -> Result<(), EngineError> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

/// Removes a file and syncs its folder; a file that is not there is no error.
pub(crate) fn remove_file(path: &Path) -> Result<(), EngineError> {
    match std::fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error("remove", path)(error)),
    }
}

/// Keeps other processes out of a folder until it is dropped: an advisory lock on the empty file
/// `LOCK` in it, which the operating system gives up when the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of a folder without making anything in it; `None` when it has no `LOCK`, as a
    /// copy may not have one.
    ///
    /// # Errors
    /// [`EngineError::InUse`] when it is taken, [`EngineError::Io`].
    pub fn take_existing(folder: &Path) -> Result<Option<Self>, EngineError> {
        let path = folder.join("LOCK");
        match File::open(&path) {
            Ok(file) => Self::of(file, folder).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("open", &path)(error)),
        }
    }

    /// Takes the lock of a folder that exists.
    ///
    /// # Errors
    /// [`EngineError::InUse`] when it is taken, [`EngineError::Io`] when the file cannot be made.
    pub fn take(folder: &Path) -> Result<Self, EngineError> {
        let path: PathBuf = folder.join("LOCK");
        let file = owners_only()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io_error("open", &path))?;
        Self::of(file, folder)
    }

    fn of(file: File, folder: &Path) -> Result<Self, EngineError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(EngineError::InUse(folder.display().to_string())),
            Err(TryLockError::Error(error)) => Err(io_error("lock", folder)(error)),
        }
    }
}
