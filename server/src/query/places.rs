//! The list of places.

use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    collation::SortKey,
    id::DocumentId,
    time::{DAY_MS, Millis},
    visit::ACTIVE,
};

use super::{
    Conditions,
    instant::Instant,
    page::{Cursor, Page},
    period::{MOST_DAYS, NoPeriod, Period},
    standing::{self, Standing},
};
use crate::{
    calendar::Day,
    reach::Reach,
    store::{StoreError, time_zone},
};

/// Which places. Everything given must hold.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlaceFilter {
    /// A beat's code, such as `beat-01`.
    pub beat: Option<String>,
    /// A code of the list `place_type`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    pub place_type: Option<String>,
    /// The place's name in another register.
    pub external_code: Option<String>,
    /// `active` or `withdrawn`.
    pub status: Option<String>,
    /// How it stands at the end of the period; only active places are any of these.
    #[param(inline)]
    pub standing: Option<Standing>,
    /// The first local day of the period; twelve weeks before the last one unless given.
    #[param(value_type = Option<String>, format = Date)]
    pub from: Option<Day>,
    /// The last local day of the period; today unless given.
    #[param(value_type = Option<String>, format = Date)]
    pub to: Option<Day>,
}

impl PlaceFilter {
    /// At the end of which it is asked how places stand.
    pub(super) fn period(&self, connection: &Connection, now: Millis) -> Result<Result<Period, NoPeriod>, StoreError> {
        Ok(Period::of(self.from, self.to, MOST_DAYS, time_zone(connection)?, now))
    }
}

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlaceRow {
    /// The place.
    #[schema(value_type = Uuid)]
    pub id: DocumentId,
    /// Its beat's code.
    pub beat: Option<String>,
    /// As written on the door.
    pub address: Option<String>,
    /// Its name in another register.
    pub external_code: Option<String>,
    /// A code of `place_type`.
    #[serde(rename = "type")]
    pub place_type: Option<String>,
    /// `active` or `withdrawn`.
    pub status: String,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// When the latest visit to it began.
    pub last_visit_at: Option<Instant>,
    /// When somebody was last met there, as of the end of the period.
    pub contacted_at: Option<Instant>,
    /// When it was last tried, and nobody met, as of the end of the period.
    pub attempted_at: Option<Instant>,
    /// How it stands at the end of the period, what presses most first; null where nobody need go, and of a place that is withdrawn.
    #[schema(inline)]
    pub standing: Option<Standing>,
    /// By when somebody is to be met there again: the last time and the visit interval. Null where nobody ever was.
    pub due_at: Option<Instant>,
}

/// The order of the list: by address, where these read alike the longest known first.
pub type PlaceKey = (SortKey, i64);

/// A page of places.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlacePage {
    /// By address, in the order of the Kazakh alphabet and with numbers by what they count.
    pub places: Vec<PlaceRow>,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<PlaceKey>>,
}

