//! The server's log, read from its database file by nobody's code but this (what was sealed by the store's): rows, chains
//! and trees as the design defines them. What judges compare everything with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aralau_server::store::{Contents, Kept, StoreError};
use aralau_sync_core::log::RowKind;
use rusqlite::{Connection, OpenFlags, params};
use sha2::{Digest as _, Sha256};

use crate::model::{WordNo, words_in};

/// A hash.
pub type Hash = [u8; 32];
/// A scope's id.
pub type Scope = [u8; 16];
/// A replica's id.
pub type Replica = [u8; 14];

/// A row of a scope's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 1 accepted, 2 held, 3 filled, 4 rejected, 5 control.
    pub kind: u8,
    /// The server's clock.
    pub received_at: i64,
    /// Author and index; none in a control row.
    pub entry: Option<(Replica, u64)>,
    /// Of the entry, or of a control row's payload.
    pub entry_hash: Hash,
    /// As hashed.
    pub verdict: Vec<u8>,
    /// In the tree.
    pub leaf: Hash,
    /// Of header and body, as stored.
    pub content: Hash,
    /// In its body.
    pub words: BTreeSet<WordNo>,
    /// The body.
    pub body: Vec<u8>,
    /// The header.
    pub header: Vec<u8>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// The rows of each scope, in order.
    pub rows: BTreeMap<Scope, Vec<Row>>,
    /// All words that stand in them.
    pub words: BTreeSet<WordNo>,
    chains: BTreeMap<(Replica, Scope), Vec<Hash>>,
}

impl Transcript {
    /// All of it, from the start.
    pub fn read(database: &Path) -> Result<Self, String> {
        let mut transcript = Self::default();
        transcript.read_on(database)?;
        Ok(transcript)
    }

