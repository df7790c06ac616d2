//! A state in memory, all of it or what was touched lately.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::Settling;
use lienthong_core::engine::{Change, EngineError, Marker, State, Tables};
use lienthong_model::limits::CHUNK_BLOCKS;
use parking_lot::RwLock;

use super::key::Key;
use super::settled::{Leaving, SettledRows};
use crate::rows::{Merged, Row, Source};
use crate::state::check_bounds;

/// The state in memory; clones share the rows. A cut counts as written when it is published, and
/// is due after [`CHUNK_BLOCKS`] blocks, twice as many in a bounded state, whatever the time, so that
/// a run can be repeated.
///
/// What is settled ([`MemoryState::settling`]) or what was not written for a while
/// ([`MemoryState::bounded`]) can leave memory for files, so that a run of a simulated year needs
/// room for what is open only.
#[derive(Debug, Clone, Default)]
pub struct MemoryState {
    rows: Arc<RwLock<MemoryRows>>,
}

#[derive(Debug, Default)]
struct MemoryRows {
    rows: BTreeMap<Key, RowAtHand>,
    settled: Option<SettledRows>,
    marker: Option<Marker>,
    blocks_since_cut: u64,
}

#[derive(Debug)]
struct RowAtHand {
    /// `None` hides what left memory before.
    value: Option<Bytes>,
    /// The round in which it was written last.
    round: u32,
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
        let leaving = Leaving::Settled { every_blocks, blocks: 0 };
        state.rows.write().settled = Some(SettledRows::new(folder, leaving));
        state
    }

    /// An empty state that lets rows go to files in a folder once they have not been written for a
    /// while: whenever so many rows were written, those leave that were not among them. So twice as
    /// many stay at most, beside what waits in mailboxes. The files have no names: they go with the
    /// state.
    pub fn bounded(folder: &Path, rows: usize) -> Self {
        let state = Self::default();
        let leaving = Leaving::Untouched { after_rows: rows, rows: 0, round: 0 };
        state.rows.write().settled = Some(SettledRows::new(folder, leaving));
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
        self.rows.read().rows.get(&Key::of(key)).is_some_and(|row| row.value.is_some())
    }

    /// How many rows have left memory; one that left it several times counts as often.
    pub fn settled_rows(&self) -> u64 {
        self.rows.read().settled.as_ref().map_or(0, SettledRows::rows)
    }
}

impl MemoryRows {
    fn put(&mut self, key: &[u8], value: Option<Bytes>) {
        let hides = self.settled.as_ref().is_some_and(|settled| settled.may_hold(key));
        let round = self.settled.as_mut().map_or(0, SettledRows::written);
        match value.is_some() || hides {
            true => drop(self.rows.insert(Key::of(key), RowAtHand { value, round })),
            false => drop(self.rows.remove(&Key::of(key))),
        }
    }
}

impl Tables for MemoryState {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        let rows = self.rows.read();
        match (rows.rows.get(&Key::of(key)), &rows.settled) {
            (Some(row), _) => Ok(row.value.clone()),
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
        const PAGE_ROWS: usize = 1_024;
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
            .range((from.map(Key::of), Bound::Unbounded))
            .map(|(key, row)| (key.to_bytes(), row.value.clone()))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(Ok);
        let settled = self.settled.as_ref().map(|settled| settled.range(prefix, from));
        let sources =
            std::iter::once(Box::new(at_hand) as Source<'_>).chain(settled.into_iter().flatten());
        let page = Merged::of(sources).take(max).collect::<Result<Vec<_>, _>>()?;
        let looked_at = page.len();
        Ok((page, looked_at))
    }

    /// Lets rows leave memory.
    fn settle(&mut self) -> Result<(), EngineError> {
        let Some(settled) = &mut self.settled else { return Ok(()) };
        let survey = match settled.round() {
            None => Some(Settling::survey(&AtHand(&self.rows))?),
            Some(_) => None,
        };
        let round = settled.round();
        let untouched =
            |key: &[u8], row: &RowAtHand| Some(row.round) != round && Settling::may_rest(key);
        let leaves = |key: &[u8], row: &RowAtHand| match (&row.value, &survey) {
            (None, _) => Ok(true),
            (Some(value), Some(survey)) => survey.is_settled(key, value),
            (Some(_), None) => Ok(untouched(key, row)),
        };
        let rows = std::mem::take(&mut self.rows);
        let rows_max = rows.len() as u64;
        let mut staying = Vec::with_capacity(rows.len());
        let leaving = rows.into_iter().filter_map(|(key, row)| {
            key.with(|bytes| leaves(bytes, &row))
                .map(|leaves| match leaves {
                    true => Some((key.to_bytes(), row.value)),
                    false => {
                        staying.push((key, row));
                        None
                    }
                })
                .transpose()
        });
        settled.take(rows_max, leaving)?;
        // Made anew, so that its nodes are full.
        self.rows = staying.into_iter().collect();
        Ok(())
    }
}

/// Rows in memory, as a survey looks at them.
struct AtHand<'r>(&'r BTreeMap<Key, RowAtHand>);

