//! What is held: authentic entries that are not acceptable, or not yet.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use aralau_sync_core::{
    change::Change,
    id::{ChangeHash, DocumentId, ReplicaId, ScopeId},
    reconcile::{Reason, Remedy},
    stream::Header,
    time::Millis,
};

use super::{
    Conditions,
    author::{Authors, Person},
    history::{PutShown, shown},
    instant::Instant,
    page::{Cursor, Page},
    place_names::PlaceNames,
    visits::PlaceName,
};
use crate::{
    reach::Reach,
    store::{self, HeldKey, StoreError, reason_in},
};

/// Each row brings the words of an entry of up to 64 KiB, so that a page holds no more of them.
pub const MAX_ROWS: u32 = 100;

/// Which held entries.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HeldFilter {
    /// A beat's code, such as `beat-01`.
    pub beat: Option<String>,
    /// A stable code of why they are held.
    pub reason: Option<String>,
    /// What became of them: `held` (unless given), `filled` or `rejected`.
    #[param(value_type = Option<HeldState>)]
    pub state: Option<HeldState>,
}

/// What became of a held entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldState {
    /// It is kept apart.
    Held,
    /// It became part of its document after all.
    Filled,
    /// It was refused for good.
    Rejected,
}

impl HeldState {
    const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Filled => "filled",
            Self::Rejected => "rejected",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Held, Self::Filled, Self::Rejected].into_iter().find(|state| state.name() == name)
    }
}

/// An entry kept apart.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HeldRow {
    /// The install whose stream it stands in. With `scope` and `index` it names the entry.
    #[schema(value_type = String)]
    pub replica: ReplicaId,
    /// The scope.
    #[schema(value_type = Uuid)]
    pub scope: ScopeId,
    /// The entry's index in the stream.
    pub index: i64,
    /// Its beat's code.
    pub beat: Option<String>,
    /// The document it belongs to; null where its header cannot be read.
    #[schema(value_type = Option<Uuid>)]
    pub document: Option<DocumentId>,
    /// Whether there is a visit of this id, that this would become part of.
    pub has_visit: bool,
    /// The place: that of the visit, or else what the entry names, or what was held first of the same document.
    pub place: Option<PlaceName>,
    /// When the visit began, where there is one.
    pub started_at: Option<Instant>,
    /// Why it is held, a stable code.
    pub reason: String,
    /// What can be done about it.
    pub remedy: RemedyShown,
    /// The held entry that this one builds on.
    pub because: Option<BecauseShown>,
    /// The entry that this one builds on and that somebody has rejected.
    pub rejected_base: Option<BecauseShown>,
    /// Whose device wrote it; null where the directory does not know.
    pub from: Option<Person>,
    /// The device.
    pub device: Option<Uuid>,
    /// When it was written, by the device's clock.
    pub device_time: Option<Instant>,
    /// When the server took it in.
    pub server_time: Instant,
    /// What it says; null where it cannot be read.
    pub puts: Option<Vec<PutShown>>,
    /// What became of it.
    pub state: HeldState,
    /// Who decided that.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Instant>,
    /// In their words.
    pub note: Option<String>,
}

/// What can be done about a held entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemedyShown {
    /// Wait: it is filled by itself once what it builds on arrives.
    Wait,
    /// Decide about the entry that it builds on; this one follows.
    Follow,
    /// Release or reject it.
    Judge,
    /// Release it together with what it builds on, which was rejected, or reject it as well.
    WithBase,
    /// Reject it: its bytes can never become part of a document.
    Reject,
}

impl From<Remedy> for RemedyShown {
    fn from(remedy: Remedy) -> Self {
        match remedy {
            Remedy::Wait => Self::Wait,
            Remedy::Follow => Self::Follow,
            Remedy::Judge => Self::Judge,
            Remedy::Reject => Self::Reject,
        }
    }
}

/// The held entry that another one builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct BecauseShown {
    /// Whose stream.
    #[schema(value_type = String)]
    pub replica: ReplicaId,
    /// Index there.
    pub index: i64,
}

/// How many entries are held for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonCount {
    /// A stable code.
    pub reason: String,
    /// Entries.
    pub entries: u64,
}

