//! Archiving: a closed journal file gives way to its archive, once that gives back every byte.

use std::path::Path;
use std::sync::Arc;

use lienthong_core::engine::EngineError;
use lienthong_model::limits::SPACE_HARD_BYTES;
use parking_lot::RwLock;

use super::archive;
use super::blocks::{JournalBlocks, JournalFile};
use super::image::{ARCHIVED, failed, is_archive};
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
        let path = file.path.with_file_name(format!("{first:020}{ARCHIVED}"));
        let unfinished = file.path.with_file_name(format!("{first:020}{ARCHIVED}.new"));
        let made = make(&file.path, &unfinished, &path);
        if made.is_err() {
            remove_file(&unfinished)?;
        }
        let (plain_bytes, archive_bytes) = made?;
        crash::point("archive-written");
        let index = RwLock::new(file.index.read().clone());
        let archived = JournalFile { path, header: file.header, index };
        {
            let mut files = self.shared.files.write();
            let place = files.iter_mut().find(|known| known.header.first == first);
            if let Some(place) = place {
                *place = Arc::new(archived);
            }
        }
        // Whoever reads it now has it open, and reads on.
        self.shared.let_go(first);
        remove_file(&file.path)?;
        crash::point("archive-in-force");
        Ok(Some(Archived { first, plain_bytes, archive_bytes }))
    }

    fn oldest_plain(&self, keep: usize) -> Option<Arc<JournalFile>> {
        let files = self.shared.files.read();
        let closed = files.len().saturating_sub(keep);
        files.iter().take(closed).find(|file| !is_archive(&file.path)).cloned()
    }
}

/// Makes an archive under its name, and checks it; returns the bytes of both.
fn make(plain: &Path, unfinished: &Path, path: &Path) -> Result<(u64, u64), EngineError> {
    archive::write(plain, unfinished)?;
    if !archive::is_the_same(plain, unfinished).map_err(failed("compare", unfinished))? {
        let what = format!("the archive of `{}`", plain.display());
        return Err(damaged(what, "it does not give back the bytes that were put in"));
    }
    let bytes = (file_bytes(plain)?, file_bytes(unfinished)?);
    std::fs::rename(unfinished, path).map_err(io_error("rename", unfinished))?;
    sync_parent(path)?;
    Ok(bytes)
}

fn file_bytes(path: &Path) -> Result<u64, EngineError> {
    std::fs::metadata(path).map_err(io_error("measure", path)).map(|found| found.len())
}
