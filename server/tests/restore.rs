//! What a restored store may not believe any more.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use aralau_server::{
    auth,
    authorize::Role,
    entropy::SystemEntropy,
    session::{self, Credential},
    store::{self, EnrollError, Enrollment, Restore, Restored, Store},
};
use aralau_sync_core::{
    digest::replica_named,
    id::{DeviceId, PersonId, PublicKey, ScopeId},
    stream::Seen,
    time::Millis,
};

const NOW: Millis = Millis(1_780_000_000_000);
const LATER: Millis = Millis(1_780_000_100_000);

struct World {
    folder: tempfile::TempDir,
    store: Option<Store>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self { folder, store: None };
        world.open("data");
        let handle = world.store().clone();
        world.store().write(move |tx| store::sample(tx, handle.identity(), NOW)).unwrap();
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&mut self, name: &str) {
        self.store = None;
        self.store = Some(Store::open(&*self.at(name), NOW, Arc::new(SystemEntropy)).unwrap());
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn back_up(&self) -> PathBuf {
        let file = self.at("backup.db");
        store::backup(&*self.at("data"), &file, NOW, |_| ()).unwrap();
        file
    }

    /// The first folder is lost, and a backup restored in a second one.
    fn restore(&mut self, file: &std::path::Path, how: &Restore) -> Restored {
        self.store = None;
        let restored = store::restore(file, &*self.at("second"), how, LATER, &SystemEntropy).unwrap();
        self.open("second");
        restored
    }

    fn person(&self, name: &'static str) -> (PersonId, ScopeId) {
        let made = self.store().write(move |tx| {
            let beat = store::beat(tx, "beat-01")?.unwrap();
            let (person, _) = store::ensure_person(tx, name, NOW)?;
            store::grant(tx, person, beat.scope, NOW)?;
            Ok((person, beat.scope))
        });
        made.unwrap()
    }

    fn code(&self, person: PersonId) -> String {
        self.store().write(move |tx| store::make_code(tx, person, 15 * 60_000, NOW)).unwrap()
    }

    fn enroll(&self, code: &str, key: u8) -> Result<store::Enrolled, EnrollError> {
        let key = PublicKey([key; 33]);
        let ask = Enrollment { code: code.to_owned(), key, replica: replica_named(&key, [7; 4]) };
        self.store().write(move |tx| store::enroll(tx, &ask, LATER)).unwrap()
    }

    fn phone(&self, name: &'static str, key: u8) -> DeviceId {
        self.enroll(&self.code(self.person(name).0), key).unwrap().device
    }

    fn token(&self) -> String {
        static MINTED: AtomicU8 = AtomicU8::new(0);
        let entropy = [MINTED.fetch_add(1, Ordering::Relaxed); auth::ENTROPY_BYTES];
        self.store().write(move |tx| auth::mint(tx, Role::Administrator, "Айгуль", NOW, entropy)).unwrap()
    }

    fn end(&self, token: &str) {
        let token = token.to_owned();
        let end = move |tx: &mut store::Transaction<'_>| {
            let caller = auth::find(tx, &token, NOW)?.unwrap();
            store::end_token(tx, caller.token, NOW)
        };
        assert!(self.store().write(end).unwrap());
    }

    fn counts(&self, token: &str) -> bool {
        self.store().read(|connection| auth::find(connection, token, LATER)).unwrap().is_some()
    }

    fn device(&self, device: DeviceId) -> store::DeviceRow {
        self.store().read(|connection| store::device(connection, device)).unwrap().unwrap()
    }

    fn revoke(&self, device: DeviceId) {
        assert!(self.store().write(move |tx| store::revoke_device(tx, device, NOW)).unwrap());
    }

    fn check(&self) {
        assert_eq!(self.store().check().unwrap().problems, [] as [String; 0]);
        assert_eq!(self.store().rebuild().unwrap().changed, 0);
    }
}

#[test]
fn what_was_used_or_ended_after_a_backup_counts_no_more_after_its_restore() {
    let mut world = World::new();
    let code = world.code(world.person("Айгүл").0);
    let tokens = [world.token(), world.token()];
    let credential = Credential::Token(tokens[0].clone());
    let (secret, _) = world.store().write(move |tx| session::begin(tx, &credential, NOW)).unwrap().unwrap();
    let file = world.back_up();
    world.enroll(&code, 2).unwrap();
    let signed_out = secret.clone();
    world.store().write(move |tx| session::end(tx, &signed_out)).unwrap();
    world.end(&tokens[1]);

    let restored = world.restore(&file, &Restore::default());
    assert_eq!((restored.tokens_ended, restored.sessions_ended, restored.codes_ended), (2, 1, 1));
    assert_eq!(world.enroll(&code, 3).unwrap_err(), EnrollError::Expired);
    assert!(tokens.iter().all(|token| !world.counts(token)));
    assert!(world.store().read(|connection| session::find(connection, &secret, LATER)).unwrap().is_none());
    world.check();
}

