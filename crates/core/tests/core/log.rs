//! The Merkle log in the state: the tiles hold the leaves of what was accepted, and no other; roots
//! and proofs read from them are those of the whole tree.

use std::collections::HashSet;

use crate::harness::traffic::{Traffic, steps};
use crate::harness::{BEGIN, Hub, Rows, draft, open, report, rows, state_of};
use lienthong_core::block::{Block, SealedBlock};
use lienthong_core::engine::Marker;
use lienthong_core::{
    Accepted, Command, Decision, Entry, Query, Reported, SignedRecord, Submit, TILE_HASHES,
};
use lienthong_ledger::{MemoryPayloads, MemoryState};
use lienthong_model::{Digest, Position, StatusCode, Timestamp};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::{empty_root, node_hash, verify_consistency, verify_inclusion};
use proptest::prelude::*;

fn leaf(kind: LeafKind, time: Timestamp, signed: &SignedRecord) -> Digest {
    let (content, signatures) = (signed.digest, signed.signatures_digest);
    LeafEntry { kind, time, content, signatures }.hash()
}

/// The leaves that the journal calls for, by position.
fn leaves(blocks: &[SealedBlock]) -> Vec<Digest> {
    let mut leaves = Vec::new();
    for block in blocks.iter().map(|sealed| &sealed.block) {
        for entry in &block.entries {
            let (position, leaf) = match (&entry.command, &entry.decision) {
                (Command::Submit(submit), Decision::Accepted(Accepted { position, .. })) => {
                    (position, leaf(LeafKind::Document, block.time, &submit.signed))
                }
                (Command::Report(report), Decision::Reported(Reported { position, .. })) => {
                    (position, leaf(LeafKind::Report, block.time, &report.signed))
                }
                _ => continue,
            };
            assert_eq!(position.0, leaves.len() as u64);
            leaves.push(leaf);
        }
    }
    leaves
}

/// `MTH` of RFC 9162, section 2.1.1.
fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

/// Asks for the root, and proofs of some positions and beginnings, of the log of a size.
fn assert_proves(state: &MemoryState, leaves: &[Digest], size: usize) {
    let (query, whole) = (Query(state), root(&leaves[..size]));
    let size_of_log = size as u64;
    assert_eq!(query.log_root(size_of_log).unwrap(), Some(whole), "size {size}");
    let chosen: HashSet<usize> =
        [0, 1, size / 3, size / 2, size.saturating_sub(2), size.saturating_sub(1)].into();
    for position in chosen.into_iter().filter(|position| *position < size) {
        let proof = query.inclusion(position as u64, size_of_log).unwrap().unwrap();
        let shown =
            verify_inclusion(&leaves[position], position as u64, &proof, size_of_log, &whole);
        assert_eq!(shown, Ok(()), "{position} in {size}");
        let proof = query.consistency(position as u64, size_of_log).unwrap().unwrap();
        let first = (position as u64, &root(&leaves[..position]));
        let shown = verify_consistency(first, (size_of_log, &whole), &proof);
        assert_eq!(shown, Ok(()), "{position} before {size}");
    }
}

/// One block a number, each with so many documents, as a journal could have them: made by hand,
/// since signing tens of thousands takes long.
fn long_journal(documents: &[u64]) -> Vec<SealedBlock> {
    let mut hub = Hub::new();
    hub.accepted(&draft("G22", &["H36"]));
    let sealed = hub.sealed().pop().unwrap();
    let Some(Entry { command: Command::Submit(submit), decision: Decision::Accepted(accepted) }) =
        sealed.block.entries.first()
    else {
        panic!("the last block does not accept a document")
    };
    let entry = |position: u64| {
        let mut signed = submit.signed.clone();
        signed.digest = Digest::of(&position.to_be_bytes());
        signed.new_certificates.clear();
        let submit = Submit { signed, ..(**submit).clone() };
        let position = Position(position);
        let decided = Accepted { position, deliveries: Vec::new(), ..accepted.clone() };
        let command = Command::Submit(Box::new(submit));
        Entry { command, decision: Decision::Accepted(decided) }
    };
    let mut blocks: Vec<SealedBlock> = Vec::new();
    let mut next = 0;
    for (number, count) in (1..).zip(documents) {
        let entries = (next..next + count).map(entry).collect();
        next += count;
        let previous = blocks.last().map_or(Digest([0; 32]), |block| block.marker.hash);
        let time = Timestamp::from_millis(BEGIN.millis() + number as i64);
        let block = Block { number, time, previous, rules: 1, entries, clock_ahead_ms: 300_000 };
        blocks.push(block.seal());
    }
    blocks
}

fn replayed(state: MemoryState, blocks: &[SealedBlock], from: u64) -> MemoryState {
    let mut machine = open(&state, &MemoryPayloads::default());
    for sealed in blocks.iter().filter(|sealed| sealed.marker.block >= from) {
        machine.replay(sealed).unwrap();
    }
    machine.cut().unwrap();
    state
}

#[test]
fn the_empty_log_has_the_empty_root_and_proves_nothing() {
    let hub = Hub::new();
    assert_eq!(hub.query().log_size().unwrap(), 0);
    assert_eq!(hub.query().log_root(0).unwrap(), Some(empty_root()));
    assert_eq!(hub.query().log_root(1).unwrap(), None);
    assert_eq!(hub.query().inclusion(0, 0).unwrap(), None);
    assert_eq!(hub.query().consistency(0, 0).unwrap(), Some(Vec::new()));
}

