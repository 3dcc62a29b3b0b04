//! Coverage: how often each beat was walked, and where nobody has been met for too long. Read from counts that each visit
//! keeps up (the tables `coverage`, `place_contact`, `promise` and `place_concern`), never from the visits themselves.
//!
//! Days are those of the deployment's time zone. Figures of places stand as of the end of the period, or of now where that is
//! earlier.

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    time::{DAY_MS, Millis},
    visit::ACTIVE,
};

use super::{
    beats,
    instant::Instant,
    people::works_within,
    period::{MOST_DAYS, MOST_DAYS_BY_DAY, NoPeriod, Period},
    repeats,
    standing::{self, Standing},
};
use crate::{
    calendar::Day,
    reach::Reach,
    store::{BeatRow, StoreError, row_id, time_zone},
};

/// A device is silent that has not synced for so long.
pub(super) const SILENT_MS: i64 = DAY_MS;

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
    /// One point for each beat and each stretch of time with a visit, by the beat's code and time.
    pub series: Vec<Point>,
    /// One element for each beat, by name.
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
    /// Pairs of a place and a kind of concern that came up again in the period, within 90 days of the time before.
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
    /// Of devices that still had entries after their last sync, when the oldest was written that had not come before it.
    pub oldest_unsent_at: Option<Instant>,
}

/// Reads the coverage of a period.
pub fn read(
    connection: &Connection,
    reach: &Reach,
    filter: &CoverageFilter,
    visit_interval_days: u32,
    now: Millis,
) -> Result<Result<Coverage, NoPeriod>, StoreError> {
    let zone = time_zone(connection)?;
    let period = match Period::of(filter.from, filter.to, filter.bucket.most_days(), zone, now) {
        Ok(period) => period,
        Err(error) => return Ok(Err(error)),
    };
    let reach = &reach.of_beat(connection, filter.beat.as_deref())?;
    Ok(Ok(Coverage {
        from: period.first,
        to: period.last,
        bucket: filter.bucket,
        time_zone: zone.name().to_owned(),
        series: series(connection, &period, filter.bucket, reach)?,
        beats: figures(connection, &period, i64::from(visit_interval_days) * DAY_MS, reach)?,
        freshness: freshness(connection, reach, now)?,
    }))
}

impl Coverage {
    /// The points of one beat.
    pub fn points_of(&self, beat: &str) -> &[Point] {
        let first = self.series.partition_point(|point| point.beat.as_str() < beat);
        let rest = self.series.get(first..).unwrap_or_default();
        rest.get(..rest.partition_point(|point| point.beat == beat)).unwrap_or_default()
    }
}

impl Bucket {
    const fn most_days(self) -> i64 {
        match self {
            Self::Day => MOST_DAYS_BY_DAY,
            Self::Week | Self::Month => MOST_DAYS,
        }
    }

    /// The first day of the stretch that holds a day.
    fn start(self, day: Day) -> Day {
        match self {
            Self::Day => day,
            Self::Week => day.monday(),
            Self::Month => day.first_of_month(),
        }
    }
}

fn series(connection: &Connection, period: &Period, bucket: Bucket, reach: &Reach) -> Result<Vec<Point>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT b.code, c.day, c.visits, c.contacted, c.attempted, c.late
         FROM beat b CROSS JOIN coverage c ON c.scope_no = b.scope_no AND c.day BETWEEN ?1 AND ?2
         WHERE ?3 IS NULL OR b.scope_no IN (SELECT value FROM json_each(?3)) ORDER BY b.code, c.day",
    )?;
    let mut rows = statement.query(params![period.first.number(), period.last.number(), reach])?;
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
    Ok(Point {
        beat: row.get(0)?,
        start: bucket.start(Day::numbered(row.get(1)?)),
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
    reach: &Reach,
) -> Result<Vec<BeatFigures>, StoreError> {
    let figures = beats::within(connection, reach)?.into_iter().map(|BeatRow { code, name, scope_no, .. }| {
        let places = places(connection, period, interval_ms, scope_no)?;
        let (commitments_open, commitments_overdue) = promises(connection, period, scope_no)?;
        Ok(BeatFigures {
            beat: code,
            name,
            places: places.known,
            contacted_places: places.contacted,
            attempted_places: places.attempted,
            due_places: places.due,
            overdue_places: places.overdue,
            commitments_open,
            commitments_overdue,
            repeat_problems: repeats::count(connection, period, scope_no)?,
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

/// The places of a beat by when somebody was last met there.
fn places(connection: &Connection, period: &Period, interval_ms: i64, scope_no: i64) -> Result<Places, StoreError> {
    let [contacted, attempted, due, overdue] =
        [Standing::Contacted, Standing::Attempted, Standing::Due, Standing::Overdue].map(Standing::condition);
    // Behind a limit, so that each place is asked once how it stands and not once for every figure.
    let mut statement = connection.prepare_cached(&format!(
        "{} SELECT count(*), count(*) FILTER (WHERE {contacted}), count(*) FILTER (WHERE {attempted}),
             count(*) FILTER (WHERE {due}), count(*) FILTER (WHERE {overdue})
         FROM (SELECT * FROM standing WHERE document_no > ?5 AND document_no < ?6 AND status = '{ACTIVE}' LIMIT -1)",
        standing::places_as_of()
    ))?;
    let [as_of, from, overdue_before, due_before] = standing::values(period, interval_ms);
    // The numbers of a scope's documents lie between these.
    let [first, last] = [row_id(scope_no, 0), row_id(scope_no + 1, 0)];
    let places = statement.query_row([as_of, from, overdue_before, due_before, first, last], |row| {
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

/// A beat's open promises, and those of them whose day has passed.
fn promises(connection: &Connection, period: &Period, scope_no: i64) -> Result<(i64, i64), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(sum(open), 0), coalesce(sum(open) FILTER (WHERE due <> '' AND due < ?2), 0)
         FROM promise WHERE scope_no = ?1",
    )?;
    Ok(statement.query_row(params![scope_no, period.as_of.text()], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Of the devices of those who work the beats within, or of all.
fn freshness(connection: &Connection, reach: &Reach, now: Millis) -> Result<Freshness, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT count(*), count(*) FILTER (WHERE coalesce(s.last_sync_at, 0) < ?1),
             min(s.oldest_unsent_at) FILTER (WHERE s.unsent > 0)
         FROM device d LEFT JOIN device_status s USING (device)
         WHERE d.revoked_at IS NULL AND NOT d.server_custody AND {}",
        works_within("d.person", "?3", "?2")
    ))?;
    let freshness = statement.query_row(params![now.0 - SILENT_MS, reach, now.0], |row| {
        Ok(Freshness {
            as_of: Instant(now),
            devices: row.get(0)?,
            silent_devices: row.get(1)?,
            oldest_unsent_at: row.get::<_, Option<i64>>(2)?.map(Instant::from_ms),
        })
    });
    Ok(freshness?)
}
