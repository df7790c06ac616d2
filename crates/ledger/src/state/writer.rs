//! What the publisher, the readers and the writer thread of a state share, and the thread itself.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lienthong_core::engine::{Change, EngineError, Marker};
use parking_lot::{Condvar, Mutex, RwLock};

use super::layers::Layers;
use super::overlay::{Chunk, Overlay};
use super::recent::Recent;
use super::settler::Step;
use super::{RESERVED_KEY_BYTE, StateLimits};
use crate::crash;
use crate::space::has_room;

/// Bytes of rows after which a page of a scan ends.
const PAGE_BYTES: usize = 256 * 1024;
/// Rows of a scan's first page; each page after it has four times as many, up to the limit. Many
/// scans end with their first rows.
const FIRST_PAGE_ROWS: usize = 4;

/// How often a settler that waits for room on the disk looks again.
const ROOM_RETRY: Duration = Duration::from_secs(5);

/// Lock order: `progress`, `exchanging`, `overlay`, `layers`.
#[derive(Debug)]
pub(super) struct Shared {
    layers: RwLock<Arc<Layers>>,
    /// Held by whoever puts other layers in force, or removes what none needs.
    exchanging: Mutex<()>,
    /// The number of the next file.
    numbers: AtomicU64,
    ending: AtomicBool,
    /// Settling waits for room on the disk.
    short: AtomicBool,
    limits: StateLimits,
    overlay: RwLock<Overlay>,
    progress: Mutex<Progress>,
    /// The writer waits here.
    wake: Condvar,
    /// Publishers and flushers wait here for the writer.
    done: Condvar,
    /// The settler waits here.
    full: Condvar,
    /// The writer waits here for the settler.
    rested: Condvar,
}

#[derive(Debug)]
struct Progress {
    /// The marker that sled has.
    marker: Option<Marker>,
    /// The last cut that is in sled.
    cut: u64,
    /// How many wait for the last cut to be written without delay.
    hurrying: usize,
    closing: bool,
    /// The settler is at work.
    settling: bool,
    failed: Option<String>,
}

/// When the writer has something to do.
enum Due {
    Now,
    At(Instant),
    Never,
}

impl Shared {
    pub fn new(layers: Layers, next: u64, marker: Option<Marker>, limits: StateLimits) -> Self {
        Self {
            layers: RwLock::new(Arc::new(layers)),
            exchanging: Mutex::new(()),
            numbers: AtomicU64::new(next),
            ending: AtomicBool::new(false),
            short: AtomicBool::new(false),
            limits,
            overlay: RwLock::new(Overlay::new(Instant::now())),
            progress: Mutex::new(Progress {
                marker,
                cut: 0,
                hurrying: 0,
                closing: false,
                settling: true,
                failed: None,
            }),
            wake: Condvar::new(),
            done: Condvar::new(),
            full: Condvar::new(),
            rested: Condvar::new(),
        }
    }

    /// What is in force now.
    pub fn layers(&self) -> Arc<Layers> {
        Arc::clone(&self.layers.read())
    }

    /// A number for a new file.
    pub fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Puts other layers in force: on disk first, then for readers.
    pub fn exchange(&self, change: impl FnOnce(&mut Layers)) -> Result<(), EngineError> {
        let _exchanging = self.exchanging.lock();
        self.put_in_force(change)
    }

    fn put_in_force(&self, change: impl FnOnce(&mut Layers)) -> Result<(), EngineError> {
        let mut layers = Layers::clone(&self.layers());
        change(&mut layers);
        layers.generation().put_in_force(&layers.folder)?;
        *self.layers.write() = Arc::new(layers);
        Ok(())
    }

    /// Keeps what is in force as what was before rows were last moved.
    pub fn keep_as_before(&self) -> Result<(), EngineError> {
        let _exchanging = self.exchanging.lock();
        let layers = self.layers();
        layers.generation().keep_as_before(&layers.folder)
    }

