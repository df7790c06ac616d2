//! The journal's writing side: one writer, appending, syncing, beginning new files.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lienthong_core::block::SealedBlock;
use lienthong_core::engine::{EngineError, Journal, Marker};
use lienthong_model::limits::BLOCK_BYTES_MAX;
use lienthong_model::{Digest, Timestamp};
use parking_lot::RwLock;

use super::blocks::{JournalBlocks, JournalFile, Shared, Visible};
use super::frame::{Bad, FileHeader, HEADER_BYTES, encode_frame};
use super::image::{ARCHIVED, Image, PLAIN, UNFINISHED, failed, is_archive};
use super::index::FileIndex;
use super::recover::{Standing, Verified, bad_header, verify};
use super::{JournalLimits, JournalOpened, TornTail};
use crate::crash;
use crate::disk::{
    FolderLock, create_folder, damaged, io_error, owners_only, remove_file, sync_folder,
};

/// The journal's one writer.
///
/// A block is in the operating system's hands when [`Journal::propose`] returns, and on disk when
/// [`Journal::read_ordered`] has returned its number; readers see it from then on. After any
/// failure every call fails: what is on disk is then known only to the next opening. Blocks stay
/// in memory from the one to the other; how many, the caller bounds.
#[derive(Debug)]
pub struct JournalFiles {
    folder: PathBuf,
    shared: Arc<Shared>,
    pub(super) file: File,
    slot: Arc<JournalFile>,
    /// When the first block of the file was made.
    begun: Option<Timestamp>,
    /// The last block proposed.
    last: Marker,
    /// The last block on disk.
    synced: u64,
    /// Proposed and not yet returned, in order.
    pending: VecDeque<SealedBlock>,
    frame: Vec<u8>,
    poisoned: bool,
    _lock: FolderLock,
}

/// A file found in the folder, by its name.
#[derive(Debug)]
pub(super) struct Found {
    pub first: u64,
    pub path: PathBuf,
}

/// The file that is written to, the last block before what comes next, and the folder's lock.
#[derive(Debug)]
struct Tip {
    file: File,
    slot: Arc<JournalFile>,
    begun: Option<Timestamp>,
    last: Marker,
    lock: FolderLock,
}

impl JournalFiles {
    /// Opens the journal in a folder, which is created when it is not there. On return everything
    /// that readers see is on disk.
    ///
    /// # Errors
    /// [`EngineError::InUse`] when another process has it; [`EngineError::Damaged`] naming file,
    /// offset and block when synced bytes are bad; [`EngineError::TooNew`]; [`EngineError::Io`].
    pub fn open(folder: &Path, limits: JournalLimits) -> Result<JournalOpened, EngineError> {
        create_folder(folder)?;
        let lock = FolderLock::take(folder)?;
        remove_unfinished(folder)?;
        let mut found = list(folder)?;
        let mut torn = Vec::new();
        let last_header = remove_headless(&mut found, &mut torn)?;
        let standing = if torn.is_empty() { Standing::Last } else { Standing::Followed };
        let Some(last_header) = last_header else {
            return Self::begin(folder, limits, lock, torn);
        };
        let mut files = closed_files(&found)?;
        let Some(last) = found.pop() else { return Self::begin(folder, limits, lock, torn) };
        if is_archive(&last.path) {
            let what = format!("journal, behind `{}`", last.path.display());
            return Err(damaged(
                what,
                "the last file is an archive: the files after it are missing",
            ));
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&last.path)
            .map_err(io_error("open", &last.path))?;
        let image = file.try_clone().map_err(io_error("open", &last.path))?;
        let verified = verify(&last.path, &Image::Plain(image), last_header, standing, limits)?;
        write_again(&file, verified.unsynced_from..verified.index.end)
            .map_err(io_error("write", &last.path))?;
        file.sync_all().map_err(io_error("sync", &last.path))?;
        let Verified { index, last: marker, begun, recent, torn: tail, unsynced_from: _ } =
            verified;
        torn.extend(tail.clone());
        let mut visible = Visible::up_to((marker.block > 0).then_some(marker));
        recent.iter().for_each(|block| visible.push(block, &limits));
        let slot = Arc::new(JournalFile {
            path: last.path,
            header: last_header,
            index: RwLock::new(Some(index)),
        });
        files.push(Arc::clone(&slot));
        let shared = Arc::new(Shared::new(files, visible, limits, tail));
        let tip = Tip { file, slot, begun, last: marker, lock };
        Ok(Self::opened(folder, shared, tip, torn))
    }

