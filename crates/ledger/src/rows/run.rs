//! Reading a run: a row by its key, or rows in order from a key on.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::engine::EngineError;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::Row;
use super::block::{
    END_MAGIC, FOOTER_BYTES, HEAD_BYTES, HEADER_BYTES, MAGIC, RAW_BYTES_MAX, RUN_FORMAT, Rows,
};
use super::bloom::Filter;
use crate::disk::{damaged, io_error};

/// Blocks of rows that were read, by run and place.
pub(crate) type BlockCache = Cache<(u64, u32), Bytes, Bytewise>;

/// Weighs a block by its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Bytewise;

impl Weighter<(u64, u32), Bytes> for Bytewise {
    fn weight(&self, _: &(u64, u32), block: &Bytes) -> u64 {
        block.len() as u64 + 64
    }
}

/// Makes a cache of so many bytes.
pub(crate) fn block_cache(bytes: u64) -> BlockCache {
    let blocks = usize::try_from(bytes / 4_096).unwrap_or(usize::MAX);
    Cache::with_weighter(blocks.max(16), bytes, Bytewise)
}

/// One run, open for reading. Its index and filter are in memory, its rows are not.
#[derive(Debug)]
pub(crate) struct Run {
    /// Its number, which is its name.
    pub number: u64,
    path: PathBuf,
    file: File,
    cache: Arc<BlockCache>,
    index: Index,
    filter: Filter,
    rows: u64,
    bytes: u64,
}

/// Where blocks begin, in one piece of memory.
#[derive(Debug)]
struct Index {
    bytes: Vec<u8>,
    /// Where each block's entry begins.
    entries: Vec<u32>,
    /// First and last key by first byte.
    families: Vec<(Bytes, Bytes)>,
    /// Where the last block ends.
    end: u64,
}

impl Run {
    /// Opens a run and checks everything in it but the rows' blocks, which are checked when they
    /// are read.
    pub fn open(path: &Path, number: u64, cache: Arc<BlockCache>) -> Result<Self, EngineError> {
        let file = File::open(path).map_err(io_error("open", path))?;
        let bytes = file.metadata().map_err(io_error("measure", path))?.len();
        let bad = |why: &str| damaged(format!("rows `{}`", path.display()), why);
        let read = |offset: u64, length: u64| {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let mut buffer = vec![0; length];
            file.read_exact_at(&mut buffer, offset).map_err(io_error("read", path))?;
            Ok::<_, EngineError>(buffer)
        };
        if bytes < (HEADER_BYTES + FOOTER_BYTES) as u64 {
            return Err(bad("it is too short"));
        }
        let header = read(0, HEADER_BYTES as u64)?;
        if header.get(..8) != Some(&MAGIC) || header.get(8..10) != Some(&RUN_FORMAT.to_le_bytes()) {
            return Err(bad("it does not begin as one"));
        }
        let footer = read(bytes - FOOTER_BYTES as u64, FOOTER_BYTES as u64)?;
        let footer = Footer::decode(&footer).ok_or_else(|| bad("its end is not whole"))?;
        let place = footer.index_offset + footer.index_bytes;
        if place != footer.filter_offset
            || place + footer.filter_bytes + FOOTER_BYTES as u64 != bytes
        {
            return Err(bad("its parts do not add up"));
        }
        let index = read(footer.index_offset, footer.index_bytes)?;
        let filter = read(footer.filter_offset, footer.filter_bytes)?;
        if crc32c::crc32c_append(crc32c::crc32c(&index), &filter) != footer.check {
            return Err(bad("the check value of its index is wrong"));
        }
        let index = Index::decode(index, &footer).ok_or_else(|| bad("its index is not one"))?;
        let (filter, rows) = (Filter::read(filter), footer.rows);
        Ok(Self { number, path: path.to_owned(), file, cache, index, filter, rows, bytes })
    }

    /// Returns how many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns how many bytes its file has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns roughly how much memory it takes.
    pub fn memory(&self) -> usize {
        self.index.bytes.len() + self.index.entries.len() * 4 + self.filter.bytes().len()
    }

