//! How much flows where: by province and level, by hour, between levels.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::extract::State;
use lienthong_core::engine::EngineError;
use lienthong_core::statistics::{
    AgencyBacklog, Dimension, Direction, Flow, Grain, LevelVolume, Measure, Period, Question,
    Value, View, Volume,
};
use lienthong_model::limits::HTTP_LIST_MAX;
use lienthong_model::{AgencyCode, AgencyState, Level, Ordinal, Timestamp};
use serde::Serialize;

use super::names::Named;
use super::period::{Asked, Span};
use super::{Answer, own, reading};
use crate::http::Pages;
use crate::http::asked::Query;
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
    /// Requests declined; none for whoever sees single agencies only, by which they are not counted.
    pub refused: Option<u64>,
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
    /// From agency to agency, for whoever may see single agencies only: the most first.
    agencies: Vec<AgencyCell>,
    /// Whether more was exchanged in the period than was looked at.
    partial: bool,
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

#[derive(Debug, Serialize)]
struct AgencyCell {
    from: Named,
    to: Named,
    deliveries: u64,
}

/// Longest time line that is cut by hours.
const HOURS_MAX: i32 = 24 * 4;
/// Most steps of a time line.
const STEPS_MAX: usize = 400;
const HOUR: Duration = Duration::from_secs(3600);

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
        let is_short = hours < HOURS_MAX && !matches!(visitor.sight.0, View::Agencies(_));
        let grain = if is_short { Grain::Hour } else { Grain::Day };
        let counted = pages.0.reader.ask(&received(&visitor.sight, period).each(grain))?;
        let counted = counted.map_err(|why| why.refusal())?;
        let counted: BTreeMap<Timestamp, u64> = counted
            .rows
            .iter()
            .filter_map(|row| Some((row.bucket?, row.values.first().copied().flatten()?)))
            .collect();
        let (by, length, mut from) = match grain {
            Grain::Hour => ("hour", HOUR, period.from.hour().start()),
            _ => ("day", HOUR * 24, period.from.day().start()),
        };
        let mut steps = Vec::new();
        while from < period.until && steps.len() < STEPS_MAX {
            let deliveries = counted.get(&from).copied().unwrap_or(0);
            steps.push(Step { from: from.to_string(), deliveries });
            from = from.plus(length);
        }
        Ok(Timeline { span: Span::of(period), by, steps })
    })
    .await
}

/// The question how much the places that may be seen received.
fn received(sight: &Sight, period: Period) -> Question {
    let provinces = |all: &BTreeSet<Option<Ordinal>>| -> Vec<Value> {
        all.iter().copied().map(Value::Province).collect()
    };
    match &sight.0 {
        View::Country | View::Node(_) => Question::of(period, &[Measure::Deliveries]),
        View::Provinces(all) => Question::of(period, &[Measure::Deliveries])
            .only(Dimension::PartnerProvince, &provinces(all)),
        View::Agencies(_) => sight.0.cut(
            Question::of(period, &[Measure::Documents])
                .only(Dimension::Direction, &[Value::Direction(Direction::Received)]),
        ),
    }
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
        if let View::Agencies(_) = visitor.sight.0 {
            return Ok(own_matrix(&pages, &visitor.sight, period, now)?);
        }
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
            agencies: Vec::new(),
            partial: false,
        })
    })
    .await
}

/// Whom the agencies that may be seen exchange with.
fn own_matrix(
    pages: &Pages,
    sight: &Sight,
    period: Period,
    now: Timestamp,
) -> Result<Matrix, EngineError> {
    let directory = pages.0.reader.directory();
    let found = own::exchange(pages, sight, period)?;
    let mut cells: Vec<_> = found.deliveries.into_iter().collect();
    cells.sort_by_key(|(_, deliveries)| std::cmp::Reverse(*deliveries));
    let agencies = cells.into_iter().take(HTTP_LIST_MAX).map(|((from, to), deliveries)| {
        let named = |agency| Named::of(&directory, agency, now);
        AgencyCell { from: named(from), to: named(to), deliveries }
    });
    Ok(Matrix {
        span: Span::of(period),
        levels: Vec::new(),
        provinces: Vec::new(),
        agencies: agencies.collect(),
        partial: found.partial,
    })
}

