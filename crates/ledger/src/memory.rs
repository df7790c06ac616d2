//! The engines in memory: for tests and for the simulation in virtual time.
//!
//! They keep the same rules as the ones on disk and are bounded only by what they are given.
//! Clones and handles share one store, so that "reopening" is taking another handle.

mod settled;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::Settling;
use lienthong_core::block::{Block, SealedBlock};
use lienthong_core::engine::{
    Blocks, Change, EngineError, Journal, Marker, Payloads, State, Tables,
};
use lienthong_model::Digest;
use lienthong_model::limits::{BLOCK_BYTES_MAX, CHUNK_BLOCKS};
use parking_lot::RwLock;

use crate::disk::damaged;
use crate::rows::{Merged, Row, Source};
use crate::state::check_bounds;
use settled::SettledRows;

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
///
/// With [`MemoryState::settling`] what is settled leaves memory, so that a run of a simulated year
/// needs room for what is open only.
#[derive(Debug, Clone, Default)]
pub struct MemoryState {
    rows: Arc<RwLock<MemoryRows>>,
}

#[derive(Debug, Default)]
struct MemoryRows {
    /// `None` hides what was settled before.
    rows: BTreeMap<Vec<u8>, Option<Bytes>>,
    settled: Option<SettledRows>,
    marker: Option<Marker>,
    blocks_since_cut: u64,
}

impl MemoryState {
    /// An empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty state that lets what is settled go to files in a folder, at the cuts after so many
    /// blocks each. The files have no names: they go with the state.
    pub fn settling(folder: &Path, every_blocks: u64) -> Self {
        let state = Self::default();
        state.rows.write().settled = Some(SettledRows::new(folder, every_blocks));
        state
    }

    /// How many rows there are in memory.
    pub fn len(&self) -> usize {
        self.rows.read().rows.len()
    }

    /// Whether there are no rows in memory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a row is in memory.
    pub fn is_at_hand(&self, key: &[u8]) -> bool {
        self.rows.read().rows.get(key).is_some_and(Option::is_some)
    }

    /// How many rows have left memory; one that left it several times counts as often.
    pub fn settled_rows(&self) -> u64 {
        self.rows.read().settled.as_ref().map_or(0, SettledRows::rows)
    }
}

impl MemoryRows {
    fn put(&mut self, key: Vec<u8>, value: Option<Bytes>) {
        let hides = self.settled.as_ref().is_some_and(|settled| settled.may_hold(&key));
        match value.is_some() || hides {
            true => drop(self.rows.insert(key, value)),
            false => drop(self.rows.remove(&key)),
        }
    }
}

impl Tables for MemoryState {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        let rows = self.rows.read();
        match (rows.rows.get(key), &rows.settled) {
            (Some(row), _) => Ok(row.clone()),
            (None, Some(settled)) => settled.read(key),
            (None, None) => Ok(None),
        }
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
            let (page, looked_at) = {
                let rows = self.rows.read();
                let from = from.as_ref().map(Vec::as_slice);
                rows.page(prefix, from, PAGE_ROWS)?
            };
            let visited = |(key, value): &Row| value.as_ref().is_none_or(|value| visit(key, value));
            if !page.iter().all(visited) || looked_at < PAGE_ROWS {
                return Ok(());
            }
            let Some((last, _)) = page.into_iter().next_back() else { return Ok(()) };
            from = Bound::Excluded(last.to_vec());
        }
    }
}

impl MemoryRows {
    /// The next rows from a bound on, deleted ones among them, and how many.
    fn page(
        &self,
        prefix: &[u8],
        from: Bound<&[u8]>,
        max: usize,
    ) -> Result<(Vec<Row>, usize), EngineError> {
        let at_hand = self
            .rows
            .range::<[u8], _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| Ok((Bytes::copy_from_slice(key), value.clone())));
        let settled = self.settled.as_ref().map(|settled| settled.range(prefix, from));
        let sources =
            std::iter::once(Box::new(at_hand) as Source<'_>).chain(settled.into_iter().flatten());
        let page = Merged::of(sources).take(max).collect::<Result<Vec<_>, _>>()?;
        let looked_at = page.len();
        Ok((page, looked_at))
    }

    /// Lets what is settled leave memory.
    fn settle(&mut self) -> Result<(), EngineError> {
        let Some(settled) = &mut self.settled else { return Ok(()) };
        let settling = Settling::survey(&AtHand(&self.rows))?;
        let mut leaving = Vec::new();
        for (key, value) in &self.rows {
            let leaves = match value {
                Some(value) => settling.is_settled(key, value)?,
                None => true,
            };
            if leaves {
                leaving.push(key.clone());
            }
        }
        let rows = leaving.into_iter().filter_map(|key| self.rows.remove_entry(&key));
        settled.take(rows)
    }
}

/// Rows in memory, as a survey looks at them.
struct AtHand<'r>(&'r BTreeMap<Vec<u8>, Option<Bytes>>);

impl Tables for AtHand<'_> {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.0.get(key).cloned().flatten())
    }

    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        let rows = self.0.range::<[u8], _>((Bound::Included(prefix.max(from)), Bound::Unbounded));
        let mut rows = rows.take_while(|(key, _)| key.starts_with(prefix));
        rows.all(|(key, value)| value.as_ref().is_none_or(|value| visit(key, value)));
        Ok(())
    }
}

impl State for MemoryState {
    fn publish(&self, change: Change) -> Result<(), EngineError> {
        check_bounds(&change)?;
        let mut state = self.rows.write();
        for (key, value) in change.writes {
            state.put(key, value);
        }
        state.blocks_since_cut += 1;
        if change.cut {
            state.blocks_since_cut = 0;
            state.marker = Some(change.marker);
        }
        let due = state.settled.as_mut().is_some_and(|settled| settled.is_due(change.cut));
        if due { state.settle() } else { Ok(()) }
    }

    fn cut_due(&self) -> bool {
        let rows = self.rows.read();
        let settles = rows.settled.as_ref().is_some_and(SettledRows::will_be_due);
        settles || rows.blocks_since_cut + 1 >= CHUNK_BLOCKS
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
    fn memory_that_lets_settled_rows_go_does_what_every_state_does() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::settling(folder.path(), 1);
        engine_suite::state(|| state.clone());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file has a name");
    }

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
