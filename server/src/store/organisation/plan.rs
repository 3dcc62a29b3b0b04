//! What a load would do, as a value: from what the store knows and what the tables say, touching neither.

mod addresses;
mod index;
mod people;
mod places;
mod retire;
mod said;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt};

use aralau_sync_core::{
    id::{DocumentId, PersonId, ScopeId},
    visit::{Coordinates, Place},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{
    Known, LoadReport, Organisation,
    identity::{key, mixes_alphabets},
};
use crate::{area::Area, store::BeatRow};

pub use said::{Line, Refusal, RefusalKind, Warning, WarningKind};

/// What an operator chooses about a load.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions {
    /// A listed person keeps the beats beside which they stand in the table, and no others.
    pub replace_grants: bool,
    /// The tables name what is no more: places are withdrawn, rights end. Nothing is made, corrected or moved.
    pub retire: bool,
    /// The one place of the tables is this one, whatever it was called so far and wherever it was.
    pub place: Option<DocumentId>,
}

/// What a load does. Every list is in the order of the tables.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// Beats that are made.
    pub beats_added: Vec<BeatAdded>,
    /// Beats that get another name.
    pub beats_renamed: Vec<BeatRenamed>,
    /// Beats, by code, that get an outline, or another one.
    #[serde(serialize_with = "codes_of")]
    pub outlines_set: Vec<(String, Area)>,
    /// People who join the directory.
    pub people_added: Vec<PersonAdded>,
    /// Rights that begin.
    pub grants_added: Vec<GrantAdded>,
    /// Rights that end; without [`LoadOptions::replace_grants`] none.
    pub grants_ended: Vec<GrantEnded>,
    /// Rights that would end with [`LoadOptions::replace_grants`], where that was not asked for.
    pub grants_kept: Vec<GrantEnded>,
    /// Places that are made.
    pub places_added: Vec<PlaceAdded>,
    /// Places of which something is corrected.
    pub places_changed: Vec<PlaceChanged>,
    /// Places that are withdrawn in one beat and go on in another.
    pub places_moved: Vec<PlaceMoved>,
    /// What is already as the tables say.
    pub left: Left,
    /// What an operator should look at; nothing hinders the load.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
}

/// A beat that is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BeatAdded {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A beat that gets another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BeatRenamed {
    /// Its code.
    pub code: String,
    /// Its scope.
    #[serde(skip)]
    pub scope: ScopeId,
    /// The name so far.
    pub from: String,
    /// The name from now on.
    pub to: String,
}

/// A person who joins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonAdded {
    /// Their name.
    pub name: String,
    /// Names that may be the same person's.
    pub near: Vec<String>,
}

/// Somebody of whom the plan speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// In the directory already.
    Known(PersonId),
    /// The one at this position in [`Plan::people_added`].
    Added(usize),
}

/// A right that begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GrantAdded {
    /// Whose.
    #[serde(skip)]
    pub who: Who,
    /// Their name.
    pub name: String,
    /// The beat's code.
    pub beat: String,
}

/// A right that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GrantEnded {
    /// Whose.
    #[serde(skip)]
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// The beat's scope.
    #[serde(skip)]
    pub scope: ScopeId,
    /// The beat's code.
    pub beat: String,
}

/// A place that is made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaceAdded {
    /// Its document.
    pub id: DocumentId,
    /// The beat's code.
    pub beat: String,
    /// What it holds.
    #[serde(flatten)]
    pub place: Place,
}

/// A place of which something is corrected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaceChanged {
    /// Its document.
    pub id: DocumentId,
    /// The beat's code.
    pub beat: String,
    /// The beat's scope, by its number.
    #[serde(skip)]
    pub scope_no: i64,
    /// Its address so far.
    pub address: Option<String>,
    /// What becomes different; not empty.
    pub changes: Vec<FieldChange>,
}

/// A place that is withdrawn in one beat and goes on in another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaceMoved {
    /// Its document so far.
    pub from: DocumentId,
    /// The code of the beat so far.
    pub from_beat: String,
    /// That beat's scope, by its number.
    #[serde(skip)]
    pub from_scope_no: i64,
    /// Its document from now on.
    pub to: DocumentId,
    /// The code of the beat from now on.
    pub to_beat: String,
    /// Whether it was in that beat before, and was withdrawn there.
    pub comes_back: bool,
    /// What it holds from now on.
    #[serde(flatten)]
    pub place: Place,
}

