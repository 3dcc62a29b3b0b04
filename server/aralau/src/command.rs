//! The command line.

mod admin;
mod device;
mod health;
mod serve;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use aralau_server::{entropy::SystemEntropy, store};
use aralau_sync_core::time::Millis;
use clap::{Args, Parser, Subcommand};

use crate::{demo::Demo, failure::Failure, output, target};
pub use serve::{start_log, told_to_stop};

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
    /// Whether the server on this machine answers and its store is ready. Ends with 1 where not.
    Health(health::Health),
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
    #[arg(long, env = "ARALAU_DATA")]
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
    /// Let tokens that counted when the backup was made go on counting. Those that you have ended since end again only if
    /// the file `notices` of the lost folder is at hand.
    #[arg(long)]
    keep_tokens: bool,
    /// Serve every device that the backup knows, though some may have been shut out since.
    #[arg(long)]
    accept: bool,
    /// The file `notices` of the folder that was lost: what had ended since the backup ends again, and devices need not be confirmed.
    #[arg(long, value_name = "FILE")]
    notices: Option<PathBuf>,
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
            Command::Health(health) => health.run(self.json),
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
        let rows = store::backup(&self.data, &self.file, now(), |copied| {
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
        let how = store::Restore {
            by: operator(),
            keep_tokens: self.keep_tokens,
            accept: self.accept,
            notices: self.notices.clone(),
        };
        let restored = store::restore(&self.file, &self.data, &how, now(), &SystemEntropy)?;
        let mut report = serde_json::to_value(&restored).unwrap_or_default();
        report["data"] = serde_json::json!(self.data);
        report["new_epoch"] = serde_json::json!(true);
        output::show(json, &report, |_| self.words(&restored));
        Ok(())
    }

    fn words(&self, restored: &store::Restored) -> String {
        let data = self.data.display();
        let store::Restored {
            ended_again,
            tokens_ended,
            sessions_ended,
            codes_ended,
            notices_fault,
            unconfirmed,
            is_raw_copy,
        } = restored;
        let mut text = format!(
            "Restored into {data}; a new epoch begins.\nEnded: {tokens_ended} tokens, {sessions_ended} sessions, \
             {codes_ended} enrollment codes, {ended_again} rights by notices.\n"
        );
        if *is_raw_copy {
            text += "The file is a raw copy of a database, and no write-ahead log lay beside it: if its server was running when it \
                     was copied, the newest rows are missing. Phones bring back what they have of them.\n";
        }
        if let Some(fault) = notices_fault {
            text += &format!(
                "The file of notices vouches for nobody: {fault}. What it does say of this deployment has ended again.\n"
            );
        }
        if *tokens_ended > 0 {
            text += &format!("Make new tokens:\n    aralau admin --data {data} token --role administrator\n");
        }
        if *unconfirmed > 0 {
            text += &format!(
                "{unconfirmed} devices are served nothing until somebody confirms them, for any of them may have been shut out \
                 since the backup. Phones that sync bring back who was. Then:\n    aralau admin --data {data} devices\n    \
                 aralau admin --data {data} confirm --all\n"
            );
        }
        text + &format!("Then: aralau serve --data {data}")
    }
}

/// The clock of this process.
pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// Whoever runs a command on the server's folder, as the system names them: they say so themselves.
pub fn operator() -> Option<String> {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    Some(name.map_or_else(|| "operator".to_owned(), |name| format!("operator {name}")))
}

/// Opens the store of a folder, telling how far it is where one of an older version is made ready.
pub fn open_store(data: &Path) -> Result<store::Store, Failure> {
    let mut told = std::time::Instant::now();
    let tell = move |rows| {
        if told.elapsed() >= TELL_EVERY {
            told = std::time::Instant::now();
            eprintln!("aralau: making {} ready for this version: {rows} log rows", data.display());
        }
    };
    Ok(store::Store::open_telling(data, now(), std::sync::Arc::new(SystemEntropy), tell)?)
}

/// Why nothing can be served there, and what to do.
pub fn cannot_listen(listen: SocketAddr, error: &std::io::Error) -> Failure {
    if error.kind() != std::io::ErrorKind::AddrInUse {
        return Failure::new("listen", format!("cannot listen on {listen}: {error}"));
    }
    let other = SocketAddr::new(listen.ip(), listen.port().checked_add(1).unwrap_or_default());
    Failure::new("listen", format!("another program has {listen}; take another port, such as --listen {other}"))
}

/// A mistyped folder must not become a new, empty store.
pub fn must_exist(data: &Path) -> Result<(), Failure> {
    let missing = match std::fs::metadata(data.join("aralau.db")) {
        Ok(file) if file.is_file() => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            let data = data.display();
            return Err(Failure::new(
                "data_denied",
                format!("{data} is closed to this user; be the one whose server it is: sudo -u aralau aralau …"),
            ));
        }
        Ok(_) | Err(_) => data.display(),
    };
    if data.is_file() {
        return Err(Failure::new("data_missing", format!("{missing} is a file; a store is a folder")));
    }
    Err(Failure::new(
        "data_missing",
        format!("there is no store in {missing}; make one: aralau admin --data {missing} sample"),
    ))
}
