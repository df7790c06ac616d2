//! Pages: the cells of one period and province, in memory while they change, and as rows.
//!
//! A row: the last block folded into it, then the cells in order, each as the difference of its
//! number to the one before, how many, and the second measure; all of them LEB128. Stable.

use std::collections::BTreeMap;

use lienthong_model::Ordinal;

use super::period::Grain;
use crate::engine::EngineError;

/// Which page of a cube. Stable: it is the key of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PageKey {
    pub grain: Grain,
    /// Which hour, day or month.
    pub number: i32,
    /// None for the centre.
    pub province: Option<Ordinal>,
    /// A part of the province's cells; 0 in a cube whose pages are small enough without.
    pub part: u8,
}

/// What a cell adds up: how many, and bytes (*flow*), pages (*kind*) or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// How many.
    pub count: u64,
    /// The cube's second measure.
    pub measure: u64,
}

impl Cell {
    /// One, without a measure.
    pub const ONE: Self = Self { count: 1, measure: 0 };
}

impl std::ops::AddAssign for Cell {
    fn add_assign(&mut self, more: Self) {
        self.count = self.count.saturating_add(more.count);
        self.measure = self.measure.saturating_add(more.measure);
    }
}

/// An open page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The last block folded into it.
    pub as_of: u64,
    /// Cells by their numbers.
    pub cells: BTreeMap<u64, Cell>,
    /// Whether it has changed since it was last written.
    pub dirty: bool,
}

impl Page {
    pub fn read(row: &[u8]) -> Result<Self, EngineError> {
        let mut cells = BTreeMap::new();
        let as_of = visit(row, &mut |number, cell| {
            cells.insert(number, cell);
        })?;
        Ok(Self { as_of, cells, dirty: false })
    }

    pub fn row(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(8 + 6 * self.cells.len());
        write_number(&mut row, self.as_of);
        let mut last = 0;
        for (number, cell) in &self.cells {
            write_number(&mut row, number - last);
            write_number(&mut row, cell.count);
            write_number(&mut row, cell.measure);
            last = *number;
        }
        row
    }

    /// Adds to a cell, unless the page has the block: a block may hold several events for one page.
    pub fn add(&mut self, block: u64, number: u64, add: Cell) {
        let under_way = self.dirty && self.as_of == block;
        if self.as_of >= block && !under_way {
            return;
        }
        self.as_of = block;
        self.dirty = true;
        *self.cells.entry(number).or_default() += add;
    }
}

/// Visits the cells of a row, by their numbers; returns the last block folded into it.
pub(super) fn visit(row: &[u8], visit: &mut dyn FnMut(u64, Cell)) -> Result<u64, EngineError> {
    let damaged = || EngineError::Damaged {
        what: format!("statistics page ({} bytes)", row.len()),
        why: "it ends within a cell".to_owned(),
    };
    let mut rest = row;
    let as_of = read_number(&mut rest).ok_or_else(damaged)?;
    let mut number = 0u64;
    while !rest.is_empty() {
        let step = read_number(&mut rest).ok_or_else(damaged)?;
        let count = read_number(&mut rest).ok_or_else(damaged)?;
        let measure = read_number(&mut rest).ok_or_else(damaged)?;
        number = number.wrapping_add(step);
        visit(number, Cell { count, measure });
    }
    Ok(as_of)
}

fn write_number(row: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        row.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    row.push(number.to_le_bytes()[0]);
}

#[inline]
fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_page_is_read_back(
            as_of in any::<u64>(),
            cells in prop::collection::btree_map(any::<u64>(), (any::<u64>(), any::<u64>()), 0..40),
        ) {
            let cells = cells.into_iter().map(|(number, (count, measure))| {
                (number, Cell { count, measure })
            });
            let page = Page { as_of, cells: cells.collect(), dirty: true };
            let read = Page::read(&page.row()).unwrap();
            prop_assert_eq!((read.as_of, read.cells), (page.as_of, page.cells));
        }

        #[test]
        fn bytes_that_are_no_page_are_refused_or_read_but_nothing_panics(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let _ = Page::read(&bytes);
        }
    }

    #[test]
    fn a_block_is_folded_once_into_a_page_that_was_written() {
        let mut page = Page::default();
        page.add(7, 1, Cell::ONE);
        page.add(7, 1, Cell::ONE);
        let mut again = Page::read(&page.row()).unwrap();
        again.add(6, 1, Cell::ONE);
        again.add(7, 1, Cell::ONE);
        assert_eq!(again.cells[&1].count, 2);
        again.add(8, 1, Cell::ONE);
        assert_eq!(again.cells[&1].count, 3);
    }
}
