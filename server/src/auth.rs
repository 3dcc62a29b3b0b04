//! Bearer tokens of people and programs at headquarters. (Devices sign their requests instead.)
//!
//! ```text
//! token      = "aralau_" ‖ base64url(32 random bytes)      shown once, when it is minted
//! token_hash = SHA-256(token)                              all that is stored
//! ```
//! A token is found by its hash. How long the look-up takes depends on the hash alone, and nobody can choose a token
//! whose hash begins like that of a token he does not know: timing tells nothing, so no comparison of secrets needs to
//! take constant time. 256 random bits need no slow hash either.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use aralau_sync_core::time::{DAY_MS, Millis};

use crate::{
    authorize::{Action, Denied, Role, Who, authorize},
    reach::Reach,
    store::{self, StoreError, TokenRow, Transaction},
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
    /// The session, where the request came with a cookie in the token's place.
    pub session: Option<Uuid>,
    /// What it may do.
    pub role: Role,
    /// Who holds it, in the words of whoever minted it.
    pub name: String,
    /// Of which beats; given out by [`Self::may`] alone.
    pub(crate) reach: Reach,
}

impl Caller {
    /// Whoever holds the token of this row; a role of a later version gives no rights here, and neither does an
    /// administrator's with a limit, which no version makes.
    pub(crate) fn of(row: TokenRow) -> Option<Self> {
        let role = row.role.parse().ok()?;
        let counts = role != Role::Administrator || row.reach.is_everywhere();
        counts.then_some(Self { token: row.token, session: None, role, name: row.name, reach: row.reach })
    }

    /// What the request rests on: once it has ended, so has what it opened.
    pub fn credential(&self) -> Uuid {
        self.session.unwrap_or(self.token)
    }

    /// As rows of the directory name whoever had them written.
    pub fn by(&self) -> Option<String> {
        Some(format!("{} (token {})", self.name, self.token))
    }

    /// Whether the caller may take `action`, and of which beats.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may(&self, action: Action) -> Result<Reach, Denied> {
        authorize(Who::Person(self.role), action).map(|()| self.reach.clone())
    }
}

/// How long a token counts unless asked for otherwise, in milliseconds: half a year, so that one that leaked and was forgotten ends.
pub const LIFE_MS: i64 = 180 * DAY_MS;

/// Makes a token for `name` and stores its hash; it counts for [`LIFE_MS`]. Returns the token itself, which cannot be had again.
///
/// # Errors
/// What the store says; a token cannot be minted twice from the same entropy.
pub fn mint(
    tx: &Transaction<'_>,
    role: Role,
    name: &str,
    now: Millis,
    entropy: [u8; ENTROPY_BYTES],
) -> Result<String, StoreError> {
    let wanted = Wanted { role, name: name.to_owned(), reach: Reach::EVERYWHERE, expires_at: now.plus(LIFE_MS) };
    mint_until(tx, &wanted, now, entropy)
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What its holder may do.
    pub role: Role,
    /// Who holds it.
    pub name: String,
    /// Of which beats; see [`reach_of`].
    pub reach: Reach,
    /// When it ends by itself.
    pub expires_at: Millis,
}

/// Why there is no token of such a reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoReach {
    /// Nobody said which beats a supervisor leads.
    #[error("a supervisor leads certain beats: name them, or say that all are meant")]
    Unsaid,
    /// Some, and all.
    #[error("name certain beats or say that all are meant, not both")]
    Both,
    /// A list of none.
    #[error("name at least one beat, or none at all for every beat")]
    Empty,
    /// Whoever makes tokens can make one for any beat.
    #[error("an administrator makes tokens for any beat, so that a limit would be none: leave the beats out")]
    Administrator,
    /// The code is no beat's.
    #[error("there is no beat {0:?}")]
    Unknown(String),
}

/// How far a token of this role reaches, by what was said: the codes of certain beats, or that all are meant. Of a supervisor it
/// must be said; others read everything unless they are limited.
///
/// # Errors
/// What the store says; [`NoReach`].
pub fn reach_of(
    connection: &Connection,
    role: Role,
    beats: Option<&[String]>,
    all: bool,
) -> Result<Result<Reach, NoReach>, StoreError> {
    let codes = match (role, beats, all) {
        (_, Some(_), true) => return Ok(Err(NoReach::Both)),
        (_, Some([]), false) => return Ok(Err(NoReach::Empty)),
        (Role::Administrator, Some(_), false) => return Ok(Err(NoReach::Administrator)),
        (Role::Supervisor, None, false) => return Ok(Err(NoReach::Unsaid)),
        (_, None, _) => return Ok(Ok(Reach::EVERYWHERE)),
        (_, Some(codes), false) => codes,
    };
    let mut scopes = Vec::with_capacity(codes.len());
    for code in codes {
        match store::beat(connection, code)? {
            Some(beat) => scopes.push(beat.scope_no),
            None => return Ok(Err(NoReach::Unknown(code.clone()))),
        }
    }
    Ok(Ok(Reach::within(scopes)))
}

/// As [`mint`], of a certain reach and until a certain moment.
///
/// # Errors
/// As [`mint`].
pub fn mint_until(
    tx: &Transaction<'_>,
    wanted: &Wanted,
    now: Millis,
    entropy: [u8; ENTROPY_BYTES],
) -> Result<String, StoreError> {
    let token = format!("{PREFIX}{}", BASE64URL.encode(entropy));
    let hash = hash(&token);
    let row = TokenRow {
        token: id_of(b"aralau/token-id/1\0", &hash),
        role: wanted.role.name().to_owned(),
        name: wanted.name.clone(),
        reach: wanted.reach.clone(),
    };
    store::keep_token(tx, &hash, &row, wanted.expires_at, now)?;
    Ok(token)
}

/// Whoever holds `token`, if it counts now.
///
/// # Errors
/// What the store says.
pub fn find(connection: &Connection, token: &str, now: Millis) -> Result<Option<Caller>, StoreError> {
    Ok(store::token(connection, &hash(token), now)?.and_then(Caller::of))
}

/// What is stored of a secret of 256 random bits.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    sha256(secret.as_bytes())
}

/// Not secret, and tells nothing of the secret or its stored hash.
pub(crate) fn id_of(domain: &[u8], hash: &[u8; 32]) -> Uuid {
    let digest = sha256(&[domain, &hash[..]].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
