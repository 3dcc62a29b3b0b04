//! What lines mean for an organisation: whose visits they are, and where.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aralau_server::store::{FoundPlace, Lookup, Lost, Names, OldVisit, PlaceLine, Register, Sought, key};
use aralau_sync_core::id::PersonId;

use super::{
    Journal, Layout,
    field::Field,
    line::Line,
    map::{Map, Unknown},
};
use crate::tables::{
    cell::{BETWEEN_NAMES, names_several},
    fault::{Fault, FaultKind},
};

/// What places the lines speak of.
pub fn sought(lines: &[Line<'_>]) -> Sought {
    Sought {
        codes: lines.iter().filter_map(|line| line.external_code.as_deref()).map(key).collect(),
        addresses: lines.iter().filter_map(|line| line.address.as_deref()).map(key).collect(),
    }
}

/// What a line comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whose log the visit goes into, by its number. `None`: of a place or beat that is to be made first.
    pub scope_no: Option<i64>,
    /// Where; `None`: nowhere, or at a place that is to be made first.
    pub place: Option<FoundPlace>,
    /// Whose; `None`: nobody says, or somebody who is to join first.
    pub inspector: Option<PersonId>,
}

/// What has to be made before all lines can be imported.
#[derive(Debug, Default)]
pub struct Wanted {
    places: Vec<PlaceLine>,
    /// Names of people.
    pub people: BTreeSet<String>,
    /// Those, by their code or by beat and address.
    known: HashSet<(String, String)>,
}

impl Wanted {
    /// The places to make. Lines without a code mean the place of the same address that has one.
    pub fn places(&self) -> Vec<PlaceLine> {
        let at = |place: &PlaceLine| (key(&place.beat), key(&place.address));
        let coded: HashSet<_> = self.places.iter().filter(|place| place.external_code.is_some()).map(at).collect();
        let is_meant = |place: &&PlaceLine| place.external_code.is_some() || !coded.contains(&at(place));
        self.places.iter().filter(is_meant).cloned().collect()
    }
}

/// Finds what lines speak of.
#[derive(Debug)]
pub struct Finding<'a> {
    journal: &'a Journal,
    layout: &'a Layout,
    map: &'a Map,
    lookup: &'a Lookup,
    beats: BTreeMap<String, &'a str>,
    /// Who may have been meant by names that nobody has: many rows have the same.
    near: HashMap<String, String>,
    /// Whose names are to join the directory.
    joining: Names,
    /// What is not there, and may be made.
    pub wanted: Wanted,
}

impl<'a> Finding<'a> {
    /// In what an organisation has.
    pub fn new(journal: &'a Journal, layout: &'a Layout, map: &'a Map, lookup: &'a Lookup) -> Self {
        let beats = map.beats.iter().filter(|(_, code)| !code.is_empty());
        let beats = beats.map(|(word, code)| (key(word), code.as_str())).collect();
        Self {
            journal,
            layout,
            map,
            lookup,
            beats,
            near: HashMap::new(),
            joining: Names::default(),
            wanted: Wanted::default(),
        }
    }

