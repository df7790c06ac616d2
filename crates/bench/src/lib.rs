//! Loads a running hub with signed documents and measures what it does: throughput, latency, and
//! what the hub's own process spends.
//!
//! ```text
//!  Stage ─▶ HubProcess ─▶ Target ─▶ Scene ─▶ measure(Load) ─▶ Round
//!  PKI,      a child, its   where it   nodes     documents,       figures
//!  directory CPU, memory    is         connected recipients
//! ```
//! The hub is a process of its own, so that its processor time and memory are not the generator's.
//! Documents are signed before the clock starts; whoever measures an open rate counts from the
//! moment at which a document was due, not from the one at which there was room for it. Nothing
//! here judges the figures.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod crowd;
mod disk;
mod documents;
mod error;
mod figures;
mod latency;
mod load;
mod meters;
mod overload;
mod pace;
mod process;
mod receiving;
mod round;
mod scene;
mod stage;

pub use crowd::{DeadConsumers, Large, idle};
pub use disk::{Disk, DiskFigures};
pub use error::BenchError;
pub use figures::median;
pub use latency::Latency;
pub use load::{Load, Way, Work};
pub use overload::{Flood, Flooded};
pub use pace::Pace;
pub use process::{HubProcess, Program, Spent};
pub use round::{HubFigures, JournalFigures, Round, measure};
pub use scene::{Scene, Target};
pub use stage::{Cast, Keyring, Stage};
