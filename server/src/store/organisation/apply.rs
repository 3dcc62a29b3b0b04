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
    plan::{FieldChange, FieldValue, PlaceField, PlaceMoved, Who},
};
use crate::store::{
    Identity, StoreError, Transaction,
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
    for beat in &plan.beats_added {
        directory::ensure_beat(tx, &beat.code, &beat.name, now)?;
    }
    for beat in &plan.beats_renamed {
        let renamed = Control::Beat { code: beat.code.clone(), scope: beat.scope, name: beat.to.clone() };
        directory::record(tx, &renamed, now)?;
    }
    let beats = directory::beats(tx)?.into_iter().map(|beat| (beat.code.clone(), beat)).collect::<BTreeMap<_, _>>();
    let beat = |code: &str| beats.get(code).ok_or_else(|| StoreError::corrupt("a beat of the plan"));
    for (code, area) in &plan.outlines_set {
        directory::outline_beat(tx, beat(code)?.scope_no, area)?;
    }
    let added: Vec<PersonId> =
        plan.people_added.iter().map(|person| directory::join(tx, &person.name, now)).collect::<Result<_, _>>()?;
    for grant in &plan.grants_added {
        let person = match grant.who {
            Who::Known(person) => person,
            Who::Added(at) => added[at],
        };
        directory::grant(tx, person, beat(&grant.beat)?.scope, now)?;
    }
    for ended in &plan.grants_ended {
        let ends = Control::GrantEnds { person: ended.person, scope: ended.scope, until: now };
        directory::record(tx, &ends, now)?;
    }
    let mut edits: BTreeMap<i64, Vec<Edit>> = BTreeMap::new();
    for place in &plan.places_added {
        let edit = Edit { kind: Kind::PLACE, id: place.id, puts: place.place.puts(tx.random()?) };
        edits.entry(beat(&place.beat)?.scope_no).or_default().push(edit);
    }
    for place in &plan.places_changed {
        let puts = place.changes.iter().flat_map(puts_of).collect();
        edits.entry(place.scope_no).or_default().push(Edit { kind: Kind::PLACE, id: place.id, puts });
    }
    for place in &plan.places_moved {
        edits.entry(place.from_scope_no).or_default().push(leave(place));
        edits.entry(beat(&place.to_beat)?.scope_no).or_default().push(arrive(place, tx.random()?));
    }
    let of = plan.places_written();
    let mut written = 0;
    for (scope_no, edits) in &edits {
        let authored =
            custody::author_all(tx, identity, *scope_no, edits, None, now, &|done| progress(written + done, of))?;
        authored.map_err(|error| StoreError::Internal(format!("a place was refused: {error:?}")))?;
        written += edits.len();
    }
    Ok(())
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
fn leave(place: &PlaceMoved) -> Edit {
    let puts = vec![
        (STATUS.to_owned(), Value::Text(WITHDRAWN.to_owned())),
        (field::MOVED_TO.to_owned(), Value::Text(place.to.to_string())),
    ];
    Edit { kind: Kind::PLACE, id: place.from, puts }
}

/// The new place says what it carries on. One that comes back goes nowhere any more.
fn arrive(moved: &PlaceMoved, nonce: [u8; 16]) -> Edit {
    let mut puts = moved.place.puts(nonce);
    puts.push((field::CONTINUES.to_owned(), Value::Text(moved.from.to_string())));
    if moved.comes_back {
        // It has its random bytes already.
        puts.retain(|(key, _)| key != aralau_sync_core::change::NONCE);
        puts.push((STATUS.to_owned(), Value::Text(ACTIVE.to_owned())));
        puts.push((field::MOVED_TO.to_owned(), Value::Null));
    }
    Edit { kind: Kind::PLACE, id: moved.to, puts }
}
