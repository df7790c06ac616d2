//! Opening the state beside a journal: use it, replay the rest, or delete it and rebuild.

use std::fmt;
use std::path::Path;

use lienthong_core::engine::{Blocks as _, EngineError, Marker};
use lienthong_model::limits::REPLAY_MARGIN_BLOCKS;

use super::rows::{beside, damage_note};
use super::{SledState, StateLimits};
use crate::disk::{io_error, remove_file, sync_parent};
use crate::journal::JournalBlocks;

/// A state that was opened beside its journal.
#[derive(Debug)]
pub struct Opened {
    /// The state.
    pub state: SledState,
    /// The first block to replay, from 1; past the journal's end only when the journal is empty.
    pub replay_from: u64,
    /// Why the state was deleted; `None` when it was used as found, or was not there.
    pub rebuilt: Option<Why>,
}

/// Why a state had to be deleted and is rebuilt from the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It reflects a block that the journal does not have.
    Ahead {
        /// The state's last block.
        state: u64,
        /// The journal's last block.
        journal: u64,
    },
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
            Self::Ahead { state, journal } => {
                write!(f, "the state has block {state}, the journal ends with {journal}")
            }
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
/// [`REPLAY_MARGIN_BLOCKS`] before its marker on; any other is deleted, and everything is
/// replayed. A kill during the deletion leaves nothing that could be taken for a state.
///
/// # Errors
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
                let next = marker.map_or(1, |marker| marker.block + 1);
                let replay_from = next.saturating_sub(REPLAY_MARGIN_BLOCKS).max(1);
                return Ok(Opened { state, replay_from, rebuilt: None });
            }
            Some(why) => why,
        },
        Err(EngineError::Damaged { what, why }) => Why::Unusable { why: format!("{what}: {why}") },
        Err(error) => return Err(error),
    };
    match why {
        // The state gets a block only after the journal has it on disk.
        Why::Ahead { .. } => {
            tracing::error!(%why, "the journal has LOST blocks; the state is rebuilt without them");
        }
        Why::OtherHash { .. } | Why::Unusable { .. } => {
            tracing::warn!(%why, "deleting the state, to rebuild it from the journal");
        }
    }
    discard(folder)?;
    let (state, _empty) = SledState::open(folder, limits)?;
    Ok(Opened { state, replay_from: 1, rebuilt: Some(why) })
}

/// Says why a state with this marker does not belong to the journal.
fn unfit(marker: Option<Marker>, journal: &JournalBlocks) -> Result<Option<Why>, EngineError> {
    let Some(marker) = marker else { return Ok(None) };
    let end = journal.end().map_or(0, |end| end.block);
    if end == 0 && marker.block > 0 {
        return Err(EngineError::Damaged {
            what: "the journal".to_owned(),
            why: format!(
                "it is empty, but the state knows block {}: put the journal's files back, or take \
                 a new folder",
                marker.block
            ),
        });
    }
    if marker.block > end {
        return Ok(Some(Why::Ahead { state: marker.block, journal: end }));
    }
    let same = journal.hash(marker.block)? == Some(marker.hash);
    Ok((!same).then_some(Why::OtherHash { block: marker.block }))
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