#[test]
fn of_tokens_that_are_kept_those_end_again_that_had_ended() {
    let mut world = World::new();
    let tokens = [world.token(), world.token()];
    let file = world.back_up();
    world.end(&tokens[1]);
    let how = Restore { keep_tokens: true, notices: Some(world.at("data/notices")), ..Restore::default() };
    let restored = world.restore(&file, &how);
    assert_eq!((restored.tokens_ended, restored.ended_again, restored.unconfirmed), (0, 1, 0));
    assert_eq!(tokens.each_ref().map(|token| world.counts(token)), [true, false]);
    world.check();
}

#[test]
fn by_the_notices_of_the_lost_folder_devices_stay_out_and_beats_stay_taken() {
    let mut world = World::new();
    let (aigul, boris) = (world.phone("Айгүл", 2), world.phone("Борис", 3));
    let (person, scope) = world.person("Айгүл");
    let file = world.back_up();
    world.revoke(boris);
    let moved = move |tx: &mut store::Transaction<'_>| {
        let beat = store::beat(tx, "beat-02")?.unwrap();
        store::assign_device(tx, aigul, &beat, NOW)
    };
    assert!(world.store().write(moved).unwrap());

    let restored = world.restore(&file, &Restore { notices: Some(world.at("data/notices")), ..Restore::default() });
    assert_eq!((restored.ended_again, restored.unconfirmed), (2, 0));
    assert!(world.device(boris).revoked_at.is_some());
    assert!(!world.device(aigul).is_unconfirmed);
    let beats = world.store().read(|connection| store::beats_of(connection, person, LATER)).unwrap();
    assert!(beats.iter().all(|beat| beat.scope != scope), "{beats:?}");
    world.check();
    // The second folder has a file of its own, from which a third would know as much.
    let file = world.at("again.db");
    store::backup(&*world.at("second"), &file, NOW, |_| ()).unwrap();
    let third = store::restore(&file, &*world.at("third"), &Restore::default(), LATER, &SystemEntropy).unwrap();
    assert_eq!((third.ended_again, third.unconfirmed), (0, 1));
}

#[test]
fn without_notices_every_device_waits_for_a_person_and_a_new_code_is_one_persons_word() {
    let mut world = World::new();
    let (aigul, boris) = (world.phone("Айгүл", 2), world.phone("Борис", 3));
    let zarina = world.phone("Зарина", 4);
    world.revoke(zarina);
    let code = world.code(world.person("Айгүл").0);
    let used = world.enroll(&code, 2).unwrap();
    assert_eq!(used.device, aigul);
    let file = world.back_up();
    assert_eq!(world.restore(&file, &Restore::default()).unconfirmed, 2);
    assert!(world.device(aigul).is_unconfirmed && world.device(boris).is_unconfirmed);
    assert!(world.enroll(&code, 2).unwrap().beats.is_empty(), "an old code vouches for nothing");
    assert!(world.device(aigul).is_unconfirmed);
    world.check();

    let code = world.code(world.person("Айгүл").0);
    assert_eq!(world.enroll(&code, 2).unwrap().beats.len(), 1);
    assert!(!world.device(aigul).is_unconfirmed);
    assert!(world.store().write(move |tx| store::confirm_device(tx, boris, LATER)).unwrap());
    assert!(!world.device(boris).is_unconfirmed);
    assert!(world.store().write(move |tx| store::confirm_device(tx, zarina, LATER)).unwrap());
    assert!(world.device(zarina).revoked_at.is_some(), "a revocation is not taken back");
    assert!(!world.store().write(move |tx| store::confirm_device(tx, store::CUSTODY_DEVICE, LATER)).unwrap());
    world.check();
}

#[test]
fn notices_that_end_before_the_backup_vouch_for_nobody() {
    let mut world = World::new();
    world.phone("Айгүл", 2);
    let boris = world.phone("Борис", 3);
    let old = world.at("old-notices");
    std::fs::copy(world.at("data/notices"), &old).unwrap();
    world.revoke(boris);
    let file = world.back_up();
    let restored = world.restore(&file, &Restore { notices: Some(old), ..Restore::default() });
    assert_eq!(restored.unconfirmed, 1, "Boris waits for nothing");
    assert!(world.device(boris).revoked_at.is_some());
}

