//! A journal in memory: blocks that are kept until they are let go.

use std::collections::VecDeque;
use std::sync::Arc;

use lienthong_core::block::{Block, SealedBlock};
use lienthong_core::engine::{Blocks, EngineError, Journal, Marker};
use lienthong_model::Digest;
use lienthong_model::limits::BLOCK_BYTES_MAX;
use parking_lot::RwLock;

use crate::disk::damaged;

/// The blocks of a journal in memory; clones read the same journal. Whoever needs a block once only
/// lets it go afterwards ([`MemoryBlocks::forget_through`]).
#[derive(Debug, Clone, Default)]
pub struct MemoryBlocks {
    ordered: Arc<RwLock<Ordered>>,
}

#[derive(Debug, Default)]
struct Ordered {
    /// How many of the first blocks were let go.
    forgotten: u64,
    kept: VecDeque<SealedBlock>,
    last: Option<Marker>,
}

/// The writer of a journal in memory.
#[derive(Debug)]
pub struct MemoryJournal {
    blocks: MemoryBlocks,
    last: Marker,
    pending: VecDeque<SealedBlock>,
    poisoned: bool,
}

impl MemoryJournal {
    /// An empty journal, and the handle of its readers.
    pub fn new() -> (Self, MemoryBlocks) {
        let blocks = MemoryBlocks::default();
        (blocks.journal(), blocks)
    }

    fn append(&mut self, block: &SealedBlock) -> Result<(), EngineError> {
        let named = || format!("proposed block {}", block.marker.block);
        if block.marker.block != self.last.block + 1 || block.block.previous != self.last.hash {
            let why = format!("it does not follow block {} ({})", self.last.block, self.last.hash);
            return Err(damaged(named(), why));
        }
        if block.bytes.len() > BLOCK_BYTES_MAX {
            let why = format!("{} bytes, at most {BLOCK_BYTES_MAX}", block.bytes.len());
            return Err(damaged(named(), why));
        }
        self.last = block.marker;
        self.pending.push_back(block.clone());
        Ok(())
    }
}

impl MemoryBlocks {
    /// A writer that continues after the last ordered block, as an opening after a kill does: what
    /// another writer proposed and did not order is gone. One writer at a time is the caller's
    /// part.
    pub fn journal(&self) -> MemoryJournal {
        let last = self.end().unwrap_or(Marker { block: 0, hash: Digest([0; 32]) });
        MemoryJournal { blocks: self.clone(), last, pending: VecDeque::new(), poisoned: false }
    }

    /// The block with a number together with its bytes and hash; `None` past the end, and for one
    /// that was let go.
    pub fn sealed(&self, number: u64) -> Option<SealedBlock> {
        let ordered = self.ordered.read();
        let at = number.checked_sub(1)?.checked_sub(ordered.forgotten)?;
        ordered.kept.get(usize::try_from(at).ok()?).cloned()
    }

    /// Lets go of the blocks up to a number. The journal goes on after its last block as before.
    pub fn forget_through(&self, number: u64) {
        let mut ordered = self.ordered.write();
        while ordered.kept.front().is_some_and(|block| block.marker.block <= number) {
            ordered.kept.pop_front();
            ordered.forgotten += 1;
        }
    }
}

impl Journal for MemoryJournal {
    fn propose(&mut self, block: &SealedBlock) -> Result<(), EngineError> {
        if self.poisoned {
            return Err(damaged("journal", "an earlier call failed"));
        }
        let done = self.append(block);
        self.poisoned = done.is_err();
        done
    }

    fn read_ordered(&mut self) -> Result<Option<u64>, EngineError> {
        if self.poisoned {
            return Err(damaged("journal", "an earlier call failed"));
        }
        let Some(block) = self.pending.pop_front() else { return Ok(None) };
        let number = block.marker.block;
        let mut ordered = self.blocks.ordered.write();
        ordered.last = Some(block.marker);
        ordered.kept.push_back(block);
        Ok(Some(number))
    }
}

impl Blocks for MemoryBlocks {
    fn block(&self, number: u64) -> Result<Option<Arc<Block>>, EngineError> {
        Ok(self.sealed(number).map(|sealed| sealed.block))
    }

    fn end(&self) -> Option<Marker> {
        self.ordered.read().last
    }
}

#[cfg(test)]
mod tests {
    use lienthong_core::engine_suite;

    use super::*;

    #[test]
    fn memory_does_what_every_journal_does() {
        let blocks = MemoryBlocks::default();
        engine_suite::journal(|| (blocks.journal(), blocks.clone()));
    }

    #[test]
    fn a_journal_whose_blocks_were_let_go_goes_on_after_its_last_one() {
        let (mut journal, blocks) = MemoryJournal::new();
        let mut previous = Digest([0; 32]);
        for number in 1..=3 {
            let time = lienthong_model::Timestamp::from_millis(0);
            let block =
                Block { number, time, previous, rules: 1, entries: Vec::new(), clock_ahead_ms: 0 };
            let sealed = block.seal();
            previous = sealed.marker.hash;
            journal.propose(&sealed).unwrap();
            journal.read_ordered().unwrap();
            blocks.forget_through(2);
        }
        assert!(blocks.sealed(2).is_none());
        assert_eq!(blocks.sealed(3).unwrap().marker.block, 3);
        blocks.forget_through(3);
        assert_eq!(blocks.end().unwrap().hash, previous);
        assert_eq!(blocks.journal().last.block, 3);
    }
}