impl Tables for AtHand<'_> {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(self.0.get(&Key::of(key)).and_then(|row| row.value.clone()))
    }

    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        let mut rows = self.0.range(Key::of(prefix.max(from))..);
        rows.all(|(key, row)| {
            key.with(|key| {
                key.starts_with(prefix) && row.value.as_ref().is_none_or(|value| visit(key, value))
            })
        });
        Ok(())
    }
}

impl State for MemoryState {
    fn publish(&self, change: Change) -> Result<(), EngineError> {
        check_bounds(&change)?;
        let mut state = self.rows.write();
        for (key, value) in change.writes {
            state.put(&key, value);
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
        match &rows.settled {
            Some(settled) => settled.cut_due(rows.blocks_since_cut),
            None => rows.blocks_since_cut + 1 >= CHUNK_BLOCKS,
        }
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
    use lienthong_core::engine::rows_digest;
    use lienthong_core::engine_suite;
    use proptest::prelude::*;

    use super::*;

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
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file has a name");
    }

    #[test]
    fn memory_that_lets_untouched_rows_go_does_what_every_state_does() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::bounded(folder.path(), 1);
        engine_suite::state(|| state.clone());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file has a name");
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
                    let marker = Marker { block, hash: lienthong_model::Digest([0; 32]) };
                    let writes = vec![(key.clone(), value.clone())];
                    state.publish(Change { marker, writes, cut: false }).unwrap();
                }
                prop_assert_eq!(leaving.read(&key).unwrap(), value);
            }
            prop_assert_eq!(rows_digest(&leaving).unwrap(), rows_digest(&staying).unwrap());
        }
    }

    #[test]
    fn what_a_sender_waits_for_and_statistics_leave_memory_and_mailboxes_stay() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::bounded(folder.path(), 4);
        let keys = [b"js1".as_slice(), b"W1", b"zi1", b"m1", b"n1", b"e1", b"pq1"];
        let publish = |block, writes| {
            let marker = Marker { block, hash: lienthong_model::Digest([0; 32]) };
            state.publish(Change { marker, writes, cut: false }).unwrap();
        };
        let row = |key: &&[u8]| (key.to_vec(), Some(Bytes::from_static(b"row")));
        publish(1, keys.iter().map(row).collect());
        for block in 2..20u64 {
            publish(block, vec![([b"d", &block.to_be_bytes()[..]].concat(), Some(Bytes::new()))]);
        }
        let at_hand = keys.map(|key| state.is_at_hand(key));
        assert_eq!(at_hand, [false, false, false, true, true, true, true]);
        assert!(keys.iter().all(|key| state.read(key).unwrap().is_some()));
    }

    #[test]
    fn rows_that_nobody_touches_leave_memory_and_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let state = MemoryState::bounded(folder.path(), 4);
        let key = |number: u64| [b"d".as_slice(), &number.to_be_bytes()].concat();
        for number in 0..100u64 {
            let marker = Marker { block: number + 1, hash: lienthong_model::Digest([0; 32]) };
            let row = Bytes::copy_from_slice(&number.to_be_bytes());
            let mut writes = vec![(key(number), Some(row))];
            // Deletions of what has left hold, too.
            writes.extend((number >= 50).then(|| (key(number - 50), None)));
            state.publish(Change { marker, writes, cut: false }).unwrap();
        }
        assert!(state.len() <= 16, "{} rows in memory", state.len());
        let found = |number| state.read(&key(number)).unwrap();
        assert!((0..50).all(|number| found(number).is_none()));
        assert!((50..100).all(|number| found(number).is_some()));
        let mut scanned = 0;
        state
            .scan(b"d", b"d", &mut |_, _| {
                scanned += 1;
                true
            })
            .unwrap();
        assert_eq!(scanned, 50);
    }
}
