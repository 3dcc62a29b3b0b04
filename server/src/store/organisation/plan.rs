//! What a load would do, as a value: from what the store knows and what the tables say, touching neither.

mod addresses;
mod beats;
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

use super::{Known, LoadReport, Organisation};
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

impl<'a> Planning<'a> {
    fn refuse(&mut self, line: Line, other: Option<Line>, kind: RefusalKind) {
        self.refusals.push(Refusal { line, other, kind });
    }

    fn warn(&mut self, line: Line, kind: WarningKind) {
        self.plan.warnings.push(Warning { line, kind });
    }
}
