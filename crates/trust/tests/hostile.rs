//! Hostile bytes against everything that reads them before anything is proven: submissions, status
//! reports, certificates, revocation lists.
//!
//! Each case changes something valid, with a random number generator of its own: seed and number
//! give the case again. No case may panic, take more than 64 MiB, or be accepted as anything but
//! one of the originals; and no case may change what becomes of an original afterwards.
//!
//! ```text
//! LIENTHONG_HOSTILE_CASES=1000000 cargo test --release -p lienthong-trust --test hostile -- --nocapture
//! LIENTHONG_HOSTILE_SEED=7 LIENTHONG_HOSTILE_FIRST=4711 LIENTHONG_HOSTILE_CASES=1 …    one case
//! ```

#[path = "hostile/bytes.rs"]
mod bytes_of;
#[path = "hostile/changes.rs"]
mod changes;
#[path = "hostile/corpus.rs"]
mod corpus;
#[path = "hostile/stage.rs"]
mod stage;
#[path = "hostile/tree.rs"]
mod tree;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use peak_alloc::PeakAlloc;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use stage::Stage;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const CASES: u64 = 20_000;
const SEED: u64 = 20_201_116;
const MEMORY_MAX: usize = 64 << 20;
/// An original is handed in again after so many cases.
const HONEST_EVERY: u64 = 64;
/// A new verifier, which has seen nothing, after so many cases: hostile bytes come first.
const RENEWED_EVERY: u64 = 1_024;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

#[derive(Default)]
struct Tally {
    outcomes: BTreeMap<(&'static str, &'static str), u64>,
    memory: BTreeMap<&'static str, usize>,
}

#[test]
fn hostile_bytes_never_panic_never_pass_and_never_take_much_memory() {
    let cases = from_environment("LIENTHONG_HOSTILE_CASES", CASES);
    let seed = from_environment("LIENTHONG_HOSTILE_SEED", SEED);
    let first = from_environment("LIENTHONG_HOSTILE_FIRST", 0);
    println!("LIENTHONG_HOSTILE_SEED={seed} LIENTHONG_HOSTILE_FIRST={first}: {cases} cases");
    let began = Instant::now();
    let mut stage = Stage::new();
    let mut tally = Tally::default();
    for case in first..first + cases {
        if case.is_multiple_of(RENEWED_EVERY) {
            stage.renew();
        }
        let (kind, outcome, memory) = one(&stage, seed, case);
        if case % HONEST_EVERY == HONEST_EVERY - 1 {
            stage.honest(case / HONEST_EVERY);
        }
        *tally.outcomes.entry((kind, outcome)).or_default() += 1;
        let most = tally.memory.entry(kind).or_default();
        *most = memory.max(*most);
    }
    for ((kind, outcome), count) in &tally.outcomes {
        println!("{kind:12} {outcome:28} {count:9}");
    }
    for (kind, bytes) in &tally.memory {
        println!("{kind:12} at most {:7} KiB in one case", bytes >> 10);
    }
    println!("{cases} cases in {:.1} s", began.elapsed().as_secs_f64());
}

/// Plays a case: its kind, what came of it, the bytes that it took at most.
fn one(stage: &Stage, seed: u64, case: u64) -> (&'static str, &'static str, usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(case);
    let case_made = stage.case(&mut rng);
    let (kind, size) = (case_made.kind(), case_made.size());
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let outcome = catch_unwind(AssertUnwindSafe(|| stage.play(case_made)))
        .unwrap_or_else(|_| panic!("seed {seed} case {case}: {kind} failed, see above"));
    let memory = MEMORY.peak_usage().saturating_sub(before);
    assert!(memory < MEMORY_MAX, "seed {seed} case {case}: {kind} of {size} took {memory} bytes");
    (kind, outcome, memory)
}
