//! The deterministic heart of the hub: commands, decisions, state, routing, delivery, statistics.
//!
//! No clock, no randomness, no network and no disk: time is a parameter, storage a trait
//! ([`engine`]). Replaying the journal gives the same rows, byte for byte.
//!
//! ```text
//!  Proposal ─▶ Machine::decide ─▶ Decision      judged once, when live
//!                   │
//!                   ▼
//!              Entry (command + decision) ─▶ Machine::apply ─▶ rows, statistics
//!                   ▲
//!              journal, on replay            decisions are taken over, never judged again
//! ```

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod appointments;
pub mod audit;
pub mod block;
pub mod codec;
mod command;
mod delivery;
mod directory;
pub mod engine;
pub mod engine_suite;
mod keys;
mod log;
mod machine;
mod mandates;
mod policy;
mod query;
mod quotas;
mod routing;
mod rows;
mod signers;
pub mod statistics;
mod trust_store;

pub use appointments::{AppointmentError, Appointments, holds};
pub use block::{BLOCK_FORMAT, Block, SealedBlock};
pub use command::*;
pub use delivery::{ConsumerId, Courier, Credit, Push};
pub use directory::{AgencyRecord, Directory, DirectoryError, Place};
pub use log::{GrowingLog, LogAt, TILE_HASHES, TileHashes, TileId, TileNodes, TileSource};
pub use machine::apply::lane;
pub use machine::{Machine, Opening, RULES_VERSION};
pub use mandates::{MandateError, Mandates};
pub use policy::{Excerpt, Policy};
pub use query::{DocumentView, Mailbox, MailboxLane, Query, TrackedDelivery};
pub use quotas::{QuotaError, Quotas, Used};
pub use routing::{Effect, Explanation, Route, RouteOutcome, RoutingRules, Rule, Span};
pub use rows::{DeliveryRow, DocumentRow, Revocation, StatusLine};
pub use signers::{FactsOf, Received, Signers, judge_signers};
pub use trust_store::{RevocationPolicy, TrustStore};
