//! From the hub to the inbox.

use std::fs;

use bytes::Bytes;
use lienthong_connector::read_received_name;

use crate::harness::{World, code, document, test_pki, until, validity, with_attachment};
use crate::stage::{Desk, Gate, entries, json, roots};

#[tokio::test]
async fn a_delivery_is_verified_kept_and_acknowledged() {
    let world = World::start().await;
    let desk = Desk::of(&world, "H36").await;
    let (letter, attachment) = with_attachment(document("H34", &["H36"]), Bytes::from("Điều 1"));
    let signed = world.sealed_with(&letter, vec![attachment]);
    let client = world.client("H34").await;
    client.submit(signed.clone()).await.unwrap();
    until("the acknowledgement", async || {
        let tracked = client.track(&code("H34"), letter.id).await.unwrap();
        tracked.deliveries[0].acknowledged_at.is_some()
    })
    .await;
    let folder = entries(&desk.path("inbox")).remove(0);
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert_eq!(read_received_name(name), Some((code("H34"), letter.id)));
    let record = json(&folder.join("document.json"));
    assert_eq!((&record["verified"], &record["signature"]), (&true.into(), &"seal".into()));
    assert_eq!(record["subject"], letter.subject);
    let text = fs::read_to_string(folder.join("attachments/toan-van.pdf")).unwrap();
    assert_eq!(text, "Điều 1");
    assert_eq!(fs::read(folder.join("content.bin")).unwrap(), signed.content);
    assert!(folder.join("signatures.json").is_file());
    until("the mark is removed", async || entries(&desk.path(".node/received/marks")).is_empty())
        .await;
}

#[tokio::test]
async fn what_does_not_verify_is_rejected_not_acknowledged_and_taken_when_it_does() {
    let mut world = World::start().await;
    let mut desk = Desk::prepare(&world, "H36");
    let other = lienthong_pki::TestPki::new([99; 32], validity()).unwrap();
    desk.settings.roots = roots(&other);
    desk.start().await;
    let letter = document("H34", &["H36"]);
    let client = world.client("H34").await;
    client.submit(world.sealed(&letter)).await.unwrap();
    let rejected = desk.first("inbox-rejected").await;
    let record = json(&rejected.join("document.json"));
    assert_eq!(record["verified"], false);
    assert_eq!(record["refused"]["code"], "CERTIFICATE_CHAIN_BROKEN");
    let tracked = client.track(&code("H34"), letter.id).await.unwrap();
    assert!(tracked.deliveries[0].acknowledged_at.is_none(), "it stays in the mailbox");
    assert!(entries(&desk.path("inbox")).is_empty());
    desk.stop().await;
    // The roots are put right; a hub started again forgets when it was to come again.
    world.restart().await;
    desk.settings.roots = roots(&test_pki());
    desk.start().await;
    desk.first("inbox").await;
    until("it is rejected no more", async || !rejected.exists()).await;
}

#[tokio::test]
async fn what_comes_while_the_hub_restarts_is_received_once() {
    let mut world = World::start().await;
    let desk = Desk::of(&world, "H36").await;
    for _ in 0..3 {
        world.client("H34").await.submit(world.letter("H34", &["H36"])).await.unwrap();
    }
    world.restart().await;
    for _ in 0..3 {
        world.client("H34").await.submit(world.letter("H34", &["H36"])).await.unwrap();
    }
    until("six documents", async || entries(&desk.path("inbox")).len() >= 6).await;
    until("all are acknowledged", async || {
        world.client("H36").await.pull(&code("H36"), 10).await.unwrap().is_empty()
            && entries(&desk.path(".node/received/marks")).is_empty()
    })
    .await;
    assert_eq!(entries(&desk.path("inbox")).len(), 6);
}

static FIRST_WRITTEN: Gate = Gate::new();

fn hold_the_first_written(point: &'static str) {
    if point == "received-aside" {
        FIRST_WRITTEN.pass();
    }
}

#[tokio::test]
async fn what_is_being_written_when_the_hub_restarts_is_not_written_again() {
    let mut world = World::start().await;
    let mut desk = Desk::prepare(&world, "H36");
    desk.settings.point = hold_the_first_written;
    desk.start().await;
    world.client("H34").await.submit(world.letter("H34", &["H36"])).await.unwrap();
    until("it is being written", async || FIRST_WRITTEN.passed() == 1).await;
    world.restart().await;
    // It comes behind what the hub sends again.
    world.client("H34").await.submit(world.letter("H34", &["H36"])).await.unwrap();
    desk.first("inbox").await;
    FIRST_WRITTEN.open();
    let inbox = desk.path("inbox");
    until("both", async || entries(&inbox).len() == 2).await;
    for folder in entries(&inbox) {
        fs::rename(&folder, desk.path("").join(folder.file_name().unwrap())).unwrap();
    }
    until("both are acknowledged", async || entries(&desk.path(".node/received/marks")).is_empty())
        .await;
    assert_eq!(entries(&inbox), [] as [std::path::PathBuf; 0]);
    assert_eq!(FIRST_WRITTEN.passed(), 2);
}

#[tokio::test]
async fn large_files_are_uploaded_and_downloaded_whole_between_two_connectors() {
    let world = World::start().await;
    let (sender, recipient) = (Desk::of(&world, "H34").await, Desk::of(&world, "H36").await);
    let (large, other) = (crate::harness::noise(3 << 20), crate::harness::noise(2 << 20));
    let header = "to = [\"H36\"]\nsubject = \"Bản đồ\"\nbody = \"cv.txt\"\n";
    let files: [(&str, &[u8]); 3] =
        [("cv.txt", b"\xc4\x90i\xe1\xbb\x81u 1"), ("bando.zip", &large), ("anh.zip", &other)];
    sender.put("outbox/a", header, &files);
    sender.note("sent/a", "receipt.json").await;
    let attachments = recipient.first("inbox").await.join("attachments");
    assert_eq!(fs::read(attachments.join("bando.zip")).unwrap(), large);
    assert_eq!(fs::read(attachments.join("anh.zip")).unwrap(), other);
    assert_eq!(fs::read_to_string(attachments.join("cv.txt")).unwrap(), "Điều 1");
    assert_eq!(entries(&attachments).len(), 3);
}
