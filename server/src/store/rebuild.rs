//! Projections from the log alone, and the integrity of everything.

use aralau_sync_core::{
    frame::chain,
    id::{DocumentId, EntryHash},
    log::RowKind,
    reading::Reading,
    stream::{Entry, Head, Link, Tip, VerifyDevice as _},
    time::Millis,
};
use rusqlite::{Connection, TransactionBehavior, params};

use super::{
    Store, StoreError,
    checkpoint::Compared,
    directory, hold, ingest,
    log::{ScopeLog, scope_of, sequence_of},
    open::{meta, page_problems},
    projection,
    recent::Recent,
    search::Learned,
    segment::Contents,
    walk,
};
use crate::keys::DeviceVerifier;

/// The tables that follow from the log.
const PROJECTIONS: [&str; 25] = [
    "epoch",
    "notice",
    "revocation",
    "person",
    "joined_person",
    "beat",
    "device",
    "replica",
    "granted",
    "token_scope",
    "document",
    "later_change",
    "held",
    "place",
    "joined_place",
    "visit",
    "visit_said",
    "concern",
    "referral",
    "commitment",
    "conflict",
    "coverage",
    "place_contact",
    "promise",
    "place_concern",
];

/// What a rebuild did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct RebuildReport {
    /// Log rows read.
    pub rows: u64,
    /// Rows of projections that are not what they were before.
    pub changed: u64,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct CheckReport {
    /// Log rows read.
    pub rows: u64,
    /// Documents read through Automerge and compared.
    pub documents: u64,
    /// Streams whose chains were walked.
    pub streams: u64,
    /// What is wrong, in words; empty where all is well.
    pub problems: Vec<String>,
}

impl Store {
    /// Makes every projection anew from the log, in one transaction.
    pub fn rebuild(&self) -> Result<RebuildReport, StoreError> {
        self.write(|tx| {
            let rows = rebuild_beside(tx)?;
            let mut changed = 0;
            for table in PROJECTIONS {
                changed += differences(tx, table)?;
                tx.execute_batch(&format!("DROP TABLE temp.before_{table}"))?;
            }
            Ok(RebuildReport { rows, changed })
        })
    }

