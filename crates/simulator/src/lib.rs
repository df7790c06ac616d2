//! Simulated agencies: who takes part, what they plan to send, and how they behave against a real
//! hub through the client.
//!
//! ```text
//!  seed ─▶ Cast (agencies, keys, certificates) ─▶ Plan (who sends what to whom, what goes wrong)
//!                                                   │
//!                       live: clients with real TLS ▼ ─▶ Tally (what came back)
//! ```
//! Beside it stands the virtual world: a [`scenario`] of TOML, played on the hub's own `core` in
//! virtual time ([`world`]), and judged by what the hub's records say ([`verdict`]).
//!
//! And a hub in a process of its own is killed, again and again, under clients that never give up
//! ([`crash`]).
//!
//! Cast and plan follow from their seed alone. What a recipient does with a document is decided by
//! the document and the recipient, never by who came first, so that a run counts the same again.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cast;
pub mod conformance;
pub mod crash;
pub mod diff;
mod draft;
pub mod explore;
pub mod live;
pub mod pdf;
mod plan;
pub mod scenario;
mod tally;
pub mod verdict;
pub mod world;

pub use cast::{Cast, CastError, Member, Scenario};
pub use draft::subject;
pub use live::{Address, LiveError, Progress, Stage, run};
pub use plan::{Answer, Job, Plan, Signing, Trouble};
pub use tally::{Mismatch, Tally};
