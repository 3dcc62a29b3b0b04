//! `aralau admin`: the organisation, its devices and tokens. Works beside a running server on the same folder.

mod devices;
mod import;
mod join;
mod load;

use std::path::PathBuf;

use aralau::tables::MAX_NAME_BYTES;
use aralau_server::{
    auth::{self, NoReach},
    authorize::Role,
    entropy::{SystemEntropy, random},
    query::{self, instant::Instant},
    reach::Reach,
    serve::tls::{noted_fingerprint, own_fingerprint},
    settings::COMPACT_AFTER_DAYS,
    store::{self, FolderLock, SEGMENT_ROWS, Store},
};
use aralau_sync_core::{id::DeviceId, time::DAY_MS};
use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::{TELL_EVERY, must_exist, now, open_store, operator, serve::fault};
use crate::{failure::Failure, output};

#[derive(Debug, Args)]
pub struct Admin {
    /// The data folder.
    #[arg(long, env = "ARALAU_DATA")]
    data: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make an organisation to play with: beat-01 to beat-06, places, code lists. May be repeated.
    Sample,
    /// Bring the organisation to what tables say: new beats, places and people, corrections, moves. All or nothing. May be
    /// repeated, also while the server runs.
    Load(load::Load),
    /// Bring the visits of before into the store, from a table and a map of its columns. May be repeated and broken off, also
    /// while the server runs.
    Import(import::Import),
    /// Make one of what the organisation has twice, places or people. Nothing that was written is changed.
    #[command(subcommand)]
    Join(join::Join),
    /// Make two again of what was joined.
    #[command(subcommand)]
    Part(join::Part),
    /// Make a one-time code with which an inspector's phone enrolls itself.
    Enroll {
        /// The beat's code; may be repeated.
        #[arg(long, required = true)]
        beat: Vec<String>,
        /// The inspector's name, however spaced and in whichever case; joins the directory where absent.
        #[arg(long, allow_hyphen_values = true)]
        inspector: String,
        /// How long the code is good for.
        #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(i64).range(1..=10_080))]
        minutes: i64,
    },
    /// What the certificate of `serve --tls-self-signed` is known by: phones take it with their code.
    Fingerprint,
    /// Make a token for headquarters' API. It is shown once.
    Token {
        /// What its holder may do.
        #[arg(long, value_parser = ["headquarters", "supervisor", "auditor", "administrator"])]
        role: String,
        /// Whose it is.
        #[arg(long, default_value = "", allow_hyphen_values = true)]
        name: String,
        /// The code of the only beat that its holder reads; may be repeated.
        #[arg(long, conflicts_with = "all_beats")]
        beat: Vec<String>,
        /// Of all beats, as every role but a supervisor's is unless limited.
        #[arg(long)]
        all_beats: bool,
        /// After how many days it ends by itself.
        #[arg(long, default_value_t = auth::LIFE_MS / DAY_MS, value_parser = clap::value_parser!(i64).range(1..=3_650))]
        days: i64,
    },
    /// List the tokens: whose they are, what they may do, until when. The tokens themselves are nowhere.
    Tokens,
    /// End a token, and every session that a browser began with it.
    EndToken {
        /// Its id, as `tokens` shows it.
        token: Uuid,
    },
    /// List the devices.
    Devices,
    /// After a restore: serve a device again that was not shut out meanwhile. It waits for this with everything that it holds.
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Confirm {
        /// Their ids.
        #[arg(group = "which")]
        devices: Vec<DeviceId>,
        /// Every device that waits for it.
        #[arg(long, group = "which")]
        all: bool,
    },
    /// Shut a device out. What it had not sent is held from now on.
    Revoke {
        /// Its id.
        device: DeviceId,
    },
    /// Move a device's person to a beat.
    Assign {
        /// Its id.
        device: DeviceId,
        /// The beat's code.
        #[arg(long)]
        beat: String,
    },
    /// Make all projections anew from the log. The server must be stopped.
    Rebuild,
    /// Compact what is old and give the space back. The server must be stopped; running, it compacts by itself, and uses the
    /// space again. Nothing is lost. Needs as much free disk as the store takes.
    Compact {
        /// What was received so many days ago or earlier.
        #[arg(long, default_value_t = COMPACT_AFTER_DAYS)]
        older_than_days: u32,
    },
    /// Check everything against everything: pages, trees, chains, signatures, documents, projections.
    Check,
}

