//! The cubes and their pages.

use std::collections::BTreeMap;

use bytes::Bytes;
use lienthong_model::{DocumentType, Hour, Level, Ordinal, Reason, Timestamp};
use lienthong_trust::SignatureKind;
use minicbor::{Decode, Encode};

use crate::codec;
use crate::directory::Place;
use crate::engine::{EngineError, Tables, Writes};
use crate::keys::{self, CubePage};
use crate::routing::Span;

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A document was accepted.
    Sent {
        /// Where its sender stands.
        sender: Place,
        /// Its widest scope: centre before between before inside.
        scope: Span,
        /// What is counted of it.
        traits: Traits,
    },
    /// A document entered a mailbox.
    Received {
        /// Where its sender stands.
        sender: Place,
        /// Where its recipient stands.
        recipient: Place,
        /// Bytes of content and attachments.
        bytes: u64,
        /// What is counted of it.
        traits: Traits,
    },
    /// Requests were refused.
    Refused {
        /// The caller's province; none for the centre.
        province: Option<Ordinal>,
        /// Why.
        reason: Reason,
        /// How many.
        count: u32,
    },
}

/// What the cube *kind* counts of a document. Journalled: field numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Traits {
    /// Its type.
    #[n(0)]
    pub document_type: DocumentType,
    /// Which signatures count.
    #[n(1)]
    pub signature: SignatureKind,
    /// Whether a paper copy follows.
    #[n(2)]
    pub paper_copy: bool,
    /// Its pages.
    #[n(3)]
    pub pages: u32,
}

/// Whether a document was sent or received. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Direction {
    /// Counted once, at acceptance.
    #[n(0)]
    Sent = 0,
    /// Counted for each delivery, when it enters the mailbox.
    #[n(1)]
    Received = 1,
}

/// A cell of *flow*; the page says hour and sender's province. Stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct FlowCell {
    /// The sender's level.
    #[n(0)]
    pub sender_level: Level,
    /// The recipient's province; none for the centre.
    #[n(1)]
    pub recipient_province: Option<Ordinal>,
    /// The recipient's level.
    #[n(2)]
    pub recipient_level: Level,
}

/// A cell of *kind*; the page says day and province. Stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct KindCell {
    /// The agency's level.
    #[n(0)]
    pub level: Level,
    /// Sent or received.
    #[n(1)]
    pub direction: Direction,
    /// How sender and recipient lie to each other.
    #[n(2)]
    pub scope: Span,
    /// The type.
    #[n(3)]
    pub document_type: DocumentType,
    /// Which signatures count.
    #[n(4)]
    pub signature: SignatureKind,
    /// Whether a paper copy follows.
    #[n(5)]
    pub paper_copy: bool,
}

/// What a cell adds up: how many, and bytes (*flow*), pages (*kind*) or nothing (*refusals*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Cell {
    /// How many.
    #[n(0)]
    pub count: u64,
    /// The cube's second measure.
    #[n(1)]
    pub measure: u64,
}

/// A page: the cells of one period and province, and the last block folded into them. Stable.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
struct Page<K: Ord> {
    #[n(0)]
    as_of: u64,
    #[n(1)]
    cells: BTreeMap<K, Cell>,
    /// Whether it has changed since it was last written; not kept.
    #[cbor(skip)]
    dirty: bool,
}

impl<K: Ord> Default for Page<K> {
    fn default() -> Self {
        Self { as_of: 0, cells: BTreeMap::new(), dirty: false }
    }
}

/// A span of time: from a moment (included) until another (not included).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl Period {
    /// All of time.
    pub const ALL: Self =
        Self { from: Timestamp::from_millis(i64::MIN), until: Timestamp::from_millis(i64::MAX) };

    /// Returns the hours or days, by `number`, that the period touches: first and last.
    fn bounds(&self, number: impl Fn(Timestamp) -> i32) -> (i32, i32) {
        let last = Timestamp::from_millis(self.until.millis().saturating_sub(1));
        (number(self.from), number(last))
    }
}

