//! Chunks of rows in sled, and what sled does turned into errors.
//!
//! sled panics where its files are not what it wrote; here that is damage like any other.
//!
//! A chunk is written as *pieces*: some hundred rows each, packed. Their numbers rise, so sled only
//! ever writes at its end, and once a row that changed several times within a chunk. The marker
//! comes last, and says how many pieces there are and what they are: what a kill leaves of a chunk
//! without its marker is not looked at, and written over.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lienthong_core::engine::{EngineError, Marker};
use lienthong_model::Digest;
use parking_lot::Mutex;

use super::STATE_FORMAT;
use super::overlay::Generation;
use crate::crash;
use crate::disk::{create_folder, damaged, io_error, sync_folder};
use crate::rows::{BlockRows, push_row, unpack};

/// sled's unit of writing. A page up to a quarter of it stays in the one file.
pub(super) const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of rows after which a piece ends. A larger row is a piece by itself.
const PIECE_BYTES: usize = 32 * 1024;
/// How often sled hands what it buffers to the operating system.
const FLUSH_EVERY_MS: u64 = 500;
/// How long an opening waits for sled's lock.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(2);
const LOCK_RETRY: Duration = Duration::from_millis(5);
const MARKER_KEY: &[u8] = b"\xffmarker";
/// The first byte of a piece's key.
const PIECE: u8 = b'p';
const CHECK_BYTES: usize = 4;
const COMPRESSION: i32 = 1;

/// One of the databases of a state.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    tree: sled::Db,
    end: Mutex<End>,
}

/// Up to where a database is whole.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    marker: Option<Marker>,
    /// How many pieces there are.
    pieces: u64,
    /// CRC-32C of the check values of all of them, in order.
    check: u32,
    /// Bytes of rows in them, before they were packed.
    bytes: u64,
}

impl End {
    fn add(&mut self, piece_check: u32, bytes: usize) {
        self.pieces += 1;
        self.check = crc32c::crc32c_append(self.check, &piece_check.to_le_bytes());
        self.bytes += bytes as u64;
    }
}

impl Database {
    /// Opens a database, which is created when it is not there, and reads its marker.
    pub fn open(path: &Path, cache_bytes: u64) -> Result<Self, EngineError> {
        create_folder(path)?;
        refuse_set_aside_pages(path)?;
        let tree = open_sled(path, cache_bytes)?;
        let end = read_marker(&tree)?;
        if end.is_none() && guarded(|| tree.iter().next().transpose())?.is_some() {
            return Err(damaged("state", "it has rows and no marker"));
        }
        let end = Mutex::new(end.unwrap_or_default());
        Ok(Self { path: path.to_owned(), tree, end })
    }

    /// The marker of the last chunk.
    pub fn marker(&self) -> Option<Marker> {
        self.end.lock().marker
    }

    /// Returns how many bytes of rows were written to it.
    pub fn written(&self) -> u64 {
        self.end.lock().bytes
    }

    /// Gives every row up to the marker to a taker, the older of one key first.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when the pieces are not those that the marker stands for.
    pub fn each_row(
        &self,
        take: &mut dyn FnMut(Vec<u8>, Option<Bytes>),
    ) -> Result<(), EngineError> {
        let mut found = End { marker: self.marker(), ..End::default() };
        let pieces = self.end.lock().pieces;
        for number in 0..pieces {
            let key = piece_key(number);
            let missing = || damaged(format!("state, piece {number}"), "it is missing");
            let piece = guarded(|| self.tree.get(key))?.ok_or_else(missing)?;
            let (check, rows) = open_piece(&key, &piece).ok_or_else(|| {
                damaged(format!("state, piece {number}"), "its check value is wrong")
            })?;
            found.add(check, rows.len());
            let mut rows = BlockRows::of(rows.into());
            while let Some((key, value)) = rows.next_row()? {
                // A copy each: a row that stays must not keep a whole piece in memory.
                take(key.to_vec(), value.map(|value| Bytes::copy_from_slice(&value)));
            }
        }
        let mut end = self.end.lock();
        if found.check != end.check {
            return Err(damaged("state", "its pieces are not those that its marker stands for"));
        }
        end.bytes = found.bytes;
        Ok(())
    }

