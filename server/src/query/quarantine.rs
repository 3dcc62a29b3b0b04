//! What is held: authentic entries that are not acceptable, or not yet.

use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use aralau_sync_core::{
    id::{DocumentId, ReplicaId, ScopeId},
    reconcile::{Reason, Remedy},
    stream::Header,
};

use super::{
    Conditions,
    author::{Authors, Person},
    history::{PutShown, puts},
    instant::Instant,
    page::{Cursor, Page},
};
use crate::{
    reach::Reach,
    store::{self, HeldKey, StoreError},
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
    /// Why it is held, a stable code.
    pub reason: String,
    /// What can be done about it.
    pub remedy: RemedyShown,
    /// The held entry that this one builds on.
    pub because: Option<BecauseShown>,
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

/// A page of quarantine.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuarantinePage {
    /// In the order of the log.
    pub held: Vec<HeldRow>,
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
) -> Result<QuarantinePage, StoreError> {
    let page = &Page { limit: page.limit.at_most(MAX_ROWS), cursor: page.cursor.clone() };
    let mut conditions = Conditions::default();
    conditions.and("h.state = ?", filter.state.unwrap_or(HeldState::Held).name());
    conditions.and_some("h.reason = ?", filter.reason.clone());
    conditions.within("h.scope_no", &reach.of_beat(connection, filter.beat.as_deref())?);
    conditions.and_some("h.held_row > ?", page.after().copied());
    let mut statement = connection.prepare_cached(&format!(
        "SELECT h.held_row, s.replica, scope.scope, h.entry_index, b.code, h.document, h.reason, h.because_replica,
             h.because_index, l.header, l.body, l.received_at, h.state, h.decided_by, h.decided_at, h.note
         FROM held h
         JOIN log l ON l.row_id = h.held_row
         JOIN stream s ON s.stream_no = h.stream_no
         JOIN scope ON scope.scope_no = h.scope_no
         LEFT JOIN beat b ON b.scope_no = h.scope_no{}
         ORDER BY h.held_row LIMIT {}",
        conditions.sql,
        page.and_one()
    ))?;
    let mut authors = Authors::new(connection);
    let mut rows = statement.query(conditions.values())?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push((row.get("held_row")?, held_row(row, &mut authors)?));
    }
    let (held, next) = page.cut(held);
    Ok(QuarantinePage { held, next })
}

/// Whether a held entry would lie within.
pub fn reaches(connection: &Connection, reach: &Reach, key: &HeldKey) -> Result<bool, StoreError> {
    Ok(store::scope_no(connection, key.scope)?.is_some_and(|scope_no| reach.holds(scope_no)))
}

fn held_row(row: &Row<'_>, authors: &mut Authors<'_>) -> Result<HeldRow, StoreError> {
    let replica = ReplicaId(row.get("replica")?);
    let author = authors.of(replica)?;
    let because: Option<[u8; ReplicaId::LEN]> = row.get("because_replica")?;
    let because_index: Option<i64> = row.get("because_index")?;
    let header: Option<Vec<u8>> = row.get("header")?;
    let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
    let body: Option<Vec<u8>> = row.get("body")?;
    let reason = Reason::from_code(row.get("reason")?);
    let state: String = row.get("state")?;
    Ok(HeldRow {
        replica,
        scope: ScopeId::from_bytes(row.get("scope")?),
        index: row.get("entry_index")?,
        beat: row.get("code")?,
        document: row.get::<_, Option<[u8; 16]>>("document")?.map(DocumentId::from_bytes),
        remedy: reason.remedy().into(),
        reason: reason.code().to_owned(),
        because: because.zip(because_index).map(|(replica, index)| BecauseShown { replica: ReplicaId(replica), index }),
        device: author.as_ref().map(|author| author.device),
        from: author.map(|author| author.person),
        device_time: header.map(|header| Instant(header.at)),
        server_time: Instant::from_ms(row.get("received_at")?),
        puts: body.and_then(|body| puts(&body)),
        state: HeldState::from_name(&state).ok_or_else(|| StoreError::corrupt("the state of a held entry"))?,
        decided_by: row.get("decided_by")?,
        decided_at: row.get::<_, Option<i64>>("decided_at")?.map(Instant::from_ms),
        note: row.get("note")?,
    })
}
