//! Columns of numbers in a row: each number in 1, 2, 4 or 8 bytes, of which two bits tell.
//!
//! A processor reads them without guessing how long the next one is, which is what costs most where
//! numbers of one byte and of two come as they like. Stable: for every four numbers a byte of widths
//! (the first number's in the lowest two bits; 0, 1, 2, 3 for 1, 2, 4, 8 bytes), then the numbers,
//! little-endian.

/// What the width of a number leaves of eight bytes.
const MASKS: [u64; 4] = [0xff, 0xffff, 0xffff_ffff, u64::MAX];

/// How many bytes four numbers have together, by their widths.
const LENGTHS: [u8; 256] = {
    let mut lengths = [0; 256];
    let mut widths = 0;
    while widths < lengths.len() {
        let [a, b, c, d] = [widths & 3, (widths >> 2) & 3, (widths >> 4) & 3, widths >> 6];
        lengths[widths] = (1 << a) + (1 << b) + (1 << c) + (1 << d);
        widths += 1;
    }
    lengths
};

/// A column that is being read.
pub(super) struct Column<'a> {
    widths: &'a [u8],
    /// The numbers, and whatever follows them in the row: eight bytes are read of each.
    numbers: &'a [u8],
    /// How many bytes the numbers have.
    length: usize,
    /// How many numbers were read, and where the next one is.
    read: usize,
    at: usize,
}

/// Appends a column to a row.
pub(super) fn write(row: &mut Vec<u8>, numbers: impl Iterator<Item = u64> + Clone) {
    let width = |number: u64| MASKS.iter().position(|mask| number <= *mask).unwrap_or(3);
    let mut widths = 0u8;
    let mut filled = 0;
    for number in numbers.clone() {
        widths |= u8::try_from(width(number) << (2 * filled)).unwrap_or(0);
        filled += 1;
        if filled == 4 {
            row.push(std::mem::take(&mut widths));
            filled = 0;
        }
    }
    if filled > 0 {
        row.push(widths);
    }
    for number in numbers {
        row.extend_from_slice(&number.to_le_bytes()[..1 << width(number)]);
    }
}

impl<'a> Column<'a> {
    /// Takes a column of so many numbers from the beginning of some bytes, with the bytes that
    /// follow it; `None` when they end within it.
    pub fn split(bytes: &'a [u8], count: usize) -> Option<(Self, &'a [u8])> {
        let (widths, numbers) = bytes.split_at_checked(count.div_ceil(4))?;
        let all: usize = widths.iter().map(|four| usize::from(LENGTHS[usize::from(*four)])).sum();
        // The last byte of widths tells of four numbers, too; those that are not there have one byte.
        let length = all.checked_sub(widths.len() * 4 - count)?;
        let rest = numbers.get(length..)?;
        Some((Self { widths, numbers, length, read: 0, at: 0 }, rest))
    }

    /// Reads the next number; behind the last one there is nothing but zeros or what follows.
    #[inline(always)]
    pub fn next(&mut self) -> u64 {
        let widths = self.widths.get(self.read / 4).copied().unwrap_or(0);
        let width = usize::from((widths >> (2 * (self.read % 4))) & 3);
        self.read += 1;
        let rest = self.numbers.get(self.at..).unwrap_or_default();
        let eight = match rest.first_chunk::<8>() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => last(rest),
        };
        self.at += 1 << width;
        eight & MASKS[width]
    }

    /// Whether as many bytes were read as there are.
    pub fn is_read(&self) -> bool {
        self.at == self.length
    }
}

/// The last bytes of a row, fewer than eight.
#[inline(never)]
fn last(rest: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight.iter_mut().zip(rest).for_each(|(byte, rest)| *byte = *rest);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn columns_are_read_back(
            first in prop::collection::vec(any::<u64>(), 0..40),
            shift in 0..64u32,
            after in prop::collection::vec(any::<u8>(), 0..10),
        ) {
            let first: Vec<u64> = first.iter().map(|number| number >> (shift % 64)).collect();
            let mut row = Vec::new();
            write(&mut row, first.iter().copied());
            row.extend_from_slice(&after);
            let (mut column, rest) = Column::split(&row, first.len()).unwrap();
            prop_assert_eq!(rest, &after[..]);
            let read: Vec<u64> = first.iter().map(|_| column.next()).collect();
            prop_assert_eq!(read, first);
            prop_assert!(column.is_read());
        }

        #[test]
        fn bytes_that_are_no_column_do_no_harm(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            count in 0..80usize,
        ) {
            if let Some((mut column, rest)) = Column::split(&bytes, count) {
                prop_assert!(rest.len() <= bytes.len());
                (0..count + 3).for_each(|_| {
                    column.next();
                });
            }
        }
    }
}
