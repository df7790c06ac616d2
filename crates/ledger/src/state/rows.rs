//! Rows in sled, each with its check value, and what sled does turned into errors.
//!
//! sled panics where its files are not what it wrote; here that is damage like any other.

use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Marker};
use lienthong_model::Digest;

use super::generation::recent_path;
use super::{RESERVED_KEY_BYTE, STATE_FORMAT};
use crate::disk::{create_folder, damaged, io_error, sync_folder};
use crate::rows::Row;

/// sled's unit of writing. A page up to a quarter of it stays in the one file.
pub(super) const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
/// How often sled hands what it buffers to the operating system.
const FLUSH_EVERY_MS: u64 = 500;
/// How long an opening waits for sled's lock.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(2);
const LOCK_RETRY: Duration = Duration::from_millis(5);
const MARKER_KEY: &[u8] = b"\xffmarker";
const CHECK_BYTES: usize = 4;

/// The rows on disk.
#[derive(Debug)]
pub(super) struct Rows {
    /// Which of the state's databases it is.
    pub number: u64,
    path: PathBuf,
    tree: sled::Db,
    /// Bytes of rows written since it was begun, roughly.
    written: AtomicU64,
    /// The file that makes the next opening rebuild.
    damage_note: PathBuf,
}

impl Rows {
    /// Opens one of the databases of a state and reads its marker.
    pub fn open(
        state: &Path,
        number: u64,
        cache_bytes: u64,
    ) -> Result<(Self, Option<Marker>), EngineError> {
        let path = recent_path(state, number);
        create_folder(&path)?;
        refuse_set_aside_pages(&path)?;
        let tree = open_sled(&path, cache_bytes)?;
        let written = guarded(|| tree.size_on_disk())?;
        let damage_note = damage_note(state);
        let rows = Self { number, path, tree, written: AtomicU64::new(written), damage_note };
        let marker = rows.marker()?;
        if marker.is_none() && guarded(|| rows.tree.iter().next().transpose())?.is_some() {
            return Err(damaged("state", "it has rows and no marker"));
        }
        Ok((rows, marker))
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Returns how many bytes of rows were written to it, roughly.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The value under a key: `Some(None)` when it is deleted, `None` when a lower layer has it.
    pub fn read(&self, key: &[u8]) -> Result<Option<Option<Bytes>>, EngineError> {
        let read = || match guarded(|| self.tree.get(key))? {
            Some(row) => checked(key, &row).map(Some),
            None => Ok(None),
        };
        self.noting(read())
    }

    /// Passes a result on; damage is noted for the next opening.
    pub fn noting<T>(&self, read: Result<T, EngineError>) -> Result<T, EngineError> {
        read.inspect_err(|error| self.note_damage(error))
    }

    /// Walks the rows of `core` from a bound on.
    pub fn range(
        &self,
        from: Bound<&[u8]>,
    ) -> impl Iterator<Item = Result<Row, EngineError>> + use<'_> {
        let end = Bound::Excluded(&[RESERVED_KEY_BYTE][..]);
        let mut rows = self.tree.range::<&[u8], _>((from, end));
        std::iter::from_fn(move || {
            let row = guarded(|| rows.next().transpose()).and_then(|row| match row {
                Some((key, row)) => {
                    checked(&key, &row).map(|value| Some((Bytes::copy_from_slice(&key), value)))
                }
                None => Ok(None),
            });
            self.noting(row).transpose()
        })
    }

    /// Writes one row, or that it is deleted.
    pub fn write(&self, key: &[u8], value: Option<&Bytes>) -> Result<(), EngineError> {
        let row = match value {
            Some(value) => {
                let mut row = Vec::with_capacity(CHECK_BYTES + value.len());
                row.extend_from_slice(&check_value(key, value).to_le_bytes());
                row.extend_from_slice(value);
                row
            }
            None => deletion(key).to_vec(),
        };
        let bytes = (key.len() + row.len()) as u64;
        self.written.fetch_add(bytes, Ordering::Relaxed);
        guarded(|| self.tree.insert(key, row)).map(drop)
    }

    /// Writes the marker, after everything it stands for.
    pub fn write_marker(&self, marker: Marker) -> Result<(), EngineError> {
        let mut value = Vec::with_capacity(42);
        value.extend_from_slice(&STATE_FORMAT.to_le_bytes());
        value.extend_from_slice(&marker.block.to_le_bytes());
        value.extend_from_slice(marker.hash.as_bytes());
        self.write(MARKER_KEY, Some(&value.into()))
    }

