//! Sealed segments: what the rows of the past bring, moved out of them into compressed packs. A pack is kept as it is sent,
//! so that a first sync reads a file more than it computes.
//!
//! Rows never change, but that what they bring moves here: kind, time, entry and verdict stay in their row, and so do the changes of
//! large documents, and whatever is held, which a pack names by its hashes only. [`Contents`] reads either place.

use std::collections::BTreeMap;

use aralau_sync_core::{
    cbor,
    digest::{chunk_of, content_hash, header_hash},
    id::{DocumentId, ReplicaId},
    log::RowKind,
    stream::{Header, Link},
    sync::{Content, Pack, Row},
    time::Millis,
};
use minicbor::{Decode, Encode};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StoreError, Transaction, log::row_id};

/// Rows of a segment, as a server seals them: to read one of them all are decompressed.
pub const SEGMENT_ROWS: usize = 256;
/// Bytes of a segment's rows, unless one row alone has more.
const MAX_BYTES: usize = 1 << 20;
/// A document of so many changes is large.
const MANY_CHANGES: i64 = 64;
/// A pack is made once, and sent to everybody who joins.
const ZSTD_LEVEL: i32 = 12;
/// A segment's pack, decompressed, at most: its last row may have exceeded [`MAX_BYTES`].
const MAX_PACK_BYTES: usize = 2 << 20;

/// A stream that rows of a segment belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Span {
    /// Its number.
    #[n(0)]
    pub stream_no: i64,
    /// The lowest index named.
    #[n(1)]
    pub first: u64,
    /// The highest.
    #[n(2)]
    pub last: u64,
}

/// A sealed range of a scope's rows, without what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Key of its first row.
    pub first_row: i64,
    /// Key of its last row.
    pub last_row: i64,
    /// What its rows weigh in an answer.
    pub bytes: usize,
    /// In the order of the pack's list of streams.
    pub spans: Vec<Span>,
}

impl Segment {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        usize::try_from(self.last_row - self.first_row + 1).unwrap_or(usize::MAX)
    }

    /// Its pack: one item of a message, as a zstd frame.
    pub fn pack(&self, connection: &Connection) -> Result<Vec<u8>, StoreError> {
        let mut statement = connection.prepare_cached("SELECT pack FROM segment WHERE first_row = ?")?;
        Ok(statement.query_row([self.first_row], |row| row.get(0))?)
    }
}

/// The segment that holds what a row brings.
pub fn holding(connection: &Connection, row: i64) -> Result<Option<Segment>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT first_row, last_row, bytes, streams FROM segment WHERE first_row <= ? ORDER BY first_row DESC LIMIT 1",
    )?;
    let found = statement.query_row([row], |found| {
        Ok((found.get(0)?, found.get(1)?, found.get::<_, i64>(2)?, found.get::<_, Vec<u8>>(3)?))
    });
    let Some((first_row, last_row, bytes, spans)) = found.optional()?.filter(|(_, last_row, ..)| row <= *last_row)
    else {
        return Ok(None);
    };
    let spans = cbor::decode(&spans).map_err(|_| StoreError::corrupt("a segment's streams"))?;
    Ok(Some(Segment { first_row, last_row, bytes: usize::try_from(bytes).unwrap_or(0), spans }))
}

/// Key of a scope's last sealed row; of the row before its first one where nothing is sealed.
pub fn sealed_upto(connection: &Connection, scope_no: i64) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT last_row FROM segment WHERE first_row > ?1 AND first_row < ?2 ORDER BY first_row DESC LIMIT 1",
    )?;
    let before = row_id(scope_no, 0);
    let last = statement.query_row([before, row_id(scope_no + 1, 0)], |row| row.get(0));
    Ok(last.optional()?.unwrap_or(before))
}

/// Header and body, as they stand in a row: a sealed one has neither.
pub type Kept = (Option<Vec<u8>>, Option<Vec<u8>>);
/// Header and body.
pub type Brought = (Vec<u8>, Vec<u8>);

/// What rows bring: header and body, wherever they stand. Remembers the segment that it read last.
pub struct Contents<'c> {
    connection: &'c Connection,
    open: Option<(Segment, Pack)>,
    opened: usize,
}

impl<'c> Contents<'c> {
    /// Over a connection, for as long as its transaction lasts.
    pub fn new(connection: &'c Connection) -> Self {
        Self { connection, open: None, opened: 0 }
    }

