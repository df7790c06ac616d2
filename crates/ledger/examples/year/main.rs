//! Measures what a year of ten million documents costs: memory, files, time to be ready after a
//! kill; and looks at what becomes of old documents.
//!
//! ```text
//! cargo run --release -p lienthong-ledger --example year -- run FOLDER 3000000
//! cargo run --release -p lienthong-ledger --example year -- open FOLDER
//! ```
//!
//! `run` lays the first so many documents of such a year into a folder, at full speed, and dies
//! without closing anything, as by a kill; `open` says how long the folder takes to be ready, finds
//! old documents, proves their receipts, reads back what was signed, and files late statuses. The
//! traffic: every document goes to three agencies, each acknowledges it and reports 03 and 06,
//! within ten days in 95 of 100 cases; in the others one recipient reports 03 and is not heard of
//! again. Every report tells the sender, which acknowledges that. So some 400,000 documents are
//! open from the third month on.
//!
//! It is the way of a block from its decisions on: sealed, appended, synced, applied, settled,
//! archived; with the look-ups that judgement makes for ids. Left out are the network, signatures
//! and the rest of judgement: no `Verified` is made here, the decisions are written down as a
//! replayed journal's are. Content is of words drawn from a list of 400, so that it compresses like
//! text; signatures and digests are random bytes, and do not compress.

mod hub;
mod measure;
mod old;
mod traffic;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lienthong_core::engine::Blocks as _;
use lienthong_ledger::JournalBlocks;
use lienthong_model::Timestamp;
use lienthong_model::limits::JOURNAL_FILES_PLAIN;

use hub::Hub;
use measure::{Memory, bytes_in, cpu_time};
use traffic::Year;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Documents from one line of the table to the next.
const WINDOW: u64 = 100_000;
/// Lines after which documents are submitted alone: after the first, and then after so many.
const ALONE_EVERY: u64 = 10;
/// Documents that are submitted alone at a time, and how often; the median counts.
const ALONE: u64 = 2_000;
const ALONE_ROUNDS: usize = 5;

fn main() -> ExitCode {
    // As the hub does.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["run", folder, documents] => match documents.parse() {
            Ok(documents) => run(Path::new(folder), documents),
            Err(_) => return ExitCode::from(2),
        },
        ["open", folder] => open(Path::new(folder)),
        _ => {
            eprintln!("year run FOLDER DOCUMENTS | year open FOLDER");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn founded() -> Timestamp {
    Timestamp::parse("2020-01-02T08:00:00+07:00").expect("a time")
}

fn run(folder: &Path, documents: u64) {
    let mut hub = Hub::open(folder);
    let codes = hub.found_country(founded());
    println!("{} agencies, {documents} documents, {}", codes.len(), Memory::now());
    let archiving = archive_in_background(hub.blocks.clone());
    let mut year = Year::of(codes, founded());
    println!(
        "{:>10} {:>7} {:>7} {:>8} {:>6} {:>8} {:>8} {:>8} {:>8} {:>6}",
        "documents",
        "docs/s",
        "CPU us",
        "RSS MiB",
        "peak",
        "at hand",
        "settled",
        "journal",
        "sent",
        "ratio"
    );
    for window in 1..=documents.div_ceil(WINDOW) {
        let until = (window * WINDOW).min(documents);
        let (from, began, cpu) = (year.submitted, Instant::now(), cpu_time());
        while year.submitted < until {
            year.block(&mut hub, until, true);
        }
        let count = (year.submitted - from) as f64;
        let rate = count / began.elapsed().as_secs_f64();
        report(folder, &hub, &year, rate, (cpu_time() - cpu).as_micros() as f64 / count);
        if window == 1 || window % ALONE_EVERY == 0 || until == documents {
            alone(&mut hub, &mut year);
        }
    }
    hub.machine.cut().unwrap();
    println!("{:?}", hub.state.size());
    drop(archiving);
    println!("dies now");
    // No thread ends in order, nothing is flushed.
    std::process::abort();
}

/// Documents that are submitted with nothing beside them.
fn alone(hub: &mut Hub, year: &mut Year) {
    let begin = year.submitted;
    let (mut rates, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..ALONE_ROUNDS {
        let (until, began, cpu) = (year.submitted + ALONE, Instant::now(), cpu_time());
        while year.submitted < until {
            year.block(hub, until, false);
        }
        rates.push((ALONE as f64 / began.elapsed().as_secs_f64()) as u64);
        cpus.push((cpu_time() - cpu).as_micros() as u64 / ALONE);
    }
    rates.sort_unstable();
    cpus.sort_unstable();
    let (rate, cpu_us) = (rates[ALONE_ROUNDS / 2], cpus[ALONE_ROUNDS / 2]);
    println!("  submitted alone, {begin} behind them: {rate} documents/s, {cpu_us} us CPU");
}

fn archive_in_background(blocks: JournalBlocks) -> std::sync::mpsc::Sender<()> {
    let (stop, stopped) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        loop {
            match blocks.archive_oldest(JOURNAL_FILES_PLAIN) {
                Ok(Some(_)) => {}
                Ok(None) => std::thread::sleep(Duration::from_millis(200)),
                Err(error) => return eprintln!("{error}"),
            }
            if stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected) {
                return;
            }
        }
    });
    stop
}

fn report(folder: &Path, hub: &Hub, year: &Year, rate: f64, cpu_us: f64) {
    let memory = Memory::now();
    let (state, journal) = (bytes_in(&folder.join("state")), bytes_in(&folder.join("journal")));
    let settled = hub.state.size().settled_bytes;
    println!(
        "{:>10} {rate:>7.0} {cpu_us:>7.1} {:>8} {:>6} {:>8} {:>8} {:>8} {:>8} {:>6.2}",
        year.submitted,
        memory.resident >> 20,
        memory.peak >> 20,
        state.saturating_sub(settled) >> 20,
        settled >> 20,
        journal >> 20,
        year.sent_bytes >> 20,
        (state + journal) as f64 / year.sent_bytes as f64
    );
}

fn open(folder: &Path) {
    let (began, cpu) = (Instant::now(), cpu_time());
    let mut hub = Hub::open(folder);
    let (took, cpu) = (began.elapsed(), cpu_time() - cpu);
    println!("ready after {took:.1?} ({cpu:.1?} of CPU), {}", Memory::now());
    println!("{:?}, block {:?}", hub.state.size(), hub.blocks.end().map(|end| end.block));
    old::examine(&mut hub, founded());
    println!("{}", Memory::now());
}