/// A field of a place, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// Which.
    pub field: PlaceField,
    /// What it holds so far.
    pub from: Option<FieldValue>,
    /// What it holds from now on.
    pub to: FieldValue,
}

/// What a table can say of a place, beside its beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceField {
    /// As written on the door.
    Address,
    /// Its name in another register.
    ExternalCode,
    /// A code of `place_type`.
    PlaceType,
    /// Where it is.
    Coordinates,
    /// Whether it counts.
    Status,
}

/// A value of a place's field.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// Of all but coordinates.
    Text(String),
    /// Degrees north and east.
    Point(Coordinates),
}

/// What is already as the tables say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Left {
    /// Beats.
    pub beats: usize,
    /// People, whose rights may have grown.
    pub people: usize,
    /// Places.
    pub places: usize,
    /// Places of the same beats that stand in no row. Nothing is done about them.
    pub places_not_listed: usize,
    /// Rows that say once more what an earlier one says.
    pub repeated_rows: usize,
}

impl Plan {
    /// What becomes of `known` once it is as `wanted` says.
    ///
    /// # Errors
    /// Everything in the tables that contradicts the store, or itself.
    pub fn of(known: &Known, wanted: &Organisation, options: LoadOptions) -> Result<Self, Vec<Refusal>> {
        let mut planning = Planning {
            known,
            wanted,
            plan: Self::default(),
            refusals: Vec::new(),
            beats: HashMap::new(),
            named: HashMap::new(),
            meant: HashMap::new(),
        };
        planning.index_beats();
        if options.retire {
            planning.names_of_beats();
            planning.retire(options.place);
        } else {
            planning.beats();
            planning.names_of_beats();
            planning.outlines();
            planning.people(options);
            planning.places(options.place);
        }
        if planning.refusals.is_empty() { Ok(planning.plan) } else { Err(planning.refusals) }
    }

    /// Whether everything is already as the tables say.
    pub fn is_empty(&self) -> bool {
        let Self { beats_added, beats_renamed, outlines_set, people_added, grants_added, grants_ended, .. } = self;
        beats_added.is_empty()
            && beats_renamed.is_empty()
            && outlines_set.is_empty()
            && people_added.is_empty()
            && grants_added.is_empty()
            && grants_ended.is_empty()
            && self.places_written() == 0
    }

    /// Names what it would do: plans of one name do the same, whatever else there is that they leave as it is.
    pub fn name(&self) -> [u8; 32] {
        let Self { beats_added, beats_renamed, outlines_set, people_added, grants_added, grants_ended, .. } = self;
        let Self { places_added, places_changed, places_moved, .. } = self;
        let mut hasher = Hashing(Sha256::new());
        // What is written for developers holds every id as well; a name is compared within one server, and never kept.
        let written = fmt::write(
            &mut hasher,
            format_args!(
                "{:?}{:?}",
                (beats_added, beats_renamed, outlines_set, people_added, grants_added, grants_ended),
                (places_added, places_changed, places_moved)
            ),
        );
        debug_assert!(written.is_ok(), "a hash takes everything");
        hasher.0.finalize().into()
    }

    /// What it makes anew.
    pub fn made(&self) -> LoadReport {
        LoadReport { beats: self.beats_added.len(), places: self.places_added.len(), people: self.people_added.len() }
    }

    /// Places that are written, each moved one counted twice.
    pub fn places_written(&self) -> usize {
        self.places_added.len() + self.places_changed.len() + 2 * self.places_moved.len()
    }
}

/// Hashes a text piece by piece: a large plan is never one.
struct Hashing(Sha256);

impl fmt::Write for Hashing {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0.update(piece);
        Ok(())
    }
}

fn codes_of<S: serde::Serializer>(outlines: &[(String, Area)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(outlines.iter().map(|(code, _)| code))
}

/// A beat that a row may name.
#[derive(Debug, Clone)]
enum PlannedBeat<'a> {
    /// There already.
    Known(&'a BeatRow),
    /// Made by this plan.
    Added { code: String },
}

impl PlannedBeat<'_> {
    fn code(&self) -> &str {
        match self {
            Self::Known(beat) => &beat.code,
            Self::Added { code } => code,
        }
    }

    fn scope_no(&self) -> Option<i64> {
        match self {
            Self::Known(beat) => Some(beat.scope_no),
            Self::Added { .. } => None,
        }
    }
}