    /// Reads the marker. A state of an older format is as good as a damaged one: it is made anew.
    pub fn marker(&self) -> Result<Option<Marker>, EngineError> {
        let Some(value) = self.read(MARKER_KEY)?.flatten() else { return Ok(None) };
        let short = || damaged("state, marker", "it is too short");
        let (format, rest) = value.split_first_chunk().ok_or_else(short)?;
        match u16::from_le_bytes(*format) {
            STATE_FORMAT => {}
            found if found > STATE_FORMAT => {
                let what = "the state".to_owned();
                return Err(EngineError::TooNew { what, found, reads: STATE_FORMAT });
            }
            older => {
                let why = format!("it is of format {older}, this version writes {STATE_FORMAT}");
                return Err(damaged("state", why));
            }
        }
        let (block, hash) = rest.split_first_chunk().ok_or_else(short)?;
        let hash = Digest::from_slice(hash).ok_or_else(short)?;
        Ok(Some(Marker { block: u64::from_le_bytes(*block), hash }))
    }

    /// Hands everything to the operating system and waits for the disk as far as sled does.
    pub fn flush(&self) -> Result<(), EngineError> {
        guarded(|| self.tree.flush()).map(drop)
    }

    /// Puts everything on the disk, as far as a power cut goes: sled's own flush does not.
    pub fn sync(&self) -> Result<(), EngineError> {
        self.flush()?;
        let entries = std::fs::read_dir(&self.path).map_err(io_error("list", &self.path))?;
        for entry in entries {
            let path = entry.map_err(io_error("list", &self.path))?.path();
            match std::fs::File::open(&path).and_then(|file| file.sync_all()) {
                // sled replaces small files of its own meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                synced => synced.map_err(io_error("sync", &path))?,
            }
        }
        sync_folder(&self.path)
    }

    /// Leaves a note of damage for the next opening.
    fn note_damage(&self, error: &EngineError) {
        if !matches!(error, EngineError::Damaged { .. }) {
            return;
        }
        tracing::error!(%error, "the state is damaged; the next start rebuilds it");
        if let Err(error) = std::fs::write(&self.damage_note, format!("{error}\n")) {
            tracing::error!(%error, "cannot leave a note of the damage");
        }
    }
}

/// Opens sled, waiting a little for its lock.
///
/// sled gives its file up some time after it was closed, when the last thread that looked at it
/// lets go; a state that is closed and opened again in one process meets that.
pub(super) fn open_sled(folder: &Path, cache_bytes: u64) -> Result<sled::Db, EngineError> {
    let config = sled::Config::new()
        .path(folder)
        .segment_size(SEGMENT_BYTES)
        // Writes as fast as the other mode here, with a smaller file and less memory.
        .mode(sled::Mode::LowSpace)
        .cache_capacity(cache_bytes)
        .flush_every_ms(Some(FLUSH_EVERY_MS));
    let began = Instant::now();
    loop {
        match guarded(|| config.open()) {
            Err(EngineError::Io { source, .. }) if is_locked(&source) => {
                if began.elapsed() >= LOCK_WAIT_MAX {
                    return Err(EngineError::InUse(folder.display().to_string()));
                }
                std::thread::sleep(LOCK_RETRY);
            }
            opened => return opened,
        }
    }
}

/// The file beside a state's folder that says that the state is damaged.
pub(crate) fn damage_note(folder: &Path) -> PathBuf {
    beside(folder, ".damaged")
}

/// The path beside a folder whose name is the folder's and a suffix.
pub(super) fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    folder.with_file_name(name)
}

fn check_value(key: &[u8], value: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), value)
}

/// What stands under a key that is deleted: three bytes of a check value. A row has four at least.
fn deletion(key: &[u8]) -> [u8; 3] {
    let [a, b, c, _] = check_value(key, b"deleted").to_le_bytes();
    [a, b, c]
}

/// Takes the value out of a row, checking it; `None` when it says that the row is deleted.
fn checked(key: &[u8], row: &[u8]) -> Result<Option<Bytes>, EngineError> {
    match row.split_first_chunk::<CHECK_BYTES>() {
        Some((check, value)) if u32::from_le_bytes(*check) == check_value(key, value) => {
            Ok(Some(Bytes::copy_from_slice(value)))
        }
        None if row == deletion(key) => Ok(None),
        _ => Err(damaged(format!("state, row `{}`", hex::encode(key)), "its check value is wrong")),
    }
}

/// Fails when sled has set large pages aside, which it neither syncs nor misses.
fn refuse_set_aside_pages(folder: &Path) -> Result<(), EngineError> {
    let blobs = folder.join("blobs");
    match std::fs::read_dir(&blobs) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(damaged("state", "it has pages set aside in `blobs`")),
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error("list", &blobs)(error)),
    }
}

/// Whether sled says that another process holds its file.
fn is_locked(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Calls sled; its errors and panics become ours.
fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, EngineError> {
    // After a panic nothing of sled's is used again but to close it: the caller stops.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(translated(error)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(damaged("state", format!("sled panicked: {text}")))
        }
    }
}

fn translated(error: sled::Error) -> EngineError {
    match error {
        sled::Error::Io(source)
            if !matches!(
                source.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
            ) =>
        {
            EngineError::Io { doing: "use", path: "state".to_owned(), source }
        }
        error => damaged("state", format!("sled reports: {error}")),
    }
}
