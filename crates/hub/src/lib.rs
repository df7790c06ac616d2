//! The shell of the hub: gRPC services, the sequencer's thread, egress, TLS, settings.
//!
//! It moves bytes and time to and from `core`; what is right is decided there.
//!
//! ```text
//!  listener (mutual TLS) ─▶ services ─▶ ingress ─▶ sequencer ─▶ journal
//!                            ▲  │ ▲                   │
//!       attachments transfer ┘──┘ └── egress ◀────────┘      reader: rows, blocks, statistics
//! ```

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod accounts;
mod administration;
mod admission;
mod arriving;
mod audit;
mod backup;
mod caller;
mod certificates;
mod clock;
mod connections;
mod descriptors;
mod egress;
mod evidence;
mod gate;
mod histogram;
mod http;
mod hub;
mod indicators;
mod ingress;
mod language;
mod leaves;
mod list_files;
mod listener;
mod log_key;
mod meters;
mod negatives;
mod open_folder;
mod peer;
mod places;
mod present;
mod rate;
mod reader;
mod recount;
mod retention;
mod sequencer;
mod services;
mod settings;
mod sight;
mod signed_by;
mod space;
mod survey;
mod tls;
mod transfer;
mod upkeep;
mod verdict;

pub use accounts::{Accounts, AccountsError, PasswordProof};
pub use administration::ListOutcome;
pub use audit::{
    Audit, AuditReport, CheckpointOutcome, Finding, FindingKind, Redecided, Salvage, Salvaged,
    SalvagedDocument, StateOutcome, Verdict,
};
pub use backup::{
    Backup, BackupCheck, BackupError, BackupReport, Manifest, ManifestFile, Restore, Restored,
    Restoring, check_backup,
};
pub use clock::{BusinessClock, Clock, ClockError};
pub use hub::{Hub, LeftOut, StartError};
pub use list_files::{ListFiles, ListsRead};
pub use log_key::LogKeyError;
pub use open_folder::{AdministerError, OpenFolder, Recovery};
pub use rate::Rates;
pub use reader::{AttachmentBytes, KeptAttachment, KeptDocument, Reader};
pub use settings::{DirectoryImport, HttpAddress, NotLoopback, Settings, StorageSettings};
pub use space::{Probe, SpaceMarks};
pub use tls::ServerIdentity;
