//! Notices through the wire: what a sender learns of its recipients, over restarts.

use crate::harness::{World, code, document, reason, until, within};
use lienthong_client::{DocumentCheck, Notice, NoticeKind, NoticeSubscription, Roots};
use lienthong_model::{MessageId, Reason, StatusCode};

/// A document of H36 to H36.12 and H34.40, and what H36.12 reports on it.
async fn reported(world: &World, codes: &[StatusCode]) -> MessageId {
    let document = document("H36", &["H36.12", "H34.40"]);
    world.client("H36").await.submit(world.sealed(&document)).await.unwrap();
    let recipient = world.client("H36.12").await;
    for status in codes {
        let report = world.report("H36.12", ("H36", document.id), *status, "bước");
        recipient.report(report).await.unwrap();
    }
    document.id
}

async fn next(notices: &mut NoticeSubscription) -> Notice {
    within("a notice", notices.next()).await.expect("it is open").unwrap()
}

const THREE: [StatusCode; 3] = [StatusCode::Arrived, StatusCode::Accepted, StatusCode::Finished];

#[tokio::test]
async fn the_sender_receives_every_report_with_its_signed_bytes_and_verifies_it_again() {
    let world = World::start().await;
    let id = reported(&world, &THREE).await;
    let sender = world.client("H36").await;
    let mut notices = sender.subscribe_to_notices(&[], 8).await.unwrap();
    assert_eq!(notices.agencies(), [code("H36")]);
    let roots = Roots::new([world.pki.root().certificate().der().clone()]).unwrap();
    let check = DocumentCheck::new(&roots).unwrap();
    for status in THREE {
        let notice = next(&mut notices).await;
        assert_eq!(notice.kind, NoticeKind::Reported);
        assert_eq!((&notice.sender, notice.document), (&code("H36"), id));
        assert_eq!(notice.recipient, code("H36.12"));
        let cause = notice.cause.unwrap();
        let mut told = cause.report.unwrap();
        let report = check.check_report(&told, notice.at, None).unwrap();
        assert_eq!((report.code, report.document, report.id), (status, id, cause.id));
        told.code = StatusCode::Refused;
        let lied = check.check_report(&told, notice.at, None).unwrap_err();
        assert_eq!(lied.reason, Reason::FieldInvalid, "what the hub says is not believed");
    }
}

#[tokio::test]
async fn notices_come_again_until_they_are_acknowledged_and_never_after() {
    let mut world = World::start().await;
    reported(&world, &THREE).await;
    let sender = world.client("H36").await;
    let mut notices = sender.subscribe_to_notices(&[], 8).await.unwrap();
    let first = next(&mut notices).await;
    next(&mut notices).await;
    notices.acknowledge(std::slice::from_ref(&first.key)).await.unwrap();
    drop(notices);
    world.restart().await;
    let mut notices = sender.subscribe_to_notices(&[], 8).await.unwrap();
    let rest = [next(&mut notices).await, next(&mut notices).await];
    assert!(rest.iter().all(|notice| notice.key.number > first.key.number));
    let keys = rest.map(|notice| notice.key);
    notices.acknowledge(&keys).await.unwrap();
    assert!(notices.close(crate::harness::PATIENCE).await);
    world.restart().await;
    assert!(sender.pull_notices(&code("H36"), 8).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_report_comes_to_a_sender_that_waits() {
    let world = World::start().await;
    let sender = world.client("H36").await;
    let mut notices = sender.subscribe_to_notices(&[], 1).await.unwrap();
    let id = reported(&world, &THREE).await;
    // With credit for one, the next comes when the one before is acknowledged.
    for _ in THREE {
        let notice = next(&mut notices).await;
        assert_eq!((notice.document, notice.attempt), (id, 1));
        notices.acknowledge(&[notice.key]).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_has_no_stream_pulls_and_acknowledges_all_up_to_a_number() {
    let world = World::start().await;
    reported(&world, &THREE).await;
    reported(&world, &THREE).await;
    let (sender, own) = (world.client("H36").await, code("H36"));
    let pulled = sender.pull_notices(&own, 256).await.unwrap();
    assert_eq!(pulled.len(), 6);
    assert!(sender.pull_notices(&own, 256).await.unwrap().is_empty(), "kept for this caller");
    let numbers: Vec<u64> = pulled.iter().map(|notice| notice.key.number).collect();
    assert!(numbers.is_sorted());
    let taken = sender.acknowledge_notices_through(&own, numbers[3]).await.unwrap();
    assert_eq!(taken.acknowledged, 4);
    let again = sender.acknowledge_notices_through(&own, numbers[3]).await.unwrap();
    assert_eq!(again.acknowledged, 0);
    let taken = sender.acknowledge_notices(&own, &numbers).await.unwrap();
    assert_eq!(taken.acknowledged, 2);
}

#[tokio::test]
async fn a_gateway_receives_the_notices_of_those_it_serves_and_nobody_elses() {
    let world = World::start().await;
    let below = document("H34.40", &["H36.12"]);
    let gateway = world.client("H34").await;
    gateway.submit(world.sealed(&below)).await.unwrap();
    let report = world.report("H36.12", ("H34.40", below.id), StatusCode::Arrived, "");
    let recipient = world.client("H36.12").await;
    recipient.report(report).await.unwrap();
    let mut notices = gateway.subscribe_to_notices(&[code("H34.40")], 4).await.unwrap();
    let notice = next(&mut notices).await;
    assert_eq!(notice.key.agency, code("H34.40"));
    let stranger = recipient.subscribe_to_notices(&[code("H34.40")], 4).await;
    assert_eq!(reason(stranger), Reason::CallerNotEntitled);
    let foreign = recipient.acknowledge_notices(&code("H34.40"), &[notice.key.number]).await;
    assert_eq!(reason(foreign), Reason::CallerNotEntitled);
    notices.acknowledge(&[notice.key]).await.unwrap();
}

#[tokio::test]
async fn a_subscription_to_notices_outlives_the_hub() {
    let mut world = World::start().await;
    let sender = world.client("H36").await;
    let mut notices = sender.subscribe_to_notices(&[], 4).await.unwrap();
    world.restart().await;
    let id = reported(&world, &[StatusCode::Arrived]).await;
    let notice = next(&mut notices).await;
    assert_eq!(notice.document, id);
    notices.acknowledge(&[notice.key]).await.unwrap();
    let own = code("H36");
    until("no notice", async || sender.pull_notices(&own, 1).await.unwrap().is_empty()).await;
}
