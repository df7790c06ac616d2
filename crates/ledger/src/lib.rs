//! Engines for the traits of `core`: journal files, state in sled, payload files, and all of them
//! in memory.
//!
//! Nothing here decides anything: what is stored, and under which key, is `core`'s business. The
//! rules kept here are the order of writes and what a reader may see:
//!
//! ```text
//!  sequencer ─ propose ─▶ journal file ─ read_ordered (one fdatasync) ─▶ replies
//!                                    └─▶ publish ─▶ overlay (memory) ─ chunks ─▶ sled
//! ```
//!
//! The journal is the truth; the state can be deleted and rebuilt from it. [`DataFolder`] opens
//! everything in one folder, and says from which block the state is to be replayed.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod crash;
mod disk;
mod folder;
mod journal;
mod memory;
mod payload;
mod rows;
mod space;
mod state;

pub use disk::FolderLock;
pub use folder::{DATA_FORMAT, DataFolder, check_data_folder, is_state_damaged};
pub use journal::{
    Archived, ChangedByte, ClosedFile, Damage, DamageKind, Followed, FoundBlock, JOURNAL_FORMAT,
    JournalAudit, JournalBlocks, JournalFiles, JournalFollower, JournalLimits, JournalOpened,
    JournalPlace, Replay, Step, Taking, TornTail,
};
pub use memory::{BeforeBlock, MemoryBlocks, MemoryJournal, MemoryPayloads, MemoryState};
pub use payload::{
    Claim, Copied, ExaminedPayload, PayloadCopies, PayloadFile, PayloadFiles, Progress, Settled,
    Upload, UploadError, UploadKey, UploadLimits, Uploads,
};
pub use space::{Ballast, Free, free_space};
pub use state::{
    KEY_BYTES_MAX, Opened, STATE_FORMAT, SledState, StateLimits, StateSize, VALUE_BYTES_MAX, Why,
    open_or_rebuild, open_or_rebuild_with,
};
