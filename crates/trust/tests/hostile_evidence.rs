//! Hostile checkpoints and proofs against whoever checks them with the log's key and nothing else.
//!
//! Two logs are signed by the same key, as a hub would have them that shows two people different
//! things: they share their beginning and then part. Each case changes something valid, or puts
//! together what does not belong together, with a random number generator of its own: seed and
//! number give the case again. What is accepted must be true of a log that was signed; no case may
//! panic or take more than a mebibyte.
//!
//! ```text
//! LIENTHONG_HOSTILE_CASES=1000000 cargo test --release -p lienthong-trust --test hostile_evidence -- --nocapture
//! LIENTHONG_HOSTILE_SEED=7 LIENTHONG_HOSTILE_FIRST=4711 LIENTHONG_HOSTILE_CASES=1 …    one case
//! ```

#[path = "hostile/bytes.rs"]
mod bytes_of;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes_of::{edge, index};
use lienthong_model::Digest;
use lienthong_pki::SecretKey;
use lienthong_trust::merkle::prove::{self, Nodes};
use lienthong_trust::merkle::{leaf_hash, node_hash, verify_consistency, verify_inclusion};
use lienthong_trust::{Checkpoint, NoteKey, PublicKey};
use peak_alloc::PeakAlloc;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const CASES: u64 = 30_000;
const SEED: u64 = 20_201_116;
const MEMORY_MAX: usize = 1 << 20;
/// Leaves of each log.
const LEAVES: u64 = 600;
/// Where the two logs part.
const FORK: u64 = 333;
const ORIGIN: &str = "lienthong.log/hostile";

/// A log, with the hashes of all its whole subtrees by level.
struct Log(Vec<Vec<Digest>>);

impl Log {
    fn of(leaf: impl Fn(u64) -> Digest) -> Self {
        let mut levels = vec![(0..LEAVES).map(leaf).collect::<Vec<_>>()];
        while levels.last().unwrap().len() > 1 {
            let pairs = levels.last().unwrap().as_chunks::<2>().0;
            levels.push(pairs.iter().map(|[left, right]| node_hash(left, right)).collect());
        }
        Self(levels)
    }

    fn root(&self, size: u64) -> Digest {
        let Ok(root) = prove::root(size, self);
        root
    }

    fn leaf(&self, position: u64) -> Option<Digest> {
        self.0[0].get(position as usize).copied()
    }
}

impl Nodes for Log {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
        Ok(self.0[level as usize][index as usize])
    }
}

/// A checkpoint as it was signed.
#[derive(Clone)]
struct Signed {
    log: usize,
    size: u64,
    root: Digest,
    note: String,
}

struct Stage {
    logs: [Log; 2],
    signed: Vec<Signed>,
    /// The texts that the key signed.
    texts: BTreeSet<String>,
    key: NoteKey,
    stranger: (SecretKey, NoteKey),
}

fn named(secret: &SecretKey, name: &str) -> NoteKey {
    let key = PublicKey::from_bytes(secret.to_signing_key().verifying_key().as_bytes()).unwrap();
    NoteKey::new(name, key).unwrap()
}

fn note_of(secret: &SecretKey, key: &NoteKey, text: &str) -> String {
    key.note(text, &secret.sign(text.as_bytes()))
}

impl Stage {
    fn new() -> Self {
        let (secret, other) =
            (SecretKey::derive(&[1; 32], "log"), SecretKey::derive(&[2; 32], "log"));
        let (key, stranger) = (named(&secret, ORIGIN), named(&other, ORIGIN));
        let common = |number: u64| leaf_hash(&number.to_be_bytes());
        let forked = |number: u64| match number {
            0..FORK => common(number),
            _ => leaf_hash(&(number + 1_000_000).to_be_bytes()),
        };
        let logs = [Log::of(common), Log::of(forked)];
        let mut signed = Vec::new();
        for size in (0..=40).chain((41..=LEAVES).step_by(7)).chain([255, 256, 257, 511, 512, 513]) {
            for (log, tree) in logs.iter().enumerate() {
                let root = tree.root(size);
                let text = Checkpoint { origin: ORIGIN.to_owned(), size, root }.text();
                signed.push(Signed { log, size, root, note: note_of(&secret, &key, &text) });
            }
        }
        let text = |one: &Signed| key.open(&one.note).unwrap().to_owned();
        let texts = signed.iter().map(text).collect();
        Self { logs, signed, texts, key, stranger: (other, stranger) }
    }

