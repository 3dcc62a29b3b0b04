//! TLS: which certificate is shown, how it is taken up anew, and how a connection begins.
//!
//! ```text
//! accept ── first byte ─┬─ 0x16: the handshake, within HANDSHAKE_TIME ──► as any other connection
//!                       └─ a letter: plain HTTP, which is told so and closed
//! ```
//! A pair of files is read again when either has changed, or when [`Tls::ask_again`] says so; one that is at fault is refused
//! with a line in the log, and the one before goes on.

mod own;
mod pair;

pub use own::{note_fingerprint, noted_fingerprint, own_fingerprint};
pub use pair::{Files, TlsFault};

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use aralau_sync_core::{
    id::Fingerprint,
    time::{DAY_MS, Millis},
};
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::paced_writer::PacedWriter;
use crate::{app::App, query::instant::Instant};
use pair::{Pair, provider};

/// How long it may take until both sides have agreed: three round trips, and a chain of certificates over a slow line.
const HANDSHAKE_TIME: Duration = Duration::from_secs(15);
/// How often it is looked whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// So long before a certificate ends the log says so, each day.
const WARN_DAYS: i64 = 14;
/// What a record of a handshake begins with.
const HANDSHAKE: u8 = 0x16;
/// What is read of a plain request, that its sender may read the answer.
const MAX_PLAIN_BYTES: u64 = 64 * 1024;
/// What a plain request is told.
pub const SPEAKS_TLS: &str = "This port speaks TLS: begin the address with https://";

/// A certificate, and all that it takes to show it.
pub struct Tls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    files: Files,
    asked: Notify,
}

/// What is shown now.
#[derive(Debug)]
struct Shown(RwLock<(Arc<CertifiedKey>, Known)>);

/// What is known of it.
#[derive(Debug, Clone, Copy)]
struct Known {
    fingerprint: Fingerprint,
    expires_at: Millis,
}

/// Why a connection did not come to be one.
#[derive(Debug)]
pub enum Refused {
    /// It took too long.
    TimedOut,
    /// It spoke plain HTTP.
    Plain,
    /// It was closed before it said anything: someone who looks whether the port is open.
    Gone,
    /// The handshake failed.
    Handshake(io::Error),
}

impl Refused {
    /// As `/metrics` says it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TimedOut => "timeout",
            Self::Plain => "plain_http",
            Self::Gone => "gone",
            Self::Handshake(_) => "handshake",
        }
    }
}

impl Tls {
    /// By an operator's certificate.
    ///
    /// # Errors
    /// It cannot be shown.
    pub fn open(files: Files, now: Millis) -> Result<Self, TlsFault> {
        let pair = Pair::read(&files, now)?;
        let known = Known { fingerprint: pair.fingerprint, expires_at: pair.expires_at };
        let shown = Arc::new(Shown(RwLock::new((Arc::new(pair.shown), known))));
        let unmade =
            |error: rustls::Error| TlsFault::Unmade { file: files.certificate.clone(), error: error.to_string() };
        let builder = ServerConfig::builder_with_provider(Arc::new(provider()));
        let mut config = builder
            .with_safe_default_protocol_versions()
            .map_err(unmade)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: Arc::new(config).into(), shown, files, asked: Notify::new() })
    }

    /// By a certificate of this folder's own, which is made for these names unless it is there.
    ///
    /// # Errors
    /// It cannot be made, or shown.
    pub fn own(folder: &Path, names: &[String], now: Millis) -> Result<Self, TlsFault> {
        Self::open(own::files(folder, names, now)?, now)
    }

    /// What the certificate is known by.
    pub fn fingerprint(&self) -> Fingerprint {
        self.shown.known().fingerprint
    }

    /// Has the files looked at now, changed or not.
    pub fn ask_again(&self) {
        self.asked.notify_one();
    }

    /// Takes up new files until the server stops.
    pub(super) async fn keep_fresh(self: Arc<Self>, app: App) {
        let mut stopped = app.stopping();
        let (mut seen, mut warned) = (stamp(&self.files), None);
        loop {
            self.tell(&app, &mut warned);
            let is_asked = tokio::select! {
                () = self.asked.notified() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            let files = self.files.clone();
            let Ok(now_seen) = tokio::task::spawn_blocking(move || stamp(&files)).await else { continue };
            if is_asked || now_seen != seen {
                seen = now_seen;
                self.take_up(app.now()).await;
            }
        }
    }

    async fn take_up(&self, now: Millis) {
        let files = self.files.clone();
        match tokio::task::spawn_blocking(move || Pair::read(&files, now)).await {
            Ok(Ok(pair)) => {
                let Pair { shown, fingerprint, expires_at } = pair;
                tracing::info!(%fingerprint, until = %Instant(expires_at), "the certificate was read again");
                self.shown.put(shown, Known { fingerprint, expires_at });
            }
            Ok(Err(fault)) => tracing::error!(%fault, "the new certificate is refused, and the one before goes on"),
            Err(_) => {}
        }
    }

    fn tell(&self, app: &App, warned: &mut Option<Millis>) {
        let (now, until) = (app.now(), self.shown.known().expires_at);
        app.http().metrics.certificate_until(until);
        if until.since(now) < WARN_DAYS * DAY_MS && warned.is_none_or(|at| now.since(at) >= DAY_MS) {
            *warned = Some(now);
            tracing::warn!(until = %Instant(until), "the certificate ends soon, or has ended: renew it");
        }
    }

    /// Begins a connection.
    pub(super) async fn accept(&self, stream: TcpStream) -> Result<TlsStream<PacedWriter<TcpStream>>, Refused> {
        let within = tokio::time::timeout(HANDSHAKE_TIME, async {
            let mut first = [0];
            match stream.peek(&mut first).await {
                Ok(1) if first[0] == HANDSHAKE => {}
                Ok(1) => return Err(refuse_plain(stream, first[0]).await),
                Ok(_) | Err(_) => return Err(Refused::Gone),
            }
            self.acceptor.accept(PacedWriter::new(stream)).await.map_err(Refused::Handshake)
        });
        within.await.unwrap_or(Err(Refused::TimedOut))
    }
}

/// Tells a sender of plain HTTP what this port speaks. Anything else is closed without a word.
async fn refuse_plain(mut stream: TcpStream, first: u8) -> Refused {
    if !first.is_ascii_uppercase() {
        return Refused::Handshake(io::ErrorKind::InvalidData.into());
    }
    let length = SPEAKS_TLS.len() + 1;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{SPEAKS_TLS}\n"
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok() {
        // What is closed with bytes unread is reset, and the answer with it.
        drop(tokio::io::copy(&mut stream.take(MAX_PLAIN_BYTES), &mut tokio::io::sink()).await);
    }
    Refused::Plain
}

impl Shown {
    fn known(&self) -> Known {
        self.0.read().unwrap_or_else(PoisonError::into_inner).1
    }

    fn put(&self, shown: CertifiedKey, known: Known) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(shown), known);
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).0))
    }
}

/// What tells whether a file is another than before.
type Stamp = Option<(SystemTime, u64, u64)>;

fn stamp(files: &Files) -> [Stamp; 2] {
    [&files.certificate, &files.key].map(|file| {
        let metadata = fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
    })
}
