//! Lists of recipients and fan-out, through the wire.

use crate::harness::{World, code, communes, document, reason, until, within};
use lienthong_client::{Client, Enough, ListToSave, ProgressCounts, ProgressGoal, Receipt, Stage};
use lienthong_model::{Document, DocumentType, MessageId, Reason, Recipient, StatusCode};
use std::collections::BTreeSet;
use std::time::Duration;

fn to_list(from: &str, to: &[&str], list: &str) -> Document {
    let mut document = document(from, to);
    document.recipients.push(Recipient::List(list.to_owned()));
    document
}

fn codes(receipt: &Receipt) -> Vec<String> {
    receipt.routes.iter().map(|route| route.code.to_string()).collect()
}

async fn counts(client: &Client, sender: &str, id: MessageId) -> ProgressCounts {
    client.progress(&code(sender), id, &[]).await.unwrap().0
}

#[tokio::test]
async fn a_receipt_names_the_recipients_of_a_list_and_who_was_left_out_and_why() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let receipt = client.submit(world.sealed(&to_list("H36", &[], "provinces"))).await.unwrap();
    assert_eq!(codes(&receipt), ["H34", "H01"]);
    assert_eq!((receipt.recipients, receipt.left_out_total), (2, 1));
    assert_eq!(receipt.left_out[0].code, code("H02"));
    assert_eq!(receipt.left_out[0].known_reason(), Some(Reason::RecipientSuspended));
}

#[tokio::test]
async fn the_first_receipt_is_given_again_whatever_the_list_has_become() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let list = |members: &[&str]| ListToSave {
        owner: code("H36"),
        name: "phoi-hop".to_owned(),
        title: "Các cơ quan phối hợp".to_owned(),
        members: members.iter().map(|member| code(member)).collect(),
    };
    let saved = client.save_list(list(&["H34", "H36.12"])).await.unwrap();
    assert_eq!((saved.name.as_str(), saved.members), ("saved:H36/phoi-hop", 2));
    let signed = world.sealed(&to_list("H36", &[], "saved:phoi-hop"));
    let first = client.submit(signed.clone()).await.unwrap();
    assert_eq!(codes(&first), ["H34", "H36.12"]);
    let again = client.save_list(list(&["H36.30"])).await.unwrap();
    assert!(again.saved.unwrap().version > saved.saved.unwrap().version);
    let repeated = client.submit(signed).await.unwrap();
    assert_eq!((codes(&repeated), repeated.repeated), (codes(&first), true));
    let next = client.submit(world.sealed(&to_list("H36", &[], "saved:phoi-hop"))).await.unwrap();
    assert_eq!(codes(&next), ["H36.30"]);
}

