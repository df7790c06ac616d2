//! Status reports through the wire, and the time line that the sender sees.

use crate::harness::raw::{Line, exchange, key};
use crate::harness::{World, code, document, next, reason};
use lienthong_model::{Reason, StatusCode};

const ALL: [StatusCode; 6] = [
    StatusCode::Arrived,
    StatusCode::Accepted,
    StatusCode::Assigned,
    StatusCode::Processing,
    StatusCode::Processing,
    StatusCode::Finished,
];

#[tokio::test]
async fn the_sender_sees_every_status_in_the_order_in_which_it_was_received() {
    let mut world = World::start().await;
    let document = document("H36", &["H36.12", "H34.40"]);
    let sender = world.client("H36").await;
    let on = ("H36", document.id);
    sender.submit(world.sealed(&document)).await.unwrap();
    let recipient = world.client("H36.12").await;
    let stream = recipient.reports(8);
    let mut receipts = Vec::new();
    for (index, status) in ALL.into_iter().enumerate() {
        let report = world.report("H36.12", on, status, "bước");
        let receipt = match index % 2 {
            0 => recipient.report(report).await.unwrap(),
            _ => stream.report(report).await.unwrap(),
        };
        assert_eq!(receipt.reporter, code("H36.12"));
        receipts.push(receipt);
    }
    let refusing = world.report("H34.40", on, StatusCode::Refused, "Gửi nhầm nơi nhận");
    world.client("H34").await.report(refusing).await.unwrap();
    for restarted in [false, true] {
        if restarted {
            world.restart().await;
        }
        let tracked = sender.track(&code("H36"), document.id).await.unwrap();
        let of = |recipient: &str| {
            let mut found = tracked.deliveries.iter().filter(|d| d.recipient == code(recipient));
            &found.next().unwrap().statuses
        };
        let line = of("H36.12");
        assert_eq!(line.iter().map(|status| status.code).collect::<Vec<_>>(), ALL);
        for (status, receipt) in line.iter().zip(&receipts) {
            assert_eq!((status.position, status.at), (receipt.position, receipt.received_at));
        }
        assert!(line.is_sorted_by_key(|status| status.position));
        let refused = of("H34.40");
        assert_eq!(refused[0].code, StatusCode::Refused);
        assert_eq!(refused[0].reason, "Gửi nhầm nơi nhận");
    }
}

#[tokio::test]
async fn a_report_implies_that_the_recipient_has_the_document() {
    let world = World::start().await;
    let reported = document("H36", &["H36.12"]);
    let sender = world.client("H36").await;
    sender.submit(world.sealed(&reported)).await.unwrap();
    let recipient = world.client("H36.12").await;
    let arrived = world.report("H36.12", ("H36", reported.id), StatusCode::Arrived, "");
    recipient.report(arrived).await.unwrap();
    let tracked = sender.track(&code("H36"), reported.id).await.unwrap();
    assert!(tracked.deliveries[0].acknowledged_at.is_some());
    let other = sender.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    let mut subscription = recipient.subscribe(&[], 4).await.unwrap();
    assert_eq!(next(&mut subscription).await.key.position, other.position);
}

#[tokio::test]
async fn acknowledging_is_no_status() {
    let world = World::start().await;
    let document = document("H36", &["H36.12"]);
    let sender = world.client("H36").await;
    sender.submit(world.sealed(&document)).await.unwrap();
    let mut line = Line::open(&mut exchange(&world, "H36.12").await, &[], 1).await.unwrap();
    let delivery = line.delivery().await;
    line.acknowledge(vec![key(&delivery)]).await;
    line.acknowledged().await;
    let tracked = sender.track(&code("H36"), document.id).await.unwrap();
    assert!(tracked.deliveries[0].statuses.is_empty());
}

#[tokio::test]
async fn the_same_report_again_brings_the_first_receipt_again() {
    let mut world = World::start().await;
    let document = document("H36", &["H36.12"]);
    world.client("H36").await.submit(world.sealed(&document)).await.unwrap();
    let recipient = world.client("H36.12").await;
    let report = world.report("H36.12", ("H36", document.id), StatusCode::Accepted, "");
    let first = recipient.report(report.clone()).await.unwrap();
    assert!(!first.repeated);
    let again = recipient.report(report.clone()).await.unwrap();
    world.restart().await;
    let later = recipient.reports(2).report(report).await.unwrap();
    let expected = lienthong_client::StatusReceipt { repeated: true, ..first };
    assert_eq!((again, later), (expected.clone(), expected));
}

#[tokio::test]
async fn what_may_not_be_reported_is_refused_and_leaves_no_trace() {
    let world = World::start().await;
    let document = document("H36", &["H36.12"]);
    let sender = world.client("H36").await;
    sender.submit(world.sealed(&document)).await.unwrap();
    let recipient = world.client("H36.12").await;
    let on = ("H36", document.id);
    let cases = [
        (StatusCode::Finished, "", Reason::StatusNotOpen),
        (StatusCode::Refused, " ", Reason::ReasonMissing),
        (StatusCode::RecallRequested, "nhầm", Reason::ReporterNotEntitled),
    ];
    for (status, why, expected) in cases {
        let report = world.report("H36.12", on, status, why);
        assert_eq!(reason(recipient.report(report).await), expected, "{status}");
    }
    let own = world.report("H36", on, StatusCode::Accepted, "");
    assert_eq!(reason(sender.report(own).await), Reason::ReporterNotEntitled);
    let unknown =
        world.report("H36.12", ("H36", crate::harness::new_id()), StatusCode::Accepted, "");
    assert_eq!(reason(recipient.report(unknown).await), Reason::DocumentUnknown);
    let tracked = sender.track(&code("H36"), document.id).await.unwrap();
    assert!(tracked.deliveries[0].statuses.is_empty());
    assert_eq!(tracked.deliveries[0].acknowledged_at, None);
}
