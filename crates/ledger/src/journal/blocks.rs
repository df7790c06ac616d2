//! The journal's reading side: any block by number, from memory or from its file.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use lienthong_core::block::{Block, SealedBlock};
use lienthong_core::engine::{Blocks, EngineError, Marker};
use lienthong_model::Digest;
use parking_lot::{Mutex, RwLock};

use super::frame::{Bad, FileHeader, Head};
use super::image::{Image, failed};
use super::index::FileIndex;
use super::recover::{place, too_new};
use super::{JournalLimits, Replay, TornTail};
use crate::disk::damaged;

/// A cheap handle for reading the journal; clones read the same journal.
///
/// Only blocks that the writer returned as ordered are seen. The last ones come from memory.
#[derive(Debug, Clone)]
pub struct JournalBlocks {
    pub(super) shared: Arc<Shared>,
}

/// One file of the journal.
#[derive(Debug)]
pub(super) struct JournalFile {
    pub path: PathBuf,
    pub header: FileHeader,
    /// `None` until the file is first read: closed files are indexed lazily.
    pub index: RwLock<Option<FileIndex>>,
}

/// What the writer and the readers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub limits: JournalLimits,
    /// Rising, never empty, the last one is written to.
    pub files: RwLock<Vec<Arc<JournalFile>>>,
    pub visible: RwLock<Visible>,
    /// The file that was read last, kept open.
    handle: Mutex<Option<(u64, Arc<Image>)>>,
    /// Held while a file is archived: one at a time.
    pub archiving: Mutex<()>,
    /// The end of the last file that was found torn and is not cut yet.
    pub torn_end: Mutex<Option<TornTail>>,
}

/// The blocks that readers may see.
#[derive(Debug, Default)]
pub(super) struct Visible {
    pub end: Option<Marker>,
    recent: VecDeque<(Arc<Block>, usize)>,
    recent_bytes: usize,
}

impl Visible {
    /// The blocks up to the end that a journal was opened with, none of them in memory.
    pub fn up_to(end: Option<Marker>) -> Self {
        Self { end, ..Self::default() }
    }

    /// Makes the next block visible.
    pub fn push(&mut self, block: &SealedBlock, limits: &JournalLimits) {
        self.end = Some(block.marker);
        self.recent.push_back((Arc::clone(&block.block), block.bytes.len()));
        self.recent_bytes += block.bytes.len();
        while self.recent.len() > limits.recent_blocks || self.recent_bytes > limits.recent_bytes {
            let Some((_, bytes)) = self.recent.pop_front() else { break };
            self.recent_bytes -= bytes;
        }
    }

    fn recent(&self, number: u64) -> Option<Arc<Block>> {
        let oldest = self.recent.front()?.0.number;
        let at = usize::try_from(number.checked_sub(oldest)?).ok()?;
        self.recent.get(at).map(|(block, _)| Arc::clone(block))
    }
}

impl Shared {
    pub fn new(
        files: Vec<Arc<JournalFile>>,
        visible: Visible,
        limits: JournalLimits,
        torn_end: Option<TornTail>,
    ) -> Self {
        Self {
            limits,
            files: RwLock::new(files),
            visible: RwLock::new(visible),
            handle: Mutex::new(None),
            archiving: Mutex::new(()),
            torn_end: Mutex::new(torn_end),
        }
    }

    /// The file that holds a block, and the header of the one after it.
    pub fn file_of(&self, number: u64) -> Option<(Arc<JournalFile>, Option<FileHeader>)> {
        let files = self.files.read();
        let after = files.partition_point(|file| file.header.first <= number);
        let file = files.get(after.checked_sub(1)?)?;
        Some((Arc::clone(file), files.get(after).map(|next| next.header)))
    }

    /// Opens a file for reading, or takes the handle that is open. A file that gave way to its
    /// archive since it was looked up is read from there: the bytes are the same.
    pub fn open(&self, file: &JournalFile) -> Result<Arc<Image>, EngineError> {
        let mut handle = self.handle.lock();
        match &*handle {
            Some((first, open)) if *first == file.header.first => Ok(Arc::clone(open)),
            _ => {
                let opened = match Image::open(&file.path) {
                    Err(error) if is_gone(&error) => Image::open(&self.path_of(file)),
                    opened => opened,
                };
                let open = Arc::new(opened?);
                *handle = Some((file.header.first, Arc::clone(&open)));
                Ok(open)
            }
        }
    }

    /// Where the blocks of a file lie now.
    fn path_of(&self, file: &JournalFile) -> PathBuf {
        let files = self.files.read();
        let in_force = files.iter().find(|known| known.header.first == file.header.first);
        in_force.map_or_else(|| file.path.clone(), |known| known.path.clone())
    }

    /// Lets go of a file that gave way to another.
    pub fn let_go(&self, first: u64) {
        self.handle.lock().take_if(|(known, _)| *known == first);
    }

    /// Finds the offset of a visible block's frame.
    pub fn offset_of(
        &self,
        number: u64,
        file: &JournalFile,
        next: Option<FileHeader>,
        open: &Image,
    ) -> Result<u64, EngineError> {
        if file.index.read().is_none() {
            let mut index = file.index.write();
            if index.is_none() {
                *index = Some(file.scan(open, next)?);
            }
        }
        let (mut block, mut offset) =
            file.index.read().as_ref().map_or((number, 0), |index| index.near(number));
        while block < number {
            offset += file.head(open, offset, block)?.frame_bytes();
            block += 1;
        }
        Ok(offset)
    }
}

