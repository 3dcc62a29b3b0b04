//! The Merkle tree over a scope's log rows (RFC 6962), held as its frontier: the roots of its perfect subtrees.
//!
//! A frontier is at most 64 hashes however long the log, so every phone can keep its scopes' roots and recompute them.

use minicbor::{Decode, Encode};

use crate::{digest::sha256, id::TreeHash};

/// Size and perfect subtrees of a tree, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Frontier {
    #[n(0)]
    size: u64,
    #[n(1)]
    peaks: Vec<TreeHash>,
}

/// `SHA256(0x00 ‖ leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> TreeHash {
    TreeHash(sha256(&[&[0], leaf]))
}

pub(crate) fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    TreeHash(sha256(&[&[1], left.as_bytes(), right.as_bytes()]))
}

impl Frontier {
    /// Rows in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf.
    pub fn push(&mut self, leaf: TreeHash) {
        let mut hash = leaf;
        // Each trailing one bit of the old size is a perfect subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The tree's root; SHA-256 of nothing where it is empty.
    pub fn root(&self) -> TreeHash {
        let mut peaks = self.peaks.iter().rev();
        let Some(&last) = peaks.next() else { return TreeHash(sha256(&[])) };
        peaks.fold(last, |right, left| node_hash(left, &right))
    }

    /// Whether the number of subtrees fits the size: bytes read back from a store may not.
    pub fn is_sound(&self) -> bool {
        self.peaks.len() == self.size.count_ones() as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6962 §2.1, word for word.
    fn reference(leaves: &[TreeHash]) -> TreeHash {
        match leaves {
            [] => TreeHash(sha256(&[])),
            [one] => *one,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&reference(&leaves[..split]), &reference(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_frontier_has_the_root_of_the_whole_tree_at_every_size() {
        let leaves: Vec<_> = (0..200u8).map(|n| leaf_hash(&[n])).collect();
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root(), reference(&[]));
        for size in 0..leaves.len() {
            frontier.push(leaves[size]);
            assert_eq!(frontier.root(), reference(&leaves[..=size]), "size {}", size + 1);
            assert!(frontier.is_sound());
        }
    }

    proptest! {
        #[test]
        fn whatever_the_leaves_the_root_is_the_naive_trees_and_survives_storing(
            leaves in prop::collection::vec(any::<[u8; 32]>(), 0..300),
            stored_at in any::<prop::sample::Index>(),
        ) {
            let leaves: Vec<_> = leaves.into_iter().map(TreeHash).collect();
            let stored_at = stored_at.index(leaves.len() + 1);
            let mut frontier = Frontier::default();
            leaves[..stored_at].iter().for_each(|leaf| frontier.push(*leaf));
            let mut frontier: Frontier = crate::cbor::decode(&crate::cbor::encode(&frontier)).unwrap();
            prop_assert!(frontier.is_sound());
            leaves[stored_at..].iter().for_each(|leaf| frontier.push(*leaf));
            prop_assert_eq!(frontier.root(), reference(&leaves));
            prop_assert_eq!(frontier.size(), leaves.len() as u64);
        }
    }
}
