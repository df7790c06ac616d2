//! Making roots and proofs from the hashes of whole subtrees, wherever they are kept.

use lienthong_model::Digest;

use super::{empty_root, node_hash};

/// Where the hashes of whole subtrees are read from.
pub trait Nodes {
    /// Why one cannot be read.
    type Error;

    /// Returns the hash over the leaves from `index << level` to before `(index + 1) << level`,
    /// all of which the log has.
    ///
    /// # Errors
    /// The store's own, when the hash cannot be read.
    fn node(&self, level: u32, index: u64) -> Result<Digest, Self::Error>;
}

/// Leaves that follow each other, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: u64,
    /// Not below `from`.
    until: u64,
}

impl Range {
    fn len(self) -> u64 {
        self.until - self.from
    }

    /// The whole subtree that is its left part, and the rest (RFC 9162, section 2.1.1: the largest
    /// power of two below the number of leaves). Only for more than one leaf.
    fn split(self) -> (Self, Self) {
        let left = 1 << (self.len() - 1).ilog2();
        let middle = self.from + left;
        (Self { until: middle, ..self }, Self { from: middle, ..self })
    }

    fn hash<N: Nodes + ?Sized>(self, nodes: &N) -> Result<Digest, N::Error> {
        let (mut rest, mut left) = (self, Vec::new());
        while !rest.len().is_power_of_two() {
            let (whole, remainder) = rest.split();
            left.push(whole.whole(nodes)?);
            rest = remainder;
        }
        let last = rest.whole(nodes)?;
        Ok(left.iter().rfold(last, |right, left| node_hash(left, &right)))
    }

    fn whole<N: Nodes + ?Sized>(self, nodes: &N) -> Result<Digest, N::Error> {
        let level = self.len().ilog2();
        nodes.node(level, self.from >> level)
    }
}

/// Returns the root of the log's first `size` leaves.
///
/// # Errors
/// The store's own.
pub fn root<N: Nodes + ?Sized>(size: u64, nodes: &N) -> Result<Digest, N::Error> {
    match size {
        0 => Ok(empty_root()),
        _ => Range { from: 0, until: size }.hash(nodes),
    }
}

/// Returns the hashes that prove that a leaf is among the first `size`, lowest first (RFC 9162,
/// section 2.1.3.1); none when the position is not below the size.
///
/// # Errors
/// The store's own.
pub fn inclusion<N: Nodes + ?Sized>(
    position: u64,
    size: u64,
    nodes: &N,
) -> Result<Vec<Digest>, N::Error> {
    let mut proof = Vec::new();
    let mut range = Range { from: 0, until: size };
    if position >= size {
        return Ok(proof);
    }
    while range.len() > 1 {
        let (left, right) = range.split();
        let (inside, beside) = if position < right.from { (left, right) } else { (right, left) };
        proof.push(beside.hash(nodes)?);
        range = inside;
    }
    proof.reverse();
    Ok(proof)
}

/// Returns the hashes that prove that the first `first` leaves are the beginning of the first
/// `second` (RFC 9162, section 2.1.4.1); none when `first` is 0 or not below `second`.
///
/// # Errors
/// The store's own.
pub fn consistency<N: Nodes + ?Sized>(
    first: u64,
    second: u64,
    nodes: &N,
) -> Result<Vec<Digest>, N::Error> {
    let mut proof = Vec::new();
    if first == 0 || first >= second {
        return Ok(proof);
    }
    let mut range = Range { from: 0, until: second };
    while range.until != first {
        let (left, right) = range.split();
        let (inside, beside) = if first <= right.from { (left, right) } else { (right, left) };
        proof.push(beside.hash(nodes)?);
        range = inside;
    }
    // What begins at the first leaf is the first log itself, whose root the verifier has.
    if range.from != 0 {
        proof.push(range.hash(nodes)?);
    }
    proof.reverse();
    Ok(proof)
}
