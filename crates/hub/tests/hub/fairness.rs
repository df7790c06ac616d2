//! Dead consumers of full mailboxes, and the others beside them.
//!
//! The claim that can fail in a test is here: everybody else's mail goes on. How long it takes is
//! measured by hand, both sides in turn:
//! `cargo nextest run --release -p lienthong-hub --test fairness --run-ignored only --no-capture`

use std::time::{Duration, Instant};

use crate::harness::raw::{Line, exchange};
use crate::harness::{World, code, directory, document, next};
use lienthong_client::{Client, Subscription};
use lienthong_hub::DirectoryImport;
use lienthong_model::limits::CONSUMER_CREDIT_MAX;
use lienthong_model::{AgencyEntry, Level};

/// Agencies whose consumers take nothing.
fn dead(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("H36.90.{n:03}")).collect()
}

/// A hub that knows them too, with `waiting` documents in each of their mailboxes.
async fn stage(dead: &[String], waiting: usize) -> World {
    let world = World::start_with(|settings| {
        let mut entries = directory();
        let like = entries[2].clone();
        entries.extend(dead.iter().map(|text| AgencyEntry {
            code: code(text),
            level: Level::Commune,
            ..like.clone()
        }));
        settings.directory = Some(DirectoryImport { source: "test".to_owned(), entries });
    })
    .await;
    let stream = world.client("H36").await.submissions(64);
    let to: Vec<&str> = dead.iter().map(String::as_str).collect();
    let letters = (0..waiting).map(|_| stream.submit(world.letter("H36", &to)));
    for receipt in futures_util::future::join_all(letters).await {
        receipt.unwrap();
    }
    world
}

/// Consumers with as much credit as there is, that read nothing.
async fn open_dead(world: &World, dead: &[String]) -> Vec<Line> {
    let mut lines = Vec::new();
    for agency in dead {
        let mut exchange = exchange(world, agency).await;
        lines.push(Line::open(&mut exchange, &[], CONSUMER_CREDIT_MAX).await.unwrap());
    }
    lines
}

/// From the submission to the moment at which the recipient has it, and acknowledges it, one after
/// the other; sorted.
async fn latencies(
    world: &World,
    sender: &Client,
    inbox: &mut Subscription,
    count: usize,
) -> Vec<Duration> {
    let mut taken = Vec::with_capacity(count);
    for _ in 0..count {
        let letter = world.sealed(&document("H34", &["H36.12"]));
        let began = Instant::now();
        let receipt = sender.submit(letter).await.unwrap();
        let delivery = next(inbox).await;
        taken.push(began.elapsed());
        assert_eq!(delivery.key.position, receipt.position);
        inbox.acknowledge(&[delivery.key]).await.unwrap();
    }
    taken.sort_unstable();
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_dead_consumers_of_full_mailboxes_hold_up_nobody_elses_mail() {
    let dead = dead(100);
    let world = stage(&dead, 20).await;
    let _lines = open_dead(&world, &dead).await;
    let sender = world.client("H34").await;
    let mut inbox = world.client("H36.12").await.subscribe(&[], 8).await.unwrap();
    assert_eq!(latencies(&world, &sender, &mut inbox, 50).await.len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a test: run it alone"]
async fn measure_the_others_beside_a_hundred_dead_consumers() {
    const DOCUMENTS: usize = 1_000;
    let dead = dead(100);
    let world = stage(&dead, 300).await;
    let sender = world.client("H34").await;
    let mut inbox = world.client("H36.12").await.subscribe(&[], 8).await.unwrap();
    latencies(&world, &sender, &mut inbox, 100).await;
    let (mut ratios, percent) = (Vec::new(), |sorted: &[Duration], p: usize| {
        sorted[(sorted.len() * p / 100).min(sorted.len() - 1)]
    });
    for round in 0..5 {
        let alone = latencies(&world, &sender, &mut inbox, DOCUMENTS).await;
        let lines = open_dead(&world, &dead).await;
        let beside = latencies(&world, &sender, &mut inbox, DOCUMENTS).await;
        drop(lines);
        let (alone_99, beside_99) = (percent(&alone, 99), percent(&beside, 99));
        let ratio = beside_99.as_secs_f64() / alone_99.as_secs_f64();
        println!(
            "round {round}: p50 {:?} alone, {:?} beside; p99 {alone_99:?} alone, {beside_99:?} \
             beside; ratio of p99 {ratio:.2}",
            percent(&alone, 50),
            percent(&beside, 50)
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio of p99: {:.2}", ratios[ratios.len() / 2]);
}
