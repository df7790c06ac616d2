//! A state in memory, all of it or what was touched lately.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::engine::{Change, EngineError, Marker, State, Tables, Writes};
use parking_lot::RwLock;

use super::at_hand::{MemoryRows, Unseen};
use super::settled::{Leaving, SettledRows};
use crate::rows::Row;
use crate::state::check_bounds;

/// The state in memory; clones share the rows. A cut counts as written when it is published, and is due
/// after [`CHUNK_BLOCKS`](lienthong_model::limits::CHUNK_BLOCKS) blocks, sixteen times as many in a
/// bounded state, whatever the time, so that a run can be repeated.
///
/// What is settled ([`MemoryState::settling`]) or what was not written for a while
/// ([`MemoryState::bounded`]) can leave memory for files, so that a run of a simulated year needs
/// room for what is open only.
#[derive(Debug, Clone, Default)]
pub struct MemoryState {
    rows: Arc<RwLock<MemoryRows>>,
}

impl MemoryState {
    /// An empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty state that lets what is settled go to files in a folder, at the cuts after so many
    /// blocks each. The files have no names once they are written: they go with the state.
    pub fn settling(folder: &Path, every_blocks: u64) -> Self {
        Self::leaving(folder, Leaving::Settled { every_blocks, blocks: 0 })
    }

    /// An empty state that lets rows go to files in a folder once they have not been written for a
    /// while: whenever so many rows were written, those leave that were not among them. So twice as
    /// many stay at most, beside what waits in mailboxes. The files have no names once they are
    /// written: they go with the state.
    pub fn bounded(folder: &Path, rows: usize) -> Self {
        Self::leaving(folder, Leaving::Untouched { after_rows: rows, rows: 0, round: 0 })
    }

    fn leaving(folder: &Path, leaving: Leaving) -> Self {
        let rows = MemoryRows::leaving(SettledRows::new(folder, leaving));
        Self { rows: Arc::new(RwLock::new(rows)) }
    }

    /// Keeps what blocks replace from now on, until [`MemoryState::let_go`]. There is no bound: whoever
    /// asks for it lets go.
    pub fn keep_past(&self) {
        self.rows.write().past.get_or_insert_default();
    }

    /// The state as it was before a block whose past is kept; as it is, when it has no such block, nor
    /// a later one.
    pub fn before(&self, block: u64) -> BeforeBlock<'_> {
        BeforeBlock { state: self, block }
    }

    /// Lets go of the past of the blocks up to one. Returns what that one wrote, in the order in which
    /// it did; none when its past is not kept.
    pub fn let_go(&self, block: u64) -> Option<Writes> {
        self.rows.write().past.as_mut()?.let_go(block)
    }

    /// How many rows there are in memory.
    pub fn len(&self) -> usize {
        self.rows.read().len()
    }

    /// Whether there are no rows in memory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a row is in memory.
    pub fn is_at_hand(&self, key: &[u8]) -> bool {
        self.rows.read().is_at_hand(key)
    }

    /// How many rows have left memory; one that left it several times counts as often.
    pub fn settled_rows(&self) -> u64 {
        self.rows.read().settled.as_ref().map_or(0, SettledRows::rows)
    }
}

/// A state as it was before a block was published; see [`MemoryState::before`].
#[derive(Debug, Clone, Copy)]
pub struct BeforeBlock<'s> {
    state: &'s MemoryState,
    block: u64,
}

impl MemoryState {
    /// `visit` runs without a lock; a row that changes during the scan is seen before or after.
    fn scan_without(
        &self,
        unseen: Unseen,
        (prefix, from): (&[u8], &[u8]),
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        const PAGE_ROWS: usize = 1_024;
        let mut from = Bound::Included(prefix.max(from).to_vec());
        loop {
            let (page, looked_at) = {
                let rows = self.rows.read();
                let from = from.as_ref().map(Vec::as_slice);
                rows.page(unseen, prefix, from, PAGE_ROWS)?
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

impl Tables for MemoryState {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        self.rows.read().read(key, None)
    }

    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        self.scan_without(None, (prefix, from), visit)
    }
}

impl Tables for BeforeBlock<'_> {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        self.state.rows.read().read(key, Some(self.block))
    }

    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        self.state.scan_without(Some(self.block), (prefix, from), visit)
    }
}

