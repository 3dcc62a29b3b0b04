//! The day: everything that either store does with its disk, in some forty steps. Each may be repeated after a failure.

use std::path::Path;

use aralau_client_sdk::{DocumentId, Value, VisitDraft, VisitEdit};
use aralau_server::{
    auth,
    authorize::Role,
    store::{self, Organisation, PlaceLine, StaffLine},
};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use uuid::Uuid;

use super::{
    model::{BACKUP, SECOND},
    office::{DATA, DATABASE, Done, Office, Trouble, Who, keeping_all, place, wrong},
};

/// One step of the day.
#[derive(Clone, Copy)]
pub struct Step {
    /// What happens.
    pub name: &'static str,
    /// Makes it happen.
    pub run: fn(&mut Office) -> Done,
}

const fn step(name: &'static str, run: fn(&mut Office) -> Done) -> Step {
    Step { name, run }
}

/// All of them, in order.
pub const DAY: &[Step] = &[
    step("the server starts for the first time", Office::open_server),
    step("an organisation is loaded", load),
    step("headquarters gets a token", |office| token(office, Role::Headquarters)),
    step("the administrator gets a token", |office| token(office, Role::Administrator)),
    step("Anna opens her phone for the first time", Office::open_phone),
    step("Anna enrolls", |office| enroll(office, Who::Anna)),
    step("Bolat enrolls", |office| enroll(office, Who::Bolat)),
    step("Dana enrolls", |office| enroll(office, Who::Dana)),
    step("Anna syncs", |office| office.sync(Who::Anna)),
    step("Anna logs a visit", |office| log(office, Who::Anna, 1)),
    step("Anna logs another", |office| log(office, Who::Anna, 2)),
    step("Anna syncs what she logged", |office| office.sync(Who::Anna)),
    step("Bolat syncs", |office| office.sync(Who::Bolat)),
    step("Bolat logs a visit", |office| log(office, Who::Bolat, 3)),
    step("Bolat syncs what he logged", |office| office.sync(Who::Bolat)),
    step("the high-water mark is written", high_water),
    step("everything is checked", check),
    step("Anna edits her visit", |office| outcome(office, Who::Anna, 1, "refused")),
    step("Bolat edits the same", |office| outcome(office, Who::Bolat, 1, "not_home")),
    step("Anna's phone restarts", |office| {
        office.close_phone();
        office.open_phone()
    }),
    step("Anna syncs her edit", |office| office.sync(Who::Anna)),
    step("Bolat syncs his edit: a conflict", |office| office.sync(Who::Bolat)),
    step("Anna hears of it", |office| office.sync(Who::Anna)),
    step("headquarters settles the conflict", resolve),
    step("the write-ahead log is folded back", checkpoint),
    step("Anna adds a note", |office| note(office, Who::Anna, 2, 4)),
    step("the app on Anna's phone is killed and comes back", |office| {
        office.kill_phone();
        office.open_phone()
    }),
    step("Anna syncs her note", |office| office.sync(Who::Anna)),
    step("the server is killed and comes back", |office| {
        office.kill_server();
        office.open_server()
    }),
    step("Dana syncs", |office| office.sync(Who::Dana)),
    step("what is there is compacted", compact),
    step("Dana logs a visit", |office| log(office, Who::Dana, 5)),
    step("Dana logs another", |office| log(office, Who::Dana, 6)),
    step("Dana's phone is reported lost", revoke),
    step("Dana syncs: held", |office| office.sync(Who::Dana)),
    step("one of her visits is released", release),
    step("the other is rejected", reject),
    step("more is compacted", compact),
    step("a backup is made", backup),
    step("Anna hears of the backup", |office| office.sync(Who::Anna)),
    step("Bolat logs a visit after the backup", |office| log(office, Who::Bolat, 7)),
    step("Bolat syncs that", |office| office.sync(Who::Bolat)),
    step("the projections are rebuilt", rebuild),
    step("the high-water mark is written again", high_water),
    step("the server stops and starts", |office| {
        office.close_server();
        office.open_server()
    }),
    step("the backup is restored beside", restore),
    step("Anna logs the last visit", |office| log(office, Who::Anna, 8)),
    step("Anna syncs in the evening", |office| office.sync(Who::Anna)),
    step("Anna adds a note to Bolat's", |office| note(office, Who::Anna, 7, 9)),
    step("Anna syncs at the end of the day", |office| office.sync(Who::Anna)),
    step("Bolat syncs at the end of the day", |office| office.sync(Who::Bolat)),
    step("everything is checked again", check),
];