    /// Checks everything against everything: database pages, trees, chains, signatures, documents, projections.
    pub fn check(&self) -> Result<CheckReport, StoreError> {
        let mut report = CheckReport::default();
        // On a connection of its own: FTS5 (of SQLite 3.53) checks its pages by what the connection knew of them, and takes
        // what others have merged since for damage.
        check_pages(&self.connect_reader()?, &mut report)?;
        self.read(|connection| {
            check_logs(connection, &mut report)?;
            check_streams(connection, self.deployment(), &mut report)?;
            check_documents(connection, &mut report)
        })?;
        // A dry rebuild: its savepoint is rolled back by the error that carries the answer out.
        let changed = self.write(|tx| -> Result<(), StoreError> {
            rebuild_beside(tx)?;
            let changed: u64 = PROJECTIONS.iter().map(|table| differences(tx, table)).sum::<Result<_, _>>()?;
            Err(StoreError::Internal(format!("{DRY_RUN}{changed}")))
        });
        match changed {
            Err(StoreError::Internal(text)) if text.starts_with(DRY_RUN) => {
                let changed = text.trim_start_matches(DRY_RUN);
                if changed != "0" {
                    report.problems.push(format!(
                        "{changed} rows of projections do not follow from the log: run `aralau admin rebuild`"
                    ));
                }
            }
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        Ok(report)
    }
}

/// Documents whose words are kept before the index learns them.
const WORDS_AT_ONCE: usize = 10_000;

const DRY_RUN: &str = "dry run: ";

fn differences(tx: &Connection, table: &str) -> Result<u64, StoreError> {
    let count = |a: &str, b: &str| {
        let query = format!("SELECT count(*) FROM (SELECT * FROM {a} EXCEPT SELECT * FROM {b})");
        tx.query_row(&query, [], |row| row.get::<_, i64>(0))
    };
    let (now, before) = (format!("main.{table}"), format!("temp.before_{table}"));
    Ok(count(&now, &before)?.max(count(&before, &now)?).cast_unsigned())
}

/// Keeps what was there under another name, to be compared.
fn rebuild_beside(tx: &Connection) -> Result<u64, StoreError> {
    for table in PROJECTIONS {
        tx.execute_batch(&format!("CREATE TEMP TABLE before_{table} AS SELECT * FROM main.{table}"))?;
    }
    rebuild_in(tx)
}

/// Makes every projection anew from the log. Returns the rows read.
fn rebuild_in(tx: &Connection) -> Result<u64, StoreError> {
    forget_all(tx)?;
    Ok(follow_from(tx, 0, u64::MAX)?.rows)
}

fn forget_all(tx: &Connection) -> Result<(), StoreError> {
    for table in PROJECTIONS {
        tx.execute_batch(&format!("DELETE FROM main.{table}"))?;
    }
    Ok(tx.execute_batch(
        "INSERT INTO note_text (note_text) VALUES ('delete-all'); DELETE FROM note_word;
         INSERT INTO place_text (place_text) VALUES ('delete-all')",
    )?)
}

/// How far the projections have followed the log.
struct Followed {
    rows: u64,
    /// The last row; `None` at the log's end.
    upto: Option<i64>,
}

/// Follows so many rows behind one: scope by scope, each in its order.
fn follow_from(tx: &Connection, after: i64, most_rows: u64) -> Result<Followed, StoreError> {
    let mut words = Learned::default();
    let mut statement = tx.prepare(
        "SELECT row_id, kind, received_at, stream_no, entry_index, header, body, verdict FROM log
         WHERE row_id > ? ORDER BY row_id",
    )?;
    let mut found = statement.query([after])?;
    let (mut contents, mut recent) = (Contents::new(tx), Recent::default());
    let mut followed = Followed { rows: 0, upto: None };
    while let Some(row) = found.next()? {
        let row_id: i64 = row.get(0)?;
        follow_row(tx, &mut words, &mut contents, &mut recent, scope_of(row_id), row)?;
        followed.rows += 1;
        if words.waiting() >= WORDS_AT_ONCE {
            words.write(tx)?;
        }
        if followed.rows == most_rows {
            followed.upto = Some(row_id);
            break;
        }
    }
    words.write(tx)?;
    Ok(followed)
}

/// The mark in `meta` of a rebuild that is not done: after which row it goes on, as eight bytes.
const MARK: &str = "rebuild_after";
/// Rows in one transaction of a rebuild that may break off.
const ROWS_AT_ONCE: u64 = 10_000;

/// Asks for a rebuild, before anything reads the projections.
pub(super) fn ask_for(connection: &Connection) -> Result<(), StoreError> {
    let start = 0_i64.to_be_bytes();
    connection.execute("INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)", params![MARK, start])?;
    Ok(())
}

/// Does what is left of a rebuild that was asked for, a transaction after the other, so that one that breaks off is taken up where it
/// was. `tell` hears after each how many rows it has followed.
pub(super) fn go_on(connection: &mut Connection, mut tell: impl FnMut(u64)) -> Result<(), StoreError> {
    let mut rows = 0;
    loop {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(mark) = meta(&tx, MARK)? else { return Ok(()) };
        let after =
            mark.try_into().map(i64::from_be_bytes).map_err(|_| StoreError::corrupt("the mark of a rebuild"))?;
        if after == 0 {
            forget_all(&tx)?;
        }
        let followed = follow_from(&tx, after, ROWS_AT_ONCE)?;
        match followed.upto {
            Some(upto) => {
                tx.execute("UPDATE meta SET value = ? WHERE name = ?", params![upto.to_be_bytes(), MARK])?;
            }
            None => {
                tx.execute("DELETE FROM meta WHERE name = ?", [MARK])?;
            }
        }
        tx.commit()?;
        rows += followed.rows;
        tell(rows);
    }
}

fn follow_row(
    tx: &Connection,
    words: &mut Learned,
    contents: &mut Contents<'_>,
    recent: &mut Recent,
    scope_no: i64,
    row: &rusqlite::Row<'_>,
) -> Result<(), StoreError> {
    let kind = RowKind::from_number(row.get(1)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
    let received_at = Millis(row.get(2)?);
    if kind == RowKind::Control {
        let control = directory::decode(row.get_ref(6)?.as_blob().unwrap_or_default())?;
        return directory::follow(tx, &control, sequence_of(row.get(0)?), received_at);
    }
    let (header, body) = contents.of(row.get(0)?, kind, (row.get(5)?, row.get(6)?))?.unwrap_or_default();
    let entry = (row.get(3)?, row.get::<_, i64>(4)?.cast_unsigned());
    let verdict = projection::decode_verdict(row.get_ref(7)?.as_blob().unwrap_or_default())?;
    match kind {
        RowKind::Held => hold::follow_held_row(tx, row.get(0)?, scope_no, entry, (&header, &body), &verdict),
        RowKind::Rejected => hold::follow_judged(tx, entry, "rejected", &verdict, received_at),
        RowKind::Accepted | RowKind::Filled => {
            if kind == RowKind::Filled {
                hold::follow_judged(tx, entry, "filled", &verdict, received_at)?;
            }
            let opened = Entry::open(header, &body).map_err(|_| StoreError::corrupt("an accepted entry"))?;
            let id = opened.header.document;
            let (mut ground, mut loaded, _) = recent.load(tx, scope_no, id)?;
            loaded.follow(
                tx,
                scope_no,
                id,
                row.get(0)?,
                &opened.header,
                &opened.change,
                verdict.labels,
                received_at,
            )?;
            ground.kind.get_or_insert(opened.header.kind());
            ground.document.apply(opened.change);
            projection::project(tx, words, scope_no, &ground, &loaded)?;
            recent.keep(scope_no, id, ground, loaded);
            Ok(())
        }
        RowKind::Control => Ok(()),
    }
}

fn check_pages(connection: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    let problems = page_problems(connection, "integrity_check(20)")?;
    report.problems.extend(problems.into_iter().map(|line| format!("database: {line}")));
    Ok(())
}

/// Every scope's rows are 1, 2, 3… and their tree has the frontier's root.
fn check_logs(connection: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut scopes = connection.prepare("SELECT scope_no FROM scope ORDER BY scope_no")?;
    let scopes: Vec<i64> = scopes.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for scope_no in scopes {
        let log = ScopeLog::load(connection, scope_no)?;
        let mut compared = Compared::new(connection, scope_no);
        match walk::leaves(connection, &log, (0, u64::MAX), |leaf| compared.push(leaf.hash()))? {
            Ok(()) => {
                let (frontier, wrong) = compared.finish();
                if let Some(size) = wrong {
                    report.problems.push(format!("scope {}: the checkpoint after row {size} is another", log.scope));
                }
                report.rows += frontier.size();
                if frontier != log.frontier {
                    report.problems.push(format!("scope {}: the rows do not have the recorded root", log.scope));
                }
            }
            Err(problem) => report.problems.push(format!("scope {}: {problem}", log.scope)),
        }
    }
    Ok(())
}

/// Every stream's chain, walked from its first entry, goes through every signed head and ends at its tip.
fn check_streams(
    connection: &Connection,
    deployment: aralau_sync_core::id::DeploymentId,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let mut streams = connection.prepare("SELECT stream_no, tip_index, tip_hash FROM stream ORDER BY stream_no")?;
    let mut rows = streams.query([])?;
    while let Some(row) = rows.next()? {
        report.streams += 1;
        let stream_no: i64 = row.get(0)?;
        let tip = Tip { index: row.get::<_, i64>(1)?.cast_unsigned(), hash: EntryHash(row.get(2)?) };
        let stream = ingest::stream_id(connection, stream_no)?;
        let heads = heads(connection, stream_no)?;
        let author = directory::device_of_replica(connection, stream.replica)?;
        let links = links(connection, stream_no)?;
        let tips = chain(&stream, Tip::default(), &links);
        if tips.last().copied().unwrap_or_default() != tip {
            report.problems.push(format!("stream {}: the entries do not lead to the recorded tip", stream.replica));
        }
        // A head beyond the tip waits for entries that only its author still has.
        for head in heads.into_iter().filter(|head| head.tip.index <= tip.index) {
            let at = usize::try_from(head.tip.index).ok().and_then(|index| tips.get(index.checked_sub(1)?));
            let message = head.tip.head_preimage(&deployment, &stream);
            let signed =
                author.as_ref().is_some_and(|device| DeviceVerifier.verify(&device.key, &message, &head.signature));
            if at != Some(&head.tip) || !signed {
                report
                    .problems
                    .push(format!("stream {}: the head at {} does not hold", stream.replica, head.tip.index));
            }
        }
    }
    Ok(())
}

fn heads(connection: &Connection, stream_no: i64) -> Result<Vec<Head>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT entry_index, hash, signature FROM head WHERE stream_no = ?")?;
    let heads = statement.query_map([stream_no], |row| {
        Ok(Head {
            tip: Tip { index: row.get::<_, i64>(0)?.cast_unsigned(), hash: EntryHash(row.get(1)?) },
            signature: aralau_sync_core::id::Signature(row.get(2)?),
        })
    })?;
    Ok(heads.collect::<Result<_, _>>()?)
}

fn links(connection: &Connection, stream_no: i64) -> Result<Vec<Link>, StoreError> {
    // The row that names an entry first brings it.
    let mut statement = connection.prepare_cached(
        "SELECT min(row_id), kind, header, body FROM log WHERE stream_no = ? GROUP BY entry_index ORDER BY entry_index",
    )?;
    let (mut rows, mut contents) = (statement.query([stream_no])?, Contents::new(connection));
    let mut links = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = RowKind::from_number(row.get(1)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
        let Some((header, body)) = contents.of(row.get(0)?, kind, (row.get(2)?, row.get(3)?))? else { break };
        links.push(Link::Full { header, body });
    }
    Ok(links)
}

/// Every document reads the same through Automerge as through our own table.
fn check_documents(connection: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT scope_no, document FROM document ORDER BY document_no")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.documents += 1;
        let id = DocumentId::from_bytes(row.get(1)?);
        let (ground, _) = projection::load(connection, row.get(0)?, id)?;
        let ours = Reading::of_document(&ground.document, |_| Millis::default());
        let theirs = Reading::of(ground.document.changes().iter().map(|change| (change, Millis::default())));
        if theirs.as_ref() != Ok(&ours) {
            report.problems.push(format!("document {id}: Automerge reads it otherwise"));
        }
    }
    Ok(())
}
