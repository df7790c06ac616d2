//! The journal: append-only files of blocks, the truth of the hub.
//!
//! A folder with files named by the number of their first block (20 digits, `.blocks`), laid out
//! as the module `frame` says, and the file `LOCK`. Files that were closed some time ago are archives
//! (`.archive`, the module `archive`): the same bytes, compressed, read in the same way; contents whose term
//! has passed are taken out of them (the module `expiring`). [`JournalFiles`] is the one writer,
//! [`JournalBlocks`] any number of readers, who see a block only after the writer's sync.
//!
//! Opening reads the last file whole: check values, numbers, hash chain. What is not whole at its
//! end and was never synced is cut; anything else is damage and stops the opening. Earlier files
//! were synced before their successor was made; they are checked when they are first read, a
//! block at a time when blocks are read.

mod archive;
mod archiving;
mod audit;
mod blocks;
mod expiring;
mod follow;
mod frame;
mod image;
mod index;
mod recover;
mod replay;
#[cfg(test)]
mod tests;
mod writer;

pub use archiving::Archived;
pub use audit::{ChangedByte, Damage, DamageKind, FoundBlock, JournalAudit, Step};
pub use blocks::JournalBlocks;
pub use expiring::{ClosedFile, Taking};
pub use follow::{Followed, JournalFollower, JournalPlace};
pub use frame::JOURNAL_FORMAT;
pub use replay::Replay;
pub use writer::JournalFiles;

use std::time::Duration;

use lienthong_model::limits;

/// The bounds of a journal. The defaults are those of `limits`; tests use smaller ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalLimits {
    /// Bytes after which a new file is begun. Lower makes more files, higher makes opening slower,
    /// since the last file is read whole.
    pub file_bytes: u64,
    /// Business time after which a new file is begun: what is in a file that is written to cannot be
    /// taken out of it.
    pub file_span: Duration,
    /// Most blocks kept in memory for readers.
    pub recent_blocks: usize,
    /// Most bytes of blocks, encoded, kept in memory for readers.
    pub recent_bytes: usize,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self {
            file_bytes: limits::JOURNAL_FILE_BYTES,
            file_span: limits::JOURNAL_FILE_SPAN,
            recent_blocks: limits::RECENT_BLOCKS,
            recent_bytes: limits::RECENT_BYTES,
        }
    }
}

/// What opening a journal gives.
#[derive(Debug)]
pub struct JournalOpened {
    /// The writer.
    pub journal: JournalFiles,
    /// The readers' handle.
    pub blocks: JournalBlocks,
    /// What was cut from the end; empty after an orderly stop.
    pub torn: Vec<TornTail>,
}

/// Bytes at the journal's end that were never synced whole, and are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The file's name.
    pub file: String,
    /// Where the cut was made; 0 when the file was removed, since its header was not whole.
    pub offset: u64,
    /// How many bytes were cut.
    pub bytes: u64,
    /// How the first bad frame shows.
    pub why: String,
}
