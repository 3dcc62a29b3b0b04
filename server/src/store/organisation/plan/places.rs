//! Which places are made, corrected, moved, and left.

use std::collections::{HashMap, HashSet};

use aralau_sync_core::{
    id::DocumentId,
    visit::{ACTIVE, Coordinates, Place},
    vocabulary,
};

use super::{
    super::{
        find::FoundPlace,
        identity::{clean, key, mixes_alphabets},
        known::KnownPlace,
        place_id,
        region::{Region, is_swapped},
    },
    FieldChange, FieldValue, Line, PlaceAdded, PlaceChanged, PlaceField, PlaceMoved, Planning, RefusalKind,
    WarningKind,
    index::{Found, Index},
};
use crate::area::Area;

/// A row, with what it is compared by.
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) beat: String,
    /// Of a beat that exists already.
    pub(super) scope_no: Option<i64>,
    pub(super) address: String,
    pub(super) code: Option<String>,
    pub(super) place: Place,
}

/// By what a place is known again: its code in all of the deployment, or else its address in its beat.
#[derive(PartialEq, Eq, Hash)]
enum Identity<'a> {
    Code(&'a str),
    Address(&'a str, &'a str),
}

impl Row {
    fn identity(&self) -> Identity<'_> {
        match &self.code {
            Some(code) => Identity::Code(code),
            None => Identity::Address(&self.beat, &self.address),
        }
    }

    fn says_the_same_as(&self, other: &Self) -> bool {
        self.beat == other.beat
            && self.address == other.address
            && self.place.place_type == other.place.place_type
            && same_point(self.place.coordinates, other.place.coordinates)
    }
}

