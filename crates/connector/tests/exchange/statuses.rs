//! Status reports in both directions, between two connectors.

use std::fs;

use crate::harness::{World, until};
use crate::stage::{Desk, entries, json};

#[tokio::test]
async fn a_report_goes_from_the_recipients_folder_into_the_senders_once() {
    let world = World::start().await;
    let (sender, recipient) = (Desk::of(&world, "H36").await, Desk::of(&world, "H34").await);
    sender.put("outbox/a", "to = [\"H34\"]\nsubject = \"Hỏi\"\n", &[]);
    let received = recipient.first("inbox").await;
    let name = received.file_name().unwrap().to_str().unwrap();
    let report = format!("document = \"{name}\"\nstatus = \"03\"\n");
    fs::write(recipient.path("status/out/.r1"), report).unwrap();
    fs::rename(recipient.path("status/out/.r1"), recipient.path("status/out/r1.toml")).unwrap();
    let receipt = recipient.note("status/sent/r1", "receipt.json").await;
    assert_eq!(receipt["reporter"], "H34");
    assert!(recipient.path("status/sent/r1/report.toml").is_file());
    let notice = json(&sender.first("status/in").await);
    assert_eq!((&notice["status"], &notice["recipient"]), (&"03".into(), &"H34".into()));
    assert_eq!(notice["name"], "a", "the name that the sender's software gave");
    assert_eq!(notice["recipient_name"], "Ủy ban nhân dân tỉnh Kon Tum");

    let finished = format!("{{\"document\": \"{name}\", \"status\": \"06\"}}");
    fs::write(recipient.path("status/out/r2.json"), finished).unwrap();
    until("the second report", async || entries(&sender.path("status/in")).len() >= 2).await;
    until("it is followed no more", async || entries(&sender.path(".node/following")).is_empty())
        .await;
    assert_eq!(entries(&sender.path("status/in")).len(), 2);
}

#[tokio::test]
async fn a_wrong_report_is_refused_here_or_by_the_hub_with_its_remedy() {
    let world = World::start().await;
    let desk = Desk::of(&world, "H34").await;
    let id = crate::harness::new_id();
    let report = |status: &str| format!("sender = \"H36\"\nid = \"{id}\"\nstatus = \"{status}\"\n");
    fs::write(desk.path("status/out/a.toml"), report("02")).unwrap();
    let refusal = desk.note("status/refused/a", "refusal.json").await;
    assert_eq!(refusal["violations"][0]["field"], "reason");
    fs::write(desk.path("status/out/b.toml"), report("03")).unwrap();
    let refusal = desk.note("status/refused/b", "refusal.json").await;
    assert_eq!(refusal["code"], "DOCUMENT_UNKNOWN");
}

#[tokio::test]
async fn a_report_that_does_not_verify_is_kept_apart_and_holds_nobody_up() {
    let world = World::start().await;
    let mut sender = Desk::prepare(&world, "H36");
    let other = lienthong_pki::TestPki::new([99; 32], crate::harness::validity()).unwrap();
    sender.settings.roots = crate::stage::roots(&other);
    sender.start().await;
    let recipient = Desk::of(&world, "H34").await;
    sender.put("outbox/a", "to = [\"H34\"]\nsubject = \"Hỏi\"\n", &[]);
    let name = recipient.first("inbox").await;
    let name = name.file_name().unwrap().to_str().unwrap();
    for status in ["03", "06"] {
        let report = format!("document = \"{name}\"\nstatus = \"{status}\"\n");
        fs::write(recipient.path(&format!("status/out/{status}.toml")), report).unwrap();
        recipient.note(&format!("status/sent/{status}"), "receipt.json").await;
    }
    until("both", async || entries(&sender.path("status/rejected")).len() >= 2).await;
    let rejected = json(&entries(&sender.path("status/rejected"))[0]);
    assert_eq!(rejected["verified"], false);
    assert_eq!(rejected["refused"]["code"], "CERTIFICATE_CHAIN_BROKEN");
    assert!(entries(&sender.path("status/in")).is_empty());
}
