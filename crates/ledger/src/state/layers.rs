//! The state on disk: databases of recent rows over runs of older ones. A row in a newer layer
//! hides the one in an older.
//!
//! ```text
//!  recent ─ sled, written to ─┐ full: a fresh one takes its place, and it becomes
//!  resting ─ sled ────────────┴─▶ open ─ runs ─┐ several: what is settled leaves for
//!                                              └─▶ settled ─ runs, joined when there are many
//! ```

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::Settling;
use lienthong_core::engine::{EngineError, Marker, Tables};

use super::generation::{Generation, run_path};
use super::recent::Recent;
use super::{StateLimits, StateSize};
use crate::rows::{BlockCache, Merged, Run, Source, block_cache};

/// What is in force, open for reading. Never changed: another takes its place.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    pub folder: PathBuf,
    /// The database that is written to.
    pub recent: Arc<Recent>,
    /// One that is written to no more.
    pub resting: Option<Arc<Recent>>,
    /// Runs of what is open or recent, the newest first.
    pub open: Vec<Arc<Run>>,
    /// Runs of what is settled, the newest first.
    pub settled: Vec<Arc<Run>>,
    /// The block that the runs reflect.
    pub marker: Option<Marker>,
    /// The block with which the database that is written to no more ends.
    pub rested: Option<Marker>,
    pub cache: Arc<BlockCache>,
}

impl Layers {
    /// Opens what is in force in a folder, with the marker that the whole has; a folder without a
    /// state is begun.
    pub fn open(folder: &Path, limits: StateLimits) -> Result<(Self, Option<Marker>), EngineError> {
        let generation = match Generation::in_force(folder)? {
            Some(generation) => generation,
            None => {
                let first = Generation::first();
                first.put_in_force(folder)?;
                first
            }
        };
        let cache = Arc::new(block_cache(limits.blocks_cached_bytes));
        let runs = |numbers: &[u64]| open_runs(folder, numbers, &cache);
        let (open, settled) = (runs(&generation.open)?, runs(&generation.settled)?);
        let mut databases = Vec::new();
        let mut marker = None;
        for number in &generation.recent {
            let (rows, found) = Recent::open(folder, *number, limits.cache_bytes)?;
            // sled opens a damaged database with what it had before the damage, which may be as of
            // an earlier marker.
            if !databases.is_empty() && found != generation.rested {
                let what = format!("state, database {number}");
                return Err(crate::disk::damaged(what, "it has lost the rows at its end"));
            }
            // The first that has one is the newest.
            marker = marker.or(found);
            databases.push(Arc::new(rows));
        }
        // Not before: a state that another process uses is left alone.
        generation.clear_up(folder)?;
        let mut databases = databases.into_iter();
        let Some(recent) = databases.next() else {
            return Err(crate::disk::damaged("state", "it names no database"));
        };
        let layers = Self {
            folder: folder.to_owned(),
            recent,
            resting: databases.next(),
            open,
            settled,
            marker: generation.marker,
            rested: generation.rested,
            cache,
        };
        Ok((layers, marker.or(generation.marker)))
    }

    /// What these are, by numbers.
    pub fn generation(&self) -> Generation {
        let numbers = |runs: &[Arc<Run>]| runs.iter().map(|run| run.number).collect();
        let databases = std::iter::once(&self.recent).chain(&self.resting);
        Generation {
            recent: databases.map(|rows| rows.number).collect(),
            open: numbers(&self.open),
            settled: numbers(&self.settled),
            marker: self.marker,
            rested: self.rested,
        }
    }

    /// How much they hold.
    pub fn size(&self) -> StateSize {
        let databases = std::iter::once(&self.recent).chain(&self.resting);
        let bytes = |runs: &[Arc<Run>]| runs.iter().map(|run| run.bytes()).sum();
        let rows = |runs: &[Arc<Run>]| runs.iter().map(|run| run.rows()).sum();
        StateSize {
            recent_bytes: databases.map(|rows| rows.bytes()).sum(),
            open_runs: self.open.len(),
            open_rows: rows(&self.open),
            open_bytes: bytes(&self.open),
            settled_runs: self.settled.len(),
            settled_rows: rows(&self.settled),
            settled_bytes: bytes(&self.settled),
            index_bytes: self.open.iter().chain(&self.settled).map(|run| run.memory()).sum(),
        }
    }

    /// The value under a key.
    pub fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        for rows in std::iter::once(&self.recent).chain(&self.resting) {
            if let Some(value) = rows.read(key) {
                return Ok(value);
            }
        }
        // Most keys are of rows that are never settled.
        let settled = if Settling::may_settle(key) { self.settled.as_slice() } else { &[] };
        for run in self.open.iter().chain(settled) {
            if let Some(value) = self.recent.noting(run.find(key))? {
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// Walks rows with a prefix from a bound on, the newest of each key; `None` for one that is
    /// deleted.
    pub fn range<'l>(&'l self, prefix: &[u8], from: Bound<&[u8]>) -> Merged<'l> {
        let start: &[u8] = match from {
            Bound::Included(from) | Bound::Excluded(from) => from,
            Bound::Unbounded => b"",
        };
        let after = matches!(from, Bound::Excluded(_)).then(|| start.to_vec());
        let databases = std::iter::once(&self.recent).chain(&self.resting);
        let databases =
            databases.map(|rows| Box::new(rows.range(prefix, from).map(Ok)) as Source<'l>);
        let runs = self.open.iter().chain(&self.settled).map(|run| {
            let after = after.clone();
            let rows = run.range(prefix, start).skip_while(move |row| match (row, &after) {
                (Ok((key, _)), Some(after)) => key == after,
                _ => false,
            });
            Box::new(rows.map(|row| self.recent.noting(row))) as Source<'l>
        });
        Merged::of(databases.chain(runs))
    }
}

/// Rows that are not settled: what a survey looks at.
pub(super) struct AtHand<'l>(pub &'l Layers);

impl Tables for AtHand<'_> {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        for run in &self.0.open {
            if let Some(value) = run.find(key)? {
                return Ok(value);
            }
        }
        Ok(None)
    }

    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        let runs = self.0.open.iter().map(|run| Box::new(run.range(prefix, from)) as Source<'_>);
        for row in Merged::of(runs) {
            let (key, value) = row?;
            if value.is_some_and(|value| !visit(&key, &value)) {
                break;
            }
        }
        Ok(())
    }
}

/// Opens runs by their numbers.
pub(super) fn open_runs(
    folder: &Path,
    numbers: &[u64],
    cache: &Arc<BlockCache>,
) -> Result<Vec<Arc<Run>>, EngineError> {
    let open = |number: &u64| {
        Run::open(&run_path(folder, *number), *number, Arc::clone(cache)).map(Arc::new)
    };
    numbers.iter().map(open).collect()
}
