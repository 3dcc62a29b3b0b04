//! Tokens as the store keeps them: by their hashes, never themselves. What a token is, `auth` says.

use std::collections::BTreeSet;

use aralau_sync_core::{directory::Control, id::TokenId, time::Millis};
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::{StoreError, Transaction, directory};

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
    tx: &Transaction<'_>,
    hash: &[u8; 32],
    row: &TokenRow,
    expires_at: Millis,
    now: Millis,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO token (token_hash, token_id, role, name, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        params![hash, row.token.as_bytes(), row.role, row.name, now.0, expires_at.0],
    )?;
    let made = Control::Token { token: TokenId(row.token), role: row.role.clone(), name: row.name.clone() };
    directory::record(tx, &made, now)
}

/// Ends a token, and with it the sessions that were begun with it. Returns whether there was one to end.
pub fn end_token(tx: &Transaction<'_>, token: Uuid, now: Millis) -> Result<bool, StoreError> {
    let counts = tx
        .prepare_cached("SELECT 1 FROM token WHERE token_id = ? AND revoked_at IS NULL")?
        .exists([token.as_bytes()])?;
    if counts {
        directory::record(tx, &Control::TokenEnded { token: TokenId(token), at: now }, now)?;
    }
    Ok(counts)
}

/// Ends every token. Returns how many there were to end.
pub fn end_all(tx: &Transaction<'_>, now: Millis) -> Result<usize, StoreError> {
    let mut statement = tx.prepare("SELECT token_id FROM token WHERE revoked_at IS NULL ORDER BY token_id")?;
    let tokens = statement.query_map([], |row| row.get(0).map(Uuid::from_bytes))?.collect::<Result<Vec<_>, _>>()?;
    for token in &tokens {
        end_token(tx, *token, now)?;
    }
    Ok(tokens.len())
}

/// A token as an operator sees it: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenShown {
    /// Which, whose, and what it may do.
    pub row: TokenRow,
    /// When it was made.
    pub created_at: Millis,
    /// When it ends by itself; tokens of earlier versions did not.
    pub expires_at: Option<Millis>,
    /// When somebody ended it.
    pub ended_at: Option<Millis>,
    /// Browsers that are signed in with it now.
    pub sessions: u32,
}

/// Every token, the newest first.
pub fn tokens(connection: &Connection, now: Millis) -> Result<Vec<TokenShown>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT token_id, role, name, created_at, expires_at, revoked_at,
             (SELECT count(*) FROM session s WHERE s.token_id = t.token_id AND s.expires_at > ?1)
         FROM token t ORDER BY created_at DESC, token_id",
    )?;
    let tokens = statement.query_map([now.0], |row| {
        let ended_at: Option<i64> = row.get(5)?;
        Ok(TokenShown {
            row: TokenRow { token: Uuid::from_bytes(row.get(0)?), role: row.get(1)?, name: row.get(2)? },
            created_at: Millis(row.get(3)?),
            expires_at: row.get::<_, Option<i64>>(4)?.map(Millis),
            ended_at: ended_at.map(Millis),
            sessions: if ended_at.is_some() { 0 } else { row.get(6)? },
        })
    })?;
    Ok(tokens.collect::<Result<_, _>>()?)
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
