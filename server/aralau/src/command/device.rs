//! `aralau device`: an inspector's device in a folder, as the app would have it.

use std::{path::PathBuf, time::Duration};

use aralau_client_sdk::{
    Client, DocumentId, Error, HttpTransport, Millis, Report, Seams, SyncOptions, Value, VisitDraft, VisitEdit,
    VisitState, VisitView, store::SqliteStore, view::ConflictView,
};
use aralau_server::calendar::{self, Day};
use aralau_sync_core::visit::Position;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::{failure::Failure, output, target};

#[derive(Debug, Args)]
pub struct Device {
    /// The device's own folder.
    #[arg(long, env = "ARALAU_HOME")]
    home: PathBuf,
    /// Allow plain http:// to other machines than this one.
    #[arg(long, global = true)]
    insecure: bool,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make this device known to a server, with a code from `aralau admin enroll`.
    Enroll {
        /// The server's address.
        #[arg(long)]
        server: String,
        /// The one-time code.
        #[arg(long)]
        code: String,
    },
    /// The places of this device's beats. A device learns of them with a sync.
    Places,
    /// Log a visit. Needs no network.
    Log {
        /// The place's id.
        #[arg(long)]
        place: DocumentId,
        /// A code of the list `visit_type`; unknown codes are carried.
        #[arg(long = "type")]
        visit_type: String,
        /// A code of the list `outcome`.
        #[arg(long)]
        outcome: String,
        /// A note, in one's own words.
        #[arg(long, allow_hyphen_values = true)]
        note: Option<String>,
        /// When the visit began: RFC 3339 with its offset, such as 2026-05-31T08:00:00+05:00; now if left out.
        #[arg(long, value_parser = calendar::instant)]
        at: Option<Millis>,
        /// Where the phone stood: LATITUDE,LONGITUDE in degrees, or with its accuracy: LATITUDE,LONGITUDE,METRES.
        #[arg(long, value_parser = position, allow_hyphen_values = true)]
        position: Option<Position>,
    },
    /// Change a visit, or add a note to it. Needs no network.
    Edit {
        /// The visit's id.
        visit: DocumentId,
        /// The new outcome.
        #[arg(long)]
        outcome: Option<String>,
        /// A further note.
        #[arg(long, allow_hyphen_values = true)]
        note: Option<String>,
        /// What a resident worries about: a code of the list `concern`.
        #[arg(long)]
        concern: Option<String>,
        /// What was promised, in words.
        #[arg(long, allow_hyphen_values = true)]
        promise: Option<String>,
        /// Until when the promise holds, such as 2026-12-31.
        #[arg(long, requires = "promise")]
        due: Option<Day>,
        /// Take the visit back. It stays in the history.
        #[arg(long)]
        withdraw: bool,
    },
    /// Settle a conflict by choosing a value. Needs no network.
    Resolve {
        /// The visit's id.
        visit: DocumentId,
        /// The field.
        #[arg(long)]
        field: String,
        /// The value.
        #[arg(long, allow_hyphen_values = true)]
        value: String,
    },
    /// Bring this device and its server level.
    Sync {
        /// For how long to try again while the server cannot be reached.
        #[arg(long, default_value_t = 8)]
        wait: u64,
    },
    /// Write a visit as a plain Automerge document that any Automerge library opens.
    Export {
        /// The visit's id.
        visit: DocumentId,
        /// Where to.
        file: PathBuf,
    },
    /// The visits known here, with every conflict and where each of them is.
    Visits,
    /// Every change of a visit.
    History {
        /// The visit's id.
        visit: DocumentId,
    },
    /// How the device stands: what is unsent, what was noticed.
    Status,
}

fn position(text: &str) -> Result<Position, String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let (lat, lon, accuracy_m) = match numbers.as_deref() {
        Ok([lat, lon]) => (*lat, *lon, None),
        Ok([lat, lon, metres]) => (*lat, *lon, Some(*metres)),
        _ => return Err("not two or three numbers with commas between them, like 43.2389,76.8897,12".to_owned()),
    };
    let is_on_earth = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
    let is_radius = accuracy_m.is_none_or(|metres| metres.is_finite() && metres >= 0.0);
    match (is_on_earth, is_radius) {
        (false, _) => Err("a latitude is from -90 to 90, a longitude from -180 to 180".to_owned()),
        (true, false) => Err("an accuracy is not below 0 metres".to_owned()),
        (true, true) => Ok(Position { lat, lon, accuracy_m, mock: false }),
    }
}

