//! Facts where signatures are not made: for the simulation in virtual time, and for nothing else.
//!
//! Behind the feature `rehearsal`, which the simulator alone asks for (`tests/architecture.rs`). All
//! facts are worked out as ever; only a signature that says of itself that it was not made is
//! passed without arithmetic. Every other verifier refuses it: it is no signature.

use lienthong_model::{Contents, SignedContent};

use crate::ed25519::PublicKey;
use crate::verified::Verified;
use crate::verify::{Known, Rejected, StatusSubmission, Submission, Verifier};

/// What stands where a signature would: no key has ever made it, since a strict verifier refuses a
/// number of which all bits are set.
pub const REHEARSED: [u8; 64] = [0xFF; 64];

/// A verifier that takes [`REHEARSED`] for right and verifies every other signature.
pub struct Rehearsal<C, K>(Verifier<C, K>);

impl<C: Contents, K: Known> Rehearsal<C, K> {
    /// Makes one; see [`Verifier::new`].
    pub fn new(contents: C, known: K) -> Self {
        Self(Verifier::new(contents, known))
    }

    /// Works out the facts of a document.
    ///
    /// # Errors
    /// [`Rejected`] as of [`Verifier::document`].
    pub fn document(&self, content: SignedContent) -> Result<Verified<Submission>, Rejected> {
        self.0.document_by(content, holds)
    }

    /// Works out the facts of a status report.
    ///
    /// # Errors
    /// [`Rejected`] as of [`Verifier::status`].
    pub fn status(&self, content: SignedContent) -> Result<Verified<StatusSubmission>, Rejected> {
        self.0.status_by(content, holds)
    }
}

fn holds(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    signature == REHEARSED || key.verify(message, signature)
}
