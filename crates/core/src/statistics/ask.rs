//! Answering a question: one pass over the pages of its cube.
//!
//! A page gives the time and the place, a cell the rest; both are looked up once for each page and
//! each kind of cell, so that a cell costs two look-ups and an addition.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{PoisonError, RwLock};

use lienthong_model::limits::STATISTICS_ROWS_MAX;
use lienthong_model::{Ordinal, Region, Timestamp};

use super::cells::{province_number, province_of};
use super::cubes::{self, CubeName, Cubes};
use super::event::Direction;
use super::figures::{Figure, percentile};
use super::page::{Cell, PageKey};
use super::period::{Grain, Period};
use super::question::{Answer, Dimension, Measure, Question, Row, Unanswerable, Value};
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
        let cube = match question.check() {
            Ok(cube) => cube,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(since) = self.hours_gone(question) {
            return Ok(Err(Unanswerable::HoursGone(since)));
        }
        let periods = question.compare.iter().map(|with| with.of(question.period));
        let mut counted = Vec::with_capacity(1 + question.compare.len());
        for period in std::iter::once(question.period).chain(periods) {
            let mut count = Count::new(self.directory, cube, question);
            count.first_bucket = question.bucket.map_or(0, |bucket| bucket.number(period.from));
            count.over(self, period)?;
            if count.rows() > STATISTICS_ROWS_MAX {
                return Ok(Err(Unanswerable::TooManyRows(STATISTICS_ROWS_MAX)));
            }
            counted.push(count.finish());
        }
        Ok(Ok(answer(question, counted)))
    }
}

impl Source<'_> {
    /// Since when hours are kept, for a question by the hour that goes further back.
    fn hours_gone(&self, question: &Question) -> Option<Timestamp> {
        let cubes = self.cubes.read().unwrap_or_else(PoisonError::into_inner);
        let since = cubes.hours_since().start();
        let with = question.compare.iter().map(|with| with.of(question.period));
        let first = std::iter::once(question.period).chain(with).map(|period| period.from).min()?;
        (question.bucket == Some(Grain::Hour) && first < since).then_some(since)
    }
}

/// Bucket (from the first one of the period) and groups.
type Key = [u32; 4];
/// Sums by key.
type Sums = BTreeMap<Key, Vec<u64>>;

/// What is known of a kind of cell, or of a page.
#[derive(Clone, Copy)]
struct Known {
    /// Which part of a key; none when it does not count.
    part: Option<u32>,
    /// Where it is added up.
    slot: usize,
}

struct Count<'q> {
    directory: &'q Directory,
    cube: CubeName,
    question: &'q Question,
    /// Conditions as sorted numbers.
    conditions: Vec<(Dimension, Vec<u32>)>,
    width: usize,
    first_bucket: i32,
    cells: HashMap<u64, Known, Fast>,
    pages: HashMap<(i32, u32, u8), Known>,
    /// Parts of keys: of pages, of cells.
    parts: [Parts; 2],
    /// Sums by the parts of a page, then of a cell.
    sums: Vec<Vec<Option<Box<[u64]>>>>,
    last: Option<(PageKey, Known)>,
    made: usize,
}

/// Parts of keys and their numbers.
#[derive(Default)]
struct Parts {
    known: BTreeMap<Key, u32>,
    all: Vec<Key>,
}

