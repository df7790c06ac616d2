//! One upload: its file, its SHA-256 so far, and the session that is at it.
//!
//! ```text
//!            ┌────────── taken over, cut: what came stays ──────────┐
//!            ▼                                                      │
//!   begin ─▶ (read what is there) ─▶ append … ─▶ sync … ─▶ finish ──┴─▶ complete
//!                                                              └─▶ wrong SHA-256: removed
//! ```

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Duration;

use lienthong_core::engine::EngineError;
use lienthong_model::Digester;
use lienthong_model::limits::TRANSFER_CHUNK_BYTES;
use parking_lot::Mutex;

use super::{Ordering, Progress, UploadError, UploadKey, Uploads, remove};
use crate::crash;
use crate::disk::{io_error, owners_only, sync_folder};

/// What is known of an upload, whether anybody is at it or not.
#[derive(Debug)]
pub(super) struct Slot {
    stored: AtomicU64,
    complete: AtomicBool,
    /// When somebody was last at it, in milliseconds since the uploads were opened.
    touched_ms: AtomicU64,
    /// How old it was when the uploads were opened, in milliseconds; 0 once somebody was at it.
    older_ms: AtomicU64,
    /// Sessions that have not ended.
    sessions: AtomicUsize,
    bytes: Mutex<Bytes>,
}

/// The bytes of an upload that is not complete.
#[derive(Debug, Default)]
struct Bytes {
    /// The session that may write: the newest.
    session: u64,
    /// What came so far; `None` until the file was read.
    so_far: Option<SoFar>,
    /// Its file is gone: whoever still holds the slot begins anew.
    gone: bool,
}

#[derive(Debug)]
struct SoFar {
    digester: Digester,
    /// Bytes handed to the operating system.
    written: u64,
    /// Bytes that are on disk.
    synced: u64,
    /// Open while a session is at it.
    file: Option<File>,
}

/// A session that brings an upload. Dropping it leaves what came where it is.
#[derive(Debug)]
pub struct Upload {
    uploads: Arc<Uploads>,
    key: UploadKey,
    slot: Arc<Slot>,
    session: u64,
}

impl Slot {
    pub fn new(now: Duration) -> Self {
        let slot = Self::found(0, false, Duration::ZERO);
        slot.touch(now);
        slot
    }

    /// An upload that an earlier process left.
    pub fn found(stored: u64, complete: bool, age: Duration) -> Self {
        Self {
            stored: AtomicU64::new(stored),
            complete: AtomicBool::new(complete),
            touched_ms: AtomicU64::new(0),
            older_ms: AtomicU64::new(millis(age)),
            sessions: AtomicUsize::new(0),
            bytes: Mutex::default(),
        }
    }

    pub fn progress(&self) -> Progress {
        let complete = self.complete.load(Ordering::Acquire);
        Progress { stored: self.stored.load(Ordering::Acquire), complete }
    }

    /// Notes that somebody is at it.
    pub fn touch(&self, now: Duration) {
        self.touched_ms.store(millis(now), Ordering::Relaxed);
        self.older_ms.store(0, Ordering::Relaxed);
    }

    /// How long nobody has been at it.
    pub fn idle(&self, now: Duration) -> Duration {
        if self.sessions.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        let since = millis(now).saturating_sub(self.touched_ms.load(Ordering::Relaxed));
        Duration::from_millis(since.saturating_add(self.older_ms.load(Ordering::Relaxed)))
    }

    /// Removes the upload, whoever is at it.
    pub fn remove(&self, uploads: &Uploads, key: &UploadKey) -> Result<(), EngineError> {
        self.discard(&mut self.bytes.lock(), uploads, key)
    }

    /// Removes the upload unless somebody has come meanwhile.
    pub fn remove_if_idle(
        &self,
        uploads: &Uploads,
        key: &UploadKey,
        now: Duration,
        kept: Duration,
    ) -> Result<bool, EngineError> {
        let Some(mut bytes) = self.bytes.try_lock() else { return Ok(false) };
        if bytes.gone || self.idle(now) <= kept {
            return Ok(false);
        }
        self.discard(&mut bytes, uploads, key)?;
        Ok(true)
    }

    fn discard(
        &self,
        bytes: &mut Bytes,
        uploads: &Uploads,
        key: &UploadKey,
    ) -> Result<(), EngineError> {
        for complete in [false, true] {
            remove(&uploads.path(key, complete))?;
        }
        bytes.gone = true;
        bytes.so_far = None;
        uploads.forget(key, self);
        Ok(())
    }
}

impl Upload {
    /// Begins a session; `None` when the slot's files are gone.
    pub(super) fn begin(
        uploads: &Arc<Uploads>,
        key: UploadKey,
        slot: Arc<Slot>,
    ) -> Result<Option<Self>, UploadError> {
        // Counted before the lock is asked for: what somebody waits for does not expire.
        slot.sessions.fetch_add(1, Ordering::AcqRel);
        slot.touch(uploads.opened.elapsed());
        let mut upload = Self { uploads: uploads.clone(), key, slot: slot.clone(), session: 0 };
        let mut bytes = slot.bytes.lock();
        if bytes.gone {
            return Ok(None);
        }
        bytes.session += 1;
        upload.session = bytes.session;
        if !upload.is_complete() {
            upload.open(&mut bytes)?;
        }
        drop(bytes);
        Ok(Some(upload))
    }

    /// Returns how many bytes came, from where on more are wanted.
    pub fn stored(&self) -> u64 {
        self.slot.progress().stored
    }

