//! What has left the memory of a state in memory: runs in files that have no names once they are written.
//!
//! Rows that leave are read where they are until they are in a run; runs are written and joined by
//! threads of their own. What is read does not depend on how far those are.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use lienthong_core::Settling;
use lienthong_core::engine::EngineError;
use lienthong_model::limits::CHUNK_BLOCKS;

use super::key::Key;
use crate::disk::{create_folder, io_error};
use crate::rows::{BlockCache, Merged, Row, Run, RunForm, RunWriter, Source, block_cache};

/// Bytes of blocks kept in memory, where what left is settled.
const SETTLED_CACHE_BYTES: u64 = 4 << 20;
/// The same where it is only untouched: it is asked for for days.
const UNTOUCHED_CACHE_BYTES: u64 = 96 << 20;
/// Most rows of a run of small blocks.
const SMALL_BLOCKS_ROWS: u64 = 8 << 20;
/// So many runs of one size are joined: a row is written a few times in all.
const JOINED: usize = 8;
/// Larger runs are not joined: to look for a row in a few more costs less than to write them again.
const JOINED_BYTES_MAX: u64 = 256 << 20;
/// With so many runs, what leaves waits for those that are being joined.
const RUNS_MAX: usize = 64;
/// Runs are of one size when none is larger than the newest by more than this.
const ONE_SIZE: u64 = 4;
/// A state that is cut for nobody's sake but the bound's is cut after so many blocks: every cut writes
/// what it finds changed, most of which changes again.
const CUT_BLOCKS: u64 = 16 * CHUNK_BLOCKS;

/// Which rows leave memory, and when.
#[derive(Debug)]
pub(super) enum Leaving {
    /// Those that are settled, after so many blocks.
    Settled { every_blocks: u64, blocks: u64 },
    /// Those that were not written in the round that ends: after so many rows.
    Untouched { after_rows: usize, rows: usize, round: u32 },
}

/// Rows that are about to leave, in order; `None` hides what left before.
pub(super) type LeavingRows = Vec<(Key, Option<Bytes>)>;

/// Rows that have left.
#[derive(Debug)]
pub(super) struct SettledRows {
    folder: PathBuf,
    leaving: Leaving,
    /// Those of which a run is being written.
    resting: Option<(Arc<LeavingRows>, Work)>,
    /// The newest first.
    runs: Vec<Arc<Run>>,
    /// The numbers of runs that are being joined.
    joining: Option<(Vec<u64>, Work)>,
    /// Whether nobody needs what is being written any more.
    stop: Arc<AtomicBool>,
    cache: Arc<BlockCache>,
    next: u64,
    rows: u64,
}

/// A run that another thread writes.
type Work = JoinHandle<Result<Run, EngineError>>;

/// Takes the next row of a run.
type Push<'p> = &'p mut dyn FnMut(&[u8], Option<&[u8]>) -> Result<(), EngineError>;

