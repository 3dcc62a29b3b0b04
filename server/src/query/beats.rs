//! The beats, with their outlines.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use aralau_sync_core::id::ScopeId;

use crate::{
    area::Area,
    reach::Reach,
    store::{self, BeatRow, StoreError},
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

/// All beats within: as many as an organisation has posts, so that they come on one page.
pub fn all(connection: &Connection, reach: &Reach) -> Result<BeatList, StoreError> {
    let mut areas = store::beat_areas(connection)?;
    let beats = within(connection, reach)?.into_iter().map(|beat| {
        let area = areas.remove(&beat.scope_no);
        BeatShown { code: beat.code, scope: beat.scope, name: beat.name, area }
    });
    Ok(BeatList { beats: beats.collect() })
}

/// The beats within, by name.
pub(super) fn within(connection: &Connection, reach: &Reach) -> Result<Vec<BeatRow>, StoreError> {
    let mut beats = store::beats(connection)?;
    beats.retain(|beat| reach.holds(beat.scope_no));
    Ok(beats)
}

/// What they are called, by code.
pub fn names(connection: &Connection, reach: &Reach) -> Result<BTreeMap<String, String>, StoreError> {
    Ok(within(connection, reach)?.into_iter().map(|beat| (beat.code, beat.name)).collect())
}

/// Their codes, by name; `None` where there is no limit.
pub fn codes(connection: &Connection, reach: &Reach) -> Result<Option<Vec<String>>, StoreError> {
    if reach.is_everywhere() {
        return Ok(None);
    }
    Ok(Some(within(connection, reach)?.into_iter().map(|beat| beat.code).collect()))
}
