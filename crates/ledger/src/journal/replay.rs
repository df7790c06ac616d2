//! Streaming the journal, a block at a time.

use std::sync::Arc;

use lienthong_core::block::SealedBlock;
use lienthong_core::engine::{Blocks as _, EngineError, Marker};

use super::blocks::{JournalBlocks, JournalFile};
use super::image::Image;
use super::recover::follows;
use crate::disk::damaged;

/// The blocks from a number to the end that the journal had when the stream was made.
#[derive(Debug)]
pub struct Replay {
    blocks: JournalBlocks,
    next: u64,
    end: u64,
    /// The block before `next`, once one was read.
    last: Option<Marker>,
    reading: Option<Reading>,
}

/// The file that is being read, and where.
#[derive(Debug)]
struct Reading {
    file: Arc<JournalFile>,
    open: Arc<Image>,
    offset: u64,
}

impl Replay {
    pub(super) fn new(blocks: JournalBlocks, from: u64) -> Self {
        let end = blocks.end().map_or(0, |end| end.block);
        Self { blocks, next: from, end, last: None, reading: None }
    }

    /// The last block that the stream will give; 0 when the journal is empty.
    pub fn end(&self) -> u64 {
        self.end
    }

    fn read(&mut self) -> Result<SealedBlock, EngineError> {
        let reading = self.seek()?;
        let offset = reading.offset;
        let (block, after) = reading.file.block(&reading.open, offset, self.next)?;
        if let Some(last) = self.last {
            follows(&reading.file.path, offset, last, &block)?;
        }
        self.last = Some(block.marker);
        self.reading = Some(Reading { offset: after, ..reading });
        Ok(block)
    }

    /// Where the next block lies: behind the last one, or in another file.
    fn seek(&mut self) -> Result<Reading, EngineError> {
        let shared = &self.blocks.shared;
        let Some((file, after)) = shared.file_of(self.next) else {
            return Err(damaged(format!("block {}", self.next), "no journal file holds it"));
        };
        match self.reading.take() {
            Some(reading) if reading.file.header.first == file.header.first => Ok(reading),
            _ => {
                let open = shared.open(&file)?;
                let offset = shared.offset_of(self.next, &file, after, &open)?;
                Ok(Reading { file, open, offset })
            }
        }
    }
}

impl Iterator for Replay {
    type Item = Result<SealedBlock, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.end {
            return None;
        }
        let block = self.read();
        self.next = if block.is_ok() { self.next + 1 } else { u64::MAX };
        Some(block)
    }
}
