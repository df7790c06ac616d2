//! Questions to the statistics.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{
    self, Answer, Figure, Flow, Period, ProgressCell, Question, Refusals, Unanswerable, Until,
    Volumes,
};
use lienthong_model::Level;

use super::Reader;

impl Reader {
    /// Returns documents by province and level.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn volumes(&self, period: Period) -> Result<Volumes, EngineError> {
        statistics::volumes(&self.cubes, &*self.state, period)
    }

    /// Returns deliveries between places.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn flows(&self, period: Period) -> Result<Vec<Flow>, EngineError> {
        statistics::flows(&self.cubes, &*self.state, period)
    }

    /// Returns refusals by province and reason.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn refusals(&self, period: Period) -> Result<Refusals, EngineError> {
        statistics::refusals(&self.cubes, &*self.state, period)
    }

    /// Counts the deliveries that arrived by level and by how long it took, in business time.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub(crate) fn arrivals(&self) -> Result<BTreeMap<(Level, Figure), u64>, EngineError> {
        let buckets: BTreeSet<Figure> = Figure::buckets(Until::Arrived).collect();
        let mut counts = BTreeMap::new();
        statistics::visit_progress(&self.cubes, &*self.state, Period::ALL, &mut |found| {
            let ProgressCell { level, figure } = found.key;
            if buckets.contains(&figure) {
                *counts.entry((level, figure)).or_default() += found.cell.count;
            }
        })?;
        Ok(counts)
    }

    /// Answers a question to the statistics.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read; within, why there is no answer.
    pub fn ask(&self, question: &Question) -> Result<Result<Answer, Unanswerable>, EngineError> {
        self.with_statistics(|source| source.ask(question))
    }

    /// Answers a question with some of its rows.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read; within, why there is no answer.
    pub(crate) fn ask_rows(
        &self,
        question: &Question,
        rows: Range<usize>,
    ) -> Result<Result<Answer, Unanswerable>, EngineError> {
        self.with_statistics(|source| source.ask_rows(question, rows))
    }

    /// Asks the statistics, with the directory of the last block on disk.
    pub fn with_statistics<T>(&self, ask: impl FnOnce(&statistics::Source<'_>) -> T) -> T {
        let directory = self.directory();
        ask(&statistics::Source { cubes: &self.cubes, tables: &*self.state, directory: &directory })
    }
}
