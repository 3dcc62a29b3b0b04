//! I8: rebuilding the projections from the log gives identical rows and finds the same by every word, and leaves everything
//! else as it was.

use std::{collections::BTreeMap, path::Path};

use rusqlite::Connection;

use super::{Judge, Judgement, violated};
use crate::{
    transcript::{all, look_into},
    world::World,
};

/// Where a rebuild notes what it has done.
const NOTES: &str = "meta";
/// What is found by words.
const INDEXES: [&str; 2] = ["note_text", "place_text"];

/// See the module.
pub struct Rebuild;

impl Judge for Rebuild {
    fn at_rest(&mut self, world: &World) -> Judgement {
        judge(world)
    }
}

/// Rebuilds, and compares every table with what it was.
pub fn judge(world: &World) -> Judgement {
    let database = world.server.database();
    let before = tables(&database);
    let report = world.server.app().store().rebuild();
    if let Err(error) = report {
        return violated("I8", format!("the projections cannot be rebuilt: {error}"));
    }
    let after = tables(&database);
    for (table, rows) in &before {
        let now = &after[table];
        if let Some(row) = rows.iter().find(|row| now.binary_search(row).is_err()) {
            return violated("I8", format!("a rebuild took from {table}: {row}"));
        }
        if let Some(row) = now.iter().find(|row| rows.binary_search(row).is_err()) {
            return violated("I8", format!("a rebuild added to {table}: {row}"));
        }
    }
    Ok(())
}

fn tables(database: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = look_into(database).expect("the database opens");
    let named = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let names = all(&connection, named, |row| row.get::<_, String>(0)).expect("reads");
    let is_index = |name: &str| INDEXES.iter().any(|index| name.starts_with(index)) || name == "note_word";
    let plain = names.into_iter().filter(|name| name != NOTES && !is_index(name));
    let rows = plain.map(|name| {
        let columns = connection.prepare(&format!("SELECT * FROM {name}")).expect("a table").column_count();
        let read = |row: &rusqlite::Row<'_>| {
            let values = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at));
            Ok(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?))
        };
        let mut rows = all(&connection, &format!("SELECT * FROM {name}"), read).expect("reads");
        rows.sort();
        (name, rows)
    });
    rows.chain(INDEXES.into_iter().map(|index| (index.to_owned(), found_by_words(&connection, index)))).collect()
}

/// What an index finds by each of the words that it may know. Its own tables may say the same in other ways.
fn found_by_words(connection: &Connection, index: &str) -> Vec<String> {
    let terms =
        format!("CREATE VIRTUAL TABLE IF NOT EXISTS temp.{index}_terms USING fts5vocab ('main', '{index}', 'row')");
    connection.execute_batch(&terms).expect("a table of one's own");
    let words = all(connection, &format!("SELECT term FROM temp.{index}_terms"), |row| row.get::<_, String>(0));
    let find = format!("SELECT rowid FROM {index} WHERE {index} MATCH ? ORDER BY rowid");
    let mut find = connection.prepare(&find).expect("an index");
    let mut found = Vec::new();
    for word in words.expect("reads") {
        let quoted = format!("\"{}\"", word.replace('"', "\"\""));
        let rows = find.query_map([quoted], |row| row.get::<_, i64>(0)).expect("a word");
        found.extend(rows.map(|row| format!("{word}: {}", row.expect("reads"))));
    }
    found.sort();
    found
}
