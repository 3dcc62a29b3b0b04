//! What shows that a visit is in the log and that the log has only grown, to whoever does not believe the server: paths of
//! the tree over the scope's log (RFC 6962), under a root that the server signs.
//!
//! Made from every row of the scope, walked anew: 10,000 rows take some tens of milliseconds.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    id::{DocumentId, EntryHash, Kind, ServerKey, TreeHash},
    log::verdict_hash,
    proof,
    receipt::SignServer as _,
    time::Millis,
};

use super::{
    document::{load, locate},
    instant::Instant,
};
use crate::{
    reach::Reach,
    store::{self, Identity, ScopeLog, StoreError},
};

/// Which visit, and since when.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProofWanted {
    /// The code of the beat that holds the visit. Needed only where two beats hold the same id.
    pub beat: Option<String>,
    /// Rows of the log whose root is known already: `consistency` then shows that they are its beginning.
    pub since: Option<u64>,
}

/// A signed root, and what shows that it is over the visit's rows and over those of an earlier root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VisitProof {
    /// What the server says of the log as it is now, signed: a C2SP signed note, as devices get them.
    pub receipt: String,
    /// The Ed25519 key that it is signed with, in hex.
    #[schema(value_type = String)]
    pub server_key: ServerKey,
    /// The rows that make up the visit's value, in their order.
    pub rows: Vec<RowProof>,
    /// RFC 6962's consistency path from the first `since` rows to the receipt's, each hash in hex; null where that was not
    /// asked for, or the log does not hold as many rows.
    #[schema(value_type = Option<Vec<String>>)]
    pub consistency: Option<Vec<TreeHash>>,
}

/// What a row's leaf is made of, and its path to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowProof {
    /// Its sequence number; the leaf's number is one less.
    pub sequence: u64,
    /// 1 for an accepted entry, 3 for one that was held before.
    pub kind: u8,
    /// When the server received it.
    pub received_at: Instant,
    /// The entry's hash, in hex.
    #[schema(value_type = String)]
    pub entry: EntryHash,
    /// The hash of what was decided about it, in hex.
    #[schema(value_type = String)]
    pub verdict: TreeHash,
    /// RFC 6962's inclusion path, each hash in hex.
    #[schema(value_type = Vec<String>)]
    pub path: Vec<TreeHash>,
}

/// The proof of a visit; `None` where there is none of this name.
pub fn of_visit(
    connection: &Connection,
    reach: &Reach,
    identity: &Identity,
    id: DocumentId,
    wanted: &ProofWanted,
    now: Millis,
) -> Result<Option<VisitProof>, StoreError> {
    let Some(located) = locate(connection, reach, id, Kind::VISIT, wanted.beat.as_deref())? else { return Ok(None) };
    let numbers = load(connection, &located)?.rows;
    let log = ScopeLog::load(connection, located.scope_no)?;
    let (mut leaves, mut rows) = (Vec::new(), Vec::new());
    let walked = store::leaves(connection, &log, (0, log.frontier.size()), |leaf| {
        leaves.push(leaf.hash());
        let sequence = leaves.len() as u64;
        if numbers.binary_search(&sequence.cast_signed()).is_ok() {
            rows.push(RowProof {
                sequence,
                kind: leaf.kind as u8,
                received_at: Instant(leaf.received_at),
                entry: leaf.entry,
                verdict: TreeHash(verdict_hash(leaf.verdict)),
                path: Vec::new(),
            });
        }
    })?;
    walked.map_err(|problem| StoreError::Internal(format!("the log of scope {}: {problem}", log.scope)))?;
    for row in &mut rows {
        row.path = index(row.sequence - 1).and_then(|at| proof::inclusion(&leaves, at)).unwrap_or_default();
    }
    let epoch = store::current_epoch(connection)?;
    let receipt = store::receipt(connection, identity, &log, epoch, now)?;
    Ok(Some(VisitProof {
        receipt: receipt.sign(&identity.receipt_key),
        server_key: identity.receipt_key.public_key(),
        rows,
        consistency: wanted.since.and_then(index).and_then(|since| proof::consistency(&leaves, since)),
    }))
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}
