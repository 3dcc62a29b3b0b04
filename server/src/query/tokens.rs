//! The tokens of people and programs at headquarters: whose they are, and until when they count.

use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use aralau_sync_core::time::Millis;

use super::{beats, instant::Instant};
use crate::store::{self, StoreError, TokenShown};

/// A token; not the secret itself, which is nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Token {
    /// Names it without being it.
    pub id: Uuid,
    /// What its holder may do.
    pub role: String,
    /// Who holds it.
    pub name: String,
    /// The codes of the only beats that its holder reads, by name; null for all.
    pub beats: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Instant,
    /// When it ends by itself; null for one of an earlier version.
    pub expires_at: Option<Instant>,
    /// When somebody ended it; null while nobody has.
    pub ended_at: Option<Instant>,
    /// Browsers that are signed in with it.
    pub sessions: u32,
}

impl Token {
    fn of(shown: TokenShown, beats: Option<Vec<String>>) -> Self {
        Self {
            id: shown.row.token,
            beats,
            role: shown.row.role,
            name: shown.row.name,
            created_at: Instant(shown.created_at),
            expires_at: shown.expires_at.map(Instant),
            ended_at: shown.ended_at.map(Instant),
            sessions: shown.sessions,
        }
    }
}

/// Every token, the newest first.
pub fn all(connection: &Connection, now: Millis) -> Result<Vec<Token>, StoreError> {
    let shown = store::tokens(connection, now)?.into_iter();
    shown.map(|token| beats::codes(connection, &token.row.reach).map(|beats| Token::of(token, beats))).collect()
}
