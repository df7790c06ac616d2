use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use lienthong_core::engine::{Blocks as _, Journal as _};
use lienthong_core::engine_suite::{self, block_after, change};
use proptest::prelude::*;
use tempfile::TempDir;

use super::overlay::Overlay;
use super::rows::{damage_note, open_sled};
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
    StateLimits { recent_bytes: 1, open_runs_max: 2, blocks_cached_bytes: 1 << 16, ..limits() }
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

#[test]
fn sled_does_what_every_state_does() {
    for scan_page_rows in [1, 7, 256] {
        let folder = tempfile::tempdir().unwrap();
        engine_suite::state(|| open(&folder, StateLimits { scan_page_rows, ..limits() }));
    }
}

#[test]
fn a_value_from_after_the_cut_is_not_written_with_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, patient());
    let one: &[(&[u8], Option<&[u8]>)] = &[(b"a", Some(b"1")), (b"b", Some(b"1"))];
    state.publish(change(1, true, one)).unwrap();
    state.publish(change(2, false, &[(b"a", Some(b"2")), (b"b", None)])).unwrap();
    state.flush().unwrap();
    assert_eq!(state.read(b"a").unwrap().unwrap(), "2");
    assert_eq!(state.read(b"b").unwrap(), None);
    drop(state);
    let state = open(&folder, patient());
    assert_eq!(state.marker(), Some(change(1, true, &[]).marker));
    let expected = [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"1".to_vec())];
    assert_eq!(rows(&state), expected, "as of the cut");
}

#[test]
fn cuts_that_come_faster_than_chunks_are_written_together() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, patient());
    for block in 1..=100u64 {
        let value = block.to_string();
        state.publish(change(block, true, &[(b"n", Some(value.as_bytes()))])).unwrap();
    }
    assert_eq!(state.marker(), None, "no chunk was due");
    state.close().unwrap();
    let state = open(&folder, patient());
    assert_eq!(state.marker().map(|marker| marker.block), Some(100));
    assert_eq!(rows(&state), [(b"n".to_vec(), b"100".to_vec())]);
}

#[test]
fn a_publisher_that_is_too_far_ahead_waits_for_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let limits = StateLimits { overlay_blocks_max: 10, chunk_blocks: 1_000, ..patient() };
    let state = open(&folder, limits);
    for block in 1..=35 {
        state.publish(change(block, block % 5 == 0, &[(b"n", Some(b"1"))])).unwrap();
        let behind = block - state.marker().map_or(0, |marker| marker.block);
        assert!(behind <= 10, "{behind} blocks in memory");
    }
}

#[test]
fn an_overlay_that_can_never_be_written_is_an_error_and_no_wait() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, StateLimits { overlay_blocks_max: 10, ..patient() });
    for block in 1..=10 {
        state.publish(change(block, false, &[])).unwrap();
    }
    let error = state.publish(change(11, false, &[])).unwrap_err();
    assert!(error.to_string().contains("11 blocks"), "{error}");
}

#[test]
fn a_reader_sees_the_old_or_the_new_value_while_chunks_are_written() {
    const KEYS: u32 = 200;
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, StateLimits { scan_page_rows: 16, ..limits() });
    let key = |at: u32| at.to_be_bytes();
    let publish = |round: u64| {
        let value = round.to_be_bytes();
        let keys: Vec<_> = (0..KEYS).map(key).collect();
        let rows: Vec<(&[u8], Option<&[u8]>)> =
            keys.iter().map(|key| (&key[..], Some(&value[..]))).collect();
        state.publish(change(round, true, &rows)).unwrap();
    };
    publish(1);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let one_by_one = || {
            let mut last = vec![0; KEYS as usize];
            while !done.load(Ordering::Relaxed) {
                for (at, last) in (0..KEYS).zip(&mut last) {
                    let value = state.read(&key(at)).unwrap().expect("it was never deleted");
                    let round = u64::from_be_bytes(value[..].try_into().unwrap());
                    assert!(round >= *last, "key {at} went back from {last} to {round}");
                    *last = round;
                }
            }
        };
        let in_scans = || {
            while !done.load(Ordering::Relaxed) {
                let found = rows(&state);
                assert_eq!(found.len(), KEYS as usize, "every key is there once");
                assert!(found.is_sorted());
            }
        };
        scope.spawn(one_by_one);
        scope.spawn(in_scans);
        (2..300).for_each(publish);
        state.flush().unwrap();
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(state.marker().map(|marker| marker.block), Some(299));
}

