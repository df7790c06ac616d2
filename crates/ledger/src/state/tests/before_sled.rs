//! Rows that sled does not have yet: what is read while they wait, and what is written of them.

use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::super::overlay::Overlay;
use super::*;

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
