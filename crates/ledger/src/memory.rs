//! The engines in memory: for tests and for the simulation in virtual time.
//!
//! They keep the same rules as the ones on disk and are bounded only by what they are given.
//! Clones and handles share one store, so that "reopening" is taking another handle.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::block::{Block, SealedBlock};
use lienthong_core::engine::{
    Blocks, Change, EngineError, Journal, Marker, Payloads, State, Tables,
};
use lienthong_model::Digest;
use lienthong_model::limits::{BLOCK_BYTES_MAX, CHUNK_BLOCKS};
use parking_lot::RwLock;

use crate::disk::damaged;
use crate::state::check_bounds;

/// The blocks of a journal in memory; clones read the same journal.
#[derive(Debug, Clone, Default)]
pub struct MemoryBlocks {
    ordered: Arc<RwLock<Vec<SealedBlock>>>,
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

    /// The block with a number together with its bytes and hash; `None` past the end.
    pub fn sealed(&self, number: u64) -> Option<SealedBlock> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.ordered.read().get(at).cloned()
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
        self.blocks.ordered.write().push(block);
        Ok(Some(number))
    }
}

impl Blocks for MemoryBlocks {
    fn block(&self, number: u64) -> Result<Option<Arc<Block>>, EngineError> {
        Ok(self.sealed(number).map(|sealed| sealed.block))
    }

    fn end(&self) -> Option<Marker> {
        self.ordered.read().last().map(|block| block.marker)
    }
}

/// The state in memory; clones share the rows. A cut counts as written when it is published, and
/// is due after [`CHUNK_BLOCKS`] blocks whatever the time, so that a run can be repeated.
#[derive(Debug, Clone, Default)]
pub struct MemoryState {
    rows: Arc<RwLock<MemoryRows>>,
}

#[derive(Debug, Default)]
struct MemoryRows {
    rows: BTreeMap<Vec<u8>, Bytes>,
    marker: Option<Marker>,
    blocks_since_cut: u64,
}

impl MemoryState {
    /// An empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.read().rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Tables for MemoryState {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.rows.read().rows.get(key).cloned())
    }

    /// `visit` runs without a lock; a row that changes during the scan is seen before or after.
    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        const PAGE_ROWS: usize = 256;
        let mut from = Bound::Included(prefix.max(from).to_vec());
        loop {
            let page: Vec<(Vec<u8>, Bytes)> = {
                let rows = self.rows.read();
                let from = from.as_ref().map(Vec::as_slice);
                rows.rows
                    .range::<[u8], _>((from, Bound::Unbounded))
                    .take_while(|(key, _)| key.starts_with(prefix))
                    .take(PAGE_ROWS)
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            };
            if !page.iter().all(|(key, value)| visit(key, value)) || page.len() < PAGE_ROWS {
                return Ok(());
            }
            let Some((last, _)) = page.into_iter().next_back() else { return Ok(()) };
            from = Bound::Excluded(last);
        }
    }
}

impl State for MemoryState {
    fn publish(&self, change: Change) -> Result<(), EngineError> {
        check_bounds(&change)?;
        let mut state = self.rows.write();
        for (key, value) in change.writes {
            match value {
                Some(value) => drop(state.rows.insert(key, value)),
                None => drop(state.rows.remove(&key)),
            }
        }
        state.blocks_since_cut += 1;
        if change.cut {
            state.blocks_since_cut = 0;
            state.marker = Some(change.marker);
        }
        Ok(())
    }

    fn cut_due(&self) -> bool {
        self.rows.read().blocks_since_cut + 1 >= CHUNK_BLOCKS
    }

    fn marker(&self) -> Option<Marker> {
        self.rows.read().marker
    }

    fn flush(&self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Payloads in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryPayloads {
    payloads: Arc<RwLock<HashMap<Digest, Bytes>>>,
}

impl MemoryPayloads {
    /// No payloads.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Payloads for MemoryPayloads {
    fn put(&self, bytes: &[u8]) -> Result<Digest, EngineError> {
        let digest = Digest::of(bytes);
        let mut payloads = self.payloads.write();
        payloads.entry(digest).or_insert_with(|| Bytes::copy_from_slice(bytes));
        Ok(digest)
    }

    fn get(&self, digest: &Digest) -> Result<Option<Bytes>, EngineError> {
        Ok(self.payloads.read().get(digest).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lienthong_core::engine_suite;

    #[test]
    fn memory_does_what_every_journal_does() {
        let blocks = MemoryBlocks::default();
        engine_suite::journal(|| (blocks.journal(), blocks.clone()));
    }

    #[test]
    fn memory_does_what_every_state_does() {
        let state = MemoryState::new();
        engine_suite::state(|| state.clone());
    }

    #[test]
    fn memory_does_what_all_payloads_do() {
        let payloads = MemoryPayloads::new();
        engine_suite::payloads(|| payloads.clone());
    }
}
