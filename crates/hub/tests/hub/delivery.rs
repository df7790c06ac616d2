//! Receiving: credit, order, acknowledgement, and what comes again.

use std::time::{Duration, Instant};

use crate::harness::raw::{Line, exchange, key};
use crate::harness::{World, code, document, next, noise, reason, with_attachment};
use lienthong_model::{Position, Reason, Urgency};
use lienthong_wire::proto::subscribe_request::{Credit, NegativeAcknowledge, Request};
use lienthong_wire::proto::subscribe_response::Response;

/// Submits documents from H36 and returns their positions.
async fn submitted(world: &World, to: &str, count: usize) -> Vec<Position> {
    let stream = world.client("H36").await.submissions(64);
    let letters = (0..count).map(|_| stream.submit(world.letter("H36", &[to])));
    let receipts = futures_util::future::join_all(letters).await;
    let mut positions: Vec<_> = receipts.into_iter().map(|one| one.unwrap().position).collect();
    positions.sort();
    positions
}

#[tokio::test]
async fn no_more_is_pushed_than_there_is_credit_for() {
    let world = World::start().await;
    let positions = submitted(&world, "H36.12", 8).await;
    let mut exchange = exchange(&world, "H36.12").await;
    let mut line = Line::open(&mut exchange, &[], 3).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(line.delivery().await);
    }
    // The answer to an acknowledgement comes after whatever was pushed before it.
    line.acknowledge(vec![key(&seen[0])]).await;
    assert_eq!(line.acknowledged().await, [key(&seen[0])]);
    line.say(Request::Credit(Credit { more: 2 })).await;
    for _ in 0..2 {
        seen.push(line.delivery().await);
    }
    line.acknowledge(vec![key(&seen[1])]).await;
    assert_eq!(line.acknowledged().await, [key(&seen[1])]);
    let seen: Vec<Position> = seen.iter().map(|one| Position(one.position)).collect();
    assert_eq!(seen, positions[..5]);
}

#[tokio::test]
async fn what_a_consumer_leaves_unacknowledged_comes_again_and_the_attempt_grows() {
    let mut world = World::start().await;
    let position = submitted(&world, "H36.12", 1).await[0];
    let mut exchange_a = exchange(&world, "H36.12").await;
    let mut first = Line::open(&mut exchange_a, &[], 4).await.unwrap();
    let delivery = first.delivery().await;
    assert_eq!((delivery.position, delivery.attempt), (position.0, 1));
    let mut second = Line::open(&mut exchange(&world, "H36.12").await, &[], 4).await.unwrap();
    drop(first);
    let delivery = second.delivery().await;
    assert_eq!((delivery.position, delivery.attempt), (position.0, 2));
    drop((second, exchange_a));
    world.restart().await;
    let mut third = world.client("H36.12").await.subscribe(&[], 4).await.unwrap();
    let delivery = next(&mut third).await;
    assert_eq!((delivery.key.position, delivery.attempt), (position, 1), "the hub is a new one");
}

#[tokio::test]
async fn what_was_acknowledged_never_comes_again() {
    let mut world = World::start().await;
    let positions = submitted(&world, "H36.12", 6).await;
    let client = world.client("H36.12").await;
    let mut subscription = client.subscribe(&[], 8).await.unwrap();
    for position in &positions[..3] {
        let delivery = next(&mut subscription).await;
        assert_eq!(delivery.key.position, *position);
        subscription.acknowledge(&[delivery.key]).await.unwrap();
    }
    assert!(subscription.close(crate::harness::PATIENCE).await);
    for round in 0..2 {
        if round == 1 {
            world.restart().await;
        }
        let mut subscription = client.subscribe(&[], 8).await.unwrap();
        for position in &positions[3..] {
            assert_eq!(next(&mut subscription).await.key.position, *position);
        }
    }
}