/// A plan while it grows.
struct Planning<'a> {
    known: &'a Known,
    wanted: &'a Organisation,
    plan: Plan,
    refusals: Vec<Refusal>,
    /// By their codes, and by what codes are compared by.
    beats: HashMap<String, PlannedBeat<'a>>,
    /// By their names, where no other beat is called so.
    named: HashMap<String, Option<PlannedBeat<'a>>>,
    /// For codes that no beat has, by what they are compared by: the one that may have been meant.
    meant: HashMap<String, Option<String>>,
}

/// Unknown codes for which a known one is looked for, at most.
const MOST_MEANT: usize = 100;
/// What stands between the beats of a cell that names several.
const BETWEEN_BEATS: [&str; 8] = [",", ";", "/", "+", " и ", " және ", " мен ", " and "];
/// Letters by which a code that was meant may differ.
const MEANT_SLIPS: usize = 1;

impl<'a> Planning<'a> {
    fn refuse(&mut self, line: Line, other: Option<Line>, kind: RefusalKind) {
        self.refusals.push(Refusal { line, other, kind });
    }

    fn warn(&mut self, line: Line, kind: WarningKind) {
        self.plan.warnings.push(Warning { line, kind });
    }

    fn index_beats(&mut self) {
        for beat in &self.known.beats {
            self.beats.entry(key(&beat.code)).or_insert(PlannedBeat::Known(beat));
        }
        // An earlier build told codes apart by their case: the code as it is written comes first.
        self.beats.extend(self.known.beats.iter().map(|beat| (beat.code.clone(), PlannedBeat::Known(beat))));
    }

    fn beats(&mut self) {
        let mut said: HashMap<String, usize> = HashMap::new();
        for (at, (code, name)) in self.wanted.beats.iter().enumerate() {
            let key = key(code);
            if let Some(&first) = said.get(&key) {
                if self.wanted.beats[first].1 == *name {
                    self.plan.left.repeated_rows += 1;
                } else {
                    self.refuse(Line::Beat(at), Some(Line::Beat(first)), RefusalKind::BeatTwice { code: code.clone() });
                }
                continue;
            }
            said.insert(key.clone(), at);
            match self.beat_called(code) {
                Some(PlannedBeat::Known(beat)) if beat.name == *name || name.is_empty() => self.plan.left.beats += 1,
                Some(PlannedBeat::Known(beat)) => {
                    let (code, scope, from) = (beat.code.clone(), beat.scope, beat.name.clone());
                    self.plan.beats_renamed.push(BeatRenamed { code, scope, from, to: name.clone() });
                }
                Some(PlannedBeat::Added { .. }) | None => {
                    for (column, text) in [("code", code), ("name", name)] {
                        if mixes_alphabets(text) {
                            self.warn(Line::Beat(at), WarningKind::AlphabetsMixed { column, text: text.clone() });
                        }
                    }
                    if let Some(near) = self.beat_near(code, name) {
                        self.warn(Line::Beat(at), WarningKind::BeatNear { code: code.clone(), near });
                    }
                    let name = if name.is_empty() { code } else { name }.clone();
                    self.plan.beats_added.push(BeatAdded { code: code.clone(), name });
                    self.beats.insert(key, PlannedBeat::Added { code: code.clone() });
                }
            }
        }
    }

