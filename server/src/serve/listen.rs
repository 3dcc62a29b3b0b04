//! The listener: how many connections there may be, and how long each may keep silent.
//!
//! A connection is closed when no whole head of a request has come for [`HEAD_TIME`], idle between two requests or drop
//! by drop, and when what it is sent is not read at a [pace](super::paced_writer). What a body may take is in [`super::pace`],
//! what the beginning of TLS may in [`super::tls`]. Beyond the bound connections wait in the system's queue until another
//! ends; whoever has [their share](crowd) of them already is closed at once.

mod crowd;

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{paced_writer::PacedWriter, tls::Tls};
use crate::{app::App, http::peer::Peer};
use crowd::Crowd;

/// How long the head of a request may take; also how long a connection may idle between two requests.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// What the system keeps of what a connection is sent; it takes twice as much, and asks for more when a third is read.
/// Left to itself it would keep megabytes for a reader who does not read.
const SEND_BUFFER_BYTES: usize = 96 * 1024;
/// What a connection may buffer, the head of a request included.
const MAX_BUFFER_BYTES: usize = 64 * 1024;
/// Out of files or memory, the system is left alone for so long.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How connections come in.
#[derive(Clone)]
pub struct Door {
    /// So many at once.
    pub connections: usize,
    /// By which certificate they speak TLS; none: they speak plain HTTP.
    pub tls: Option<Arc<Tls>>,
}

/// Serves connections until the server stops; returns once the last request is answered.
pub async fn listen(listener: TcpListener, router: Router, door: Door, app: App) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MAX_BUFFER_BYTES);
    let (graceful, seats) = (GracefulShutdown::new(), Arc::new(Semaphore::new(door.connections)));
    let (crowd, mut stopped) = (Crowd::of(door.connections), app.stopping());
    loop {
        let (stream, address, seat) = tokio::select! {
            next = accept(&listener, &seats) => next,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Some(place) = crowd.enter(address, &app) else { continue };
        // A small answer is not kept back to be sent with a next one.
        drop(stream.set_nodelay(true));
        drop(SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES));
        let line = Line { http: http.clone(), router: router.clone(), address, watcher: graceful.watcher() };
        let (tls, app) = (door.tls.clone(), app.clone());
        tokio::spawn(async move {
            match tls {
                None => line.serve(PacedWriter::new(stream), false).await,
                Some(tls) => line.serve_by(&tls, stream, &app).await,
            }
            drop((seat, place));
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// A connection, before anything was said.
struct Line {
    http: http1::Builder,
    router: Router,
    address: IpAddr,
    watcher: Watcher,
}

impl Line {
    async fn serve_by(self, tls: &Tls, stream: TcpStream, app: &App) {
        let mut stopped = app.stopping();
        let accepted = tokio::select! {
            accepted = tls.accept(stream) => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        match accepted {
            Ok(stream) => self.serve(stream, true).await,
            Err(refused) => {
                app.http().metrics.handshake_failed(refused.name());
                tracing::debug!(?refused, "a connection did not come to speak TLS");
            }
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, is_tls: bool) {
        let (peer, service) = (Peer { address: self.address, is_tls }, TowerToHyperService::new(self.router));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            service.call(request)
        });
        let serving = self.http.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = self.watcher.watch(serving).await {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(seat) = Arc::clone(seats).acquire_owned().await else {
            // Nobody closes it.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, from)) => return (stream, from.ip().to_canonical(), seat),
            Err(error) if is_the_callers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_callers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
