//! Statistics against a recount from what was accepted, whatever was cut between.

use std::collections::BTreeMap;
use std::sync::RwLock;

use crate::harness::traffic::{Traffic, steps};
use crate::harness::{DAY, Draft, HOUR, Hub, Signs, at, code, day, draft, open, refused_request};
use lienthong_core::statistics::{
    Area, Cell, Cubes, Dimension, Direction, Figure, Grain, IndicatorQuestion, Measure, Period,
    Question, Source, TargetState, Until, Value, flows, refusals, visit_agency, visit_kind,
    visit_progress, visit_refusals, volumes,
};
use lienthong_core::{
    Accepted, AcknowledgeOutcome, Command, Decision, Delivery, DeliveryKey, Entry, NoticeKind,
    Place, RefusalCount, RefusedRequests, Span, Submit,
};
use lienthong_model::{
    ChangeEffect, ChangeKind, DocumentType, Indicator, Level, Ordinal, Position, Reason,
    StatusCode, Target, Territory, Timestamp,
};
use proptest::prelude::*;

/// Every figure under a name that says all of its coordinates.
type Figures = BTreeMap<String, Cell>;

fn add(figures: &mut Figures, name: String, count: u64, measure: u64) {
    let cell = figures.entry(name).or_default();
    cell.count += count;
    cell.measure += measure;
}

fn scope(from: Place, to: Place) -> Span {
    match (from.province, to.province) {
        (None, _) | (_, None) => Span::Centre,
        (Some(from), Some(to)) if from == to => Span::Inside,
        _ => Span::Between,
    }
}

/// Counts anew from the blocks, each document by itself.
fn recount(hub: &Hub) -> Figures {
    let mut figures = Figures::new();
    let mut documents: BTreeMap<Position, (Submit, Accepted)> = BTreeMap::new();
    for sealed in hub.sealed() {
        let time = sealed.block.time;
        for entry in &sealed.block.entries {
            match (&entry.command, &entry.decision) {
                (Command::Submit(submit), Decision::Accepted(accepted)) => {
                    recount_received(&mut figures, time, submit, accepted, &accepted.deliveries);
                    recount_sent(&mut figures, submit, accepted);
                    // An update's new recipients get the document acted on, too.
                    if let Some(change) = &accepted.change {
                        // They count by where the sender stands now.
                        let (old, first) = &documents[&change.document];
                        let now = Accepted { place: accepted.place, ..first.clone() };
                        recount_received(&mut figures, time, old, &now, &change.added);
                    }
                    let document = ((**submit).clone(), accepted.clone());
                    documents.insert(accepted.position, document);
                }
                (Command::FanOut(slice), Decision::FannedOut(deliveries)) => {
                    let (submit, accepted) = &documents[&slice.position];
                    recount_received(&mut figures, time, submit, accepted, deliveries);
                }
                (Command::Refused { requests, province }, Decision::Refused(refusal)) => {
                    let own = RefusalCount { reason: refusal.reason, count: 1 };
                    for RefusalCount { reason, count } in requests.added_up.iter().chain([&own]) {
                        let name = format!("refused {province:?} {reason}");
                        add(&mut figures, name, u64::from(*count), 0);
                    }
                }
                _ => {}
            }
        }
    }
    figures
}

fn kind(
    submit: &Submit,
    accepted: &Accepted,
    place: Place,
    direction: Direction,
    scope: Span,
) -> String {
    let Place { province, level } = place;
    let (document_type, signature) = (submit.header.document_type, accepted.signature);
    let paper = submit.header.paper_copy;
    format!("kind {province:?} {level} {direction:?} {scope} {document_type} {signature} {paper}")
}

