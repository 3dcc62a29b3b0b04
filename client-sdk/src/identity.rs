//! Under which names this device writes, and wrote.

use aralau_sync_core::id::{PublicKey, ReplicaId};

use crate::{
    seams::Seams,
    store::{Key, Store, StoreError},
};

/// The current replica and the closed ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) replica: ReplicaId,
    pub(crate) closed: Vec<ReplicaId>,
}

impl Identity {
    /// What the store says; a new store gets a replica.
    pub(crate) fn load(store: &mut impl Store, seams: &mut Seams, key: &PublicKey) -> Result<Self, StoreError> {
        if let Some(identity) = Self::read(store)? {
            return Ok(identity);
        }
        let replica = seams.replica(key);
        store.set_meta(Key::Replica, replica.as_bytes())?;
        Ok(Self { replica, closed: Vec::new() })
    }

    fn read(store: &impl Store) -> Result<Option<Self>, StoreError> {
        let Some(replica) = store.meta(Key::Replica)? else { return Ok(None) };
        let closed = store.meta(Key::ClosedReplicas)?.unwrap_or_default();
        let parse = |bytes: &[u8]| ReplicaId::from_slice(bytes).map_err(|_| StoreError::corrupt("a replica id"));
        let closed = closed.chunks(ReplicaId::LEN).map(parse).collect::<Result<_, _>>()?;
        Ok(Some(Self { replica: parse(&replica)?, closed }))
    }

    /// This identity after the current replica has been closed in favour of `next`.
    pub(crate) fn succeeded_by(&self, next: ReplicaId) -> Self {
        let closed = self.closed.iter().copied().chain([self.replica]).collect();
        Self { replica: next, closed }
    }

    pub(crate) fn save(&self, store: &mut impl Store) -> Result<(), StoreError> {
        store.set_meta(Key::Replica, self.replica.as_bytes())?;
        let closed: Vec<u8> = self.closed.iter().flat_map(|replica| replica.0).collect();
        store.set_meta(Key::ClosedReplicas, &closed)
    }

    /// Whether this device wrote under that name.
    pub(crate) fn owns(&self, replica: ReplicaId) -> bool {
        self.replica == replica || self.closed.contains(&replica)
    }
}
