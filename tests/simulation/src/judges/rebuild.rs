//! I8: rebuilding the projections from the log gives identical rows.

use std::{collections::BTreeMap, path::Path};

use super::{Judge, Judgement, violated};
use crate::{
    transcript::{all, look_into},
    world::World,
};

/// What is not projected from the log: the log itself and what is needed to extend it, and facts of operation.
const TRUTH: [&str; 10] =
    ["meta", "scope", "stream", "head", "log", "device_status", "enrollment_code", "token", "session", "beat_area"];

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
    let projected = names.into_iter().filter(|name| !TRUTH.contains(&name.as_str()) && !name.starts_with("note_"));
    projected
        .map(|name| {
            let columns = connection.prepare(&format!("SELECT * FROM {name}")).expect("a table").column_count();
            let read = |row: &rusqlite::Row<'_>| {
                let values = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at));
                Ok(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?))
            };
            let mut rows = all(&connection, &format!("SELECT * FROM {name}"), read).expect("reads");
            rows.sort();
            (name, rows)
        })
        .collect()
}
