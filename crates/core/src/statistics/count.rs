//! Counting the cells of a period by the groups of a question.

use lienthong_model::Ordinal;
use lienthong_model::limits::STATISTICS_ROWS_MAX;

use super::ask::Source;
use super::asked::{Asked, Key, Slots};
use super::cubes::CubeName;
use super::period::Period;
use super::question::{Comparison, Question};
use super::tally::Tally;
use super::visit::{Wanted, visit};
use crate::directory::Directory;
use crate::engine::EngineError;

/// What was counted, by key, in order.
pub(super) struct Sums {
    groups: Vec<(Key, usize)>,
    /// For each key, from its place on, as many sums as the slots are wide.
    sums: Vec<u64>,
    slots: Slots,
}

/// What is being counted.
pub(super) struct Count<'q> {
    asked: Asked<'q>,
    provinces: Option<Vec<Option<Ordinal>>>,
    /// One for each cube that has a part of the measures.
    tallies: Vec<Tally>,
}

impl<'q> Count<'q> {
    pub fn new(directory: &'q Directory, question: &'q Question, with: Option<Comparison>) -> Self {
        let asked = Asked::new(directory, question, with);
        Self { provinces: asked.provinces(), asked, tallies: Vec::new() }
    }

    /// Counts what a cube has of a period.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn over(
        &mut self,
        source: &Source<'_>,
        cube: CubeName,
        period: Period,
    ) -> Result<(), EngineError> {
        let longest = self.asked.question().bucket.map(|bucket| bucket.longest_page());
        let grains = cube.grains();
        let fit =
            grains.iter().take_while(|grain| longest.is_none_or(|longest| **grain <= longest));
        let grains = &grains[..fit.count().max(1)];
        let wanted = Wanted { cube, grains, period, provinces: self.provinces.as_deref() };
        let mut tally = Tally::new(cube, &self.asked);
        visit(source.cubes, source.tables, &wanted, &mut |page, cells| {
            tally.page(&self.asked, page, cells)
        })?;
        self.tallies.push(tally);
        Ok(())
    }

    /// Returns what was counted; `None` when that has more groups than an answer may have.
    pub fn finish(self) -> Option<Sums> {
        if self.tallies.iter().any(Tally::is_full) {
            return None;
        }
        let slots = self.asked.slots().clone();
        let width = slots.width();
        let (mut groups, mut sums) = (Vec::new(), Vec::new());
        for tally in &self.tallies {
            tally.each(width, |key, of_group| {
                groups.push((key, sums.len()));
                sums.extend_from_slice(of_group);
            });
        }
        groups.sort_unstable();
        // Two cubes may each have a part of a group's sums.
        groups.dedup_by(|(key, from), (known, into)| {
            let same = key == known;
            if same {
                (0..width).for_each(|slot| sums[*into + slot] += sums[*from + slot]);
            }
            same
        });
        (groups.len() <= STATISTICS_ROWS_MAX).then_some(Sums { groups, sums, slots })
    }
}

impl Sums {
    /// The sums of a group; none when nothing was counted of it.
    pub fn of(&self, key: &Key) -> &[u64] {
        let found = self.groups.binary_search_by(|(known, _)| known.cmp(key));
        found.map_or(&[], |at| self.at(self.groups[at].1))
    }

    fn at(&self, place: usize) -> &[u64] {
        &self.sums[place..][..self.slots.width()]
    }

    /// All groups with their sums, in order.
    pub fn all(&self) -> impl Iterator<Item = (Key, &[u64])> {
        self.groups.iter().map(|(key, place)| (*key, self.at(*place)))
    }

    /// The sums of all groups together.
    pub fn total(&self) -> Vec<u64> {
        let mut total = vec![0; self.slots.width()];
        for (_, sums) in self.all() {
            total.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
        }
        total
    }

    /// Where among the sums of a group each thing is.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }
}
