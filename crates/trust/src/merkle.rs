//! The Merkle tree of the log: hashes, and the check of proofs (RFC 9162, section 2.1; the same
//! tree as RFC 6962, section 2.1). Making proofs is in [`prove`], the entries of the leaves in
//! [`entry`], the root of a growing log in [`Frontier`].
//!
//! ```text
//!  level 2            ( 0 )                 node (level, index): the hash over the leaves
//!  level 1      ( 0 )       ( 1 )           index << level .. (index + 1) << level
//!  level 0    (0) (1)     (2) (3)   (4)     only nodes over whole subtrees have a number;
//!                                           the root over five leaves is H(2/0, 0/4)
//! ```
//!
//! Everything here is a function of its arguments; where hashes are kept is the caller's matter.

pub mod entry;
mod frontier;
pub mod prove;

pub use frontier::Frontier;
use lienthong_model::Digest;
use sha2::{Digest as _, Sha256};

/// The most hashes that a proof in a log of any size has.
pub const PROOF_HASHES_MAX: usize = 65;

/// Why a proof does not prove what it is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The position is not below the size.
    #[error("position {position} is not in a log of {size}")]
    Outside {
        /// The position.
        position: u64,
        /// The size.
        size: u64,
    },
    /// The first size is above the second.
    #[error("a log of {first} cannot be the beginning of one of {second}")]
    Order {
        /// The first size.
        first: u64,
        /// The second size.
        second: u64,
    },
    /// The proof has another number of hashes than position and size call for.
    #[error("the proof has {found} hashes, not the number that position and size call for")]
    Length {
        /// How many it has.
        found: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Returns the root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// Returns the hash of a leaf: SHA-256 of `0x00` and its entry.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest(Sha256::new_with_prefix([0]).chain_update(entry).finalize().into())
}

/// Returns the hash of a node: SHA-256 of `0x01`, the left and the right hash.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    let (_, hashes) = bytes.split_at_mut(1);
    let (first, second) = hashes.split_at_mut(32);
    first.copy_from_slice(left.as_bytes());
    second.copy_from_slice(right.as_bytes());
    Digest(Sha256::digest(bytes).into())
}

/// Checks that the leaf with a hash stands at a position of the log of a size with a root (RFC
/// 9162, section 2.1.3.2).
///
/// # Errors
/// [`ProofError`] when it is not shown.
pub fn verify_inclusion(
    leaf: &Digest,
    position: u64,
    proof: &[Digest],
    size: u64,
    root: &Digest,
) -> Result<(), ProofError> {
    if position >= size {
        return Err(ProofError::Outside { position, size });
    }
    let length = ProofError::Length { found: proof.len() };
    let (mut place, mut last) = (position, size - 1);
    let mut hash = *leaf;
    for beside in proof {
        if last == 0 {
            return Err(length);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(beside, &hash);
            skip_missing(&mut place, &mut last);
        } else {
            hash = node_hash(&hash, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the log of a first size and root is the beginning of one of a second (RFC 9162,
/// section 2.1.4.2). The empty log is the beginning of every log; its proof has no hashes.
///
/// # Errors
/// [`ProofError`] when it is not shown.
pub fn verify_consistency(
    (first, first_root): (u64, &Digest),
    (second, second_root): (u64, &Digest),
    proof: &[Digest],
) -> Result<(), ProofError> {
    let length = ProofError::Length { found: proof.len() };
    if first > second {
        return Err(ProofError::Order { first, second });
    }
    if first == 0 || first == second {
        let expected = if first == 0 { &empty_root() } else { second_root };
        return match (proof, first_root == expected) {
            ([], true) => Ok(()),
            ([], false) => Err(ProofError::Root),
            (_, _) => Err(length),
        };
    }
    // A first log that is one whole subtree stands for itself: its hash is not in the proof.
    let (start, rest) = match (first.is_power_of_two(), proof.split_first()) {
        (true, _) => (*first_root, proof),
        (false, Some((start, rest))) => (*start, rest),
        (false, None) => return Err(length),
    };
    let (mut place, mut last) = (first - 1, second - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut of_first, mut of_second) = (start, start);
    for beside in rest {
        if last == 0 {
            return Err(length);
        }
        if place & 1 == 1 || place == last {
            of_first = node_hash(beside, &of_first);
            of_second = node_hash(beside, &of_second);
            skip_missing(&mut place, &mut last);
        } else {
            of_second = node_hash(&of_second, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    match of_first == *first_root && of_second == *second_root {
        true => Ok(()),
        false => Err(ProofError::Root),
    }
}

/// On the right edge a node without a sibling goes up unchanged, to where it has one.
fn skip_missing(place: &mut u64, last: &mut u64) {
    while *place & 1 == 0 && *place != 0 {
        *place >>= 1;
        *last >>= 1;
    }
}

#[cfg(test)]
mod tests;
