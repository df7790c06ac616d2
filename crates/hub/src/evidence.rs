//! The log as it is shown: the newest checkpoint, signed once a block, and proofs for it.
//!
//! Tiles are hashed once and kept, so that the proof of a document reads some twenty hashes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use lienthong_core::engine::EngineError;
use lienthong_core::{LogAt, Query, TileId, TileNodes, TileSource};
use lienthong_ledger::SledState;
use lienthong_model::{Digest, Position};
use lienthong_wire::proto;
use parking_lot::RwLock;
use quick_cache::sync::Cache;

use crate::log_key::LogKey;
use crate::open_folder::OpenFolder;

/// Tiles kept, with all their hashes: 16 KiB each.
const TILES: usize = 1024;

/// Proves; shared by the sequencer, which moves it on, and the services.
pub(crate) struct Evidence {
    key: LogKey,
    tiles: Tiles,
    newest: RwLock<Arc<Standing>>,
    /// False only where the cost of evidence is measured.
    proves: bool,
}

/// A checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// How many leaves the log has.
    pub size: u64,
    /// The signed note.
    pub checkpoint: String,
}

struct Tiles {
    state: Arc<SledState>,
    kept: Cache<TileId, Arc<TileNodes>>,
}

impl Evidence {
    /// Signs the log of a folder as it is.
    pub fn of_folder(folder: &OpenFolder, key: LogKey) -> Result<Self, EngineError> {
        let tiles = Tiles { state: folder.state.clone(), kept: Cache::new(TILES) };
        let evidence = Self { key, tiles, newest: RwLock::default(), proves: true };
        evidence.sign(folder.machine.log_size())?;
        Ok(evidence)
    }

    /// Signs and proves nothing from now on.
    #[cfg(feature = "measure")]
    pub fn proving_nothing(self) -> Self {
        Self { proves: false, ..self }
    }

    /// Signs the log when it has grown. Call it when the block that made it grow is on disk, before
    /// its replies leave.
    pub fn advance(&self, size: u64) -> Result<(), EngineError> {
        if size == self.newest().size || !self.proves { Ok(()) } else { self.sign(size) }
    }

    fn sign(&self, size: u64) -> Result<(), EngineError> {
        let root = self.at(size).root()?;
        let checkpoint = self.key.checkpoint(size, root);
        *self.newest.write() = Arc::new(Standing { size, checkpoint });
        Ok(())
    }

    /// The newest checkpoint.
    pub fn newest(&self) -> Arc<Standing> {
        self.newest.read().clone()
    }

    /// The key that signs, as it is given on.
    pub fn key(&self) -> String {
        self.key.public().to_string()
    }

    /// The signed statement of an evidence bundle.
    pub fn state_bundle(&self, basis: &Digest) -> String {
        self.key.bundle_statement(basis)
    }

    /// The proof of a receipt, by the newest checkpoint.
    pub fn proof(&self, position: Position) -> Result<proto::LogProof, EngineError> {
        if !self.proves {
            return Ok(proto::LogProof::default());
        }
        let newest = self.newest();
        let hashes = self.at(newest.size).inclusion(position.0)?;
        Ok(proto::LogProof { checkpoint: newest.checkpoint.clone(), hashes: to_bytes(&hashes) })
    }

    /// The log of a size, which must not be above the newest checkpoint's.
    pub fn at(&self, size: u64) -> LogAt<'_, impl TileSource> {
        LogAt { size, tiles: &self.tiles }
    }
}

impl TileSource for Tiles {
    fn tile(&self, tile: TileId) -> Result<Arc<TileNodes>, EngineError> {
        self.kept.get_or_insert_with(&tile, || Query(&*self.state).tile(tile))
    }
}

/// Hashes as a message has them, in one piece of memory.
pub(crate) fn to_bytes(hashes: &[Digest]) -> Vec<Bytes> {
    let mut all = BytesMut::with_capacity(hashes.len() * 32);
    hashes.iter().for_each(|hash| all.extend_from_slice(hash.as_bytes()));
    let mut all = all.freeze();
    hashes.iter().map(|hash| all.split_to(hash.as_bytes().len())).collect()
}
