//! Time, through the wire: on a fast clock deadlines become notices although nothing else comes in.

use crate::harness::{World, code, document, now, reason, within};
use lienthong_client::{Notice, NoticeKind, NoticeSubscription, Stage};
use lienthong_hub::Clock;
use lienthong_model::{Reason, StatusCode, Written};
use std::time::Duration;

/// A day of business time in about a second.
const RATE: f64 = 86_400.0;

async fn world() -> World {
    let start = now();
    World::start_with(|settings| settings.clock = Clock::Scenario { start, rate: RATE }).await
}

async fn next(notices: &mut NoticeSubscription) -> Notice {
    let notice = within("a notice", notices.next()).await.expect("it is open").unwrap();
    notices.acknowledge(std::slice::from_ref(&notice.key)).await.unwrap();
    notice
}

#[tokio::test]
async fn what_is_overdue_and_what_is_not_picked_up_is_told_while_nothing_else_comes_in() {
    let mut world = world().await;
    let client = world.client("H36").await;
    let mut document = document("H36", &["H34", "H36.12"]);
    document.due = Written::moment(client.now().plus(Duration::from_secs(24 * 3600)));
    let receipt = client.submit(world.sealed(&document)).await.unwrap();
    let mut told = client.subscribe_to_notices(&[], 8).await.unwrap();
    let overdue = next(&mut told).await;
    assert_eq!((overdue.kind, overdue.document), (NoticeKind::Overdue, document.id));
    let here = world.client("H34").await.subscribe_to_notices(&[code("H34")], 8).await;
    let here = next(&mut here.unwrap()).await;
    assert_eq!((here.kind, here.document), (NoticeKind::OverdueHere, document.id));
    let undelivered = next(&mut told).await;
    assert_eq!(undelivered.kind, NoticeKind::Undelivered);
    assert!(undelivered.at >= receipt.received_at.plus(Duration::from_secs(72 * 3600)));
    drop(told);
    // Each once, also over a restart; and the document stays available.
    world.stop().await.unwrap();
    let mut settings = world.settings();
    settings.listen = world.address;
    settings.clock = Clock::Scenario { start: undelivered.at, rate: 1.0 };
    let hub = lienthong_hub::Hub::start(settings, |_, _| {}).await.unwrap();
    let client = world.client("H36").await;
    let explained = client.explain(&code("H36"), document.id, None).await.unwrap();
    let lapses = explained.events.iter().filter(|event| event.kind == "lapsed").count();
    assert_eq!(lapses, 2, "{explained:#?}");
    assert!(explained.waits.iter().all(|wait| wait.why.en.ends_with("(overdue)")));
    let progress = client.progress(&code("H36"), document.id, &[]).await.unwrap().0;
    assert_eq!((progress.waiting, progress.overdue), (2, 2));
    let mut subscription = world.client("H34").await.subscribe(&[], 8).await.unwrap();
    assert_eq!(crate::harness::next(&mut subscription).await.key.position, receipt.position);
    hub.stop().await.unwrap();
}

#[tokio::test]
async fn a_reminder_reaches_the_laggards_and_nobody_else() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let document = document("H36", &["H34", "H36.12"]);
    client.submit(world.sealed(&document)).await.unwrap();
    let done = world.client("H36.12").await;
    for status in [StatusCode::Accepted, StatusCode::Finished] {
        let report = world.report("H36.12", ("H36", document.id), status, "");
        done.report(report).await.unwrap();
    }
    let id = document.id;
    assert_eq!(client.remind(&code("H36"), id, Stage::Finished).await.unwrap(), 1);
    let told = world.client("H34").await.subscribe_to_notices(&[code("H34")], 8).await;
    let told = next(&mut told.unwrap()).await;
    assert_eq!((told.kind, told.document), (NoticeKind::Reminder, id));
    let again = client.remind(&code("H36"), id, Stage::Finished).await;
    assert_eq!(reason(again), Reason::ReminderTooSoon);
    let other = world.client("H34").await.remind(&code("H36"), id, Stage::Finished).await;
    assert_eq!(reason(other), Reason::DocumentUnknown);
}
