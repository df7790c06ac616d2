//! The Merkle log over all positions, kept in tiles (c2sp.org/tlog-tiles): a tile of level 0 has
//! the hashes of 256 leaves, one of level k the hashes over 256 full tiles of level k - 1.
//!
//! Tiles only ever grow, so a log of any size up to the present one can be read from them: see
//! [`LogAt`]. The tree's rules are in [`lienthong_trust::merkle`], the writing in `machine`.

mod growing;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use lienthong_model::{Digest, Timestamp};
use lienthong_trust::merkle::node_hash;
use lienthong_trust::merkle::prove::{self, Nodes};

use crate::engine::{EngineError, Tables};
use crate::query::Query;
use crate::rows::HeadRow;
use crate::{codec, keys};

pub use growing::{GrowingLog, TileHashes};

/// Levels of the tree in one tile.
const TILE_LEVELS: u32 = 8;
/// Hashes of a full tile.
pub const TILE_HASHES: u64 = 1 << TILE_LEVELS;
/// Bytes of a hash in a tile.
pub(crate) const HASH_BYTES: usize = 32;

/// Names a tile as a log of some size has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileId {
    /// 0 for the leaves.
    pub level: u8,
    /// Which of its level, from 0.
    pub index: u64,
    /// How many hashes it has, 1 to [`TILE_HASHES`]; a stored tile may have more.
    pub hashes: u16,
}

/// The hashes of a tile and of every whole subtree in it.
#[derive(Debug, Clone, PartialEq)]
pub struct TileNodes(Vec<Vec<Digest>>);

impl TileNodes {
    /// Hashes what the tile's own hashes call for; at most [`TILE_HASHES`] are looked at.
    pub fn of(hashes: impl IntoIterator<Item = Digest>) -> Self {
        let mut level: Vec<Digest> = hashes.into_iter().take(1 << TILE_LEVELS).collect();
        let mut levels = Vec::with_capacity(TILE_LEVELS as usize + 1);
        for _ in 0..TILE_LEVELS {
            let pairs = level.as_chunks::<2>().0;
            let above = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.push(level);
        Self(levels)
    }

    /// Reads the first hashes of a stored tile; `None` when it has fewer.
    fn read(row: &[u8], hashes: u16) -> Option<Self> {
        let row = row.get(..usize::from(hashes) * HASH_BYTES)?;
        Some(Self::of(row.as_chunks().0.iter().map(|hash| Digest(*hash))))
    }

    /// The hash over a full tile; `None` for one that is not full.
    pub(crate) fn whole(&self) -> Option<Digest> {
        self.node(TILE_LEVELS, 0)
    }

    fn node(&self, level: u32, index: u64) -> Option<Digest> {
        self.0.get(level as usize)?.get(usize::try_from(index).ok()?).copied()
    }
}

/// Where tiles are read from.
pub trait TileSource {
    /// Returns a tile that the log has, with as many hashes as its name says.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read or is too short.
    fn tile(&self, tile: TileId) -> Result<Arc<TileNodes>, EngineError>;
}

impl<T: Tables + ?Sized> TileSource for Query<'_, T> {
    fn tile(&self, tile: TileId) -> Result<Arc<TileNodes>, EngineError> {
        let row = self.0.read(&keys::tile(tile.level, tile.index))?.unwrap_or_default();
        TileNodes::read(&row, tile.hashes).map(Arc::new).ok_or_else(|| too_short(&tile))
    }
}

/// The log as it is, or was, with a size.
#[derive(Debug, Clone, Copy)]
pub struct LogAt<'s, S: ?Sized> {
    /// How many leaves; not more than the log has.
    pub size: u64,
    /// Where its tiles are.
    pub tiles: &'s S,
}

impl<S: TileSource + ?Sized> LogAt<'_, S> {
    /// Returns the root.
    ///
    /// # Errors
    /// [`EngineError`] when a tile cannot be read.
    pub fn root(&self) -> Result<Digest, EngineError> {
        prove::root(self.size, self)
    }

    /// Returns the proof that the leaf at a position is in the log; no hashes when it is not.
    ///
    /// # Errors
    /// [`EngineError`] when a tile cannot be read.
    pub fn inclusion(&self, position: u64) -> Result<Vec<Digest>, EngineError> {
        prove::inclusion(position, self.size, self)
    }

    /// Returns the proof that the log of a smaller size is this one's beginning; no hashes when it
    /// is not smaller.
    ///
    /// # Errors
    /// [`EngineError`] when a tile cannot be read.
    pub fn consistency(&self, first: u64) -> Result<Vec<Digest>, EngineError> {
        prove::consistency(first, self.size, self)
    }
}

