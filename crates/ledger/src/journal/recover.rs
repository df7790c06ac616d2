//! What opening the last file of a journal finds: good frames, a torn tail, or damage.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use lienthong_core::block::{BLOCK_FORMAT, SealedBlock};
use lienthong_core::engine::{EngineError, Marker};
use lienthong_model::Timestamp;

use super::frame::{Bad, FRAME_MAGIC, FileHeader, HEADER_BYTES, Head, JOURNAL_FORMAT};
use super::image::Image;
use super::index::FileIndex;
use super::{JournalLimits, TornTail};
use crate::disk::{damaged, io_error};

/// How a file that is to be verified stands to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing was begun after it, so its end may be torn.
    Last,
    /// A later file was begun, so every frame in it was synced.
    Followed,
}

/// A file that was read whole.
#[derive(Debug)]
pub(super) struct Verified {
    /// Where its blocks lie.
    pub index: FileIndex,
    /// Its last block, or the one before its first.
    pub last: Marker,
    /// When its first block was made.
    pub begun: Option<Timestamp>,
    /// Its last blocks, within the bounds of the ring.
    pub recent: VecDeque<SealedBlock>,
    /// Where the first frame begins of which no later one says that it was synced.
    pub unsynced_from: u64,
    /// What must be cut.
    pub torn: Option<TornTail>,
}

/// Reads every frame of a file, checking check values, numbers and the hash chain.
///
/// # Errors
/// [`EngineError::Damaged`] naming file, offset and block when a frame is bad that was synced;
/// [`EngineError::TooNew`] when a frame's encoding is newer.
pub(super) fn verify(
    path: &Path,
    file: &Image,
    header: FileHeader,
    standing: Standing,
    limits: JournalLimits,
) -> Result<Verified, EngineError> {
    let length = file.len().map_err(io_error("measure", path))?;
    let mut found = Verified {
        index: FileIndex::new(header.first),
        last: Marker { block: header.first.saturating_sub(1), hash: header.previous },
        begun: None,
        recent: VecDeque::new(),
        unsynced_from: HEADER_BYTES as u64,
        torn: None,
    };
    let mut recent_bytes = 0;
    // Numbers and offsets of the frames that may not be on disk.
    let mut unsynced = VecDeque::new();
    while found.index.end < length {
        let offset = found.index.end;
        let frame = read_frame(file, offset, found.index.next).map_err(io_error("read", path))?;
        let (head, payload) = match frame {
            Frame::Good(head, payload) => (head, payload),
            Frame::Bad { why: Bad::TooNew(format), .. } => return Err(too_new(path, format)),
            Frame::Bad { why, resume } => {
                let at = Place { path, offset, block: found.index.next };
                found.torn = Some(at.torn_tail(file, standing, length, resume, why)?);
                break;
            }
        };
        let block = SealedBlock::open(payload)
            .map_err(|error| damaged(place(path, offset, head.number), error.to_string()))?;
        follows(path, offset, found.last, &block)?;
        found.last = block.marker;
        found.begun.get_or_insert(block.block.time);
        unsynced.push_back((head.number, offset));
        while unsynced.front().is_some_and(|(number, _)| *number <= head.synced) {
            unsynced.pop_front();
        }
        found.index.push(head.frame_bytes());
        recent_bytes += block.bytes.len();
        found.recent.push_back(block);
        while found.recent.len() > limits.recent_blocks || recent_bytes > limits.recent_bytes {
            let Some(oldest) = found.recent.pop_front() else { break };
            recent_bytes -= oldest.bytes.len();
        }
    }
    found.unsynced_from = unsynced.front().map_or(found.index.end, |(_, offset)| *offset);
    Ok(found)
}

/// Checks that a block's own number and hash of the block before continue `last`.
///
/// # Errors
/// [`EngineError::Damaged`] when they do not.
pub(super) fn follows(
    path: &Path,
    offset: u64,
    last: Marker,
    block: &SealedBlock,
) -> Result<(), EngineError> {
    let expected = last.block.saturating_add(1);
    if block.marker.block != expected {
        let why = format!("it holds block {}", block.marker.block);
        return Err(damaged(place(path, offset, expected), why));
    }
    if block.block.previous != last.hash {
        let why = format!("it follows a block of hash {}, not {}", block.block.previous, last.hash);
        return Err(damaged(place(path, offset, expected), why));
    }
    Ok(())
}

