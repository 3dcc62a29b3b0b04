//! A plan as it is shown: the first of each kind and how many there are, and what is said about single rows.

use serde::Serialize;
use utoipa::ToSchema;

use aralau_sync_core::{
    id::{DocumentId, PersonId},
    visit::{Coordinates, Place},
};

use crate::{
    store::{
        self, BeatAdded, BeatRenamed, FieldChange, FieldValue, GrantAdded, GrantEnded, Left, PersonAdded, PlaceField,
        Plan, StoreError, Transaction,
    },
    tables::{
        NotRead, Notice, ReadTable, Tables,
        fault::{Fault, Faults, Hint},
    },
};

/// Of each kind, at most.
const MOST_SHOWN: usize = 100;

/// What tables come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Planned {
    /// Names the plan; null where there is none.
    plan: Option<String>,
    /// Whether nothing is left to do.
    nothing_to_do: bool,
    /// The tables that were read.
    read: Vec<TableRead>,
    /// What the plan would do; null where something is wrong with the tables.
    changes: Option<Changes>,
    /// Everything that is wrong with them, in the order of their rows.
    faults: Listed<Remark>,
    /// What to look at before the plan is done.
    warnings: Listed<Remark>,
}

/// A table that was read.
#[derive(Debug, Serialize, ToSchema)]
struct TableRead {
    /// The sheet of the workbook; null for a file that is one table.
    sheet: Option<String>,
    /// `beats`, `places`, `staff` or `areas`.
    kind: &'static str,
    /// Rows under the header that are not blank.
    rows: usize,
    columns_not_read: Vec<NotRead>,
    /// Sheets beside it.
    sheets_not_read: Vec<String>,
}

/// How many there are, and the first hundred of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    count: usize,
    first: Vec<T>,
}

/// What a plan would do.
#[derive(Debug, Serialize, ToSchema)]
struct Changes {
    /// Beats that are made.
    beats_added: Listed<BeatAdded>,
    /// Beats that get another name.
    beats_renamed: Listed<BeatRenamed>,
    /// Beats, by code, that get an outline, or another one.
    outlines_set: Listed<String>,
    /// People who join the directory.
    people_added: Listed<PersonAdded>,
    /// Rights that begin.
    grants_added: Listed<GrantAdded>,
    /// Rights that end.
    grants_ended: Listed<GrantEnded>,
    /// Rights of listed people that stand in no row, and end only if that is asked for.
    grants_kept: Listed<GrantEnded>,
    /// Places that are made.
    places_added: Listed<PlaceShown>,
    /// Places of which something is corrected; with `retire`, those that are withdrawn.
    places_changed: Listed<PlaceCorrected>,
    /// Places that are withdrawn in one beat and go on in another.
    places_moved: Listed<PlaceMovedOn>,
    /// What is already as the tables say.
    left: Left,
}

/// A place that is made.
#[derive(Debug, Serialize, ToSchema)]
struct PlaceShown {
    /// The beat's code.
    beat: String,
    address: Option<String>,
    external_code: Option<String>,
    /// A code of `place_type`.
    place_type: Option<String>,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
}

/// A place of which something is corrected.
#[derive(Debug, Serialize, ToSchema)]
struct PlaceCorrected {
    #[schema(value_type = uuid::Uuid)]
    id: DocumentId,
    /// The beat's code.
    beat: String,
    /// Its address so far.
    address: Option<String>,
    changes: Vec<FieldCorrected>,
}

/// A field, and what becomes of it.
#[derive(Debug, Serialize, ToSchema)]
struct FieldCorrected {
    #[schema(inline)]
    field: PlaceField,
    /// So far; of coordinates degrees north and east.
    from: Option<String>,
    /// From now on.
    to: String,
}

/// A place that goes on in another beat.
#[derive(Debug, Serialize, ToSchema)]
struct PlaceMovedOn {
    /// The code of the beat so far.
    from_beat: String,
    /// The code of the beat from now on.
    to_beat: String,
    address: Option<String>,
}