    fn pick(&self, rng: &mut ChaCha8Rng) -> &Signed {
        &self.signed[index(rng, self.signed.len())]
    }

    /// Whether the first `first` leaves of one log are the beginning of the other's.
    fn continues(&self, (one, first): (usize, u64), other: usize) -> bool {
        one == other || first <= FORK
    }

    fn note(&self, rng: &mut ChaCha8Rng) -> String {
        let (mut note, other) = (self.pick(rng).note.clone(), self.pick(rng).note.clone());
        let (text, signature) = other.split_once("\n\n").unwrap();
        match rng.random_range(0..13) {
            0..5 => {
                let mut bytes = note.into_bytes();
                bytes_of::change(rng, &mut bytes, other.as_bytes());
                String::from_utf8_lossy(&bytes).into_owned()
            }
            5 => format!("{text}\n\n{}", note.split_once("\n\n").unwrap().1),
            6 => note + signature,
            7 => {
                // A stranger's signature under the true name, over its own statement.
                let root = Digest(rng.random());
                let lie = Checkpoint { origin: ORIGIN.to_owned(), size: edge(rng), root }.text();
                let (secret, stranger) = &self.stranger;
                let signed = note_of(secret, stranger, &lie);
                // With the true key's id, as if it were its own.
                if rng.random_bool(0.5) {
                    signed.replace(&stranger.id_text(), &self.key.id_text())
                } else {
                    signed + signature
                }
            }
            8 => note.replace('\n', ["\r\n", "\n\n", " ", ""][index(rng, 4)]),
            9 => {
                let size = note.lines().nth(1).unwrap().to_owned();
                let changed = [format!("0{size}"), format!("+{size}"), edge(rng).to_string()];
                note.replacen(&size, &changed[index(rng, 3)], 1)
            }
            10 => {
                note.insert_str(0, text);
                note
            }
            11 => {
                // Others may sign the same statement.
                let (secret, stranger) = &self.stranger;
                let text = note.split_inclusive('\n').take(3).collect::<String>();
                let signed = note_of(secret, stranger, &text);
                note + signed.split_once("\n\n").unwrap().1
            }
            _ => {
                let times = [2, 16, 17, 400][index(rng, 4)];
                note + &signature.repeat(times)
            }
        }
    }

    fn play_note(&self, note: &str) -> &'static str {
        match Checkpoint::open(note, &self.key) {
            Err(_) => "refused",
            Ok(checkpoint) => {
                assert!(self.texts.contains(&checkpoint.text()), "nobody signed {checkpoint:?}");
                assert!(self.texts.contains(self.key.open(note).unwrap()));
                "accepted"
            }
        }
    }

    fn play_inclusion(&self, rng: &mut ChaCha8Rng) -> &'static str {
        let by = self.pick(rng);
        if by.size == 0 {
            return "of nothing";
        }
        let tree = &self.logs[by.log];
        let mut position = rng.random_range(0..by.size);
        let mut leaf = tree.leaf(position).unwrap();
        let Ok(honest) = prove::inclusion(position, by.size, tree);
        let mut proof = honest.clone();
        let mut shown = by;
        for _ in 0..rng.random_range(0..=2) {
            match rng.random_range(0..8) {
                0 => {
                    position = [rng.random_range(0..LEAVES), edge(rng), position ^ 1][index(rng, 3)]
                }
                // A node of the tree, which is no leaf, or a leaf of another place or log.
                1 => leaf = node(rng, &self.logs),
                2 => shown = self.pick(rng),
                _ => change_proof(rng, &mut proof, &self.logs),
            }
        }
        match verify_inclusion(&leaf, position, &proof, shown.size, &shown.root) {
            Err(_) => "refused",
            Ok(()) => {
                let there = self.logs[shown.log].leaf(position);
                assert!(
                    position < shown.size && there == Some(leaf),
                    "{position} has another leaf"
                );
                let Ok(only) = prove::inclusion(position, shown.size, &self.logs[shown.log]);
                assert_eq!(proof, only, "there is one proof");
                "accepted"
            }
        }
    }

    fn play_consistency(&self, rng: &mut ChaCha8Rng) -> &'static str {
        let (mut one, mut other) = (self.pick(rng), self.pick(rng));
        if one.size > other.size && rng.random_bool(0.9) {
            (one, other) = (other, one);
        }
        let of = &self.logs[[one.log, other.log][index(rng, 2)]];
        let Ok(mut proof) = prove::consistency(one.size, other.size, of);
        for _ in 0..rng.random_range(0..=2) {
            match rng.random_range(0..8) {
                0 => one = self.pick(rng),
                1 => other = self.pick(rng),
                _ => change_proof(rng, &mut proof, &self.logs),
            }
        }
        let (first, second) = ((one.size, &one.root), (other.size, &other.root));
        match verify_consistency(first, second, &proof) {
            Err(_) => "refused",
            Ok(()) => {
                assert!(one.size <= other.size);
                assert!(self.continues((one.log, one.size), other.log), "a rewritten log passed");
                let Ok(only) = prove::consistency(one.size, other.size, &self.logs[other.log]);
                assert_eq!(proof, only, "there is one proof");
                "accepted"
            }
        }
    }

    fn play(&self, rng: &mut ChaCha8Rng) -> (&'static str, &'static str) {
        match rng.random_range(0..3) {
            0 => {
                let note = self.note(rng);
                ("checkpoint", self.play_note(&note))
            }
            1 => ("inclusion", self.play_inclusion(rng)),
            _ => ("consistency", self.play_consistency(rng)),
        }
    }
}

