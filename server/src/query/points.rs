//! Visits and places as points on a map: the filters of the list, a part of the globe, and no more than a map can show.

use rusqlite::{Connection, Row};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{id::DocumentId, time::Millis};

use super::{
    Conditions,
    period::NoPeriod,
    places::{self, PlaceFilter},
    standing::{self, Standing},
    visits::{self, VisitFilter},
};
use crate::{reach::Reach, store::StoreError};

/// Points of one answer, at most.
pub const MAX_POINTS: u32 = 20_000;
/// Points of one answer, unless asked for otherwise.
pub const DEFAULT_POINTS: u32 = 5_000;

/// Which part of the globe, and how many points of it.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PointsWanted {
    /// West, south, east and north in degrees: `76.8,43.1,77.0,43.4`. The whole globe unless given.
    #[param(value_type = Option<String>)]
    pub bbox: Option<Bounds>,
    /// Points at most: 1 to 20,000, and 5,000 unless given.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 20_000)]
    pub limit: Points,
}

/// How many points: 1 to [`MAX_POINTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Points(u32);

impl Points {
    /// One more tells whether there are more.
    const fn and_one(self) -> usize {
        self.0 as usize + 1
    }
}

impl Default for Points {
    fn default() -> Self {
        Self(DEFAULT_POINTS)
    }
}

impl TryFrom<u32> for Points {
    type Error = String;
    fn try_from(points: u32) -> Result<Self, String> {
        if (1..=MAX_POINTS).contains(&points) {
            Ok(Self(points))
        } else {
            Err(format!("must be from 1 to {MAX_POINTS}"))
        }
    }
}

/// A part of the globe, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Bounds {
    fn parse(text: &str) -> Option<Self> {
        let mut degrees = text.split(',').map(|part| part.trim().parse::<f64>().ok().filter(|part| part.is_finite()));
        let mut next = || degrees.next().flatten();
        let bounds = Self { west: next()?, south: next()?, east: next()?, north: next()? };
        (degrees.next().is_none() && bounds.west <= bounds.east && bounds.south <= bounds.north).then_some(bounds)
    }
}

impl<'de> Deserialize<'de> for Bounds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("bbox: not west,south,east,north in degrees"))
    }
}

/// A visit on a map.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VisitPoint {
    /// The visit.
    #[schema(value_type = Uuid)]
    pub id: DocumentId,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Radius in metres.
    pub accuracy_m: Option<f64>,
    /// Whether the phone says that it was made up.
    pub mock: Option<bool>,
    /// A code of `outcome`.
    pub outcome: Option<String>,
    /// Its beat's code; null where its scope is no beat's any more.
    pub beat: Option<String>,
}

/// Visits on a map.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VisitPoints {
    /// The newest ones that pass and have a position on the globe.
    pub points: Vec<VisitPoint>,
    /// Whether there are more, older ones.
    pub truncated: bool,
}

/// A place on a map.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlacePoint {
    /// The place.
    #[schema(value_type = Uuid)]
    pub id: DocumentId,
    /// As written on the door.
    pub address: Option<String>,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Whether somebody should go there, as of the end of the period; null where nobody need.
    #[schema(inline)]
    pub standing: Option<Pressing>,
    /// Its beat's code; null where its scope is no beat's any more.
    pub beat: Option<String>,
}

/// The standings that are worth a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pressing {
    /// See [`Standing::Due`].
    Due,
    /// See [`Standing::Overdue`].
    Overdue,
}

/// Places on a map.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlacePoints {
    /// Those longest known that pass and say where they are.
    pub points: Vec<PlacePoint>,
    /// Whether there are more.
    pub truncated: bool,
}

impl PointsWanted {
    /// Adds what is within the part of the globe, of `table`.
    fn narrow(&self, conditions: &mut Conditions, table: &str) {
        let Bounds { west, south, east, north } =
            self.bbox.unwrap_or(Bounds { west: -180.0, south: -90.0, east: 180.0, north: 90.0 });
        conditions.and_pair(&format!("{table}.lat BETWEEN ? AND ?"), south, north);
        conditions.and_pair(&format!("{table}.lon BETWEEN ? AND ?"), west, east);
    }

    /// Takes the points out of those read, which are one more than wanted where there are more.
    fn cut<K, T>(&self, points: Vec<(K, T)>) -> (Vec<T>, bool) {
        let truncated = points.len() >= self.limit.and_one();
        (points.into_iter().take(self.limit.0 as usize).map(|(_, point)| point).collect(), truncated)
    }
}

