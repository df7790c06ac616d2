//! What a question asks of pages and cells: whether they count, under which key, in which sums.

use lienthong_model::{Ordinal, Region};

use super::cells::{LEVELS, province_number, province_of};
use super::cubes::CubeName;
use super::figures::Figure;
use super::page::PageKey;
use super::question::{Comparison, Question};
use super::vocabulary::{Dimension, Measure};
use crate::directory::Directory;

/// Bucket (among those of the question, the first of which is 0) and groups.
pub(super) type Key = [u32; 4];

/// The bucket of what stands beside no bucket of the question and counts in the total alone.
pub(super) const NO_BUCKET: u32 = u32::MAX;

/// A question, ready to be asked of cells of its period, or of one that it is compared with.
pub(super) struct Asked<'q> {
    directory: &'q Directory,
    question: &'q Question,
    /// Conditions as sorted numbers.
    conditions: Vec<(Dimension, Vec<u32>)>,
    slots: Slots,
    with: Option<Comparison>,
    /// The number of the one that is bucket 0.
    first_bucket: i32,
}

/// Where among the sums of a group each thing is added up.
#[derive(Clone)]
pub(super) struct Slots {
    /// By figures; 0 for what is not asked for, which only shows that there is something.
    figures: [u8; Figure::END],
    /// Whether the second measure of the cells is added up behind how many.
    measured: bool,
    width: usize,
}

impl Slots {
    fn of(question: &Question) -> Self {
        let asked = || question.measures.iter().chain(&question.top);
        let mut slots = Self {
            figures: [0; Figure::END],
            measured: asked().any(|one| matches!(one, Measure::Pages | Measure::Bytes)),
            width: 1,
        };
        for measure in asked() {
            let buckets = measure.percentile().map(|(until, _)| Figure::buckets(until));
            for figure in buckets.into_iter().flatten().chain(measure.figure()) {
                let slot = &mut slots.figures[usize::from(figure.number())];
                if *slot == 0 {
                    *slot = u8::try_from(slots.width).unwrap_or(0);
                    slots.width += 1;
                }
            }
        }
        slots.width += usize::from(slots.measured);
        slots
    }

    /// How many sums a group has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether the second measure of the cells is asked for.
    pub fn measured(&self) -> bool {
        self.measured
    }

    /// Where a cell with these lowest bits is added up among the sums of its group.
    pub fn slot(&self, cube: CubeName, low: u64) -> usize {
        let figure = usize::from((low & 0xff) as u8);
        match cube.counts_figures() && cube != CubeName::Agency {
            true => self.figures.get(figure).copied().map_or(0, usize::from),
            false => 0,
        }
    }

    /// Takes what was counted of a figure out of a group's sums.
    pub fn figure(&self, sums: &[u64], figure: Figure) -> u64 {
        match self.figures[usize::from(figure.number())] {
            0 => 0,
            slot => sums.get(usize::from(slot)).copied().unwrap_or(0),
        }
    }

    /// Takes how many there are out of a group's sums, where no figures are counted.
    pub fn count(&self, sums: &[u64]) -> u64 {
        sums.first().copied().unwrap_or(0)
    }

    /// Takes the second measure out of a group's sums.
    pub fn measure(&self, sums: &[u64]) -> u64 {
        sums.get(1).copied().unwrap_or(0)
    }
}

impl<'q> Asked<'q> {
    pub fn new(directory: &'q Directory, question: &'q Question, with: Option<Comparison>) -> Self {
        // What was before is numbered from its own first one on, a year before by the calendar.
        let first = match with {
            Some(Comparison::Before) => Comparison::Before.of(question.period).from,
            Some(Comparison::YearBefore) | None => question.period.from,
        };
        let conditions = question.filter.iter().map(|condition| {
            let dimension = condition.dimension;
            let numbers = condition.values.iter().filter_map(|value| value.number_in(dimension));
            let mut numbers: Vec<u32> = numbers.collect();
            numbers.sort_unstable();
            (dimension, numbers)
        });
        Self {
            directory,
            question,
            conditions: conditions.collect(),
            slots: Slots::of(question),
            with,
            first_bucket: question.bucket.map_or(0, |bucket| bucket.number(first)),
        }
    }

