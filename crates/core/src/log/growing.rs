//! The log made anew, leaf by leaf, in memory that does not grow with it: of each level of tiles
//! only the one under way is kept.

use std::sync::Arc;

use lienthong_model::Digest;

use super::{LogAt, TILE_HASHES, TILE_LEVELS, TileId, TileNodes, TileSource, too_short};
use crate::engine::EngineError;

/// A tile with the hashes that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileHashes<'t> {
    /// 0 for the leaves.
    pub level: u8,
    /// Which of its level, from 0.
    pub index: u64,
    /// At most [`TILE_HASHES`].
    pub hashes: &'t [Digest],
}

/// A log to which leaves are added.
#[derive(Debug, Clone, Default)]
pub struct GrowingLog {
    size: u64,
    /// By level, the tile that is not full yet.
    under_way: Vec<Vec<Digest>>,
}

impl GrowingLog {
    /// Adds the hash of the next leaf; `full` is given every tile that it fills, lowest first.
    pub fn push(&mut self, leaf: Digest, mut full: impl FnMut(TileHashes<'_>)) {
        let mut above = Some(leaf);
        for level in 0..=u8::MAX {
            let Some(hash) = above.take() else { break };
            if self.under_way.len() <= usize::from(level) {
                self.under_way.push(Vec::with_capacity(TILE_HASHES as usize));
            }
            let index = self.index(level);
            let Some(tile) = self.under_way.get_mut(usize::from(level)) else { break };
            tile.push(hash);
            if tile.len() as u64 == TILE_HASHES {
                full(TileHashes { level, index, hashes: tile });
                above = TileNodes::of(tile.drain(..)).whole();
            }
        }
        self.size += 1;
    }

    /// Returns how many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the root.
    ///
    /// # Errors
    /// None that can happen: what it needs is in memory.
    pub fn root(&self) -> Result<Digest, EngineError> {
        LogAt { size: self.size, tiles: self }.root()
    }

    /// Returns the tiles that are not full; none of them is empty.
    pub fn unfinished(&self) -> impl Iterator<Item = TileHashes<'_>> {
        let levels = (0..=u8::MAX).zip(&self.under_way).filter(|(_, tile)| !tile.is_empty());
        levels.map(|(level, hashes)| TileHashes { level, index: self.index(level), hashes })
    }

    /// Which tile of a level the next leaf belongs to.
    fn index(&self, level: u8) -> u64 {
        self.size.checked_shr(TILE_LEVELS * (u32::from(level) + 1)).unwrap_or(0)
    }
}

impl TileSource for GrowingLog {
    fn tile(&self, tile: TileId) -> Result<Arc<TileNodes>, EngineError> {
        let under_way = self.under_way.get(usize::from(tile.level));
        match under_way {
            Some(hashes) if tile.index == self.index(tile.level) => {
                Ok(Arc::new(TileNodes::of(hashes.iter().copied())))
            }
            _ => Err(too_short(&tile)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use lienthong_trust::merkle::leaf_hash;
    use lienthong_trust::merkle::prove::{self, Nodes};

    use super::*;

    struct Leaves(Vec<Digest>);

    impl Nodes for Leaves {
        type Error = Infallible;

        fn node(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
            if level == 0 {
                return Ok(self.0[index as usize]);
            }
            let Ok(left) = self.node(level - 1, 2 * index);
            let Ok(right) = self.node(level - 1, 2 * index + 1);
            Ok(lienthong_trust::merkle::node_hash(&left, &right))
        }
    }

    #[test]
    fn the_root_is_that_of_all_leaves_at_every_size_around_the_tiles_ends() {
        let (mut log, mut leaves) = (GrowingLog::default(), Leaves(Vec::new()));
        for number in 0..66_000_u64 {
            let near = |edge: u64| number.abs_diff(edge) <= 2;
            if number < 10 || near(256) || near(512) || near(65_536) || number % 10_007 == 0 {
                let Ok(expected) = prove::root(number, &leaves);
                assert_eq!(log.root().unwrap(), expected, "size {number}");
                assert_eq!(log.size(), number);
            }
            let leaf = leaf_hash(&number.to_be_bytes());
            leaves.0.push(leaf);
            log.push(leaf, |_| {});
        }
    }

    #[test]
    fn full_and_unfinished_tiles_are_those_that_the_format_names() {
        let (mut log, mut full) = (GrowingLog::default(), HashMap::new());
        for number in 0..70_000_u64 {
            log.push(leaf_hash(&number.to_be_bytes()), |tile| {
                *full.entry(tile.level).or_insert(0) += 1;
                assert_eq!(tile.hashes.len() as u64, TILE_HASHES);
            });
        }
        // c2sp.org/tlog-tiles, "Partial Tiles": a tree of size 70,000.
        assert_eq!((full[&0], full[&1]), (273, 1));
        let unfinished: Vec<_> =
            log.unfinished().map(|tile| (tile.level, tile.index, tile.hashes.len())).collect();
        assert_eq!(unfinished, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
    }
}
