//! How much may wait for one agency.

use crate::harness::{Draft, Hub, code, draft, open, reason, rows, state_of};
use lienthong_core::{Command, Decision};
use lienthong_model::limits::MAILBOX_FULL_AGAIN;
use lienthong_model::{Quota, Reason};

/// Two documents may wait for H36.
fn bounded() -> Hub {
    let mut hub = Hub::new();
    let quota = Quota { agency: Some(code("H36")), waiting_max: Some(2), ..Quota::default() };
    assert_eq!(hub.administer(Command::ChangeQuotas(vec![quota])), Decision::Done);
    hub
}

#[test]
fn a_full_mailbox_refuses_the_document_for_all_that_it_names_and_says_when_to_send_again() {
    let mut hub = bounded();
    let letter = draft("G22", &["H36"]);
    let (_, first) = hub.accepted(&letter);
    hub.accepted(&letter);
    let to_two = draft("G22", &["H34", "H36"]);
    let Decision::Refused(refusal) = hub.submit(&to_two) else { panic!("it is full") };
    assert_eq!(refusal.reason, Reason::MailboxFull);
    assert_eq!(refusal.retry_after_ms, Some(MAILBOX_FULL_AGAIN.as_millis() as u64));
    let violations: Vec<_> =
        refusal.violations.iter().map(|one| (one.field.as_str(), one.value.as_str())).collect();
    assert_eq!(violations, [("recipients[1].code", "H36: 2 wait")]);
    hub.acknowledge("H36", &[("H36", first)]);
    hub.accepted(&to_two);
    assert_eq!(reason(&hub.submit(&letter)), Reason::MailboxFull);
}

#[test]
fn a_list_goes_to_those_whose_mailboxes_have_room_and_says_who_was_left_out() {
    let mut hub = bounded();
    hub.accepted(&draft("G22", &["H36"]));
    hub.accepted(&draft("G22", &["H36"]));
    let to_list = Draft { lists: vec!["provinces".to_owned()], ..draft("G22", &[]) };
    let Decision::Accepted(accepted) = hub.submit(&to_list) else { panic!("H34 has room") };
    let left_out = accepted.left_out().iter().map(|left| (left.agency, left.reason));
    assert_eq!(left_out.collect::<Vec<_>>(), [(hub.ordinal("H36"), Reason::MailboxFull)]);
    assert_eq!(accepted.deliveries.len(), 1);
}

#[test]
fn what_waits_is_counted_again_by_a_machine_that_is_opened_anew() {
    let mut hub = bounded();
    let letter = draft("G22", &["H36"]);
    hub.accepted(&letter);
    hub.accepted(&letter);
    hub.cut();
    let state = state_of(rows(&hub.state), hub.state_marker());
    hub.machine = open(&state, &hub.payloads);
    assert_eq!(reason(&hub.submit(&letter)), Reason::MailboxFull);
}