impl Admin {
    pub fn run(&self, json: bool) -> Result<(), Failure> {
        match &self.task {
            Task::Sample => self.sample(json),
            Task::Load(load) => load.run(&self.data, json),
            Task::Import(import) => import.run(&self.data, json),
            Task::Join(join) => join.run(&self.data, &self.open()?, json),
            Task::Part(part) => part.run(&self.data, &self.open()?, json),
            Task::Enroll { beat, inspector, minutes } => self.enroll(json, beat, inspector, *minutes),
            Task::Fingerprint => self.fingerprint(json),
            Task::Token { role, name, beat, all_beats, days } => {
                self.token(json, role, name, (beat, *all_beats), *days)
            }
            Task::Tokens => self.tokens(json),
            Task::EndToken { token } => self.end_token(json, *token),
            Task::Devices => self.devices(json),
            Task::Confirm { devices, all } => self.confirm(json, devices, *all),
            Task::Revoke { device } => self.revoke(json, *device),
            Task::Assign { device, beat } => self.assign(json, *device, beat),
            Task::Rebuild => self.rebuild(json),
            Task::Compact { older_than_days } => self.compact(json, *older_than_days),
            Task::Check => self.check(json),
        }
    }

    fn open(&self) -> Result<Store, Failure> {
        must_exist(&self.data)?;
        open_store(&self.data)
    }

    fn sample(&self, json: bool) -> Result<(), Failure> {
        let store = open_store(&self.data)?;
        let handle = store.clone();
        let report = store.write_by(operator(), move |tx| store::sample(tx, handle.identity(), now()))?;
        output::show(json, &report, made);
        Ok(())
    }

    fn enroll(&self, json: bool, codes: &[String], inspector: &str, minutes: i64) -> Result<(), Failure> {
        let store = self.open()?;
        let people = store.read(store::people)?;
        let (asked, name) = (codes.to_vec(), store::clean(inspector));
        if name.is_empty() || name.len() > MAX_NAME_BYTES || store::has_control(&name) {
            return Err(Failure::new("inspector", "an inspector's name has 1 to 200 bytes, and no control characters"));
        }
        if store::key(&name) == store::key(store::HEADQUARTERS_NAME) {
            return Err(Failure::new(
                "inspector",
                "this is the name of the server's own hand; give the person's own name",
            ));
        }
        let near = store::Names::of(people.iter().map(|(_, name)| &**name)).near(&name);
        let made = store.write_by(operator(), move |tx| {
            let mut beats = Vec::new();
            for code in &asked {
                let Some(beat) = store::beat(tx, code)? else { return Ok(Err(code.clone())) };
                beats.push(beat);
            }
            let (person, new) = store::ensure_person(tx, &name, now())?;
            for beat in beats {
                store::grant(tx, person, beat.scope, now())?;
            }
            let code = store::make_code(tx, person, minutes * 60_000, now())?;
            Ok(Ok((code, new, store::name_of(tx, person)?)))
        })?;
        let (code, new, name) = made.map_err(|unknown| no_beat(&unknown))?;
        let near = if new { near } else { Vec::new() };
        let beat = codes.join(", ");
        let fingerprint = noted_fingerprint(&self.data);
        let report = json!({
            "code": code, "inspector": name, "new": new, "near": near, "beat": beat, "minutes": minutes,
            "fingerprint": fingerprint,
        });
        output::show(json, &report, |_| {
            let mut text = format!("{code}\n(once, within {minutes} minutes, for {name} on {beat})");
            if let Some(fingerprint) = fingerprint {
                text += &format!("\nThe server's certificate: --fingerprint {fingerprint}");
            }
            if new {
                text += &format!("\n{name} is new in the directory.");
            }
            if !near.is_empty() {
                let near = near.join(", ");
                text += &format!(" Is this {near}? Then leave the code unused, and enroll by the name that is known.");
            }
            text
        });
        Ok(())
    }

