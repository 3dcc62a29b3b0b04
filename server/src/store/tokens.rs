//! Tokens as the store keeps them: by their hashes, never themselves. What a token is, `auth` says.

use std::collections::BTreeSet;

use aralau_sync_core::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::StoreError;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Names it without being it.
    pub token: Uuid,
    /// What it may do, by name.
    pub role: String,
    /// Who holds it, in the words of whoever minted it.
    pub name: String,
}

/// Keeps a new token.
pub fn keep_token(
    connection: &Connection,
    hash: &[u8; 32],
    row: &TokenRow,
    created_at: Millis,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO token (token_hash, token_id, role, name, created_at) VALUES (?, ?, ?, ?, ?)",
        params![hash, row.token.as_bytes(), row.role, row.name, created_at.0],
    )?;
    Ok(())
}

/// Ends a token. Returns whether there was one to end.
pub fn end_token(connection: &Connection, token: Uuid, now: Millis) -> Result<bool, StoreError> {
    let ended = connection.execute(
        "UPDATE token SET revoked_at = ?2 WHERE token_id = ?1 AND revoked_at IS NULL",
        params![token.as_bytes(), now.0],
    )?;
    Ok(ended > 0)
}

/// The token of this hash, if it counts now.
pub fn token(connection: &Connection, hash: &[u8; 32], now: Millis) -> Result<Option<TokenRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT token_id, role, name FROM token
         WHERE token_hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
    )?;
    let found = statement.query_row(params![hash, now.0], |row| {
        Ok(TokenRow { token: Uuid::from_bytes(row.get(0)?), role: row.get(1)?, name: row.get(2)? })
    });
    Ok(found.optional()?)
}

/// The tokens and the sessions that count now.
pub fn live_credentials(connection: &Connection, now: Millis) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut statement = connection.prepare_cached(
        "WITH live AS MATERIALIZED (
             SELECT token_id FROM token WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1))
         SELECT token_id FROM live
         UNION ALL SELECT session_id FROM session JOIN live USING (token_id) WHERE expires_at > ?1",
    )?;
    let credentials = statement.query_map([now.0], |row| row.get(0).map(Uuid::from_bytes))?;
    Ok(credentials.collect::<Result<_, _>>()?)
}
