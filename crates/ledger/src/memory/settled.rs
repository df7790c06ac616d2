//! What has left the memory of a state in memory: runs in files without names.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use lienthong_core::Settling;
use lienthong_core::engine::EngineError;

use crate::disk::{create_folder, io_error};
use crate::rows::{BlockCache, Merged, Run, RunForm, RunWriter, Source, block_cache};
use crate::state::joined;

/// Bytes of blocks kept in memory.
const CACHE_BYTES: u64 = 4 << 20;

/// Rows that are settled.
#[derive(Debug)]
pub(super) struct SettledRows {
    folder: PathBuf,
    every_blocks: u64,
    blocks: u64,
    /// The newest first.
    runs: Vec<Arc<Run>>,
    cache: Arc<BlockCache>,
    next: u64,
    rows: u64,
}

impl SettledRows {
    pub fn new(folder: &Path, every_blocks: u64) -> Self {
        let (folder, cache) = (folder.to_owned(), Arc::new(block_cache(CACHE_BYTES)));
        Self { folder, every_blocks, blocks: 0, runs: Vec::new(), cache, next: 1, rows: 0 }
    }

    /// Whether rows are to leave with the next block, if it is a cut.
    pub fn will_be_due(&self) -> bool {
        self.blocks + 1 >= self.every_blocks
    }

    /// Counts a block; whether rows are to leave now.
    pub fn is_due(&mut self, cut: bool) -> bool {
        self.blocks += 1;
        let due = cut && self.blocks >= self.every_blocks;
        self.blocks = if due { 0 } else { self.blocks };
        due
    }

    /// Whether a deletion must be kept, since what it hides may be here.
    pub fn may_hold(&self, key: &[u8]) -> bool {
        !self.runs.is_empty() && Settling::may_settle(key)
    }

    /// How many rows came here.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        for run in &self.runs {
            if let Some(value) = run.find(key)? {
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// The rows of each run from a bound on.
    pub fn range<'s>(
        &'s self,
        prefix: &'s [u8],
        from: Bound<&'s [u8]>,
    ) -> impl Iterator<Item = Source<'s>> {
        let (start, after) = match from {
            Bound::Included(from) => (from, None),
            Bound::Excluded(from) => (from, Some(from)),
            Bound::Unbounded => (&[][..], None),
        };
        self.runs.iter().map(move |run| {
            let rows = run.range(prefix, start).skip_while(move |row| {
                row.as_ref().is_ok_and(|(key, _)| after.is_some_and(|after| *key == *after))
            });
            Box::new(rows) as Source<'s>
        })
    }

    /// Takes rows in rising order.
    pub fn take(
        &mut self,
        rows: impl Iterator<Item = (Vec<u8>, Option<Bytes>)>,
    ) -> Result<(), EngineError> {
        let before = self.rows;
        let mut taken = 0;
        let rows = rows.inspect(|_| taken += 1).map(|(key, value)| Ok((key.into(), value)));
        let run = self.write(Box::new(rows))?;
        self.rows = before + taken;
        if taken > 0 {
            self.runs.insert(0, run);
        }
        let sizes: Vec<u64> = self.runs.iter().map(|run| run.bytes()).collect();
        if let Some(count) = joined(&sizes) {
            let newest: Vec<_> = self.runs.drain(..count).collect();
            let all = newest.iter().map(|run| Box::new(run.range(b"", b"")) as Source<'_>);
            let run = self.write(Box::new(Merged::of(all)))?;
            self.runs.insert(0, run);
        }
        Ok(())
    }

    fn write(&mut self, rows: Source<'_>) -> Result<Arc<Run>, EngineError> {
        create_folder(&self.folder)?;
        let number = self.next;
        self.next += 1;
        let path = self.folder.join(format!("{number:08}.rows"));
        let mut run = RunWriter::create(&path, RunForm::Settled)?;
        for row in rows {
            let (key, value) = row?;
            run.push(&key, value.as_deref())?;
        }
        // Whoever needs it has it open.
        run.end()?;
        let run = Run::open(&path, number, Arc::clone(&self.cache))?;
        std::fs::remove_file(&path).map_err(io_error("remove", &path))?;
        Ok(Arc::new(run))
    }
}
