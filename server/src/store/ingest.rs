//! A plan becomes rows: one frame, verified already, decided entry by entry and written in the caller's transaction.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use aralau_sync_core::{
    frame::Frame,
    id::{DocumentId, EntryHash, PersonId, ReplicaId},
    log::{RowKind, Verdict},
    reconcile::{Arrival, Decision, Ground, Moment, Outcome, Rights, decide},
    stream::{Header, Link, Tip},
    sync::FrameFate,
    time::{DAY_MS, Millis},
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    StoreError, Transaction, directory,
    hold::{self, Said},
    log::{self, NewRow, ScopeLog},
    projection::{self, Loaded},
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
    /// Outcomes other than "accepted": index and reason code.
    pub held: Vec<(u64, String)>,
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

    fn refused(code: &str) -> Self {
        Self::nothing(FrameFate::Refused { code: code.to_owned() })
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
        return Ok(Ingested::refused("replica_unknown"));
    };
    let rights = directory::rights_of(tx, &author, stream.scope)?;
    // A scope that is not one's own and a scope that does not exist look alike; whoever has it may bring the words of an
    // author whose grant a restore has forgotten, for a person to judge.
    let brings_own = |person| directory::is_granted(tx, person, stream.scope, now);
    let is_known = !rights.grants.is_empty() || upload.brought_by.map_or(Ok(false), brings_own)?;
    let Some(scope_no) = log::scope_no(tx, stream.scope)?.filter(|_| is_known) else {
        return Ok(Ingested::refused("scope_unknown"));
    };
    let row = stream_row(tx, scope_no, stream.replica)?;
    match compare(tx, &row, upload)? {
        Standing::Goes(from) => {
            if held_count(tx, row.stream_no)? >= MAX_HELD_ENTRIES {
                return Ok(Ingested::refused("too_much_held"));
            }
            let mut taking = Taking::new(tx, upload, scope_no, row, &rights, now)?;
            let is_whole = taking.take(from, turn)?;
            taking.finish(is_whole)
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
    let before = upload.frame.before;
    if before.index > row.tip.index {
        return Ok(Standing::Gap);
    }
    let have = usize::try_from(row.tip.index - before.index).unwrap_or(usize::MAX);
    // The last index that both sides have: in the frame, or before it, or its end.
    let shared = match have {
        0 => before,
        _ => upload.tips[have.min(upload.tips.len()) - 1],
    };
    let ours = entry_hash(tx, row.stream_no, row.tip, shared.index)?;
    Ok(if ours == Some(shared.hash) { Standing::Goes(have.min(upload.tips.len())) } else { Standing::Forked })
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
pub fn stream_id(connection: &Connection, stream_no: i64) -> Result<aralau_sync_core::stream::StreamId, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT replica, scope FROM stream JOIN scope USING (scope_no) WHERE stream_no = ?")?;
    Ok(statement.query_row([stream_no], |row| {
        Ok(aralau_sync_core::stream::StreamId {
            replica: ReplicaId(row.get(0)?),
            scope: aralau_sync_core::id::ScopeId::from_bytes(row.get(1)?),
        })
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

/// One frame on its way into the log.
struct Taking<'a> {
    tx: &'a Transaction<'a>,
    upload: &'a Upload,
    rights: &'a Rights,
    now: Millis,
    log: ScopeLog,
    row: StreamRow,
    ground: Ground,
    loaded: BTreeMap<DocumentId, Loaded>,
    touched: BTreeSet<DocumentId>,
    held: Vec<(u64, String)>,
    accepted: u64,
    bytes: u64,
    held_bytes: u64,
}

impl<'a> Taking<'a> {
    fn new(
        tx: &'a Transaction<'a>,
        upload: &'a Upload,
        scope_no: i64,
        row: StreamRow,
        rights: &'a Rights,
        now: Millis,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            tx,
            upload,
            rights,
            now,
            log: ScopeLog::load(tx, scope_no)?,
            row,
            ground: Ground::default(),
            loaded: BTreeMap::new(),
            touched: BTreeSet::new(),
            held: Vec::new(),
            accepted: 0,
            bytes: 0,
            held_bytes: 0,
        })
    }

    /// Decides the entries from this one on, until the documents that they name weigh more than a turn. Returns whether that
    /// was all of them.
    fn take(&mut self, from: usize, turn: usize) -> Result<bool, StoreError> {
        let (upload, mut spent) = (self.upload, 0);
        let links = upload.frame.links.iter().zip(&upload.tips).skip(from);
        let (connection, scope_no, scope) = (self.tx, self.log.scope_no, self.log.scope);
        // What was written between two syncs has seen the same.
        let last = Cell::new(None);
        let seen = |seen| match last.get() {
            Some((known, at)) if known == seen => at,
            _ => {
                let at = log::seen_received_at(connection, scope_no, scope, seen);
                last.set(Some((seen, at)));
                at
            }
        };
        let moment = Moment { now: self.now, grace_ms: GRACE_MS, seen_received_at: &seen };
        for (link, tip) in links {
            let Link::Full { header, body } = link else { break };
            if let Some(id) = self.to_load(header) {
                if spent > turn {
                    return Ok(false);
                }
                spent += self.load(id)?;
            }
            let replica = upload.frame.stream.replica;
            let arrival = Arrival { replica, index: tip.index, header, body };
            let decisions = decide(&mut self.ground, &arrival, self.rights, &moment);
            self.row.tip = *tip;
            let bytes = (header.len() + body.len()) as u64;
            self.bytes += bytes;
            let held = self.held.len();
            for decision in decisions {
                self.write(&decision, Some((tip, header, body)))?;
            }
            if self.held.len() > held {
                self.held_bytes += bytes;
            }
        }
        Ok(true)
    }

    /// The document that a header names, unless it is there already.
    fn to_load(&self, header: &[u8]) -> Option<DocumentId> {
        let id = Header::from_bytes(header).ok()?.document;
        (!self.loaded.contains_key(&id)).then_some(id)
    }

    /// Loads a document. Returns what that has cost.
    fn load(&mut self, id: DocumentId) -> Result<usize, StoreError> {
        let (document, facts, cost) = self.tx.recent().load(self.tx, self.log.scope_no, id)?;
        self.ground.documents.insert(id, document);
        self.loaded.insert(id, facts);
        Ok(cost)
    }

    fn write(&mut self, decision: &Decision, arrived: Option<(&Tip, &[u8], &[u8])>) -> Result<(), StoreError> {
        let own = arrived
            .filter(|(tip, ..)| tip.index == decision.index && decision.replica == self.upload.frame.stream.replica);
        match own {
            Some((tip, header, body)) => {
                let entry = (self.row.stream_no, tip.index);
                write_decision(
                    self.tx,
                    &mut self.log,
                    decision,
                    entry,
                    tip.hash,
                    (header, body),
                    self.now,
                    Said::of(self.upload.by.as_deref()),
                )?;
            }
            None => hold::write_again(self.tx, &mut self.log, decision, self.now, Said::default())?,
        }
        match (&decision.outcome, decision.document) {
            (Outcome::Accepted { .. } | Outcome::Filled { .. }, Some(id)) => {
                self.accepted += 1;
                self.touched.insert(id);
                if let Some(loaded) = self.loaded.get_mut(&id) {
                    loaded.note(self.tx, self.log.scope_no, id, decision, &self.log, self.now)?;
                }
            }
            (Outcome::Held { reason, .. }, _) => self.held.push((decision.index, reason.code().to_owned())),
            (Outcome::Accepted { .. } | Outcome::Filled { .. }, None) => {}
        }
        Ok(())
    }

    /// Keeps the head that the frame was verified by, also where a relayed frame leads beyond what could be taken. A head
    /// kept so earlier goes once the stream has passed it another way.
    fn keep_heads(&self) -> Result<(), StoreError> {
        let before = self.upload.frame.before.index;
        let mut beyond =
            self.tx.prepare_cached("SELECT entry_index, hash FROM head WHERE stream_no = ? AND entry_index > ?")?;
        let beyond = beyond.query_map(params![self.row.stream_no, before.cast_signed()], |row| {
            Ok(Tip { index: row.get::<_, i64>(0)?.cast_unsigned(), hash: EntryHash(row.get(1)?) })
        })?;
        for head in beyond.collect::<Result<Vec<_>, _>>()? {
            if head.index <= self.row.tip.index && !self.upload.tips.contains(&head) {
                self.tx
                    .prepare_cached("DELETE FROM head WHERE stream_no = ? AND entry_index = ?")?
                    .execute(params![self.row.stream_no, head.index.cast_signed()])?;
            }
        }
        let Some(head) = self.upload.frame.head(&self.upload.tips) else { return Ok(()) };
        self.tx
            .prepare_cached(
                "INSERT OR REPLACE INTO head (stream_no, entry_index, hash, signature) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![
                self.row.stream_no,
                head.tip.index.cast_signed(),
                head.tip.hash.as_bytes(),
                head.signature.as_bytes()
            ])?;
        Ok(())
    }

    fn finish(mut self, is_whole: bool) -> Result<Ingested, StoreError> {
        let stream = self.upload.frame.stream;
        self.log.save(self.tx)?;
        self.tx
            .prepare_cached("UPDATE stream SET tip_index = ?, tip_hash = ? WHERE stream_no = ?")?
            .execute(params![self.row.tip.index.cast_signed(), self.row.tip.hash.as_bytes(), self.row.stream_no])?;
        self.keep_heads()?;
        for id in &self.touched {
            if let (Some(place), Some(facts)) = (self.ground.documents.get(id), self.loaded.get(id)) {
                projection::project(self.tx, &mut self.tx.words(), self.log.scope_no, place, facts)?;
            }
        }
        let mut recent = self.tx.recent();
        for (id, facts) in self.loaded {
            if let Some(document) = self.ground.documents.remove(&id) {
                recent.keep(self.log.scope_no, id, document, facts);
            }
        }
        let tip = self.row.tip;
        let fate = FrameFate::Decided { replica: stream.replica, scope: stream.scope, tip };
        let (bytes, held_bytes) = (self.bytes, self.held_bytes);
        Ok(Ingested { fate, held: self.held, accepted: self.accepted, bytes, held_bytes, is_whole })
    }
}

/// Writes the log row of a decision and, where it is held, its place in quarantine.
#[expect(clippy::too_many_arguments, reason = "a row has this many parts, and they come from different hands")]
pub fn write_decision(
    tx: &Transaction<'_>,
    log: &mut ScopeLog,
    decision: &Decision,
    entry: (i64, u64),
    hash: EntryHash,
    (header, body): (&[u8], &[u8]),
    now: Millis,
    said: Said<'_>,
) -> Result<(), StoreError> {
    let (by, note) = (said.who(), said.note());
    let (kind, verdict) = match &decision.outcome {
        Outcome::Accepted { labels, .. } => {
            (RowKind::Accepted, Verdict { labels: *labels, by, note, ..Verdict::default() })
        }
        Outcome::Filled { labels, .. } => {
            (RowKind::Filled, Verdict { labels: *labels, by, note, ..Verdict::default() })
        }
        Outcome::Held { reason, because, .. } => {
            let reason = Some(reason.code().to_owned());
            (RowKind::Held, Verdict { reason, because: *because, by, note, ..Verdict::default() })
        }
    };
    let verdict_bytes = verdict.to_bytes();
    let row = NewRow {
        kind,
        received_at: now,
        entry: Some(entry),
        hash,
        header: Some(header),
        body: Some(body),
        verdict: &verdict_bytes,
    };
    let key = log.append(tx, &row)?;
    match &decision.outcome {
        Outcome::Held { change, .. } => {
            hold::follow_held(tx, key, log.scope_no, entry, decision.document, change, &verdict)
        }
        Outcome::Filled { .. } => hold::follow_judged(tx, entry, "filled", &verdict, now),
        Outcome::Accepted { .. } => Ok(()),
    }
}
