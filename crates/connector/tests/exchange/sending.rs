//! From the outbox to the hub.

use std::fs;
use std::time::Duration;

use lienthong_client::ClockSource;
use lienthong_connector::WebhookSettings;
use lienthong_model::MessageId;
use serde_json::Value;

use crate::harness::{World, code, communes, days, now, until};
use crate::stage::{Desk, Gate, entries, json};

const LETTER: &str = "to = [\"H34\"]\nsubject = \"Về việc thử\"\nnumber = 15\nunit = \"UBND\"\n";

#[tokio::test]
async fn a_folder_renamed_into_the_outbox_is_sent_and_moved_with_its_receipt() {
    let world = World::start().await;
    let desk = Desk::of(&world, "H36").await;
    fs::create_dir(desk.path("outbox/tmp-later")).unwrap();
    fs::write(desk.path("outbox/tmp-later/document.toml"), LETTER).unwrap();
    desk.put("outbox/cv-15", LETTER, &[("công văn.pdf", b"%PDF"), (".ignored", b"x")]);
    let receipt = desk.note("sent/cv-15", "receipt.json").await;
    assert_eq!(receipt["routes"][0]["code"], "H34");
    assert_eq!(receipt["repeated"], false);
    let id: MessageId = receipt["id"].as_str().unwrap().parse().unwrap();
    let tracked = world.client("H36").await.track(&code("H36"), id).await.unwrap();
    assert_eq!(tracked.subject, "Về việc thử");
    assert!(tracked.reference.ends_with(",15/UBND"), "{}", tracked.reference);
    let sent = desk.path("sent/cv-15");
    assert!(sent.join("công văn.pdf").is_file());
    for note in ["content.bin", "signatures.json", "evidence.json"] {
        assert!(sent.join("_lienthong").join(note).is_file(), "{note}");
    }
    assert_eq!(entries(&desk.path("outbox")).len(), 1, "what begins with tmp- is not taken");
    assert_eq!(entries(&desk.path("sending")), [] as [std::path::PathBuf; 0]);
    let delivered = world.client("H34").await.pull(&code("H34"), 1).await.unwrap();
    assert_eq!(delivered[0].signed.attachments[0].bytes, "%PDF");
}

#[tokio::test]
async fn a_wrong_header_is_refused_with_file_line_key_and_remedy_and_can_be_corrected() {
    let world = World::start().await;
    let desk = Desk::of(&world, "H36").await;
    desk.put("outbox/a", "to = [\"H34\"]\n\nsubjct = \"x\"\nsubject = \"x\"\n", &[]);
    let refusal = desk.note("refused/a", "refusal.json").await;
    assert_eq!(refusal["code"], "HEADER_KEY_UNKNOWN");
    let place = &refusal["violations"][0];
    assert_eq!((&place["file"], &place["line"]), (&"document.toml".into(), &3.into()));
    assert!(place["value"].as_str().unwrap().contains("`subject`"), "{place}");
    let text = fs::read_to_string(desk.path("refused/a/_lienthong/refusal.txt")).unwrap();
    assert!(text.contains("xử lý / remedy") && text.contains("line 3"), "{text}");
    fs::write(desk.path("refused/a/document.toml"), LETTER).unwrap();
    fs::rename(desk.path("refused/a"), desk.path("outbox/a")).unwrap();
    desk.note("sent/a", "receipt.json").await;
    assert!(!desk.path("sent/a/_lienthong/refusal.json").exists(), "of a former life");
}

#[tokio::test]
async fn what_the_hub_declines_is_refused_with_its_code_and_remedy() {
    let world = World::start().await;
    let desk = Desk::of(&world, "G22").await;
    desk.put("outbox/unsigned", LETTER, &[]);
    let refusal = desk.note("refused/unsigned", "refusal.json").await;
    assert_eq!(refusal["code"], "PERSONAL_SIGNATURE_REQUIRED");
    assert!(!refusal["remedy_vi"].as_str().unwrap().is_empty());
    let wrong = LETTER.replace("\"H34\"", "\"H34\", \"H99\"");
    desk.put("outbox/unknown", &wrong, &[]);
    let refusal = desk.note("refused/unknown", "refusal.json").await;
    assert_eq!(refusal["code"], "RECIPIENT_UNKNOWN");
    assert_eq!(refusal["violations"][0]["value"], "H99");
    assert_eq!(refusal["violations"][0]["field"], "recipients[1].code");
}