#[test]
fn a_file_that_is_not_this_deployments_word_vouches_for_nobody() {
    let world = World::new();
    let boris = world.phone("Борис", 3);
    let file = world.back_up();
    world.revoke(boris);
    let true_one = std::fs::read_to_string(world.at("data/notices")).unwrap();
    let another = World::new();
    let of_another = std::fs::read_to_string(another.at("data/notices")).unwrap();
    let header: String = true_one.lines().take(2).map(|line| format!("{line}\n")).collect();
    let first_line: String = true_one.lines().take(1).map(|line| format!("{line}\n")).collect();
    for (number, text, is_vouched_for) in [
        (1, String::new(), false),
        (2, "garbage\n".to_owned(), false),
        (3, of_another, false),
        (4, first_line, false),
        (5, format!("{true_one}2026-05-31 device shut out AAAA\n"), false),
        (6, true_one.clone(), true),
        // What a power cut tears.
        (7, format!("{true_one}2026-05-31 device half a li"), true),
        (8, format!("{header}{}\n{}", &true_one[header.len()..true_one.len() - 9], &true_one[header.len()..]), true),
    ] {
        let named = world.at(&format!("notices-{number}"));
        std::fs::write(&named, text).unwrap();
        let how = Restore { notices: Some(named), ..Restore::default() };
        let folder = world.at(&format!("restored-{number}"));
        let restored = store::restore(&file, &*folder, &how, LATER, &SystemEntropy).unwrap();
        let said = (restored.notices_fault.is_none(), restored.unconfirmed, restored.ended_again);
        // Whoever has been shut out waits for nobody.
        let ended = usize::from(number >= 5);
        assert_eq!(said, (is_vouched_for, 1 - ended, ended), "{number}: {:?}", restored.notices_fault);
    }
}

#[test]
fn a_device_that_is_shut_out_hears_of_another_epoch_and_of_nothing_else() {
    let mut world = World::new();
    let (boris, zarina) = (world.phone("Борис", 3), world.phone("Зарина", 4));
    world.revoke(boris);
    let told = |world: &World, seen| {
        let (device, store) = (world.device(boris), world.store());
        store.read(|connection| store::noticed(connection, store.identity(), &device, seen)).unwrap()
    };
    let first = told(&world, Seen::default()).unwrap();
    assert_eq!(first.notices.len(), 0);
    assert!(told(&world, first.upto).is_none());
    let file = world.back_up();
    world.revoke(zarina);
    world.restore(&file, &Restore::default());
    let again = told(&world, first.upto).unwrap();
    assert!(
        again.upto.epoch > first.upto.epoch,
        "it may know who was shut out since the backup, and says so only if it knows"
    );
    assert_eq!(again.notices.len(), 0);
}

#[test]
fn an_operator_may_decide_that_nobody_has_to_wait() {
    let mut world = World::new();
    let aigul = world.phone("Айгүл", 2);
    let file = world.back_up();
    assert_eq!(world.restore(&file, &Restore { accept: true, ..Restore::default() }).unconfirmed, 0);
    assert!(!world.device(aigul).is_unconfirmed);
    let absent = Restore { notices: Some(world.at("absent")), ..Restore::default() };
    let refused = store::restore(&file, &*world.at("third"), &absent, LATER, &SystemEntropy).unwrap_err();
    assert_eq!(refused.code(), "notices_missing");
}

#[test]
fn an_older_database_put_back_beside_its_notices_ends_again_what_had_ended() {
    let mut world = World::new();
    let boris = world.phone("Борис", 3);
    let file = world.back_up();
    world.revoke(boris);
    world.store = None;
    std::fs::copy(&file, world.at("data/aralau.db")).unwrap();
    // The last line was torn by a power cut; those before it count.
    let notices = std::fs::read_to_string(world.at("data/notices")).unwrap();
    std::fs::write(world.at("data/notices"), format!("{notices}2026-05-31 device half a li")).unwrap();
    world.open("data");
    assert!(world.device(boris).revoked_at.is_some());
    world.check();
    let zarina = world.phone("Зарина", 4);
    world.revoke(zarina);
    let file = world.at("again.db");
    std::fs::copy(world.back_up(), &file).unwrap();
    let kept = std::fs::read_to_string(world.at("data/notices")).unwrap();
    assert!(kept.starts_with(&notices));
    assert_eq!(kept.lines().filter(|line| line.contains("shut out")).count(), 2, "{kept}");
}

#[test]
fn rows_of_the_directory_say_who_had_them_written() {
    let world = World::new();
    let boris = world.phone("Борис", 3);
    let by = || Some("Айгуль (token 7)".to_owned());
    world.store().write_by(by(), move |tx| store::revoke_device(tx, boris, NOW)).unwrap();
    world.revoke(boris);
    let person = world.person("Борис").0;
    world.store().write_by(by(), move |tx| store::make_code(tx, person, 60_000, NOW)).unwrap();
    let verdicts = world.store().read(|connection| {
        let mut rows = connection.prepare("SELECT verdict FROM log WHERE kind = 5 ORDER BY row_id")?;
        let rows = rows.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    });
    let said: Vec<aralau_sync_core::log::Verdict> =
        verdicts.unwrap().iter().map(|bytes| aralau_sync_core::cbor::decode(bytes).unwrap()).collect();
    assert_eq!(
        said.iter().filter_map(|verdict| verdict.by.clone()).collect::<Vec<_>>(),
        [by().unwrap(), by().unwrap()]
    );
    world.check();
}
