//! The file that an audit reads: what stands at an offset, and what must have stood there.

use std::path::PathBuf;

use bytes::Bytes;
use lienthong_core::block::{SealedBlock, entry_at};
use lienthong_core::engine::EngineError;
use lienthong_model::Digest;

use super::changed::{Change, single_changes};
use super::damage::{ChangedByte, Damage, DamageKind};
use crate::disk::io_error;
use crate::journal::frame::{Bad, FileHeader, HEAD_BYTES, HEAD_CHECKED_BYTES, HEADER_BYTES, Head};
use crate::journal::image::Image;
use crate::journal::recover::next_magic;
use crate::journal::writer::Found;

/// Bytes of a header before its check value.
const HEADER_CHECKED_BYTES: usize = HEADER_BYTES - 4;

/// The file under way.
#[derive(Debug)]
pub(super) struct Reading {
    pub file: Image,
    pub path: PathBuf,
    pub name: String,
    /// Where the next frame begins.
    pub offset: u64,
    pub length: u64,
    /// The highest block that a good frame calls synced.
    pub synced: u64,
    /// Bytes were passed over: the next good frame need not be the next block.
    pub lost: bool,
    pub damage: Vec<Damage>,
}

/// What a bad payload must have been.
pub(super) struct Mended {
    pub payload: Bytes,
    pub changed: ChangedByte,
    pub entry: Option<u32>,
}

impl Reading {
    pub fn open(found: &Found) -> Result<Self, EngineError> {
        let path = found.path.clone();
        let file = Image::open_passing_damage(&path)?;
        let length = file.len().map_err(io_error("measure", &path))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let offset = length.min(HEADER_BYTES as u64);
        Ok(Self { file, path, name, offset, length, synced: 0, lost: false, damage: Vec::new() })
    }

    /// Notes damage that begins at `offset` and goes on for some bytes.
    pub fn note(
        &mut self,
        kind: DamageKind,
        (offset, bytes): (u64, u64),
        block: u64,
        why: impl Into<String>,
    ) -> &mut Damage {
        self.damage.push(Damage {
            kind,
            file: self.name.clone(),
            offset,
            bytes,
            block,
            entry: None,
            why: why.into(),
            changed: None,
            cut: false,
        });
        let last = self.damage.len() - 1;
        &mut self.damage[last]
    }

    pub fn header(&self) -> Result<Result<FileHeader, Bad>, EngineError> {
        FileHeader::read(&self.file).map_err(io_error("read", &self.path))
    }

    pub fn head(&self, offset: u64) -> Result<Result<Head, Bad>, EngineError> {
        Head::read(&self.file, offset).map_err(io_error("read", &self.path))
    }

    pub fn payload(&self, head: &Head, offset: u64) -> Result<Result<Bytes, Bad>, EngineError> {
        head.read_payload(&self.file, offset).map_err(io_error("read", &self.path))
    }

    /// Finds where the next frame with a good head begins behind an offset.
    pub fn next_frame(&self, offset: u64) -> Result<Option<u64>, EngineError> {
        let mut from = offset + 1;
        while let Some(at) = next_magic(&self.file, from).map_err(io_error("read", &self.path))? {
            if self.head(at)?.is_ok() {
                return Ok(Some(at));
            }
            from = at + 1;
        }
        Ok(None)
    }

    /// The header with one byte put right.
    pub fn mended_header(&self) -> Result<Option<(ChangedByte, FileHeader)>, EngineError> {
        let Some(bytes) = self.bytes::<HEADER_BYTES>(0)? else { return Ok(None) };
        let mended = mend(&bytes, HEADER_CHECKED_BYTES, 0, |bytes| FileHeader::decode(bytes).ok());
        Ok(mended.into_iter().next())
    }

    /// The head at an offset with one byte put right, when it makes the whole frame right.
    pub fn mended_head(
        &self,
        offset: u64,
    ) -> Result<Option<(ChangedByte, Head, Bytes)>, EngineError> {
        let Some(bytes) = self.bytes::<HEAD_BYTES>(offset)? else { return Ok(None) };
        for (changed, head) in
            mend(&bytes, HEAD_CHECKED_BYTES, offset, |bytes| Head::decode(bytes).ok())
        {
            if let Ok(payload) = self.payload(&head, offset)? {
                return Ok(Some((ChangedByte { certain: true, ..changed }, head, payload)));
            }
        }
        Ok(None)
    }

    /// The payload of a frame with one byte put right: a block that follows `last`, and that
    /// `follower`, the hash that what comes after names, is the hash of.
    pub fn mended_payload(
        &self,
        head: &Head,
        last: Option<Digest>,
        follower: Option<Digest>,
    ) -> Result<Option<Mended>, EngineError> {
        let read = head.read_unchecked(&self.file, self.offset);
        let Ok(payload) = read.map_err(io_error("read", &self.path))? else { return Ok(None) };
        let length = HEAD_CHECKED_BYTES + payload.len();
        for change in single_changes(head.difference(&payload), length) {
            let mut mended = payload.clone();
            // The second check value ends the head; the payload comes right behind it.
            let (at, bits, inside) = match change {
                Change::Check { index, bits } => (HEAD_BYTES - 4 + index, bits, None),
                Change::Checked { index, bits } => {
                    let Some(inside) = index.checked_sub(HEAD_CHECKED_BYTES) else { continue };
                    let Some(byte) = mended.get_mut(inside) else { continue };
                    *byte ^= bits;
                    (HEAD_BYTES + inside, bits, Some(inside))
                }
            };
            let Ok(block) = SealedBlock::open(mended.into()) else { continue };
            let follows = block.marker.block == head.number
                && last.is_none_or(|last| last == block.block.previous)
                && follower.is_none_or(|hash| hash == block.marker.hash);
            let offset = self.offset + at as u64;
            if follows && let Some([is]) = self.bytes::<1>(offset)? {
                let certain = follower.is_some();
                let changed = ChangedByte { offset, is, was: is ^ bits, certain };
                let entry = inside.and_then(|inside| entry_at(&block.bytes, inside));
                return Ok(Some(Mended { payload: block.bytes, changed, entry }));
            }
        }
        Ok(None)
    }

    fn bytes<const N: usize>(&self, offset: u64) -> Result<Option<[u8; N]>, EngineError> {
        let mut bytes = [0; N];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(io_error("read", &self.path)(error)),
        }
    }
}

/// Everything that `read` makes of bytes when one of them is put right. Their first `checked` bytes
/// have their CRC-32C behind them; they begin at `offset` of the file.
fn mend<const N: usize, T>(
    bytes: &[u8; N],
    checked: usize,
    offset: u64,
    read: impl Fn(&[u8; N]) -> Option<T>,
) -> Vec<(ChangedByte, T)> {
    let Some((before, rest)) = bytes.split_at_checked(checked) else { return Vec::new() };
    let Some(check) = rest.first_chunk() else { return Vec::new() };
    let difference = crc32c::crc32c(before) ^ u32::from_le_bytes(*check);
    let changes = single_changes(difference, checked).into_iter();
    changes
        .filter_map(|change| {
            let (index, bits) = match change {
                Change::Check { index, bits } => (checked + index, bits),
                Change::Checked { index, bits } => (index, bits),
            };
            let mut mended = *bytes;
            let byte = mended.get_mut(index)?;
            let is = *byte;
            *byte ^= bits;
            let offset = offset + index as u64;
            let changed = ChangedByte { offset, is, was: is ^ bits, certain: false };
            Some((changed, read(&mended)?))
        })
        .collect()
}