#[tokio::test]
async fn a_name_used_again_is_another_document() {
    let world = World::start().await;
    let desk = Desk::of(&world, "H36").await;
    desk.put("outbox/a", LETTER, &[]);
    let first = desk.note("sent/a", "receipt.json").await;
    // A copy of what was sent, as a template: with the connector's notes in it.
    let copied = std::process::Command::new("cp")
        .args(["-r"])
        .arg(desk.path("sent/a"))
        .arg(desk.path("outbox/.a"))
        .status();
    assert!(copied.unwrap().success());
    fs::rename(desk.path("outbox/.a"), desk.path("outbox/a")).unwrap();
    let second = desk.note("sent/a~2", "receipt.json").await;
    assert_ne!(first["id"], second["id"]);
}

#[tokio::test]
async fn while_the_hub_is_away_it_waits_signed_and_goes_with_the_same_bytes_when_it_is_back() {
    let mut world = World::start().await;
    let mut desk = Desk::of(&world, "H36").await;
    world.stop().await.unwrap();
    desk.put("outbox/a", LETTER, &[("a.txt", b"a")]);
    let waiting = desk.note("sending/a", "waiting.json").await;
    assert!(!waiting["meaning_vi"].as_str().unwrap().is_empty(), "{waiting}");
    let content = fs::read(desk.path("sending/a/_lienthong/content.bin")).unwrap();
    desk.stop().await;
    desk.start().await;
    assert!(!desk.connector.as_ref().unwrap().is_connected(), "it starts without the hub");
    world.start_again().await;
    desk.note("sent/a", "receipt.json").await;
    assert_eq!(fs::read(desk.path("sent/a/_lienthong/content.bin")).unwrap(), content);
}

#[tokio::test]
async fn what_waited_for_longer_than_the_hub_takes_is_signed_anew() {
    let mut world = World::start().await;
    let mut desk = Desk::prepare(&world, "H36");
    world.stop().await.unwrap();
    desk.settings.clock = ClockSource::scenario(now().minus(days(31)), 1.0);
    desk.start().await;
    desk.put("outbox/a", LETTER, &[]);
    desk.note("sending/a", "waiting.json").await;
    let old = fs::read(desk.path("sending/a/_lienthong/content.bin")).unwrap();
    world.start_again().await;
    let receipt = desk.note("sent/a", "receipt.json").await;
    assert_ne!(fs::read(desk.path("sent/a/_lienthong/content.bin")).unwrap(), old);
    let id: MessageId = receipt["id"].as_str().unwrap().parse().unwrap();
    assert!(id.time() > now().minus(Duration::from_secs(3600)));
    let stats = world.client("H36").await.track(&code("H36"), id).await.unwrap();
    assert_eq!(stats.deliveries.len(), 1);
}

#[tokio::test]
async fn an_accepted_document_whose_receipt_was_lost_gets_the_first_receipt_again() {
    let world = World::start().await;
    let mut desk = Desk::of(&world, "H36").await;
    desk.put("outbox/a", LETTER, &[("a.txt", b"a")]);
    let first = desk.note("sent/a", "receipt.json").await;
    desk.stop().await;
    // As a kill between the hub's answer and the disk leaves it.
    fs::remove_file(desk.path("sent/a/_lienthong/receipt.json")).unwrap();
    fs::rename(desk.path("sent/a"), desk.path("sending/a")).unwrap();
    desk.start().await;
    let again = desk.note("sent/a", "receipt.json").await;
    assert_eq!((&again["id"], &again["position"]), (&first["id"], &first["position"]));
    assert_eq!(again["repeated"], true);
}

#[tokio::test]
async fn one_connector_at_a_time_works_in_a_folder() {
    let world = World::start().await;
    let mut desk = Desk::of(&world, "H36").await;
    let second = lienthong_connector::Connector::start(desk.settings.clone()).await;
    assert!(matches!(second, Err(lienthong_connector::StartError::InUse(_))));
    desk.stop().await;
    desk.start().await;
}

#[tokio::test]
async fn the_directory_is_kept_and_names_recipients_while_the_hub_is_away() {
    let mut world = World::start().await;
    let mut desk = Desk::of(&world, "H36").await;
    let copy = desk.appears(".node/directory.json").await;
    assert_eq!(json(&copy)["agencies"].as_array().unwrap().len(), 11);
    desk.stop().await;
    world.stop().await.unwrap();
    desk.start().await;
    desk.put("outbox/a", LETTER, &[]);
    desk.note("sending/a", "waiting.json").await;
    let content = desk.path("sending/a/_lienthong/content.bin");
    let document = lienthong_wire::decode_document(&fs::read(content).unwrap()).unwrap();
    let lienthong_model::Recipient::Agency(to) = &document.recipients[0] else { panic!() };
    assert_eq!(to.name, "Ủy ban nhân dân tỉnh Kon Tum");
    world.start_again().await;
    desk.note("sent/a", "receipt.json").await;
    until("the mailbox", async || {
        !world.client("H34").await.pull(&code("H34"), 1).await.unwrap().is_empty()
    })
    .await;
}

