//! Replaying the journal gives the same rows, byte for byte, from wherever it starts and whatever a
//! kill left of the chunk that was being written.

use crate::harness::traffic::{Traffic, steps};
use crate::harness::{Hub, Rows, draft, open, rows, state_of};
use lienthong_core::block::{SealedBlock, take_out};
use lienthong_core::engine::Marker;
use lienthong_ledger::{MemoryPayloads, MemoryState};
use lienthong_model::Digest;
use proptest::prelude::*;
use proptest::sample::Index;

/// Replays the blocks after `margin` blocks before the marker, up to `until`, and ends a chunk.
fn replay(
    state: &MemoryState,
    payloads: &MemoryPayloads,
    marker: Option<Marker>,
    blocks: &[SealedBlock],
    margin: u64,
) -> crate::harness::MemoryMachine {
    let first = marker.map_or(1, |marker| (marker.block + 1).saturating_sub(margin)).max(1);
    let mut machine = open(state, payloads);
    for sealed in blocks.iter().filter(|sealed| sealed.marker.block >= first) {
        machine.replay(sealed).unwrap();
    }
    machine.cut().unwrap();
    machine
}

/// Rows of which each is, by a throw of `seed`, that of one state or of the other.
fn mixture(one: &Rows, other: &Rows, seed: u64) -> Rows {
    let thrown = |key: &[u8]| {
        let mut bytes = seed.to_be_bytes().to_vec();
        bytes.extend_from_slice(key);
        Digest::of(&bytes).0[0] & 1 == 1
    };
    let keys = one.keys().chain(other.keys());
    keys.filter_map(|key| {
        let from = if thrown(key) { one } else { other };
        Some((key.clone(), from.get(key)?.clone()))
    })
    .collect()
}

fn assert_same(found: &Rows, expected: &Rows) {
    for key in found.keys().chain(expected.keys()) {
        assert_eq!(
            found.get(key).map(hex::encode),
            expected.get(key).map(hex::encode),
            "row `{}` {}",
            char::from(key[0]),
            hex::encode(key)
        );
    }
}

