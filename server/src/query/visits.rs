//! The list of visits: filters, and keyset pages from the newest.

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use aralau_sync_core::{
    id::{DocumentId, PersonId},
    visit::WITHDRAWN,
};

use super::{
    Blob, Conditions,
    author::Person,
    instant::Instant,
    page::{Cursor, Page},
    period::{NoPeriod, Range},
    text::Search,
};
use crate::{
    calendar::{Bound, Day},
    reach::Reach,
    store::{self, DOCUMENT_OF_ROWID, StoreError, document_of_key, hour_of_key, keys_of_hour, scope_of_key, time_zone},
};

/// Which visits. Everything given must hold.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VisitFilter {
    /// A beat's code, such as `beat-01`.
    pub beat: Option<String>,
    /// The place visited.
    #[param(value_type = Option<Uuid>)]
    pub place: Option<DocumentId>,
    /// Whose visit: a person's id, or their exact name.
    pub author: Option<String>,
    /// A code of the list `visit_type`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    pub visit_type: Option<String>,
    /// A code of the list `outcome`.
    pub outcome: Option<String>,
    /// Begun at or after: a local day, such as `2026-05-01`, or an RFC 3339 instant.
    #[param(value_type = Option<String>)]
    pub from: Option<Bound>,
    /// Begun at or before: a local day, all of which counts, or an RFC 3339 instant.
    #[param(value_type = Option<String>)]
    pub to: Option<Bound>,
    /// Words that its notes hold (withdrawn ones aside), all of them; the last one may be a beginning.
    #[param(value_type = Option<String>)]
    pub text: Option<Search>,
    /// Whether it came more than a day after it was written.
    pub late: Option<bool>,
    /// Whether there is a conflict to settle.
    pub conflict: Option<bool>,
    /// A code of the list `concern` that it brought.
    pub concern: Option<String>,
    /// Whether it holds a promise that nobody has fulfilled yet.
    pub commitment: Option<bool>,
    /// Holds such a promise that is due before this day, such as `2026-11-01`.
    #[param(value_type = Option<String>, format = Date)]
    pub due_before: Option<Day>,
    /// `active` or `withdrawn`.
    pub status: Option<String>,
}

impl VisitFilter {
    /// When a visit has begun that passes.
    pub(super) fn range(&self, connection: &Connection) -> Result<Result<Range, NoPeriod>, StoreError> {
        Ok(Range::of(self.from, self.to, time_zone(connection)?))
    }
}

/// What a list and a visit's own page both show.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VisitHead {
    /// The visit.
    #[schema(value_type = Uuid)]
    pub id: DocumentId,
    /// Its beat's code; null where its scope is no beat's any more.
    pub beat: Option<String>,
    /// Where.
    pub place: Option<PlaceName>,
    /// Whose visit it is: who logged it, or, of an imported one, the inspector whom headquarters' hand names.
    pub author: Option<Person>,
    /// A code of `visit_type`.
    #[serde(rename = "type")]
    pub visit_type: Option<String>,
    /// A code of `outcome`.
    pub outcome: Option<String>,
    /// `active` or `withdrawn`.
    pub status: String,
    /// The earliest beginning, by the observers' clocks.
    pub started_at: Instant,
    /// The latest end, by the observers' clocks.
    pub ended_at: Option<Instant>,
    /// When the server had it first, by its own clock.
    pub received_at: Instant,
    /// Whether it came more than a day after it was written.
    pub late: bool,
    /// Where the first observer stood.
    pub position: Option<Position>,
}

/// A place, as a visit names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaceName {
    /// The place.
    #[schema(value_type = Uuid)]
    pub id: DocumentId,
    /// Its address, if the place is known in the same beat and has one.
    pub address: Option<String>,
    /// Its name in another register, likewise.
    pub external_code: Option<String>,
}

/// Where a phone stood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Position {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Radius in metres.
    pub accuracy_m: Option<f64>,
    /// Whether the phone says that it was made up.
    pub mock: Option<bool>,
}

/// A visit in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VisitRow {
    /// What it is.
    #[serde(flatten)]
    pub head: VisitHead,
    /// Fields with two or more different values.
    pub conflicts: u32,
    /// Notes, withdrawn ones included.
    pub notes: u32,
}

/// The order of the list: newest beginning first, then the latest document.
pub type VisitKey = (i64, i64);

/// A page of visits.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VisitPage {
    /// The visits, newest first.
    pub visits: Vec<VisitRow>,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<VisitKey>>,
}

/// How many visits pass a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct VisitCount {
    /// All of them, whatever a page holds.
    pub visits: u64,
}

