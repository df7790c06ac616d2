//! What has left the memory of a state in memory: runs in files without names.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::Settling;
use lienthong_core::engine::EngineError;
use lienthong_model::limits::CHUNK_BLOCKS;

use crate::disk::{create_folder, io_error};
use crate::rows::{BlockCache, Merged, Row, Run, RunForm, RunWriter, Source, block_cache};
use crate::state::joined;

/// Bytes of blocks kept in memory, where what left is settled.
const SETTLED_CACHE_BYTES: u64 = 4 << 20;
/// The same where it is only untouched: it is asked for for days.
const UNTOUCHED_CACHE_BYTES: u64 = 96 << 20;
/// Most rows of a run that is made for being asked.
const ASKED_FOR_ROWS: u64 = 8 << 20;
/// A state that is cut for nobody's sake but the bound's is cut after so many blocks.
const CUT_BLOCKS: u64 = 2 * CHUNK_BLOCKS;

/// Which rows leave memory, and when.
#[derive(Debug)]
pub(super) enum Leaving {
    /// Those that are settled, after so many blocks.
    Settled { every_blocks: u64, blocks: u64 },
    /// Those that were not written in the round that ends: after so many rows.
    Untouched { after_rows: usize, rows: usize, round: u32 },
}

/// Rows that have left.
#[derive(Debug)]
pub(super) struct SettledRows {
    folder: PathBuf,
    leaving: Leaving,
    /// The newest first.
    runs: Vec<Arc<Run>>,
    cache: Arc<BlockCache>,
    next: u64,
    rows: u64,
}

impl SettledRows {
    pub fn new(folder: &Path, leaving: Leaving) -> Self {
        let cache_bytes = match leaving {
            Leaving::Settled { .. } => SETTLED_CACHE_BYTES,
            Leaving::Untouched { .. } => UNTOUCHED_CACHE_BYTES,
        };
        let (folder, cache) = (folder.to_owned(), Arc::new(block_cache(cache_bytes)));
        Self { folder, leaving, runs: Vec::new(), cache, next: 1, rows: 0 }
    }

    /// Counts a row that is written; returns the round in which it is.
    pub fn written(&mut self) -> u32 {
        match &mut self.leaving {
            Leaving::Settled { .. } => 0,
            Leaving::Untouched { rows, round, .. } => {
                *rows += 1;
                *round
            }
        }
    }

    /// The round whose rows stay, where it is about rounds.
    pub fn round(&self) -> Option<u32> {
        match self.leaving {
            Leaving::Settled { .. } => None,
            Leaving::Untouched { round, .. } => Some(round),
        }
    }

    /// Whether the next block is to be a cut, so many after the last one.
    pub fn cut_due(&self, blocks_since: u64) -> bool {
        match self.leaving {
            Leaving::Settled { every_blocks, blocks } => {
                blocks + 1 >= every_blocks || blocks_since + 1 >= CHUNK_BLOCKS
            }
            Leaving::Untouched { .. } => blocks_since + 1 >= CUT_BLOCKS,
        }
    }

    /// Counts a block; whether rows are to leave now.
    pub fn is_due(&mut self, cut: bool) -> bool {
        match &mut self.leaving {
            Leaving::Settled { every_blocks, blocks } => {
                *blocks += 1;
                let due = cut && *blocks >= *every_blocks;
                *blocks = if due { 0 } else { *blocks };
                due
            }
            Leaving::Untouched { after_rows, rows, .. } => *rows >= *after_rows,
        }
    }

    /// Whether a deletion must be kept, since what it hides may be here.
    pub fn may_hold(&self, key: &[u8]) -> bool {
        !self.runs.is_empty() && self.may_leave(key)
    }

    /// Whether a row with such a key leaves at all.
    pub fn may_leave(&self, key: &[u8]) -> bool {
        match self.leaving {
            Leaving::Settled { .. } => Settling::may_settle(key),
            Leaving::Untouched { .. } => Settling::may_rest(key),
        }
    }

    /// How many rows came here.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        for run in &self.runs {
            if let Some(value) = run.find(key)? {
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// The rows of each run from a bound on.
    pub fn range<'s>(
        &'s self,
        prefix: &'s [u8],
        from: Bound<&'s [u8]>,
    ) -> impl Iterator<Item = Source<'s>> {
        let (start, after) = match from {
            Bound::Included(from) => (from, None),
            Bound::Excluded(from) => (from, Some(from)),
            Bound::Unbounded => (&[][..], None),
        };
        self.runs.iter().map(move |run| {
            let rows = run.range(prefix, start).skip_while(move |row| {
                row.as_ref().is_ok_and(|(key, _)| after.is_some_and(|after| *key == *after))
            });
            Box::new(rows) as Source<'s>
        })
    }

    /// Takes rows in rising order, so many at most.
    pub fn take(
        &mut self,
        rows_max: u64,
        rows: impl Iterator<Item = Result<Row, EngineError>>,
    ) -> Result<(), EngineError> {
        if let Leaving::Untouched { rows, round, .. } = &mut self.leaving {
            *rows = 0;
            *round = round.wrapping_add(1);
        }
        let before = self.rows;
        let mut taken = 0;
        let rows = rows.inspect(|_| taken += 1);
        let run = self.write(Box::new(rows), rows_max)?;
        self.rows = before + taken;
        if taken > 0 {
            self.runs.insert(0, run);
        }
        let sizes: Vec<u64> = self.runs.iter().map(|run| run.bytes()).collect();
        if let Some(count) = joined(&sizes) {
            let newest: Vec<_> = self.runs.drain(..count).collect();
            let all = newest.iter().map(|run| Box::new(run.range(b"", b"")) as Source<'_>);
            // A deletion hides nothing any more where nothing is older.
            let oldest = self.runs.is_empty();
            let hides = |row: &Result<Row, _>| !oldest || !matches!(row, Ok((_, None)));
            let rows_max = newest.iter().map(|run| run.rows()).sum();
            let run = self.write(Box::new(Merged::of(all).filter(hides)), rows_max)?;
            self.runs.insert(0, run);
        }
        Ok(())
    }

    /// What is not settled is asked for again, soon more than late.
    fn form(&self, rows_max: u64) -> RunForm {
        match self.leaving {
            Leaving::Untouched { .. } if rows_max <= ASKED_FOR_ROWS => RunForm::Open { rows_max },
            Leaving::Untouched { .. } | Leaving::Settled { .. } => RunForm::Settled,
        }
    }

    fn write(&mut self, rows: Source<'_>, rows_max: u64) -> Result<Arc<Run>, EngineError> {
        create_folder(&self.folder)?;
        let number = self.next;
        self.next += 1;
        let path = self.folder.join(format!("{number:08}.rows"));
        let mut run = RunWriter::create(&path, self.form(rows_max))?;
        for row in rows {
            let (key, value) = row?;
            run.push(&key, value.as_deref())?;
        }
        // Whoever needs it has it open.
        run.end()?;
        let run = Run::open(&path, number, Arc::clone(&self.cache))?;
        std::fs::remove_file(&path).map_err(io_error("remove", &path))?;
        Ok(Arc::new(run))
    }
}
