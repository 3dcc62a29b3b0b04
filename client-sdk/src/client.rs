//! What an app calls.
//!
//! Reading never touches the network, and neither does writing: an edit is durable when the call returns, and leaves with
//! the next [`session`](crate::session).

mod drafts;
#[cfg(not(target_arch = "wasm32"))]
mod home;
mod read;
mod write;

pub use drafts::Draft;

use std::sync::mpsc::{Receiver, Sender, channel};

use aralau_sync_core::{
    digest::is_named_by,
    id::{ReplicaId, ScopeId, Signature},
};

use crate::{
    alarm::{AlarmCode, AlarmRecord},
    enrollment::{Beat, Enrollment, Person},
    error::Error,
    identity::Identity,
    keys::DeviceKey,
    projection,
    seams::Seams,
    store::{Key, MemoryStore, Store, StoreError, transaction},
    succession,
    vault::Vault,
    view::Event,
};

/// A device's client over its store.
pub struct Client<S: Store> {
    pub(crate) store: S,
    pub(crate) vault: Box<dyn Vault>,
    pub(crate) seams: Seams,
    pub(crate) identity: Identity,
    pub(crate) enrollment: Option<Enrollment>,
    watchers: Vec<Sender<Event>>,
}

impl<S: Store> std::fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("key", &self.vault.public_key())
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl Client<MemoryStore> {
    /// A client that forgets everything when it is dropped, with a key of its own.
    pub fn open_in_memory(mut seams: Seams) -> Result<Self, Error> {
        let key = DeviceKey::generate(&mut *seams.entropy);
        Self::over(MemoryStore::new(), key, seams)
    }
}

impl<S: Store> Client<S> {
    /// A client over a store and key of the caller's.
    ///
    /// # Errors
    /// [`Error::Key`] where the store is another key's: what it wrote could be signed by nobody.
    pub fn over(mut store: S, vault: impl Vault + 'static, mut seams: Seams) -> Result<Self, Error> {
        let public_key = vault.public_key();
        let identity = Identity::load(&mut store, &mut seams, &public_key)?;
        if !is_named_by(&identity.replica, &public_key) {
            return Err(Error::Key("it is not the one that this store belongs to"));
        }
        projection::bring_up_to_date(&mut store, &identity)?;
        let enrollment = Enrollment::load(&store)?;
        Ok(Self { store, vault: Box::new(vault), seams, identity, enrollment, watchers: Vec::new() })
    }

    /// A client over a store whose own key is lost, as where a browser cleared one and not the other. It goes on under a new
    /// name, which the server learns when the device is enrolled again; what no row had named is written anew then.
    pub fn adopt(mut store: S, vault: impl Vault + 'static, mut seams: Seams) -> Result<Self, Error> {
        let public_key = vault.public_key();
        let identity = Identity::load(&mut store, &mut seams, &public_key)?;
        if !is_named_by(&identity.replica, &public_key) {
            let next = seams.replica(&public_key);
            transaction(&mut store, |store| succession::close(store, &identity, next))?;
        }
        Self::over(store, vault, seams)
    }

    /// The store, for whoever closes the client but keeps what it holds.
    pub fn into_store(self) -> S {
        self.store
    }

    pub(crate) fn keep_enrollment(&mut self, enrollment: Enrollment, nonce: Option<String>) -> Result<(), Error> {
        let same =
            |known: &Enrollment| (known.deployment, known.server_key) == (enrollment.deployment, enrollment.server_key);
        if !self.enrollment.as_ref().is_none_or(same) {
            return Err(Error::OtherDeployment);
        }
        transaction::<_, _, Error>(&mut self.store, |store| {
            enrollment.save(store)?;
            Ok(store.set_meta(Key::Nonce, nonce.unwrap_or_default().as_bytes())?)
        })?;
        self.enrollment = Some(enrollment);
        self.tell(Event::Beats);
        Ok(())
    }

    /// Whether this device is known to a server.
    pub const fn is_enrolled(&self) -> bool {
        self.enrollment.is_some()
    }

    /// In whose hands the device is.
    pub fn person(&self) -> Option<&Person> {
        self.enrollment.as_ref().map(|enrollment| &enrollment.person)
    }

    /// The beats that its person may read and write.
    pub fn beats(&self) -> &[Beat] {
        self.enrollment.as_ref().map_or(&[], |enrollment| &enrollment.beats)
    }

    /// The name under which this install writes. A new one is taken where the store was restored or copied.
    pub const fn replica(&self) -> ReplicaId {
        self.identity.replica
    }

    /// The device's public key, hex.
    pub fn public_key(&self) -> String {
        self.vault.public_key().to_string()
    }

    /// The vault's signature of each message.
    ///
    /// # Errors
    /// [`Error::Key`] where the key is not at hand.
    pub fn sign(&self, messages: &[Vec<u8>]) -> Result<Vec<Signature>, Error> {
        messages.iter().map(|message| self.vault.sign(message)).collect()
    }

    /// Hears of every change from now on, by own edits and by syncs, until the receiver is dropped.
    pub fn watch(&mut self) -> Receiver<Event> {
        let (sender, receiver) = channel();
        self.watchers.push(sender);
        receiver
    }

    /// Erases the store: for a device that was shut out, once [`status`](Self::status) says that nothing is unsent.
    pub fn erase(&mut self) -> Result<(), Error> {
        transaction::<_, _, StoreError>(&mut self.store, Store::erase)?;
        self.enrollment = None;
        self.identity = Identity::load(&mut self.store, &mut self.seams, &self.vault.public_key())?;
        projection::bring_up_to_date(&mut self.store, &self.identity)?;
        Ok(())
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.watchers.retain(|watcher| watcher.send(event.clone()).is_ok());
    }

    pub(crate) fn raise(&mut self, code: AlarmCode, scope: Option<ScopeId>, detail: &str) -> Result<(), Error> {
        Ok(self.raise_in_store(code, scope, detail)?)
    }

    pub(crate) fn raise_in_store(
        &mut self,
        code: AlarmCode,
        scope: Option<ScopeId>,
        detail: &str,
    ) -> Result<(), StoreError> {
        let at = self.seams.clock.now();
        // The server chose the detail: it is bounded before it is kept.
        let detail = detail.chars().take(64).collect();
        self.store.put_alarm(&AlarmRecord { code, scope, detail, at, count: 1 })?;
        self.tell(Event::Alarm(code));
        Ok(())
    }

    /// Carries words of closed installs over to the current one. Whether there were any.
    pub(crate) fn settle(&mut self, scope: ScopeId) -> Result<bool, Error> {
        if !succession::is_unsettled(&self.store, &self.identity, scope)? {
            return Ok(false);
        }
        let identity = &self.identity;
        let stranded = transaction(&mut self.store, |store| succession::settle(store, identity, scope))?;
        if stranded > 0 {
            self.raise(AlarmCode::Stranded, Some(scope), "")?;
        }
        Ok(true)
    }

    pub(crate) fn beat(&self, scope: ScopeId) -> Option<Beat> {
        self.beats().iter().find(|beat| beat.scope == scope).cloned()
    }
}
