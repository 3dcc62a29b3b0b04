//! The workload's visits as documents, and back: every field of it goes through the wire and the merge.

use std::{collections::BTreeMap, fs::File, io::BufWriter, io::Write as _, path::Path};

use anyhow::Result;
use aralau_client_sdk::{Millis, Position, Value, VisitDraft, VisitEdit, VisitView};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value as Json, json};

/// What the harness hands over.
#[derive(Deserialize)]
pub struct Workload {
    #[serde(rename = "V")]
    pub visits_per_device: usize,
    pub visits: Vec<Visit>,
    pub changes: Vec<Vec<Change>>,
}

/// A visit, in the harness's words.
#[derive(Deserialize, Serialize)]
pub struct Visit {
    pub id: String,
    kind: String,
    st: String,
    t0: i64,
    t1: i64,
    lat: f64,
    lon: f64,
    acc: f64,
    note: String,
    #[serde(flatten)]
    other: BTreeMap<String, Json>,
}

/// A later edit of visit `i`.
#[derive(Deserialize)]
pub struct Change {
    pub i: usize,
    set: BTreeMap<String, Json>,
}

impl Visit {
    /// As an inspector logs it: what the product has a field for goes there, the rest is carried.
    pub fn draft(&self, note: uuid::Uuid) -> VisitDraft {
        let mut other: Vec<_> = self.other.iter().map(|(key, field)| (key.clone(), value(field))).collect();
        other.push(("id".to_owned(), Value::Text(self.id.clone())));
        VisitDraft {
            visit_type: Some(self.kind.clone()),
            outcome: Some(self.st.clone()),
            started_at: Some(Millis(self.t0 * 1000)),
            ended_at: Some(Millis(self.t1 * 1000)),
            position: Some(Position { lat: self.lat, lon: self.lon, accuracy_m: Some(self.acc), mock: false }),
            note: Some((note, self.note.clone())),
            other,
            ..VisitDraft::default()
        }
    }
}

impl Change {
    pub fn edits(&self) -> Vec<VisitEdit> {
        let field = |key: &str| if key == "st" { "outcome".to_owned() } else { key.to_owned() };
        self.set.iter().map(|(key, to)| VisitEdit::Set { field: field(key), value: value(to) }).collect()
    }
}

impl Workload {
    /// Writes what a device has, in the harness's words, one visit a line.
    pub fn write_result(&self, path: &Path, visits: &[VisitView]) -> Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        for visit in visits {
            let mut shown: BTreeMap<&str, Json> =
                visit.other.iter().map(|(key, field)| (key.as_str(), plain(field))).collect();
            shown.insert("kind", json!(visit.visit_type));
            shown.insert("st", json!(visit.outcome));
            shown.insert("t0", json!(visit.started_at.map(|at| at.0 / 1000)));
            shown.insert("t1", json!(visit.ended_at.map(|at| at.0 / 1000)));
            shown.insert("lat", json!(visit.position.map(|position| position.lat)));
            shown.insert("lon", json!(visit.position.map(|position| position.lon)));
            shown.insert("acc", json!(visit.position.and_then(|position| position.accuracy_m)));
            shown.insert("note", json!(visit.notes.first().map(|note| &note.text)));
            writeln!(out, "{}", serde_json::to_string(&shown)?)?;
        }
        Ok(out.flush()?)
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(0.0)), Value::Int)
        }
        Json::String(text) => Value::Text(text.clone()),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
    }
}

fn plain(value: &Value) -> Json {
    let float = if let Value::Float(number) = value { Number::from_f64(*number) } else { None };
    float.map_or_else(|| json!(value), Json::Number)
}