/// Ends all chunks and returns the rows as they must be.
fn expected(traffic: &mut Traffic) -> Rows {
    traffic.hub.cut();
    rows(&traffic.hub.state)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_journal_without_the_contents_of_its_documents_replays_to_the_same_rows(
        steps in steps(1..80),
    ) {
        let mut traffic = Traffic::run(&steps);
        let expected = expected(&mut traffic);
        let emptied: Vec<SealedBlock> = traffic
            .hub
            .sealed()
            .iter()
            .map(|sealed| {
                let mut bytes = sealed.bytes.to_vec();
                take_out(&mut bytes, &mut |_| Ok(true)).unwrap();
                SealedBlock::open(bytes.into()).unwrap()
            })
            .collect();
        let state = MemoryState::new();
        replay(&state, &traffic.hub.payloads, None, &emptied, 0);
        assert_same(&rows(&state), &expected);
    }

    #[test]
    fn rebuilding_from_the_whole_journal_gives_the_same_rows(steps in steps(1..120)) {
        let mut traffic = Traffic::run(&steps);
        let expected = expected(&mut traffic);
        let state = MemoryState::new();
        replay(&state, &traffic.hub.payloads, None, &traffic.hub.sealed(), 0);
        assert_same(&rows(&state), &expected);
    }

    #[test]
    fn a_state_with_half_a_chunk_becomes_the_same_rows(
        steps in steps(1..160),
        chosen in any::<[Index; 2]>(),
        margin in prop_oneof![Just(0), Just(256), 0..40u64],
        seed: u64,
    ) {
        let mut traffic = Traffic::run(&steps);
        let expected = expected(&mut traffic);
        let mut cuts = vec![(None, Rows::new())];
        cuts.extend(traffic.hub.cuts.iter().map(|(marker, rows)| (Some(*marker), rows.clone())));
        let mut chosen = chosen.map(|index| index.index(cuts.len()));
        chosen.sort_unstable();
        let [(marker, written), (_, half_written)] = chosen.map(|at| &cuts[at]);
        let state = state_of(mixture(written, half_written, seed), *marker);
        let blocks = traffic.hub.sealed();
        replay(&state, &traffic.hub.payloads, *marker, &blocks, margin);
        assert_same(&rows(&state), &expected);
    }

    #[test]
    fn a_replay_that_was_killed_is_replayed_in_its_turn(
        steps in steps(1..160),
        chosen in any::<[Index; 2]>(),
        killed: Index,
        margins in (0..40u64, 0..40u64),
        seeds: (u64, u64),
    ) {
        let mut traffic = Traffic::run(&steps);
        let expected = expected(&mut traffic);
        let cuts = &traffic.hub.cuts;
        let mut chosen = chosen.map(|index| index.index(cuts.len()));
        chosen.sort_unstable();
        let [(marker, written), (_, half_written)] = chosen.map(|at| &cuts[at]);
        let start = mixture(written, half_written, seeds.0);
        let state = state_of(start.clone(), Some(*marker));
        let blocks = traffic.hub.sealed();
        let first = (marker.block + 1).saturating_sub(margins.0).max(1);
        let until = first + killed.index(blocks.len() + 2 - first as usize) as u64;
        // Chunks of the replay are written up to `until`, the one after it half.
        let payloads = &traffic.hub.payloads;
        replay(&state, payloads, Some(*marker), &blocks[..until as usize - 1], margins.0);
        let reached = blocks[..until as usize - 1].last().map(|sealed| sealed.marker);
        let killed_rows = rows(&state);
        replay(&state, payloads, reached, &blocks, 0);
        let state = state_of(mixture(&killed_rows, &rows(&state), seeds.1), reached);
        replay(&state, payloads, reached, &blocks, margins.1);
        assert_same(&rows(&state), &expected);
    }

    #[test]
    fn a_machine_opened_anew_goes_on_as_the_one_before(steps in steps(1..80), margin in 0..40u64) {
        let mut traffic = Traffic::run(&steps);
        traffic.hub.cut();
        let (marker, rows) = traffic.hub.cuts.last().unwrap().clone();
        let state = state_of(rows, Some(marker));
        let hub = &mut traffic.hub;
        let mut anew = replay(&state, &hub.payloads, Some(marker), &hub.sealed(), margin);
        hub.machine.begin(hub.now);
        anew.begin(hub.now);
        for from in crate::harness::traffic::AGENCIES {
            let mut draft = draft(from, &["G22", "H36.01.01", "H34.X1"]);
            draft.id = Some(hub.signers.new_id(hub.now));
            let (one, other) = (hub.submission(&draft), hub.submission(&draft));
            assert_eq!(hub.machine.decide(one).unwrap(), anew.decide(other).unwrap());
        }
        let (one, other) = (hub.machine.seal(), anew.seal());
        assert_eq!(one.map(|sealed| sealed.bytes), other.map(|sealed| sealed.bytes));
    }
}

#[test]
fn a_block_that_stays_empty_leaves_no_trace_in_the_rows() {
    let mut hub = Hub::new();
    hub.accepted(&draft("G22", &["H36"]));
    hub.cut();
    let before = rows(&hub.state);
    hub.now = hub.now.plus(crate::harness::HOUR);
    hub.machine.begin(hub.now);
    assert!(hub.machine.seal().is_none());
    hub.cut();
    assert_same(&rows(&hub.state), &before);
}

#[test]
fn a_directory_with_a_gap_is_used_only_once_the_replay_has_closed_it() {
    let mut hub = Hub::empty();
    hub.trust(true);
    hub.cut();
    let before = hub.state_marker();
    hub.import(&crate::harness::country());
    hub.cut();
    let mut gap = rows(&hub.state);
    gap.remove(b"a\0\0\0\x03".as_slice()).unwrap();
    let state = state_of(gap, before);
    let mut machine = open(&state, &hub.payloads);
    assert_eq!(machine.policy().directory.len(), 3);
    machine.begin(hub.now);
    let proposal = hub.submission(&draft("G22", &["H36"]));
    let error = machine.decide(proposal).unwrap_err();
    assert!(error.to_string().contains("row 3 is missing"), "{error}");
    let machine = replay(&state, &hub.payloads, before, &hub.sealed(), 0);
    assert_eq!(machine.policy().directory.agencies(), hub.machine.policy().directory.agencies());
}
