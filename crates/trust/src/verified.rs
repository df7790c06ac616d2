//! The permit of verified content.

use std::ops::Deref;

/// Content whose facts were worked out: who signed it, and that the signatures are right.
///
/// Only the [`crate::Verifier`] makes one. Replay needs none: the journal holds decisions, and what
/// was decided is taken over, not judged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the content.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
