//! Rows written lately: all of them in memory, and on disk, in a database, as the chunks in which
//! they came. The database is read when a state is opened, and never again.

use std::ops::Bound;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Marker};
use parking_lot::RwLock;

use super::database::Database;
use super::generation::recent_path;
use super::overlay::{Generation, Span};
use crate::disk::io_error;
use crate::rows::Row;

/// Rows that become readable, or are read, under one hold of the lock: few, so that nobody waits
/// long.
const ROWS_AT_ONCE: usize = 128;
/// Rows that a walk reads first; each time after it reads four times as many, up to
/// [`ROWS_AT_ONCE`]. Many walks end with their first rows.
const FIRST_ROWS: usize = 4;

/// Rows written lately.
#[derive(Debug)]
pub(super) struct Recent {
    /// Which of the state's databases it is.
    pub number: u64,
    path: PathBuf,
    database: Database,
    rows: RwLock<Span>,
    /// The file that makes the next opening rebuild.
    damage_note: PathBuf,
}

impl Recent {
    /// Opens one of the databases of a state: reads and checks all of it.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when a piece or the marker is wrong or missing.
    pub fn open(
        state: &Path,
        number: u64,
        cache_bytes: u64,
    ) -> Result<(Self, Option<Marker>), EngineError> {
        let path = recent_path(state, number);
        let database = Database::open(&path, cache_bytes)?;
        let mut rows = Span::default();
        database.each_row(&mut |key, value| rows.put(key, value))?;
        let marker = database.marker();
        let rows = RwLock::new(rows);
        Ok((Self { number, path, database, rows, damage_note: damage_note(state) }, marker))
    }

    /// Begins an empty one, with the marker of the one before it.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn begin(
        state: &Path,
        number: u64,
        cache_bytes: u64,
        marker: Marker,
    ) -> Result<Self, EngineError> {
        let path = recent_path(state, number);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(io_error("remove", &path))?;
        }
        let database = Database::open(&path, cache_bytes)?;
        database.begin(marker)?;
        Ok(Self {
            number,
            path,
            database,
            rows: RwLock::default(),
            damage_note: damage_note(state),
        })
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// The marker of the last chunk.
    pub fn marker(&self) -> Option<Marker> {
        self.database.marker()
    }

    /// Returns how many bytes its rows take in memory, roughly.
    pub fn bytes(&self) -> u64 {
        self.rows.read().bytes as u64
    }

    /// Returns what counts for whether it is full: its memory, or half of the bytes that the next
    /// opening has to read, if that is more.
    pub fn fullness(&self) -> u64 {
        self.bytes().max(self.database.written() / 2)
    }

    /// How many rows it has.
    pub fn len(&self) -> u64 {
        self.rows.read().rows.len() as u64
    }

    /// The value under a key: `Some(None)` when it is deleted, `None` when a lower layer has it.
    pub fn read(&self, key: &[u8]) -> Option<Option<Bytes>> {
        self.rows.read().rows.get(key).cloned()
    }

    /// Walks the rows with a prefix from a bound on. The lock is held for some rows at a time: of
    /// rows that change meanwhile the walker sees the old or the new.
    pub fn range(&self, prefix: &[u8], from: Bound<&[u8]>) -> impl Iterator<Item = Row> + use<'_> {
        let prefix = prefix.to_vec();
        let mut from = Some(from.map(<[u8]>::to_vec));
        let mut wanted = FIRST_ROWS;
        let mut read = Vec::new().into_iter();
        std::iter::from_fn(move || {
            if read.as_slice().is_empty() {
                let rows = self.some_rows(&prefix, from.take()?, wanted);
                // Fewer than were wanted are the last.
                let last = rows.last().filter(|_| rows.len() == wanted);
                from = last.map(|(key, _)| Bound::Excluded(key.to_vec()));
                wanted = (wanted * 4).min(ROWS_AT_ONCE);
                read = rows.into_iter();
            }
            read.next()
        })
    }

    /// At most so many rows with a prefix, from a bound on.
    fn some_rows(&self, prefix: &[u8], from: Bound<Vec<u8>>, most: usize) -> Vec<Row> {
        let span = self.rows.read();
        let from = from.as_ref().map(Vec::as_slice);
        let rows = span.rows.range::<[u8], _>((from, Bound::Unbounded)).take(most);
        let rows = rows.take_while(|(key, _)| key.starts_with(prefix));
        rows.map(|(key, value)| (Bytes::copy_from_slice(key), value.clone())).collect()
    }

    /// Writes a chunk to disk, its marker last, and then lets readers see it.
    pub fn write(&self, chunk: &Generation, marker: Marker) -> Result<(), EngineError> {
        self.database.write(chunk, marker)?;
        let mut left = chunk.iter();
        while left.len() > 0 {
            let mut rows = self.rows.write();
            for (key, value) in left.by_ref().take(ROWS_AT_ONCE) {
                // Copies of just their size: what the block was decoded from is let go.
                let value = value.as_ref().map(|value| Bytes::copy_from_slice(value));
                rows.put(key.clone(), value);
            }
        }
        Ok(())
    }

    /// Hands everything to the operating system and waits for the disk as far as sled does.
    pub fn flush(&self) -> Result<(), EngineError> {
        self.database.flush()
    }

    /// Puts everything on the disk, as far as a power cut goes: sled's own flush does not.
    pub fn sync(&self) -> Result<(), EngineError> {
        self.database.sync()
    }

    /// Passes a result on; damage is noted for the next opening.
    pub fn noting<T>(&self, read: Result<T, EngineError>) -> Result<T, EngineError> {
        read.inspect_err(|error| self.note_damage(error))
    }

    /// Leaves a note of damage for the next opening.
    fn note_damage(&self, error: &EngineError) {
        if !matches!(error, EngineError::Damaged { .. }) {
            return;
        }
        tracing::error!(%error, "the state is damaged; the next start rebuilds it");
        if let Err(error) = std::fs::write(&self.damage_note, format!("{error}\n")) {
            tracing::error!(%error, "cannot leave a note of the damage");
        }
    }
}

/// The file beside a state's folder that says that the state is damaged.
pub(crate) fn damage_note(folder: &Path) -> PathBuf {
    beside(folder, ".damaged")
}

/// The path beside a folder whose name is the folder's and a suffix.
pub(super) fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    folder.with_file_name(name)
}
