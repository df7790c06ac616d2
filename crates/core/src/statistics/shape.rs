//! Shapes: where the cells of a kind of page are added up.
//!
//! Pages of a kind have much the same cells in the same order, so a cell is looked for behind the one
//! before it, and only where it is not, by its number.

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
    /// Cells with their places among the sums, as pages had them first.
    cells: Vec<Known>,
    /// Where each of them is, by number.
    index: HashMap<u64, u32, Quick>,
    /// What cells say of a key: a column of sums for each.
    pub columns: Keys,
}

#[derive(Clone, Copy)]
struct Known {
    number: u64,
    place: u32,
}

/// A page's cells, walking along a shape.
pub(super) struct Walk<'w> {
    shape: &'w Shape,
    next: usize,
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
    /// Takes in a new cell with its place.
    pub fn learn(&mut self, number: u64, place: u32) {
        let at = u32::try_from(self.cells.len()).unwrap_or(u32::MAX);
        self.index.insert(number, at);
        self.cells.push(Known { number, place });
    }
}

impl<'w> Walk<'w> {
    pub fn along(
        shape: &'w Shape,
        sums: &'w mut [u64],
        measured: bool,
        new: &'w mut Vec<(u64, Cell)>,
    ) -> Self {
        Self { shape, next: 0, sums, measured, new }
    }

    /// Adds the next cell up.
    #[inline(always)]
    pub fn step(&mut self, number: u64, cell: Cell) {
        match self.shape.cells.get(self.next) {
            Some(known) if known.number == number => {
                self.next += 1;
                add(self.sums, known.place, cell, self.measured);
            }
            _ => self.step_aside(number, cell),
        }
    }

    #[inline(never)]
    fn step_aside(&mut self, number: u64, cell: Cell) {
        let at = self.shape.index.get(&number).map(|at| *at as usize);
        match at.and_then(|at| Some((at, self.shape.cells.get(at)?))) {
            Some((at, known)) => {
                self.next = at + 1;
                add(self.sums, known.place, cell, self.measured);
            }
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
