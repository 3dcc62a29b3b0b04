//! Tables that people hand in: a plan or a named refusal, and each row of a plan fits into a change.

use std::collections::BTreeSet;

use aralau::{
    import::{self, FieldValue, Import, ImportRow},
    tables::{Content, File, Tables, column::Kind, fault::MOST_FAULTS},
};
use aralau_server::store::{Known, LoadOptions, Plan};
use aralau_sync_core::{
    change::{Change, ChangeParts, Put, Value},
    document::Document,
    id::{Actor, ReplicaId},
};

use crate::passed;

const HEADER: &[u8] = b"date,time,occupancy,precinct,bbl,reason,address,zip,floor,team,notes,buildings_violations,\
    fire_violations,police_summonses,police_arrests,health_summonses,citation-YN\n";

/// The first byte chooses the table.
pub fn csv(data: &[u8]) {
    let Some((door, bytes)) = data.split_first() else { return };
    match door % 6 {
        0 => inspections(bytes),
        1 | 2 => inspections(&[HEADER, bytes].concat()),
        3 => organisation(Content::Any, bytes.to_vec()),
        4 => organisation(
            Content::One(Kind::Places),
            [b"beat,address,external_code,place_type,lat,lon\n", bytes].concat(),
        ),
        _ => organisation(Content::One(Kind::Staff), [b"name,beat\n", bytes].concat()),
    }
}

/// A plan or named faults: of rows that were read the plan loses none.
fn organisation(content: Content, bytes: Vec<u8>) {
    let tables = Tables::of(&[File { name: "table".to_owned(), content, bytes: Ok(bytes) }]);
    assert!(tables.faults.faults.len() <= MOST_FAULTS);
    let beats: BTreeSet<_> = tables.organisation.places.iter().map(|place| &place.beat).collect();
    let mut wanted = tables.organisation.clone();
    wanted.beats.extend(beats.into_iter().map(|beat| (beat.clone(), String::new())));
    let Ok(plan) = Plan::of(&Known::default(), &wanted, LoadOptions::default()) else { return };
    assert!(plan.places_added.len() + plan.left.repeated_rows >= wanted.places.len());
    let actor = Actor { replica: ReplicaId([1; 14]), generation: 0 };
    for place in &plan.places_added {
        passed();
        Document::begin(actor, &place.place.puts([7; 16])).expect("a place fits into a change");
    }
}

fn inspections(table: &[u8]) {
    let Ok(import) = import::read(table) else { return };
    consistent(&import);
    for visit in &import.visits {
        for (at, row) in visit.rows.iter().enumerate() {
            passed();
            loggable(row, &row.fields);
            if let Some(earlier) = at.checked_sub(1).and_then(|before| visit.rows.get(before)) {
                loggable(row, &row.edit_since(earlier));
            }
        }
    }
}

fn consistent(import: &Import) {
    let rows: usize = import.visits.iter().map(|visit| visit.rows.len()).sum();
    assert_eq!(rows + import.rejected.len(), import.rows);
    let duplicates = import.visits.iter().flat_map(|visit| &visit.rows).filter(|row| row.duplicate).count();
    assert_eq!(duplicates, import.duplicate_rows);
    let places: Vec<_> = import.places.iter().map(|place| place.id).collect();
    for visit in &import.visits {
        assert!(!visit.rows.is_empty());
        assert!(visit.place.is_none_or(|place| places.contains(&place)));
        for row in &visit.rows {
            assert!(!row.team.is_empty() && row.team.iter().all(|name| import.inspectors.contains(name)));
        }
    }
    import.dirt_counts();
}

/// All fields of a row and one of its notes are one change of a document.
fn loggable(row: &ImportRow, fields: &[(String, FieldValue)]) {
    let value = |value: &FieldValue| match value {
        FieldValue::Text(text) => Value::Text(text.clone()),
        FieldValue::Int(number) => Value::Int(*number),
        FieldValue::Bool(flag) => Value::Boolean(*flag),
    };
    let longest = row.notes.iter().max_by_key(|note| note.len()).cloned();
    let note = longest.map(|text| ("notes/0f8fad5b-d9cb-469f-a165-70867728950e/text".to_owned(), Value::Text(text)));
    let all = fields.iter().map(|(key, field)| (key.clone(), value(field))).chain(note);
    let puts: Vec<_> = all.map(|(key, value)| Put { key, value, predecessors: Vec::new() }).collect();
    if puts.is_empty() {
        return;
    }
    let actor = Actor { replica: ReplicaId([1; 14]), generation: 0 };
    let parts = ChangeParts { actor, sequence: 1, start_op: 1, dependencies: Vec::new(), puts };
    Change::build(parts).expect("a row fits into a change");
}
