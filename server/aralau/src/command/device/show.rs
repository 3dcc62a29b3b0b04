//! How the device's answers look: to scripts and to people.

use aralau_client_sdk::{DocumentId, Millis, Report, Status, VisitState, VisitView, view::ConflictView};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::json;

use crate::output::many;

/// What people are told of a device that headquarters has shut out.
pub const SHUT_OUT: &str =
    "headquarters has shut this device out: what it sends is held there until somebody releases it";

/// What a sync came to, in the form that scripts rely on.
#[derive(Serialize)]
pub struct Synced {
    confirmed_index: u64,
    #[serde(flatten)]
    report: Report,
}

impl Synced {
    pub fn of(report: Report) -> Self {
        Self { confirmed_index: report.confirmed.iter().map(|scope| scope.confirmed_index).sum(), report }
    }

    pub fn words(&self) -> String {
        let Report { pushed, pulled, unsent, held, .. } = &self.report;
        format!("{pushed} sent, {pulled} received, {unsent} unsent, {} held.", held.len())
    }
}

/// A visit in the form that scripts rely on.
#[derive(Serialize)]
pub struct Shown {
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
    pub fn of(visit: VisitView) -> Self {
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

    pub fn words(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let state = json!(self.state)["state"].as_str().unwrap_or("-").replace('_', " ");
        let conflicts =
            if self.conflicts.is_empty() { String::new() } else { format!(", {} in conflict", self.conflicts.len()) };
        format!(
            "{}  {}  {}  {}  {}{conflicts}  ({state})",
            self.id,
            text(&self.started_at),
            text(&self.visit_type),
            text(&self.outcome),
            many(self.notes.len(), "note")
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

/// How the device stands, in a sentence or two.
pub fn status_words(status: &Status) -> String {
    let unsent = format!("{} unsent; {}", status.unsent, many(status.alarms.len(), "alarm"));
    if status.shut_out { format!("{unsent}; {SHUT_OUT}") } else { unsent }
}
