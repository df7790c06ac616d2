//! Blocks: what the journal holds, commands together with their decisions.

use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{Digest, Position, Timestamp};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use minicbor::{Decode, Encode};

use crate::command::{Command, Decision, Entry};
use crate::engine::{EngineError, Marker};

/// The version of the encoding of blocks. Stable: a change makes a new number and a migration.
pub const BLOCK_FORMAT: u16 = 1;

/// Commands in their order with what was decided on each. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Block {
    /// From 1, without gaps.
    #[n(0)]
    pub number: u64,
    /// Business time of every entry; never before the last block's.
    #[n(1)]
    pub time: Timestamp,
    /// Hash of the block before; zeros for the first.
    #[n(2)]
    pub previous: Digest,
    /// The version of the rules of judgement in force.
    #[n(3)]
    pub rules: u16,
    /// At most [`lienthong_model::limits::BLOCK_ENTRIES_MAX`].
    #[n(4)]
    pub entries: Vec<Entry>,
    /// How far ahead of the block's time a sender's clock could be, in milliseconds of business
    /// time; more than usual only on a scenario's clock.
    #[n(5)]
    pub clock_ahead_ms: u64,
}

/// A block in the bytes that the journal keeps. Its hash is the SHA-256 of these bytes, which hold
/// the number and the hash of the block before.
#[derive(Debug, Clone)]
pub struct SealedBlock {
    /// Number and hash.
    pub marker: Marker,
    /// The encoding.
    pub bytes: Bytes,
    /// The block itself.
    pub block: Arc<Block>,
}

impl Block {
    /// Returns the leaves of the log that the block's entries have, in order of their positions.
    pub fn leaves(&self) -> impl Iterator<Item = (Position, LeafEntry)> {
        self.entries.iter().filter_map(|entry| {
            // Nothing else has a leaf.
            let (kind, signed, position) = match (&entry.command, &entry.decision) {
                (Command::Submit(submit), Decision::Accepted(accepted)) => {
                    (LeafKind::Document, &submit.signed, accepted.position)
                }
                (Command::Report(report), Decision::Reported(reported)) => {
                    (LeafKind::Report, &report.signed, reported.position)
                }
                _ => return None,
            };
            let (content, signatures) = (signed.digest, signed.signatures_digest);
            Some((position, LeafEntry { kind, time: self.time, content, signatures }))
        })
    }

    /// Encodes and hashes the block.
    pub fn seal(self) -> SealedBlock {
        self.seal_within(0)
    }

    /// Seals a block whose entries have so many bytes.
    pub(crate) fn seal_within(self, entries: usize) -> SealedBlock {
        let bytes = crate::codec::encode_within(&self, entries + 256);
        let marker = Marker { block: self.number, hash: Digest::of(&bytes) };
        SealedBlock { marker, bytes: bytes.into(), block: Arc::new(self) }
    }
}

/// Returns which entry of an encoded block, from 0, holds the byte at an offset; `None` when it lies
/// outside the entries.
pub fn entry_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let mut decoder = minicbor::Decoder::new(bytes);
    decoder.array().ok()??;
    // Number, time, hash of the block before, rules: fields 0 to 3.
    for _ in 0..4 {
        decoder.skip().ok()?;
    }
    let entries = decoder.array().ok()??;
    let mut begin = decoder.position();
    for entry in 0..entries {
        decoder.skip().ok()?;
        let end = decoder.position();
        if (begin..end).contains(&offset) {
            return u32::try_from(entry).ok();
        }
        begin = end;
    }
    None
}

impl SealedBlock {
    /// Reads a block from the bytes that the journal kept.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when the bytes are not a block.
    pub fn open(bytes: Bytes) -> Result<Self, EngineError> {
        let block: Block = crate::codec::decode(&bytes, "block")?;
        let marker = Marker { block: block.number, hash: Digest::of(&bytes) };
        Ok(Self { marker, bytes, block: Arc::new(block) })
    }
}
