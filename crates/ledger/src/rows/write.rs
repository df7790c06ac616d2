//! Writing a run: rows in rising order, once.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use lienthong_core::engine::EngineError;

use super::block::{
    END_MAGIC, FOOTER_BYTES, HEADER_BYTES, MAGIC, RAW_BYTES_MAX, RUN_FORMAT, push_row,
};
use super::bloom::Filter;
use crate::disk::{create_file, damaged, io_error, sync_parent};

/// What a run is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunForm {
    /// Rows that are asked for often: small blocks, a filter.
    Open {
        /// How many rows there are at most: the filter has room for so many.
        rows_max: u64,
    },
    /// The same, many of them: larger blocks, so that their index is small.
    Large {
        /// As above.
        rows_max: u64,
    },
    /// Rows that are hardly ever asked for: larger blocks, better compressed.
    Settled,
}

impl RunForm {
    /// Bytes of rows after which a block ends.
    const fn block_bytes(self) -> usize {
        match self {
            Self::Open { .. } => 4 * 1024,
            Self::Large { .. } => 16 * 1024,
            Self::Settled => 32 * 1024,
        }
    }

    const fn compression(self) -> i32 {
        match self {
            Self::Open { .. } | Self::Large { .. } => 1,
            Self::Settled => 5,
        }
    }
}

/// Writes one run. What was not finished is of no use and belongs to nobody.
pub(crate) struct RunWriter {
    path: PathBuf,
    file: BufWriter<File>,
    form: RunForm,
    zstd: zstd::bulk::Compressor<'static>,
    /// The rows of the block under way.
    rows: Vec<u8>,
    first_key: Vec<u8>,
    last_key: Vec<u8>,
    /// Where the next block begins.
    offset: u64,
    index: Vec<u8>,
    blocks: u32,
    /// First and last key by first byte.
    families: Vec<(Vec<u8>, Vec<u8>)>,
    filter: Filter,
    count: u64,
}

impl RunWriter {
    /// Begins a run in a new file.
    pub fn create(path: &Path, form: RunForm) -> Result<Self, EngineError> {
        let failed = || io_error("write", path);
        let file = create_file(path).map_err(io_error("create", path))?;
        let mut file = BufWriter::with_capacity(256 * 1024, file);
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&RUN_FORMAT.to_le_bytes());
        file.write_all(&header).map_err(failed())?;
        let filter = match form {
            RunForm::Open { rows_max } | RunForm::Large { rows_max } => Filter::with_room(rows_max),
            RunForm::Settled => Filter::default(),
        };
        let zstd = zstd::bulk::Compressor::new(form.compression()).map_err(failed())?;
        Ok(Self {
            path: path.to_owned(),
            file,
            form,
            zstd,
            rows: Vec::new(),
            first_key: Vec::new(),
            last_key: Vec::new(),
            offset: HEADER_BYTES as u64,
            index: Vec::new(),
            blocks: 0,
            families: Vec::new(),
            filter,
            count: 0,
        })
    }

    /// Returns how many rows there are so far.
    pub fn rows(&self) -> u64 {
        self.count
    }

    /// Adds a row; its key is above the last one's.
    pub fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), EngineError> {
        if self.count > 0 && key <= self.last_key.as_slice() {
            return Err(damaged("rows", format!("`{}` is out of order", hex::encode(key))));
        }
        let row_bytes = key.len() + value.map_or(0, <[u8]>::len);
        if !self.rows.is_empty()
            && (self.rows.len() >= self.form.block_bytes()
                || self.rows.len() + row_bytes + 64 > RAW_BYTES_MAX)
        {
            self.end_block()?;
        }
        if self.rows.is_empty() {
            self.first_key = key.to_vec();
        }
        push_row(&mut self.rows, key, value);
        match self.families.last_mut() {
            Some((first, last)) if first.first() == key.first() => {
                last.clear();
                last.extend_from_slice(key);
            }
            _ => self.families.push((key.to_vec(), key.to_vec())),
        }
        self.filter.add(key);
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        self.count += 1;
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), EngineError> {
        let stored = self.zstd.compress(&self.rows).map_err(io_error("compress", &self.path))?;
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
        let mut head = [length(stored.len()), length(self.rows.len())].concat();
        let check = crc32c::crc32c_append(crc32c::crc32c(&head), &stored);
        head.extend_from_slice(&check.to_le_bytes());
        let write = |file: &mut BufWriter<File>| {
            file.write_all(&head)?;
            file.write_all(&stored)
        };
        write(&mut self.file).map_err(io_error("write", &self.path))?;
        push_key(&mut self.index, &self.first_key);
        self.index.extend_from_slice(&self.offset.to_le_bytes());
        self.index.extend_from_slice(&self.first_key);
        self.blocks += 1;
        self.offset += (head.len() + stored.len()) as u64;
        self.rows.clear();
        Ok(())
    }

    /// Ends the run: it is on disk on return, its name too.
    pub fn finish(self) -> Result<(), EngineError> {
        let path = self.path.clone();
        let file = self.end()?;
        file.sync_all().map_err(io_error("sync", &path))?;
        sync_parent(&path)
    }

    /// Ends the run; nothing is on disk on return.
    pub fn end(mut self) -> Result<File, EngineError> {
        if !self.rows.is_empty() {
            self.end_block()?;
        }
        for (first, last) in &self.families {
            push_key(&mut self.index, first);
            push_key(&mut self.index, last);
            self.index.extend_from_slice(first);
            self.index.extend_from_slice(last);
        }
        let footer = self.footer(self.filter.bytes());
        let mut write = || {
            self.file.write_all(&self.index)?;
            self.file.write_all(self.filter.bytes())?;
            self.file.write_all(&footer)?;
            self.file.flush()
        };
        write().map_err(io_error("write", &self.path))?;
        let failed = |error: std::io::IntoInnerError<_>| error.into_error();
        self.file.into_inner().map_err(failed).map_err(io_error("write", &self.path))
    }

    fn footer(&self, filter: &[u8]) -> Vec<u8> {
        let mut footer = Vec::with_capacity(FOOTER_BYTES);
        let (index, filter_bytes) = (self.index.len() as u64, filter.len() as u64);
        let families = u32::try_from(self.families.len()).unwrap_or(u32::MAX);
        footer.extend_from_slice(&self.offset.to_le_bytes());
        footer.extend_from_slice(&index.to_le_bytes());
        footer.extend_from_slice(&self.blocks.to_le_bytes());
        footer.extend_from_slice(&families.to_le_bytes());
        footer.extend_from_slice(&(self.offset + index).to_le_bytes());
        footer.extend_from_slice(&filter_bytes.to_le_bytes());
        footer.extend_from_slice(&self.count.to_le_bytes());
        let check = crc32c::crc32c_append(crc32c::crc32c(&self.index), filter);
        footer.extend_from_slice(&check.to_le_bytes());
        let own = crc32c::crc32c(&footer);
        footer.extend_from_slice(&own.to_le_bytes());
        footer.extend_from_slice(&END_MAGIC);
        footer
    }
}

fn push_key(index: &mut Vec<u8>, key: &[u8]) {
    index.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
}
