//! The cubes: which events are folded into which pages, and how pages are visited.
//!
//! Every event is folded into a page of each grain that its cube keeps, so that a question about a
//! year reads twelve months instead of 365 days. A page knows the last block folded into it; pages
//! of deliveries lie at the day on which the delivery was made, and change later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use lienthong_model::limits::{HOURS_KEPT, STATISTICS_PAGES_OPEN_MAX, STATISTICS_PRUNED_MAX};
use lienthong_model::{Hour, Level, Ordinal, Reason, Timestamp};

use super::cells::{AgencyCell, CellKey, FlowCell, KindCell, ProgressCell};
use super::event::{Direction, Event, Made, Traits};
use super::figures::{Figure, Until};
use super::page::{self, Cell, Page, PageKey};
use super::period::{Grain, Period, Stretch};
use crate::directory::Place;
use crate::engine::{EngineError, Tables, Writes};
use crate::keys;
use crate::routing::{Span, span};

/// One of the five cubes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CubeName {
    /// Deliveries between places.
    Flow,
    /// Documents by what they are.
    Kind,
    /// Documents and deliveries of each agency.
    Agency,
    /// How far deliveries came, by the day on which they were made.
    Progress,
    /// Refusals.
    Refusals,
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
    cubes: [Cube; 5],
    /// Hours before this one are not kept any more.
    hours_since: Hour,
    /// Hours before this one are gone from the rows, too.
    pruned: Hour,
}

/// A cell as it is visited.
#[derive(Debug, Clone, Copy)]
pub struct Visited<K> {
    /// The grain of its page.
    pub grain: Grain,
    /// Which hour, day or month.
    pub number: i32,
    /// The page's province; none for the centre.
    pub province: Option<Ordinal>,
    /// The cell.
    pub key: K,
    /// What it adds up.
    pub cell: Cell,
}

/// One cube's open pages.
#[derive(Debug)]
struct Cube {
    name: CubeName,
    pages: BTreeMap<PageKey, Page>,
}

/// The part of a page in a cube that is not cut further.
const WHOLE: u8 = 0;
/// The part of *agency* with what became of deliveries; documents have the part of their level.
pub(super) const OF_DELIVERIES: u8 = 16;

impl CubeName {
    /// All cubes.
    pub const ALL: [Self; 5] =
        [Self::Flow, Self::Kind, Self::Agency, Self::Progress, Self::Refusals];

    /// The letter of its rows. Stable.
    pub(crate) const fn letter(self) -> u8 {
        match self {
            Self::Flow => b'f',
            Self::Kind => b'k',
            Self::Agency => b'A',
            Self::Progress => b'P',
            Self::Refusals => b'x',
        }
    }

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Kind => "kind",
            Self::Agency => "agency",
            Self::Progress => "progress",
            Self::Refusals => "refusals",
        }
    }

    /// Returns the grains of its pages, the shortest first.
    pub const fn grains(self) -> &'static [Grain] {
        match self {
            Self::Flow | Self::Refusals => &[Grain::Hour, Grain::Day, Grain::Month],
            Self::Kind | Self::Agency | Self::Progress => &[Grain::Day, Grain::Month],
        }
    }
}

impl Cube {
    /// Adds to a cell of the pages that hold a moment.
    fn add(
        &mut self,
        fold: &Folding<'_>,
        at: Spot,
        number: u64,
        add: Cell,
    ) -> Result<(), EngineError> {
        for grain in self.name.grains() {
            let Spot { moment, province, part } = at;
            let key = PageKey { grain: *grain, number: grain.number(moment), province, part };
            self.open(fold.tables, key)?.add(fold.block, number, add);
        }
        Ok(())
    }

    fn open(&mut self, tables: &dyn Tables, key: PageKey) -> Result<&mut Page, EngineError> {
        use std::collections::btree_map::Entry;
        match self.pages.entry(key) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let row = tables.read(&keys::cube_page(self.name.letter(), key))?;
                let stored = row.map(|row| Page::read(&row)).transpose()?;
                Ok(vacant.insert(stored.unwrap_or_default()))
            }
        }
    }

    /// Writes the pages that changed, and forgets those of closed periods.
    fn cut(&mut self, now: Timestamp, hours_since: Hour, writes: &mut Writes) {
        let gone = |key: &PageKey| key.grain == Grain::Hour && key.number < hours_since.0;
        for (key, page) in &mut self.pages {
            if std::mem::take(&mut page.dirty) && !gone(key) {
                let row = Bytes::from(page.row());
                writes.push((keys::cube_page(self.name.letter(), *key), Some(row)));
            }
        }
        self.pages.retain(|key, _| key.number >= key.grain.number(now));
    }
}

