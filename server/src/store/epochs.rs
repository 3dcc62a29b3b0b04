//! New epochs: after a restore, and when a device proves that this server has lost rows.

use std::{cmp::Ordering, collections::BTreeMap};

use aralau_sync_core::{
    directory::Control,
    epoch::{self, Epoch},
    id::{EpochId, PersonId, ScopeId},
    merkle::Frontier,
    receipt::{Receipt, SignServer as _},
    stream::Seen,
    sync::{Ask, MAX_SCOPES},
    time::Millis,
};
use rusqlite::Connection;

use super::{
    Identity, StoreError, Transaction, directory,
    log::{self, ScopeLog},
    walk,
};
use crate::keys::ReceiptVerifier;

/// What devices may keep of what they have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// As many rows as each scope holds now.
    Kept,
    /// Nothing: rows may have been numbered anew before the loss was noticed, so that devices compare from the start.
    Doubted,
}

/// Begins a new epoch, with a number above every one that a device is known to have seen. All but the first take the
/// clock's milliseconds where these are higher, and a little chance: two restores of one backup must not give two epochs
/// one number, or phones that followed the first would not notice the second.
pub fn begin(tx: &Transaction<'_>, base: Base, seen: u64, now: Millis) -> Result<(), StoreError> {
    let parent: Option<Epoch> = log::epochs_after(tx, None)?.pop();
    let mut statement = tx.prepare("SELECT scope_no FROM scope ORDER BY scope_no")?;
    let scopes: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let base_of = |scope_no| -> Result<epoch::Base, StoreError> {
        let log = ScopeLog::load(tx, scope_no)?;
        let frontier = if base == Base::Kept { log.frontier } else { Frontier::default() };
        Ok(epoch::Base { scope: log.scope, size: frontier.size(), root: frontier.root() })
    };
    let number = match &parent {
        Some(parent) => {
            let least = u64::try_from(now.0).unwrap_or(0).max(parent.number.max(seen) + 1);
            least + u64::from(u16::from_be_bytes(tx.random()?))
        }
        None => 1,
    };
    let epoch = Epoch {
        number,
        id: EpochId::from_bytes(tx.random()?),
        parent: parent.map(|parent| parent.id),
        bases: scopes.into_iter().map(base_of).collect::<Result<_, _>>()?,
    };
    directory::record(tx, &Control::Epoch(epoch), now)
}

