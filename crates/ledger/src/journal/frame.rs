//! The bytes of a journal file: its header and the frames in it. **Stable.** All numbers are
//! little-endian; there is no padding.
//!
//! ```text
//! file    header, then one frame a block, to the end of the file
//!
//! header  0  magic    8   "LTJOURNL"
//!         8  format   u16 JOURNAL_FORMAT; magic and format stand here in every format
//!        10  zero     u16
//!        12  writer   16  version of the program that made the file, ASCII, filled with zeros
//!        28  first    u64 number of the first block; the file's name has it too
//!        36  previous 32  SHA-256 of the block before the first; zeros for block 1
//!        68  crc      u32 CRC-32C of bytes 0..68
//!
//! frame   0  magic    4   "LTBK"
//!         4  format   u16 BLOCK_FORMAT: the encoding of the payload
//!         6  length   u32 bytes of the payload, at most BLOCK_BYTES_MAX
//!        10  number   u64 number of the block
//!        18  synced   u64 the last block known to be on disk when this one was written
//!        26  head crc u32 CRC-32C of bytes 0..26
//!        30  crc      u32 CRC-32C of bytes 0..26 and the payload
//!        34  payload      the bytes of the block
//! ```
//!
//! The head has a check value of its own, so that a length can be believed when the payload is
//! not whole. `synced` tells damage from a torn tail: a bad frame whose number some later frame
//! calls synced was once whole on disk; one that no later frame calls synced was never promised
//! to anybody.

use std::io;

use bytes::Bytes;
use lienthong_core::block::{BLOCK_FORMAT, SealedBlock};
use lienthong_model::Digest;
use lienthong_model::limits::BLOCK_BYTES_MAX;

use super::image::Image;

/// The version of the layout of journal files. Stable: a change makes a new number and a
/// migration.
pub const JOURNAL_FORMAT: u16 = 1;

pub(super) const FILE_MAGIC: [u8; 8] = *b"LTJOURNL";
pub(super) const FRAME_MAGIC: [u8; 4] = *b"LTBK";
pub(super) const HEADER_BYTES: usize = 72;
pub(super) const HEAD_BYTES: usize = 34;
pub(super) const HEAD_CHECKED_BYTES: usize = 26;
const WRITER_BYTES: usize = 16;

/// The header of a journal file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileHeader {
    /// Number of the first block.
    pub first: u64,
    /// Hash of the block before it.
    pub previous: Digest,
}

/// Why bytes are not a file header or a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Bad {
    /// The file ends before it does.
    #[error("the file ends within it")]
    Short,
    /// The magic differs.
    #[error("it does not begin as one")]
    Magic,
    /// A check value differs.
    #[error("its check value is wrong")]
    Check,
    /// The length is above the bound.
    #[error("its length is impossible")]
    Length,
    /// The format is newer.
    #[error("its format {0} is newer")]
    TooNew(u16),
}

impl FileHeader {
    /// The bytes of the header.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut writer = [0u8; WRITER_BYTES];
        for (to, from) in writer.iter_mut().zip(env!("CARGO_PKG_VERSION").bytes()) {
            *to = from;
        }
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&FILE_MAGIC);
        bytes.extend_from_slice(&JOURNAL_FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&writer);
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(self.previous.as_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&bytes);
        header
    }

    /// Reads a header.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, Bad> {
        let mut fields = Fields(bytes);
        if fields.take::<8>() != FILE_MAGIC {
            return Err(Bad::Magic);
        }
        let format = u16::from_le_bytes(fields.take());
        let right = check_at(bytes, HEADER_BYTES - 4);
        match format {
            JOURNAL_FORMAT if right => {}
            newer @ 2.. => return Err(Bad::TooNew(newer)),
            _ => return Err(Bad::Check),
        }
        let [_, _] = fields.take::<2>();
        let _writer: [u8; WRITER_BYTES] = fields.take();
        let first = u64::from_le_bytes(fields.take());
        Ok(Self { first, previous: Digest(fields.take()) })
    }

    /// Reads the header of a file.
    pub fn read(file: &Image) -> io::Result<Result<Self, Bad>> {
        let mut bytes = [0; HEADER_BYTES];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(Self::decode(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err(Bad::Short)),
            Err(error) => Err(error),
        }
    }
}

