//! Disk space: how much is free, and a ballast to give up when there is hardly any.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lienthong_core::engine::EngineError;
use lienthong_model::limits::{SPACE_SOFT_BYTES, SPACE_SOFT_SHARE};
use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::disk::{io_error, owners_only, remove_file, sync_parent};

/// The space of a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// What the hub may still write.
    pub available: u64,
    /// How much there is in all.
    pub total: u64,
}

/// Returns the space of the file system that holds a path.
///
/// # Errors
/// Whatever the operating system answers.
pub fn free_space(path: &Path) -> io::Result<Free> {
    let found = statvfs(path)?;
    Ok(Free {
        available: found.f_bavail.saturating_mul(found.f_frsize),
        total: found.f_blocks.saturating_mul(found.f_frsize),
    })
}

/// Returns whether so many more bytes can be written below a path, and so many stay free,
/// or as many as below which no submission is taken. What cannot be measured is taken for room:
/// writing will tell.
pub(crate) fn has_room(path: &Path, more: u64, stays_free: Option<u64>) -> bool {
    free_space(path).map_or(true, |free| {
        let soft_mark = SPACE_SOFT_BYTES.min(free.total / SPACE_SOFT_SHARE);
        let stays_free = stays_free.unwrap_or(soft_mark);
        free.available >= more.saturating_add(stays_free)
    })
}

/// The file `BALLAST` in a data folder: it keeps room on the disk that the hub needs to come to rest
/// when nobody else leaves any. Its content means nothing.
#[derive(Debug)]
pub struct Ballast {
    path: PathBuf,
    bytes: u64,
}

impl Ballast {
    /// The ballast of a data folder, of so many bytes; nothing is made yet.
    pub fn new(folder: &Path, bytes: u64) -> Self {
        Self { path: folder.join("BALLAST"), bytes }
    }

    /// Returns how many bytes it has when it is made.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns whether it is there, whole.
    pub fn is_held(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|there| there.len() == self.bytes)
    }

    /// Makes it, with blocks on the disk; one that is there in another size is made anew.
    ///
    /// # Errors
    /// [`EngineError::Io`] when there is no room; nothing of it stays then.
    pub fn hold(&self) -> Result<(), EngineError> {
        if self.is_held() {
            return Ok(());
        }
        self.give_up()?;
        let made = self.make();
        if made.is_err() {
            self.give_up()?;
        }
        made.map_err(io_error("make", &self.path))?;
        sync_parent(&self.path)
    }

    /// Gives it up: its room is free on return. One that is not there is no error.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn give_up(&self) -> Result<(), EngineError> {
        remove_file(&self.path)
    }

    fn make(&self) -> io::Result<()> {
        let mut file = owners_only().write(true).create_new(true).open(&self.path)?;
        if self.bytes > 0 && fallocate(&file, FallocateFlags::empty(), 0, self.bytes).is_err() {
            // Not every file system can set room aside: it is written full.
            fill(&mut file, self.bytes)?;
        }
        file.sync_all()
    }
}

fn fill(file: &mut File, bytes: u64) -> io::Result<()> {
    file.set_len(0)?;
    let zeros = vec![0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let piece = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all(zeros.get(..piece).unwrap_or_default())?;
        left -= piece as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_ballast_takes_real_room_and_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let ballast = Ballast::new(folder.path(), 1 << 20);
        assert!(!ballast.is_held());
        ballast.hold().unwrap();
        ballast.hold().unwrap();
        let made = std::fs::metadata(folder.path().join("BALLAST")).unwrap();
        assert!(made.blocks() * 512 >= 1 << 20, "{} blocks", made.blocks());
        assert!(ballast.is_held());
        assert!(!Ballast::new(folder.path(), 1 << 21).is_held());
        ballast.give_up().unwrap();
        ballast.give_up().unwrap();
        assert!(!ballast.is_held());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn there_is_not_more_free_than_there_is_in_all() {
        let folder = tempfile::tempdir().unwrap();
        let free = free_space(folder.path()).unwrap();
        assert!(free.available <= free.total && free.total > 0, "{free:?}");
    }
}
