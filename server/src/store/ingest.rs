//! One frame, verified already: what is known of it is loaded, what becomes of it is planned, and the plan is applied in the caller's
//! transaction.

use std::collections::BTreeMap;

use aralau_sync_core::{
    frame::Frame,
    id::{DocumentId, EntryHash, PersonId, ReplicaId, ScopeId},
    log::RowKind,
    reconcile::{Arrival, Decision, Facts, Ground, Meeting, Outcome, Reason, Rights, claims, passed_heads, plan},
    stream::{Link, StreamId, Tip},
    sync::{FrameFate, FrameRefusal},
    time::{DAY_MS, Millis},
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    StoreError, Transaction,
    apply::{Applying, Arriving},
    directory,
    hold::Said,
    log::{self, ScopeLog},
    projection::Loaded,
    segment::Contents,
};

/// Entries of one stream that may be held without anybody having judged them; beyond, the whole frame is refused.
const MAX_HELD_ENTRIES: i64 = 2_000;
/// What the documents that a turn loads may weigh before it ends, by [`Loaded::weight`]: some five milliseconds. A turn takes
/// one entry at least.
const TURN_BYTES: usize = 512 * 1024;
/// Days after a grant's end during which entries still count.
const GRACE_MS: i64 = 45 * DAY_MS;

/// A frame whose signature was verified.
pub struct Upload {
    /// The frame.
    pub frame: Frame,
    /// The tip after each link.
    pub tips: Vec<Tip>,
    /// Whose hand moved headquarters' pen, where it is an entry of the server's own.
    pub by: Option<String>,
    /// Whose phone brings it, where that is not its author's.
    pub brought_by: Option<PersonId>,
}

/// What an upload came to.
pub struct Ingested {
    /// For the device.
    pub fate: FrameFate,
    /// Entries of this stream that were held, or held for another reason than before.
    pub held: Vec<(u64, Reason)>,
    /// Entries newly accepted or filled.
    pub accepted: u64,
    /// What the entries decided weigh.
    pub bytes: u64,
    /// What those of them weigh that are held.
    pub held_bytes: u64,
    /// Whether nothing is left of the frame to be taken.
    pub is_whole: bool,
}

impl Ingested {
    fn nothing(fate: FrameFate) -> Self {
        Self { fate, held: Vec::new(), accepted: 0, bytes: 0, held_bytes: 0, is_whole: true }
    }

    fn refused(code: FrameRefusal) -> Self {
        Self::nothing(FrameFate::Refused { code })
    }
}

/// A stream as the store knows it.
struct StreamRow {
    stream_no: i64,
    tip: Tip,
}

/// Takes one verified frame in, all of it.
pub fn ingest(tx: &Transaction<'_>, upload: &Upload, now: Millis) -> Result<Ingested, StoreError> {
    ingest_within(tx, upload, usize::MAX, now)
}

/// Takes in as much of a verified frame as one turn of the writer's allows: entries of large documents cost what it takes to load
/// these. The same again takes the rest, until [`Ingested::is_whole`].
pub fn ingest_some(tx: &Transaction<'_>, upload: &Upload, now: Millis) -> Result<Ingested, StoreError> {
    ingest_within(tx, upload, TURN_BYTES, now)
}

fn ingest_within(tx: &Transaction<'_>, upload: &Upload, turn: usize, now: Millis) -> Result<Ingested, StoreError> {
    let stream = upload.frame.stream;
    let Some(author) = directory::device_of_replica(tx, stream.replica)? else {
        return Ok(Ingested::refused(FrameRefusal::ReplicaUnknown));
    };
    let rights = directory::rights_of(tx, &author, stream.scope)?;
    // A scope that is not one's own and a scope that does not exist look alike; whoever has it may bring the words of an
    // author whose grant a restore has forgotten, for a person to judge.
    let brings_own = |person| directory::is_granted(tx, person, stream.scope, now);
    let is_known = !rights.grants.is_empty() || upload.brought_by.map_or(Ok(false), brings_own)?;
    let Some(scope_no) = log::scope_no(tx, stream.scope)?.filter(|_| is_known) else {
        return Ok(Ingested::refused(FrameRefusal::ScopeUnknown));
    };
    let row = stream_row(tx, scope_no, stream.replica)?;
    match compare(tx, &row, upload)? {
        Standing::Goes(from) => {
            if held_count(tx, row.stream_no)? >= MAX_HELD_ENTRIES {
                return Ok(Ingested::refused(FrameRefusal::TooMuchHeld));
            }
            take(tx, upload, (scope_no, &row), (from, turn), &rights, now)
        }
        Standing::Gap => {
            let tip = row.tip;
            Ok(Ingested::nothing(FrameFate::Gap { replica: stream.replica, scope: stream.scope, tip }))
        }
        Standing::Forked => {
            tracing::warn!(replica = %stream.replica, index = row.tip.index, "a stream forked: a device was restored or cloned");
            let tip = row.tip;
            Ok(Ingested::nothing(FrameFate::Forked { replica: stream.replica, scope: stream.scope, tip }))
        }
    }
}

