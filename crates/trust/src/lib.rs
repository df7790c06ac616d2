//! What is true of signed bytes: DSSE envelopes, strict Ed25519, X.509 chains, revocation lists,
//! the Merkle log's hashes, proofs and checkpoints, and [`Verified`], the only door by which signed
//! content enters the hub.
//!
//! *Facts* ([`Verifier`]) depend on the bytes alone. *Judgement of signers* ([`judge`]) compares
//! facts with what somebody trusts as of a date; the hub's `core` and every recipient call the
//! same functions. Nothing here makes a key, reads a clock, a disk or a network.

// Bytes from outside must never lead to a panic: whoever wants one writes why it cannot happen.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod authorities;
mod certificate;
mod chain;
mod checkpoint;
pub mod dsse;
mod ed25519;
pub mod judge;
pub mod merkle;
mod note;
#[cfg(feature = "rehearsal")]
mod rehearsal;
mod revocation;
mod verified;
mod verify;

pub use authorities::Authorities;
pub use certificate::{AuthorityId, Certificate, CertificateError, Holder, Name};
pub use chain::{Chain, ChainError};
pub use checkpoint::{Checkpoint, CheckpointError, bundle_statement};
pub use ed25519::{PublicKey, SIGNATURE_BYTES, WeakKey};
pub use judge::{Anchors, Dates, Sender, SignatureKind, Unproven};
pub use note::{NOTE_BYTES_MAX, NoteError, NoteKey, NoteKeyError};
#[cfg(feature = "rehearsal")]
pub use rehearsal::{REHEARSED, Rehearsal};
pub use revocation::{RevocationList, RevocationListError, Revoked};
pub use verified::Verified;
pub use verify::{Known, Rejected, Signed, StatusSubmission, Submission, Verifier};