/// The head of a frame, its own check value being right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Encoding of the payload.
    pub format: u16,
    /// Bytes of the payload.
    pub length: u32,
    /// Number of the block.
    pub number: u64,
    /// The last block known to be on disk when this one was written.
    pub synced: u64,
    checked: [u8; HEAD_CHECKED_BYTES],
    crc: u32,
}

impl Head {
    /// Bytes of the whole frame.
    pub fn frame_bytes(&self) -> u64 {
        HEAD_BYTES as u64 + u64::from(self.length)
    }

    /// Reads a head. Any format is read, so that a newer one can be told from damage.
    pub fn decode(bytes: &[u8; HEAD_BYTES]) -> Result<Self, Bad> {
        let mut fields = Fields(bytes);
        let checked: [u8; HEAD_CHECKED_BYTES] = Fields(bytes).take();
        if fields.take::<4>() != FRAME_MAGIC {
            return Err(Bad::Magic);
        }
        let format = u16::from_le_bytes(fields.take());
        let length = u32::from_le_bytes(fields.take());
        let number = u64::from_le_bytes(fields.take());
        let synced = u64::from_le_bytes(fields.take());
        if u32::from_le_bytes(fields.take()) != crc32c::crc32c(&checked) {
            return Err(Bad::Check);
        }
        if length as usize > BLOCK_BYTES_MAX {
            return Err(Bad::Length);
        }
        let crc = u32::from_le_bytes(fields.take());
        Ok(Self { format, length, number, synced, checked, crc })
    }

    /// Writes the frame that it is the head of at the end of `out`, with another payload of the same
    /// length.
    pub fn encode_with(&self, payload: &[u8], out: &mut Vec<u8>) {
        encode(self.format, (self.number, self.synced), payload, out);
    }

    /// Reads the head at an offset of a file.
    pub fn read(file: &Image, offset: u64) -> io::Result<Result<Self, Bad>> {
        let mut bytes = [0; HEAD_BYTES];
        match file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(Self::decode(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err(Bad::Short)),
            Err(error) => Err(error),
        }
    }

    /// Reads and checks the payload of the frame that begins at `offset`.
    pub fn read_payload(&self, file: &Image, offset: u64) -> io::Result<Result<Bytes, Bad>> {
        if self.format > BLOCK_FORMAT {
            return Ok(Err(Bad::TooNew(self.format)));
        }
        let payload = self.read_unchecked(file, offset)?;
        Ok(payload.and_then(|payload| match self.difference(&payload) {
            0 => Ok(payload.into()),
            _ => Err(Bad::Check),
        }))
    }

    /// Reads the payload of the frame that begins at `offset`, whatever its check value.
    pub fn read_unchecked(&self, file: &Image, offset: u64) -> io::Result<Result<Vec<u8>, Bad>> {
        let mut payload = vec![0; self.length as usize];
        match file.read_exact_at(&mut payload, offset + HEAD_BYTES as u64) {
            Ok(()) => Ok(Ok(payload)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err(Bad::Short)),
            Err(error) => Err(error),
        }
    }

    /// The check value that is right for the head and a payload, XOR the one that stands there: 0
    /// when nothing is wrong.
    pub fn difference(&self, payload: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.checked), payload) ^ self.crc
    }
}

/// Writes the frame of a block at the end of `out`. The block is at most [`BLOCK_BYTES_MAX`].
pub(super) fn encode_frame(block: &SealedBlock, synced: u64, out: &mut Vec<u8>) {
    encode(BLOCK_FORMAT, (block.marker.block, synced), &block.bytes, out);
}

/// Writes a frame with a payload in an encoding, of a block's number and the last one synced.
fn encode(format: u16, (number, synced): (u64, u64), payload: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&FRAME_MAGIC);
    out.extend_from_slice(&format.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&synced.to_le_bytes());
    let head_crc = crc32c::crc32c(out.get(start..).unwrap_or(&[]));
    out.extend_from_slice(&head_crc.to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c_append(head_crc, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// Whether the CRC-32C of the bytes before `at` stands at `at`.
fn check_at(bytes: &[u8], at: usize) -> bool {
    let Some((checked, rest)) = bytes.split_at_checked(at) else { return false };
    rest.first_chunk().is_some_and(|crc| u32::from_le_bytes(*crc) == crc32c::crc32c(checked))
}

/// Takes fields of fixed size from the front of bytes that are long enough by their type.
struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((field, rest)) => {
                self.0 = rest;
                *field
            }
            None => [0; N],
        }
    }
}
