//! Bearer tokens of people and programs at headquarters. (Devices sign their requests instead.)
//!
//! ```text
//! token      = "aralau_" ‖ base64url(32 random bytes)      shown once, when it is minted
//! token_hash = SHA-256(token)                              all that is stored
//! ```
//! A token is found by its hash. How long the look-up takes depends on the hash alone, and nobody can choose a token
//! whose hash begins like that of a token he does not know: timing tells nothing, so no comparison of secrets needs to
//! take constant time. 256 random bits need no slow hash either.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use aralau_sync_core::time::Millis;

use crate::{
    authorize::{Action, Denied, Role, authorize},
    store::StoreError,
};

/// What every token begins with, so that a leaked one is recognised by scanners.
pub const PREFIX: &str = "aralau_";

/// The bytes of entropy in a token.
pub const ENTROPY_BYTES: usize = 32;

/// Whoever sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Names the token without being it; may be logged.
    pub token: Uuid,
    /// What it may do.
    pub role: Role,
    /// Who holds it, in the words of whoever minted it.
    pub name: String,
}

impl Caller {
    /// Whether the caller may take `action`.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may(&self, action: Action) -> Result<(), Denied> {
        authorize(self.role, action)
    }
}

/// Makes a token for `name` and stores its hash. Returns the token itself, which cannot be had again.
///
/// # Errors
/// What the store says; a token cannot be minted twice from the same entropy.
pub fn mint(
    connection: &Connection,
    role: Role,
    name: &str,
    now: Millis,
    entropy: [u8; ENTROPY_BYTES],
) -> Result<String, StoreError> {
    let token = format!("{PREFIX}{}", BASE64URL.encode(entropy));
    let hash = token_hash(&token);
    connection.execute(
        "INSERT INTO token (token_hash, token_id, role, name, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![hash, token_id(&hash), role.name(), name, now.0],
    )?;
    Ok(token)
}

/// Ends a token. Returns whether there was one to end.
///
/// # Errors
/// What the store says.
pub fn revoke(connection: &Connection, token: Uuid, now: Millis) -> Result<bool, StoreError> {
    let ended = connection.execute(
        "UPDATE token SET revoked_at = ?2 WHERE token_id = ?1 AND revoked_at IS NULL",
        params![token.as_bytes(), now.0],
    )?;
    Ok(ended > 0)
}

/// Whoever holds `token`, if it counts now.
///
/// # Errors
/// What the store says.
pub fn find(connection: &Connection, token: &str, now: Millis) -> Result<Option<Caller>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT token_id, role, name FROM token
             WHERE token_hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
        )?
        .query_row(params![token_hash(token), now.0], |row| {
            Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?, row.get(2)?))
        })
        .optional()?;
    // A role of a later version gives no rights here.
    Ok(found.and_then(|(token, role, name)| {
        Some(Caller { token: Uuid::from_bytes(token), role: role.parse().ok()?, name })
    }))
}

/// The tokens that count now.
///
/// # Errors
/// What the store says.
pub fn live(connection: &Connection, now: Millis) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT token_id FROM token WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
    )?;
    let tokens = statement.query_map([now.0], |row| row.get(0).map(Uuid::from_bytes))?;
    Ok(tokens.collect::<Result<_, _>>()?)
}

fn token_hash(token: &str) -> [u8; 32] {
    sha256(token.as_bytes())
}

/// Not secret, and tells nothing of the token or its stored hash.
fn token_id(hash: &[u8; 32]) -> [u8; 16] {
    let digest = sha256(&[b"aralau/token-id/1\0", &hash[..]].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    *uuid::Builder::from_custom_bytes(id).as_uuid().as_bytes()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
