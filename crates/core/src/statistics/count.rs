//! Counting the cells of a period by the groups of a question.
//!
//! A page gives the time and often the place, a cell the rest. Where each cell of a kind of page is
//! added up is worked out once, in a [`Shape`].

use std::collections::HashMap;

use lienthong_model::limits::{STATISTICS_ROWS_MAX, STATISTICS_SUMS_MAX};
use lienthong_model::{Ordinal, Region};

use super::ask::Source;
use super::cells::{LEVELS, province_number, province_of};
use super::cubes::CubeName;
use super::figures::Figure;
use super::page::{Cell, Cells, PageKey};
use super::period::{Grain, Period};
use super::question::Question;
use super::quick::Quick;
use super::shape::{self, Key, Keys, Shape, Walk};
use super::visit::{Wanted, visit};
use super::vocabulary::{Dimension, Measure};
use crate::directory::Directory;
use crate::engine::EngineError;

/// What was counted, by key, in order.
pub(super) struct Sums {
    keys: Vec<Key>,
    /// For each key, as many sums as the slots are wide.
    sums: Vec<u64>,
    slots: Slots,
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

/// What is being counted.
pub(super) struct Count<'q> {
    directory: &'q Directory,
    question: &'q Question,
    /// Conditions as sorted numbers.
    conditions: Vec<(Dimension, Vec<u32>)>,
    provinces: Option<Vec<Option<Ordinal>>>,
    slots: Slots,
    first_bucket: i32,
    regions: HashMap<u32, u32, Quick>,
    /// What pages say of a key.
    pages: Keys,
    shapes: HashMap<ShapeKey, Shape, Quick>,
    /// Sums by the part of a key that pages have and by shape: of each of its columns.
    sums: HashMap<(u32, ShapeKey), Vec<u64>, Quick>,
    /// How many sums there are.
    made: usize,
    new: Vec<(u64, Cell)>,
}

/// Which pages have the same cells: those of a cube and part, of agencies also of a province.
type ShapeKey = (CubeName, u32, u32);

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

impl Sums {
    /// The sums of a group; none when nothing was counted of it.
    pub fn of(&self, key: &Key) -> &[u64] {
        self.keys.binary_search(key).map_or(&[], |at| self.nth(at))
    }

    fn nth(&self, at: usize) -> &[u64] {
        &self.sums[at * self.slots.width..][..self.slots.width]
    }

    /// All groups with their sums, in order.
    pub fn all(&self) -> impl Iterator<Item = (Key, &[u64])> {
        self.keys.iter().copied().zip(self.sums.chunks_exact(self.slots.width))
    }

    /// The sums of all groups together.
    pub fn total(&self) -> Vec<u64> {
        let mut total = vec![0; self.slots.width];
        self.sums.chunks_exact(self.slots.width).for_each(|sums| add_up(&mut total, sums));
        total
    }

    /// Where among the sums of a group each thing is.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }
}