/// Is given a page's period, its province (none: the centre), a cell and what it adds up.
pub type Visit<'v, P, K> = dyn FnMut(P, Option<Ordinal>, &K, Cell) + 'v;

/// The part of a page in a cube that is not cut by level. *Kind* is: a page of it has at most 1,440
/// cells, some 20 KiB; with all levels on one, it could pass what a row of the state may have.
const WHOLE: u8 = 0;

/// One cube's open pages.
#[derive(Debug)]
struct Cube<K: Ord> {
    letter: u8,
    pages: BTreeMap<CubePage, Page<K>>,
}

impl<K> Cube<K>
where
    K: Ord + Copy + Encode<()> + for<'b> Decode<'b, ()>,
{
    fn new(letter: u8) -> Self {
        Self { letter, pages: BTreeMap::new() }
    }

    /// Adds to a cell, unless the page already has the block.
    fn add(
        &mut self,
        tables: &dyn Tables,
        fold: Fold,
        page: CubePage,
        cell: K,
        add: Cell,
    ) -> Result<(), EngineError> {
        let page = match self.pages.entry(page) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(vacant) => {
                let row = tables.read(&keys::cube_page(self.letter, page))?;
                let stored = row.map(|row| codec::decode(&row, "statistics page")).transpose()?;
                vacant.insert(stored.unwrap_or_default())
            }
        };
        if page.as_of >= fold.block && !page.dirty_in(fold.block) {
            return Ok(());
        }
        page.as_of = fold.block;
        page.dirty = true;
        let sum = page.cells.entry(cell).or_default();
        sum.count += add.count;
        sum.measure += add.measure;
        Ok(())
    }

    /// Writes the pages that changed, and forgets those of periods before `open`.
    fn cut(&mut self, open: i32, writes: &mut Writes) {
        for (key, page) in &mut self.pages {
            if std::mem::take(&mut page.dirty) {
                let row = Bytes::from(codec::encode(page));
                writes.push((keys::cube_page(self.letter, *key), Some(row)));
            }
        }
        self.pages.retain(|(period, ..), _| *period >= open);
    }

    /// Visits every cell of the periods from `first` to `last`: pages in memory before rows.
    fn visit(
        &self,
        tables: &dyn Tables,
        (first, last): (i32, i32),
        visit: &mut Visit<'_, i32, K>,
    ) -> Result<(), EngineError> {
        for ((period, province, _), page) in self.pages.range((first, None, 0)..) {
            if *period > last {
                break;
            }
            page.cells.iter().for_each(|(cell, sum)| visit(*period, *province, cell, *sum));
        }
        let mut damaged = None;
        let from = keys::cube_period(self.letter, first);
        tables.scan(&[self.letter], &from, &mut |key, row| {
            let Some(page) = keys::cube_page_of(key) else { return true };
            let (period, province, _) = page;
            if period > last {
                return false;
            }
            if self.pages.contains_key(&page) {
                return true;
            }
            match codec::decode::<Page<K>>(row, "statistics page") {
                Ok(page) => {
                    page.cells.iter().for_each(|(cell, sum)| visit(period, province, cell, *sum));
                    true
                }
                Err(error) => {
                    damaged = Some(error);
                    false
                }
            }
        })?;
        damaged.map_or(Ok(()), Err)
    }
}

impl<K: Ord> Page<K> {
    /// Whether the page's last block is `block` and its fold is still under way: a block may hold
    /// several events for one page.
    fn dirty_in(&self, block: u64) -> bool {
        self.dirty && self.as_of == block
    }
}

/// Which block is being folded, and its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fold {
    pub block: u64,
    pub time: Timestamp,
}

/// All cubes' open pages.
#[derive(Debug)]
pub struct Cubes {
    flow: Cube<FlowCell>,
    kind: Cube<KindCell>,
    refusals: Cube<Reason>,
}

