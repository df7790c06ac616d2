//! Runs: files of rows, sorted, compressed in blocks, checked, never changed once written.
//!
//! What has left the state at hand lies in them, and what was at hand some time ago: see
//! [`crate::state`]. A row in a newer run hides one of the same key in an older; a deletion is a
//! row, too.

mod block;
mod bloom;
mod merge;
mod run;
#[cfg(test)]
mod tests;
mod write;

use bytes::Bytes;

pub(crate) use block::{Rows as BlockRows, push_row};
pub(crate) use merge::{Merged, Source};
pub(crate) use run::{BlockCache, Run, block_cache, unpack};
pub(crate) use write::{RunForm, RunWriter};

/// A row; `None` for one that is deleted.
pub(crate) type Row = (Bytes, Option<Bytes>);
