//! What a state is: the suite of every state, and what its claims share.

mod before_sled;
mod damage;
mod layers;
mod opening;

use std::collections::BTreeMap;
use std::path::PathBuf;

use lienthong_core::engine::{Blocks as _, Journal as _};
use lienthong_core::engine_suite::{self, block_after, change};
use tempfile::TempDir;

use super::database::open_sled;
use super::recent::damage_note;
use super::*;
use crate::journal::{JournalBlocks, JournalFiles, JournalLimits, JournalOpened};

fn limits() -> StateLimits {
    StateLimits { chunk_delay: Duration::from_millis(1), ..StateLimits::default() }
}

/// Writes only when it is told to.
fn patient() -> StateLimits {
    StateLimits { chunk_delay: Duration::from_secs(3_600), ..StateLimits::default() }
}

fn open(folder: &TempDir, limits: StateLimits) -> SledState {
    SledState::open(&folder.path().join("state"), limits).unwrap().0
}

/// The database that a state has before it was exchanged.
fn database(folder: &TempDir) -> PathBuf {
    generation::recent_path(&folder.path().join("state"), 1)
}

/// Every chunk fills a database, every third run is settled.
fn tiny() -> StateLimits {
    StateLimits {
        recent_bytes: 1,
        open_runs_max: 2,
        settle_share: u64::MAX,
        blocks_cached_bytes: 1 << 16,
        ..limits()
    }
}

fn rows(state: &SledState) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    state
        .scan(b"", b"", &mut |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            true
        })
        .unwrap();
    rows
}

fn journal(folder: &TempDir, blocks: u64) -> (JournalFiles, JournalBlocks) {
    let JournalOpened { mut journal, blocks: readers, .. } =
        JournalFiles::open(&folder.path().join("journal"), JournalLimits::default()).unwrap();
    for _ in 0..blocks {
        journal.propose(&block_after(journal.last_proposed())).unwrap();
    }
    while journal.read_ordered().unwrap().is_some() {}
    (journal, readers)
}

/// A state that reflects a journal's block, or one of that number and another hash.
fn state_at(folder: &TempDir, marker: Marker) -> PathBuf {
    let state = open(folder, limits());
    let rows: &[(&[u8], Option<&[u8]>)] = &[(b"block", Some(&marker.block.to_be_bytes()))];
    state.publish(Change { marker, ..change(marker.block, true, rows) }).unwrap();
    state.close().unwrap();
    folder.path().join("state")
}

fn marker_at(blocks: &JournalBlocks, block: u64) -> Marker {
    Marker { block, hash: blocks.hash(block).unwrap().unwrap() }
}

/// Rows of a block: one that stays, one that is settled, and two that every block writes anew.
fn of_block(block: u64) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let number = block.to_be_bytes().to_vec();
    let settled = |first: &[u8]| {
        let mut key = [b"s", first].concat();
        key.resize(33, 0);
        key
    };
    vec![
        ([b"open", number.as_slice()].concat(), Some(number.clone())),
        (settled(&number), Some(number.clone())),
        (b"last".to_vec(), Some(number.clone())),
        (settled(b"last"), (!block.is_multiple_of(3)).then_some(number)),
    ]
}

fn publish_blocks(state: &SledState, blocks: &JournalBlocks, range: std::ops::Range<u64>) {
    let end = range.end;
    for block in range {
        let marker = marker_at(blocks, block);
        let writes = of_block(block).into_iter().map(|(key, value)| (key, value.map(Bytes::from)));
        state.publish(Change { marker, writes: writes.collect(), cut: true }).unwrap();
        if block % 3 == 0 || block + 1 == end {
            state.flush().unwrap();
            state.settled().unwrap();
        }
    }
}

fn expected_at(block: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = BTreeMap::new();
    (1..=block).for_each(|block| rows.extend(of_block(block)));
    rows.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// A state of 40 blocks whose rows lie in every kind of file.
fn spread(folder: &TempDir) -> (JournalFiles, JournalBlocks) {
    let (journal, blocks) = journal(folder, 40);
    let state = open(folder, tiny());
    publish_blocks(&state, &blocks, 1..38);
    let size = state.size();
    assert!(size.settled_runs > 0 && size.settled_rows > 20, "{size:?}");
    assert!(size.open_runs <= 3 && size.settled_runs < 8, "{size:?}");
    state.close().unwrap();
    // The last blocks stay in the database.
    let state = open(folder, limits());
    publish_blocks(&state, &blocks, 38..41);
    state.close().unwrap();
    (journal, blocks)
}

#[test]
fn sled_does_what_every_state_does() {
    for scan_page_rows in [1, 7, 256] {
        let folder = tempfile::tempdir().unwrap();
        engine_suite::state(|| open(&folder, StateLimits { scan_page_rows, ..limits() }));
    }
}

#[test]
fn sled_is_never_given_several_rows_in_one_call() {
    // In parts, so that this file does not hold them.
    let banned = [
        ["Bat", "ch"],
        ["apply_", "batch"],
        ["trans", "action("],
        ["Trans", "actional"],
        ["compare_and_", "swap("],
    ];
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let source = std::fs::read_to_string(&path).unwrap();
            for words in banned.map(|words| words.concat()) {
                assert!(!source.contains(&words), "`{words}` in {}", path.display());
            }
        }
    }
    assert!(files > 10, "{files} files were read");
}