#[tokio::test]
async fn an_acknowledgement_is_recorded_with_its_time_and_attempts_and_repeating_it_changes_nothing()
 {
    let world = World::start().await;
    let document = document("H36", &["H36.12"]);
    let sender = world.client("H36").await;
    sender.submit(world.sealed(&document)).await.unwrap();
    let mut exchange = exchange(&world, "H36.12").await;
    let mut line = Line::open(&mut exchange, &[], 4).await.unwrap();
    let delivery = line.delivery().await;
    let before = sender.track(&code("H36"), document.id).await.unwrap();
    assert_eq!(before.deliveries[0].acknowledged_at, None, "queued is not delivered");
    line.acknowledge(vec![key(&delivery)]).await;
    assert_eq!(line.acknowledged().await.len(), 1);
    let once = sender.track(&code("H36"), document.id).await.unwrap();
    assert!(once.deliveries[0].acknowledged_at.is_some_and(|at| at >= once.received_at));
    assert_eq!(once.deliveries[0].attempts, 1);
    line.acknowledge(vec![key(&delivery)]).await;
    assert_eq!(line.acknowledged().await.len(), 1);
    assert_eq!(sender.track(&code("H36"), document.id).await.unwrap(), once);
}

#[tokio::test]
async fn a_negative_acknowledgement_brings_it_again_after_the_delay_and_others_meanwhile() {
    let world = World::start().await;
    let positions = submitted(&world, "H36.12", 2).await;
    let mut exchange = exchange(&world, "H36.12").await;
    let mut line = Line::open(&mut exchange, &[], 4).await.unwrap();
    let delivery = line.delivery().await;
    assert_eq!(delivery.position, positions[0].0);
    let delay = Duration::from_millis(300);
    let asked = Instant::now();
    line.say(Request::NegativeAcknowledge(NegativeAcknowledge {
        key: Some(key(&delivery)),
        reason: "ổ đĩa đầy".to_owned(),
        delay: Some(prost_types::Duration { seconds: 0, nanos: 300_000_000 }),
    }))
    .await;
    assert_eq!(line.delivery().await.position, positions[1].0);
    let again = line.delivery().await;
    assert!(asked.elapsed() >= delay, "{:?}", asked.elapsed());
    assert_eq!((again.position, again.attempt), (positions[0].0, 2));
}

#[tokio::test]
async fn two_consumers_of_one_agency_share_its_mail() {
    let world = World::start().await;
    let mut exchange = exchange(&world, "H36.12").await;
    let mut one = Line::open(&mut exchange, &[], 3).await.unwrap();
    let mut other = Line::open(&mut exchange, &[], 3).await.unwrap();
    let positions = submitted(&world, "H36.12", 6).await;
    let mut seen = Vec::new();
    for line in [&mut one, &mut other] {
        for _ in 0..3 {
            let delivery = line.delivery().await;
            assert_eq!(delivery.attempt, 1);
            seen.push(Position(delivery.position));
        }
    }
    seen.sort();
    assert_eq!(seen, positions);
}

#[tokio::test]
async fn urgent_mail_comes_before_what_was_there_first() {
    let world = World::start().await;
    let ordinary = submitted(&world, "H36.12", 3).await;
    let mut urgent = document("H36", &["H36.12"]);
    urgent.urgency = Urgency::Express;
    let receipt = world.client("H36").await.submit(world.sealed(&urgent)).await.unwrap();
    let mut subscription = world.client("H36.12").await.subscribe(&[], 8).await.unwrap();
    let expected = [&[receipt.position], &ordinary[..]].concat();
    for position in expected {
        assert_eq!(next(&mut subscription).await.key.position, position);
    }
}

