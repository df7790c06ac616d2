//! The entry of a leaf: what the log commits to for one document or report.
//!
//! **Stable, for ever** (`docs/EVIDENCE.md`): 74 bytes,
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 1 | version: 1 |
//! | 1 | 1 | kind: 1 a document, 2 a status report |
//! | 2 | 8 | block time: milliseconds since 1970-01-01T00:00:00Z, signed, big-endian |
//! | 10 | 32 | SHA-256 of the DSSE bytes that were signed ([`crate::dsse::content_digest`]) |
//! | 42 | 32 | SHA-256 of the signatures ([`crate::dsse::signatures_digest`]) |
//!
//! No name and no number of an agency is in it: whoever holds the signed bytes and the receipt can
//! build it, whoever holds neither learns nothing from it.

use lienthong_model::{Digest, Timestamp};

use super::leaf_hash;

/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 74;
/// The version that stands in its first byte.
pub const ENTRY_VERSION: u8 = 1;

/// What kind of content a leaf is of. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeafKind {
    /// An accepted document.
    Document = 1,
    /// An accepted status report.
    Report = 2,
}

/// What the log commits to for one accepted document or report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafEntry {
    /// Of what it is.
    pub kind: LeafKind,
    /// The time of the block in which it was accepted.
    pub time: Timestamp,
    /// SHA-256 of the DSSE bytes that were signed.
    pub content: Digest,
    /// SHA-256 of the signatures.
    pub signatures: Digest,
}

impl LeafEntry {
    /// Returns the entry's bytes.
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let parts: [&[u8]; 4] = [
            &[ENTRY_VERSION, self.kind as u8],
            &self.time.millis().to_be_bytes(),
            self.content.as_bytes(),
            self.signatures.as_bytes(),
        ];
        let places = bytes.iter_mut();
        places.zip(parts.into_iter().flatten()).for_each(|(place, byte)| *place = *byte);
        bytes
    }

    /// Reads an entry; `None` when the bytes are not one of this version.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[ENTRY_VERSION, kind], rest) = bytes.split_first_chunk()? else { return None };
        let (time, rest) = rest.split_first_chunk()?;
        let (content, rest) = rest.split_first_chunk()?;
        let kind = match kind {
            1 => LeafKind::Document,
            2 => LeafKind::Report,
            _ => return None,
        };
        let time = Timestamp::from_millis(i64::from_be_bytes(*time));
        let (content, signatures) = (Digest(*content), Digest(rest.try_into().ok()?));
        Some(Self { kind, time, content, signatures })
    }

    /// Returns the hash of the leaf.
    pub fn hash(&self) -> Digest {
        leaf_hash(&self.to_bytes())
    }
}
