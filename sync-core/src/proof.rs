//! Short proofs about a scope's log (RFC 6962 §2.1), for those who hold a root and not the rows: that a row is under it, and
//! that a log has only grown since an earlier root.
//!
//! Made from the hashes of all leaves, and checked from a few: the sibling of each subtree on the way up, lowest first.

use crate::{
    id::TreeHash,
    merkle::{Frontier, node_hash},
};

/// The siblings on the way from a leaf to the root; `None` where there is no such leaf.
pub fn inclusion(leaves: &[TreeHash], at: usize) -> Option<Vec<TreeHash>> {
    let mut path = Vec::new();
    let (mut rest, mut at) = (leaves, at);
    if at >= leaves.len() {
        return None;
    }
    while rest.len() > 1 {
        let (left, right) = halves(rest);
        let (way, sibling);
        (way, sibling, at) = if at < left.len() { (left, right, at) } else { (right, left, at - left.len()) };
        path.push(root(sibling));
        rest = way;
    }
    path.reverse();
    Some(path)
}

/// The root that a path leads to from the leaf of a tree of `size`; `None` where no path of that tree has this length.
pub fn root_by_inclusion(leaf: TreeHash, at: u64, size: u64, path: &[TreeHash]) -> Option<TreeHash> {
    let mut last = size.checked_sub(1)?;
    let mut at = Some(at).filter(|at| *at <= last)?;
    let mut hash = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            // The last subtree of a level has no sibling until it is a right one.
            while at % 2 == 0 && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at / 2, last / 2);
    }
    (last == 0).then_some(hash)
}

/// What shows somebody who holds the root of the first `from` leaves that they begin this tree; `None` where there are not
/// as many.
pub fn consistency(leaves: &[TreeHash], from: usize) -> Option<Vec<TreeHash>> {
    if from > leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut rest, mut from) = (leaves, from);
    // Whether the old root is a subtree on the way, which its holder has already.
    let mut is_known = true;
    while from > 0 && from < rest.len() {
        let (left, right) = halves(rest);
        if from <= left.len() {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            (rest, from) = (right, from - left.len());
            is_known = false;
        }
    }
    if !is_known {
        path.push(root(rest));
    }
    path.reverse();
    Some(path)
}

/// Whether a path shows that the tree of `size` and `root` begins with that of `from` and `old`.
pub fn is_consistent(from: u64, old: &TreeHash, size: u64, root: &TreeHash, path: &[TreeHash]) -> bool {
    if from == 0 || from == size {
        let is_same = from != size || old == root;
        return is_same && path.is_empty();
    }
    if from > size {
        return false;
    }
    // The level of the largest subtree that ends where the old tree does: where it is all of the old tree, its holder has it.
    let level = from.trailing_zeros();
    let (mut at, mut last) = ((from - 1) >> level, (size - 1) >> level);
    let mut path = path.iter();
    let start = if from.is_power_of_two() { Some(old) } else { path.next() };
    let Some(&start) = start else { return false };
    let (mut first, mut second) = (start, start);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at % 2 == 1 || at == last {
            (first, second) = (node_hash(sibling, &first), node_hash(sibling, &second));
            while at % 2 == 0 && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            second = node_hash(&second, sibling);
        }
        (at, last) = (at / 2, last / 2);
    }
    last == 0 && first == *old && second == *root
}

/// The largest perfect subtree that is not all, and the rest.
fn halves(leaves: &[TreeHash]) -> (&[TreeHash], &[TreeHash]) {
    leaves.split_at(leaves.len().next_power_of_two() / 2)
}

fn root(leaves: &[TreeHash]) -> TreeHash {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.root()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::leaf_hash;

    fn leaves(size: u8) -> Vec<TreeHash> {
        (0..size).map(|n| leaf_hash(&[n])).collect()
    }

    /// Every tree of up to so many leaves.
    const SIZES: std::ops::RangeInclusive<u8> = 0..=40;

    #[test]
    fn a_path_leads_from_every_leaf_of_every_tree_to_its_root_and_from_no_other_place() {
        for size in SIZES {
            let leaves = leaves(size);
            assert_eq!(inclusion(&leaves, leaves.len()), None);
            for at in 0..leaves.len() {
                let path = inclusion(&leaves, at).unwrap();
                for claimed in 0..=u64::from(size) {
                    let led = root_by_inclusion(leaves[at], claimed, size.into(), &path) == Some(root(&leaves));
                    assert_eq!(led, claimed == at as u64, "{at} of {size} as {claimed}");
                }
                let longer = [path.clone(), vec![leaves[0]]].concat();
                assert_eq!(root_by_inclusion(leaves[at], at as u64, size.into(), &longer), None);
                if let [shorter @ .., _] = &path[..] {
                    assert_eq!(root_by_inclusion(leaves[at], at as u64, size.into(), shorter), None);
                }
            }
        }
    }

    #[test]
    fn every_tree_is_shown_to_begin_with_each_smaller_one_and_with_no_other() {
        for size in SIZES {
            let all = leaves(size);
            let now = root(&all);
            assert_eq!(consistency(&all, all.len() + 1), None);
            for from in 0..=all.len() {
                let path = consistency(&all, from).unwrap();
                let (old, count) = (root(&all[..from]), from as u64);
                assert!(is_consistent(count, &old, size.into(), &now, &path), "{from} of {size}");
                assert!(!is_consistent(u64::from(size) + 1, &old, size.into(), &now, &path));
                if from == 0 {
                    continue;
                }
                let mut other = all.clone();
                other[from - 1] = leaf_hash(b"rewritten");
                let rewritten = root(&other[..from]);
                assert!(!is_consistent(count, &rewritten, size.into(), &now, &path), "{from} of {size}");
                let path = consistency(&other, from).unwrap();
                assert!(!is_consistent(count, &old, size.into(), &root(&other), &path), "{from} of {size}");
                let longer = [path, vec![old]].concat();
                assert!(!is_consistent(count, &old, size.into(), &now, &longer), "{from} of {size}");
            }
        }
    }

    /// Of the tests that certificate-transparency-go keeps, made from the eight leaves of RFC 6962's implementations.
    #[test]
    fn the_paths_are_those_of_other_implementations() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\0",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves = inputs.map(leaf_hash);
        let hex = |path: Vec<TreeHash>| path.iter().map(|hash| hex::encode(hash.as_bytes())).collect::<Vec<_>>();
        assert_eq!(hex(vec![root(&leaves)]), ["5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"]);
        assert_eq!(
            hex(inclusion(&leaves, 5).unwrap()),
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
        assert_eq!(
            hex(consistency(&leaves, 6).unwrap()),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
    }

    proptest! {
        #[test]
        fn whatever_is_claimed_is_answered(
            hashes in prop::collection::vec(any::<[u8; 32]>(), 0..80),
            numbers in any::<(u64, u64)>(),
        ) {
            let path: Vec<_> = hashes.into_iter().map(TreeHash).collect();
            let (one, other) = numbers;
            let hash = TreeHash([0; 32]);
            prop_assert!(!is_consistent(one, &hash, other, &TreeHash([1; 32]), &path) || one == 0);
            let _ = root_by_inclusion(hash, one, other, &path);
        }
    }
}