impl Planning<'_> {
    /// `of`: the place that the row is of, where that is known beforehand.
    pub(super) fn places(&mut self, of: Option<DocumentId>) {
        let rows = self.rows();
        let rows = self.without_repeated(rows);
        self.look_at(&rows);
        let known = self.known;
        let mut index = Index::of(&known.places);
        let mut taken: HashSet<DocumentId> = known.places.iter().map(|place| place.id).collect();
        let alone = coded_alone(&rows);
        // Those with a code first: a row without one takes what is left.
        let mut order: Vec<&Row> = rows.iter().collect();
        order.sort_by_key(|row| row.code.is_none());
        let mut found: Vec<(&Row, Found)> = Vec::with_capacity(rows.len());
        for row in order {
            let (is, several) = match of {
                Some(id) => (index.find_id(row, id), false),
                None => index.find(row, alone.contains(&row.line)),
            };
            if several {
                let address = row.place.address.clone().unwrap_or_default();
                self.warn(Line::Place(row.line), WarningKind::PlaceKnownTwice { address });
            }
            found.push((row, is));
        }
        found.sort_by_key(|(row, _)| row.line);
        self.warn_of_shared_addresses(&found, &index);
        for (row, found) in found {
            match found {
                Found::Same(at) => self.correct(row, &known.places[at]),
                Found::Elsewhere { from, back } => {
                    self.move_here(row, &known.places[from], back.map(|at| &known.places[at]), &mut taken);
                }
                Found::Joined(goes_as) if Some(goes_as.scope_no) == row.scope_no => {
                    self.plan.left.places += 1;
                    self.warn_of_joined(row, goes_as);
                }
                Found::Joined(goes_as) => self.refuse_joined(row, goes_as),
                Found::New => {
                    let id = fresh_id(row, &mut taken);
                    self.plan.places_added.push(PlaceAdded { id, beat: row.beat.clone(), place: row.place.clone() });
                }
                Found::Ambiguous | Found::Unknown | Found::CodeTaken => self.refuse_found(row, &found),
            }
        }
        let beats: HashSet<i64> = rows.iter().filter_map(|row| row.scope_no).collect();
        self.plan.left.places_not_listed = index.not_claimed(&beats);
    }

    /// Why a row is of no place that can be told.
    pub(super) fn refuse_found(&mut self, row: &Row, found: &Found) {
        let address = row.place.address.clone().unwrap_or_default();
        let kind = match (found, &row.place.external_code) {
            (Found::Ambiguous, _) => RefusalKind::PlaceAmbiguous { address },
            (Found::CodeTaken, Some(code)) => RefusalKind::ExternalCodeTwice { code: code.clone() },
            (_, code) => RefusalKind::PlaceUnknown { named: code.clone().unwrap_or(address) },
        };
        self.refuse(Line::Place(row.line), None, kind);
    }

    pub(super) fn rows(&mut self) -> Vec<Row> {
        let wanted = self.wanted;
        let mut rows = Vec::with_capacity(wanted.places.len());
        for (line, wanted) in wanted.places.iter().enumerate() {
            let Some(beat) = self.beat(Line::Place(line), &wanted.beat) else { continue };
            let (beat, scope_no) = (beat.code().to_owned(), beat.scope_no());
            let external_code = wanted.external_code.as_deref().map(clean).filter(|code| !code.is_empty());
            let address = clean(&wanted.address);
            rows.push(Row {
                line,
                beat,
                scope_no,
                address: address.to_lowercase(),
                code: external_code.as_deref().map(str::to_lowercase),
                place: Place {
                    address: Some(address),
                    external_code,
                    place_type: wanted.place_type.clone(),
                    coordinates: wanted.coordinates,
                    status: ACTIVE.to_owned(),
                    joined_into: None,
                },
            });
        }
        rows
    }

    /// Of rows about one place only the first, the others being refused where they differ from it.
    pub(super) fn without_repeated(&mut self, rows: Vec<Row>) -> Vec<Row> {
        let mut first: HashMap<Identity<'_>, &Row> = HashMap::with_capacity(rows.len());
        let mut repeated = HashSet::new();
        for row in &rows {
            let Some(earlier) = first.get(&row.identity()) else {
                first.insert(row.identity(), row);
                continue;
            };
            repeated.insert(row.line);
            if row.says_the_same_as(earlier) {
                self.plan.left.repeated_rows += 1;
                continue;
            }
            let kind = match (&row.place.external_code, &row.place.address) {
                (Some(code), _) => RefusalKind::ExternalCodeTwice { code: code.clone() },
                (None, address) => RefusalKind::PlaceTwice { address: address.clone().unwrap_or_default() },
            };
            self.refuse(Line::Place(row.line), Some(Line::Place(earlier.line)), kind);
        }
        rows.into_iter().filter(|row| !repeated.contains(&row.line)).collect()
    }

    /// Says what is odd about rows by themselves.
    fn look_at(&mut self, rows: &[Row]) {
        let known_types = vocabulary::list("place_type");
        let mut unknown_types = HashSet::new();
        let known = self.known.places.iter().filter_map(|known| known.place.coordinates);
        let region = Region::of(known.chain(rows.iter().filter_map(|row| row.place.coordinates)));
        let outlines: HashMap<String, &Area> = self.wanted.areas.iter().map(|(code, area)| (key(code), area)).collect();
        for row in rows {
            if let Some(place_type) = &row.place.place_type
                && known_types.is_some_and(|list| list.code(place_type).is_none())
                && unknown_types.insert(place_type.clone())
            {
                let place_type = place_type.clone();
                self.warn(Line::Place(row.line), WarningKind::PlaceTypeUnknown { place_type });
            }
            let so_far = row.scope_no.and_then(|scope_no| self.known.areas.get(&scope_no));
            let outline = outlines.get(&key(&row.beat)).copied().or(so_far);
            if let (Some(Coordinates { lat, lon }), Some(outline)) = (row.place.coordinates, outline)
                && !outline.contains([lon, lat])
            {
                let address = row.place.address.clone().unwrap_or_default();
                let swapped = outline.contains([lat, lon]);
                self.warn(Line::Place(row.line), WarningKind::OutsideBeat { address, swapped });
            } else if row.place.coordinates.is_some_and(|point| is_swapped(point, region)) {
                let address = row.place.address.clone().unwrap_or_default();
                self.warn(Line::Place(row.line), WarningKind::PointSwapped { address });
            }
            for (column, text) in [("address", &row.place.address), ("external_code", &row.place.external_code)] {
                if let Some(text) = text.as_ref().filter(|text| mixes_alphabets(text)) {
                    self.warn(Line::Place(row.line), WarningKind::AlphabetsMixed { column, text: text.clone() });
                }
            }
        }
    }

    fn correct(&mut self, row: &Row, known: &KnownPlace) {
        let changes = changes(&known.place, &row.place);
        if changes.is_empty() {
            self.plan.left.places += 1;
            return;
        }
        self.plan.places_changed.push(PlaceChanged {
            id: known.id,
            beat: row.beat.clone(),
            scope_no: known.scope_no,
            address: known.place.address.clone(),
            changes,
        });
    }

    /// Another beat beside a name of before moves nothing: the one that remains has a row of its own to say where it is.
    pub(super) fn refuse_joined(&mut self, row: &Row, goes_as: FoundPlace) {
        let beat = self.known.beats.iter().find(|beat| beat.scope_no == goes_as.scope_no);
        let named = row.place.external_code.clone().or_else(|| row.place.address.clone());
        let kind = RefusalKind::PlaceJoined {
            named: named.unwrap_or_default(),
            beat: beat.map(|beat| beat.code.clone()).unwrap_or_default(),
        };
        self.refuse(Line::Place(row.line), None, kind);
    }

    /// A row of what was joined corrects nothing: what it says that neither says is told, not dropped.
    fn warn_of_joined(&mut self, row: &Row, goes_as: FoundPlace) {
        let places = || self.known.places.iter();
        let Some(remaining) = places().find(|place| place.found() == goes_as) else { return };
        let is_row = |place: &&KnownPlace| {
            let code = place.place.external_code.as_deref().map(key);
            place.goes_as == Some(goes_as) && row.code.as_ref().is_none_or(|wanted| code.as_ref() == Some(wanted))
        };
        let addresses = places().filter(is_row).chain([remaining]).filter_map(|place| place.place.address.as_deref());
        let is_readdressed = !addresses.map(key).any(|address| address == row.address);
        let changes = changes(&remaining.place, &row.place);
        let is_said = |change: &FieldChange| matches!(change.field, PlaceField::PlaceType | PlaceField::Coordinates);
        if is_readdressed || changes.iter().any(is_said) {
            let named = row.place.address.clone().unwrap_or_default();
            self.warn(Line::Place(row.line), WarningKind::JoinedNotCorrected { named });
        }
    }

    fn move_here(&mut self, row: &Row, from: &KnownPlace, back: Option<&KnownPlace>, taken: &mut HashSet<DocumentId>) {
        let from_beat = self.known.beats.iter().find(|beat| beat.scope_no == from.scope_no);
        let to = back.map_or_else(|| fresh_id(row, taken), |back| back.id);
        let place = Place {
            address: row.place.address.clone(),
            external_code: row.place.external_code.clone().or_else(|| from.place.external_code.clone()),
            place_type: row.place.place_type.clone().or_else(|| from.place.place_type.clone()),
            coordinates: row.place.coordinates.or(from.place.coordinates),
            status: ACTIVE.to_owned(),
            joined_into: None,
        };
        self.plan.places_moved.push(PlaceMoved {
            from: from.id,
            from_beat: from_beat.map(|beat| beat.code.clone()).unwrap_or_default(),
            from_scope_no: from.scope_no,
            to,
            to_beat: row.beat.clone(),
            comes_back: back.is_some(),
            place,
        });
    }
}

