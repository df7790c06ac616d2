//! Every figure as the cubes have it, and what holds for all of them.

use std::collections::BTreeMap;
use std::sync::RwLock;

use crate::harness::{DAY, Hub};
use lienthong_core::statistics::{
    AgencyBacklog, Area, Backlog, BacklogOrder, Cell, Cubes, Dimension, Figure, Grain,
    IndicatorQuestion, Measure, Period, Question, Source, Until, Value, flows, visit_agency,
    visit_kind, visit_progress, visit_refusals, volumes,
};
use lienthong_core::{Span, TrackedDelivery};
use lienthong_model::{DocumentType, Indicator, Level, Ordinal, Timestamp};

use super::recounted::{Figures, add};

pub fn source<'a>(hub: &'a Hub, cubes: &'a RwLock<Cubes>) -> Source<'a> {
    Source { cubes, tables: &hub.state, directory: &hub.machine.policy().directory }
}

/// The same figures from the cubes.
pub fn counted(hub: &Hub, cubes: &RwLock<Cubes>) -> Figures {
    let mut figures = Figures::new();
    let all = Period::ALL;
    let put = |figures: &mut Figures, name: String, sum: Cell| {
        add(figures, name, sum.count, sum.measure);
    };
    visit_kind(cubes, &hub.state, all, &mut |found| {
        let (province, cell) = (found.province, found.key);
        let (level, direction, scope) = (cell.level, cell.direction, cell.scope);
        let (document_type, signature) = (cell.document_type, cell.signature);
        let paper = cell.paper_copy;
        put(&mut figures, format!("kind {province:?} {level} {direction:?} {scope} {document_type} {signature} {paper}"), found.cell);
    })
    .unwrap();
    visit_refusals(cubes, &hub.state, all, &mut |found| {
        let (province, reason) = (found.province, found.key);
        put(&mut figures, format!("refused {province:?} {reason}"), found.cell);
    })
    .unwrap();
    visit_agency(cubes, &hub.state, all, &mut |found| {
        let (province, figure) = (found.province, found.key.figure.number());
        if found.key.figure < Figure::DELIVERED {
            let name = format!("agency {:?} {province:?} {figure}", found.key.agency);
            put(&mut figures, name, found.cell);
        }
    })
    .unwrap();
    use Dimension as D;
    let hours = Question::of(WINDOW, &[Measure::Deliveries, Measure::Bytes])
        .each(Grain::Hour)
        .by(&[D::Province, D::Level, D::PartnerProvince]);
    for to in Level::ALL {
        let hours = hours.clone().only(D::PartnerLevel, &[Value::Level(to)]);
        for row in source(hub, cubes).ask(&hours).unwrap().unwrap().rows {
            let [Value::Province(from), Value::Level(level), Value::Province(province)] =
                row.group[..]
            else {
                panic!("{row:?}")
            };
            let hour = row.bucket.unwrap();
            let name = format!("flow {hour} {:?}", (from, level, province, to));
            let (count, measure) = (row.values[0].unwrap(), row.values[1].unwrap());
            put(&mut figures, name, Cell { count, measure });
        }
    }
    figures
}

/// Sixty days from the day on which the hub begins: hours are kept.
pub const WINDOW: Period = Period {
    from: Timestamp::from_millis(1_605_488_400_000 - 8 * 3_600_000),
    until: Timestamp::from_millis(1_605_488_400_000 + 60 * 24 * 3_600_000),
};

/// How far deliveries came, from the cubes *progress* and *agency*.
pub fn counted_progress(hub: &Hub, cubes: &RwLock<Cubes>) -> Figures {
    let mut figures = Figures::new();
    // One day after the other, so that no page of a month is read.
    let first = WINDOW.from.day().0;
    for day in first..=hub.now.day().0 {
        let day = lienthong_model::Day(day);
        let period = Period { from: day.start(), until: day.start().plus(DAY) };
        visit_progress(cubes, &hub.state, period, &mut |found| {
            let (province, level, figure) = (found.province, found.key.level, found.key.figure);
            let untils = [
                ("arrive", Until::Arrived),
                ("accept", Until::Accepted),
                ("finish", Until::Finished),
            ];
            let name = untils.iter().find_map(|(name, until)| {
                let bucket = Figure::buckets(*until).position(|one| one == figure)?;
                Some(format!("{day} {province:?} {level} {name} {bucket}"))
            });
            let plain = || format!("{day} {province:?} {level} {}", figure.number());
            add(&mut figures, name.unwrap_or_else(plain), found.cell.count, 0);
        })
        .unwrap();
    }
    visit_agency(cubes, &hub.state, Period::ALL, &mut |found| {
        let (province, figure) = (found.province, found.key.figure);
        if figure >= Figure::DELIVERED {
            let name = format!("agency {:?} {province:?} {}", found.key.agency, figure.number());
            add(&mut figures, name, found.cell.count, 0);
        }
    })
    .unwrap();
    figures
}