/// Whether there is no file of the name.
fn is_gone(error: &EngineError) -> bool {
    let EngineError::Io { source, .. } = error else { return false };
    source.kind() == std::io::ErrorKind::NotFound
}

impl JournalFile {
    /// Reads the head of a frame that must be there.
    pub fn head(&self, open: &Image, offset: u64, number: u64) -> Result<Head, EngineError> {
        let head = Head::read(open, offset).map_err(failed("read", &self.path))?;
        let head = head.map_err(|bad| self.bad(offset, number, bad))?;
        if head.number != number {
            let why = format!("it holds block {}", head.number);
            return Err(damaged(place(&self.path, offset, number), why));
        }
        Ok(head)
    }

    /// Reads a block that must be at `offset`, and returns it with the offset after it.
    pub fn block(
        &self,
        open: &Image,
        offset: u64,
        number: u64,
    ) -> Result<(SealedBlock, u64), EngineError> {
        let head = self.head(open, offset, number)?;
        let payload = head.read_payload(open, offset).map_err(failed("read", &self.path))?;
        let payload = payload.map_err(|bad| self.bad(offset, number, bad))?;
        let block = SealedBlock::open(payload)
            .map_err(|error| damaged(place(&self.path, offset, number), error.to_string()))?;
        if block.marker.block != number {
            let why = format!("it holds block {}", block.marker.block);
            return Err(damaged(place(&self.path, offset, number), why));
        }
        Ok((block, offset + head.frame_bytes()))
    }

    /// Indexes a closed file by its heads, and checks that the next file continues it.
    fn scan(&self, open: &Image, next: Option<FileHeader>) -> Result<FileIndex, EngineError> {
        let length = open.len().map_err(failed("measure", &self.path))?;
        let mut index = FileIndex::new(self.header.first);
        let mut last = None;
        while index.end < length {
            last = Some(index.end);
            let head = self.head(open, index.end, index.next)?;
            index.push(head.frame_bytes());
        }
        let Some(next) = next else { return Ok(index) };
        let named = || place(&self.path, index.end, index.next);
        if next.first != index.next {
            let why = format!("the file ends, and the next one begins with block {}", next.first);
            return Err(damaged(named(), why));
        }
        let hash = match last {
            Some(offset) => self.block(open, offset, index.next - 1)?.0.marker.hash,
            None => self.header.previous,
        };
        if hash != next.previous {
            return Err(damaged(named(), "the next file follows a block of another hash"));
        }
        Ok(index)
    }

    /// The error for a frame that is bad.
    pub fn bad(&self, offset: u64, number: u64, bad: Bad) -> EngineError {
        match bad {
            Bad::TooNew(format) => too_new(&self.path, format),
            bad => damaged(place(&self.path, offset, number), bad.to_string()),
        }
    }
}

impl JournalBlocks {
    /// The end that was found torn, until it is cut.
    pub(crate) fn torn_end(&self) -> Option<TornTail> {
        self.shared.torn_end.lock().clone()
    }

    /// The block with a number together with its bytes and hash, read from its file; `None` past
    /// the end.
    ///
    /// # Errors
    /// [`EngineError`] when the block is damaged or cannot be read.
    pub fn sealed(&self, number: u64) -> Result<Option<SealedBlock>, EngineError> {
        if number == 0 || self.end().is_none_or(|end| number > end.block) {
            return Ok(None);
        }
        let Some((file, next)) = self.shared.file_of(number) else { return Ok(None) };
        let open = self.shared.open(&file)?;
        let offset = self.shared.offset_of(number, &file, next, &open)?;
        Ok(Some(file.block(&open, offset, number)?.0))
    }

    /// The hash of a block; of block 0 zeros; `None` past the end.
    ///
    /// # Errors
    /// [`EngineError`] when the block is damaged or cannot be read.
    pub fn hash(&self, number: u64) -> Result<Option<Digest>, EngineError> {
        match self.end() {
            _ if number == 0 => Ok(Some(Digest([0; 32]))),
            Some(end) if number == end.block => Ok(Some(end.hash)),
            Some(end) if number < end.block => {
                Ok(self.block(number + 1)?.map(|after| after.previous))
            }
            _ => Ok(None),
        }
    }

    /// Streams the blocks from a number (0 is taken as 1) to what is the end now, checking the
    /// hash chain between them. One block is in memory at a time. The stream ends after its first
    /// error.
    pub fn replay(&self, from: u64) -> Replay {
        Replay::new(self.clone(), from.max(1))
    }
}

impl Blocks for JournalBlocks {
    fn block(&self, number: u64) -> Result<Option<Arc<Block>>, EngineError> {
        if let Some(block) = self.shared.visible.read().recent(number) {
            return Ok(Some(block));
        }
        Ok(self.sealed(number)?.map(|sealed| sealed.block))
    }

    fn end(&self) -> Option<Marker> {
        self.shared.visible.read().end
    }
}