fn recount_received(
    figures: &mut Figures,
    time: lienthong_model::Timestamp,
    submit: &Submit,
    accepted: &Accepted,
    deliveries: &[Delivery],
) {
    let lienthong_core::Stored::Inline(content) = &submit.signed.content else { panic!("payload") };
    let header = &submit.header;
    let uploaded: u64 = header.attachments.iter().map(|attachment| attachment.size).sum();
    let bytes = content.len() as u64 + uploaded;
    for delivery in deliveries {
        let (from, to) = (accepted.place, delivery.place);
        let hour = time.hour().start();
        let places = (from.province, from.level, to.province, to.level);
        add(figures, format!("flow {hour} {places:?}"), 1, bytes);
        let name = kind(submit, accepted, to, Direction::Received, scope(from, to));
        add(figures, name, 1, u64::from(submit.header.pages));
        agency(figures, delivery.recipient, to, Figure::RECEIVED);
        if scope(from, to) == Span::Inside {
            agency(figures, delivery.recipient, to, Figure::RECEIVED_INSIDE);
            if submit.header.paper_copy {
                agency(figures, delivery.recipient, to, Figure::RECEIVED_INSIDE_ON_PAPER);
            }
        }
    }
}

fn agency(figures: &mut Figures, agency: Ordinal, place: Place, figure: Figure) {
    let name = format!("agency {agency:?} {:?} {}", place.province, figure.number());
    add(figures, name, 1, 0);
}

/// A document counts as sent once, when it was accepted, in its widest scope.
fn recount_sent(figures: &mut Figures, submit: &Submit, accepted: &Accepted) {
    let scopes = accepted.deliveries.iter().map(|to| scope(accepted.place, to.place));
    let widest = match accepted.fan_out() {
        Some(plan) => plan.scope,
        None => scopes.max().unwrap_or(Span::Inside),
    };
    let name = kind(submit, accepted, accepted.place, Direction::Sent, widest);
    add(figures, name, 1, u64::from(submit.header.pages));
    let (sender, place) = (accepted.sender, accepted.place);
    agency(figures, sender, place, Figure::SENT);
    if accepted.signature.is_personal() {
        agency(figures, sender, place, Figure::SENT_PERSONALLY);
    }
    if submit.header.paper_copy {
        agency(figures, sender, place, Figure::SENT_ON_PAPER);
    }
}

/// What one delivery went through.
#[derive(Default)]
struct Lived {
    made: Option<Timestamp>,
    place: Option<Place>,
    due: Option<Timestamp>,
    picked_up: Option<Timestamp>,
    taken_back: bool,
    reports: Vec<(StatusCode, Timestamp)>,
    overdue: bool,
}

/// Every delivery's life, from the blocks.
fn lives(hub: &Hub) -> BTreeMap<DeliveryKey, Lived> {
    let mut lives: BTreeMap<DeliveryKey, Lived> = BTreeMap::new();
    let mut dues: BTreeMap<Position, Option<Timestamp>> = BTreeMap::new();
    for sealed in hub.sealed() {
        let now = sealed.block.time;
        for entry in &sealed.block.entries {
            let made = match (&entry.command, &entry.decision) {
                (Command::Submit(submit), Decision::Accepted(accepted)) => {
                    dues.insert(accepted.position, submit.header.due);
                    let own = accepted.deliveries.iter().map(|one| (accepted.position, *one));
                    let added = accepted
                        .change
                        .iter()
                        .flat_map(|change| change.added.iter().map(|one| (change.document, *one)));
                    own.chain(added).collect()
                }
                (Command::FanOut(slice), Decision::FannedOut(deliveries)) => {
                    deliveries.iter().map(|one| (slice.position, *one)).collect()
                }
                _ => Vec::new(),
            };
            for (position, Delivery { recipient, place, .. }) in made {
                let due = dues[&position];
                let life = Lived { made: Some(now), place: Some(place), due, ..Lived::default() };
                lives.insert(DeliveryKey { recipient, position }, life);
            }
            live(&mut lives, entry, now);
        }
    }
    lives
}

