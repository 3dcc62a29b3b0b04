//! How often a beat was walked, and when somebody was last met at a place: counts kept up by each visit that is written.
//!
//! A visit counts for a day by its beginning, in the deployment's time zone; withdrawn ones do not count. What a visit
//! adds is its [`Tally`], which follows from its row in `visit`: an edit takes the old one away and adds the new one.

use aralau_sync_core::{
    time::Millis,
    visit::{ACTIVE, CONTACTED, Visit},
};
use chrono_tz::Tz;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{StoreError, Transaction};
use crate::calendar::Day;

/// Where the first deployments are.
pub const DEFAULT_TIME_ZONE: Tz = chrono_tz::Asia::Almaty;

const TIME_ZONE: &str = "time_zone";

/// The columns of `visit` that a tally follows from.
const COLUMNS: &str = "scope_no, place, outcome, status, started_at, received_at, late";

/// What a visit adds to the counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    scope_no: i64,
    place: Option<[u8; 16]>,
    outcome: Outcome,
    started_at: i64,
    received_at: i64,
    late: bool,
}

/// What is counted of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Contacted,
    /// Any other.
    Attempted,
    Unknown,
}

impl Outcome {
    fn of(code: Option<&str>) -> Self {
        match code {
            Some(CONTACTED) => Self::Contacted,
            Some(_) => Self::Attempted,
            None => Self::Unknown,
        }
    }
}

impl Tally {
    /// What a visit is to add whose row has these columns; a withdrawn one adds nothing.
    pub(super) fn of(
        scope_no: i64,
        visit: &Visit,
        started_at: Millis,
        received_at: Millis,
        late: bool,
    ) -> Option<Self> {
        (visit.status == ACTIVE).then(|| Self {
            scope_no,
            place: visit.place.map(|place| *place.as_bytes()),
            outcome: Outcome::of(visit.outcome.as_deref()),
            started_at: started_at.0,
            received_at: received_at.0,
            late,
        })
    }

    /// What the row of a document adds now.
    pub(super) fn written(tx: &Connection, document_no: i64) -> Result<Option<Self>, StoreError> {
        let mut statement =
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM visit WHERE document_no = ? AND status = '{ACTIVE}'"))?;
        Ok(statement.query_row([document_no], Self::from_row).optional()?)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let outcome: Option<String> = row.get("outcome")?;
        Ok(Self {
            scope_no: row.get("scope_no")?,
            place: row.get("place")?,
            outcome: Outcome::of(outcome.as_deref()),
            started_at: row.get("started_at")?,
            received_at: row.get("received_at")?,
            late: row.get("late")?,
        })
    }

    /// When somebody stood at the door: a clock that runs ahead does not put a place off for years.
    fn met_at(&self) -> i64 {
        self.started_at.min(self.received_at)
    }
}

/// Brings the counts from what a visit added `before` to what it adds `now` that its row is written anew.
pub(super) fn follow(tx: &Connection, before: Option<&Tally>, now: Option<&Tally>) -> Result<(), StoreError> {
    if before == now {
        return Ok(());
    }
    let zone = time_zone(tx)?;
    if let Some(before) = before {
        count(tx, before, zone, -1)?;
        forget_place(tx, before)?;
    }
    if let Some(now) = now {
        count(tx, now, zone, 1)?;
        note_place(tx, now)?;
    }
    Ok(())
}

fn count(tx: &Connection, tally: &Tally, zone: Tz, sign: i64) -> Result<(), StoreError> {
    let day = Day::of(Millis(tally.started_at), zone).number();
    let one = |counts: bool| if counts { sign } else { 0 };
    tx.prepare_cached(
        "INSERT INTO coverage (scope_no, day, visits, contacted, attempted, late) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET visits = visits + ?3, contacted = contacted + ?4, attempted = attempted + ?5,
             late = late + ?6",
    )?
    .execute(params![
        tally.scope_no,
        day,
        sign,
        one(tally.outcome == Outcome::Contacted),
        one(tally.outcome == Outcome::Attempted),
        one(tally.late),
    ])?;
    if sign < 0 {
        tx.prepare_cached("DELETE FROM coverage WHERE scope_no = ? AND day = ? AND visits = 0")?
            .execute([tally.scope_no, day])?;
    }
    Ok(())
}

fn note_place(tx: &Connection, tally: &Tally) -> Result<(), StoreError> {
    let Some(place) = &tally.place else { return Ok(()) };
    let (contacted_at, attempted_at) = match tally.outcome {
        Outcome::Contacted => (Some(tally.met_at()), None),
        Outcome::Attempted => (None, Some(tally.met_at())),
        Outcome::Unknown => return Ok(()),
    };
    tx.prepare_cached(
        "INSERT INTO place_contact (scope_no, place, contacted_at, attempted_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET
             contacted_at = max(coalesce(contacted_at, ?3), coalesce(?3, contacted_at)),
             attempted_at = max(coalesce(attempted_at, ?4), coalesce(?4, attempted_at))",
    )?
    .execute(params![tally.scope_no, place, contacted_at, attempted_at])?;
    Ok(())
}

/// What was the newest may not be any more: the place's visits are asked again, which an edit is worth.
fn forget_place(tx: &Connection, tally: &Tally) -> Result<(), StoreError> {
    let Some(place) = &tally.place else { return Ok(()) };
    ask_again(tx, tally.scope_no, place)
}

/// When a place was visited last, by the visits that are found there.
pub(super) fn ask_again(tx: &Connection, scope_no: i64, place: &[u8; 16]) -> Result<(), StoreError> {
    let of_place = params![scope_no, place];
    tx.prepare_cached("DELETE FROM place_contact WHERE scope_no = ? AND place = ?")?.execute(of_place)?;
    tx.prepare_cached(&format!(
        "INSERT INTO place_contact (scope_no, place, contacted_at, attempted_at)
         SELECT scope_no, place,
             max(CASE WHEN outcome = '{CONTACTED}' THEN min(started_at, received_at) END),
             max(CASE WHEN outcome <> '{CONTACTED}' THEN min(started_at, received_at) END)
         FROM visit WHERE scope_no = ? AND place = ? AND status = '{ACTIVE}' AND outcome IS NOT NULL
         GROUP BY scope_no, place"
    ))?
    .execute(of_place)?;
    Ok(())
}

/// The zone by whose days the deployment counts.
pub fn time_zone(connection: &Connection) -> Result<Tz, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?")?;
    let name: Option<Vec<u8>> = statement.query_row([TIME_ZONE], |row| row.get(0)).optional()?;
    let Some(name) = name else { return Ok(DEFAULT_TIME_ZONE) };
    let zone = std::str::from_utf8(&name).ok().and_then(|name| name.parse().ok());
    zone.ok_or_else(|| StoreError::corrupt("the time zone"))
}

/// From now on days are this zone's; what was counted by another's is counted anew.
pub fn set_time_zone(tx: &Transaction<'_>, zone: Tz) -> Result<(), StoreError> {
    if time_zone(tx)? == zone {
        return Ok(());
    }
    tx.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", params![TIME_ZONE, zone.name().as_bytes()])?;
    tx.execute("DELETE FROM coverage", [])?;
    let mut statement = tx.prepare(&format!("SELECT {COLUMNS} FROM visit WHERE status = '{ACTIVE}'"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        count(tx, &Tally::from_row(row)?, zone, 1)?;
    }
    Ok(())
}
