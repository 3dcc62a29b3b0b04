//! Headquarters in the demonstration: only what its own HTTP interface tells.

use std::collections::BTreeSet;

use aralau_client_sdk::{HttpRequest, HttpTransport, Transport as _};
use aralau_server::authorize::Role;
use indicatif::ProgressBar;
use serde_json::{Value as Json, json};

use super::stage::Stage;
use crate::failure::Failure;

pub struct Headquarters {
    url: String,
    token: String,
    transport: HttpTransport,
}

/// What headquarters has.
#[derive(Debug, Default)]
pub struct Seen {
    /// Every visit.
    pub visits: BTreeSet<String>,
    /// Notes in all of them.
    pub notes: usize,
    /// Those with two or more distinct values somewhere.
    pub in_conflict: Vec<String>,
}

/// A conflict that headquarters settled.
#[derive(Debug)]
pub struct Settled {
    /// Where.
    pub field: String,
    /// Each value, with who wrote it.
    pub values: Vec<String>,
    /// What it came to.
    pub chosen: String,
}

impl Headquarters {
    pub fn new(stage: &Stage) -> Result<Self, Failure> {
        Ok(Self { url: stage.url(), token: stage.token(Role::Administrator)?, transport: HttpTransport::default() })
    }

    /// For the commands to try.
    pub fn token(&self) -> &str {
        &self.token
    }

    fn ask(&self, method: &'static str, path: &str, body: Option<&Json>) -> Result<Json, Failure> {
        let mut headers = vec![("authorization", format!("Bearer {}", self.token))];
        headers.extend(body.map(|_| ("content-type", "application/json".to_owned())));
        let request = HttpRequest {
            method,
            url: format!("{}{path}", self.url),
            headers,
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            max_answer_bytes: 16 << 20,
            certificate: None,
        };
        let answer = self.transport.send(&request).map_err(|error| Failure::new(error.code(), error))?;
        let body: Json = serde_json::from_slice(&answer.body)
            .map_err(|error| Failure::new("internal", format!("headquarters answered {}: {error}", answer.status)))?;
        if answer.status == 200 { Ok(body) } else { Err(Failure::new("internal", body)) }
    }

    /// Reads every visit, page by page.
    pub fn look(&self, bar: &ProgressBar) -> Result<Seen, Failure> {
        let (mut seen, mut path) = (Seen::default(), "/v1/visits?limit=1000".to_owned());
        loop {
            let page = self.ask("GET", &path, None)?;
            for visit in page["visits"].as_array().into_iter().flatten() {
                let id = text(&visit["id"]);
                seen.notes += visit["notes"].as_u64().unwrap_or(0) as usize;
                if visit["conflicts"].as_u64() > Some(0) {
                    seen.in_conflict.push(id.clone());
                }
                seen.visits.insert(id);
                bar.inc(1);
            }
            match page["next"].as_str() {
                Some(next) => path = format!("/v1/visits?limit=1000&cursor={next}"),
                None => break,
            }
        }
        bar.finish();
        Ok(seen)
    }

    /// Entries kept apart.
    pub fn quarantined(&self) -> Result<usize, Failure> {
        Ok(self.ask("GET", "/v1/quarantine", None)?["held"].as_array().map_or(0, Vec::len))
    }

    /// Where a visit was, as written on the door.
    pub fn place(&self, visit: &str) -> Result<String, Failure> {
        let detail = self.ask("GET", &format!("/v1/visits/{visit}"), None)?;
        Ok(detail["place"]["address"].as_str().unwrap_or("at a place without an address").to_owned())
    }

    /// Who changed what, one line a change.
    pub fn history(&self, visit: &str) -> Result<Vec<String>, Failure> {
        let history = self.ask("GET", &format!("/v1/visits/{visit}/history"), None)?;
        let line = |change: &Json| {
            let puts = change["puts"].as_array().into_iter().flatten();
            // What each phone saw by itself is left out, and the place, which is the visit's.
            let plain = puts.filter(|put| !text(&put["key"]).starts_with("witness/") && put["key"] != "place");
            let puts: Vec<_> =
                plain.map(|put| format!("{} = {}", last(&text(&put["key"])), short(&put["value"]))).collect();
            let by = text(&change["author"]["name"]);
            format!("{}  {by}: {}", text(&change["device_time"]), puts.join(", "))
        };
        Ok(history["history"].as_array().into_iter().flatten().map(line).collect())
    }

    /// Settles a visit's first conflict by its second value: what was not shown until now.
    pub fn settle(&self, visit: &str) -> Result<Option<Settled>, Failure> {
        let detail = self.ask("GET", &format!("/v1/visits/{visit}"), None)?;
        let Some(conflict) = detail["conflicts"].get(0) else { return Ok(None) };
        let of = |value: &Json| format!("{} by {}", short(&value["value"]), text(&value["author"]));
        let values: Vec<_> = conflict["values"].as_array().into_iter().flatten().map(of).collect();
        let chosen = &conflict["values"][1]["value"];
        let body = json!({ "field": conflict["field"], "value": chosen });
        self.ask("POST", &format!("/v1/visits/{visit}/resolve"), Some(&body))?;
        Ok(Some(Settled { field: text(&conflict["field"]), values, chosen: short(chosen) }))
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn last(key: &str) -> &str {
    match key.split_once('/') {
        Some(("notes", _)) if key.ends_with("/text") => "note",
        Some(("concerns", _)) if key.ends_with("/category") => "concern",
        Some(("commitments", _)) if key.ends_with("/text") => "promise",
        _ => key.rsplit('/').next().unwrap_or(key),
    }
}

fn short(value: &Json) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), |text| format!("“{text}”"));
    if text.chars().count() > 60 { text.chars().take(59).chain(['…']).collect() } else { text }
}
