//! What a store keeps.

use aralau_sync_core::{
    id::{DocumentId, EntryHash, Kind, PublicKey, ReplicaId, ScopeId},
    log::RowKind,
    merkle::Frontier,
    stream::{Head, Link, Seen, StreamId, Tip},
    time::Millis,
};
use uuid::Uuid;

/// The things that there is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The current replica, 14 bytes.
    Replica,
    /// Closed replicas, 14 bytes each.
    ClosedReplicas,
    /// JSON of [`Enrollment`](crate::enrollment::Enrollment).
    Enrollment,
    /// The nonce for the next request.
    Nonce,
    /// Server's clock minus the device's, in milliseconds, as text.
    SkewMs,
    /// How much of others' streams has been brought back where no row will tell; see `relay`.
    Returned,
    /// How far the server has told of rights that ended.
    Noticed,
    /// The notices themselves.
    Notices,
    /// Whether the server takes a roll, not empty if so.
    TakesRoll,
    /// When a sync last went through, in milliseconds by the device's clock, as text.
    SyncedAt,
    /// By which rules the projections were made, as text.
    Projected,
    /// Whether headquarters has shut this device out, not empty if so.
    ShutOut,
    /// The outlines of beats, as the server told them last.
    Outlines,
}

impl Key {
    /// Its name in a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replica => "replica",
            Self::ClosedReplicas => "closed_replicas",
            Self::Enrollment => "enrollment",
            Self::Nonce => "nonce",
            Self::SkewMs => "skew_ms",
            Self::Returned => "returned",
            Self::Noticed => "noticed",
            Self::Notices => "notices",
            Self::TakesRoll => "takes_roll",
            Self::SyncedAt => "synced_at",
            Self::Projected => "projected",
            Self::ShutOut => "shut_out",
            Self::Outlines => "outlines",
        }
    }
}

/// Where the device stands in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRecord {
    /// Which.
    pub scope: ScopeId,
    /// Whether the device's person may read it now.
    pub granted: bool,
    /// How much of the server's log is here.
    pub cursor: Seen,
    /// The epochs that led there, ascending, each with the rows that it carried over.
    pub followed: Vec<Seen>,
    /// The tree over those rows.
    pub frontier: Frontier,
    /// How many of them a signed receipt has vouched for.
    pub verified: u64,
    /// How many of them survive the loss of the server's machine.
    pub backed_up: u64,
    /// End of the current replica's own stream, sent or not.
    pub tip: Tip,
    /// End of that stream at the server, as far as this device knows.
    pub decided: Tip,
}

impl ScopeRecord {
    /// Nothing seen, nothing written.
    pub fn new(scope: ScopeId) -> Self {
        Self {
            scope,
            granted: true,
            cursor: Seen::default(),
            followed: Vec::new(),
            frontier: Frontier::default(),
            verified: 0,
            backed_up: 0,
            tip: Tip::default(),
            decided: Tip::default(),
        }
    }

    /// Own entries that the server has not acknowledged.
    pub const fn unsent(&self) -> u64 {
        self.tip.index.saturating_sub(self.decided.index)
    }
}

/// A stream as the log's rows have named it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Who writes it.
    pub replica: ReplicaId,
    /// The author's device key.
    pub key: PublicKey,
    /// The author's name, as the server gave it last.
    pub person: String,
    /// The end of the chain rebuilt so far.
    pub tip: Tip,
    /// The newest verified head.
    pub head: Option<Head>,
    /// A verified head beyond the tip, after the server began a new epoch: what can be offered up to it is.
    pub offer: Option<Head>,
    /// The server's signed word about who writes it, as it came with the stream's beginning.
    pub introduction: Option<Vec<u8>>,
}

/// Names an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId {
    /// Whose stream, in which scope.
    pub stream: StreamId,
    /// Index there, from 1.
    pub index: u64,
}

/// An entry, own or another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRecord {
    /// Its name.
    pub id: EntryId,
    /// The chain up to here.
    pub hash: EntryHash,
    /// Header and change, or their hashes.
    pub link: Link,
    /// The document it belongs to, as far as its header is here and readable.
    pub document: Option<DocumentId>,
    /// The newest row about it; `None` while the log has not named it.
    pub decided: Option<Decided>,
}

impl EntryRecord {
    /// The stream's tip after this entry.
    pub const fn tip(&self) -> Tip {
        Tip { index: self.id.index, hash: self.hash }
    }
}

/// What the log says about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The newest row's kind.
    pub kind: RowKind,
    /// Its number.
    pub row: u64,
}

/// One row of the server's log: all that its leaf is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRecord {
    /// Its number, from 1.
    pub sequence: u64,
    /// What it records.
    pub kind: RowKind,
    /// The server's clock.
    pub received_at: Millis,
    /// Author and index; `None` for a control row.
    pub entry: Option<(ReplicaId, u64)>,
    /// The entry's hash, or what stands in its place.
    pub hash: EntryHash,
    /// As hashed.
    pub verdict: Vec<u8>,
}

/// An entry that is in no stream any more: an unsent one of a closed install, or another's that the restored server has
/// replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanRecord {
    /// The name it had.
    pub id: EntryId,
    /// The chain up to there.
    pub hash: EntryHash,
    /// Header and change.
    pub header: Vec<u8>,
    /// The change.
    pub body: Vec<u8>,
    /// The document it belongs to.
    pub document: DocumentId,
}

/// What lists go by, made from a document's entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionRecord {
    /// Where.
    pub scope: ScopeId,
    /// Which.
    pub document: DocumentId,
    /// What it is.
    pub kind: Kind,
    /// Orders lists.
    pub at: Millis,
    /// What is asked of many at once.
    pub summary: Summary,
    /// What a list shows of it: of a place. Of anything else nothing.
    pub body: Vec<u8>,
}

/// What is asked of many documents at once, so that no body has to be read for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Of a visit that counts: the place that it was at.
    pub place: Option<DocumentId>,
    /// Of a visit: how it ended, as a code.
    pub outcome: Option<String>,
    /// Of a visit that counts: the day on which the first of what it left to do is due, `2026-12-31`.
    pub due: Option<String>,
    /// Whether somebody has to look at it: values are in conflict, or own words are kept apart.
    pub asks: bool,
}

/// A visit that counts, as its place sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkRecord {
    /// Where it was.
    pub place: DocumentId,
    /// When.
    pub at: Millis,
    /// Which visit.
    pub document: DocumentId,
    /// How it ended, as a code.
    pub outcome: Option<String>,
    /// See [`Summary::due`].
    pub due: Option<String>,
}

/// Where a list goes on: behind the document of this time, id and scope.
pub type Cursor = (Millis, DocumentId, ScopeId);

/// A visit that is being written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRecord {
    /// The app's name for it.
    pub id: Uuid,
    /// When it was last written to; orders lists.
    pub at: Millis,
    /// JSON of the [`VisitForm`](crate::form::VisitForm).
    pub body: Vec<u8>,
}

/// A receipt, kept as evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRecord {
    /// Which scope.
    pub scope: ScopeId,
    /// Number of the epoch.
    pub epoch: u64,
    /// Rows that it vouches for.
    pub size: u64,
    /// The signed note.
    pub note: String,
}