/// Where an event counts in a cube.
#[derive(Clone, Copy)]
struct Spot {
    moment: Timestamp,
    province: Option<Ordinal>,
    part: u8,
}

/// What folding needs.
struct Folding<'t> {
    tables: &'t dyn Tables,
    block: u64,
    time: Timestamp,
}

impl Default for Cubes {
    fn default() -> Self {
        Self::at(Timestamp::MIN)
    }
}

impl Cubes {
    /// Makes cubes without open pages, for a state whose last block has a time.
    pub(crate) fn at(last: Timestamp) -> Self {
        Self {
            cubes: CubeName::ALL.map(|name| Cube { name, pages: BTreeMap::new() }),
            hours_since: hours_since(last),
            pruned: Hour(i32::MIN),
        }
    }

    /// Folds the events of one block that stands on disk.
    pub(crate) fn fold(
        &mut self,
        tables: &dyn Tables,
        fold: Fold,
        events: &[Event],
    ) -> Result<(), EngineError> {
        self.hours_since = self.hours_since.max(hours_since(fold.time));
        let fold = Folding { tables, block: fold.block, time: fold.time };
        events.iter().try_for_each(|event| self.count(&fold, event))
    }

    fn count(&mut self, fold: &Folding<'_>, event: &Event) -> Result<(), EngineError> {
        match *event {
            Event::Sent { agency, sender, scope, traits } => {
                self.count_sent(fold, (agency, sender), scope, traits)
            }
            Event::Received { agency, sender, made, bytes, traits } => {
                self.count_flow(fold, sender, made.place, bytes)?;
                self.count_received(fold, (agency, made), sender, traits)
            }
            Event::Progressed { agency, made, figure } => {
                self.count_progress(fold, agency, made, figure)
            }
            Event::Refused { province, reason, count } => {
                let at = Spot { moment: fold.time, province, part: WHOLE };
                let add = Cell { count: u64::from(count), measure: 0 };
                self.of(CubeName::Refusals).add(fold, at, CellKey::number(reason), add)
            }
        }
    }

    fn count_sent(
        &mut self,
        fold: &Folding<'_>,
        (agency, sender): (Ordinal, Place),
        scope: Span,
        traits: Traits,
    ) -> Result<(), EngineError> {
        let Place { province, level } = sender;
        let at = Spot { moment: fold.time, province, part: level.number() };
        let cell = kind_cell(level, Direction::Sent, scope, traits).number();
        let add = Cell { count: 1, measure: u64::from(traits.pages) };
        self.of(CubeName::Kind).add(fold, at, cell, add)?;
        let figures = [
            Some(Figure::SENT),
            traits.signature.is_personal().then_some(Figure::SENT_PERSONALLY),
            traits.paper_copy.then_some(Figure::SENT_ON_PAPER),
        ];
        figures.into_iter().flatten().try_for_each(|figure| {
            let cell = AgencyCell { agency, figure }.number();
            self.of(CubeName::Agency).add(fold, at, cell, Cell::ONE)
        })
    }

    fn count_flow(
        &mut self,
        fold: &Folding<'_>,
        from: Place,
        to: Place,
        bytes: u64,
    ) -> Result<(), EngineError> {
        let cell = FlowCell {
            sender_level: from.level,
            recipient_province: to.province,
            recipient_level: to.level,
        };
        let at = Spot { moment: fold.time, province: from.province, part: WHOLE };
        let add = Cell { count: 1, measure: bytes };
        self.of(CubeName::Flow).add(fold, at, cell.number(), add)
    }

    fn count_received(
        &mut self,
        fold: &Folding<'_>,
        (agency, made): (Ordinal, Made),
        sender: Place,
        traits: Traits,
    ) -> Result<(), EngineError> {
        let Place { province, level } = made.place;
        let at = Spot { moment: fold.time, province, part: level.number() };
        let scope = span(sender.province, province);
        let cell = kind_cell(level, Direction::Received, scope, traits).number();
        let add = Cell { count: 1, measure: u64::from(traits.pages) };
        self.of(CubeName::Kind).add(fold, at, cell, add)?;
        let inside = scope == Span::Inside;
        let figures = [
            Some(Figure::RECEIVED),
            inside.then_some(Figure::RECEIVED_INSIDE),
            (inside && traits.paper_copy).then_some(Figure::RECEIVED_INSIDE_ON_PAPER),
        ];
        for figure in figures.into_iter().flatten() {
            let cell = AgencyCell { agency, figure }.number();
            self.of(CubeName::Agency).add(fold, at, cell, Cell::ONE)?;
        }
        self.count_progress(fold, agency, made, Figure::DELIVERED)?;
        match made.due {
            Some(_) => self.count_progress(fold, agency, made, Figure::WITH_DUE_DATE),
            None => Ok(()),
        }
    }