/// Rows with a code whose address no other row with a code has: such a row may give a place known without one its code.
fn coded_alone(rows: &[Row]) -> HashSet<usize> {
    let mut at: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for row in rows.iter().filter(|row| row.code.is_some()) {
        at.entry((&row.beat, &row.address)).or_default().push(row.line);
    }
    at.into_values().filter(|lines| lines.len() == 1).flatten().collect()
}

/// The name of a new document. Where a place that has since got another identity has it already, the next one.
fn fresh_id(row: &Row, taken: &mut HashSet<DocumentId>) -> DocumentId {
    let (address, code) = (row.place.address.as_deref().unwrap_or(""), row.place.external_code.as_deref());
    let mut id = place_id(&row.beat, address, code, 1);
    for number in 2.. {
        if taken.insert(id) {
            break;
        }
        id = place_id(&row.beat, address, code, number);
    }
    id
}

/// What a table corrects: what it leaves blank stays as it is.
fn changes(known: &Place, wanted: &Place) -> Vec<FieldChange> {
    let text = |field, known: &Option<String>, wanted: &Option<String>| {
        let to = wanted.as_ref().filter(|wanted| known.as_deref().map(clean).as_ref() != Some(wanted))?;
        Some(FieldChange { field, from: known.clone().map(FieldValue::Text), to: FieldValue::Text(to.clone()) })
    };
    let point = wanted.coordinates.filter(|_| !same_point(known.coordinates, wanted.coordinates));
    let status = (Some(known.status.clone()), Some(wanted.status.clone()));
    let changes = [
        text(PlaceField::Address, &known.address, &wanted.address),
        text(PlaceField::ExternalCode, &known.external_code, &wanted.external_code),
        text(PlaceField::PlaceType, &known.place_type, &wanted.place_type),
        point.map(|to| FieldChange {
            field: PlaceField::Coordinates,
            from: known.coordinates.map(FieldValue::Point),
            to: FieldValue::Point(to),
        }),
        text(PlaceField::Status, &status.0, &status.1),
    ];
    changes.into_iter().flatten().collect()
}

/// Whether two points are one to the last digit that a document holds.
fn same_point(one: Option<Coordinates>, other: Option<Coordinates>) -> bool {
    let whole = |degrees: f64| (degrees * 1e7).round() as i64;
    let whole = |point: Coordinates| (whole(point.lat), whole(point.lon));
    one.map(whole) == other.map(whole)
}
