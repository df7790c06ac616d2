//! The replay of the journal while it is written, block by block: what each block's entries make of the
//! hub's rows is compared with what the hub has made of them. It folds the statistics, too, which the
//! desk leaves to it.
//!
//! It has no rows of its own but the pages of the statistics: it reads the hub's, as they were before
//! the block at hand. Before the first block there are none; so if no block differs, a replay of the
//! whole journal from nothing gives the hub's rows. Those of a hub that was killed and has started
//! again are compared with all that were there before.
//!
//! It has no thread of its own. Whoever waits for another thread replays meanwhile, an entry at a time
//! ([`Replay::go_on`]), and whoever writes much more than was replayed does so, too: so it takes what
//! the others leave, and hardly ever keeps one that is waited for.

use std::collections::VecDeque;
use std::sync::{Arc, RwLock};

use lienthong_core::engine::EngineError;
use lienthong_core::statistics::Cubes;
use lienthong_core::{Machine, Opening, SealedBlock};
use lienthong_ledger::{MemoryPayloads, MemoryState};
use parking_lot::Mutex;

use super::replayed::Rows;

/// How many blocks wait to be replayed at most.
const WAITING_MAX: usize = 64;

/// A replay, and what it has made.
pub(super) struct Follower {
    replay: Arc<Replay>,
    /// Its statistics.
    pub cubes: Arc<RwLock<Cubes>>,
}

/// A replay under way; any thread may take it a piece further.
pub(super) struct Replay {
    rows: Arc<Rows>,
    waiting: Mutex<VecDeque<SealedBlock>>,
    progress: Mutex<Progress>,
}

enum Progress {
    UnderWay(Box<Replaying>, Option<Begun>),
    /// Why it stopped; none: at the end.
    Ended(Option<String>),
}

type Replaying = Machine<Rows, MemoryPayloads>;

/// A block whose first entries were replayed.
struct Begun {
    block: SealedBlock,
    entries: usize,
}

impl Replay {
    /// Replays an entry or the end of a block, or folds a piece of the statistics between blocks.
    /// Returns whether there was something to do that no other thread is at.
    pub fn go_on(&self) -> bool {
        self.progress.try_lock().is_some_and(|mut progress| self.step(&mut progress))
    }

    fn step(&self, progress: &mut Progress) -> bool {
        let next = || self.waiting.lock().pop_front();
        let done = match progress {
            Progress::UnderWay(machine, begun) => match begun.take() {
                Some(at) => replay_piece(machine, at).map(|at| *begun = at),
                None => match machine.fold_gathered() {
                    Ok(false) => {
                        let Some(block) = next() else { return false };
                        machine.begin_replay(&block.block);
                        *begun = Some(Begun { block, entries: 0 });
                        Ok(())
                    }
                    folded => folded.map(drop),
                },
            },
            // One that has stopped stays where it is.
            Progress::Ended(_) => {
                let skipped = next();
                skipped.iter().for_each(|block| self.rows.skip(block.marker.block));
                return skipped.is_some();
            }
        };
        if let Err(error) = done {
            *progress = Progress::Ended(Some(error.to_string()));
        }
        true
    }
}

/// Replays the next entry of a block; its end, when there is none.
fn replay_piece(machine: &mut Replaying, at: Begun) -> Result<Option<Begun>, EngineError> {
    let Begun { block, entries } = at;
    match block.block.entries.get(entries) {
        Some(entry) => {
            machine.replay_entry(entry)?;
            Ok(Some(Begun { block, entries: entries + 1 }))
        }
        None => {
            machine.end_replay(&block)?;
            Ok(None)
        }
    }
}

impl Follower {
    /// Begins before the first block of a hub, whose rows are empty.
    pub fn start(
        payloads: &MemoryPayloads,
        hub: &MemoryState,
        statistics: MemoryState,
    ) -> Result<Self, EngineError> {
        let rows = Arc::new(Rows::of(hub, statistics));
        let opening = Opening { state: rows.clone(), payloads: payloads.clone() };
        let mut machine = Machine::open(opening)?;
        // They are asked for in the end.
        machine.gather_statistics();
        let cubes = machine.cubes();
        let progress = Mutex::new(Progress::UnderWay(Box::new(machine), None));
        let replay = Arc::new(Replay { rows, waiting: Mutex::default(), progress });
        Ok(Self { replay, cubes })
    }

    /// The replay, for threads that wait.
    pub fn replay(&self) -> Arc<Replay> {
        self.replay.clone()
    }

    /// The pages of its statistics.
    pub fn statistics(&self) -> &MemoryState {
        &self.replay.rows.statistics
    }

    /// Takes the next block.
    pub fn follow(&self, block: SealedBlock) {
        self.replay.waiting.lock().push_back(block);
        while self.replay.waiting.lock().len() > WAITING_MAX {
            if !self.replay.go_on() {
                // Another thread is at it.
                std::thread::yield_now();
            }
        }
    }

    /// Replays all that waits.
    pub fn catch_up(&self) {
        let mut progress = self.replay.progress.lock();
        while self.replay.step(&mut progress) {}
    }

    /// The hub has other rows from now on, which are to be what it had; all was replayed.
    pub fn change_over(&self, hub: &MemoryState) -> Result<(), EngineError> {
        self.replay.rows.change_over(hub)
    }

    /// There are no more blocks.
    pub fn end(&self) {
        self.catch_up();
        let mut progress = self.replay.progress.lock();
        if let Progress::UnderWay(machine, _) = &mut *progress {
            let why = machine.cut().err().map(|error| error.to_string());
            *progress = Progress::Ended(why);
        }
    }

    /// What differs from the rows of the hub.
    pub fn differing(&self) -> Vec<String> {
        match &*self.replay.progress.lock() {
            Progress::UnderWay(..) => vec!["the replay is under way".to_owned()],
            Progress::Ended(Some(why)) => vec![format!("the replay stopped: {why}")],
            Progress::Ended(None) => self.replay.rows.differing(),
        }
    }
}

#[cfg(test)]
mod tests {
    use lienthong_core::Block;
    use lienthong_core::engine::{Change, State as _};
    use lienthong_model::{Digest, Timestamp};

    use super::*;

    /// A replay of a hub that has stopped.
    fn stopped(hub: &MemoryState) -> Follower {
        let rows = Arc::new(Rows::of(hub, MemoryState::new()));
        let progress = Mutex::new(Progress::Ended(Some("a reason".to_owned())));
        let replay = Arc::new(Replay { rows, waiting: Mutex::default(), progress });
        Follower { replay, cubes: Arc::default() }
    }

    #[test]
    fn why_a_replay_stopped_is_known_however_often_it_is_ended() {
        let follower = stopped(&MemoryState::new());
        follower.end();
        assert_eq!(follower.differing(), ["the replay stopped: a reason"]);
    }

    #[test]
    fn a_replay_that_has_stopped_keeps_neither_blocks_nor_what_was_before_them() {
        let hub = MemoryState::new();
        let follower = stopped(&hub);
        let time = Timestamp::from_millis(0);
        let previous = Digest([0; 32]);
        let block =
            Block { number: 1, time, previous, rules: 1, entries: Vec::new(), clock_ahead_ms: 0 };
        let sealed = block.seal();
        let writes = vec![(b"d".to_vec(), None)];
        hub.publish(Change { marker: sealed.marker, writes, cut: false }).unwrap();
        follower.follow(sealed);
        follower.catch_up();
        assert!(follower.replay.waiting.lock().is_empty());
        assert_eq!(hub.let_go(1), None, "it was let go");
    }
}
