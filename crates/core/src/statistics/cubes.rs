//! The cubes and their open pages: which there are, when they are written and when they leave.
//!
//! Every event is folded into a page of each grain that its cube keeps, so that a question about a
//! year reads twelve months instead of 365 days; and into a cube for each sort of question, so that
//! a question with few dimensions reads few cells. A page knows the last block folded into it; pages
//! of deliveries lie at the day on which the delivery was made, and change later.
//!
//! What is added to cells is gathered first, and added in the order of pages and cells: many are added
//! to, far apart in memory, and most of the time would be spent on finding them. Cubes that nobody asks
//! before the next cut gather over blocks, and are added up in pieces, so that whoever does it can
//! put it down soon.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bytes::Bytes;
use lienthong_model::limits::{
    HOURS_KEPT, STATISTICS_GATHERED, STATISTICS_PAGES_OPEN_MAX, STATISTICS_PIECE,
    STATISTICS_PRUNED_MAX,
};
use lienthong_model::{Hour, Ordinal, Timestamp};

use super::cells::Address;
use super::page::{Added, Cell, Page, PageKey};
use super::period::PageGrain;
use super::quick::Quick;
use crate::engine::{EngineError, Tables, Writes};
use crate::keys;

/// A cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CubeName {
    /// Deliveries between places.
    Flow,
    /// Deliveries by the sender's place and the recipient's level.
    Outflow,
    /// Documents by everything that is counted of them.
    Kind,
    /// Documents by place and direction.
    Place,
    /// Documents by everything but the type.
    Volume,
    /// Documents by place, direction, signature and type.
    Type,
    /// Documents by everything but the province.
    Country,
    /// Documents sent and received of each agency.
    Agency,
    /// Every other figure of each agency.
    Work,
    /// How far deliveries came, by the day on which they were made.
    Progress,
    /// How long that took.
    Times,
    /// How long that took, without the province.
    CountryTimes,
    /// Refusals.
    Refusals,
}

/// All cubes' open pages.
#[derive(Debug)]
pub struct Cubes {
    cubes: [Cube; CubeName::ALL.len()],
    /// Whether what was folded waits for more.
    gathers: bool,
    /// Hours before this one are not kept any more.
    hours_since: Hour,
    /// Hours before this one are gone from the rows, too.
    pruned: Hour,
}

/// One cube's open pages.
#[derive(Debug)]
pub(super) struct Cube {
    name: CubeName,
    pages: HashMap<PageKey, Page, Quick>,
    /// What is not in the pages yet.
    gathered: Vec<(Pages, Added)>,
    /// What is being added up, in the order of pages and cells, and how much of it was.
    sorted: Vec<(Pages, Added)>,
    added: usize,
}

/// The pages that hold a cell at a moment: one of each grain of its cube.
#[derive(Debug, Clone, Copy)]
struct Pages {
    province: Option<Ordinal>,
    part: u32,
    moment: Moment,
}

/// The numbers of the pages that hold a moment, by grain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment([i32; PageGrain::ALL.len()]);

impl CubeName {
    /// All cubes.
    pub const ALL: [Self; 13] = [
        Self::Flow,
        Self::Outflow,
        Self::Kind,
        Self::Place,
        Self::Volume,
        Self::Type,
        Self::Country,
        Self::Agency,
        Self::Work,
        Self::Progress,
        Self::Times,
        Self::CountryTimes,
        Self::Refusals,
    ];

    /// The letter of its rows. Stable.
    pub(crate) const fn letter(self) -> u8 {
        match self {
            Self::Flow => b'f',
            Self::Outflow => b'F',
            Self::Kind => b'k',
            Self::Place => b'D',
            Self::Volume => b'V',
            Self::Type => b'T',
            Self::Country => b'C',
            Self::Agency => b'A',
            Self::Work => b'W',
            Self::Progress => b'P',
            Self::Times => b'H',
            Self::CountryTimes => b'N',
            Self::Refusals => b'x',
        }
    }

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Outflow => "outflow",
            Self::Kind => "kind",
            Self::Place => "place",
            Self::Volume => "volume",
            Self::Type => "type",
            Self::Country => "country",
            Self::Agency => "agency",
            Self::Work => "work",
            Self::Progress => "progress",
            Self::Times => "times",
            Self::CountryTimes => "country-times",
            Self::Refusals => "refusals",
        }
    }

    /// Returns the grains of its pages, the shortest first. Cubes with many cells have pages of ten
    /// days, so that a period that cuts a month reads few days.
    pub const fn grains(self) -> &'static [PageGrain] {
        use PageGrain as P;
        match self {
            Self::Flow => &[P::Hour, P::Day, P::TenDays, P::Month],
            Self::Outflow | Self::Refusals => &[P::Hour, P::Day, P::Month],
            Self::Kind | Self::Type | Self::Agency | Self::Work | Self::Times => {
                &[P::Day, P::TenDays, P::Month]
            }
            _ => &[P::Day, P::Month],
        }
    }
}

impl Moment {
    pub fn of(at: Timestamp) -> Self {
        Self(PageGrain::ALL.map(|grain| grain.number(at)))
    }

    fn number(self, grain: PageGrain) -> i32 {
        self.0[grain as usize - 1]
    }
}

impl Pages {
    /// Which page of one grain this is.
    fn key(&self, grain: PageGrain) -> PageKey {
        let Self { province, part, moment } = *self;
        PageKey { grain, number: moment.number(grain), province, part }
    }
}

