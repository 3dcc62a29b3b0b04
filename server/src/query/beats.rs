//! The beats, with their outlines.

use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use aralau_sync_core::id::ScopeId;

use crate::{
    area::Area,
    store::{self, StoreError},
};

/// A beat.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BeatShown {
    /// Its code, such as `beat-01`.
    pub code: String,
    /// The scope that holds its documents.
    #[schema(value_type = Uuid)]
    pub scope: ScopeId,
    /// Its name.
    pub name: String,
    /// Its outline; null where the operator gave none.
    pub area: Option<Area>,
}

/// All beats.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BeatList {
    /// By name.
    pub beats: Vec<BeatShown>,
}

/// All beats: as many as an organisation has posts, so that they come on one page.
pub fn all(connection: &Connection) -> Result<BeatList, StoreError> {
    let mut areas = store::beat_areas(connection)?;
    let beats = store::beats(connection)?.into_iter().map(|beat| {
        let area = areas.remove(&beat.scope_no);
        BeatShown { code: beat.code, scope: beat.scope, name: beat.name, area }
    });
    Ok(BeatList { beats: beats.collect() })
}