    /// Returns whether all bytes are there and right.
    pub fn is_complete(&self) -> bool {
        self.slot.progress().complete
    }

    /// Appends a piece. Nothing is on disk on return.
    ///
    /// # Errors
    /// [`UploadError::TakenOver`], [`UploadError::Misplaced`], [`UploadError::Engine`].
    pub fn append(&self, offset: u64, piece: &[u8]) -> Result<(), UploadError> {
        let mut bytes = self.own()?;
        let misplaced = |expected| UploadError::Misplaced {
            offset,
            bytes: piece.len() as u64,
            expected,
            size: self.key.size,
        };
        let Some(so_far) = &mut bytes.so_far else { return Err(misplaced(self.stored())) };
        let end = offset.saturating_add(piece.len() as u64);
        if offset != so_far.written || end > self.key.size {
            return Err(misplaced(so_far.written));
        }
        let Some(file) = &mut so_far.file else { return Err(UploadError::TakenOver) };
        if let Err(error) = file.write_all(piece) {
            // How much of it was written is not known: the file is read again by whoever goes on.
            bytes.so_far = None;
            return Err(io_error("write", &self.path(false))(error).into());
        }
        so_far.digester.update(piece);
        so_far.written = end;
        self.slot.stored.store(end, Ordering::Release);
        self.slot.touch(self.uploads.opened.elapsed());
        crash::point("upload-appended");
        Ok(())
    }

    /// Syncs what came; returns how many bytes are on disk.
    ///
    /// # Errors
    /// [`UploadError::TakenOver`]; [`UploadError::Engine`], and what came is removed: after a sync
    /// that failed nobody knows what is on the disk.
    pub fn sync(&self) -> Result<u64, UploadError> {
        let mut bytes = self.own()?;
        if self.is_complete() {
            return Ok(self.key.size);
        }
        let path = self.path(false);
        match bytes.so_far.as_mut().map(|so_far| so_far.sync(&path)) {
            Some(Ok(synced)) => Ok(synced),
            Some(Err(error)) => {
                self.slot.discard(&mut bytes, &self.uploads, &self.key)?;
                Err(error.into())
            }
            None => Err(UploadError::TakenOver),
        }
    }

    /// Completes the upload when all bytes are there; on return it is on disk, folder entry
    /// included. `false` while bytes are missing.
    ///
    /// # Errors
    /// [`UploadError::DigestWrong`], and what came is removed; as for [`Upload::sync`].
    pub fn finish(&self) -> Result<bool, UploadError> {
        if self.is_complete() {
            return Ok(true);
        }
        if self.sync()? < self.key.size {
            return Ok(false);
        }
        let mut bytes = self.own()?;
        let Some(so_far) = bytes.so_far.take() else { return Err(UploadError::TakenOver) };
        let found = so_far.digester.finish();
        if found != self.key.sha256 {
            self.slot.discard(&mut bytes, &self.uploads, &self.key)?;
            return Err(UploadError::DigestWrong { found });
        }
        crash::point("upload-synced");
        let path = self.path(false);
        std::fs::rename(&path, self.path(true)).map_err(io_error("rename", &path))?;
        sync_folder(&self.uploads.folder)?;
        self.slot.complete.store(true, Ordering::Release);
        Ok(true)
    }

    /// The bytes, when this is still the session that may write.
    fn own(&self) -> Result<parking_lot::MutexGuard<'_, Bytes>, UploadError> {
        let bytes = self.slot.bytes.lock();
        match bytes.session == self.session && !bytes.gone {
            true => Ok(bytes),
            false => Err(UploadError::TakenOver),
        }
    }

    /// Opens the file at the end of what came, which is read when its SHA-256 is not known.
    fn open(&self, bytes: &mut Bytes) -> Result<(), EngineError> {
        let path = self.path(false);
        let mut file = owners_only()
            .create(true)
            .append(true)
            .read(true)
            .open(&path)
            .map_err(io_error("open", &path))?;
        let there = file.metadata().map_err(io_error("read", &path))?.len();
        let so_far = match bytes.so_far.take().filter(|known| known.written == there) {
            Some(known) => SoFar { file: Some(file), ..known },
            None => {
                sync_folder(&self.uploads.folder)?;
                let (digester, written) = read_all(&mut file).map_err(io_error("read", &path))?;
                SoFar { digester, written, synced: 0, file: Some(file) }
            }
        };
        self.slot.stored.store(so_far.written, Ordering::Release);
        bytes.so_far = Some(so_far);
        Ok(())
    }

    fn path(&self, complete: bool) -> std::path::PathBuf {
        self.uploads.path(&self.key, complete)
    }
}

impl SoFar {
    fn sync(&mut self, path: &Path) -> Result<u64, EngineError> {
        if self.synced < self.written
            && let Some(file) = &self.file
        {
            file.sync_all().map_err(io_error("sync", path))?;
            self.synced = self.written;
        }
        Ok(self.synced)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let mut bytes = self.slot.bytes.lock();
        if bytes.session == self.session
            && let Some(so_far) = &mut bytes.so_far
        {
            so_far.file = None;
        }
        self.slot.touch(self.uploads.opened.elapsed());
        self.slot.sessions.fetch_sub(1, Ordering::AcqRel);
    }
}

fn read_all(file: &mut File) -> io::Result<(Digester, u64)> {
    let (mut digester, mut read) = (Digester::default(), 0);
    let mut buffer = vec![0; TRANSFER_CHUNK_BYTES];
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok((digester, read)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digester.update(buffer.get(..count).unwrap_or_default());
        read += count as u64;
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
