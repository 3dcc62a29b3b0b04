//! A copy of the database, made in the middle of writing, in the database's place.
//!
//! Somebody copies files of a server that runs, and puts them back later. What comes of it may be refused, recognised as
//! old, or found to be damaged by `admin check`; where it opens and the check finds nothing, it has to be a true
//! beginning of the log, and the phones have to bring back the rest.

use std::collections::BTreeMap;

use aralau_client_sdk::Error;
use aralau_server::store::{self, Contents, DIRECTORY, OpenError, Store, StoreError};
use aralau_sync_core::log::RowKind;
use aralau_tests::chance::Chance;

use super::{
    course::Outcome,
    model::is_in_log,
    office::{DATABASE, Done, Office, Trouble, Who, wrong},
    script::DAY,
};

/// How the copy was made and put back.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// The database without its write-ahead log.
    Alone,
    /// The log some operations after the database.
    LogLater,
    /// The log some operations before the database.
    LogFirst,
    /// Both at one moment, as a snapshot of the whole disk has them.
    AtOnce,
    /// The database, put back beside the log of the one that was in use.
    OverLog,
}

const LOG: &str = "/data/aralau.db-wal";
const MARK: &str = "/data/high-water";

/// One case, by seed. `operations`: of a day.
pub fn run(seed: u64, operations: u64) -> Result<Outcome, String> {
    let mut chance = Chance::from(seed ^ 0xc0b1);
    let way = *chance.pick(&[Way::Alone, Way::LogLater, Way::LogFirst, Way::AtOnce, Way::OverLog]);
    let (first, apart) = (1 + chance.below(operations), 1 + chance.below(60));
    let keeps_mark = chance.below(2) == 0;
    let mut office = Office::new(seed);
    let case = format!("{way:?} at {first}, {apart} apart, the high-water mark kept: {keeps_mark}");
    let found = tell(&mut office, way, first, apart, keeps_mark).map_err(|trouble| format!("{trouble} ({case})"))?;
    Ok(Outcome { struck: Some(case), noticed: Some("putting it back"), figure: Some(found), ..Outcome::default() })
}

fn tell(office: &mut Office, way: Way, first: u64, apart: u64, keeps_mark: bool) -> Done<&'static str> {
    let (database_at, log_at) = match way {
        Way::Alone | Way::OverLog => (first, None),
        Way::LogLater => (first, Some(first + apart)),
        Way::LogFirst => (first + apart, Some(first)),
        Way::AtOnce => (first, Some(first)),
    };
    office.server_disk.copy_at(database_at, DATABASE);
    if let Some(at) = log_at {
        office.server_disk.copy_at(at, LOG);
    }
    for step in DAY {
        office.watch.tick();
        (step.run)(office).map_err(|trouble| Trouble::Wrong(format!("{}: {trouble}", step.name)))?;
    }
    let (truth, deployment) = (rows(office.store()?)?, office.store()?.deployment());
    if matches!(way, Way::OverLog) {
        office.kill_server()
    } else {
        office.close_server()
    }
    if !put_back(office, way, keeps_mark) {
        return Ok("nothing_copied");
    }
    match office.open_server() {
        Ok(()) => {}
        Err(Trouble::Open(OpenError::Behind { .. })) => return Ok("behind"),
        Err(Trouble::Open(OpenError::Store(StoreError::Corrupt(_)))) => return Ok("refused"),
        Err(other) => return wrong(format!("not a clear error: {other}")),
    }
    match office.store()?.check() {
        Ok(report) if report.problems.is_empty() => {}
        Ok(_) | Err(StoreError::Corrupt(_)) => return Ok("found_by_check"),
        Err(other) => return wrong(format!("check: not a clear error: {other}")),
    }
    if office.store()?.deployment() != deployment {
        // A database from before anything was in it. No phone takes the new deployment for its own.
        return strangers(office);
    }
    let (found, directory) = (rows(office.store()?)?, directory(office.store()?)?);
    for (scope, rows) in &found {
        let true_rows = truth.get(scope).map(Vec::as_slice).unwrap_or_default();
        let is_same = true_rows.starts_with(rows) || *scope == directory && is_ended_again(rows, true_rows);
        if !is_same {
            return wrong("the check finds nothing, and the rows are not those that were written");
        }
    }
    if found == truth {
        return Ok("whole");
    }
    bring_back(office)
}

/// Whether rows of the directory are those that were written, and behind them only some that the copy lacked: what had ended by the
/// file of notices beside it has ended again.
fn is_ended_again(rows: &[Row], true_rows: &[Row]) -> bool {
    let shared = rows.iter().zip(true_rows).take_while(|(row, true_row)| row == true_row).count();
    let (again, lacking) = (&rows[shared..], &true_rows[shared..]);
    again.iter().all(|(_, said, _)| lacking.iter().any(|(_, true_said, _)| said == true_said))
}

