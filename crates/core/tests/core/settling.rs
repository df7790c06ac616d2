//! What is settled leaves the state at hand, and nobody can tell: every decision and every row is
//! what it would be without.

use std::collections::BTreeMap;

use crate::harness::traffic::{Traffic, steps};
use crate::harness::{DAY, Hub, ReportDraft, draft, reason, report, rows};
use lienthong_core::{Command, Query};
use lienthong_core::{DeadlineKind, Decision, Mailbox as _, MailboxLane};
use lienthong_ledger::{JournalLimits, MemoryState, StateLimits};
use lienthong_model::{MessageId, Position, Reason, StatusCode, Terms};
use proptest::prelude::*;

fn settling(folder: &tempfile::TempDir) -> MemoryState {
    MemoryState::settling(folder.path(), 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_hub_that_lets_settled_rows_go_decides_as_one_that_keeps_them(steps in steps(1..140)) {
        let folder = tempfile::tempdir().unwrap();
        let mut keeps = Traffic::run(&steps);
        let state = MemoryState::settling(folder.path(), 3);
        let mut lets_go = Traffic::run_on(state, &steps);
        let hashes = |traffic: &Traffic| -> Vec<_> {
            traffic.hub.sealed().iter().map(|sealed| sealed.marker).collect()
        };
        prop_assert_eq!(hashes(&lets_go), hashes(&keeps));
        keeps.hub.cut();
        lets_go.hub.cut();
        prop_assert_eq!(rows(&lets_go.hub.state), rows(&keeps.hub.state));
    }

}

proptest! {
    // Each syncs hundreds of files.
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn a_state_on_disk_in_many_small_files_has_the_same_rows(steps in steps(1..100)) {
        let mut traffic = Traffic::run(&steps);
        traffic.hub.cut();
        let folder = tempfile::tempdir().unwrap();
        let limits = StateLimits {
            chunk_blocks: 4,
            recent_bytes: 1,
            open_runs_max: 1,
            settle_share: u64::MAX,
            ..StateLimits::default()
        };
        let opened = lienthong_ledger::DataFolder::open_with(
            folder.path(), JournalLimits::default(), limits,
        ).unwrap();
        let state = std::sync::Arc::new(opened.state);
        let payloads = traffic.hub.payloads.clone();
        let mut machine = lienthong_core::Machine::open(
            lienthong_core::Opening { state: state.clone(), payloads },
        ).unwrap();
        for sealed in traffic.hub.sealed() {
            machine.replay(&sealed).unwrap();
            if sealed.marker.block % 24 == 0 {
                machine.cut().unwrap();
                lienthong_core::engine::State::flush(&*state).unwrap();
                state.settled().unwrap();
            }
        }
        machine.cut().unwrap();
        let mut found = BTreeMap::new();
        lienthong_core::engine::Tables::scan(&*state, b"", b"", &mut |key, value| {
            found.insert(key.to_vec(), value.to_vec());
            true
        }).unwrap();
        let expected: BTreeMap<_, _> = rows(&traffic.hub.state)
            .into_iter()
            .map(|(key, value)| (key, value.to_vec()))
            .collect();
        prop_assert_eq!(found, expected);
    }
}

fn status(hub: &mut Hub, from: &'static str, document: MessageId, code: StatusCode) -> Decision {
    hub.report(&ReportDraft { reason: "lý do", ..report(from, "G22", document, code) })
}

fn finish(hub: &mut Hub, from: &'static str, document: MessageId) {
    for code in [StatusCode::Accepted, StatusCode::Finished] {
        assert!(matches!(status(hub, from, document, code), Decision::Reported(_)), "{code}");
    }
}

fn days_pass(hub: &mut Hub, days: u32) {
    hub.now = hub.now.plus(DAY * days);
    hub.rest();
    // A block, so that there is a cut.
    hub.accepted(&draft("H36", &["H34"]));
    hub.cut();
}

/// A document for two recipients, of whom one has finished and the other has accepted it.
fn half_done(folder: &tempfile::TempDir) -> (Hub, MessageId, Position) {
    let mut hub = Hub::on(settling(folder));
    let (id, position) = hub.accepted(&draft("G22", &["H34", "G01"]));
    finish(&mut hub, "H34", id);
    assert!(matches!(status(&mut hub, "G01", id, StatusCode::Accepted), Decision::Reported(_)));
    (hub, id, position)
}

/// Whether the rows of a document are in memory.
fn at_hand(hub: &Hub, position: Position) -> bool {
    let key = [b"d".as_slice(), &position.0.to_be_bytes()].concat();
    hub.state.is_at_hand(&key)
}

#[test]
fn a_document_stays_at_hand_until_its_last_recipient_has_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, id, position) = half_done(&folder);
    days_pass(&mut hub, 20);
    assert!(at_hand(&hub, position), "a recipient works on it");
    assert!(matches!(status(&mut hub, "G01", id, StatusCode::Finished), Decision::Reported(_)));
    days_pass(&mut hub, 1);
    assert!(!at_hand(&hub, position));
    let view = hub.query().track(position).unwrap().unwrap();
    assert_eq!((view.document.id, view.deliveries.len()), (id, 2));
    assert_eq!(Query(&hub.state).position(hub.ordinal("G22"), &id).unwrap(), Some(position));
}

