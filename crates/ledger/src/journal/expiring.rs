//! Contents whose term has passed leave closed journal files: an archive without them takes the file's
//! place. Zeros stand where they were, so that every block is where it was and has the hash that it had.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use lienthong_core::block::{TakenOut, take_out};
use lienthong_core::engine::EngineError;
use lienthong_model::Position;
use lienthong_model::limits::SPACE_HARD_BYTES;

use super::archiving::Making;
use super::blocks::{JournalBlocks, JournalFile};
use super::frame::HEADER_BYTES;
use super::image::{Image, UNFINISHED, failed};
use crate::crash;
use crate::disk::{create_file, io_error, remove_file};
use crate::space::has_room;

/// How the name of a file without what has expired ends, before [`UNFINISHED`].
const EXPIRED: &str = ".expired";

/// A journal file that is written to no more, or its archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedFile {
    /// The number of its first block.
    pub first: u64,
    /// The number of its last block.
    pub last: u64,
}

/// What came of taking contents out of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// It was not read: it is known that no content of a document is left in it.
    Empty,
    /// It was not read: it is not closed, or there is hardly any room on the disk.
    NotNow,
    /// It was read, and what had expired is gone from the disk.
    Done(TakenOut),
}

/// Whether the document at a position has expired.
type Expired<'e> = &'e mut dyn FnMut(Position) -> Result<bool, EngineError>;

impl JournalBlocks {
    /// Returns the closed file that holds a block; `None` when it is not closed.
    pub fn closed_file(&self, block: u64) -> Option<ClosedFile> {
        let (file, next) = self.shared.file_of(block)?;
        Some(ClosedFile { first: file.header.first, last: next?.first - 1 })
    }

    /// Takes the contents of documents that have expired out of the closed file that holds a block.
    /// Readers go on meanwhile.
    ///
    /// # Errors
    /// [`EngineError`]; the file is then as it was.
    pub fn take_out(&self, block: u64, expired: Expired<'_>) -> Result<Taking, EngineError> {
        let _one = self.shared.archiving.lock();
        let Some((file, Some(_))) = self.shared.file_of(block) else { return Ok(Taking::NotNow) };
        let image = Image::open(&file.path)?;
        if image.is_empty() {
            return Ok(Taking::Empty);
        }
        let length = image.len().map_err(failed("measure", &file.path))?;
        if !has_room(&file.path, length * 2, Some(SPACE_HARD_BYTES)) {
            tracing::warn!(bytes = length * 2, "contents stay: there is no room on the disk");
            return Ok(Taking::NotNow);
        }
        let first = file.header.first;
        let without = file.path.with_file_name(format!("{first:020}{EXPIRED}{UNFINISHED}"));
        let taken = self.replace(&file, &image, &without, expired);
        remove_file(&without)?;
        taken.map(Taking::Done)
    }

    fn replace(
        &self,
        file: &JournalFile,
        image: &Image,
        without: &Path,
        expired: Expired<'_>,
    ) -> Result<TakenOut, EngineError> {
        let taken = copy(file, image, without, expired)?;
        if taken.gone == 0 && taken.left > 0 {
            return Ok(taken);
        }
        let archive = Making::of(file);
        archive.make(without, taken.left == 0)?;
        crash::point("contents-taken-out");
        self.put_in_force(file, archive)?;
        Ok(taken)
    }
}

/// Copies a journal file without the contents that have expired.
fn copy(
    file: &JournalFile,
    image: &Image,
    to: &Path,
    expired: Expired<'_>,
) -> Result<TakenOut, EngineError> {
    let failed = || failed("read", &file.path);
    let length = image.len().map_err(failed())?;
    let mut header = [0; HEADER_BYTES];
    image.read_exact_at(&mut header, 0).map_err(failed())?;
    let mut copy = BufWriter::new(create_file(to).map_err(io_error("create", to))?);
    copy.write_all(&header).map_err(io_error("write", to))?;
    let mut taken = TakenOut::default();
    let (mut offset, mut number, mut frame) = (HEADER_BYTES as u64, file.header.first, Vec::new());
    while offset < length {
        let head = file.head(image, offset, number)?;
        let payload = head.read_payload(image, offset).map_err(failed())?;
        let mut payload = Vec::from(payload.map_err(|bad| file.bad(offset, number, bad))?);
        taken += take_out(&mut payload, expired)?;
        frame.clear();
        head.encode_with(&payload, &mut frame);
        copy.write_all(&frame).map_err(io_error("write", to))?;
        offset += head.frame_bytes();
        number += 1;
    }
    copy.flush().map_err(io_error("write", to))?;
    Ok(taken)
}

#[cfg(test)]
mod tests;
