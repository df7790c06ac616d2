//! Pages: the cells of one period and part of a cube, in memory while they change, and as rows.
//!
//! A row: the last block folded into it, then the cells in order: twice the difference of its
//! number to the one before, plus one if it has a second measure; how many; the second measure, if
//! it has one. All of them LEB128. Stable.

use lienthong_model::Ordinal;

use super::period::Grain;
use crate::engine::EngineError;

/// Which page of a cube. Stable: it is the key of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PageKey {
    pub grain: Grain,
    /// Which hour, day or month.
    pub number: i32,
    /// Of a cube that has pages for each province: which; none for the centre. None in the others.
    pub province: Option<Ordinal>,
    /// A part of the cells, see [`super::cells`].
    pub part: u32,
}

/// What a cell adds up: how many, and bytes (of exchange), pages (of documents) or nothing.
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
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    /// The last block folded into it.
    as_of: u64,
    /// The numbers of its cells, in order, and the cells: apart, so that a search touches little
    /// memory.
    numbers: Vec<u64>,
    cells: Vec<Cell>,
    /// Whether it has changed since it was last written.
    pub dirty: bool,
}

/// The cells of a page, open or in a row, in the order of their numbers.
#[derive(Clone, Copy)]
pub(super) enum Cells<'a> {
    Open(&'a Page),
    Row(&'a [u8]),
}

impl Page {
    pub fn read(row: &[u8]) -> Result<Self, EngineError> {
        let mut page = Self::default();
        page.as_of = each_of_row(row, |number, cell| {
            page.numbers.push(number);
            page.cells.push(cell);
        })?;
        Ok(page)
    }

    /// The last block folded into it.
    pub fn as_of(&self) -> u64 {
        self.as_of
    }

    /// Its cells, by their numbers.
    pub fn cells(&self) -> impl Iterator<Item = (u64, Cell)> {
        self.numbers.iter().copied().zip(self.cells.iter().copied())
    }

    pub fn row(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(8 + 6 * self.cells.len());
        write_number(&mut row, self.as_of);
        let mut last = 0;
        for (number, cell) in self.numbers.iter().zip(&self.cells) {
            let measured = cell.measure != 0;
            write_number(&mut row, (number - last) << 1 | u64::from(measured));
            write_number(&mut row, cell.count);
            if measured {
                write_number(&mut row, cell.measure);
            }
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
        match self.numbers.binary_search(&number) {
            Ok(at) => self.cells[at] += add,
            Err(at) => {
                self.numbers.insert(at, number);
                self.cells.insert(at, add);
            }
        }
    }
}

impl Cells<'_> {
    /// The page, to be kept.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when a row ends within a cell.
    pub fn page(self) -> Result<Page, EngineError> {
        match self {
            Self::Open(page) => Ok(page.clone()),
            Self::Row(row) => Page::read(row),
        }
    }

    /// Visits the cells, by their numbers.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when a row ends within a cell.
    #[inline]
    pub fn each(self, mut visit: impl FnMut(u64, Cell)) -> Result<(), EngineError> {
        match self {
            Self::Open(page) => {
                let cells = page.numbers.iter().zip(&page.cells);
                cells.for_each(|(number, cell)| visit(*number, *cell));
                Ok(())
            }
            Self::Row(row) => each_of_row(row, visit).map(drop),
        }
    }
}

/// Visits the cells of a row; returns the last block folded into it.
#[inline]
fn each_of_row(row: &[u8], mut visit: impl FnMut(u64, Cell)) -> Result<u64, EngineError> {
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
        let measure = match step & 1 {
            0 => 0,
            _ => read_number(&mut rest).ok_or_else(damaged)?,
        };
        number = number.wrapping_add(step >> 1);
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

/// Most numbers are one byte.
#[inline(always)]
fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let (byte, after) = rest.split_first()?;
    *rest = after;
    if byte & 0x80 == 0 {
        return Some(u64::from(*byte));
    }
    read_longer(u64::from(byte & 0x7f), rest)
}

fn read_longer(first: u64, rest: &mut &[u8]) -> Option<u64> {
    let mut number = first;
    for shift in (7..64).step_by(7) {
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

    fn cells(page: &Page) -> Vec<(u64, Cell)> {
        let mut cells = Vec::new();
        Cells::Open(page).each(|number, cell| cells.push((number, cell))).unwrap();
        cells
    }

    proptest! {
        #[test]
        fn a_page_is_read_back(
            as_of in 1..u64::MAX,
            added in prop::collection::vec((0..1u64 << 62, any::<u64>(), any::<u64>()), 0..40),
        ) {
            let mut page = Page::default();
            for (number, count, measure) in added {
                page.add(as_of, number, Cell { count, measure });
            }
            prop_assert!(cells(&page).is_sorted_by_key(|(number, _)| *number));
            let read = Page::read(&page.row()).unwrap();
            prop_assert_eq!(cells(&read), cells(&page));
            prop_assert!(page.numbers.is_empty() || read.as_of == as_of);
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
        assert_eq!(cells(&again)[0].1.count, 2);
        again.add(8, 1, Cell::ONE);
        assert_eq!(cells(&again)[0].1.count, 3);
    }
}
