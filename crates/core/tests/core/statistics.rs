//! Statistics against a recount from what was accepted, whatever was cut between.

mod checks;
mod recounted;

use std::sync::RwLock;

use crate::harness::traffic::{Traffic, steps};
use crate::harness::{DAY, Draft, HOUR, Hub, Signs, at, code, day, draft, open, refused_request};
use lienthong_core::statistics::{
    Area, Cell, Cubes, Direction, Grain, IndicatorFigure, IndicatorQuestion, Measure, Period,
    Question, Share, TargetState, flows, refusals, visit_kind, volumes,
};
use lienthong_core::{Command, Decision, RefusalCount, RefusedRequests, Span};
use lienthong_model::{Indicator, Level, Ordinal, Reason, StatusCode, Target, Territory};
use proptest::prelude::*;

use checks::{
    WINDOW, check_backlog, check_connected, check_cubes, check_sums, counted, counted_progress,
    source,
};
use recounted::{recount, recount_progress};

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
        check_connected(&hub, &hub.machine.cubes());
        hub.cut();
        check_connected(&hub, &hub.machine.cubes());
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
fn a_delivery_younger_than_its_term_counts_neither_for_its_place_nor_for_its_agency() {
    let mut hub = Hub::new();
    let receive = |hub: &mut Hub, recipient: &'static str, processed: bool| {
        let (id, _) = hub.accepted(&draft("G22", &[recipient]));
        let codes = [StatusCode::Accepted, StatusCode::Assigned];
        for code in codes.into_iter().filter(|_| processed) {
            let decision = hub.report(&crate::harness::report(recipient, "G22", id, code));
            assert!(matches!(decision, Decision::Reported(_)), "{decision:?}");
        }
    };
    hub.now = at("2020-12-01T10:00+07:00");
    receive(&mut hub, "H34.01", true);
    receive(&mut hub, "H34.02", false);
    hub.now = at("2020-12-05T10:00+07:00");
    receive(&mut hub, "H34.01", false);
    receive(&mut hub, "H34.02", true);
    let target = Target {
        indicator: Indicator::Processed,
        territory: Territory::Province(code("H34")),
        level: None,
        by: day("2021-01-31"),
        value: Some(1_000),
    };
    assert_eq!(hub.administer(Command::ChangeTargets(vec![target])), Decision::Done);
    let cubes = hub.machine.cubes();
    let processed = |now: &str| {
        let question = IndicatorQuestion {
            period: Period { from: at("2020-12-01"), until: at("2021-01-01") },
            province: ordinal(&hub, "H34"),
            now: at(now),
            page_price: 500,
        };
        let targets = &hub.machine.policy().targets;
        let places = source(&hub, &cubes).indicators(&question, targets).unwrap();
        let place = places.iter().find(|place| place.level.is_none()).unwrap();
        let of = |one: &&IndicatorFigure| one.indicator == Indicator::Processed;
        let figure = place.figures.iter().find(of).unwrap();
        let share = |share: Share| (share.numerator, share.denominator);
        let holders = figure.targets[0].holders.iter();
        let holders: Vec<_> = holders.map(|one| (one.agency, share(one.share))).collect();
        (share(figure.share), holders)
    };
    let none_yet = ((0, 0), Vec::new());
    assert_eq!(processed("2020-12-06T09:00+07:00"), none_yet, "the first are not five days old");
    assert_eq!(processed("2020-12-06T23:59+07:00"), none_yet, "nor is all of their day");
    let holds_back = vec![(hub.ordinal("H34.02"), (0, 1))];
    assert_eq!(processed("2020-12-07"), ((1, 2), holds_back), "what came on the 5th is young");
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