impl Device {
    pub fn run(&self, json: bool) -> Result<(), Failure> {
        if !matches!(self.task, Task::Enroll { .. }) && !self.home.is_dir() {
            let home = self.home.display();
            return Err(Failure::new("not_enrolled", format!("there is no device in {home}; enroll it first")));
        }
        let mut client = Client::open(&self.home, Seams::system())?;
        let transport = HttpTransport::new(self.insecure);
        match &self.task {
            Task::Enroll { server, code } => {
                client.enroll(&transport, server, code)?;
                enrolled(json, &client)?;
            }
            Task::Sync { wait } => {
                let report = client.sync(&transport, SyncOptions { wait: Duration::from_secs(*wait) })?;
                output::show(json, &Synced::of(report), Synced::words);
            }
            Task::Places => output::list(json, &client.places()?, "No places yet: sync first.", |place| {
                format!("{}  {}", place.id, place.address.as_deref().unwrap_or("-"))
            }),
            Task::Visits => {
                let visits: Vec<_> = client.visits()?.into_iter().map(Shown::of).collect();
                output::list(json, &visits, "No visits yet.", Shown::words);
            }
            Task::History { visit } => output::list(json, &client.history(*visit)?, "No changes.", |change| {
                format!("{}  {}  {}", rfc3339(change.at), change.by, json!(change.puts))
            }),
            Task::Status => {
                let status = client.status()?;
                output::show(json, &status, |status| {
                    format!("{} unsent; {} alarms", status.unsent, status.alarms.len())
                });
            }
            Task::Export { visit, file } => {
                target::check(file, &self.home)?;
                std::fs::write(file, client.export(*visit)?)?;
                output::show(json, &json!({ "visit": visit, "file": file }), |_| {
                    format!("Written: {}", file.display())
                });
            }
            task @ (Task::Log { .. } | Task::Edit { .. } | Task::Resolve { .. }) => write(json, &mut client, task)?,
        }
        Ok(())
    }
}

fn enrolled(json: bool, client: &Client<SqliteStore>) -> Result<(), Failure> {
    let beats: Vec<_> = client.beats().iter().map(|beat| beat.code.clone()).collect();
    let status = client.status()?;
    let report = json!({ "person": status.person, "beats": beats, "replica": status.replica });
    output::show(json, &report, |_| match beats.as_slice() {
        [] => {
            "Enrolled, with no beat to work. `aralau device sync` tells why, where this device was shut out.".to_owned()
        }
        beats => format!("Enrolled for {}.", beats.join(", ")),
    });
    Ok(())
}

/// The tasks that write, all of them without a network.
fn write(json: bool, client: &mut Client<SqliteStore>, task: &Task) -> Result<(), Failure> {
    let visit = match task {
        Task::Log { place, visit_type, outcome, note, at, position } => {
            if matches!(client.place(*place), Err(Error::UnknownDocument)) {
                return Err(Failure::new(
                    "place_unknown",
                    format!("there is no place {place} here; see `places`, or sync"),
                ));
            }
            let draft = VisitDraft {
                place: Some(*place),
                visit_type: Some(visit_type.clone()),
                outcome: Some(outcome.clone()),
                started_at: Some(at.unwrap_or_else(super::now)),
                position: *position,
                note: note.clone().map(|text| (client.fresh_id(), text)),
                ..VisitDraft::default()
            };
            client.log_visit(draft)?
        }
        Task::Edit { visit, outcome, note, concern, promise, due, withdraw } => {
            let set = |field: String, value: &String| VisitEdit::Set { field, value: Value::Text(value.clone()) };
            let mut edits: Vec<_> = outcome.iter().map(|outcome| set("outcome".to_owned(), outcome)).collect();
            if let Some(concern) = concern {
                edits.push(set(format!("concerns/{}/category", client.fresh_id()), concern));
            }
            if let Some(promise) = promise {
                let item = client.fresh_id();
                edits.push(set(format!("commitments/{item}/text"), promise));
                edits.extend(due.iter().map(|due| set(format!("commitments/{item}/due"), &due.text())));
            }
            edits.extend(note.clone().map(|text| VisitEdit::AddNote { id: client.fresh_id(), text }));
            edits.extend(withdraw.then_some(VisitEdit::Withdraw));
            if edits.is_empty() {
                return Err(Failure::new(
                    "nothing_to_do",
                    "say what to change: --outcome, --note, --concern, --promise or --withdraw",
                ));
            }
            client.edit_visit(*visit, &edits)?;
            *visit
        }
        Task::Resolve { visit, field, value } => {
            let shown = client.visit(*visit)?;
            client.resolve(*visit, field, chosen(&shown.conflicts, field, value))?;
            *visit
        }
        Task::Enroll { .. }
        | Task::Places
        | Task::Sync { .. }
        | Task::Export { .. }
        | Task::Visits
        | Task::History { .. }
        | Task::Status => return Ok(()),
    };
    output::show(json, &json!({ "visit": visit }), |_| visit.to_string());
    Ok(())
}

