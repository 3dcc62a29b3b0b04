//! What a visit leaves to come back for: promises that nobody has fulfilled yet, and concerns that come up again. Kept up
//! by each visit that is written, as [`super::coverage`] is, so that headquarters' figures of today never scan visits.

use std::collections::{BTreeMap, BTreeSet};

use aralau_sync_core::{
    change::Value,
    time::{DAY_MS, Millis},
    visit::{ACTIVE, Visit},
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::StoreError;

/// A kind of concern is a repeat problem that comes up at one place again within so long.
pub const REPEAT_WITHIN_MS: i64 = 90 * DAY_MS;

/// What one visit adds; nothing if it is withdrawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FollowUp {
    /// Open promises by the day that they are due, empty where they name none.
    promises: BTreeMap<String, i64>,
    concerns: Concerns,
}

/// The kinds of concern that came up at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Concerns {
    place: [u8; 16],
    started_at: i64,
    categories: BTreeSet<String>,
}

impl FollowUp {
    /// What a visit is to add.
    pub(super) fn of(visit: &Visit, started_at: Millis) -> Self {
        if visit.status != ACTIVE {
            return Self::default();
        }
        let mut promises = BTreeMap::new();
        for promise in visit.open_promises() {
            let due = promise.get("due").and_then(Value::as_text).unwrap_or_default();
            *promises.entry(due.to_owned()).or_default() += 1;
        }
        let concerns = visit.place.map(|place| Concerns {
            place: *place.as_bytes(),
            started_at: started_at.0,
            categories: visit
                .active("concerns")
                .filter_map(|fields| fields.get("category").and_then(Value::as_text).map(str::to_owned))
                .collect(),
        });
        Self { promises, concerns: concerns.unwrap_or_default() }
    }

    /// What the rows of a document add now.
    pub(super) fn written(tx: &Connection, document_no: i64) -> Result<Self, StoreError> {
        let mut statement = tx.prepare_cached(&format!(
            "SELECT place, started_at, promises FROM visit WHERE document_no = ? AND status = '{ACTIVE}'"
        ))?;
        let visit = statement.query_row([document_no], |row| {
            Ok((row.get::<_, Option<[u8; 16]>>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let Some((place, started_at, promises)) = visit.optional()? else { return Ok(Self::default()) };
        let promises = if promises == 0 { BTreeMap::new() } else { written_promises(tx, document_no)? };
        let concerns = match place {
            Some(place) => Concerns { place, started_at, categories: written_categories(tx, document_no)? },
            None => Concerns::default(),
        };
        Ok(Self { promises, concerns })
    }

    /// Promises that are open.
    pub(super) fn open(&self) -> i64 {
        self.promises.values().sum()
    }

    /// The first day that one of them is due.
    pub(super) fn due(&self) -> Option<&str> {
        self.promises.keys().map(String::as_str).find(|due| !due.is_empty())
    }
}

fn written_promises(tx: &Connection, document_no: i64) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT coalesce(due, ''), count(*) FROM commitment
         WHERE document_no = ? AND fulfilled_at IS NULL AND status = '{ACTIVE}' GROUP BY 1"
    ))?;
    let promises = statement.query_map([document_no], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(promises.collect::<Result<_, _>>()?)
}

pub(super) fn written_categories(tx: &Connection, document_no: i64) -> Result<BTreeSet<String>, StoreError> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT category FROM concern WHERE document_no = ? AND status = '{ACTIVE}' AND category IS NOT NULL"
    ))?;
    let categories = statement.query_map([document_no], |row| row.get(0))?;
    Ok(categories.collect::<Result<_, _>>()?)
}

/// Brings the counts from what a visit added `before` to what it adds `now` that its rows are written anew.
pub(super) fn follow(tx: &Connection, scope_no: i64, before: &FollowUp, now: &FollowUp) -> Result<(), StoreError> {
    if before.promises != now.promises {
        count(tx, scope_no, &before.promises, -1)?;
        count(tx, scope_no, &now.promises, 1)?;
    }
    if before.concerns != now.concerns {
        // What was the newest may not be any more, which an edit is worth asking for.
        for category in &before.concerns.categories {
            ask_again(tx, scope_no, &before.concerns.place, category)?;
        }
        for category in &now.concerns.categories {
            note(tx, scope_no, &now.concerns, category)?;
        }
    }
    Ok(())
}

fn count(tx: &Connection, scope_no: i64, promises: &BTreeMap<String, i64>, sign: i64) -> Result<(), StoreError> {
    for (due, open) in promises {
        tx.prepare_cached(
            "INSERT INTO promise (scope_no, due, open) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET open = open + ?3",
        )?
        .execute(params![scope_no, due, sign * open])?;
        if sign < 0 {
            tx.prepare_cached("DELETE FROM promise WHERE scope_no = ? AND due = ? AND open = 0")?
                .execute(params![scope_no, due])?;
        }
    }
    Ok(())
}

fn note(tx: &Connection, scope_no: i64, concerns: &Concerns, category: &str) -> Result<(), StoreError> {
    let Concerns { place, started_at, .. } = concerns;
    let noted = tx
        .prepare_cached(
            "INSERT INTO place_concern (scope_no, place, category, last_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET last_at = ?4,
                 repeated_at = CASE WHEN ?4 - last_at <= ?5 THEN ?4 ELSE repeated_at END
             WHERE ?4 > last_at",
        )?
        .execute(params![scope_no, place, category, started_at, REPEAT_WITHIN_MS])?;
    // Something newer has come before it, or it was asked for already.
    if noted == 0 { ask_again(tx, scope_no, place, category) } else { Ok(()) }
}

/// From the visits to the place, newest first, until two follow each other closely enough.
pub(super) fn ask_again(tx: &Connection, scope_no: i64, place: &[u8; 16], category: &str) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM place_concern WHERE scope_no = ? AND place = ? AND category = ?")?
        .execute(params![scope_no, place, category])?;
    let mut statement = tx.prepare_cached(&format!(
        "SELECT v.started_at FROM visit v
         WHERE v.place = ?1 AND v.scope_no = ?2 AND v.status = '{ACTIVE}' AND {HAS_CONCERN}
         ORDER BY v.started_at DESC"
    ))?;
    let mut rows = statement.query(params![place, scope_no, category])?;
    let (mut last_at, mut newer, mut repeated_at): (Option<i64>, Option<i64>, _) = (None, None, None);
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        last_at.get_or_insert(at);
        repeated_at = newer.filter(|newer| newer.saturating_sub(at) <= REPEAT_WITHIN_MS);
        if repeated_at.is_some() {
            break;
        }
        newer = Some(at);
    }
    let Some(last_at) = last_at else { return Ok(()) };
    tx.prepare_cached(
        "INSERT INTO place_concern (scope_no, place, category, last_at, repeated_at) VALUES (?, ?, ?, ?, ?)",
    )?
    .execute(params![scope_no, place, category, last_at, repeated_at])?;
    Ok(())
}

/// Of visit `v`, for the category `?3`.
const HAS_CONCERN: &str = "EXISTS (SELECT 1 FROM concern c
    WHERE c.document_no = v.document_no AND c.category = ?3 AND c.status = 'active')";
