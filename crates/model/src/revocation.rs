//! What is known of the revocation of a document's certificates.

/// Whether it is proven that none of a document's certificates was revoked when the hub received
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// None was revoked before receipt.
    Proven,
    /// It was accepted in the grace; a revocation list is awaited.
    NotProven,
    /// It was accepted in the grace, and a list that came later says that one had been revoked.
    FoundRevoked,
}

impl Revocation {
    /// The name in files and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::NotProven => "not-proven",
            Self::FoundRevoked => "found-revoked",
        }
    }
}
