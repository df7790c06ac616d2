//! Where blocks lie in one journal file: sparse, in memory, made on append or by reading the heads
//! of the frames.

use super::frame::HEADER_BYTES;

/// Bytes of frames between two entries. Reading a block walks at most so many bytes of heads.
const ENTRY_EVERY_BYTES: u64 = 256 * 1024;

/// The sparse index of one file.
#[derive(Debug, Clone)]
pub(super) struct FileIndex {
    /// (block, offset of its frame), rising, never empty: the first entry is the file's first
    /// block, whether it is there yet or not.
    entries: Vec<(u64, u64)>,
    /// The number that the next frame will have.
    pub next: u64,
    /// The offset at which the next frame will begin.
    pub end: u64,
}

impl FileIndex {
    /// The index of a file without frames.
    pub fn new(first: u64) -> Self {
        let end = HEADER_BYTES as u64;
        Self { entries: vec![(first, end)], next: first, end }
    }

    /// Notes the next frame.
    pub fn push(&mut self, frame_bytes: u64) {
        let last = self.entries.last().map_or(0, |(_, offset)| *offset);
        if self.end - last >= ENTRY_EVERY_BYTES {
            self.entries.push((self.next, self.end));
        }
        self.next += 1;
        self.end += frame_bytes;
    }

    /// The nearest noted (block, offset) at or before a block of this file.
    pub fn near(&self, number: u64) -> (u64, u64) {
        let after = self.entries.partition_point(|(block, _)| *block <= number);
        let at = after.saturating_sub(1);
        self.entries.get(at).copied().unwrap_or((self.next, self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_entry_is_at_most_one_stride_before_the_block() {
        let mut index = FileIndex::new(7);
        let mut offsets = Vec::new();
        for block in 7..5_000u64 {
            offsets.push((block, index.end));
            index.push(100 + block % 1_000);
        }
        assert!(index.entries.len() > 5);
        for (block, offset) in offsets {
            let (near, near_offset) = index.near(block);
            assert!(near <= block && near_offset <= offset);
            assert!(offset - near_offset < ENTRY_EVERY_BYTES + 1_100);
        }
    }
}
