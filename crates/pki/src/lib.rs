//! Makes keys, certificates, requests and revocation lists: a test PKI in memory, the folder that
//! `lienthong pki` writes, and the enrolment of agencies that made their keys themselves.
//!
//! No clock is read here: every date is a parameter. From a seed the same bytes come out twice.
//! What is issued is read back by `trust` before it is handed out, so this crate cannot make a
//! certificate that the hub refuses. The profile is in docs/CERTIFICATES.md.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod authority;
mod folder;
mod form;
mod identity;
mod key;
pub mod pem;
mod profile;
mod register;
mod request;

pub use authority::{Authority, AuthorityError, IssueError, Serial, Validity};
pub use folder::{Folder, FolderError};
pub use identity::{Identity, TestPki};
pub use key::{KeyError, KeySource, SecretKey};
pub use profile::Profile;
pub use register::{Entry, Register, RegisterError, Withdrawal};
pub use request::{Request, RequestError, request};
