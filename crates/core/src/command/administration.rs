//! Acts of administration, lists of recipients, and what is kept of a refusal.
//!
//! Stable: fields are numbered, new ones are added at the end, none is reused.

use lienthong_model::{Digest, Fingerprint, MessageId, Ordinal, Position, Reason};
use lienthong_trust::AuthorityId;
use minicbor::{Decode, Encode};

use super::CertificateBytes;
use crate::lists::SavedName;

/// Refusals of one caller.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct RefusedRequests {
    /// Who asked.
    #[n(0)]
    pub caller: Ordinal,
    /// The id that was claimed, when it could be read.
    #[n(1)]
    pub id: Option<MessageId>,
    /// SHA-256 of the DSSE bytes of the last one.
    #[n(2)]
    pub digest: Digest,
    /// Bytes of the last one.
    #[n(3)]
    pub size: u64,
    /// Refusals of the same caller before it that were not journalled one by one, added up.
    #[n(4)]
    pub added_up: Vec<RefusalCount>,
}

/// How often a reason occurred.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct RefusalCount {
    /// The reason.
    #[n(0)]
    pub reason: Reason,
    /// How often.
    #[n(1)]
    pub count: u32,
}

/// A directory to take over as a whole.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ImportDirectory {
    /// What the importer calls it.
    #[n(0)]
    pub source: String,
    /// The payload: entries in the encoding of [`crate::codec`].
    #[n(1)]
    pub payload: Digest,
}

/// An authority's certificate.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AddAuthority {
    /// Its DER.
    #[n(0)]
    pub certificate: CertificateBytes,
    /// Whether it is a root to be trusted.
    #[n(1)]
    pub trusted: bool,
}

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct AddRevocationList {
    /// The payload: its DER.
    #[n(0)]
    pub payload: Digest,
    /// The issuer's certificate.
    #[n(1)]
    pub issuer: Fingerprint,
}

/// What a revocation list settles.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SettleRevocation {
    /// The issuer.
    #[n(0)]
    pub issuer: AuthorityId,
    /// The list's payload.
    #[n(1)]
    pub list: Digest,
    /// Documents and reports that rest on the issuer's certificates, at most
    /// [`lienthong_model::limits::SETTLED_PER_ENTRY_MAX`], by position.
    #[n(2)]
    pub positions: Vec<Position>,
}

/// A list of recipients to save.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct SaveList {
    /// Whose connection brought it: the owner's or its gateway's; none for an administrator.
    #[n(0)]
    pub caller: Option<Ordinal>,
    /// Whose list it is.
    #[n(1)]
    pub owner: Ordinal,
    /// Its name among the owner's.
    #[n(2)]
    pub name: SavedName,
    /// What it is for; at most 500 characters.
    #[n(3)]
    pub title: String,
    /// Its members, in order, none twice; 1 to 16,384.
    #[n(4)]
    pub members: Vec<Ordinal>,
}

/// A saved list to remove.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct RemoveList {
    /// Whose connection brought it: the owner's or its gateway's; none for an administrator.
    #[n(0)]
    pub caller: Option<Ordinal>,
    /// Whose list it is.
    #[n(1)]
    pub owner: Ordinal,
    /// Its name among the owner's.
    #[n(2)]
    pub name: SavedName,
}
