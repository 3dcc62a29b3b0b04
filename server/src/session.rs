//! Sessions of people at the console: a browser that has shown a credential once, and holds a cookie since.
//!
//! ```text
//! secret       = base64url(32 random bytes)      the cookie; the browser shows it to no script
//! session_hash = SHA-256(secret)                 all that is stored
//! ```
//! A session has the rights of the token that it was begun with and ends with it, at the latest after [`LIFE_MS`]. It is found
//! by its hash, as a token is: see [`auth`] for why timing tells nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use rusqlite::Connection;
use serde::Deserialize;
use utoipa::ToSchema;

use aralau_sync_core::time::Millis;

use crate::{
    auth::{self, Caller},
    store::{self, SessionRow, StoreError, TokenRow, Transaction},
};

/// How long a session lasts, in milliseconds: a long day's shift.
pub const LIFE_MS: i64 = 12 * 60 * 60 * 1000;

/// By what somebody signs in. A single sign-on of the ministry's would be one more variant.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// A token for headquarters' API.
    Token(String),
}

/// A session that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub caller: Caller,
    /// When it ends by itself.
    pub expires_at: Millis,
}

/// Whoever this credential is of, if it counts now.
///
/// # Errors
/// What the store says.
pub fn caller(connection: &Connection, credential: &Credential, now: Millis) -> Result<Option<Caller>, StoreError> {
    let Credential::Token(token) = credential;
    auth::find(connection, token, now)
}

/// Begins a session. Returns its secret, which cannot be had again; `None`: the credential does not count.
///
/// # Errors
/// What the store says.
pub fn begin(
    tx: &Transaction<'_>,
    credential: &Credential,
    now: Millis,
) -> Result<Option<(String, Session)>, StoreError> {
    let Some(caller) = caller(tx, credential, now)? else { return Ok(None) };
    let secret = BASE64URL.encode(tx.random::<32>()?);
    let hash = auth::hash(&secret);
    let row = SessionRow {
        session: auth::id_of(b"aralau/session-id/1\0", &hash),
        token: TokenRow {
            token: caller.token,
            role: caller.role.name().to_owned(),
            name: caller.name,
            reach: caller.reach,
        },
        expires_at: now.plus(LIFE_MS),
    };
    store::keep_session(tx, &hash, &row, now)?;
    Ok(session(row).map(|session| (secret, session)))
}

/// The session of this secret, if it counts now.
///
/// # Errors
/// What the store says.
pub fn find(connection: &Connection, secret: &str, now: Millis) -> Result<Option<Session>, StoreError> {
    Ok(store::session(connection, &auth::hash(secret), now)?.and_then(session))
}

/// Ends the session of this secret, if there is one.
///
/// # Errors
/// What the store says.
pub fn end(connection: &Connection, secret: &str) -> Result<(), StoreError> {
    store::end_session(connection, &auth::hash(secret))
}

fn session(row: SessionRow) -> Option<Session> {
    let caller = Caller::of(row.token)?;
    Some(Session { caller: Caller { session: Some(row.session), ..caller }, expires_at: row.expires_at })
}
