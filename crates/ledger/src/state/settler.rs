//! The thread that keeps the state small: it makes a run of a database that is full, lets what is
//! settled leave the runs of what is open, and joins runs of what is settled.
//!
//! Each step makes new files, puts them in force by renaming one small file, and removes what they
//! replace. A kill on the way leaves what was in force, and rubbish that the next opening removes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use lienthong_core::Settling;
use lienthong_core::engine::EngineError;

use super::StateLimits;
use super::generation::run_path;
use super::layers::{AtHand, Layers};
use super::recent::Recent;
use super::writer::Shared;

use crate::crash;
use crate::disk::io_error;
use crate::rows::{Merged, Run, RunForm, RunWriter, Source};

/// How long a database that was replaced is waited for, while somebody reads it.
const LET_GO_MAX: Duration = Duration::from_secs(5);
const LET_GO_RETRY: Duration = Duration::from_millis(2);
/// Runs of one size that are joined.
const JOINED_MIN: usize = 4;

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A database is full: it becomes a run.
    Rest,
    /// There are many runs of what is open: the newest so many become one.
    Gather(usize),
    /// The newer runs of what is open have become large beside the oldest: what is settled leaves
    /// them all.
    Settle,
    /// There are many runs of what is settled: the newest so many become one.
    Join(usize),
}

impl Step {
    /// What is to be done next with these layers.
    pub fn due(layers: &Layers, limits: &StateLimits) -> Option<Self> {
        let runs = layers.open.len();
        // Runs that come faster than they are gathered hold up what is written, not what is read.
        if layers.resting.is_some() && runs <= limits.open_runs_max.saturating_mul(2) {
            return Some(Self::Rest);
        }
        if runs > limits.open_runs_max {
            return Some(Self::of_open(&sizes(&layers.open), limits.settle_share));
        }
        joined(&sizes(&layers.settled)).map(Self::Join)
    }

    /// Bytes that it may write at most, beside what is there.
    pub fn bytes(self, layers: &Layers) -> u64 {
        let newest = |runs: &[Arc<Run>], count| sizes(runs).iter().take(count).sum();
        match self {
            // Without it memory has no bound; and it gives back a database of more bytes.
            Self::Rest => 0,
            Self::Gather(count) => newest(&layers.open, count),
            Self::Settle => newest(&layers.open, usize::MAX),
            Self::Join(count) => newest(&layers.settled, count),
        }
    }

    /// What is done with too many runs of what is open, the newest first.
    fn of_open(sizes: &[u64], settle_share: u64) -> Self {
        let Some((oldest, newer)) = sizes.split_last() else { return Self::Settle };
        if newer.iter().sum::<u64>().saturating_mul(settle_share) >= *oldest {
            return Self::Settle;
        }
        Self::Gather(joined(newer).unwrap_or(newer.len()))
    }
}

fn sizes(runs: &[Arc<Run>]) -> Vec<u64> {
    runs.iter().map(|run| run.bytes()).collect()
}

/// How many of the newest runs are joined: all that are no larger than what is newer together, if
/// they are several. So a row is written again a few times at most, and runs are few.
fn joined(sizes: &[u64]) -> Option<usize> {
    let mut together = *sizes.first()?;
    let mut count = 1;
    for size in sizes.iter().skip(1) {
        // Runs are never of quite the same size.
        if *size > together.saturating_add(together / 2) {
            break;
        }
        together = together.saturating_add(*size);
        count += 1;
    }
    (count >= JOINED_MIN).then_some(count)
}

impl Shared {
    /// The settler thread: step after step until [`Shared::close`] or a failure.
    pub fn settle(&self) {
        while let Some(step) = self.next_step() {
            let taken = self.take(step);
            if let Err(error) = self.layers().recent.noting(taken) {
                tracing::error!(%error, ?step, "the state cannot be kept small");
                self.fail(&error);
                return;
            }
        }
    }

