//! For how long contents are kept: what the rows say of them.

use std::time::Duration;

use crate::harness::{Draft, Hub, acting, communes, draft, reason};
use lienthong_core::{Command, Decision};
use lienthong_model::limits::SLICE_RECIPIENTS;
use lienthong_model::{BusinessKind, Change, Digest, Position, Reason, Terms};

const DAY: Duration = Duration::from_secs(86_400);
const DAY_MS: u64 = 86_400_000;
const MAP: &[u8] = &[7; 70_000];

fn terms(days: Option<u64>) -> Terms {
    Terms { keep_content_ms: days.map(|days| days * DAY_MS), ..Terms::default() }
}

fn keep(hub: &mut Hub, days: u64) {
    assert_eq!(hub.administer(Command::SetTerms(terms(Some(days)))), Decision::Done);
}

fn with_map(to: &[&str]) -> Draft {
    Draft { uploaded: vec![MAP], ..draft("H36", to) }
}

fn sent(hub: &mut Hub, to: &[&str]) -> Position {
    hub.accepted(&with_map(to)).1
}

fn pass(hub: &mut Hub, days: u32) {
    hub.now = hub.now.plus(DAY * days);
    hub.rest();
}

fn expired(hub: &Hub) -> bool {
    let Some(kept_from) = hub.machine.policy().retention.kept_from(hub.now) else { return false };
    hub.query().content_expired(&Digest::of(MAP), kept_from).unwrap()
}

#[test]
fn a_content_expires_after_its_term_and_not_a_day_before() {
    let mut hub = Hub::new();
    keep(&mut hub, 200);
    let position = sent(&mut hub, &["H34"]);
    hub.acknowledge("H34", &[("H34", position)]);
    pass(&mut hub, 200);
    assert!(!expired(&hub));
    pass(&mut hub, 1);
    assert!(expired(&hub));
}

#[test]
fn without_a_term_contents_are_kept_for_ever() {
    let mut hub = Hub::new();
    let position = sent(&mut hub, &["H34"]);
    hub.acknowledge("H34", &[("H34", position)]);
    pass(&mut hub, 5_000);
    assert!(!expired(&hub));
}

#[test]
fn a_content_that_a_recipient_has_not_picked_up_is_kept() {
    let mut hub = Hub::new();
    keep(&mut hub, 200);
    let position = sent(&mut hub, &["H34", "G22"]);
    hub.acknowledge("H34", &[("H34", position)]);
    pass(&mut hub, 300);
    assert!(!expired(&hub));
    hub.acknowledge("G22", &[("G22", position)]);
    assert!(expired(&hub));
}

#[test]
fn a_file_lasts_as_long_as_the_newest_document_that_names_it() {
    let mut hub = Hub::new();
    keep(&mut hub, 200);
    let first = sent(&mut hub, &["H34"]);
    hub.acknowledge("H34", &[("H34", first)]);
    pass(&mut hub, 150);
    let second = sent(&mut hub, &["H34"]);
    hub.acknowledge("H34", &[("H34", second)]);
    pass(&mut hub, 100);
    assert!(!expired(&hub));
    pass(&mut hub, 101);
    assert!(expired(&hub));
}

#[test]
fn whoever_is_added_to_a_document_can_still_get_its_content() {
    let mut hub = Hub::new();
    keep(&mut hub, 200);
    let (id, position) = hub.accepted(&with_map(&["H34"]));
    hub.acknowledge("H34", &[("H34", position)]);
    let adding = |agency| Draft {
        changes: vec![(agency, Change::Added)],
        ..acting(BusinessKind::Update, "H36", id, &["H34"])
    };
    pass(&mut hub, 200);
    hub.accepted(&adding("G22"));
    pass(&mut hub, 1);
    assert!(!expired(&hub), "it waits for the one who was added");
    let refused = hub.submit(&adding("G01"));
    assert_eq!(reason(&refused), Reason::ContentExpired);
    hub.acknowledge("G22", &[("G22", position)]);
    assert!(expired(&hub));
}

#[test]
fn whoever_is_added_to_a_document_that_went_by_slices_can_still_get_its_content() {
    let mut hub = Hub::new();
    keep(&mut hub, 200);
    assert_eq!(hub.change(communes(SLICE_RECIPIENTS)), Decision::Done);
    let lists = vec!["communes-of:H34".to_owned()];
    let (id, position) = hub.accepted(&Draft { lists, uploaded: vec![MAP], ..draft("G22", &[]) });
    hub.rest();
    let named = (0..SLICE_RECIPIENTS).map(|n| format!("H34.C{n}"));
    let all: Vec<String> = named.chain(["H34.01.01".to_owned()]).collect();
    let taken = all.iter().map(|one| hub.acknowledgement(one, &[(one.as_str(), position)]));
    let taken: Vec<_> = taken.collect();
    hub.block(taken);
    let changes = vec![("G01", Change::Added)];
    let update = acting(BusinessKind::Update, "G22", id, &["H34.C0"]);
    hub.accepted(&Draft { changes, ..update });
    pass(&mut hub, 201);
    assert!(!expired(&hub), "it waits for the one who was added");
    hub.acknowledge("G01", &[("G01", position)]);
    assert!(expired(&hub));
}

#[test]
fn contents_are_kept_for_longer_than_recipients_are_waited_for() {
    let mut hub = Hub::new();
    for days in [0, 1, 119, 36_526] {
        let refused = hub.administer(Command::SetTerms(terms(Some(days))));
        assert_eq!(reason(&refused), Reason::FieldInvalid, "{days} days");
    }
    let silent = Terms { silent_ms: Some(300 * DAY_MS), ..terms(Some(300)) };
    assert_eq!(reason(&hub.administer(Command::SetTerms(silent))), Reason::FieldInvalid);
    keep(&mut hub, 120);
}
