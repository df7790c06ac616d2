//! Archiving: a closed journal file gives way to its archive, once that gives back every byte.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lienthong_core::engine::EngineError;
use lienthong_model::limits::SPACE_HARD_BYTES;
use parking_lot::RwLock;

use super::archive;
use super::blocks::{JournalBlocks, JournalFile};
use super::image::{ARCHIVED, UNFINISHED, failed, is_archive};
use crate::crash;
use crate::disk::{damaged, io_error, remove_file, sync_parent};
use crate::space::has_room;

/// A journal file that was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The number of its first block.
    pub first: u64,
    /// Bytes of the file.
    pub plain_bytes: u64,
    /// Bytes of its archive.
    pub archive_bytes: u64,
}

impl JournalBlocks {
    /// Archives the oldest closed file that is no archive yet, unless it is among the newest `keep`;
    /// `None` when there is nothing to do, or hardly any room to do it. Readers go on meanwhile. On return the archive is on disk,
    /// has given back every byte, and the file is gone.
    ///
    /// # Errors
    /// [`EngineError`]; the file is then as it was.
    pub fn archive_oldest(&self, keep: usize) -> Result<Option<Archived>, EngineError> {
        let _one = self.shared.archiving.lock();
        let Some(file) = self.oldest_plain(keep.max(1)) else { return Ok(None) };
        let plain_bytes = file_bytes(&file.path)?;
        if !has_room(&file.path, plain_bytes, Some(SPACE_HARD_BYTES)) {
            tracing::warn!(bytes = plain_bytes, "archiving waits: there is no room on the disk");
            return Ok(None);
        }
        let first = file.header.first;
        let archive = Making::of(&file);
        let archive_bytes = archive.make(&file.path, false)?;
        crash::point("archive-written");
        self.put_in_force(&file, archive)?;
        crash::point("archive-in-force");
        Ok(Some(Archived { first, plain_bytes, archive_bytes }))
    }

    /// An archive takes the place of a file, which is removed, or of an older archive.
    pub(super) fn put_in_force(
        &self,
        file: &JournalFile,
        archive: Making,
    ) -> Result<(), EngineError> {
        let index = RwLock::new(file.index.read().clone());
        let archived = JournalFile { path: archive.path, header: file.header, index };
        {
            let mut files = self.shared.files.write();
            let place = files.iter_mut().find(|known| known.header.first == file.header.first);
            if let Some(place) = place {
                *place = Arc::new(archived);
            }
        }
        // Whoever reads it now has it open, and reads on.
        self.shared.let_go(file.header.first);
        match is_archive(&file.path) {
            true => Ok(()),
            false => remove_file(&file.path),
        }
    }

    fn oldest_plain(&self, keep: usize) -> Option<Arc<JournalFile>> {
        let files = self.shared.files.read();
        let closed = files.len().saturating_sub(keep);
        files.iter().take(closed).find(|file| !is_archive(&file.path)).cloned()
    }
}

/// An archive that is being made.
pub(super) struct Making {
    /// The name that it will have.
    path: PathBuf,
    /// The name that it has until it is whole.
    unfinished: PathBuf,
}

impl Making {
    /// The archive of a file, or the one that takes an archive's place.
    pub fn of(file: &JournalFile) -> Self {
        let first = file.header.first;
        let named = |end: &str| file.path.with_file_name(format!("{first:020}{end}"));
        Self { path: named(ARCHIVED), unfinished: named(&format!("{ARCHIVED}{UNFINISHED}")) }
    }

    /// Makes it of the bytes of a journal file under its name, and checks it; returns its bytes.
    pub fn make(&self, plain: &Path, is_empty: bool) -> Result<u64, EngineError> {
        let made = self.make_whole(plain, is_empty);
        if made.is_err() {
            remove_file(&self.unfinished)?;
        }
        made
    }

    fn make_whole(&self, plain: &Path, is_empty: bool) -> Result<u64, EngineError> {
        let Self { path, unfinished } = self;
        archive::write(plain, unfinished, is_empty)?;
        if !archive::is_the_same(plain, unfinished).map_err(failed("compare", unfinished))? {
            let what = format!("the archive of `{}`", plain.display());
            return Err(damaged(what, "it does not give back the bytes that were put in"));
        }
        let bytes = file_bytes(unfinished)?;
        std::fs::rename(unfinished, path).map_err(io_error("rename", unfinished))?;
        sync_parent(path)?;
        Ok(bytes)
    }
}

fn file_bytes(path: &Path) -> Result<u64, EngineError> {
    std::fs::metadata(path).map_err(io_error("measure", path)).map(|found| found.len())
}