    /// Begins a journal in an empty folder.
    fn begin(
        folder: &Path,
        limits: JournalLimits,
        lock: FolderLock,
        torn: Vec<TornTail>,
    ) -> Result<JournalOpened, EngineError> {
        let header = FileHeader { first: 1, previous: Digest([0; 32]) };
        let (file, slot) = create(folder, header)?;
        let marker = Marker { block: 0, hash: header.previous };
        let shared =
            Arc::new(Shared::new(vec![Arc::clone(&slot)], Visible::default(), limits, None));
        let tip = Tip { file, slot, begun: None, last: marker, lock };
        Ok(Self::opened(folder, shared, tip, torn))
    }

    fn opened(folder: &Path, shared: Arc<Shared>, tip: Tip, torn: Vec<TornTail>) -> JournalOpened {
        for tail in &torn {
            tracing::warn!(file = %tail.file, offset = tail.offset, bytes = tail.bytes,
                why = %tail.why, "the end of the journal is torn");
        }
        let blocks = JournalBlocks { shared: Arc::clone(&shared) };
        let journal = Self {
            folder: folder.to_owned(),
            shared,
            file: tip.file,
            slot: tip.slot,
            begun: tip.begun,
            last: tip.last,
            synced: tip.last.block,
            pending: VecDeque::new(),
            frame: Vec::new(),
            poisoned: false,
            _lock: tip.lock,
        };
        JournalOpened { journal, blocks, torn }
    }