/// Whether a device stands beyond this log in this epoch.
pub fn is_behind(connection: &Connection, asks: &[Ask]) -> Result<bool, StoreError> {
    let epoch = log::current_epoch(connection)?;
    for ask in asks.iter().filter(|ask| ask.cursor.epoch >= epoch && ask.cursor.sequence > 0) {
        let size = size(connection, ask.scope)?;
        if ask.cursor.epoch > epoch || size.is_some_and(|size| ask.cursor.sequence > size) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn size(connection: &Connection, scope: ScopeId) -> Result<Option<u64>, StoreError> {
    let Some(scope_no) = log::scope_no(connection, scope)? else { return Ok(None) };
    Ok(Some(ScopeLog::load(connection, scope_no)?.frontier.size()))
}

/// Receipts of a scope that count: the newest that a device was given, and the newest that its rows bear out.
const NEWEST_RECEIPTS: usize = 2;

/// Rows that this server had acknowledged and has no more, proven by a receipt of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// The epoch in which it was found.
    epoch: u64,
    /// The highest epoch that a receipt speaks of.
    seen: u64,
}

/// Whether one of the receipts that a person's device shows is ours and speaks of more than this log holds, or of other rows.
/// Reads a scope's rows anew since the last checkpoint where it has to, so the writer is kept out of it; only the two newest receipts
/// of each scope count, and only of scopes that the person ever held.
pub fn find_loss(
    connection: &Connection,
    identity: &Identity,
    receipts: &[String],
    person: PersonId,
) -> Result<Option<Loss>, StoreError> {
    let (key, epochs) = (identity.receipt_key.public_key(), log::epochs_after(connection, None)?);
    let epoch = epochs.last().map_or(0, |epoch| epoch.number);
    let ours = receipts.iter().take(MAX_SCOPES).filter_map(|note| Receipt::open(note, &key, &ReceiptVerifier).ok());
    let mut by_scope: BTreeMap<ScopeId, BTreeMap<(u64, u64), Receipt>> = BTreeMap::new();
    let counts = |receipt: &Receipt| receipt.epoch >= epoch || is_of_what_was_kept(receipt, &epochs);
    for receipt in ours.filter(|receipt| receipt.deployment == identity.deployment && counts(receipt)) {
        by_scope.entry(receipt.scope).or_default().insert((receipt.epoch, receipt.size), receipt);
    }
    let newest = || by_scope.values().flat_map(|receipts| receipts.values().rev().take(NEWEST_RECEIPTS));
    let seen = newest().map(|receipt| receipt.epoch).max().unwrap_or(0);
    for receipt in newest() {
        if !directory::was_granted(connection, person, receipt.scope)? {
            continue;
        }
        if receipt.epoch > epoch || !bears_out(connection, receipt)? {
            tracing::error!(scope = %receipt.scope, size = receipt.size, "rows that were acknowledged are gone");
            return Ok(Some(Loss { epoch, seen }));
        }
    }
    Ok(None)
}

/// Whether a receipt of an earlier epoch speaks of rows that every later one says it carried over.
fn is_of_what_was_kept(receipt: &Receipt, epochs: &[Epoch]) -> bool {
    let seen = Seen { epoch: receipt.epoch, sequence: receipt.size };
    epochs.iter().any(|epoch| epoch.number == receipt.epoch)
        && epoch::shared_rows(seen, receipt.scope, epochs) == receipt.size
}

/// Begins a new epoch after a loss, unless somebody else has done so since it was found.
pub fn mend_loss(tx: &Transaction<'_>, loss: Loss, now: Millis) -> Result<(), StoreError> {
    if log::current_epoch(tx)? == loss.epoch {
        begin(tx, Base::Doubted, loss.seen, now)?;
    }
    Ok(())
}

/// Whether the log still begins with the rows that a receipt vouches for.
fn bears_out(connection: &Connection, receipt: &Receipt) -> Result<bool, StoreError> {
    let Some(scope_no) = log::scope_no(connection, receipt.scope)? else { return Ok(false) };
    let log = ScopeLog::load(connection, scope_no)?;
    Ok(match receipt.size.cmp(&log.frontier.size()) {
        Ordering::Greater => false,
        Ordering::Equal => receipt.root == log.frontier.root(),
        Ordering::Less => walk::tree(connection, &log, receipt.size)?.is_ok_and(|tree| tree.root() == receipt.root),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aralau_sync_core::id::TreeHash;

    use super::*;
    use crate::{
        entropy::SystemEntropy,
        store::{Store, beat, ensure_person, grant, sample},
    };

    const NOW: Millis = Millis(1_780_000_000_000);

    struct Served {
        store: Store,
        person: PersonId,
        scope: ScopeId,
        size: u64,
        root: TreeHash,
        _folder: tempfile::TempDir,
    }

    impl Served {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
            let handle = store.clone();
            store.write(move |tx| sample(tx, handle.identity(), NOW)).unwrap();
            let granted = store.write(|tx| {
                let beat = beat(tx, "beat-01")?.ok_or_else(|| StoreError::corrupt("no beat"))?;
                let (person, _) = ensure_person(tx, "Айгүл", NOW)?;
                grant(tx, person, beat.scope, NOW)?;
                Ok((person, ScopeLog::load(tx, beat.scope_no)?))
            });
            let (person, log) = granted.unwrap();
            let (size, root) = (log.frontier.size(), log.frontier.root());
            Self { store, person, scope: log.scope, size, root, _folder: folder }
        }

        fn begin(&self, base: Base) {
            self.store.write(move |tx| begin(tx, base, 0, NOW)).unwrap();
        }

        /// Whether this server's word, given in the first epoch, that the log has these rows proves that it lost some.
        fn is_lost(&self, size: u64, root: TreeHash) -> bool {
            self.is_lost_to(self.person, size, root)
        }

        fn is_lost_to(&self, person: PersonId, size: u64, root: TreeHash) -> bool {
            let receipt = Receipt {
                deployment: self.store.deployment(),
                scope: self.scope,
                size,
                root,
                epoch: 1,
                time: NOW,
                durable_upto: size,
                backed_up_upto: 0,
                decided: None,
                held: Vec::new(),
            };
            let notes = [receipt.sign(&self.store.identity().receipt_key)];
            let identity = self.store.identity();
            self.store.read(|connection| find_loss(connection, identity, &notes, person)).unwrap().is_some()
        }
    }

    #[test]
    fn a_receipt_counts_as_far_as_every_later_epoch_kept_its_rows() {
        let served = Served::new();
        let (size, root, other) = (served.size, served.root, TreeHash([7; 32]));
        assert!(size > 1);
        assert!(!served.is_lost(size, root));
        assert!(served.is_lost(size, other));
        assert!(served.is_lost(size + 1, other));
        let stranger = PersonId::from_bytes([9; 16]);
        assert!(!served.is_lost_to(stranger, size, other), "nobody makes the server read what is not theirs");

        served.begin(Base::Kept);
        assert!(!served.is_lost(size, root));
        assert!(served.is_lost(size, other), "these rows were to be kept, and are others");
        assert!(served.is_lost(1, other));
        assert!(!served.is_lost(size + 1, other), "a backup lacks what came after it");

        served.begin(Base::Doubted);
        assert!(!served.is_lost(size, other), "devices compare from the start already");
    }
}