    /// Finds a row: `None` when the run has none, `Some(None)` when it says that it is deleted.
    pub fn find(&self, key: &[u8]) -> Result<Option<Option<Bytes>>, EngineError> {
        if !self.index.spans(key) || !self.filter.may_have(key) {
            return Ok(None);
        }
        let Some(block) = self.index.block_of(key) else { return Ok(None) };
        self.block(block, true)?.find(key)
    }

    /// Whether there may be rows with a prefix from a key on.
    pub fn may_have_with(&self, prefix: &[u8], from: &[u8]) -> bool {
        self.index.may_have_with(prefix, prefix.max(from))
    }

    /// Walks the rows from a key on, in order, as long as they have a prefix.
    pub fn range(self: &Arc<Self>, prefix: &[u8], from: &[u8]) -> RunRange {
        let start = prefix.max(from);
        let block = match self.may_have_with(prefix, start) {
            true => self.index.block_of(start).or((!self.index.entries.is_empty()).then_some(0)),
            false => None,
        };
        RunRange {
            run: Arc::clone(self),
            prefix: prefix.to_vec(),
            from: start.to_vec(),
            next: block,
            rows: None,
            // Whoever reads everything would only drive out what is read often.
            cached: !prefix.is_empty(),
        }
    }

    /// Reads every block, checking it.
    pub fn verify(self: &Arc<Self>) -> Result<(), EngineError> {
        let mut rows = 0;
        for row in self.range(b"", b"") {
            row?;
            rows += 1;
        }
        match rows == self.rows {
            true => Ok(()),
            false => Err(self.damaged(format!("it has {rows} rows, not {}", self.rows))),
        }
    }

    fn block(&self, block: u32, cached: bool) -> Result<Rows, EngineError> {
        let key = (self.number, block);
        if let Some(known) = cached.then(|| self.cache.get(&key)).flatten() {
            return Ok(Rows::of(known));
        }
        let rows = self.read_block(block)?;
        if cached {
            self.cache.insert(key, rows.clone());
        }
        Ok(Rows::of(rows))
    }

    fn read_block(&self, block: u32) -> Result<Bytes, EngineError> {
        let Some((begin, end)) = self.index.place(block) else {
            return Err(self.damaged(format!("it has no block {block}")));
        };
        let length = usize::try_from(end - begin).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, begin).map_err(io_error("read", &self.path))?;
        let unpacked = || {
            let (head, stored) = bytes.split_first_chunk::<HEAD_BYTES>()?;
            let number = |at: usize| {
                head.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes)
            };
            let (length, raw, check) = (number(0)?, number(4)? as usize, number(8)?);
            let right = crc32c::crc32c_append(crc32c::crc32c(head.get(..8)?), stored) == check;
            if !right || stored.len() != length as usize || raw > RAW_BYTES_MAX {
                return None;
            }
            unpack(stored, raw)
        };
        unpacked().map(Bytes::from).ok_or_else(|| {
            self.damaged(format!("the check value of the block at byte {begin} is wrong"))
        })
    }

    fn damaged(&self, why: String) -> EngineError {
        damaged(format!("rows `{}`", self.path.display()), why)
    }
}

/// Unpacks what was compressed to so many bytes; `None` when it is nothing of the kind.
pub(crate) fn unpack(stored: &[u8], raw: usize) -> Option<Vec<u8>> {
    thread_local! {
        static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
            const { RefCell::new(None) };
    }
    ZSTD.with_borrow_mut(|kept| {
        let zstd = match kept {
            Some(zstd) => zstd,
            None => kept.insert(zstd::bulk::Decompressor::new().ok()?),
        };
        zstd.decompress(stored, raw).ok().filter(|bytes| bytes.len() == raw)
    })
}

/// The rows of a run from a key on.
pub(crate) struct RunRange {
    run: Arc<Run>,
    prefix: Vec<u8>,
    from: Vec<u8>,
    next: Option<u32>,
    rows: Option<Rows>,
    cached: bool,
}

