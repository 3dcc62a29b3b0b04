//! Whether a scope is as a device has it: what a roll is answered with.

use aralau_sync_core::{
    id::ReplicaId,
    stream::StreamId,
    sync::{Mark, Unchanged},
};
use rusqlite::Connection;

use super::{
    StoreError,
    log::ScopeLog,
    pull::{backed_up, own_tip},
};

/// How a scope is of which the device has all rows and knows what is backed up; `None` where there is something to tell it.
pub fn unchanged(
    connection: &Connection,
    scope_no: i64,
    replica: ReplicaId,
    mark: &Mark,
) -> Result<Option<Unchanged>, StoreError> {
    let log = ScopeLog::load(connection, scope_no)?;
    let size = log.frontier.size();
    let backed_up = backed_up(connection, scope_no)?.min(size);
    if (size, backed_up) != (mark.rows, mark.backed_up) {
        return Ok(None);
    }
    let decided = own_tip(connection, StreamId { replica, scope: log.scope })?;
    Ok(Some(Unchanged { scope: log.scope, size, root: log.frontier.root(), decided, backed_up }))
}
