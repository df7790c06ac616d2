//! Accounts: that a person may sign in with a password. The journal says who has one and who made
//! it; what proves the password is never journalled, since nothing is ever erased there.

use minicbor::{Decode, Encode};

use crate::mandate::Signatory;

/// A change of a person's account. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AccountChange {
    /// Whose account it is.
    #[n(0)]
    pub holder: Signatory,
    /// What becomes of it.
    #[n(1)]
    pub kind: AccountChangeKind,
}

/// What becomes of an account. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AccountChangeKind {
    /// It is made, or gets another password.
    #[n(1)]
    PasswordSet = 1,
    /// It is removed.
    #[n(2)]
    Removed = 2,
}

impl AccountChangeKind {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PasswordSet => "password-set",
            Self::Removed => "removed",
        }
    }
}
