//! What a sync came to.

use aralau_sync_core::id::ScopeId;
use serde::Serialize;

use crate::{
    client::Client,
    store::{ScopeRecord, Store},
};

/// What a sync came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Requests made.
    pub requests: u64,
    /// Bytes of bodies sent, compressed.
    pub bytes_up: u64,
    /// Bytes of bodies received, compressed.
    pub bytes_down: u64,
    /// Own entries that the server decided.
    pub pushed: u64,
    /// Entries of others taken in.
    pub pulled: u64,
    /// Own entries that the server keeps apart.
    pub held: Vec<HeldOutcome>,
    /// Entries of others brought back to a restored server.
    pub relayed: u64,
    /// Codes with which the server refused frames of this device; the entries are kept.
    pub refused: Vec<String>,
    /// Own entries still unsent.
    pub unsent: u64,
    /// Where each scope stands now.
    pub confirmed: Vec<Confirmed>,
    /// This install turned out to be a restored or copied one, and goes on under a new name.
    pub new_replica: bool,
    /// The server had lost rows that this device had, and said so.
    pub rewound: bool,
    /// The set of beats changed.
    pub beats_changed: bool,
    /// The server asks that this device be erased; see [`Client::erase`].
    pub wipe: bool,
    /// The server asks for a newer app.
    pub upgrade: bool,
    /// Server's clock minus the device's.
    pub skew_ms: i64,
    /// Whether the last answer left something for another request.
    #[serde(skip)]
    pub(crate) more: bool,
}

/// An own entry that the server keeps apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldOutcome {
    /// In which scope.
    pub scope: ScopeId,
    /// Index in the own stream.
    pub index: u64,
    /// Stable code.
    pub reason: String,
}

/// Where a scope stands after a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confirmed {
    /// Which.
    pub scope: ScopeId,
    /// The beat's code, while it is one of this person's.
    pub beat: Option<String>,
    /// The last own entry that the server decided.
    pub confirmed_index: u64,
    /// Number of the server's epoch.
    pub epoch: u64,
    /// Rows that a signed receipt covers and whose root this device recomputed.
    pub verified: u64,
}

impl Confirmed {
    pub(super) fn of<S: Store>(client: &Client<S>, record: &ScopeRecord) -> Self {
        Self {
            scope: record.scope,
            beat: client.beat(record.scope).map(|beat| beat.code),
            confirmed_index: record.decided.index,
            epoch: record.cursor.epoch,
            verified: record.verified,
        }
    }
}
