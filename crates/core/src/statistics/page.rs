//! Pages: the cells of one period and part of a cube, in memory while they change, and as rows.
//!
//! A row: the last block folded into it and how many cells there are, both LEB128, then columns (see
//! [`super::packed`]): for each cell, in order, the difference of its number to the one before; how
//! many; the second measure, unless none of them has one. Stable.

use lienthong_model::Ordinal;

use super::packed::{self, BLOCK, Column};
use super::period::PageGrain;
use crate::engine::EngineError;

/// Which page of a cube. Stable: it is the key of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PageKey {
    pub grain: PageGrain,
    /// Which hour, day, ten days or month.
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
    /// The last block folded into it when it was last read or written.
    written: u64,
    /// The numbers of its cells, in order, and the cells: apart, so that a search touches little
    /// memory.
    numbers: Vec<u64>,
    cells: Vec<Cell>,
}

/// What a block adds to a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Added {
    pub block: u64,
    /// The cell's number.
    pub number: u64,
    pub cell: Cell,
}

/// The cells of a page, open or in a row, in the order of their numbers.
#[derive(Clone, Copy)]
pub(super) enum Cells<'a> {
    Open(&'a Page),
    Row(&'a [u8]),
}

/// Some cells of a page, as columns.
#[derive(Clone, Copy)]
pub(super) struct Batch<'b> {
    pub numbers: &'b [u64],
    pub counts: &'b [u64],
    /// Zeros, unless measures are wanted.
    pub measures: &'b [u64],
}

impl Page {
    pub fn read(row: &[u8]) -> Result<Self, EngineError> {
        let mut page = Self::default();
        let row = Row::read(row, true)?;
        (page.as_of, page.written) = (row.as_of, row.as_of);
        row.batches(|batch| {
            batch.each(&mut |number, cell| {
                page.numbers.push(number);
                page.cells.push(cell);
            });
        });
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
        let mut row = Vec::with_capacity(16 + 8 * self.cells.len());
        write_number(&mut row, self.as_of);
        write_number(&mut row, self.cells.len() as u64);
        let before = std::iter::once(0).chain(self.numbers.iter().copied());
        packed::write(
            &mut row,
            self.numbers.iter().zip(before).map(|(number, last)| number - last),
        );
        packed::write(&mut row, self.cells.iter().map(|cell| cell.count));
        if self.cells.iter().any(|cell| cell.measure != 0) {
            packed::write(&mut row, self.cells.iter().map(|cell| cell.measure));
        }
        row
    }

    /// Adds to cells, in the order of their numbers; not what a block adds that the page had when it
    /// was last read or written.
    pub fn add(&mut self, added: impl Iterator<Item = Added>) {
        let (written, mut at) = (self.written, 0);
        for Added { block, number, cell } in added.filter(|added| added.block > written) {
            self.as_of = self.as_of.max(block);
            let found = match self.numbers.get(at) {
                Some(same) if *same == number => Ok(0),
                _ => self.numbers[at..].binary_search(&number),
            };
            match found {
                Ok(further) => {
                    at += further;
                    self.cells[at] += cell;
                }
                Err(further) => {
                    at += further;
                    self.numbers.insert(at, number);
                    self.cells.insert(at, cell);
                }
            }
        }
    }

    /// Returns whether it has changed since it was last read or written; from now on it is as written.
    pub fn settle(&mut self) -> bool {
        let changed = self.as_of > self.written;
        self.written = self.as_of;
        changed
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
    pub fn each(self, mut visit: impl FnMut(u64, Cell)) -> Result<(), EngineError> {
        self.batches(true, |batch| batch.each(&mut visit))
    }

    /// Visits the cells, some at a time; without their second measure where it is not wanted, which
    /// is quicker.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when a row ends within a cell.
    pub fn batches(
        self,
        measured: bool,
        mut visit: impl FnMut(Batch<'_>),
    ) -> Result<(), EngineError> {
        let page = match self {
            Self::Row(row) => {
                Row::read(row, measured)?.batches(visit);
                return Ok(());
            }
            Self::Open(page) => page,
        };
        let mut counts = [0; BLOCK];
        let mut measures = [0; BLOCK];
        for (numbers, cells) in page.numbers.chunks(BLOCK).zip(page.cells.chunks(BLOCK)) {
            for ((count, measure), cell) in counts.iter_mut().zip(&mut measures).zip(cells) {
                (*count, *measure) = (cell.count, cell.measure);
            }
            let (counts, measures) = (&counts[..cells.len()], &measures[..cells.len()]);
            visit(Batch { numbers, counts, measures });
        }
        Ok(())
    }
}

impl Batch<'_> {
    /// Visits each of its cells, by their numbers.
    pub fn each(self, visit: &mut impl FnMut(u64, Cell)) {
        let Self { numbers, counts, measures } = self;
        for ((number, count), measure) in numbers.iter().zip(counts).zip(measures) {
            visit(*number, Cell { count: *count, measure: *measure });
        }
    }
}

/// A row, before its cells are read.
struct Row<'a> {
    as_of: u64,
    cells: usize,
    numbers: Column<'a>,
    counts: Column<'a>,
    measures: Option<Column<'a>>,
}

