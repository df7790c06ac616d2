//! The part of the state that sled does not have yet: at most three generations of rows.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use lienthong_core::engine::{Change, Marker};

/// What a row costs in memory beside its bytes, roughly: its place in the tree, and what the
/// allocator and the shared count of its value take.
const ROW_BYTES: usize = 144;

/// Rows by key; `None` deletes.
pub(super) type Generation = BTreeMap<Vec<u8>, Option<Bytes>>;

/// Rows of blocks that follow each other.
#[derive(Debug, Default)]
pub(super) struct Span {
    pub rows: Generation,
    pub blocks: u64,
    pub bytes: usize,
}

/// A span that ends at a cut.
#[derive(Debug)]
pub(super) struct Chunk {
    pub span: Span,
    /// The block of the cut.
    pub marker: Marker,
    /// Counts the cuts since the state was opened, from 1.
    pub cut: u64,
    /// When the oldest block in it was published.
    pub since: Instant,
}

/// The generations, and what they hold together.
#[derive(Debug)]
pub(super) struct Overlay {
    open: Span,
    pending: Option<Chunk>,
    writing: Option<Arc<Chunk>>,
    cuts: u64,
    last_cut: Instant,
    /// When the oldest block of the open generation was published.
    open_since: Option<Instant>,
}

impl Span {
    /// Puts a row in the place of the one with its key.
    pub fn put(&mut self, key: Vec<u8>, value: Option<Bytes>) {
        let key_bytes = key.len() + ROW_BYTES;
        self.bytes += key_bytes + value.as_ref().map_or(0, Bytes::len);
        if let Some(before) = self.rows.insert(key, value) {
            self.bytes -= key_bytes + before.as_ref().map_or(0, Bytes::len);
        }
    }

    /// Takes over the rows of a later span.
    fn absorb(&mut self, later: Self) {
        self.blocks += later.blocks;
        for (key, value) in later.rows {
            self.put(key, value);
        }
    }
}

impl Overlay {
    pub fn new(now: Instant) -> Self {
        Self {
            open: Span::default(),
            pending: None,
            writing: None,
            cuts: 0,
            last_cut: now,
            open_since: None,
        }
    }

    /// Adds a change; a cut closes the open generation.
    pub fn publish(&mut self, change: Change, now: Instant) {
        for (key, value) in change.writes {
            self.open.put(key, value);
        }
        self.open.blocks += 1;
        let since = *self.open_since.get_or_insert(now);
        if !change.cut {
            return;
        }
        self.cuts += 1;
        self.last_cut = now;
        self.open_since = None;
        let span = std::mem::take(&mut self.open);
        match &mut self.pending {
            Some(pending) => {
                pending.span.absorb(span);
                pending.marker = change.marker;
                pending.cut = self.cuts;
            }
            None => {
                let marker = change.marker;
                self.pending = Some(Chunk { span, marker, cut: self.cuts, since });
            }
        }
    }

    /// Moves what ends at the last cut to the writer's hands.
    pub fn begin_writing(&mut self) -> Option<Arc<Chunk>> {
        let chunk = Arc::new(self.pending.take()?);
        self.writing = Some(Arc::clone(&chunk));
        Some(chunk)
    }

    /// Drops the chunk that is in sled now; the caller gets it, to free it outside the lock.
    pub fn end_writing(&mut self) -> Option<Arc<Chunk>> {
        self.writing.take()
    }

    /// The newest value of a key: `Some(None)` when it is deleted, `None` when sled has it.
    pub fn find(&self, key: &[u8]) -> Option<Option<Bytes>> {
        self.generations().into_iter().flatten().find_map(|rows| rows.get(key).cloned())
    }

    /// Walks the rows from a bound on in key order, the newest value of each.
    pub fn range<'o>(&'o self, from: Bound<&[u8]>) -> Newest<'o> {
        let of = |rows: Option<&'o Generation>| {
            rows.map(|rows| rows.range::<[u8], _>((from, Bound::Unbounded)).peekable())
        };
        Newest { layers: self.generations().map(of) }
    }

    /// Newest first.
    fn generations(&self) -> [Option<&Generation>; 3] {
        [
            Some(&self.open.rows),
            self.pending.as_ref().map(|chunk| &chunk.span.rows),
            self.writing.as_ref().map(|chunk| &chunk.span.rows),
        ]
    }

    pub fn pending(&self) -> Option<&Chunk> {
        self.pending.as_ref()
    }

    /// Whether something waits for the writer or is in its hands.
    pub fn has_chunk(&self) -> bool {
        self.pending.is_some() || self.writing.is_some()
    }

    /// Blocks and bytes of the open generation.
    pub fn open_size(&self) -> (u64, usize) {
        (self.open.blocks, self.open.bytes)
    }

    /// Blocks and bytes of all generations.
    pub fn size(&self) -> (u64, usize) {
        let chunks = [self.pending.as_ref(), self.writing.as_deref()];
        chunks.into_iter().flatten().fold(self.open_size(), |(blocks, bytes), chunk| {
            (blocks + chunk.span.blocks, bytes + chunk.span.bytes)
        })
    }

    pub fn last_cut(&self) -> Instant {
        self.last_cut
    }

    /// How many cuts were published.
    pub fn cuts(&self) -> u64 {
        self.cuts
    }
}

type Layer<'o> = Peekable<btree_map::Range<'o, Vec<u8>, Option<Bytes>>>;

/// The rows of the overlay in key order, the newest value of each.
pub(super) struct Newest<'o> {
    layers: [Option<Layer<'o>>; 3],
}

impl<'o> Newest<'o> {
    fn lowest(&mut self) -> Option<&'o Vec<u8>> {
        self.layers.iter_mut().flatten().filter_map(|layer| layer.peek().map(|row| row.0)).min()
    }
}

impl<'o> Iterator for Newest<'o> {
    type Item = (&'o Vec<u8>, &'o Option<Bytes>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.lowest()?;
        let mut newest = None;
        for layer in self.layers.iter_mut().flatten() {
            if let Some((_, value)) = layer.next_if(|row| row.0 == key) {
                newest = newest.or(Some(value));
            }
        }
        Some((key, newest?))
    }
}