/// A page of quarantine.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuarantinePage {
    /// In the order of the log.
    pub held: Vec<HeldRow>,
    /// The places that the entries name, as far as they are known.
    pub places: Vec<PlaceName>,
    /// Entries that pass the filter, on all pages.
    pub total: u64,
    /// The reasons of all that pass but for theirs, by code.
    pub reasons: Vec<ReasonCount>,
    /// When this was read: what is decided about all of it can be bounded by that.
    pub as_of: Instant,
    /// Where the next page begins; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor<i64>>,
}

/// One page of the held entries that pass the filter.
pub fn page(
    connection: &Connection,
    reach: &Reach,
    filter: &HeldFilter,
    page: &Page<i64>,
    now: Millis,
) -> Result<QuarantinePage, StoreError> {
    let page = &Page { limit: page.limit.at_most(MAX_ROWS), cursor: page.cursor.clone() };
    let reach = reach.of_beat(connection, filter.beat.as_deref())?;
    let reasons = reasons(connection, &reach, filter.state.unwrap_or(HeldState::Held))?;
    let passes = |count: &&ReasonCount| filter.reason.as_ref().is_none_or(|reason| *reason == count.reason);
    let total = reasons.iter().filter(passes).map(|count| count.entries).sum();
    let mut conditions = conditions(&reach, filter);
    conditions.and_some("h.held_row > ?", page.after().copied());
    let mut statement = connection.prepare_cached(&listing(&conditions, page.and_one()))?;
    let mut reader = Reader::new(connection);
    let mut rows = statement.query(conditions.values())?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push((row.get("held_row")?, reader.row(row)?));
    }
    let (held, next) = page.cut(held);
    Ok(QuarantinePage { held, places: reader.places.met(), total, reasons, as_of: Instant(now), next })
}

/// What passes is told by its own row, walked in the order of the queue: the plus keeps SQLite from another index, and sorting.
fn conditions(reach: &Reach, filter: &HeldFilter) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.and("h.state = ?", filter.state.unwrap_or(HeldState::Held).name());
    conditions.and_some("+h.reason = ?", filter.reason.clone());
    conditions.within("+h.scope_no", reach);
    conditions
}

fn listing(conditions: &Conditions, most: i64) -> String {
    format!(
        "SELECT h.held_row, h.scope_no, s.replica, scope.scope, h.entry_index, b.code, h.document, h.reason,
             h.because_replica, h.because_index, l.header, l.body, l.received_at, h.state, h.decided_by, h.decided_at,
             h.note, v.document_no, v.place, v.started_at
         FROM held h
         JOIN log l ON l.row_id = h.held_row
         JOIN stream s ON s.stream_no = h.stream_no
         JOIN scope ON scope.scope_no = h.scope_no
         LEFT JOIN beat b ON b.scope_no = h.scope_no
         LEFT JOIN document d ON d.document = h.document AND d.scope_no = h.scope_no
         LEFT JOIN visit v ON v.document_no = d.document_no{}
         ORDER BY h.held_row LIMIT {most}",
        conditions.sql
    )
}

/// Why entries within are held, and how many for each reason: from the index alone.
fn reasons(connection: &Connection, reach: &Reach, state: HeldState) -> Result<Vec<ReasonCount>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.and("h.state = ?", state.name());
    conditions.within("h.scope_no", reach);
    let mut statement = connection.prepare_cached(&counting(&conditions))?;
    let mut counts = BTreeMap::<String, u64>::new();
    let mut rows = statement.query(conditions.values())?;
    while let Some(row) = rows.next()? {
        *counts.entry(row.get(0)?).or_default() += row.get::<_, i64>(1)?.cast_unsigned();
    }
    Ok(counts.into_iter().map(|(reason, entries)| ReasonCount { reason, entries }).collect())
}

fn counting(conditions: &Conditions) -> String {
    format!("SELECT h.reason, count(*) FROM held h{} GROUP BY h.scope_no, h.reason", conditions.sql)
}

/// The names of the held entries that pass and were received up to a moment, one page of them.
pub fn keys(
    connection: &Connection,
    reach: &Reach,
    filter: &HeldFilter,
    until: Millis,
    page: &Page<i64>,
) -> Result<(Vec<HeldKey>, Option<Cursor<i64>>), StoreError> {
    let reach = reach.of_beat(connection, filter.beat.as_deref())?;
    let mut conditions = conditions(&reach, filter);
    conditions.and_some("h.held_row > ?", page.after().copied());
    conditions.and("l.received_at <= ?", until.0);
    let mut statement = connection.prepare_cached(&naming(&conditions, page.and_one()))?;
    let keys = statement.query_map(conditions.values(), |row| {
        let (replica, scope) = (ReplicaId(row.get(1)?), ScopeId::from_bytes(row.get(2)?));
        Ok((row.get(0)?, HeldKey { replica, scope, index: row.get::<_, i64>(3)?.cast_unsigned() }))
    })?;
    Ok(page.cut(keys.collect::<Result<_, _>>()?))
}