/// Number so-and-so among the day's visits.
pub fn visit(n: u128) -> DocumentId {
    DocumentId(uuid::Builder::from_random_bytes((n << 64 | 0xa11a).to_be_bytes()).into_uuid())
}

fn words(n: u128) -> String {
    format!("what was said at the door, number {n}: {}", "word ".repeat(20))
}

fn note_id(n: u128) -> Uuid {
    uuid::Builder::from_random_bytes((n << 64 | 0x907e).to_be_bytes()).into_uuid()
}

const PEOPLE: [(Who, &str); 3] = [(Who::Anna, "Анна"), (Who::Bolat, "Болат"), (Who::Dana, "Дана")];

fn load(office: &mut Office) -> Done {
    let places = (1..=2).map(|n| PlaceLine {
        beat: "beat-01".into(),
        address: format!("ул. Абая, {n}"),
        external_code: None,
        place_type: None,
        coordinates: None,
    });
    let staff = PEOPLE.iter().map(|(_, name)| StaffLine { name: (*name).into(), beat: "beat-01".into() });
    let organisation = Organisation {
        beats: vec![("beat-01".into(), "Участок 1".into())],
        places: places.collect(),
        staff: staff.collect(),
        areas: Vec::new(),
    };
    let store = office.store()?.clone();
    office.write(move |tx, now| store::load(tx, store.identity(), &organisation, now))?;
    office.model.beats.insert("beat-01".into());
    Ok(())
}

fn compact(office: &mut Office) -> Done {
    // Small segments: a day has few rows.
    let before = office.watch.now().plus(1);
    office.store()?.compact(before, 2, |_| ())?;
    Ok(())
}

fn token(office: &mut Office, role: Role) -> Done {
    let mut entropy = [0; 32];
    office.dice.roll(&mut entropy);
    let token = office.write(move |tx, now| auth::mint(tx, role, "Айгуль", now, entropy))?;
    office.model.tokens.insert(format!("{role:?}"), token);
    Ok(())
}

fn token_of(office: &Office, role: Role) -> Done<String> {
    office
        .model
        .tokens
        .get(&format!("{role:?}"))
        .map_or_else(|| wrong("there is no token yet"), |token| Ok(token.clone()))
}

fn enroll(office: &mut Office, who: Who) -> Done {
    let name = PEOPLE.iter().find(|(known, _)| *known == who).map_or("", |(_, name)| name);
    let code = office.write(move |tx, now| {
        let (person, _) = store::ensure_person(tx, name, now)?;
        store::make_code(tx, person, 86_400_000, now)
    })?;
    // Whoever enrolled and did not hear of it uses the first code again; a second one would be refused.
    let code = office.codes.entry(who).or_insert(code).clone();
    office.with(who, |phone, line| phone.enroll(line, &code))
}

fn log(office: &mut Office, who: Who, n: u128) -> Done {
    let draft = VisitDraft {
        visit_type: Some("door_to_door".into()),
        outcome: Some("contacted".into()),
        started_at: Some(office.watch.now()),
        note: Some((note_id(n), words(n))),
        ..VisitDraft::default()
    };
    office.with(who, |phone, _| phone.log(visit(n), draft))?;
    if who == Who::Anna {
        office.model.written.insert((visit(n), words(n)));
    }
    Ok(())
}

fn note(office: &mut Office, who: Who, of: u128, n: u128) -> Done {
    office.with(who, |phone, _| phone.edit(visit(of), &[VisitEdit::AddNote { id: note_id(n), text: words(n) }]))?;
    if who == Who::Anna {
        office.model.written.insert((visit(of), words(n)));
    }
    Ok(())
}

fn outcome(office: &mut Office, who: Who, n: u128, value: &str) -> Done {
    let edit = VisitEdit::Set { field: "outcome".into(), value: Value::Text(value.into()) };
    office.with(who, |phone, _| phone.edit(visit(n), &[edit]))
}

