//! The vocabulary of Lienthong: codes, times, documents, statuses, refusals, limits.
//!
//! Plain values and the rules that a value must keep by itself. Nothing here
//! asks for a clock, a disk or a network, and nothing knows how it travels:
//! `wire` owns the protobuf forms, `core` the journal.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod account;
mod appointment;
mod change;
mod code;
mod contents;
mod directory;
mod document;
mod header;
mod ids;
pub mod limits;
mod mandate;
mod place;
mod quota;
mod refusal;
mod region;
mod revocation;
mod signed;
mod status;
mod target;
mod terms;
mod text;
mod time;

pub use account::{AccountChange, AccountChangeKind};
pub use appointment::{Actor, Appointment, Role, Territory};
pub use change::{ChangeEffect, ChangeKind, Standing};
pub use code::{AgencyCode, CodeError, CodeKey};
pub use contents::{Attachment, Contents};
pub use directory::{AgencyEntry, AgencyState, SignaturePolicy};
pub use document::*;
pub use header::{AttachmentHeader, Header, RecipientChangeHeader, Reference, StatusHeader};
pub use ids::{Digest, Digester, Fingerprint, IdError, MessageId, Ordinal, Position};
pub use mandate::{Capacity, Mandate, Signatory, mandate_of};
pub use place::{Level, LevelError};
pub use quota::Quota;
pub use refusal::{Category, Reason, Refusal, Violation};
pub use region::Region;
pub use revocation::Revocation;
pub use signed::{SignatureEntry, SignedContent};
pub use status::{AnsweredMessage, StatusCode, StatusReport};
pub use target::{Indicator, IndicatorUnit, Target};
pub use terms::Terms;
pub use text::fold_diacritics;
pub use time::{Day, Hour, Month, Timestamp};

/// Content type of Document v1, as it is signed.
pub const DOCUMENT_V1: &str = "application/vnd.lienthong.document.v1+protobuf";
/// Content type of Status v1, as it is signed.
pub const STATUS_V1: &str = "application/vnd.lienthong.status.v1+protobuf";
