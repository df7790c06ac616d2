//! Changes of bytes that know nothing of their form.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Numbers at which readers of lengths and counts go wrong.
const EDGES: [u64; 10] =
    [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, i64::MAX as u64, u64::MAX];

pub fn index(rng: &mut ChaCha8Rng, length: usize) -> usize {
    rng.random_range(0..length.max(1))
}

pub fn edge(rng: &mut ChaCha8Rng) -> u64 {
    EDGES[index(rng, EDGES.len())]
}

fn range(rng: &mut ChaCha8Rng, length: usize) -> std::ops::Range<usize> {
    let start = index(rng, length).min(length);
    let most = (length - start).min(256);
    start..start + rng.random_range(0..=most)
}

/// Changes `bytes` in one to four places; `other` is what parts are taken from.
pub fn change(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.random_range(1..=4) {
        change_once(rng, bytes, other);
    }
}

fn change_once(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = index(rng, bytes.len());
    match rng.random_range(0..10) {
        0..3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.random_range(0..8);
            }
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = rng.random_range(0..=255);
            }
        }
        4 => bytes.truncate(at),
        5 => {
            let from = range(rng, bytes.len());
            let copy = bytes[from].to_vec();
            let at = at.min(bytes.len());
            bytes.splice(at..at, copy);
        }
        6 => {
            let gone = range(rng, bytes.len());
            bytes.drain(gone);
        }
        7 => {
            let (to, from) = (range(rng, bytes.len()), range(rng, other.len()));
            bytes.splice(to, other[from].iter().copied());
        }
        8 => {
            // A length or count where something else stood.
            let number = edge(rng).to_be_bytes();
            let width = [1, 2, 4, 8][index(rng, 4)];
            let end = (at + width).min(bytes.len());
            bytes.splice(at.min(end)..end, number[8 - width..].iter().copied());
        }
        _ => {
            let cut = index(rng, other.len()).min(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[cut..]);
        }
    }
}