    /// A known beat that a new one may be: spreadsheets drop the zeros before a number.
    fn beat_near(&self, code: &str, name: &str) -> Option<String> {
        let number = |code: &str| {
            let bare = code.trim().trim_start_matches('0');
            (!bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit())).then(|| bare.to_owned())
        };
        let is_near = |known: &&BeatRow| {
            number(code).is_some_and(|bare| number(&known.code) == Some(bare))
                || !name.is_empty() && key(&known.name) == key(name)
        };
        self.known.beats.iter().find(is_near).map(|known| known.code.clone())
    }

    fn beat_called(&self, code: &str) -> Option<PlannedBeat<'a>> {
        self.beats.get(code).or_else(|| self.beats.get(&key(code))).cloned()
    }

    fn names_of_beats(&mut self) {
        let known = self.known.beats.iter().map(|beat| (&beat.code, &beat.name));
        let wanted = self.wanted.beats.iter().map(|(code, name)| (code, name));
        let names: Vec<_> = known.chain(wanted).filter(|(_, name)| !name.is_empty()).collect();
        for (code, name) in names {
            let Some(beat) = self.beat_called(code) else { continue };
            let named = self.named.entry(key(name)).or_insert_with(|| Some(beat.clone()));
            if named.as_ref().is_some_and(|other| other.code() != beat.code()) {
                *named = None;
            }
        }
    }

    /// The beat that a cell names by its code, or else by its name, or a refusal with the code that may have been meant.
    fn beat(&mut self, line: Line, code: &str) -> Option<PlannedBeat<'a>> {
        let found = self.beat_called(code).or_else(|| self.named.get(&key(code)).cloned().flatten());
        if found.is_none() {
            let kind = self.beat_not_found(code);
            self.refuse(line, None, kind);
        }
        found
    }

    fn beat_not_found(&mut self, cell: &str) -> RefusalKind {
        let code = cell.to_owned();
        if self.named.contains_key(&key(cell)) {
            return RefusalKind::BeatAmbiguous { code };
        }
        let parts: Vec<&str> = BETWEEN_BEATS
            .iter()
            .fold(vec![cell], |parts, between| parts.into_iter().flat_map(|part| part.split(between)).collect());
        if parts.len() > 1 && parts.iter().all(|part| self.beat_called(part.trim()).is_some()) {
            return RefusalKind::BeatsSeveral { code };
        }
        let meant = self.meant_by(key(cell));
        RefusalKind::BeatUnknown { code, meant }
    }

    /// The code of a beat that is a slip of the hand away.
    fn meant_by(&mut self, unknown: String) -> Option<String> {
        if let Some(meant) = self.meant.get(&unknown) {
            return meant.clone();
        }
        // A column of something else would be measured against every beat, row by row.
        if self.meant.len() >= MOST_MEANT {
            return None;
        }
        // № 101 and 101.0, which a spreadsheet makes of 101.
        let bare = unknown.trim_start_matches(['№', ' ']).trim_end_matches(".0").trim_end_matches(",0");
        let is_near = |key: &str| key == bare || strsim::osa_distance(key, &unknown) <= MEANT_SLIPS;
        let near = self.beats.iter().filter(|(key, _)| is_near(key));
        let meant = near.map(|(key, beat)| (key != bare, beat.code().to_owned())).min().map(|(_, code)| code);
        self.meant.insert(unknown, meant.clone());
        meant
    }

    /// Whether places known in the beat are not within its new outline.
    fn places_outside(&self, code: &str, scope_no: i64, area: &Area) -> Option<WarningKind> {
        let points = self.known.points.get(&scope_no)?;
        let outside: Vec<&Coordinates> =
            points.iter().filter(|Coordinates { lat, lon }| !area.contains([*lon, *lat])).collect();
        let swapped = outside.iter().all(|Coordinates { lat, lon }| area.contains([*lat, *lon]));
        let (outside, of) = (outside.len(), points.len());
        (outside > 0).then(|| WarningKind::PlacesOutside { code: code.to_owned(), outside, of, swapped })
    }

    fn outlines(&mut self) {
        let wanted = self.wanted;
        let mut said: HashMap<String, usize> = HashMap::new();
        for (at, (code, area)) in wanted.areas.iter().enumerate() {
            let line = Line::Area(at);
            let Some(beat) = self.beat(line, code) else { continue };
            let (code, scope_no) = (beat.code().to_owned(), beat.scope_no());
            if let Some(first) = said.insert(key(&code), at) {
                self.refuse(line, Some(Line::Area(first)), RefusalKind::OutlineTwice { code });
                continue;
            }
            let so_far = scope_no.and_then(|scope_no| self.known.areas.get(&scope_no));
            if so_far == Some(area) {
                continue;
            }
            if let Some(kind) = scope_no.and_then(|scope_no| self.places_outside(&code, scope_no, area)) {
                self.warn(line, kind);
            }
            self.plan.outlines_set.push((code, area.clone()));
        }
    }
}
