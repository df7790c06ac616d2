//! The engines in memory: for tests and for the simulation in virtual time.
//!
//! They keep the same rules as the ones on disk and are bounded only by what they are given.
//! Clones and handles share one store, so that "reopening" is taking another handle.

mod at_hand;
mod blocks;
mod key;
mod past;
mod payloads;
mod settled;
mod state;

pub use blocks::{MemoryBlocks, MemoryJournal};
pub use payloads::MemoryPayloads;
pub use state::{BeforeBlock, MemoryState};