    fn fingerprint(&self, json: bool) -> Result<(), Failure> {
        must_exist(&self.data)?;
        let Some(fingerprint) = own_fingerprint(&self.data, now()).map_err(fault)? else {
            let sentence = "this server has no certificate of its own; `aralau serve … --tls-self-signed` makes it";
            return Err(Failure::new("certificate_missing", sentence));
        };
        output::show(json, &json!({ "fingerprint": fingerprint }), |_| fingerprint.to_string());
        Ok(())
    }

    fn token(
        &self,
        json: bool,
        role: &str,
        name: &str,
        (beats, all_beats): (&[String], bool),
        days: i64,
    ) -> Result<(), Failure> {
        let store = self.open()?;
        let parsed: Role = role.parse().map_err(|_| Failure::new("role", format!("there is no role {role:?}")))?;
        let name = if name.is_empty() { role.to_owned() } else { name.to_owned() };
        let entropy = random(&SystemEntropy).map_err(|error| Failure::new("entropy", error))?;
        let until = now().plus(days * DAY_MS);
        let said = (!beats.is_empty()).then(|| beats.to_vec());
        let token = store.write_by(operator(), move |tx| {
            let reach = match auth::reach_of(tx, parsed, said.as_deref(), all_beats)? {
                Ok(reach) => reach,
                Err(error) => return Ok(Err(error)),
            };
            let wanted = auth::Wanted { role: parsed, name: name.clone(), reach, expires_at: until };
            auth::mint_until(tx, &wanted, now(), entropy).map(Ok)
        })?;
        let token = token.map_err(no_reach)?;
        let within = (!beats.is_empty()).then_some(beats);
        output::show(
            json,
            &json!({ "token": token, "role": role, "beats": within, "expires_at": Instant(until) }),
            |_| {
                let of = within.map(|beats| format!("reads {}; ", beats.join(", "))).unwrap_or_default();
                format!("{token}\n(shown this once; {of}counts for {days} days; send it as `Authorization: Bearer …`)")
            },
        );
        Ok(())
    }

    fn tokens(&self, json: bool) -> Result<(), Failure> {
        let tokens = self.open()?.read(|connection| query::tokens::all(connection, now()))?;
        output::list(json, &tokens, "There is no token yet: aralau admin … token --role headquarters", |token| {
            let until = match (token.ended_at, token.expires_at) {
                (Some(at), _) => format!("ended {at}"),
                (None, Some(at)) if at.0 <= now() => format!("expired {at}"),
                (None, Some(at)) => format!("until {at}"),
                (None, None) => "without an end".to_owned(),
            };
            let beats = token.beats.as_ref().map_or_else(|| "all beats".to_owned(), |beats| beats.join(", "));
            format!("{}  {}  {}  {beats}  {until}, {} sessions", token.id, token.role, token.name, token.sessions)
        });
        Ok(())
    }

    fn end_token(&self, json: bool, token: Uuid) -> Result<(), Failure> {
        if !self.open()?.write_by(operator(), move |tx| store::end_token(tx, token, now()))? {
            let sentence = format!("there is no token {token} that counts; see `aralau admin … tokens`");
            return Err(Failure::new("token_unknown", sentence));
        }
        output::show(json, &json!({ "token": token, "ended": true }), |_| format!("{token} counts no more."));
        Ok(())
    }

    fn confirm(&self, json: bool, devices: &[DeviceId], all: bool) -> Result<(), Failure> {
        let asked = devices.to_vec();
        let confirmed = self.open()?.write_by(operator(), move |tx| {
            let devices = if all { store::unconfirmed_devices(tx)? } else { asked.clone() };
            for device in &devices {
                if !store::confirm_device(tx, *device, now())? {
                    return Ok(Err(*device));
                }
            }
            Ok(Ok(devices.len()))
        })?;
        let confirmed = confirmed.map_err(no_device)?;
        output::show(json, &json!({ "confirmed": confirmed }), |_| format!("Confirmed: {confirmed} devices."));
        Ok(())
    }

