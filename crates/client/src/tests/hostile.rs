//! Hostile receipts: a receipt whose bytes were changed on their way proves either just what the
//! hub's receipt proved, or nothing.
//!
//! ```text
//! LIENTHONG_HOSTILE_CASES=1000000 cargo test --release -p lienthong-client hostile -- --nocapture
//! ```

#[path = "../../../trust/tests/hostile/bytes.rs"]
mod bytes_of;
#[allow(dead_code, reason = "receipts are no DER")]
#[path = "../../../trust/tests/hostile/tree.rs"]
mod tree;

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use lienthong_model::{
    DOCUMENT_V1, Digest, Fingerprint, MessageId, SignatureEntry, SignedContent, Timestamp,
};
use lienthong_trust::merkle::entry::{LeafEntry, LeafKind};
use lienthong_trust::merkle::{leaf_hash, node_hash, prove};
use lienthong_trust::{Checkpoint, NoteKey, PublicKey, dsse};
use lienthong_wire::{decode_message, moment, proto};
use prost::Message as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tree::Protobuf;

use crate::receipt::Receipt;

const CASES: u64 = 20_000;
const SEED: u64 = 20_201_116;
const SIZES: [u64; 4] = [9, 64, 77, 100];
/// 2020-11-16 08:00 in Viet Nam.
const RECEIVED_AT: Timestamp = Timestamp::from_millis(1_605_488_400_123);
const POSITION: u64 = 5;

struct Leaves(Vec<Digest>);

impl prove::Nodes for Leaves {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
        if level == 0 {
            return Ok(self.0[index as usize]);
        }
        let Ok(left) = self.node(level - 1, 2 * index);
        let Ok(right) = self.node(level - 1, 2 * index + 1);
        Ok(node_hash(&left, &right))
    }
}

fn sent() -> SignedContent {
    SignedContent {
        content_type: DOCUMENT_V1.to_owned(),
        content: Bytes::from_static(b"content"),
        signatures: vec![SignatureEntry {
            certificate: Fingerprint::of(b"certificate"),
            value: Bytes::from_static(&[5; 64]),
        }],
        certificates: Vec::new(),
        attachments: Vec::new(),
    }
}

/// The hub's receipts for the same document by several checkpoints, and its key.
fn honest() -> (Vec<proto::Receipt>, NoteKey) {
    let sent = sent();
    let entry = LeafEntry {
        kind: LeafKind::Document,
        time: RECEIVED_AT,
        content: dsse::content_digest(&sent.content_type, &sent.content),
        signatures: dsse::signatures_digest(&sent.signatures),
    };
    let mut leaves: Vec<_> = (0..100_u64).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    leaves[POSITION as usize] = entry.hash();
    let leaves = Leaves(leaves);
    let secret = SigningKey::from_bytes(&[9; 32]);
    let public = PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap();
    let key = NoteKey::new("lienthong.log/receipts", public).unwrap();
    let receipt = |size: u64| {
        let (Ok(root), Ok(hashes)) =
            (prove::root(size, &leaves), prove::inclusion(POSITION, size, &leaves));
        let text = Checkpoint { origin: key.name().to_owned(), size, root }.text();
        let checkpoint = key.note(&text, &secret.sign(text.as_bytes()).to_bytes());
        let hashes = hashes.iter().map(|hash| Bytes::copy_from_slice(hash.as_bytes())).collect();
        proto::Receipt {
            sender: "H36".to_owned(),
            id: Bytes::copy_from_slice(MessageId::new(RECEIVED_AT, [1; 10]).as_bytes()),
            position: POSITION,
            received_at: Some(moment::to_proto(RECEIVED_AT)),
            sha256: Bytes::copy_from_slice(entry.content.as_bytes()),
            signature: proto::SignatureKind::Seal as i32,
            proof: Some(proto::LogProof { checkpoint, hashes }),
            ..proto::Receipt::default()
        }
    };
    (SIZES.map(receipt).to_vec(), key)
}

fn play(rng: &mut ChaCha8Rng, receipts: &[proto::Receipt], key: &NoteKey) -> &'static str {
    let mut pick = || &receipts[rng.random_range(0..receipts.len())];
    let (mut receipt, other) = (pick().clone(), pick().clone());
    if rng.random_bool(0.2) {
        // Proof and checkpoint of two receipts.
        let (Some(proof), Some(foreign)) = (&mut receipt.proof, other.proof.clone()) else {
            unreachable!("honest receipts have proofs");
        };
        proof.checkpoint = foreign.checkpoint;
    }
    let (mut bytes, other) = (receipt.encode_to_vec(), other.encode_to_vec());
    for _ in 0..rng.random_range(0..=3) {
        match rng.random_bool(0.6) {
            true => tree::change::<Protobuf>(rng, &mut bytes, &other),
            false => bytes_of::change(rng, &mut bytes, &other),
        }
    }
    let Ok(message) = decode_message::<proto::Receipt>(bytes.into()) else { return "no message" };
    let Ok(receipt) = Receipt::read(message) else { return "no receipt" };
    match receipt.prove(&sent(), key) {
        Err(_) => "proves nothing",
        Ok(checkpoint) => {
            assert_eq!(receipt.position.0, POSITION);
            assert_eq!(receipt.received_at, RECEIVED_AT);
            assert!(SIZES.contains(&checkpoint.size));
            "proves what it proved"
        }
    }
}

#[test]
fn a_changed_receipt_proves_what_it_proved_or_nothing() {
    let from = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
    };
    let cases = from("LIENTHONG_HOSTILE_CASES", CASES);
    let seed = from("LIENTHONG_HOSTILE_SEED", SEED);
    let first = from("LIENTHONG_HOSTILE_FIRST", 0);
    println!("LIENTHONG_HOSTILE_SEED={seed} LIENTHONG_HOSTILE_FIRST={first}: {cases} cases");
    let (receipts, key) = honest();
    let mut tally: BTreeMap<&str, u64> = BTreeMap::new();
    for case in first..first + cases {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(case);
        *tally.entry(play(&mut rng, &receipts, &key)).or_default() += 1;
    }
    println!("{tally:?}");
    if cases >= CASES {
        for outcome in ["no message", "no receipt", "proves nothing", "proves what it proved"] {
            assert!(tally.contains_key(outcome), "{outcome}");
        }
    }
}