/// Law 8: the sum over provinces and the centre equals the total, for every measure, by level too.
pub fn check_sums(hub: &Hub, cubes: &RwLock<Cubes>) {
    let period = Period { until: WINDOW.from.plus(DAY * 400), ..WINDOW };
    for measure in Measure::ALL.iter().filter(|measure| measure.percentile().is_none()) {
        let ask = |groups: &[Dimension], bucket: Option<Grain>| {
            let question = Question { bucket, ..Question::of(period, &[*measure]).by(groups) };
            let answer = source(hub, cubes).ask(&question).unwrap().unwrap();
            let sum = answer.rows.iter().map(|row| row.values[0].unwrap()).sum::<u64>();
            assert_eq!(Some(sum), answer.total.values[0], "{measure} by {groups:?}");
            sum
        };
        let total = ask(&[], None);
        assert_eq!(ask(&[Dimension::Province], None), total, "{measure}");
        assert_eq!(ask(&[Dimension::Region], None), total, "{measure}");
        assert_eq!(ask(&[Dimension::Province], Some(Grain::Day)), total, "{measure}");
        assert_eq!(ask(&[], Some(Grain::Month)), total, "{measure}");
        assert_eq!(ask(&[], Some(Grain::Year)), total, "{measure}");
        if *measure != Measure::Refusals {
            assert_eq!(ask(&[Dimension::Province, Dimension::Level], None), total, "{measure}");
        }
    }
    let flows = flows(cubes, &hub.state, Period::ALL).unwrap();
    let found = volumes(cubes, &hub.state, Period::ALL).unwrap();
    assert_eq!(flows.iter().map(|flow| flow.deliveries).sum::<u64>(), found.totals.received);
}

