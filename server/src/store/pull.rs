//! What one scope gained since a cursor, for one device, with a signed receipt.

use std::collections::BTreeMap;

use aralau_sync_core::{
    epoch::{Epoch, is_known, shared_rows},
    frame::{MAX_FRAME_BYTES, MAX_FRAME_ENTRIES},
    id::{EntryHash, PublicKey, ReplicaId, Signature},
    introduction::Introduction,
    log::RowKind,
    reason::Reason,
    receipt::Receipt,
    stream::{Head, StreamId, Tip},
    sync::{Ask, Content, Gained, Pack, Row, StreamIntro},
    time::Millis,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    Identity, StoreError,
    directory::{CUSTODY_DEVICE, DeviceRow, device_of_replica},
    log::{self, ScopeLog},
    segment::{self, Contents, Segment, Span},
};

/// How much one answer may hold.
#[derive(Debug, Clone, Copy)]
pub struct PullLimits {
    /// Rows.
    pub rows: usize,
    /// Bytes of content.
    pub bytes: usize,
    /// Whether the last frame is brought to its end, by at most one frame more: what a device has of a stream beyond the last
    /// head signed by its author it cannot bring back to a server that has lost it.
    pub whole_frames: bool,
}

impl Default for PullLimits {
    fn default() -> Self {
        Self { rows: 20_000, bytes: 4 * 1024 * 1024, whole_frames: true }
    }
}

/// The asking device.
pub struct Asking<'a> {
    /// Its install.
    pub replica: ReplicaId,
    /// Where it stands in this scope.
    pub ask: Ask,
    /// The epochs after its cursor's.
    pub epochs: &'a [Epoch],
    /// The newest epoch.
    pub epoch: u64,
    /// Its own entries of this upload that were held.
    pub held: Vec<(u64, Reason)>,
}

/// What a scope gained, and the packs that its answer names.
pub struct Pulled {
    /// The first rows.
    pub gained: Gained,
    /// Those that follow.
    pub packs: Vec<Packed>,
    /// All rows, those of packs among them.
    pub rows: usize,
    /// What they weigh.
    pub bytes: usize,
}

/// Rows that follow others.
pub enum Packed {
    /// A [`Pack`] as it was sealed: one item of a message, as a zstd frame.
    Sealed(Vec<u8>),
    /// Rows that are not sealed, or that hold the asking device's own words.
    Live(Pack),
}

/// Reads one scope from a consistent snapshot.
pub fn pull(
    connection: &Connection,
    identity: &Identity,
    scope_no: i64,
    asking: &Asking<'_>,
    limits: PullLimits,
    now: Millis,
) -> Result<Pulled, StoreError> {
    let log = ScopeLog::load(connection, scope_no)?;
    let size = log.frontier.size();
    let mut gathering = Gathering::new(connection, scope_no, asking.replica, limits);
    let cursor = asking.ask.cursor;
    let (from, more) = if cursor.epoch == 0 || is_known(cursor.epoch, asking.epochs) {
        let from = shared_rows(cursor, log.scope, asking.epochs).min(size);
        (from, gathering.gather(from)?)
    } else {
        // It followed a restore that this history knows nothing of: only the device can tell how far both go together. With
        // the epochs that the answer names it does, and asks again from there.
        (0, true)
    };
    let decided = own_tip(connection, StreamId { replica: asking.replica, scope: log.scope })?;
    let receipt = Receipt {
        decided: Some((asking.replica, decided.index)),
        held: asking.held.clone(),
        ..receipt(connection, identity, &log, asking.epoch, now)?
    };
    let streams = gathering.streams.introduce(identity)?;
    let Gathering { first, packs, rows, bytes, .. } = gathering;
    let gained = Gained {
        scope: log.scope,
        epoch: asking.epoch,
        from,
        streams,
        rows: first,
        more,
        receipt: receipt.sign(&identity.receipt_key),
        decided,
        packs: u32::try_from(packs.len()).ok().filter(|packs| *packs > 0),
    };
    Ok(Pulled { gained, packs, rows, bytes })
}

