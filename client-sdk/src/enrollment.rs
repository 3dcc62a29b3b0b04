//! What a device knows of its deployment, once it is known there.

use aralau_sync_core::{
    id::{DeploymentId, DeviceId, Fingerprint, PersonId, ScopeId, ServerKey},
    sync,
};
use serde::{Deserialize, Serialize};

use crate::store::{Key, ScopeRecord, Store, StoreError};

/// What a device knows of its deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrollment {
    /// The server's address, without a slash at the end.
    pub url: String,
    /// The only certificate that the server is known by; none: any that the platform trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Fingerprint>,
    /// Which deployment.
    pub deployment: DeploymentId,
    /// Signs its receipts.
    pub server_key: ServerKey,
    /// This device.
    pub device: DeviceId,
    /// In whose hands it is.
    pub person: Person,
    /// The beats that this person may read and write now.
    pub beats: Vec<Beat>,
}

/// Someone in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// As shown beside their words.
    pub name: String,
}

/// A beat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Beat {
    /// `beat-01`.
    pub code: String,
    /// The partition that holds its documents.
    pub scope: ScopeId,
    /// As shown to people.
    pub name: String,
}

impl From<&sync::Beat> for Beat {
    fn from(beat: &sync::Beat) -> Self {
        Self { code: beat.code.clone(), scope: beat.scope, name: beat.name.clone() }
    }
}

impl From<&Beat> for sync::Beat {
    fn from(beat: &Beat) -> Self {
        Self { code: beat.code.clone(), scope: beat.scope, name: beat.name.clone() }
    }
}

impl Enrollment {
    pub(crate) fn load(store: &impl Store) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = store.meta(Key::Enrollment)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| StoreError::corrupt("the enrollment"))
    }

    /// Keeps it, and marks which scopes may be pulled, in the caller's transaction.
    pub(crate) fn save(&self, store: &mut impl Store) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(self).map_err(|_| StoreError::corrupt("the enrollment"))?;
        store.set_meta(Key::Enrollment, &bytes)?;
        let granted = |scope| self.beats.iter().any(|beat| beat.scope == scope);
        for record in store.scopes()? {
            if record.granted != granted(record.scope) {
                store.put_scope(&ScopeRecord { granted: !record.granted, ..record })?;
            }
        }
        for beat in &self.beats {
            if store.scope(beat.scope)?.is_none() {
                store.put_scope(&ScopeRecord::new(beat.scope))?;
            }
        }
        Ok(())
    }
}
