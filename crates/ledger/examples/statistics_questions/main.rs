//! How long questions to the statistics take over a year of ten million documents.
//!
//! ```text
//! cargo run --release -p lienthong-ledger --features measure --example statistics_questions -- \
//!     [DOCUMENTS [FOLDER]]
//! ```
//! A year of a country is folded like a hub folds it, a block and a cut a day, into a state on disk:
//! 63 provinces and the centre, four levels, 12,000 agencies, 366 days; ten million documents (or as
//! many as are asked for), three deliveries each, spread over types, scopes and signatures; two in a
//! hundred requests refused. The last day and month are open, as in a hub. Every question is asked
//! eleven times; printed are the mean time on the processor, and the median and the worst of the time
//! that went by, which has in it what else the machine did. No hub runs beside it. A folder that is named
//! is kept, and asked without being made again, nothing open then.

mod questions;
mod sweep;
mod year;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lienthong_core::Targets;
use lienthong_core::statistics::{
    BacklogOrder, Event, IndicatorQuestion, PAGE_PRICE, Period, Source, measure,
};
use lienthong_ledger::{SledState, StateLimits};
use lienthong_model::{AgencyCode, Ordinal, Timestamp};
use year::{Random, Spot};

const DOCUMENTS: u64 = 10_000_000;
const ROUNDS: usize = 11;
/// Rows of the first page of an answer, as the hub's service gives them unless asked otherwise.
const ROWS: usize = 1_000;
/// A province of the middle.
const PROVINCE: &str = "H30";

fn main() {
    let (directory, spots) = year::country();
    let mut arguments = std::env::args().skip(1);
    let documents = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(DOCUMENTS);
    let kept = arguments.next().map(PathBuf::from);
    let folder = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("statistics-{}", std::process::id())));
    let (state, marker) = SledState::open(&folder, StateLimits::default()).unwrap();
    let until = Timestamp::parse("2021-01-01").unwrap();
    let cubes = measure::cubes(until.minus(Duration::from_secs(1)));
    if marker.is_none() {
        let began = Instant::now();
        let filled = year::fill(&state, &cubes, &spots, until, documents);
        let (documents, folding) = (filled.documents, filled.folding.as_secs_f64());
        println!(
            "{documents} documents, made in {:.0} s; {:.2} us each to fold; {} pages and {} bytes \
             written, {} MB on disk",
            began.elapsed().as_secs_f64(),
            folding * 1e6 / documents as f64,
            filled.pages,
            filled.bytes,
            bytes_in(&folder) / 1_000_000,
        );
    }
    let source = Source { cubes: &cubes, tables: &state, directory: &directory };
    let province = directory.find(&AgencyCode::parse(PROVINCE).unwrap()).unwrap().ordinal;
    ask_everything(&source, until, province);
    fold_some(&state, &spots, until);
    drop(state);
    if kept.is_none() {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

fn ask_everything(source: &Source<'_>, until: Timestamp, province: Ordinal) {
    println!(
        "{:<44} {:>7} {:>7} {:>9} {:>8}",
        "question", "rows", "cpu ms", "median ms", "worst ms"
    );
    let mut worst = Duration::ZERO;
    let mut say = |name: &str, rows: usize, took: &Took| {
        let ms = |took: Duration| took.as_secs_f64() * 1_000.0;
        let [median, last] = [ROUNDS / 2, ROUNDS - 1].map(|at| took.rounds[at]);
        let (cpu, median, last_ms) = (ms(took.processor), ms(median), ms(last));
        println!("{name:<44} {rows:>7} {cpu:>7.2} {median:>9.2} {last_ms:>8.2}");
        worst = worst.max(last);
    };
    for (name, question) in questions::questions(until, province) {
        let mut rows = 0;
        let took = timed(ROUNDS, || {
            let answer = source.ask_rows(&question, 0..ROWS).unwrap().unwrap();
            rows = std::hint::black_box(answer).rows_total;
        });
        say(name, rows, &took);
    }
    let period = Period { from: Timestamp::parse("2020-01-01").unwrap(), until };
    let targets = Targets::default();
    for (name, province) in [
        ("all indicators of a province (report)", Some(province)),
        ("all indicators of the country (report)", None),
    ] {
        let asked = IndicatorQuestion { period, province, now: until, page_price: PAGE_PRICE };
        let mut rows = 0;
        let took = timed(ROUNDS, || rows = source.indicators(&asked, &targets).unwrap().len());
        say(name, rows, &took);
    }
    let mut rows = 0;
    let took = timed(ROUNDS, || {
        rows = source.backlog(&|_| true, BacklogOrder::Most, 20).unwrap().agencies.len();
    });
    say("backlog", rows, &took);
    println!("worst of the questions: {:.1} ms", worst.as_secs_f64() * 1_000.0);
    let odd = questions::between("2020-01-02", "2020-12-30");
    let (asked, slowest) = sweep::slowest(source, &[("year", period), ("odd", odd)], province);
    println!("\nthe slowest of {asked} questions by up to three dimensions, three times each:");
    for sweep::Asked { name, rows, took } in slowest {
        let (cpu, median) =
            (took.processor.as_secs_f64() * 1e3, took.rounds[1].as_secs_f64() * 1e3);
        println!("{name:<68} {rows:>7} {cpu:>6.2} {median:>8.2}");
    }
}

/// What a delivery costs the block that makes it, acknowledges it and has it accepted.
fn fold_some(state: &SledState, spots: &[Spot], now: Timestamp) {
    const BLOCKS: u64 = 2_000;
    const A_BLOCK: u64 = 100;
    let cubes = measure::cubes(now);
    let mut cubes = cubes.write().unwrap();
    let mut random = Random(7);
    let blocks: Vec<Vec<Event>> = (0..BLOCKS)
        .map(|_| (0..A_BLOCK).flat_map(|_| year::delivery(spots, &mut random, now)).collect())
        .collect();
    let (began, on_processor) = (Instant::now(), processor_time());
    for (events, block) in blocks.iter().zip(1_000..) {
        measure::fold(&mut cubes, state, (block, now), events).unwrap();
    }
    let each = |took: Duration| took.as_secs_f64() * 1e6 / (BLOCKS * A_BLOCK) as f64;
    let (cpu, went_by) = (each(processor_time() - on_processor), each(began.elapsed()));
    println!(
        "folding a document with one delivery, acknowledged and accepted: {cpu:.2} us on the \
         processor, {went_by:.2} us"
    );
}

/// What eleven rounds took, the shortest first, and how long one was on the processor on average.
struct Took {
    rounds: Vec<Duration>,
    processor: Duration,
}

fn timed(rounds: usize, mut work: impl FnMut()) -> Took {
    let on_processor = processor_time();
    let times = (0..rounds).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed()
    });
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    Took { rounds: times, processor: (processor_time() - on_processor) / rounds as u32 }
}

/// How long this thread was on a processor.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => bytes_in(&entry.path()),
            false => entry.metadata().unwrap().len(),
        })
        .sum()
}