#[tokio::test]
async fn documents_with_the_same_large_file_do_not_use_each_others_upload() {
    let world = World::start().await;
    let desk = Desk::of(&world, "H36").await;
    let large = crate::harness::noise(1_500_000);
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        desk.put(&format!("outbox/{name}"), LETTER, &[("lon.bin", &large)]);
    }
    for name in names {
        desk.note(&format!("sent/{name}"), "receipt.json").await;
    }
    assert!(entries(&desk.path("refused")).is_empty());
}

static FIRST_MOVED: Gate = Gate::new();

fn hold_the_first_moved(point: &'static str) {
    if point == "moved" {
        FIRST_MOVED.pass();
    }
}

#[tokio::test]
async fn what_is_put_into_the_outbox_does_not_wait_for_what_is_under_way() {
    let world = World::start().await;
    let mut desk = Desk::prepare(&world, "H36");
    desk.settings.point = hold_the_first_moved;
    desk.start().await;
    desk.put("outbox/slow", LETTER, &[]);
    until("it is held", async || FIRST_MOVED.passed() == 1).await;
    desk.put("outbox/quick", LETTER, &[]);
    desk.note("sent/quick", "receipt.json").await;
    FIRST_MOVED.open();
}

#[tokio::test]
async fn what_the_disk_does_not_let_be_sent_says_so_and_keeps_nobody_waiting() {
    let world = World::start().await;
    let mut desk = Desk::prepare(&world, "H36");
    let own = desk.path("sending/a/_lienthong");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("signatures.json"), "{").unwrap();
    desk.start().await;
    let waiting = desk.note("sending/a", "waiting.json").await;
    for language in ["meaning", "meaning_vi"] {
        let said = waiting[language].as_str().unwrap();
        assert!(said.contains("sending/a/_lienthong/signatures.json"), "{said}");
    }
    desk.put("outbox/b", LETTER, &[]);
    desk.note("sent/b", "receipt.json").await;
}

#[tokio::test]
async fn a_recipient_that_the_copy_of_the_directory_does_not_have_yet_is_asked_for() {
    let world = World::start().await;
    let desk = Desk::of(&world, "H36").await;
    desk.appears(".node/directory.json").await;
    let new = lienthong_core::Command::ChangeDirectory(communes(1));
    world.hub().administer(new).await.unwrap();
    desk.put("outbox/a", &LETTER.replace("H34", "H34.C0"), &[]);
    let receipt = desk.note("sent/a", "receipt.json").await;
    assert_eq!(receipt["routes"][0]["code"], "H34.C0");
}

#[tokio::test]
async fn while_the_hub_is_away_no_copy_of_the_directory_refuses_a_recipient() {
    let mut world = World::start().await;
    let desk = Desk::of(&world, "H36").await;
    desk.appears(".node/directory.json").await;
    world.stop().await.unwrap();
    desk.put("outbox/a", &LETTER.replace("H34", "H99"), &[]);
    desk.note("sending/a", "waiting.json").await;
    world.start_again().await;
    let refusal = desk.note("refused/a", "refusal.json").await;
    assert_eq!(refusal["code"], "RECIPIENT_UNKNOWN");
}

#[tokio::test]
async fn the_newest_refusal_has_the_name_and_is_a_happening_of_its_own() {
    let world = World::start().await;
    let mut desk = Desk::prepare(&world, "H36");
    let (url, secret) = ("http://127.0.0.1:1/".to_owned(), desk.path("webhook.secret"));
    desk.settings.webhook = Some(WebhookSettings { url, secret, roots: String::new() });
    desk.start().await;
    for code in ["H97", "H98", "H99"] {
        desk.put("outbox/a", &LETTER.replace("H34", code), &[]);
        let newest = async || {
            let refusal = fs::read(desk.path("refused/a/_lienthong/refusal.json"));
            let refusal = refusal.map(|json| serde_json::from_slice::<Value>(&json).unwrap());
            refusal.is_ok_and(|refusal| refusal["violations"][0]["value"] == code)
        };
        until(code, newest).await;
    }
    assert_eq!(entries(&desk.path("refused")).len(), 3);
    assert_eq!(entries(&desk.path(".node/webhook")).len(), 3);
}

#[tokio::test]
async fn what_a_killed_connector_was_writing_into_the_outbox_is_removed_at_the_start() {
    let world = World::start().await;
    let mut desk = Desk::prepare(&world, "H36");
    for name in [".http-0123", ".ours"] {
        fs::create_dir_all(desk.path("outbox").join(name)).unwrap();
        fs::write(desk.path("outbox").join(name).join("a.bin"), "x").unwrap();
    }
    desk.start().await;
    assert!(!desk.path("outbox/.http-0123").exists());
    assert!(desk.path("outbox/.ours/a.bin").exists(), "somebody else writes it");
}
