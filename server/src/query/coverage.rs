//! Coverage: how often each beat was walked, and where nobody has been met for too long. Read from counts that each visit
//! keeps up (the tables `coverage` and `place_contact`), never from the visits themselves.
//!
//! Days are those of the deployment's time zone. Figures of places stand as of the end of the period, or of now where that is
//! earlier.

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    time::{DAY_MS, Millis},
    visit::ACTIVE,
};

use super::instant::Instant;
use crate::store::{CONTACTED, StoreError, day_number, local_day, row_id, time_zone};

/// A period in days, at most: a year of days, or ten of weeks and months.
const MAX_DAYS: [(Bucket, i64); 3] = [(Bucket::Day, 366), (Bucket::Week, 3_660), (Bucket::Month, 3_660)];
/// A period, unless asked for otherwise: twelve weeks.
const DEFAULT_DAYS: u64 = 84;
/// A place is due so long before it is overdue.
const DUE_AHEAD_MS: i64 = 30 * DAY_MS;
/// A device is silent that has not synced for so long.
const SILENT_MS: i64 = DAY_MS;

/// Which days, and how they are grouped.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoverageFilter {
    /// The first local day, such as `2026-11-01`; twelve weeks before the last one unless given.
    #[param(value_type = Option<String>, format = Date)]
    pub from: Option<Day>,
    /// The last local day; today unless given.
    #[param(value_type = Option<String>, format = Date)]
    pub to: Option<Day>,
    /// How days are grouped.
    #[serde(default)]
    #[param(inline)]
    pub bucket: Bucket,
    /// A beat's code, such as `beat-01`; all beats unless given.
    pub beat: Option<String>,
}

/// What a count is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// A local day.
    Day,
    /// From Monday to Sunday.
    #[default]
    Week,
    /// A calendar month.
    Month,
}

/// A day of the years 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = Date, example = "2026-11-01")]
pub struct Day(NaiveDate);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let day = String::deserialize(deserializer)?.parse::<NaiveDate>().ok();
        let day = day.filter(|day| (0..=9999).contains(&day.year()));
        day.map(Self).ok_or_else(|| D::Error::custom("not a date such as 2026-11-01"))
    }
}

/// Coverage of a period.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Coverage {
    /// The first local day.
    pub from: Day,
    /// The last local day.
    pub to: Day,
    /// What a point of the series is of.
    pub bucket: Bucket,
    /// Whose days, as the IANA names it.
    pub time_zone: String,
    /// One point for each beat and each stretch of time with a visit, by beat and time.
    pub series: Vec<Point>,
    /// One element for each beat.
    pub beats: Vec<BeatFigures>,
    /// What may still be missing.
    pub freshness: Freshness,
}

/// Visits of a beat that began in one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Point {
    /// The beat's code.
    pub beat: String,
    /// The first day of the stretch, also where the period begins later.
    pub start: Day,
    /// Active visits.
    pub visits: i64,
    /// Of these, those where somebody was met.
    pub contacted: i64,
    /// Of these, those with any other outcome.
    pub attempted: i64,
    /// Of these, those that came more than a day after they were written.
    pub late: i64,
}

/// How a beat stands. What nothing is known of is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BeatFigures {
    /// The beat's code.
    pub beat: String,
    /// Its name.
    pub name: String,
    /// Active places.
    pub places: i64,
    /// Places where somebody was met in the period.
    pub contacted_places: i64,
    /// Other places that were tried in the period.
    pub attempted_places: i64,
    /// Places where nobody was ever met, and those that will be overdue within 30 days.
    pub due_places: i64,
    /// Places where somebody was last met longer ago than the visit interval.
    pub overdue_places: i64,
    /// Promises that nobody has fulfilled yet.
    pub commitments_open: i64,
    /// Of these, those whose day has passed.
    pub commitments_overdue: i64,
    /// Pairs of a place and a kind of concern that two or more visits brought.
    pub repeat_problems: i64,
}

/// How much may still be on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Freshness {
    /// When this was read.
    pub as_of: Instant,
    /// Devices that may write.
    pub devices: i64,
    /// Of these, those that have not synced for a day.
    pub silent_devices: i64,
    /// When the oldest entry was written that a device had not sent when it last synced.
    pub oldest_unsent_at: Option<Instant>,
}

