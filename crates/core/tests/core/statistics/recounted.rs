//! Every figure counted again from what was accepted, by other code than the hub's.

use std::collections::BTreeMap;

use crate::harness::Hub;
use lienthong_core::statistics::{Cell, Direction, Figure};
use lienthong_core::{
    Accepted, AcknowledgeOutcome, Command, Decision, Delivery, DeliveryKey, Entry, NoticeKind,
    Place, RefusalCount, Span, Submit,
};
use lienthong_model::{ChangeEffect, ChangeKind, Ordinal, Position, StatusCode, Timestamp};

/// Every figure under a name that says all of its coordinates.
pub type Figures = BTreeMap<String, Cell>;

pub fn add(figures: &mut Figures, name: String, count: u64, measure: u64) {
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
pub fn recount(hub: &Hub) -> Figures {
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
pub fn recount_progress(hub: &Hub) -> Figures {
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
pub fn bucket_of(millis: i64) -> usize {
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
