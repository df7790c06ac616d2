//! Status reports in both directions, between two connectors.

use std::fs;

use lienthong_client::{ReportedStatus, sign_report};
use lienthong_connector::{Judge, WebhookSettings};
use lienthong_model::{StatusCode, StatusReport};

use crate::harness::{World, code, directory, new_id, now, until};
use crate::stage::{Desk, entries, json, roots};

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
    assert_eq!(entries(&sender.path("status/in")).len(), 2);
}

#[tokio::test]
async fn a_wrong_report_is_refused_here_or_by_the_hub_with_its_remedy() {
    let world = World::start().await;
    let desk = Desk::of(&world, "H34").await;
    let id = new_id();
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
    sender.settings.roots = roots(&other);
    let (url, secret) = ("http://127.0.0.1:1/".to_owned(), sender.path("webhook.secret"));
    sender.settings.webhook = Some(WebhookSettings { url, secret, roots: String::new() });
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
    let told = || {
        let events = entries(&sender.path(".node/webhook")).into_iter().map(|event| json(&event));
        events.filter(|event| event["sender"] == "H36").collect::<Vec<_>>()
    };
    until("it is told", async || told().len() == 2).await;
    for event in told() {
        assert_eq!(event["kind"], "report.rejected");
        assert_eq!(event["code"], "CERTIFICATE_CHAIN_BROKEN");
    }
}

#[tokio::test]
async fn a_report_that_the_gateway_sealed_is_believed_as_soon_as_the_directory_names_it() {
    let world = World::start().await;
    let served = directory().into_iter().find(|entry| entry.code == code("H34.05")).unwrap();
    let alone = lienthong_model::AgencyEntry { gateway: None, ..served.clone() };
    let change = async |entry| {
        let change = lienthong_core::Command::ChangeDirectory(vec![entry]);
        world.hub().administer(change).await.unwrap();
    };
    change(alone).await;
    let on = (code("H36"), new_id());
    let report = StatusReport::new(new_id(), code("H34.05"), on, StatusCode::Accepted);
    let signed = sign_report(&report, &[&world.seal("H34")]);
    let report = ReportedStatus { code: StatusCode::Accepted, signed };
    let (judge, client) = (Judge::new(&roots(&world.pki)).unwrap(), world.client("H36").await);
    let at = now();
    assert!(judge.report(&client, &report, at).await.unwrap().is_err());
    change(served).await;
    let believed = judge.report(&client, &report, at).await.unwrap().unwrap();
    assert_eq!(believed.from.code, code("H34.05"));
}