    pub fn question(&self) -> &'q Question {
        self.question
    }

    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The provinces that a condition names, in the order of their numbers; none when any count.
    pub fn provinces(&self) -> Option<Vec<Option<Ordinal>>> {
        let of_provinces = |(dimension, _): &&(Dimension, _)| *dimension == Dimension::Province;
        let (_, numbers) = self.conditions.iter().find(of_provinces)?;
        Some(numbers.iter().copied().map(province_of).collect())
    }

    /// How many parts of keys the lowest bits of a cube's numbers can say.
    pub fn columns_max(&self, cube: CubeName) -> usize {
        self.question.group_by.iter().map(|dimension| dimension.values_in_cell(cube)).product()
    }

    /// The part of a key that a page has; `None` when its conditions do not hold.
    pub fn key_of_page(&self, cube: CubeName, page: PageKey) -> Option<Key> {
        let of_province = cube.has_pages_of_provinces();
        let number = |dimension| match dimension {
            Dimension::Province if of_province => Some(province_number(page.province)),
            Dimension::Region if of_province => Some(self.region(page.province)),
            Dimension::Level if cube.has_pages_of_levels() => Some(page.part % LEVELS),
            Dimension::Signature if cube == CubeName::Type => Some(page.part / LEVELS),
            _ => None,
        };
        self.key(number, self.bucket_of_page(page))
    }

    fn bucket_of_page(&self, page: PageKey) -> u32 {
        let Some(bucket) = self.question.bucket else { return 0 };
        let begin = page.grain.start(page.number);
        let number = match self.with {
            Some(Comparison::YearBefore) => bucket.number_a_year_later(begin),
            Some(Comparison::Before) | None => Some(bucket.number(begin)),
        };
        let place = |number: i32| number.wrapping_sub(self.first_bucket).cast_unsigned();
        number.map_or(NO_BUCKET, place)
    }

    /// The part of a key that the ordinal in a cell's number says.
    pub fn key_of_ordinal(&self, cube: CubeName, ordinal: u32) -> Option<Key> {
        use Dimension as D;
        let region = || Some(self.region(province_of(ordinal)));
        let number = |dimension| match (cube.ordinal(), dimension) {
            (Some(D::Province), D::Region) | (Some(D::PartnerProvince), D::PartnerRegion) => {
                region()
            }
            (Some(known), _) if known == dimension => Some(ordinal),
            _ => None,
        };
        self.key(number, 0)
    }

    /// The part of a key that the lowest bits of a cell's number say.
    pub fn key_of_low(&self, cube: CubeName, low: u64) -> Option<Key> {
        self.key(|dimension| cube.number_of_cell(dimension, low), 0)
    }

    /// The part of a key that has the dimensions which `number` knows, if its conditions hold.
    fn key(&self, number: impl Fn(Dimension) -> Option<u32>, bucket: u32) -> Option<Key> {
        for (dimension, allowed) in &self.conditions {
            if let Some(number) = number(*dimension)
                && allowed.binary_search(&number).is_err()
            {
                return None;
            }
        }
        let mut key = [bucket, 0, 0, 0];
        for (place, dimension) in key[1..].iter_mut().zip(&self.question.group_by) {
            *place = number(*dimension).unwrap_or(0);
        }
        Some(key)
    }

    fn region(&self, province: Option<Ordinal>) -> u32 {
        let agency = province.and_then(|province| self.directory.agency(province));
        let region = agency.and_then(|agency| Region::of_province(&agency.key));
        region.map_or(0, |region| u32::from(region.number()))
    }
}
