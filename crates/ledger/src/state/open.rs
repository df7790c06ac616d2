//! Opening the state beside a journal: use it, replay the rest, or delete it and rebuild.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use lienthong_core::engine::{Blocks as _, EngineError, Marker};
use lienthong_model::limits::REPLAY_MARGIN_BLOCKS;

use super::generation::Generation;
use super::layers::open_runs;
use super::recent::{beside, damage_note};
use super::{SledState, StateLimits};
use crate::disk::{io_error, remove_file, sync_parent};
use crate::journal::{JournalBlocks, TornTail};
use crate::rows::{Run, block_cache};

/// A state that was opened beside its journal.
#[derive(Debug)]
pub struct Opened {
    /// The state.
    pub state: SledState,
    /// The first block to replay, from 1; past the journal's end only when the journal is empty.
    pub replay_from: u64,
    /// Why the state could not be used as found; it was taken back to its last good runs, or
    /// deleted. `None` when it was used as found, or was not there.
    pub rebuilt: Option<Why>,
}

/// Why a state could not be used as found, and is rebuilt from its last good runs or the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It reflects a block of the right number and another hash: another journal's state.
    OtherHash {
        /// The state's last block.
        block: u64,
    },
    /// It does not open, or a check value is wrong.
    Unusable {
        /// How that shows.
        why: String,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherHash { block } => {
                write!(f, "the state has another block {block} than the journal")
            }
            Self::Unusable { why } => f.write_str(why),
        }
    }
}

/// Opens the state in a folder and says from which block the journal is to be replayed into it.
///
/// A state at or behind the journal's end is used, and replayed from
/// [`REPLAY_MARGIN_BLOCKS`] before its marker on. Of any other the runs are used, or those that were
/// in force before rows were last moved, if every byte of them is right and they belong to the
/// journal; else it is deleted, and everything is replayed. A kill during the deletion leaves
/// nothing that could be taken for a state.
///
/// A state ahead of the journal is refused, and both are left as they are: the state gets a block
/// only when the journal has it on disk, so the journal's end is not torn but damaged.
///
/// # Errors
/// [`EngineError::Damaged`] when the state knows blocks that the journal does not have;
/// [`EngineError::InUse`] when another process has it; [`EngineError::Io`]; errors of the journal.
pub fn open_or_rebuild(folder: &Path, journal: &JournalBlocks) -> Result<Opened, EngineError> {
    open_or_rebuild_with(folder, journal, StateLimits::default())
}

/// [`open_or_rebuild`] with bounds of one's own.
///
/// # Errors
/// As [`open_or_rebuild`].
pub fn open_or_rebuild_with(
    folder: &Path,
    journal: &JournalBlocks,
    limits: StateLimits,
) -> Result<Opened, EngineError> {
    finish_discarding(folder)?;
    let why = match SledState::open(folder, limits) {
        Ok((state, marker)) => match unfit(marker, journal)? {
            None => {
                return Ok(Opened { state, replay_from: replay_from(marker), rebuilt: None });
            }
            Some(why) => why,
        },
        Err(EngineError::Damaged { what, why }) => Why::Unusable { why: format!("{what}: {why}") },
        Err(error) => return Err(error),
    };
    tracing::warn!(%why, "the state cannot be used as it is");
    if let Some(marker) = retreat(folder, journal)? {
        let (state, _) = SledState::open(folder, limits)?;
        tracing::warn!(block = marker.block, "the state was taken back to its runs");
        return Ok(Opened { state, replay_from: replay_from(Some(marker)), rebuilt: Some(why) });
    }
    tracing::warn!("deleting the state, to rebuild it from the journal");
    discard(folder)?;
    let (state, _empty) = SledState::open(folder, limits)?;
    Ok(Opened { state, replay_from: 1, rebuilt: Some(why) })
}

fn replay_from(marker: Option<Marker>) -> u64 {
    let next = marker.map_or(1, |marker| marker.block + 1);
    next.saturating_sub(REPLAY_MARGIN_BLOCKS).max(1)
}

/// Puts the newest runs in force that are whole and belong to the journal, without the databases
/// over them; returns the block that they reflect, `None` when there are none.
fn retreat(folder: &Path, journal: &JournalBlocks) -> Result<Option<Marker>, EngineError> {
    let in_force = Generation::in_force(folder).ok().flatten();
    for runs in in_force.into_iter().chain(Generation::before(folder)) {
        let Some(marker) = runs.marker else { continue };
        if unfit(Some(marker), journal)?.is_some() || !are_whole(folder, &runs)? {
            continue;
        }
        let recent = vec![runs.next_number(folder)?];
        Generation { recent, rested: None, ..runs }.put_in_force(folder)?;
        remove_file(&damage_note(folder))?;
        return Ok(Some(marker));
    }
    Ok(None)
}

/// Whether every byte of some runs is right.
fn are_whole(folder: &Path, runs: &Generation) -> Result<bool, EngineError> {
    let cache = Arc::new(block_cache(0));
    let verify = |numbers: &[u64]| -> Result<(), EngineError> {
        open_runs(folder, numbers, &cache)?.iter().try_for_each(Run::verify)
    };
    match verify(&runs.open).and_then(|()| verify(&runs.settled)) {
        Ok(()) => Ok(true),
        Err(EngineError::Damaged { what, why }) => {
            tracing::warn!(%what, %why, "these runs cannot be used");
            Ok(false)
        }
        Err(EngineError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Says why a state with this marker does not belong to the journal.
fn unfit(marker: Option<Marker>, journal: &JournalBlocks) -> Result<Option<Why>, EngineError> {
    let Some(marker) = marker else { return Ok(None) };
    let end = journal.end().map_or(0, |end| end.block);
    if marker.block > end {
        return Err(lost_blocks(marker.block, end, journal));
    }
    let same = journal.hash(marker.block)? == Some(marker.hash);
    Ok((!same).then_some(Why::OtherHash { block: marker.block }))
}

/// The error for a journal that has lost blocks which were on disk.
fn lost_blocks(known: u64, end: u64, journal: &JournalBlocks) -> EngineError {
    let ends = match end {
        0 => "it is empty".to_owned(),
        end => format!("it ends with block {end}"),
    };
    let (what, ends) = match journal.torn_end() {
        Some(TornTail { file, offset, why, .. }) => {
            (format!("journal file `{file}` at byte {offset}, block {}", end + 1), why)
        }
        None => ("the journal".to_owned(), ends),
    };
    EngineError::Damaged {
        what,
        why: format!(
            "{ends}, but the state knows block {known}, which was on disk: put the journal's files \
             back from a backup; to go on without what is missing, delete the folder `state`"
        ),
    }
}

/// Deletes a state: out of the way in one step, then file by file.
fn discard(folder: &Path) -> Result<(), EngineError> {
    let discarded = beside(folder, ".discarded");
    if folder.exists() {
        std::fs::rename(folder, &discarded).map_err(io_error("rename", folder))?;
        sync_parent(folder)?;
    }
    remove_file(&damage_note(folder))?;
    finish_discarding(folder)
}

/// Deletes what an earlier deletion left.
fn finish_discarding(folder: &Path) -> Result<(), EngineError> {
    let discarded = beside(folder, ".discarded");
    if discarded.exists() {
        std::fs::remove_dir_all(&discarded).map_err(io_error("delete", &discarded))?;
    }
    Ok(())
}