impl<'a> Row<'a> {
    /// Finds the columns of a row; that of the second measure only where it is wanted.
    fn read(row: &'a [u8], measured: bool) -> Result<Self, EngineError> {
        let columns = || {
            let mut rest = row;
            let as_of = read_number(&mut rest)?;
            let cells = usize::try_from(read_number(&mut rest)?).ok()?;
            let (numbers, rest) = Column::split(rest, cells)?;
            let (counts, rest) = Column::split(rest, cells)?;
            let measures = match measured && !rest.is_empty() {
                true => Some(Column::split(rest, cells).filter(|(_, rest)| rest.is_empty())?.0),
                false => None,
            };
            Some(Self { as_of, cells, numbers, counts, measures })
        };
        columns().ok_or_else(|| damaged("it ends within a cell"))
    }

    fn batches(mut self, mut visit: impl FnMut(Batch<'_>)) {
        let mut room = [[0; BLOCK]; 3];
        let [numbers, counts, measures] = &mut room;
        let mut number = 0u64;
        let mut left = self.cells;
        while left > 0 {
            let some = left.min(BLOCK);
            let (numbers, counts) = (&mut numbers[..some], &mut counts[..some]);
            self.numbers.next(numbers);
            for step in &mut *numbers {
                number = number.wrapping_add(*step);
                *step = number;
            }
            self.counts.next(counts);
            let measures = &mut measures[..some];
            if let Some(column) = &mut self.measures {
                column.next(measures);
            }
            visit(Batch { numbers, counts, measures });
            left -= some;
        }
    }
}

fn damaged(why: &str) -> EngineError {
    EngineError::Damaged { what: "statistics page".to_owned(), why: why.to_owned() }
}

fn write_number(row: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        row.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    row.push(number.to_le_bytes()[0]);
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
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

    fn cells(page: &Page) -> Vec<(u64, Cell)> {
        let mut cells = Vec::new();
        Cells::Open(page).each(|number, cell| cells.push((number, cell))).unwrap();
        cells
    }

    fn add(page: &mut Page, block: u64, number: u64, cell: Cell) {
        page.add(std::iter::once(Added { block, number, cell }));
    }

    proptest! {
        #[test]
        fn a_page_is_read_back(
            as_of in 1..u64::MAX,
            added in prop::collection::vec((0..1u64 << 62, any::<u64>(), any::<u64>()), 0..40),
        ) {
            let mut page = Page::default();
            for (number, count, measure) in added {
                add(&mut page, as_of, number, Cell { count, measure });
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
        add(&mut page, 7, 1, Cell::ONE);
        add(&mut page, 7, 1, Cell::ONE);
        let mut again = Page::read(&page.row()).unwrap();
        add(&mut again, 6, 1, Cell::ONE);
        add(&mut again, 7, 1, Cell::ONE);
        assert!(!again.settle(), "nothing was added");
        assert_eq!(cells(&again)[0].1.count, 2);
        add(&mut again, 8, 1, Cell::ONE);
        assert_eq!(cells(&again)[0].1.count, 3);
        assert!(again.settle());
        add(&mut again, 8, 1, Cell::ONE);
        assert_eq!(cells(&again)[0].1.count, 3);
    }

    #[test]
    fn cells_that_are_added_to_together_are_those_that_are_added_to_one_by_one() {
        let numbers = [2, 2, 3, 7, 7, 9];
        let added = numbers.map(|number| Added { block: number, number, cell: Cell::ONE });
        let mut together = Page::default();
        add(&mut together, 1, 7, Cell::ONE);
        let mut apart = together.clone();
        together.add(added.into_iter());
        added.into_iter().rev().for_each(|one| apart.add(std::iter::once(one)));
        assert_eq!(cells(&together), cells(&apart));
        assert_eq!(together.row(), apart.row());
        assert_eq!(together.as_of(), 9);
    }
}
