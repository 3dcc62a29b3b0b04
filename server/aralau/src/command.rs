//! The command line.

mod admin;
mod device;
mod serve;

use std::path::{Path, PathBuf};

use aralau_server::entropy::SystemEntropy;
use aralau_sync_core::time::Millis;
use clap::{Args, Parser, Subcommand};

use crate::{demo::Demo, failure::Failure, output, target};
pub use serve::start_log;

/// Offline-first visits for inspectors' field work: the server, its administration, and a device to try it with.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Aralau {
    /// Print JSON: one object, or one a line. Errors as well.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Try it:
  aralau demo                                     a whole organisation in a minute, then a server to look at
Run it:
  aralau admin --data ./data sample               beats and places to play with
  aralau serve --data ./data                      http://127.0.0.1:8470
  aralau admin --data ./data enroll --beat beat-01 --inspector Айгүл
  aralau device --home ./phone enroll --server http://127.0.0.1:8470 --code CODE
  aralau device --home ./phone places
  aralau device --home ./phone log --place PLACE --type door_to_door --outcome contacted
  aralau device --home ./phone sync";

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch a whole organisation at work: offline devices, a bad line, one merged history.
    Demo(Demo),
    /// Serve devices and headquarters from a data folder.
    Serve(serve::Serve),
    /// Beats, people, devices and tokens; also while the server runs.
    Admin(admin::Admin),
    /// Copy everything into one file, also while the server runs. The file holds the deployment's keys: guard it.
    Backup(Backup),
    /// Fill an empty data folder from a backup. Begins a new epoch: phones then send again what the backup lacks.
    Restore(Restore),
    /// An inspector's device, in a folder of its own.
    Device(device::Device),
}

#[derive(Debug, Args)]
struct Backup {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
    /// Where to.
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Restore {
    /// The backup.
    file: PathBuf,
    /// An empty or new data folder.
    #[arg(long)]
    data: PathBuf,
}

impl Aralau {
    /// Whether a script is reading.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Does what was asked.
    pub fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Demo(demo) => demo.run(self.json),
            Command::Serve(serve) => serve.run(),
            Command::Admin(admin) => admin.run(self.json),
            Command::Device(device) => device.run(self.json),
            Command::Backup(backup) => backup.run(self.json),
            Command::Restore(restore) => restore.run(self.json),
        }
    }
}

/// How often long work says how far it is.
const TELL_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

impl Backup {
    fn run(&self, json: bool) -> Result<(), Failure> {
        must_exist(&self.data)?;
        target::check(&self.file, &self.data)?;
        let mut told = std::time::Instant::now();
        let rows = aralau_server::store::backup(&self.data, &self.file, |copied| {
            if told.elapsed() >= TELL_EVERY {
                told = std::time::Instant::now();
                eprintln!("{} of {} MiB", copied.bytes >> 20, copied.of >> 20);
            }
        });
        let file = self.file.display();
        let rows = rows.map_err(|error| Failure::new(error.code(), format!("{file} was not written: {error}")))?;
        let report = serde_json::json!({ "file": self.file, "rows": rows });
        output::show(json, &report, |_| {
            format!("{rows} log rows copied to {file}. It holds the deployment's keys: guard it.")
        });
        Ok(())
    }
}

impl Restore {
    fn run(&self, json: bool) -> Result<(), Failure> {
        if !self.file.is_file() {
            return Err(Failure::new("file_missing", format!("there is no file {}", self.file.display())));
        }
        aralau_server::store::restore(&self.file, &self.data, now(), &SystemEntropy)?;
        let data = self.data.display();
        output::show(json, &serde_json::json!({ "data": self.data, "new_epoch": true }), |_| {
            format!(
                "Restored into {data}; a new epoch begins.\n\
                 Before you serve it, revoke again each device that was revoked after the backup was made, or it is let in:\n    \
                 aralau admin --data {data} devices\n    aralau admin --data {data} revoke DEVICE\n\
                 Then: aralau serve --data {data}"
            )
        });
        Ok(())
    }
}

/// The clock of this process.
pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// A mistyped folder must not become a new, empty store.
pub fn must_exist(data: &Path) -> Result<(), Failure> {
    if data.join("aralau.db").is_file() {
        return Ok(());
    }
    let data = data.display();
    Err(Failure::new(
        "data_missing",
        format!("there is no store in {data}; make one: aralau admin --data {data} sample"),
    ))
}