#[tokio::test]
async fn what_is_pulled_is_kept_from_others_and_gone_when_acknowledged() {
    let world = World::start().await;
    let positions = submitted(&world, "H36.12", 5).await;
    let (client, own) = (world.client("H36.12").await, code("H36.12"));
    let pulled = client.pull(&own, 3).await.unwrap();
    let keys: Vec<_> = pulled.into_iter().map(|delivery| delivery.key).collect();
    assert_eq!(keys.iter().map(|key| key.position).collect::<Vec<_>>(), positions[..3]);
    let rest = client.pull(&own, 256).await.unwrap();
    assert_eq!(rest.iter().map(|one| one.key.position).collect::<Vec<_>>(), positions[3..]);
    assert!(client.pull(&own, 256).await.unwrap().is_empty(), "all are lent");
    assert_eq!(client.acknowledge(&keys).await.unwrap(), []);
    assert_eq!(client.acknowledge(&keys).await.unwrap(), [], "again changes nothing");
    let mut world = world;
    world.restart().await;
    let left = client.pull(&own, 256).await.unwrap();
    assert_eq!(left.iter().map(|one| one.key.position).collect::<Vec<_>>(), positions[3..]);
}

#[tokio::test]
async fn a_pull_brings_no_more_than_a_message_holds_and_the_rest_next_time() {
    let world = World::start().await;
    let sender = world.client("H36").await;
    let mut positions = Vec::new();
    for _ in 0..5 {
        let (document, attachment) = with_attachment(document("H36", &["H36.12"]), noise(1 << 20));
        let sent = sender.submit(world.sealed_with(&document, vec![attachment])).await.unwrap();
        positions.push(sent.position);
    }
    let (client, own) = (world.client("H36.12").await, code("H36.12"));
    let mut seen = Vec::new();
    while seen.len() < positions.len() {
        let pulled = client.pull(&own, 256).await.unwrap();
        assert!(!pulled.is_empty(), "{} of {} came", seen.len(), positions.len());
        seen.extend(pulled.into_iter().map(|one| one.key.position));
    }
    seen.sort();
    assert_eq!(seen, positions);
}

#[tokio::test]
async fn one_stream_of_a_gateway_brings_the_mail_of_every_agency_below_it() {
    let world = World::start().await;
    let below = ["H34", "H34.05", "H34.40", "H34.40.01"];
    let mut exchange = exchange(&world, "H34").await;
    let mut line = Line::open(&mut exchange, &[], 8).await.unwrap();
    assert_eq!(line.agencies, below);
    let document = document("H36", &below);
    let receipt = world.client("H36").await.submit(world.sealed(&document)).await.unwrap();
    let mut keys = Vec::new();
    for _ in below {
        let delivery = line.delivery().await;
        assert_eq!(delivery.position, receipt.position.0);
        keys.push(key(&delivery));
    }
    keys.sort_by(|a, b| a.recipient.cmp(&b.recipient));
    assert_eq!(keys.iter().map(|key| key.recipient.as_str()).collect::<Vec<_>>(), below);
    // Each keeps its own acknowledgement.
    line.acknowledge(vec![keys[1].clone()]).await;
    assert_eq!(line.acknowledged().await, [keys[1].clone()]);
    let tracked = world.client("H36").await.track(&code("H36"), document.id).await.unwrap();
    for delivery in tracked.deliveries {
        let acknowledged = delivery.acknowledged_at.is_some();
        assert_eq!(acknowledged, delivery.recipient == code("H34.05"), "{}", delivery.recipient);
    }
}

#[tokio::test]
async fn an_agency_below_a_gateway_may_also_read_its_mailbox_itself() {
    let world = World::start().await;
    let position = submitted(&world, "H34.05", 1).await[0];
    let mut subscription = world.client("H34.05").await.subscribe(&[], 1).await.unwrap();
    assert_eq!(next(&mut subscription).await.key.position, position);
}