impl<S: TileSource + ?Sized> Nodes for LogAt<'_, S> {
    type Error = EngineError;

    fn node(&self, level: u32, index: u64) -> Result<Digest, EngineError> {
        let (tile_level, inside) = (level / TILE_LEVELS, level % TILE_LEVELS);
        // Of this level, so many nodes lie in one tile.
        let in_tile = TILE_HASHES >> inside;
        let (tile, slot) = (index / in_tile, index % in_tile);
        let level_hashes = self.size.checked_shr(tile_level * TILE_LEVELS).unwrap_or(0);
        let hashes = level_hashes.saturating_sub(tile * TILE_HASHES).min(TILE_HASHES);
        let id = TileId {
            level: u8::try_from(tile_level).unwrap_or(u8::MAX),
            index: tile,
            hashes: u16::try_from(hashes).unwrap_or(0),
        };
        self.tiles.tile(id)?.node(inside, slot).ok_or_else(|| too_short(&id))
    }
}

/// Tiles kept for as long as one proof is made.
struct Kept<'q, S> {
    source: &'q S,
    tiles: RefCell<HashMap<TileId, Arc<TileNodes>>>,
}

impl<S: TileSource> TileSource for Kept<'_, S> {
    fn tile(&self, tile: TileId) -> Result<Arc<TileNodes>, EngineError> {
        if let Some(known) = self.tiles.borrow().get(&tile) {
            return Ok(known.clone());
        }
        let read = self.source.tile(tile)?;
        self.tiles.borrow_mut().insert(tile, read.clone());
        Ok(read)
    }
}

impl<T: Tables + ?Sized> Query<'_, T> {
    /// Returns how many leaves the log has: one a position.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn log_size(&self) -> Result<u64, EngineError> {
        Ok(self.head()?.map_or(0, |head| head.next_position.0))
    }

    /// Returns the time of the last block; `None` when there is none.
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn last_block_time(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.head()?.map(|head| head.time))
    }

    fn head(&self) -> Result<Option<HeadRow>, EngineError> {
        self.0.read(keys::HEAD)?.map(|row| codec::decode(&row, "head")).transpose()
    }

    /// Returns the hashes of a tile as far as the state has them, at most [`TILE_HASHES`].
    ///
    /// # Errors
    /// [`EngineError`] when the row cannot be read.
    pub fn tile_hashes(&self, level: u8, index: u64) -> Result<Vec<Digest>, EngineError> {
        let row = self.0.read(&keys::tile(level, index))?.unwrap_or_default();
        Ok(row.as_chunks().0.iter().map(|hash| Digest(*hash)).collect())
    }

    /// Returns the root of the log's first `size` leaves; `None` when it has fewer.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn log_root(&self, size: u64) -> Result<Option<Digest>, EngineError> {
        self.log_at(size, |log| log.root())
    }

    /// Returns the proof that the leaf at a position is among the first `size`; `None` when the log
    /// has fewer, or the position is not among them.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn inclusion(&self, position: u64, size: u64) -> Result<Option<Vec<Digest>>, EngineError> {
        if position >= size {
            return Ok(None);
        }
        self.log_at(size, |log| log.inclusion(position))
    }

    /// Returns the proof that the first `first` leaves are the beginning of the first `second`;
    /// `None` when the log has fewer, or `first` is more.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub fn consistency(&self, first: u64, second: u64) -> Result<Option<Vec<Digest>>, EngineError> {
        if first > second {
            return Ok(None);
        }
        self.log_at(second, |log| log.consistency(first))
    }

    fn log_at<R>(
        &self,
        size: u64,
        ask: impl FnOnce(LogAt<'_, Kept<'_, Self>>) -> Result<R, EngineError>,
    ) -> Result<Option<R>, EngineError> {
        if size > self.log_size()? {
            return Ok(None);
        }
        let tiles = Kept { source: self, tiles: RefCell::default() };
        ask(LogAt { size, tiles: &tiles }).map(Some)
    }
}

fn too_short(tile: &TileId) -> EngineError {
    EngineError::Damaged {
        what: format!("tile {} of level {} of the log", tile.index, tile.level),
        why: format!("it has fewer than {} hashes", tile.hashes),
    }
}