/// A measure, conditions that everything meets, and groups to ask it by.
type Asked<'a> = (Measure, &'a [(Dimension, &'a [Value])], &'a [&'a [Dimension]]);

/// A condition that everything meets makes a question read a cube with more dimensions: the answer
/// is the same.
pub fn check_cubes(hub: &Hub, cubes: &RwLock<Cubes>) {
    use Dimension as D;
    let directory = &hub.machine.policy().directory;
    let provinces = directory.agencies().iter().map(|agency| Some(agency.ordinal)).chain([None]);
    let provinces: Vec<Value> = provinces.map(Value::Province).collect();
    let types: Vec<Value> = DocumentType::all().map(Value::DocumentType).collect();
    let scopes = Span::ALL.map(Value::Scope);
    let document = [(D::Province, &provinces[..]), (D::DocumentType, &types), (D::Scope, &scopes)];
    let exchange = [(D::PartnerProvince, &provinces[..])];
    let progress = [(D::Province, &provinces[..])];
    let asked: [Asked<'_>; 3] = [
        (
            Measure::Documents,
            &document,
            &[
                &[],
                &[D::Level],
                &[D::Province, D::Direction],
                &[D::DocumentType, D::Level],
                &[D::Region, D::DocumentType],
                &[D::Signature, D::PaperCopy],
                &[D::Province, D::Scope],
                &[D::Direction, D::Signature, D::DocumentType],
            ],
        ),
        (Measure::Bytes, &exchange, &[&[], &[D::Province], &[D::Region, D::Level]]),
        (Measure::ArriveMost, &progress, &[&[], &[D::Level]]),
    ];
    for (measure, conditions, groups) in asked {
        for (groups, bucket) in groups.iter().flat_map(|one| [(one, None), (one, Some(Grain::Day))])
        {
            let narrow = Question { bucket, ..Question::of(WINDOW, &[measure]).by(groups) };
            let wide = conditions.iter().fold(narrow.clone(), |question, (dimension, values)| {
                question.only(*dimension, values)
            });
            let [narrow, wide] =
                [narrow, wide].map(|one| source(hub, cubes).ask(&one).unwrap().unwrap());
            assert_eq!(narrow, wide, "{measure} by {groups:?}");
        }
    }
}

/// What waits in mailboxes is what was made and neither picked up nor taken back, agency by agency,
/// and the document that waits longest is the first of it.
pub fn check_backlog(hub: &Hub, cubes: &RwLock<Cubes>) {
    let mut waiting: BTreeMap<Ordinal, AgencyBacklog> = BTreeMap::new();
    hub.query()
        .each_tracked(&mut |document| {
            let position = document.position;
            for TrackedDelivery { recipient: agency, delivery } in &document.deliveries {
                if delivery.acknowledged_at.is_some() || delivery.state().closed().is_some() {
                    continue;
                }
                let since = delivery.made.map(|made| made.at);
                let first = AgencyBacklog { agency: *agency, waiting: 0, oldest: position, since };
                waiting.entry(*agency).or_insert(first).waiting += 1;
            }
        })
        .unwrap();
    let source = source(hub, cubes);
    let backlog = source.backlog(&|_| true, BacklogOrder::Oldest, usize::MAX).unwrap();
    assert!(backlog.agencies.is_sorted_by_key(|one| one.oldest));
    assert_eq!(backlog.waiting, waiting.values().map(|one| one.waiting).sum::<u64>());
    assert_eq!(by_agency(&backlog), waiting);
    let most = source.backlog(&|_| true, BacklogOrder::Most, usize::MAX).unwrap();
    assert!(most.agencies.is_sorted_by_key(|one| u64::MAX - one.waiting));
    assert_eq!(by_agency(&most), waiting);
    let measures = [Measure::Delivered, Measure::Acknowledged, Measure::TakenBack];
    let answer = source.ask(&Question::of(Period::ALL, &measures)).unwrap().unwrap();
    let [made, picked_up, taken_back] = answer.total.values[..] else { panic!() };
    assert_eq!(backlog.waiting, made.unwrap() - picked_up.unwrap() - taken_back.unwrap());
}

/// Agencies count as connected when they sent and received, whichever way they are found: marked for
/// the country, from what is counted of each for a province.
pub fn check_connected(hub: &Hub, cubes: &RwLock<Cubes>) {
    let (source, policy, now) = (source(hub, cubes), hub.machine.policy(), hub.now);
    let directory = &policy.directory;
    let provinces = directory.agencies().iter().map(|agency| Some(agency.ordinal));
    for province in provinces.chain([None]) {
        let by = [Dimension::Agency, Dimension::Direction];
        let mut question = Question::of(WINDOW, &[Measure::Documents]).by(&by);
        if province.is_some() {
            question = question.only(Dimension::Province, &[Value::Province(province)]);
        }
        let mut did: BTreeMap<Value, u64> = BTreeMap::new();
        for row in source.ask(&question).unwrap().unwrap().rows {
            *did.entry(row.group[0]).or_default() += 1;
        }
        let stands = |agency: &Value| {
            let Value::Agency(agency) = *agency else { panic!("{agency:?}") };
            let agency = directory.agency(agency).unwrap();
            let here = province.is_none() || directory.place(agency, now).province == province;
            here && agency.entry_in_force(now).is_some()
        };
        let both = did.iter().filter(|(agency, count)| **count == 2 && stands(agency)).count();
        let asked = IndicatorQuestion { period: WINDOW, province, now, page_price: 500 };
        let places = source.indicators(&asked, &policy.targets).unwrap();
        let area = province.map_or(Area::Country, Area::Province);
        let place = places.iter().find(|place| place.area == area && place.level.is_none());
        let figures = place.into_iter().flat_map(|place| &place.figures);
        let connected = figures.filter(|one| one.indicator == Indicator::AgenciesConnected);
        let found: u64 = connected.map(|one| one.share.numerator).sum();
        assert_eq!(found, both as u64, "{area:?}");
    }
}

fn by_agency(backlog: &Backlog) -> BTreeMap<Ordinal, AgencyBacklog> {
    backlog.agencies.iter().map(|one| (one.agency, *one)).collect()
}
