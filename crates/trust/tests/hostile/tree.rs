//! Changes of protobuf messages and of DER that know the form, so that the inside is reached:
//! a field is dropped, doubled, moved, given another type, another length, another inside.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::bytes_of::{self, edge, index};

/// How values of a form are told apart and put together again.
pub trait Form {
    /// The values at the top, each as its head (tag, wire type) and its inside; `None` when the
    /// bytes are not of this form.
    fn split(bytes: &[u8]) -> Option<Vec<Node>>;
    /// Puts a value together, with a length that need not be true.
    fn write(node: &Node, length: u64, out: &mut Vec<u8>);
    /// Whether the inside may hold values of the same form.
    fn nested(node: &Node) -> bool;
}

#[derive(Clone)]
pub struct Node {
    pub head: u64,
    pub inside: Vec<u8>,
}

pub struct Protobuf;
pub struct Der;

/// Changes one value of a message or structure, however deep.
pub fn change<F: Form>(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let Some(mut nodes) = F::split(bytes).filter(|nodes| !nodes.is_empty()) else {
        return bytes_of::change(rng, bytes, other);
    };
    let at = index(rng, nodes.len());
    let mut lie = None;
    match rng.random_range(0..16) {
        // Downwards more often than not: most of a certificate lies four levels deep.
        0..9 if F::nested(&nodes[at]) => change::<F>(rng, &mut nodes[at].inside, other),
        0..9 => bytes_of::change(rng, &mut nodes[at].inside, other),
        9 => drop(nodes.remove(at)),
        10 => {
            let times = [1, 1, 1, 2, 300][index(rng, 5)];
            let copy = vec![nodes[at].clone(); times];
            nodes.splice(at..at, copy);
        }
        11 => {
            let to = index(rng, nodes.len());
            nodes.swap(at, to);
        }
        12 => nodes[at].head ^= 1 << rng.random_range(0..8),
        13 => lie = Some(edge(rng)),
        14 => nodes[at].inside.clear(),
        _ => {
            let foreign = F::split(other).unwrap_or_default();
            if let Some(node) = foreign.get(index(rng, foreign.len())) {
                nodes[at] = node.clone();
            }
        }
    }
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for (number, node) in nodes.iter().enumerate() {
        let length = lie.filter(|_| number == at).unwrap_or(node.inside.len() as u64);
        F::write(node, length, &mut out);
    }
    *bytes = out;
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

impl Form for Protobuf {
    fn split(bytes: &[u8]) -> Option<Vec<Node>> {
        let (mut rest, mut nodes) = (bytes, Vec::new());
        while !rest.is_empty() {
            let head = varint(&mut rest)?;
            let length = match head & 7 {
                0 => {
                    let before = rest;
                    varint(&mut rest)?;
                    let inside = before[..before.len() - rest.len()].to_vec();
                    nodes.push(Node { head, inside });
                    continue;
                }
                1 => 8,
                2 => usize::try_from(varint(&mut rest)?).ok()?,
                5 => 4,
                _ => return None,
            };
            let (inside, after) = rest.split_at_checked(length)?;
            nodes.push(Node { head, inside: inside.to_vec() });
            rest = after;
        }
        Some(nodes)
    }

    fn write(node: &Node, length: u64, out: &mut Vec<u8>) {
        write_varint(node.head, out);
        if node.head & 7 == 2 {
            write_varint(length, out);
        }
        out.extend_from_slice(&node.inside);
    }

    fn nested(node: &Node) -> bool {
        node.head & 7 == 2 && Self::split(&node.inside).is_some_and(|nodes| !nodes.is_empty())
    }
}

impl Form for Der {
    fn split(bytes: &[u8]) -> Option<Vec<Node>> {
        let (mut rest, mut nodes) = (bytes, Vec::new());
        while let Some((tag, after)) = rest.split_first() {
            let (first, after) = after.split_first()?;
            let (length, after) = match usize::from(*first) {
                short @ 0..=0x7f => (short, after),
                long @ 0x81..=0x83 => {
                    let (digits, after) = after.split_at_checked(long - 0x80)?;
                    (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), after)
                }
                _ => return None,
            };
            let (inside, after) = after.split_at_checked(length)?;
            nodes.push(Node { head: u64::from(*tag), inside: inside.to_vec() });
            rest = after;
        }
        Some(nodes)
    }

    fn write(node: &Node, length: u64, out: &mut Vec<u8>) {
        out.push(node.head as u8);
        if length < 0x80 {
            out.push(length as u8);
        } else {
            let digits = length.to_be_bytes();
            let used = 8 - length.leading_zeros() as usize / 8;
            out.push(0x80 | used as u8);
            out.extend_from_slice(&digits[8 - used..]);
        }
        out.extend_from_slice(&node.inside);
    }

    fn nested(node: &Node) -> bool {
        // Constructed values, and octet strings, which hold the values of extensions.
        (node.head & 0x20 != 0 || node.head == 4)
            && Self::split(&node.inside).is_some_and(|nodes| !nodes.is_empty())
    }
}
