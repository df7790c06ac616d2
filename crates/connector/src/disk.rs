//! The disk: what was written here is on it when a function returns, folder entries included.
//!
//! A file or folder that others may see appears by renaming, so that one that is there is whole.
//! Nothing here judges what is written.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The disk did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} `{}`: {source}", path.display())]
pub struct DiskError {
    /// What was tried: `read`, `write`, `move`, `list`, `remove`, `make`, `sync`.
    pub what: &'static str,
    /// Where.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl DiskError {
    /// Returns a closure that says of an error of the system what was tried, and where.
    pub(crate) fn of(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { what, path, source }
    }

    /// Returns whether nothing was there.
    pub fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// Writes a new file and syncs it; its folder is not synced.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let mut file = File::create(path).map_err(DiskError::of("write", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(DiskError::of("write", path))
}

/// Writes a file beside its place and renames it there: whoever reads finds the old or the new
/// bytes. On return both are synced.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let unfinished = beside(path);
    write(&unfinished, bytes)?;
    rename(&unfinished, path)
}

/// A name beside a path that begins with a dot, so that nobody takes it for something whole.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    path.with_file_name(name)
}

/// Renames and syncs both folders.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    fs::rename(from, to).map_err(DiskError::of("move", from))?;
    sync_parent(to)?;
    if from.parent() == to.parent() { Ok(()) } else { sync_parent(from) }
}

/// Syncs a folder: the names in it.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), DiskError> {
    let opened = File::open(folder).and_then(|opened| opened.sync_all());
    opened.map_err(DiskError::of("sync", folder))
}

fn sync_parent(path: &Path) -> Result<(), DiskError> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_folder(parent),
        None => sync_folder(Path::new(".")),
    }
}

/// Makes a folder and those above it; every name made is synced. One that is there is left alone.
pub(crate) fn make_folder(path: &Path) -> Result<(), DiskError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(DiskError::of("make", path)(error))
        }
        _ => sync_parent(path),
    }
}

/// Removes a folder with what is in it, or a file; nothing there is no error.
pub(crate) fn remove(path: &Path) -> Result<(), DiskError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DiskError::of("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Reads a file of at most `max` bytes; `None` when it is not there.
pub(crate) fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>, DiskError> {
    let failed = |error| DiskError::of("read", path)(error);
    match fs::metadata(path) {
        Err(error) if is_nothing(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(found) if found.len() > max => {
            let why = format!("{} bytes, at most {max}", found.len());
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
        }
        Ok(_) => {}
    }
    fs::read(path).map(Some).map_err(failed)
}

/// Whether an error says that nothing is there.
fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Its name; what is no UTF-8 in it is shown by a mark.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Returns what is complete in a folder, by name: names that begin with a dot or `tmp-` are left
/// out. A folder that is not there is empty.
pub(crate) fn complete(folder: &Path) -> Result<Vec<Found>, DiskError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if is_nothing(&error) => return Ok(Vec::new()),
        other => other.map_err(DiskError::of("list", folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(DiskError::of("list", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_unfinished(&name) {
            continue;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        found.push(Found { name, path: entry.path(), is_folder });
    }
    found.sort();
    Ok(found)
}

/// Returns whether a name says that its writer is not done.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("tmp-")
}

/// Runs something that waits for the disk where it keeps nobody else waiting.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DiskError> + Send + 'static,
) -> Result<T, DiskError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|gone| {
        let source = io::Error::other(gone.to_string());
        Err(DiskError { what: "write", path: PathBuf::new(), source })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_its_writer_has_not_finished_is_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b", "a", ".hidden", "tmp-1"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("c.toml"), "").unwrap();
        let names: Vec<(String, bool)> = complete(folder.path())
            .unwrap()
            .into_iter()
            .map(|found| (found.name, found.is_folder))
            .collect();
        assert_eq!(names, [("a".into(), true), ("b".into(), true), ("c.toml".into(), false)]);
        assert_eq!(complete(&folder.path().join("none")).unwrap(), []);
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(read(&path, 2).unwrap_err().what, "read");
        assert_eq!(read(&folder.path().join("none"), 2).unwrap(), None);
    }
}
