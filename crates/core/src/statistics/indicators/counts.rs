//! What indicators are reckoned from, counted by a few questions.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::{Level, Ordinal, Timestamp};

use super::{Area, IndicatorQuestion, PROCESSED_WITHIN, holds};
use crate::directory::Place;
use crate::engine::EngineError;
use crate::routing::Span;
use crate::statistics::ask::Source;
use crate::statistics::cells::{AgencyCell, VolumeCell};
use crate::statistics::cubes::CubeName;
use crate::statistics::event::Direction;
use crate::statistics::figures::Figure;
use crate::statistics::page::Cell;
use crate::statistics::period::Period;
use crate::statistics::question::{Question, Value};
use crate::statistics::visit::{Visited, Wanted, visit, visit_cells};
use crate::statistics::vocabulary::{Dimension, Measure};

/// What indicators are reckoned from, of one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub sent: u64,
    pub sent_personally: u64,
    pub sent_year_before: u64,
    pub inside: u64,
    pub inside_on_paper: u64,
    pub pages_without_paper: u64,
    pub delivered: u64,
    pub finished: u64,
    pub with_due_date: u64,
    pub on_time: u64,
    pub older: u64,
    pub older_processed: u64,
    pub sending: BTreeSet<Level>,
    pub receiving: BTreeSet<Level>,
    pub levels: BTreeSet<Level>,
    pub agencies: u64,
    pub agencies_connected: u64,
}

/// Counts by place.
pub(super) type Places = BTreeMap<(Option<Ordinal>, Level), Counts>;

/// Single agencies of the province asked for, or of the country.
pub(super) struct Agencies {
    /// Where each stands, by ordinal; none where no entry is in force.
    standing: Vec<Option<Place>>,
    /// How many there are in each place, and of those how many sent and received.
    pub places: Places,
    /// What is counted of each, when a province is asked for: they hold its targets back.
    pub counts: BTreeMap<Ordinal, Counts>,
}

impl Agencies {
    /// Agencies that stand in an area, on a level or on any.
    pub fn of(&self, area: Area, level: Option<Level>) -> impl Iterator<Item = Ordinal> {
        let here = move |place: &Place| {
            holds(area, place.province) && level.is_none_or(|level| place.level == level)
        };
        let all = self.standing.iter().zip(0..);
        all.filter(move |(place, _)| place.as_ref().is_some_and(here)).map(|(_, at)| Ordinal(at))
    }
}

