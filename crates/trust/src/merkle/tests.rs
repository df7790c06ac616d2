use std::convert::Infallible;

use lienthong_model::Timestamp;
use proptest::prelude::*;

use super::entry::{LeafEntry, LeafKind};
use super::prove::{self, Nodes};
use super::*;

/// The leaves of certificate-transparency's `merkle_tree_test` and the roots over the first n of
/// them.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn published() -> Log {
    Log(LEAVES.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect())
}

fn digest(text: &str) -> Digest {
    Digest(hex::decode(text).unwrap().try_into().unwrap())
}

/// A log as RFC 9162 defines it, by recursion over all leaves.
struct Log(Vec<Digest>);

impl Log {
    fn of(size: usize) -> Self {
        Self((0..size as u64).map(|n| leaf_hash(&n.to_be_bytes())).collect())
    }

    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn root(&self, size: u64) -> Digest {
        naive_root(&self.0[..size as usize])
    }
}

/// `MTH` of section 2.1.1.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// `PATH` of section 2.1.3.1.
fn naive_path(position: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    let (mut path, beside) = match position < middle {
        true => (naive_path(position, left), right),
        false => (naive_path(position - middle, right), left),
    };
    path.push(naive_root(beside));
    path
}

/// `SUBPROOF` of section 2.1.4.1.
fn naive_subproof(first: usize, leaves: &[Digest], known: bool) -> Vec<Digest> {
    if first == leaves.len() {
        return if known { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    let (mut proof, beside) = match first <= middle {
        true => (naive_subproof(first, left, known), right),
        false => (naive_subproof(first - middle, right, false), left),
    };
    proof.push(naive_root(beside));
    proof
}

impl Nodes for Log {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
        let leaves = (index << level) as usize..((index + 1) << level) as usize;
        Ok(naive_root(&self.0[leaves]))
    }
}

#[test]
fn the_roots_are_those_that_certificate_transparency_publishes() {
    let log = published();
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(prove::root(0, &log), Ok(digest(nothing)));
    for (size, root) in (1..).zip(ROOTS) {
        assert_eq!(prove::root(size, &log), Ok(digest(root)), "size {size}");
    }
}

#[test]
fn the_proofs_are_those_that_certificate_transparency_publishes() {
    // Positions and sizes of `merkle_tree_test`, there counted from 1.
    let path = |hashes: &[&str]| hashes.iter().copied().map(digest).collect::<Vec<_>>();
    let log = published();
    let of_0_in_8 = path(&[
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]);
    let of_5_in_8 = path(&[
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    let from_6_to_8 = path(&[
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(prove::inclusion(0, 8, &log), Ok(of_0_in_8));
    assert_eq!(prove::inclusion(5, 8, &log), Ok(of_5_in_8));
    assert_eq!(prove::consistency(6, 8, &log), Ok(from_6_to_8));
}

#[test]
fn every_proof_of_a_small_log_is_that_of_the_standard_and_verifies() {
    let log = Log::of(70);
    for size in 0..=log.size() {
        let (leaves, root) = (&log.0[..size as usize], log.root(size));
        assert_eq!(prove::root(size, &log), Ok(root));
        for position in 0..size {
            let proof = prove::inclusion(position, size, &log).unwrap();
            assert_eq!(proof, naive_path(position as usize, leaves), "{position} in {size}");
            let leaf = &leaves[position as usize];
            assert_eq!(verify_inclusion(leaf, position, &proof, size, &root), Ok(()));
        }
        for first in 0..=size {
            let proof = prove::consistency(first, size, &log).unwrap();
            if first > 0 {
                assert_eq!(proof, naive_subproof(first as usize, leaves, true), "{first}, {size}");
            }
            let before = log.root(first);
            assert_eq!(verify_consistency((first, &before), (size, &root), &proof), Ok(()));
        }
    }
}

/// Proofs that differ from a right one: a bit, an order, one more, one less.
fn spoilt(proof: &[Digest], bit: usize) -> Vec<Vec<Digest>> {
    let mut all = Vec::new();
    for index in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[index].0[bit / 8] ^= 1 << (bit % 8);
        all.push(changed);
        let mut shorter = proof.to_vec();
        shorter.remove(index);
        all.push(shorter);
        if index > 0 {
            let mut turned = proof.to_vec();
            turned.swap(index - 1, index);
            all.push(turned);
        }
    }
    all.push([proof, &[Digest([7; 32])]].concat());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_changed_inclusion_proof_proves_nothing(
        size in 1..400u64, position: prop::sample::Index, bit in 0..256usize,
    ) {
        let log = Log::of(size as usize);
        let position = position.index(size as usize) as u64;
        let (leaf, root) = (log.0[position as usize], log.root(size));
        let proof = prove::inclusion(position, size, &log).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, position, &proof, size, &root), Ok(()));
        for spoilt in spoilt(&proof, bit) {
            prop_assert!(verify_inclusion(&leaf, position, &spoilt, size, &root).is_err());
        }
        for other in (0..size).filter(|other| *other != position) {
            prop_assert!(verify_inclusion(&leaf, other, &proof, size, &root).is_err());
        }
        prop_assert!(verify_inclusion(&root, position, &proof, size + 1, &root).is_err());
    }

    #[test]
    fn a_changed_consistency_proof_proves_nothing(
        second in 2..400u64, first: prop::sample::Index, bit in 0..256usize,
    ) {
        let log = Log::of(second as usize);
        let first = 1 + first.index(second as usize - 1) as u64;
        let (before, after) = (log.root(first), log.root(second));
        let proof = prove::consistency(first, second, &log).unwrap();
        prop_assert_eq!(verify_consistency((first, &before), (second, &after), &proof), Ok(()));
        for spoilt in spoilt(&proof, bit) {
            prop_assert!(verify_consistency((first, &before), (second, &after), &spoilt).is_err());
        }
        let mut rewritten = Log::of(second as usize);
        rewritten.0[first as usize - 1].0[0] ^= 1;
        let after = rewritten.root(second);
        let proof = prove::consistency(first, second, &rewritten).unwrap();
        prop_assert!(verify_consistency((first, &before), (second, &after), &proof).is_err());
    }

    #[test]
    fn proofs_of_any_numbers_and_lengths_are_answered(
        numbers: (u64, u64), hashes in 0..70usize, root: [u8; 32],
    ) {
        let (root, proof) = (Digest(root), vec![Digest([3; 32]); hashes]);
        let (one, other) = numbers;
        prop_assert!(verify_inclusion(&Digest([1; 32]), one, &proof, other, &root).is_err());
        let unproven = verify_consistency((one, &Digest([1; 32])), (other, &root), &proof);
        prop_assert!(unproven.is_err());
    }
}

#[test]
fn the_empty_log_is_the_beginning_of_every_log_and_nothing_else_is_without_proof() {
    let log = Log::of(3);
    let root = log.root(3);
    assert_eq!(verify_consistency((0, &empty_root()), (3, &root), &[]), Ok(()));
    assert_eq!(verify_consistency((0, &root), (3, &root), &[]), Err(ProofError::Root));
    assert_eq!(verify_consistency((3, &root), (3, &root), &[]), Ok(()));
    let order = ProofError::Order { first: 4, second: 3 };
    assert_eq!(verify_consistency((4, &root), (3, &root), &[]), Err(order));
    let outside = ProofError::Outside { position: 3, size: 3 };
    assert_eq!(verify_inclusion(&root, 3, &[], 3, &root), Err(outside));
    let length = ProofError::Length { found: 0 };
    assert_eq!(verify_consistency((1, &log.root(1)), (3, &root), &[]), Err(length));
}

#[test]
fn an_entry_has_the_bytes_that_the_page_of_evidence_documents() {
    let entry = LeafEntry {
        kind: LeafKind::Report,
        time: Timestamp::from_millis(1_605_488_400_123),
        content: Digest([0xaa; 32]),
        signatures: Digest([0xbb; 32]),
    };
    let expected =
        format!("0102{:016x}{}{}", 1_605_488_400_123_i64, "aa".repeat(32), "bb".repeat(32));
    assert_eq!(hex::encode(entry.to_bytes()), expected);
    assert_eq!(entry.hash(), leaf_hash(&hex::decode(expected).unwrap()));
    assert_eq!(LeafEntry::from_bytes(&entry.to_bytes()), Some(entry));
    for (at, byte) in [(0, 2), (1, 0), (1, 3)] {
        let mut other = entry.to_bytes();
        other[at] = byte;
        assert_eq!(LeafEntry::from_bytes(&other), None);
    }
    assert_eq!(LeafEntry::from_bytes(&entry.to_bytes()[..73]), None);
    assert_eq!(LeafEntry::from_bytes(&[&entry.to_bytes()[..], &[0]].concat()), None);
    let before = LeafEntry { time: Timestamp::from_millis(-1), kind: LeafKind::Document, ..entry };
    assert!(hex::encode(before.to_bytes()).starts_with("0101ffffffffffffffffaa"));
}
