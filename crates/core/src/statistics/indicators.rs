//! Indicators of a province, of its levels, of the country; whether targets are met, and who holds
//! them back. Each indicator is a question or two; docs/STATISTICS.md defines them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lienthong_model::{Indicator, Level, Ordinal, Target, Territory, Timestamp};

use super::ask::Source;
use super::cubes::visit_agency;
use super::event::Direction;
use super::figures::Figure;
use super::period::Period;
use super::question::{Dimension, Measure, Question, Value, growth};
use crate::directory::{Directory, Place};
use crate::engine::EngineError;
use crate::routing::Span;
use crate::targets::Targets;

/// How long a delivery may take before it should have been worked on: five days.
pub const PROCESSED_WITHIN: Duration = Duration::from_secs(5 * 24 * 3600);
/// What a page of paper costs when nothing is said, in đồng.
pub const PAGE_PRICE: u64 = 500;
/// Agencies named for one target.
const HOLDERS_MAX: usize = 5;

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndicatorQuestion {
    /// When.
    pub period: Period,
    /// Of one province, with its levels; none: of the country, province by province.
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

/// What indicators are reckoned from, of one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Counts {
    sent: u64,
    sent_personally: u64,
    sent_year_before: u64,
    inside: u64,
    inside_on_paper: u64,
    pages_without_paper: u64,
    delivered: u64,
    finished: u64,
    with_due_date: u64,
    on_time: u64,
    older: u64,
    older_processed: u64,
    sending: BTreeSet<Level>,
    receiving: BTreeSet<Level>,
    levels: BTreeSet<Level>,
    agencies: u64,
    agencies_connected: u64,
}

/// Counts by place.
type Places = BTreeMap<(Option<Ordinal>, Level), Counts>;

