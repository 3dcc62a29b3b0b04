//! The listener: how many connections there may be, and how long each may keep silent.
//!
//! A connection is closed when no whole head of a request has come for [`HEAD_TIME`], idle between two requests or drop
//! by drop, and when what it is sent is not read at a [pace](super::paced_writer). What a body may take is in [`super::pace`].
//! Beyond the bound connections wait in the system's queue until another ends.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use super::paced_writer::PacedWriter;

/// How long the head of a request may take; also how long a connection may idle between two requests.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// What the system keeps of what a connection is sent; it takes twice as much, and asks for more when a third is read.
/// Left to itself it would keep megabytes for a reader who does not read.
const SEND_BUFFER_BYTES: usize = 96 * 1024;
/// What a connection may buffer, the head of a request included.
const MAX_BUFFER_BYTES: usize = 64 * 1024;
/// Out of files or memory, the system is left alone for so long.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves connections, so many at once, until `stopped` says so; returns once the last request is answered.
pub async fn listen(listener: TcpListener, router: Router, connections: usize, mut stopped: watch::Receiver<bool>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MAX_BUFFER_BYTES);
    let (graceful, seats) = (GracefulShutdown::new(), Arc::new(Semaphore::new(connections)));
    loop {
        let (stream, seat) = tokio::select! {
            next = accept(&listener, &seats) => next,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        // A small answer is not kept back to be sent with a next one.
        drop(stream.set_nodelay(true));
        drop(SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES));
        let serving =
            http.serve_connection(TokioIo::new(PacedWriter::new(stream)), TowerToHyperService::new(router.clone()));
        let serving = graceful.watch(serving);
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(seat);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(seat) = Arc::clone(seats).acquire_owned().await else {
            // Nobody closes it.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, seat),
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
