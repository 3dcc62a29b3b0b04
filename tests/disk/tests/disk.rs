//! The disk itself: what it keeps, what it loses, and that SQLite lives on it as on any other.

use std::path::Path;

use aralau_disk::{Disk, Failure, Plan};
use rusqlite::{Connection, OpenFlags};

fn open(disk: &Disk) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags_and_vfs("/test.db", OpenFlags::default(), disk.vfs())?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn count(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

fn with_table(disk: &Disk) -> Connection {
    let connection = open(disk).unwrap();
    connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(3000));").unwrap();
    connection
}

#[test]
fn several_connections_of_one_process_share_a_write_ahead_log() {
    let disk = Disk::new(1);
    let writer = with_table(&disk);
    let reader = open(&disk).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(count(&reader), 1);
    std::thread::scope(|scope| {
        let written = scope.spawn(|| {
            let writer = writer;
            writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
            let busy = open(&disk).unwrap();
            busy.busy_timeout(std::time::Duration::ZERO).unwrap();
            writer.execute_batch("BEGIN IMMEDIATE").unwrap();
            assert!(busy.execute_batch("BEGIN IMMEDIATE").is_err(), "there is one writer");
            writer.execute_batch("COMMIT").unwrap();
        });
        written.join().unwrap();
    });
    assert_eq!(count(&reader), 1, "a snapshot stays as it was");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&reader), 2);
    assert!(disk.files().contains_key("/test.db-wal"));
    drop(reader);
    assert_eq!(disk.files().keys().collect::<Vec<_>>(), ["/test.db"], "the last one folds the log back");
}

#[test]
fn disks_are_strangers_to_each_other_and_empty_when_they_are_new() {
    let (first, second) = (Disk::new(1), Disk::new(1));
    drop(with_table(&first));
    assert!(second.files().is_empty());
    assert_ne!(first.vfs(), second.vfs());
    drop(first);
    assert!(Disk::new(1).files().is_empty());
}

#[test]
fn what_was_committed_survives_any_cut_and_what_was_not_synced_does_not_always() {
    let mut lost = 0;
    for seed in 0..300 {
        let disk = Disk::new(seed);
        let connection = with_table(&disk);
        connection.pragma_update(None, "synchronous", if seed % 2 == 0 { "FULL" } else { "OFF" }).unwrap();
        disk.fail(Plan { at: seed / 4 + 1, failure: Failure::PowerCut, lasting: true });
        let mut committed = 1;
        while connection.execute_batch("INSERT INTO t VALUES (randomblob(2000))").is_ok() {
            committed += 1;
        }
        drop(connection);
        assert!(disk.is_off());
        disk.power_on();
        let connection = open(&disk).unwrap();
        let found = connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
        if seed % 2 == 0 {
            assert!(found.unwrap() >= committed, "seed {seed}");
            let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(sound, "ok", "seed {seed}");
        } else {
            lost += u32::from(found.map_or(true, |found| found < committed));
        }
    }
    assert!(lost > 20, "only {lost} of 150 cuts of an unsynced database lost anything");
}

#[test]
fn a_disk_that_ignores_syncs_loses_what_was_committed() {
    let lost = (0..100).filter(|seed| {
        let disk = Disk::new(*seed);
        drop(with_table(&disk));
        disk.ignore_syncs();
        let connection = open(&disk).unwrap();
        connection.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        disk.power_off();
        drop(connection);
        disk.power_on();
        open(&disk).unwrap().query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).is_ok_and(|n| n < 2)
    });
    assert!(lost.count() > 30);
}

#[test]
fn the_operation_named_fails_once_or_from_then_on() {
    let disk = Disk::new(7);
    let connection = with_table(&disk);
    disk.fail(Plan { at: 1, failure: Failure::Io, lasting: false });
    assert!(connection.execute_batch("INSERT INTO t VALUES (1)").is_err());
    assert!(disk.struck().is_some());
    connection.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    disk.fail(Plan { at: 1, failure: Failure::Full, lasting: true });
    for _ in 0..3 {
        let full = connection.execute_batch("INSERT INTO t VALUES (1)").unwrap_err();
        assert_eq!(full.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    }
    disk.heal();
    connection.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(count(&connection), 3);
}

#[test]
fn processes_that_end_leave_what_they_wrote_and_no_locks() {
    let disk = Disk::new(3);
    let connection = with_table(&disk);
    connection.execute_batch("PRAGMA synchronous = OFF; INSERT INTO t VALUES (2); BEGIN IMMEDIATE").unwrap();
    disk.end_processes();
    assert!(connection.execute_batch("INSERT INTO t VALUES (3); COMMIT").is_err(), "its process is gone");
    drop(connection);
    let next = open(&disk).unwrap();
    next.busy_timeout(std::time::Duration::ZERO).unwrap();
    next.execute_batch("INSERT INTO t VALUES (4)").unwrap();
    assert_eq!(count(&next), 3);
}

#[test]
fn the_servers_own_files_are_whole_or_not_there_after_a_cut() {
    use aralau_server::store::Disk as _;
    for seed in 0..200 {
        let disk = Disk::new(seed);
        let (draft, name) = (Path::new("/data/mark.partial"), Path::new("/data/mark"));
        let put = |text: &str| disk.write(draft, text.as_bytes()).and_then(|()| disk.rename(draft, name));
        put("one").unwrap();
        disk.fail(Plan { at: seed % 8 + 1, failure: Failure::PowerCut, lasting: true });
        let acknowledged = put("two, which is longer").is_ok();
        disk.power_off();
        disk.power_on();
        let found = String::from_utf8(disk.read(name).unwrap().unwrap()).unwrap();
        assert!(found == "two, which is longer" || (found == "one" && !acknowledged), "seed {seed}: {found:?}");
    }
}
