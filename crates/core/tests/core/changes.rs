//! Recall, update, replace: what each does, one rule a test. The races are in `delivery_model`.

use std::sync::Arc;

use crate::harness::{BEGIN, Draft, HOUR, Hub, ReportDraft, acting, draft, reason, report};
use lienthong_core::{
    AcknowledgeOutcome, Acknowledged, Command, Decision, DeliveryKey, DeliveryRow, DocumentRow,
    MailboxLane, NegativeDelivery, NoticeKind, NoticeNumber, Proposal, Push, PushMarks,
};
use lienthong_model::limits::{CHANGES_PER_DOCUMENT_MAX, RECORD_BYTES_MAX};
use lienthong_model::{
    BusinessKind, Change, ChangeEffect, ChangeKind, MessageId, Position, Reason, Standing,
    StatusCode,
};

use StatusCode::{Accepted, Arrived, ChangeAgreed, ChangeRefused, Finished, RecallRequested};

/// A hub with a document of G22 to H34, G01 and H36.01.
fn sent() -> (Hub, MessageId, Position) {
    let mut hub = Hub::new();
    let (id, position) = hub.accepted(&draft("G22", &["H34", "G01", "H36.01"]));
    (hub, id, position)
}

fn row(hub: &Hub, position: Position, who: &str) -> DeliveryRow {
    hub.query().delivery(position, hub.ordinal(who)).unwrap().unwrap()
}

fn document(hub: &Hub, position: Position) -> DocumentRow {
    hub.query().document(position).unwrap().unwrap()
}

fn standing(hub: &Hub, position: Position, who: &str) -> Standing {
    row(hub, position, who).state().standing
}

fn told(hub: &Hub, who: &str) -> Vec<NoticeKind> {
    let query = hub.query();
    let numbers = hub.notices_of(who).into_iter();
    numbers.map(|n| query.notice(NoticeNumber(n)).unwrap().unwrap().kind).collect()
}

fn reported(hub: &mut Hub, who: &'static str, id: MessageId, codes: &[StatusCode]) {
    for code in codes {
        let decision = hub.report(&report(who, "G22", id, *code));
        assert!(matches!(decision, Decision::Reported(_)), "{who} {code}: {decision:?}");
    }
}