#[test]
fn a_row_with_a_wrong_check_value_is_damage_and_the_next_opening_rebuilds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let state = open(&folder, limits());
    let rows: &[(&[u8], Option<&[u8]>)] = &[(b"bad", Some(b"value")), (b"good", Some(b"value"))];
    state.publish(change(1, true, rows)).unwrap();
    state.close().unwrap();
    let raw = open_sled(&database(&folder), 1 << 20).unwrap();
    let mut row = raw.get(b"bad").unwrap().unwrap().to_vec();
    row[6] ^= 1;
    raw.insert(b"bad", row).unwrap();
    drop(raw);

    let state = open(&folder, limits());
    assert_eq!(state.read(b"good").unwrap().unwrap(), "value");
    let error = state.read(b"bad").unwrap_err();
    assert!(error.to_string().contains("626164"), "{error}");
    state.scan(b"b", b"", &mut |_, _| true).unwrap_err();
    drop(state);
    assert!(damage_note(&path).exists());
    let (_journal, blocks) = journal(&folder, 1);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
    assert_eq!((opened.replay_from, opened.state.read(b"good").unwrap()), (1, None));
    assert!(!damage_note(&path).exists());
}

#[test]
fn large_rows_leave_no_page_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder, limits());
    for block in 1..=40u64 {
        let value = vec![block as u8; VALUE_BYTES_MAX];
        let keys = [block, 1_000 - block].map(u64::to_be_bytes);
        let rows: Vec<(&[u8], Option<&[u8]>)> =
            keys.iter().map(|key| (&key[..], Some(&value[..]))).collect();
        state.publish(change(block, true, &rows)).unwrap();
        if block % 10 == 0 {
            state.flush().unwrap();
        }
    }
    state.close().unwrap();
    let blobs = database(&folder).join("blobs");
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 0);
    std::fs::write(blobs.join("17"), b"page").unwrap();
    let error = SledState::open(&folder.path().join("state"), limits()).unwrap_err();
    assert!(matches!(&error, EngineError::Damaged { .. }), "{error}");
}

// --- Opening beside a journal --------------------------------------------------------

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

#[test]
fn a_database_that_lost_its_end_is_found_though_a_newer_one_says_where_the_whole_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 600);
    let (ended, path) = (marker_at(&blocks, 400), state_at(&folder, marker_at(&blocks, 400)));
    let two = |rested| super::generation::Generation {
        recent: vec![2, 1],
        rested: Some(rested),
        ..Default::default()
    };
    two(ended).put_in_force(&path).unwrap();
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert_eq!((opened.rebuilt, opened.replay_from), (None, 145));
    drop(opened.state);
    let folder = tempfile::tempdir().unwrap();
    let path = state_at(&folder, ended);
    two(marker_at(&blocks, 450)).put_in_force(&path).unwrap();
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    let why = opened.rebuilt.unwrap().to_string();
    assert!(why.contains("database 1: it has lost the rows at its end"), "{why}");
    assert_eq!(opened.replay_from, 1);
}

#[test]
fn a_state_behind_its_journal_is_replayed_from_before_its_marker() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 600);
    let path = state_at(&folder, marker_at(&blocks, 400));
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert_eq!((opened.rebuilt, opened.replay_from), (None, 145));
    assert!(opened.state.read(b"block").unwrap().is_some());
}