impl SettledRows {
    pub fn new(folder: &Path, leaving: Leaving) -> Self {
        let cache_bytes = match leaving {
            Leaving::Settled { .. } => SETTLED_CACHE_BYTES,
            Leaving::Untouched { .. } => UNTOUCHED_CACHE_BYTES,
        };
        Self {
            folder: folder.to_owned(),
            leaving,
            resting: None,
            runs: Vec::new(),
            joining: None,
            stop: Arc::default(),
            cache: Arc::new(block_cache(cache_bytes)),
            next: 1,
            rows: 0,
        }
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
        (self.resting.is_some() || !self.runs.is_empty()) && self.may_leave(key)
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

    /// In how many runs they are.
    #[cfg(test)]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    pub fn read(&self, key: &[u8], short: &Key) -> Result<Option<Bytes>, EngineError> {
        if let Some((rows, _)) = &self.resting
            && let Ok(at) = rows.binary_search_by(|(known, _)| known.cmp(short))
        {
            return Ok(rows.get(at).and_then(|(_, value)| value.clone()));
        }
        for run in &self.runs {
            if let Some(value) = run.find(key)? {
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// The rows of each part from a bound on; none where such rows do not leave.
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
        let stay = matches!(self.leaving, Leaving::Untouched { .. }) && !Settling::may_rest(prefix);
        let (resting, runs) = match stay {
            true => (None, &[][..]),
            false => (self.resting.as_ref(), self.runs.as_slice()),
        };
        let resting = resting.into_iter().map(move |(rows, _)| {
            let first = Key::of(start);
            let first = rows.partition_point(|(key, _)| *key < first);
            let rows = rows.get(first..).unwrap_or_default();
            let rows = rows.iter().map(|(key, value)| (key.to_bytes(), value.clone()));
            Box::new(rows.take_while(|(key, _)| key.starts_with(prefix)).map(Ok)) as Source<'s>
        });
        let runs = runs.iter().filter(move |run| run.may_have_with(prefix, start));
        let runs = runs.map(|run| Box::new(run.range(prefix, start)) as Source<'s>);
        resting.chain(runs).map(move |rows| {
            let rows = rows.skip_while(move |row| {
                row.as_ref().is_ok_and(|(key, _)| after.is_some_and(|after| *key == *after))
            });
            Box::new(rows) as Source<'s>
        })
    }

    /// Takes rows, in rising order.
    pub fn take(&mut self, rows: LeavingRows) -> Result<(), EngineError> {
        if let Leaving::Untouched { rows, round, .. } = &mut self.leaving {
            *rows = 0;
            *round = round.wrapping_add(1);
        }
        self.rested()?;
        if rows.is_empty() {
            return Ok(());
        }
        while self.runs.len() >= RUNS_MAX && self.joining.is_some() {
            self.joined()?;
            self.go_on()?;
        }
        self.rows += rows.len() as u64;
        let rows = Arc::new(rows);
        let resting = rows.clone();
        let work = self.write(rows.len() as u64, move |push| {
            resting.iter().try_for_each(|(key, value)| key.with(|key| push(key, value.as_deref())))
        });
        self.resting = Some((rows, work));
        Ok(())
    }

    /// Takes over what other threads have written meanwhile, and lets runs be joined when there are
    /// many of one size.
    pub fn go_on(&mut self) -> Result<(), EngineError> {
        if self.resting.as_ref().is_some_and(|(_, work)| work.is_finished()) {
            self.rested()?;
        }
        if self.joining.as_ref().is_some_and(|(_, work)| work.is_finished()) {
            self.joined()?;
        }
        if self.joining.is_none()
            && let Some(many) = self.many()
        {
            self.join(many);
        }
        Ok(())
    }

    /// Waits for the run of what rests.
    fn rested(&mut self) -> Result<(), EngineError> {
        if let Some((_, work)) = self.resting.take() {
            self.runs.insert(0, Arc::new(ended(work)?));
        }
        Ok(())
    }

    /// Waits for the runs that are being joined.
    fn joined(&mut self) -> Result<(), EngineError> {
        if let Some((numbers, work)) = self.joining.take() {
            let run = Arc::new(ended(work)?);
            // Newer ones may have come meanwhile; none can have gone.
            let at = self.runs.iter().position(|run| numbers.contains(&run.number)).unwrap_or(0);
            self.runs.splice(at..at + numbers.len(), [run]);
        }
        Ok(())
    }

    /// Runs next to one another, many of one size: the newest such.
    fn many(&self) -> Option<std::ops::Range<usize>> {
        let alike = |at: &usize| {
            let size = self.runs[*at].bytes().saturating_mul(ONE_SIZE).min(JOINED_BYTES_MAX);
            self.runs[*at..*at + JOINED].iter().all(|run| run.bytes() <= size)
        };
        let last = (self.runs.len() + 1).checked_sub(JOINED)?;
        (0..last).find(alike).map(|at| at..at + JOINED)
    }

    fn join(&mut self, many: std::ops::Range<usize>) {
        // A deletion hides nothing any more where nothing is older.
        let oldest = many.end == self.runs.len();
        let runs = self.runs[many].to_vec();
        let numbers = runs.iter().map(|run| run.number).collect();
        let rows_max = runs.iter().map(|run| run.rows()).sum();
        let work = self.write(rows_max, move |push| {
            let all = runs.iter().map(|run| Box::new(run.range(b"", b"")) as Source<'_>);
            for row in Merged::of(all) {
                let (key, value): Row = row?;
                if value.is_some() || !oldest {
                    push(&key, value.as_deref())?;
                }
            }
            Ok(())
        });
        self.joining = Some((numbers, work));
    }

    /// What is not settled is asked for again.
    fn form(&self, rows_max: u64) -> RunForm {
        match self.leaving {
            Leaving::Settled { .. } => RunForm::Settled,
            Leaving::Untouched { .. } if rows_max <= SMALL_BLOCKS_ROWS => {
                RunForm::Open { rows_max }
            }
            Leaving::Untouched { .. } => RunForm::Large { rows_max },
        }
    }

    /// Writes a run of so many rows at most, in another thread; `rows` hands them over.
    fn write(
        &mut self,
        rows_max: u64,
        rows: impl FnOnce(Push<'_>) -> Result<(), EngineError> + Send + 'static,
    ) -> Work {
        let (folder, form, cache) = (self.folder.clone(), self.form(rows_max), self.cache.clone());
        let (number, stop) = (self.next, self.stop.clone());
        self.next += 1;
        std::thread::spawn(move || {
            create_folder(&folder)?;
            let path = folder.join(format!("{number:08}.rows"));
            let write = || {
                let mut run = RunWriter::create(&path, form)?;
                rows(&mut |key, value| match stop.load(Ordering::Relaxed) {
                    false => run.push(key, value),
                    true => Err(EngineError::State("the rows are needed no more".to_owned())),
                })?;
                run.end()?;
                Run::open(&path, number, cache)
            };
            let run = write();
            // Whoever needs it has it open.
            let removed = std::fs::remove_file(&path).map_err(io_error("remove", &path));
            run.and_then(|run| removed.map(|()| run))
        })
    }
}

impl Drop for SettledRows {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let resting = self.resting.take().map(|(_, work)| work);
        for work in resting.into_iter().chain(self.joining.take().map(|(_, work)| work)) {
            // Its file is gone once it is done.
            let _ = work.join();
        }
    }
}

/// What a thread has written. A panic of it goes on here.
fn ended(work: Work) -> Result<Run, EngineError> {
    work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
