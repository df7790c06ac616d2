//! The rows that a replay reads and makes: the hub's, as they were before the block at hand, and pages of
//! the statistics, which only a replay has.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use lienthong_core::engine::{Change, EngineError, Marker, State, Tables, Writes};
use lienthong_core::statistics::is_page;
use lienthong_ledger::MemoryState;
use parking_lot::{Mutex, RwLock};

/// Differing rows that are named.
const NAMED_MAX: usize = 10;
/// Rows that are compared at a time.
const ROWS: usize = 1_024;

/// The rows as a replay finds them: the hub's, as they were before the block at hand.
pub(super) struct Rows {
    hub: RwLock<MemoryState>,
    /// Pages of the statistics.
    pub statistics: MemoryState,
    /// The block at hand.
    block: AtomicU64,
    /// What differs, the first of it.
    differing: Mutex<Vec<String>>,
}

impl Rows {
    /// Those of a hub before its first block.
    pub fn of(hub: &MemoryState, statistics: MemoryState) -> Self {
        hub.keep_past();
        Self {
            hub: RwLock::new(hub.clone()),
            statistics,
            block: AtomicU64::new(1),
            differing: Mutex::default(),
        }
    }

    /// What differs from the rows of the hub.
    pub fn differing(&self) -> Vec<String> {
        self.differing.lock().clone()
    }

    /// The hub has other rows from now on, which are to be what it had before the block at hand.
    pub fn change_over(&self, hub: &MemoryState) -> Result<(), EngineError> {
        let mut followed = self.hub.write();
        let differing = differing(&followed.before(self.at_hand()), hub)?;
        self.note("after a start", differing);
        hub.keep_past();
        *followed = hub.clone();
        Ok(())
    }

    /// A block is not replayed: what was before it is needed no more.
    pub fn skip(&self, block: u64) {
        self.hub.read().let_go(block);
    }

    fn at_hand(&self) -> u64 {
        self.block.load(Ordering::Acquire)
    }

    fn note(&self, when: &str, differing: Vec<String>) {
        let mut noted = self.differing.lock();
        noted.extend(differing.into_iter().map(|what| format!("{when}: {what}")));
        noted.truncate(NAMED_MAX);
    }

    /// What a block has made is what the hub has made of it; what follows the last block is there.
    fn compare(&self, block: u64, made: &Writes) -> Result<(), EngineError> {
        let hub = self.hub.read();
        let differing = match hub.let_go(block) {
            Some(wrote) if wrote == *made => return Ok(()),
            Some(wrote) => only_in_one(made, &wrote),
            None => {
                let there = made.iter().map(|(key, _)| Ok((key.clone(), hub.read(key)?)));
                only_in_one(made, &there.collect::<Result<Writes, EngineError>>()?)
            }
        };
        drop(hub);
        self.note(&format!("block {block}"), differing);
        Ok(())
    }
}

impl Tables for Rows {
    fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        match is_page(key) {
            true => self.statistics.read(key),
            false => self.hub.read().before(self.at_hand()).read(key),
        }
    }

    fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        match is_page(prefix) {
            true => self.statistics.scan(prefix, from, visit),
            false => self.hub.read().before(self.at_hand()).scan(prefix, from, visit),
        }
    }
}

impl State for Rows {
    fn publish(&self, change: Change) -> Result<(), EngineError> {
        let Change { marker, writes, cut } = change;
        let (pages, made): (Writes, Writes) = writes.into_iter().partition(|(key, _)| is_page(key));
        self.compare(marker.block, &made)?;
        self.block.store(marker.block + 1, Ordering::Release);
        self.statistics.publish(Change { marker, writes: pages, cut })
    }

    fn cut_due(&self) -> bool {
        self.statistics.cut_due()
    }

    fn marker(&self) -> Option<Marker> {
        self.statistics.marker()
    }

    fn flush(&self) -> Result<(), EngineError> {
        self.statistics.flush()
    }
}

/// Compares two states row by row, up to the first page of rows with a difference.
fn differing(one: &dyn Tables, other: &dyn Tables) -> Result<Vec<String>, EngineError> {
    let mut from = Vec::new();
    loop {
        let (rows, again) = (page(one, &from)?, page(other, &from)?);
        if rows != again {
            return Ok(only_in_one(&rows, &again));
        }
        let Some((last, _)) = rows.into_iter().next_back() else { return Ok(Vec::new()) };
        from = last;
        from.push(0);
    }
}

/// Names rows that only one of two has.
fn only_in_one(rows: &Writes, others: &Writes) -> Vec<String> {
    let only = |rows: &Writes, others: &Writes| {
        let missing = rows.iter().filter(|row| !others.contains(row));
        missing.map(|(key, _)| format!("row {}", key.escape_ascii())).collect::<Vec<_>>()
    };
    let mut named = only(rows, others);
    named.extend(only(others, rows));
    named.sort();
    named.dedup();
    named.truncate(NAMED_MAX);
    named
}