fn directory(store: &Store) -> Done<[u8; 16]> {
    let read = |connection: &rusqlite::Connection| {
        Ok(connection.query_row("SELECT scope FROM scope WHERE scope_no = ?", [DIRECTORY], |row| row.get(0))?)
    };
    Ok(store.read(read)?)
}

/// Whether there was anything to put back.
fn put_back(office: &Office, way: Way, keeps_mark: bool) -> bool {
    let (mut files, copies) = (office.server_disk.files(), office.server_disk.copies());
    let Some(database) = copies.get(DATABASE) else { return false };
    files.insert(DATABASE.to_owned(), database.clone());
    if !matches!(way, Way::OverLog) {
        files.remove(LOG);
        files.extend(copies.get(LOG).map(|log| (LOG.to_owned(), log.clone())));
    }
    if !keeps_mark {
        files.remove(MARK);
    }
    office.server_disk.replace(&files);
    true
}

/// A row's number, what it says, and what was decided about it.
type Row = (i64, Option<Vec<u8>>, Option<Vec<u8>>);
type Rows = BTreeMap<[u8; 16], Vec<Row>>;

/// Every scope's rows; a deployment that knows nobody yet has none that count.
fn rows(store: &Store) -> Done<Rows> {
    let rows = store.read(|connection| {
        let mut statement = connection.prepare(
            "SELECT scope.scope, log.row_id, log.kind, log.header, log.body, log.verdict FROM log
             JOIN scope ON log.row_id >> 40 = scope.scope_no ORDER BY log.row_id",
        )?;
        let (mut found, mut contents) = (statement.query([])?, Contents::new(connection));
        let mut rows = Rows::new();
        while let Some(row) = found.next()? {
            let kind = RowKind::from_number(row.get(2)?).ok_or_else(|| StoreError::corrupt("a row's kind"))?;
            let body: Option<Vec<u8>> = row.get(4)?;
            let body = match contents.of(row.get(1)?, kind, (row.get(3)?, body.clone()))? {
                Some((_, body)) => Some(body),
                None => body,
            };
            rows.entry(row.get(0)?).or_default().push((row.get(1)?, body, row.get(5)?));
        }
        Ok(rows)
    });
    Ok(rows?)
}

/// Nobody is known; the phones say so, and keep their words.
fn strangers(office: &mut Office) -> Done<&'static str> {
    for who in [Who::Anna, Who::Bolat] {
        match office.sync(who) {
            Err(Trouble::Phone(Error::Server { status: 401, .. })) => {}
            Err(trouble) => return wrong(format!("{who:?} syncs with another deployment: {trouble}")),
            Ok(()) => return wrong(format!("{who:?} takes another deployment for the own one")),
        }
    }
    Ok("another_deployment")
}

/// Headquarters stands up for every phone that waits for it.
fn confirm_all(office: &Office) -> Done {
    let now = office.watch.now();
    office.store()?.write(move |tx| {
        for device in store::unconfirmed_devices(tx)? {
            store::confirm_device(tx, device, now)?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}

/// An old copy serves. The phones that it knows notice, and bring back what it lacks.
fn bring_back(office: &mut Office) -> Done<&'static str> {
    // Twice each: the second time, each hears what the other brought.
    for who in [Who::Anna, Who::Bolat, Who::Anna, Who::Bolat] {
        let synced = match office.sync(who) {
            // It was not enrolled yet either, but Anna's phone has told of it by what it wrote: somebody stands up for it.
            Err(Trouble::Phone(Error::Server { code, .. })) if code == "device_unconfirmed" => {
                confirm_all(office)?;
                office.sync(who)
            }
            synced => synced,
        };
        match synced {
            Ok(()) => {}
            // It was not enrolled yet when the copy was made; it says so, and keeps its words.
            Err(Trouble::Phone(Error::Server { status: 401, .. })) => return Ok("strangers"),
            Err(trouble) => return wrong(format!("{who:?} syncs with the old copy: {trouble}")),
        }
    }
    let words = office.model.written.clone();
    let missing = office.store()?.read(|connection| {
        let mut missing = Vec::new();
        for (visit, words) in words {
            if !is_in_log(connection, &words)? {
                missing.push(format!("{words:?} of {visit}"));
            }
        }
        Ok(missing)
    })?;
    if !missing.is_empty() {
        return wrong(format!("the phones did not bring back {}", missing.join("; ")));
    }
    let report = office.store()?.check()?;
    if report.problems.is_empty() { Ok("mended") } else { wrong(format!("check: {}", report.problems.join("; "))) }
}