    fn devices(&self, json: bool) -> Result<(), Failure> {
        let devices = self.open()?.read(|connection| query::devices::all(connection, &Reach::EVERYWHERE, now()))?;
        output::list(json, &devices, "No device is enrolled yet.", devices::line);
        Ok(())
    }

    fn revoke(&self, json: bool, device: DeviceId) -> Result<(), Failure> {
        if !self.open()?.write_by(operator(), move |tx| store::revoke_device(tx, device, now()))? {
            return Err(no_device(device));
        }
        output::show(json, &json!({ "device": device, "revoked": true }), |_| format!("{device} is shut out."));
        Ok(())
    }

    fn assign(&self, json: bool, device: DeviceId, beat: &str) -> Result<(), Failure> {
        let code = beat.to_owned();
        let assigned = self.open()?.write_by(operator(), move |tx| match store::beat(tx, &code)? {
            Some(beat) => store::assign_device(tx, device, &beat, now()).map(Some),
            None => Ok(None),
        })?;
        if !assigned.ok_or_else(|| no_beat(beat))? {
            return Err(no_device(device));
        }
        output::show(json, &json!({ "device": device, "beat": beat }), |_| format!("{device} now works {beat}."));
        Ok(())
    }

    fn rebuild(&self, json: bool) -> Result<(), Failure> {
        let _lock = FolderLock::take(&self.data)?;
        let report = self.open()?.rebuild()?;
        output::show(json, &report, |report| {
            format!("{} log rows read; {} rows of projections are not what they were.", report.rows, report.changed)
        });
        Ok(())
    }

    fn compact(&self, json: bool, older_than_days: u32) -> Result<(), Failure> {
        let _lock = FolderLock::take(&self.data)?;
        let store = self.open()?;
        let before = now().plus(-i64::from(older_than_days) * DAY_MS);
        let mut told = std::time::Instant::now();
        let rows = store.compact(before, SEGMENT_ROWS, |rows| {
            if told.elapsed() >= TELL_EVERY {
                told = std::time::Instant::now();
                eprintln!("{rows} rows");
            }
        })?;
        drop(store);
        let (bytes_before, bytes) = store::shrink(&*self.data)?;
        let report = json!({ "rows": rows, "bytes_before": bytes_before, "bytes": bytes });
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        output::show(json, &report, |_| {
            let (before, after) = (megabytes(bytes_before), megabytes(bytes));
            format!("{rows} rows compacted; the database takes {after:.1} MB, where it took {before:.1} MB.")
        });
        Ok(())
    }

    fn check(&self, json: bool) -> Result<(), Failure> {
        let report = self.open()?.check()?;
        output::show(json, &report, |report| {
            let mut text = format!(
                "{} log rows, {} streams and {} documents checked.",
                report.rows, report.streams, report.documents
            );
            report.problems.iter().for_each(|problem| text += &format!("\n  {problem}"));
            text
        });
        if report.problems.is_empty() { Ok(()) } else { Err(Failure::new("check_failed", "the store is not sound")) }
    }
}

fn made(report: &store::LoadReport) -> String {
    format!("New: {} beats, {} places, {} people.", report.beats, report.places, report.people)
}

fn no_reach(error: NoReach) -> Failure {
    match error {
        NoReach::Unknown(code) => no_beat(&code),
        NoReach::Unsaid => {
            Failure::new("beats", "a supervisor leads certain beats: name each with --beat, or say --all-beats")
        }
        NoReach::Both | NoReach::Empty | NoReach::Administrator => Failure::new("beats", error),
    }
}

fn no_beat(code: &str) -> Failure {
    Failure::new("beat_unknown", format!("there is no beat {code:?}; `aralau admin … sample` or `load` makes beats"))
}

fn no_device(device: DeviceId) -> Failure {
    Failure::new("device_unknown", format!("there is no device {device}; see `aralau admin … devices`"))
}