    /// Cuts the end that was found torn; appending does so, too. Until then the files are as they
    /// were found, so that whoever knows that the end was whole once can leave them alone.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub fn cut_torn_end(&mut self) -> Result<(), EngineError> {
        let mut torn = self.shared.torn_end.lock();
        if let Some(tail) = &*torn {
            let cut = self.file.set_len(tail.offset).and_then(|()| self.file.sync_all());
            cut.map_err(io_error("cut", &self.slot.path))?;
            tracing::warn!(file = %tail.file, bytes = tail.bytes, "cut the torn end of the journal");
        }
        *torn = None;
        Ok(())
    }

    /// The last block proposed; `None` when the journal is empty.
    pub fn last_proposed(&self) -> Option<Marker> {
        (self.last.block > 0).then_some(self.last)
    }

    /// Runs one step; a failure poisons.
    fn step<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        if self.poisoned {
            let source = io::Error::other("an earlier write or sync failed");
            return Err(io_error("write", &self.folder)(source));
        }
        let done = step(self);
        self.poisoned = done.is_err();
        done
    }

    fn append(&mut self, block: &SealedBlock) -> Result<(), EngineError> {
        let number = block.marker.block;
        if number != self.last.block + 1 || block.block.previous != self.last.hash {
            let why = format!("it does not follow block {} ({})", self.last.block, self.last.hash);
            return Err(damaged(format!("proposed block {number}"), why));
        }
        if block.bytes.len() > BLOCK_BYTES_MAX {
            let why = format!("{} bytes, at most {BLOCK_BYTES_MAX}", block.bytes.len());
            return Err(damaged(format!("proposed block {number}"), why));
        }
        self.cut_torn_end()?;
        self.frame.clear();
        encode_frame(block, self.synced, &mut self.frame);
        if self.is_full() || self.is_old(block.block.time) {
            self.begin_next_file()?;
        }
        self.begun.get_or_insert(block.block.time);
        let offset = self.end();
        self.file.write_all_at(&self.frame, offset).map_err(io_error("write", &self.slot.path))?;
        if let Some(index) = self.slot.index.write().as_mut() {
            index.push(self.frame.len() as u64);
        }
        self.last = block.marker;
        self.pending.push_back(block.clone());
        crash::point("block-appended");
        Ok(())
    }

    /// The offset at which the next frame begins.
    fn end(&self) -> u64 {
        self.slot.index.read().as_ref().map_or(HEADER_BYTES as u64, |index| index.end)
    }

    /// Whether the frame at hand goes to a new file. A file holds at least one.
    fn is_full(&self) -> bool {
        let end = self.end();
        end > HEADER_BYTES as u64 && end + self.frame.len() as u64 > self.shared.limits.file_bytes
    }

    /// Whether a block of a moment goes to a new file because the last one was begun long before it.
    fn is_old(&self, now: Timestamp) -> bool {
        self.begun.is_some_and(|begun| begun.plus(self.shared.limits.file_span) <= now)
    }

    fn begin_next_file(&mut self) -> Result<(), EngineError> {
        // A later file says that every frame before it was synced.
        self.sync()?;
        let header = FileHeader { first: self.last.block + 1, previous: self.last.hash };
        let (file, slot) = create(&self.folder, header)?;
        self.shared.files.write().push(Arc::clone(&slot));
        self.file = file;
        self.slot = slot;
        self.begun = None;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), EngineError> {
        if self.synced < self.last.block {
            self.file.sync_data().map_err(io_error("sync", &self.slot.path))?;
            self.synced = self.last.block;
            crash::point("block-synced");
        }
        Ok(())
    }

    fn next_ordered(&mut self) -> Result<Option<u64>, EngineError> {
        let Some(oldest) = self.pending.front() else { return Ok(None) };
        if oldest.marker.block > self.synced {
            self.sync()?;
        }
        let Some(block) = self.pending.pop_front() else { return Ok(None) };
        self.shared.visible.write().push(&block, &self.shared.limits);
        Ok(Some(block.marker.block))
    }
}

impl Journal for JournalFiles {
    fn propose(&mut self, block: &SealedBlock) -> Result<(), EngineError> {
        self.step(|journal| journal.append(block))
    }

    fn read_ordered(&mut self) -> Result<Option<u64>, EngineError> {
        self.step(Self::next_ordered)
    }
}

/// The name of the file that begins with a block.
pub(super) fn name(first: u64) -> String {
    format!("{first:020}{PLAIN}")
}

/// Creates a file with its header; both and the file's name are on disk on return.
fn create(folder: &Path, header: FileHeader) -> Result<(File, Arc<JournalFile>), EngineError> {
    let path = folder.join(name(header.first));
    let file = owners_only()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(io_error("create", &path))?;
    file.write_all_at(&header.encode(), 0).map_err(io_error("write", &path))?;
    file.sync_all().map_err(io_error("sync", &path))?;
    sync_folder(folder)?;
    let index = RwLock::new(Some(FileIndex::new(header.first)));
    Ok((file, Arc::new(JournalFile { path, header, index })))
}

/// Writes bytes of a file once more where they are.
///
/// Whole frames may be in the page cache alone, left by a killed process or by one whose sync
/// failed. After a failed sync the operating system takes its pages for clean, so that another sync
/// alone would do nothing for them.
fn write_again(file: &File, place: Range<u64>) -> io::Result<()> {
    let bytes = usize::try_from(place.end.saturating_sub(place.start)).unwrap_or(usize::MAX);
    let mut frames = vec![0; bytes];
    file.read_exact_at(&mut frames, place.start)?;
    file.write_all_at(&frames, place.start)
}