impl Source<'_> {
    /// Returns the indicators of a province and its levels, or of the country, its provinces and the
    /// centre, with their targets.
    ///
    /// # Errors
    /// [`EngineError`] when a page cannot be read.
    pub fn indicators(
        &self,
        question: &IndicatorQuestion,
        targets: &Targets,
    ) -> Result<Vec<PlaceIndicators>, EngineError> {
        let (now, before) = (self.counts(question)?, {
            let period = question.period.before();
            self.counts(&IndicatorQuestion { period, ..*question })?
        });
        let agencies = self.agencies(question)?;
        let told = Told { question, directory: self.directory, targets, agencies: &agencies };
        let areas = match question.province {
            Some(province) => {
                let levels = Level::ALL.into_iter().filter(|level| {
                    now.get(&(Some(province), *level)).is_some_and(|counts| counts.agencies > 0)
                });
                let levels = levels.map(Some);
                let area = Area::Province(province);
                std::iter::once(None).chain(levels).map(|level| (area, level)).collect()
            }
            None => {
                let mut places: Vec<_> = now.keys().map(|(province, _)| *province).collect();
                places.dedup();
                let area = |place: Option<Ordinal>| place.map_or(Area::Centre, Area::Province);
                let places = places.into_iter().map(|place| (area(place), None));
                std::iter::once((Area::Country, None)).chain(places).collect::<Vec<_>>()
            }
        };
        let place = |(area, level): (Area, Option<Level>)| PlaceIndicators {
            area,
            level,
            figures: told.figures(area, level, &now, &before),
        };
        Ok(areas.into_iter().map(place).collect())
    }

    /// What is counted of every place, by a few questions.
    fn counts(&self, asked: &IndicatorQuestion) -> Result<Places, EngineError> {
        use Dimension as D;
        let places = |period, measures: &[Measure], more: Option<Dimension>| {
            let by: Vec<_> = [D::Province, D::Level].into_iter().chain(more).collect();
            let question = Question::of(period, measures).by(&by);
            match asked.province {
                Some(province) => question.only(D::Province, &[Value::Province(Some(province))]),
                None => question,
            }
        };
        let period = asked.period;
        let sent = |period, more| {
            places(period, &[Measure::Documents], more)
                .only(D::Direction, &[Value::Direction(Direction::Sent)])
        };
        let received = |measure, more| {
            places(period, &[measure], more)
                .only(D::Direction, &[Value::Direction(Direction::Received)])
        };
        let mut counts = self.directory_counts(asked);
        self.each(&sent(period, Some(D::Signature)), &mut counts, |counts, values, level, of| {
            counts.sent += values[0];
            counts.sending.insert(level);
            if matches!(of, Some(Value::Signature(kind)) if kind.is_personal()) {
                counts.sent_personally += values[0];
            }
        })?;
        self.each(&sent(period.year_before(), None), &mut counts, |counts, values, _, _| {
            counts.sent_year_before += values[0];
        })?;
        let all = received(Measure::Documents, Some(D::Scope));
        self.each(&all, &mut counts, |counts, values, level, of| {
            counts.receiving.insert(level);
            if of == Some(Value::Scope(Span::Inside)) {
                counts.inside += values[0];
            }
        })?;
        let on_paper = received(Measure::Documents, None)
            .only(D::Scope, &[Value::Scope(Span::Inside)])
            .only(D::PaperCopy, &[Value::PaperCopy(true)]);
        self.each(&on_paper, &mut counts, |counts, values, _, _| {
            counts.inside_on_paper += values[0];
        })?;
        let saved = received(Measure::Pages, None).only(D::PaperCopy, &[Value::PaperCopy(false)]);
        self.each(&saved, &mut counts, |counts, values, _, _| {
            counts.pages_without_paper += values[0];
        })?;
        let measures =
            [Measure::Delivered, Measure::Finished, Measure::WithDueDate, Measure::OnTime];
        self.each(&places(period, &measures, None), &mut counts, |counts, values, _, _| {
            counts.delivered += values[0];
            counts.finished += values[1];
            counts.with_due_date += values[2];
            counts.on_time += values[3];
        })?;
        if let Some(period) = older(period, asked.now) {
            let measures = [Measure::Delivered, Measure::Processed];
            self.each(&places(period, &measures, None), &mut counts, |counts, values, _, _| {
                counts.older += values[0];
                counts.older_processed += values[1];
            })?;
        }
        Ok(counts)
    }

    /// Asks, and adds every row to its place.
    fn each(
        &self,
        question: &Question,
        places: &mut Places,
        add: impl Fn(&mut Counts, &[u64], Level, Option<Value>),
    ) -> Result<(), EngineError> {
        // A period that holds no time has no answer, and counts nothing.
        let Ok(answer) = self.ask(question)? else { return Ok(()) };
        for row in answer.rows {
            if let [Value::Province(province), Value::Level(level), more @ ..] = &row.group[..] {
                let values: Vec<u64> = row.values.iter().map(|one| one.unwrap_or(0)).collect();
                let counts = places.entry((*province, *level)).or_default();
                add(counts, &values, *level, more.first().copied());
            }
        }
        Ok(())
    }

    /// The agencies in force, by place, and which of them sent and received.
    fn directory_counts(&self, asked: &IndicatorQuestion) -> Places {
        let mut places = Places::new();
        for agency in self.directory.agencies() {
            if agency.entry_in_force(asked.now).is_none() {
                continue;
            }
            let Place { province, level } = self.directory.place(agency, asked.now);
            if asked.province.is_none_or(|wanted| province == Some(wanted)) {
                let counts = places.entry((province, level)).or_default();
                counts.agencies += 1;
                counts.levels.insert(level);
            }
        }
        places
    }

    /// What is counted of every agency that sent or received, of the province asked for.
    fn agencies(
        &self,
        asked: &IndicatorQuestion,
    ) -> Result<BTreeMap<Ordinal, Counts>, EngineError> {
        let mut agencies: BTreeMap<Ordinal, Counts> = BTreeMap::new();
        visit_agency(self.cubes, self.tables, asked.period, &mut |found| {
            if asked.province.is_none_or(|province| found.province == Some(province)) {
                let counts = agencies.entry(found.key.agency).or_default();
                let count = found.cell.count;
                match found.key.figure {
                    Figure::SENT => counts.sent += count,
                    Figure::SENT_PERSONALLY => counts.sent_personally += count,
                    Figure::RECEIVED_INSIDE => counts.inside += count,
                    Figure::RECEIVED_INSIDE_ON_PAPER => counts.inside_on_paper += count,
                    Figure::DELIVERED => counts.delivered += count,
                    Figure::FINISHED => counts.finished += count,
                    Figure::WITH_DUE_DATE => counts.with_due_date += count,
                    Figure::ON_TIME => counts.on_time += count,
                    Figure::PROCESSED => counts.older_processed += count,
                    _ => {}
                }
            }
        })?;
        for counts in agencies.values_mut() {
            counts.older = counts.delivered;
            counts.agencies = 1;
            counts.agencies_connected = u64::from(counts.sent > 0 && counts.delivered > 0);
        }
        Ok(agencies)
    }
}

