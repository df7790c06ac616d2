//! The leaves of the block under way, and how they enter the tiles of the log.
//!
//! A tile's row is written once a block, whatever the number of leaves. On replay the rows may
//! already hold what is replayed, and more: a hash is written where it belongs, nothing is cut off.

use lienthong_model::{Digest, Position};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};

use super::Machine;
use crate::command::SignedRecord;
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::log::{HASH_BYTES, TILE_HASHES, TileNodes};

/// A hash and its place in its level of tiles.
type Placed = (u64, Digest);

impl<S: State, P: Payloads> Machine<S, P> {
    /// Notes the leaf of what was accepted.
    pub(super) fn enter_log(&mut self, position: Position, kind: LeafKind, signed: &SignedRecord) {
        if !self.keeps_log {
            return;
        }
        let entry = LeafEntry {
            kind,
            time: self.now(),
            content: signed.digest,
            signatures: signed.signatures_digest,
        };
        self.work.leaves.push((position.0, entry.hash()));
    }

    /// Writes the leaves of the block into the tiles.
    pub(super) fn write_leaves(&mut self) -> Result<(), EngineError> {
        let mut hashes: Vec<Placed> = std::mem::take(&mut self.work.leaves);
        for level in 0..=u8::MAX {
            if hashes.is_empty() {
                break;
            }
            hashes = self.write_level(level, &hashes)?;
        }
        Ok(())
    }

    /// Writes hashes into the tiles of a level; returns the hashes over the tiles that are full.
    fn write_level(&mut self, level: u8, hashes: &[Placed]) -> Result<Vec<Placed>, EngineError> {
        let mut above = Vec::new();
        for same_tile in hashes.chunk_by(|(one, _), (next, _)| tile(*one) == tile(*next)) {
            let Some((first, _)) = same_tile.first() else { continue };
            let index = tile(*first);
            let key = keys::tile(level, index);
            let mut row = self.row(&key)?.map(|row| row.to_vec()).unwrap_or_default();
            for (place, hash) in same_tile {
                put(&mut row, (place % TILE_HASHES) as usize, hash).ok_or_else(|| gap(&key))?;
            }
            let last = same_tile.last().map_or(0, |(place, _)| place % TILE_HASHES);
            if last == TILE_HASHES - 1 {
                let nodes = TileNodes::of(row.as_chunks().0.iter().map(|hash| Digest(*hash)));
                above.extend(nodes.whole().map(|hash| (index, hash)));
            }
            self.work.put(key, row);
        }
        Ok(above)
    }
}

fn tile(place: u64) -> u64 {
    place / TILE_HASHES
}

/// Puts a hash in its slot; `None` when the slots before it are not filled.
fn put(row: &mut Vec<u8>, slot: usize, hash: &Digest) -> Option<()> {
    let at = slot * HASH_BYTES;
    if row.len() == at {
        row.extend_from_slice(hash.as_bytes());
    } else {
        row.get_mut(at..at + HASH_BYTES)?.copy_from_slice(hash.as_bytes());
    }
    Some(())
}

fn gap(key: &[u8]) -> EngineError {
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    EngineError::Damaged {
        what: format!("tile `{text}` of the log"),
        why: "it ends before the hash that follows".to_owned(),
    }
}
