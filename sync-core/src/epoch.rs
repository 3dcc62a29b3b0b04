//! Epochs: spans of a server's history. A restored server begins a new one, because what it acknowledged after the backup
//! is gone from it and may be numbered differently when the phones bring it back.

use minicbor::{Decode, Encode};

use crate::{
    id::{EpochId, ScopeId, TreeHash},
    stream::Seen,
};

/// One epoch, as the directory records it and devices receive it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Epoch {
    /// Above the parent's. Not by one: two restores of one backup must not share a number.
    #[n(0)]
    pub number: u64,
    /// Random: two servers restored from one backup do not share it.
    #[n(1)]
    pub id: EpochId,
    /// The epoch it grew from.
    #[n(2)]
    pub parent: Option<EpochId>,
    /// What each scope held when it began. A scope not named held nothing.
    #[n(3)]
    pub bases: Vec<Base>,
}

/// A scope at the beginning of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Base {
    /// Which scope.
    #[n(0)]
    pub scope: ScopeId,
    /// Rows carried over.
    #[n(1)]
    pub size: u64,
    /// Root over them.
    #[n(2)]
    pub root: TreeHash,
}

impl Epoch {
    /// Rows of `scope` that this epoch carried over.
    pub fn base_size(&self, scope: ScopeId) -> u64 {
        self.bases.iter().find(|base| base.scope == scope).map_or(0, |base| base.size)
    }
}

/// How many rows of `scope` a reader that stood at `cursor` still shares with the newest of `epochs` (ascending), among
/// which is the cursor's own unless they are only those after it.
///
/// Equal to the cursor's sequence where nothing it has seen was lost; smaller where it must rewind and offer again what
/// it holds beyond.
pub fn shared_rows(cursor: Seen, scope: ScopeId, epochs: &[Epoch]) -> u64 {
    epochs
        .iter()
        .filter(|epoch| epoch.number > cursor.epoch)
        .fold(cursor.sequence, |size, epoch| size.min(epoch.base_size(scope)))
}

/// Whether an epoch is one of this history's, of which `epochs` are either all, or those after a number not above it.
pub fn is_known(number: u64, epochs: &[Epoch]) -> bool {
    epochs.first().is_none_or(|first| first.number > number) || epochs.iter().any(|epoch| epoch.number == number)
}

/// The point that a reader at `cursor` shares with a server's history, and the rows that each epoch of it carried over,
/// ascending.
///
/// `followed` are the epochs that led the reader to its cursor, each with the rows that it carried over. Whoever restores one
/// backup and later another that was made before gives the server a history that the reader's last epochs are no part of: then
/// both go back to the last one in common, and what came before the first branch in each.
pub fn shared_point(cursor: Seen, followed: &[Seen], scope: ScopeId, epochs: &[Epoch]) -> Seen {
    let common = if is_known(cursor.epoch, epochs) {
        cursor
    } else {
        let is_common =
            |at: &usize| epochs.iter().any(|epoch| followed.get(*at).is_some_and(|f| f.epoch == epoch.number));
        let Some(at) = (0..followed.len()).rev().find(is_common) else { return Seen::default() };
        let left = followed.iter().skip(at + 1).map(|followed| followed.sequence).min().unwrap_or(u64::MAX);
        Seen { epoch: followed.get(at).map_or(0, |followed| followed.epoch), sequence: cursor.sequence.min(left) }
    };
    Seen { sequence: shared_rows(common, scope, epochs), ..common }
}

/// `followed` as it is for a reader that went on from `shared` to the newest of `epochs`.
pub fn follow(followed: &mut Vec<Seen>, shared: Seen, scope: ScopeId, epochs: &[Epoch]) {
    followed.retain(|known| known.epoch <= shared.epoch);
    let later = epochs.iter().filter(|epoch| epoch.number > shared.epoch);
    followed.extend(later.map(|epoch| Seen { epoch: epoch.number, sequence: epoch.base_size(scope) }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: ScopeId = ScopeId::from_bytes([1; 16]);

    fn epoch(number: u64, size: u64) -> Epoch {
        let bases = vec![Base { scope: SCOPE, size, root: TreeHash([0; 32]) }];
        Epoch { number, id: EpochId::from_bytes([number as u8; 16]), parent: None, bases }
    }

    #[test]
    fn a_reader_rewinds_to_the_lowest_base_since_its_own_epoch() {
        let epochs = [epoch(1, 0), epoch(2, 50), epoch(3, 40)];
        let at = |epoch, sequence| shared_rows(Seen { epoch, sequence }, SCOPE, &epochs);
        assert_eq!(at(1, 30), 30);
        assert_eq!(at(1, 60), 40);
        assert_eq!(at(2, 60), 40);
        assert_eq!(at(3, 60), 60);
        assert_eq!(shared_rows(Seen { epoch: 1, sequence: 9 }, ScopeId::from_bytes([2; 16]), &epochs), 0);
    }

    #[test]
    fn a_reader_that_followed_a_branch_goes_back_to_where_it_left_the_trunk() {
        let (trunk, branch, newer) = (epoch(1, 0), epoch(20, 40), epoch(30, 70));
        let mut followed = Vec::new();
        follow(&mut followed, Seen::default(), SCOPE, &[trunk.clone(), branch.clone()]);
        assert_eq!(followed, [Seen { epoch: 1, sequence: 0 }, Seen { epoch: 20, sequence: 40 }]);

        // The backup of 40 rows was restored, and later one of 70 rows that was made before.
        let server = [trunk, newer];
        let cursor = Seen { epoch: 20, sequence: 90 };
        let shared = shared_point(cursor, &followed, SCOPE, &server);
        assert_eq!(shared, Seen { epoch: 1, sequence: 40 }, "not 70: rows 41 to 70 of the branch are others");
        assert_eq!(shared_point(Seen { sequence: 30, ..cursor }, &followed, SCOPE, &server).sequence, 30);
        assert_eq!(shared_point(cursor, &[], SCOPE, &server), Seen::default(), "one who remembers nothing starts anew");
        assert_eq!(shared_point(cursor, &followed, SCOPE, std::slice::from_ref(&branch)), cursor);
        assert_eq!(shared_point(cursor, &followed, SCOPE, &[]), cursor);

        follow(&mut followed, shared, SCOPE, &server);
        assert_eq!(followed, [Seen { epoch: 1, sequence: 0 }, Seen { epoch: 30, sequence: 70 }]);
    }
}
