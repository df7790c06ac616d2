//! Telling indicators: shares in their units, how far targets are, and who holds them back.

use lienthong_model::{Indicator, Level, Ordinal, Target, Territory};

use super::counts::{Agencies, Counts, Places, sum};
use super::{Area, Holder, IndicatorFigure, IndicatorQuestion, Share, TargetProgress, TargetState};
use crate::directory::Directory;
use crate::statistics::period::Period;
use crate::statistics::question::growth;
use crate::targets::Targets;

/// Agencies named for one target.
const HOLDERS_MAX: usize = 5;

/// What is needed to tell the indicators of a place.
pub(super) struct Told<'a> {
    pub question: &'a IndicatorQuestion,
    pub directory: &'a Directory,
    pub targets: &'a Targets,
    pub agencies: &'a Agencies,
}

impl Told<'_> {
    pub fn figures(
        &self,
        area: Area,
        level: Option<Level>,
        now: &Places,
        before: &Places,
    ) -> Vec<IndicatorFigure> {
        let (sum, earlier) = (sum(area, level, now), sum(area, level, before));
        let figure = |indicator| {
            let share = self.share(indicator, &sum);
            // Which agencies took part before is not looked up: nothing is said of it.
            let before = match indicator {
                Indicator::AgenciesConnected => Share::default(),
                _ => self.share(indicator, &earlier),
            };
            let targets = self.targets_of(indicator, area, level);
            let progress = |target: &Target| self.progress(target, area, (share, before), now);
            let targets = targets.map(progress).collect();
            IndicatorFigure { indicator, share, before, targets }
        };
        Indicator::ALL.into_iter().map(figure).collect()
    }

    /// Levels of a place that have targets of their own.
    pub fn levels_with_targets(&self, area: Area) -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(move |level| {
            self.targets.all().any(|target| self.is_of(target, area, Some(*level)))
        })
    }

    fn targets_of(
        &self,
        indicator: Indicator,
        area: Area,
        level: Option<Level>,
    ) -> impl Iterator<Item = &Target> {
        self.targets
            .all()
            .filter(move |target| target.indicator == indicator && self.is_of(target, area, level))
    }

    fn is_of(&self, target: &Target, area: Area, level: Option<Level>) -> bool {
        let here = match (&target.territory, area) {
            (Territory::Country, Area::Country) => true,
            (Territory::Province(code), Area::Province(province)) => {
                self.directory.find(code).is_some_and(|found| found.ordinal == province)
            }
            _ => false,
        };
        here && target.level == level
    }

    fn progress(
        &self,
        target: &Target,
        area: Area,
        (share, before): (Share, Share),
        now: &Places,
    ) -> TargetProgress {
        let wanted = target.value.and_then(|value| i64::try_from(value).ok()).unwrap_or(i64::MAX);
        let state = self.state(target, wanted, share, before);
        let holders = match state {
            TargetState::Met => Vec::new(),
            TargetState::OnCourse | TargetState::Late => self.holders(target, area, wanted, now),
        };
        TargetProgress { target: target.clone(), state, holders }
    }

    fn state(&self, target: &Target, wanted: i64, share: Share, before: Share) -> TargetState {
        let Some(value) = share.value else { return TargetState::Late };
        if value >= wanted {
            return TargetState::Met;
        }
        let Period { from, until } = self.question.period;
        let end = until.min(self.question.now);
        let due = lienthong_model::Day(target.by.0.saturating_add(1)).start();
        let left = due.millis().saturating_sub(end.millis());
        if left <= 0 {
            return TargetState::Late;
        }
        let length = end.millis().saturating_sub(from.millis()).max(1);
        let gained = before.value.map_or(0, |before| value - before);
        let reached =
            i128::from(value) + i128::from(gained) * i128::from(left) / i128::from(length);
        match reached >= i128::from(wanted) {
            true => TargetState::OnCourse,
            false => TargetState::Late,
        }
    }

    /// Who would have to do how much for the target to be met: the largest gaps first.
    fn holders(&self, target: &Target, area: Area, wanted: i64, now: &Places) -> Vec<Holder> {
        let indicator = target.indicator;
        if matches!(
            indicator,
            Indicator::Growth | Indicator::PaperSaved | Indicator::LevelsConnected
        ) {
            return Vec::new();
        }
        let mut holders: Vec<(u64, Holder)> = match area {
            Area::Country => {
                let mut provinces: Vec<_> = now.keys().filter_map(|(place, _)| *place).collect();
                provinces.dedup();
                let shares = provinces.into_iter().map(|province| {
                    let area = Area::Province(province);
                    (province, self.share(indicator, &sum(area, target.level, now)))
                });
                gaps(shares, wanted)
            }
            Area::Province(_) | Area::Centre => {
                let nothing = Counts { agencies: 1, ..Counts::default() };
                let shares = self.agencies.of(area, target.level).map(|agency| {
                    let counts = self.agencies.counts.get(&agency).unwrap_or(&nothing);
                    (agency, self.share(indicator, counts))
                });
                gaps(shares, wanted)
            }
        };
        holders.sort_by_key(|(gap, holder)| (std::cmp::Reverse(*gap), holder.agency));
        holders.into_iter().take(HOLDERS_MAX).map(|(_, holder)| holder).collect()
    }

    fn share(&self, indicator: Indicator, counts: &Counts) -> Share {
        let (numerator, denominator) = match indicator {
            Indicator::ElectronicInside => {
                (counts.inside.saturating_sub(counts.inside_on_paper), counts.inside)
            }
            Indicator::PersonalSignature => (counts.sent_personally, counts.sent),
            Indicator::LevelsConnected => {
                let connected = counts.sending.intersection(&counts.receiving).count();
                (connected as u64, counts.levels.len() as u64)
            }
            Indicator::AgenciesConnected => (counts.agencies_connected, counts.agencies),
            Indicator::Processed => (counts.older_processed, counts.older),
            Indicator::Finished => (counts.finished, counts.delivered),
            Indicator::OnTime => (counts.on_time, counts.with_due_date),
            Indicator::Growth => (counts.sent, counts.sent_year_before),
            Indicator::PaperSaved => (counts.pages_without_paper, 0),
        };
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let value = match indicator {
            Indicator::Growth => growth(numerator, denominator),
            Indicator::LevelsConnected => Some(signed(numerator)),
            Indicator::PaperSaved => {
                Some(signed(numerator.saturating_mul(self.question.page_price)))
            }
            _ if denominator == 0 => None,
            _ => Some(signed(numerator.saturating_mul(1_000) / denominator)),
        };
        Share { numerator, denominator, value }
    }
}

/// Those below what is wanted, with how much each lacks.
fn gaps(shares: impl Iterator<Item = (Ordinal, Share)>, wanted: i64) -> Vec<(u64, Holder)> {
    let gap = |(agency, share): (Ordinal, Share)| {
        let value = share.value.filter(|value| *value < wanted)?;
        let lacks = (wanted - value).unsigned_abs().saturating_mul(share.denominator);
        Some((lacks, Holder { agency, share }))
    };
    shares.filter_map(gap).collect()
}