/// The points of the visits that pass the filter.
pub fn visits(
    connection: &Connection,
    reach: &Reach,
    filter: &VisitFilter,
    wanted: &PointsWanted,
) -> Result<Result<VisitPoints, NoPeriod>, StoreError> {
    let range = match filter.range(connection)? {
        Ok(range) => range,
        Err(error) => return Ok(Err(error)),
    };
    let reach = reach.of_beat(connection, filter.beat.as_deref())?;
    let points = visits::newest(&reach, filter, wanted.limit.and_one(), |reach| {
        let Some(mut conditions) = visits::conditions(connection, reach, filter, range)? else { return Ok(Vec::new()) };
        wanted.narrow(&mut conditions, "v");
        let mut statement = connection.prepare_cached(&format!(
            "SELECT d.document, v.lat, v.lon, v.accuracy_m, v.mock, v.outcome, b.code, v.started_at, v.document_no
             FROM visit v JOIN document d USING (document_no) LEFT JOIN beat b ON b.scope_no = v.scope_no{}
             ORDER BY v.started_at DESC, v.document_no DESC LIMIT {}",
            conditions.sql,
            wanted.limit.and_one()
        ))?;
        let rows =
            statement.query_map(conditions.values(), |row| Ok(((row.get(7)?, row.get(8)?), visit_point(row)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let (points, truncated) = wanted.cut(points);
    Ok(Ok(VisitPoints { points, truncated }))
}

/// The points of the places that pass the filter.
pub fn places(
    connection: &Connection,
    reach: &Reach,
    filter: &PlaceFilter,
    wanted: &PointsWanted,
    visit_interval_days: u32,
    now: Millis,
) -> Result<Result<PlacePoints, NoPeriod>, StoreError> {
    let period = match filter.period(connection, now)? {
        Ok(period) => period,
        Err(error) => return Ok(Err(error)),
    };
    let reach = reach.of_beat(connection, filter.beat.as_deref())?;
    let points = reach.merge(wanted.limit.and_one(), Ord::cmp, |reach| {
        let mut conditions = places::conditions(reach, filter, &period, visit_interval_days);
        wanted.narrow(&mut conditions, "s");
        let mut statement = connection.prepare_cached(&format!(
            "{} SELECT s.document, s.address, s.lat, s.lon, {}, {}, b.code, s.document_no
             FROM standing s LEFT JOIN beat b ON b.scope_no = s.scope_no{}
             ORDER BY s.document_no LIMIT {}",
            standing::places_as_of(),
            Standing::Overdue.condition(),
            Standing::Due.condition(),
            conditions.sql,
            wanted.limit.and_one()
        ))?;
        let rows = statement.query_map(conditions.values(), |row| Ok((row.get::<_, i64>(7)?, place_point(row)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let (points, truncated) = wanted.cut(points);
    Ok(Ok(PlacePoints { points, truncated }))
}

fn place_point(row: &Row<'_>) -> rusqlite::Result<PlacePoint> {
    let (overdue, due): (Option<bool>, Option<bool>) = (row.get(4)?, row.get(5)?);
    let overdue = (overdue == Some(true)).then_some(Pressing::Overdue);
    Ok(PlacePoint {
        id: DocumentId::from_bytes(row.get(0)?),
        address: row.get(1)?,
        lat: row.get(2)?,
        lon: row.get(3)?,
        standing: overdue.or((due == Some(true)).then_some(Pressing::Due)),
        beat: row.get(6)?,
    })
}

fn visit_point(row: &Row<'_>) -> rusqlite::Result<VisitPoint> {
    Ok(VisitPoint {
        id: DocumentId::from_bytes(row.get(0)?),
        lat: row.get(1)?,
        lon: row.get(2)?,
        accuracy_m: row.get(3)?,
        mock: row.get(4)?,
        outcome: row.get(5)?,
        beat: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_four_finite_degrees_in_order() {
        assert!(Bounds::parse("76.8,43.1, 77,43.4").is_some());
        for wrong in ["", "1,2,3", "1,2,3,4,5", "3,2,1,4", "1,4,3,2", "nan,1,2,3", "-inf,1,2,3", "a,b,c,d"] {
            assert_eq!(Bounds::parse(wrong), None, "{wrong}");
        }
    }
}
