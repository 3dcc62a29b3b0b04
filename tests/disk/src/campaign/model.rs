//! What was acknowledged, as those outside heard it, and the judges that look for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use aralau_client_sdk::{DocumentId, ScopeId};
use aralau_server::{
    query,
    reach::Reach,
    store::{self, Contents, Disk as _, Store, StoreError},
};
use aralau_sync_core::{id::DeviceId, log::RowKind};
use rusqlite::{Connection, OpenFlags};

use super::office::{Acknowledged, DATA, Done, Office, PHONE, Trouble, Who, keeping_all, place, wrong};
use crate::Disk;

/// See the module. It knows nothing of how either store keeps what it promises.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Codes of beats that were made.
    pub beats: BTreeSet<String>,
    /// Tokens that were handed out, by role.
    pub tokens: BTreeMap<String, String>,
    /// Devices that were shut out.
    pub revoked: BTreeSet<DeviceId>,
    /// Words that the server has, held or not.
    pub received: BTreeSet<(DocumentId, String)>,
    /// Words that stand in their visits.
    pub words: BTreeSet<(DocumentId, String)>,
    /// How long each scope's log was said to be.
    pub sizes: BTreeMap<ScopeId, u64>,
    /// How much of it was said to be backed up.
    pub backed_up: BTreeMap<ScopeId, u64>,
    /// Values that headquarters has put in conflicts' places.
    pub resolved: Vec<(DocumentId, String, String)>,
    /// Held words that were let in.
    pub released: Vec<(DocumentId, String)>,
    /// The high-water mark that was written.
    pub high_water: u64,
    /// What was acknowledged when the backup that succeeded was begun.
    pub backup: Option<Box<Model>>,
    /// The same, for the folder that was restored from it.
    pub restored: Option<Box<Model>>,
    /// Words that Anna's phone has taken in, and their outcome where she set one.
    pub written: BTreeSet<(DocumentId, String)>,
}

/// Where the backup goes.
pub const BACKUP: &str = "/backup/one";
/// Where it is restored to.
pub const SECOND: &str = "/second";

impl Model {
    /// A phone says what it heard. What Dana sent may be held.
    pub fn hear(&mut self, who: Who, shown: Acknowledged) {
        if who != Who::Dana {
            self.words.extend(shown.words.iter().cloned());
        }
        self.received.extend(shown.words);
        for (scope, size) in shown.sizes {
            let known = self.sizes.entry(scope).or_default();
            *known = size.max(*known);
        }
        for (scope, rows) in shown.backed_up {
            let known = self.backed_up.entry(scope).or_default();
            *known = rows.max(*known);
        }
    }

    /// Everything acknowledged is in this store, and the store is sound. Only a restored one is in a later epoch.
    pub fn judge(&self, store: &Store, restored: bool) -> Done {
        let report = store.check().map_err(|error| Trouble::Wrong(format!("check failed: {error}")))?;
        if !report.problems.is_empty() {
            return wrong(format!("check: {}", report.problems.join("; ")));
        }
        let found = store.read(|connection| Ok(self.missing(connection, restored)));
        match found {
            Ok(Ok(missing)) if missing.is_empty() => Ok(()),
            Ok(Ok(missing)) => wrong(format!("acknowledged and missing: {}", missing.join("; "))),
            Ok(Err(error)) | Err(error) => wrong(format!("reading what was acknowledged: {error}")),
        }
    }

    fn missing(&self, connection: &Connection, restored: bool) -> Result<Vec<String>, StoreError> {
        let mut missing = Vec::new();
        let found = store::current_epoch(connection)?;
        if (found > 1) != restored {
            missing.push(format!("the right epoch: it is {found}"));
        }
        for code in &self.beats {
            if store::beat(connection, code)?.is_none() {
                missing.push(format!("the beat {code}"));
            }
        }
        for (role, token) in &self.tokens {
            if aralau_server::auth::find(connection, token, aralau_client_sdk::Millis(0))?.is_none() {
                missing.push(format!("the token for {role}"));
            }
        }
        for device in &self.revoked {
            if store::device(connection, *device)?.is_none_or(|device| device.revoked_at.is_none()) {
                missing.push(format!("that {device} is shut out"));
            }
        }
        for (scope, size) in &self.sizes {
            let sql = "SELECT size FROM scope WHERE scope = ?";
            let found: i64 = connection.query_row(sql, [scope.as_bytes()], |row| row.get(0)).unwrap_or_default();
            if found.cast_unsigned() < *size {
                missing.push(format!("rows of {scope}: {found} of {size}"));
            }
        }
        for (visit, words) in self.words.iter().chain(&self.released) {
            if !detail(connection, *visit)?.contains(words) {
                missing.push(format!("{words:?} in {visit}"));
            }
        }
        for (visit, words) in &self.received {
            if !is_in_log(connection, words)? {
                missing.push(format!("{words:?} of {visit} in the log"));
            }
        }
        for (visit, field, value) in &self.resolved {
            let shown = query::visit::detail(connection, &Reach::EVERYWHERE, *visit, None)?;
            let shown = shown.and_then(|detail| detail.value.get(field).map(|value| format!("{value:?}")));
            if !shown.is_some_and(|shown| shown.contains(value)) {
                missing.push(format!("{field} = {value} in {visit}"));
            }
        }
        Ok(missing)
    }

