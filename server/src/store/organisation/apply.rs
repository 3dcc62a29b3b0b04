//! A plan becomes rows, in the caller's transaction.

use std::collections::BTreeMap;

use aralau_sync_core::{
    change::{STATUS, Value},
    directory::Control,
    id::{Kind, PersonId},
    time::Millis,
    visit::{ACTIVE, WITHDRAWN, field},
};

use super::{
    Plan,
    plan::{FieldChange, FieldValue, PlaceAdded, PlaceChanged, PlaceField, PlaceMoved, Who},
};
use crate::store::{
    BeatRow, Identity, StoreError, Transaction,
    custody::{self, Edit},
    directory,
};

/// How far the writing has come: places written, of how many.
pub type Progress<'a> = dyn Fn(usize, usize) + 'a;

/// Does what a plan says. The plan must have been made in the same transaction.
pub fn apply(
    tx: &Transaction<'_>,
    identity: &Identity,
    plan: &Plan,
    now: Millis,
    progress: &Progress<'_>,
) -> Result<(), StoreError> {
    let beats = apply_beats(tx, plan, now)?;
    apply_people(tx, plan, &beats, now)?;
    apply_places(tx, identity, plan, &beats, now, progress)
}

/// All beats afterwards, by code.
type Beats = BTreeMap<String, BeatRow>;

fn called<'a>(beats: &'a Beats, code: &str) -> Result<&'a BeatRow, StoreError> {
    beats.get(code).ok_or_else(|| StoreError::corrupt("a beat of the plan"))
}

fn apply_beats(tx: &Transaction<'_>, plan: &Plan, now: Millis) -> Result<Beats, StoreError> {
    for beat in &plan.beats_added {
        directory::ensure_beat(tx, &beat.code, &beat.name, now)?;
    }
    for beat in &plan.beats_renamed {
        let renamed = Control::Beat { code: beat.code.clone(), scope: beat.scope, name: beat.to.clone() };
        directory::record(tx, &renamed, now)?;
    }
    let beats: Beats = directory::beats(tx)?.into_iter().map(|beat| (beat.code.clone(), beat)).collect();
    for (code, area) in &plan.outlines_set {
        directory::outline_beat(tx, called(&beats, code)?.scope_no, area)?;
    }
    Ok(beats)
}

fn apply_people(tx: &Transaction<'_>, plan: &Plan, beats: &Beats, now: Millis) -> Result<(), StoreError> {
    let added: Vec<PersonId> =
        plan.people_added.iter().map(|person| directory::join(tx, &person.name, now)).collect::<Result<_, _>>()?;
    for grant in &plan.grants_added {
        let person = match grant.who {
            Who::Known(person) => person,
            Who::Added(at) => added[at],
        };
        directory::grant(tx, person, called(beats, &grant.beat)?.scope, now)?;
    }
    for ended in &plan.grants_ended {
        directory::end_grant(tx, ended.person, ended.scope, now)?;
    }
    Ok(())
}

fn apply_places(
    tx: &Transaction<'_>,
    identity: &Identity,
    plan: &Plan,
    beats: &Beats,
    now: Millis,
    progress: &Progress<'_>,
) -> Result<(), StoreError> {
    let mut of_scope: BTreeMap<i64, Vec<Written<'_>>> = BTreeMap::new();
    for place in &plan.places_added {
        of_scope.entry(called(beats, &place.beat)?.scope_no).or_default().push(Written::Added(place));
    }
    for place in &plan.places_changed {
        of_scope.entry(place.scope_no).or_default().push(Written::Changed(place));
    }
    for place in &plan.places_moved {
        of_scope.entry(place.from_scope_no).or_default().push(Written::Leaves(place));
        of_scope.entry(called(beats, &place.to_beat)?.scope_no).or_default().push(Written::Arrives(place));
    }
    let of = plan.places_written();
    let mut done = 0;
    for (scope_no, written) in &of_scope {
        // One beat's at a time: all puts of a large load take more memory than its tables.
        let edits = written.iter().map(|written| written.edit(tx)).collect::<Result<Vec<_>, _>>()?;
        let authored =
            custody::author_all(tx, identity, *scope_no, &edits, tx.by(), now, &|some| progress(done + some, of))?;
        authored.map_err(|error| StoreError::Internal(format!("a place was refused: {error:?}")))?;
        done += edits.len();
    }
    Ok(())
}

/// What is written of a place in one scope.
enum Written<'a> {
    Added(&'a PlaceAdded),
    Changed(&'a PlaceChanged),
    Leaves(&'a PlaceMoved),
    Arrives(&'a PlaceMoved),
}

impl Written<'_> {
    fn edit(&self, tx: &Transaction<'_>) -> Result<Edit, StoreError> {
        let (id, puts) = match self {
            Self::Added(place) => (place.id, place.place.puts(tx.random()?)),
            Self::Changed(place) => (place.id, place.changes.iter().flat_map(puts_of).collect()),
            Self::Leaves(place) => (place.from, leave(place)),
            Self::Arrives(place) => (place.to, arrive(place, tx.random()?)),
        };
        Ok(Edit { kind: Kind::PLACE, id, puts })
    }
}

fn puts_of(change: &FieldChange) -> Vec<(String, Value)> {
    match (change.field, &change.to) {
        (_, FieldValue::Point(point)) => point.puts(),
        (field, FieldValue::Text(text)) => vec![(key_of(field).to_owned(), Value::Text(text.clone()))],
    }
}

const fn key_of(place_field: PlaceField) -> &'static str {
    match place_field {
        PlaceField::Address => field::ADDRESS,
        PlaceField::ExternalCode => field::EXTERNAL_CODE,
        PlaceField::PlaceType => field::PLACE_TYPE,
        PlaceField::Status => STATUS,
        PlaceField::Coordinates => field::LAT_E7,
    }
}

/// The old place is taken back, and says where it goes on.
fn leave(place: &PlaceMoved) -> Vec<(String, Value)> {
    vec![
        (STATUS.to_owned(), Value::Text(WITHDRAWN.to_owned())),
        (field::MOVED_TO.to_owned(), Value::Text(place.to.to_string())),
    ]
}

/// The new place says what it carries on. One that comes back goes nowhere any more.
fn arrive(moved: &PlaceMoved, nonce: [u8; 16]) -> Vec<(String, Value)> {
    let mut puts = moved.place.puts(nonce);
    puts.push((field::CONTINUES.to_owned(), Value::Text(moved.from.to_string())));
    if moved.comes_back {
        // It has its random bytes already.
        puts.retain(|(key, _)| key != aralau_sync_core::change::NONCE);
        puts.push((STATUS.to_owned(), Value::Text(ACTIVE.to_owned())));
        puts.push((field::MOVED_TO.to_owned(), Value::Null));
    }
    puts
}
