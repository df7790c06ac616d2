//! A log to which leaves are added, of which only the hashes of its largest whole subtrees are
//! kept: one for each bit that is set in its size. Enough for the root at every size, too little
//! for proofs.

use lienthong_model::Digest;

use super::{empty_root, node_hash};

/// The right edge of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The largest subtree first.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// Takes one up that was kept; `None` when a log of this size has another number of subtrees.
    pub fn of(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Adds the hash of the next leaf.
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        // Every subtree that the new leaf makes whole takes its left neighbour in.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Returns how many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the hashes of the largest whole subtrees, the largest first.
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Returns the root.
    pub fn root(&self) -> Digest {
        let right_to_left = self.peaks.iter().rev().copied();
        right_to_left.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::merkle::leaf_hash;
    use crate::merkle::prove::{self, Nodes};

    struct Leaves(Vec<Digest>);

    impl Nodes for Leaves {
        type Error = Infallible;

        fn node(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
            if level == 0 {
                return Ok(self.0[usize::try_from(index).unwrap()]);
            }
            let Ok(left) = self.node(level - 1, 2 * index);
            let Ok(right) = self.node(level - 1, 2 * index + 1);
            Ok(node_hash(&left, &right))
        }
    }

    #[test]
    fn the_root_is_that_of_all_leaves_at_every_size_also_when_taken_up_again() {
        let (mut frontier, mut leaves) = (Frontier::default(), Leaves(Vec::new()));
        for number in 0..600_u64 {
            let Ok(expected) = prove::root(number, &leaves);
            assert_eq!(frontier.root(), expected, "size {number}");
            frontier = Frontier::of(frontier.size(), frontier.peaks().to_vec()).unwrap();
            let leaf = leaf_hash(&number.to_be_bytes());
            leaves.0.push(leaf);
            frontier.push(leaf);
        }
    }

    #[test]
    fn subtrees_that_do_not_belong_to_the_size_are_refused() {
        assert_eq!(Frontier::of(6, vec![leaf_hash(b"")]), None);
        assert_eq!(Frontier::of(0, Vec::new()), Some(Frontier::default()));
    }
}
