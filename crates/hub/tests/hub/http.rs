//! The HTTP port: the log as anybody reads it, with nothing but its format; health and counters.

use std::time::Duration;

use crate::harness::raw::{Line, exchange};
use crate::harness::web::{Answer, ask, at, page};
use crate::harness::{World, document, noise, until, with_attachment, within};
use lienthong_core::GrowingLog;
use lienthong_model::{Digest, SignedContent, StatusCode};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::leaf_hash;
use lienthong_trust::{Checkpoint, NoteKey, dsse};
use tokio::io::AsyncReadExt as _;

async fn submit(world: &World, count: usize) -> Vec<SignedContent> {
    let client = world.client("H36").await;
    let stream = client.submissions(64);
    let letters: Vec<_> = (0..count).map(|_| world.letter("H36", &["H36.12"])).collect();
    let sending = letters.iter().map(|letter| stream.submit(letter.clone()));
    for outcome in futures_util::future::join_all(sending).await {
        outcome.unwrap();
    }
    letters
}

fn hashes(tile: &Answer) -> Vec<Digest> {
    assert_eq!(tile.status, 200, "{}", tile.head);
    assert_eq!(tile.header("content-type"), Some("application/octet-stream"));
    assert!(tile.header("cache-control").unwrap().contains("immutable"));
    tile.body.as_chunks::<32>().0.iter().map(|hash| Digest(*hash)).collect()
}

/// The entries of a bundle.
fn entries(bundle: &Answer) -> Vec<LeafEntry> {
    assert_eq!(bundle.status, 200, "{}", bundle.head);
    let (mut rest, mut entries) = (bundle.body.as_slice(), Vec::new());
    while let Some((length, after)) = rest.split_first_chunk() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(LeafEntry::from_bytes(entry).unwrap());
        rest = after;
    }
    entries
}

