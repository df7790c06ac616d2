//! Uploads: attachments that agencies bring piece by piece, before a document names them.
//!
//! **Layout, stable:** `<agency>-<digest>-<size>.part` while it is unfinished, without `.part` when
//! all bytes are there, on disk, and have the SHA-256 of the name. A file is one agency's: whoever
//! brings the same bytes for another one brings them again, so that nobody learns what others have.
//!
//! Removing an upload is always safe. A proposal that names one gives its bytes a second name first
//! (`PayloadFiles::propose_upload`), and a link to a file that has just expired fails, so the
//! proposal is not made.

mod upload;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use lienthong_core::engine::EngineError;
use lienthong_model::limits::{
    UPLOAD_BYTES_PER_CALLER_MAX, UPLOAD_KEPT, UPLOADS_MAX, UPLOADS_PER_CALLER_MAX,
};
use lienthong_model::{Digest, Ordinal};
use parking_lot::Mutex;

use self::upload::Slot;
pub use self::upload::Upload;
use crate::disk::{create_folder, io_error};

/// The ending of an unfinished upload's name.
const UNFINISHED: &str = ".part";

/// Names an upload. Two agencies' uploads of the same bytes are two uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadKey {
    /// Whose node brings it.
    pub agency: Ordinal,
    /// SHA-256 of the whole.
    pub sha256: Digest,
    /// Bytes of the whole.
    pub size: u64,
}

/// How much of an upload is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that came.
    pub stored: u64,
    /// All of them, checked and on disk.
    pub complete: bool,
}

/// What bounds uploads that no accepted document has named yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// Most of one agency.
    pub of_one: usize,
    /// Most bytes that those of one agency announce.
    pub bytes_of_one: u64,
    /// Most of all agencies.
    pub of_all: usize,
    /// How long one is kept that nobody goes on with.
    pub kept: Duration,
}

/// Why an upload does not go on.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// A bound of [`UploadLimits`] is reached.
    #[error("{what}: {found}, at most {most}")]
    Quota {
        /// What there is too much of.
        what: &'static str,
        /// How much there would be.
        found: u64,
        /// How much there may be.
        most: u64,
    },
    /// Another session has taken the upload over.
    #[error("another session has taken the upload over")]
    TakenOver,
    /// A piece does not begin where the last one ended, or goes beyond the size announced.
    #[error("{bytes} bytes at {offset}: the next byte is {expected} of {size}")]
    Misplaced {
        /// Where the piece begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
        /// Where it should begin.
        expected: u64,
        /// The size announced.
        size: u64,
    },
    /// All bytes are there and have another SHA-256. They are deleted.
    #[error("the bytes have the SHA-256 {found}")]
    DigestWrong {
        /// The SHA-256 of what came.
        found: Digest,
    },
    /// A read or write failed. What came stays, unless syncing it failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The folder `uploads/`, and what is known of each file in it.
#[derive(Debug)]
pub struct Uploads {
    folder: PathBuf,
    opened: Instant,
    slots: Mutex<HashMap<Ordinal, HashMap<UploadKey, Arc<Slot>>>>,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            of_one: UPLOADS_PER_CALLER_MAX,
            bytes_of_one: UPLOAD_BYTES_PER_CALLER_MAX,
            of_all: UPLOADS_MAX,
            kept: UPLOAD_KEPT,
        }
    }
}

impl UploadKey {
    fn name(&self, complete: bool) -> String {
        let Self { agency, sha256, size } = self;
        let ending = if complete { "" } else { UNFINISHED };
        format!("{}-{sha256}-{size}{ending}", agency.0)
    }

    /// Reads a file's name; the flag says whether it is complete.
    fn parse(name: &str) -> Option<(Self, bool)> {
        let (stem, complete) = match name.strip_suffix(UNFINISHED) {
            Some(stem) => (stem, false),
            None => (name, true),
        };
        let mut parts = stem.split('-');
        let agency = Ordinal(parts.next()?.parse().ok()?);
        let sha256 = Digest::parse(parts.next()?)?;
        let key = Self { agency, sha256, size: parts.next()?.parse().ok()? };
        (key.name(complete) == name).then_some((key, complete))
    }
}

impl Uploads {
    /// Opens the folder. What cannot be gone on with is removed.
    pub(super) fn open(folder: &Path) -> Result<Self, EngineError> {
        create_folder(folder)?;
        let uploads =
            Self { folder: folder.to_owned(), opened: Instant::now(), slots: Mutex::default() };
        for entry in std::fs::read_dir(folder).map_err(io_error("list", folder))? {
            let entry = entry.map_err(io_error("list", folder))?;
            let (name, path) = (entry.file_name(), entry.path());
            let metadata = entry.metadata().map_err(io_error("read", &path))?;
            match UploadKey::parse(&name.to_string_lossy()) {
                Some((key, complete)) if fits(&key, complete, metadata.len()) => {
                    let age = metadata.modified().ok().and_then(|at| {
                        // A file from the future is a new one.
                        SystemTime::now().duration_since(at).ok()
                    });
                    let slot = Slot::found(metadata.len(), complete, age.unwrap_or_default());
                    let mut slots = uploads.slots.lock();
                    slots.entry(key.agency).or_default().insert(key, Arc::new(slot));
                }
                _ => std::fs::remove_file(&path).map_err(io_error("remove", &path))?,
            }
        }
        Ok(uploads)
    }

