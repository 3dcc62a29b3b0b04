//! What one scope gained since a cursor, for one device, with a signed receipt.

use std::collections::BTreeMap;

use aralau_sync_core::{
    digest::{chunk_of, content_hash, header_hash},
    epoch::{Epoch, is_known, shared_rows},
    frame::{MAX_FRAME_BYTES, MAX_FRAME_ENTRIES},
    id::{EntryHash, PublicKey, ReplicaId, Signature},
    introduction::Introduction,
    log::RowKind,
    receipt::Receipt,
    stream::{Head, Link, StreamId, Tip},
    sync::{Ask, Content, Gained, Row, StreamIntro},
    time::Millis,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    Identity, StoreError,
    directory::{CUSTODY_DEVICE, DeviceRow, device_of_replica},
    log::{self, ScopeLog},
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
    /// Outcomes of this upload other than "accepted".
    pub held: Vec<(u64, String)>,
}

/// Reads one scope from a consistent snapshot.
pub fn pull(
    connection: &Connection,
    identity: &Identity,
    scope_no: i64,
    asking: &Asking<'_>,
    limits: PullLimits,
    now: Millis,
) -> Result<Gained, StoreError> {
    let log = ScopeLog::load(connection, scope_no)?;
    let size = log.frontier.size();
    let mut streams = Streams::new(connection, scope_no, asking.replica);
    let cursor = asking.ask.cursor;
    let (from, (rows, more)) = if cursor.epoch == 0 || is_known(cursor.epoch, asking.epochs) {
        let from = shared_rows(cursor, log.scope, asking.epochs).min(size);
        (from, rows(connection, scope_no, from, &mut streams, limits)?)
    } else {
        // It followed a restore that this history knows nothing of: only the device can tell how far both go together. With
        // the epochs that the answer names it does, and asks again from there.
        (0, (Vec::new(), true))
    };
    let decided = own_tip(connection, StreamId { replica: asking.replica, scope: log.scope })?;
    let receipt = Receipt {
        deployment: identity.deployment,
        scope: log.scope,
        size,
        root: log.frontier.root(),
        epoch: asking.epoch,
        time: now,
        durable_upto: size,
        backed_up_upto: backed_up(connection, scope_no)?,
        decided: Some((asking.replica, decided.index)),
        held: asking.held.clone(),
    };
    Ok(Gained {
        scope: log.scope,
        epoch: asking.epoch,
        from,
        streams: streams.introduce(identity, &rows)?,
        rows,
        more,
        receipt: receipt.sign(&identity.receipt_key),
        decided,
    })
}

fn backed_up(connection: &Connection, scope_no: i64) -> Result<u64, StoreError> {
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

fn rows(
    connection: &Connection,
    scope_no: i64,
    from: u64,
    streams: &mut Streams<'_>,
    limits: PullLimits,
) -> Result<(Vec<Row>, bool), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, received_at, stream_no, entry_index, header, body, verdict FROM log
         WHERE row_id > ? AND row_id < ? ORDER BY row_id",
    )?;
    let mut found = statement.query([log::row_id(scope_no, from), log::row_id(scope_no + 1, 0)])?;
    let (mut rows, mut bytes, mut last) = (Vec::new(), 0, None);
    while let Some(row) = found.next()? {
        if rows.len() >= limits.rows || bytes >= limits.bytes {
            let over = (rows.len() - limits.rows.min(rows.len()), bytes.saturating_sub(limits.bytes));
            if !limits.whole_frames
                || over.0 >= MAX_FRAME_ENTRIES
                || over.1 >= MAX_FRAME_BYTES
                || is_at_head(connection, last)?
            {
                return Ok((rows, true));
            }
        }
        let kind = RowKind::from_number(row.get(0)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
        let stream_no: Option<i64> = row.get(2)?;
        let (stream, own) = stream_no.map_or(Ok((0, false)), |number| streams.position(number))?;
        let content: (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(4)?, row.get(5)?);
        let content = match (kind, content) {
            (RowKind::Control, (_, Some(payload))) => Content::Control(payload),
            (RowKind::Accepted | RowKind::Filled, (Some(header), Some(body))) if !own => {
                Content::Link(Link::Full { header, body })
            }
            (RowKind::Held, (Some(header), Some(body))) if !own => {
                Content::Link(Link::Hollow { header: header_hash(&header), content: content_hash(&chunk_of(&body)) })
            }
            _ => Content::Known,
        };
        let verdict: Vec<u8> = row.get(6)?;
        if matches!(kind, RowKind::Accepted | RowKind::Held) && !own {
            last = stream_no.zip(row.get::<_, Option<i64>>(3)?);
        }
        let row = Row {
            kind,
            received_at: Millis(row.get(1)?),
            stream,
            index: row.get::<_, Option<i64>>(3)?.unwrap_or(0).cast_unsigned(),
            verdict,
            content,
        };
        bytes += row.bytes();
        rows.push(row);
    }
    Ok((rows, false))
}