#[test]
fn a_state_at_the_end_of_its_journal_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert_eq!((opened.rebuilt, opened.replay_from), (None, 1));
    assert_eq!(opened.state.marker(), blocks.end());
}

#[test]
fn a_state_ahead_of_its_journal_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, block_after(blocks.end()).marker);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert_eq!(opened.rebuilt, Some(Why::Ahead { state: 11, journal: 10 }));
    assert_eq!(opened.replay_from, 1);
    assert_eq!((opened.state.marker(), rows(&opened.state)), (None, vec![]));
}

#[test]
fn an_empty_journal_beside_a_state_is_damage_and_nothing_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 0);
    let path = state_at(&folder, block_after(None).marker);
    let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
    assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("block 1"), "{error}");
    let (state, marker) = SledState::open(&path, limits()).unwrap();
    assert_eq!(marker, Some(block_after(None).marker), "the state is as it was");
    drop(state);
}

#[test]
fn a_state_of_another_journal_is_rebuilt() {
    for block in [5, 10] {
        let folder = tempfile::tempdir().unwrap();
        let (_journal, blocks) = journal(&folder, 10);
        let path = state_at(&folder, change(block, true, &[]).marker);
        let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
        assert_eq!(opened.rebuilt, Some(Why::OtherHash { block }));
        assert_eq!((opened.state.marker(), rows(&opened.state)), (None, vec![]));
    }
}

#[test]
fn a_state_that_is_not_there_is_made_and_everything_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let opened = open_or_rebuild_with(&folder.path().join("state"), &blocks, limits()).unwrap();
    assert_eq!((opened.rebuilt, opened.replay_from), (None, 1));
}

#[test]
fn rows_without_a_marker_are_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = folder.path().join("state");
    let raw = open_sled(&database(&folder), 1 << 20).unwrap();
    raw.insert(b"half", b"a chunk").unwrap();
    drop(raw);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
    assert_eq!(rows(&opened.state), vec![]);
}

#[test]
fn a_state_of_the_layout_before_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = folder.path().join("state");
    drop(open_sled(&path, 1 << 20).unwrap());
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
    assert!(!path.join("db").exists());
}

#[test]
fn a_damaged_marker_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    let raw = open_sled(&database(&folder), 1 << 20).unwrap();
    raw.insert(b"\xffmarker", vec![1; 46]).unwrap();
    drop(raw);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
}

/// A marker's row as a version would write it whose state has a format.
fn marker_row(format: u16, marker: Marker) -> Vec<u8> {
    let block = marker.block.to_le_bytes();
    let value = [&format.to_le_bytes()[..], &block, marker.hash.as_bytes()].concat();
    let check = crc32c::crc32c_append(crc32c::crc32c(b"\xffmarker"), &value);
    [&check.to_le_bytes()[..], &value].concat()
}

#[test]
fn a_state_of_an_older_format_is_rebuilt_and_one_of_a_newer_format_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let end = blocks.end().unwrap();
    let path = state_at(&folder, end);
    let write = |format| {
        let raw = open_sled(&database(&folder), 1 << 20).unwrap();
        raw.insert(b"\xffmarker", marker_row(format, end)).unwrap();
    };
    write(STATE_FORMAT + 1);
    let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
    assert!(matches!(error, EngineError::TooNew { reads: STATE_FORMAT, .. }), "{error}");
    write(STATE_FORMAT);
    assert_eq!(open_or_rebuild_with(&path, &blocks, limits()).unwrap().rebuilt, None);
    write(STATE_FORMAT - 1);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    let named = format!("format {}", STATE_FORMAT - 1);
    assert!(matches!(&opened.rebuilt, Some(Why::Unusable { why }) if why.contains(&named)));
    assert_eq!((opened.replay_from, rows(&opened.state)), (1, vec![]));
}

