//! What a state in memory was some blocks ago: what a block replaces is kept until the block is let go.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use lienthong_core::engine::Writes;

use super::key::Key;

/// The last blocks, with what they wrote and what was at hand before.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Rising.
    blocks: VecDeque<(u64, Writes)>,
    /// By key: the blocks that wrote it, rising.
    replaced: BTreeMap<Key, VecDeque<(u64, Replaced)>>,
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
    /// Notes what a block replaces under a key.
    pub fn note(&mut self, block: u64, key: &[u8], replaced: Replaced) {
        self.replaced.entry(Key::of(key)).or_default().push_back((block, replaced));
    }

    /// Notes all that a block wrote.
    pub fn wrote(&mut self, block: u64, writes: Writes) {
        self.blocks.push_back((block, writes));
    }

    /// What was under a key before a block and those after it; `None` when none of them wrote it.
    pub fn before(&self, block: u64, key: &Key) -> Option<&Replaced> {
        self.replaced.get(key).and_then(|replaced| first_since(replaced, block))
    }

    /// The same for every key from one on, in order.
    pub fn before_from(
        &self,
        block: u64,
        from: std::ops::Bound<Key>,
    ) -> impl Iterator<Item = (&Key, &Replaced)> {
        let rows = self.replaced.range((from, std::ops::Bound::Unbounded));
        rows.filter_map(move |(key, replaced)| Some((key, first_since(replaced, block)?)))
    }

    /// The keys of all that is kept, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.replaced.keys()
    }

    /// Lets go of the blocks up to one; returns what that one wrote.
    pub fn let_go(&mut self, block: u64) -> Option<Writes> {
        let mut last = None;
        while self.blocks.front().is_some_and(|(number, _)| *number <= block) {
            let Some((number, writes)) = self.blocks.pop_front() else { break };
            for (key, _) in &writes {
                self.forget(number, &Key::of(key));
            }
            last = Some(writes).filter(|_| number == block);
        }
        last
    }

    fn forget(&mut self, block: u64, key: &Key) {
        let Some(replaced) = self.replaced.get_mut(key) else { return };
        while replaced.front().is_some_and(|(number, _)| *number <= block) {
            replaced.pop_front();
        }
        if replaced.is_empty() {
            self.replaced.remove(key);
        }
    }
}

fn first_since(replaced: &VecDeque<(u64, Replaced)>, block: u64) -> Option<&Replaced> {
    replaced.iter().find(|(number, _)| *number >= block).map(|(_, replaced)| replaced)
}