#[tokio::test]
async fn the_checkpoint_follows_from_the_tiles_and_the_tiles_from_the_entries() {
    let world = World::start().await;
    let letters = submit(&world, 300).await;
    let answered = world.client("H36").await.checkpoint().await.unwrap();
    let key = NoteKey::parse(&answered.key).unwrap();
    let shown = page(&world, "/checkpoint").await;
    assert_eq!(shown.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(shown.text(), answered.checkpoint);
    let checkpoint = Checkpoint::open(shown.text(), &key).unwrap();
    assert_eq!(checkpoint.size, 300);

    let mut leaves = hashes(&page(&world, "/tile/0/000").await);
    assert_eq!(leaves.len(), 256);
    leaves.extend(hashes(&page(&world, "/tile/0/001.p/44").await));
    let (mut log, mut full) = (GrowingLog::default(), Vec::new());
    leaves.iter().for_each(|leaf| log.push(*leaf, |tile| full.push(tile.hashes.to_vec())));
    assert_eq!(log.root().unwrap(), checkpoint.root);
    let above: Vec<_> = log.unfinished().filter(|tile| tile.level == 1).collect();
    assert_eq!(hashes(&page(&world, "/tile/1/000.p/1").await), above[0].hashes);
    // An earlier checkpoint's partial tile is the beginning of the full one.
    assert_eq!(hashes(&page(&world, "/tile/0/000.p/7").await), leaves[..7]);

    let mut found = entries(&page(&world, "/tile/entries/000").await);
    found.extend(entries(&page(&world, "/tile/entries/001.p/44").await));
    assert_eq!(found.iter().map(LeafEntry::hash).collect::<Vec<_>>(), leaves);
    for letter in &letters {
        let content = dsse::content_digest(&letter.content_type, &letter.content);
        let signatures = dsse::signatures_digest(&letter.signatures);
        let named = |entry: &&LeafEntry| (entry.content, entry.signatures) == (content, signatures);
        assert_eq!(found.iter().filter(named).count(), 1);
    }
}

#[tokio::test]
async fn entries_of_reports_between_acknowledgements_are_found_too() {
    let world = World::start().await;
    let (sender, recipient) = (world.client("H36").await, world.client("H36.12").await);
    let letter = document("H36", &["H36.12"]);
    sender.submit(world.sealed(&letter)).await.unwrap();
    let mut receipts = Vec::new();
    use StatusCode::{Accepted, Arrived, Assigned, Finished, Processing};
    for status in [Arrived, Accepted, Assigned, Processing, Finished] {
        // Blocks without a leaf lie between those with one.
        sender.submit(world.letter("H36", &["nowhere"])).await.unwrap_err();
        let report = world.report("H36.12", ("H36", letter.id), status, "");
        receipts.push(recipient.report(report).await.unwrap());
    }
    for receipt in receipts {
        let width = receipt.position.0 + 1;
        let found = entries(&page(&world, &format!("/tile/entries/000.p/{width}")).await);
        let last = found.last().unwrap();
        assert_eq!((last.kind, last.content), (LeafKind::Report, receipt.sha256));
        let leaves = hashes(&page(&world, &format!("/tile/0/000.p/{width}")).await);
        assert_eq!(leaf_hash(&last.to_bytes()), *leaves.last().unwrap());
    }
}

#[tokio::test]
async fn what_the_log_does_not_have_is_not_found_and_other_methods_are_not_served() {
    let world = World::start().await;
    submit(&world, 2).await;
    for path in [
        "/assets",
        "/assets/..%2fCargo.toml",
        "/tile",
        "/tile/0/000",
        "/tile/0/000.p/3",
        "/tile/0/001.p/1",
        "/tile/1/000.p/1",
        "/tile/entries/000.p/3",
        "/tile/64/000",
        "/tile/0/0",
        "/tile/0/000.p/0",
        "/tile/0/..%2f0",
        "/tile/0/x018/x446/x744/x073/x709/x551/615",
        "/checkpoint/",
        "/log.key",
    ] {
        assert_eq!(page(&world, path).await.status, 404, "{path}");
    }
    let address = world.hub().http_address().unwrap();
    let post = format!("POST /checkpoint HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    assert_eq!(ask(address, &post).await.status, 405);
    let head =
        format!("HEAD /tile/0/000.p/2 HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let head = ask(address, &head).await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("64")));
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn a_request_that_names_another_host_is_turned_away() {
    let world = World::start().await;
    let address = world.hub().http_address().unwrap();
    for host in ["host: example.vn\r\n", ""] {
        let request = format!("GET /metrics HTTP/1.1\r\n{host}connection: close\r\n\r\n");
        assert_eq!(ask(address, &request).await.status, 421, "{host}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_turned_away_and_the_port_goes_on() {
    let world = World::start().await;
    let address = world.hub().http_address().unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let filling = vec![b'a'; 1 << 20];
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\nx: ").await;
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &filling).await;
    let mut rest = Vec::new();
    // Refused or cut off: either way it ends.
    let _ = within("the end", stream.read_to_end(&mut rest)).await;
    assert_eq!(page(&world, "/healthz").await.status, 200);
}

#[tokio::test]
async fn the_counters_tell_what_was_taken_and_refused() {
    let world = World::start().await;
    let letters = submit(&world, 3).await;
    let client = world.client("H36").await;
    client.submit(letters[0].clone()).await.unwrap();
    client.submit(world.letter("H36", &["H99"])).await.unwrap_err();
    let shown = page(&world, "/metrics").await;
    assert!(shown.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = shown.text();
    for line in [
        "lienthong_ready 1",
        "lienthong_log_leaves_total 3",
        "lienthong_taken_total{outcome=\"document\"} 3",
        "lienthong_taken_total{outcome=\"repeated\"} 1",
        "lienthong_refusals_total{code=\"RECIPIENT_UNKNOWN\"} 1",
        "lienthong_connections{port=\"http\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in:\n{text}");
    }
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    let block = world.hub().reader().last_block();
    assert_eq!(value("lienthong_journal_blocks_total "), block as f64);
    let age = crate::harness::now().millis() as f64 / 1000.0
        - value("lienthong_last_block_timestamp_seconds ");
    assert!((-1.0..60.0).contains(&age), "{age} s");
    assert!(value("lienthong_connections{port=\"grpc\"}") >= 1.0);
}

#[tokio::test]
async fn a_hub_that_drains_is_not_ready_and_is_gone_when_it_has_stopped() {
    let mut world = World::start().await;
    let address = world.hub().http_address().unwrap();
    assert_eq!(page(&world, "/readyz").await.text(), "ready\n");
    // A consumer that does not read what is sent to it keeps the hub waiting.
    let mut exchange = exchange(&world, "H36.12").await;
    let slow = Line::open(&mut exchange, &[], 64).await.unwrap();
    let sender = world.client("H36").await;
    for _ in 0..24 {
        let (letter, attachment) = with_attachment(document("H36", &["H36.12"]), noise(512 << 10));
        sender.submit(world.sealed_with(&letter, vec![attachment])).await.unwrap();
    }
    let stopping = tokio::spawn(world.take_hub().stop_within(Duration::from_secs(3600)));
    until("not being ready", async || at(address, "/readyz").await.status == 503).await;
    let shown = at(address, "/readyz").await;
    assert_eq!((shown.status, shown.text()), (503, "draining\n"));
    assert_eq!(at(address, "/healthz").await.status, 200, "it lives");
    assert!(at(address, "/metrics").await.text().contains("lienthong_ready 0"));
    drop((slow, exchange, sender));
    within("the stop", stopping).await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens");
}
