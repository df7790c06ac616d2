//! Visiting the pages of a period: the fewest that make it up, open ones first, then rows.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use lienthong_model::{Ordinal, Reason};

use super::cells::{
    Address, AgencyCell, CellKey, FlowCell, KindCell, ProgressCell, VolumeCell, province_number,
};
use super::cubes::{CubeName, Cubes};
use super::page::{Cell, Cells, PageKey};
use super::period::{PageGrain, Period, Stretch};
use crate::engine::{EngineError, Tables};
use crate::keys;

/// Which pages are wanted.
pub(super) struct Wanted<'a> {
    pub cube: CubeName,
    /// In pages of these grains, the shortest first.
    pub grains: &'a [PageGrain],
    pub period: Period,
    /// Of which provinces, sorted by number; none: of all. Only a cube with pages for each province
    /// has others to leave out.
    pub provinces: Option<&'a [Option<Ordinal>]>,
}

/// A cell as it is visited.
#[derive(Debug, Clone, Copy)]
pub struct Visited<K> {
    /// The province; none for the centre.
    pub province: Option<Ordinal>,
    /// The cell.
    pub key: K,
    /// What it adds up.
    pub cell: Cell,
}

type VisitPage<'v> = &'v mut dyn FnMut(PageKey, Cells<'_>) -> Result<(), EngineError>;

/// Visits the wanted pages. Open pages come first, under the lock; rows follow without it, so that
/// whoever folds does not wait.
///
/// # Errors
/// [`EngineError`] when a page cannot be read.
pub(super) fn visit(
    cubes: &RwLock<Cubes>,
    tables: &dyn Tables,
    wanted: &Wanted<'_>,
    visit: VisitPage<'_>,
) -> Result<(), EngineError> {
    let (stretches, seen) = {
        let cubes = cubes.read().unwrap_or_else(PoisonError::into_inner);
        let stretches = wanted.period.pages(wanted.grains, cubes.hours_since());
        let mut seen = BTreeSet::new();
        for (key, page) in cubes.open_pages(wanted.cube) {
            if wanted.skip(key).is_none() && stretches.iter().any(|stretch| stretch.holds(key)) {
                visit(*key, Cells::Open(page))?;
                seen.insert(*key);
            }
        }
        (stretches, seen)
    };
    stretches.into_iter().try_for_each(|stretch| rows(tables, wanted, stretch, &seen, visit))
}

fn rows(
    tables: &dyn Tables,
    wanted: &Wanted<'_>,
    stretch: Stretch,
    seen: &BTreeSet<PageKey>,
    visit: VisitPage<'_>,
) -> Result<(), EngineError> {
    let letter = wanted.cube.letter();
    let prefix = [letter, stretch.grain as u8];
    let mut from = keys::cube_period(letter, stretch.grain, stretch.first);
    let mut outcome = Ok(());
    loop {
        let mut next = None;
        tables.scan(&prefix, &from, &mut |key, row| {
            let Some(key) = keys::cube_page_of(key) else { return true };
            if key.number > stretch.last {
                return false;
            }
            if let Some(first) = wanted.skip(&key) {
                next = Some(keys::cube_page(letter, first));
                return false;
            }
            if !seen.contains(&key) {
                outcome = visit(key, Cells::Row(row));
            }
            outcome.is_ok()
        })?;
        match next {
            Some(key) if outcome.is_ok() => from = key,
            _ => return outcome,
        }
    }
}

impl Wanted<'_> {
    /// The first page from one on that may be wanted, when that one is not.
    fn skip(&self, page: &PageKey) -> Option<PageKey> {
        let provinces = self.provinces.filter(|_| self.cube.has_pages_of_provinces())?;
        let number = |province: &Option<Ordinal>| province_number(*province);
        let place = provinces.binary_search_by_key(&number(&page.province), number).err()?;
        let first = PageKey { part: 0, ..*page };
        Some(match (provinces.get(place), provinces.first()) {
            (Some(province), _) => PageKey { province: *province, ..first },
            (None, Some(province)) if page.number < i32::MAX => {
                PageKey { number: page.number + 1, province: *province, ..first }
            }
            // Nothing is wanted: behind every page of the grain.
            _ => PageKey { number: i32::MAX, province: None, part: u32::MAX, ..first },
        })
    }
}

impl Stretch {
    fn holds(&self, key: &PageKey) -> bool {
        key.grain == self.grain && (self.first..=self.last).contains(&key.number)
    }
}

/// Visits every cell of some cubes in a period, of some provinces or all (see [`Wanted`]), as what
/// it stands for.
pub(super) fn visit_cells<K: CellKey>(
    cubes: &RwLock<Cubes>,
    tables: &dyn Tables,
    (names, provinces): (&[CubeName], Option<&[Option<Ordinal>]>),
    period: Period,
    found: &mut dyn FnMut(Visited<K>),
) -> Result<(), EngineError> {
    names.iter().try_for_each(|cube| {
        let wanted = Wanted { cube: *cube, grains: cube.grains(), period, provinces };
        visit(cubes, tables, &wanted, &mut |page, cells| {
            let PageKey { province, part, .. } = page;
            cells.each(|number, cell| {
                if let Some((province, key)) = K::at(Address { province, part, number }) {
                    found(Visited { province, key, cell });
                }
            })
        })
    })
}

macro_rules! visits {
    ($($(#[$doc:meta])* $visit:ident: [$($name:ident),+], $key:ty;)+) => {$(
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
            visit_cells(cubes, tables, (&[$(CubeName::$name),+], None), period, found)
        }
    )+};
}

visits! {
    /// Visits *flow* in the hours that a period touches, in pages as large as fit.
    visit_flow: [Flow], FlowCell;
    /// Visits *kind* in the days that a period touches, in pages as large as fit.
    visit_kind: [Kind], KindCell;
    /// Visits *volume* in the days that a period touches, in pages as large as fit.
    visit_volume: [Volume], VolumeCell;
    /// Visits *agency* and *work* in the days that a period touches, in pages as large as fit.
    visit_agency: [Agency, Work], AgencyCell;
    /// Visits *progress* and *times* of the deliveries made in the days that a period touches.
    visit_progress: [Progress, Times], ProgressCell;
    /// Visits *refusals* in the hours that a period touches, in pages as large as fit.
    visit_refusals: [Refusals], Reason;
}