/// What the server says of a scope's log as it is, to whoever asks.
pub fn receipt(
    connection: &Connection,
    identity: &Identity,
    log: &ScopeLog,
    epoch: u64,
    now: Millis,
) -> Result<Receipt, StoreError> {
    let size = log.frontier.size();
    Ok(Receipt {
        deployment: identity.deployment,
        scope: log.scope,
        size,
        root: log.frontier.root(),
        epoch,
        time: now,
        durable_upto: size,
        backed_up_upto: backed_up(connection, log.scope_no)?,
        decided: None,
        held: Vec::new(),
    })
}

pub(super) fn backed_up(connection: &Connection, scope_no: i64) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT backed_up FROM scope WHERE scope_no = ?")?;
    Ok(statement.query_row([scope_no], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// The end of a device's own stream; the beginning where there is none, or no such scope.
pub fn own_tip(connection: &Connection, stream: StreamId) -> Result<Tip, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT tip_index, tip_hash FROM stream JOIN scope USING (scope_no) WHERE scope = ? AND replica = ?",
    )?;
    let tip = statement.query_row(params![stream.scope.as_bytes(), stream.replica.as_bytes()], |row| {
        Ok(Tip { index: row.get::<_, i64>(0)?.cast_unsigned(), hash: EntryHash(row.get(1)?) })
    });
    Ok(tip.optional()?.unwrap_or_default())
}

/// Rows on their way into an answer: packs where a whole one fits, and single rows before, between and behind them.
struct Gathering<'a> {
    connection: &'a Connection,
    scope_no: i64,
    limits: PullLimits,
    contents: Contents<'a>,
    streams: Streams<'a>,
    first: Vec<Row>,
    packs: Vec<Packed>,
    rows: usize,
    bytes: usize,
    /// The entry that the last row of another's brought.
    last: Option<(i64, i64)>,
}

impl<'a> Gathering<'a> {
    fn new(connection: &'a Connection, scope_no: i64, asking: ReplicaId, limits: PullLimits) -> Self {
        Self {
            connection,
            scope_no,
            limits,
            contents: Contents::new(connection),
            streams: Streams::new(connection, scope_no, asking),
            first: Vec::new(),
            packs: Vec::new(),
            rows: 0,
            bytes: 0,
            last: None,
        }
    }

    /// Gathers the rows after a sequence number. Returns whether there are more than its limits allow.
    fn gather(&mut self, from: u64) -> Result<bool, StoreError> {
        let mut next = log::row_id(self.scope_no, from) + 1;
        let sealed_upto = segment::sealed_upto(self.connection, self.scope_no)?;
        while next <= sealed_upto {
            let segment = segment::holding(self.connection, next)?;
            let segment = segment.ok_or_else(|| StoreError::corrupt("sealed rows without their segment"))?;
            let has_own = self.streams.are_own(&segment)?;
            if segment.first_row == next && self.has_room_for(&segment) && !has_own {
                self.packs.push(Packed::Sealed(segment.pack(self.connection)?));
                self.streams.span(&segment.spans)?;
                (self.rows, self.bytes) = (self.rows + segment.rows(), self.bytes + segment.bytes);
                self.last = self.last_entry_of(&segment)?.or(self.last);
            } else if self.gather_rows(next, segment.last_row + 1)? {
                return Ok(true);
            }
            next = segment.last_row + 1;
        }
        self.gather_rows(next, log::row_id(self.scope_no + 1, 0))
    }

