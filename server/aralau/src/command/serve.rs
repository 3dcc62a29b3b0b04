//! `aralau serve`.

mod door;
mod file;

use std::{
    io::IsTerminal as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use aralau_server::{
    app::App,
    http::basemap::Basemap,
    serve::{Door, MAX_CONNECTIONS, serve_behind, tls::note_fingerprint},
    settings::{COMPACT_AFTER_DAYS, DEVICE_QUOTA_MIB, PublicUrl, RESERVE_MIB, Settings, VISIT_INTERVAL_DAYS},
    store::{FolderLock, set_time_zone},
};
use chrono_tz::Tz;
use clap::Args;
use tokio::net::TcpListener;

use super::{cannot_listen, now, open_store};
use crate::{
    failure::Failure,
    web::{CONSOLE, FIELD},
};
use door::DoorChoice;
pub use door::fault;
use file::{DAYS, File};

/// Flags win over environment variables, those over `aralau.toml` in the data folder.
#[derive(Debug, Args)]
pub struct Serve {
    /// The data folder; made if absent.
    #[arg(long, env = "ARALAU_DATA")]
    data: PathBuf,
    /// Address and port. Behind a proxy, bind to loopback.
    #[arg(long, env = "ARALAU_LISTEN")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    door: DoorChoice,
    /// What people call this deployment, such as `Алматы`: phones show it.
    #[arg(long, env = "ARALAU_NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// For training: phones show in another colour that nothing logged here is kept as history.
    #[arg(long, env = "ARALAU_TRAINING", value_parser = clap::builder::FalseyValueParser::new())]
    training: bool,
    /// Where people and devices reach the server, such as `https://visits.example`; the address of each request if left out.
    #[arg(long, env = "ARALAU_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
    /// By whose days visits are counted, such as `Asia/Almaty`; kept in the store until it is changed.
    #[arg(long, env = "ARALAU_TIME_ZONE")]
    time_zone: Option<Tz>,
    /// After how many days without a contact a place is overdue.
    #[arg(long, env = "ARALAU_VISIT_INTERVAL_DAYS", value_parser = clap::value_parser!(u32).range(DAYS))]
    visit_interval_days: Option<u32>,
    /// After how many days what was received is compacted: kept, in a third of the space, and sent to new phones as it is.
    #[arg(long, env = "ARALAU_COMPACT_AFTER_DAYS", value_parser = clap::value_parser!(u32).range(DAYS))]
    compact_after_days: Option<u32>,
    /// What a phone may bring in a day, in MiB; it keeps the rest, and brings it later.
    #[arg(long, env = "ARALAU_DEVICE_QUOTA_MIB", value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    device_quota_mib: Option<u32>,
    /// While less of the disk is left than this, in MiB, nothing is taken from phones, and headquarters goes on.
    #[arg(long, env = "ARALAU_RESERVE_MIB", value_name = "MIB")]
    reserve_mib: Option<u32>,
    /// A map to draw beneath the visits: a PMTiles archive, such as an extract of OpenStreetMap. It is served to anyone.
    #[arg(long, env = "ARALAU_BASEMAP", value_name = "FILE")]
    basemap: Option<PathBuf>,
    /// What to log, on stderr: `info`, `warn`, `aralau_server=debug`, …
    #[arg(long, env = "ARALAU_LOG")]
    log: Option<String>,
    /// Log as JSON lines.
    #[arg(long, env = "ARALAU_LOG_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    log_json: bool,
}

fn mebibytes(chosen: Option<u32>, usual: u64) -> u64 {
    chosen.map_or(usual, u64::from) << 20
}

/// Files open beside connections: the store's, the log's, the runtime's.
const FILES_BESIDE: usize = 128;
/// Threads for what blocks: reads, of which eight are under way at once, and as many signatures as there is use for. Each has
/// memory of its own, which it keeps.
const BLOCKING_THREADS: usize = 16;
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8470);

