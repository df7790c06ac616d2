//! Disks that forget and disks that break: what a hub does to its disk is recorded, and every disk
//! that a power cut may have left is made from the record and opened.
//!
//! ```text
//!  clients ◀──TLS──▶ hub (a process) ──calls──▶ recorder.c ──▶ operating system
//!     └─ what they were told, ─┐                  └─ every write, sync, name, in order
//!        with its point        ▼                         ▼
//!                   check ◀─ opened ◀─ a disk ◀─ cut (when, what is kept: by seed)
//! ```
//! `LIENTHONG_DISK_SEED` and `LIENTHONG_DISK_CUTS` replay a run or make it larger; both are printed.

mod fixture;

mod check;
mod cut;
mod engines;
mod faults;
mod flips;
mod onward;
mod record;
mod run;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use cut::{Disk, Memory};
use run::Run;

/// How long anything that must happen may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Cuts in a run of the tests that everybody makes.
const CUTS: usize = 60;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{variable}` is no number: `{text}`")))
}

/// Every second cut is at the earliest moment at which something told must be kept.
fn choose(run: &Run, disk: &Disk<'_>, rng: &mut ChaCha8Rng) -> usize {
    if rng.random_ratio(1, 2) {
        return run.cut_after(rng.random_range(0..run.facts.len())).min(disk.cuts() - 1);
    }
    rng.random_range(0..disk.cuts())
}

/// Cuts the power so often, and returns what was wrong, by cut.
fn cut_often(run: &Run, disk: &Disk<'_>, seed: u64, cuts: usize) -> BTreeMap<usize, Vec<String>> {
    let began = Instant::now();
    let (mut all, mut rebuilt, mut torn) = (BTreeMap::new(), 0, 0);
    for number in 0..cuts {
        if number > 0 && number.is_multiple_of(100) {
            println!(
                "{number} cuts, {rebuilt} rebuilt, {} wrong, {:?}",
                all.len(),
                began.elapsed()
            );
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(number as u64));
        let (cut, memory) = (choose(run, disk, &mut rng), Memory::choose(&mut rng));
        let folder = tempfile::tempdir().unwrap();
        disk.leave(cut, memory, &mut rng, folder.path());
        let (found, opened) = check::wrong(folder.path(), run, cut);
        rebuilt += usize::from(opened.rebuilt);
        torn += usize::from(opened.torn);
        if !found.is_empty() {
            let seed = seed.wrapping_add(number as u64);
            println!("seed {seed}, cut {cut} of {}, {memory:?}: {found:#?}", disk.cuts());
            all.insert(number, found);
        }
    }
    println!(
        "{cuts} cuts in {} events, {} facts: {rebuilt} states rebuilt, {torn} journals torn, {} \
         wrong, {:?}",
        run.events.len(),
        run.facts.len(),
        all.len(),
        began.elapsed(),
    );
    all
}

/// Every file of a folder with its bytes, but the ballast, whose content means nothing.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            match path.is_dir() {
                true => walk(root, &path, all),
                false if name == "BALLAST" => {}
                false => drop(all.insert(name, std::fs::read(&path).unwrap())),
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(folder, folder, &mut all);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_survives_every_power_cut_and_without_syncs_it_does_not() {
    let seed = number("LIENTHONG_DISK_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    let cuts = number("LIENTHONG_DISK_CUTS").map_or(CUTS, |cuts| cuts as usize);
    println!("replay: LIENTHONG_DISK_SEED={seed} LIENTHONG_DISK_CUTS={cuts}");
    let began = Instant::now();
    let run = Run::record(seed).await;
    println!("recorded in {:?}", began.elapsed());

    // The record is whole: played to its end it gives the folder that the hub left.
    let disk = Disk::of(&run.events, |_| false);
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    disk.leave(disk.cuts() - 1, Memory::Everything, &mut rng, folder.path());
    let (made, left) = (files(folder.path()), files(run.recorder.root()));
    assert_eq!(made.keys().collect::<Vec<_>>(), left.keys().collect::<Vec<_>>());
    for (name, bytes) in &left {
        assert!(made[name] == *bytes, "`{name}` is not as recorded");
    }

    let wrong = cut_often(&run, &disk, seed, cuts);
    assert!(wrong.is_empty(), "{} of {cuts} disks are wrong", wrong.len());

    go_on(&run, &disk, seed, cuts / 40).await;

    lost(&run, "the journal's file", &|path| path.starts_with("journal/"), "document");
    lost(&run, "the journal's folder", &|path| path == "journal", "document");
    lost(&run, "files that are proposed", &|path| path.starts_with("payloads/tmp/"), "document");
    lost(&run, "names that are proposed", &|path| path == "payloads/proposed", "document");
    lost(&run, "uploads", &|path| path.starts_with("payloads/uploads/"), "upload");
    lost(&run, "names of uploads", &|path| path == "payloads/uploads", "upload");
}

/// Starts a hub on what some cuts leave, and lets the clients go on with it.
async fn go_on(run: &Run, disk: &Disk<'_>, seed: u64, cuts: usize) {
    for number in 0..cuts {
        let seed = seed.wrapping_add(number as u64);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (cut, memory) = (choose(run, disk, &mut rng), Memory::choose(&mut rng));
        let data = run.recorder.root();
        std::fs::remove_dir_all(data).unwrap();
        std::fs::create_dir(data).unwrap();
        disk.leave(cut, memory, &mut rng, data);
        let found = onward::wrong(run, cut).await;
        assert!(found.is_empty(), "seed {seed}, cut {cut}, {memory:?}: {found:#?}");
    }
}

/// With the syncs of some paths taken out, something that was told is lost, and that is found.
fn lost(run: &Run, name: &str, deaf: &dyn Fn(&str) -> bool, what: &str) {
    let disk = Disk::of(&run.events, deaf);
    let found = (0..200_u64).any(|seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (cut, memory) = (choose(run, &disk, &mut rng), Memory::choose(&mut rng));
        let folder = tempfile::tempdir().unwrap();
        disk.leave(cut, memory, &mut rng, folder.path());
        let (found, _) = check::wrong(folder.path(), run, cut);
        let found =
            found.into_iter().find(|why| why.contains("does not open") || why.starts_with(what));
        if let Some(why) = &found {
            println!("without syncs of {name}, seed {seed}: {why}");
        }
        found.is_some()
    });
    assert!(found, "without syncs of {name} nothing is lost");
}
