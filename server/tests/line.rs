//! Over a real socket, by a clock that stands still but for what is waited for: whoever stalls is let go of, wherever it stalls,
//! in the clear and over TLS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aralau_server::{
    app::App,
    entropy::SystemEntropy,
    serve::{Door, serve_behind, tls::Tls},
    store::Store,
};
use aralau_sync_core::time::Millis;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_rustls::TlsConnector;

trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

struct World {
    app: App,
    address: SocketAddr,
    connector: Option<TlsConnector>,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(is_tls: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A client looks at its own clock, whether the certificate counts.
        let now = Millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap());
        let store = Store::open(folder.path(), now, Arc::new(SystemEntropy)).unwrap();
        let app = App::new(store, Arc::new(move || now));
        let names = ["localhost".to_owned()];
        let tls = is_tls.then(|| Arc::new(Tls::own(folder.path(), &names, now).unwrap()));
        let connector = is_tls.then(|| {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(folder.path().join("tls-self-signed.pem")).unwrap()).unwrap();
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
            let config = config.with_safe_default_protocol_versions().unwrap();
            TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_behind(app.clone(), listener, Door { connections: 64, tls }, std::future::pending()));
        Self { app, address, connector, folder }
    }

    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection as the server wants it.
    async fn connect(&self) -> Box<dyn Line> {
        let line = self.plain().await;
        match &self.connector {
            None => Box::new(line),
            Some(tls) => Box::new(tls.connect(ServerName::try_from("localhost").unwrap(), line).await.unwrap()),
        }
    }
}

/// What still comes until the server closes, and how long that takes.
async fn rest(line: &mut (impl Line + ?Sized)) -> (Vec<u8>, Duration) {
    let (began, mut rest) = (Instant::now(), Vec::new());
    // Cut off without a goodbye is closed as well.
    drop(line.read_to_end(&mut rest).await);
    (rest, began.elapsed())
}

fn within(took: Duration, seconds: std::ops::RangeInclusive<u64>) {
    assert!(seconds.contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_or_not_whole_is_given_up() {
    let world = World::new(true).await;
    within(rest(&mut world.plain().await).await.1, 15..=16);
    let mut half = world.plain().await;
    half.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).await.unwrap();
    within(rest(&mut half).await.1, 15..=16);
    // A byte now and then is no beginning either.
    let mut drops = world.plain().await;
    let began = Instant::now();
    drops.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    while drops.write_all(&[0]).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_given_up() {
    for is_tls in [false, true] {
        let world = World::new(is_tls).await;
        let mut silent = world.connect().await;
        within(rest(&mut silent).await.1, 29..=31);
        let mut half = world.connect().await;
        half.write_all(b"GET /livez HTTP/1.1\r\nhost:").await.unwrap();
        within(rest(&mut half).await.1, 29..=31);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_idles_after_an_answer_is_closed() {
    for is_tls in [false, true] {
        let world = World::new(is_tls).await;
        let mut line = world.connect().await;
        line.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let (answer, took) = rest(&mut line).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        within(took, 29..=31);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    for is_tls in [false, true] {
        let world = World::new(is_tls).await;
        let mut line = world.connect().await;
        let head =
            "POST /v1/enroll HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        line.write_all(head.as_bytes()).await.unwrap();
        let (answer, took) = rest(&mut line).await;
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
        within(took, 60..=95);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_reads_are_given_up() {
    for is_tls in [false, true] {
        let world = World::new(is_tls).await;
        let mut line = world.connect().await;
        let asked = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(400);
        line.write_all(asked.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(200)).await;
        let (answers, _) = rest(&mut line).await;
        let whole = String::from_utf8_lossy(&answers).matches("HTTP/1.1 200").count();
        assert!((1..400).contains(&whole), "{whole} were answered");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_no_handshake_and_for_nobody_who_idles() {
    let world = World::new(true).await;
    let (mut silent, mut idle) = (world.plain().await, world.connect().await);
    // Both are known to the server once the second is: they came in order.
    let began = Instant::now();
    world.app.stop();
    rest(&mut silent).await;
    rest(&mut idle).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(world.folder.path().join("tls-self-signed.pem").exists());
}