/// Any hash of a log: of a leaf or above.
fn node(rng: &mut ChaCha8Rng, logs: &[Log; 2]) -> Digest {
    let levels = &logs[index(rng, 2)].0;
    let level = &levels[index(rng, levels.len())];
    level[index(rng, level.len())]
}

fn change_proof(rng: &mut ChaCha8Rng, proof: &mut Vec<Digest>, logs: &[Log; 2]) {
    let (at, other) = (index(rng, proof.len()), index(rng, proof.len()));
    match rng.random_range(0..8) {
        0 => proof.push(node(rng, logs)),
        1 => proof.insert(at.min(proof.len()), node(rng, logs)),
        2 => proof.truncate(at),
        3 => proof.resize([0, 64, 65, 66, 5_000][index(rng, 5)], Digest([7; 32])),
        _ if proof.is_empty() => {}
        4 => proof[at] = node(rng, logs),
        5 => proof.swap(at, other),
        6 => drop(proof.remove(at)),
        _ => proof[at].0[index(rng, 32)] ^= 1 << index(rng, 8),
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

#[test]
fn hostile_checkpoints_and_proofs_never_panic_and_prove_nothing_that_is_not_so() {
    let cases = from_environment("LIENTHONG_HOSTILE_CASES", CASES);
    let seed = from_environment("LIENTHONG_HOSTILE_SEED", SEED);
    let first = from_environment("LIENTHONG_HOSTILE_FIRST", 0);
    println!("LIENTHONG_HOSTILE_SEED={seed} LIENTHONG_HOSTILE_FIRST={first}: {cases} cases");
    let stage = Stage::new();
    let mut tally: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut most = 0;
    for case in first..first + cases {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(case);
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let played = catch_unwind(AssertUnwindSafe(|| stage.play(&mut rng)));
        let outcome =
            played.unwrap_or_else(|_| panic!("seed {seed} case {case} failed, see above"));
        let memory = MEMORY.peak_usage().saturating_sub(before);
        assert!(memory < MEMORY_MAX, "seed {seed} case {case}: {outcome:?} took {memory} bytes");
        most = most.max(memory);
        *tally.entry(outcome).or_default() += 1;
    }
    for ((kind, outcome), count) in &tally {
        println!("{kind:12} {outcome:12} {count:9}");
    }
    println!("at most {} KiB in one case", most >> 10);
    if cases >= CASES {
        // Not everything is refused: the cases reach what they are to reach.
        for kind in ["checkpoint", "inclusion", "consistency"] {
            assert!(tally[&(kind, "accepted")] > 0 && tally[&(kind, "refused")] > 0, "{kind}");
        }
    }
}