/// Why there is no such coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPeriod {
    /// It ends before it begins.
    #[error("to: the period ends before it begins")]
    Backwards,
    /// Longer than is counted for its bucket.
    #[error("from: a period has at most 366 days, or 3,660 by week or month")]
    TooLong,
}

/// Reads the coverage of a period.
pub fn read(
    connection: &Connection,
    filter: &CoverageFilter,
    visit_interval_days: u32,
    now: Millis,
) -> Result<Result<Coverage, NoPeriod>, StoreError> {
    let zone = time_zone(connection)?;
    let period = match Period::of(filter, zone, now) {
        Ok(period) => period,
        Err(error) => return Ok(Err(error)),
    };
    let beat = filter.beat.as_deref();
    Ok(Ok(Coverage {
        from: Day(period.first),
        to: Day(period.last),
        bucket: filter.bucket,
        time_zone: zone.name().to_owned(),
        series: series(connection, &period, filter.bucket, beat)?,
        beats: figures(connection, &period, i64::from(visit_interval_days) * DAY_MS, beat)?,
        freshness: freshness(connection, beat, now)?,
    }))
}

/// A run of days, and its instants.
struct Period {
    first: NaiveDate,
    last: NaiveDate,
    /// The first instant of the first day.
    from_ms: i64,
    /// The last instant of the last day, or now where that is earlier.
    as_of_ms: i64,
    /// The local day of that instant.
    as_of: NaiveDate,
}

impl Period {
    fn of(filter: &CoverageFilter, zone: Tz, now: Millis) -> Result<Self, NoPeriod> {
        let today = local_day(now, zone);
        let last = filter.to.map_or(today, |day| day.0);
        let default = last.checked_sub_days(Days::new(DEFAULT_DAYS - 1)).unwrap_or(last);
        let first = filter.from.map_or(default, |day| day.0);
        let days = day_number(last) - day_number(first) + 1;
        if days < 1 {
            return Err(NoPeriod::Backwards);
        }
        if MAX_DAYS.iter().any(|(bucket, most)| *bucket == filter.bucket && days > *most) {
            return Err(NoPeriod::TooLong);
        }
        let after = last.succ_opt().map_or(i64::MAX, |day| midnight(day, zone));
        let as_of_ms = now.0.min(after.saturating_sub(1));
        Ok(Self { first, last, from_ms: midnight(first, zone), as_of_ms, as_of: local_day(Millis(as_of_ms), zone) })
    }
}

/// The first instant of a day; where clocks leap over midnight, the first one after.
fn midnight(day: NaiveDate, zone: Tz) -> i64 {
    let local = day.and_time(NaiveTime::MIN);
    let instant = zone.from_local_datetime(&local).earliest();
    instant.map_or_else(|| local.and_utc().timestamp_millis(), |instant| instant.timestamp_millis())
}

impl Bucket {
    /// The first day of the stretch that holds a day.
    fn start(self, day: NaiveDate) -> NaiveDate {
        let back = match self {
            Self::Day => 0,
            Self::Week => day.weekday().num_days_from_monday(),
            Self::Month => day.day0(),
        };
        day.checked_sub_days(Days::new(u64::from(back))).unwrap_or(day)
    }
}

fn series(
    connection: &Connection,
    period: &Period,
    bucket: Bucket,
    beat: Option<&str>,
) -> Result<Vec<Point>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT b.code, c.day, c.visits, c.contacted, c.attempted, c.late
         FROM beat b CROSS JOIN coverage c ON c.scope_no = b.scope_no AND c.day BETWEEN ?1 AND ?2
         WHERE ?3 IS NULL OR b.code = ?3 ORDER BY b.code, c.day",
    )?;
    let mut rows = statement.query(params![day_number(period.first), day_number(period.last), beat])?;
    let mut series: Vec<Point> = Vec::new();
    while let Some(row) = rows.next()? {
        let point = point(row, bucket)?;
        match series.last_mut().filter(|last| (&last.beat, last.start) == (&point.beat, point.start)) {
            Some(last) => last.add(&point),
            None => series.push(point),
        }
    }
    Ok(series)
}