/// One page of the places that pass the filter.
pub fn page(
    connection: &Connection,
    reach: &Reach,
    filter: &PlaceFilter,
    page: &Page<PlaceKey>,
    visit_interval_days: u32,
    now: Millis,
) -> Result<Result<PlacePage, NoPeriod>, StoreError> {
    let period = match filter.period(connection, now)? {
        Ok(period) => period,
        Err(error) => return Ok(Err(error)),
    };
    let reach = reach.of_beat(connection, filter.beat.as_deref())?;
    let places = reach.merge(page.limit.rows() + 1, Ord::cmp, |reach| {
        let mut conditions = conditions(reach, filter, &period, visit_interval_days);
        if let Some((address, document_no)) = page.after() {
            conditions.and_pair("(s.address_key, s.document_no) > (?, ?)", address.as_bytes().to_vec(), *document_no);
        }
        let mut statement = connection.prepare_cached(&listing(&conditions, page.and_one()))?;
        let rows = statement.query_map(conditions.values(), |row| {
            Ok(((SortKey::from_bytes(row.get(0)?), row.get(1)?), place_row(row, visit_interval_days)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let (places, next) = page.cut(places);
    Ok(Ok(PlacePage { places, next }))
}

/// SQL for the first so many of the places that pass, in the order of the list.
fn listing(conditions: &Conditions, most: i64) -> String {
    format!(
        "{} SELECT s.address_key, s.document_no, s.document, b.code, s.address, s.external_code, s.place_type, s.status,
             s.lat, s.lon,
             (SELECT max(v.started_at) FROM visit v WHERE v.place = s.document AND v.scope_no = s.scope_no),
             s.contacted_at, s.attempted_at, {}
         FROM standing s LEFT JOIN beat b ON b.scope_no = s.scope_no{}
         ORDER BY s.address_key, s.document_no LIMIT {most}",
        standing::places_as_of(),
        Standing::most_pressing(),
        conditions.sql,
    )
}

/// Of rows of [`standing::places_as_of`], whose values it brings. `reach` is what the filter's beat leaves of the caller's.
pub(super) fn conditions(reach: &Reach, filter: &PlaceFilter, period: &Period, visit_interval_days: u32) -> Conditions {
    let mut conditions = Conditions::after(standing::values(period, i64::from(visit_interval_days) * DAY_MS));
    conditions.within("s.scope_no", reach);
    conditions.and_some("s.place_type = ?", filter.place_type.clone());
    conditions.and_some("s.external_code = ?", filter.external_code.clone());
    conditions.and_some("s.status = ?", filter.status.clone());
    if let Some(standing) = filter.standing {
        conditions.and("s.status = ?", ACTIVE);
        conditions.also(standing.condition());
    }
    conditions
}

fn place_row(row: &Row<'_>, visit_interval_days: u32) -> rusqlite::Result<PlaceRow> {
    let instant =
        |column: usize| -> rusqlite::Result<_> { Ok(row.get::<_, Option<i64>>(column)?.map(Instant::from_ms)) };
    let (contacted_at, interval_ms) = (instant(11)?, i64::from(visit_interval_days) * DAY_MS);
    Ok(PlaceRow {
        id: DocumentId::from_bytes(row.get(2)?),
        beat: row.get(3)?,
        address: row.get(4)?,
        external_code: row.get(5)?,
        place_type: row.get(6)?,
        status: row.get(7)?,
        lat: row.get(8)?,
        lon: row.get(9)?,
        last_visit_at: instant(10)?,
        contacted_at,
        attempted_at: instant(12)?,
        standing: row.get::<_, Option<u8>>(13)?.and_then(Standing::numbered),
        due_at: contacted_at.map(|at| Instant(at.0.plus(interval_ms))),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{entropy::SystemEntropy, store::Store};

    /// How SQLite means to go about a page of the list.
    fn plan(connection: &Connection, reach: &Reach, filter: &PlaceFilter) -> Result<String, StoreError> {
        let period = filter.period(connection, Millis(0))?.expect("a period");
        let mut conditions = conditions(reach, filter, &period, 365);
        conditions.and_pair("(s.address_key, s.document_no) > (?, ?)", Vec::<u8>::new(), 0);
        crate::query::plan(connection, &listing(&conditions, 101), &conditions)
    }

    #[test]
    fn a_page_is_read_along_an_index_and_never_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Millis(0), Arc::new(SystemEntropy)).unwrap();
        let overdue = || PlaceFilter { standing: Some(Standing::Overdue), ..PlaceFilter::default() };
        let one_beat = || Reach::within([2]);
        for (reach, filter, index) in [
            (Reach::EVERYWHERE, PlaceFilter::default(), "place_address"),
            (Reach::EVERYWHERE, overdue(), "place_address"),
            (one_beat(), PlaceFilter::default(), "place_beat_address"),
            (one_beat(), overdue(), "place_beat_address"),
        ] {
            let plan = store.read(|connection| plan(connection, &reach, &filter)).unwrap();
            assert!(plan.contains(&format!("p USING INDEX {index}")), "{reach:?} {filter:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{reach:?} {filter:?}: {plan}");
        }
    }
}