/// The journal files and archives in a folder by their names, rising. Other files are left alone.
pub(super) fn list(folder: &Path) -> Result<Vec<Found>, EngineError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io_error("list", folder))? {
        let path = entry.map_err(io_error("list", folder))?.path();
        let first = path
            .file_name()
            .and_then(|name| {
                let name = name.to_str()?;
                name.strip_suffix(PLAIN).or_else(|| name.strip_suffix(ARCHIVED))
            })
            .filter(|digits| digits.len() == 20)
            .and_then(|digits| digits.parse().ok());
        if let Some(first) = first {
            found.push(Found { first, path });
        }
    }
    found.sort_by_key(|file| (file.first, is_archive(&file.path)));
    // An archive beside its file was made just before a kill: the file counts.
    found.dedup_by_key(|file| file.first);
    Ok(found)
}

/// Removes what a kill left of archives that were being made.
fn remove_unfinished(folder: &Path) -> Result<(), EngineError> {
    for entry in std::fs::read_dir(folder).map_err(io_error("list", folder))? {
        let path = entry.map_err(io_error("list", folder))?.path();
        if path.to_str().is_some_and(|path| path.ends_with(UNFINISHED)) {
            remove_file(&path)?;
        }
    }
    Ok(())
}

/// Removes a last file whose header was never whole, so that no block was ever in it, and returns
/// the header of the one that is last then.
fn remove_headless(
    found: &mut Vec<Found>,
    torn: &mut Vec<TornTail>,
) -> Result<Option<FileHeader>, EngineError> {
    let Some(last) = found.last() else { return Ok(None) };
    let bytes = std::fs::metadata(&last.path).map_err(io_error("measure", &last.path))?.len();
    if is_archive(&last.path) {
        return read_header(last)?.map(Some).map_err(|bad| bad_header(&last.path, bad));
    }
    let why = match read_header(last)? {
        Ok(header) => return Ok(Some(header)),
        Err(Bad::TooNew(format)) => return Err(bad_header(&last.path, Bad::TooNew(format))),
        Err(bad) if bytes > HEADER_BYTES as u64 => return Err(bad_header(&last.path, bad)),
        Err(bad) => bad,
    };
    remove_file(&last.path)?;
    let name = last.path.file_name().unwrap_or(last.path.as_os_str()).to_string_lossy();
    torn.push(TornTail { file: name.into_owned(), offset: 0, bytes, why: why.to_string() });
    found.pop();
    let Some(last) = found.last() else { return Ok(None) };
    read_header(last)?.map(Some).map_err(|bad| bad_header(&last.path, bad))
}

/// Reads a file's header, which must agree with the file's name.
fn read_header(found: &Found) -> Result<Result<FileHeader, Bad>, EngineError> {
    let file = Image::open(&found.path)?;
    let header = FileHeader::read(&file).map_err(failed("read", &found.path))?;
    match header {
        Ok(header) if header.first != found.first => {
            let what = format!("header of journal file `{}`", found.path.display());
            Err(damaged(what, format!("it says that block {} is the first", header.first)))
        }
        header => Ok(header),
    }
}

/// The files before the last, whose frames are read when they are needed. The first one must begin
/// with block 1.
fn closed_files(found: &[Found]) -> Result<Vec<Arc<JournalFile>>, EngineError> {
    if let Some(first) = found.first().filter(|file| file.first != 1) {
        let why = format!("the first file begins with block {}", first.first);
        return Err(damaged("journal, block 1", why));
    }
    let Some((_last, closed)) = found.split_last() else { return Ok(Vec::new()) };
    closed
        .iter()
        .map(|found| {
            let header = read_header(found)?.map_err(|bad| bad_header(&found.path, bad))?;
            let path = found.path.clone();
            Ok(Arc::new(JournalFile { path, header, index: RwLock::new(None) }))
        })
        .collect()
}