impl State for MemoryState {
    fn publish(&self, change: Change) -> Result<(), EngineError> {
        check_bounds(&change)?;
        self.rows.write().take(change)
    }

    fn cut_due(&self) -> bool {
        self.rows.read().cut_due()
    }

    fn marker(&self) -> Option<Marker> {
        self.rows.read().marker
    }

    fn flush(&self) -> Result<(), EngineError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lienthong_core::engine::rows_digest;
    use lienthong_core::engine_suite;
    use proptest::prelude::*;

    use super::*;

    fn publish(state: &MemoryState, block: u64, writes: Writes) {
        let marker = Marker { block, hash: lienthong_model::Digest([0; 32]) };
        state.publish(Change { marker, writes, cut: false }).unwrap();
    }

    fn document(number: u64) -> Vec<u8> {
        [b"d".as_slice(), &number.to_be_bytes()].concat()
    }

    /// Writes so many rows, a block each, and deletes each again after some more.
    fn write_and_delete(state: &MemoryState, rows: u64, after: u64) {
        for number in 0..rows {
            let row = Bytes::copy_from_slice(&number.to_be_bytes());
            let mut writes = vec![(document(number), Some(row))];
            // Deletions of what has left hold, too.
            writes.extend(number.checked_sub(after).map(|gone| (document(gone), None)));
            publish(state, number + 1, writes);
        }
    }