#[tokio::test]
async fn lists_are_shown_resolved_and_removed_by_whoever_may_name_them() {
    let world = World::start().await;
    let province = world.client("H36").await;
    let district = world.client("H36.30").await;
    let list = ListToSave {
        owner: code("H36"),
        name: "cap-xa".to_owned(),
        title: "Cấp xã".to_owned(),
        members: vec![code("H36.30.05"), code("H02")],
    };
    province.save_list(list.clone()).await.unwrap();
    let shown = district.recipient_lists(&code("H36.30")).await.unwrap();
    let names: BTreeSet<&str> = shown.iter().map(|list| list.name.as_str()).collect();
    for name in ["communes", "communes-of:H36", "below:H36.30", "saved:H36/cap-xa"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    let letter = DocumentType::OFFICIAL_LETTER;
    let resolved = district.resolve_list(&code("H36.30"), "saved:cap-xa", letter).await.unwrap();
    assert_eq!(resolved.recipients[0].code, code("H36.30.05"));
    assert_eq!(resolved.left_out[0].code, code("H02"));
    // It is not the district's to keep.
    assert_eq!(reason(district.save_list(list).await), Reason::CallerNotEntitled);
    province.remove_list(&code("H36"), "cap-xa").await.unwrap();
    let gone = district.resolve_list(&code("H36.30"), "saved:cap-xa", letter).await;
    assert_eq!(reason(gone), Reason::RecipientListUnknown);
}

#[tokio::test]
async fn a_document_for_a_thousand_is_accepted_at_once_and_comes_to_each_of_them_once() {
    let mut world = World::start_among(communes(1_100)).await;
    let client = world.client("G22").await;
    let mut document = to_list("G22", &["H36"], "communes-of:H34");
    document.subject = "Về việc gửi tới mọi xã".to_owned();
    let person = world.pki.identity(&crate::harness::person("G22")).unwrap();
    let person = world.signer(&person);
    let signed = lienthong_client::sign_document(&document, Vec::new(), &[&person]);
    let receipt = client.submit(signed.clone()).await.unwrap();
    assert_eq!((receipt.recipients, receipt.routes.len()), (1_102, 0));
    // A hub that is stopped on the way goes on where it stopped.
    world.restart().await;
    let id = document.id;
    until("all have it in their mailboxes", async || counts(&client, "G22", id).await.pending == 0)
        .await;
    let found = counts(&client, "G22", id).await;
    assert_eq!((found.recipients, found.waiting), (1_102, 1_102));
    let gateway = world.client("H34").await;
    let mut subscription = gateway.subscribe(&[], 512).await.unwrap();
    let acknowledger = subscription.acknowledger();
    let mut came = BTreeSet::new();
    while came.len() < 1_101 {
        let delivery = crate::harness::next(&mut subscription).await;
        assert!(came.insert(delivery.key.recipient.to_string()), "{:?} twice", delivery.key);
        acknowledger.acknowledge(std::slice::from_ref(&delivery.key)).await.unwrap();
    }
    let found = counts(&client, "G22", id).await;
    assert_eq!((found.acknowledged, found.waiting), (1_101, 1));
    let (_, laggards) = client.progress(&code("G22"), id, &[Stage::Waiting]).await.unwrap();
    assert_eq!(laggards.len(), 1);
    assert_eq!(laggards[0].code, code("H36"));
    // Track is bounded and says how many there are.
    let tracked = client.track(&code("G22"), id).await.unwrap();
    assert_eq!((tracked.recipients, tracked.deliveries.len()), (1_102, 1_000));
    // A recipient sees its own delivery only.
    let own = world.client("H36").await.track(&code("G22"), id).await.unwrap();
    assert_eq!((own.recipients, own.deliveries.len()), (0, 1));
    let again = client.submit(signed).await.unwrap();
    assert_eq!((again.repeated, again.recipients), (true, 1_102));
}

#[tokio::test]
async fn whoever_waits_for_a_share_of_the_recipients_is_told_when_it_is_reached() {
    let world = World::start().await;
    let client = world.client("H36").await;
    let document = document("H36", &["H36.12", "H36.30", "H34"]);
    client.submit(world.sealed(&document)).await.unwrap();
    let goal = ProgressGoal {
        stage: Stage::Accepted,
        enough: Enough::Share(0.6),
        timeout: crate::harness::PATIENCE,
    };
    let (sender, id) = (code("H36"), document.id);
    let mut told = Vec::new();
    let waiting = client.wait_for_progress(&sender, id, goal, |counts| told.push(counts));
    let reporting = async {
        for agency in ["H36.12", "H34"] {
            let reporter = world.client(agency).await;
            let report = world.report(agency, ("H36", id), StatusCode::Accepted, "");
            reporter.report(report).await.unwrap();
        }
    };
    let (waited, ()) = within("two of three", async { tokio::join!(waiting, reporting) }).await;
    let waited = waited.unwrap();
    assert!(waited.reached);
    assert_eq!((waited.progress.accepted, waited.progress.waiting), (2, 1));
    assert!(told.iter().all(|counts| counts.accepted < 2), "{told:?}");
    let goal = ProgressGoal { timeout: Duration::from_millis(1), ..goal };
    let goal = ProgressGoal { enough: Enough::Count(3), ..goal };
    let waited = client.wait_for_progress(&sender, id, goal, |_| {}).await.unwrap();
    assert!(!waited.reached);
    // Only the sender may ask.
    let other = world.client("H34").await.progress(&sender, id, &[]).await;
    assert_eq!(reason(other), Reason::DocumentUnknown);
}

/// How long a hundred documents of others take, one after the other; the slowest two aside: p99.
async fn others(world: &World, client: &Client, count: usize) -> Vec<Duration> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let signed = world.letter("H36", &["H36.12"]);
        let began = std::time::Instant::now();
        client.submit(signed).await.unwrap();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times
}

fn percentile(times: &[Duration], share: f64) -> Duration {
    times[((times.len() - 1) as f64 * share) as usize]
}

/// Resident memory of this process in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Prints, for documentation: `cargo nextest run -p lienthong-hub --run-ignored all measure`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_what_a_fan_out_to_twelve_thousand_does_to_others() {
    let world = World::start_among(communes(11_999)).await;
    let client = world.client("H36").await;
    others(&world, &client, 200).await;
    let before = others(&world, &client, 1_000).await;
    let idle = resident();
    let person = world.signer(&world.pki.identity(&crate::harness::person("G22")).unwrap());
    let sender = world.client("G22").await;
    let mut accepted = Vec::new();
    let mut during = Vec::new();
    for _ in 0..5 {
        let document = to_list("G22", &[], "communes-of:H34");
        let signed = lienthong_client::sign_document(&document, Vec::new(), &[&person]);
        let began = std::time::Instant::now();
        let receipt = sender.submit(signed).await.unwrap();
        accepted.push(began.elapsed());
        assert_eq!(receipt.recipients, 12_000);
        let mut blocks = 0;
        while counts(&sender, "G22", document.id).await.pending > 0 {
            during.extend(others(&world, &client, 20).await);
            blocks += 1;
        }
        println!("fan-out in {:?}, {} documents of others", began.elapsed(), blocks * 20);
        let began = std::time::Instant::now();
        for _ in 0..20 {
            counts(&sender, "G22", document.id).await;
        }
        println!("counts of 12,000: {:?}", began.elapsed() / 20);
    }
    during.sort_unstable();
    for (name, times) in [("before", &before), ("during", &during)] {
        let [half, most, all] = [0.5, 0.99, 1.0].map(|share| percentile(times, share));
        println!("{name}: p50 {half:?}, p99 {most:?}, max {all:?} of {}", times.len());
    }
    println!("accepted in {accepted:?}; memory {} MiB more", (resident() - idle) / 1024);
}
