//! What happens to phones and to the server's machine. Each of these may take the last copy of a word with it; nothing
//! else may.

use std::path::PathBuf;

use super::World;
use crate::{
    judges::Judgement,
    model::Grant,
    phone::PhoneNo,
    transcript::{Transcript, all, look_into},
};

/// Phones in one world, at most.
const MAX_PHONES: usize = 10;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const YEAR: i64 = 365 * DAY;

/// A backup of the server.
#[derive(Debug, Clone)]
pub struct Backup {
    /// The file.
    pub file: PathBuf,
    /// What it holds.
    pub transcript: Transcript,
    /// Everybody's grants when it was made.
    pub grants: Vec<Vec<Grant>>,
    /// See [`World::timeline`].
    pub timeline: u32,
}

impl World {
    pub(super) fn back_up_server(&mut self) -> Judgement {
        if self.is_doubtful() {
            return Ok(());
        }
        self.operations += 1;
        let name = format!("backup-{}", self.backups.len());
        self.say("operator", format_args!("makes {name}"));
        let file = self.server.back_up(&name).expect("a backup");
        let grants = self.model.people.iter().map(|person| person.grants.clone()).collect();
        let (transcript, timeline) = (self.transcript.clone(), self.timeline);
        self.backups.push(Backup { file, transcript, grants, timeline });
        self.judge_server()
    }

    /// The machine is lost. Mostly the newest backup is restored, sometimes an older one.
    pub(super) fn restore_server(&mut self) -> Judgement {
        let Some(backup) = self.some_backup().filter(|_| !self.is_doubtful()) else { return Ok(()) };
        // Epochs are told apart by their time: whoever restores looks at the new machine's clock first.
        self.server.clock.set(self.latest_clock);
        self.fault("server", format_args!("the machine is lost; {} is restored", name_of(&backup)));
        // Some operators find the old folder's notices, some decide that whoever was let in may be so again, and some do neither.
        let (accept, finds_notices) =
            *self.chance.pick(&[(false, false), (false, false), (false, true), (true, false)]);
        let before = self.shut_out();
        self.restored = true;
        self.destroy("it was lost with the server", |world| {
            let restored = world.server.restore(&backup.file, accept, finds_notices).expect("a backup restores");
            world.server.open().expect("a restored folder opens");
            world.turn_back(&backup);
            world.say("server", format_args!("is restored: {restored:?}"));
        })?;
        if finds_notices {
            self.judge_shut_out(&before, "by a server that was restored with its notices")?;
        }
        self.judge_server()
    }

    /// Somebody copies an old file over the database, and makes the server believe it. Not one from before the last
    /// restore: phones would see an earlier epoch and stop, and rightly so.
    pub(super) fn put_back(&mut self) -> Judgement {
        let Some(backup) = self.some_backup().filter(|backup| backup.timeline == self.timeline) else { return Ok(()) };
        self.fault("server", format_args!("{} is copied over the database", name_of(&backup)));
        self.server.keep_house();
        let behind = self.server.app().store().read(|connection| Ok(aralau_server::store::total_rows(connection)?));
        let behind = behind.expect("reads") > backup.transcript.len() as u64;
        let before = self.shut_out();
        self.restored = true;
        self.destroy("it was lost with the server's database", |world| {
            world.server.put_back(&backup.file);
            let opened = world.server.open();
            assert_eq!(opened.is_err(), behind, "a database behind its high-water mark must be refused, no other");
            if behind {
                world.server.forget_high_water();
                world.server.open().expect("an old copy opens");
            }
            world.turn_back(&backup);
        })?;
        self.judge_shut_out(&before, "by an older copy of the database beside its notices")?;
        self.doubted = behind.then(|| self.epoch());
        self.judge_server()
    }

    /// Whether an old copy of the database is in place that no phone has noticed yet. Were it backed up and restored now, the
    /// phones that have seen other rows would find them confirmed by the new epoch, and stop: a limit of the protocol.
    fn is_doubtful(&self) -> bool {
        self.doubted.is_some_and(|epoch| epoch == self.epoch())
    }

    pub(super) fn epoch(&self) -> u64 {
        let connection = look_into(&self.server.database()).expect("the database opens");
        let newest = all(&connection, "SELECT max(number) FROM epoch", |row| row.get::<_, i64>(0));
        newest.expect("reads").first().map_or(0, |number| number.cast_unsigned())
    }

    fn some_backup(&mut self) -> Option<Backup> {
        let newest = self.backups.last()?.clone();
        Some(if self.chance.below(4) == 0 { self.chance.pick(&self.backups).clone() } else { newest })
    }