/// One of the conflict's own values where it reads like `text`, so that a number stays a number; else the text.
fn chosen(conflicts: &[ConflictView], field: &str, text: &str) -> Value {
    let values = conflicts.iter().filter(|conflict| conflict.field == field).flat_map(|conflict| &conflict.values);
    let reads = |value: &Value| match serde_json::to_value(value) {
        Ok(serde_json::Value::String(read)) => read == text,
        Ok(other) => serde_json::from_str::<serde_json::Value>(text).is_ok_and(|read| read == other),
        Err(_) => false,
    };
    let found = values.map(|value| &value.value).find(|value| reads(value));
    found.cloned().unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// What a sync came to, in the form that scripts rely on.
#[derive(Serialize)]
struct Synced {
    confirmed_index: u64,
    #[serde(flatten)]
    report: Report,
}

impl Synced {
    fn of(report: Report) -> Self {
        Self { confirmed_index: report.confirmed.iter().map(|scope| scope.confirmed_index).sum(), report }
    }

    fn words(&self) -> String {
        let Report { pushed, pulled, unsent, held, .. } = &self.report;
        format!("{pushed} sent, {pulled} received, {unsent} unsent, {} held.", held.len())
    }
}

/// A visit in the form that scripts rely on.
#[derive(Serialize)]
struct Shown {
    id: DocumentId,
    beat: Option<String>,
    place: Option<DocumentId>,
    address: Option<String>,
    #[serde(rename = "type")]
    visit_type: Option<String>,
    outcome: Option<String>,
    status: String,
    started_at: Option<String>,
    notes: Vec<serde_json::Value>,
    conflicts: Vec<serde_json::Value>,
    #[serde(flatten)]
    state: VisitState,
    authors: Vec<String>,
    held: serde_json::Value,
    other: serde_json::Value,
}

impl Shown {
    fn of(visit: VisitView) -> Self {
        let note = |note: &aralau_client_sdk::view::NoteView| json!({ "id": note.id, "text": note.text, "by": note.by, "at": rfc3339(note.at), "status": note.status });
        Self {
            id: visit.id,
            beat: visit.beat,
            place: visit.place,
            address: visit.address,
            visit_type: visit.visit_type,
            outcome: visit.outcome,
            status: visit.status,
            started_at: visit.started_at.map(rfc3339),
            notes: visit.notes.iter().map(note).collect(),
            conflicts: visit.conflicts.iter().map(conflict).collect(),
            state: visit.state,
            authors: visit.authors,
            held: json!(visit.held),
            other: json!(visit.other),
        }
    }

    fn words(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let state = json!(self.state)["state"].as_str().unwrap_or("-").replace('_', " ");
        let conflicts =
            if self.conflicts.is_empty() { String::new() } else { format!(", {} in conflict", self.conflicts.len()) };
        format!(
            "{}  {}  {}  {}  {} notes{conflicts}  ({state})",
            self.id,
            text(&self.started_at),
            text(&self.visit_type),
            text(&self.outcome),
            self.notes.len()
        )
    }
}

fn conflict(conflict: &ConflictView) -> serde_json::Value {
    let values = conflict.values.iter().map(|value| {
        let names: Vec<_> = value.authors.iter().map(|author| author.name.as_str()).collect();
        let at = value.authors.first().map(|author| rfc3339(author.at));
        json!({ "value": value.value, "author": names.join(", "), "at": at })
    });
    json!({ "field": conflict.field, "values": values.collect::<Vec<_>>() })
}

/// As people and scripts read it; a clock beyond the calendar stays a number.
pub fn rfc3339(at: Millis) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(at.0);
    time.map_or_else(|| at.0.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn a_position_is_two_numbers_or_three_on_earth() {
        let read = |text| position(text).map(|position| (position.lat, position.lon, position.accuracy_m));
        assert_eq!(read("43.2389, 76.8897"), Ok((43.2389, 76.8897, None)));
        assert_eq!(read("-43.2,-76.9,12"), Ok((-43.2, -76.9, Some(12.0))));
        for nonsense in ["", "43", "43;76", "43,76,12,1", "91,0", "0,181", "NaN,0", "0,0,-1", "0,0,inf"] {
            assert!(read(nonsense).is_err(), "{nonsense}");
        }
    }
}
