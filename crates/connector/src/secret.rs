//! Secrets in files: the token of the HTTP API, the secret of the webhook. Made at random at the
//! first start, readable by this user only; there is no default.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::disk::{self, DiskError};

/// Shortest secret that is taken, in characters.
const CHARS_MIN: usize = 16;
/// Bytes of a new one.
const BYTES_NEW: usize = 32;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Too short, or no text.
    #[error("the secret in `{}` has fewer than {CHARS_MIN} characters", .0.display())]
    TooShort(PathBuf),
    /// Others than this user may read it.
    #[error("others than this user may read the secret in `{}` (mode {mode:o}); chmod 600 it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// Reads a secret; makes one where there is no file.
///
/// # Errors
/// [`SecretError`].
pub(crate) fn read_or_make(path: &Path) -> Result<String, SecretError> {
    let Some(bytes) = disk::read(path, 4_096)? else { return make(path) };
    let mode =
        fs::metadata(path).map_err(DiskError::of("read", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Open { path: path.to_owned(), mode });
    }
    let text = String::from_utf8(bytes).unwrap_or_default().trim().to_owned();
    if text.chars().count() < CHARS_MIN {
        return Err(SecretError::TooShort(path.to_owned()));
    }
    Ok(text)
}

fn make(path: &Path) -> Result<String, SecretError> {
    let secret = hex::encode(rand::random::<[u8; BYTES_NEW]>());
    let unfinished = disk::beside(path);
    disk::remove(&unfinished)?;
    let failed = |error| DiskError::of("write", path)(error);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(failed)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    file.write_all(secret.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    disk::rename(&unfinished, path)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_for_this_user_only_and_no_weak_one_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let made = read_or_make(&path).unwrap();
        assert_eq!(made.len(), 2 * BYTES_NEW);
        assert_eq!(read_or_make(&path).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read_or_make(&path), Err(SecretError::Open { mode: 0o644, .. })));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short\n").unwrap();
        assert!(matches!(read_or_make(&path), Err(SecretError::TooShort(_))));
    }
}
