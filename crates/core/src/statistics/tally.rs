//! Adding up the cells of a cube, by group.
//!
//! What a page, the ordinal in a cell's number and the lowest bits of that number say of a group is
//! worked out once for each; from then on a cell costs two looks into tables:
//!
//! ```text
//!  page + ordinal ─▶ row ─────┐
//!                             ├─▶ place among the sums
//!  lowest bits ────▶ column ──┘
//! ```

use std::collections::HashMap;

use lienthong_model::limits::{AGENCIES_MAX, STATISTICS_ROWS_MAX, STATISTICS_SUMS_MAX};

use super::asked::{Asked, Key};
use super::cubes::CubeName;
use super::page::{Batch, Cell, Cells, PageKey};
use super::quick::Quick;
use crate::engine::EngineError;

/// What stands in a table for what was not worked out yet.
const UNKNOWN: u32 = u32::MAX;
/// And for what does not count: a place behind all sums, whatever is added to it.
const UNASKED: u32 = u32::MAX - 1;

/// Keys, or parts of them, numbered as they come.
#[derive(Default)]
struct Keys {
    known: HashMap<Key, u32, Quick>,
    all: Vec<Key>,
}

/// What was worked out of ordinals; the centre comes first.
#[derive(Default)]
struct Ordinals {
    near: Vec<u32>,
    /// Those that no country has so many of.
    far: HashMap<u32, u32, Quick>,
}

/// The sums of one cube.
pub(super) struct Tally {
    cube: CubeName,
    /// Sums of a row: of each of its columns as many as are asked for.
    stride: usize,
    /// By the lowest bits of a number: where in a row a cell is added up.
    columns: Vec<u32>,
    column_keys: Keys,
    /// By ordinal: the number of what it says of a key.
    ordinals: Ordinals,
    ordinal_keys: Keys,
    page_keys: Keys,
    /// By what a page and an ordinal say: where their row begins among the sums.
    begins: Vec<Vec<u32>>,
    row_keys: Vec<Key>,
    sums: Vec<u64>,
}

/// A page under way.
struct OfPage<'w, 'q> {
    tally: &'w mut Tally,
    asked: &'w Asked<'q>,
    page_key: Key,
    /// By what an ordinal says: where its row begins.
    begins: Vec<u32>,
}

/// What is known, while cells are added up.
struct Known<'k> {
    low_bits: u32,
    columns: &'k [u32],
    ordinals: &'k [u32],
    begins: &'k [u32],
}