impl RunRange {
    fn step(&mut self) -> Result<Option<Row>, EngineError> {
        loop {
            if let Some(rows) = &mut self.rows {
                while let Some((key, value)) = rows.next_row()? {
                    if key < self.from {
                        continue;
                    }
                    if !key.starts_with(&self.prefix) {
                        (self.rows, self.next) = (None, None);
                        return Ok(None);
                    }
                    return Ok(Some((key, value)));
                }
                self.rows = None;
            }
            let Some(block) = self.next else { return Ok(None) };
            self.rows = Some(self.run.block(block, self.cached)?);
            let after = block + 1;
            self.next = self.run.index.place(after).map(|_| after);
        }
    }
}

impl Iterator for RunRange {
    type Item = Result<Row, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// The end of a run's file.
struct Footer {
    index_offset: u64,
    index_bytes: u64,
    blocks: u32,
    families: u32,
    filter_offset: u64,
    filter_bytes: u64,
    rows: u64,
    check: u32,
}

impl Footer {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let short = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let right = short(52)? == crc32c::crc32c(bytes.get(..52)?) && bytes.get(56..)? == END_MAGIC;
        right.then_some(Self {
            index_offset: long(0)?,
            index_bytes: long(8)?,
            blocks: short(16)?,
            families: short(20)?,
            filter_offset: long(24)?,
            filter_bytes: long(32)?,
            rows: long(40)?,
            check: short(48)?,
        })
    }
}

impl Index {
    fn decode(bytes: Vec<u8>, footer: &Footer) -> Option<Self> {
        let mut entries = Vec::with_capacity(footer.blocks as usize);
        let mut at = 0;
        for _ in 0..footer.blocks {
            entries.push(u32::try_from(at).ok()?);
            at += 10 + usize::from(short(&bytes, at)?);
        }
        let mut families = Vec::new();
        for _ in 0..footer.families {
            let first = usize::from(short(&bytes, at)?);
            let last = usize::from(short(&bytes, at + 2)?);
            let begin = at + 4;
            let first_key = Bytes::copy_from_slice(bytes.get(begin..begin + first)?);
            let last_key = bytes.get(begin + first..begin + first + last)?;
            families.push((first_key, Bytes::copy_from_slice(last_key)));
            at = begin + first + last;
        }
        (at == bytes.len()).then_some(Self { bytes, entries, families, end: footer.index_offset })
    }

    /// First key and offset of a block.
    fn entry(&self, block: usize) -> Option<(&[u8], u64)> {
        let at = *self.entries.get(block)? as usize;
        let key = usize::from(short(&self.bytes, at)?);
        let offset = self.bytes.get(at + 2..at + 10)?.try_into().ok()?;
        Some((self.bytes.get(at + 10..at + 10 + key)?, u64::from_le_bytes(offset)))
    }

    /// The block that a key would be in; none when it is before the first.
    fn block_of(&self, key: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.entry(middle) {
                Some((first, _)) if first <= key => low = middle + 1,
                _ => high = middle,
            }
        }
        u32::try_from(low.checked_sub(1)?).ok()
    }

    /// Where a block begins and ends.
    fn place(&self, block: u32) -> Option<(u64, u64)> {
        let (_, begin) = self.entry(block as usize)?;
        let end = self.entry(block as usize + 1).map_or(self.end, |(_, offset)| offset);
        (begin < end).then_some((begin, end))
    }

    /// Whether a key lies between the first and the last with its first byte.
    fn spans(&self, key: &[u8]) -> bool {
        let of = |(first, _): &&(Bytes, Bytes)| first.first() == key.first();
        let family = self.families.iter().find(of);
        family.is_some_and(|(first, last)| *first <= *key && *key <= *last)
    }

    /// Whether there may be keys with a prefix that are not below a start.
    fn may_have_with(&self, prefix: &[u8], start: &[u8]) -> bool {
        self.families.iter().any(|(first, last)| {
            *last >= *start && (*first <= *prefix || first.starts_with(prefix))
        })
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}