    /// Counts how far a delivery came where it was made, and how long that took.
    fn count_progress(
        &mut self,
        fold: &Folding<'_>,
        agency: Ordinal,
        made: Made,
        figure: Figure,
    ) -> Result<(), EngineError> {
        let Place { province, level } = made.place;
        let at = Spot { moment: made.at, province, part: WHOLE };
        let took = fold.time.millis().saturating_sub(made.at.millis()).max(0).unsigned_abs();
        let took = std::time::Duration::from_millis(took);
        let timed = Until::of(figure).map(|until| Figure::bucket(until, took));
        for figure in std::iter::once(figure).chain(timed) {
            let cell = ProgressCell { level, figure }.number();
            self.of(CubeName::Progress).add(fold, at, cell, Cell::ONE)?;
        }
        let at = Spot { part: OF_DELIVERIES + level.number(), ..at };
        let cell = AgencyCell { agency, figure }.number();
        self.of(CubeName::Agency).add(fold, at, cell, Cell::ONE)
    }

    /// Returns the first hour that is kept.
    pub(super) fn hours_since(&self) -> Hour {
        self.hours_since
    }

    fn of(&mut self, name: CubeName) -> &mut Cube {
        &mut self.cubes[name as usize]
    }

    /// Whether so many pages are open that the state should cut.
    pub(crate) fn is_full(&self) -> bool {
        self.cubes.iter().map(|cube| cube.pages.len()).sum::<usize>() > STATISTICS_PAGES_OPEN_MAX
    }

    /// Writes what changed since the last cut; pages of closed periods leave memory, and hours that
    /// are not kept any more leave the rows, a bounded number at a time.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub(crate) fn cut(
        &mut self,
        tables: &dyn Tables,
        now: Timestamp,
        writes: &mut Writes,
    ) -> Result<(), EngineError> {
        for cube in &mut self.cubes {
            cube.cut(now, self.hours_since, writes);
        }
        self.prune(tables, writes)
    }

    fn prune(&mut self, tables: &dyn Tables, writes: &mut Writes) -> Result<(), EngineError> {
        if self.pruned >= self.hours_since {
            return Ok(());
        }
        let mut pruned = 0;
        for name in CubeName::ALL {
            let prefix = [name.letter(), Grain::Hour as u8];
            tables.scan(&prefix, &prefix, &mut |key, _| {
                let old =
                    keys::cube_page_of(key).is_some_and(|key| key.number < self.hours_since.0);
                let room = pruned < STATISTICS_PRUNED_MAX;
                if old && room {
                    writes.push((key.to_vec(), None));
                    pruned += 1;
                }
                old && room
            })?;
        }
        if pruned < STATISTICS_PRUNED_MAX {
            self.pruned = self.hours_since;
        }
        Ok(())
    }
}

/// Visits every cell of a cube in the pages of `finest` to `coarsest` that make a period up. Open
/// pages come first, under the lock; rows follow without it, so that whoever folds does not wait.
///
/// # Errors
/// [`EngineError`] when a page cannot be read.
pub(super) fn visit(
    cubes: &RwLock<Cubes>,
    tables: &dyn Tables,
    (name, grains): (CubeName, (Grain, Grain)),
    period: Period,
    visit: &mut dyn FnMut(PageKey, u64, Cell),
) -> Result<(), EngineError> {
    let (stretches, seen) = {
        let cubes = cubes.read().unwrap_or_else(PoisonError::into_inner);
        let stretches = period.pages(grains.0, grains.1, cubes.hours_since);
        let mut seen = BTreeSet::new();
        for (key, page) in &cubes.cubes[name as usize].pages {
            if stretches.iter().any(|stretch| stretch.holds(key)) {
                page.cells.iter().for_each(|(number, cell)| visit(*key, *number, *cell));
                seen.insert(*key);
            }
        }
        (stretches, seen)
    };
    for stretch in stretches {
        visit_rows(tables, name, stretch, &seen, visit)?;
    }
    Ok(())
}