    /// Writes the rows of a chunk, and then its marker.
    pub fn write(&self, chunk: &Generation, marker: Marker) -> Result<(), EngineError> {
        let mut end = *self.end.lock();
        let mut rows = Vec::with_capacity(PIECE_BYTES + 1024);
        let half = chunk.len() / 2;
        for (at, (key, value)) in chunk.iter().enumerate() {
            let row_bytes = key.len() + value.as_ref().map_or(0, Bytes::len);
            if at == half || (!rows.is_empty() && rows.len() + row_bytes > PIECE_BYTES) {
                self.write_piece(&mut end, &mut rows)?;
            }
            if at == half {
                crash::point("state-half-written");
            }
            push_row(&mut rows, key, value.as_deref());
        }
        self.write_piece(&mut end, &mut rows)?;
        self.write_marker(End { marker: Some(marker), ..end })?;
        crash::point("state-written");
        Ok(())
    }

    fn write_piece(&self, end: &mut End, rows: &mut Vec<u8>) -> Result<(), EngineError> {
        if rows.is_empty() {
            return Ok(());
        }
        let key = piece_key(end.pieces);
        let packed = zstd::bulk::compress(rows, COMPRESSION)
            .map_err(io_error("pack rows for", &self.path))?;
        let raw = u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes();
        let check =
            crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(&key), &raw), &packed);
        let piece = [&check.to_le_bytes()[..], &raw, &packed].concat();
        guarded(|| self.tree.insert(key, piece))?;
        end.add(check, rows.len());
        rows.clear();
        Ok(())
    }

    /// Writes the marker, after everything it stands for.
    fn write_marker(&self, end: End) -> Result<(), EngineError> {
        let Some(marker) = end.marker else { return Ok(()) };
        let mut row = vec![0; CHECK_BYTES];
        row.extend_from_slice(&STATE_FORMAT.to_le_bytes());
        row.extend_from_slice(&marker.block.to_le_bytes());
        row.extend_from_slice(marker.hash.as_bytes());
        row.extend_from_slice(&end.pieces.to_le_bytes());
        row.extend_from_slice(&end.check.to_le_bytes());
        let check = marker_check(&row[CHECK_BYTES..]);
        row[..CHECK_BYTES].copy_from_slice(&check.to_le_bytes());
        guarded(|| self.tree.insert(MARKER_KEY, row))?;
        *self.end.lock() = end;
        Ok(())
    }

    /// Begins an empty database with the marker of the one before it.
    pub fn begin(&self, marker: Marker) -> Result<(), EngineError> {
        self.write_marker(End { marker: Some(marker), ..End::default() })?;
        self.flush()
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
}

fn piece_key(number: u64) -> [u8; 9] {
    let mut key = [PIECE; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The check value and the rows of a piece; `None` when it is not what was written.
fn open_piece(key: &[u8], piece: &[u8]) -> Option<(u32, Vec<u8>)> {
    let (check, rest) = piece.split_first_chunk::<CHECK_BYTES>()?;
    let (raw, packed) = rest.split_first_chunk::<4>()?;
    let check = u32::from_le_bytes(*check);
    if crc32c::crc32c_append(crc32c::crc32c(key), rest) != check {
        return None;
    }
    Some((check, unpack(packed, u32::from_le_bytes(*raw) as usize)?))
}

fn marker_check(value: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(MARKER_KEY), value)
}

/// Reads the marker. A state of an older format is as good as a damaged one: it is made anew.
fn read_marker(tree: &sled::Db) -> Result<Option<End>, EngineError> {
    let Some(row) = guarded(|| tree.get(MARKER_KEY))? else { return Ok(None) };
    let wrong = || damaged("state, marker", "its check value is wrong");
    let (check, value) = row.split_first_chunk::<CHECK_BYTES>().ok_or_else(wrong)?;
    if u32::from_le_bytes(*check) != marker_check(value) {
        return Err(wrong());
    }
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
    let (block, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (hash, rest) = rest.split_at_checked(32).ok_or_else(short)?;
    let (pieces, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (check, _) = rest.split_first_chunk().ok_or_else(short)?;
    let hash = Digest::from_slice(hash).ok_or_else(short)?;
    let marker = Some(Marker { block: u64::from_le_bytes(*block), hash });
    let (pieces, check) = (u64::from_le_bytes(*pieces), u32::from_le_bytes(*check));
    Ok(Some(End { marker, pieces, check, bytes: 0 }))
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
