//! The statuses of a delivery, against a model written from the picture in the field's terms.

use crate::harness::{BEGIN, Hub, ReportDraft, Signs, draft, reason, report};
use lienthong_core::{Decision, DeliveryRow};
use lienthong_model::{MessageId, Position, Reason, StatusCode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const BY_RECIPIENT: [StatusCode; 6] = [
    StatusCode::Arrived,
    StatusCode::Refused,
    StatusCode::Accepted,
    StatusCode::Assigned,
    StatusCode::Processing,
    StatusCode::Finished,
];

/// Whether `reported` may be followed by `next`: a recipient that has refused or finished is done;
/// 01 comes first or never, 02 only as long as nothing was accepted, 03 once; work is reported
/// after 03.
fn may_follow(reported: &[StatusCode], next: StatusCode) -> bool {
    let has = |code| reported.contains(&code);
    let done = has(StatusCode::Refused) || has(StatusCode::Finished);
    let accepted = has(StatusCode::Accepted);
    !done
        && match next {
            StatusCode::Arrived => reported.is_empty(),
            StatusCode::Refused | StatusCode::Accepted => !accepted,
            StatusCode::Assigned | StatusCode::Processing | StatusCode::Finished => accepted,
            StatusCode::RecallRequested | StatusCode::ChangeAgreed | StatusCode::ChangeRefused => {
                false
            }
        }
}

fn sent() -> (Hub, MessageId) {
    let mut hub = Hub::new();
    let (id, _) = hub.accepted(&draft("G22", &["H34", "G01"]));
    (hub, id)
}

fn delivery(hub: &Hub, recipient: &str) -> DeliveryRow {
    hub.query().delivery(Position(0), hub.ordinal(recipient)).unwrap().unwrap()
}

fn waits(hub: &Hub, recipient: &str) -> bool {
    use lienthong_core::{Mailbox as _, MailboxLane};
    let recipient = hub.ordinal(recipient);
    !hub.query().waiting(recipient, MailboxLane::Ordinary, None, 10).unwrap().is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_sequence_of_reports_is_taken_as_the_model_takes_it(
        codes in vec(select(StatusCode::ALL.to_vec()), 0..14),
    ) {
        let (mut hub, id) = sent();
        let mut reported = Vec::new();
        for code in codes.into_iter().filter(|code| code.by_recipient()) {
            let decision = hub.report(&report("H34", "G22", id, code));
            if may_follow(&reported, code) {
                prop_assert!(matches!(decision, Decision::Reported(_)), "{reported:?}, {code}");
                reported.push(code);
            } else {
                prop_assert_eq!(reason(&decision), Reason::StatusNotOpen);
            }
            let row = delivery(&hub, "H34");
            let lines: Vec<_> = row.statuses.iter().map(|line| line.code).collect();
            prop_assert_eq!(&lines, &reported);
            let open: Vec<_> = BY_RECIPIENT
                .into_iter()
                .filter(|code| may_follow(&reported, *code))
                .collect();
            prop_assert_eq!(row.open_statuses(), open);
        }
        prop_assert!(delivery(&hub, "G01").statuses.is_empty(), "the other recipient's are its own");
    }
}

#[test]
fn a_report_implies_that_the_delivery_was_acknowledged() {
    let (mut hub, id) = sent();
    assert!(waits(&hub, "H34"));
    hub.report(&report("H34", "G22", id, StatusCode::Arrived));
    let row = delivery(&hub, "H34");
    assert_eq!((row.acknowledged_at, row.attempts), (Some(BEGIN), 0));
    assert!(!waits(&hub, "H34"));
    assert!(waits(&hub, "G01"));
}

#[test]
fn a_report_does_not_change_the_moment_of_an_acknowledgement() {
    let (mut hub, id) = sent();
    hub.acknowledge("H34", &[("H34", Position(0))]);
    hub.now = hub.now.plus(crate::harness::HOUR);
    hub.report(&report("H34", "G22", id, StatusCode::Accepted));
    let row = delivery(&hub, "H34");
    assert_eq!((row.acknowledged_at, row.attempts), (Some(BEGIN), 1));
    assert_eq!(row.statuses[0].at, hub.now);
}

#[test]
fn who_reports_is_the_recipient_or_its_gateway() {
    let mut hub = Hub::new();
    let (id, _) = hub.accepted(&draft("G22", &["H36.01"]));
    let arrived = report("H36.01", "G22", id, StatusCode::Arrived);
    let stranger = ReportDraft { caller: Some("H34"), ..arrived.clone() };
    assert_eq!(reason(&hub.report(&stranger)), Reason::SenderNotEntitled);
    let unentitled = report("H36", "G22", id, StatusCode::Arrived);
    assert_eq!(reason(&hub.report(&unentitled)), Reason::DocumentUnknown, "not its own delivery");
    let signs = vec![Signs::Seal("H36"), Signs::Person("H36.01")];
    let gateways = ReportDraft { caller: Some("H36"), signs, ..arrived };
    assert!(matches!(hub.report(&gateways), Decision::Reported(_)));
}

#[test]
fn when_a_report_was_accepted_is_found_by_its_id() {
    let (mut hub, id) = sent();
    hub.now = hub.now.plus(crate::harness::HOUR);
    let report_id = hub.signers.new_id(hub.now);
    let draft =
        ReportDraft { id: Some(report_id), ..report("H34", "G22", id, StatusCode::Accepted) };
    hub.report(&draft);
    let reporter = hub.ordinal("H34");
    assert_eq!(hub.query().reported_at(reporter, &report_id).unwrap(), Some(hub.now));
    assert_eq!(hub.query().reported_at(hub.ordinal("G22"), &report_id).unwrap(), None);
    assert_eq!(hub.query().reported_at(hub.ordinal("G22"), &id).unwrap(), None, "a document's");
}
