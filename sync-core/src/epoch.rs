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

/// How many rows of `scope` a reader that stood at `cursor` still shares with the newest of `epochs` (ascending).
///
/// Equal to the cursor's sequence where nothing it has seen was lost; smaller where it must rewind and offer again what
/// it holds beyond.
pub fn shared_rows(cursor: Seen, scope: ScopeId, epochs: &[Epoch]) -> u64 {
    epochs
        .iter()
        .filter(|epoch| epoch.number > cursor.epoch)
        .fold(cursor.sequence, |size, epoch| size.min(epoch.base_size(scope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_rewinds_to_the_lowest_base_since_its_own_epoch() {
        let scope = ScopeId::from_bytes([1; 16]);
        let epoch = |number, size| Epoch {
            number,
            id: EpochId::from_bytes([number as u8; 16]),
            parent: None,
            bases: vec![Base { scope, size, root: TreeHash([0; 32]) }],
        };
        let epochs = [epoch(1, 0), epoch(2, 50), epoch(3, 40)];
        let at = |epoch, sequence| shared_rows(Seen { epoch, sequence }, scope, &epochs);
        assert_eq!(at(1, 30), 30);
        assert_eq!(at(1, 60), 40);
        assert_eq!(at(2, 60), 40);
        assert_eq!(at(3, 60), 60);
        assert_eq!(shared_rows(Seen { epoch: 1, sequence: 9 }, ScopeId::from_bytes([2; 16]), &epochs), 0);
    }
}
