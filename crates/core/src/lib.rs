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
mod change;
pub mod codec;
mod command;
mod deadlines;
mod delivery;
mod delivery_state;
mod directory;
pub mod engine;
pub mod engine_suite;
pub mod explain;
mod keys;
pub mod lists;
mod log;
mod machine;
mod mail;
mod mandates;
mod notice;
mod policy;
mod progress;
mod query;
mod quotas;
mod retention;
mod routing;
mod rows;
mod search;
mod settling;
mod signers;
pub mod statistics;
mod targets;
mod threads;
mod trust_store;
mod waiting;

pub use appointments::{AppointmentError, Appointments, holds};
pub use block::{BLOCK_FORMAT, Block, SealedBlock};
pub use change::{
    ActsOn, Answered, ChangeMade, ChangeMessage, DeliveryChange, Extent, LastChange, Mark,
};
pub use command::*;
pub use deadlines::{DeadlineKind, DeadlinePage};
pub use delivery::{ConsumerId, Courier, Credit, Push, PushMarks, Pushes, TakenForPushed};
pub use delivery_state::{Closed, DeliveryState, Progress};
pub use directory::{AgencyRecord, Directory, DirectoryError, Place};
pub use keys::SliceKey;
pub use log::{GrowingLog, LogAt, TILE_HASHES, TileHashes, TileId, TileNodes, TileSource};
pub use machine::apply::lane;
pub use machine::{Machine, Opening, RULES_VERSION};
pub use mail::{Arrival, Mail, MailboxChanges};
pub use mandates::{MandateError, Mandates};
pub use notice::{NoticeCause, NoticeKey, NoticeKind, NoticeNumber, NoticeRow, Notices, Told};
pub use policy::{Excerpt, Policy};
pub use progress::{ProgressCounts, Stage};
pub use query::{DocumentView, Mailbox, MailboxLane, NoticeMailbox, Query, TrackedDelivery};
pub use quotas::{QuotaError, Quotas, Used};
pub use retention::Retention;
pub use routing::{Effect, Explanation, Route, RouteOutcome, RoutingRules, Rule, Span};
pub use rows::{
    DeliveryRow, DocumentRow, EntryPlace, LapsedLine, Negative, RefusedId, RemindTo, Reminded,
    ReportPlace, SavedList, StatusLine,
};
pub use settling::Settling;
pub use signers::{FactsOf, Received, Signers, judge_signers};
pub use targets::{TargetError, Targets};
pub use threads::{AnsweredReference, Thread, ThreadDocument, ThreadKey};
pub use trust_store::{RevocationPolicy, TrustStore};
pub use waiting::{Waiting, WaitingDocument};