/// How an upload stands to what the store has of its stream.
enum Standing {
    /// It goes on from this position in the frame (perhaps its end: nothing new).
    Goes(usize),
    /// Something before it is missing.
    Gap,
    /// Other entries under the same indexes.
    Forked,
}

fn compare(tx: &Connection, row: &StreamRow, upload: &Upload) -> Result<Standing, StoreError> {
    let Meeting::At { shared, known } = Meeting::of(upload.frame.before, &upload.tips, row.tip) else {
        return Ok(Standing::Gap);
    };
    let ours = entry_hash(tx, row.stream_no, row.tip, shared.index)?;
    Ok(if ours == Some(shared.hash) { Standing::Goes(known) } else { Standing::Forked })
}

/// The hash of an entry of a stream, from the nearest signed head at or below it and the rows between.
pub fn entry_hash(
    connection: &Connection,
    stream_no: i64,
    tip: Tip,
    index: u64,
) -> Result<Option<EntryHash>, StoreError> {
    if index == tip.index {
        return Ok(Some(tip.hash));
    }
    let mut statement = connection.prepare_cached(
        "SELECT entry_index, hash FROM head WHERE stream_no = ? AND entry_index <= ? ORDER BY entry_index DESC LIMIT 1",
    )?;
    let head = statement.query_row(params![stream_no, index.cast_signed()], |row| {
        Ok(Tip { index: row.get::<_, i64>(0)?.cast_unsigned(), hash: EntryHash(row.get(1)?) })
    });
    let mut at = head.optional()?.unwrap_or_default();
    let stream = stream_id(connection, stream_no)?;
    let mut rows = connection.prepare_cached(
        "SELECT row_id, kind, header, body FROM log WHERE stream_no = ? AND entry_index = ? ORDER BY row_id LIMIT 1",
    )?;
    let mut contents = Contents::new(connection);
    while at.index < index {
        // The row that names an entry first brings it.
        let mut rows = rows.query(params![stream_no, (at.index + 1).cast_signed()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let kind = RowKind::from_number(row.get(1)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
        let found = contents.of(row.get(0)?, kind, (row.get(2)?, row.get(3)?))?;
        let Some((header, body)) = found else { return Ok(None) };
        let link = Link::Full { header, body };
        let (header, content) = link.hashes();
        at = at.extend(&stream, &header, &content);
    }
    Ok((at.index == index).then_some(at.hash))
}

/// A stream's name from its number.
pub fn stream_id(connection: &Connection, stream_no: i64) -> Result<StreamId, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT replica, scope FROM stream JOIN scope USING (scope_no) WHERE stream_no = ?")?;
    Ok(statement.query_row([stream_no], |row| {
        Ok(StreamId { replica: ReplicaId(row.get(0)?), scope: ScopeId::from_bytes(row.get(1)?) })
    })?)
}

/// How far a stream has come.
pub fn tip(tx: &Connection, scope_no: i64, replica: ReplicaId) -> Result<Tip, StoreError> {
    Ok(stream_row(tx, scope_no, replica)?.tip)
}

fn stream_row(tx: &Connection, scope_no: i64, replica: ReplicaId) -> Result<StreamRow, StoreError> {
    let mut find =
        tx.prepare_cached("SELECT stream_no, tip_index, tip_hash FROM stream WHERE scope_no = ? AND replica = ?")?;
    let found = find.query_row(params![scope_no, replica.as_bytes()], |row| {
        let tip = Tip { index: row.get::<_, i64>(1)?.cast_unsigned(), hash: EntryHash(row.get(2)?) };
        Ok(StreamRow { stream_no: row.get(0)?, tip })
    });
    if let Some(found) = found.optional()? {
        return Ok(found);
    }
    let tip = Tip::default();
    tx.execute(
        "INSERT INTO stream (scope_no, replica, tip_index, tip_hash) VALUES (?, ?, 0, ?)",
        params![scope_no, replica.as_bytes(), tip.hash.as_bytes()],
    )?;
    Ok(StreamRow { stream_no: tx.last_insert_rowid(), tip })
}

fn held_count(tx: &Connection, stream_no: i64) -> Result<i64, StoreError> {
    let mut statement = tx.prepare_cached("SELECT count(*) FROM held WHERE stream_no = ? AND state = 'held'")?;
    Ok(statement.query_row([stream_no], |row| row.get(0))?)
}

/// As much of a frame as one turn takes, and everything that its plan depends on.
struct Survey {
    arrivals: Vec<Arrival>,
    ground: Ground,
    loaded: BTreeMap<DocumentId, Loaded>,
    /// Whether nothing is left of the frame.
    is_whole: bool,
}

/// Loads what the entries from this one on name, until that weighs more than a turn.
fn survey(
    tx: &Transaction<'_>,
    scope_no: i64,
    upload: &Upload,
    from: usize,
    turn: usize,
) -> Result<Survey, StoreError> {
    let (mut arrivals, mut spent) = (Vec::new(), 0);
    let (mut ground, mut loaded, mut is_whole) = (Ground::new(), BTreeMap::new(), true);
    for (link, tip) in upload.frame.links.iter().zip(&upload.tips).skip(from) {
        let Link::Full { header, body } = link else { break };
        let arrival = Arrival::open(tip.index, header, body);
        if let Some(id) = arrival.document().filter(|id| !ground.contains_key(id)) {
            if spent > turn {
                is_whole = false;
                break;
            }
            let (document, facts, cost) = tx.recent().load(tx, scope_no, id)?;
            ground.insert(id, document);
            loaded.insert(id, facts);
            spent += cost;
        }
        arrivals.push(arrival);
    }
    Ok(Survey { arrivals, ground, loaded, is_whole })
}

fn weight(link: &Link) -> u64 {
    match link {
        Link::Full { header, body } => (header.len() + body.len()) as u64,
        Link::Hollow { .. } => 0,
    }
}

/// Decides the entries of a frame from this one on, as far as a turn goes, and writes what was decided.
fn take(
    tx: &Transaction<'_>,
    upload: &Upload,
    (scope_no, row): (i64, &StreamRow),
    (from, turn): (usize, usize),
    rights: &Rights,
    now: Millis,
) -> Result<Ingested, StoreError> {
    let Upload { frame, tips, by, .. } = upload;
    let StreamId { replica, scope } = frame.stream;
    let log = ScopeLog::load(tx, scope_no)?;
    let Survey { arrivals, ground, loaded, is_whole } = survey(tx, scope_no, upload, from, turn)?;
    let seen = log::seen_times(tx, &log, claims(&ground, &arrivals))?;
    // Where nothing arrives, the stream may end beyond the frame.
    let tip = arrivals.len().checked_sub(1).and_then(|last| tips.get(from + last)).copied().unwrap_or(row.tip);
    let links: Vec<&Link> = frame.links.iter().skip(from).take(arrivals.len()).collect();
    let plan = plan(ground, replica, arrivals, rights, &Facts { now, grace_ms: GRACE_MS, seen });
    let mut ingested = Ingested {
        bytes: links.iter().map(|link| weight(link)).sum(),
        is_whole,
        ..Ingested::nothing(FrameFate::Decided { replica, scope, tip })
    };
    for Decision { replica: of, index, outcome, .. } in &plan.rows {
        match outcome {
            Outcome::Accepted { .. } | Outcome::Filled { .. } => ingested.accepted += 1,
            Outcome::Held { reason, .. } if *of == replica => {
                ingested.held.push((*index, reason.clone()));
                let arrived = index.checked_sub(frame.before.index + 1 + from as u64);
                let link = arrived.and_then(|at| links.get(usize::try_from(at).ok()?));
                ingested.held_bytes += link.map_or(0, |link| weight(link));
            }
            // Another's, which its own phone is told of.
            Outcome::Held { .. } => {}
        }
    }
    let arriving = Some(Arriving { stream_no: row.stream_no, frame, tips });
    Applying { tx, log, loaded, arriving, said: Said::of(by.as_deref()), now }.apply(plan)?;
    tx.prepare_cached("UPDATE stream SET tip_index = ?, tip_hash = ? WHERE stream_no = ?")?.execute(params![
        tip.index.cast_signed(),
        tip.hash.as_bytes(),
        row.stream_no
    ])?;
    keep_heads(tx, row.stream_no, upload, tip)?;
    Ok(ingested)
}

/// Keeps the head that the frame was verified by, also where a relayed frame leads beyond what could be taken. A head kept so
/// earlier goes once the stream, which now ends at `tip`, has passed it another way.
fn keep_heads(tx: &Transaction<'_>, stream_no: i64, upload: &Upload, tip: Tip) -> Result<(), StoreError> {
    let mut beyond = tx.prepare_cached("SELECT entry_index, hash FROM head WHERE stream_no = ? AND entry_index > ?")?;
    let beyond = beyond.query_map(params![stream_no, upload.frame.before.index.cast_signed()], |row| {
        Ok(Tip { index: row.get::<_, i64>(0)?.cast_unsigned(), hash: EntryHash(row.get(1)?) })
    })?;
    for index in passed_heads(&beyond.collect::<Result<Vec<_>, _>>()?, &upload.tips, tip) {
        tx.prepare_cached("DELETE FROM head WHERE stream_no = ? AND entry_index = ?")?
            .execute(params![stream_no, index.cast_signed()])?;
    }
    let Some(head) = upload.frame.head(&upload.tips) else { return Ok(()) };
    tx.prepare_cached("INSERT OR REPLACE INTO head (stream_no, entry_index, hash, signature) VALUES (?, ?, ?, ?)")?
        .execute(params![
            stream_no,
            head.tip.index.cast_signed(),
            head.tip.hash.as_bytes(),
            head.signature.as_bytes()
        ])?;
    Ok(())
}