    fn take(&self, step: Step) -> Result<(), EngineError> {
        match step {
            Step::Rest => {
                // What was in force before must not be held while it is let go.
                let replaced = self.rest(&self.layers())?;
                replaced.map_or(Ok(()), let_go)
            }
            Step::Gather(count) => self.gather(&self.layers(), count),
            Step::Settle => self.settle_open(&self.layers()),
            Step::Join(count) => self.join(&self.layers(), count),
        }
    }

    /// Makes a run of the database that is written to no more; returns what is not needed then.
    fn rest(&self, layers: &Layers) -> Result<Option<Replaced>, EngineError> {
        let Some(resting) = &layers.resting else { return Ok(None) };
        let number = self.next_number();
        let path = run_path(&layers.folder, number);
        let mut run = RunWriter::create(&path, RunForm::Open { rows_max: resting.len() })?;
        for (key, value) in resting.range(b"", std::ops::Bound::Unbounded) {
            run.push(&key, value.as_deref())?;
            if self.is_closing() {
                return Ok(None);
            }
        }
        run.finish()?;
        crash::point("run-written");
        let run = self.opened(layers, number, &path)?;
        let marker = resting.marker().or(layers.marker);
        let replaced = Replaced { rows: Arc::downgrade(resting), path: resting.path() };
        self.exchange(|now| {
            (now.resting, now.rested) = (None, None);
            now.open.insert(0, run);
            now.marker = marker;
        })?;
        crash::point("run-in-force");
        Ok(Some(replaced))
    }

    /// Makes one run of the newest open runs.
    fn gather(&self, layers: &Layers, count: usize) -> Result<(), EngineError> {
        let (number, runs) = (self.next_number(), layers.open.get(..count).unwrap_or_default());
        let path = run_path(&layers.folder, number);
        let rows_max = runs.iter().map(|run| run.rows()).sum();
        let mut run = RunWriter::create(&path, RunForm::Open { rows_max })?;
        for row in Merged::of(runs.iter().map(everything)) {
            let (key, value) = row?;
            if self.is_closing() {
                return Ok(());
            }
            run.push(&key, value.as_deref())?;
        }
        run.finish()?;
        let run = self.opened(layers, number, &path)?;
        let newest = runs.first().map(|run| run.number);
        self.exchange(|now| {
            // Newer ones may have come meanwhile; none can have gone.
            let at = now.open.iter().position(|run| Some(run.number) == newest).unwrap_or(0);
            now.open.splice(at..at + count, [run]);
        })?;
        crash::point("open-gathered");
        self.clear_up()
    }

    /// Parts the rows of all open runs: what is settled leaves for a run of its own.
    fn settle_open(&self, layers: &Layers) -> Result<(), EngineError> {
        let settling = Settling::survey(&AtHand(layers))?;
        let numbers = [self.next_number(), self.next_number()];
        let paths = numbers.map(|number| run_path(&layers.folder, number));
        let rows_max = layers.open.iter().map(|run| run.rows()).sum();
        let mut open = RunWriter::create(&paths[0], RunForm::Open { rows_max })?;
        let mut settled = RunWriter::create(&paths[1], RunForm::Settled)?;
        for row in Merged::of(layers.open.iter().map(everything)) {
            let (key, value) = row?;
            if self.is_closing() {
                return Ok(());
            }
            match &value {
                Some(value) if settling.is_settled(&key, value)? => {
                    settled.push(&key, Some(value))?;
                }
                Some(value) => open.push(&key, Some(value))?,
                // A deletion hides nothing but what was settled before.
                None if Settling::may_settle(&key) && !layers.settled.is_empty() => {
                    settled.push(&key, None)?;
                }
                None => {}
            }
        }
        let has_settled = settled.rows() > 0;
        let (open_rows, settled_rows) = (open.rows(), settled.rows());
        open.finish()?;
        settled.finish()?;
        crash::point("settled-written");
        let open = self.opened(layers, numbers[0], &paths[0])?;
        let settled = self.opened(layers, numbers[1], &paths[1])?;
        self.keep_as_before()?;
        let replaced = layers.open.len();
        self.exchange(|now| {
            // Newer ones may have come meanwhile; none can have gone.
            now.open.truncate(now.open.len().saturating_sub(replaced));
            now.open.push(open);
            if has_settled {
                now.settled.insert(0, settled);
            }
        })?;
        crash::point("settled-in-force");
        tracing::info!(
            open_documents = settling.open_documents(),
            open_rows,
            settled_rows,
            "settled rows"
        );
        self.clear_up()
    }

