//! Answering a question: one pass over the pages of the cubes that have the answer.

use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use lienthong_model::Timestamp;
use lienthong_model::limits::STATISTICS_ROWS_MAX;

use super::answer::answer;
use super::count::{Count, Sums};
use super::cubes::Cubes;
use super::period::Grain;
use super::question::{Answer, Comparison, Question, Unanswerable};
use crate::directory::Directory;
use crate::engine::{EngineError, Tables};

/// Where questions are answered from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The open pages.
    pub cubes: &'a RwLock<Cubes>,
    /// The rows.
    pub tables: &'a dyn Tables,
    /// Which province lies in which region.
    pub directory: &'a Directory,
}

impl Source<'_> {
    /// Answers a question.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read; within, why there is no answer.
    pub fn ask(&self, question: &Question) -> Result<Result<Answer, Unanswerable>, EngineError> {
        self.ask_rows(question, 0..STATISTICS_ROWS_MAX)
    }

    /// Answers a question with some of its rows, by their places; the total is of all.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read; within, why there is no answer.
    pub fn ask_rows(
        &self,
        question: &Question,
        rows: Range<usize>,
    ) -> Result<Result<Answer, Unanswerable>, EngineError> {
        let compared = question.compare.iter().copied().map(Some);
        let mut counted = Vec::with_capacity(1 + question.compare.len());
        for with in std::iter::once(None).chain(compared) {
            match self.sums(question, with)? {
                Ok(sums) => counted.push(sums),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(answer(question, &counted, rows)))
    }

    /// Counts what a question asks for, of its period or one that it is compared with.
    pub(super) fn sums(
        &self,
        question: &Question,
        with: Option<Comparison>,
    ) -> Result<Result<Sums, Unanswerable>, EngineError> {
        let cubes = match question.cubes() {
            Ok(cubes) => cubes,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(since) = self.hours_gone(question) {
            return Ok(Err(Unanswerable::HoursGone(since)));
        }
        let period = with.map_or(question.period, |with| with.of(question.period));
        let mut count = Count::new(self.directory, question, with);
        for cube in cubes {
            count.over(self, cube, period)?;
        }
        Ok(count.finish().ok_or(Unanswerable::TooManyRows(STATISTICS_ROWS_MAX)))
    }

    /// Since when hours are kept, for a question by the hour that goes further back.
    fn hours_gone(&self, question: &Question) -> Option<Timestamp> {
        let cubes = self.cubes.read().unwrap_or_else(PoisonError::into_inner);
        let since = cubes.hours_since().start();
        let with = question.compare.iter().map(|with| with.of(question.period));
        let first = std::iter::once(question.period).chain(with).map(|period| period.from).min()?;
        (question.bucket == Some(Grain::Hour) && first < since).then_some(since)
    }
}

#[cfg(test)]
mod tests;