    /// How many segments it had to open.
    pub fn opened(&self) -> usize {
        self.opened
    }

    /// What a row brings, given what stands in it. `None`: nothing.
    pub fn of(&mut self, row: i64, kind: RowKind, kept: Kept) -> Result<Option<Brought>, StoreError> {
        if let (Some(header), Some(body)) = kept {
            return Ok(Some((header, body)));
        }
        if !matches!(kind, RowKind::Accepted | RowKind::Filled) {
            return Ok(None);
        }
        let missing = || StoreError::corrupt("a row without its content");
        if !self.open.as_ref().is_some_and(|(segment, _)| (segment.first_row..=segment.last_row).contains(&row)) {
            let segment = holding(self.connection, row)?.ok_or_else(missing)?;
            let pack = open(&segment.pack(self.connection)?)?;
            self.open = Some((segment, pack));
            self.opened += 1;
        }
        let found = self.open.as_ref().and_then(|(segment, pack)| {
            let at = usize::try_from(row - segment.first_row).ok()?;
            pack.rows.get(at)?.content.full()
        });
        let (header, body) = found.ok_or_else(missing)?;
        Ok(Some((header.to_vec(), body.to_vec())))
    }

    /// What a row brings that made its entry part of a document.
    pub fn accepted(&mut self, row: i64, kept: Kept) -> Result<Brought, StoreError> {
        self.of(row, RowKind::Accepted, kept)?.ok_or_else(|| StoreError::corrupt("a row without its content"))
    }
}

fn open(packed: &[u8]) -> Result<Pack, StoreError> {
    let damaged = || StoreError::corrupt("a segment's pack");
    let message = zstd::bulk::decompress(packed, MAX_PACK_BYTES).map_err(|_| damaged())?;
    let items = cbor::items(&message, MAX_PACK_BYTES).map_err(|_| damaged())?;
    let [item] = &items[..] else { return Err(damaged()) };
    cbor::decode(item).map_err(|_| damaged())
}

/// A segment and its pack, ready to be stored.
pub struct Sealed {
    segment: Segment,
    pack: Vec<u8>,
    /// Rows of large documents, which keep their content as well: to load one of these, a segment would have to be opened for
    /// nearly each of its changes.
    keep: Vec<i64>,
}

/// The next so many rows of a scope as a segment, unless there are too few, or one of them was received at `before` or
/// later. Reads only: of two that seal at the same time the second one fails to [store](Sealed::store).
pub fn seal(
    connection: &Connection,
    scope_no: i64,
    before: Millis,
    most_rows: usize,
) -> Result<Option<Sealed>, StoreError> {
    let first_row = sealed_upto(connection, scope_no)? + 1;
    let mut statement = connection.prepare_cached(
        "SELECT row_id, kind, received_at, stream_no, entry_index, header, body, verdict FROM log
         WHERE row_id >= ? AND row_id < ? ORDER BY row_id LIMIT ?",
    )?;
    let mut found = statement.query(params![first_row, row_id(scope_no + 1, 0), most_rows as i64])?;
    let mut pack = Pack { streams: Vec::new(), rows: Vec::new() };
    let (mut spans, mut bytes): (Vec<Span>, usize) = (Vec::new(), 0);
    let (mut large, mut keep) = (Large::new(connection, scope_no), Vec::new());
    while bytes < MAX_BYTES
        && let Some(row) = found.next()?
    {
        let received_at = Millis(row.get(2)?);
        if received_at >= before {
            return Ok(None);
        }
        let kind = RowKind::from_number(row.get(1)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
        let index = row.get::<_, Option<i64>>(4)?.unwrap_or(0).cast_unsigned();
        let stream = match row.get(3)? {
            Some(stream_no) => position(connection, stream_no, index, &mut pack.streams, &mut spans)?,
            None => 0,
        };
        let header: Option<Vec<u8>> = row.get(5)?;
        if header.as_ref().map_or(Ok(false), |header| large.holds(header))? {
            keep.push(row.get(0)?);
        }
        let content = content(kind, header, row.get(6)?)?;
        let row = Row { kind, received_at, stream, index, verdict: row.get(7)?, content };
        bytes += row.bytes();
        pack.rows.push(row);
    }
    if pack.rows.len() < most_rows && bytes < MAX_BYTES {
        return Ok(None);
    }
    let last_row = first_row + pack.rows.len() as i64 - 1;
    let mut message = Vec::new();
    cbor::push_item(&mut message, &cbor::encode(&pack));
    let packed = zstd::bulk::compress(&message, ZSTD_LEVEL);
    let packed = packed.map_err(|_| StoreError::Internal("a segment cannot be compressed".to_owned()))?;
    // Before the rows let go of anything.
    if open(&packed)? != pack {
        return Err(StoreError::Internal("a segment does not read back as it was written".to_owned()));
    }
    Ok(Some(Sealed { segment: Segment { first_row, last_row, bytes, spans }, pack: packed, keep }))
}

/// Which documents of a scope are large.
struct Large<'c> {
    connection: &'c Connection,
    scope_no: i64,
    known: BTreeMap<DocumentId, bool>,
}

