//! Time: deadlines become notices, each once, in bounded pieces, and nothing is dropped.

use std::time::Duration;

use crate::harness::{
    DAY, Draft, HOUR, Hub, communes, draft, open, reason, report, rows, state_of,
};
use lienthong_core::{
    Command, DeadlineKind, Decision, Mailbox as _, MailboxLane, NoticeKind, NoticeMailbox,
    NoticeNumber, Proposal, Remind, RemindTo,
};
use lienthong_model::limits::{PICK_UP_WITHIN, TOLD_PER_TICK_MAX};
use lienthong_model::{MessageId, Position, Reason, StatusCode, Terms, Timestamp, Urgency};

const MINUTE: Duration = Duration::from_secs(60);

/// What an agency was told, in order: the kinds and the recipients named.
fn told(hub: &Hub, agency: &str) -> Vec<(NoticeKind, String)> {
    let (query, directory) = (hub.query(), hub.machine.policy().directory.clone());
    let mailbox = NoticeMailbox(&hub.state);
    let numbers = mailbox.waiting(hub.ordinal(agency), MailboxLane::Ordinary, None, 100_000);
    let notice = |number: &Position| {
        let row = query.notice(NoticeNumber(number.0)).unwrap().unwrap();
        (row.kind, directory.code(row.delivery.recipient, hub.now))
    };
    numbers.unwrap().iter().map(notice).collect()
}

fn kinds(hub: &Hub, agency: &str) -> Vec<NoticeKind> {
    told(hub, agency).into_iter().map(|(kind, _)| kind).collect()
}

/// Lets time pass, and the hub do what is due.
fn wait(hub: &mut Hub, time: Duration) {
    hub.now = hub.now.plus(time);
    hub.block(Vec::new());
    hub.rest();
}

fn lapsed(hub: &Hub, position: Position) -> Vec<(DeadlineKind, u32)> {
    let document = hub.query().document(position).unwrap().unwrap();
    document.lapsed.iter().flatten().map(|line| (line.kind, line.laggards)).collect()
}

#[test]
fn a_sender_is_told_once_who_has_not_picked_a_document_up_in_72_hours() {
    let mut hub = Hub::new();
    let (_, position) = hub.accepted(&draft("G22", &["H36", "H34", "H36.02"]));
    hub.acknowledge("H34", &[("H34", position)]);
    wait(&mut hub, PICK_UP_WITHIN - MINUTE);
    assert_eq!(kinds(&hub, "G22"), []);
    wait(&mut hub, MINUTE);
    assert_eq!(told(&hub, "G22"), [(NoticeKind::Undelivered, "H36".to_owned())]);
    assert_eq!(lapsed(&hub, position), [(DeadlineKind::PickUp, 2)]);
    wait(&mut hub, 30 * DAY);
    assert_eq!(kinds(&hub, "G22").len(), 1);
    // It stays available.
    let waiting = hub.query().waiting(hub.ordinal("H36"), MailboxLane::Ordinary, None, 10);
    assert_eq!(waiting.unwrap(), [position]);
}

#[test]
fn nobody_is_told_of_a_document_that_everybody_picked_up() {
    let mut hub = Hub::new();
    let (_, position) = hub.accepted(&draft("G22", &["H36", "H34"]));
    hub.acknowledge("H34", &[("H34", position)]);
    hub.acknowledge("H36", &[("H36", position)]);
    wait(&mut hub, 10 * DAY);
    assert_eq!(kinds(&hub, "G22"), []);
    assert_eq!(hub.machine.next_deadline(), None);
    let sent = hub.query().sent_waiting(hub.ordinal("G22"), 10).unwrap();
    assert!(sent.documents.is_empty());
    let left: Vec<_> = rows(&hub.state).into_keys().filter(|key| key[0] == b'z').collect();
    assert_eq!(left, Vec::<Vec<u8>>::new());
}

#[test]
fn what_was_picked_up_late_waits_no_more_when_the_hub_looks_again() {
    let mut hub = Hub::new();
    let (_, position) = hub.accepted(&draft("G22", &["H36"]));
    wait(&mut hub, PICK_UP_WITHIN);
    let waiting = |hub: &Hub| hub.query().sent_waiting(hub.ordinal("G22"), 10).unwrap();
    assert_eq!(waiting(&hub).documents.len(), 1);
    hub.acknowledge("H36", &[("H36", position)]);
    wait(&mut hub, PICK_UP_WITHIN);
    assert!(waiting(&hub).documents.is_empty());
    assert_eq!(hub.machine.next_deadline(), None);
    assert_eq!(kinds(&hub, "G22"), [NoticeKind::Undelivered]);
}