    /// The entry that the last of a segment's rows brings which names one first.
    fn last_entry_of(&self, segment: &Segment) -> Result<Option<(i64, i64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT stream_no, entry_index FROM log
             WHERE row_id BETWEEN ? AND ? AND kind IN (?, ?) ORDER BY row_id DESC LIMIT 1",
        )?;
        let (accepted, held) = (RowKind::Accepted as u8, RowKind::Held as u8);
        let values = params![segment.first_row, segment.last_row, accepted, held];
        Ok(statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    fn has_room_for(&self, segment: &Segment) -> bool {
        self.rows + segment.rows() <= self.limits.rows && self.bytes + segment.bytes <= self.limits.bytes
    }

    fn gather_rows(&mut self, from: i64, before: i64) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT row_id, kind, received_at, stream_no, entry_index, header, body, verdict FROM log
             WHERE row_id >= ? AND row_id < ? ORDER BY row_id",
        )?;
        let mut found = statement.query([from, before])?;
        let mut rows = Vec::new();
        let mut more = false;
        while let Some(row) = found.next()? {
            if self.is_full()? {
                more = true;
                break;
            }
            let row = self.row(row)?;
            (self.rows, self.bytes) = (self.rows + 1, self.bytes + row.bytes());
            rows.push(row);
        }
        if self.packs.is_empty() {
            self.first.append(&mut rows);
        } else if !rows.is_empty() {
            self.packs.push(Packed::Live(Pack { streams: self.streams.replicas()?, rows }));
        }
        Ok(more)
    }

    /// Whether no row may follow, if there is one.
    fn is_full(&self) -> Result<bool, StoreError> {
        let limits = self.limits;
        if self.rows < limits.rows && self.bytes < limits.bytes {
            return Ok(false);
        }
        let over = (self.rows - limits.rows.min(self.rows), self.bytes.saturating_sub(limits.bytes));
        Ok(!limits.whole_frames
            || over.0 >= MAX_FRAME_ENTRIES
            || over.1 >= MAX_FRAME_BYTES
            || is_at_head(self.connection, self.last)?)
    }

    fn row(&mut self, row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
        let kind = RowKind::from_number(row.get(1)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
        let (stream_no, index): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
        let entry = stream_no.zip(index);
        let (stream, own) = match entry {
            Some((stream_no, index)) => {
                let index = index.cast_unsigned();
                self.streams.span(&[Span { stream_no, first: index, last: index }])?;
                self.streams.position(stream_no)?
            }
            None => (0, false),
        };
        let content = match (kind, row.get(5)?, row.get(6)?) {
            _ if own => Content::Known,
            (RowKind::Accepted | RowKind::Filled, header, body) => {
                let (header, body) = self.contents.of(row.get(0)?, kind, (header, body))?.unzip();
                segment::content(kind, header, body)?
            }
            (_, header, body) => segment::content(kind, header, body)?,
        };
        if matches!(kind, RowKind::Accepted | RowKind::Held) && !own {
            self.last = entry;
        }
        Ok(Row {
            kind,
            received_at: Millis(row.get(2)?),
            stream,
            index: index.unwrap_or(0).cast_unsigned(),
            verdict: row.get(7)?,
            content,
        })
    }
}

/// Whether a stream's author has signed that it goes this far.
fn is_at_head(connection: &Connection, entry: Option<(i64, i64)>) -> Result<bool, StoreError> {
    let Some((stream_no, index)) = entry else { return Ok(true) };
    let mut statement = connection.prepare_cached("SELECT 1 FROM head WHERE stream_no = ? AND entry_index = ?")?;
    Ok(statement.exists([stream_no, index])?)
}

fn replica_of(connection: &Connection, stream_no: i64) -> Result<ReplicaId, StoreError> {
    let mut statement = connection.prepare_cached("SELECT replica FROM stream WHERE stream_no = ?")?;
    Ok(ReplicaId(statement.query_row([stream_no], |row| row.get(0))?))
}

/// The streams that an answer's rows name, each introduced once.
struct Streams<'a> {
    connection: &'a Connection,
    scope_no: i64,
    asking: ReplicaId,
    positions: BTreeMap<i64, (u32, bool)>,
    /// In the order of their positions, with the indexes that rows name.
    spans: Vec<Span>,
}

