//! The connector: what an agency, or a gateway for many, runs beside its own software.
//!
//! ```text
//!  agency's software                    connector                              hub
//!   outbox/ ──────────▶ outgoing: take ▸ sign, sync ▸ hand over ▸ receipt ────▶
//!   status/out/ ──────▶                                                         │
//!   inbox/ ◀────────── incoming: verify ▸ write, sync ▸ mark ▸ acknowledge ◀────┤
//!   status/in/ ◀────── notices: what recipients reported ◀──────────────────────┘
//!   HTTP ◀───────────▶ http: the same folders      webhook ──▶ says what arrived
//! ```
//! The folders are the state: a kill at any moment and hours without the hub lose nothing and double
//! nothing. Signing and verifying are done by the client; nothing here judges for the hub.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod compose;
mod directory;
mod disk;
pub mod doctor;
mod events;
mod fields;
pub mod files;
mod header;
mod http;
mod incoming;
mod intake;
mod judge;
mod keys;
mod link;
mod node;
mod notices;
mod outgoing;
mod places;
mod receipts;
pub mod received;
mod receiving;
mod refresh;
mod refused;
mod report_header;
mod secret;
mod settings;
mod signed_files;
mod webhook;

pub use directory::{Agency, DirectoryCopy};
pub use disk::DiskError;
pub use fields::Format;
pub use header::{Header, read_type};
pub use judge::Judge;
pub use keys::{Choice, Keyring, SignerMissing, SigningKeys};
pub use link::Away;
pub use node::{Connector, StartError};
pub use places::{OWN, Places, Room, read_received_name, received_name};
pub use receipts::{Evidence, ReceiptRecord, ReportReceiptRecord};
pub use received::Received;
pub use refused::{Fault, LocalReason, Place, Refused};
pub use report_header::ReportHeader;
pub use secret::SecretError;
pub use settings::{HttpSettings, Point, Settings, WebhookSettings};
pub use signed_files::write as write_signed;
pub use webhook::{WebhookError, signature};