#[tokio::test]
async fn a_consumer_that_does_not_read_stops_nobody_else() {
    let world = World::start().await;
    let mut exchange = exchange(&world, "H36.12").await;
    // More than the windows of HTTP/2 and the hub's queue hold.
    let slow = Line::open(&mut exchange, &[], 64).await.unwrap();
    let sender = world.client("H36").await;
    for _ in 0..24 {
        let (document, attachment) =
            with_attachment(document("H36", &["H36.12", "H36.30"]), noise(512 << 10));
        sender.submit(world.sealed_with(&document, vec![attachment])).await.unwrap();
    }
    let mut quick = world.client("H36.30").await.subscribe(&[], 2).await.unwrap();
    for _ in 0..24 {
        let delivery = next(&mut quick).await;
        quick.acknowledge(&[delivery.key]).await.unwrap();
    }
    drop(slow);
    // What it never read is there for whoever reads.
    let mut other = world.client("H36.12").await.subscribe(&[], 2).await.unwrap();
    for _ in 0..24 {
        let delivery = next(&mut other).await;
        other.acknowledge(&[delivery.key]).await.unwrap();
    }
}

#[tokio::test]
async fn a_subscription_goes_on_over_a_restart_of_the_hub() {
    let mut world = World::start().await;
    let mut subscription = world.client("H36.12").await.subscribe(&[], 8).await.unwrap();
    let before = submitted(&world, "H36.12", 1).await[0];
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.key.position, before);
    subscription.acknowledge(&[delivery.key]).await.unwrap();
    world.restart().await;
    let after = submitted(&world, "H36.12", 1).await[0];
    assert_eq!(next(&mut subscription).await.key.position, after);
}

#[tokio::test]
async fn acknowledging_what_was_never_delivered_is_refused_key_by_key() {
    let world = World::start().await;
    let position = submitted(&world, "H36.12", 1).await[0];
    let mut exchange = exchange(&world, "H36.12").await;
    let mut line = Line::open(&mut exchange, &[], 4).await.unwrap();
    let good = key(&line.delivery().await);
    let mut bad = good.clone();
    bad.position = position.0 + 999;
    line.acknowledge(vec![bad.clone(), good.clone()]).await;
    let Response::RefusedAcknowledgement(refused) = line.next().await.unwrap() else {
        panic!("the bad one is refused first")
    };
    assert_eq!(refused.keys, [bad]);
    assert_eq!(refused.refusal.unwrap().code, Reason::DocumentUnknown.code());
    assert_eq!(line.acknowledged().await, [good]);
    let many = vec![lienthong_client::DeliveryKey { recipient: code("H36.12"), position }; 2];
    assert_eq!(world.client("H36.12").await.acknowledge(&many).await.unwrap(), []);
    let strangers = world.client("H36.30").await.pull(&code("H36.12"), 1).await;
    assert_eq!(reason(strangers), Reason::CallerNotEntitled);
}

#[tokio::test]
async fn a_document_whose_bytes_are_lost_keeps_no_other_one_back() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let (lost, attachment) = with_attachment(document("H36", &["H36.12"]), noise(100_000));
    client.submit(world.sealed_with(&lost, vec![attachment])).await.unwrap();
    let whole = submitted(&world, "H36.12", 2).await;
    // The one large attachment, and its content beside it, are in payload files.
    crate::harness::settled(&world).await;
    let mut removed = 0;
    for shelf in std::fs::read_dir(world.data().join("payloads")).unwrap() {
        let shelf = shelf.unwrap().path();
        for file in std::fs::read_dir(shelf).unwrap() {
            let file = file.unwrap();
            if file.metadata().unwrap().len() == 100_000 {
                std::fs::remove_file(file.path()).unwrap();
                removed += 1;
            }
        }
    }
    assert_eq!(removed, 1);
    let recipient = world.client("H36.12").await;
    let mut subscription = recipient.subscribe(&[], 2).await.unwrap();
    for position in &whole {
        let delivery = next(&mut subscription).await;
        assert_eq!(delivery.key.position, *position);
    }
    assert!(subscription.close(crate::harness::PATIENCE).await);
    let pulled = recipient.pull(&code("H36.12"), 8).await.unwrap();
    let pulled: Vec<Position> = pulled.iter().map(|one| one.key.position).collect();
    assert!(pulled.iter().all(|position| whole.contains(position)), "{pulled:?}");
}
