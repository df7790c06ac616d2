//! Recall, update and replacement through the wire: receipts, marks, late acknowledgements, notices.

use crate::harness::raw::{Line, exchange, key};
use crate::harness::{World, code, document, next, reason, until, within};
use lienthong_client::{CallError, NoticeKind, TrackedDelivery, TrackedDocument};
use lienthong_model::{
    Business, BusinessKind, Change, ChangeEffect, ChangeKind, Document, MessageId, Reason,
    RecipientChange, Standing, StatusCode, Written,
};
use lienthong_wire::proto::subscribe_request::{NegativeAcknowledge, Request};

/// A document of H36 to H36.12 and H34, sent.
async fn sent(world: &World) -> Document {
    let document = document("H36", &["H36.12", "H34"]);
    world.client("H36").await.submit(world.sealed(&document)).await.unwrap();
    document
}

/// A document that acts on another.
fn acting(kind: BusinessKind, on: MessageId, to: &[&str]) -> Document {
    let mut acting = document("H36", to);
    let reason = "Có sai sót".to_owned();
    acting.business = Business { kind, acts_on: Some(on), reason, ..Business::default() };
    acting
}

fn of<'t>(tracked: &'t TrackedDocument, recipient: &str) -> &'t TrackedDelivery {
    let recipient = code(recipient);
    tracked.deliveries.iter().find(|delivery| delivery.recipient == recipient).unwrap()
}

#[tokio::test]
async fn a_recalls_receipt_says_what_it_means_for_each_recipient_also_when_it_comes_again() {
    let mut world = World::start().await;
    let document = sent(&world).await;
    let on = ("H36", document.id);
    let accepted = world.report("H34", on, StatusCode::Accepted, "");
    world.client("H34").await.report(accepted).await.unwrap();
    let sender = world.client("H36").await;
    let recall = world.report("H36", on, StatusCode::RecallRequested, "Gửi nhầm");
    let first = sender.report(recall.clone()).await.unwrap();
    let effects: Vec<_> =
        first.changes.iter().map(|one| (one.recipient.to_string(), one.kind, one.effect)).collect();
    assert_eq!(
        effects,
        [
            ("H36.12".to_owned(), ChangeKind::Recall, ChangeEffect::AtOnce),
            ("H34".to_owned(), ChangeKind::Recall, ChangeEffect::Asked),
        ]
    );
    world.restart().await;
    let again = sender.report(recall).await.unwrap();
    assert!(again.repeated);
    assert_eq!((again.changes, again.received_at), (first.changes, first.received_at));
    let tracked = sender.track(&code("H36"), document.id).await.unwrap();
    let withdrawn = of(&tracked, "H36.12");
    assert_eq!(withdrawn.mark.as_ref().unwrap().standing, Standing::Withdrawn);
    assert_eq!(withdrawn.mark.as_ref().unwrap().by.id, first.id);
    assert!(withdrawn.open.is_empty());
    let asked = of(&tracked, "H34");
    assert_eq!(asked.asked.as_ref().unwrap().reason, "Gửi nhầm");
    assert!(asked.open.contains(&StatusCode::ChangeAgreed));
}

