//! The state: rows in memory and in sled, over runs of rows.
//!
//! A published row is seen at once, from the overlay, and reaches sled later, in a chunk that ends
//! at a *cut*, packed, the marker last. Readers look in the overlay first:
//!
//! ```text
//!  publish ─▶ open ── cut ──▶ pending ── writer thread ──▶ writing ──▶ sled, and recent rows
//!             newest          waits for a full chunk       leaves the overlay
//!  read       1st             2nd                          3rd          4th
//! ```
//!
//! A chunk has for each key the latest value at or before its cut, never a later one. sled's lock
//! is one for the whole process and a single write of several rows at a time, or of rows under a
//! condition, arms it for good: so pieces are written one by one, and a test reads this source to
//! keep it so.
//!
//! sled holds what was written lately only, and is read when the state is opened: until they become
//! a *run*, a sorted file that is never changed, these rows are in memory. When they take too much
//! of it, a fresh database takes the place of the full one. What is settled leaves the runs of what
//! is open for runs of its own. See the modules `layers` and `settler`, and `docs/STORAGE.md`.
//!
//! **Stored, stable** (folder `state`: the module `generation` says which files; in each database,
//! its default tree):
//!
//! | key | how many, mutable | value |
//! |---|---|---|
//! | `p` number, u64 big-endian | a piece of some 32 KiB of rows; one that the marker does not count is not looked at | CRC-32C of the key and what follows, u32; bytes of the rows, u32; the rows, as in a block of a run, packed (zstd); numbers little-endian |
//! | `ff 'm' 'a' 'r' 'k' 'e' 'r'` | one, with every chunk | CRC-32C of key and value as u32, then [`STATE_FORMAT`] u16, block u64, the block's hash, 32 bytes, how many pieces there are u64, the CRC-32C of their check values in order u32; numbers little-endian |
//!
//! A row has a key of 1 to [`KEY_BYTES_MAX`] bytes, the first below `0xff`, and a value of at most
//! [`VALUE_BYTES_MAX`] bytes, or is deleted.
//!
//! Beside the folder: `state.damaged`, a text, made when a row was found damaged, so that the next
//! opening goes back to the last good runs, or rebuilds; `state.discarded`, a folder on its way to
//! being deleted.
//!
//! sled keeps a page (some 20 values) above a quarter of a segment in a file of its own that it
//! never syncs and whose loss it does not notice. With segments of 16 MiB, and pieces within these
//! bounds, no page gets there; a file there is damage. The largest row of `core` is a page of the
//! cube *kind*, some 100 KiB if every cell there can be was counted.

mod database;
mod generation;
mod layers;
mod open;
mod overlay;
mod recent;
mod settler;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use lienthong_core::engine::{Change, EngineError, Marker, State, Tables};
use lienthong_model::limits;

use layers::Layers;
pub use open::{Opened, Why, open_or_rebuild, open_or_rebuild_with};
pub(crate) use recent::damage_note;
use writer::Shared;

/// The version of the layout of the state and of its rows. Stable. A state of an older version is
/// rebuilt, one of a newer version refused.
pub const STATE_FORMAT: u16 = 6;
/// Largest value of a row, in bytes; a larger one is refused before anything is stored.
pub const VALUE_BYTES_MAX: usize = 128 * 1024;
/// Longest key of a row, in bytes.
pub const KEY_BYTES_MAX: usize = 512;
/// Keys from this byte on are the engine's own.
pub(crate) const RESERVED_KEY_BYTE: u8 = 0xff;

const _: () = {
    // A leaf that sled merges or is about to split has at most 16 + 4 rows.
    assert!(database::SEGMENT_BYTES / 4 > 20 * (VALUE_BYTES_MAX + KEY_BYTES_MAX + 32) + 4096);
};

/// The bounds of a state. The defaults are those of `limits`; tests use smaller ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateLimits {
    /// Blocks in one chunk. Lower writes a changing row more often, higher makes replay longer.
    pub chunk_blocks: u64,
    /// Longest wait for a chunk to fill.
    pub chunk_delay: Duration,
    /// Most blocks in the overlay; publishing waits above it.
    pub overlay_blocks_max: u64,
    /// Most bytes in the overlay; publishing waits above it.
    pub overlay_bytes_max: usize,
    /// Rows that a scan looks at, deleted ones included, before it lets a publisher in.
    pub scan_page_rows: usize,
    /// sled's cache, in bytes; its memory grows to several times that. Little will do.
    pub cache_bytes: u64,
    /// Bytes of memory of the rows of a database before a fresh one takes its place. Higher costs
    /// memory and time to open after a kill, lower makes more runs.
    pub recent_bytes: u64,
    /// Runs of what is open before several become one.
    pub open_runs_max: usize,
    /// What is settled leaves them when the newer ones have together one part in so many of the
    /// oldest.
    pub settle_share: u64,
    /// Bytes that stay free on the disk when rows are moved between runs; `None`: as many as below
    /// which no submission is taken.
    pub stays_free_bytes: Option<u64>,
    /// Bytes of blocks of runs that are kept in memory.
    pub blocks_cached_bytes: u64,
}