    /// The server knows what the backup knew.
    fn turn_back(&mut self, backup: &Backup) {
        self.timeline += 1;
        for (person, grants) in self.model.people.iter_mut().zip(&backup.grants) {
            person.grants.clone_from(grants);
        }
        self.transcript = backup.transcript.clone();
        self.merged = self.transcript.merged();
    }

    pub(super) fn kill_server(&mut self) -> Judgement {
        self.fault("server", "is killed and started again");
        self.server.kill();
        self.server.open().expect("a killed server's folder opens");
        self.judge_server()
    }

    pub(super) fn back_up_phone(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        self.operations += 1;
        self.phones[at].back_up();
        self.say(self.phones[at].name.clone(), "is backed up");
        Ok(())
    }

    pub(super) fn restore_phone(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        let backups = self.phones[at].backups.clone();
        if backups.is_empty() {
            return Ok(());
        }
        let backup = self.chance.pick(&backups).clone();
        self.fault(self.phones[at].name.clone(), "is restored from a backup");
        self.destroy("it was lost with a phone's store", |world| world.phones[at].restore(&backup))
    }

    /// A write that the phone confirmed is not on its disk after all.
    pub(super) fn lose_commit(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        let before = self.phones[at].snapshot();
        if self.chance.below(2) == 0 {
            self.edit_on(at)?;
        } else {
            self.log_on(at)?;
        }
        self.fault(self.phones[at].name.clone(), "loses its last commit");
        self.destroy("it was in a phone's last commit, which was lost", |world| world.phones[at].restore(&before))
    }

    pub(super) fn clone_phone(&mut self) -> Judgement {
        let Some(at) = self.some_phone().filter(|_| self.phones.len() < MAX_PHONES) else { return Ok(()) };
        let number = PhoneNo(self.phones.len());
        let name = format!("{}'{}", self.phones[at].name, number.0);
        self.fault(self.phones[at].name.clone(), format_args!("is cloned as {name}"));
        let clone = self.phones[at].cloned(number, &name);
        self.phones.push(clone);
        Ok(())
    }

    pub(super) fn reinstall(&mut self) -> Judgement {
        let Some(at) = self.some_phone().filter(|at| !self.phones[*at].revoked) else { return Ok(()) };
        let keeps_key = self.chance.below(2) == 0;
        let with = if keeps_key { "with its key" } else { "with a new key" };
        self.fault(self.phones[at].name.clone(), format_args!("is installed again {with}"));
        self.destroy("it was lost with a phone's store", |world| world.phones[at].reinstall(keeps_key))?;
        if keeps_key {
            let code = self.phones[at].code.clone();
            let again = self.phones[at].enroll(&self.server, crate::server::URL, &code);
            self.say(self.phones[at].name.clone(), format_args!("asks with its old code: {:?}", again.is_ok()));
        }
        if self.phones[at].look().is_enrolled() { self.judge_server() } else { self.enroll(PhoneNo(at)) }
    }

    pub(super) fn lose_phone(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        if self.phones.iter().filter(|phone| phone.is_alive()).count() < super::MIN_PHONES {
            return Ok(());
        }
        self.fault(self.phones[at].name.clone(), "falls into a river");
        self.destroy("it was lost with a phone", |world| {
            world.phones[at].lost = true;
            world.phones[at].stop();
        })
    }

    pub(super) fn kill_phone(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        self.fault(self.phones[at].name.clone(), "is killed and started again");
        self.phones[at].crash();
        Ok(())
    }

    pub(super) fn set_clock(&mut self) -> Judgement {
        let Some(at) = self.some_phone() else { return Ok(()) };
        let farthest = *self.chance.pick(&[0, 5 * MINUTE, DAY, YEAR, 50 * YEAR]);
        let offset = self.around_zero(farthest);
        self.fault(self.phones[at].name.clone(), format_args!("its clock is {offset} ms off"));
        self.phones[at].clock.set(offset);
        Ok(())
    }

    pub(super) fn set_server_clock(&mut self) -> Judgement {
        let farthest = *self.chance.pick(&[0, MINUTE, 2 * DAY, 100 * DAY]);
        let offset = self.around_zero(farthest);
        self.fault("server", format_args!("its clock is {offset} ms off"));
        self.latest_clock = self.latest_clock.max(offset);
        self.server.clock.set(offset);
        Ok(())
    }

    fn around_zero(&mut self, farthest: i64) -> i64 {
        self.chance.below(2 * farthest.unsigned_abs() + 1) as i64 - farthest
    }
}

fn name_of(backup: &Backup) -> String {
    backup.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