fn point(row: &Row<'_>, bucket: Bucket) -> rusqlite::Result<Point> {
    let day = NaiveDate::default() + chrono::TimeDelta::days(row.get(1)?);
    Ok(Point {
        beat: row.get(0)?,
        start: Day(bucket.start(day)),
        visits: row.get(2)?,
        contacted: row.get(3)?,
        attempted: row.get(4)?,
        late: row.get(5)?,
    })
}

impl Point {
    fn add(&mut self, other: &Self) {
        self.visits += other.visits;
        self.contacted += other.contacted;
        self.attempted += other.attempted;
        self.late += other.late;
    }
}

fn figures(
    connection: &Connection,
    period: &Period,
    interval_ms: i64,
    beat: Option<&str>,
) -> Result<Vec<BeatFigures>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT code, name, scope_no FROM beat WHERE ?1 IS NULL OR code = ?1 ORDER BY code")?;
    let beats = statement.query_map([beat], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let beats: Vec<(String, String, i64)> = beats.collect::<Result<_, _>>()?;
    let figures = beats.into_iter().map(|(beat, name, scope_no)| {
        let places = places(connection, period, interval_ms, scope_no)?;
        let (commitments_open, commitments_overdue) = commitments(connection, period, scope_no)?;
        Ok(BeatFigures {
            beat,
            name,
            places: places.known,
            contacted_places: places.contacted,
            attempted_places: places.attempted,
            due_places: places.due,
            overdue_places: places.overdue,
            commitments_open,
            commitments_overdue,
            repeat_problems: repeat_problems(connection, scope_no)?,
        })
    });
    figures.collect()
}

struct Places {
    known: i64,
    contacted: i64,
    attempted: i64,
    due: i64,
    overdue: i64,
}

/// The places of a beat by when somebody was last met there. Only a place that has been visited since the period ended
/// asks its visits, from the newest before on.
fn places(connection: &Connection, period: &Period, interval_ms: i64, scope_no: i64) -> Result<Places, StoreError> {
    let last_before = |outcome: &str| {
        format!(
            "(SELECT min(v.started_at, v.received_at) FROM visit v
              WHERE v.place = d.document AND v.started_at <= ?3 AND v.scope_no = d.scope_no
                AND v.status = '{ACTIVE}' AND v.outcome {outcome} '{CONTACTED}'
              ORDER BY v.started_at DESC LIMIT 1)"
        )
    };
    let (contacted_before, attempted_before) = (last_before("="), last_before("<>"));
    let mut statement = connection.prepare_cached(&format!(
        "WITH standing AS (
             SELECT CASE WHEN c.contacted_at > ?3 THEN {contacted_before} ELSE c.contacted_at END AS contacted_at,
                 CASE WHEN c.attempted_at > ?3 THEN {attempted_before} ELSE c.attempted_at END AS attempted_at
             FROM document d JOIN place p USING (document_no)
             LEFT JOIN place_contact c ON c.scope_no = d.scope_no AND c.place = d.document
             WHERE d.document_no > ?1 AND d.document_no < ?2 AND p.status = '{ACTIVE}')
         SELECT count(*),
             count(*) FILTER (WHERE contacted_at >= ?4),
             count(*) FILTER (WHERE attempted_at >= ?4 AND coalesce(contacted_at < ?4, 1)),
             count(*) FILTER (WHERE contacted_at IS NULL OR contacted_at BETWEEN ?5 AND ?6 - 1),
             count(*) FILTER (WHERE contacted_at < ?5)
         FROM standing"
    ))?;
    let overdue_before = period.as_of_ms - interval_ms;
    let [first, last] = documents_of(scope_no);
    let values = params![first, last, period.as_of_ms, period.from_ms, overdue_before, overdue_before + DUE_AHEAD_MS,];
    let places = statement.query_row(values, |row| {
        Ok(Places {
            known: row.get(0)?,
            contacted: row.get(1)?,
            attempted: row.get(2)?,
            due: row.get(3)?,
            overdue: row.get(4)?,
        })
    });
    Ok(places?)
}

