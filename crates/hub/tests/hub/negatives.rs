//! Deliveries that nodes could not take: however much is said of them at once, blocks stay small.

use crate::harness::raw::{Line, exchange};
use crate::harness::{World, code, communes};
use lienthong_core::Command;
use lienthong_ledger::{JournalAudit, Step};
use lienthong_model::AgencyEntry;
use lienthong_model::limits::{BLOCK_BYTES_TARGET, NEGATIVES_WAITING_MAX};
use lienthong_wire::proto;
use lienthong_wire::proto::subscribe_request::{NegativeAcknowledge, Request};

const GATEWAYS: [&str; 4] = ["H34", "H36", "H36.12", "H36.30"];
/// Communes that each of them serves.
const COMMUNES: usize = 64;
/// As many documents as bring each of them the most of what may wait.
const DOCUMENTS: usize = NEGATIVES_WAITING_MAX / COMMUNES;
/// Bytes of one delivery in the record, its reason cut.
const DELIVERY_BYTES: usize = 340;

/// The communes, those of one gateway after those of the other.
fn served() -> Vec<AgencyEntry> {
    let mut all = communes(GATEWAYS.len() * COMMUNES);
    for (n, commune) in all.iter_mut().enumerate() {
        commune.gateway = Some(code(GATEWAYS[n / COMMUNES]));
    }
    all
}

/// Says of every delivery that it could not be taken, and returns when the hub has taken that in.
async fn say(world: &World, gateway: &str, keys: Vec<proto::DeliveryKey>) {
    let mut exchange = exchange(world, gateway).await;
    let mut line = Line::open(&mut exchange, &[], 0).await.unwrap();
    let nothing = proto::DeliveryKey { position: 1_000_000, ..keys[0].clone() };
    for key in keys {
        let (key, reason) = (Some(key), "ế".repeat(400));
        line.say(Request::NegativeAcknowledge(NegativeAcknowledge { key, reason, delay: None }))
            .await;
    }
    // What is said behind them is answered behind them.
    line.acknowledge(vec![nothing]).await;
    line.refused().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_from_many_nodes_is_journalled_in_blocks_of_the_usual_size() {
    let entries = served();
    let to: Vec<String> = entries.iter().map(|entry| entry.code.to_string()).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let mut world = World::start_among(entries).await;
    let stream = world.client("H36").await.submissions(DOCUMENTS);
    let letters = (0..DOCUMENTS).map(|_| stream.submit(world.letter("H36", &to)));
    let receipts = futures_util::future::join_all(letters).await;
    let positions: Vec<u64> = receipts.into_iter().map(|one| one.unwrap().position.0).collect();
    let saying = GATEWAYS.iter().zip(to.chunks(COMMUNES)).map(|(gateway, communes)| {
        let mut keys = Vec::new();
        for recipient in communes {
            let key = |position: &u64| proto::DeliveryKey {
                recipient: (*recipient).to_owned(),
                position: *position,
            };
            keys.extend(positions.iter().map(key));
        }
        say(&world, gateway, keys)
    });
    futures_util::future::join_all(saying).await;
    // What waits is journalled at the end.
    drop(stream);
    world.stop().await.unwrap();

    let (mut times, mut largest) = (0, 0);
    for step in JournalAudit::open(&world.data().join("journal")).unwrap() {
        let Step::Block(found) = step.unwrap() else { panic!("the journal is whole") };
        largest = largest.max(found.block.bytes.len());
        for entry in &found.block.block.entries {
            if let Command::NegativeAcknowledge(said) = &entry.command {
                times += said.deliveries.iter().map(|one| one.times as usize).sum::<usize>();
            }
        }
    }
    assert_eq!(times, GATEWAYS.len() * COMMUNES * DOCUMENTS, "all that was said");
    let bound = BLOCK_BYTES_TARGET + NEGATIVES_WAITING_MAX * DELIVERY_BYTES;
    assert!(largest <= bound, "{largest} bytes, at most {bound}");
}