impl Cube {
    fn new(name: CubeName) -> Self {
        let (gathered, sorted) = (Vec::new(), Vec::new());
        Self { name, pages: HashMap::default(), gathered, sorted, added: 0 }
    }

    /// Adds up what was gathered.
    fn add_up(&mut self, tables: &dyn Tables) -> Result<(), EngineError> {
        while self.is_adding() || !self.gathered.is_empty() {
            match self.is_adding() {
                true => self.add_some(tables, usize::MAX)?,
                false => self.sort(),
            }
        }
        Ok(())
    }

    /// Whether some of what was gathered before is being added up.
    fn is_adding(&self) -> bool {
        self.added < self.sorted.len()
    }

    /// Begins to add up what was gathered: nothing else is being added up.
    fn sort(&mut self) {
        self.sorted.clear();
        std::mem::swap(&mut self.sorted, &mut self.gathered);
        self.added = 0;
        let shortest = self.shortest();
        self.sorted.sort_unstable_by_key(|(pages, added)| (pages.key(shortest), added.number));
    }

    /// Adds at most so much of what lies in one page of the shortest grain. That lies in one of each.
    fn add_some(&mut self, tables: &dyn Tables, most: usize) -> Result<(), EngineError> {
        let sorted = std::mem::take(&mut self.sorted);
        let shortest = self.shortest();
        let rest = sorted.get(self.added..).unwrap_or_default();
        if let Some((pages, _)) = rest.first() {
            let page = pages.key(shortest);
            let some = rest.iter().take(most);
            let alike = some.take_while(|(pages, _)| pages.key(shortest) == page).count();
            for grain in self.name.grains() {
                let added = rest.iter().take(alike).map(|(_, added)| *added);
                self.open(tables, pages.key(*grain))?.add(added);
            }
            self.added += alike;
        }
        self.sorted = sorted;
        Ok(())
    }

    fn shortest(&self) -> PageGrain {
        self.name.grains().first().copied().unwrap_or(PageGrain::Day)
    }

    fn open(&mut self, tables: &dyn Tables, key: PageKey) -> Result<&mut Page, EngineError> {
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
    fn cut(&mut self, now: Moment, hours_since: Hour, writes: &mut Writes) {
        let gone = |key: &PageKey| key.grain == PageGrain::Hour && key.number < hours_since.0;
        let first = writes.len();
        for (key, page) in &mut self.pages {
            if page.settle() && !gone(key) {
                let row = Bytes::from(page.row());
                writes.push((keys::cube_page(self.name.letter(), *key), Some(row)));
            }
        }
        writes[first..].sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        self.pages.retain(|key, _| key.number >= now.number(key.grain));
    }
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
            cubes: CubeName::ALL.map(Cube::new),
            gathers: false,
            hours_since: hours_since(last),
            pruned: Hour(i32::MIN),
        }
    }

    /// Notes that time has come so far: hours of long ago are kept no more.
    pub(super) fn passed(&mut self, now: Timestamp) {
        self.hours_since = self.hours_since.max(hours_since(now));
    }

    /// What is folded may wait for more from now on, until [`Cubes::go_on`] or the next cut: for cubes
    /// that nobody asks before.
    pub(crate) fn gather(&mut self) {
        self.gathers = true;
    }

    /// Adds to a cell of a cube, when what was gathered is added up.
    pub(super) fn add(
        &mut self,
        cube: CubeName,
        moment: Moment,
        Address { province, part, number }: Address,
        (block, cell): (u64, Cell),
    ) {
        let pages = Pages { province, part, moment };
        self.cubes[cube as usize].gathered.push((pages, Added { block, number, cell }));
    }

    /// Adds up what was gathered; where it may wait for more, only when somebody has left it far too
    /// long to [`Cubes::go_on`].
    pub(super) fn folded(&mut self, tables: &dyn Tables) -> Result<(), EngineError> {
        let kept = if self.gathers { 2 * STATISTICS_GATHERED } else { 0 };
        let mut many = self.cubes.iter_mut().filter(|cube| cube.gathered.len() > kept);
        many.try_for_each(|cube| cube.add_up(tables))
    }

    /// Adds up a piece of what has waited for more: at most
    /// [`STATISTICS_PIECE`] additions, of a cube for which [`STATISTICS_GATHERED`] were gathered.
    /// Returns whether there was one.
    ///
    /// # Errors
    /// [`EngineError`] when a row cannot be read.
    pub(crate) fn go_on(&mut self, tables: &dyn Tables) -> Result<bool, EngineError> {
        if let Some(cube) = self.cubes.iter_mut().find(|cube| cube.is_adding()) {
            cube.add_some(tables, STATISTICS_PIECE)?;
            return Ok(true);
        }
        let fullest = self.cubes.iter_mut().max_by_key(|cube| cube.gathered.len());
        let full = fullest.filter(|cube| cube.gathered.len() >= STATISTICS_GATHERED);
        Ok(full.map(Cube::sort).is_some())
    }

    /// The open pages of a cube.
    pub(super) fn open_pages(&self, cube: CubeName) -> impl Iterator<Item = (&PageKey, &Page)> {
        self.cubes[cube as usize].pages.iter()
    }

    /// Returns the first hour that is kept.
    pub(super) fn hours_since(&self) -> Hour {
        self.hours_since
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
        let now = Moment::of(now);
        for cube in &mut self.cubes {
            cube.add_up(tables)?;
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
            let prefix = [name.letter(), PageGrain::Hour as u8];
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

fn hours_since(now: Timestamp) -> Hour {
    now.minus(HOURS_KEPT).hour()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
