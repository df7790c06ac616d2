//! Fan-out by slices: accepted at once, delivered to everybody exactly once, urgent first, beside
//! other work, and counted without looking at every delivery.

use std::collections::BTreeSet;

use crate::harness::{Draft, Hub, acting, communes, draft, open, reason, report, rows, state_of};
use lienthong_core::statistics::{Period, volumes};
use lienthong_core::{Accepted, Decision, MailboxLane, ProgressCounts, Stage, Work};
use lienthong_core::{Mailbox as _, Proposal, codec};
use lienthong_model::limits::{RECIPIENTS_MAX, SLICE_RECIPIENTS, WORK_PER_BLOCK_MAX};
use lienthong_model::{BusinessKind, Change, Ordinal, Position, Reason, StatusCode, Urgency};

/// A hub whose province H34 has so many communes, one of them the harness's own.
fn hub(count: usize) -> Hub {
    let mut hub = Hub::new();
    hub.change(communes(count - 1));
    hub
}

fn to_all(urgency: Urgency) -> Draft {
    Draft { lists: vec!["communes-of:H34".to_owned()], urgency, ..draft("G22", &[]) }
}

fn submit(hub: &mut Hub, draft: &Draft) -> Accepted {
    match hub.submit(draft) {
        Decision::Accepted(accepted) => accepted,
        other => panic!("{draft:?}: {other:?}"),
    }
}

fn progress(hub: &Hub, position: Position) -> ProgressCounts {
    let document = hub.query().document(position).unwrap().unwrap();
    hub.query().progress(position, &document).unwrap()
}

/// How often a document lies in the mailboxes of all agencies.
fn in_mailboxes(hub: &Hub, position: Position) -> Vec<Ordinal> {
    let agencies = hub.machine.policy().directory.agencies().to_vec();
    let lanes = [MailboxLane::Urgent, MailboxLane::Ordinary];
    let mut found = Vec::new();
    for agency in agencies {
        for lane in lanes {
            let waiting = hub.query().waiting(agency.ordinal, lane, None, 1_000).unwrap();
            found.extend(waiting.into_iter().filter(|at| *at == position).map(|_| agency.ordinal));
        }
    }
    found
}

fn received(hub: &Hub) -> u64 {
    let cubes = hub.machine.cubes();
    volumes(&cubes, &hub.state, Period::ALL).unwrap().totals.received
}

#[test]
fn a_document_for_a_slice_or_less_goes_to_everybody_at_once() {
    let mut hub = hub(SLICE_RECIPIENTS);
    let accepted = submit(&mut hub, &to_all(Urgency::Normal));
    assert_eq!(accepted.deliveries.len(), SLICE_RECIPIENTS);
    assert_eq!(hub.rest(), 0);
    let progress = progress(&hub, accepted.position);
    assert_eq!((progress.recipients, progress.waiting, progress.pending), (256, 256, 0));
}

#[test]
fn more_recipients_than_a_slice_get_it_in_the_blocks_that_follow_each_exactly_once() {
    let mut hub = hub(1_300);
    let accepted = submit(&mut hub, &to_all(Urgency::Normal));
    assert!(accepted.deliveries.is_empty());
    assert_eq!(accepted.recipients(), 1_300);
    let position = accepted.position;
    let first = progress(&hub, position);
    assert_eq!((first.recipients, first.waiting, first.pending), (1_300, 0, 1_300));
    // A block has room for two slices.
    hub.block(Vec::new());
    let second = progress(&hub, position);
    assert_eq!((second.recipients, second.waiting, second.pending), (1_300, 512, 788));
    let blocks = 1 + hub.rest();
    assert_eq!(blocks, (1_300usize.div_ceil(SLICE_RECIPIENTS)).div_ceil(WORK_PER_BLOCK_MAX));
    let last = progress(&hub, position);
    assert_eq!((last.recipients, last.waiting, last.pending), (1_300, 1_300, 0));
    let found = in_mailboxes(&hub, position);
    assert_eq!(found.len(), 1_300);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 1_300);
    assert_eq!(hub.query().track(position).unwrap().unwrap().deliveries.len(), 1_300);
    assert_eq!(received(&hub), 1_300);
}

#[test]
fn a_slice_that_was_delivered_is_not_delivered_again() {
    let mut hub = hub(600);
    submit(&mut hub, &to_all(Urgency::Normal));
    let Some(work) = hub.machine.next_work() else { panic!("a slice waits") };
    let again = hub.block(vec![Proposal::Work(work)]);
    assert_eq!(again, [Decision::Done]);
    hub.rest();
    assert_eq!(received(&hub), 600);
}

