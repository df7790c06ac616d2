//! Bytes that change by themselves, in turn in every kind of file of a data folder: the hub opens
//! and everything is as it was, or it says what is damaged. It never serves anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use lienthong_core::Decision;
use lienthong_core::engine::EngineError;
use lienthong_hub::OpenFolder;
use lienthong_ledger::{JournalAudit, Step};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::check;
use crate::cut::sparse;
use crate::files;
use crate::number;
use crate::run::{Process, Run};

/// Changed bytes in each kind of file in a run of the tests that everybody makes.
const FLIPS: usize = 6;
/// Pieces of rows of which a byte is changed.
const PIECES: usize = 8;

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

/// The kind of a file by its name below the data folder; none where it means nothing.
fn kind(name: &str) -> Option<&'static str> {
    let has = |text: &str| name.contains(text);
    match name.split('/').next().unwrap_or_default() {
        // The key is read by the hub alone: see `faults`.
        _ if name.ends_with("LOCK") || name == "log.key" => None,
        "FORMAT" => Some("format"),
        "journal" => Some("journal"),
        "payloads" if has("/uploads/") => Some("upload"),
        "payloads" if has("/proposed/") => Some("proposed"),
        "payloads" => Some("payload"),
        "state" if has("GENERATION") => Some("state's generation"),
        "state" if has(".rows") => Some("state's runs"),
        "state" if has("/snap") => Some("state's snapshot"),
        "state" if has("/conf") => Some("state's configuration"),
        "state" => Some("state"),
        _ => panic!("`{name}` is of no kind"),
    }
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

/// Where a block lies, and the documents that it accepted.
struct Placed {
    file: String,
    offset: u64,
    block: u64,
    documents: usize,
}

fn blocks(data: &Path) -> Vec<Placed> {
    let steps = JournalAudit::open(&data.join("journal")).unwrap();
    let placed = steps.map(|step| match step.unwrap() {
        Step::Damage(damage) => panic!("{damage:?}"),
        Step::Block(found) => {
            let entries = found.block.block.entries.iter();
            let accepted = entries.filter(|entry| matches!(entry.decision, Decision::Accepted(_)));
            Placed {
                file: found.file,
                offset: found.offset,
                block: found.block.marker.block,
                documents: accepted.count(),
            }
        }
    });
    placed.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_block_is_named_and_what_stands_before_and_behind_it_is_written_out() {
    let run = Run::record(7).await;
    let data = run.recorder.root();
    let all = blocks(data);
    let with_documents: Vec<_> = all.iter().filter(|placed| placed.documents > 0).collect();
    let damaged = with_documents[with_documents.len() / 2];
    let path = data.join("journal").join(&damaged.file);
    let mut bytes = std::fs::read(&path).unwrap();
    // More than the one byte that an audit puts right.
    let at = damaged.offset as usize + 60;
    bytes[at..at + 64].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();

    // A start says file, offset and block, and changes nothing.
    let said = Process::start(Process::command(&run.fixture), &run.fixture).err().unwrap();
    let place = format!("`{}` at byte {}, block {}", damaged.file, damaged.offset, damaged.block);
    assert!(said.contains(&place) && said.contains("evidence audit"), "{said}");

    let to = run.fixture.beside("salvaged");
    let written = Command::new(env!("CARGO_BIN_EXE_lienthong"))
        .args(["--output", "json", "evidence", "salvage", "--data"])
        .arg(data)
        .arg("--to")
        .arg(&to)
        .output()
        .unwrap();
    assert_eq!(written.status.code(), Some(1), "{}", String::from_utf8_lossy(&written.stderr));
    let view: serde_json::Value = serde_json::from_slice(&written.stdout).unwrap();
    assert_eq!(view["damage"][0]["file"], format!("journal/{}", damaged.file));
    assert_eq!(view["damage"][0]["offset"], damaged.offset);
    assert_eq!(view["damage"][0]["block"], damaged.block);

    let contents: BTreeSet<Vec<u8>> = std::fs::read_dir(&to)
        .unwrap()
        .map(|folder| std::fs::read(folder.unwrap().path().join("content.bin")).unwrap())
        .collect();
    let sent: BTreeSet<_> = run.sent.iter().map(|signed| signed.content.to_vec()).collect();
    assert!(contents.is_subset(&sent), "nothing else is written out");
    assert_eq!(contents.len() + damaged.documents, sent.len());
}

/// Pieces of the rows of a state, some of them, and its marker.
fn some_pieces(state: &sled::Db, rng: &mut ChaCha8Rng) -> Vec<sled::IVec> {
    let mut keys: Vec<_> = state.iter().map(|row| row.unwrap().0).collect();
    let marker = keys.pop().unwrap();
    assert!(marker.starts_with(&[0xff]) && !keys.is_empty(), "{} pieces", keys.len());
    let mut chosen: Vec<_> =
        (0..PIECES).map(|_| keys[rng.random_range(0..keys.len())].clone()).collect();
    chosen.push(marker);
    chosen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_byte_in_any_piece_of_rows_is_never_served_and_the_state_is_made_anew() {
    let seed = number("LIENTHONG_DISK_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("replay: LIENTHONG_DISK_SEED={seed}");
    let run = Run::record(seed).await;
    let whole = files(run.recorder.root());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    // As `ledger` opens it.
    let open = || {
        let entries = std::fs::read_dir(data.join("state")).unwrap();
        let databases = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        let config = sled::Config::new().path(databases.max().unwrap());
        config.segment_size(16 << 20).mode(sled::Mode::LowSpace).open().unwrap()
    };
    put(&whole, data);
    for key in some_pieces(&open(), &mut rng) {
        std::fs::remove_dir_all(data).unwrap();
        put(&whole, data);
        let state = open();
        let mut row = state.get(&key).unwrap().unwrap().to_vec();
        let at = rng.random_range(0..row.len());
        row[at] ^= 1 << rng.random_range(0..8);
        state.insert(&key, row).unwrap();
        drop(state);
        let name = format!("piece {}, byte {at}", hex::encode(&key));
        match take(data, &run, false) {
            Taken::Whole => {}
            Taken::Named(why) => assert!(why.contains("state"), "{name}: {why}"),
            Taken::Wrong(why) => panic!("{name}: {why}"),
        }
        assert_eq!(take(data, &run, true), Taken::Whole, "{name}");
    }
}