/// What an entry means for deliveries that were made before.
fn live(lives: &mut BTreeMap<DeliveryKey, Lived>, entry: &Entry, now: Timestamp) {
    let change = match &entry.decision {
        Decision::Accepted(accepted) => accepted.change.as_ref(),
        Decision::Reported(reported) => reported.change.as_ref(),
        _ => None,
    };
    for one in change.iter().flat_map(|change| &change.deliveries) {
        if one.effect == ChangeEffect::AtOnce && one.kind != ChangeKind::Update {
            let position = change.unwrap().document;
            let key = DeliveryKey { recipient: one.recipient, position };
            lives.get_mut(&key).unwrap().taken_back = true;
        }
    }
    match (&entry.command, &entry.decision) {
        (Command::Acknowledge(command), Decision::Acknowledged(decided)) => {
            for (delivery, outcome) in command.deliveries.iter().zip(&decided.outcomes) {
                if *outcome == AcknowledgeOutcome::Counted {
                    lives.get_mut(&delivery.key).unwrap().picked_up.get_or_insert(now);
                }
            }
        }
        (Command::Report(report), Decision::Reported(reported)) if reported.change.is_none() => {
            let life = lives.get_mut(&reported.delivery).unwrap();
            life.picked_up.get_or_insert(now);
            life.reports.push((report.header.code, now));
        }
        (Command::Tick(_), Decision::Ticked(ticked)) => {
            for told in ticked.notices.iter().flat_map(|notices| &notices.told) {
                if told.kind == NoticeKind::OverdueHere {
                    lives.get_mut(&told.delivery).unwrap().overdue = true;
                }
            }
        }
        _ => {}
    }
}

/// How far deliveries came, under the day on which each was made.
fn recount_progress(hub: &Hub) -> Figures {
    let mut figures = Figures::new();
    for (key, life) in lives(hub) {
        let (made, place) = (life.made.unwrap(), life.place.unwrap());
        let first = |codes: &[StatusCode]| {
            life.reports.iter().find(|(code, _)| codes.contains(code)).map(|(_, at)| *at)
        };
        let finished = first(&[StatusCode::Finished]);
        let ended = finished.or(first(&[StatusCode::Refused]));
        let accepted = first(&[StatusCode::Accepted]);
        let worked = [StatusCode::Assigned, StatusCode::Processing, StatusCode::Finished];
        let late = |due: Timestamp| life.overdue || ended.is_some_and(|at| at > due);
        let holds = [
            (Figure::DELIVERED, true),
            (Figure::ACKNOWLEDGED, life.picked_up.is_some()),
            (Figure::TAKEN_BACK, life.taken_back),
            (Figure::ACCEPTED, accepted.is_some()),
            (Figure::REFUSED, first(&[StatusCode::Refused]).is_some()),
            (Figure::PROCESSED, accepted.is_some() && first(&worked).is_some()),
            (Figure::FINISHED, finished.is_some()),
            (Figure::WITH_DUE_DATE, life.due.is_some()),
            (Figure::ON_TIME, life.due.is_some_and(|due| finished.is_some_and(|at| at <= due))),
            (Figure::OVERDUE, life.due.is_some_and(late)),
        ];
        let day = made.day();
        for (figure, _) in holds.iter().filter(|(_, holds)| *holds) {
            let name = format!("{day} {:?} {} {}", place.province, place.level, figure.number());
            add(&mut figures, name, 1, 0);
            let name =
                format!("agency {:?} {:?} {}", key.recipient, place.province, figure.number());
            add(&mut figures, name, 1, 0);
        }
        for (until, at) in [("arrive", life.picked_up), ("accept", accepted), ("finish", finished)]
        {
            if let Some(at) = at {
                let bucket = bucket_of(at.millis() - made.millis());
                let name = format!("{day} {:?} {} {until} {bucket}", place.province, place.level);
                add(&mut figures, name, 1, 0);
            }
        }
    }
    figures
}

