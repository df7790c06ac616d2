//! How much flows where: by province and level, by hour, between levels.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Query, State};
use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{Flow, LevelVolume, Period, Volume};
use lienthong_core::{Backlog, Directory};
use lienthong_model::{AgencyCode, AgencyState, Level, Ordinal, Timestamp};
use serde::Serialize;

use super::names::Named;
use super::period::{Asked, Span};
use super::{Answer, reading};
use crate::http::Pages;
use crate::http::visitor::Visitor;
use crate::sight::Sight;

/// Documents of a place and period.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Counts {
    /// Documents sent, each counted once.
    pub sent: u64,
    /// Deliveries received.
    pub received: u64,
    /// Documents sent with a person's signature.
    pub personally_signed: u64,
    /// Requests declined.
    pub refused: u64,
}

/// One place: a province, or the centre.
#[derive(Debug, Serialize)]
pub(super) struct PlaceRow {
    /// The province; none for the centre.
    province: Option<Named>,
    #[serde(flatten)]
    counts: Counts,
    undelivered: u64,
    /// When the oldest of them was accepted.
    oldest: Option<String>,
    agencies: u64,
    connected: u64,
    levels: BTreeMap<&'static str, LevelCounts>,
}

/// One level.
#[derive(Debug, Serialize)]
pub(super) struct LevelCounts {
    sent: u64,
    received: u64,
    personally_signed: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Provinces {
    #[serde(flatten)]
    span: Span,
    places: Vec<PlaceRow>,
    totals: Counts,
}

#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    #[serde(flatten)]
    span: Span,
    /// hour or day.
    by: &'static str,
    steps: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Step {
    from: String,
    deliveries: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Matrix {
    #[serde(flatten)]
    span: Span,
    /// From the sender's level to the recipient's.
    levels: Vec<LevelCell>,
    /// From province to province; none is the centre.
    provinces: Vec<ProvinceCell>,
}

#[derive(Debug, Serialize)]
struct LevelCell {
    from: &'static str,
    to: &'static str,
    deliveries: u64,
}

#[derive(Debug, Serialize)]
struct ProvinceCell {
    from: Option<Named>,
    to: Option<Named>,
    deliveries: u64,
}

/// Longest time line that is cut by hours.
const HOURS_MAX: i32 = 24 * 4;
/// Most steps of a time line.
const STEPS_MAX: i32 = 400;

/// Answers every place that may be seen.
pub(super) async fn provinces(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Provinces> {
    let now = pages.0.clock.now();
    let period = asked.period(now)?;
    let backlogs = pages.0.survey.backlogs(&pages.0.reader).await?;
    reading(move || {
        let places = rows(&pages, &visitor.sight, period, &backlogs, now)?;
        let totals = places.iter().fold(Counts::default(), |sum, one| sum.plus(one.counts));
        Ok(Provinces { span: Span::of(period), places, totals })
    })
    .await
}

/// Answers deliveries by hour, or by day where that would be too many.
pub(super) async fn timeline(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Timeline> {
    let period = asked.period(pages.0.clock.now())?;
    reading(move || {
        let hours = period.until.hour().0 - period.from.hour().0;
        let (by, length, count) = match hours < HOURS_MAX {
            true => ("hour", Duration::from_secs(3600), hours),
            false => ("day", Duration::from_secs(86_400), hours / 24),
        };
        let first = match by {
            "hour" => period.from.hour().start(),
            _ => period.from.day().start(),
        };
        let mut steps = Vec::new();
        let mut from = first;
        for _ in 0..=count.min(STEPS_MAX) {
            let until = from.plus(length);
            let flows = flows(&pages, &visitor.sight, Period { from, until })?;
            let deliveries = flows.iter().map(|flow| flow.deliveries).sum();
            steps.push(Step { from: from.to_string(), deliveries });
            from = until;
        }
        Ok(Timeline { span: Span::of(period), by, steps })
    })
    .await
}

/// Answers who exchanges with whom: levels, and provinces.
pub(super) async fn matrix(
    State(pages): State<Pages>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Matrix> {
    let now = pages.0.clock.now();
    let period = asked.period(now)?;
    reading(move || {
        let mut levels: BTreeMap<(Level, Level), u64> = BTreeMap::new();
        let mut provinces: BTreeMap<(Option<Ordinal>, Option<Ordinal>), u64> = BTreeMap::new();
        for flow in flows(&pages, &visitor.sight, period)? {
            *levels.entry((flow.from_level, flow.to_level)).or_default() += flow.deliveries;
            let places = (flow.from_province, flow.to_province);
            *provinces.entry(places).or_default() += flow.deliveries;
        }
        let directory = pages.0.reader.directory();
        let named = |place: Option<Ordinal>| place.map(|one| Named::of(&directory, one, now));
        let levels = levels.into_iter().map(|((from, to), deliveries)| LevelCell {
            from: from.name(),
            to: to.name(),
            deliveries,
        });
        let provinces = provinces.into_iter().map(|((from, to), deliveries)| ProvinceCell {
            from: named(from),
            to: named(to),
            deliveries,
        });
        Ok(Matrix {
            span: Span::of(period),
            levels: levels.collect(),
            provinces: provinces.collect(),
        })
    })
    .await
}

/// Documents of all places that may be seen.
pub(super) fn counts(pages: &Pages, sight: &Sight, period: Period) -> Result<Counts, EngineError> {
    let directory = pages.0.reader.directory();
    let mut sum = Counts::default();
    let volumes = pages.0.reader.volumes(period)?;
    for (place, volume) in of_places(&volumes.provinces, &volumes.centre) {
        if sees(sight, &directory, place, pages.0.clock.now()) {
            sum = sum.plus(Counts::of(volume));
        }
    }
    let refusals = pages.0.reader.refusals(period)?;
    let refused = refusals.by_province.iter();
    let seen =
        refused.filter(|((place, _), _)| sees(sight, &directory, *place, pages.0.clock.now()));
    sum.refused = seen.map(|(_, count)| count).sum();
    Ok(sum)
}

/// Deliveries of which one end may be seen.
pub(super) fn flows(
    pages: &Pages,
    sight: &Sight,
    period: Period,
) -> Result<Vec<Flow>, EngineError> {
    let directory = pages.0.reader.directory();
    let now = pages.0.clock.now();
    let mut flows = pages.0.reader.flows(period)?;
    flows.retain(|flow| {
        sees(sight, &directory, flow.from_province, now)
            || sees(sight, &directory, flow.to_province, now)
    });
    Ok(flows)
}

/// Every place that may be seen.
pub(super) fn rows(
    pages: &Pages,
    sight: &Sight,
    period: Period,
    backlogs: &[Backlog],
    now: Timestamp,
) -> Result<Vec<PlaceRow>, EngineError> {
    let directory = pages.0.reader.directory();
    let mut places: BTreeMap<Option<Ordinal>, PlaceRow> = BTreeMap::new();
    let row = |place: Option<Ordinal>| PlaceRow {
        province: place.map(|one| Named::of(&directory, one, now)),
        counts: Counts::default(),
        undelivered: 0,
        oldest: None,
        agencies: 0,
        connected: 0,
        levels: BTreeMap::new(),
    };
    for agency in directory.agencies().iter().filter(|agency| sight.has(agency, now)) {
        let Some(entry) = agency.entry_in_force(now) else { continue };
        let place = directory.place(agency, now).province;
        let found = places.entry(place).or_insert_with(|| row(place));
        found.agencies += 1;
        found.connected += u64::from(entry.state == AgencyState::Connected);
    }
    let volumes = pages.0.reader.volumes(period)?;
    for (place, volume) in of_places(&volumes.provinces, &volumes.centre) {
        if !sees(sight, &directory, place, now) {
            continue;
        }
        let found = places.entry(place).or_insert_with(|| row(place));
        found.counts = Counts::of(volume);
        let levels = volume.by_level.iter();
        found.levels = levels.map(|(level, one)| (level.name(), one.into())).collect();
    }
    for ((place, _), count) in &pages.0.reader.refusals(period)?.by_province {
        if sees(sight, &directory, *place, now) {
            places.entry(*place).or_insert_with(|| row(*place)).counts.refused += count;
        }
    }
    let mut oldest = BTreeMap::new();
    for backlog in backlogs {
        let Some(agency) = directory.agency(backlog.agency) else { continue };
        if !sight.has(agency, now) {
            continue;
        }
        let place = directory.place(agency, now).province;
        let found = places.entry(place).or_insert_with(|| row(place));
        found.undelivered += backlog.documents;
        let first = oldest.entry(place).or_insert(backlog.oldest);
        *first = backlog.oldest.min(*first);
    }
    for (place, position) in oldest {
        let document = pages.0.reader.query().document(position)?;
        if let Some(found) = places.get_mut(&place) {
            found.oldest = document.map(|document| document.received_at.to_string());
        }
    }
    Ok(places.into_values().collect())
}

/// Whether all of a province, or the centre, may be seen.
pub(super) fn sees(
    sight: &Sight,
    directory: &Directory,
    place: Option<Ordinal>,
    now: Timestamp,
) -> bool {
    let code = place.and_then(|one| directory.agency(one)).map(|found| &found.entry(now).code);
    sight.has_province(code)
}

fn of_places<'v>(
    provinces: &'v BTreeMap<Ordinal, Volume>,
    centre: &'v Volume,
) -> impl Iterator<Item = (Option<Ordinal>, &'v Volume)> {
    provinces.iter().map(|(one, volume)| (Some(*one), volume)).chain([(None, centre)])
}

impl Counts {
    fn of(volume: &Volume) -> Self {
        let Volume { sent, received, personally_signed, .. } = *volume;
        Self { sent, received, personally_signed, refused: 0 }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            received: self.received + other.received,
            personally_signed: self.personally_signed + other.personally_signed,
            refused: self.refused + other.refused,
        }
    }
}

impl PlaceRow {
    /// Whether it is a province's.
    pub fn is_of(&self, code: &AgencyCode) -> bool {
        self.province.as_ref().is_some_and(|one| one.code == code.to_string())
    }
}

impl From<&LevelVolume> for LevelCounts {
    fn from(volume: &LevelVolume) -> Self {
        let LevelVolume { sent, received, personally_signed } = *volume;
        Self { sent, received, personally_signed }
    }
}
