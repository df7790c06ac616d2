//! How long uploads are kept, how many, and what happens when the disk has no room.

use super::*;

fn bounded(uploads: UploadLimits) -> StorageSettings {
    StorageSettings { uploads, ..StorageSettings::short_lived() }
}

#[tokio::test]
async fn uploads_that_nobody_names_expire() {
    let kept = Duration::from_millis(50);
    let world = World::start_on(bounded(UploadLimits { kept, ..UploadLimits::default() })).await;
    let source = Source::of(noise(300_000));
    let client = world.client("H36").await;
    source.upload(&client).await;
    let mut raw = transfer(&world, "H36").await;
    let whole = FileDigest { size: 1_000, ..source.whole };
    let mut line = Line::open(&mut raw, whole).await;
    assert_eq!(line.next().await.unwrap(), (0, false));
    drop(line);
    until("expiry", async || stored(&mut raw.clone(), source.whole).await == (0, false)).await;
    until("expiry", async || payload_files(&world, "uploads").is_empty()).await;
    let document = source.named(document("H36", &["H36.12"]));
    assert_eq!(reason(client.submit(world.sealed(&document)).await), Reason::AttachmentNotUploaded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expiry_never_takes_what_an_accepted_document_names() {
    // As short as can be: uploads expire while documents name them.
    let kept = Duration::from_millis(1);
    let world = World::start_on(bounded(UploadLimits { kept, ..UploadLimits::default() })).await;
    let client = world.client("H36").await;
    let (mut accepted, mut expired) = (Vec::new(), 0);
    for round in 0..40 {
        let source = Source::of(noise(20_000));
        source.upload(&client).await;
        tokio::time::sleep(Duration::from_millis(round % 20)).await;
        let document = source.named(document("H36", &["H36.12"]));
        match client.submit(world.sealed(&document)).await {
            Ok(_) => accepted.push((document, source)),
            Err(CallError::Refused(no)) if no.reason == Reason::AttachmentNotUploaded => {
                expired += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    settled(&world).await;
    until("expiry", async || payload_files(&world, "uploads").is_empty()).await;
    for (document, source) in &accepted {
        let target = world.folder.path().join(document.id.to_string());
        client.download(&place(document), &source.whole, &target, |_| ()).await.unwrap();
    }
    assert!(!accepted.is_empty(), "{expired} expired");
    println!("{} accepted, {expired} expired", accepted.len());
}

#[tokio::test]
async fn a_caller_has_no_more_uploads_than_its_bound_until_a_document_names_one() {
    let limits = UploadLimits { of_one: 1, ..UploadLimits::default() };
    let world = World::start_on(bounded(limits)).await;
    let (first, second) = (Source::of(noise(20_000)), Source::of(noise(20_000)));
    let client = world.client("H36").await;
    first.upload(&client).await;
    let outcome = client.upload(&second.path, &second.whole, |_| ()).await;
    assert_eq!(refused(outcome), Reason::UploadQuota);
    second.upload(&world.client("H34").await).await;
    client.submit(world.sealed(&first.named(document("H36", &["H36.12"])))).await.unwrap();
    second.upload(&client).await;
}

#[tokio::test]
async fn an_upload_ends_with_draining_and_what_came_stays() {
    let mut world = World::start().await;
    let source = Source::of(noise(300_000));
    let mut raw = transfer(&world, "H36").await;
    let mut line = Line::open(&mut raw, source.whole).await;
    assert_eq!(line.next().await.unwrap(), (0, false));
    line.send(0, source.bytes.slice(..CHUNK)).await;
    let there = (CHUNK as u64, false);
    until("a piece", async || stored(&mut raw.clone(), source.whole).await == there).await;
    let stopping = tokio::spawn(world.take_hub().stop());
    assert_eq!(line.end().await, Reason::Draining);
    drop((line, raw));
    within("the stop", stopping).await.unwrap().unwrap();
    world.start_again().await;
    assert_eq!(stored(&mut transfer(&world, "H36").await, source.whole).await, there);
}

#[tokio::test]
async fn while_space_is_low_nothing_new_is_taken_and_everything_else_goes_on() {
    let (disk, storage) = full_disk::disk();
    let world = World::start_on(storage).await;
    let impatient = full_disk::impatient(&world).await;
    let letter = world.letter("H36", &["H36.12"]);
    let receipt = impatient.submit(letter.clone()).await.unwrap();
    disk.store(full_disk::LOW, Ordering::Relaxed);
    let source = Source::of(noise(20_000));
    let refused_upload =
        async || refused(impatient.upload(&source.path, &source.whole, |_| ()).await);
    until("the mark", async || {
        let submitted = impatient.submit(world.letter("H36", &["H36.12"])).await;
        submitted.is_err_and(|error| {
            error.refusal().is_some_and(|refusal| refusal.reason == Reason::StorageLow)
        })
    })
    .await;
    assert_eq!(refused_upload().await, Reason::StorageLow);
    assert!(impatient.submit(letter).await.unwrap().repeated, "a first receipt is a read");
    let recipient = world.client("H36.12").await;
    let delivery = recipient.pull(&code("H36.12"), 1).await.unwrap().remove(0);
    assert_eq!(recipient.acknowledge(&[delivery.key]).await.unwrap(), []);
    let report =
        world.report("H36.12", ("H36", receipt.id), lienthong_model::StatusCode::Arrived, "");
    recipient.report(report).await.unwrap();
    disk.store(full_disk::ENOUGH, Ordering::Relaxed);
    until("room", async || impatient.submit(world.letter("H36", &["H36.12"])).await.is_ok()).await;
    source.upload(&impatient).await;
}

#[tokio::test]
async fn a_hub_without_space_reads_only_is_not_ready_and_goes_on_by_itself_when_there_is_some() {
    use crate::harness::web::page;
    use lienthong_client::{Endpoint, Retry};
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;
    let (disk, storage) = full_disk::disk();
    let world = World::start_on(storage).await;
    let once: fn(Endpoint) -> Endpoint =
        |endpoint| endpoint.retry(Retry { total: Duration::ZERO, ..Retry::default() });
    let sender = full_disk::impatient(&world).await;
    let document = document("H36", &["H36.12"]);
    let id = document.id;
    sender.submit(world.sealed(&document)).await.unwrap();
    let node = world.node("H36.12");
    let recipient = Client::connect(once(world.endpoint(&node))).await.unwrap();
    let key = recipient.pull(&code("H36.12"), 1).await.unwrap().remove(0).key;
    let mut health = HealthClient::new(channel(&world, "H36").await);
    let request = HealthCheckRequest { service: "lienthong.v1.ExchangeService".to_owned() };
    let mut watched = health.watch(request).await.unwrap().into_inner();
    let mut seen = async || {
        let said = within("a word on health", watched.message()).await.unwrap().unwrap();
        said.status()
    };
    assert_eq!(seen().await, ServingStatus::Serving);
    let ballast = world.data().join("BALLAST");
    assert!(ballast.exists());
    disk.store(full_disk::NONE, Ordering::Relaxed);
    assert_eq!(seen().await, ServingStatus::NotServing);
    assert!(!ballast.exists(), "the ballast is given up");
    let ready = page(&world, "/readyz").await;
    assert_eq!((ready.status, ready.text()), (503, "read only\n"));
    assert_eq!(page(&world, "/healthz").await.status, 200, "it lives");
    let read_only = |outcome: Option<&CallError>| {
        outcome.and_then(CallError::refusal).map(|refusal| refusal.reason)
    };
    let submitted = sender.submit(world.letter("H36", &["H36.12"])).await;
    assert_eq!(read_only(submitted.as_ref().err()), Some(Reason::ReadOnly));
    // It cannot be journalled, but it is counted.
    until("the counters", async || {
        let shown = page(&world, "/metrics").await;
        let tells = |start: &str| shown.text().lines().any(|line| line.starts_with(start));
        tells("lienthong_ready 0") && tells("lienthong_refusals_total{code=\"READ_ONLY\"} ")
    })
    .await;
    let acknowledged = recipient.acknowledge(std::slice::from_ref(&key)).await;
    assert_eq!(read_only(acknowledged.as_ref().err()), Some(Reason::ReadOnly));
    assert_eq!(sender.track(&code("H36"), id).await.unwrap().id, id, "reading goes on");
    disk.store(full_disk::ENOUGH, Ordering::Relaxed);
    assert_eq!(seen().await, ServingStatus::Serving);
    assert!(ballast.exists());
    assert_eq!(page(&world, "/readyz").await.text(), "ready\n");
    sender.submit(world.letter("H36", &["H36.12"])).await.unwrap();
    assert_eq!(recipient.acknowledge(&[key]).await.unwrap(), []);
}

#[tokio::test]
async fn an_upload_is_not_begun_without_room_for_all_of_it() {
    let (disk, storage) = full_disk::disk();
    let world = World::start_on(storage).await;
    let client = full_disk::impatient(&world).await;
    let source = Source::of(noise(300_000));
    let larger = FileDigest { size: 2 << 30, sha256: Digest::of(b"larger") };
    disk.store(full_disk::SOFT + 350_000, Ordering::Relaxed);
    assert_eq!(refused(client.upload(&source.path, &larger, |_| ()).await), Reason::StorageLow);
    source.upload(&client).await;
}

/// A disk that a test fills.
mod full_disk {
    use std::sync::Arc;

    use lienthong_client::Retry;
    use lienthong_hub::SpaceMarks;
    use lienthong_ledger::Free;

    use super::*;

    pub const SOFT: u64 = 10_000_000;
    pub const ENOUGH: u64 = 100_000_000;
    pub const LOW: u64 = 5_000_000;
    pub const NONE: u64 = 50_000;

    pub fn disk() -> (Arc<AtomicU64>, StorageSettings) {
        let left = Arc::new(AtomicU64::new(ENOUGH));
        let shared = left.clone();
        let probe = Arc::new(move |_: &std::path::Path| {
            Ok(Free { available: shared.load(Ordering::Relaxed), total: 1 << 40 })
        });
        let marks = SpaceMarks { soft_bytes: SOFT, soft_share: 20, hard_bytes: 100_000 };
        (left, StorageSettings { marks, probe, ..StorageSettings::default() })
    }

    /// A client that does not wait for space.
    pub async fn impatient(world: &World) -> Client {
        let endpoint = world.endpoint(&world.node("H36"));
        let retry = Retry { total: Duration::ZERO, ..Retry::default() };
        Client::connect(endpoint.retry(retry)).await.unwrap()
    }
}