impl Source<'_> {
    /// Which agencies there are, and which of them sent and received.
    pub(super) fn agencies(&self, asked: &IndicatorQuestion) -> Result<Agencies, EngineError> {
        let places = self.directory.places(asked.now);
        let all = self.directory.agencies().iter().zip(places);
        let wanted = |province| asked.province.is_none_or(|wanted| province == Some(wanted));
        let standing = all.map(|(agency, place)| {
            let here = wanted(place.province) && agency.entry_in_force(asked.now).is_some();
            here.then_some(place)
        });
        let mut agencies = Agencies {
            standing: standing.collect(),
            places: Places::new(),
            counts: BTreeMap::new(),
        };
        for place in agencies.standing.iter().flatten() {
            let counts = agencies.places.entry((place.province, place.level)).or_default();
            counts.agencies += 1;
            counts.levels.insert(place.level);
        }
        let connected = match asked.province {
            None => self.connected(asked.period)?,
            Some(_) => {
                agencies.counts = self.agency_counts(asked)?;
                let counted = agencies.counts.iter();
                let connected = counted.filter(|(_, counts)| counts.agencies_connected > 0);
                connected.map(|(agency, _)| *agency).collect()
            }
        };
        for agency in connected {
            if let Some(Some(place)) = agencies.standing.get(agency.0 as usize) {
                let counts = agencies.places.entry((place.province, place.level)).or_default();
                counts.agencies_connected += 1;
            }
        }
        Ok(agencies)
    }

    /// Agencies of the country that sent and received: marked as their cells come by, since sums of
    /// every agency and direction would take longer than everything else of an answer.
    fn connected(&self, period: Period) -> Result<Vec<Ordinal>, EngineError> {
        let cube = CubeName::Agency;
        let mut did = vec![[false; Direction::ALL.len()]; self.directory.agencies().len()];
        let wanted = Wanted { cube, grains: cube.grains(), period, provinces: None };
        visit(self.cubes, self.tables, &wanted, &mut |_, cells| {
            cells.batches(false, |batch| {
                for number in batch.numbers {
                    let agency = usize::try_from(number >> cube.low_bits()).unwrap_or(usize::MAX);
                    let direction = cube.number_of_cell(Dimension::Direction, *number);
                    let did = did.get_mut(agency).zip(direction);
                    if let Some(done) = did.and_then(|(did, at)| did.get_mut(at as usize)) {
                        *done = true;
                    }
                }
            })
        })?;
        let both = (0..).zip(did).filter(|(_, did)| did.iter().all(|did| *did));
        Ok(both.map(|(at, _)| Ordinal(at)).collect())
    }

    fn each_agency(
        &self,
        cubes: &[CubeName],
        asked: &IndicatorQuestion,
        found: &mut dyn FnMut(Visited<AgencyCell>),
    ) -> Result<(), EngineError> {
        let province = asked.province.map(|province| [Some(province)]);
        let provinces = province.as_ref().map(<[_; 1]>::as_slice);
        visit_cells(self.cubes, self.tables, (cubes, provinces), asked.period, found)
    }

    /// What is counted of every agency that sent or received.
    fn agency_counts(
        &self,
        asked: &IndicatorQuestion,
    ) -> Result<BTreeMap<Ordinal, Counts>, EngineError> {
        let mut agencies: BTreeMap<Ordinal, Counts> = BTreeMap::new();
        self.each_agency(&[CubeName::Agency, CubeName::Work], asked, &mut |found| {
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
                _ => {}
            }
        })?;
        if let Some(period) = older(asked.period, asked.now) {
            let asked = IndicatorQuestion { period, ..*asked };
            self.each_agency(&[CubeName::Work], &asked, &mut |found| {
                let counts = agencies.entry(found.key.agency).or_default();
                match found.key.figure {
                    Figure::DELIVERED => counts.older += found.cell.count,
                    Figure::PROCESSED => counts.older_processed += found.cell.count,
                    _ => {}
                }
            })?;
        }
        for counts in agencies.values_mut() {
            counts.agencies = 1;
            counts.agencies_connected = u64::from(counts.sent > 0 && counts.delivered > 0);
        }
        Ok(agencies)
    }

    /// What is counted of every place, by a few questions.
    pub(super) fn counts(
        &self,
        asked: &IndicatorQuestion,
        agencies: &Agencies,
    ) -> Result<Places, EngineError> {
        let period = asked.period;
        let mut counts = agencies.places.clone();
        self.volumes_of(asked, &mut counts)?;
        let places = |period, measures: &[Measure]| {
            let question =
                Question::of(period, measures).by(&[Dimension::Province, Dimension::Level]);
            of_province(question, asked.province)
        };
        let sent = [Value::Direction(Direction::Sent)];
        let year_before = places(period.year_before(), &[Measure::Documents]);
        let year_before = year_before.only(Dimension::Direction, &sent);
        self.each(&year_before, &mut counts, |counts, values| {
            counts.sent_year_before += values[0]
        })?;
        let measures =
            [Measure::Delivered, Measure::Finished, Measure::WithDueDate, Measure::OnTime];
        self.each(&places(period, &measures), &mut counts, |counts, values| {
            counts.delivered += values[0];
            counts.finished += values[1];
            counts.with_due_date += values[2];
            counts.on_time += values[3];
        })?;
        if let Some(period) = older(period, asked.now) {
            let measures = [Measure::Delivered, Measure::Processed];
            self.each(&places(period, &measures), &mut counts, |counts, values| {
                counts.older += values[0];
                counts.older_processed += values[1];
            })?;
        }
        Ok(counts)
    }

    /// What is counted of documents, in one pass over *volume*: its cells come place by place.
    fn volumes_of(
        &self,
        asked: &IndicatorQuestion,
        places: &mut Places,
    ) -> Result<(), EngineError> {
        let mut at = None;
        let mut counts = Counts::default();
        let wanted = (&[CubeName::Volume][..], None);
        visit_cells(self.cubes, self.tables, wanted, asked.period, &mut |found| {
            let Visited { province, key: VolumeCell { level, .. }, .. } = found;
            if asked.province.is_some_and(|wanted| province != Some(wanted)) {
                return;
            }
            if at != Some((province, level))
                && let Some(before) = at.replace((province, level))
            {
                places.entry(before).or_default().add(&std::mem::take(&mut counts));
            }
            counts.add_volume(found.key, found.cell);
        })?;
        if let Some(last) = at {
            places.entry(last).or_default().add(&counts);
        }
        Ok(())
    }

    /// Asks, and adds what was counted of every place to it.
    fn each(
        &self,
        question: &Question,
        places: &mut Places,
        add: impl Fn(&mut Counts, &[u64]),
    ) -> Result<(), EngineError> {
        // A period that holds no time has no answer, and counts nothing.
        let Ok(answer) = self.ask(question)? else { return Ok(()) };
        for row in answer.rows {
            if let [Value::Province(province), Value::Level(level)] = row.group[..] {
                let values: Vec<u64> = row.values.iter().map(|one| one.unwrap_or(0)).collect();
                add(places.entry((province, level)).or_default(), &values);
            }
        }
        Ok(())
    }
}

fn of_province(question: Question, province: Option<Ordinal>) -> Question {
    match province {
        Some(province) => question.only(Dimension::Province, &[Value::Province(Some(province))]),
        None => question,
    }
}

/// The part of a period whose deliveries are older than their term: whole days, since a part of a
/// day would be rounded up to it.
fn older(period: Period, now: Timestamp) -> Option<Period> {
    let until = period.until.min(now.minus(PROCESSED_WITHIN).day().start());
    (period.from < until).then_some(Period { until, ..period })
}

/// Adds the places of an area up, on a level or on all.
pub(super) fn sum(area: Area, level: Option<Level>, places: &Places) -> Counts {
    let mut sum = Counts::default();
    for ((province, of), counts) in places {
        if holds(area, *province) && level.is_none_or(|level| level == *of) {
            sum.add(counts);
        }
    }
    sum
}

impl Counts {
    fn add_volume(&mut self, of: VolumeCell, cell: Cell) {
        let VolumeCell { level, direction, scope, signature, paper_copy } = of;
        match direction {
            Direction::Sent => {
                self.sent += cell.count;
                self.sent_personally += if signature.is_personal() { cell.count } else { 0 };
                self.sending.insert(level);
            }
            Direction::Received => {
                self.receiving.insert(level);
                if scope == Span::Inside {
                    self.inside += cell.count;
                    self.inside_on_paper += if paper_copy { cell.count } else { 0 };
                }
                self.pages_without_paper += if paper_copy { 0 } else { cell.measure };
            }
        }
    }

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