impl Default for StateLimits {
    fn default() -> Self {
        Self {
            chunk_blocks: limits::CHUNK_BLOCKS,
            chunk_delay: limits::CHUNK_DELAY,
            overlay_blocks_max: limits::OVERLAY_BLOCKS_MAX,
            overlay_bytes_max: limits::OVERLAY_BYTES_MAX,
            scan_page_rows: 256,
            cache_bytes: limits::STATE_CACHE_BYTES,
            recent_bytes: limits::RECENT_ROWS_BYTES,
            open_runs_max: limits::OPEN_RUNS_MAX,
            settle_share: limits::SETTLE_SHARE,
            stays_free_bytes: None,
            blocks_cached_bytes: limits::ROW_BLOCKS_CACHED_BYTES,
        }
    }
}

/// The state: rows written lately in memory and in sled, over runs of rows. Dropping it writes what is up to the last cut.
#[derive(Debug)]
pub struct SledState {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// How much a state holds, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateSize {
    /// Bytes of memory of the rows in the databases that are there, roughly.
    pub recent_bytes: u64,
    /// Runs of what is open or recent.
    pub open_runs: usize,
    /// Rows in them; a row that is in several counts in each.
    pub open_rows: u64,
    /// Bytes of their files.
    pub open_bytes: u64,
    /// Runs of what is settled.
    pub settled_runs: usize,
    /// Rows in them.
    pub settled_rows: u64,
    /// Bytes of their files.
    pub settled_bytes: u64,
    /// Bytes of memory for the indexes and filters of all runs.
    pub index_bytes: usize,
}

impl SledState {
    /// Opens the state in a folder, which is created when it is not there, and returns the marker
    /// that it has; `None` when nothing was ever written whole.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when the state cannot be used and must be rebuilt: a file of it does
    /// not open, the marker's row is wrong, large pages were set aside, an earlier run found
    /// damage. [`EngineError::InUse`] when another process has it. [`EngineError::Io`].
    pub fn open(folder: &Path, limits: StateLimits) -> Result<(Self, Option<Marker>), EngineError> {
        if let Ok(note) = std::fs::read_to_string(damage_note(folder)) {
            let why = format!("an earlier run found: {}", note.trim());
            return Err(crate::disk::damaged("state", why));
        }
        crate::disk::create_folder(folder)?;
        let (layers, marker) = Layers::open(folder, limits)?;
        let next = layers.generation().next_number(folder)?;
        let shared = Arc::new(Shared::new(layers, next, marker, limits));
        let mut state = Self { shared, threads: Vec::new() };
        state.start("state-writer", folder, Shared::write_chunks)?;
        state.start("state-settler", folder, Shared::settle)?;
        Ok((state, marker))
    }

    fn start(
        &mut self,
        name: &str,
        folder: &Path,
        work: impl FnOnce(&Shared) + Send + 'static,
    ) -> Result<(), EngineError> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&shared))
            .map_err(crate::disk::io_error("start a thread of", folder))?;
        self.threads.push(thread);
        Ok(())
    }

    /// Writes everything up to the last cut, and stops the threads.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be written.
    pub fn close(mut self) -> Result<(), EngineError> {
        self.stop()
    }

    /// Waits until what has left the databases is in runs, and what is settled has left those of
    /// what is open, as far as that is due and there is room for it on the disk.
    ///
    /// # Errors
    /// [`EngineError`] when that failed.
    pub fn settled(&self) -> Result<(), EngineError> {
        self.shared.settled()
    }

    /// Returns whether runs wait to be joined or settled for want of room on the disk.
    pub fn waits_for_room(&self) -> bool {
        self.shared.waits_for_room()
    }

    /// Returns how much the state holds, and where.
    pub fn size(&self) -> StateSize {
        self.shared.layers().size()
    }

    fn stop(&mut self) -> Result<(), EngineError> {
        if self.threads.is_empty() {
            return Ok(());
        }
        self.shared.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                return Err(EngineError::State("a thread of the state panicked".to_owned()));
            }
        }
        self.shared.failure()?;
        self.shared.layers().recent.flush()
    }
}

impl Drop for SledState {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "the state was not written to its last cut");
        }
    }
}

impl Tables for SledState {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        self.shared.read(key)
    }

    /// Rows are taken in pages; each page is of one moment, the whole need not be: a row that
    /// changes during the scan is seen before or after its change.
    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        self.shared.scan(prefix, from, visit)
    }
}

impl State for SledState {
    fn publish(&self, change: Change) -> Result<(), EngineError> {
        check_bounds(&change)?;
        self.shared.publish(change)
    }

    fn cut_due(&self) -> bool {
        self.shared.cut_due()
    }

    fn marker(&self) -> Option<Marker> {
        self.shared.marker()
    }

    fn flush(&self) -> Result<(), EngineError> {
        self.shared.flush()
    }
}

/// Checks that every row of a change is within the bounds of a state, whichever engine.
///
/// # Errors
/// [`EngineError::State`], naming block and key.
pub(crate) fn check_bounds(change: &Change) -> Result<(), EngineError> {
    for (key, value) in &change.writes {
        let value_bytes = value.as_ref().map_or(0, Bytes::len);
        let reserved = key.first().is_none_or(|byte| *byte == RESERVED_KEY_BYTE);
        if reserved || key.len() > KEY_BYTES_MAX || value_bytes > VALUE_BYTES_MAX {
            return Err(EngineError::State(format!(
                "block {} writes {value_bytes} bytes under `{}` ({} bytes); a value has at most \
                 {VALUE_BYTES_MAX}, a key 1 to {KEY_BYTES_MAX} and does not begin with ff",
                change.marker.block,
                hex::encode(key.get(..key.len().min(64)).unwrap_or(&[])),
                key.len(),
            )));
        }
    }
    Ok(())
}
