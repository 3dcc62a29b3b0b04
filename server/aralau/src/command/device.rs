//! `aralau device`: an inspector's device in a folder, as the app would have it.

mod codes;
mod show;
mod write;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use aralau_client_sdk::{
    Certificate, Client, DocumentId, Error, Fingerprint, HttpTransport, Invitation, Millis, Seams, SyncOptions,
    TransportError, store::SqliteStore,
};
use aralau_server::calendar::{self, Day};
use aralau_sync_core::visit::Position;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{failure::Failure, output, target};

/// What a sync of a device ends with that headquarters has shut out.
const SHUT_OUT: u8 = 3;
/// A server that is just being started is asked again so soon.
const PAUSE: Duration = Duration::from_millis(250);

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
    Enroll(Enroll),
    /// The codes that visits are told in, with what they mean.
    Codes {
        /// One list only, such as visit_type or outcome.
        list: Option<String>,
    },
    #[command(flatten)]
    Enrolled(Enrolled),
}

#[derive(Debug, Args)]
struct Enroll {
    /// The server's address.
    #[arg(long, required_unless_present = "link")]
    server: Option<String>,
    /// The one-time code.
    #[arg(long, required_unless_present = "link")]
    code: Option<String>,
    /// What the server's certificate is known by, as it stood beside the code. From then on this device takes no other.
    #[arg(long, value_parser = Fingerprint::read)]
    fingerprint: Option<Fingerprint>,
    /// The link that headquarters' picture holds: address, code and, where there is one, fingerprint.
    #[arg(long, conflicts_with_all = ["server", "code", "fingerprint"])]
    link: Option<String>,
    /// Forget the certificate that this device knows the server by: it has one now that everybody trusts.
    #[arg(long, conflicts_with = "fingerprint")]
    unpin: bool,
    /// For how many seconds to try again while the server cannot be reached.
    #[arg(long, default_value_t = 8)]
    wait: u64,
}

impl Enroll {
    fn invitation(&self) -> Result<Invitation, Failure> {
        let mut invitation = match (&self.link, &self.server, &self.code) {
            (Some(link), _, _) => Invitation::read(link).ok_or_else(|| {
                let sentence = "this is no link to enroll by, or not the whole of it: take what headquarters' picture holds, in quotes";
                Failure::new("link", sentence)
            })?,
            (None, server, code) => {
                let said = |text: &Option<String>| text.clone().unwrap_or_default();
                Invitation::new(&said(server), &said(code))
            }
        };
        if let Some(fingerprint) = self.fingerprint {
            invitation.certificate = Certificate::Only(fingerprint);
        }
        if self.unpin {
            invitation.certificate = Certificate::Trusted;
        }
        Ok(invitation)
    }
}

