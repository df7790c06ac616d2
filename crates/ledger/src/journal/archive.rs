//! Archives: closed journal files, compressed, byte for byte what they were but for contents whose term
//! has passed. **Stable.** All numbers are little-endian; there is no padding.
//!
//! ```text
//! archive  header, chunks, index, footer; the file's name ends with `.archive`
//!
//! header   0  magic  8   "LTJARCHV"
//!          8  format u16 ARCHIVE_FORMAT
//!         10  empty  6   "LTEMPT" when no content of a document is left in it, else zeros
//!
//! chunk    0  crc    u32 CRC-32C of what is stored
//!          4  stored     CHUNK_BYTES of the journal file, the last fewer, compressed (zstd)
//!
//! index    for each chunk and for the end of the last: offset u64
//!
//! footer   0  length u64 bytes of the journal file
//!          8  index  u64 offset
//!         16  chunks u32
//!         20  crc    u32 CRC-32C of the index and of bytes 0..20
//!         24  magic  8   "LTJAREND"
//! ```
//!
//! A block is read by its offset in the journal file, as from the file itself: one chunk is
//! unpacked for it, or two.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use lienthong_core::engine::EngineError;
use parking_lot::Mutex;

use crate::disk::{create_file, io_error};
use crate::rows::unpack;

/// The version of the layout of archives. Stable.
const ARCHIVE_FORMAT: u16 = 1;
const MAGIC: [u8; 8] = *b"LTJARCHV";
const END_MAGIC: [u8; 8] = *b"LTJAREND";
const HEADER_BYTES: u64 = 16;
/// Says in the header that no content is left: no changed byte of it reads as the other.
const EMPTY: [u8; 6] = *b"LTEMPT";
const FOOTER_BYTES: u64 = 32;
/// Bytes of the journal file in one chunk.
const CHUNK_BYTES: usize = 256 * 1024;
/// How well is compressed. Higher takes much more time for a little less.
const COMPRESSION: i32 = 6;

/// An archive, open for reading.
#[derive(Debug)]
pub(super) struct Archive {
    file: File,
    /// Where chunks begin, and where the last one ends.
    offsets: Vec<u64>,
    length: u64,
    is_empty: bool,
    last: Mutex<Option<(usize, Arc<Vec<u8>>)>>,
    /// Whether a chunk that is damaged reads as zeros.
    passes_damage: bool,
}

impl Archive {
    /// Opens an archive.
    ///
    /// # Errors
    /// Of the kind `InvalidData` when it is damaged.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        if bytes < HEADER_BYTES + FOOTER_BYTES {
            return Err(damage("the archive is too short"));
        }
        let mut header = [0; HEADER_BYTES as usize];
        file.read_exact_at(&mut header, 0)?;
        let (begin, left) = header.split_at(10);
        let begins = begin.starts_with(&MAGIC) && begin.ends_with(&ARCHIVE_FORMAT.to_le_bytes());
        let is_empty = left == EMPTY;
        if !begins || !(is_empty || left == [0; EMPTY.len()]) {
            return Err(damage("the archive does not begin as one"));
        }
        let mut footer = [0; FOOTER_BYTES as usize];
        file.read_exact_at(&mut footer, bytes - FOOTER_BYTES)?;
        let footer = Footer::decode(&footer);
        let index_bytes = (u64::from(footer.chunks) + 1) * 8;
        let ends = footer.index.checked_add(index_bytes + FOOTER_BYTES) == Some(bytes);
        if !footer.is_one || !ends {
            return Err(damage("the end of the archive is not whole"));
        }
        let mut index = vec![0; usize::try_from(index_bytes).unwrap_or(0)];
        file.read_exact_at(&mut index, footer.index)?;
        if footer.check(&index) != footer.crc {
            return Err(damage("the check value of the archive's index is wrong"));
        }
        let offsets = index.as_chunks().0.iter().map(|offset| u64::from_le_bytes(*offset));
        Ok(Self {
            offsets: offsets.collect(),
            length: footer.length,
            is_empty,
            file,
            last: Mutex::new(None),
            passes_damage: false,
        })
    }

    /// Whether it is known that no content of a document is left in it.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Reads chunks that are damaged as zeros from now on, so that what is around them can be found.
    pub fn passing_damage(self) -> Self {
        Self { passes_damage: true, ..self }
    }

    /// Bytes of the journal file.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Reads from an offset of the journal file; fewer bytes at a chunk's end, none at the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.length {
            return Ok(0);
        }
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let chunk = self.chunk(at / CHUNK_BYTES)?;
        let from = chunk.get(at % CHUNK_BYTES..).unwrap_or_default();
        let count = from.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), from.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn chunk(&self, number: usize) -> io::Result<Arc<Vec<u8>>> {
        let mut last = self.last.lock();
        if let Some((known, chunk)) = &*last
            && *known == number
        {
            return Ok(Arc::clone(chunk));
        }
        let chunk = match self.read_chunk(number) {
            Err(error) if self.passes_damage && error.kind() == io::ErrorKind::InvalidData => {
                vec![0; self.bytes_of(number)]
            }
            chunk => chunk?,
        };
        let chunk = Arc::new(chunk);
        *last = Some((number, Arc::clone(&chunk)));
        Ok(chunk)
    }

    fn read_chunk(&self, number: usize) -> io::Result<Vec<u8>> {
        let wrong = || damage(format!("the check value of the archive's chunk {number} is wrong"));
        let place = self.offsets.get(number).zip(self.offsets.get(number + 1));
        let Some((begin, end)) = place.filter(|(begin, end)| begin < end) else {
            return Err(wrong());
        };
        let mut bytes = vec![0; usize::try_from(end - begin).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, *begin)?;
        let unpacked = bytes.split_first_chunk().and_then(|(check, stored)| {
            let right = u32::from_le_bytes(*check) == crc32c::crc32c(stored);
            right.then(|| unpack(stored, self.bytes_of(number))).flatten()
        });
        unpacked.ok_or_else(wrong)
    }

    /// Bytes of the journal file in a chunk.
    fn bytes_of(&self, number: usize) -> usize {
        let before = (number * CHUNK_BYTES) as u64;
        usize::try_from(self.length.saturating_sub(before)).unwrap_or(0).min(CHUNK_BYTES)
    }
}