impl Serve {
    pub fn run(&self) -> Result<(), Failure> {
        share_heaps();
        let file = File::of(&self.data)?;
        start_log(self.log.as_deref().or(file.log.as_deref()).unwrap_or("info"), self.log_json || file.log_json)?;
        let _lock = FolderLock::take(&self.data)?;
        let store = open_store(&self.data)?;
        if let Some(zone) = self.time_zone.or(file.time_zone) {
            store.write(move |tx| set_time_zone(tx, zone))?;
        }
        let listen = address(self.listen, &file);
        let mut settings = self.settings(&file)?;
        let tls = self.door.tls(&self.data, &file, listen, settings.public_url.as_ref())?;
        settings.fingerprint = tls.as_ref().filter(|_| self.door.is_self_signed(&file)).map(|tls| tls.fingerprint());
        note_fingerprint(&self.data, settings.fingerprint)?;
        let fingerprint = settings.fingerprint;
        let app = App::with(store, Arc::new(now), settings);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()?;
        runtime.block_on(async {
            let stop = told_to_stop()?;
            if let Some(tls) = &tls {
                door::read_again_when_told(Arc::clone(tls))?;
            }
            let listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, &error))?;
            tracing::info!(listen = %listener.local_addr()?, deployment = %app.deployment(), "serving");
            let address = format!("{}://{}", if tls.is_some() { "https" } else { "http" }, listener.local_addr()?);
            if let Some(fingerprint) = fingerprint {
                eprintln!("aralau: its own certificate is known by --fingerprint {fingerprint}; give it to each phone with its code");
            }
            eprintln!("aralau: serving {} on {address}", self.data.display());
            eprintln!("aralau: the console is at {address}/; sign in with a token");
            serve_behind(app, listener, Door { connections: connections(), tls }, stop).await;
            Ok(())
        })
    }

    fn settings(&self, file: &File) -> Result<Settings, Failure> {
        let interval = self.visit_interval_days.or(file.visit_interval_days);
        let compact_after = self.compact_after_days.or(file.compact_after_days);
        Ok(Settings {
            name: self.name.clone().or_else(|| file.name.clone()),
            training: self.training || file.training,
            public_url: self.public_url.clone().or_else(|| file.public_url.clone()),
            visit_interval_days: interval.unwrap_or(VISIT_INTERVAL_DAYS),
            compact_after_days: compact_after.unwrap_or(COMPACT_AFTER_DAYS),
            device_quota_bytes: mebibytes(self.device_quota_mib.or(file.device_quota_mib), DEVICE_QUOTA_MIB),
            reserve_bytes: mebibytes(self.reserve_mib.or(file.reserve_mib), RESERVE_MIB),
            basemap: self.basemap(file)?,
            limits: self.door.limits(file),
            console: CONSOLE,
            field: FIELD,
            ..Settings::default()
        })
    }

    fn basemap(&self, file: &File) -> Result<Option<Basemap>, Failure> {
        // A service may be started from anywhere: what stands in `aralau.toml` is looked for beside it.
        let beside = file.basemap.as_ref().map(|path| self.data.join(path));
        let basemap = self.basemap.clone().or(beside).map(Basemap::open).transpose();
        basemap.map_err(|error| Failure::new("config", format!("basemap: {error}")))
    }
}

/// Where a server listens: as a flag or the environment says, else `aralau.toml`.
fn address(said: Option<SocketAddr>, file: &File) -> SocketAddr {
    said.or(file.listen).unwrap_or(DEFAULT_LISTEN)
}

/// Where a server of this folder listens, for whoever has only the same flags, environment and folder as that server.
pub fn listens_at(said: Option<SocketAddr>, data: Option<&Path>) -> Result<SocketAddr, Failure> {
    Ok(address(said, &data.map_or_else(|| Ok(File::default()), File::of)?))
}

/// glibc gives each of some twenty threads a heap of its own, and what one of them has freed no other can use: a third to half of
/// the memory of a busy morning. Two heaps are no slower. It asks for their number once, as a process begins, and so this
/// one begins again. Whoever sets the variable is left alone.
fn share_heaps() {
    use std::os::unix::process::CommandExt as _;

    const NAME: &str = "MALLOC_ARENA_MAX";
    if cfg!(target_env = "gnu")
        && std::env::var_os(NAME).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        let mut again = std::process::Command::new(program);
        again.args(std::env::args_os().skip(1)).env(NAME, "2");
        // Returns only if it fails; then it goes on as it is.
        drop(again.exec());
    }
}

/// As many connections as are served, or as this system's limit of open files leaves room for.
fn connections() -> usize {
    let wanted = (MAX_CONNECTIONS + FILES_BESIDE) as u64;
    let files = rlimit::increase_nofile_limit(wanted).unwrap_or(1024);
    if files < wanted {
        tracing::warn!(files, wanted, "few files may be open at once (ulimit -n), so fewer connections are served");
    }
    usize::try_from(files).unwrap_or(MAX_CONNECTIONS).saturating_sub(FILES_BESIDE).clamp(64, MAX_CONNECTIONS)
}

/// Logs go to stderr, so that stdout stays for answers.
pub fn start_log(filter: &str, json: bool) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|error| Failure::new("config", format!("the log filter: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Elsewhere colours are noise: a journal takes a line with them for bytes that it does not show.
    let log = log.with_ansi(std::io::stderr().is_terminal());
    // Fails where a log is running already, which is as good.
    let _ = if json { log.json().try_init() } else { log.try_init() };
    Ok(())
}

/// Listens for the signals from the call on: whoever has read that this serves may tell it to stop.
pub fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