#[test]
fn when_the_due_date_is_over_the_sender_and_each_laggard_are_told() {
    let mut hub = Hub::new();
    let due = Some(hub.now.plus(2 * DAY));
    let draft = Draft { due, ..draft("G22", &["H36", "H34", "G01"]) };
    let (id, position) = hub.accepted(&draft);
    for code in [StatusCode::Accepted, StatusCode::Finished] {
        hub.report(&report("H34", "G22", id, code));
    }
    hub.report(&report("G01", "G22", id, StatusCode::Refused));
    hub.report(&report("H36", "G22", id, StatusCode::Accepted));
    let before = kinds(&hub, "G22").len();
    wait(&mut hub, 2 * DAY);
    assert_eq!(told(&hub, "G22")[before..], [(NoticeKind::Overdue, "H36".to_owned())]);
    assert_eq!(kinds(&hub, "H36"), [NoticeKind::OverdueHere]);
    for agency in ["H34", "G01"] {
        assert_eq!(kinds(&hub, agency), []);
    }
    assert_eq!(lapsed(&hub, position), [(DeadlineKind::Due, 1)]);
}

#[test]
fn an_hour_to_deliver_by_that_is_missed_is_told_to_the_sender() {
    let mut hub = Hub::new();
    let deliver_by = Some(hub.now.plus(HOUR));
    let urgency = Urgency::ExpressTimed;
    let draft = Draft { deliver_by, urgency, ..draft("G22", &["H36", "H34"]) };
    let (_, position) = hub.accepted(&draft);
    hub.acknowledge("H36", &[("H36", position)]);
    wait(&mut hub, HOUR);
    assert_eq!(told(&hub, "G22"), [(NoticeKind::DeliverByMissed, "H34".to_owned())]);
    assert_eq!(kinds(&hub, "H34"), []);
}

#[test]
fn how_long_recipients_may_take_is_set_by_an_act_for_documents_from_then_on() {
    let mut hub = Hub::new();
    hub.accepted(&draft("G01", &["H36"]));
    let (pick_up_ms, answer_ms) = (3_600_000, Some(2 * 3_600_000));
    let terms = Terms { pick_up_ms, answer_ms, ..Terms::default() };
    assert_eq!(hub.administer(Command::SetTerms(terms)), Decision::Done);
    let (_, position) = hub.accepted(&draft("G22", &["H36"]));
    wait(&mut hub, HOUR);
    assert_eq!(kinds(&hub, "G22"), [NoticeKind::Undelivered]);
    hub.acknowledge("H36", &[("H36", position)]);
    wait(&mut hub, HOUR);
    assert_eq!(kinds(&hub, "G22"), [NoticeKind::Undelivered, NoticeKind::Unanswered]);
    assert_eq!(kinds(&hub, "G01"), []);
    let none = Terms { pick_up_ms: 0, ..Terms::default() };
    assert_eq!(reason(&hub.administer(Command::SetTerms(none))), Reason::FieldInvalid);
}

fn remind(hub: &mut Hub, caller: &str, position: Position, to: RemindTo) -> Decision {
    let remind = Remind { caller: hub.ordinal(caller), position, to };
    let decision = hub.decide(Proposal::Remind(remind));
    hub.rest();
    decision
}

#[test]
fn a_reminder_is_told_to_the_laggards_only_and_at_most_once_a_day() {
    let mut hub = Hub::new();
    // In the middle of a minute: a reminder does not wait for its end.
    hub.now = hub.now.plus(Duration::from_secs(17));
    let (id, position) = hub.accepted(&draft("G22", &["H36", "H34", "G01"]));
    hub.report(&report("H34", "G22", id, StatusCode::Accepted));
    hub.acknowledge("G01", &[("G01", position)]);
    assert_eq!(remind(&mut hub, "G22", position, RemindTo::Answer), Decision::Reminded(2));
    for (agency, expected) in [("H36", 1), ("G01", 1), ("H34", 0)] {
        assert_eq!(kinds(&hub, agency), vec![NoticeKind::Reminder; expected], "{agency}");
    }
    let again = remind(&mut hub, "G22", position, RemindTo::Finish);
    assert_eq!(reason(&again), Reason::ReminderTooSoon);
    hub.now = hub.now.plus(DAY);
    assert_eq!(remind(&mut hub, "G22", position, RemindTo::PickUp), Decision::Reminded(1));
    assert_eq!(kinds(&hub, "H36").len(), 2);
    let stranger = remind(&mut hub, "H34", position, RemindTo::Finish);
    assert_eq!(reason(&stranger), Reason::DocumentUnknown);
}