    /// Removes files that nothing needs any more.
    pub fn clear_up(&self) -> Result<(), EngineError> {
        let _exchanging = self.exchanging.lock();
        let layers = self.layers();
        layers.generation().clear_up(&layers.folder)
    }

    /// See [`lienthong_core::engine::Tables::read`].
    pub fn read(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        // A row leaves the overlay only after sled has it, so a miss here is no miss there: layers
        // that are looked up later have it, too.
        let found = self.overlay.read().find(key);
        found.map_or_else(|| self.layers().read(key), Ok)
    }

    /// See [`lienthong_core::engine::Tables::scan`]. `visit` runs without any lock.
    pub fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        let start = prefix.max(from);
        if start.first() == Some(&RESERVED_KEY_BYTE) {
            return Ok(());
        }
        let mut from = Bound::Included(start.to_vec());
        let mut rows_max = FIRST_PAGE_ROWS;
        loop {
            rows_max = rows_max.min(self.limits.scan_page_rows);
            let page = self.page(prefix, from.as_ref().map(Vec::as_slice), rows_max)?;
            rows_max = rows_max.saturating_mul(4);
            for (key, value) in &page.rows {
                if !visit(key, value) {
                    return Ok(());
                }
            }
            match page.resume_after {
                Some(key) => from = Bound::Excluded(key),
                None => return Ok(()),
            }
        }
    }

    /// Merges the overlay and the layers in key order; the overlay's value counts.
    fn page(
        &self,
        prefix: &[u8],
        from: Bound<&[u8]>,
        rows_max: usize,
    ) -> Result<Page, EngineError> {
        let overlay = self.overlay.read();
        let mut newest =
            overlay.range(from).take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let layers = self.layers();
        let mut stored = layers.range(prefix, from).peekable();
        let mut page = Page { rows_max, ..Page::default() };
        loop {
            let take_newest = match (newest.peek(), stored.peek()) {
                (None, None) => return Ok(page),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((new, _)), Some(Ok((old, _)))) => new.as_slice() <= &old[..],
                (Some(_), Some(Err(_))) => false,
            };
            let full = if take_newest {
                let Some((key, value)) = newest.next() else { return Ok(page) };
                // The stored row under the same key is hidden; an error is kept for its turn.
                stored.next_if(|row| row.as_ref().is_ok_and(|(old, _)| *old == key.as_slice()));
                page.add(Bytes::copy_from_slice(key), value.clone())
            } else {
                let Some(row) = stored.next() else { return Ok(page) };
                let (key, value) = row?;
                page.add(key, value)
            };
            if full {
                return Ok(page);
            }
        }
    }

    /// See [`lienthong_core::engine::State::publish`].
    pub fn publish(&self, change: Change) -> Result<(), EngineError> {
        self.wait_for_room()?;
        let cut = change.cut;
        let open = {
            let mut overlay = self.overlay.write();
            overlay.publish(change, Instant::now());
            overlay.open_size()
        };
        if cut {
            let _progress = self.progress.lock();
            self.wake.notify_one();
        }
        if open.0 > self.limits.overlay_blocks_max || open.1 > self.limits.overlay_bytes_max {
            // Nothing can be written before a cut, so waiting would be for ever.
            let text = format!("{} blocks ({} bytes) without a cut", open.0, open.1);
            return Err(EngineError::State(text));
        }
        Ok(())
    }

    fn wait_for_room(&self) -> Result<(), EngineError> {
        let mut progress = self.progress.lock();
        let mut hurried = false;
        let waited = loop {
            if let Err(failed) = progress.failure() {
                break Err(failed);
            }
            let overlay = self.overlay.read();
            if !self.is_full(&overlay) || !overlay.has_chunk() {
                break Ok(());
            }
            drop(overlay);
            if !hurried {
                hurried = true;
                progress.hurrying += 1;
                self.wake.notify_one();
            }
            self.done.wait(&mut progress);
        };
        progress.hurrying -= usize::from(hurried);
        waited
    }

    fn is_full(&self, overlay: &Overlay) -> bool {
        let (blocks, bytes) = overlay.size();
        blocks >= self.limits.overlay_blocks_max || bytes >= self.limits.overlay_bytes_max
    }

    /// See [`lienthong_core::engine::State::cut_due`].
    pub fn cut_due(&self) -> bool {
        let overlay = self.overlay.read();
        let (blocks, bytes) = overlay.open_size();
        blocks + 1 >= self.limits.chunk_blocks
            || bytes >= self.limits.overlay_bytes_max / 4
            || overlay.last_cut().elapsed() >= self.limits.chunk_delay
    }

    /// See [`lienthong_core::engine::State::marker`].
    pub fn marker(&self) -> Option<Marker> {
        self.progress.lock().marker
    }

    /// See [`lienthong_core::engine::State::flush`].
    pub fn flush(&self) -> Result<(), EngineError> {
        let mut progress = self.progress.lock();
        let cut = self.overlay.read().cuts();
        progress.hurrying += 1;
        self.wake.notify_one();
        while progress.cut < cut && progress.failed.is_none() {
            self.done.wait(&mut progress);
        }
        progress.hurrying -= 1;
        progress.failure()?;
        drop(progress);
        self.layers().recent.flush()
    }

    /// Tells the writer to write what is up to the last cut and end, and the settler to end after
    /// the step it is at.
    pub fn close(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.progress.lock().closing = true;
        self.wake.notify_one();
        self.full.notify_one();
        self.rested.notify_one();
    }

    /// Whether long work is to be given up: the next opening does it.
    pub fn is_closing(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Notes that the state cannot go on.
    pub fn fail(&self, error: &EngineError) {
        self.progress.lock().failed.get_or_insert_with(|| error.to_string());
        self.done.notify_all();
        self.rested.notify_one();
    }

    /// Waits for what the settler has to do; `None` when the state is closing.
    pub fn next_step(&self) -> Option<Step> {
        let mut progress = self.progress.lock();
        loop {
            self.rested.notify_one();
            if progress.closing || progress.failed.is_some() {
                return None;
            }
            if let Some(step) = self.step_due() {
                return Some(step);
            }
            progress.settling = false;
            self.done.notify_all();
            match self.waits_for_room() {
                true => drop(self.full.wait_for(&mut progress, ROOM_RETRY)),
                false => self.full.wait(&mut progress),
            }
            progress.settling = true;
        }
    }

    /// What the settler does next: nothing for which there is no room on the disk.
    fn step_due(&self) -> Option<Step> {
        let layers = self.layers();
        let step = Step::due(&layers, &self.limits)?;
        let bytes = step.bytes(&layers);
        let waits = bytes > 0 && !has_room(&layers.folder, bytes, self.limits.stays_free_bytes);
        match (waits, self.short.swap(waits, Ordering::Relaxed)) {
            (true, false) => tracing::warn!(bytes, "settling waits: there is no room on the disk"),
            (false, true) => tracing::info!("there is room on the disk: settling goes on"),
            _ => {}
        }
        match waits {
            true => layers.resting.is_some().then_some(Step::Rest),
            false => Some(step),
        }
    }

    /// Whether what the settler should do next waits for room on the disk.
    pub fn waits_for_room(&self) -> bool {
        self.short.load(Ordering::Relaxed)
    }

    /// Waits until the settler has nothing to do, or no room to do it.
    pub fn settled(&self) -> Result<(), EngineError> {
        let mut progress = self.progress.lock();
        while progress.settling || self.step_due().is_some() {
            progress.failure()?;
            self.done.wait(&mut progress);
        }
        progress.failure()
    }

    /// Puts a fresh database in the place of one that is full. Waits for the settler when the one
    /// before has not become a run yet and this one is twice as full as it should be.
    fn begin_database(&self, marker: Marker) -> Result<(), EngineError> {
        let fullness = self.layers().recent.fullness();
        if fullness < self.limits.recent_bytes {
            return Ok(());
        }
        if self.layers().resting.is_some() {
            if fullness < self.limits.recent_bytes.saturating_mul(2) {
                return Ok(());
            }
            let mut progress = self.progress.lock();
            while self.layers().resting.is_some() {
                if progress.closing || progress.failed.is_some() {
                    return Ok(());
                }
                self.rested.wait(&mut progress);
            }
        }
        // The fresh one begins with the marker of the full one, which must have what it stands for.
        self.layers().recent.sync()?;
        {
            let _exchanging = self.exchanging.lock();
            let number = self.next_number();
            let folder = self.layers().folder.clone();
            let fresh = Recent::begin(&folder, number, self.limits.cache_bytes, marker)?;
            let fresh = Arc::new(fresh);
            self.put_in_force(|now| {
                now.resting = Some(std::mem::replace(&mut now.recent, fresh));
                now.rested = Some(marker);
            })?;
        }
        crash::point("database-begun");
        let _progress = self.progress.lock();
        self.full.notify_one();
        Ok(())
    }

    /// Fails when a chunk could not be written.
    pub fn failure(&self) -> Result<(), EngineError> {
        self.progress.lock().failure()
    }

    /// The writer thread: chunk after chunk until [`Shared::close`] or a failure.
    pub fn write_chunks(&self) {
        while let Some(chunk) = self.next_chunk() {
            let recent = Arc::clone(&self.layers().recent);
            let written = recent
                .write(&chunk.span.rows, chunk.marker)
                .and_then(|()| self.begin_database(chunk.marker));
            let mut progress = self.progress.lock();
            let freed = match &written {
                Ok(()) => {
                    progress.marker = Some(chunk.marker);
                    progress.cut = chunk.cut;
                    self.overlay.write().end_writing()
                }
                // A chunk that failed stays in the overlay, where readers still find it.
                Err(error) => {
                    progress.failed = Some(error.to_string());
                    None
                }
            };
            self.done.notify_all();
            drop(progress);
            drop(freed);
            if let Err(error) = written {
                tracing::error!(%error, "a chunk of the state could not be written");
                return;
            }
        }
    }

    /// Waits for a chunk that is due; `None` when the state is closing and nothing is left.
    fn next_chunk(&self) -> Option<Arc<Chunk>> {
        let mut progress = self.progress.lock();
        loop {
            match self.due(&progress) {
                Due::Now => return self.overlay.write().begin_writing(),
                Due::At(moment) => drop(self.wake.wait_until(&mut progress, moment)),
                Due::Never if progress.closing => return None,
                Due::Never => self.wake.wait(&mut progress),
            }
        }
    }

    fn due(&self, progress: &Progress) -> Due {
        let overlay = self.overlay.read();
        let Some(pending) = overlay.pending() else { return Due::Never };
        let moment = pending.since + self.limits.chunk_delay;
        if progress.closing
            || progress.hurrying > 0
            || pending.span.blocks >= self.limits.chunk_blocks
            || moment <= Instant::now()
        {
            return Due::Now;
        }
        Due::At(moment)
    }
}

impl Progress {
    fn failure(&self) -> Result<(), EngineError> {
        match &self.failed {
            Some(failed) => Err(EngineError::State(failed.clone())),
            None => Ok(()),
        }
    }
}

/// Rows of one moment, and where the next page begins.
#[derive(Debug, Default)]
struct Page {
    rows: Vec<(Bytes, Bytes)>,
    looked_at: usize,
    rows_max: usize,
    bytes: usize,
    /// `None` at the end.
    resume_after: Option<Vec<u8>>,
}

impl Page {
    /// Adds a row unless it is deleted, and says whether the page is full.
    fn add(&mut self, key: Bytes, value: Option<Bytes>) -> bool {
        self.looked_at += 1;
        let full = self.looked_at >= self.rows_max || self.bytes >= PAGE_BYTES;
        if full {
            self.resume_after = Some(key.to_vec());
        }
        if let Some(value) = value {
            self.bytes += key.len() + value.len();
            self.rows.push((key, value));
        }
        full
    }
}
