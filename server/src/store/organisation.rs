//! An organisation to work in: beats, places and staff, from a sample or from an operator's own tables.

use aralau_sync_core::{
    directory::Control,
    id::{DocumentId, Kind},
    time::Millis,
    visit::{ACTIVE, Coordinates, Place},
    vocabulary,
};
use rusqlite::Connection;
use uuid::Uuid;

use super::{BeatRow, Identity, StoreError, Transaction, custody, directory, projection};
use crate::area::Area;

/// Places get their ids from beat and address, so that loading a table twice makes each only once.
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

/// Makes whatever does not exist yet.
///
/// # Errors
/// Names a beat that neither exists nor is to be made; nothing is changed then.
pub fn load(
    tx: &Transaction<'_>,
    identity: &Identity,
    organisation: &Organisation,
    now: Millis,
) -> Result<LoadReport, StoreError> {
    let mut report = LoadReport::default();
    for (code, name) in &organisation.beats {
        report.beats += usize::from(directory::ensure_beat(tx, code, name, now)?.1);
    }
    let beat = |code: &str| {
        directory::beat(tx, code)?.ok_or_else(|| StoreError::Internal(format!("there is no beat {code:?}")))
    };
    for (code, area) in &organisation.areas {
        directory::outline_beat(tx, beat(code)?.scope_no, area)?;
    }
    for line in &organisation.staff {
        let beat = beat(&line.beat)?;
        let (person, new) = directory::ensure_person(tx, &line.name, now)?;
        directory::grant(tx, person, beat.scope, now)?;
        report.people += usize::from(new);
    }
    for line in &organisation.places {
        let beat = beat(&line.beat)?;
        let name = format!("{}|{}|{}", line.beat, line.address, line.external_code.as_deref().unwrap_or(""));
        let id = DocumentId(Uuid::new_v5(&PLACE_NAMESPACE, name.as_bytes()));
        if projection::document_no(tx, beat.scope_no, id)?.is_some() {
            continue;
        }
        let place = Place {
            address: Some(line.address.clone()),
            external_code: line.external_code.clone(),
            place_type: line.place_type.clone(),
            coordinates: line.coordinates,
            status: ACTIVE.to_owned(),
        };
        let puts = place.puts(tx.random()?);
        let made = custody::author(tx, identity, beat.scope_no, (Kind::PLACE, id), &puts, None, now)?;
        made.map_err(|error| StoreError::Internal(format!("the place {:?}: {error:?}", line.address)))?;
        report.places += 1;
    }
    Ok(report)
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
    let first = directory::beat(tx, "beat-01")?.is_none();
    let report = load(tx, identity, &organisation, now)?;
    if first {
        directory::record(tx, &Control::CodeLists { version: vocabulary::VERSION }, now)?;
    }
    Ok(report)
}