/// What a device does that a server knows.
#[derive(Debug, Subcommand)]
enum Enrolled {
    /// The places of this device's beats. A device learns of them with a sync.
    Places,
    /// Log a visit. Needs no network.
    Log(Log),
    /// Change a visit, or add a note to it. Needs no network.
    Edit(Edit),
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
    /// Bring this device and its server level. Ends with 3 where headquarters has shut this device out.
    Sync {
        /// For how many seconds to try again while the server cannot be reached.
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

#[derive(Debug, Args)]
struct Log {
    /// The place's id.
    #[arg(long)]
    place: DocumentId,
    /// A code of the list `visit_type`; see `codes`.
    #[arg(long = "type")]
    visit_type: String,
    /// A code of the list `outcome`; see `codes`.
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
    /// Take codes that this build does not list: they are carried as they stand.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct Edit {
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
    /// Take codes that this build does not list: they are carried as they stand.
    #[arg(long)]
    force: bool,
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
        match &self.task {
            Task::Enroll(asked) => self.enroll(json, &asked.invitation()?, Duration::from_secs(asked.wait)),
            Task::Codes { list } => codes::list(json, list.as_deref()),
            Task::Enrolled(task) => self.work(json, &mut self.enrolled()?, task),
        }
    }

    fn work(&self, json: bool, client: &mut Client<SqliteStore>, task: &Enrolled) -> Result<(), Failure> {
        match task {
            Enrolled::Sync { wait } => return self.sync(json, client, Duration::from_secs(*wait)),
            Enrolled::Places => output::list(json, &client.places()?, "No places yet: sync first.", |place| {
                format!("{}  {}", place.id, place.address.as_deref().unwrap_or("-"))
            }),
            Enrolled::Visits => {
                let visits: Vec<_> = client.visits()?.into_iter().map(show::Shown::of).collect();
                output::list(json, &visits, "No visits yet.", show::Shown::words);
                if client.status()?.shut_out {
                    eprintln!("aralau: {}", show::SHUT_OUT);
                }
            }
            Enrolled::History { visit } => output::list(json, &client.history(*visit)?, "No changes.", |change| {
                format!("{}  {}  {}", show::rfc3339(change.at), change.by, json!(change.puts))
            }),
            Enrolled::Status => output::show(json, &client.status()?, show::status_words),
            Enrolled::Export { visit, file } => {
                target::check(file, &self.home)?;
                std::fs::write(file, client.export(*visit)?)?;
                output::show(json, &json!({ "visit": visit, "file": file }), |_| {
                    format!("Written: {}", file.display())
                });
            }
            Enrolled::Log(log) => written(json, write::log(client, log)?),
            Enrolled::Edit(edit) => written(json, write::edit(client, edit)?),
            Enrolled::Resolve { visit, field, value } => {
                written(json, write::resolve(client, *visit, field, value)?);
            }
        }
        Ok(())
    }

    /// The device, where a server knows it.
    fn enrolled(&self) -> Result<Client<SqliteStore>, Failure> {
        let client = if self.home.is_dir() { Some(Client::open(&self.home, Seams::system())?) } else { None };
        client.filter(Client::is_enrolled).ok_or_else(|| {
            let home = self.home.display();
            Failure::new("not_enrolled", format!("there is no enrolled device in {home}; enroll it first"))
        })
    }

    fn enroll(&self, json: bool, invitation: &Invitation, wait: Duration) -> Result<(), Failure> {
        let is_new = !self.home.exists();
        let mut client = Client::open(&self.home, Seams::system())?;
        let transport = HttpTransport::new(self.insecure);
        let until = Instant::now() + wait;
        let enrolled = loop {
            match client.enroll_by(&transport, invitation.clone()) {
                Err(Error::Transport(TransportError::Unreachable)) if Instant::now() < until => {
                    std::thread::sleep(PAUSE);
                }
                other => break other,
            }
        };
        if let Err(error) = enrolled {
            // Only where the server has said no: after an answer that was lost, its key is the one that the server knows.
            if is_new && matches!(error, Error::Server { .. }) {
                drop(client);
                forget(&self.home);
            }
            return Err(error.into());
        }
        let beats: Vec<_> = client.beats().iter().map(|beat| beat.code.clone()).collect();
        let status = client.status()?;
        let report = json!({ "person": status.person, "beats": beats, "replica": status.replica });
        output::show(json, &report, |_| match beats.as_slice() {
            [] => "Enrolled, with no beat to work. `aralau device sync` tells why, where this device was shut out."
                .to_owned(),
            beats => format!("Enrolled for {}.", beats.join(", ")),
        });
        Ok(())
    }

    fn sync(&self, json: bool, client: &mut Client<SqliteStore>, wait: Duration) -> Result<(), Failure> {
        let report = client.sync(&HttpTransport::new(self.insecure), SyncOptions { wait })?;
        let shut_out = report.wipe;
        output::show(json, &show::Synced::of(report), show::Synced::words);
        if shut_out { Err(Failure::after_report(SHUT_OUT, "device_shut_out", show::SHUT_OUT)) } else { Ok(()) }
    }
}

fn written(json: bool, visit: DocumentId) {
    output::show(json, &json!({ "visit": visit }), |_| visit.to_string());
}

/// Takes away a folder that a device was made in and that holds nothing but its empty store.
fn forget(home: &Path) {
    for file in ["device.db", "device.db-wal", "device.db-shm", "device.key", "device.lock"] {
        drop(std::fs::remove_file(home.join(file)));
    }
    // Not where somebody has put something into it.
    drop(std::fs::remove_dir(home));
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