/// The numbers of a scope's documents lie between these.
const fn documents_of(scope_no: i64) -> [i64; 2] {
    [row_id(scope_no, 0), row_id(scope_no + 1, 0)]
}

/// A beat's open promises, and those of them whose day has passed.
fn commitments(connection: &Connection, period: &Period, scope_no: i64) -> Result<(i64, i64), StoreError> {
    let [first, last] = documents_of(scope_no);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT count(*), count(*) FILTER (WHERE c.due < ?3) FROM commitment c CROSS JOIN visit v USING (document_no)
         WHERE c.document_no > ?1 AND c.document_no < ?2
           AND c.fulfilled_at IS NULL AND c.status = '{ACTIVE}' AND v.status = '{ACTIVE}'"
    ))?;
    let today = period.as_of.format("%Y-%m-%d").to_string();
    Ok(statement.query_row(params![first, last, today], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Kinds of concern that came up at one place of a beat in two or more visits.
fn repeat_problems(connection: &Connection, scope_no: i64) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT count(*) FROM (
             SELECT 1 FROM concern c CROSS JOIN visit v USING (document_no)
             WHERE c.document_no > ?1 AND c.document_no < ?2
               AND c.status = '{ACTIVE}' AND v.status = '{ACTIVE}' AND c.category IS NOT NULL AND v.place IS NOT NULL
             GROUP BY v.place, c.category HAVING count(DISTINCT document_no) > 1)"
    ))?;
    Ok(statement.query_row(documents_of(scope_no), |row| row.get(0))?)
}

/// Of the devices of those who work the beat, or of all.
fn freshness(connection: &Connection, beat: Option<&str>, now: Millis) -> Result<Freshness, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*), count(*) FILTER (WHERE coalesce(s.last_sync_at, 0) < ?1),
             min(s.oldest_unsent_at) FILTER (WHERE s.unsent > 0)
         FROM device d LEFT JOIN device_status s USING (device)
         WHERE d.revoked_at IS NULL AND NOT d.server_custody AND (?2 IS NULL OR d.person IN
             (SELECT g.person FROM granted g JOIN beat b USING (scope_no)
              WHERE b.code = ?2 AND g.from_ms <= ?3 AND (g.until_ms IS NULL OR g.until_ms > ?3)))",
    )?;
    let freshness = statement.query_row(params![now.0 - SILENT_MS, beat, now.0], |row| {
        Ok(Freshness {
            as_of: Instant(now),
            devices: row.get(0)?,
            silent_devices: row.get(1)?,
            oldest_unsent_at: row.get::<_, Option<i64>>(2)?.map(Instant::from_ms),
        })
    });
    Ok(freshness?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_week_begins_on_monday_and_a_month_on_its_first() {
        for (bucket, start) in
            [(Bucket::Day, "2026-11-01"), (Bucket::Week, "2026-10-26"), (Bucket::Month, "2026-11-01")]
        {
            assert_eq!(bucket.start(day("2026-11-01")), day(start), "{bucket:?}");
        }
    }

    #[test]
    fn a_period_is_bounded_and_does_not_run_backwards() {
        let now = Millis(1_780_000_000_000);
        let of = |from: &str, to: &str, bucket| {
            let filter =
                CoverageFilter { from: Some(Day(day(from))), to: Some(Day(day(to))), bucket, ..Default::default() };
            Period::of(&filter, Tz::UTC, now).map(|period| (period.from_ms, period.as_of_ms)).ok()
        };
        assert_eq!(of("1970-01-01", "1970-01-01", Bucket::Day), Some((0, DAY_MS - 1)));
        assert_eq!(of("2026-05-01", "2026-12-31", Bucket::Day).map(|(_, as_of)| as_of), Some(now.0));
        assert_eq!(of("2026-01-02", "2026-01-01", Bucket::Day), None);
        assert_eq!(of("2024-01-01", "2026-01-01", Bucket::Day), None);
        assert!(of("2024-01-01", "2026-01-01", Bucket::Month).is_some());
        assert_eq!(of("0000-01-01", "9999-12-31", Bucket::Month), None);
    }
}