impl Parts {
    fn of(&mut self, key: Key) -> u32 {
        *self.known.entry(key).or_insert_with(|| {
            self.all.push(key);
            u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

impl<'q> Count<'q> {
    fn new(directory: &'q Directory, cube: CubeName, question: &'q Question) -> Self {
        let conditions = question.filter.iter().map(|condition| {
            let dimension = condition.dimension;
            let numbers = condition.values.iter().filter_map(|value| value.number_in(dimension));
            let mut numbers: Vec<u32> = numbers.collect();
            numbers.sort_unstable();
            (dimension, numbers)
        });
        let timed = question.measures.iter().any(|measure| measure.percentile().is_some());
        let width = match (question.measures[0].figure().is_some() || timed, timed) {
            (true, true) => Figure::END,
            (true, false) => usize::from(Figure::OVERDUE.number()) + 1,
            (false, _) => 2,
        };
        Self {
            directory,
            cube,
            question,
            conditions: conditions.collect(),
            width,
            first_bucket: 0,
            cells: HashMap::default(),
            pages: HashMap::new(),
            parts: Default::default(),
            sums: Vec::new(),
            last: None,
            made: 0,
        }
    }

    fn rows(&self) -> usize {
        self.made
    }

    fn over(&mut self, source: &Source<'_>, period: Period) -> Result<(), EngineError> {
        let finest = self.cube.grains()[0];
        let coarsest = match self.question.bucket {
            Some(bucket) => bucket.min(Grain::Month),
            None => Grain::Month,
        };
        let pages = (self.cube, (finest, coarsest.max(finest)));
        cubes::visit(source.cubes, source.tables, pages, period, &mut |page, number, cell| {
            self.add(page, number, cell);
        })
    }

    fn add(&mut self, page: PageKey, number: u64, cell: Cell) {
        if self.made > STATISTICS_ROWS_MAX {
            return;
        }
        let of_page = match self.last {
            Some((last, known)) if last == page => known,
            _ => {
                let known = self.page(page);
                self.last = Some((page, known));
                known
            }
        };
        let Some(row) = of_page.part else { return };
        let known = match self.cells.get(&number) {
            Some(known) => *known,
            None => {
                let known = self.cell(number);
                self.cells.insert(number, known);
                known
            }
        };
        let Some(column) = known.part else { return };
        let (row, column) = (row as usize, column as usize);
        if self.sums.len() <= row {
            self.sums.resize_with(row + 1, Vec::new);
        }
        let row = &mut self.sums[row];
        if row.len() <= column {
            row.resize_with(column + 1, || None);
        }
        let (made, width) = (&mut self.made, self.width);
        let sums = row[column].get_or_insert_with(|| {
            *made += 1;
            vec![0; width].into()
        });
        if let Some(sum) = sums.get_mut(known.slot) {
            *sum += cell.count;
        }
        if width == 2 {
            sums[1] += cell.measure;
        }
    }

    fn page(&mut self, page: PageKey) -> Known {
        let bucket = self.question.bucket.map_or(0, |bucket| {
            let number = match bucket == page.grain {
                true => page.number,
                false => bucket.number(page.grain.start(page.number)),
            };
            number.wrapping_sub(self.first_bucket).cast_unsigned()
        });
        let level = page.part % 16;
        let place = (bucket.cast_signed(), province_number(page.province), level);
        if let Some(known) = self.pages.get(&place) {
            return *known;
        }
        let number = |dimension| self.of_page(dimension, page);
        let part = self.key(number, bucket);
        let part = part.map(|key| self.parts[0].of(key));
        let known = Known { part, slot: 0 };
        self.pages.insert(place, known);
        known
    }

    fn cell(&mut self, number: u64) -> Known {
        let Some(slot) = self.slot(number) else { return Known { part: None, slot: 0 } };
        let of = |dimension| self.of_cell(dimension, number);
        let part = self.key(of, 0);
        Known { part: part.map(|key| self.parts[1].of(key)), slot }
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

    /// What a page says of a dimension; `None` when its cells do.
    fn of_page(&self, dimension: Dimension, page: PageKey) -> Option<u32> {
        match dimension {
            Dimension::Province => Some(province_number(page.province)),
            Dimension::Region => Some(self.region(page.province)),
            Dimension::Level if self.cube == CubeName::Agency => Some(u32::from(page.part % 16)),
            _ => None,
        }
    }

    /// What a cell says of a dimension; `None` when its page does.
    #[allow(clippy::cast_possible_truncation)] // Every part of a number is cut to its bits.
    fn of_cell(&self, dimension: Dimension, number: u64) -> Option<u32> {
        use Dimension as D;
        let bits = |shift: u32, count: u32| ((number >> shift) & ((1 << count) - 1)) as u32;
        match (self.cube, dimension) {
            (CubeName::Flow, D::Level) => Some(bits(35, 3)),
            (CubeName::Flow, D::PartnerProvince) => Some(bits(3, 32)),
            (CubeName::Flow, D::PartnerRegion) => Some(self.region(province_of(bits(3, 32)))),
            (CubeName::Flow, D::PartnerLevel) => Some(bits(0, 3)),
            (CubeName::Kind, D::Level) => Some(bits(14, 3)),
            (CubeName::Kind, D::Direction) => Some(bits(13, 1)),
            (CubeName::Kind, D::Scope) => Some(bits(11, 2)),
            (CubeName::Kind, D::Signature) => Some(bits(9, 2)),
            (CubeName::Kind, D::PaperCopy) => Some(bits(8, 1)),
            (CubeName::Kind, D::DocumentType) => Some(bits(0, 8)),
            (CubeName::Agency, D::Agency) => Some(bits(8, 32)),
            (CubeName::Agency, D::Direction) => {
                let sent = bits(0, 8) == u32::from(Figure::SENT.number());
                Some(if sent { Direction::Sent } else { Direction::Received } as u32)
            }
            (CubeName::Progress, D::Level) => Some(bits(8, 3)),
            (CubeName::Refusals, D::Reason) => Some(bits(0, 16)),
            _ => None,
        }
    }

    /// Where a cell is added up; `None` when it is not asked for.
    fn slot(&self, number: u64) -> Option<usize> {
        let figure = (number & 0xff) as usize;
        match (self.cube, self.width) {
            (CubeName::Agency, 2) => {
                let documents = [Figure::SENT, Figure::RECEIVED];
                let asked = documents.iter().any(|one| usize::from(one.number()) == figure);
                asked.then_some(0)
            }
            (CubeName::Agency | CubeName::Progress, width) => Some(figure).filter(|f| *f < width),
            (CubeName::Flow | CubeName::Kind | CubeName::Refusals, _) => Some(0),
        }
    }

    fn region(&self, province: Option<Ordinal>) -> u32 {
        let province = province.and_then(|province| self.directory.agency(province));
        let region = province.and_then(|province| Region::of_province(&province.key));
        region.map_or(0, |region| u32::from(region.number()))
    }

    fn finish(self) -> Sums {
        let mut sums = Sums::new();
        for (page, columns) in self.parts[0].all.iter().zip(self.sums) {
            for (cell, counted) in self.parts[1].all.iter().zip(columns) {
                let Some(counted) = counted else { continue };
                let mut key = *page;
                key.iter_mut().zip(cell).for_each(|(place, of_cell)| *place |= of_cell);
                add_up(sums.entry(key).or_default(), &counted);
            }
        }
        sums
    }
}

fn add_up(into: &mut Vec<u64>, more: &[u64]) {
    into.resize(into.len().max(more.len()), 0);
    into.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

fn answer(question: &Question, mut counted: Vec<Sums>) -> Answer {
    let compared = counted.split_off(1);
    let now = counted.pop().unwrap_or_default();
    let total_of = |sums: &Sums| {
        let mut total = Vec::new();
        sums.values().for_each(|sums| add_up(&mut total, sums));
        total
    };
    let values = |sums: &[u64]| question.measures.iter().map(|one| value(*one, sums)).collect();
    let total = Row {
        bucket: None,
        group: Vec::new(),
        values: values(&total_of(&now)),
        compared: compared.iter().map(|sums| values(&total_of(sums))).collect(),
    };
    let mut keys: Vec<Key> =
        now.keys().chain(compared.iter().flat_map(|sums| sums.keys())).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    if let Some(top) = question.top {
        let of = |key: &Key| now.get(key).and_then(|sums| value(top, sums));
        keys.sort_by_key(|key| std::cmp::Reverse(of(key)));
    }
    let rows = keys.into_iter().map(|key| {
        let nothing = Vec::new();
        let of = |sums: &Sums| values(sums.get(&key).unwrap_or(&nothing));
        let dimensions = question.group_by.iter().zip(&key[1..]);
        let group = dimensions.filter_map(|(one, number)| Value::of_number(*one, *number));
        Row {
            bucket: question.bucket.map(|bucket| {
                let first = bucket.number(question.period.from);
                bucket.start(first.wrapping_add(key[0].cast_signed()))
            }),
            group: group.collect(),
            values: of(&now),
            compared: compared.iter().map(of).collect(),
        }
    });
    Answer { rows: rows.collect(), total }
}

fn value(measure: Measure, sums: &[u64]) -> Option<u64> {
    let at = |place: usize| sums.get(place).copied().unwrap_or(0);
    let of = |figure: Figure| at(usize::from(figure.number()));
    if let Some((until, share)) = measure.percentile() {
        let buckets: Vec<u64> = Figure::buckets(until).map(of).collect();
        let took = percentile(&buckets, share)?;
        return u64::try_from(took.as_millis()).ok();
    }
    Some(match measure.figure() {
        Some(figure) => of(figure),
        None if matches!(measure, Measure::Pages | Measure::Bytes) => at(1),
        None => at(0),
    })
}

/// A quick hash for numbers of cells, which nobody outside chooses.
#[derive(Default)]
struct FastHasher(u64);

type Fast = BuildHasherDefault<FastHasher>;

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}
