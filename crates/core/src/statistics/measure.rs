//! Folding and writing pages without a hub, so that questions can be measured on years that nobody
//! lived.

use std::sync::RwLock;

use lienthong_model::{Ordinal, Position, Timestamp};

use super::cubes::Cubes;
use super::event::Event;
use super::fold::Fold;
use crate::engine::{EngineError, Tables, Writes};
use crate::keys::{self, Lane, MAILBOX_PAGE};

/// Returns cubes without open pages, as of a moment.
pub fn cubes(now: Timestamp) -> RwLock<Cubes> {
    RwLock::new(Cubes::at(now))
}

/// Folds the events of a block.
///
/// # Errors
/// [`EngineError`] when a page cannot be read.
pub fn fold(
    cubes: &mut Cubes,
    tables: &dyn Tables,
    (block, time): (u64, Timestamp),
    events: &[Event],
) -> Result<(), EngineError> {
    cubes.fold(tables, Fold { block, time }, events)
}

/// Returns the rows of pages that changed; those of periods that ended leave memory.
///
/// # Errors
/// [`EngineError`] when a row cannot be read.
pub fn cut(cubes: &mut Cubes, tables: &dyn Tables, now: Timestamp) -> Result<Writes, EngineError> {
    let mut writes = Writes::new();
    cubes.cut(tables, now, &mut writes)?;
    Ok(writes)
}

/// Returns the rows of a mailbox in which documents wait; positions come in their order.
pub fn waiting(recipient: Ordinal, positions: &[Position]) -> Writes {
    let of_page = |one: &Position, other: &Position| one.0 / MAILBOX_PAGE == other.0 / MAILBOX_PAGE;
    let page = |positions: &[Position]| {
        let key = keys::mailbox_page(recipient, Lane::Ordinary, positions[0]);
        let bytes = positions.iter().map(|one| (one.0 % MAILBOX_PAGE).to_le_bytes()[0]);
        (key, Some(bytes.collect::<Vec<u8>>().into()))
    };
    positions.chunk_by(of_page).map(page).collect()
}