#[test]
fn documents_and_reports_have_a_leaf_each_and_repeated_ones_none() {
    let mut hub = Hub::new();
    let mut first = draft("G22", &["H36"]);
    first.id = Some(hub.signers.new_id(hub.now));
    hub.now = hub.now.plus(crate::harness::HOUR);
    let (id, position) = hub.accepted(&first);
    let received_at = hub.now;
    assert_eq!(hub.submit(&first), Decision::Repeated(position));
    hub.now = hub.now.plus(crate::harness::HOUR);
    let status = report("H36", "G22", id, StatusCode::Accepted);
    assert!(matches!(hub.report(&status), Decision::Reported(_)));
    assert_eq!(hub.query().log_size().unwrap(), 2);
    let leaves = leaves(&hub.sealed());
    let sealed = hub.sealed();
    let document = sealed.iter().find_map(|sealed| match sealed.block.entries.first() {
        Some(Entry { command: Command::Submit(submit), .. }) => Some(submit),
        _ => None,
    });
    let signed = &document.unwrap().signed;
    assert_eq!(leaves[0], leaf(LeafKind::Document, received_at, signed));
    assert_proves(&hub.state, &leaves, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_log_has_the_leaves_that_the_journal_calls_for(steps in steps(1..120)) {
        let mut traffic = Traffic::run(&steps);
        traffic.end_block();
        let leaves = leaves(&traffic.hub.sealed());
        prop_assert_eq!(Query(&traffic.hub.state).log_size().unwrap(), leaves.len() as u64);
        for size in 0..=leaves.len() {
            assert_proves(&traffic.hub.state, &leaves, size);
        }
    }

    #[test]
    fn tiles_that_are_half_written_become_the_same_by_replay(
        documents in prop::collection::vec(1..400u64, 2..12),
        chosen: [prop::sample::Index; 2],
        margin in 0..4u64,
        seed: u64,
    ) {
        let blocks = long_journal(&documents);
        let whole = replayed(MemoryState::new(), &blocks, 1);
        let mut chosen = chosen.map(|index| index.index(blocks.len()));
        chosen.sort_unstable();
        let [written, half_written] =
            chosen.map(|at| rows(&replayed(MemoryState::new(), &blocks[..=at], 1)));
        let marker = blocks[chosen[0]].marker;
        let state = state_of(mixture(&written, &half_written, seed), Some(marker));
        let state = replayed(state, &blocks, (marker.block + 1).saturating_sub(margin));
        prop_assert_eq!(rows(&state), rows(&whole));
    }
}

/// Rows of which each is, by a throw of `seed`, that of one state or of the other.
fn mixture(one: &Rows, other: &Rows, seed: u64) -> Rows {
    let throw = |key: &[u8]| Digest::of(&[&seed.to_be_bytes(), key].concat()).0[0] & 1 == 1;
    let keys = one.keys().chain(other.keys());
    keys.filter_map(|key| {
        let from = if throw(key) { one } else { other };
        Some((key.clone(), from.get(key)?.clone()))
    })
    .collect()
}

#[test]
fn a_log_of_three_levels_of_tiles_proves_every_size_up_to_its_own() {
    let blocks = long_journal(&[255, 1, 256, 300, 64_700, 1_000]);
    let state = replayed(MemoryState::new(), &blocks, 1);
    let leaves = leaves(&blocks);
    for size in [1, 255, 256, 257, 511, 512, 513, 65_279, 65_280, 65_535, 65_536, 65_537, 66_512] {
        assert_proves(&state, &leaves, size);
    }
    let query = Query(&state);
    assert_eq!(query.log_size().unwrap(), 66_512);
    assert_eq!(query.log_root(66_513).unwrap(), None);
    assert_eq!(query.inclusion(7, 66_513).unwrap(), None);
    assert_eq!(query.inclusion(512, 512).unwrap(), None);
    assert_eq!(query.consistency(513, 512).unwrap(), None);
}

#[test]
fn tiles_have_the_keys_and_lengths_of_the_published_format() {
    let blocks = long_journal(&[TILE_HASHES * 2 + 5]);
    let state = replayed(MemoryState::new(), &blocks, 1);
    let mut tiles: Rows = rows(&state);
    tiles.retain(|key, _| key.first() == Some(&b'y'));
    let lengths: Vec<_> = tiles.iter().map(|(key, row)| (hex::encode(key), row.len())).collect();
    let expected = [
        ("79000000000000000000", 8192),
        ("79000000000000000001", 8192),
        ("79000000000000000002", 160),
        ("79010000000000000000", 64),
    ];
    assert_eq!(lengths, expected.map(|(key, length)| (key.to_owned(), length)));
}

#[test]
fn a_log_that_misses_a_tile_is_damaged_and_not_guessed() {
    let blocks = long_journal(&[600, 10]);
    let mut gap = rows(&replayed(MemoryState::new(), &blocks[..1], 1));
    gap.remove([b"y".as_slice(), &[0], &2_u64.to_be_bytes()].concat().as_slice()).unwrap();
    let state = state_of(gap, Some(Marker { ..blocks[0].marker }));
    let error = Query(&state).log_root(600).unwrap_err();
    assert!(error.to_string().contains("tile 2 of level 0"), "{error}");
    let error = open(&state, &MemoryPayloads::default()).replay(&blocks[1]).unwrap_err();
    assert!(error.to_string().contains("it ends before the hash that follows"), "{error}");
}