fn naming(conditions: &Conditions, most: i64) -> String {
    format!(
        "SELECT h.held_row, s.replica, scope.scope, h.entry_index FROM held h
         JOIN log l ON l.row_id = h.held_row
         JOIN stream s ON s.stream_no = h.stream_no
         JOIN scope ON scope.scope_no = h.scope_no{}
         ORDER BY h.held_row LIMIT {most}",
        conditions.sql
    )
}

/// Whether a held entry would lie within.
pub fn reaches(connection: &Connection, reach: &Reach, key: &HeldKey) -> Result<bool, StoreError> {
    Ok(store::scope_no(connection, key.scope)?.is_some_and(|scope_no| reach.holds(scope_no)))
}

/// A document by its scope and its name.
type Named = (i64, DocumentId);
/// A rejected entry by the change in it, and whether its bytes could become part of a document.
type Rejected = BTreeMap<ChangeHash, (BecauseShown, bool)>;

/// Reads one held entry after the other. What several may share is looked up once.
struct Reader<'a> {
    connection: &'a Connection,
    authors: Authors<'a>,
    places: PlaceNames<'a>,
    rejected: BTreeMap<Named, Rejected>,
    begun_at: BTreeMap<Named, Option<PlaceName>>,
}

impl<'a> Reader<'a> {
    fn new(connection: &'a Connection) -> Self {
        let (authors, places) = (Authors::new(connection), PlaceNames::new(connection));
        Self { connection, authors, places, rejected: BTreeMap::new(), begun_at: BTreeMap::new() }
    }

    fn row(&mut self, row: &Row<'_>) -> Result<HeldRow, StoreError> {
        let replica = ReplicaId(row.get("replica")?);
        let author = self.authors.of(replica)?;
        let because: Option<[u8; ReplicaId::LEN]> = row.get("because_replica")?;
        let because_index: Option<i64> = row.get("because_index")?;
        let header: Option<Vec<u8>> = row.get("header")?;
        let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
        let body: Option<Vec<u8>> = row.get("body")?;
        let change = body.and_then(|body| Change::from_body(&body).ok());
        let reason = reason_in(row, "reason")?;
        let state: String = row.get("state")?;
        let state = HeldState::from_name(&state).ok_or_else(|| StoreError::corrupt("the state of a held entry"))?;
        let document = row.get::<_, Option<[u8; 16]>>("document")?.map(DocumentId::from_bytes);
        let named = document.map(|document| Ok::<_, StoreError>((row.get("scope_no")?, document))).transpose()?;
        let base = self.rejected_base(named.filter(|_| state == HeldState::Held), change.as_ref())?;
        let place =
            self.place(named, row.get::<_, Option<[u8; 16]>>("place")?.map(DocumentId::from_bytes), change.as_ref())?;
        Ok(HeldRow {
            replica,
            scope: ScopeId::from_bytes(row.get("scope")?),
            index: row.get("entry_index")?,
            beat: row.get("code")?,
            document,
            has_visit: row.get::<_, Option<i64>>("document_no")?.is_some(),
            place,
            started_at: row.get::<_, Option<i64>>("started_at")?.map(Instant::from_ms),
            remedy: match (reason.remedy(), base) {
                (Remedy::Wait | Remedy::Follow | Remedy::Judge, Some((_, true))) => RemedyShown::WithBase,
                (Remedy::Wait | Remedy::Follow | Remedy::Judge, Some((_, false))) => RemedyShown::Reject,
                (remedy, _) => remedy.into(),
            },
            reason: reason.code().to_owned(),
            because: because
                .zip(because_index)
                .map(|(replica, index)| BecauseShown { replica: ReplicaId(replica), index }),
            rejected_base: base.map(|(base, _)| base),
            device: author.as_ref().map(|author| author.device),
            from: author.map(|author| author.person),
            device_time: header.map(|header| Instant(header.at)),
            server_time: Instant::from_ms(row.get("received_at")?),
            puts: change.map(|change| shown(&change)),
            state,
            decided_by: row.get("decided_by")?,
            decided_at: row.get::<_, Option<i64>>("decided_at")?.map(Instant::from_ms),
            note: row.get("note")?,
        })
    }

