//! Sessions as the store keeps them: by their hashes, and only as long as they count. What a session is, `session` says.

use aralau_sync_core::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{
    StoreError, TokenRow,
    tokens::{COLUMNS, token_row},
};

/// Sessions of one token at once; with one more, the oldest ends.
const MAX_SESSIONS: i64 = 64;

/// A session that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Names it without being it.
    pub session: Uuid,
    /// The token that it was begun with, whose rights it has.
    pub token: TokenRow,
    /// When it ends by itself.
    pub expires_at: Millis,
}

/// Keeps a new session, and lets go of those that have ended.
pub fn keep_session(
    connection: &Connection,
    hash: &[u8; 32],
    row: &SessionRow,
    created_at: Millis,
) -> Result<(), StoreError> {
    connection.execute("DELETE FROM session WHERE expires_at <= ?", [created_at.0])?;
    connection.execute(
        "INSERT INTO session (session_hash, session_id, token_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        params![hash, row.session.as_bytes(), row.token.token.as_bytes(), created_at.0, row.expires_at.0],
    )?;
    connection.execute(
        "DELETE FROM session WHERE token_id = ?1 AND session_id NOT IN
             (SELECT session_id FROM session WHERE token_id = ?1 ORDER BY created_at DESC, session_id LIMIT ?2)",
        params![row.token.token.as_bytes(), MAX_SESSIONS],
    )?;
    Ok(())
}

/// The session of this hash, if it and its token count now.
pub fn session(connection: &Connection, hash: &[u8; 32], now: Millis) -> Result<Option<SessionRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT session_id, s.expires_at, {COLUMNS} FROM session s JOIN token t USING (token_id)
         WHERE session_hash = ?1 AND s.expires_at > ?2
           AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?2)"
    ))?;
    Ok(statement.query_row(params![hash, now.0], session_row).optional()?)
}

fn session_row(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        session: Uuid::from_bytes(row.get(0)?),
        expires_at: Millis(row.get(1)?),
        token: token_row(row, 2)?,
    })
}

/// Ends a session, if there is one of this hash.
pub fn end_session(connection: &Connection, hash: &[u8; 32]) -> Result<(), StoreError> {
    connection.execute("DELETE FROM session WHERE session_hash = ?", [hash])?;
    Ok(())
}