fn page(state: &dyn Tables, from: &[u8]) -> Result<Writes, EngineError> {
    let mut rows = Vec::with_capacity(ROWS);
    state.scan(b"", from, &mut |key, value| {
        rows.push((key.to_vec(), Some(Bytes::copy_from_slice(value))));
        rows.len() < ROWS
    })?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use lienthong_model::Digest;

    use super::*;

    fn state(rows: impl Iterator<Item = (u32, u8)>) -> MemoryState {
        let state = MemoryState::new();
        let row = |(key, value): (u32, u8)| (key.to_be_bytes().to_vec(), Some(vec![value].into()));
        state.publish(change(1, rows.map(row).collect())).unwrap();
        state
    }

    fn change(block: u64, writes: Writes) -> Change {
        Change { marker: Marker { block, hash: Digest([0; 32]) }, writes, cut: true }
    }

    fn row(key: &str, value: &'static str) -> (Vec<u8>, Option<Bytes>) {
        (key.into(), Some(Bytes::from_static(value.as_bytes())))
    }

    /// A hub with two blocks, and the rows that a replay of them finds.
    fn followed() -> (MemoryState, Rows) {
        let hub = MemoryState::new();
        let rows = Rows::of(&hub, MemoryState::new());
        hub.publish(change(1, vec![row("d", "one")])).unwrap();
        hub.publish(change(2, vec![row("d", "two")])).unwrap();
        (hub, rows)
    }

    #[test]
    fn rows_that_differ_are_missing_or_too_many_are_named() {
        let whole = || (0..3_000).map(|key| (key, 1));
        let one = state(whole());
        assert_eq!(differing(&one, &state(whole())).unwrap(), Vec::<String>::new());
        let other = state(whole().map(|(key, value)| (key, value + u8::from(key == 2_000))));
        assert_eq!(differing(&one, &other).unwrap(), ["row \\x00\\x00\\x07\\xd0"]);
        let fewer = state(whole().filter(|(key, _)| *key != 2_999));
        assert_eq!(differing(&one, &fewer).unwrap(), ["row \\x00\\x00\\x0b\\xb7"]);
        assert_eq!(differing(&fewer, &one).unwrap(), ["row \\x00\\x00\\x0b\\xb7"]);
    }

    #[test]
    fn a_replay_finds_the_rows_as_they_were_before_its_block_and_makes_pages_of_its_own() {
        let (hub, rows) = followed();
        let page = [&[b'P', 2, 0x80, 0, 0, 0][..], &[0xff; 4], &[0; 4]].concat();
        assert!(is_page(&page));
        assert_eq!(rows.read(b"d").unwrap(), None);
        let made = vec![row("d", "one"), (page.clone(), Some(Bytes::from_static(b"page")))];
        rows.publish(change(1, made)).unwrap();
        assert_eq!(rows.read(b"d").unwrap().unwrap(), "one");
        assert_eq!(rows.read(&page).unwrap().unwrap(), "page");
        assert_eq!(hub.read(&page).unwrap(), None);
        rows.publish(change(2, vec![row("d", "two")])).unwrap();
        // What follows the last block, when the chunk is ended.
        rows.publish(change(2, vec![row("d", "two")])).unwrap();
        assert_eq!(rows.differing(), Vec::<String>::new());
    }

    #[test]
    fn a_block_of_which_a_replay_makes_other_rows_than_the_hub_is_named_with_them() {
        let (hub, rows) = followed();
        rows.publish(change(1, vec![row("d", "other")])).unwrap();
        rows.publish(change(2, vec![row("d", "two"), row("e", "more")])).unwrap();
        hub.publish(change(3, vec![row("f", "lost")])).unwrap();
        rows.publish(change(3, Vec::new())).unwrap();
        let named = ["block 1: row d", "block 2: row e", "block 3: row f"];
        assert_eq!(rows.differing(), named);
    }

    #[test]
    fn a_hub_that_starts_with_other_rows_than_it_had_is_told_of_and_followed() {
        let (hub, rows) = followed();
        rows.publish(change(1, vec![row("d", "one")])).unwrap();
        // Its second block was not on disk when it was killed.
        let (right, wrong) = (MemoryState::new(), MemoryState::new());
        right.publish(change(1, vec![row("d", "one")])).unwrap();
        wrong.publish(change(1, vec![row("d", "two")])).unwrap();
        rows.change_over(&right).unwrap();
        assert_eq!(rows.differing(), Vec::<String>::new());
        rows.change_over(&wrong).unwrap();
        assert_eq!(rows.differing(), ["after a start: row d"]);
        assert_eq!(rows.read(b"d").unwrap().unwrap(), "two");
        drop(hub);
    }
}