    /// What a server's disk holds beside the database: the high-water mark, the backup, what was restored from it.
    pub fn judge_files(&self, disk: &Disk, office: &Office) -> Done {
        let mark = disk.read(Path::new("/data/high-water"))?.unwrap_or_default();
        let mark: u64 = String::from_utf8_lossy(&mark).trim().parse().unwrap_or_default();
        if mark < self.high_water {
            return wrong(format!("the high-water mark is {mark}, {} was written", self.high_water));
        }
        let files = disk.files();
        if let Some(then) = &self.backup {
            let Some(backup) = files.get(BACKUP) else { return wrong("the backup is not there") };
            judge_backup(backup, then, office)?;
        }
        if self.backed_up.values().any(|rows| *rows > 0) && !files.contains_key(BACKUP) {
            return wrong("phones were told of a backup that is not there");
        }
        if let Some(then) = &self.restored {
            let folder = files.into_iter().filter(|(name, _)| name.starts_with(SECOND)).collect();
            judge_elsewhere(&folder, SECOND, then, office)?;
        }
        Ok(())
    }

    /// Everything that Anna's phone has taken in is there, and the phone is sound.
    pub fn judge_phone(&self, office: &mut Office) -> Done {
        if !office.phone_disk.files().contains_key(PHONE) {
            return if self.written.is_empty() { Ok(()) } else { wrong("the phone's store is gone") };
        }
        let connection =
            Connection::open_with_flags_and_vfs(PHONE, OpenFlags::SQLITE_OPEN_READ_ONLY, office.phone_disk.vfs());
        let sound = connection
            .and_then(|connection| connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)));
        match sound {
            Ok(sound) if sound == "ok" => {}
            Ok(problem) => return wrong(format!("the phone's database: {problem}")),
            Err(error) => return wrong(format!("the phone's database: {error}")),
        }
        let (visits, status) = office.with(Who::Anna, |phone, _| Ok((phone.visits()?, phone.status()?)))?;
        let shown: BTreeSet<_> =
            visits.iter().flat_map(|visit| visit.notes.iter().map(|note| (visit.id, note.text.clone()))).collect();
        if let Some((visit, words)) = self.written.difference(&shown).next() {
            return wrong(format!("the phone has lost {words:?} in {visit}"));
        }
        if !status.alarms.is_empty() || status.orphans > 0 {
            return wrong(format!("the phone raises alarms: {:?}, {} orphans", status.alarms, status.orphans));
        }
        Ok(())
    }
}

/// A visit in the words of headquarters' API; empty where it is unknown.
fn detail(connection: &Connection, visit: DocumentId) -> Result<String, StoreError> {
    let detail = query::visit::detail(connection, &Reach::EVERYWHERE, visit, None)?;
    Ok(detail.map(|detail| serde_json::to_string(&detail).unwrap_or_default()).unwrap_or_default())
}

/// A backup restores, on another machine, to a server that holds what was acknowledged before the backup began.
fn judge_backup(backup: &[u8], then: &Model, office: &Office) -> Done {
    let machine = Disk::new(1);
    machine.replace(&BTreeMap::from([(BACKUP.to_owned(), backup.to_vec())]));
    store::restore(Path::new(BACKUP), place(&machine, DATA), &keeping_all(), office.watch.now(), &*office.dice)
        .map_err(|error| Trouble::Wrong(format!("the backup does not restore: {error}")))?;
    machine.wait_until_closed();
    judge_elsewhere(&machine.files(), DATA, then, office)
}

/// What was restored holds what was acknowledged before the backup began. Looked at on another disk, which stays as it is.
fn judge_elsewhere(files: &BTreeMap<String, Vec<u8>>, folder: &str, then: &Model, office: &Office) -> Done {
    let machine = Disk::new(1);
    machine.replace(files);
    let store = Store::open(place(&machine, folder), office.watch.now(), office.dice.clone())
        .map_err(|error| Trouble::Wrong(format!("what was restored does not open: {error}")))?;
    let judged = then.judge(&store, true);
    drop(store);
    machine.wait_until_closed();
    judged
}

/// Whether words stand in some row of the log, sealed or not.
pub fn is_in_log(connection: &Connection, words: &str) -> Result<bool, StoreError> {
    let mut statement = connection.prepare("SELECT row_id, kind, header, body FROM log")?;
    let (mut rows, mut contents) = (statement.query([])?, Contents::new(connection));
    while let Some(row) = rows.next()? {
        let Some(kind) = RowKind::from_number(row.get(1)?) else { continue };
        let content = contents.of(row.get(0)?, kind, (row.get(2)?, row.get(3)?))?;
        if content.is_some_and(|(_, body)| body.windows(words.len()).any(|some| some == words.as_bytes())) {
            return Ok(true);
        }
    }
    Ok(false)
}