    /// The documents that are found by a scan.
    fn documents(state: &MemoryState) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut see = |key: &[u8], _: &[u8]| {
            found.push(key.to_vec());
            true
        };
        state.scan(b"d", b"d", &mut see).unwrap();
        found
    }

    #[test]
    fn memory_does_what_every_state_does() {
        let state = MemoryState::new();
        engine_suite::state(|| state.clone());
    }

    #[test]
    fn memory_that_lets_settled_rows_go_does_what_every_state_does() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::settling(folder.path(), 1);
        engine_suite::state(|| state.clone());
        drop(state);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files go with the state");
    }

    #[test]
    fn memory_that_lets_untouched_rows_go_does_what_every_state_does() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::bounded(folder.path(), 1);
        engine_suite::state(|| state.clone());
        drop(state);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files go with the state");
    }

    proptest! {
        #[test]
        fn whatever_leaves_memory_is_read_and_scanned_as_if_it_had_stayed(
            writes in prop::collection::vec(
                (prop::sample::select(vec!["d", "js", "zi", "W", "m", "pq"]), 0..6u8, any::<bool>()),
                1..200,
            ),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let (leaving, staying) = (MemoryState::bounded(folder.path(), 3), MemoryState::new());
            for (block, (family, key, there)) in (1..).zip(writes) {
                let key = [family.as_bytes(), &[key]].concat();
                let value = there.then(|| Bytes::copy_from_slice(&u64::to_be_bytes(block)));
                for state in [&leaving, &staying] {
                    publish(state, block, vec![(key.clone(), value.clone())]);
                }
                prop_assert_eq!(leaving.read(&key).unwrap(), value);
            }
            prop_assert_eq!(rows_digest(&leaving).unwrap(), rows_digest(&staying).unwrap());
        }
    }

    proptest! {
        #[test]
        fn a_block_whose_past_is_kept_does_not_change_what_was_before_it(
            blocks in prop::collection::vec(
                prop::collection::btree_map(
                    (prop::sample::select(vec!["d", "js", "m"]), 0..6u8),
                    any::<bool>(),
                    1..4,
                ),
                1..60,
            ),
            kept in 1..6usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let state = MemoryState::bounded(folder.path(), 3);
            state.keep_past();
            let mut rows = BTreeMap::new();
            let mut past = std::collections::VecDeque::new();
            for (block, writes) in (1..).zip(blocks) {
                let row = |((family, key), there): (&(&str, u8), &bool)| {
                    let value = there.then(|| Bytes::copy_from_slice(&u64::to_be_bytes(block)));
                    ([family.as_bytes(), &[*key]].concat(), value)
                };
                let writes: Writes = writes.iter().map(row).collect();
                past.push_back((block, rows.clone(), writes.clone()));
                for (key, value) in &writes {
                    match value {
                        Some(value) => drop(rows.insert(key.clone(), value.clone())),
                        None => drop(rows.remove(key)),
                    }
                }
                publish(&state, block, writes);
                if past.len() > kept {
                    let (oldest, _, wrote) = past.pop_front().unwrap();
                    prop_assert_eq!(state.let_go(oldest), Some(wrote));
                }
                for (block, rows, _) in &past {
                    let before = state.before(*block);
                    for key in ["d", "js", "m"].iter().flat_map(|family| {
                        (0..6).map(|key| [family.as_bytes(), &[key]].concat())
                    }) {
                        prop_assert_eq!(before.read(&key).unwrap(), rows.get(&key).cloned());
                    }
                    let mut seen = BTreeMap::new();
                    let mut see = |key: &[u8], value: &[u8]| {
                        seen.insert(key.to_vec(), Bytes::copy_from_slice(value));
                        true
                    };
                    before.scan(b"", b"", &mut see).unwrap();
                    prop_assert_eq!(&seen, rows);
                }
            }
        }
    }

    #[test]
    fn before_a_block_that_wrote_a_row_twice_is_what_was_there_before_both() {
        let state = MemoryState::new();
        state.keep_past();
        let row = |text: &'static str| (document(1), Some(Bytes::from_static(text.as_bytes())));
        publish(&state, 1, vec![row("first")]);
        publish(&state, 2, vec![row("second"), row("third")]);
        assert_eq!(state.before(1).read(&document(1)).unwrap(), None);
        assert_eq!(state.before(2).read(&document(1)).unwrap().unwrap(), "first");
        assert_eq!(state.read(&document(1)).unwrap().unwrap(), "third");
    }

    #[test]
    fn what_a_sender_waits_for_and_statistics_leave_memory_and_mailboxes_stay() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::bounded(folder.path(), 4);
        let keys = [b"js1".as_slice(), b"W1", b"zi1", b"m1", b"n1", b"e1", b"pq1"];
        let row = |key: &&[u8]| (key.to_vec(), Some(Bytes::from_static(b"row")));
        publish(&state, 1, keys.iter().map(row).collect());
        for block in 2..20 {
            publish(&state, block, vec![(document(block), Some(Bytes::new()))]);
        }
        let at_hand = keys.map(|key| state.is_at_hand(key));
        assert_eq!(at_hand, [false, false, false, true, true, true, true]);
        assert!(keys.iter().all(|key| state.read(key).unwrap().is_some()));
    }

    #[test]
    fn many_runs_of_one_size_become_one_and_say_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::bounded(folder.path(), 64);
        write_and_delete(&state, 20_000, 5_000);
        let runs = state.rows.read().settled.as_ref().unwrap().runs();
        assert!(state.settled_rows() > 200 * 64, "{} rows left", state.settled_rows());
        assert!(runs <= 64, "{runs} runs");
        assert_eq!(documents(&state), (15_000..20_000).map(document).collect::<Vec<_>>());
    }

    #[test]
    fn rows_that_nobody_touches_leave_memory_and_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::bounded(folder.path(), 4);
        write_and_delete(&state, 100, 50);
        assert!(state.len() <= 16, "{} rows in memory", state.len());
        let found = |number| state.read(&document(number)).unwrap();
        assert!((0..50).all(|number| found(number).is_none()));
        assert!((50..100).all(|number| found(number).is_some()));
        assert_eq!(documents(&state), (50..100).map(document).collect::<Vec<_>>());
    }
}