/// The bounds of the buckets as docs/STATISTICS.md states them.
fn bucket_of(millis: i64) -> usize {
    const SECOND: i64 = 1_000;
    const HOURS: i64 = 3_600 * SECOND;
    const DAYS: i64 = 24 * HOURS;
    let bounds = [
        SECOND,
        2 * SECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        60 * SECOND,
        120 * SECOND,
        300 * SECOND,
        600 * SECOND,
        1_800 * SECOND,
        HOURS,
        2 * HOURS,
        4 * HOURS,
        8 * HOURS,
        16 * HOURS,
        DAYS,
        2 * DAYS,
        3 * DAYS,
        5 * DAYS,
        7 * DAYS,
        14 * DAYS,
        30 * DAYS,
        90 * DAYS,
    ];
    bounds.iter().position(|bound| millis <= *bound).unwrap_or(bounds.len())
}

fn source<'a>(hub: &'a Hub, cubes: &'a RwLock<Cubes>) -> Source<'a> {
    Source { cubes, tables: &hub.state, directory: &hub.machine.policy().directory }
}

/// The same figures from the cubes.
fn counted(hub: &Hub, cubes: &RwLock<Cubes>) -> Figures {
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
const WINDOW: Period = Period {
    from: Timestamp::from_millis(1_605_488_400_000 - 8 * 3_600_000),
    until: Timestamp::from_millis(1_605_488_400_000 + 60 * 24 * 3_600_000),
};

/// How far deliveries came, from the cubes *progress* and *agency*.
fn counted_progress(hub: &Hub, cubes: &RwLock<Cubes>) -> Figures {
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
fn check_sums(hub: &Hub, cubes: &RwLock<Cubes>) {
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
fn check_cubes(hub: &Hub, cubes: &RwLock<Cubes>) {
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

/// What waits in mailboxes is what was made, less what was picked up or taken back before.
fn check_backlog(hub: &Hub, cubes: &RwLock<Cubes>) {
    let source = source(hub, cubes);
    let backlog = source.backlog(&|_| true, Default::default(), usize::MAX).unwrap();
    let measures = [Measure::Delivered, Measure::Acknowledged, Measure::TakenBack];
    let answer = source.ask(&Question::of(Period::ALL, &measures)).unwrap().unwrap();
    let [made, picked_up, taken_back] = answer.total.values[..] else { panic!() };
    assert_eq!(backlog.waiting, made.unwrap() - picked_up.unwrap() - taken_back.unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_figure_is_that_of_a_recount(steps in steps(1..160)) {
        let traffic = Traffic::run(&steps);
        let mut hub = traffic.hub;
        let expected = (recount(&hub), recount_progress(&hub));
        let of = |hub: &Hub, cubes: &RwLock<Cubes>| {
            (counted(hub, cubes), counted_progress(hub, cubes))
        };
        prop_assert_eq!(&of(&hub, &hub.machine.cubes()), &expected);
        check_sums(&hub, &hub.machine.cubes());
        check_backlog(&hub, &hub.machine.cubes());
        check_cubes(&hub, &hub.machine.cubes());
        hub.cut();
        check_cubes(&hub, &hub.machine.cubes());
        prop_assert_eq!(&of(&hub, &hub.machine.cubes()), &expected);
        let anew = open(&hub.state, &hub.payloads);
        prop_assert_eq!(&of(&hub, &anew.cubes()), &expected);
        let mut recount = lienthong_core::statistics::Recount::default();
        for sealed in hub.sealed() {
            recount.count(sealed.marker.block, &sealed.block, &hub.blocks).unwrap();
        }
        let cubes = anew.cubes();
        let source = source(&hub, &cubes);
        let comparison = recount.compare(&source).unwrap();
        prop_assert_eq!(comparison.ahead(), None);
        let found = comparison.finish(&recount, source.directory);
        prop_assert_eq!(found.differences, []);
    }

    #[test]
    fn a_recount_that_the_state_is_ahead_of_agrees_when_it_has_come_as_far(
        steps in steps(1..120),
        behind in 1..20usize,
    ) {
        let hub = Traffic::run(&steps).hub;
        let blocks = hub.sealed();
        let (first, rest) = blocks.split_at(blocks.len().saturating_sub(behind));
        let mut recount = lienthong_core::statistics::Recount::default();
        for sealed in first {
            recount.count(sealed.marker.block, &sealed.block, &hub.blocks).unwrap();
        }
        let cubes = hub.machine.cubes();
        let source = source(&hub, &cubes);
        let mut comparison = recount.compare(&source).unwrap();
        for sealed in rest {
            recount.count(sealed.marker.block, &sealed.block, &hub.blocks).unwrap();
            comparison.reached(&recount, source.directory);
        }
        prop_assert_eq!(comparison.ahead(), None);
        prop_assert_eq!(comparison.finish(&recount, source.directory).differences, []);
    }

    #[test]
    fn a_period_and_the_rest_make_the_whole(steps in steps(1..100), hours in 0..60u64) {
        let hub = Traffic::run(&steps).hub;
        let middle = crate::harness::BEGIN.hour().start().plus(HOUR * u32::try_from(hours).unwrap());
        let cubes = hub.machine.cubes();
        let count = |period| -> (u64, u64) {
            let flows = flows(&cubes, &hub.state, period).unwrap();
            let sum = flows.iter().map(|flow| flow.deliveries).sum();
            let refusals = refusals(&cubes, &hub.state, period).unwrap();
            (sum, refusals.by_reason.values().sum())
        };
        let before = count(Period { until: middle, ..Period::ALL });
        let after = count(Period { from: middle, ..Period::ALL });
        let all = count(Period::ALL);
        prop_assert_eq!((before.0 + after.0, before.1 + after.1), all);
    }
}

fn ordinal(hub: &Hub, text: &str) -> Option<Ordinal> {
    Some(hub.ordinal(text))
}

#[test]
fn a_document_is_sent_once_in_its_widest_scope_and_received_by_each() {
    let cases: [(&[&str], Span); 4] = [
        (&["H34.01", "H34.01.01"], Span::Inside),
        (&["H34.01", "H36.01"], Span::Between),
        (&["G22", "H36.01", "H34.01"], Span::Centre),
        (&["H34.01", "G22"], Span::Centre),
    ];
    for (to, widest) in cases {
        let mut hub = Hub::new();
        hub.accepted(&draft("H34", to));
        let cubes = hub.machine.cubes();
        let mut sent = Vec::new();
        visit_kind(&cubes, &hub.state, Period::ALL, &mut |found| {
            if found.key.direction == Direction::Sent {
                let Cell { count, measure } = found.cell;
                sent.push((found.province, found.key.scope, count, measure));
            }
        })
        .unwrap();
        assert_eq!(sent, [(ordinal(&hub, "H34"), widest, 1, 3)]);
        let found = volumes(&cubes, &hub.state, Period::ALL).unwrap();
        assert_eq!((found.totals.sent, found.totals.received), (1, to.len() as u64));
    }
}

#[test]
fn an_agencys_documents_count_where_it_stood_when_they_were_sent() {
    let mut hub = Hub::new();
    hub.accepted(&draft("H34.01", &["G22"]));
    let moved = crate::harness::entry("H34.01", Level::Commune, Some("H36"));
    assert_eq!(hub.change(vec![moved]), Decision::Done);
    hub.accepted(&draft("H34.01", &["G22"]));
    let found = volumes(&hub.machine.cubes(), &hub.state, Period::ALL).unwrap();
    let sent = |province, level| found.provinces[&hub.ordinal(province)].by_level[&level].sent;
    assert_eq!((sent("H34", Level::District), sent("H36", Level::Commune)), (1, 1));
}

#[test]
fn a_persons_signature_is_counted_and_a_seal_alone_is_not() {
    let mut hub = Hub::new();
    hub.accepted(&draft("H34.02", &["G22"]));
    hub.accepted(&Draft { signs: vec![Signs::Seal("H34.02")], ..draft("H34.02", &["G22"]) });
    let found = volumes(&hub.machine.cubes(), &hub.state, Period::ALL).unwrap();
    let province = &found.provinces[&hub.ordinal("H34")];
    assert_eq!((province.sent, province.personally_signed), (2, 1));
}

#[test]
fn refusals_that_were_added_up_are_counted_in_the_province_of_the_caller() {
    let mut hub = Hub::new();
    let added_up = vec![
        RefusalCount { reason: Reason::IdReused, count: 40 },
        RefusalCount { reason: Reason::RouteRefused, count: 2 },
    ];
    for caller in ["H34.01", "G22"] {
        let caller = hub.ordinal(caller);
        let request = RefusedRequests { added_up: added_up.clone(), ..refused_request(caller) };
        hub.refuse(request, Reason::IdReused);
    }
    let found = refusals(&hub.machine.cubes(), &hub.state, Period::ALL).unwrap();
    let by = |province| {
        (
            found.by_province[&(province, Reason::IdReused)],
            found.by_province[&(province, Reason::RouteRefused)],
        )
    };
    assert_eq!(by(ordinal(&hub, "H34")), (41, 2));
    assert_eq!(by(None), (41, 2));
    assert_eq!(found.by_reason[&Reason::IdReused], 82);
}

#[test]
fn a_closed_period_leaves_memory_and_is_still_counted() {
    let mut hub = Hub::new();
    hub.now = at("2020-11-16T23:30:00+07:00");
    hub.accepted(&draft("H34", &["G22"]));
    hub.now = hub.now.plus(HOUR);
    hub.accepted(&draft("H34", &["G22"]));
    hub.cut();
    let cubes = hub.machine.cubes();
    let in_memory = |cubes: &RwLock<Cubes>| {
        let nothing = lienthong_ledger::MemoryState::new();
        let flows = flows(cubes, &nothing, WINDOW).unwrap();
        flows.iter().map(|flow| flow.deliveries).sum::<u64>()
    };
    assert_eq!(in_memory(&cubes), 1, "the day before midnight is closed");
    let found = volumes(&cubes, &hub.state, Period::ALL).unwrap();
    assert_eq!((found.totals.sent, found.totals.received), (2, 2));
    let midnight = at("2020-11-17");
    for (from, until) in [(midnight.minus(DAY), midnight), (midnight, midnight.plus(DAY))] {
        let day = volumes(&cubes, &hub.state, Period { from, until }).unwrap();
        assert_eq!(day.totals.sent, 1);
    }
}

#[test]
fn a_target_is_met_on_course_or_late_and_names_who_holds_it_back() {
    let mut hub = Hub::new();
    let send = |hub: &mut Hub, personal: bool| {
        let signs = if personal { Signs::Person("H34.02") } else { Signs::Seal("H34.02") };
        hub.accepted(&Draft { signs: vec![signs], ..draft("H34.02", &["G22"]) });
    };
    for (month, personal) in [("2020-11-20", 2), ("2020-12-20", 6)] {
        hub.now = at(month);
        (0..10).for_each(|n| send(&mut hub, n < personal));
    }
    hub.accepted(&draft("H34.01", &["G22"]));
    let target = |value, by| Target {
        indicator: Indicator::PersonalSignature,
        territory: Territory::Province(code("H34")),
        level: Some(Level::District),
        by: day(by),
        value: Some(value),
    };
    let targets =
        vec![target(500, "2020-12-31"), target(900, "2021-01-31"), target(1_000, "2021-01-05")];
    assert_eq!(hub.administer(Command::ChangeTargets(targets)), Decision::Done);
    let cubes = hub.machine.cubes();
    let question = IndicatorQuestion {
        period: Period { from: at("2020-12-01"), until: at("2021-01-01") },
        province: ordinal(&hub, "H34"),
        now: at("2021-01-01"),
        page_price: 500,
    };
    let all = &hub.machine.policy().targets;
    let places = source(&hub, &cubes).indicators(&question, all).unwrap();
    let place = places.iter().find(|place| place.level == Some(Level::District)).unwrap();
    let of = |indicator| place.figures.iter().find(|one| one.indicator == indicator).unwrap();
    let figure = of(Indicator::PersonalSignature);
    assert_eq!((figure.share.numerator, figure.share.denominator), (7, 11));
    assert_eq!((figure.share.value, figure.before.value), (Some(636), Some(200)));
    let states: Vec<_> = figure.targets.iter().map(|one| one.state).collect();
    // By day: the one that is met, the one that comes too soon, the one that can be reached.
    assert_eq!(states, [TargetState::Met, TargetState::Late, TargetState::OnCourse]);
    let holders: Vec<_> = figure.targets[1].holders.iter().map(|one| one.agency).collect();
    assert_eq!(holders, [hub.ordinal("H34.02")], "H34.01 signs every document personally");
    assert_eq!(of(Indicator::Growth).share.value, None, "below 100 there is no basis");
    let connected = of(Indicator::AgenciesConnected).share;
    assert_eq!(connected.numerator, 0, "whoever only sends is not connected");
    // The country's answer shows them beside the province, level by level.
    let country = IndicatorQuestion { province: None, ..question };
    let places = source(&hub, &cubes).indicators(&country, all).unwrap();
    let levels: Vec<_> = places.iter().filter(|place| place.level.is_some()).collect();
    let [shown] = levels[..] else { panic!("one level has targets: {levels:?}") };
    let area = Area::Province(hub.ordinal("H34"));
    assert_eq!((shown.area, shown.level), (area, Some(Level::District)));
    let of_country = shown.figures.iter().find(|one| one.indicator == figure.indicator).unwrap();
    let states_of_country: Vec<_> = of_country.targets.iter().map(|one| one.state).collect();
    assert_eq!(states_of_country, states);
    assert!(places.iter().any(|place| place.area == area && place.level.is_none()));
    let elsewhere =
        Target { territory: Territory::Province(code("H99")), ..target(1, "2021-01-01") };
    let refused = hub.administer(Command::ChangeTargets(vec![elsewhere]));
    assert!(matches!(refused, Decision::Refused(_)));
}

#[test]
fn what_comes_of_an_old_delivery_counts_where_it_was_made_and_hours_are_forgotten() {
    let mut hub = Hub::new();
    hub.now = at("2020-11-16T09:00:00+07:00");
    let (id, position) = hub.accepted(&draft("H34", &["G22"]));
    hub.cut();
    hub.now = hub.now.plus(DAY * 100);
    hub.acknowledge("G22", &[("G22", position)]);
    hub.report(&crate::harness::report("G22", "H34", id, StatusCode::Accepted));
    hub.cut();
    let cubes = hub.machine.cubes();
    let ask = |period, measure| {
        let answer = source(&hub, &cubes).ask(&Question::of(period, &[measure]).each(Grain::Month));
        answer.unwrap().unwrap().rows
    };
    let rows = ask(Period::ALL, Measure::Accepted);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].bucket, Some(at("2020-11-01")), "the month in which it was delivered");
    let hours = [b'f', Grain::Hour as u8];
    let kept = crate::harness::rows(&hub.state);
    assert!(!kept.keys().any(|key| key.starts_with(&hours)), "hours are kept for 90 days");
    let rows = ask(Period::ALL, Measure::Deliveries);
    assert_eq!((rows.len(), rows[0].values[0]), (1, Some(1)), "days and months stay");
    let by_hour = Question::of(WINDOW, &[Measure::Deliveries]).each(Grain::Hour);
    assert!(source(&hub, &cubes).ask(&by_hour).unwrap().is_err());
}