fn add_up(into: &mut [u64], more: &[u64]) {
    into.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

impl<'q> Count<'q> {
    pub fn new(directory: &'q Directory, question: &'q Question, period: Period) -> Self {
        let conditions = question.filter.iter().map(|condition| {
            let dimension = condition.dimension;
            let numbers = condition.values.iter().filter_map(|value| value.number_in(dimension));
            let mut numbers: Vec<u32> = numbers.collect();
            numbers.sort_unstable();
            (dimension, numbers)
        });
        let conditions: Vec<_> = conditions.collect();
        let named = conditions.iter().find(|(dimension, _)| *dimension == Dimension::Province);
        let provinces = |numbers: &Vec<u32>| numbers.iter().copied().map(province_of).collect();
        Self {
            directory,
            question,
            provinces: named.map(|(_, numbers)| provinces(numbers)),
            conditions,
            slots: Slots::of(question),
            first_bucket: question.bucket.map_or(0, |bucket| bucket.number(period.from)),
            regions: HashMap::default(),
            pages: Keys::default(),
            shapes: HashMap::default(),
            sums: HashMap::default(),
            made: 0,
            new: Vec::new(),
        }
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
        let finest = cube.grains()[0];
        let coarsest = self.question.bucket.map_or(Grain::Month, |one| one.min(Grain::Month));
        let provinces = self.provinces.take();
        let coarsest = coarsest.max(finest);
        let wanted = Wanted { cube, finest, coarsest, period, provinces: provinces.as_deref() };
        let visited = visit(source.cubes, source.tables, &wanted, &mut |page, cells| {
            self.page(cube, page, cells)
        });
        self.provinces = provinces;
        visited
    }

    /// Whether there are more sums than an answer may have.
    fn is_full(&self) -> bool {
        self.made > STATISTICS_SUMS_MAX
    }

    fn page(&mut self, cube: CubeName, page: PageKey, cells: Cells<'_>) -> Result<(), EngineError> {
        let Some(key) = self.key_of_page(cube, page).filter(|_| !self.is_full()) else {
            return Ok(());
        };
        let of_agencies = matches!(cube, CubeName::Agency | CubeName::Work);
        let province = if of_agencies { province_number(page.province) } else { 0 };
        let shape_key = (cube, province, page.part);
        let mut shape = self.shapes.remove(&shape_key).unwrap_or_default();
        let sums_key = (self.pages.number(key), shape_key);
        let mut sums = self.sums.remove(&sums_key).unwrap_or_default();
        let (before, width) = (sums.len(), self.slots.width);
        sums.resize(shape.columns.len() * width, 0);
        let mut walk = Walk::along(&shape, &mut sums, self.slots.measured, &mut self.new);
        let walked = cells.each(
            #[inline(always)]
            |number, cell| walk.step(number, cell),
        );
        if !self.new.is_empty() {
            let new = std::mem::take(&mut self.new);
            for (number, cell) in &new {
                let place = self.place(&mut shape, cube, *number);
                shape.learn(*number, place);
                sums.resize(shape.columns.len() * width, 0);
                shape::add(&mut sums, place, *cell, self.slots.measured);
            }
            self.new = new;
            self.new.clear();
        }
        self.made += sums.len() - before;
        self.shapes.insert(shape_key, shape);
        self.sums.insert(sums_key, sums);
        walked
    }

    /// Where a cell is added up.
    fn place(&mut self, shape: &mut Shape, cube: CubeName, number: u64) -> u32 {
        self.key_of_cell(cube, number).map_or(shape::UNASKED, |key| {
            let column = shape.columns.number(key) as usize;
            let place = column * self.slots.width + self.slot(cube, number);
            u32::try_from(place).unwrap_or(shape::UNASKED)
        })
    }

    fn slot(&self, cube: CubeName, number: u64) -> usize {
        match cube {
            CubeName::Work | CubeName::Progress | CubeName::Times | CubeName::CountryTimes => {
                let figure = usize::from((number & 0xff) as u8);
                self.slots.figures.get(figure).copied().map_or(0, usize::from)
            }
            _ => 0,
        }
    }

    /// The part of a key that a page has; `None` when its conditions do not hold.
    fn key_of_page(&mut self, cube: CubeName, page: PageKey) -> Option<Key> {
        let bucket = self.question.bucket.map_or(0, |bucket| {
            let number = match bucket == page.grain {
                true => page.number,
                false => bucket.number(page.grain.start(page.number)),
            };
            number.wrapping_sub(self.first_bucket).cast_unsigned()
        });
        let of_province = cube.has_pages_of_provinces();
        let region = match of_province && self.question.names(Dimension::Region) {
            true => self.region(province_number(page.province)),
            false => 0,
        };
        let number = |dimension| match dimension {
            Dimension::Province if of_province => Some(province_number(page.province)),
            Dimension::Region if of_province => Some(region),
            Dimension::Level if cube.has_pages_of_levels() => Some(page.part % LEVELS),
            _ => None,
        };
        self.key(number, bucket)
    }

    fn key_of_cell(&mut self, cube: CubeName, number: u64) -> Option<Key> {
        let partner = matches!(cube, CubeName::Flow);
        let regional = match partner {
            true => Dimension::PartnerRegion,
            false => Dimension::Region,
        };
        let province = cube.province_of_cell(number);
        let region = match province {
            Some(province) if self.question.names(regional) => self.region(province),
            _ => 0,
        };
        let number = |dimension| match (dimension, province) {
            (Dimension::PartnerProvince, province) if partner => province,
            (Dimension::Province, province) if !partner => province,
            (dimension, Some(_)) if dimension == regional => Some(region),
            _ => cube.number_of_cell(dimension, number),
        };
        self.key(number, 0)
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

    fn region(&mut self, province: u32) -> u32 {
        let directory = self.directory;
        *self.regions.entry(province).or_insert_with(|| {
            let agency = province_of(province).and_then(|province| directory.agency(province));
            let region = agency.and_then(|agency| Region::of_province(&agency.key));
            region.map_or(0, |region| u32::from(region.number()))
        })
    }

    /// Returns what was counted; `None` when that has more groups than an answer may have.
    pub fn finish(self) -> Option<Sums> {
        if self.is_full() {
            return None;
        }
        let width = self.slots.width;
        let mut keys = Keys::default();
        let mut sums: Vec<u64> = Vec::new();
        for ((page, shape), counted) in &self.sums {
            let of_page = self.pages.all()[*page as usize];
            let columns = self.shapes.get(shape).map_or(&[][..], |shape| shape.columns.all());
            for (of_cell, counted) in columns.iter().zip(counted.chunks_exact(width)) {
                if counted.iter().all(|sum| *sum == 0) {
                    continue;
                }
                let mut key = of_page;
                key.iter_mut().zip(of_cell).for_each(|(place, of_cell)| *place |= of_cell);
                let at = keys.number(key) as usize * width;
                sums.resize(sums.len().max(at + width), 0);
                add_up(&mut sums[at..], counted);
            }
        }
        if keys.len() > STATISTICS_ROWS_MAX {
            return None;
        }
        let mut order: Vec<(Key, usize)> = keys.all().iter().copied().zip(0..).collect();
        order.sort_unstable();
        let sorted = order.iter().flat_map(|(_, at)| &sums[at * width..][..width]).copied();
        let sums = sorted.collect();
        Some(Sums {
            keys: order.into_iter().map(|(key, _)| key).collect(),
            sums,
            slots: self.slots,
        })
    }
}