/// Writes the archive of a journal file, and whether no content of a document is left in it; it is on
/// disk on return, its name need not be.
pub(super) fn write(plain: &Path, archive: &Path, is_empty: bool) -> Result<(), EngineError> {
    let source = File::open(plain).map_err(io_error("open", plain))?;
    let length = source.metadata().map_err(io_error("measure", plain))?.len();
    let write = || {
        let mut file = BufWriter::with_capacity(CHUNK_BYTES, create_file(archive)?);
        let mut zstd = zstd::bulk::Compressor::new(COMPRESSION)?;
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&ARCHIVE_FORMAT.to_le_bytes());
        header.extend_from_slice(if is_empty { &EMPTY } else { &[0; EMPTY.len()] });
        file.write_all(&header)?;
        let (mut offsets, mut at, mut end) = (Vec::new(), 0, HEADER_BYTES);
        while at < length {
            let left = usize::try_from(length - at).unwrap_or(usize::MAX);
            let mut chunk = vec![0; left.min(CHUNK_BYTES)];
            source.read_exact_at(&mut chunk, at)?;
            let stored = zstd.compress(&chunk)?;
            file.write_all(&crc32c::crc32c(&stored).to_le_bytes())?;
            file.write_all(&stored)?;
            offsets.push(end);
            at += chunk.len() as u64;
            end += 4 + stored.len() as u64;
        }
        let chunks = u32::try_from(offsets.len()).unwrap_or(u32::MAX);
        offsets.push(end);
        let index: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        file.write_all(&index)?;
        file.write_all(
            &Footer { length, index: end, chunks, crc: 0, is_one: true }.encode(&index),
        )?;
        file.flush()?;
        file.get_ref().sync_all()
    };
    write().map_err(io_error("write", archive))
}

/// Whether an archive gives back every byte of the journal file.
pub(super) fn is_the_same(plain: &Path, archive: &Path) -> io::Result<bool> {
    let (source, archive) = (File::open(plain)?, Archive::open(archive)?);
    if source.metadata()?.len() != archive.len() {
        return Ok(false);
    }
    let mut at = 0;
    let mut buffers = [vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]];
    while at < archive.len() {
        let [read, written] = &mut buffers;
        let count = archive.read_at(read, at)?;
        let (read, written) = (read.get(..count), written.get_mut(..count));
        let Some(written) = written.filter(|_| count > 0) else { return Ok(false) };
        source.read_exact_at(written, at)?;
        if read != Some(written) {
            return Ok(false);
        }
        at += count as u64;
    }
    Ok(true)
}

struct Footer {
    length: u64,
    index: u64,
    chunks: u32,
    crc: u32,
    is_one: bool,
}

impl Footer {
    fn decode(bytes: &[u8; FOOTER_BYTES as usize]) -> Self {
        let long = |at: usize| bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
        let short = |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
        Self {
            length: long(0).map_or(0, u64::from_le_bytes),
            index: long(8).map_or(0, u64::from_le_bytes),
            chunks: short(16).map_or(0, u32::from_le_bytes),
            crc: short(20).map_or(0, u32::from_le_bytes),
            is_one: bytes.get(24..) == Some(&END_MAGIC),
        }
    }

    fn encode(&self, index: &[u8]) -> Vec<u8> {
        let mut bytes = self.numbers();
        bytes.extend_from_slice(&self.check(index).to_le_bytes());
        bytes.extend_from_slice(&END_MAGIC);
        bytes
    }

    fn numbers(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FOOTER_BYTES as usize);
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes.extend_from_slice(&self.chunks.to_le_bytes());
        bytes
    }

    fn check(&self, index: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(index), &self.numbers())
    }
}

fn damage(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
