//! Stopping and starting: what is answered, what is kept, and what a hub does not start with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::harness::raw::{Line, channel, exchange, key, refusal, request};
use crate::harness::web::at;
use crate::harness::{
    World, code, document, next, noise, now, settings, test_pki, with_attachment, within,
};
use lienthong_client::{CallError, Client, Endpoint, Period, Retry, Setback};
use lienthong_hub::{Clock, Hub, OpenFolder, Probe, StartError, StorageSettings};
use lienthong_ledger::free_space;
use lienthong_model::{Reason, StatusCode};
use lienthong_wire::proto;
use tokio::io::AsyncWriteExt as _;
use tonic::Code;

/// A client that tries once.
async fn impatient(world: &World, agency: &str) -> Client {
    let retry = Retry { total: Duration::ZERO, ..Retry::default() };
    let endpoint: Endpoint = world.endpoint(&world.node(agency)).retry(retry);
    Client::connect(endpoint).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_the_stop_is_there_after_the_start_and_nothing_else() {
    let mut world = World::start().await;
    let client = impatient(&world, "H36").await;
    let stream = client.submissions(256);
    let documents: Vec<_> = (0..400).map(|_| document("H36", &["H36.12"])).collect();
    let (told, mut telling) = tokio::sync::mpsc::unbounded_channel();
    let submitting: Vec<_> = documents
        .iter()
        .map(|document| {
            let (stream, signed, told) = (stream.clone(), world.sealed(document), told.clone());
            tokio::spawn(async move {
                let outcome = stream.submit(signed).await;
                let _ = told.send(());
                outcome
            })
        })
        .collect();
    for _ in 0..50 {
        within("an outcome", telling.recv()).await.unwrap();
    }
    within("the stop", world.stop()).await.unwrap();
    let mut accepted = Vec::new();
    for (document, outcome) in documents.iter().zip(submitting) {
        match within("an outcome", outcome).await.unwrap() {
            Ok(receipt) => accepted.push((document, receipt)),
            Err(CallError::GaveUp { .. } | CallError::Unreachable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    world.start_again().await;
    let client = world.client("H36").await;
    for (document, receipt) in &accepted {
        let tracked = client.track(&code("H36"), document.id).await.unwrap();
        assert_eq!((tracked.position, tracked.sha256), (receipt.position, receipt.sha256));
    }
    let sent = client.volumes(Period::default()).await.unwrap().totals.sent;
    assert_eq!(sent, accepted.len() as u64, "what was read is answered: nothing is in doubt");
}

#[tokio::test]
async fn a_subscription_ends_with_draining_after_the_answers_under_way() {
    let mut world = World::start().await;
    world.client("H36").await.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    let mut exchange = exchange(&world, "H36.12").await;
    let mut line = Line::open(&mut exchange, &[], 4).await.unwrap();
    let delivery = line.delivery().await;
    line.acknowledge(vec![key(&delivery)]).await;
    assert_eq!(line.acknowledged().await, [key(&delivery)]);
    let hub = world.take_hub();
    let stopping = tokio::spawn(hub.stop());
    let status = line.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let refusal = refusal(&status);
    assert_eq!(refusal.reason, Reason::Draining);
    within("the stop", stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_of_submissions_ends_with_draining() {
    let mut world = World::start().await;
    let mut raw = exchange(&world, "H36").await;
    let (send, sending) = tokio::sync::mpsc::channel(4);
    let sending = tokio_stream::wrappers::ReceiverStream::new(sending);
    let mut answers = raw.submit_documents(sending).await.unwrap().into_inner();
    let proto::SubmitDocumentRequest { document, attachments } =
        crate::harness::raw::request(world.letter("H36", &["H36.12"]));
    send.send(proto::SubmitDocumentsRequest { correlation: 1, document, attachments })
        .await
        .unwrap();
    assert!(within("an answer", answers.message()).await.unwrap().is_some());
    let stopping = tokio::spawn(world.take_hub().stop());
    let status = within("the end", answers.message()).await.unwrap_err();
    assert_eq!(refusal(&status).reason, Reason::Draining);
    within("the stop", stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_is_asked_for_patience_and_not_told_that_its_document_is_refused() {
    let mut world = World::start().await;
    let client = impatient(&world, "H36").await;
    let stream = client.submissions(4);
    stream.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    world.stop().await.unwrap();
    let outcome = within("an outcome", stream.submit(world.letter("H36", &["H36.12"]))).await;
    let error = outcome.unwrap_err();
    assert!(error.may_pass(), "{error}");
    if let CallError::GaveUp { last: Setback::Refused(refusal), .. } = error {
        assert_eq!(refusal.reason, Reason::Draining);
    }
}

#[tokio::test]
async fn whoever_watches_the_health_sees_not_serving_and_keeps_nobody_waiting() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;
    let mut world = World::start().await;
    let mut health = HealthClient::new(channel(&world, "H36").await);
    let request = HealthCheckRequest { service: "lienthong.v1.ExchangeService".to_owned() };
    let mut watched = health.watch(request).await.unwrap().into_inner();
    let first = within("a status", watched.message()).await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    let stopping = tokio::spawn(world.take_hub().stop_within(Duration::from_secs(3600)));
    let second = within("a status", watched.message()).await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);
    within("the stop", stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_consumer_that_does_not_read_does_not_keep_the_hub_from_stopping() {
    let mut world = World::start().await;
    let mut exchange = exchange(&world, "H36.12").await;
    let _slow = Line::open(&mut exchange, &[], 64).await.unwrap();
    let sender = world.client("H36").await;
    for _ in 0..24 {
        let (document, attachment) =
            with_attachment(document("H36", &["H36.12"]), noise(512 << 10));
        sender.submit(world.sealed_with(&document, vec![attachment])).await.unwrap();
    }
    let stopping = world.take_hub().stop_within(Duration::from_millis(100));
    within("the stop", stopping).await.unwrap();
    OpenFolder::open(&world.data(), |_, _| {}).expect("the folder is let go");
}

#[tokio::test]
async fn a_handshake_that_never_ends_does_not_keep_the_hub_from_stopping() {
    let mut world = World::start().await;
    let mut silent = tokio::net::TcpStream::connect(world.address).await.unwrap();
    // The first byte of a handshake, and no more.
    silent.write_all(&[0x16]).await.unwrap();
    // Served after it: it was accepted.
    world.client("H36").await;
    within("the stop", world.stop()).await.unwrap();
    OpenFolder::open(&world.data(), |_, _| {}).expect("the folder is let go");
}

#[tokio::test]
async fn a_hub_whose_sequencer_panics_has_failed_and_says_so_everywhere() {
    // Asked by whoever looks for space, the sequencer before each of its blocks.
    let is_armed = Arc::new(AtomicBool::new(false));
    let armed = is_armed.clone();
    let probe: Probe = Arc::new(move |path: &Path| {
        let is_sequencer = std::thread::current().name() == Some("sequencer");
        assert!(!is_sequencer || !armed.load(Ordering::Relaxed), "a flaw of the test's own");
        free_space(path)
    });
    let storage = StorageSettings { probe, ..StorageSettings::short_lived() };
    let mut world = World::start_on(storage).await;
    let address = world.hub().http_address().unwrap();
    let mut raw = exchange(&world, "H36").await;
    raw.submit_document(request(world.letter("H36", &["H36.12"]))).await.unwrap();
    assert_eq!(at(address, "/healthz").await.status, 200);
    let mut hub = world.take_hub();
    is_armed.store(true, Ordering::Relaxed);
    let letter = request(world.letter("H36", &["H36.12"]));
    let status = within("an answer", raw.submit_document(letter)).await.unwrap_err();
    assert_eq!(refusal(&status).reason, Reason::Stopped, "nothing is acknowledged");
    let error = within("the failure", hub.failed()).await;
    assert!(matches!(error, StartError::Failed(_)), "{error}");
    for path in ["/healthz", "/readyz"] {
        let shown = at(address, path).await;
        assert_eq!((shown.status, shown.text()), (503, "failed\n"), "{path}");
    }
    drop(raw);
    let stopped = within("the stop", hub.stop()).await;
    assert!(matches!(stopped, Err(StartError::Failed(_))), "{stopped:?}");
}

#[tokio::test]
async fn a_deleted_state_is_rebuilt_to_the_same() {
    let mut world = World::start().await;
    let client = world.client("H36").await;
    let documents: Vec<_> = (0..5).map(|_| document("H36", &["H36.12", "G22", "H01"])).collect();
    for document in &documents {
        client.submit(world.sealed(document)).await.unwrap();
    }
    client.submit(world.letter("H36", &["H63"])).await.unwrap_err();
    let recipient = world.client("H36.12").await;
    let mut subscription = recipient.subscribe(&[], 4).await.unwrap();
    let delivery = next(&mut subscription).await;
    subscription.acknowledge(&[delivery.key]).await.unwrap();
    let on = ("H36", documents[1].id);
    recipient.report(world.report("H36.12", on, StatusCode::Accepted, "")).await.unwrap();
    drop(subscription);
    // What waits is refused first: the counts are then all on disk.
    world.restart().await;
    let mut seen = Vec::new();
    for deleted in [false, true] {
        if deleted {
            world.stop().await.unwrap();
            std::fs::remove_dir_all(world.data().join("state")).unwrap();
            world.start_again().await;
        }
        let mut tracked = Vec::new();
        for document in &documents {
            tracked.push(client.track(&code("H36"), document.id).await.unwrap());
        }
        let all = Period::default();
        let mail = world.client("H36.12").await.pull(&code("H36.12"), 9).await.unwrap();
        seen.push((
            tracked,
            client.volumes(all).await.unwrap(),
            client.flows(all).await.unwrap(),
            client.refusals(all).await.unwrap(),
            mail,
        ));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].4.len(), 3);
}

#[tokio::test]
async fn a_real_clock_more_than_five_minutes_behind_the_last_block_does_not_start_a_hub() {
    let (pki, folder) = (test_pki(), tempfile::tempdir().unwrap());
    for (minutes, starts) in [(4, true), (6, false)] {
        let data = folder.path().join(format!("{minutes}"));
        let start = now().plus(Duration::from_secs(60 * minutes));
        let ahead = settings(&pki, &data, Clock::Scenario { start, rate: 1.0 });
        Hub::start(ahead, |_, _| {}).await.unwrap().stop().await.unwrap();
        match Hub::start(settings(&pki, &data, Clock::Real), |_, _| {}).await {
            Ok(hub) => {
                assert!(starts, "{minutes} minutes behind");
                hub.stop().await.unwrap();
            }
            Err(StartError::ClockBehind { now, last }) => {
                assert!(!starts, "{minutes} minutes behind");
                assert!(last >= start && now < last);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_data_folder_in_use_is_refused_by_name_and_an_address_in_use_too() {
    let world = World::start().await;
    let error = Hub::start(world.settings(), |_, _| {}).await.err().unwrap().to_string();
    assert!(error.contains("in use") && error.contains("data"), "{error}");
    let other = tempfile::tempdir().unwrap();
    let mut elsewhere = settings(&world.pki, &other.path().join("data"), Clock::Real);
    elsewhere.listen = world.address;
    let error = Hub::start(elsewhere, |_, _| {}).await.err().unwrap();
    assert!(matches!(error, StartError::Listen { address, .. } if address == world.address));
}
