//! Who changed what, and when: every log row about one document.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use aralau_sync_core::{
    cbor,
    change::{Change, Value},
    id::{DeviceId, ReplicaId},
    log::{RowKind, Verdict},
    stream::Header,
};

use super::{
    author::{Author, Authors, Person},
    document::Located,
    instant::Instant,
    page::{Cursor, Page},
    place_names::PlaceNames,
    visits::PlaceName,
};
use crate::store::{Contents, StoreError, corrected};

/// One log row about a document.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HistoryRow {
    /// Its sequence number in the scope's log.
    pub row: i64,
    /// What the row records.
    pub outcome: RowOutcome,
    /// Whose device wrote the entry; null where the directory does not know.
    pub author: Option<Person>,
    /// The device.
    pub device: Option<Uuid>,
    /// The install that wrote the entry.
    #[schema(value_type = String)]
    pub replica: ReplicaId,
    /// The entry's index in that install's stream.
    pub index: i64,
    /// When the entry was written, by the device's clock; null where its header cannot be read.
    pub device_time: Option<Instant>,
    /// The same moment by the server's clock, as far as the device's uptime tells it: null where the device did not sync in
    /// that boot, or where its uptime stands still while it sleeps. The device's word, as its clock is.
    pub corrected_time: Option<Instant>,
    /// When the row was written, by the server's clock.
    pub server_time: Instant,
    /// What is odd about the device's clock: `clock_ahead`, `clock_behind`, `late`.
    #[schema(value_type = Vec<String>)]
    pub labels: Vec<&'static str>,
    /// Why the entry is held, a stable code.
    pub reason: Option<String>,
    /// Who released or rejected it.
    pub decided_by: Option<String>,
    /// In their words.
    pub note: Option<String>,
    /// What the entry sets. Null where the caller may not see what is held, or where it cannot be read.
    pub puts: Option<Vec<PutShown>>,
}

/// What a row records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// The entry became part of the document.
    Accepted,
    /// It was kept apart.
    Held,
    /// It was held, and became part of the document after all.
    Filled,
    /// It was held, and was refused for good.
    Rejected,
}

/// One key set to one value.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PutShown {
    /// The key.
    pub key: String,
    /// What it was set to.
    #[schema(value_type = serde_json::Value)]
    pub value: Value,
}

/// A page of a document's history.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HistoryPage {
    /// In the order of the log.
    pub history: Vec<HistoryRow>,
    /// The places that the rows name, as far as they are known.
    pub places: Vec<PlaceName>,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<i64>>,
}

/// Each row brings the words of an entry of up to 64 KiB, so that a page holds no more of them.
pub const MAX_ROWS: u32 = 200;

/// The rows about a document, in the log's order. `sees_held`: whether to show what never became part of it.
pub fn page(
    connection: &Connection,
    located: &Located,
    sees_held: bool,
    page: &Page<i64>,
) -> Result<HistoryPage, StoreError> {
    let page = &Page { limit: page.limit.at_most(MAX_ROWS), cursor: page.cursor.clone() };
    let mut statement = connection.prepare_cached(
        "WITH entry (stream_no, entry_index) AS (
             SELECT stream_no, entry_index FROM log
             WHERE row_id IN (SELECT ?1 UNION ALL SELECT row_id FROM later_change WHERE document_no = ?1)
             UNION SELECT stream_no, entry_index FROM held WHERE document = ?2 AND scope_no = ?3)
         SELECT l.row_id, l.kind, l.received_at, l.verdict, e.entry_index, s.replica,
                coalesce(l.header, content.header) AS header, coalesce(l.body, content.body) AS body
         FROM entry e
         JOIN log l ON l.stream_no = e.stream_no AND l.entry_index = e.entry_index
         JOIN stream s ON s.stream_no = e.stream_no
         LEFT JOIN held h ON h.stream_no = e.stream_no AND h.entry_index = e.entry_index
         LEFT JOIN log content ON content.row_id = h.held_row
         WHERE l.row_id > ?4 ORDER BY l.row_id LIMIT ?5",
    )?;
    let after = page.after().copied().unwrap_or(0);
    let values = params![located.document_no, located.document.as_bytes(), located.scope_no, after, page.and_one()];
    let mut rows = statement.query(values)?;
    let mut authors = Authors::new(connection);
    let mut history = Vec::new();
    let mut contents = Contents::new(connection);
    while let Some(row) = rows.next()? {
        history
            .push((row.get("row_id")?, history_row(connection, row, located, &mut authors, &mut contents, sees_held)?));
    }
    let (history, next) = page.cut(history);
    let mut places = PlaceNames::new(connection);
    for put in history.iter().flat_map(|row: &HistoryRow| row.puts.iter().flatten()) {
        places.meet(located.scope_no, &put.key, &put.value)?;
    }
    Ok(HistoryPage { history, places: places.met(), next })
}

fn history_row(
    connection: &Connection,
    row: &Row<'_>,
    located: &Located,
    authors: &mut Authors<'_>,
    contents: &mut Contents<'_>,
    sees_held: bool,
) -> Result<HistoryRow, StoreError> {
    let wrong_kind = || StoreError::corrupt("the kind of a row about a document");
    let kind = RowKind::from_number(row.get("kind")?).ok_or_else(wrong_kind)?;
    let outcome = match kind {
        RowKind::Accepted => RowOutcome::Accepted,
        RowKind::Held => RowOutcome::Held,
        RowKind::Filled => RowOutcome::Filled,
        RowKind::Rejected => RowOutcome::Rejected,
        RowKind::Control => return Err(wrong_kind()),
    };
    let verdict: Vec<u8> = row.get("verdict")?;
    let verdict: Verdict = cbor::decode(&verdict).map_err(|_| StoreError::corrupt("a verdict"))?;
    let (header, body) = contents.of(row.get("row_id")?, kind, (row.get("header")?, row.get("body")?))?.unzip();
    let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
    let replica = ReplicaId(row.get("replica")?);
    let author = authors.of(replica)?;
    let merged = matches!(outcome, RowOutcome::Accepted | RowOutcome::Filled);
    Ok(HistoryRow {
        row: located.sequence_of(row.get("row_id")?),
        outcome,
        corrected_time: corrected_time(connection, author.as_ref(), header.as_ref())?,
        device: author.as_ref().map(|author| author.device),
        author: author.map(|author| author.person),
        replica,
        index: row.get("entry_index")?,
        device_time: header.map(|header| Instant(header.at)),
        server_time: Instant::from_ms(row.get("received_at")?),
        labels: verdict.labels.names().collect(),
        reason: verdict.reason.map(|reason| reason.code().to_owned()),
        decided_by: verdict.by,
        note: verdict.note,
        puts: body.filter(|_| merged || sees_held).and_then(|body| puts(&body)),
    })
}

/// When an entry was written by the server's clock, as far as its device's uptime tells.
pub(super) fn corrected_time(
    connection: &Connection,
    author: Option<&Author>,
    header: Option<&Header>,
) -> Result<Option<Instant>, StoreError> {
    let (Some(author), Some(reading)) = (author, header.and_then(|header| header.monotonic)) else { return Ok(None) };
    Ok(corrected(connection, DeviceId(author.device), &reading)?.map(Instant))
}

/// What an entry's change sets; `None` where it is not a change that this build can read.
fn puts(body: &[u8]) -> Option<Vec<PutShown>> {
    Change::from_body(body).ok().map(|change| shown(&change))
}

/// What a change sets.
pub(super) fn shown(change: &Change) -> Vec<PutShown> {
    change.puts().iter().map(|put| PutShown { key: put.key.clone(), value: put.value.clone() }).collect()
}