/// What is said about a table, or a row of it.
#[derive(Debug, Serialize, ToSchema)]
struct Remark {
    /// Stable.
    code: &'static str,
    /// The sheet of the workbook; null for the file itself.
    sheet: Option<String>,
    /// From 1, as a spreadsheet counts; of a map, its feature.
    row: Option<u32>,
    /// The header of the column.
    column: Option<String>,
    /// What the cell holds, shortened.
    value: Option<String>,
    /// What may have been meant.
    meant: Option<String>,
    /// The earlier row of the same table that it contradicts.
    see_row: Option<u32>,
    /// Names that may be the same person's.
    near: Vec<String>,
    /// What is wrong, and what to do about it; in English.
    message: String,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Loaded {
    /// Beats that were made.
    beats: usize,
    /// Places that were made.
    places: usize,
    /// People who joined, at most a hundred.
    people: Vec<PersonJoined>,
}

/// Somebody who joined the directory.
#[derive(Debug, Serialize, ToSchema)]
struct PersonJoined {
    #[schema(value_type = uuid::Uuid)]
    person: PersonId,
    name: String,
}

/// The name of a plan, as it is asked to be done.
pub fn name_of(plan: &Plan) -> String {
    hex::encode(plan.name())
}

impl Planned {
    /// Of tables in a file of this name.
    pub fn of(tables: &Tables, file: &str, planned: Result<Plan, Faults>) -> Self {
        let read = tables.read.iter().map(|table| TableRead::of(table, file)).collect();
        match planned {
            Ok(plan) => {
                let warnings = plan.warnings.iter().filter_map(|warning| tables.notice(warning));
                Self {
                    plan: Some(name_of(&plan)),
                    nothing_to_do: plan.is_empty(),
                    read,
                    faults: Listed { count: 0, first: Vec::new() },
                    warnings: Listed::of(warnings.map(|notice| Remark::of_notice(notice, file))),
                    changes: Some(Changes::of(plan)),
                }
            }
            Err(Faults { faults, more }) => {
                let count = faults.len() + more;
                let first = faults.into_iter().map(|fault| Remark::of_fault(fault, file)).collect();
                Self {
                    plan: None,
                    nothing_to_do: false,
                    read,
                    changes: None,
                    faults: Listed { count, first },
                    warnings: Listed { count: 0, first: Vec::new() },
                }
            }
        }
    }
}

impl TableRead {
    fn of(table: &ReadTable, file: &str) -> Self {
        Self {
            sheet: sheet_of(&table.file, file),
            kind: table.kind,
            rows: table.rows,
            columns_not_read: table.columns_not_read.clone(),
            sheets_not_read: table.sheets_not_read.clone(),
        }
    }
}

impl<T> Listed<T> {
    fn of(all: impl Iterator<Item = T>) -> Self {
        let (mut first, mut count) = (Vec::new(), 0);
        for one in all {
            count += 1;
            if first.len() < MOST_SHOWN {
                first.push(one);
            }
        }
        Self { count, first }
    }
}

impl Changes {
    fn of(plan: Plan) -> Self {
        Self {
            beats_added: Listed::of(plan.beats_added.into_iter()),
            beats_renamed: Listed::of(plan.beats_renamed.into_iter()),
            outlines_set: Listed::of(plan.outlines_set.into_iter().map(|(code, _)| code)),
            people_added: Listed::of(plan.people_added.into_iter()),
            grants_added: Listed::of(plan.grants_added.into_iter()),
            grants_ended: Listed::of(plan.grants_ended.into_iter()),
            grants_kept: Listed::of(plan.grants_kept.into_iter()),
            places_added: Listed::of(
                plan.places_added.into_iter().map(|added| PlaceShown::of(added.beat, added.place)),
            ),
            places_changed: Listed::of(plan.places_changed.into_iter().map(|changed| PlaceCorrected {
                id: changed.id,
                beat: changed.beat,
                address: changed.address,
                changes: changed.changes.iter().map(FieldCorrected::of).collect(),
            })),
            places_moved: Listed::of(plan.places_moved.into_iter().map(|moved| PlaceMovedOn {
                from_beat: moved.from_beat,
                to_beat: moved.to_beat,
                address: moved.place.address,
            })),
            left: plan.left,
        }
    }
}

impl PlaceShown {
    fn of(beat: String, place: Place) -> Self {
        let Place { address, external_code, place_type, coordinates, .. } = place;
        let (lat, lon) = coordinates.map(|point| (point.lat, point.lon)).unzip();
        Self { beat, address, external_code, place_type, lat, lon }
    }
}

impl FieldCorrected {
    fn of(FieldChange { field, from, to }: &FieldChange) -> Self {
        let text = |value: &FieldValue| match value {
            FieldValue::Text(text) => text.clone(),
            FieldValue::Point(Coordinates { lat, lon }) => format!("{lat}, {lon}"),
        };
        Self { field: *field, from: from.as_ref().map(text), to: text(to) }
    }
}

impl Remark {
    fn of_fault(fault: Fault, file: &str) -> Self {
        let Fault { code, file: table, row, column, value, hint, message } = fault;
        let (sheet, Hint { meant, see_row }) = (sheet_of(&table, file), hint.map(|hint| *hint).unwrap_or_default());
        Self { code, sheet, row, column, value, meant, see_row, near: Vec::new(), message: message.into() }
    }

    fn of_notice(notice: Notice, file: &str) -> Self {
        let Notice { code, file: table, row, column, value, near, message } = notice;
        let (row, column, value) = (Some(row), Some(column), Some(value));
        Self { code, sheet: sheet_of(&table, file), row, column, value, meant: None, see_row: None, near, message }
    }
}

/// The sheet that a table is named by beside its file: `organisation.xlsx, sheet "Адреса"`.
fn sheet_of(table: &str, file: &str) -> Option<String> {
    let quoted = table.strip_prefix(file)?.strip_prefix(", sheet ")?;
    let bare = quoted.trim_matches('"').to_owned();
    Some(serde_json::from_str(quoted).unwrap_or(bare))
}

impl Loaded {
    /// What this plan has done, in the transaction in which it was.
    pub fn of(tx: &Transaction<'_>, plan: &Plan) -> Result<Self, StoreError> {
        let mut people = Vec::new();
        for added in plan.people_added.iter().take(MOST_SHOWN) {
            if let Some(person) = store::person_named(tx, &added.name)? {
                people.push(PersonJoined { person, name: added.name.clone() });
            }
        }
        Ok(Self { beats: plan.beats_added.len(), places: plan.places_added.len(), people })
    }
}
