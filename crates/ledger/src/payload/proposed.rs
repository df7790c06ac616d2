//! Payloads of what is being proposed: on disk before the record that names them, and cleared up
//! after it is decided.
//!
//! ```text
//!   bytes beside a content ──┐                      ┌─ an accepted document names it ─▶ its shelf
//!                            ├─▶ proposed/ ─ settle ┤
//!   an upload (hard link) ───┘    claimed           └─ nobody does ──────────────────▶ removed
//! ```
//! A payload that is claimed stays. When the last claim is dropped, its proposals are decided, and
//! the state says whether one of them was accepted. After a crash nothing is claimed, and the
//! replayed state says the same.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lienthong_core::engine::EngineError;
use lienthong_model::Digest;
use parking_lot::Mutex;

use crate::crash;
use crate::disk::{create_folder, io_error, sync_folder};

/// The folder `proposed/`, and who claims what in it.
#[derive(Debug)]
pub(super) struct Proposed {
    folder: PathBuf,
    /// Claims on each payload; one with none is to be settled.
    claims: Mutex<HashMap<Digest, usize>>,
}

/// Keeps a proposed payload where it is. Hold it until the proposal is decided and its rows can be
/// read.
#[derive(Debug)]
pub struct Claim {
    proposed: Arc<Proposed>,
    digest: Digest,
}

/// What became of payloads that were proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// Moved to their shelves.
    pub kept: usize,
    /// Removed: no accepted document names them.
    pub removed: usize,
}

impl Proposed {
    /// Opens the folder; what is there is to be settled.
    pub fn open(folder: &Path) -> Result<Self, EngineError> {
        create_folder(folder)?;
        let mut claims = HashMap::new();
        for entry in std::fs::read_dir(folder).map_err(io_error("list", folder))? {
            let path = entry.map_err(io_error("list", folder))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy());
            match name.and_then(|name| Digest::parse(&name)) {
                Some(digest) => drop(claims.insert(digest, 0)),
                None => std::fs::remove_file(&path).map_err(io_error("remove", &path))?,
            }
        }
        Ok(Self { folder: folder.to_owned(), claims: Mutex::new(claims) })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    /// Claims a payload, whether it is there yet or not.
    pub fn claim(proposed: &Arc<Self>, digest: Digest) -> Claim {
        *proposed.claims.lock().entry(digest).or_default() += 1;
        Claim { proposed: proposed.clone(), digest }
    }

    /// See [`super::PayloadFiles::settle`]. `place` is a payload's file on its shelf, and the shelf.
    pub fn settle(
        &self,
        mut is_named: impl FnMut(&Digest) -> Result<bool, EngineError>,
        place: impl Fn(&Digest) -> (PathBuf, PathBuf),
    ) -> Result<Settled, EngineError> {
        let unclaimed: Vec<Digest> = {
            let claims = self.claims.lock();
            claims.iter().filter(|(_, count)| **count == 0).map(|(digest, _)| *digest).collect()
        };
        let mut settled = Settled::default();
        let mut shelves = HashSet::new();
        for digest in unclaimed {
            let mut claims = self.claims.lock();
            if claims.get(&digest) != Some(&0) {
                continue;
            }
            // Asked under the lock: whoever claims it after this finds it moved or gone.
            let (shelved, shelf) = place(&digest);
            if is_named(&digest)? {
                if self.shelve(&digest, &shelved)? {
                    settled.kept += 1;
                    shelves.insert(shelf);
                }
            } else if self.remove(&digest)? {
                settled.removed += 1;
            }
            claims.remove(&digest);
        }
        crash::point("payloads-shelved");
        for shelf in shelves {
            sync_folder(&shelf)?;
        }
        Ok(settled)
    }

    /// Does something to a payload that no proposal claims; meanwhile none can. `false` when one does.
    pub fn unless_claimed(
        &self,
        digest: &Digest,
        act: impl FnOnce() -> Result<bool, EngineError>,
    ) -> Result<bool, EngineError> {
        let claims = self.claims.lock();
        // One that is to be settled is on its way to the shelf.
        if claims.contains_key(digest) { Ok(false) } else { act() }
    }

    /// Moves a payload to its shelf; `false` when it is not here, because it was there already.
    fn shelve(&self, digest: &Digest, shelved: &Path) -> Result<bool, EngineError> {
        let path = self.path(digest);
        match std::fs::rename(&path, shelved) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io_error("rename", &path)(error)),
        }
    }

    fn remove(&self, digest: &Digest) -> Result<bool, EngineError> {
        let path = self.path(digest);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io_error("remove", &path)(error)),
        }
    }
}

impl Claim {
    /// Returns the payload's name.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(count) = self.proposed.claims.lock().get_mut(&self.digest) {
            *count = count.saturating_sub(1);
        }
    }
}
