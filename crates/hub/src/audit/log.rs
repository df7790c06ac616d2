//! The log made anew from the journal's leaves, against the state's tiles and signed checkpoints.

use std::collections::VecDeque;

use lienthong_core::engine::EngineError;
use lienthong_core::{GrowingLog, Query, TILE_HASHES, TileHashes};
use lienthong_ledger::SledState;
use lienthong_model::Digest;
use lienthong_trust::Checkpoint;
use lienthong_trust::merkle::empty_root;

use super::findings::{Finding, FindingKind, Findings, Place};

/// What became of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointOutcome {
    /// What it is called.
    pub name: String,
    /// How many leaves it states.
    pub size: u64,
    /// Whether the journal is the beginning of, or goes on from, what it states.
    pub verdict: Verdict,
}

/// Whether a checkpoint holds of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The journal's first leaves have its root.
    Holds,
    /// They have another root, or are fewer.
    Differs,
    /// Leaves before it cannot be read: nobody can say.
    Unknown,
}

/// Makes the log anew.
pub(super) struct LogCheck<'s> {
    log: GrowingLog,
    state: Option<Tiles<'s>>,
    /// By size; those that the log has not reached yet.
    awaited: VecDeque<(String, Checkpoint)>,
    outcomes: Vec<CheckpointOutcome>,
    from_state: u64,
    /// A leaf is missing: nothing behind it can be said.
    broken: bool,
}

/// The tiles of the state, as far as they are readable.
struct Tiles<'s> {
    state: &'s SledState,
    /// Leaves of the state's log.
    leaves: u64,
    /// The tile of leaves that was read last, while a gap is filled.
    kept: Option<(u64, Vec<Digest>)>,
}

impl<'s> LogCheck<'s> {
    pub fn new(state: Option<&'s SledState>, mut checkpoints: Vec<(String, Checkpoint)>) -> Self {
        checkpoints.sort_by_key(|(_, checkpoint)| checkpoint.size);
        let tiles = state.and_then(|state| {
            let leaves = Query(state).log_size().ok()?;
            Some(Tiles { state, leaves, kept: None })
        });
        let mut check = Self {
            log: GrowingLog::default(),
            state: tiles,
            awaited: checkpoints.into(),
            outcomes: Vec::new(),
            from_state: 0,
            broken: false,
        };
        // Nothing can be wrong with the empty log but a checkpoint, which `reached` tells later.
        while check.awaited.front().is_some_and(|(_, c)| c.size == 0 && c.root == empty_root()) {
            check.settle(Verdict::Holds);
        }
        check
    }

    pub fn size(&self) -> u64 {
        self.log.size()
    }

    pub fn taken_from_state(&self) -> u64 {
        self.from_state
    }

    /// The root, when every leaf is known.
    pub fn root(&self) -> Option<Digest> {
        if self.broken { None } else { self.log.root().ok() }
    }

    pub fn outcomes(&self) -> Vec<CheckpointOutcome> {
        self.outcomes.clone()
    }

    /// Takes the next leaf. Leaves before it whose blocks cannot be read are taken from the state,
    /// when it has them: a checkpoint tells whether they are the right ones.
    pub fn leaf(
        &mut self,
        position: u64,
        hash: Digest,
        findings: &mut Findings,
    ) -> Result<(), EngineError> {
        while !self.broken && self.log.size() < position {
            let missing = self.log.size();
            match self.tile_hash(missing, findings)? {
                Some(hash) => {
                    self.from_state += 1;
                    self.push(hash, findings)?;
                }
                None => {
                    self.broken = true;
                    let why = format!(
                        "leaf {missing} of the log is in a block that cannot be read, and not in \
                         the state: what follows in the log is not checked"
                    );
                    findings.add(Finding::at(FindingKind::Log, Place::file("journal"), why));
                }
            }
        }
        if self.broken || position < self.log.size() {
            return Ok(());
        }
        self.push(hash, findings)
    }

    fn push(&mut self, leaf: Digest, findings: &mut Findings) -> Result<(), EngineError> {
        let mut outcome = Ok(());
        let state = &mut self.state;
        self.log.push(leaf, |tile| {
            if outcome.is_ok() {
                outcome = compare(state, tile, findings);
            }
        });
        outcome?;
        while self.awaited.front().is_some_and(|(_, checkpoint)| checkpoint.size <= self.log.size())
        {
            self.reached(findings)?;
        }
        Ok(())
    }