impl Tally {
    pub fn new(cube: CubeName, asked: &Asked<'_>) -> Self {
        Self {
            cube,
            stride: asked.columns_max(cube) * asked.slots().width(),
            columns: Vec::new(),
            column_keys: Keys::default(),
            ordinals: Ordinals::default(),
            ordinal_keys: Keys::default(),
            page_keys: Keys::default(),
            begins: Vec::new(),
            row_keys: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// Whether there are more groups, or more sums, than an answer may have.
    pub fn is_full(&self) -> bool {
        self.row_keys.len() > STATISTICS_ROWS_MAX || self.sums.len() > STATISTICS_SUMS_MAX
    }

    /// Adds the cells of a page up.
    ///
    /// # Errors
    /// [`EngineError`] when the page is damaged.
    pub fn page(
        &mut self,
        asked: &Asked<'_>,
        page: PageKey,
        cells: Cells<'_>,
    ) -> Result<(), EngineError> {
        let Some(page_key) = asked.key_of_page(self.cube, page).filter(|_| !self.is_full()) else {
            return Ok(());
        };
        let nth = self.page_keys.number(page_key) as usize;
        self.begins.resize_with(self.begins.len().max(nth + 1), Vec::new);
        let begins = std::mem::take(&mut self.begins[nth]);
        let mut page = OfPage { tally: self, asked, page_key, begins };
        let walked = cells.batches(asked.slots().measured(), |batch| page.add(batch));
        let begins = page.begins;
        self.begins[nth] = begins;
        walked
    }

    /// Calls with every group in which something was counted, and its sums.
    pub fn each<'t>(&'t self, width: usize, mut found: impl FnMut(Key, &'t [u64])) {
        for (of_row, row) in self.row_keys.iter().zip(self.sums.chunks_exact(self.stride)) {
            for (of_column, sums) in self.column_keys.all.iter().zip(row.chunks_exact(width)) {
                if sums.iter().any(|sum| *sum != 0) {
                    let mut key = *of_row;
                    key.iter_mut().zip(of_column).for_each(|(place, number)| *place |= number);
                    found(key, sums);
                }
            }
        }
    }
}

impl OfPage<'_, '_> {
    /// Adds some cells up.
    fn add(&mut self, batch: Batch<'_>) {
        let measured = self.asked.slots().measured();
        let mut from = 0;
        loop {
            let tally = &mut *self.tally;
            let known = Known {
                low_bits: tally.cube.low_bits(),
                columns: &tally.columns,
                ordinals: &tally.ordinals.near,
                begins: &self.begins,
            };
            from = match measured {
                true => known.add::<true>(batch, from, &mut tally.sums),
                false => known.add::<false>(batch, from, &mut tally.sums),
            };
            let (Some(number), Some(count)) = (batch.numbers.get(from), batch.counts.get(from))
            else {
                return;
            };
            let measure = batch.measures.get(from).copied().unwrap_or(0);
            self.add_unknown(*number, Cell { count: *count, measure });
            from += 1;
        }
    }

    /// Adds a cell up of which something was not worked out yet.
    #[inline(never)]
    fn add_unknown(&mut self, number: u64, cell: Cell) {
        let low_bits = self.tally.cube.low_bits();
        let column = self.column(number & ((1 << low_bits) - 1));
        if column == UNASKED {
            return;
        }
        #[allow(clippy::cast_possible_truncation)] // Above the lowest bits are 32.
        let begin = self.row((number >> low_bits) as u32);
        let place = begin as usize + column as usize;
        let measured = self.asked.slots().measured();
        if let Some(sum) = self.tally.sums.get_mut(place) {
            *sum += cell.count;
            if measured && let Some(sum) = self.tally.sums.get_mut(place + 1) {
                *sum += cell.measure;
            }
        }
    }

    /// Where a cell with these lowest bits is in a row.
    #[allow(clippy::cast_possible_truncation)] // The lowest bits are 16 at most.
    fn column(&mut self, low: u64) -> u32 {
        match self.tally.columns.get(low as usize) {
            Some(known) if *known != UNKNOWN => *known,
            _ => self.learn_column(low),
        }
    }

    /// Where the row of an ordinal begins.
    fn row(&mut self, ordinal: u32) -> u32 {
        let nth = match self.tally.ordinals.get(ordinal) {
            UNKNOWN => self.learn_ordinal(ordinal),
            known => known,
        };
        match self.begins.get(nth as usize) {
            _ if nth == UNASKED => UNASKED,
            Some(begin) if *begin != UNKNOWN => *begin,
            _ => self.new_row(nth),
        }
    }

    #[allow(clippy::cast_possible_truncation)] // The lowest bits are 16 at most.
    fn learn_column(&mut self, low: u64) -> u32 {
        let tally = &mut *self.tally;
        let width = self.asked.slots().width();
        let place = self.asked.key_of_low(tally.cube, low).and_then(|key| {
            let at = tally.column_keys.number(key) as usize * width;
            // A value that this version does not know is in no column that there can be.
            let place = at + self.asked.slots().slot(tally.cube, low);
            u32::try_from(place).ok().filter(|_| place < tally.stride)
        });
        let (place, low) = (place.unwrap_or(UNASKED), low as usize);
        tally.columns.resize(tally.columns.len().max(low + 1), UNKNOWN);
        tally.columns[low] = place;
        place
    }

    fn learn_ordinal(&mut self, ordinal: u32) -> u32 {
        let key = self.asked.key_of_ordinal(self.tally.cube, ordinal);
        let number = key.map_or(UNASKED, |key| self.tally.ordinal_keys.number(key));
        self.tally.ordinals.put(ordinal, number);
        number
    }

    fn new_row(&mut self, nth: u32) -> u32 {
        let tally = &mut *self.tally;
        if tally.is_full() {
            return UNASKED;
        }
        let mut key = self.page_key;
        let of_ordinal = tally.ordinal_keys.all[nth as usize];
        key.iter_mut().zip(of_ordinal).for_each(|(place, number)| *place |= number);
        let begin = u32::try_from(tally.sums.len()).unwrap_or(UNASKED);
        tally.sums.resize(tally.sums.len() + tally.stride, 0);
        tally.row_keys.push(key);
        let nth = nth as usize;
        self.begins.resize(self.begins.len().max(nth + 1), UNKNOWN);
        self.begins[nth] = begin;
        begin
    }
}

impl Known<'_> {
    /// Adds cells up, from one on, until one of which something is not known; returns which.
    #[allow(clippy::cast_possible_truncation)] // Above the lowest bits are 32.
    fn add<const MEASURED: bool>(&self, batch: Batch<'_>, from: usize, sums: &mut [u64]) -> usize {
        let mask = (1 << self.low_bits) - 1;
        let mut before = u64::MAX;
        let mut begin = UNASKED as usize;
        let all = batch.numbers.iter().zip(batch.counts).zip(batch.measures).enumerate();
        for (at, ((number, count), measure)) in all.skip(from) {
            let column = self.columns.get((number & mask) as usize).copied().unwrap_or(UNKNOWN);
            match column {
                UNASKED => continue,
                UNKNOWN => return at,
                _ => {}
            }
            let ordinal = number >> self.low_bits;
            if ordinal != before {
                match self.row(ordinal as u32) {
                    UNKNOWN => return at,
                    known => begin = known as usize,
                }
                before = ordinal;
            }
            let place = begin + column as usize;
            if let Some(sum) = sums.get_mut(place) {
                *sum += count;
                if MEASURED && let Some(sum) = sums.get_mut(place + 1) {
                    *sum += measure;
                }
            }
        }
        batch.numbers.len()
    }

    fn row(&self, ordinal: u32) -> u32 {
        match self.ordinals.get(ordinal.wrapping_add(1) as usize) {
            None | Some(&UNKNOWN) => UNKNOWN,
            Some(&UNASKED) => UNASKED,
            Some(nth) => self.begins.get(*nth as usize).copied().unwrap_or(UNKNOWN),
        }
    }
}

impl Keys {
    /// The number of a key; a new one gets the next.
    fn number(&mut self, key: Key) -> u32 {
        *self.known.entry(key).or_insert_with(|| {
            self.all.push(key);
            u32::try_from(self.all.len() - 1).unwrap_or(UNASKED)
        })
    }
}

impl Ordinals {
    fn get(&self, ordinal: u32) -> u32 {
        match self.near.get(ordinal.wrapping_add(1) as usize) {
            Some(known) => *known,
            None => self.far.get(&ordinal).copied().unwrap_or(UNKNOWN),
        }
    }

    fn put(&mut self, ordinal: u32, number: u32) {
        let place = ordinal.wrapping_add(1) as usize;
        if place > AGENCIES_MAX {
            self.far.insert(ordinal, number);
            return;
        }
        self.near.resize(self.near.len().max(place + 1), UNKNOWN);
        self.near[place] = number;
    }
}