/// Whether a stream's author has signed that it goes this far.
fn is_at_head(connection: &Connection, entry: Option<(i64, i64)>) -> Result<bool, StoreError> {
    let Some((stream_no, index)) = entry else { return Ok(true) };
    let mut statement = connection.prepare_cached("SELECT 1 FROM head WHERE stream_no = ? AND entry_index = ?")?;
    Ok(statement.exists([stream_no, index])?)
}

/// The streams that an answer's rows name, each introduced once.
struct Streams<'a> {
    connection: &'a Connection,
    scope_no: i64,
    asking: ReplicaId,
    positions: BTreeMap<i64, (u32, bool)>,
    /// In the order of their positions.
    numbers: Vec<i64>,
}

impl<'a> Streams<'a> {
    fn new(connection: &'a Connection, scope_no: i64, asking: ReplicaId) -> Self {
        Self { connection, scope_no, asking, positions: BTreeMap::new(), numbers: Vec::new() }
    }

    /// Position among the introduced streams, and whether it is the asking replica's own.
    fn position(&mut self, stream_no: i64) -> Result<(u32, bool), StoreError> {
        if let Some(known) = self.positions.get(&stream_no) {
            return Ok(*known);
        }
        let mut statement = self.connection.prepare_cached("SELECT replica FROM stream WHERE stream_no = ?")?;
        let replica = ReplicaId(statement.query_row([stream_no], |row| row.get(0))?);
        let position = (u32::try_from(self.numbers.len()).unwrap_or(u32::MAX), replica == self.asking);
        self.positions.insert(stream_no, position);
        self.numbers.push(stream_no);
        Ok(position)
    }

    /// Each with the newest head that these rows reach: a page is vouched for by itself, and what a device has of a stream
    /// it can offer to others, even if the next page never comes.
    fn introduce(&self, identity: &Identity, rows: &[Row]) -> Result<Vec<StreamIntro>, StoreError> {
        let mut spans = vec![(u64::MAX, 0); self.numbers.len()];
        for row in rows.iter().filter(|row| row.kind != RowKind::Control) {
            if let Some((first, last)) = usize::try_from(row.stream).ok().and_then(|at| spans.get_mut(at)) {
                (*first, *last) = (row.index.min(*first), row.index.max(*last));
            }
        }
        let intro = |(stream_no, (first, last)): (&i64, (u64, u64))| {
            let mut intro = self.intro(*stream_no, last)?;
            if first == 1 && intro.replica != self.asking {
                intro.introduction = self.introduction(identity, &intro)?;
            }
            Ok(intro)
        };
        self.numbers.iter().zip(spans).map(intro).collect()
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
             WHERE stream_no = ? AND scope_no = ? ORDER BY head.entry_index <= ? DESC, head.entry_index DESC LIMIT 1",
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
