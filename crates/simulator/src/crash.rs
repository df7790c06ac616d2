//! A hub in a process of its own that is killed again and again, and what is found afterwards.
//!
//! ```text
//!  books (what the clients were told) ──┐
//!     ▲                                 ├─▶ differences: none
//!  traffic: four clients ◀─TLS─▶ hub ───┘   proofs: the log only grew
//!                                 ▲
//!  rounds: start ▸ kill, after a number of answers or at a named point ▸ start again ▸ check
//! ```
//! The clients hand documents over (in records, in payload files, with attachments that are uploaded,
//! to lists that are fanned out), acknowledge, report, take back, answer and read notices, over every
//! death of the hub. After each round what they were told is compared with what the hub says.
//!
//! The hub is the given program, started with `hub`; nothing here knows its code.

mod books;
mod campaign;
mod checking;
mod child;
mod error;
mod ground;
mod proofs;
mod receiving;
mod traffic;
mod writing;

pub use books::{Books, Name};
pub use campaign::{Campaign, End, Outcome, POINTS, Round};
pub use child::{Child, Death};
pub use error::CrashError;
pub use ground::{AGENCIES, Ground, code, directory, directory_with_communes, now};

use std::time::Duration;

/// How long anything that must happen may take.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long the patient clients try: longer than any campaign.
const FOR_EVER: Duration = Duration::from_secs(7 * 24 * 3600);