    /// Makes one run of the newest settled runs.
    fn join(&self, layers: &Layers, count: usize) -> Result<(), EngineError> {
        let number = self.next_number();
        let path = run_path(&layers.folder, number);
        let mut run = RunWriter::create(&path, RunForm::Settled)?;
        let oldest = count == layers.settled.len();
        for row in Merged::of(layers.settled.iter().take(count).map(everything)) {
            let (key, value) = row?;
            if self.is_closing() {
                return Ok(());
            }
            if value.is_some() || !oldest {
                run.push(&key, value.as_deref())?;
            }
        }
        run.finish()?;
        let run = self.opened(layers, number, &path)?;
        self.keep_as_before()?;
        self.exchange(|now| {
            now.settled.splice(..count, [run]);
        })?;
        crash::point("settled-joined");
        self.clear_up()
    }

    fn opened(&self, layers: &Layers, number: u64, path: &Path) -> Result<Arc<Run>, EngineError> {
        Run::open(path, number, Arc::clone(&layers.cache)).map(Arc::new)
    }
}

/// A database whose place a run has taken.
struct Replaced {
    rows: Weak<Recent>,
    path: PathBuf,
}

/// Waits until nobody reads a database that was replaced, and removes it.
fn let_go(replaced: Replaced) -> Result<(), EngineError> {
    let began = Instant::now();
    while replaced.rows.strong_count() > 0 && began.elapsed() < LET_GO_MAX {
        std::thread::sleep(LET_GO_RETRY);
    }
    match std::fs::remove_dir_all(&replaced.path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io_error("remove", &replaced.path)(error))
        }
        _ => Ok(()),
    }
}

fn everything<'r>(run: &Arc<Run>) -> Source<'r> {
    Box::new(run.range(b"", b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_runs_are_gathered_until_they_are_large_beside_the_oldest() {
        let (mut sizes, mut written, mut made, mut settled): (Vec<u64>, _, _, _) =
            (vec![300], 0, 0, 0);
        for round in 0..400_u64 {
            sizes.insert(0, 4 + round % 2);
            made += sizes[0];
            while sizes.len() > 8 {
                match Step::of_open(&sizes, 2) {
                    Step::Gather(count) => {
                        assert!(count > 1 && count < sizes.len(), "{sizes:?}");
                        let together = sizes.drain(..count).sum();
                        written += together;
                        sizes.insert(0, together);
                    }
                    // As many documents are settled as have come.
                    Step::Settle => {
                        written += sizes.iter().sum::<u64>();
                        settled += 1;
                        sizes = vec![300];
                    }
                    step => panic!("{step:?}"),
                }
            }
        }
        assert!(settled > 3 && written < 6 * made, "{settled} times, {written} for {made}");
    }

    #[test]
    fn a_row_is_written_again_a_few_times_and_runs_stay_few() {
        let (mut sizes, mut written): (Vec<u64>, u64) = (Vec::new(), 0);
        for round in 1..=400_u64 {
            sizes.insert(0, 90 + round % 20);
            written += sizes[0];
            while let Some(count) = joined(&sizes) {
                let together = sizes.drain(..count).sum();
                written += together;
                sizes.insert(0, together);
            }
            assert!(sizes.len() <= 12, "{sizes:?}");
        }
        let all: u64 = sizes.iter().sum();
        assert!(written < 8 * all, "{written} bytes written for {all}");
    }
}
