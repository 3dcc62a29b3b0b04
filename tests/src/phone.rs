//! An inspector's device: by the command line, or by the Client SDK over the same folder.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use aralau_client_sdk::{
    Client, DocumentId, Error, HttpTransport, Report, Seams, SyncOptions, VisitDraft, store::SqliteStore,
};
use serde_json::Value;

use crate::process::{Run, aralau};

/// The Client SDK over a folder.
pub type Sdk = Client<SqliteStore>;

/// A device by the command line.
#[derive(Debug, Clone)]
pub struct Phone {
    /// Its folder.
    pub home: PathBuf,
}

impl Phone {
    /// In this folder.
    pub fn at(home: &Path) -> Self {
        Self { home: home.to_owned() }
    }

    /// `aralau device --home … <arguments> --json`.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Run {
        let home = self.home.to_str().expect("a path in UTF-8");
        aralau([&["device", "--home", home], arguments, &["--json"]].concat())
    }

    /// The ids of its places.
    #[track_caller]
    pub fn places(&self) -> Vec<String> {
        let places = self.run(&["places"]).ok().lines();
        places.iter().map(|place| place["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Logs a visit at a place; its id.
    #[track_caller]
    pub fn log(&self, place: &str, more: &[&str]) -> String {
        let visit = ["log", "--place", place, "--type", "door_to_door", "--outcome", "contacted"];
        let logged = self.run(&[&visit, more].concat()).ok().object();
        logged["visit"].as_str().expect("an id").to_owned()
    }

    /// Edits a visit.
    #[track_caller]
    pub fn edit(&self, visit: &str, edits: &[&str]) {
        self.run(&[&["edit", visit], edits].concat()).ok();
    }

    /// Brings itself and the server level; one that was shut out says so by what it ends with.
    #[track_caller]
    pub fn sync(&self) -> Value {
        let run = self.run(&["sync"]);
        let synced = run.object();
        let expected = if synced["wipe"] == true { 3 } else { 0 };
        assert_eq!(run.status.code(), Some(expected), "{}{}", run.stdout, run.stderr);
        synced
    }

    /// Its visits.
    #[track_caller]
    pub fn visits(&self) -> Vec<Value> {
        self.run(&["visits"]).ok().lines()
    }

    /// One of its visits.
    #[track_caller]
    pub fn visit(&self, id: &str) -> Value {
        self.visits().into_iter().find(|visit| visit["id"] == id).unwrap_or_else(|| panic!("no visit {id} here"))
    }

    /// The values of a field in conflict, sorted; empty where there is none.
    #[track_caller]
    pub fn conflict(&self, visit: &str, field: &str) -> Vec<String> {
        let visit = self.visit(visit);
        let conflicts = visit["conflicts"].as_array().expect("a list");
        let found = conflicts.iter().filter(|conflict| conflict["field"] == field);
        let values = found.flat_map(|conflict| conflict["values"].as_array().expect("values"));
        let mut values: Vec<_> = values.map(|value| value["value"].as_str().expect("text").to_owned()).collect();
        values.sort();
        values
    }

    /// The same device by the Client SDK.
    pub fn sdk(&self) -> Sdk {
        open(&self.home)
    }
}

/// Opens a device's folder by the Client SDK.
#[track_caller]
pub fn open(home: &Path) -> Sdk {
    Client::open(home, Seams::system()).expect("the device's store opens")
}

/// One sync by the Client SDK, trying for so many seconds.
pub fn sync(client: &mut Sdk, wait_seconds: u64) -> Result<Report, Error> {
    client.sync(&HttpTransport::default(), SyncOptions { wait: Duration::from_secs(wait_seconds) })
}

/// Logs a visit with a note at the first place.
#[track_caller]
pub fn log(client: &mut Sdk, note: &str) -> DocumentId {
    let place = client.places().expect("readable").first().map(|place| place.id);
    let (note, outcome) = (Some((client.fresh_id(), note.to_owned())), Some("contacted".to_owned()));
    let draft = VisitDraft { place, visit_type: Some("door_to_door".into()), outcome, note, ..VisitDraft::default() };
    client.log_visit(draft).expect("it is kept")
}
