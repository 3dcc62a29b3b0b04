//! What a failing disk is said to be, wherever it fails: unavailable. Not damaged, not a fault of the program's, and not
//! done when it is not.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use aralau_client_sdk::Millis;
use aralau_disk::{Disk, Failure, Plan, campaign::office::place};
use aralau_server::{
    entropy::SystemEntropy,
    store::{self, OpenError, Store, StoreError},
};

const NOW: Millis = Millis(1_780_000_000_000);
const BACKUP: &str = "/backup";

fn open(disk: &Disk) -> Result<Store, OpenError> {
    open_in(disk, "/data")
}

fn open_in(disk: &Disk, folder: &str) -> Result<Store, OpenError> {
    Store::open(place(disk, folder), NOW, Arc::new(SystemEntropy))
}

fn restore(disk: &Disk) -> Result<(), OpenError> {
    store::restore(Path::new(BACKUP), place(disk, "/second"), &store::Restore::default(), NOW, &SystemEntropy).map(drop)
}

fn is_restored_after_a_power_cut(disk: &Disk) -> bool {
    disk.power_off();
    disk.power_on();
    disk.files().contains_key("/second/aralau.db")
}

fn is_clear(error: &OpenError) -> bool {
    matches!(error, OpenError::Io(_) | OpenError::Store(StoreError::Unavailable(_)))
}

/// Fails one operation after another of whatever `work` does, until there is none left.
fn at_every_operation(prepared: impl Fn() -> Disk, work: impl Fn(&Disk) -> Option<String>) {
    for at in 1.. {
        let disk = prepared();
        disk.fail(Plan { at, failure: Failure::Io, lasting: true });
        let complaint = work(&disk);
        let Some(struck) = disk.struck() else { return assert!(at > 10, "only {at} operations") };
        assert_eq!(complaint, None, "{struck}");
    }
}

#[test]
fn a_server_that_cannot_be_opened_for_the_first_time_says_that_its_store_is_unavailable() {
    at_every_operation(
        || Disk::new(1),
        |disk| open(disk).err().filter(|error| !is_clear(error)).map(|error| error.to_string()),
    );
}

fn with_backup() -> Disk {
    let disk = Disk::new(1);
    drop(open(&disk).unwrap());
    disk.wait_until_closed();
    store::backup(place(&disk, "/data"), Path::new(BACKUP), NOW, |_| ()).unwrap();
    disk
}

fn holding(content: &BTreeMap<String, Vec<u8>>, seed: u64) -> Disk {
    let disk = Disk::new(seed);
    disk.replace(content);
    disk
}

#[test]
fn a_backup_that_cannot_be_read_is_not_taken_for_something_else() {
    let content = with_backup().files();
    at_every_operation(
        || holding(&content, 2),
        |disk| restore(disk).err().filter(|error| !is_clear(error)).map(|error| error.to_string()),
    );
}

#[test]
fn a_database_that_cannot_be_read_is_not_said_to_be_damaged() {
    let content = with_backup().files();
    at_every_operation(
        || holding(&content, 3),
        |disk| {
            let store = match open(disk) {
                Ok(store) => store,
                Err(error) => return Some(error.to_string()).filter(|_| !is_clear(&error)),
            };
            match store.check() {
                Ok(report) if report.problems.is_empty() => None,
                Ok(report) => Some(report.problems.join("; ")),
                Err(StoreError::Unavailable(_)) => None,
                Err(error) => Some(error.to_string()),
            }
        },
    );
}

#[test]
fn a_restore_that_is_said_to_be_done_is_there_after_a_power_cut() {
    let content = with_backup().files();
    at_every_operation(
        || holding(&content, 4),
        |disk| {
            restore(disk).err()?;
            disk.heal();
            // Trying again does it, or finds it done.
            let again = restore(disk);
            let is_there = is_restored_after_a_power_cut(disk);
            let is_said = matches!(again, Ok(()) | Err(OpenError::NotEmpty));
            (!is_said || !is_there).then(|| format!("{again:?}, and the database is there: {is_there}"))
        },
    );
}

#[test]
fn what_is_served_after_a_restore_that_failed_is_there_after_a_power_cut() {
    let content = with_backup().files();
    at_every_operation(
        || holding(&content, 5),
        |disk| {
            restore(disk).err()?;
            disk.heal();
            drop(open_in(disk, "/second").unwrap());
            disk.wait_until_closed();
            (!is_restored_after_a_power_cut(disk)).then(|| "the database is gone".to_owned())
        },
    );
}