    /// What a line comes to. What is missing and may be made becomes [`Self::wanted`], unless the line has other faults.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn find(&mut self, line: &Line<'_>) -> Result<Found, Vec<Fault>> {
        let mut faults = Vec::new();
        let beat = self.beat(line, &mut faults);
        let inspector = self.inspector(line, &mut faults);
        let scope_no = beat.as_ref().map(|(scope_no, _)| *scope_no);
        let (code, address) = (line.external_code.as_deref(), line.address.as_deref());
        let place = match (code, address) {
            (None, None) => None,
            _ if !faults.is_empty() => None,
            _ => match self.lookup.place(scope_no, code, address) {
                Ok(place) => Some(place),
                Err(lost) => {
                    let is_wanted = lost == Lost::Unknown && self.map.places.unknown == Unknown::Make;
                    match (is_wanted, beat, address) {
                        (true, Some((_, beat)), Some(address)) if faults.is_empty() => self.want(line, beat, address),
                        (true, ..) => faults.push(self.no_place(line, "and to make it takes a beat and an address")),
                        (false, ..) if lost == Lost::Ambiguous => faults.push(self.several_places(line)),
                        (false, ..) => faults.push(self.no_place(line, "load it first, or let the map make it")),
                    }
                    None
                }
            },
        };
        if beat_is_needed(line) && scope_no.is_none() && faults.is_empty() {
            let message = "neither a place nor a beat, so that nobody knows whose visit it is; fill one of them";
            faults.push(self.fault(line, FaultKind::CellMissing, Field::Beat, "", message.to_owned()));
        }
        faults.extend(self.swapped(line));
        if !faults.is_empty() {
            return Err(faults);
        }
        if let (Err(Lost::Unknown), Some(name)) = (&inspector, &line.inspector) {
            self.wanted.people.insert(name.clone());
        }
        let scope_no = place.map(|place| place.scope_no).or(scope_no);
        Ok(Found { scope_no, place, inspector: inspector.ok().flatten() })
    }

    fn fault(&self, line: &Line<'_>, kind: FaultKind, field: Field, value: &str, message: String) -> Fault {
        let header = self.layout.place(field).and_then(|place| self.journal.table.headers().get(place));
        let fault = Fault::new(kind, &self.journal.file, message).at(line.row);
        let fault = fault.in_column(header.map_or(field.name(), |header| header.trim()));
        if value.is_empty() { fault } else { fault.holding(value) }
    }

    /// The beat that a line names: its scope's number, and its code.
    fn beat(&self, line: &Line<'_>, faults: &mut Vec<Fault>) -> Option<(i64, String)> {
        let word = line.beat.as_deref()?;
        let meant = self.beats.get(&key(word)).copied().unwrap_or(word);
        match self.lookup.beat(meant) {
            Ok(beat) => Some((beat.scope_no, beat.code.clone())),
            Err(lost) => {
                let message = match lost {
                    Lost::Unknown => {
                        "there is no such beat; load it first, or write which it is under `beats` in the map"
                    }
                    Lost::Ambiguous => {
                        "several beats are called so; write the code of the one meant under `beats` in the map"
                    }
                };
                faults.push(self.fault(
                    line,
                    FaultKind::Refused("beat_unknown"),
                    Field::Beat,
                    word,
                    message.to_owned(),
                ));
                None
            }
        }
    }

    fn inspector(&mut self, line: &Line<'_>, faults: &mut Vec<Fault>) -> Result<Option<PersonId>, Lost> {
        let Some(name) = line.inspector.as_deref() else { return Ok(None) };
        let found = self.lookup.person(name);
        match found {
            Ok(_) => {}
            // Nobody is to join who is two people.
            Err(Lost::Unknown) if name.contains(BETWEEN_NAMES) || names_several(name) => {
                let message = "nobody is called so, and it may be several people; write whose visit it was under `inspectors.names` in the map, and map the column to a note as well if all are to be named";
                faults.push(self.fault(
                    line,
                    FaultKind::Refused("inspector_several"),
                    Field::Inspector,
                    name,
                    message.to_owned(),
                ));
            }
            Err(Lost::Unknown) if self.map.inspectors.unknown == Unknown::Make => {
                let near = self.near_somebody(name);
                if !near.is_empty() {
                    let message = format!(
                        "nobody is called so, but {near} is; write who it is under `inspectors.names` in the map, or {name:?} = {name:?} if they are somebody else"
                    );
                    faults.push(self.fault(
                        line,
                        FaultKind::Refused("inspector_near"),
                        Field::Inspector,
                        name,
                        message,
                    ));
                }
            }
            Err(Lost::Unknown) => {
                let lookup = self.lookup;
                let near = self.near.entry(name.to_owned()).or_insert_with(|| lookup.near(name).join(", "));
                let hint = if near.is_empty() { String::new() } else { format!("is {near} meant? ") };
                let message = format!(
                    "nobody is called so; {hint}load the person, or write who it is under `inspectors.names` in the map"
                );
                faults.push(self.fault(line, FaultKind::Refused("inspector_unknown"), Field::Inspector, name, message));
            }
            Err(Lost::Ambiguous) => {
                let message =
                    "several people are called so; write the name of the one meant just as the directory has it";
                faults.push(self.fault(
                    line,
                    FaultKind::Refused("inspector_ambiguous"),
                    Field::Inspector,
                    name,
                    message.to_owned(),
                ));
            }
        }
        found.map(Some)
    }

    /// Who of the directory, or of those who are to join it, may be meant by a name of nobody; nobody where the map says that
    /// the name is somebody's own.
    fn near_somebody(&mut self, name: &str) -> String {
        let (lookup, joining) = (self.lookup, &mut self.joining);
        let is_said = || self.map.inspectors.names.values().any(|meant| key(meant) == key(name));
        let near = self.near.entry(name.to_owned()).or_insert_with(|| {
            let near = if is_said() { Vec::new() } else { [lookup.near(name), joining.near(name)].concat() };
            if near.is_empty() {
                joining.add(name);
            }
            near.join(" or ")
        });
        near.clone()
    }

    fn swapped(&self, line: &Line<'_>) -> Option<Fault> {
        let point = line.position.filter(|point| self.lookup.is_swapped(*point))?;
        let value = format!("{}; {}", point.lat, point.lon);
        let message =
            "the organisation has its places where latitude and longitude are the other way round; exchange them";
        Some(self.fault(line, FaultKind::PointSwapped, Field::Position, &value, message.to_owned()))
    }

    fn no_place(&self, line: &Line<'_>, hint: &str) -> Fault {
        let (field, value) = match (&line.external_code, &line.address) {
            (Some(code), _) => (Field::ExternalCode, code.as_str()),
            (None, address) => (Field::Address, address.as_deref().unwrap_or_default()),
        };
        let code = if self.map.places.unknown == Unknown::Make { "place_not_made" } else { "place_unknown" };
        self.fault(
            line,
            FaultKind::Refused(code),
            field,
            value,
            format!("there is no such place{}; {hint}", self.where_sought(line)),
        )
    }

    fn several_places(&self, line: &Line<'_>) -> Fault {
        let value = line.address.as_deref().or(line.external_code.as_deref()).unwrap_or_default();
        let message = format!(
            "several places are called so{}; write the beat, or the external code, of the one meant",
            self.where_sought(line)
        );
        self.fault(line, FaultKind::Refused("place_ambiguous"), Field::Address, value, message)
    }

    fn where_sought(&self, line: &Line<'_>) -> String {
        line.beat.as_ref().map(|beat| format!(" in beat {beat:?}")).unwrap_or_default()
    }

    /// A place is made once, by the first line that speaks of it.
    fn want(&mut self, line: &Line<'_>, beat: String, address: &str) {
        let by = match &line.external_code {
            Some(code) => (String::new(), key(code)),
            None => (key(&beat), key(address)),
        };
        if self.wanted.known.insert(by) {
            self.wanted.places.push(PlaceLine {
                beat,
                address: address.to_owned(),
                external_code: line.external_code.clone(),
                place_type: line.place_type.clone(),
                coordinates: None,
            });
        }
    }
}

const fn beat_is_needed(line: &Line<'_>) -> bool {
    line.external_code.is_none() && line.address.is_none()
}

/// A line as the visit that it is, once all that it needs is there.
pub fn visit(line: &Line<'_>, found: &Found, register: (Register, &str), file: &str) -> Option<OldVisit> {
    let (register, name) = register;
    Some(OldVisit {
        id: register.visit(&line.id),
        scope_no: found.scope_no?,
        place: found.place.map(|place| place.id),
        inspector: found.inspector,
        visit_type: line.visit_type.clone(),
        outcome: line.outcome.clone(),
        started_at: line.started_at,
        started_at_text: line.started_at_text.clone(),
        ended_at: line.ended_at,
        position: line.position,
        notes: line.notes(),
        source_file: file.to_owned(),
        source_row: line.row,
        source_id: format!("{name}/{}", line.id),
    })
}