fn recall(hub: &mut Hub, id: MessageId, recipients: &[&'static str]) -> Decision {
    let asked = report("G22", "G22", id, RecallRequested);
    hub.report(&ReportDraft { recipients: recipients.to_vec(), ..asked })
}

fn waits(hub: &Hub, who: &str) -> Vec<Position> {
    use lienthong_core::Mailbox as _;
    hub.query().waiting(hub.ordinal(who), MailboxLane::Ordinary, None, 100).unwrap()
}

#[test]
fn a_recall_is_decided_for_each_recipient_by_how_far_it_has_come() {
    let (mut hub, id, position) = sent();
    reported(&mut hub, "G01", id, &[Arrived]);
    reported(&mut hub, "H36.01", id, &[Accepted, Finished]);
    let Decision::Reported(decided) = recall(&mut hub, id, &[]) else { panic!("refused") };
    let effects = |who: &str| {
        let change = decided.change.as_ref().unwrap();
        let who = hub.ordinal(who);
        change.deliveries.iter().find(|one| one.recipient == who).unwrap().effect
    };
    assert_eq!(effects("H34"), ChangeEffect::AtOnce);
    assert_eq!(effects("G01"), ChangeEffect::Asked);
    assert_eq!(effects("H36.01"), ChangeEffect::TooLate);
    assert_eq!(standing(&hub, position, "H34"), Standing::Withdrawn);
    assert!(waits(&hub, "H34").is_empty());
    assert_eq!(
        row(&hub, position, "G01").open_statuses(),
        [StatusCode::Refused, Accepted, ChangeAgreed, ChangeRefused,]
    );
    assert!(row(&hub, position, "H36.01").open_statuses().is_empty());
    assert_eq!(told(&hub, "G01"), [NoticeKind::RecallRequested]);
    assert_eq!(told(&hub, "H36.01"), []);
    let changed = document(&hub, position).changed.unwrap();
    assert_eq!((changed.number, changed.by.kind), (1, ChangeKind::Recall));
}

#[test]
fn a_recall_may_mean_some_recipients_only() {
    let (mut hub, id, position) = sent();
    recall(&mut hub, id, &["G01"]);
    assert_eq!(standing(&hub, position, "G01"), Standing::Withdrawn);
    assert_eq!(standing(&hub, position, "H34"), Standing::Stands);
    assert_eq!(waits(&hub, "H34"), [position]);
}

#[test]
fn a_late_acknowledgement_is_told_that_the_document_was_taken_back() {
    let (mut hub, id, position) = sent();
    recall(&mut hub, id, &["H34"]);
    let outcomes = vec![AcknowledgeOutcome::TakenBack];
    let answer = hub.acknowledge("H34", &[("H34", position)]);
    assert_eq!(answer, Decision::Acknowledged(Acknowledged { outcomes }));
    assert_eq!(row(&hub, position, "H34").acknowledged_at, None, "and leaves no trace");
}

#[test]
fn a_recipient_that_agrees_no_longer_has_the_document_and_one_that_refuses_goes_on() {
    let (mut hub, id, position) = sent();
    reported(&mut hub, "G01", id, &[Accepted]);
    reported(&mut hub, "H34", id, &[Accepted]);
    recall(&mut hub, id, &[]);
    reported(&mut hub, "G01", id, &[ChangeAgreed]);
    reported(&mut hub, "H34", id, &[ChangeRefused]);
    assert_eq!(standing(&hub, position, "G01"), Standing::Recalled);
    assert_eq!(standing(&hub, position, "H34"), Standing::Stands);
    let finished = hub.report(&report("G01", "G22", id, Finished));
    assert_eq!(reason(&finished), Reason::DocumentTakenBack);
    reported(&mut hub, "H34", id, &[Finished]);
    let again = hub.report(&report("H34", "G22", id, ChangeAgreed));
    assert_eq!(reason(&again), Reason::StatusNotOpen);
    let codes: Vec<_> = row(&hub, position, "G01").statuses.iter().map(|line| line.code).collect();
    assert_eq!(codes, [Accepted, RecallRequested, ChangeAgreed]);
}

#[test]
fn a_recall_that_comes_too_late_for_everybody_is_refused() {
    let (mut hub, id, _) = sent();
    for who in ["H34", "G01", "H36.01"] {
        reported(&mut hub, who, id, &[Accepted, Finished]);
    }
    assert_eq!(reason(&recall(&mut hub, id, &[])), Reason::RecallTooLate);
    let blocks = hub.sealed().len();
    let document = acting(BusinessKind::Recall, "G22", id, &["H34"]);
    assert_eq!(reason(&hub.submit(&document)), Reason::RecallTooLate);
    assert_eq!(hub.sealed().len(), blocks);
}

#[test]
fn whoever_finishes_while_a_recall_waits_has_answered_it() {
    let (mut hub, id, position) = sent();
    reported(&mut hub, "G01", id, &[Accepted]);
    recall(&mut hub, id, &["G01"]);
    reported(&mut hub, "G01", id, &[Finished]);
    assert_eq!(row(&hub, position, "G01").asked, None);
    let answer = hub.report(&report("G01", "G22", id, ChangeAgreed));
    assert_eq!(reason(&answer), Reason::StatusNotOpen);
}

#[test]
fn nobody_is_told_of_a_withdrawal_of_what_was_never_pushed_to_it() {
    let (mut hub, id, position) = sent();
    let marks = Arc::new(PushMarks::since(0));
    hub.machine.attend(marks.clone());
    let pushed = Push {
        consumer: None,
        recipient: hub.ordinal("H34"),
        lane: MailboxLane::Ordinary,
        position,
        attempt: 1,
    };
    marks.note(&[pushed]);
    recall(&mut hub, id, &[]);
    assert_eq!(told(&hub, "H34"), [NoticeKind::Withdrawn], "it may have it in hand");
    assert!(told(&hub, "G01").is_empty());
}

#[test]
fn a_document_of_kind_1_has_the_effect_of_a_13_and_is_delivered() {
    let (mut hub, id, position) = sent();
    reported(&mut hub, "G01", id, &[Arrived]);
    let recall = acting(BusinessKind::Recall, "G22", id, &["H34", "G01"]);
    let (recall_id, recall_at) = hub.accepted(&recall);
    assert_eq!(standing(&hub, position, "H34"), Standing::Withdrawn);
    assert_eq!(row(&hub, position, "G01").asked.unwrap().id, recall_id);
    assert_eq!(standing(&hub, position, "H36.01"), Standing::Stands, "it was not named");
    assert_eq!(waits(&hub, "H34"), [recall_at]);
    assert_eq!(waits(&hub, "G01"), [recall_at]);
    let acts_on = document(&hub, recall_at).acts_on.unwrap();
    assert_eq!((acts_on.id, acts_on.position), (id, position));
    reported(&mut hub, "G01", id, &[ChangeAgreed]);
    assert_eq!(standing(&hub, position, "G01"), Standing::Recalled);
}

#[test]
fn a_recall_itself_cannot_be_recalled_updated_or_replaced() {
    let (mut hub, id, _) = sent();
    let (recall_id, _) = hub.accepted(&acting(BusinessKind::Recall, "G22", id, &["H34"]));
    assert_eq!(reason(&recall(&mut hub, recall_id, &[])), Reason::FieldInvalid);
    let update = acting(BusinessKind::Update, "G22", recall_id, &["H34"]);
    assert_eq!(reason(&hub.submit(&update)), Reason::FieldInvalid);
}

#[test]
fn a_replacement_takes_the_place_of_what_was_not_picked_up_and_asks_elsewhere() {
    let (mut hub, id, position) = sent();
    reported(&mut hub, "G01", id, &[Arrived]);
    let new = acting(BusinessKind::Replace, "G22", id, &["H34", "G01", "H34.01"]);
    let (new_id, new_at) = hub.accepted(&new);
    assert_eq!(waits(&hub, "H34"), [new_at], "only the new one is delivered");
    assert_eq!(standing(&hub, position, "H34"), Standing::Replaced);
    assert_eq!(waits(&hub, "H34.01"), [new_at], "and to whoever never had the old one");
    assert_eq!(told(&hub, "G01"), [NoticeKind::ReplacementRequested]);
    reported(&mut hub, "G01", id, &[Accepted, ChangeAgreed]);
    let Decision::Refused(refusal) = hub.report(&report("G01", "G22", id, Finished)) else {
        panic!("a replaced document is no longer reported on")
    };
    assert_eq!(refusal.reason, Reason::DocumentReplaced);
    assert!(refusal.violations[0].value.contains(&new_id.to_string()), "{refusal}");
    let outcomes = vec![AcknowledgeOutcome::Replaced];
    let late = hub.acknowledge("H34", &[("H34", position)]);
    assert_eq!(late, Decision::Acknowledged(Acknowledged { outcomes }));
}

#[test]
fn a_replacement_reaches_those_who_have_finished_the_old_one_which_stays_finished() {
    let (mut hub, id, position) = sent();
    reported(&mut hub, "G01", id, &[Accepted, Finished]);
    let (_, new_at) = hub.accepted(&acting(BusinessKind::Replace, "G22", id, &["G01"]));
    assert_eq!(waits(&hub, "G01"), [new_at]);
    assert_eq!(standing(&hub, position, "G01"), Standing::Stands);
}

#[test]
fn an_updated_document_stands_and_is_marked() {
    let (mut hub, id, position) = sent();
    reported(&mut hub, "G01", id, &[Accepted]);
    let (update_id, update_at) =
        hub.accepted(&acting(BusinessKind::Update, "G22", id, &["H34", "G01"]));
    assert_eq!(waits(&hub, "H34"), [position, update_at], "both are delivered");
    assert_eq!(row(&hub, position, "H34").mark.unwrap().by.id, update_id);
    reported(&mut hub, "G01", id, &[ChangeAgreed, Finished]);
    assert_eq!(standing(&hub, position, "G01"), Standing::Updated);
    let on_update = hub.report(&report("G01", "G22", update_id, ChangeAgreed));
    let Decision::Refused(refusal) = on_update else { panic!("{on_update:?}") };
    assert_eq!(refusal.reason, Reason::StatusNotOpen);
    assert!(refusal.violations[0].value.contains(&id.to_string()), "{refusal}");
}

#[test]
fn an_update_adds_recipients_who_get_the_old_document_too_and_removes_others() {
    let (mut hub, id, position) = sent();
    reported(&mut hub, "G01", id, &[Arrived]);
    let changes =
        vec![("H34.01", Change::Added), ("G01", Change::Removed), ("H36.01", Change::Removed)];
    let update = acting(BusinessKind::Update, "G22", id, &["H34"]);
    let (_, update_at) = hub.accepted(&Draft { changes, ..update });
    assert_eq!(waits(&hub, "H34.01"), [position, update_at]);
    assert_eq!(standing(&hub, position, "H36.01"), Standing::Withdrawn);
    assert!(waits(&hub, "H36.01").is_empty());
    assert_eq!(told(&hub, "G01"), [NoticeKind::RecallRequested]);
    reported(&mut hub, "H34.01", id, &[Accepted]);
    let view = hub.query().track(position).unwrap().unwrap();
    assert_eq!(view.deliveries.len(), 4);
}

#[test]
fn a_change_of_recipients_that_cannot_be_is_refused_with_its_field() {
    let (mut hub, id, _) = sent();
    let update = |kind, changes: Vec<(&'static str, Change)>| Draft {
        changes,
        ..acting(kind, "G22", id, &["H34"])
    };
    use BusinessKind::{Replace, Update};
    let cases = [
        (update(Update, vec![("G01", Change::Added)]), Reason::RecipientChangeInvalid),
        (update(Update, vec![("H34.01", Change::Removed)]), Reason::RecipientChangeInvalid),
        (update(Update, vec![("H34", Change::Removed)]), Reason::RecipientChangeInvalid),
        (update(Replace, vec![("H34.01", Change::Added)]), Reason::RecipientChangeInvalid),
        (update(Update, vec![("H99", Change::Added)]), Reason::RecipientUnknown),
        (update(Update, vec![("H36.03", Change::Added)]), Reason::RecipientSuspended),
        (
            update(Update, vec![("H34.01", Change::Added), ("H34.01", Change::Added)]),
            Reason::RecipientChangeInvalid,
        ),
    ];
    for (draft, expected) in cases {
        let Decision::Refused(refusal) = hub.submit(&draft) else { panic!("{draft:?}") };
        assert_eq!(refusal.reason, expected, "{draft:?}");
        let field = &refusal.violations[0].field;
        assert!(field.starts_with("business.recipient_changes["), "{field}");
    }
}

#[test]
fn what_a_document_acts_on_must_be_its_senders_and_have_a_reason_and_the_recipients() {
    let (mut hub, id, _) = sent();
    use BusinessKind::{Recall, Replace, Update};
    let report_id = hub.signers.new_id(hub.now);
    let arrived = report("H34", "G22", id, Arrived);
    hub.report(&ReportDraft { id: Some(report_id), ..arrived });
    for kind in [Recall, Update, Replace] {
        let acting = |from, on, to| acting(kind, from, on, to);
        let cases = [
            (acting("G01", id, &["H34"]), Reason::DocumentUnknown),
            (acting("H34", report_id, &["G01"]), Reason::DocumentUnknown),
            (Draft { acts_on: None, ..acting("G22", id, &["H34"]) }, Reason::FieldMissing),
            (Draft { reason: " ".into(), ..acting("G22", id, &["H34"]) }, Reason::ReasonMissing),
        ];
        for (draft, expected) in cases {
            assert_eq!(reason(&hub.submit(&draft)), expected, "{kind:?} {draft:?}");
        }
        let stranger = hub.submit(&acting("G22", id, &["H34.01"]));
        match kind {
            Replace => assert!(matches!(stranger, Decision::Accepted(_))),
            _ => assert_eq!(reason(&stranger), Reason::NotARecipient),
        }
    }
}

#[test]
fn changes_of_one_document_are_limited() {
    let (mut hub, id, _) = sent();
    reported(&mut hub, "G01", id, &[Accepted]);
    for _ in 0..CHANGES_PER_DOCUMENT_MAX {
        assert!(matches!(recall(&mut hub, id, &["G01"]), Decision::Reported(_)));
    }
    assert_eq!(reason(&recall(&mut hub, id, &["G01"])), Reason::ChangeLimit);
    reported(&mut hub, "G01", id, &[ChangeRefused]);
}

#[test]
fn a_recall_again_is_given_its_first_position() {
    let (mut hub, id, _) = sent();
    let asked = report("G22", "G22", id, RecallRequested);
    let asked =
        ReportDraft { id: Some(hub.signers.new_id(BEGIN)), signed_at: Some(BEGIN), ..asked };
    let Decision::Reported(first) = hub.report(&asked) else { panic!("refused") };
    hub.now = hub.now.plus(HOUR);
    assert_eq!(hub.report(&asked), Decision::Repeated(first.position));
    let place = hub.query().report_place(hub.ordinal("G22"), &asked.id.unwrap()).unwrap();
    assert_eq!(place.unwrap().at, BEGIN);
}

// References.

#[test]
fn a_second_new_document_with_the_same_reference_is_accepted_and_flagged() {
    let mut hub = Hub::new();
    let same = |hub: &mut Hub, draft: &Draft| {
        let (_, position) = hub.accepted(draft);
        document(hub, position).same_reference
    };
    let letter = draft("G22", &["H34"]);
    let (id, first) = hub.accepted(&letter);
    assert_eq!(document(&hub, first).same_reference, None);
    assert_eq!(same(&mut hub, &letter), Some(first));
    assert_eq!(same(&mut hub, &letter), Some(first), "the first one, not the last");
    assert_eq!(same(&mut hub, &draft("G01", &["H34"])), None, "another sender's is its own");
    assert_eq!(same(&mut hub, &Draft { number: 16, ..letter.clone() }), None);
    let update = acting(BusinessKind::Update, "G22", id, &["H34"]);
    assert_eq!(same(&mut hub, &update), None, "an update carries it by right");
}

#[test]
fn references_beyond_what_a_page_holds_are_found_as_well() {
    use lienthong_model::limits::REFERENCES_PAGE_MAX;
    let mut hub = Hub::new();
    // The same number with many notations lies on one page.
    let with = |n: usize| {
        let mut letter = draft("G22", &["H34"]);
        letter.unit = format!("U{n}");
        letter
    };
    let mut first = Vec::new();
    for n in 0..REFERENCES_PAGE_MAX + 20 {
        first.push(hub.accepted(&with(n)).1);
    }
    for n in [0, REFERENCES_PAGE_MAX - 1, REFERENCES_PAGE_MAX, REFERENCES_PAGE_MAX + 19] {
        let (_, again) = hub.accepted(&with(n));
        assert_eq!(document(&hub, again).same_reference, Some(first[n]), "{n}");
    }
}

// Deliveries that could not be taken.

#[test]
fn a_delivery_that_could_not_be_taken_keeps_count_and_last_reason() {
    let (mut hub, id, position) = sent();
    let count = |decision| match decision {
        Decision::NegativelyAcknowledged(counts) => counts.first().copied().unwrap_or(0),
        other => panic!("{other:?}"),
    };
    let said = hub.negative("H34", position, 1);
    assert_eq!(count(hub.decide(said)), 1);
    hub.now = hub.now.plus(HOUR);
    let said = hub.negative("H34", position, 3);
    assert_eq!(count(hub.decide(said)), 4);
    let negative = row(&hub, position, "H34").negative.unwrap();
    assert_eq!((negative.count, negative.at), (4, hub.now));
    assert_eq!(negative.reason, "Hết chỗ");
    let blocks = hub.sealed().len();
    reported(&mut hub, "G01", id, &[Arrived]);
    for who in ["G01", "H36.02"] {
        let said = hub.negative(who, position, 1);
        assert_eq!(count(hub.decide(said)), 0, "{who}");
    }
    assert_eq!(hub.sealed().len(), blocks + 1, "what counts nothing leaves no entry");
}

#[test]
fn of_deliveries_that_could_not_be_taken_only_those_that_count_are_journalled() {
    let (mut hub, _, position) = sent();
    let Proposal::NegativeAcknowledge(mut said) = hub.negative("H34", position, 2) else {
        unreachable!()
    };
    let counts = said.deliveries[0].clone();
    let strange = |position, recipient| NegativeDelivery {
        key: DeliveryKey { position, recipient },
        ..counts.clone()
    };
    said.deliveries.insert(0, strange(Position(9_999), counts.key.recipient));
    said.deliveries.push(strange(position, hub.ordinal("G01")));
    let decision = hub.decide(Proposal::NegativeAcknowledge(said));
    assert_eq!(decision, Decision::NegativelyAcknowledged(vec![2]));
    let last = hub.sealed().pop().unwrap();
    let Command::NegativeAcknowledge(journalled) = &last.block.entries[0].command else {
        panic!("{:?}", last.block.entries)
    };
    assert_eq!(journalled.deliveries, [counts]);
}

#[test]
fn what_would_make_a_record_above_the_bound_is_refused_and_leaves_no_entry() {
    let (mut hub, _, position) = sent();
    let blocks = hub.sealed().len();
    let mut say = |bytes| {
        let Proposal::NegativeAcknowledge(mut said) = hub.negative("H34", position, 1) else {
            unreachable!()
        };
        said.deliveries[0].reason = "x".repeat(bytes);
        (hub.decide(Proposal::NegativeAcknowledge(said)), hub.sealed().len() - blocks)
    };
    let (refused, left) = say(RECORD_BYTES_MAX);
    assert_eq!((reason(&refused), left), (Reason::ContentTooLarge, 0));
    let (taken, left) = say(300);
    assert_eq!((taken, left), (Decision::NegativelyAcknowledged(vec![1]), 1));
}