#[test]
fn an_urgent_documents_slices_go_before_those_of_an_ordinary_one() {
    let mut hub = hub(1_300);
    let ordinary = submit(&mut hub, &to_all(Urgency::Normal));
    let urgent = submit(&mut hub, &to_all(Urgency::Express));
    assert_eq!(progress(&hub, ordinary.position).pending, 788);
    assert_eq!(progress(&hub, urgent.position).pending, 1_300);
    let Some(Work::Slice(next)) = hub.machine.next_work() else { panic!("a slice waits") };
    assert_eq!(next.position, urgent.position);
    for _ in 0..3 {
        hub.block(Vec::new());
    }
    assert_eq!(progress(&hub, urgent.position).pending, 0);
    assert_eq!(progress(&hub, ordinary.position).pending, 788);
    assert_eq!(in_mailboxes(&hub, urgent.position).len(), 1_300);
}

#[test]
fn an_entry_of_the_journal_stays_small_with_twelve_thousand_recipients() {
    let mut hub = hub(12_000);
    hub.block(Vec::new());
    let accepted = submit(&mut hub, &to_all(Urgency::Normal));
    hub.rest();
    let sizes = hub.sealed().into_iter().filter(|sealed| !sealed.block.entries.is_empty());
    let since =
        sizes.filter(|sealed| {
            sealed.block.entries.iter().any(|entry| {
                matches!(entry.decision, Decision::Accepted(_) | Decision::FannedOut(_))
            })
        });
    let sizes: Vec<usize> = since.map(|sealed| sealed.bytes.len()).collect();
    assert_eq!(sizes.len(), 25);
    println!("bytes of the blocks: {sizes:?}");
    assert!(sizes.iter().all(|bytes| *bytes <= 64 * 1024), "{sizes:?}");
    assert!(codec::encoded_len(&accepted) < 48 * 1024);
    assert_eq!(progress(&hub, accepted.position).waiting, 12_000);
    assert_eq!(received(&hub), 12_000);
}

#[test]
fn counts_follow_what_recipients_do_and_add_up() {
    let mut hub = hub(600);
    let (id, position) = hub.accepted(&to_all(Urgency::Normal));
    hub.rest();
    hub.acknowledge("H34.C5", &[("H34.C5", position)]);
    hub.report(&report("H34.C6", "G22", id, StatusCode::Arrived));
    for code in [StatusCode::Accepted, StatusCode::Finished] {
        hub.report(&report("H34.C7", "G22", id, code));
    }
    hub.report(&report("H34.C300", "G22", id, StatusCode::Accepted));
    hub.report(&report("H34.C598", "G22", id, StatusCode::Refused));
    let found = progress(&hub, position);
    let expected = ProgressCounts {
        recipients: 600,
        pending: 0,
        waiting: 595,
        acknowledged: 1,
        arrived: 1,
        accepted: 1,
        finished: 1,
        refused: 1,
        withdrawn: 0,
    };
    assert_eq!(found, expected);
    assert_eq!((found.reached(Stage::Acknowledged), found.reached(Stage::Accepted)), (5, 2));
    let document = hub.query().document(position).unwrap().unwrap();
    let mut refused = Vec::new();
    let visit = &mut |recipient, stage| {
        if stage == Stage::Refused {
            refused.push(recipient);
        }
        true
    };
    hub.query().stages(position, &document, None, visit).unwrap();
    assert_eq!(refused, [hub.ordinal("H34.C598")]);
}

#[test]
fn recipients_are_visited_on_from_any_of_them() {
    let mut hub = hub(600);
    let (_, position) = hub.accepted(&to_all(Urgency::Normal));
    hub.rest();
    let document = hub.query().document(position).unwrap().unwrap();
    let from = |after: Option<Ordinal>| {
        let mut visited = Vec::new();
        let visit = &mut |recipient, _| {
            visited.push(recipient);
            visited.len() < 100
        };
        hub.query().stages(position, &document, after, visit).unwrap();
        visited
    };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = from(after);
        all.extend_from_slice(&page);
        after = page.last().copied();
        if page.is_empty() {
            break;
        }
    }
    assert_eq!(all.len(), 600);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 600);
}

