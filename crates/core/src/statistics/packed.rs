//! Columns of numbers in a row, in blocks of 64 whose numbers have the same width.
//!
//! A processor reads such a block many numbers at a time and never has to guess how long the next one
//! is, which is what costs most where numbers of one byte and of two come as they like. **Stable:** a
//! block is a byte that says how many bytes each of its numbers has (1, 2, 4 or 8, as few as hold the
//! largest), then the numbers, little-endian; the last block of a column may have fewer than 64.

/// Numbers of a block.
pub(super) const BLOCK: usize = 64;

/// A column that is being read.
pub(super) struct Column<'a> {
    /// The blocks that were not read yet.
    blocks: &'a [u8],
}

/// Appends a column to a row.
pub(super) fn write(row: &mut Vec<u8>, numbers: impl Iterator<Item = u64>) {
    let mut block = Vec::with_capacity(BLOCK);
    let mut numbers = numbers.peekable();
    while numbers.peek().is_some() {
        block.clear();
        block.extend(numbers.by_ref().take(BLOCK));
        let largest = block.iter().copied().max().unwrap_or(0);
        let width = match largest {
            0..=0xff => 1u8,
            0x100..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        row.push(width);
        for number in &block {
            row.extend_from_slice(&number.to_le_bytes()[..usize::from(width)]);
        }
    }
}

impl<'a> Column<'a> {
    /// Takes a column of so many numbers from the beginning of some bytes, with the bytes that
    /// follow it; `None` when there is none.
    pub fn split(bytes: &'a [u8], count: usize) -> Option<(Self, &'a [u8])> {
        let (mut rest, mut left) = (bytes, count);
        while left > 0 {
            let some = left.min(BLOCK);
            let (width, after) = rest.split_first()?;
            if !matches!(width, 1 | 2 | 4 | 8) {
                return None;
            }
            rest = after.get(usize::from(*width) * some..)?;
            left -= some;
        }
        let blocks = bytes.get(..bytes.len() - rest.len())?;
        Some((Self { blocks }, rest))
    }

    /// Reads the numbers of the next block; there is room for as many as it has.
    pub fn next(&mut self, room: &mut [u64]) {
        let Some((width, rest)) = self.blocks.split_first() else { return };
        let (numbers, after) = rest.split_at(rest.len().min(usize::from(*width) * room.len()));
        self.blocks = after;
        match width {
            1 => spread::<1>(numbers, room),
            2 => spread::<2>(numbers, room),
            4 => spread::<4>(numbers, room),
            _ => spread::<8>(numbers, room),
        }
    }
}

/// Spreads numbers of some bytes over eight.
fn spread<const WIDTH: usize>(numbers: &[u8], room: &mut [u64]) {
    let (numbers, _) = numbers.as_chunks::<WIDTH>();
    for (place, number) in room.iter_mut().zip(numbers) {
        let mut eight = [0; 8];
        eight[..WIDTH].copy_from_slice(number);
        *place = u64::from_le_bytes(eight);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn columns_are_read_back(
            numbers in prop::collection::vec((any::<u64>(), 0..64u32), 0..300),
            after in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let numbers: Vec<u64> = numbers.iter().map(|(number, shift)| number >> shift).collect();
            let mut row = Vec::new();
            write(&mut row, numbers.iter().copied());
            row.extend_from_slice(&after);
            let (mut column, rest) = Column::split(&row, numbers.len()).unwrap();
            prop_assert_eq!(rest, &after[..]);
            let mut read = vec![0; numbers.len()];
            read.chunks_mut(BLOCK).for_each(|room| column.next(room));
            prop_assert_eq!(read, numbers);
        }

        #[test]
        fn bytes_that_are_no_column_do_no_harm(
            bytes in prop::collection::vec(prop_oneof![Just(1), Just(2), any::<u8>()], 0..200),
            count in 0..300usize,
        ) {
            if let Some((mut column, rest)) = Column::split(&bytes, count) {
                prop_assert!(rest.len() <= bytes.len());
                vec![0; count + 9].chunks_mut(BLOCK).for_each(|room| column.next(room));
            }
        }
    }
}
