//! Whoever replays the journal from nothing while it is written, block by block, in a thread of its
//! own: so a replay can be compared in the end without a journal that was kept until then. It folds the
//! statistics, too, which the desk leaves to it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;

use lienthong_core::SealedBlock;
use lienthong_core::engine::{EngineError, Tables as _};
use lienthong_core::statistics::{Cubes, is_page};
use lienthong_ledger::{MemoryPayloads, MemoryState};

use super::{MemoryMachine, open};

/// Blocks that are handed over at a time: waking a thread costs more than replaying a block.
const TOGETHER: usize = 64;
/// How often so many wait to be replayed; whoever writes more waits.
const WAITING_MAX: usize = 16;
/// Differing rows that are named.
const NAMED_MAX: usize = 10;
/// Rows that are compared at a time.
const ROWS: usize = 1_024;

/// A replay.
pub(super) struct Follower {
    /// What was replayed.
    pub state: MemoryState,
    /// Its statistics.
    pub cubes: Arc<RwLock<Cubes>>,
    progress: Progress,
}

enum Progress {
    UnderWay {
        blocks: SyncSender<Vec<SealedBlock>>,
        /// Those that are not handed over yet.
        next: Vec<SealedBlock>,
        thread: JoinHandle<Result<(), EngineError>>,
    },
    /// Why it stopped; none: at the end.
    Ended(Option<String>),
}

impl Follower {
    /// Begins at the first block, with an empty state.
    pub fn start(payloads: &MemoryPayloads, state: MemoryState) -> Result<Self, EngineError> {
        let (blocks, handed_over) = sync_channel(WAITING_MAX);
        let machine = open(&state, payloads)?;
        let cubes = machine.cubes();
        let thread = std::thread::spawn(move || replay(machine, &handed_over));
        let progress = Progress::UnderWay { blocks, next: Vec::new(), thread };
        Ok(Self { state, cubes, progress })
    }

    /// Takes the next block.
    pub fn follow(&mut self, block: SealedBlock) {
        if let Progress::UnderWay { blocks, next, .. } = &mut self.progress {
            next.push(block);
            if next.len() >= TOGETHER {
                // One that has stopped says why in the end.
                let _ = blocks.send(std::mem::take(next));
            }
        }
    }

    /// There are no more blocks: waits until all are replayed.
    pub fn end(&mut self) {
        if matches!(self.progress, Progress::Ended(_)) {
            return;
        }
        let ended = std::mem::replace(&mut self.progress, Progress::Ended(None));
        let Progress::UnderWay { blocks, next, thread } = ended else { return };
        let _ = blocks.send(next);
        drop(blocks);
        self.progress = Progress::Ended(match thread.join() {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it panicked".to_owned()),
        });
    }

    /// What differs from a state without statistics.
    pub fn differing(&self, from: &MemoryState) -> Result<Vec<String>, EngineError> {
        match &self.progress {
            Progress::UnderWay { .. } => Ok(vec!["the replay is under way".to_owned()]),
            Progress::Ended(Some(why)) => Ok(vec![format!("the replay stopped: {why}")]),
            Progress::Ended(None) => differing(from, &self.state),
        }
    }
}

fn replay(
    mut machine: MemoryMachine,
    blocks: &Receiver<Vec<SealedBlock>>,
) -> Result<(), EngineError> {
    for block in blocks.iter().flatten() {
        machine.replay(&block)?;
    }
    machine.cut()
}

/// Compares two states row by row, those of statistics left out, up to the first page of rows with a
/// difference.
fn differing(one: &MemoryState, other: &MemoryState) -> Result<Vec<String>, EngineError> {
    let mut from = Vec::new();
    loop {
        let (rows, again) = (page(one, &from)?, page(other, &from)?);
        if rows != again {
            let only = |rows: &[Row], others: &[Row]| {
                let missing = rows.iter().filter(|row| others.binary_search(row).is_err());
                missing.map(|(key, _)| format!("row {}", key.escape_ascii())).collect::<Vec<_>>()
            };
            let mut named = only(&rows, &again);
            named.extend(only(&again, &rows));
            named.sort();
            named.dedup();
            named.truncate(NAMED_MAX);
            return Ok(named);
        }
        let Some((last, _)) = rows.into_iter().next_back() else { return Ok(Vec::new()) };
        from = last;
        from.push(0);
    }
}

type Row = (Vec<u8>, Vec<u8>);

fn page(state: &MemoryState, from: &[u8]) -> Result<Vec<Row>, EngineError> {
    let mut rows = Vec::with_capacity(ROWS);
    state.scan(b"", from, &mut |key, value| {
        if !is_page(key) {
            rows.push((key.to_vec(), value.to_vec()));
        }
        rows.len() < ROWS
    })?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use lienthong_core::engine::{Change, Marker, State as _};
    use lienthong_model::Digest;

    use super::*;

    fn state(rows: impl Iterator<Item = (u32, u8)>) -> MemoryState {
        let state = MemoryState::new();
        let row = |(key, value): (u32, u8)| (key.to_be_bytes().to_vec(), Some(vec![value].into()));
        let (marker, writes) =
            (Marker { block: 1, hash: Digest([0; 32]) }, rows.map(row).collect());
        state.publish(Change { marker, writes, cut: true }).unwrap();
        state
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
    fn pages_of_statistics_are_not_compared() {
        let page = [&[b'P', 2, 0x80, 0, 0, 0][..], &[0xff; 4], &[0; 4]].concat();
        assert!(is_page(&page));
        let one = state((0..3).map(|key| (key, 1)));
        let row = (page, Some(vec![1].into()));
        let marker = Marker { block: 2, hash: Digest([0; 32]) };
        let other = state((0..3).map(|key| (key, 1)));
        other.publish(Change { marker, writes: vec![row], cut: true }).unwrap();
        assert_eq!(differing(&one, &other).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn why_a_replay_stopped_is_known_however_often_it_is_ended() {
        let progress = Progress::Ended(Some("a reason".to_owned()));
        let state = MemoryState::new();
        let mut follower = Follower { state: state.clone(), cubes: Arc::default(), progress };
        follower.end();
        assert_eq!(follower.differing(&state).unwrap(), ["the replay stopped: a reason"]);
    }
}
