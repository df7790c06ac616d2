//! The ledger in a process that dies at each of the named points, and what is found afterwards.
//!
//! The test starts its own binary again, with the one test `a_child_that_is_killed`, which does
//! nothing unless it is told in which folder to work.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use lienthong_core::engine::{Blocks as _, Change, Journal as _, Marker, State as _, Tables as _};
use lienthong_core::engine_suite::{sample_after, sample_has_expired, sample_is_empty};
use lienthong_ledger::{DataFolder, JournalLimits, StateLimits, crash};

const FOLDER: &str = "LIENTHONG_TEST_FOLDER";
const BLOCKS: u64 = 400;
/// How often a child writes so many and waits for what goes on beside it: on a busy machine one time
/// brings fewer files than a point needs.
const ROUNDS: usize = 8;
const ROWS_PER_BLOCK: u64 = 20;

/// Bounds so small that rows go through every kind of file.
fn open(folder: &Path) -> DataFolder {
    // A child that is to die when runs were gathered never settles.
    let gathers = std::env::var(crash::VARIABLE).is_ok_and(|plan| plan.starts_with("open-"));
    let settle_share = if gathers { 0 } else { u64::MAX };
    let state = StateLimits {
        chunk_blocks: 8,
        recent_bytes: 1,
        open_runs_max: 2,
        settle_share,
        ..StateLimits::default()
    };
    let journal = JournalLimits { file_bytes: 20_000, ..JournalLimits::default() };
    DataFolder::open_with(folder, journal, state).unwrap()
}

/// Archives closed journal files, and takes out of them what has expired.
fn archive(data: &DataFolder) {
    while data.blocks.archive_oldest(2).unwrap().is_some() {}
    let mut block = 1;
    while let Some(file) = data.blocks.closed_file(block) {
        data.blocks
            .take_out(file.first, &mut |document| Ok(sample_has_expired(document.0)))
            .unwrap();
        block = file.last + 1;
    }
}

/// What a block changes: rows of its own, one of them the name of a payload file, which is settled
/// at the first chance, and one that every block overwrites.
fn change_of(marker: Marker, cut: bool) -> Change {
    let value = Bytes::copy_from_slice(&marker.block.to_be_bytes());
    let own = (0..ROWS_PER_BLOCK).map(|at| [b"own".as_slice(), &value, &at.to_be_bytes()].concat());
    let mut writes: Vec<_> = own.map(|key| (key, Some(value.clone()))).collect();
    let mut settled = [b"s".as_slice(), &value].concat();
    settled.resize(33, 0);
    writes.push((settled, Some(value.clone())));
    writes.push((b"last".to_vec(), Some(value.clone())));
    Change { marker, writes, cut }
}

#[test]
fn a_child_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    crash::arm_from_env().unwrap();
    let mut data = open(Path::new(&folder));
    let mut out = std::io::stderr();
    for _ in 0..ROUNDS {
        for at in 0..BLOCKS {
            let block = sample_after(data.journal.last_proposed());
            data.journal.propose(&block).unwrap();
            if at % 3 != 2 {
                publish_ordered(&mut data, &mut out);
            }
        }
        data.state.flush().unwrap();
        data.state.settled().unwrap();
        archive(&data);
    }
    writeln!(out, "finished").unwrap();
}

fn publish_ordered(data: &mut DataFolder, out: &mut impl std::io::Write) {
    while let Some(number) = data.journal.read_ordered().unwrap() {
        let marker = data.blocks.block(number).unwrap().map(|block| {
            let hash = data.blocks.hash(number).unwrap().unwrap();
            Marker { block: block.number, hash }
        });
        let cut = data.state.cut_due();
        data.state.publish(change_of(marker.unwrap(), cut)).unwrap();
        writeln!(out, "ordered {number}").unwrap();
    }
}

/// Runs the child until it dies at a point, and returns the last block that it reported.
fn run_child(folder: &Path, plan: &str) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_child_that_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(crash::VARIABLE, plan)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success() && !said.contains("finished"), "{plan} was not passed: {said}");
    said.lines()
        .filter_map(|line| line.strip_prefix("ordered ")?.parse().ok())
        .next_back()
        .unwrap_or(0)
}

/// Opens what the child left, replays, and checks that every reported block is in both; returns of how
/// many documents the contents were taken out.
fn check(folder: &Path, plan: &str, reported: u64) -> u64 {
    let data = open(folder);
    let end = data.blocks.end().map_or(0, |end| end.block);
    assert!(end >= reported, "{plan}: block {reported} was reported, the journal ends with {end}");
    let (mut number, mut emptied) = (0, 0);
    for block in data.blocks.replay(1) {
        number += 1;
        let block = block.unwrap().block;
        assert_eq!(block.number, number, "{plan}: every block from the first");
        let is_empty = sample_is_empty(&block);
        emptied += u64::from(is_empty.unwrap_or_else(|wrong| panic!("{plan}: {wrong}")));
    }
    assert_eq!(number, end, "{plan}: every block to the last");
    for block in data.blocks.replay(data.replay_from) {
        let marker = block.unwrap().marker;
        let cut = marker.block == end || data.state.cut_due();
        data.state.publish(change_of(marker, cut)).unwrap();
    }
    data.state.flush().unwrap();
    assert_eq!(data.state.marker().map_or(0, |marker| marker.block), end, "{plan}");
    let mut rows = 0;
    let visit = &mut |_: &[u8], _: &[u8]| {
        rows += 1;
        true
    };
    data.state.scan(b"own", b"", visit).unwrap();
    assert_eq!(rows, end * ROWS_PER_BLOCK, "{plan}: rows of {end} blocks");
    for block in 1..=end {
        let mut settled = [b"s".as_slice(), &block.to_be_bytes()].concat();
        settled.resize(33, 0);
        let found = data.state.read(&settled).unwrap();
        assert!(found.is_some(), "{plan}: the settled row of block {block}");
    }
    let last = data.state.read(b"last").unwrap().map(|value| value.to_vec());
    assert_eq!(last, (end > 0).then(|| end.to_be_bytes().to_vec()), "{plan}");
    emptied
}

#[test]
fn nothing_that_was_reported_is_lost_wherever_the_process_dies() {
    let folder = tempfile::tempdir().unwrap();
    let plans = [
        "block-appended:1",
        "block-appended:300",
        "block-synced:1",
        "block-synced:200",
        "state-half-written:1",
        "state-written:1",
        "state-half-written:2",
        "state-written:2",
        "database-begun:1",
        "run-written:1",
        "run-in-force:1",
        "database-begun:2",
        "settled-written:1",
        "settled-in-force:1",
        "run-written:3",
        "settled-written:2",
        "open-gathered:1",
        "settled-joined:1",
        "settled-in-force:2",
        "archive-written:1",
        "archive-in-force:2",
        "contents-taken-out:1",
        "contents-taken-out:3",
    ];
    // One folder for all, so that each finds what the one before left.
    let mut emptied = 0;
    for plan in plans {
        let reported = run_child(folder.path(), plan);
        emptied = check(folder.path(), plan, reported);
    }
    assert!(emptied > 0, "nothing was taken out");
}