#[test]
fn a_state_of_overwritten_files_is_rebuilt_or_never_read_wrongly() {
    let seed = 0x5eed_u64;
    for round in 0..8u64 {
        let folder = tempfile::tempdir().unwrap();
        let (_journal, blocks) = journal(&folder, 10);
        let state = open(&folder, limits());
        for block in 1..=10u64 {
            let keys: Vec<_> = (0..300u32).map(|at| [block as u32, at]).collect();
            let keys: Vec<_> = keys.iter().map(|key| key.map(u32::to_be_bytes).concat()).collect();
            let rows: Vec<(&[u8], Option<&[u8]>)> =
                keys.iter().map(|key| (&key[..], Some(&key[..]))).collect();
            let marker = marker_at(&blocks, block);
            state.publish(Change { marker, ..change(block, true, &rows) }).unwrap();
        }
        state.close().unwrap();
        let path = folder.path().join("state");
        let db = database(&folder).join("db");
        let mut bytes = std::fs::read(&db).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        let mut random = seed.wrapping_add(round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..1 << (2 * round) {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            bytes[(random >> 16) as usize % used] ^= (random >> 8) as u8 | 1;
        }
        std::fs::write(&db, &bytes).unwrap();
        let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
        let marker = opened.state.marker().map_or(0, |marker| marker.block);
        let mut up_to_marker = 0;
        let outcome = opened.state.scan(b"", b"", &mut |key, value| {
            assert_eq!(key, value, "round {round} of seed {seed:#x}");
            let block = key.first_chunk().map(|block| u32::from_be_bytes(*block)).unwrap();
            up_to_marker += u64::from(u64::from(block) <= marker);
            true
        });
        match outcome {
            Ok(()) => assert_eq!(up_to_marker, marker * 300, "round {round} of seed {seed:#x}"),
            Err(error) => {
                assert!(matches!(error, EngineError::Damaged { .. }), "round {round}: {error}");
            }
        }
    }
}

#[test]
fn a_state_of_garbage_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    for file in ["db", "conf"] {
        let file_path = database(&folder).join(file);
        let length = std::fs::metadata(&file_path).unwrap().len() as usize;
        std::fs::write(file_path, vec![0xa5; length]).unwrap();
        let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
        assert_eq!(opened.replay_from, 1, "{file}");
        assert_eq!((opened.state.marker(), rows(&opened.state)), (None, vec![]), "{file}");
        let marker = blocks.end().unwrap();
        opened.state.publish(Change { marker, ..change(10, true, &[]) }).unwrap();
        opened.state.close().unwrap();
    }
}

#[test]
fn a_state_in_use_is_refused_and_not_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    let first = open(&folder, limits());
    let error = open_or_rebuild_with(&path, &blocks, limits()).unwrap_err();
    assert!(matches!(error, EngineError::InUse(_)), "{error}");
    assert!(first.read(b"block").unwrap().is_some());
}

#[test]
fn an_interrupted_deletion_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 10);
    let path = state_at(&folder, blocks.end().unwrap());
    let discarded = folder.path().join("state.discarded");
    std::fs::rename(&path, &discarded).unwrap();
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(!discarded.exists());
    assert_eq!(rows(&opened.state), vec![]);
}

// --- The overlay against a model -------------------------------------------------------