#[test]
fn a_document_that_nobody_was_heard_of_for_ninety_days_is_settled_and_still_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, _, position) = half_done(&folder);
    days_pass(&mut hub, 88);
    assert!(at_hand(&hub, position));
    days_pass(&mut hub, 3);
    assert!(!at_hand(&hub, position));
    let (_, unread) = hub.accepted(&draft("G22", &["H36.01"]));
    days_pass(&mut hub, 91);
    days_pass(&mut hub, 1);
    assert!(!at_hand(&hub, unread));
    let waiting = |hub: &Hub| {
        let recipient = hub.ordinal("H36.01");
        hub.query().waiting(recipient, MailboxLane::Ordinary, None, 9).unwrap()
    };
    assert_eq!(waiting(&hub), [unread], "it waits in its mailbox for ever");
    let acknowledged = hub.acknowledge("H36.01", &[("H36.01", unread)]);
    assert!(matches!(acknowledged, Decision::Acknowledged(_)));
    assert!(waiting(&hub).is_empty());
}

#[test]
fn the_terms_say_how_long_silence_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::on(settling(&folder));
    let ten_days = Some(10 * 24 * 3_600_000);
    let terms = Terms { silent_ms: ten_days, ..Terms::default() };
    assert_eq!(hub.administer(Command::SetTerms(terms)), Decision::Done);
    let (_, position) = hub.accepted(&draft("G22", &["H34"]));
    days_pass(&mut hub, 9);
    assert!(at_hand(&hub, position));
    days_pass(&mut hub, 2);
    assert!(!at_hand(&hub, position));
    let looked_for = |hub: &Hub| {
        let sent = hub.query().sent_waiting(hub.ordinal("G22"), 9).unwrap();
        sent.documents.contains_key(&position)
    };
    assert!(looked_for(&hub), "the hub looks again every three days");
    days_pass(&mut hub, 3);
    assert!(!looked_for(&hub), "and stops when the silence has lasted");
    assert!(
        hub.query()
            .document(position)
            .unwrap()
            .unwrap()
            .lapsed
            .is_some_and(|lines| { lines.iter().any(|line| line.kind == DeadlineKind::PickUp) })
    );
}

#[test]
fn a_late_report_brings_a_settled_document_back_and_it_is_settled_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, id, position) = half_done(&folder);
    days_pass(&mut hub, 91);
    assert!(!at_hand(&hub, position));
    let delivery = |hub: &Hub| hub.query().delivery(position, hub.ordinal("G01")).unwrap().unwrap();
    let before = delivery(&hub).statuses.len();
    assert!(matches!(status(&mut hub, "G01", id, StatusCode::Assigned), Decision::Reported(_)));
    assert_eq!(delivery(&hub).statuses.len(), before + 1);
    days_pass(&mut hub, 5);
    let key =
        [b"v".as_slice(), &position.0.to_be_bytes(), &hub.ordinal("G01").0.to_be_bytes()].concat();
    assert!(hub.state.is_at_hand(&key), "something is expected of it again");
    assert!(matches!(status(&mut hub, "G01", id, StatusCode::Finished), Decision::Reported(_)));
    days_pass(&mut hub, 2);
    assert!(!hub.state.is_at_hand(&key));
    assert_eq!(delivery(&hub).statuses.len(), before + 2);
    // Nothing may follow, as if it had never left.
    let refused = status(&mut hub, "G01", id, StatusCode::Processing);
    assert_eq!(reason(&refused), Reason::StatusNotOpen);
}

#[test]
fn an_id_is_known_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::on(settling(&folder));
    let first = draft("G22", &["H34"]);
    let id = hub.signers.new_id(hub.now);
    let first = crate::harness::Draft { id: Some(id), signed_at: Some(hub.now), ..first };
    let (_, position) = hub.accepted(&first);
    finish(&mut hub, "H34", id);
    days_pass(&mut hub, 700);
    days_pass(&mut hub, 1);
    assert!(!at_hand(&hub, position));
    assert!(hub.state.settled_rows() > 3);
    assert_eq!(hub.submit(&first), Decision::Repeated(position));
    let other = crate::harness::Draft { subject: "Khác".to_owned(), ..first };
    assert_eq!(reason(&hub.submit(&other)), Reason::IdReused);
}