/// The part of a period whose deliveries are older than their term.
fn older(period: Period, now: Timestamp) -> Option<Period> {
    let until = period.until.min(now.minus(PROCESSED_WITHIN));
    (period.from < until).then_some(Period { until, ..period })
}

struct Told<'a> {
    question: &'a IndicatorQuestion,
    directory: &'a Directory,
    targets: &'a Targets,
    agencies: &'a BTreeMap<Ordinal, Counts>,
}

impl Told<'_> {
    fn figures(
        &self,
        area: Area,
        level: Option<Level>,
        now: &Places,
        before: &Places,
    ) -> Vec<IndicatorFigure> {
        let connected = self.connected(area, level);
        let mut sum = sum(area, level, now);
        sum.agencies_connected = connected;
        let earlier = self::sum(area, level, before);
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

    fn connected(&self, area: Area, level: Option<Level>) -> u64 {
        let here = self.agencies.iter().filter(|(agency, counts)| {
            counts.agencies_connected > 0 && self.lies_in(**agency, area, level)
        });
        here.count() as u64
    }

    fn lies_in(&self, agency: Ordinal, area: Area, level: Option<Level>) -> bool {
        let Some(agency) = self.directory.agency(agency) else { return false };
        let place = self.directory.place(agency, self.question.now);
        holds(area, place.province) && level.is_none_or(|level| place.level == level)
    }

    fn targets_of(
        &self,
        indicator: Indicator,
        area: Area,
        level: Option<Level>,
    ) -> impl Iterator<Item = &Target> {
        self.targets.all().filter(move |target| {
            let here = match (&target.territory, area) {
                (Territory::Country, Area::Country) => true,
                (Territory::Province(code), Area::Province(province)) => {
                    self.directory.find(code).is_some_and(|found| found.ordinal == province)
                }
                _ => false,
            };
            here && target.indicator == indicator && target.level == level
        })
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
                    let mut counts = sum(area, target.level, now);
                    counts.agencies_connected = self.connected(area, target.level);
                    (province, self.share(indicator, &counts))
                });
                gaps(shares, wanted)
            }
            Area::Province(_) | Area::Centre => {
                let nothing = Counts { agencies: 1, ..Counts::default() };
                let shares = self.directory.agencies().iter().filter_map(|agency| {
                    let here = self.lies_in(agency.ordinal, area, target.level)
                        && agency.entry_in_force(self.question.now).is_some();
                    let counts = self.agencies.get(&agency.ordinal).unwrap_or(&nothing);
                    here.then(|| (agency.ordinal, self.share(indicator, counts)))
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

fn holds(area: Area, province: Option<Ordinal>) -> bool {
    match area {
        Area::Country => true,
        Area::Centre => province.is_none(),
        Area::Province(wanted) => province == Some(wanted),
    }
}

fn sum(area: Area, level: Option<Level>, places: &Places) -> Counts {
    let mut sum = Counts::default();
    for ((province, of), counts) in places {
        if holds(area, *province) && level.is_none_or(|level| level == *of) {
            sum.add(counts);
        }
    }
    sum
}

impl Counts {
    fn add(&mut self, more: &Self) {
        let Self {
            sent,
            sent_personally,
            sent_year_before,
            inside,
            inside_on_paper,
            pages_without_paper,
            delivered,
            finished,
            with_due_date,
            on_time,
            older,
            older_processed,
            sending,
            receiving,
            levels,
            agencies,
            agencies_connected,
        } = more;
        self.sent += sent;
        self.sent_personally += sent_personally;
        self.sent_year_before += sent_year_before;
        self.inside += inside;
        self.inside_on_paper += inside_on_paper;
        self.pages_without_paper += pages_without_paper;
        self.delivered += delivered;
        self.finished += finished;
        self.with_due_date += with_due_date;
        self.on_time += on_time;
        self.older += older;
        self.older_processed += older_processed;
        self.sending.extend(sending);
        self.receiving.extend(receiving);
        self.levels.extend(levels);
        self.agencies += agencies;
        self.agencies_connected += agencies_connected;
    }
}