#[test]
fn whom_an_update_adds_is_counted_and_visited_behind_the_others() {
    // The last page has room, or is full.
    for count in [600, 512] {
        let mut hub = hub(count as usize);
        let (id, position) = hub.accepted(&to_all(Urgency::Normal));
        hub.rest();
        for (added, known) in [("G01", count), ("H36", count + 1)] {
            let changes = vec![(added, Change::Added)];
            let update = acting(BusinessKind::Update, "G22", id, &["H34.C5"]);
            hub.accepted(&Draft { changes, ..update });
            let found = progress(&hub, position);
            assert_eq!((found.recipients, found.waiting, found.pending), (known + 1, known + 1, 0));
        }
        hub.report(&report("G01", "G22", id, StatusCode::Accepted));
        hub.acknowledge("H36", &[("H36", position)]);
        let found = progress(&hub, position);
        assert_eq!((found.accepted, found.acknowledged, found.waiting), (1, 1, count));
        let document = hub.query().document(position).unwrap().unwrap();
        let visited = |after: Option<Ordinal>| {
            let mut visited = Vec::new();
            let visit = &mut |recipient, stage| {
                visited.push((recipient, stage));
                true
            };
            hub.query().stages(position, &document, after, visit).unwrap();
            visited
        };
        let [g01, h36] = ["G01", "H36"].map(|code| hub.ordinal(code));
        let behind = [(g01, Stage::Accepted), (h36, Stage::Acknowledged)];
        assert_eq!(visited(None)[count as usize..], behind);
        assert_eq!(visited(Some(g01)), behind[1..]);
    }
}

#[test]
fn whoever_has_it_not_yet_cannot_act_on_it() {
    let mut hub = hub(1_300);
    let (id, position) = hub.accepted(&to_all(Urgency::Normal));
    let last = "H34.C1298";
    let decision = hub.report(&report(last, "G22", id, StatusCode::Accepted));
    assert_eq!(reason(&decision), Reason::DocumentUnknown);
    hub.rest();
    let decision = hub.report(&report(last, "G22", id, StatusCode::Accepted));
    assert!(matches!(decision, Decision::Reported(_)), "{decision:?}");
    assert_eq!(progress(&hub, position).accepted, 1);
}

#[test]
fn a_hub_that_was_killed_between_two_slices_goes_on_where_it_stopped() {
    for cut_after in 0..6 {
        let mut hub = hub(1_300);
        let (_, position) = hub.accepted(&to_all(Urgency::Normal));
        for _ in 0..cut_after {
            hub.block(Vec::new());
        }
        hub.cut();
        let (marker, state) = hub.cuts.last().unwrap().clone();
        let mut anew = open(&state_of(state, Some(marker)), &hub.payloads);
        assert_eq!(anew.next_work(), hub.machine.next_work());
        // Both go on and come to the same blocks.
        while let Some(work) = hub.machine.next_work() {
            hub.machine.begin(hub.now);
            anew.begin(hub.now);
            let one = hub.machine.decide(Proposal::Work(work)).unwrap();
            assert_eq!(anew.decide(Proposal::Work(work)).unwrap(), one);
            let (one, other) = (hub.machine.seal().unwrap(), anew.seal().unwrap());
            assert_eq!(one.bytes, other.bytes);
            hub.machine.commit().unwrap();
            anew.commit().unwrap();
        }
        assert_eq!(anew.next_work(), None);
        hub.machine.cut().unwrap();
        assert_eq!(in_mailboxes(&hub, position).len(), 1_300);
        let waiting = rows(&hub.state).keys().filter(|key| key.starts_with(b"pq")).count();
        assert_eq!(waiting, 0);
    }
}

#[test]
fn more_recipients_than_a_document_may_have_are_refused() {
    let mut hub = hub(RECIPIENTS_MAX);
    let mut draft = to_all(Urgency::Normal);
    draft.lists.push("ministries".to_owned());
    let decision = hub.submit(&draft);
    assert_eq!(reason(&decision), Reason::ContentTooLarge);
}

#[test]
fn slices_that_wait_are_bounded_and_the_refusal_says_when_to_try_again() {
    let mut hub = hub(RECIPIENTS_MAX);
    let mut accepted = 0;
    let refusal = loop {
        hub.machine.begin(hub.now);
        let proposal = hub.submission(&to_all(Urgency::Normal));
        match hub.machine.decide(proposal).unwrap() {
            Decision::Accepted(_) => accepted += 1,
            Decision::Refused(refusal) => break refusal,
            other => panic!("{other:?}"),
        }
        hub.machine.seal().unwrap();
        hub.machine.commit().unwrap();
    };
    assert_eq!(accepted, lienthong_model::limits::SLICES_WAITING_MAX / 64);
    assert_eq!(refusal.reason, Reason::Overloaded);
    assert!(refusal.retry_after_ms.is_some());
}