    /// What was added since. Says what is wrong with it, if anything is.
    pub fn read_on(&mut self, database: &Path) -> Result<(), String> {
        let connection = look_into(database).map_err(|error| error.to_string())?;
        let scopes = all(&connection, "SELECT scope_no, scope FROM scope ORDER BY scope_no", |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Scope>(1)?))
        });
        let streams = all(&connection, "SELECT stream_no, replica FROM stream", |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Replica>(1)?))
        });
        let streams: BTreeMap<_, _> = streams.map_err(|error| error.to_string())?.into_iter().collect();
        for (number, scope) in scopes.map_err(|error| error.to_string())? {
            self.read_scope(&connection, number, scope, &streams)
                .map_err(|error| format!("scope {number}: {error}"))?;
        }
        Ok(())
    }

    fn read_scope(
        &mut self,
        connection: &Connection,
        number: i64,
        scope: Scope,
        streams: &BTreeMap<i64, Replica>,
    ) -> Result<(), String> {
        let mut have = self.rows.entry(scope).or_default().len() as i64;
        let mut statement = connection
            .prepare_cached(
                "SELECT row_id, kind, received_at, stream_no, entry_index, header, body, verdict FROM log
                 WHERE row_id > ? AND row_id < ? ORDER BY row_id",
            )
            .map_err(|error| error.to_string())?;
        let mut found =
            statement.query(params![number << 40 | have, (number + 1) << 40]).map_err(|error| error.to_string())?;
        let mut contents = Contents::new(connection);
        while let Some(raw) = found.next().map_err(|error| error.to_string())? {
            have += 1;
            let content = content(&mut contents, raw).map_err(|error| error.to_string())?;
            let row = self.row(raw, content, scope, streams).map_err(|error| error.to_string())?;
            if raw.get::<_, i64>(0) != Ok(number << 40 | have) {
                return Err(format!("row {have} is missing"));
            }
            let row = row.ok_or_else(|| format!("row {have} names an entry out of turn"))?;
            self.words.extend(&row.words);
            self.rows.entry(scope).or_default().push(row);
        }
        Ok(())
    }

    /// `None`: it names an entry that does not follow its stream.
    fn row(
        &mut self,
        raw: &rusqlite::Row<'_>,
        content: Kept,
        scope: Scope,
        streams: &BTreeMap<i64, Replica>,
    ) -> rusqlite::Result<Option<Row>> {
        let (kind, received_at): (u8, i64) = (raw.get(1)?, raw.get(2)?);
        let (header, body) = content;
        let body = body.unwrap_or_default();
        let verdict: Vec<u8> = raw.get(7)?;
        let entry = match raw.get::<_, Option<i64>>(3)? {
            None => None,
            Some(number) => Some((streams[&number], raw.get::<_, i64>(4)?.unsigned_abs())),
        };
        let entry_hash = match entry {
            None => sha256(&[b"aralau/control/1\0", &scope, &body]),
            Some((replica, index)) => match self.chain(replica, scope, index, header.as_deref(), &body) {
                Some(hash) => hash,
                None => return Ok(None),
            },
        };
        let leaf = sha256(&[
            &[0],
            b"aralau/leaf/1\0",
            &[kind],
            &received_at.to_be_bytes(),
            &entry_hash,
            &sha256(&[b"aralau/verdict/1\0", &verdict]),
        ]);
        let header = header.unwrap_or_default();
        let content = sha256(&[&(header.len() as u64).to_be_bytes(), &header, &body]);
        let words = words_in(&body);
        Ok(Some(Row { kind, received_at, entry, entry_hash, verdict, leaf, content, words, body, header }))
    }

    fn chain(
        &mut self,
        replica: Replica,
        scope: Scope,
        index: u64,
        header: Option<&[u8]>,
        body: &[u8],
    ) -> Option<Hash> {
        let chain = self.chains.entry((replica, scope)).or_default();
        let at = usize::try_from(index).ok()?.checked_sub(1)?;
        let before = if at == 0 { [0; 32] } else { *chain.get(at - 1)? };
        let Some(header) = header else { return chain.get(at).copied() };
        let hash = sha256(&[
            b"aralau/entry/1\0",
            &replica,
            &scope,
            &index.to_be_bytes(),
            &before,
            &sha256(&[header]),
            &sha256(&[b"aralau/content/1\0", &chunk(body)]),
        ]);
        match chain.get(at) {
            None => chain.push(hash),
            Some(known) if *known == hash => {}
            Some(_) => return None,
        }
        Some(hash)
    }

    /// The root over the first rows of a scope, by RFC 6962 word for word.
    pub fn root(&self, scope: &Scope, size: usize) -> Option<Hash> {
        let leaves: Vec<_> = self.rows.get(scope)?.get(..size)?.iter().map(|row| row.leaf).collect();
        Some(root(&leaves))
    }

    /// The hash of an entry.
    pub fn entry(&self, replica: Replica, scope: Scope, index: u64) -> Option<Hash> {
        let at = usize::try_from(index).ok()?.checked_sub(1)?;
        self.chains.get(&(replica, scope))?.get(at).copied()
    }

    /// The end of a stream.
    pub fn tip(&self, replica: Replica, scope: Scope) -> (u64, Hash) {
        let chain = self.chains.get(&(replica, scope)).map_or(&[][..], Vec::as_slice);
        (chain.len() as u64, chain.last().copied().unwrap_or([0; 32]))
    }

    /// The words in rows that were accepted or filled.
    pub fn merged(&self) -> BTreeSet<WordNo> {
        let merged = self.rows.values().flatten().filter(|row| [1, 3].contains(&row.kind));
        merged.flat_map(|row| row.words.iter().copied()).collect()
    }

    /// Rows in all scopes.
    pub fn len(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The root of a tree, by RFC 6962 §2.1.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[1], &root(left), &root(right)])
        }
    }
}

/// A change as Automerge would store it: magic, checksum, type 1, length, body.
pub fn chunk(body: &[u8]) -> Vec<u8> {
    let mut rest = vec![1];
    let mut length = body.len();
    while length > 0x7f {
        rest.push(length as u8 | 0x80);
        length >>= 7;
    }
    rest.push(length as u8);
    rest.extend(body);
    let hash = sha256(&[&rest]);
    [&[0x85, 0x6f, 0x4a, 0x83][..], &hash[..4], &rest].concat()
}

/// SHA-256 of everything in turn.
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// Header and body of a row, also of one that was sealed before it was read here.
fn content(contents: &mut Contents<'_>, raw: &rusqlite::Row<'_>) -> Result<Kept, StoreError> {
    let kept: Kept = (raw.get(5)?, raw.get(6)?);
    let kind = RowKind::from_number(raw.get(1)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
    match contents.of(raw.get(0)?, kind, kept.clone())? {
        Some((header, body)) => Ok((Some(header), Some(body))),
        None => Ok(kept),
    }
}

/// Opens a database beside whoever has it.
pub fn look_into(database: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// All rows of a query.
pub fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map([], read)?.collect()
}
