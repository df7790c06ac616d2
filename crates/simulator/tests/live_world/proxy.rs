//! The proxy before a real hub: each of its modes really happens, and the exchange survives it.

use std::time::{Duration, Instant};

use lienthong_client::{CallError, Client, Retry, sign_document};
use lienthong_model::{Document, SignedContent};
use lienthong_simulator::live::{Mode, Proxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::node::{Stage, until};

/// A hub with a sender who reaches it through a proxy, and a recipient who does not.
struct Behind {
    stage: Stage,
    proxy: Proxy,
    sender: Client,
}

impl Behind {
    async fn new() -> Self {
        let stage = Stage::set().await;
        let proxy =
            Proxy::before(format!("127.0.0.1:{}", stage.hub.address().port())).await.unwrap();
        let patient = Retry { total: Duration::from_secs(60), ..Retry::default() };
        let endpoint = stage.endpoint("H36").through(proxy.address()).retry(patient);
        let sender = Client::connect(endpoint.call_max(Duration::from_secs(5))).await.unwrap();
        Self { stage, proxy, sender }
    }

    fn document(&self, subject: &str) -> SignedContent {
        let id = self.sender.new_id();
        let to = [crate::ground::code("H36.01")];
        let document = Document::new(id, crate::ground::code("H36"), to, subject, id.time())
            .issued(1, lienthong_model::DocumentType::OFFICIAL_LETTER, "UBND");
        sign_document(&document, Vec::new(), &[&self.stage.person("H36")])
    }

    fn sent(&self) -> u64 {
        let period = lienthong_core::statistics::Period::ALL;
        self.stage.hub.reader().volumes(period).unwrap().totals.sent
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_is_lost_comes_again_for_the_same_bytes() {
    let behind = Behind::new().await;
    // A connection that is left alone at first loses its answers after that.
    tokio::time::sleep(Duration::from_millis(800)).await;
    behind.proxy.set(Mode::LoseAnswers);
    let (client, document) = (behind.sender.clone(), behind.document("mất biên nhận"));
    let submitting = tokio::spawn(async move { client.submit(document).await });
    until("the hub has the document", async || behind.sent() == 1).await;
    assert!(!submitting.is_finished(), "the receipt did not get lost");
    behind.proxy.set(Mode::Open);
    let receipt = submitting.await.unwrap().unwrap();
    assert!(receipt.repeated, "the receipt is the first one again");
    assert_eq!(behind.sent(), 1, "it is there once");
    let done = behind.proxy.done();
    assert!(done.lost_bytes > 0 && done.cut > 0 && done.connections > 1, "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_line_delays_and_loses_nothing() {
    let behind = Behind::new().await;
    behind.proxy.set(Mode::Delay(Duration::from_millis(200)));
    let began = Instant::now();
    let receipt = behind.sender.submit(behind.document("chậm")).await.unwrap();
    assert!(!receipt.repeated);
    assert!(began.elapsed() >= Duration::from_millis(400), "both ways are late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_cut_in_the_middle_goes_on_where_it_was() {
    let behind = Behind::new().await;
    let path = behind.stage.site.folder.path().join("large.bin");
    let bytes: Vec<u8> = (0..6_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    std::fs::write(&path, &bytes).unwrap();
    let whole = lienthong_client::FileDigest::of(&path, |_| {}).await.unwrap();
    behind.proxy.set(Mode::CutAfter(2_500_000));
    let (client, file) = (behind.sender.clone(), path.clone());
    let steps = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
    let told = steps.clone();
    let uploading =
        tokio::spawn(
            async move { client.upload(&file, &whole, |bytes| told.lock().push(bytes)).await },
        );
    until("the connection is cut", async || behind.proxy.done().cut > 0).await;
    behind.proxy.set(Mode::Open);
    uploading.await.unwrap().unwrap();
    let steps = steps.lock().clone();
    assert_eq!(steps.last(), Some(&6_000_000), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_read_keeps_nobody_else_waiting_and_gets_everything_later() {
    let behind = Behind::new().await;
    let mut slow = behind.stage.subscribe_through("H36", &behind.proxy).await;
    let (other, mut quick) = behind.stage.subscribed("H36.01").await;
    behind.proxy.set(Mode::Stall);
    let id = other.new_id();
    let to = [crate::ground::code("H36"), crate::ground::code("H36.01")];
    let document = Document::new(id, crate::ground::code("H36.02"), to, "hai nơi nhận", id.time());
    let sender = behind.stage.client("H36.02").await;
    let signed = sign_document(&document, Vec::new(), &[&behind.stage.person("H36.02")]);
    sender.submit(signed).await.unwrap();
    let there = quick.next().await.unwrap().unwrap();
    quick.acknowledge(&[there.key]).await.unwrap();
    let stalled = tokio::time::timeout(Duration::from_millis(500), slow.next()).await;
    assert!(stalled.is_err(), "it came although nobody read");
    behind.proxy.set(Mode::Open);
    let late = slow.next().await.unwrap().unwrap();
    slow.acknowledge(&[late.key]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_line_is_waited_for() {
    let behind = Behind::new().await;
    behind.proxy.set(Mode::Closed);
    let (client, document) = (behind.sender.clone(), behind.document("đường truyền đóng"));
    let submitting = tokio::spawn(async move { client.submit(document).await });
    until("connections are closed", async || behind.proxy.done().cut > 1).await;
    assert_eq!(behind.sent(), 0);
    behind.proxy.set(Mode::Open);
    submitting.await.unwrap().unwrap();
    assert_eq!(behind.sent(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_whose_signature_was_not_really_made_is_refused_by_a_live_hub() {
    let behind = Behind::new().await;
    let mut signed = behind.document("chữ ký giả");
    for signature in &mut signed.signatures {
        // As a world that skips the arithmetic would leave it.
        signature.value = bytes::Bytes::from(vec![1; 64]);
    }
    match behind.sender.submit(signed).await {
        Err(CallError::Refused(refusal)) => {
            assert_eq!(refusal.reason, lienthong_model::Reason::SignatureInvalid);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(behind.sent(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_the_line_was_closed_does_not_get_through() {
    tokio::spawn(closed_again_and_again()).await.unwrap();
}

/// On a worker: the proxy's task waits behind it, and sees the mode and the bytes at once.
async fn closed_again_and_again() {
    let hub = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::before(hub.local_addr().unwrap().to_string()).await.unwrap();
    // Which of them it looks at first is a matter of luck.
    for _ in 0..50 {
        proxy.set(Mode::Open);
        let mut node = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut hub, _) = hub.accept().await.unwrap();
        hub.write_all(b"before").await.unwrap();
        let mut before = [0; 6];
        node.read_exact(&mut before).await.unwrap();
        proxy.set(Mode::Closed);
        assert_eq!(hub.try_write(b"after").unwrap(), 5);
        assert_eq!(node.try_write(b"after").unwrap(), 5);
        // Time for the other worker to find out that there is something to read.
        std::thread::sleep(Duration::from_millis(2));
        let mut after = Vec::new();
        // An end or a broken connection: what counts is what came.
        let _ = (node.read_to_end(&mut after).await, hub.read_to_end(&mut after).await);
        assert_eq!(after, b"");
    }
}
