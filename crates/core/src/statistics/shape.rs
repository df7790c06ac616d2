//! Shapes: where the cells of a kind of page are added up.
//!
//! Pages of a kind have much the same cells in the same order, so the cells of a page walk along the
//! shape: a cell costs a comparison and an addition.

use std::collections::HashMap;

use super::page::Cell;
use super::quick::Quick;

/// Bucket (from the first one of the period) and groups.
pub(super) type Key = [u32; 4];

/// The place of a cell that does not count.
pub(super) const UNASKED: u32 = u32::MAX;

/// Keys, or parts of them, numbered as they come.
#[derive(Default)]
pub(super) struct Keys {
    known: HashMap<Key, u32, Quick>,
    all: Vec<Key>,
}

/// Where the cells of a kind of page are added up.
#[derive(Default)]
pub(super) struct Shape {
    /// Cells with their places among the sums, in the order of their numbers.
    cells: Vec<Known>,
    /// The places of cells that came later, as long as they are few.
    late: HashMap<u64, u32, Quick>,
    /// What cells say of a key: a column of sums for each.
    pub columns: Keys,
}

#[derive(Clone, Copy)]
struct Known {
    number: u64,
    place: u32,
}

/// A page's cells, walking along a shape in order.
pub(super) struct Walk<'w> {
    rest: &'w [Known],
    late: &'w HashMap<u64, u32, Quick>,
    sums: &'w mut [u64],
    measured: bool,
    /// Cells that the shape does not have.
    new: &'w mut Vec<(u64, Cell)>,
}

impl Keys {
    /// The number of a key; a new one gets the next.
    pub fn number(&mut self, key: Key) -> u32 {
        *self.known.entry(key).or_insert_with(|| {
            self.all.push(key);
            u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// All keys in the order of their numbers.
    pub fn all(&self) -> &[Key] {
        &self.all
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }
}

impl Shape {
    /// Takes in new cells, which come in order, with their places.
    pub fn learn(&mut self, new: impl ExactSizeIterator<Item = (u64, u32)>) {
        if (self.late.len() + new.len()) * 8 < self.cells.len() {
            self.late.extend(new);
            return;
        }
        let known = |(number, place)| Known { number, place };
        let mut late: Vec<Known> = self.late.drain().map(known).collect();
        late.sort_unstable_by_key(|cell| cell.number);
        self.cells.extend(late);
        self.cells.extend(new.map(known));
        // Three sorted stretches at most: a stable sort finds and merges them.
        self.cells.sort_by_key(|cell| cell.number);
    }
}

impl<'w> Walk<'w> {
    pub fn along(
        shape: &'w Shape,
        sums: &'w mut [u64],
        measured: bool,
        new: &'w mut Vec<(u64, Cell)>,
    ) -> Self {
        Self { rest: &shape.cells, late: &shape.late, sums, measured, new }
    }

    /// Adds the next cell up.
    #[inline(always)]
    pub fn step(&mut self, number: u64, cell: Cell) {
        while let [known, rest @ ..] = self.rest
            && known.number <= number
        {
            self.rest = rest;
            if known.number == number {
                return add(self.sums, known.place, cell, self.measured);
            }
        }
        self.step_aside(number, cell);
    }

    #[cold]
    #[inline(never)]
    fn step_aside(&mut self, number: u64, cell: Cell) {
        match self.late.get(&number) {
            Some(place) => add(self.sums, *place, cell, self.measured),
            None => self.new.push((number, cell)),
        }
    }
}

/// Adds a cell up; what is not asked for has a place behind all sums.
#[inline]
pub(super) fn add(sums: &mut [u64], place: u32, cell: Cell, measured: bool) {
    let place = place as usize;
    if let Some(sum) = sums.get_mut(place) {
        *sum += cell.count;
        if measured && let Some(sum) = sums.get_mut(place + 1) {
            *sum += cell.measure;
        }
    }
}
