//! The data folder: backups, restores, versions.

use std::sync::Arc;

use aralau_server::{
    entropy::SystemEntropy,
    store::{self, Store},
};
use aralau_sync_core::id::DocumentId;
use uuid::Uuid;

use crate::world::{NOW, World, visit};

#[test]
fn a_backup_restores_into_a_new_epoch() {
    let world = World::new();
    let mut anna = world.phone("Анна", 1);
    let entry = anna.edit(DocumentId(Uuid::from_u128(1)), &visit("moved", 1));
    let frame = anna.frame(&world, &[entry]);
    world.send(frame, &anna);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    store::backup(world.folder.path(), &file, NOW, |_| ()).unwrap();
    let folder = elsewhere.path().join("data");
    store::restore(&file, &folder, &store::Restore::default(), NOW, &SystemEntropy).unwrap();
    assert_eq!(
        store::restore(&file, &folder, &store::Restore::default(), NOW, &SystemEntropy).unwrap_err().code(),
        "data_not_empty"
    );
    let restored = Store::open(&folder, NOW, Arc::new(SystemEntropy)).unwrap();
    assert!(restored.read(store::current_epoch).unwrap() > 1);
    assert_eq!(restored.check().unwrap().problems, Vec::<String>::new());
    assert_eq!(restored.deployment(), world.store.deployment());
}

#[test]
fn a_backup_goes_on_although_the_server_writes() {
    let world = World::new();
    let write = |codes: usize| {
        let write = move |tx: &mut store::Transaction<'_>| {
            let (person, _) = store::ensure_person(tx, "Анна", NOW)?;
            (0..codes).try_for_each(|_| store::make_code(tx, person, 1, NOW).map(drop))
        };
        world.store.write(write).unwrap();
    };
    // Several times what is copied in one step.
    write(100_000);
    let mut heard = Vec::new();
    let file = world.folder.path().join("backup");
    let told = |copied: store::Copied| {
        heard.push(copied);
        assert!(heard.len() < 100, "it begins again and again: {heard:?}");
        write(1);
    };
    store::backup(world.folder.path(), &file, NOW, told).unwrap();
    assert!(
        heard.len() >= 3 && heard.is_sorted_by(|one, next| one.bytes < next.bytes && one.of == next.of),
        "{heard:?}"
    );
}

#[test]
fn a_write_ahead_log_left_behind_is_never_taken_for_the_restored_databases() {
    let world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let (file, folder) = (elsewhere.path().join("backup"), elsewhere.path().join("data"));
    store::backup(world.folder.path(), &file, NOW, |_| ()).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("aralau.db-wal"), "frames of a database that was moved aside").unwrap();
    assert_eq!(
        store::restore(&file, &folder, &store::Restore::default(), NOW, &SystemEntropy).unwrap_err().code(),
        "data_not_empty"
    );
    std::fs::remove_file(folder.join("aralau.db-wal")).unwrap();
    store::restore(&file, &folder, &store::Restore::default(), NOW, &SystemEntropy).unwrap();
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_one_put_back_by_hand_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap());
    store::write_high_water(folder.path(), 1_000).unwrap();
    assert_eq!(Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).err().unwrap().code(), "data_behind");
    std::fs::write(folder.path().join("high-water"), "half a numb").unwrap();
    assert_eq!(Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).err().unwrap().code(), "high_water");
    std::fs::remove_file(folder.path().join("high-water")).unwrap();
    let database = rusqlite::Connection::open(folder.path().join("aralau.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).err().unwrap().code(), "data_newer");
}

#[test]
fn a_data_folder_of_the_first_schema_is_migrated_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let packed = include_bytes!("../../../tests/data/store-1.db.zst");
    std::fs::write(folder.path().join("aralau.db"), zstd::decode_all(&packed[..]).unwrap()).unwrap();

    let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).unwrap();
    let count =
        |sql: &str| store.read(|connection| Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)).unwrap();
    assert_eq!(count("PRAGMA user_version"), store::SCHEMA_VERSION as i64);
    assert_eq!(count("SELECT count(*) FROM visit"), 4);
    assert_eq!(count("SELECT count(*) FROM visit WHERE conflicts = 1 AND notes = 3"), 1);
    assert_eq!(count("SELECT count(*) FROM held WHERE state = 'held' AND reason = 'revoked'"), 1);
    assert_eq!(count("SELECT count(*) FROM note_text WHERE note_text MATCH 'елка'"), 1);
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
}
