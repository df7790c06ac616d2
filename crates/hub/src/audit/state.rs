//! The state beside an audited journal: opened in a copy, and whether it belongs to the journal.

use std::io;
use std::path::Path;

use lienthong_core::Query;
use lienthong_core::engine::EngineError;
use lienthong_ledger::{DamageKind, SledState, StateLimits};

use super::findings::{Finding, FindingKind, Findings, Place};

/// What became of the comparison with the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateOutcome {
    /// It was left out.
    LeftOut,
    /// There is none: the next start makes it from the journal.
    Missing,
    /// It does not open.
    Unusable,
    /// It was compared as far as it reaches.
    Compared {
        /// Its last block.
        block: u64,
        /// Leaves in its log.
        leaves: u64,
    },
}

/// Opens a copy of a folder's state.
pub(super) fn open(
    data: &Path,
    scratch: Option<&Path>,
    findings: &mut Findings,
) -> Result<(Option<SledState>, StateOutcome), EngineError> {
    let Some(scratch) = scratch else { return Ok((None, StateOutcome::LeftOut)) };
    let (from, to) = (data.join("state"), scratch.join("state"));
    if !from.is_dir() {
        return Ok((None, StateOutcome::Missing));
    }
    copy(&from, &to).map_err(|source| EngineError::Io {
        doing: "copy",
        path: from.display().to_string(),
        source,
    })?;
    let opened = SledState::open(&to, StateLimits::default()).and_then(|(state, marker)| {
        let leaves = Query(&state).log_size()?;
        Ok((state, marker, leaves))
    });
    match opened {
        Ok((state, Some(marker), leaves)) => {
            Ok((Some(state), StateOutcome::Compared { block: marker.block, leaves }))
        }
        Ok((_, None, _)) => Ok((None, StateOutcome::Missing)),
        Err(EngineError::Damaged { what, why }) => {
            let why = format!("{what}: {why}; the next start makes it anew from the journal");
            findings.add(Finding::at(FindingKind::State, Place::file("state"), why));
            Ok((None, StateOutcome::Unusable))
        }
        Err(error) => Err(error),
    }
}

/// Compares where state and journal end: the state gets a block only when the journal has it on
/// disk.
pub(super) fn compare_ends(outcome: &mut StateOutcome, last_block: u64, findings: &mut Findings) {
    let StateOutcome::Compared { block, .. } = *outcome else { return };
    for torn in findings.torn().filter(|torn| torn.block.is_some_and(|number| number <= block)) {
        torn.kind = FindingKind::Journal(DamageKind::Frame);
        torn.why = format!("{}; the state knows block {block}, so it was on disk", torn.why);
    }
    if block > last_block {
        let why = format!("the state knows block {block}, the journal ends with {last_block}");
        findings.add(Finding::at(FindingKind::Marker, Place::file("journal"), why));
    }
}

/// Whether a file is never changed once it is written: a second name does as well as a copy.
fn is_run(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rows")
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if !is_run(&target) || std::fs::hard_link(entry.path(), &target).is_err() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
