//! Statistics against a recount from what was accepted, whatever was cut between.

use std::collections::BTreeMap;

use crate::harness::traffic::{Traffic, steps};
use crate::harness::{DAY, Draft, HOUR, Hub, Signs, at, draft, open, refused_request};
use lienthong_core::statistics::{Cell, Direction, Period, flows, refusals, volumes};
use lienthong_core::{
    Accepted, Command, Decision, Delivery, Place, RefusalCount, RefusedRequests, Span, Submit,
};
use lienthong_model::{Level, Ordinal, Position, Reason};
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
        let name = format!(
            "flow {} {:?} {} {:?} {}",
            time.hour().0,
            from.province,
            from.level,
            to.province,
            to.level
        );
        add(figures, name, 1, bytes);
        let name = kind(submit, accepted, to, Direction::Received, scope(from, to));
        add(figures, name, 1, u64::from(submit.header.pages));
    }
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
}

/// The same figures from the cubes.
fn counted(machine: &crate::harness::MemoryMachine, hub: &Hub, period: Period) -> Figures {
    let cubes = machine.cubes();
    let cubes = cubes.read().unwrap();
    let mut figures = Figures::new();
    let put = |figures: &mut Figures, name: String, sum: Cell| {
        add(figures, name, sum.count, sum.measure);
    };
    cubes
        .visit_kind(&hub.state, period, &mut |province, cell, sum| {
            let (level, direction, scope) = (cell.level, cell.direction, cell.scope);
            let (document_type, signature) = (cell.document_type, cell.signature);
            let paper = cell.paper_copy;
            put(&mut figures, format!("kind {province:?} {level} {direction:?} {scope} {document_type} {signature} {paper}"), sum);
        })
        .unwrap();
    cubes
        .visit_flow(&hub.state, period, &mut |hour, province, cell, sum| {
            let (from, to) = (cell.sender_level, cell.recipient_level);
            let name =
                format!("flow {} {province:?} {from} {:?} {to}", hour.0, cell.recipient_province);
            put(&mut figures, name, sum);
        })
        .unwrap();
    cubes
        .visit_refusals(&hub.state, period, &mut |province, reason, sum| {
            put(&mut figures, format!("refused {province:?} {reason}"), sum);
        })
        .unwrap();
    figures
}

/// Law 8: the sum over provinces and the centre equals the total, by level too.
fn check_sums(hub: &Hub) {
    let cubes = hub.machine.cubes();
    let cubes = cubes.read().unwrap();
    let found = volumes(&cubes, &hub.state, Period::ALL).unwrap();
    let all: Vec<_> = found.provinces.values().chain([&found.centre]).collect();
    let sum = |of: fn(&&lienthong_core::statistics::Volume) -> u64| all.iter().map(of).sum::<u64>();
    assert_eq!(sum(|volume| volume.sent), found.totals.sent);
    assert_eq!(sum(|volume| volume.received), found.totals.received);
    for volume in &all {
        let levels = volume.by_level.values();
        assert_eq!(levels.clone().map(|level| level.sent).sum::<u64>(), volume.sent);
        assert_eq!(levels.clone().map(|level| level.received).sum::<u64>(), volume.received);
        let personal = levels.map(|level| level.personally_signed).sum::<u64>();
        assert_eq!(personal, volume.personally_signed);
    }
    let flows = flows(&cubes, &hub.state, Period::ALL).unwrap();
    assert_eq!(flows.iter().map(|flow| flow.deliveries).sum::<u64>(), found.totals.received);
    let refused = refusals(&cubes, &hub.state, Period::ALL).unwrap();
    let by_province: u64 = refused.by_province.values().sum();
    assert_eq!(by_province, refused.by_reason.values().sum::<u64>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_figure_is_that_of_a_recount(steps in steps(1..160)) {
        let traffic = Traffic::run(&steps);
        let mut hub = traffic.hub;
        let expected = recount(&hub);
        prop_assert_eq!(&counted(&hub.machine, &hub, Period::ALL), &expected);
        check_sums(&hub);
        hub.cut();
        prop_assert_eq!(&counted(&hub.machine, &hub, Period::ALL), &expected);
        let anew = open(&hub.state, &hub.payloads);
        prop_assert_eq!(&counted(&anew, &hub, Period::ALL), &expected);
    }

    #[test]
    fn a_period_and_the_rest_make_the_whole(steps in steps(1..100), hours in 0..60u64) {
        let hub = Traffic::run(&steps).hub;
        let middle = crate::harness::BEGIN.hour().start().plus(HOUR * u32::try_from(hours).unwrap());
        let cubes = hub.machine.cubes();
        let cubes = cubes.read().unwrap();
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
        let visit = &mut |province, cell: &lienthong_core::statistics::KindCell, sum: Cell| {
            if cell.direction == Direction::Sent {
                sent.push((province, cell.scope, sum.count, sum.measure));
            }
        };
        cubes.read().unwrap().visit_kind(&hub.state, Period::ALL, visit).unwrap();
        assert_eq!(sent, [(ordinal(&hub, "H34"), widest, 1, 3)]);
        let found = volumes(&cubes.read().unwrap(), &hub.state, Period::ALL).unwrap();
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
    let found = volumes(&hub.machine.cubes().read().unwrap(), &hub.state, Period::ALL).unwrap();
    let sent = |province, level| found.provinces[&hub.ordinal(province)].by_level[&level].sent;
    assert_eq!((sent("H34", Level::District), sent("H36", Level::Commune)), (1, 1));
}

#[test]
fn a_persons_signature_is_counted_and_a_seal_alone_is_not() {
    let mut hub = Hub::new();
    hub.accepted(&draft("H34.02", &["G22"]));
    hub.accepted(&Draft { signs: vec![Signs::Seal("H34.02")], ..draft("H34.02", &["G22"]) });
    let found = volumes(&hub.machine.cubes().read().unwrap(), &hub.state, Period::ALL).unwrap();
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
    let found = refusals(&hub.machine.cubes().read().unwrap(), &hub.state, Period::ALL).unwrap();
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
    let in_memory = |cubes: &lienthong_core::statistics::Cubes| {
        let nothing = lienthong_ledger::MemoryState::new();
        let flows = flows(cubes, &nothing, Period::ALL).unwrap();
        flows.iter().map(|flow| flow.deliveries).sum::<u64>()
    };
    assert_eq!(in_memory(&cubes.read().unwrap()), 1, "the hour before midnight is closed");
    let found = volumes(&cubes.read().unwrap(), &hub.state, Period::ALL).unwrap();
    assert_eq!((found.totals.sent, found.totals.received), (2, 2));
    let midnight = at("2020-11-17");
    for (from, until) in [(midnight.minus(DAY), midnight), (midnight, midnight.plus(DAY))] {
        let day = volumes(&cubes.read().unwrap(), &hub.state, Period { from, until }).unwrap();
        assert_eq!(day.totals.sent, 1);
    }
}
