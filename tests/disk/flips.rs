//! Bytes that change by themselves, in turn in every kind of file of a data folder: the hub opens
//! and everything is as it was, or it says what is damaged. It never serves anything else.

use std::collections::BTreeMap;
use std::path::Path;

use lienthong_core::engine::EngineError;
use lienthong_hub::OpenFolder;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::check;
use crate::cut::sparse;
use crate::files;
use crate::number;
use crate::run::Run;

/// Changed bytes in each kind of file in a run of the tests that everybody makes.
const FLIPS: usize = 12;

/// How a hub took a changed byte.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Taken {
    /// Nothing is missing and nothing is other than before.
    Whole,
    /// It says that something is damaged, and the rest is as before.
    Named(String),
    /// It serves something else.
    Wrong(String),
}

/// Writes files into a folder.
pub fn put(files: &BTreeMap<String, Vec<u8>>, into: &Path) {
    for (name, bytes) in files {
        let path = into.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        sparse(&path, bytes);
    }
}

/// Opens a folder with a changed byte.
fn take(data: &Path, run: &Run, again: bool) -> Taken {
    let folder = match OpenFolder::open(data, |_, _| {}) {
        Ok(folder) => folder,
        Err(error @ (EngineError::Damaged { .. } | EngineError::TooNew { .. })) => {
            return Taken::Named(error.to_string());
        }
        Err(error) => return Taken::Wrong(format!("no clear word: {error}")),
    };
    let reader = folder.reader();
    let mut named = None;
    for fact in run.told(run.events.len()) {
        match check::served(data, &reader, fact) {
            Ok(None) => {}
            Ok(Some(why)) => return Taken::Wrong(why),
            Err(error) => named = Some(error.to_string()),
        }
    }
    match check::other_rows(data, &reader) {
        Ok(None) => {}
        Ok(Some(why)) => return Taken::Wrong(why),
        Err(error) => named = Some(error.to_string()),
    }
    drop((reader, folder));
    match named {
        None => Taken::Whole,
        // What the state did not give the next start makes anew.
        Some(why) if why.contains("state") && !again => match take(data, run, true) {
            Taken::Whole => Taken::Named(why),
            other => Taken::Wrong(format!("{why}; opened again: {other:?}")),
        },
        Some(why) => Taken::Named(why),
    }
}

/// The kind of a file by its name below the data folder.
fn kind(name: &str) -> Option<&'static str> {
    let kinds = [
        ("journal/LOCK", None),
        ("journal/", Some("journal")),
        ("payloads/uploads/", Some("upload")),
        ("payloads/proposed/", Some("proposed")),
        ("payloads/", Some("payload")),
        ("state/snap", Some("state's snapshot")),
        ("state/conf", Some("state's configuration")),
        ("state/", Some("state")),
        ("FORMAT", Some("format")),
        ("log.key", Some("key")),
        ("LOCK", None),
    ];
    let found = kinds.into_iter().find(|(prefix, _)| name.starts_with(prefix));
    found.unwrap_or_else(|| panic!("`{name}` is of no kind")).1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_byte_is_named_or_changes_nothing() {
    let seed = number("LIENTHONG_DISK_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    let flips = number("LIENTHONG_DISK_FLIPS").map_or(FLIPS, |flips| flips as usize);
    println!("replay: LIENTHONG_DISK_SEED={seed} LIENTHONG_DISK_FLIPS={flips}");
    let run = Run::record(seed).await;
    let whole = files(run.recorder.root());
    let mut kinds: BTreeMap<&str, Vec<(&String, usize)>> = BTreeMap::new();
    for (name, bytes) in &whole {
        let Some(kind) = kind(name) else { continue };
        // What is not written yet has nothing to change.
        let written = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
        kinds.entry(kind).or_default().extend(written.map(|(at, _)| (name, at)));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut wrong = Vec::new();
    for (kind, places) in &kinds {
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let mut words = std::collections::BTreeSet::new();
        for _ in 0..flips.min(places.len()) {
            let (name, at) = places[rng.random_range(0..places.len())];
            let bit = 1_u8 << rng.random_range(0..8);
            let mut changed = whole.clone();
            changed.get_mut(name).unwrap()[at] ^= bit;
            let folder = tempfile::tempdir().unwrap();
            put(&changed, folder.path());
            match take(folder.path(), &run, false) {
                Taken::Whole => *taken.entry("whole").or_default() += 1,
                Taken::Named(why) => {
                    *taken.entry("named").or_default() += 1;
                    words.insert(why);
                }
                Taken::Wrong(why) => {
                    *taken.entry("WRONG").or_default() += 1;
                    wrong.push(format!("{kind}: `{name}` byte {at}, bit {bit}: {why}"));
                }
            }
        }
        let some: Vec<_> = words.iter().take(3).collect();
        println!("{kind}: {} bytes, {taken:?}, {some:#?}", places.len());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
