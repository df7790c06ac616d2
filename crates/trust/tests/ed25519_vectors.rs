//! Published Ed25519 vectors against the one verifying key of the system: Project Wycheproof and
//! RFC 8032, section 7.1. Where the vectors come from is in testdata/README.md.
//!
//! Wycheproof's file knows `valid` and `invalid` only, no `acceptable`. Where verifiers differ
//! (keys and `R` of small order, second spellings, the equation with cofactor), being stricter
//! than RFC 8032 demands must not refuse a valid vector: none of them uses such a point.

use lienthong_trust::PublicKey;
use serde_json::Value;

const WYCHEPROOF: &str = include_str!("../testdata/wycheproof/ed25519_test.json");

struct Vector {
    id: u64,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
    valid: bool,
    comment: String,
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn vectors() -> Vec<Vector> {
    let file: Value = serde_json::from_str(WYCHEPROOF).unwrap();
    let groups = file["testGroups"].as_array().unwrap();
    let tests = groups.iter().flat_map(|group| {
        let tests = group["tests"].as_array().unwrap();
        tests.iter().map(|test| Vector {
            id: test["tcId"].as_u64().unwrap(),
            key: bytes(&group["publicKey"]["pk"]),
            message: bytes(&test["msg"]),
            signature: bytes(&test["sig"]),
            valid: match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("a result that nobody thought of: {other}"),
            },
            comment: test["comment"].as_str().unwrap().to_owned(),
        })
    });
    let all: Vec<Vector> = tests.collect();
    assert_eq!(all.len() as u64, file["numberOfTests"].as_u64().unwrap());
    all
}

fn holds(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    PublicKey::from_bytes(key).is_ok_and(|key| key.verify(message, signature))
}

#[test]
fn every_valid_vector_of_wycheproof_holds_and_every_invalid_one_does_not() {
    let (mut valid, mut invalid) = (0, 0);
    for Vector { id, key, message, signature, valid: expected, comment } in vectors() {
        let found = holds(&key, &message, &signature);
        assert_eq!(found, expected, "test {id}: {comment}");
        *(if expected { &mut valid } else { &mut invalid }) += 1;
    }
    assert_eq!((valid, invalid), (88, 63));
}

#[test]
fn every_key_of_wycheproof_is_a_sound_key() {
    for Vector { id, key, .. } in vectors() {
        assert!(PublicKey::from_bytes(&key).is_ok(), "test {id}");
    }
}

#[test]
fn the_five_vectors_of_rfc_8032_hold() {
    let text = |text: &str| hex::decode(text).unwrap();
    let long = vectors().into_iter().find(|vector| vector.message.len() == 1023).unwrap();
    let prefix = text("278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e");
    assert_eq!(long.key, prefix, "TEST 1024");
    let five = [
        (
            text("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
            text(""),
            text(
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc6\
                 1e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
        ),
        (
            text("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
            text("72"),
            text(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e45\
                 8f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
        ),
        (
            text("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
            text("af82"),
            text(
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae\
                 67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ),
        (long.key, long.message, long.signature),
        (
            text("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"),
            text(
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836\
                 ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            text(
                "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfd\
                 fbc7c66431e0303dca179c138ac17ad9bef1177331a704",
            ),
        ),
    ];
    for (number, (key, message, signature)) in five.iter().enumerate() {
        assert!(holds(key, message, signature), "vector {number}");
        let mut changed = message.clone();
        changed.push(0);
        assert!(!holds(key, &changed, signature), "vector {number} over another message");
    }
}