impl<'a> Streams<'a> {
    fn new(connection: &'a Connection, scope_no: i64, asking: ReplicaId) -> Self {
        Self { connection, scope_no, asking, positions: BTreeMap::new(), spans: Vec::new() }
    }

    /// Position among the introduced streams, and whether it is the asking replica's own.
    fn position(&mut self, stream_no: i64) -> Result<(u32, bool), StoreError> {
        if let Some(known) = self.positions.get(&stream_no) {
            return Ok(*known);
        }
        let position = (u32::try_from(self.spans.len()).unwrap_or(u32::MAX), self.is_own(stream_no)?);
        self.positions.insert(stream_no, position);
        self.spans.push(Span { stream_no, first: u64::MAX, last: 0 });
        Ok(position)
    }

    fn is_own(&self, stream_no: i64) -> Result<bool, StoreError> {
        Ok(replica_of(self.connection, stream_no)? == self.asking)
    }

    /// Whether a segment holds words of the asking replica's own.
    fn are_own(&self, segment: &Segment) -> Result<bool, StoreError> {
        segment.spans.iter().try_fold(false, |own, span| Ok(own || self.is_own(span.stream_no)?))
    }

    /// Notes which entries rows name.
    fn span(&mut self, spans: &[Span]) -> Result<(), StoreError> {
        for Span { stream_no, first, last } in spans {
            let at = self.position(*stream_no)?.0 as usize;
            let span = &mut self.spans[at];
            (span.first, span.last) = (span.first.min(*first), span.last.max(*last));
        }
        Ok(())
    }

    /// In the order of their positions.
    fn replicas(&self) -> Result<Vec<ReplicaId>, StoreError> {
        self.spans.iter().map(|span| replica_of(self.connection, span.stream_no)).collect()
    }

    /// Each with the newest head that these rows reach: a page is vouched for by itself, and what a device has of a stream
    /// it can offer to others, even if the next page never comes.
    fn introduce(&self, identity: &Identity) -> Result<Vec<StreamIntro>, StoreError> {
        let intro = |span: &Span| {
            let mut intro = self.intro(span.stream_no, span.last)?;
            if span.first == 1 && intro.replica != self.asking {
                intro.introduction = self.introduction(identity, &intro)?;
            }
            Ok(intro)
        };
        self.spans.iter().map(intro).collect()
    }

    /// What whoever meets the author for the first time keeps, to bring it back should this server forget them.
    fn introduction(&self, identity: &Identity, intro: &StreamIntro) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(author) = device_of_replica(self.connection, intro.replica)? else { return Ok(None) };
        if author.device == CUSTODY_DEVICE {
            return Ok(None);
        }
        let DeviceRow { device, key, person, .. } = author;
        let introduction = Introduction { replica: intro.replica, device, key, person, name: intro.person.clone() };
        Ok(introduction.sign(&identity.deployment, &identity.receipt_key))
    }

    fn intro(&self, stream_no: i64, reached: u64) -> Result<StreamIntro, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT replica, public_key, name, head.entry_index, head.hash, head.signature
             FROM stream JOIN replica USING (replica) JOIN device USING (device) JOIN person USING (person)
             JOIN head USING (stream_no)
             WHERE stream_no = ?1 AND scope_no = ?2 AND head.entry_index = coalesce(
                 (SELECT max(entry_index) FROM head WHERE stream_no = ?1 AND entry_index <= ?3),
                 (SELECT max(entry_index) FROM head WHERE stream_no = ?1))",
        )?;
        Ok(statement.query_row(params![stream_no, self.scope_no, reached.cast_signed()], |row| {
            Ok(StreamIntro {
                replica: ReplicaId(row.get(0)?),
                key: PublicKey(row.get(1)?),
                person: row.get(2)?,
                head: Head {
                    tip: Tip { index: row.get::<_, i64>(3)?.cast_unsigned(), hash: EntryHash(row.get(4)?) },
                    signature: Signature(row.get(5)?),
                },
                introduction: None,
            })
        })?)
    }
}
