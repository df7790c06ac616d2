//! Blocks: what the journal holds, commands together with their decisions.
//!
//! The bytes of a block are its *record* and, behind it, the contents of its documents. The record has
//! a content's digest and size where the content was, and the block's hash is the record's: so a content
//! can be taken out when its term has passed, and the hash chain stays what it was. **Stable:**
//!
//! ```text
//! block    record    the block in CBOR, with `Stored::Apart` for each content
//!          contents  for each of them, in order: 1 and its bytes, or 0 and as many zeros
//! ```
//! In blocks of format 1 contents stand in the record, and stay there.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use lienthong_model::{Digest, Position, Timestamp};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use minicbor::{Decode, Encode};

use crate::command::{Command, Decision, Entry, SignedRecord, Stored};
use crate::engine::{EngineError, Marker};

/// The version of the encoding of blocks. Stable: a change makes a new number and a migration.
pub const BLOCK_FORMAT: u16 = 2;

/// Stands before a content that is there.
const THERE: u8 = 1;
/// Stands before the zeros of one that was taken out.
const TAKEN_OUT: u8 = 0;

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

/// A block in the bytes that the journal keeps. Its hash is the SHA-256 of its record, which holds the
/// number and the hash of the block before.
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
    pub(crate) fn seal_within(mut self, entries: usize) -> SealedBlock {
        let kept: Vec<Stored> = contents(&mut self.entries).map(Stored::set_apart).collect();
        let mut bytes = crate::codec::encode_within(&self, entries + 256);
        let marker = Marker { block: self.number, hash: Digest::of(&bytes) };
        for (content, stored) in contents(&mut self.entries).zip(kept) {
            match &stored {
                Stored::Inline(inline) => {
                    bytes.push(THERE);
                    bytes.extend_from_slice(inline);
                }
                Stored::Apart { size, .. } => {
                    bytes.push(TAKEN_OUT);
                    bytes.resize(bytes.len() + usize::try_from(*size).unwrap_or(0), 0);
                }
                Stored::Payload { .. } => {}
            }
            *content = stored;
        }
        SealedBlock { marker, bytes: bytes.into(), block: Arc::new(self) }
    }

    /// Where the contents of its documents stand behind a record of so many bytes.
    fn places(&self, record: usize) -> Vec<Place> {
        let (mut places, mut at) = (Vec::new(), record);
        for (number, entry) in (0..).zip(&self.entries) {
            let Command::Submit(submit) = &entry.command else { continue };
            let document = match &entry.decision {
                Decision::Accepted(accepted) => Some(accepted.position),
                _ => None,
            };
            for stored in submit.signed.stored() {
                let Stored::Apart { size, .. } = stored else { continue };
                let begin = at.saturating_add(1);
                at = begin.saturating_add(usize::try_from(*size).unwrap_or(usize::MAX));
                places.push(Place { entry: number, document, content: begin..at });
            }
        }
        places
    }
}

/// Where a content stands behind a record.
struct Place {
    entry: u32,
    document: Option<Position>,
    /// The byte before says whether it is there.
    content: Range<usize>,
}

/// The contents of documents, in the order in which they stand behind the record.
fn contents(entries: &mut [Entry]) -> impl Iterator<Item = &mut Stored> {
    entries.iter_mut().flat_map(|entry| {
        let signed = match &mut entry.command {
            Command::Submit(submit) => Some(&mut submit.signed),
            _ => None,
        };
        signed.into_iter().flat_map(SignedRecord::stored_mut)
    })
}

/// How many contents of documents were taken out of blocks, and how many are left in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TakenOut {
    /// Those that went.
    pub gone: u64,
    /// Those that are left.
    pub left: u64,
}

impl std::ops::AddAssign for TakenOut {
    fn add_assign(&mut self, more: Self) {
        self.gone += more.gone;
        self.left += more.left;
    }
}

/// Takes out of a block's bytes the contents of the documents that have `expired`, by their positions:
/// zeros stand where they were, and the block has the hash that it had.
///
/// # Errors
/// [`EngineError::Damaged`] when the bytes are not a block; what `expired` returns.
pub fn take_out(
    bytes: &mut [u8],
    expired: &mut dyn FnMut(Position) -> Result<bool, EngineError>,
) -> Result<TakenOut, EngineError> {
    let (block, record): (Block, _) = crate::codec::decode_first(bytes, "block")?;
    let (mut taken, mut last) = (TakenOut::default(), None);
    for Place { document, content, .. } in block.places(record) {
        let Some([flag, content @ ..]) = bytes.get_mut(content.start - 1..content.end) else {
            return Err(damaged(block.number, "it ends within a content"));
        };
        if *flag == TAKEN_OUT {
            continue;
        }
        let gone = match (document, last) {
            (None, _) => false,
            (_, Some((known, gone))) if known == document => gone,
            (Some(document), _) => expired(document)?,
        };
        last = Some((document, gone));
        if gone {
            *flag = TAKEN_OUT;
            content.fill(0);
        }
        taken += TakenOut { gone: gone.into(), left: (!gone).into() };
    }
    Ok(taken)
}

fn damaged(block: u64, why: &str) -> EngineError {
    EngineError::Damaged { what: format!("block {block}"), why: why.to_owned() }
}

/// Returns which entry of an encoded block, from 0, holds the byte at an offset, in the record or among
/// the contents; `None` when it lies outside the entries.
pub fn entry_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let (block, record): (Block, _) = crate::codec::decode_first(bytes, "block").ok()?;
    if offset >= record {
        let places = block.places(record);
        let place = places.iter().find(|place| offset < place.content.end);
        return place.map(|place| place.entry);
    }
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
        let (mut block, record): (Block, _) = crate::codec::decode_first(&bytes, "block")?;
        let (head, mut behind) = bytes.split_at(record);
        let marker = Marker { block: block.number, hash: Digest::of(head) };
        for stored in contents(&mut block.entries) {
            bring_back(stored, &mut behind).map_err(|why| damaged(marker.block, why))?;
        }
        if !behind.is_empty() {
            return Err(damaged(marker.block, "something follows its last content"));
        }
        Ok(Self { marker, bytes, block: Arc::new(block) })
    }
}

/// Puts the next content behind a record back to its place, unless it was taken out.
fn bring_back(stored: &mut Stored, behind: &mut &[u8]) -> Result<(), &'static str> {
    let Stored::Apart { digest, size } = stored else { return Ok(()) };
    let bytes = usize::try_from(*size).ok().and_then(|size| {
        let (flag, rest) = behind.split_first()?;
        let (content, rest) = rest.split_at_checked(size)?;
        *behind = rest;
        Some((*flag, content))
    });
    match bytes {
        Some((THERE, content)) if Digest::of(content) == *digest => {
            *stored = Stored::Inline(Bytes::copy_from_slice(content));
            Ok(())
        }
        Some((TAKEN_OUT, content)) if content.iter().all(|byte| *byte == 0) => Ok(()),
        Some(_) => Err("a content is not the one that its record names"),
        None => Err("it ends within a content"),
    }
}