/// Names a place in the journal as errors do.
pub(super) fn place(path: &Path, offset: u64, block: u64) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    format!("journal file `{name}` at byte {offset}, block {block}")
}

/// The error for a frame whose encoding is newer.
pub(super) fn too_new(path: &Path, format: u16) -> EngineError {
    let what = format!("blocks in `{}`", path.display());
    EngineError::TooNew { what, found: format, reads: BLOCK_FORMAT }
}

/// Says why a file's header cannot be used.
pub(super) fn bad_header(path: &Path, bad: Bad) -> EngineError {
    match bad {
        Bad::TooNew(found) => {
            let what = format!("journal file `{}`", path.display());
            EngineError::TooNew { what, found, reads: JOURNAL_FORMAT }
        }
        bad => damaged(format!("header of journal file `{}`", path.display()), bad.to_string()),
    }
}

/// What stands where a frame is expected.
pub(super) enum Frame {
    Good(Head, bytes::Bytes),
    /// A later frame can begin at `resume` at the earliest; `None`: anywhere after this one.
    Bad {
        why: Bad,
        resume: Option<u64>,
    },
}

pub(super) fn read_frame(file: &Image, offset: u64, expected: u64) -> io::Result<Frame> {
    let head = match Head::read(file, offset)? {
        Ok(head) => head,
        Err(why) => return Ok(Frame::Bad { why, resume: None }),
    };
    let resume = (head.number == expected).then_some(offset + head.frame_bytes());
    Ok(match head.read_payload(file, offset)? {
        Ok(payload) => Frame::Good(head, payload),
        Err(why) => Frame::Bad { why, resume },
    })
}

/// Where a bad frame stands.
struct Place<'p> {
    path: &'p Path,
    offset: u64,
    block: u64,
}

impl Place<'_> {
    /// Decides whether a bad frame is the torn end of the journal.
    fn torn_tail(
        &self,
        file: &Image,
        standing: Standing,
        length: u64,
        resume: Option<u64>,
        why: Bad,
    ) -> Result<TornTail, EngineError> {
        let named = || place(self.path, self.offset, self.block);
        if standing == Standing::Followed {
            return Err(damaged(named(), format!("{why}, though a later file was begun")));
        }
        let from = resume.unwrap_or(self.offset + 1);
        let later =
            synced_later(file, from, length, self.block).map_err(io_error("read", self.path))?;
        if let Some(later) = later {
            return Err(damaged(named(), format!("{why}, though block {later} after it is whole")));
        }
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        Ok(TornTail {
            file: name.into_owned(),
            offset: self.offset,
            bytes: length - self.offset,
            why: why.to_string(),
        })
    }
}

/// Looks from `from` on for a whole frame that calls `block` synced, and returns its number.
pub(super) fn synced_later(
    file: &Image,
    from: u64,
    length: u64,
    block: u64,
) -> io::Result<Option<u64>> {
    let mut offset = from;
    while offset < length {
        if let Frame::Good(head, _) = read_frame(file, offset, block)? {
            if head.number > block && head.synced >= block {
                return Ok(Some(head.number));
            }
            offset += head.frame_bytes();
        } else {
            match next_magic(file, offset + 1)? {
                Some(next) => offset = next,
                None => break,
            }
        }
    }
    Ok(None)
}

/// Finds the next bytes at or after `from` that look like the beginning of a frame.
pub(super) fn next_magic(file: &Image, from: u64) -> io::Result<Option<u64>> {
    let mut window = vec![0; 64 * 1024];
    let mut offset = from.max(HEADER_BYTES as u64);
    loop {
        let count = file.read_at(&mut window, offset)?;
        let Some(read) = window.get(..count).filter(|read| read.len() >= FRAME_MAGIC.len()) else {
            return Ok(None);
        };
        if let Some(at) = read.windows(FRAME_MAGIC.len()).position(|four| four == FRAME_MAGIC) {
            return Ok(Some(offset + at as u64));
        }
        offset += (count - FRAME_MAGIC.len() + 1) as u64;
    }
}
