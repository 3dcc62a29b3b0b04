//! `aralau serve`.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use aralau_server::{
    app::App,
    entropy::SystemEntropy,
    serve::{MAX_CONNECTIONS, serve},
    store::{FolderLock, Store},
};
use clap::Args;
use serde::Deserialize;
use tokio::net::TcpListener;

use super::now;
use crate::failure::Failure;

/// Flags win over environment variables, those over `aralau.toml` in the data folder.
#[derive(Debug, Args)]
pub struct Serve {
    /// The data folder; made if absent.
    #[arg(long, env = "ARALAU_DATA")]
    data: PathBuf,
    /// Address and port. TLS is left to a proxy in front; bind to loopback behind it.
    #[arg(long, env = "ARALAU_LISTEN")]
    listen: Option<SocketAddr>,
    /// What to log, on stderr: `info`, `warn`, `aralau_server=debug`, …
    #[arg(long, env = "ARALAU_LOG")]
    log: Option<String>,
    /// Log as JSON lines.
    #[arg(long, env = "ARALAU_LOG_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    log_json: bool,
}

/// `aralau.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    log: Option<String>,
    #[serde(default)]
    log_json: bool,
}

/// Files open beside connections: the store's, the log's, the runtime's.
const FILES_BESIDE: usize = 128;
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8470);

impl Serve {
    pub fn run(&self) -> Result<(), Failure> {
        let file = self.file()?;
        start_log(self.log.as_deref().or(file.log.as_deref()).unwrap_or("info"), self.log_json || file.log_json)?;
        let _lock = FolderLock::take(&self.data)?;
        let store = Store::open(&self.data, now(), Arc::new(SystemEntropy))?;
        let app = App::new(store, Arc::new(now));
        let listen = self.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN);
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            let listener = TcpListener::bind(listen)
                .await
                .map_err(|error| Failure::new("listen", format!("cannot listen on {listen}: {error}")))?;
            tracing::info!(listen = %listener.local_addr()?, deployment = %app.deployment(), "serving");
            eprintln!("aralau: serving {} on http://{}", self.data.display(), listener.local_addr()?);
            serve(app, listener, connections(), told_to_stop()).await;
            Ok(())
        })
    }

    fn file(&self) -> Result<File, Failure> {
        let path = self.data.join("aralau.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).map_err(|error| Failure::new("config", format!("{}: {error}", path.display())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(File::default()),
            Err(error) => Err(error.into()),
        }
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
    // Fails where a log is running already, which is as good.
    let _ = if json { log.json().try_init() } else { log.try_init() };
    Ok(())
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
