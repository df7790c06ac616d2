//! What a state in memory was some blocks ago: what a block replaces is kept until the block is let go.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeBounds;

use bytes::Bytes;
use lienthong_core::engine::Writes;

use super::key::Key;

/// The last blocks, rising. There are few: whoever replays is hardly ever far behind.
#[derive(Debug, Default)]
pub(super) struct Past(VecDeque<Kept>);

/// What a block wrote, and what was at hand before.
#[derive(Debug)]
struct Kept {
    block: u64,
    writes: Writes,
    /// By key.
    replaced: Vec<(Key, Replaced)>,
}

/// What was under a key before a block wrote it.
#[derive(Debug, Clone)]
pub(super) enum Replaced {
    /// A row, or that there was none.
    Row(Option<Bytes>),
    /// Nothing was at hand: what has left memory says.
    Left,
}

impl Past {
    /// Keeps what a block wrote and what that replaced, in the same order.
    pub fn keep(&mut self, block: u64, writes: Writes, mut replaced: Vec<(Key, Replaced)>) {
        // Of one key the first is what was there before the block.
        replaced.sort_by(|(one, _), (other, _)| one.cmp(other));
        replaced.dedup_by(|(later, _), (first, _)| later == first);
        self.0.push_back(Kept { block, writes, replaced });
    }

    /// The blocks from one on.
    fn since(&self, block: u64) -> impl DoubleEndedIterator<Item = &Kept> {
        self.0.range(self.0.partition_point(|kept| kept.block < block)..)
    }

    /// What was under a key before a block and those after it; `None` when none of them wrote it.
    pub fn before(&self, block: u64, key: &Key) -> Option<&Replaced> {
        self.since(block).find_map(|kept| {
            let at = kept.replaced.binary_search_by(|(replaced, _)| replaced.cmp(key)).ok()?;
            kept.replaced.get(at).map(|(_, replaced)| replaced)
        })
    }

    /// The same for every key of a range.
    pub fn before_all(
        &self,
        block: u64,
        keys: &impl RangeBounds<Key>,
    ) -> BTreeMap<&Key, &Replaced> {
        // What the earliest block replaced is put last.
        let replaced = self.since(block).rev().flat_map(|kept| &kept.replaced);
        let of_range = replaced.filter(|(key, _)| keys.contains(key));
        of_range.map(|(key, replaced)| (key, replaced)).collect()
    }

    /// The keys of all that is kept, in order; one that several blocks wrote as often.
    pub fn keys(&self) -> Vec<&Key> {
        let mut keys: Vec<_> =
            self.0.iter().flat_map(|kept| &kept.replaced).map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys
    }

    /// Lets go of the blocks up to one; returns what that one wrote.
    pub fn let_go(&mut self, block: u64) -> Option<Writes> {
        let mut last = None;
        while self.0.front().is_some_and(|kept| kept.block <= block) {
            last = self.0.pop_front().filter(|kept| kept.block == block);
        }
        last.map(|kept| kept.writes)
    }
}