fn to_all(hub: &Hub) -> Draft {
    let due = Some(hub.now.plus(DAY));
    Draft { lists: vec!["communes-of:H34".to_owned()], due, ..draft("G22", &[]) }
}

/// A hub with a document for 1,300 recipients, of which one has finished.
fn many() -> (Hub, MessageId, Position) {
    let mut hub = Hub::new();
    hub.change(communes(1_299));
    let draft = to_all(&hub);
    let (id, position) = hub.accepted(&draft);
    hub.rest();
    for code in [StatusCode::Accepted, StatusCode::Finished] {
        hub.report(&report("H34.C700", "G22", id, code));
    }
    (hub, id, position)
}

fn overdue_notices(hub: &Hub) -> usize {
    let communes = (0..1_299).map(|n| format!("H34.C{n}"));
    let count = |agency: String| {
        let told = kinds(hub, &agency);
        assert!(told.len() <= 1, "{agency} was told {told:?}");
        told.len()
    };
    communes.chain(["H34.01.01".to_owned()]).map(count).sum()
}

#[test]
fn many_laggards_are_told_slice_by_slice_each_once_and_the_sender_once() {
    let (mut hub, _, position) = many();
    hub.now = hub.now.plus(DAY);
    let mut blocks = 0;
    while hub.machine.next_deadline().is_some_and(|at| at <= hub.now) {
        let before = hub.sealed().len();
        hub.block(Vec::new());
        for sealed in hub.sealed().into_iter().skip(before) {
            for entry in &sealed.block.entries {
                let Decision::Ticked(ticked) = &entry.decision else { continue };
                let told = ticked.notices.as_ref().map_or(0, |notices| notices.told.len());
                assert!(told <= 2 * TOLD_PER_TICK_MAX, "{told} in one tick");
            }
        }
        blocks += 1;
        assert!(blocks < 20, "it does not end");
    }
    assert_eq!(blocks, 3);
    assert_eq!(overdue_notices(&hub), 1_299);
    assert_eq!(kinds(&hub, "G22").iter().filter(|kind| **kind == NoticeKind::Overdue).count(), 1);
    assert_eq!(lapsed(&hub, position), [(DeadlineKind::Due, 1_299)]);
}

#[test]
fn a_hub_that_was_killed_while_telling_many_goes_on_where_it_stopped() {
    let (mut hub, ..) = many();
    hub.now = hub.now.plus(DAY);
    hub.block(Vec::new());
    hub.cut();
    let (marker, state) = hub.cuts.last().unwrap().clone();
    let mut anew = open(&state_of(state, Some(marker)), &hub.payloads);
    assert_eq!(anew.next_deadline(), hub.machine.next_deadline());
    for _ in 0..2 {
        hub.machine.begin(hub.now);
        anew.begin(hub.now);
        while let Some(work) = hub.machine.next_work() {
            let decision = hub.machine.decide(Proposal::Work(work)).unwrap();
            assert_eq!(anew.decide(Proposal::Work(work)).unwrap(), decision);
        }
        let (one, other) = (hub.machine.seal(), anew.seal());
        assert_eq!(one.map(|sealed| sealed.bytes), other.map(|sealed| sealed.bytes));
        hub.machine.commit().unwrap();
        anew.commit().unwrap();
    }
    assert_eq!(overdue_notices(&hub), 1_299);
}

#[test]
fn deadlines_of_many_documents_are_done_in_pieces_that_are_bounded() {
    let mut hub = Hub::new();
    for _ in 0..200 {
        hub.accepted(&draft("G22", &["H36"]));
    }
    hub.now = hub.now.plus(PICK_UP_WITHIN);
    hub.block(Vec::new());
    let first = kinds(&hub, "G22").len();
    assert!(first < 200, "{first} at once");
    hub.rest();
    assert_eq!(kinds(&hub, "G22").len(), 200);
}

#[test]
fn a_due_date_that_had_passed_when_the_document_came_is_told_at_once() {
    let mut hub = Hub::new();
    let due = Some(Timestamp::from_millis(hub.now.millis() - 1));
    hub.accepted(&Draft { due, ..draft("G22", &["H36"]) });
    wait(&mut hub, MINUTE);
    assert_eq!(kinds(&hub, "G22"), [NoticeKind::Overdue]);
    assert_eq!(kinds(&hub, "H36"), [NoticeKind::OverdueHere]);
}