fn resolve(office: &mut Office) -> Done {
    let token = token_of(office, Role::Headquarters)?;
    let body = json!({ "field": "outcome", "value": "refused" });
    match office.ask("POST", &format!("/v1/visits/{}/resolve", visit(1)), &token, Some(&body)) {
        Ok(_) => {}
        // A first attempt may have gone through without anybody hearing of it.
        Err(Trouble::Http(409, code)) if code == "not_in_conflict" && office.tries > 1 => {}
        Err(trouble) => return Err(trouble),
    }
    office.model.resolved.push((visit(1), "outcome".into(), "refused".into()));
    Ok(())
}

/// As the server does when nothing is to be done.
fn checkpoint(office: &mut Office) -> Done {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags_and_vfs(DATABASE, flags, office.server_disk.vfs());
    let folded =
        connection.and_then(|connection| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    Ok(folded.map_err(store::StoreError::from)?)
}

fn revoke(office: &mut Office) -> Done {
    let token = token_of(office, Role::Administrator)?;
    let devices = office.ask("GET", "/v1/devices", &token, None)?;
    let devices = devices["devices"].as_array().cloned().unwrap_or_default();
    let Some(dana) = devices.iter().find(|device| device["person"]["name"] == "Дана") else {
        return wrong("Dana's phone is not listed");
    };
    let id = dana["id"].as_str().unwrap_or_default().to_owned();
    office.ask("POST", &format!("/v1/devices/{id}/revoke"), &token, None)?;
    office.model.revoked.insert(id.parse().map_err(|_| Trouble::Wrong(format!("{id} is no device")))?);
    Ok(())
}

/// The held entries, oldest first: their path, and their state.
fn held(office: &Office, token: &str, n: u128) -> Done<Option<String>> {
    let page = office.ask("GET", "/v1/quarantine", token, None)?;
    let rows = page["held"].as_array().cloned().unwrap_or_default();
    let found = rows.iter().find(|row| row["document"] == visit(n).to_string());
    let path = |row: &serde_json::Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        format!("/v1/quarantine/{}/{}/{}", text("replica"), text("scope"), row["index"])
    };
    Ok(found.map(path))
}

fn release(office: &mut Office) -> Done {
    let token = token_of(office, Role::Administrator)?;
    match held(office, &token, 5)? {
        Some(path) => drop(office.ask("POST", &format!("{path}/release"), &token, None)?),
        None if office.tries > 1 => {}
        None => return wrong("what a phone sent after it was shut out is not held"),
    }
    office.model.released.push((visit(5), words(5)));
    Ok(())
}

fn reject(office: &mut Office) -> Done {
    let token = token_of(office, Role::Administrator)?;
    match held(office, &token, 6)? {
        Some(path) => drop(office.ask("POST", &format!("{path}/reject"), &token, Some(&json!({ "note": "no" })))?),
        None if office.tries > 1 => {}
        None => return wrong("what a phone sent after it was shut out is not held"),
    }
    Ok(())
}

fn high_water(office: &mut Office) -> Done {
    let rows = office.store()?.read(|connection| Ok(store::total_rows(connection)?))?;
    store::write_high_water(place(&office.server_disk, DATA), rows)?;
    office.model.high_water = rows;
    Ok(())
}

fn backup(office: &mut Office) -> Done {
    let before = office.model.clone();
    let rows = store::backup(place(&office.server_disk, DATA), Path::new(BACKUP), office.watch.now(), |_| ())?;
    if rows < before.sizes.values().sum() {
        return wrong(format!("a backup of {rows} rows leaves out acknowledged ones"));
    }
    office.model.backup = Some(Box::new(before));
    Ok(())
}

fn rebuild(office: &mut Office) -> Done {
    match office.store()?.rebuild()? {
        report if report.changed == 0 => Ok(()),
        report => wrong(format!("a rebuild changes {} rows", report.changed)),
    }
}

fn restore(office: &mut Office) -> Done {
    let second = place(&office.server_disk, SECOND);
    match store::restore(Path::new(BACKUP), second, &keeping_all(), office.watch.now(), &*office.dice) {
        Ok(_) => {}
        // A first attempt may have gone through without anybody hearing of it.
        Err(store::OpenError::NotEmpty) if office.tries > 1 => {}
        Err(error) => return Err(error.into()),
    }
    office.model.restored.clone_from(&office.model.backup);
    Ok(())
}

fn check(office: &mut Office) -> Done {
    let report = office.store()?.check()?;
    if report.problems.is_empty() { Ok(()) } else { wrong(format!("check: {}", report.problems.join("; "))) }
}
