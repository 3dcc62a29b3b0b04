//! Tokens as the store keeps them: by their hashes, never themselves. What a token is, `auth` says.

use std::collections::BTreeSet;

use aralau_sync_core::{
    directory::Control,
    id::{ScopeId, TokenId},
    time::Millis,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{StoreError, Transaction, directory};
use crate::reach::Reach;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Names it without being it.
    pub token: Uuid,
    /// What it may do, by name.
    pub role: String,
    /// Who holds it, in the words of whoever minted it.
    pub name: String,
    /// Of which beats.
    pub reach: Reach,
}

/// SQL for a token's row, of a table `t`; read by [`token_row`], from a column on.
pub(super) const COLUMNS: &str = "t.token_id, t.role, t.name, t.limited,
    (SELECT json_group_array(s.scope_no) FROM token_scope s WHERE s.token_id = t.token_id)";

pub(super) fn token_row(row: &Row<'_>, column: usize) -> rusqlite::Result<TokenRow> {
    let (limited, scopes): (bool, String) = (row.get(column + 3)?, row.get(column + 4)?);
    // SQLite wrote the list; one that cannot be read gives nothing.
    let scopes: Vec<i64> = serde_json::from_str(&scopes).unwrap_or_default();
    Ok(TokenRow {
        token: Uuid::from_bytes(row.get(column)?),
        role: row.get(column + 1)?,
        name: row.get(column + 2)?,
        reach: if limited { Reach::within(scopes) } else { Reach::EVERYWHERE },
    })
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
        "INSERT INTO token (token_hash, token_id, role, name, created_at, expires_at, limited) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![hash, row.token.as_bytes(), row.role, row.name, now.0, expires_at.0, !row.reach.is_everywhere()],
    )?;
    let within = row.reach.scopes().map(|scopes| scopes_of(tx, scopes)).transpose()?;
    let made = Control::Token { token: TokenId(row.token), role: row.role.clone(), name: row.name.clone(), within };
    directory::record(tx, &made, now)
}

fn scopes_of(connection: &Connection, numbers: &[i64]) -> Result<Vec<ScopeId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT scope FROM scope WHERE scope_no = ?")?;
    let scopes = numbers.iter().map(|number| statement.query_row([number], |row| row.get(0)).map(ScopeId::from_bytes));
    Ok(scopes.collect::<Result<_, _>>()?)
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
    let mut statement = connection.prepare_cached(&format!(
        "SELECT created_at, expires_at, revoked_at,
             (SELECT count(*) FROM session s WHERE s.token_id = t.token_id AND s.expires_at > ?1), {COLUMNS}
         FROM token t ORDER BY created_at DESC, token_id"
    ))?;
    let tokens = statement.query_map([now.0], |row| {
        let ended_at: Option<i64> = row.get(2)?;
        Ok(TokenShown {
            row: token_row(row, 4)?,
            created_at: Millis(row.get(0)?),
            expires_at: row.get::<_, Option<i64>>(1)?.map(Millis),
            ended_at: ended_at.map(Millis),
            sessions: if ended_at.is_some() { 0 } else { row.get(3)? },
        })
    })?;
    Ok(tokens.collect::<Result<_, _>>()?)
}

/// The token of this hash, if it counts now.
pub fn token(connection: &Connection, hash: &[u8; 32], now: Millis) -> Result<Option<TokenRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM token t
         WHERE token_hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)"
    ))?;
    Ok(statement.query_row(params![hash, now.0], |row| token_row(row, 0)).optional()?)
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
