//! The permit of verified content.

use std::ops::Deref;

/// Content whose facts were worked out: who signed it, and that the signatures are right.
///
/// Only the [`crate::Verifier`] makes one, and the journal's reader, which trusts what was
/// verified before it was journalled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// Readmits content that was verified before it was written to the journal. For the reader of
    /// a journal and for nothing else; a test of the repository holds this.
    pub fn readmit(value: T) -> Self {
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
