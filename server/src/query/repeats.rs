//! Repeat problems: kinds of concern that come up at a place again, soon after the time before.

use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{id::DocumentId, time::Millis};

use super::{
    Blob, Conditions,
    instant::Instant,
    page::{Cursor, Page},
    period::{MOST_DAYS, NoPeriod, Period},
    visits::PlaceName,
};
use crate::{
    calendar::Day,
    reach::Reach,
    store::{REPEAT_WITHIN_MS, StoreError, time_zone},
};

/// Which repeat problems. Everything given must hold.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RepeatFilter {
    /// A beat's code, such as `beat-01`.
    pub beat: Option<String>,
    /// Came up again on this local day or later; twelve weeks before the last one unless given.
    #[param(value_type = Option<String>, format = Date)]
    pub from: Option<Day>,
    /// Came up again on this local day or earlier; today unless given.
    #[param(value_type = Option<String>, format = Date)]
    pub to: Option<Day>,
}

/// A kind of concern that came up at a place again within 90 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RepeatRow {
    /// Where.
    pub place: PlaceName,
    /// The place's beat.
    pub beat: Option<String>,
    /// A code of the list `concern`.
    pub category: String,
    /// When the newest visit began that came within 90 days of one before, later than the period though it may be.
    pub repeated_at: Instant,
    /// Active visits to the place that brought it, of any time.
    pub visits: i64,
}

/// The order of the list: what came up again last comes first.
pub type RepeatKey = (i64, i64, DocumentId, String);

const NEWEST_FIRST: &str = "pc.repeated_at DESC, pc.scope_no DESC, pc.place DESC, pc.category DESC";

/// A page of repeat problems.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RepeatPage {
    /// The latest first.
    pub repeats: Vec<RepeatRow>,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<RepeatKey>>,
}

/// One page of the repeat problems that pass the filter.
pub fn page(
    connection: &Connection,
    reach: &Reach,
    filter: &RepeatFilter,
    page: &Page<RepeatKey>,
    now: Millis,
) -> Result<Result<RepeatPage, NoPeriod>, StoreError> {
    let zone = time_zone(connection)?;
    let period = match Period::of(filter.from, filter.to, MOST_DAYS, zone, now) {
        Ok(period) => period,
        Err(error) => return Ok(Err(error)),
    };
    let mut conditions = Conditions::after([period.from_ms, period.as_of_ms]);
    conditions.also(&came_up_again());
    conditions.within("pc.scope_no", &reach.of_beat(connection, filter.beat.as_deref())?);
    if let Some((repeated_at, scope_no, place, category)) = page.after() {
        conditions.and_pair(
            "(pc.repeated_at, pc.scope_no, pc.place, pc.category) < (?, ?, ?, ?)",
            *repeated_at,
            *scope_no,
        );
        conditions.bind(Blob(*place.as_bytes()));
        conditions.bind(category.clone());
    }
    let visits = has_concern("v");
    // The page first: visits are counted of its rows only.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT pc.repeated_at, pc.scope_no, pc.place, pc.category, b.code, p.address, p.external_code,
             (SELECT count(*) FROM visit v WHERE v.place = pc.place AND v.scope_no = pc.scope_no AND {visits})
         FROM (SELECT * FROM place_concern pc{} ORDER BY {NEWEST_FIRST} LIMIT {}) pc
         LEFT JOIN beat b ON b.scope_no = pc.scope_no
         LEFT JOIN document d ON d.document = pc.place AND d.scope_no = pc.scope_no
         LEFT JOIN place p ON p.document_no = d.document_no ORDER BY {NEWEST_FIRST}",
        conditions.sql,
        page.and_one()
    ))?;
    let rows = statement.query_map(conditions.values(), repeat_row)?;
    let (repeats, next) = page.cut(rows.collect::<Result<_, _>>()?);
    Ok(Ok(RepeatPage { repeats, next }))
}

fn repeat_row(row: &Row<'_>) -> rusqlite::Result<(RepeatKey, RepeatRow)> {
    let place = DocumentId::from_bytes(row.get(2)?);
    let (repeated_at, category): (i64, String) = (row.get(0)?, row.get(3)?);
    let repeat = RepeatRow {
        place: PlaceName { id: place, address: row.get(5)?, external_code: row.get(6)? },
        beat: row.get(4)?,
        category: category.clone(),
        repeated_at: Instant::from_ms(repeated_at),
        visits: row.get(7)?,
    };
    Ok(((repeated_at, row.get(1)?, place, category), repeat))
}

/// Repeat problems of a beat in the period.
pub(super) fn count(connection: &Connection, period: &Period, scope_no: i64) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT count(*) FROM place_concern pc WHERE pc.scope_no = ?3 AND {}",
        came_up_again()
    ))?;
    Ok(statement.query_row([period.from_ms, period.as_of_ms, scope_no], |row| row.get(0))?)
}

/// Of a row `pc`, that it came up again from `?1` to `?2`. Only what has done so since asks its visits.
fn came_up_again() -> String {
    let (of_visit, of_earlier) = (has_concern("v"), has_concern("w"));
    format!(
        "pc.repeated_at >= ?1 AND (pc.repeated_at <= ?2 OR EXISTS (
             SELECT 1 FROM visit v
             WHERE v.place = pc.place AND v.scope_no = pc.scope_no AND v.started_at BETWEEN ?1 AND ?2 AND {of_visit}
               AND +EXISTS (SELECT 1 FROM visit w
                   WHERE w.place = pc.place AND w.scope_no = pc.scope_no
                     AND w.started_at BETWEEN v.started_at - {REPEAT_WITHIN_MS} AND v.started_at
                     AND w.document_no <> v.document_no AND {of_earlier})))"
    )
}

/// Of a visit to the place of `pc`, that it brought the concern. (A plus keeps SQLite from pairing all visits with all earlier
/// ones before it asks either for the concern.)
fn has_concern(visit: &str) -> String {
    format!(
        "{visit}.status = 'active' AND +EXISTS (SELECT 1 FROM concern c
             WHERE c.document_no = {visit}.document_no AND c.category = pc.category AND c.status = 'active')"
    )
}
