//! What the store knows of an organisation, as far as a plan has to know it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aralau_sync_core::{
    id::{DocumentId, PersonId},
    time::Millis,
    visit::{Coordinates, Place},
};
use rusqlite::{Connection, Row};

use super::{
    Organisation, PlaceLine,
    find::FoundPlace,
    identity::{key, people},
    remaining::{Remaining, remaining},
};
use crate::{
    area::Area,
    store::{BeatRow, StoreError, directory},
};

/// One snapshot of the directory and of the places that the wanted ones may be.
#[derive(Debug, Default)]
pub struct Known {
    /// All beats, by code.
    pub beats: Vec<BeatRow>,
    /// Their outlines, by the number of the scope.
    pub areas: BTreeMap<i64, Area>,
    /// Where the places are of beats that an outline is drawn of, by the number of the scope.
    pub points: BTreeMap<i64, Vec<Coordinates>>,
    /// Everybody but headquarters' own hand, by name.
    pub people: Vec<(PersonId, String)>,
    /// Who may write in which scope, by its number, at this moment.
    pub grants: BTreeSet<(PersonId, i64)>,
    /// Places of the beats that are spoken of, and those elsewhere whose external code is; as the server came to know them.
    pub places: Vec<KnownPlace>,
}

/// A place of a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPlace {
    /// The scope, by its number.
    pub scope_no: i64,
    /// The document.
    pub id: DocumentId,
    /// What it holds; of concurrent values those that are shown.
    pub place: Place,
    /// The place that this one turned out to be, where that is now.
    pub goes_as: Option<FoundPlace>,
}

impl KnownPlace {
    /// Which it is.
    pub const fn found(&self) -> FoundPlace {
        FoundPlace { scope_no: self.scope_no, id: self.id }
    }
}

impl Known {
    /// Reads what a plan for `wanted` has to know.
    pub fn read(connection: &Connection, wanted: &Organisation, now: Millis) -> Result<Self, StoreError> {
        let mut known = Self {
            beats: directory::beats(connection)?,
            areas: directory::beat_areas(connection)?,
            people: people(connection)?,
            grants: grants(connection, now)?,
            ..Self::default()
        };
        if !wanted.places.is_empty() {
            known.read_places(connection, &wanted.places)?;
        }
        if !wanted.areas.is_empty() {
            known.read_points(connection, wanted)?;
        }
        Ok(known)
    }

    fn read_points(&mut self, connection: &Connection, wanted: &Organisation) -> Result<(), StoreError> {
        let outlined: HashSet<String> = wanted.areas.iter().map(|(code, _)| key(code)).collect();
        let mut statement = connection.prepare(
            "SELECT lat, lon FROM place WHERE scope_no = ? AND status = 'active' AND lat IS NOT NULL AND lon IS NOT NULL",
        )?;
        let is_outlined = |beat: &&BeatRow| outlined.contains(&key(&beat.code)) || outlined.contains(&key(&beat.name));
        for beat in self.beats.iter().filter(is_outlined) {
            let points =
                statement.query_map([beat.scope_no], |row| Ok(Coordinates { lat: row.get(0)?, lon: row.get(1)? }));
            self.points.insert(beat.scope_no, points?.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// Reads one more place, whichever beat it is of.
    pub fn read_place(&mut self, connection: &Connection, id: DocumentId) -> Result<(), StoreError> {
        let remaining = remaining(connection)?;
        let mut statement = connection.prepare_cached(&format!("{PLACES} WHERE document = ?"))?;
        let mut rows = statement.query([id.as_bytes()])?;
        while let Some(row) = rows.next()? {
            let place = KnownPlace::of(row, &remaining)?;
            if !self.places.iter().any(|known| (known.scope_no, known.id) == (place.scope_no, place.id)) {
                self.places.push(place);
            }
        }
        Ok(())
    }

    fn read_places(&mut self, connection: &Connection, wanted: &[PlaceLine]) -> Result<(), StoreError> {
        let beats: HashSet<String> = wanted.iter().map(|line| key(&line.beat)).collect();
        let spoken_of: HashSet<i64> =
            self.beats.iter().filter(|beat| beats.contains(&key(&beat.code))).map(|beat| beat.scope_no).collect();
        let codes: HashSet<String> = wanted.iter().filter_map(|line| line.external_code.as_deref()).map(key).collect();
        let mut statement = connection.prepare(&format!("{PLACES} ORDER BY document_no"))?;
        let remaining = remaining(connection)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let place = KnownPlace::of(row, &remaining)?;
            // A beat is spoken of with what a place of it was called elsewhere, before it moved there.
            let is_spoken_of = spoken_of.contains(&place.scope_no)
                || place.goes_as.is_some_and(|place| spoken_of.contains(&place.scope_no));
            let is_asked_for = |code| codes.contains(&key(code));
            if is_spoken_of || place.place.external_code.as_deref().is_some_and(is_asked_for) {
                self.places.push(place);
            }
        }
        Ok(())
    }
}

/// As [`KnownPlace::of`] reads them.
const PLACES: &str = "SELECT p.scope_no, document, address, external_code, place_type, status, lat, lon
     FROM place p JOIN document d USING (document_no)";

impl KnownPlace {
    fn of(row: &Row<'_>, remaining: &HashMap<FoundPlace, Remaining>) -> Result<Self, StoreError> {
        let (scope_no, id) = (row.get(0)?, DocumentId::from_bytes(row.get(1)?));
        let coordinates: (Option<f64>, Option<f64>) = (row.get(6)?, row.get(7)?);
        let place = Place {
            address: row.get(2)?,
            external_code: row.get(3)?,
            place_type: row.get(4)?,
            coordinates: coordinates.0.zip(coordinates.1).map(|(lat, lon)| Coordinates { lat, lon }),
            status: row.get(5)?,
            joined_into: None,
        };
        let goes_as = remaining.get(&FoundPlace { scope_no, id }).map(|remaining| remaining.place);
        Ok(Self { scope_no, id, place, goes_as })
    }
}

fn grants(connection: &Connection, now: Millis) -> Result<BTreeSet<(PersonId, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(goes_as, g.person), scope_no FROM granted g LEFT JOIN joined_person j USING (person)
         WHERE in_force(from_ms, until_ms, ?1)",
    )?;
    let rows = statement.query_map([now.0], |row| Ok((PersonId::from_bytes(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
