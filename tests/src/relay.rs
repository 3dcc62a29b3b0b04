//! A line that cuts: a TCP proxy which ends connections at random places, in either direction.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::chance::Chance;

/// What the line does to connections.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Of a hundred connections, how many are cut.
    pub cut_percent: u64,
    /// A cut comes after fewer bytes than this, counted in both directions.
    pub within_bytes: u64,
    /// Each piece is held up for fewer milliseconds than this.
    pub stall_ms: u64,
}

/// The line, until it is dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where phones connect to.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    to: SocketAddr,
    closed: AtomicBool,
    cuts: AtomicU64,
    weather: Mutex<(Weather, Chance)>,
}

impl Relay {
    /// A line to a server.
    pub fn to(to: SocketAddr, weather: Weather, chance: Chance) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("bound");
        let (closed, cuts) = (AtomicBool::new(false), AtomicU64::new(0));
        let state = Arc::new(State { to, closed, cuts, weather: Mutex::new((weather, chance)) });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for phone in listener.incoming().map_while(Result::ok) {
                if shared.closed.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                thread::spawn(move || state.carry(&phone));
            }
        });
        Self { address, state }
    }

    /// Its address as phones are told it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections cut so far.
    pub fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::Relaxed)
    }

    /// From the next connection on.
    pub fn set(&self, weather: Weather) {
        self.state.weather.lock().expect("the weather").0 = weather;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    fn carry(&self, phone: &TcpStream) {
        let Ok(server) = TcpStream::connect(self.to) else { return };
        let (left, stall_ms, mut chance) = {
            let mut held = self.weather.lock().expect("the weather");
            let (weather, chance) = &mut *held;
            let is_cut = chance.below(100) < weather.cut_percent;
            let left = if is_cut { chance.below(weather.within_bytes) } else { u64::MAX };
            (AtomicU64::new(left), weather.stall_ms, chance.fork())
        };
        let mut back = chance.fork();
        thread::scope(|scope| {
            scope.spawn(|| self.pour(phone, &server, &left, stall_ms, &mut chance));
            self.pour(&server, phone, &left, stall_ms, &mut back);
        });
    }

    fn pour(&self, mut from: &TcpStream, mut to: &TcpStream, left: &AtomicU64, stall_ms: u64, chance: &mut Chance) {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            if stall_ms > 0 {
                thread::sleep(Duration::from_millis(chance.below(stall_ms)));
            }
            let allowed = left.load(Ordering::Relaxed).min(read as u64) as usize;
            if left.load(Ordering::Relaxed) != u64::MAX {
                left.fetch_sub(allowed as u64, Ordering::Relaxed);
            }
            if to.write_all(&piece[..allowed]).is_err() {
                break;
            }
            if allowed < read {
                self.cuts.fetch_add(1, Ordering::Relaxed);
                drop(from.shutdown(Shutdown::Both));
                break;
            }
        }
        drop(to.shutdown(Shutdown::Write));
        if left.load(Ordering::Relaxed) == 0 {
            drop(to.shutdown(Shutdown::Both));
        }
    }
}