#[derive(Debug, Clone)]
enum Step {
    Publish(Vec<(u8, Option<u8>)>, bool),
    Flush,
    Scan(u8, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (0..40u8, proptest::option::of(any::<u8>()));
    let publish =
        (proptest::collection::btree_map(0..40u8, row.prop_map(|row| row.1), 0..12), any::<bool>())
            .prop_map(|(rows, cut)| Step::Publish(rows.into_iter().collect(), cut));
    let step = prop_oneof![
        6 => publish,
        1 => Just(Step::Flush),
        2 => (0..4u8, 0..40u8).prop_map(|(prefix, from)| Step::Scan(prefix, from)),
    ];
    proptest::collection::vec(step, 1..40)
}

const FAMILIES: [u8; 4] = [b'a', b'b', b'c', b's'];

/// So few, that prefixes have several rows. Those of the last family are names of payload files to
/// `core`: settled as soon as there is a chance.
fn key(at: u8) -> Vec<u8> {
    let mut key = vec![FAMILIES[usize::from(at / 10)], at];
    if key[0] == b's' {
        key.resize(33, 0);
    }
    key
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_scan_is_the_merge_of_overlay_and_layers(steps in steps(), small in proptest::bool::weighted(0.2)) {
        let folder = tempfile::tempdir().unwrap();
        let limits = || if small { tiny() } else { limits() };
        let state = open(&folder, StateLimits { scan_page_rows: 5, ..limits() });
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut at_cut = model.clone();
        for (block, step) in (1..).zip(steps) {
            match step {
                Step::Publish(rows, cut) => {
                    let mut writes = Vec::new();
                    for (at, value) in rows {
                        match value {
                            Some(value) => drop(model.insert(key(at), vec![value])),
                            None => drop(model.remove(&key(at))),
                        }
                        writes.push((key(at), value.map(|value| Bytes::from(vec![value]))));
                    }
                    state.publish(Change { writes, ..change(block, cut, &[]) }).unwrap();
                    if cut {
                        at_cut.clone_from(&model);
                    }
                }
                Step::Flush => state.flush().unwrap(),
                Step::Scan(prefix, from) => {
                    let (prefix, from) = ([FAMILIES[usize::from(prefix)]], key(from));
                    let mut found = Vec::new();
                    state.scan(&prefix, &from, &mut |key, value| {
                        found.push((key.to_vec(), value.to_vec()));
                        true
                    }).unwrap();
                    let expected: Vec<_> = model
                        .range(from..)
                        .filter(|(key, _)| key.starts_with(&prefix))
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect();
                    prop_assert_eq!(found, expected);
                }
            }
            prop_assert_eq!(rows(&state), model.clone().into_iter().collect::<Vec<_>>());
        }
        state.close().unwrap();
        let state = open(&folder, limits());
        prop_assert_eq!(rows(&state), at_cut.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn the_bytes_of_the_overlay_are_those_of_its_newest_rows() {
    let mut overlay = Overlay::new(std::time::Instant::now());
    let now = std::time::Instant::now();
    let value = [1; 1_000];
    for block in 1..=50 {
        overlay.publish(change(block, block % 3 == 0, &[(b"n", Some(&value))]), now);
    }
    let (blocks, bytes) = overlay.size();
    assert_eq!(blocks, 50);
    assert!(bytes > 2_000 && bytes < 2_500, "one row open, one pending: {bytes}");
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

// --- What leaves the databases ----------------------------------------------------------

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
fn rows_are_found_wherever_they_lie() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = spread(&folder);
    let opened = open_or_rebuild_with(&folder.path().join("state"), &blocks, tiny()).unwrap();
    assert_eq!((opened.rebuilt, opened.state.marker()), (None, blocks.end()));
    assert_eq!(rows(&opened.state), expected_at(40));
    for (key, value) in expected_at(40) {
        assert_eq!(opened.state.read(&key).unwrap().map(|row| row.to_vec()), Some(value));
    }
}

#[test]
fn what_is_settled_and_written_anew_is_at_hand_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = journal(&folder, 40);
    let state = open(&folder, tiny());
    publish_blocks(&state, &blocks, 1..20);
    let (key, _) = of_block(3).swap_remove(1);
    let again = |block: u64, value: Option<&'static [u8]>| {
        let writes = vec![(key.clone(), value.map(Bytes::from_static))];
        let marker = marker_at(&blocks, block);
        state.publish(Change { marker, writes, cut: true }).unwrap();
        assert_eq!(state.read(&key).unwrap().as_deref(), value);
    };
    again(20, Some(b"late"));
    publish_blocks(&state, &blocks, 21..30);
    assert_eq!(state.read(&key).unwrap().as_deref(), Some(&b"late"[..]));
    again(30, None);
    publish_blocks(&state, &blocks, 31..41);
    assert_eq!(state.read(&key).unwrap(), None, "a deletion hides what was settled");
    assert!(!rows(&state).iter().any(|row| row.0 == key));
}

#[test]
fn a_flipped_byte_in_a_run_is_never_served_and_costs_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = spread(&folder);
    let path = folder.path().join("state");
    let names = |folder: &std::path::Path| {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut runs: Vec<_> = names.filter(|path| path.extension().is_some()).collect();
        runs.sort();
        runs
    };
    for run in names(&path).into_iter().filter(|path| path.extension().unwrap() == "rows") {
        let whole = std::fs::read(&run).unwrap();
        for at in [30, whole.len() - 70] {
            let copy = tempfile::tempdir().unwrap();
            let state = copy.path().join("state");
            copy_folder(&path, &state);
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            std::fs::write(state.join(run.file_name().unwrap()), bytes).unwrap();
            let named = format!("byte {at} of {}", run.display());
            let mut rebuilt = false;
            // The first opening may not meet the damage; reading does, and the next one knows.
            for round in 0..3 {
                let opened = open_or_rebuild_with(&state, &blocks, limits()).unwrap();
                rebuilt |= opened.rebuilt.is_some();
                let after = opened.state.marker().map_or(0, |marker| marker.block);
                assert!(opened.replay_from <= after + 1, "{named}");
                publish_blocks(&opened.state, &blocks, after + 1..41);
                let mut found = Vec::new();
                let scanned = opened.state.scan(b"", b"", &mut |key, value| {
                    found.push((key.to_vec(), value.to_vec()));
                    true
                });
                match scanned {
                    Ok(()) => assert_eq!(found, expected_at(40), "{named}, round {round}"),
                    Err(error) => {
                        assert!(round < 2, "{named}: {error}");
                        assert!(matches!(error, EngineError::Damaged { .. }), "{named}: {error}");
                    }
                }
            }
            let unused = !names(&path).contains(&run);
            assert!(rebuilt || unused || is_kept_only(&path, &run), "{named}");
        }
    }
}

/// Whether a run is kept as what was before, and not in force.
fn is_kept_only(state: &std::path::Path, run: &std::path::Path) -> bool {
    let generation = generation::Generation::in_force(state).unwrap().unwrap();
    let mut numbers = generation.open.iter().chain(&generation.settled);
    !numbers.any(|number| generation::run_path(state, *number) == run)
}

#[test]
fn a_lost_database_takes_the_state_back_to_its_runs_and_not_to_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, blocks) = spread(&folder);
    let path = folder.path().join("state");
    let generation = generation::Generation::in_force(&path).unwrap().unwrap();
    let marker = generation.marker.unwrap();
    for number in generation.recent {
        let db = generation::recent_path(&path, number).join("db");
        let length = std::fs::metadata(&db).unwrap().len() as usize;
        std::fs::write(&db, vec![0xa5; length]).unwrap();
    }
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert!(matches!(opened.rebuilt, Some(Why::Unusable { .. })));
    assert_eq!(opened.state.marker(), Some(marker));
    assert!(marker.block >= 30, "{marker:?}");
    assert_eq!(rows(&opened.state), expected_at(marker.block));
    opened.state.close().unwrap();
    // Runs that reflect what the journal does not have are of no use.
    let (_other, blocks) = journal(&tempfile::tempdir().unwrap(), 5);
    let opened = open_or_rebuild_with(&path, &blocks, limits()).unwrap();
    assert_eq!((opened.replay_from, rows(&opened.state)), (1, vec![]));
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}
