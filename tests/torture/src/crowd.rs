//! Many at once: devices that sync, and listeners that are held.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use aralau_client_sdk::HttpTransport;
use aralau_tests::{
    phone::{self, Sdk},
    process::eventually,
    world::World,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Phones that share a beat.
const TO_A_BEAT: usize = 4;

/// The beat of one of the phones.
pub fn beat(number: usize) -> String {
    format!("crowd-{}", number / TO_A_BEAT)
}

/// So many phones, four to a beat, enrolled and with their places.
pub fn phones(world: &World, count: usize) -> Vec<Sdk> {
    let [beats, places, staff] = ["beats.csv", "places.csv", "staff.csv"].map(|name| world.path(name));
    let lines = |line: fn(String) -> String| (0..count).step_by(TO_A_BEAT).map(beat).map(line).collect::<String>();
    fs::write(&beats, "code,name\n".to_owned() + &lines(|beat| format!("{beat},{beat}\n"))).expect("written");
    fs::write(&places, "beat,address\n".to_owned() + &lines(|beat| format!("{beat},Abay 10\n"))).expect("written");
    fs::write(&staff, format!("name,beat\nForeman,{}\n", beat(0))).expect("written");
    let [beats, places, staff] = [&beats, &places, &staff].map(|path| path.to_str().expect("UTF-8"));
    world.admin(&["load", "--beats", beats, "--places", places, "--staff", staff]).ok();
    let one = |number: usize| {
        let code = world.code(&format!("Inspector {number}"), &beat(number));
        let mut client = phone::open(&world.path(&format!("phone-{number}")));
        client.enroll(&HttpTransport::default(), &world.server.url(), &code).expect("let in");
        phone::sync(&mut client, 60).expect("the server serves");
        client
    };
    (0..count).map(one).collect()
}

/// Every phone logs some visits, then all sync at once. How long each took, sorted.
pub fn sync_at_once(phones: &mut [Sdk], visits: usize) -> Vec<Duration> {
    for client in phones.iter_mut() {
        for number in 0..visits {
            phone::log(client, &format!("note {number}"));
        }
    }
    let mut took: Vec<_> = thread::scope(|scope| {
        let syncs: Vec<_> = phones
            .iter_mut()
            .map(|client| {
                scope.spawn(|| {
                    let began = Instant::now();
                    phone::sync(client, 120).expect("the server serves");
                    began.elapsed()
                })
            })
            .collect();
        syncs.into_iter().map(|sync| sync.join().expect("it syncs")).collect()
    });
    took.sort();
    took
}

/// What so many of a hundred stay below, in milliseconds.
pub fn percentile_ms(sorted: &[Duration], percent: usize) -> u64 {
    let at = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    u64::try_from(sorted[at].as_millis()).expect("short")
}

/// Listeners of events, until they are dropped.
pub struct Listeners {
    shared: Arc<Heard>,
    _stop: mpsc::Sender<()>,
}

#[derive(Default)]
struct Heard {
    open: AtomicU64,
    bytes: AtomicU64,
}

impl Listeners {
    /// So many, each on a connection of its own.
    pub fn hold(world: &World, count: u64) -> Self {
        let made = world.admin(&["token", "--role", "headquarters"]).ok().object();
        let token = made["token"].as_str().expect("a token").to_owned();
        let (address, shared) = (world.server.address, Arc::<Heard>::default());
        let (stop, stopped) = mpsc::channel();
        let heard = Arc::clone(&shared);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let request = format!("GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
                for _ in 0..count {
                    let mut line = TcpStream::connect(address).await.expect("it listens");
                    line.write_all(request.as_bytes()).await.expect("it listens");
                    tokio::spawn(listen(line, Arc::clone(&heard)));
                }
                while !matches!(stopped.try_recv(), Err(mpsc::TryRecvError::Disconnected)) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        });
        eventually("all of them are heard", || shared.open.load(Relaxed) == count);
        Self { shared, _stop: stop }
    }

    /// Those whose line is open now.
    pub fn open(&self) -> u64 {
        self.shared.open.load(Relaxed)
    }

    /// What all of them were sent.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Relaxed)
    }
}

async fn listen(mut line: TcpStream, heard: Arc<Heard>) {
    let mut piece = [0; 1024];
    let Ok(first @ 1..) = line.read(&mut piece).await else { return };
    assert!(piece[..first].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&piece[..first]));
    heard.open.fetch_add(1, Relaxed);
    while let Ok(read @ 1..) = line.read(&mut piece).await {
        heard.bytes.fetch_add(read as u64, Relaxed);
    }
    heard.open.fetch_sub(1, Relaxed);
}
