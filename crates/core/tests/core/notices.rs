//! Notices: what a sender is told, in which order, and what an acknowledgement takes away.

use crate::harness::{Hub, draft, report, rows};
use lienthong_core::{
    AcknowledgeNotices, Decision, NoticeKey, NoticeKind, NoticeNumber, NoticesAcknowledged,
    Proposal,
};
use lienthong_model::limits::NOTICES_ACKNOWLEDGED_MAX;
use lienthong_model::{MessageId, Position, StatusCode};

fn sent(hub: &mut Hub) -> MessageId {
    hub.accepted(&draft("G22", &["H34", "H36.01"])).0
}

/// Reports that are taken, as many as `count`, by H34 and H36.01 in turn.
fn reported(hub: &mut Hub, count: usize) {
    let mut made = 0;
    while made < count {
        let id = sent(hub);
        for from in ["H34", "H36.01"] {
            if made < count {
                let decision = hub.report(&report(from, "G22", id, StatusCode::Arrived));
                assert!(matches!(decision, Decision::Reported(_)), "{decision:?}");
                made += 1;
            }
        }
    }
}

fn acknowledged(hub: &mut Hub, agency: &str, numbers: &[u64], through: Option<u64>) -> Vec<u64> {
    let proposal = hub.notice_acknowledgement(agency, numbers, through);
    match hub.decide(proposal) {
        Decision::NoticesAcknowledged(NoticesAcknowledged { left, .. }) => {
            left.into_iter().map(|key| key.number.0).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_sender_is_told_of_every_report_and_nobody_else_is() {
    let mut hub = Hub::new();
    let id = sent(&mut hub);
    hub.now = hub.now.plus(crate::harness::HOUR);
    let refused = report("H34", "G22", id, StatusCode::Refused);
    let Decision::Reported(reported) = hub.report(&refused) else { panic!("refused") };
    assert_eq!(hub.notices_of("G22"), [1]);
    for other in ["H34", "H36.01", "H36", "G01"] {
        assert!(hub.notices_of(other).is_empty(), "{other}");
    }
    let notice = hub.query().notice(NoticeNumber(1)).unwrap().unwrap();
    assert_eq!(notice.kind, NoticeKind::Reported);
    assert_eq!((notice.to, notice.at), (hub.ordinal("G22"), hub.now));
    assert_eq!(notice.delivery, reported.delivery);
    let cause = notice.cause.unwrap();
    assert_eq!(cause.position, reported.position);
    assert_eq!(cause.status, Some(StatusCode::Refused));
    assert_eq!(cause.reason, refused.reason);
}

#[test]
fn the_cause_of_a_notice_is_the_entry_of_the_journal_that_holds_the_report() {
    let mut hub = Hub::new();
    let id = sent(&mut hub);
    let one = hub.report_proposal(&report("H34", "G22", id, StatusCode::Arrived));
    let other = hub.report_proposal(&report("H36.01", "G22", id, StatusCode::Accepted));
    hub.block(vec![one, other]);
    let blocks = hub.sealed();
    for (number, code) in [(1, StatusCode::Arrived), (2, StatusCode::Accepted)] {
        let cause = hub.query().notice(NoticeNumber(number)).unwrap().unwrap().cause.unwrap();
        let block = blocks.iter().find(|sealed| sealed.marker.block == cause.block).unwrap();
        match &block.block.entries[cause.entry as usize].command {
            lienthong_core::Command::Report(report) => assert_eq!(report.header.code, code),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_refused_or_repeated_report_tells_nothing() {
    let mut hub = Hub::new();
    let id = sent(&mut hub);
    let early = report("H34", "G22", id, StatusCode::Finished);
    assert!(matches!(hub.report(&early), Decision::Refused(_)));
    let mut arrived = report("H34", "G22", id, StatusCode::Arrived);
    arrived.id = Some(hub.signers.new_id(hub.now));
    arrived.signed_at = Some(hub.now);
    assert!(matches!(hub.report(&arrived), Decision::Reported(_)));
    assert!(matches!(hub.report(&arrived), Decision::Repeated(_)));
    assert_eq!(hub.notices_of("G22"), [1]);
}

#[test]
fn an_acknowledged_notice_leaves_its_mailbox_and_the_state() {
    let mut hub = Hub::new();
    reported(&mut hub, 3);
    assert_eq!(acknowledged(&mut hub, "G22", &[2, 9], None), [2]);
    assert_eq!(hub.notices_of("G22"), [1, 3]);
    assert_eq!(hub.query().notice(NoticeNumber(2)).unwrap(), None);
    let blocks = hub.sealed().len();
    assert!(acknowledged(&mut hub, "G22", &[2, 9], None).is_empty());
    assert_eq!(hub.sealed().len(), blocks, "what takes nothing away leaves no entry");
}

#[test]
fn all_up_to_a_number_leave_at_once_and_those_after_it_stay() {
    let mut hub = Hub::new();
    reported(&mut hub, 600);
    assert_eq!(acknowledged(&mut hub, "G22", &[599], Some(520)).len(), 521);
    let waiting = hub.notices_of("G22");
    assert_eq!(waiting.first(), Some(&521));
    assert_eq!(waiting.len(), 600 - 521);
    hub.cut();
    let notices = rows(&hub.state).keys().filter(|key| key[0] == b'n').count();
    assert_eq!(notices, 600 - 521);
}

#[test]
fn one_acknowledgement_takes_a_bounded_number_and_says_that_more_wait() {
    let mut hub = Hub::new();
    let count = NOTICES_ACKNOWLEDGED_MAX + 10;
    reported(&mut hub, count);
    let all = hub.notice_acknowledgement("G22", &[], Some(u64::MAX));
    let Decision::NoticesAcknowledged(taken) = hub.decide(all) else { panic!("refused") };
    assert_eq!((taken.left.len(), taken.more), (NOTICES_ACKNOWLEDGED_MAX, true));
    let all = hub.notice_acknowledgement("G22", &[], Some(u64::MAX));
    let Decision::NoticesAcknowledged(taken) = hub.decide(all) else { panic!("refused") };
    assert_eq!((taken.left.len(), taken.more), (10, false));
    assert!(hub.notices_of("G22").is_empty());
}

#[test]
fn nobody_acknowledges_for_an_agency_that_it_does_not_serve() {
    let mut hub = Hub::new();
    let (id, _) = hub.accepted(&draft("H36.01", &["H34"]));
    hub.report(&report("H34", "H36.01", id, StatusCode::Arrived));
    let key = NoticeKey { agency: hub.ordinal("H36.01"), number: NoticeNumber(1) };
    let by = |hub: &mut Hub, caller: &str| {
        let caller = hub.ordinal(caller);
        let acknowledge = AcknowledgeNotices { caller, keys: vec![key], through: Some(key) };
        match hub.decide(Proposal::AcknowledgeNotices(acknowledge)) {
            Decision::NoticesAcknowledged(taken) => taken.left,
            other => panic!("{other:?}"),
        }
    };
    assert!(by(&mut hub, "H34").is_empty());
    assert_eq!(by(&mut hub, "H36"), [key], "its gateway");
}

#[test]
fn whoever_delivers_is_told_what_enters_and_leaves_the_mailboxes() {
    let mut hub = Hub::new();
    let id = sent(&mut hub);
    let arrived = hub.report_proposal(&report("H34", "G22", id, StatusCode::Arrived));
    hub.machine.begin(hub.now);
    hub.machine.decide(arrived).unwrap();
    let mail = hub.machine.take_mail();
    let sender = hub.ordinal("G22");
    let settled = &mail.documents.settled;
    assert_eq!(settled.iter().map(|key| key.recipient).collect::<Vec<_>>(), [hub.ordinal("H34")]);
    let told = &mail.notices.arrived;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].recipient, told[0].position), (sender, Position(1)));
}
