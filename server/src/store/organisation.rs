//! An organisation to work in: beats, places and staff, from a sample or from an operator's own tables.
//!
//! A load is a plan. [`Known`] is what the store has, [`Plan::of`] says what would become of it, touching nothing, and
//! [`apply`] does that in one transaction.

mod apply;
mod find;
mod identity;
mod joining;
mod known;
mod near;
mod plan;
mod region;
mod remaining;
#[cfg(test)]
mod tests;

use aralau_sync_core::{directory::Control, id::DocumentId, time::Millis, visit::Coordinates, vocabulary};
use rusqlite::Connection;
use uuid::Uuid;

use super::{BeatRow, Identity, StoreError, Transaction, directory};
use crate::area::Area;

pub use apply::apply;
pub use find::{FoundPlace, Lookup, Lost, Sought};
pub use identity::{clean, has_control, key, mixes_alphabets, people, person_named};
pub use joining::{MadeOne, Named, NotJoined, join_people, join_places, part_person, part_place, people_called};
pub use known::{Known, KnownPlace};
pub use near::Names;
pub use plan::{
    BeatAdded, BeatRenamed, FieldChange, FieldValue, GrantAdded, GrantEnded, Left, Line, LoadOptions, PersonAdded,
    PlaceAdded, PlaceChanged, PlaceField, PlaceMoved, Plan, Refusal, RefusalKind, Warning, WarningKind,
};

/// Namespace of the ids that places get from the row that first names them.
const PLACE_NAMESPACE: Uuid = Uuid::from_u128(0x0d1f_3b8e_52a4_5c6b_9e21_7f0a_61c3_d2b4);

/// What is to exist.
#[derive(Debug, Clone, Default)]
pub struct Organisation {
    /// Code and name of each beat.
    pub beats: Vec<(String, String)>,
    /// Places.
    pub places: Vec<PlaceLine>,
    /// People.
    pub staff: Vec<StaffLine>,
    /// The outline of each beat by code, as far as known. In place of an older one.
    pub areas: Vec<(String, Area)>,
}

/// A place of a beat.
#[derive(Debug, Clone)]
pub struct PlaceLine {
    /// The beat's code.
    pub beat: String,
    /// As written on the door.
    pub address: String,
    /// Its name in another register.
    pub external_code: Option<String>,
    /// A code of `place_type`.
    pub place_type: Option<String>,
    /// Where it is.
    pub coordinates: Option<Coordinates>,
}

/// A person of a beat.
#[derive(Debug, Clone)]
pub struct StaffLine {
    /// As shown beside their words.
    pub name: String,
    /// The beat's code.
    pub beat: String,
}

/// What was new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct LoadReport {
    /// Beats.
    pub beats: usize,
    /// Places.
    pub places: usize,
    /// People.
    pub people: usize,
}

/// Brings the store to what an organisation is to be: plans, and does it.
///
/// # Errors
/// The first contradiction in `organisation`; nothing is changed then.
pub fn load(
    tx: &Transaction<'_>,
    identity: &Identity,
    organisation: &Organisation,
    now: Millis,
) -> Result<LoadReport, StoreError> {
    let known = Known::read(tx, organisation, now)?;
    let plan = Plan::of(&known, organisation, LoadOptions::default()).map_err(|refusals| {
        let first = refusals.first().map(|refusal| format!("{:?}: {}", refusal.kind.value(), refusal.kind));
        StoreError::Internal(first.unwrap_or_default())
    })?;
    apply(tx, identity, &plan, now, &|_, _| {})?;
    Ok(plan.made())
}

/// The document of a place that a table names first: the same from the same row, so that two restored servers agree. A
/// `number` above 1 tells it from places that once had the same row.
fn place_id(beat: &str, address: &str, external_code: Option<&str>, number: u32) -> DocumentId {
    let mut name = format!("{beat}|{address}|{}", external_code.unwrap_or(""));
    if number > 1 {
        name += &format!("|{number}");
    }
    DocumentId(Uuid::new_v5(&PLACE_NAMESPACE, name.as_bytes()))
}

/// The places of a beat.
pub fn places_of(connection: &Connection, beat: &BeatRow) -> Result<Vec<DocumentId>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT document FROM place p JOIN document USING (document_no) WHERE p.scope_no = ? ORDER BY document_no",
    )?;
    let ids = statement.query_map([beat.scope_no], |row| Ok(DocumentId::from_bytes(row.get(0)?)))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// An organisation to play with: six beats side by side with places, and the code lists. May be repeated.
pub fn sample(tx: &Transaction<'_>, identity: &Identity, now: Millis) -> Result<LoadReport, StoreError> {
    const STREETS: [&str; 6] =
        ["ул. Абая", "ул. Сатпаева", "пр. Назарбаева", "ул. Толе би", "ул. Жандосова", "мкр. Самал"];
    const HOUSES: usize = 12;
    const TYPES: [&str; 4] = ["apartment", "house", "business", "dormitory"];
    // In Almaty; degrees east and north.
    const SOUTH_WEST: [f64; 2] = [76.9002, 43.2322];
    const SIZE: [f64; 2] = [0.0031, 0.0093];
    let mut organisation = Organisation::default();
    for (number, street) in (1_u8..).zip(STREETS) {
        let code = format!("beat-{number:02}");
        organisation.beats.push((code.clone(), format!("Участок № {number}")));
        let [west, south] = [SOUTH_WEST[0] + f64::from(number - 1) * SIZE[0], SOUTH_WEST[1]];
        let area = Area::rectangle([west, south], [west + SIZE[0], south + SIZE[1]]);
        organisation.areas.push((code.clone(), area));
        organisation.places.extend((1..=HOUSES).map(|house| PlaceLine {
            beat: code.clone(),
            address: format!("{street}, {house}"),
            external_code: None,
            place_type: Some(TYPES[house % TYPES.len()].to_owned()),
            // Along both sides of a street from south to north.
            coordinates: Some(Coordinates {
                lat: south + SIZE[1] * (house as f64 - 0.5) / HOUSES as f64,
                lon: west + SIZE[0] * if house % 2 == 0 { 0.4 } else { 0.6 },
            }),
        }));
    }
    if directory::beat(tx, "beat-01")?.is_some() {
        // Made before, or somebody's own: a load would put right what they have changed since.
        return Ok(LoadReport::default());
    }
    let report = load(tx, identity, &organisation, now)?;
    directory::record(tx, &Control::CodeLists { version: vocabulary::VERSION }, now)?;
    Ok(report)
}
