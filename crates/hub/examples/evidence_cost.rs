//! What evidence costs on the submit path: a hub in this process with real TLS takes the same
//! documents with the Merkle log, checkpoints and proofs, and without them, turn by turn.
//!
//! ```text
//! cargo run --release -p lienthong-hub --features measure --example evidence_cost -- [DOCUMENTS [ROUNDS]]
//! ```
//! Documents are 1.5 KB, signed before the clock starts, 512 in flight on one stream. Wall time and
//! CPU (user and system, of hub and client together) are medians over the rounds; the ratio is what
//! to quote, since both sides run on the same machine in the same minute.

#[path = "../tests/hub/harness/mod.rs"]
mod harness;

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use harness::{World, document, endpoint, settings, test_pki};
use lienthong_client::{Client, sign_document};
use lienthong_hub::{Clock, Hub};
use lienthong_model::SignedContent;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const IN_FLIGHT: usize = 512;
const CONTENT_BYTES: usize = 1_500;
/// Of Linux's times in /proc.
const TICKS_PER_SECOND: f64 = 100.0;

/// What one turn took.
#[derive(Debug, Clone, Copy)]
struct Taken {
    wall: Duration,
    cpu: f64,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().unwrap());
    let count: usize = arguments.next().unwrap_or(20_000);
    let rounds: usize = arguments.next().unwrap_or(5);
    let documents = signed(count).await;
    let bytes: usize = documents.iter().map(|one| one.content.len()).sum();
    println!("{count} documents of {} bytes, {rounds} rounds", bytes / count);
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Whoever goes first changes, so that neither has the warmer machine.
        for turn in 0..2 {
            let proves = (round + turn) % 2 == 0;
            let taken = submit(&documents, proves).await;
            let (wall, cpu) = per_document(taken, count);
            println!("{} {wall:7.1} µs wall, {cpu:7.1} µs CPU a document", name(proves));
            if proves { &mut with } else { &mut without }.push((wall, cpu));
        }
    }
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let median = |all: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = all.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    for (what, of) in
        [("wall", (|taken| taken.0) as fn(&(f64, f64)) -> f64), ("CPU", |taken| taken.1)]
    {
        let (proven, bare) = (median(&with, of), median(&without, of));
        println!(
            "{what}: {proven:.1} µs with evidence, {bare:.1} µs without, ratio {:.3}",
            proven / bare
        );
    }
}

fn name(proves: bool) -> &'static str {
    if proves { "with evidence   " } else { "without evidence" }
}

/// Documents of H36, sealed.
async fn signed(count: usize) -> Vec<SignedContent> {
    let world = World::start().await;
    let seal = world.seal("H36");
    let one = || {
        let mut letter = document("H36", &["H36.12"]);
        let short = sign_document(&letter, Vec::new(), &[&seal]).content.len();
        letter.abstract_text = "x".repeat(CONTENT_BYTES.saturating_sub(short).min(490));
        let missing = CONTENT_BYTES.saturating_sub(short + letter.abstract_text.len());
        letter.places_to = (0..missing / 120).map(|_| "y".repeat(118)).collect();
        sign_document(&letter, Vec::new(), &[&seal])
    };
    (0..count).map(|_| one()).collect()
}

/// Hands all documents to a new hub.
async fn submit(documents: &[SignedContent], proves: bool) -> Taken {
    let (pki, folder) = (test_pki(), tempfile::tempdir().unwrap());
    let settings = settings(&pki, &folder.path().join("data"), Clock::Real);
    let hub = match proves {
        true => Hub::start(settings, |_, _| {}).await,
        false => Hub::start_without_evidence(settings).await,
    };
    let hub = hub.unwrap();
    let node = pki.node(&harness::code("H36")).unwrap();
    let client = Client::connect(endpoint(&pki, hub.address(), &node)).await.unwrap();
    let submissions = client.submissions(IN_FLIGHT);
    let sending = documents.iter().cloned().map(|one| submissions.submit(one));
    let (began, before) = (Instant::now(), cpu());
    let mut outcomes = stream::iter(sending).buffer_unordered(IN_FLIGHT);
    while let Some(outcome) = outcomes.next().await {
        outcome.unwrap();
    }
    let taken = Taken { wall: began.elapsed(), cpu: cpu() - before };
    drop(outcomes);
    drop((submissions, client));
    hub.stop().await.unwrap();
    taken
}

/// Microseconds a document: wall, CPU.
fn per_document(taken: Taken, count: usize) -> (f64, f64) {
    let each = |seconds: f64| seconds * 1e6 / count as f64;
    (each(taken.wall.as_secs_f64()), each(taken.cpu))
}

/// Seconds of CPU that this process has taken: user and system (proc(5), `stat`, fields 14 and 15).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1;
    let field = |number: usize| -> f64 {
        fields.split_whitespace().nth(number - 3).unwrap().parse().unwrap()
    };
    (field(14) + field(15)) / TICKS_PER_SECOND
}