fn visit_rows(
    tables: &dyn Tables,
    name: CubeName,
    stretch: Stretch,
    seen: &BTreeSet<PageKey>,
    visit: &mut dyn FnMut(PageKey, u64, Cell),
) -> Result<(), EngineError> {
    let prefix = [name.letter(), stretch.grain as u8];
    let from = keys::cube_period(name.letter(), stretch.grain, stretch.first);
    let mut outcome = Ok(());
    tables.scan(&prefix, &from, &mut |key, row| {
        let Some(key) = keys::cube_page_of(key) else { return true };
        if key.number > stretch.last {
            return false;
        }
        if !seen.contains(&key) {
            outcome = page::visit(row, &mut |number, cell| visit(key, number, cell)).map(|_| ());
        }
        outcome.is_ok()
    })?;
    outcome
}

/// Visits every page of a cube and grain as it is, of hours those that are kept. An open page is
/// copied under the lock; whoever folds waits for one page at a time at most.
///
/// # Errors
/// [`EngineError`] when a page cannot be read.
pub(super) fn visit_pages(
    cubes: &RwLock<Cubes>,
    tables: &dyn Tables,
    (name, grain): (CubeName, Grain),
    visit: &mut dyn FnMut(PageKey, Page),
) -> Result<(), EngineError> {
    let open = |key: &PageKey| {
        let cubes = cubes.read().unwrap_or_else(PoisonError::into_inner);
        let page = cubes.cubes[name as usize].pages.get(key);
        page.map(|page| Page { as_of: page.as_of, cells: page.cells.clone(), dirty: false })
    };
    let opened: Vec<PageKey> = {
        let cubes = cubes.read().unwrap_or_else(PoisonError::into_inner);
        cubes.cubes[name as usize].pages.keys().filter(|key| key.grain == grain).copied().collect()
    };
    let mut seen = BTreeSet::new();
    for key in opened {
        // One that was closed meanwhile is a row.
        if let Some(page) = open(&key) {
            seen.insert(key);
            visit(key, page);
        }
    }
    let since = hours_kept_since(cubes);
    let prefix = [name.letter(), grain as u8];
    let mut outcome = Ok(());
    tables.scan(&prefix, &prefix, &mut |key, row| {
        let Some(key) = keys::cube_page_of(key) else { return true };
        let is_kept = grain != Grain::Hour || key.number >= since.0;
        if is_kept && !seen.contains(&key) {
            outcome = Page::read(row).map(|page| visit(key, page));
        }
        outcome.is_ok()
    })?;
    outcome
}

/// Returns the first hour that is kept.
pub(super) fn hours_kept_since(cubes: &RwLock<Cubes>) -> Hour {
    cubes.read().unwrap_or_else(PoisonError::into_inner).hours_since
}

impl Stretch {
    fn holds(&self, key: &PageKey) -> bool {
        key.grain == self.grain && (self.first..=self.last).contains(&key.number)
    }
}

/// Visits every cell of a cube in a period, as what it stands for.
fn visit_cells<K: CellKey>(
    cubes: &RwLock<Cubes>,
    tables: &dyn Tables,
    name: CubeName,
    period: Period,
    found: &mut dyn FnMut(Visited<K>),
) -> Result<(), EngineError> {
    let grains = (name.grains()[0], Grain::Month);
    visit(cubes, tables, (name, grains), period, &mut |page, number, cell| {
        let PageKey { grain, number: of, province, .. } = page;
        if let Some(key) = K::of_number(number) {
            found(Visited { grain, number: of, province, key, cell });
        }
    })
}

macro_rules! visits {
    ($($(#[$doc:meta])* $visit:ident: $name:ident, $key:ty;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`EngineError`] when a page cannot be read.
        pub fn $visit(
            cubes: &RwLock<Cubes>,
            tables: &dyn Tables,
            period: Period,
            found: &mut dyn FnMut(Visited<$key>),
        ) -> Result<(), EngineError> {
            visit_cells(cubes, tables, CubeName::$name, period, found)
        }
    )+};
}

visits! {
    /// Visits *flow* in the hours that a period touches, in pages as large as fit.
    visit_flow: Flow, FlowCell;
    /// Visits *kind* in the days that a period touches, in pages as large as fit.
    visit_kind: Kind, KindCell;
    /// Visits *agency* in the days that a period touches, in pages as large as fit.
    visit_agency: Agency, AgencyCell;
    /// Visits *progress* of the deliveries made in the days that a period touches.
    visit_progress: Progress, ProgressCell;
    /// Visits *refusals* in the hours that a period touches, in pages as large as fit.
    visit_refusals: Refusals, Reason;
}

fn hours_since(now: Timestamp) -> Hour {
    now.minus(HOURS_KEPT).hour()
}

fn kind_cell(level: Level, direction: Direction, scope: Span, traits: Traits) -> KindCell {
    let Traits { document_type, signature, paper_copy, .. } = traits;
    KindCell { level, direction, scope, signature, paper_copy, document_type }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
