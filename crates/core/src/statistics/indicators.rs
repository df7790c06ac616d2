//! Indicators of a province, of its levels, of the country; whether targets are met, and who holds
//! them back. Each indicator is a question or two; docs/STATISTICS.md defines them.

mod counts;
mod told;

use std::time::Duration;

use lienthong_model::{Indicator, Level, Ordinal, Target, Timestamp};

use self::told::Told;
use super::ask::Source;
use super::period::Period;
use crate::engine::EngineError;
use crate::targets::Targets;

/// How long a delivery may take before it should have been worked on: five days.
pub const PROCESSED_WITHIN: Duration = Duration::from_secs(5 * 24 * 3600);
/// What a page of paper costs when nothing is said, in đồng.
pub const PAGE_PRICE: u64 = 500;

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndicatorQuestion {
    /// When.
    pub period: Period,
    /// Of one province, with its levels; none: of the country, province by province, with the levels
    /// that have targets.
    pub province: Option<Ordinal>,
    /// As of when: what is younger than its term does not count yet.
    pub now: Timestamp,
    /// What a page of paper costs, in đồng.
    pub page_price: u64,
}

/// Indicators of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceIndicators {
    /// The place.
    pub area: Area,
    /// Only agencies of a level; none: all.
    pub level: Option<Level>,
    /// Every indicator, in the order of [`Indicator::ALL`].
    pub figures: Vec<IndicatorFigure>,
}

/// A place of which indicators are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// The whole country.
    Country,
    /// A province.
    Province(Ordinal),
    /// The central bodies.
    Centre,
}

/// An indicator's figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorFigure {
    /// The indicator.
    pub indicator: Indicator,
    /// In this period.
    pub share: Share,
    /// In the period before.
    pub before: Share,
    /// Its targets, by day.
    pub targets: Vec<TargetProgress>,
}

/// What an indicator is reckoned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// What counts.
    pub numerator: u64,
    /// Of how many.
    pub denominator: u64,
    /// The indicator in its unit; none without a basis.
    pub value: Option<i64>,
}

/// How far a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetProgress {
    /// The target.
    pub target: Target,
    /// Where it stands.
    pub state: TargetState,
    /// Who holds it back, the one that costs most first; at most five. None for a target that is
    /// met, and for indicators that are nobody's alone.
    pub holders: Vec<Holder>,
}

/// Where a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// It is reached.
    Met,
    /// It is not due yet, and will be reached if things go on as from the period before to this one.
    OnCourse,
    /// Its day has passed, or will before it is reached if things go on so.
    Late,
}

/// Who holds a target back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// An agency, or of the country a province.
    pub agency: Ordinal,
    /// Its own share.
    pub share: Share,
}

impl TargetState {
    /// Returns the name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::OnCourse => "on-course",
            Self::Late => "late",
        }
    }
}

impl Source<'_> {
    /// Returns the indicators of a province and its levels, or of the country, its provinces and the
    /// centre, with their targets; a level that has a target of its own follows its place there.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn indicators(
        &self,
        question: &IndicatorQuestion,
        targets: &Targets,
    ) -> Result<Vec<PlaceIndicators>, EngineError> {
        let agencies = self.agencies(question)?;
        let earlier = IndicatorQuestion { period: question.period.before(), ..*question };
        let (now, before) = (self.counts(question, &agencies)?, self.counts(&earlier, &agencies)?);
        let told = Told { question, directory: self.directory, targets, agencies: &agencies };
        let areas: Vec<(Area, Option<Level>)> = match question.province {
            Some(province) => {
                let levels = Level::ALL.into_iter().filter(|level| {
                    now.get(&(Some(province), *level)).is_some_and(|counts| counts.agencies > 0)
                });
                let area = Area::Province(province);
                std::iter::once(None).chain(levels.map(Some)).map(|level| (area, level)).collect()
            }
            None => {
                let mut places: Vec<_> = now.keys().map(|(province, _)| *province).collect();
                places.dedup();
                let area = |place: Option<Ordinal>| place.map_or(Area::Centre, Area::Province);
                let all = std::iter::once(Area::Country).chain(places.into_iter().map(area));
                // Of its levels those that have targets of their own.
                let levels = |area| told.levels_with_targets(area).map(Some);
                all.flat_map(|area| {
                    std::iter::once(None).chain(levels(area)).map(move |level| (area, level))
                })
                .collect()
            }
        };
        let place = |(area, level): (Area, Option<Level>)| PlaceIndicators {
            area,
            level,
            figures: told.figures(area, level, &now, &before),
        };
        Ok(areas.into_iter().map(place).collect())
    }
}

fn holds(area: Area, province: Option<Ordinal>) -> bool {
    match area {
        Area::Country => true,
        Area::Centre => province.is_none(),
        Area::Province(wanted) => province == Some(wanted),
    }
}