    /// The first checkpoint that is awaited is of the log's size, or was passed.
    fn reached(&mut self, findings: &mut Findings) -> Result<(), EngineError> {
        let Some((name, checkpoint)) = self.awaited.front() else { return Ok(()) };
        let root = if checkpoint.size == 0 { empty_root() } else { self.log.root()? };
        if root == checkpoint.root {
            self.settle(Verdict::Holds);
            return Ok(());
        }
        let why = format!(
            "it states another root over the first {} leaves: the journal is not the one it was \
             signed for",
            checkpoint.size
        );
        findings.add(Finding::at(FindingKind::Checkpoint, Place::file(name), why));
        self.settle(Verdict::Differs);
        Ok(())
    }

    fn settle(&mut self, verdict: Verdict) {
        if let Some((name, Checkpoint { size, .. })) = self.awaited.pop_front() {
            self.outcomes.push(CheckpointOutcome { name, size, verdict });
        }
    }

    /// Compares the tiles that are not full, and says what became of checkpoints beyond the end.
    pub fn finish(&mut self, findings: &mut Findings) -> Result<(), EngineError> {
        if !self.broken {
            for tile in self.log.unfinished() {
                compare(&mut self.state, tile, findings)?;
            }
            if let Some(tiles) = self.state.as_ref().filter(|tiles| tiles.leaves > self.log.size())
            {
                let why = format!(
                    "the state's log has {} leaves, the journal {}",
                    tiles.leaves,
                    self.log.size()
                );
                findings.add(Finding::at(FindingKind::Log, Place::file("state"), why));
            }
        }
        while let Some((name, checkpoint)) = self.awaited.front() {
            if checkpoint.size == 0 {
                self.reached(findings)?;
            } else if self.broken {
                self.settle(Verdict::Unknown);
            } else {
                let why = format!(
                    "it states {} leaves, the journal has {}: accepted documents are missing",
                    checkpoint.size,
                    self.log.size()
                );
                findings.add(Finding::at(FindingKind::Checkpoint, Place::file(name), why));
                self.settle(Verdict::Differs);
            }
        }
        Ok(())
    }

    /// The hash of a leaf, as the state's tiles have it.
    fn tile_hash(
        &mut self,
        position: u64,
        findings: &mut Findings,
    ) -> Result<Option<Digest>, EngineError> {
        let Some(tiles) = &mut self.state else { return Ok(None) };
        let (index, slot) = (position / TILE_HASHES, position % TILE_HASHES);
        if tiles.kept.as_ref().is_none_or(|(kept, _)| *kept != index) {
            match Query(tiles.state).tile_hashes(0, index) {
                Ok(hashes) => tiles.kept = Some((index, hashes)),
                Err(error) => {
                    self.state = None;
                    findings.add_damage(FindingKind::State, error)?;
                    return Ok(None);
                }
            }
        }
        let kept = self.state.as_ref().and_then(|tiles| tiles.kept.as_ref());
        Ok(kept.and_then(|(_, hashes)| hashes.get(usize::try_from(slot).ok()?)).copied())
    }
}

/// Compares a tile with the state's, as far as the state says that it reaches. A row that is
/// damaged ends the comparison.
fn compare(
    state: &mut Option<Tiles<'_>>,
    tile: TileHashes<'_>,
    findings: &mut Findings,
) -> Result<(), EngineError> {
    let Some(tiles) = state else { return Ok(()) };
    let stored = match Query(tiles.state).tile_hashes(tile.level, tile.index) {
        Ok(stored) => stored,
        Err(error) => {
            *state = None;
            return findings.add_damage(FindingKind::State, error);
        }
    };
    let in_level = tiles.leaves.checked_shr(8 * u32::from(tile.level)).unwrap_or(0);
    let due = in_level.saturating_sub(tile.index * TILE_HASHES).min(tile.hashes.len() as u64);
    let differs = stored.iter().zip(tile.hashes).position(|(stored, made)| stored != made);
    let why = match differs {
        Some(slot) => format!("hash {slot} is another than the journal's"),
        None if (stored.len() as u64) < due => {
            format!("it has {} hashes, the state's log needs {due}", stored.len())
        }
        None => return Ok(()),
    };
    let why = format!("tile {} of level {}: {why}", tile.index, tile.level);
    findings.add(Finding::at(FindingKind::Log, Place::file("state"), why));
    Ok(())
}