#[tokio::test]
async fn what_was_withdrawn_is_not_delivered_and_its_recipient_hears_nothing_of_it() {
    let world = World::start().await;
    let first = sent(&world).await;
    let sender = world.client("H36").await;
    let recall = world.report("H36", ("H36", first.id), StatusCode::RecallRequested, "Gửi nhầm");
    sender.report(recall).await.unwrap();
    let second = sent(&world).await;
    let recipient = world.client("H36.12").await;
    let mut subscription = recipient.subscribe(&[], 4).await.unwrap();
    let delivery = next(&mut subscription).await;
    let read = lienthong_wire::decode_document(&delivery.signed.content).unwrap();
    assert_eq!(read.id, second.id);
    assert!(recipient.pull_notices(&code("H36.12"), 8).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_late_acknowledgement_is_told_of_the_withdrawal_and_so_is_the_recipient() {
    let world = World::start().await;
    let document = sent(&world).await;
    let mut exchange = exchange(&world, "H36.12").await;
    let mut line = Line::open(&mut exchange, &[], 4).await.unwrap();
    let delivery = line.delivery().await;
    let recall = world.report("H36", ("H36", document.id), StatusCode::RecallRequested, "Nhầm");
    let recall_id = world.client("H36").await.report(recall).await.unwrap().id;
    let recipient = world.client("H36.12").await;
    let recipients_key = lienthong_client::DeliveryKey {
        recipient: code("H36.12"),
        position: lienthong_model::Position(delivery.position),
    };
    let refused = recipient.acknowledge(&[recipients_key]).await.unwrap();
    assert_eq!(refused[0].1.reason, Reason::DocumentTakenBack);
    line.acknowledge(vec![key(&delivery)]).await;
    let refused = line.refused().await;
    assert_eq!(refused.0, [key(&delivery)]);
    assert_eq!(refused.1.reason, Reason::DocumentTakenBack);
    let notices = recipient.pull_notices(&code("H36.12"), 8).await.unwrap();
    assert_eq!(notices[0].kind, NoticeKind::Withdrawn);
    assert_eq!(notices[0].document, document.id);
    let cause = notices[0].cause.as_ref().unwrap();
    assert_eq!(
        (cause.id, cause.report.as_ref().unwrap().code),
        (recall_id, StatusCode::RecallRequested,)
    );
    let arrived = world.report("H36.12", ("H36", document.id), StatusCode::Arrived, "");
    assert_eq!(reason(recipient.report(arrived).await), Reason::DocumentTakenBack);
}

#[tokio::test]
async fn of_a_replaced_document_only_the_new_one_comes_and_nobody_reports_on_the_old() {
    let world = World::start().await;
    let old = sent(&world).await;
    let recipient = world.client("H34").await;
    let on = ("H36", old.id);
    recipient.report(world.report("H34", on, StatusCode::Accepted, "")).await.unwrap();
    let sender = world.client("H36").await;
    let new = acting(BusinessKind::Replace, old.id, &["H36.12", "H34"]);
    let receipt = sender.submit(world.sealed(&new)).await.unwrap();
    assert_eq!(receipt.changes.len(), 2);
    let other = world.client("H36.12").await;
    let pulled = other.pull(&code("H36.12"), 8).await.unwrap();
    assert_eq!(pulled.iter().map(|d| d.key.position).collect::<Vec<_>>(), [receipt.position]);
    let notices = recipient.pull_notices(&code("H34"), 8).await.unwrap();
    assert_eq!(notices[0].kind, NoticeKind::ReplacementRequested);
    assert_eq!(notices[0].cause.as_ref().unwrap().id, new.id);
    recipient.report(world.report("H34", on, StatusCode::ChangeAgreed, "")).await.unwrap();
    let finished = recipient.report(world.report("H34", on, StatusCode::Finished, "")).await;
    let Err(CallError::Refused(refusal)) = finished else { panic!("{finished:?}") };
    assert_eq!(refusal.reason, Reason::DocumentReplaced);
    assert!(refusal.to_string().contains(&new.id.to_string()), "{refusal}");
    let tracked = sender.track(&code("H36"), new.id).await.unwrap();
    assert_eq!(tracked.acts_on.unwrap().document.id, old.id);
    let tracked = sender.track(&code("H36"), old.id).await.unwrap();
    assert_eq!(tracked.changed.as_ref().unwrap().id, new.id);
    assert_eq!(of(&tracked, "H34").mark.as_ref().unwrap().standing, Standing::Replaced);
}

#[tokio::test]
async fn a_document_that_waits_is_pushed_with_the_mark_of_its_update_and_to_added_recipients() {
    let mut world = World::start().await;
    let old = sent(&world).await;
    let mut update = acting(BusinessKind::Update, old.id, &["H36.12"]);
    let added = Written::code("H36.30");
    update.business.recipient_changes =
        vec![RecipientChange { code: added, change: Change::Added }];
    let sender = world.client("H36").await;
    let receipt = sender.submit(world.sealed(&update)).await.unwrap();
    world.restart().await;
    let pulled = world.client("H36.12").await.pull(&code("H36.12"), 8).await.unwrap();
    assert_eq!(pulled.len(), 2);
    let mark = pulled[0].mark.as_ref().unwrap();
    assert_eq!((mark.standing, mark.by.id), (Standing::Updated, update.id));
    assert_eq!(pulled[1].mark, None);
    let pulled = world.client("H36.30").await.pull(&code("H36.30"), 8).await.unwrap();
    let positions: Vec<_> = pulled.iter().map(|delivery| delivery.key.position).collect();
    assert_eq!(positions.len(), 2, "the document and its update");
    assert_eq!(positions[1], receipt.position);
}

#[tokio::test]
async fn a_second_document_with_the_same_reference_is_flagged_in_receipt_and_track() {
    let world = World::start().await;
    let sender = world.client("H36").await;
    let first = sent(&world).await;
    let mut second = document("H36", &["H34"]);
    second.reference = first.reference.clone();
    let receipt = sender.submit(world.sealed(&second)).await.unwrap();
    assert_eq!(receipt.same_reference.unwrap().id, first.id);
    let again = sender.submit(world.sealed(&second)).await.unwrap();
    assert_eq!(again.same_reference.unwrap().id, first.id);
    let tracked = sender.track(&code("H36"), second.id).await.unwrap();
    assert_eq!(tracked.same_reference.unwrap().id, first.id);
    let tracked = sender.track(&code("H36"), first.id).await.unwrap();
    assert_eq!(tracked.same_reference, None);
}

#[tokio::test]
async fn why_a_delivery_could_not_be_taken_is_kept_and_shown_to_the_sender() {
    let mut world = World::start().await;
    let document = sent(&world).await;
    let sender = world.client("H36").await;
    {
        let mut exchange = exchange(&world, "H36.12").await;
        let mut line = Line::open(&mut exchange, &[], 4).await.unwrap();
        for why in ["Hết chỗ trên đĩa", "Vẫn hết chỗ"] {
            let delivery = line.delivery().await;
            line.say(Request::NegativeAcknowledge(NegativeAcknowledge {
                key: Some(key(&delivery)),
                reason: why.to_owned(),
                delay: Some(Default::default()),
            }))
            .await;
            line.say(Request::Credit(lienthong_wire::proto::subscribe_request::Credit { more: 1 }))
                .await;
        }
        line.delivery().await;
    }
    let said = async || {
        let tracked = sender.track(&code("H36"), document.id).await.unwrap();
        of(&tracked, "H36.12").negative.clone()
    };
    until("both are counted", async || said().await.is_some_and(|said| said.count == 2)).await;
    world.restart().await;
    let said = within("an answer", said()).await.unwrap();
    assert_eq!((said.count, said.last_reason.as_str()), (2, "Vẫn hết chỗ"));
}

#[tokio::test]
async fn what_was_decided_on_recalls_and_notices_comes_out_the_same_when_it_is_judged_again() {
    let mut world = World::start().await;
    let sender = world.client("H36").await;
    let recipient = world.client("H36.12").await;
    // One was pushed, one never was: who is told depends on it.
    let pushed = sent(&world).await;
    assert_eq!(recipient.pull(&code("H36.12"), 8).await.unwrap().len(), 1);
    let unseen = sent(&world).await;
    for document in [&pushed, &unseen] {
        let on = ("H36", document.id);
        let recall = world.report("H36", on, StatusCode::RecallRequested, "Gửi nhầm");
        sender.report(recall).await.unwrap();
    }
    let told = recipient.pull_notices(&code("H36.12"), 8).await.unwrap();
    assert_eq!(told.iter().map(|notice| notice.document).collect::<Vec<_>>(), [pushed.id]);
    recipient.acknowledge_notices(&code("H36.12"), &[told[0].key.number]).await.unwrap();
    let replaced = sent(&world).await;
    let new = acting(BusinessKind::Replace, replaced.id, &["H36.12", "H34"]);
    sender.submit(world.sealed(&new)).await.unwrap();
    world.stop().await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let data = world.data();
    let audit = lienthong_hub::Audit {
        data: &data,
        scratch: Some(scratch.path()),
        checkpoints: Vec::new(),
        redecide: true,
    };
    let report = audit.run(|_, _| {}).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let same = matches!(report.redecided, Some(lienthong_hub::Redecided::Same { .. }));
    assert!(same, "{:?}", report.redecided);
}