impl<'c> Large<'c> {
    fn new(connection: &'c Connection, scope_no: i64) -> Self {
        Self { connection, scope_no, known: BTreeMap::new() }
    }

    /// Whether the document that a header names is one.
    fn holds(&mut self, header: &[u8]) -> Result<bool, StoreError> {
        let Ok(Header { document, .. }) = Header::from_bytes(header) else { return Ok(false) };
        if let Some(known) = self.known.get(&document) {
            return Ok(*known);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM later_change JOIN document USING (document_no)
             WHERE document = ? AND scope_no = ? LIMIT ?)",
        )?;
        let changes: i64 =
            statement.query_row(params![document.as_bytes(), self.scope_no, MANY_CHANGES], |row| row.get(0))?;
        let is_large = changes == MANY_CHANGES;
        self.known.insert(document, is_large);
        Ok(is_large)
    }
}

/// A stream's position in the pack, with this index in its span.
fn position(
    connection: &Connection,
    stream_no: i64,
    index: u64,
    streams: &mut Vec<ReplicaId>,
    spans: &mut Vec<Span>,
) -> Result<u32, StoreError> {
    let known = spans.iter().position(|span| span.stream_no == stream_no);
    let at = match known {
        Some(at) => at,
        None => {
            let mut statement = connection.prepare_cached("SELECT replica FROM stream WHERE stream_no = ?")?;
            streams.push(ReplicaId(statement.query_row([stream_no], |row| row.get(0))?));
            spans.push(Span { stream_no, first: index, last: index });
            spans.len() - 1
        }
    };
    let span = &mut spans[at];
    (span.first, span.last) = (span.first.min(index), span.last.max(index));
    Ok(u32::try_from(at).unwrap_or(u32::MAX))
}

/// What goes with a row, as whoever did not write it is told.
pub fn content(kind: RowKind, header: Option<Vec<u8>>, body: Option<Vec<u8>>) -> Result<Content, StoreError> {
    match (kind, header, body) {
        (RowKind::Control, _, Some(payload)) => Ok(Content::Control(payload)),
        (RowKind::Accepted | RowKind::Filled, Some(header), Some(body)) => {
            Ok(Content::Link(Link::Full { header, body }))
        }
        (RowKind::Held, Some(header), Some(body)) => {
            let (header, content) = (header_hash(&header), content_hash(&chunk_of(&body)));
            Ok(Content::Link(Link::Hollow { header, content }))
        }
        (RowKind::Rejected, ..) => Ok(Content::Known),
        _ => Err(StoreError::corrupt("a row without its content")),
    }
}

impl Sealed {
    /// Puts the segment in the place of what its rows brought.
    pub fn store(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        let Segment { first_row, last_row, bytes, spans } = &self.segment;
        tx.prepare_cached("INSERT INTO segment (first_row, last_row, bytes, streams, pack) VALUES (?, ?, ?, ?, ?)")?
            .execute(params![first_row, last_row, *bytes as i64, cbor::encode(spans), self.pack])?;
        let mut empty = tx.prepare_cached(
            "UPDATE log SET header = NULL, body = NULL WHERE row_id BETWEEN ? AND ? AND kind IN (?, ?)",
        )?;
        let (mut from, kinds) = (*first_row, (RowKind::Accepted as u8, RowKind::Filled as u8));
        for end in self.keep.iter().copied().chain([last_row + 1]) {
            empty.execute(params![from, end - 1, kinds.0, kinds.1])?;
            from = end + 1;
        }
        Ok(())
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.segment.rows()
    }
}
