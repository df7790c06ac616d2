//! The hub in a process of its own that is killed: short campaigns of what `lienthong selftest crash`
//! plays, that a campaign notices what is lost, and deaths in the middle of long work.
//!
//! `LIENTHONG_CRASH_SEED` and `LIENTHONG_CRASH_ROUNDS` replay a run; both are printed.

mod attachments;
mod fan_out;
mod memory;

use std::path::{Path, PathBuf};

use lienthong_model::AgencyEntry;
use lienthong_simulator::crash::{Campaign, Death, End, Ground, POINTS};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// Rounds of the short campaign: every point once.
const ROUNDS: u64 = 16;
const SEED: u64 = 20_201_116;
/// More than one slice.
const COMMUNES: usize = 300;
/// Deaths on each of the folders that begin anew.
const FRESH_ROUNDS: usize = 2;

/// The program that is the hub.
fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_lienthong"))
}

/// A hub's surroundings in a folder of their own.
fn ground(directory: &[AgencyEntry]) -> (TempDir, Ground) {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::new(folder.path(), &program(), directory).unwrap();
    (folder, ground)
}

fn campaign(folder: &Path, seed: u64) -> Campaign {
    Campaign::new(folder, &program(), seed, COMMUNES).unwrap()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{variable}` is no number: `{text}`")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_client_was_told_is_lost_or_there_twice_however_the_hub_dies() {
    let seed = number("LIENTHONG_CRASH_SEED").unwrap_or(SEED);
    let rounds = number("LIENTHONG_CRASH_ROUNDS").unwrap_or(ROUNDS);
    println!("replay: LIENTHONG_CRASH_SEED={seed} LIENTHONG_CRASH_ROUNDS={rounds}");
    let folder = tempfile::tempdir().unwrap();
    let mut campaign = campaign(folder.path(), seed);
    for number in 1..=rounds {
        let round = campaign.round().await.unwrap();
        assert!(round.found.is_empty(), "{:?}: {:#?}", round.end, round.found);
        if number == rounds / 2 {
            // The state follows from the journal: without it nothing is missing.
            std::fs::remove_dir_all(campaign.ground().data().join("state")).unwrap();
        }
    }
    let found = campaign.check_everything().await.unwrap();
    assert!(found.is_empty(), "{found:#?}");
    println!("{:#?}", campaign.outcome());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_dies_in_its_first_moments_begins_again() {
    let seed = number("LIENTHONG_CRASH_SEED").unwrap_or(SEED);
    println!("replay: LIENTHONG_CRASH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Those that a hub passes without an attachment.
    for point in &POINTS[..5] {
        let folder = tempfile::tempdir().unwrap();
        let mut campaign = campaign(folder.path(), rng.random());
        for _ in 0..FRESH_ROUNDS {
            let end = End::At(point, rng.random_range(1..4));
            let round = campaign.round_with(end).await.unwrap();
            assert_eq!(round.death, Death::Aborted, "{end:?}");
            assert!(round.found.is_empty(), "{end:?}: {:#?}", round.found);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_forgets_what_it_acknowledged_is_caught_and_the_document_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut campaign = campaign(folder.path(), SEED);
    let round = campaign.round_with(End::Answers(60)).await.unwrap();
    assert!(round.found.is_empty(), "{:#?}", round.found);
    assert_eq!(campaign.rest().await.unwrap(), Vec::<String>::new());
    let (_, id) = campaign.last_document().unwrap();
    // The journal loses its last third, as on a disk that never wrote it: a torn tail, says the hub.
    let journal = campaign.ground().data().join("journal/00000000000000000001.blocks");
    let file = std::fs::OpenOptions::new().write(true).open(journal).unwrap();
    file.set_len(file.metadata().unwrap().len() * 2 / 3).unwrap();
    drop(file);
    // The state would say that it was whole.
    std::fs::remove_dir_all(campaign.ground().data().join("state")).unwrap();
    let found = campaign.check_everything().await.unwrap();
    let lost = id.to_string();
    let named = found.iter().any(|one| one.contains(&lost) && one.contains("DOCUMENT_UNKNOWN"));
    assert!(named, "{id} was lost: {found:#?}");
    assert!(found.iter().any(|one| one.contains("checkpoint")), "the log is shorter: {found:#?}");
    assert!(found.iter().any(|one| one.starts_with("totals")), "the sums differ: {found:#?}");
}
