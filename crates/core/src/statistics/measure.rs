//! Folding and writing pages without a hub, so that questions can be measured on years that nobody
//! lived.

use std::sync::RwLock;

use lienthong_model::Timestamp;

use super::cubes::Cubes;
use super::event::Event;
use super::fold::Fold;
use crate::engine::{EngineError, Tables, Writes};

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
