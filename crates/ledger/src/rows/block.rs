//! The bytes of a run. **Stable.** All numbers are little-endian; there is no padding.
//!
//! ```text
//! file    header, blocks, index, filter, footer
//!
//! header  0  magic   8   "LTROWRUN"
//!         8  format  u16 RUN_FORMAT
//!        10  zeros   6
//!
//! block   0  stored  u32 bytes that follow the head
//!         4  raw     u32 bytes of the rows, at most RAW_BYTES_MAX
//!         8  crc     u32 CRC-32C of bytes 0..8 and of what is stored
//!        12  stored      the rows, compressed (zstd)
//!
//! row     0  key     u16 bytes of the key
//!         2  value   u32 bytes of the value; ffffffff: the row is deleted
//!         6  the key, then the value
//!
//! index   for each block: key u16, offset u64, the block's first key
//!         then for each first byte of keys that there is: first u16, last u16, the two keys
//! filter  lines of 64 bytes; empty in a run without: see the module `bloom`
//! footer  0  index   u64 offset, u64 bytes, u32 blocks, u32 first bytes
//!        24  filter  u64 offset, u64 bytes
//!        40  rows    u64
//!        48  crc     u32 CRC-32C of index and filter
//!        52  crc     u32 CRC-32C of bytes 0..52
//!        56  magic   8   "LTROWEND"
//! ```

use bytes::Bytes;
use lienthong_core::engine::EngineError;

use super::Row;
use crate::disk::damaged;

/// The version of the layout of runs. Stable.
pub(super) const RUN_FORMAT: u16 = 1;
pub(super) const MAGIC: [u8; 8] = *b"LTROWRUN";
pub(super) const END_MAGIC: [u8; 8] = *b"LTROWEND";
pub(super) const HEADER_BYTES: usize = 16;
pub(super) const HEAD_BYTES: usize = 12;
pub(super) const FOOTER_BYTES: usize = 64;
/// Largest block before compression: one row of the largest size fits, and what came before it.
pub(super) const RAW_BYTES_MAX: usize = 512 * 1024;
const ROW_HEAD_BYTES: usize = 6;
const DELETED: u32 = u32::MAX;

/// Appends a row to the rows of a block.
pub(crate) fn push_row(rows: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    let length = value.map_or(DELETED, |value| u32::try_from(value.len()).unwrap_or(DELETED));
    rows.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
    rows.extend_from_slice(&length.to_le_bytes());
    rows.extend_from_slice(key);
    rows.extend_from_slice(value.unwrap_or_default());
}

/// Reads the rows of a block one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    rows: Bytes,
    at: usize,
}

impl Rows {
    pub fn of(rows: Bytes) -> Self {
        Self { rows, at: 0 }
    }

    /// Finds the row with a key; `Some(None)` when it is deleted.
    pub fn find(mut self, key: &[u8]) -> Result<Option<Option<Bytes>>, EngineError> {
        loop {
            let Some((found, value)) = self.place()? else { return Ok(None) };
            match self.rows.get(found).unwrap_or_default().cmp(key) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => {
                    return Ok(Some(value.map(|value| self.rows.slice(value))));
                }
                std::cmp::Ordering::Greater => return Ok(None),
            }
        }
    }

    /// Where key and value of the next row lie.
    #[allow(clippy::type_complexity)] // Two ranges, the second of which may be missing.
    fn place(
        &mut self,
    ) -> Result<Option<(std::ops::Range<usize>, Option<std::ops::Range<usize>>)>, EngineError> {
        let Some(rest) = self.rows.get(self.at..).filter(|rest| !rest.is_empty()) else {
            return Ok(None);
        };
        let place = || {
            let (key, rest) = rest.split_first_chunk::<2>()?;
            let (value, _) = rest.split_first_chunk::<4>()?;
            let begin = self.at + ROW_HEAD_BYTES;
            let key = begin..begin + usize::from(u16::from_le_bytes(*key));
            let value = u32::from_le_bytes(*value);
            let end = if value == DELETED { key.end } else { key.end + value as usize };
            (end <= self.rows.len()).then_some((key, (value != DELETED).then_some(end)))
        };
        let (key, end) = place().ok_or_else(|| damaged("a block of rows", "a row ends outside"))?;
        self.at = end.unwrap_or(key.end);
        let value = end.map(|end| key.end..end);
        Ok(Some((key, value)))
    }

    /// Takes the next row.
    pub fn next_row(&mut self) -> Result<Option<Row>, EngineError> {
        let Some((key, value)) = self.place()? else { return Ok(None) };
        Ok(Some((self.rows.slice(key), value.map(|value| self.rows.slice(value)))))
    }
}