    /// The first of what a change builds on that was rejected.
    fn rejected_base(
        &mut self,
        named: Option<Named>,
        change: Option<&Change>,
    ) -> Result<Option<(BecauseShown, bool)>, StoreError> {
        let (Some(named), Some(change)) = (named, change) else { return Ok(None) };
        if !self.rejected.contains_key(&named) {
            self.rejected.insert(named, rejected(self.connection, named)?);
        }
        let rejected = self.rejected.get(&named);
        Ok(rejected.and_then(|rejected| change.dependencies().iter().find_map(|hash| rejected.get(hash))).copied())
    }

    fn place(
        &mut self,
        named: Option<Named>,
        of_visit: Option<DocumentId>,
        change: Option<&Change>,
    ) -> Result<Option<PlaceName>, StoreError> {
        let Some((scope_no, document)) = named else { return Ok(None) };
        let own = self.place_in(scope_no, change)?;
        if let Some(place) = of_visit {
            return self.places.of(scope_no, place).map(Some);
        }
        if own.is_some() {
            return Ok(own);
        }
        if !self.begun_at.contains_key(&(scope_no, document)) {
            let first = first_held(self.connection, scope_no, document)?;
            let place = self.place_in(scope_no, first.as_ref())?;
            self.begun_at.insert((scope_no, document), place);
        }
        Ok(self.begun_at.get(&(scope_no, document)).cloned().flatten())
    }

    /// The place that a change names.
    fn place_in(&mut self, scope_no: i64, change: Option<&Change>) -> Result<Option<PlaceName>, StoreError> {
        for put in change.into_iter().flat_map(Change::puts) {
            if let Some(place) = self.places.meet(scope_no, &put.key, &put.value)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}

/// What was rejected of a document. An entry that was nothing but a repetition is nobody's past.
fn rejected(connection: &Connection, (scope_no, document): Named) -> Result<Rejected, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT h.change_hash, s.replica, h.entry_index, h.reason FROM held h JOIN stream s USING (stream_no)
         WHERE h.document = ? AND h.scope_no = ? AND h.state = 'rejected' AND h.reason <> ?",
    )?;
    let repeated = Reason::DuplicateChange;
    let rows = statement.query_map(params![document.as_bytes(), scope_no, repeated.code()], |row| {
        let base = BecauseShown { replica: ReplicaId(row.get(1)?), index: row.get(2)? };
        let sound = reason_in(row, 3)?.remedy() != Remedy::Reject;
        Ok((ChangeHash(row.get(0)?), (base, sound)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was held first of a document: where nothing of it was accepted, that began it.
fn first_held(connection: &Connection, scope_no: i64, document: DocumentId) -> Result<Option<Change>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM log WHERE row_id = (SELECT min(held_row) FROM held WHERE document = ? AND scope_no = ?)",
    )?;
    let mut rows = statement.query(params![document.as_bytes(), scope_no])?;
    let body: Option<Vec<u8>> = rows.next()?.map(|row| row.get(0)).transpose()?.flatten();
    Ok(body.and_then(|body| Change::from_body(&body).ok()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{entropy::SystemEntropy, query::plan, store::Store};

    #[test]
    fn the_queue_is_walked_in_its_order_and_counted_from_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Millis(0), Arc::new(SystemEntropy)).unwrap();
        let filter = HeldFilter { reason: Some("revoked".into()), ..HeldFilter::default() };
        for reach in [Reach::EVERYWHERE, Reach::within([7]), Reach::within([7, 9])] {
            let queue = conditions(&reach, &filter);
            let mut counted = Conditions::default();
            counted.and("h.state = ?", "held");
            counted.within("h.scope_no", &reach);
            for (sql, asked, index) in [
                (listing(&queue, 101), &queue, "INDEX held_state"),
                (naming(&queue, 101), &queue, "INDEX held_state"),
                (counting(&counted), &counted, "COVERING INDEX held_reason"),
            ] {
                let plan = store.read(|connection| plan(connection, &sql, asked)).unwrap();
                assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{reach:?}: {plan}");
            }
        }
    }
}