impl Default for Cubes {
    fn default() -> Self {
        Self { flow: Cube::new(b'f'), kind: Cube::new(b'k'), refusals: Cube::new(b'x') }
    }
}

impl Cubes {
    /// Folds the events of one block that stands on disk.
    pub(crate) fn fold(
        &mut self,
        tables: &dyn Tables,
        fold: Fold,
        events: &[Event],
    ) -> Result<(), EngineError> {
        for event in events {
            self.count(tables, fold, event)?;
        }
        Ok(())
    }

    fn count(&mut self, tables: &dyn Tables, fold: Fold, event: &Event) -> Result<(), EngineError> {
        let (hour, day) = (fold.time.hour().0, fold.time.day().0);
        match *event {
            Event::Sent { sender, scope, traits } => {
                let cell = kind_cell(sender.level, Direction::Sent, scope, traits);
                let add = Cell { count: 1, measure: u64::from(traits.pages) };
                self.kind.add(
                    tables,
                    fold,
                    (day, sender.province, sender.level.number()),
                    cell,
                    add,
                )
            }
            Event::Received { sender, recipient, bytes, traits } => {
                let scope = crate::routing::span(sender.province, recipient.province);
                let cell = kind_cell(recipient.level, Direction::Received, scope, traits);
                let add = Cell { count: 1, measure: u64::from(traits.pages) };
                self.kind.add(
                    tables,
                    fold,
                    (day, recipient.province, recipient.level.number()),
                    cell,
                    add,
                )?;
                let cell = FlowCell {
                    sender_level: sender.level,
                    recipient_province: recipient.province,
                    recipient_level: recipient.level,
                };
                let add = Cell { count: 1, measure: bytes };
                self.flow.add(tables, fold, (hour, sender.province, WHOLE), cell, add)
            }
            Event::Refused { province, reason, count } => {
                let add = Cell { count: u64::from(count), measure: 0 };
                self.refusals.add(tables, fold, (hour, province, WHOLE), reason, add)
            }
        }
    }

    /// Writes what changed since the last cut; pages of closed periods leave memory.
    pub(crate) fn cut(&mut self, now: Timestamp, writes: &mut Writes) {
        self.flow.cut(now.hour().0, writes);
        self.kind.cut(now.day().0, writes);
        self.refusals.cut(now.hour().0, writes);
    }

    /// Visits every cell of *flow* in the hours that a period touches.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn visit_flow(
        &self,
        tables: &dyn Tables,
        period: Period,
        visit: &mut Visit<'_, Hour, FlowCell>,
    ) -> Result<(), EngineError> {
        let bounds = period.bounds(|at| at.hour().0);
        self.flow.visit(tables, bounds, &mut |hour, province, cell, sum| {
            visit(Hour(hour), province, cell, sum);
        })
    }

    /// Visits every cell of *kind* in the days that a period touches.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn visit_kind(
        &self,
        tables: &dyn Tables,
        period: Period,
        visit: &mut dyn FnMut(Option<Ordinal>, &KindCell, Cell),
    ) -> Result<(), EngineError> {
        let bounds = period.bounds(|at| at.day().0);
        self.kind.visit(tables, bounds, &mut |_, province, cell, sum| visit(province, cell, sum))
    }

    /// Visits every cell of *refusals* in the hours that a period touches.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn visit_refusals(
        &self,
        tables: &dyn Tables,
        period: Period,
        visit: &mut dyn FnMut(Option<Ordinal>, Reason, Cell),
    ) -> Result<(), EngineError> {
        let bounds = period.bounds(|at| at.hour().0);
        self.refusals.visit(tables, bounds, &mut |_, province, reason, sum| {
            visit(province, *reason, sum);
        })
    }
}

fn kind_cell(level: Level, direction: Direction, scope: Span, traits: Traits) -> KindCell {
    KindCell {
        level,
        direction,
        scope,
        document_type: traits.document_type,
        signature: traits.signature,
        paper_copy: traits.paper_copy,
    }
}

#[cfg(test)]
mod tests;