const COLUMNS: &str =
    "SELECT v.started_at, v.document_no, d.document, b.code, v.place, p.address, p.external_code, v.author, a.name,
        v.visit_type, v.outcome, v.status, v.ended_at, v.received_at, v.late, v.lat, v.lon, v.accuracy_m, v.mock,
        v.conflicts, v.notes
    FROM visit v
    JOIN document d USING (document_no)
    LEFT JOIN beat b ON b.scope_no = v.scope_no
    LEFT JOIN document pd ON pd.document = v.place AND pd.scope_no = v.scope_no
    LEFT JOIN place p ON p.document_no = pd.document_no
    LEFT JOIN person a ON a.person = v.author";

/// One page of the visits that pass the filter.
pub fn page(
    connection: &Connection,
    reach: &Reach,
    filter: &VisitFilter,
    page: &Page<VisitKey>,
) -> Result<Result<VisitPage, NoPeriod>, StoreError> {
    let range = match filter.range(connection)? {
        Ok(range) => range,
        Err(error) => return Ok(Err(error)),
    };
    let (visits, next) = page.cut(keyed(connection, reach, filter, range, page)?);
    Ok(Ok(VisitPage { visits, next }))
}

/// Counts the visits that pass the filter.
pub fn count(
    connection: &Connection,
    reach: &Reach,
    filter: &VisitFilter,
) -> Result<Result<VisitCount, NoPeriod>, StoreError> {
    match filter.range(connection)? {
        Ok(range) => count_within(connection, reach, filter, range).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// The same, where it is known when they have begun. Nothing is read of what a list would show of them.
pub(super) fn count_within(
    connection: &Connection,
    reach: &Reach,
    filter: &VisitFilter,
    range: Range,
) -> Result<VisitCount, StoreError> {
    let reach = reach.of_beat(connection, filter.beat.as_deref())?;
    let Some(conditions) = conditions(connection, &reach, filter, range)? else { return Ok(VisitCount { visits: 0 }) };
    let mut statement = connection.prepare_cached(&format!("SELECT count(*) FROM visit v{}", conditions.sql))?;
    let visits: i64 = statement.query_row(conditions.values(), |row| row.get(0))?;
    Ok(VisitCount { visits: visits.unsigned_abs() })
}

/// The page's visits with their keys, and one more where there is a next page.
pub(super) fn keyed(
    connection: &Connection,
    reach: &Reach,
    filter: &VisitFilter,
    range: Range,
    page: &Page<VisitKey>,
) -> Result<Vec<(VisitKey, VisitRow)>, StoreError> {
    let reach = reach.of_beat(connection, filter.beat.as_deref())?;
    if let Some(search) = &filter.text {
        let Some(expression) = search.expression(connection)? else { return Ok(Vec::new()) };
        if let Some(found) = found_by_words(connection, &reach, filter, range, &expression, page)? {
            return Ok(found);
        }
    }
    newest(&reach, filter, page.limit.rows() + 1, |reach| {
        let Some(conditions) = conditions(connection, reach, filter, range)? else { return Ok(Vec::new()) };
        listed(connection, conditions, page, page.and_one())
    })
}

/// The newest of what `list` finds within. What words find is asked for once: it stands in no beat's index.
pub(super) fn newest<T>(
    reach: &Reach,
    filter: &VisitFilter,
    most: usize,
    mut list: impl FnMut(&Reach) -> Result<Vec<(VisitKey, T)>, StoreError>,
) -> Result<Vec<(VisitKey, T)>, StoreError> {
    match filter.text {
        Some(_) => list(reach),
        None => reach.merge(most, |a, b| b.cmp(a), list),
    }
}

fn listed(
    connection: &Connection,
    mut conditions: Conditions,
    page: &Page<VisitKey>,
    most: i64,
) -> Result<Vec<(VisitKey, VisitRow)>, StoreError> {
    if let Some((started_at, document_no)) = page.after() {
        conditions.and_pair("(v.started_at, v.document_no) < (?, ?)", *started_at, *document_no);
    }
    let sql = format!("{COLUMNS}{} ORDER BY v.started_at DESC, v.document_no DESC LIMIT {most}", conditions.sql);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(conditions.values(), |row| {
        Ok(((row.get("started_at")?, row.get("document_no")?), visit_row(row)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Visits with the words that are looked at before the list is walked instead: the rest of the filter passes few of them.
const MOST_LOOKED_AT: usize = 20_000;

/// As [`keyed`], by going through the search index, hour by hour from the newest, until the page is full. `None` where that
/// goes on for too long. What lies outside is passed over by its key.
fn found_by_words(
    connection: &Connection,
    reach: &Reach,
    filter: &VisitFilter,
    range: Range,
    expression: &str,
    page: &Page<VisitKey>,
) -> Result<Option<Vec<(VisitKey, VisitRow)>>, StoreError> {
    let most = usize::try_from(page.and_one()).unwrap_or(usize::MAX);
    if reach.scopes().is_some_and(<[i64]>::is_empty) {
        return Ok(Some(Vec::new()));
    }
    let newest = [page.after().map(|(started_at, _)| *started_at), range.last.map(|last| last.0)];
    let first_key = newest.into_iter().flatten().map(|at| *keys_of_hour(at).start()).max().unwrap_or(0);
    let last_key = range.first.map_or(i64::MAX, |first| *keys_of_hour(first.0).end());
    let mut statement = connection.prepare_cached(
        "SELECT rowid FROM note_text WHERE note_text MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid",
    )?;
    let mut keys = statement.query(params![expression, first_key, last_key])?;
    let (mut found, mut looked_at, mut hour) = (Vec::new(), Vec::new(), 0..=0);
    let (mut total, mut at_once) = (0, most);
    loop {
        let key: Option<i64> = keys.next()?.map(|row| row.get(0)).transpose()?;
        if key.is_some_and(|key| !reach.holds(scope_of_key(key))) {
            continue;
        }
        // Within an hour the index does not know the order.
        if let Some(key) = key.filter(|key| hour.contains(key) || looked_at.len() < at_once) {
            if !hour.contains(&key) {
                hour = hour_of_key(key);
            }
            looked_at.push(document_of_key(key));
            continue;
        }
        total += looked_at.len();
        let Some(mut conditions) = conditions_but_words(connection, reach, filter, range)? else {
            return Ok(Some(found));
        };
        let documents = serde_json::to_string(&looked_at).unwrap_or_default();
        conditions.and("v.document_no IN (SELECT value FROM json_each(?))", documents);
        found.extend(listed(connection, conditions, page, (most - found.len()) as i64)?);
        let Some(key) = key.filter(|_| found.len() < most) else { return Ok(Some(found)) };
        if total > MOST_LOOKED_AT {
            return Ok(None);
        }
        looked_at.clear();
        looked_at.push(document_of_key(key));
        (hour, at_once) = (hour_of_key(key), at_once * 2);
    }
}

/// The visit of one document, as a list would show it.
pub(super) fn one(connection: &Connection, document_no: i64) -> Result<Option<VisitRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE v.document_no = ?"))?;
    let mut rows = statement.query_map([document_no], visit_row)?;
    Ok(rows.next().transpose()?)
}

/// `None` where no visit can pass. `reach` is what the filter's beat leaves of the caller's.
pub(super) fn conditions(
    connection: &Connection,
    reach: &Reach,
    filter: &VisitFilter,
    range: Range,
) -> Result<Option<Conditions>, StoreError> {
    let Some(mut all) = conditions_but_words(connection, reach, filter, range)? else { return Ok(None) };
    if let Some(search) = &filter.text {
        let Some(expression) = search.expression(connection)? else { return Ok(None) };
        // A plus keeps SQLite from looking up each of many, to sort them all: it walks the list, and asks of each.
        let walks = if is_common(connection, &expression)? { "+" } else { "" };
        let found =
            format!("{walks}v.document_no IN (SELECT {DOCUMENT_OF_ROWID} FROM note_text WHERE note_text MATCH ?)");
        all.and(&found, expression);
    }
    Ok(Some(all))
}

fn conditions_but_words(
    connection: &Connection,
    reach: &Reach,
    filter: &VisitFilter,
    range: Range,
) -> Result<Option<Conditions>, StoreError> {
    let mut all = Conditions::default();
    all.within("v.scope_no", reach);
    let place = filter.place.map(|place| store::place_goes_as(connection, place)).transpose()?;
    all.and_some("v.place = ?", place.map(|place| Blob(*place.as_bytes())));
    if let Some(author) = &filter.author {
        match people(connection, author)?[..] {
            [] => return Ok(None),
            // Of one person alone the visits stand in an index in their order.
            [person] => all.and("v.author = ?", Blob(*person.as_bytes())),
            _ => all.and(
                "v.author IN (SELECT coalesce(j.goes_as, p.person)
                     FROM person p LEFT JOIN joined_person j USING (person) WHERE p.name = ?)",
                author.clone(),
            ),
        }
    }
    all.and_some("v.visit_type = ?", filter.visit_type.clone());
    all.and_some("v.outcome = ?", filter.outcome.clone());
    all.and_some("v.started_at >= ?", range.first.map(|first| first.0));
    all.and_some("v.started_at <= ?", range.last.map(|last| last.0));
    // What may be rare is named and not bound: so SQLite knows that its index of those alone will do.
    match filter.late {
        Some(true) => all.also("v.late = 1"),
        Some(false) => all.also("v.late = 0"),
        None => {}
    }
    match filter.conflict {
        Some(true) => all.also("v.conflicts > 0"),
        Some(false) => all.also("v.conflicts = 0"),
        None => {}
    }
    if let Some(concern) = &filter.concern {
        all.and(concern_condition(connection, filter, concern)?, concern.clone());
    }
    match filter.commitment {
        Some(true) => all.also("v.promises > 0"),
        Some(false) => all.also("v.promises = 0"),
        None => {}
    }
    all.and_some("v.promises > 0 AND v.due < ?", filter.due_before.map(Day::text));
    match filter.status.as_deref() {
        Some(WITHDRAWN) => all.also(&format!("v.status = '{WITHDRAWN}'")),
        status => all.and_some("v.status = ?", status.map(str::to_owned)),
    }
    Ok(Some(all))
}

/// Of few visits in all it is looked up which they are; else each visit of the list is asked.
fn concern_condition(connection: &Connection, filter: &VisitFilter, concern: &str) -> Result<&'static str, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) = ?2 FROM (SELECT 1 FROM concern WHERE category = ?1 AND status = 'active' LIMIT ?2)",
    )?;
    let is_common: bool = statement.query_row(params![concern, COMMON], |row| row.get(0))?;
    Ok(if is_common || filter.place.is_some() {
        // A plus keeps SQLite from joining all that a row shows before it asks for the concern.
        "+EXISTS (SELECT 1 FROM concern c
             WHERE c.document_no = v.document_no AND +c.category = ? AND c.status = 'active')"
    } else {
        "v.document_no IN (SELECT document_no FROM concern WHERE category = ? AND status = 'active')"
    })
}

/// Visits found by words or a concern beyond which the list is walked. By estimate: looking up and sorting each of so many takes some tens
/// of milliseconds.
const COMMON: u32 = 2_000;

fn is_common(connection: &Connection, expression: &str) -> Result<bool, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) = ?2 FROM (SELECT 1 FROM note_text WHERE note_text MATCH ?1 LIMIT ?2)")?;
    Ok(statement.query_row(params![expression, COMMON], |row| row.get(0))?)
}