    /// Returns how much of an upload is there; `None` when there is none.
    pub fn progress(&self, key: &UploadKey) -> Option<Progress> {
        let slots = self.slots.lock();
        slots.get(&key.agency)?.get(key).map(|slot| slot.progress())
    }

    /// Begins an upload, or goes on with it: whoever was at it is stopped. What an earlier process
    /// left is read once, to know its SHA-256 so far; that takes a second or two a gibibyte.
    ///
    /// # Errors
    /// [`UploadError::Quota`] for a new one beyond the limits, [`UploadError::Engine`].
    pub fn begin(
        self: &Arc<Self>,
        key: UploadKey,
        limits: &UploadLimits,
    ) -> Result<Upload, UploadError> {
        loop {
            let slot = self.slot(key, limits)?;
            if let Some(upload) = Upload::begin(self, key, slot)? {
                return Ok(upload);
            }
            // It has expired, or was found wrong, just now: another one is begun.
        }
    }

    fn slot(&self, key: UploadKey, limits: &UploadLimits) -> Result<Arc<Slot>, UploadError> {
        let mut slots = self.slots.lock();
        let total: usize = slots.values().map(HashMap::len).sum();
        let own = slots.entry(key.agency).or_default();
        if let Some(slot) = own.get(&key) {
            return Ok(slot.clone());
        }
        let announced = own.keys().fold(key.size, |sum, key| sum.saturating_add(key.size));
        let bounds = [
            ("uploads", own.len() as u64 + 1, limits.of_one as u64),
            ("bytes announced", announced, limits.bytes_of_one),
            ("uploads of all agencies", total as u64 + 1, limits.of_all as u64),
        ];
        if let Some((what, found, most)) = bounds.into_iter().find(|(_, found, most)| found > most)
        {
            return Err(UploadError::Quota { what, found, most });
        }
        let slot = Arc::new(Slot::new(self.opened.elapsed()));
        own.insert(key, slot.clone());
        Ok(slot)
    }

    /// The file of a complete upload; it is not expired for a while.
    pub(super) fn complete(&self, key: &UploadKey) -> Option<PathBuf> {
        let slot = self.slots.lock().get(&key.agency)?.get(key)?.clone();
        slot.touch(self.opened.elapsed());
        slot.progress().complete.then(|| self.path(key, true))
    }

    /// Removes uploads that an accepted document names: each has served.
    ///
    /// # Errors
    /// [`EngineError`] when a file cannot be removed.
    pub fn served(&self, keys: &[UploadKey]) -> Result<(), EngineError> {
        for key in keys {
            let slot = self.slots.lock().get(&key.agency).and_then(|own| own.get(key)).cloned();
            if let Some(slot) = slot {
                slot.remove(self, key)?;
            }
        }
        Ok(())
    }

    /// Removes uploads that nobody has gone on with for longer than `kept`; returns how many.
    ///
    /// # Errors
    /// [`EngineError`] when a file cannot be removed.
    pub fn expire(&self, kept: Duration) -> Result<usize, EngineError> {
        let now = self.opened.elapsed();
        let idle: Vec<(UploadKey, Arc<Slot>)> = {
            let slots = self.slots.lock();
            let all = slots.values().flatten();
            let idle = all.filter(|(_, slot)| slot.idle(now) > kept);
            idle.map(|(key, slot)| (*key, slot.clone())).collect()
        };
        let mut expired = 0;
        for (key, slot) in idle {
            expired += usize::from(slot.remove_if_idle(self, &key, now, kept)?);
        }
        Ok(expired)
    }

    fn path(&self, key: &UploadKey, complete: bool) -> PathBuf {
        self.folder.join(key.name(complete))
    }

    /// Forgets an upload whose files are gone.
    fn forget(&self, key: &UploadKey, slot: &Slot) {
        let mut slots = self.slots.lock();
        let Some(own) = slots.get_mut(&key.agency) else { return };
        if own.get(key).is_some_and(|known| std::ptr::eq(Arc::as_ptr(known), slot)) {
            own.remove(key);
        }
        if own.is_empty() {
            slots.remove(&key.agency);
        }
    }
}

/// Whether a file can be what its name says.
fn fits(key: &UploadKey, complete: bool, bytes: u64) -> bool {
    if complete { bytes == key.size } else { bytes <= key.size }
}

/// Removes a file that may be gone.
fn remove(path: &Path) -> Result<(), EngineError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
