//! A scope's rows walked in order, with what the tree over them is made of: found again from the rows alone.

use std::collections::{BTreeMap, btree_map::Entry as MapEntry};

use aralau_sync_core::{
    id::{EntryHash, ScopeId, TreeHash},
    log::{RowKind, control_hash, row_leaf},
    merkle::Frontier,
    stream::{Link, StreamId, Tip},
    time::Millis,
};
use rusqlite::Connection;

use super::{
    StoreError, checkpoint, ingest,
    log::{ScopeLog, row_id},
    segment::Contents,
};

/// What a row's leaf is made of.
pub struct Leaf<'r> {
    /// What the row records.
    pub kind: RowKind,
    /// The server's clock.
    pub received_at: Millis,
    /// The entry's hash, or a control row's.
    pub entry: EntryHash,
    /// The verdict.
    pub verdict: &'r [u8],
}

impl Leaf<'_> {
    /// The leaf.
    pub fn hash(&self) -> TreeHash {
        row_leaf(self.kind, self.received_at, &self.entry, self.verdict)
    }
}

/// Walks a scope's rows after so many up to so many; the inner error says what is wrong with them.
pub fn leaves(
    connection: &Connection,
    log: &ScopeLog,
    (from, upto): (u64, u64),
    mut each: impl FnMut(&Leaf<'_>),
) -> Result<Result<(), String>, StoreError> {
    let mut chains = Chains::new(connection, log.scope);
    let mut statement = connection.prepare(
        "SELECT row_id, kind, received_at, stream_no, entry_index, header, body, verdict FROM log
         WHERE row_id > ? AND row_id < ? ORDER BY row_id",
    )?;
    let mut rows = statement.query([row_id(log.scope_no, from), row_id(log.scope_no + 1, 0)])?;
    let mut walked = from;
    while let Some(row) = rows.next()?
        && walked < upto
    {
        let kind = RowKind::from_number(row.get(1)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
        let entry = if kind == RowKind::Control {
            Some(control_hash(&log.scope, row.get_ref(6)?.as_blob().unwrap_or_default()))
        } else {
            chains.entry_hash(kind, row)?
        };
        let Some(entry) = entry else { return Ok(Err("a row names an entry that is missing".to_owned())) };
        let verdict = row.get_ref(7)?.as_blob().unwrap_or_default();
        each(&Leaf { kind, received_at: Millis(row.get(2)?), entry, verdict });
        walked += 1;
        if row.get::<_, i64>(0)? != row_id(log.scope_no, walked) {
            return Ok(Err(format!("the rows have a gap before {walked}")));
        }
    }
    Ok(Ok(()))
}

/// The tree over the first rows of a scope, made anew from those after the last checkpoint, or what is wrong with these.
pub fn tree(connection: &Connection, log: &ScopeLog, upto: u64) -> Result<Result<Frontier, String>, StoreError> {
    let mut frontier = checkpoint::before(connection, log.scope_no, upto)?;
    let walked = leaves(connection, log, (frontier.size(), upto), |leaf| frontier.push(leaf.hash()))?;
    Ok(walked.map(|()| frontier))
}

/// The chains of a scope's streams, made anew while its rows are walked in order.
struct Chains<'c> {
    connection: &'c Connection,
    scope: ScopeId,
    contents: Contents<'c>,
    ends: BTreeMap<i64, (StreamId, Tip)>,
}

impl<'c> Chains<'c> {
    fn new(connection: &'c Connection, scope: ScopeId) -> Self {
        Self { connection, scope, contents: Contents::new(connection), ends: BTreeMap::new() }
    }

    /// The hash of the entry that a row names; `None` where the log lacks it.
    fn entry_hash(&mut self, kind: RowKind, row: &rusqlite::Row<'_>) -> Result<Option<EntryHash>, StoreError> {
        let (stream_no, index) = (row.get(3)?, row.get::<_, i64>(4)?.cast_unsigned());
        let (stream, end) = match self.ends.entry(stream_no) {
            MapEntry::Occupied(known) => known.into_mut(),
            MapEntry::Vacant(new) => {
                let stream = ingest::stream_id(self.connection, stream_no)?;
                if stream.scope != self.scope {
                    return Ok(None);
                }
                new.insert((stream, Tip::default()))
            }
        };
        if index == end.index + 1 {
            let content = self.contents.of(row.get(0)?, kind, (row.get(5)?, row.get(6)?))?;
            let Some((header, body)) = content else { return Ok(None) };
            let (header, content) = Link::Full { header, body }.hashes();
            *end = end.extend(stream, &header, &content);
        }
        if index == end.index {
            return Ok(Some(end.hash));
        }
        // Named before: a held entry that was judged since. Or the walk began in the middle, and goes on from here.
        let tip = Tip { index: u64::MAX, hash: EntryHash([0; 32]) };
        let found = ingest::entry_hash(self.connection, stream_no, tip, index)?;
        if let Some(hash) = found.filter(|_| index > end.index) {
            *end = Tip { index, hash };
        }
        Ok(found)
    }
}
