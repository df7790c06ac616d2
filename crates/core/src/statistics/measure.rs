//! Pages made without events, so that questions can be measured on years that nobody lived, and
//! folding without a hub.

use std::sync::RwLock;

use lienthong_model::{Ordinal, Timestamp};

use super::cubes::{CubeName, Cubes, Fold};
use super::event::Event;
use super::page::{Cell, Page, PageKey};
use super::period::Grain;
use crate::engine::{EngineError, Tables};
use crate::keys;

/// A page to be: its cube, grain, number, province and part.
pub type PageName = (CubeName, Grain, i32, Option<Ordinal>, u8);

/// Returns key and row of a page with cells, by their numbers.
pub fn page(name: PageName, cells: impl Iterator<Item = (u64, Cell)>) -> (Vec<u8>, Vec<u8>) {
    let (cube, grain, number, province, part) = name;
    let key = keys::cube_page(cube.letter(), PageKey { grain, number, province, part });
    let page = Page { as_of: 1, cells: cells.collect(), dirty: false };
    (key, page.row())
}

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
