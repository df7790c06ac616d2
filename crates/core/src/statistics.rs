//! Statistics, folded in the same block as the event that they count.
//!
//! Small cubes instead of a wide one, so that no key a document is written on the hot path. Each
//! cube is cut into *pages* (a period and a province, in *kind* also a level); the open pages are in memory, behind a lock
//! that readers share, and are written as one packed row each when the state cuts a chunk. A page
//! knows the last block folded into it: replaying an older block changes nothing.

mod cubes;
mod volumes;

pub use cubes::{Cell, Cubes, Direction, Event, FlowCell, KindCell, Period, Traits, Visit};
pub use volumes::{Flow, LevelVolume, Refusals, Totals, Volume, Volumes, flows, refusals, volumes};

/// Returns what is being folded: a block and its time.
pub(crate) fn fold_of(block: u64, time: lienthong_model::Timestamp) -> cubes::Fold {
    cubes::Fold { block, time }
}