/// Documents of all places that may be seen.
pub(super) fn counts(pages: &Pages, sight: &Sight, period: Period) -> Result<Counts, EngineError> {
    if let View::Agencies(_) = sight.0 {
        return of_agencies(pages, sight, period);
    }
    let mut sum = Counts::default();
    let volumes = pages.0.reader.volumes(period)?;
    for (place, volume) in of_places(&volumes.provinces, &volumes.centre) {
        if sight.has_province(place) {
            sum = sum.plus(Counts::of(volume));
        }
    }
    let refusals = pages.0.reader.refusals(period)?;
    let refused = refusals.by_province.iter();
    let seen = refused.filter(|((place, _), _)| sight.has_province(*place));
    sum.refused = Some(seen.map(|(_, count)| count).sum());
    Ok(sum)
}

/// What single agencies sent and received; refusals and signatures are not counted by agency.
fn of_agencies(pages: &Pages, sight: &Sight, period: Period) -> Result<Counts, EngineError> {
    let question = Question::of(period, &[Measure::Documents]).by(&[Dimension::Direction]);
    let mut counts = Counts::default();
    for row in pages.0.reader.ask(&sight.0.cut(question))?.map_or(Vec::new(), |found| found.rows) {
        let count = row.values.first().copied().flatten().unwrap_or(0);
        match row.group.first() {
            Some(Value::Direction(Direction::Sent)) => counts.sent += count,
            Some(Value::Direction(Direction::Received)) => counts.received += count,
            _ => {}
        }
    }
    Ok(counts)
}

/// Deliveries of which one end may be seen.
pub(super) fn flows(
    pages: &Pages,
    sight: &Sight,
    period: Period,
) -> Result<Vec<Flow>, EngineError> {
    let mut flows = pages.0.reader.flows(period)?;
    flows.retain(|flow| {
        sight.has_province(flow.from_province) || sight.has_province(flow.to_province)
    });
    Ok(flows)
}

/// Every place that may be seen.
pub(super) fn rows(
    pages: &Pages,
    sight: &Sight,
    period: Period,
    backlogs: &[AgencyBacklog],
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
    for agency in directory.agencies().iter().filter(|agency| sight.has(&directory, agency, now)) {
        let Some(entry) = agency.entry_in_force(now) else { continue };
        let place = directory.place(agency, now).province;
        let found = places.entry(place).or_insert_with(|| row(place));
        found.agencies += 1;
        found.connected += u64::from(entry.state == AgencyState::Connected);
    }
    if let (View::Agencies(_), Some(only)) = (&sight.0, places.values_mut().next()) {
        only.counts = of_agencies(pages, sight, period)?;
    }
    let volumes = pages.0.reader.volumes(period)?;
    for (place, volume) in of_places(&volumes.provinces, &volumes.centre) {
        if !sight.has_province(place) {
            continue;
        }
        let found = places.entry(place).or_insert_with(|| row(place));
        found.counts = Counts::of(volume);
        let levels = volume.by_level.iter();
        found.levels = levels.map(|(level, one)| (level.name(), one.into())).collect();
    }
    for ((place, _), count) in &pages.0.reader.refusals(period)?.by_province {
        if sight.has_province(*place) {
            let found = places.entry(*place).or_insert_with(|| row(*place));
            found.counts.refused = Some(found.counts.refused.unwrap_or(0) + count);
        }
    }
    let mut oldest = BTreeMap::new();
    for backlog in backlogs {
        let Some(agency) = directory.agency(backlog.agency) else { continue };
        if !sight.has(&directory, agency, now) {
            continue;
        }
        let place = directory.place(agency, now).province;
        let found = places.entry(place).or_insert_with(|| row(place));
        found.undelivered += backlog.waiting;
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

fn of_places<'v>(
    provinces: &'v BTreeMap<Ordinal, Volume>,
    centre: &'v Volume,
) -> impl Iterator<Item = (Option<Ordinal>, &'v Volume)> {
    provinces.iter().map(|(one, volume)| (Some(*one), volume)).chain([(None, centre)])
}

impl Counts {
    fn of(volume: &Volume) -> Self {
        let Volume { sent, received, personally_signed, .. } = *volume;
        Self { sent, received, personally_signed, refused: Some(0) }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            received: self.received + other.received,
            personally_signed: self.personally_signed + other.personally_signed,
            refused: match (self.refused, other.refused) {
                (Some(one), Some(other)) => Some(one + other),
                (known, None) | (None, known) => known,
            },
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