/// Whoever an id or an exact name stands for.
fn people(connection: &Connection, author: &str) -> Result<Vec<PersonId>, StoreError> {
    if let Ok(person) = author.parse() {
        return Ok(vec![store::person_goes_as(connection, person)?]);
    }
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT coalesce(j.goes_as, p.person)
         FROM person p LEFT JOIN joined_person j USING (person) WHERE p.name = ?",
    )?;
    let people = statement.query_map([author], |row| Ok(PersonId::from_bytes(row.get(0)?)))?;
    Ok(people.collect::<Result<_, _>>()?)
}

fn visit_row(row: &Row<'_>) -> rusqlite::Result<VisitRow> {
    let id = |name| -> rusqlite::Result<Option<[u8; 16]>> { row.get(name) };
    let (address, external_code) = (row.get("address")?, row.get("external_code")?);
    let name: Option<String> = row.get("name")?;
    let (lat, lon): (Option<f64>, Option<f64>) = (row.get("lat")?, row.get("lon")?);
    let (accuracy_m, mock) = (row.get("accuracy_m")?, row.get("mock")?);
    let head = VisitHead {
        id: DocumentId::from_bytes(row.get("document")?),
        beat: row.get("code")?,
        place: id("place")?.map(|id| PlaceName { id: DocumentId::from_bytes(id), address, external_code }),
        author: id("author")?.map(|id| Person { id: PersonId::from_bytes(id), name: name.unwrap_or_default() }),
        visit_type: row.get("visit_type")?,
        outcome: row.get("outcome")?,
        status: row.get("status")?,
        started_at: Instant::from_ms(row.get("started_at")?),
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(Instant::from_ms),
        received_at: Instant::from_ms(row.get("received_at")?),
        late: row.get("late")?,
        position: lat.zip(lon).map(|(lat, lon)| Position { lat, lon, accuracy_m, mock }),
    };
    Ok(VisitRow { head, conflicts: row.get("conflicts")?, notes: row.get("notes")? })
}
