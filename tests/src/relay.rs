//! A bad line: a TCP proxy that cuts, hangs, flips bits and is slow, in either direction.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use crate::chance::Chance;

/// What the line does to connections.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Of a hundred connections, how many are cut.
    pub cut_percent: u64,
    /// Of a hundred, how many fall silent, and are cut after up to two seconds.
    pub hang_percent: u64,
    /// Of a hundred, in how many one bit is flipped.
    pub flip_percent: u64,
    /// It happens after fewer bytes than this.
    pub within_bytes: u64,
    /// Each piece is held up for fewer milliseconds than this.
    pub stall_ms: u64,
    /// What is said after a silence arrives so much later.
    pub latency_ms: Range<u64>,
    /// From phone to server, and back.
    pub bytes_per_second: (u64, u64),
}

/// Nothing happens.
pub const CALM: Weather = Weather {
    cut_percent: 0,
    hang_percent: 0,
    flip_percent: 0,
    within_bytes: 0,
    stall_ms: 0,
    latency_ms: 0..0,
    bytes_per_second: (u64::MAX, u64::MAX),
};

/// EDGE at the edge of a village.
pub const SECOND_GENERATION: Weather =
    Weather { latency_ms: 300..1000, bytes_per_second: (50_000 / 8, 100_000 / 8), ..CALM };

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
    flips: AtomicU64,
    weather: Mutex<(Weather, Chance)>,
}

impl Relay {
    /// A line to a server.
    pub fn to(to: SocketAddr, weather: Weather, chance: Chance) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("bound");
        let (closed, cuts, flips) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        let state = Arc::new(State { to, closed, cuts, flips, weather: Mutex::new((weather, chance)) });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for phone in listener.incoming().map_while(Result::ok) {
                if shared.closed.load(Relaxed) {
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
        self.state.cuts.load(Relaxed)
    }

    /// Bits flipped so far.
    pub fn flips(&self) -> u64 {
        self.state.flips.load(Relaxed)
    }

    /// From the next connection on.
    pub fn set(&self, weather: Weather) {
        self.state.weather.lock().expect("the weather").0 = weather;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.closed.store(true, Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

/// What happens to one connection, after so many bytes.
#[derive(Clone, Copy)]
enum Mishap {
    None,
    /// Counted in both directions.
    Cut,
    Hang {
        silence_ms: u64,
    },
    /// Counted in one direction.
    Flip {
        upwards: bool,
        bit: u8,
    },
}

/// One connection.
struct Passage<'a> {
    state: &'a State,
    weather: Weather,
    mishap: Mishap,
    /// Bytes until it happens.
    left: AtomicU64,
}

impl State {
    fn carry(&self, phone: &TcpStream) {
        let Ok(server) = TcpStream::connect(self.to) else { return };
        let (passage, mut up, mut down) = {
            let mut held = self.weather.lock().expect("the weather");
            let (weather, chance) = &mut *held;
            (self.passage(weather, chance), chance.fork(), chance.fork())
        };
        thread::scope(|scope| {
            scope.spawn(|| passage.pour(phone, &server, true, &mut up));
            passage.pour(&server, phone, false, &mut down);
        });
    }

    fn passage(&self, weather: &Weather, chance: &mut Chance) -> Passage<'_> {
        let drawn = chance.below(100);
        let (cut, hang) = (weather.cut_percent, weather.cut_percent + weather.hang_percent);
        let mishap = match drawn {
            drawn if drawn < cut => Mishap::Cut,
            drawn if drawn < hang => Mishap::Hang { silence_ms: chance.below(2000) },
            drawn if drawn < hang + weather.flip_percent => {
                Mishap::Flip { upwards: chance.below(2) == 0, bit: chance.below(8) as u8 }
            }
            _ => Mishap::None,
        };
        let left = AtomicU64::new(chance.below(weather.within_bytes));
        Passage { state: self, weather: weather.clone(), mishap, left }
    }
}

impl Passage<'_> {
    fn pour(&self, mut from: &TcpStream, mut to: &TcpStream, upwards: bool, chance: &mut Chance) {
        let mut piece = [0; 1024];
        let mut last = Instant::now();
        while let Ok(read @ 1..) = from.read(&mut piece) {
            self.take_time(read, upwards, &mut last, chance);
            let passes = self.befall(&mut piece[..read], upwards);
            if to.write_all(&piece[..passes]).is_err() || passes < read {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Write));
        if self.is_broken() {
            drop(from.shutdown(Shutdown::Both));
            drop(to.shutdown(Shutdown::Both));
        }
    }

    fn take_time(&self, bytes: usize, upwards: bool, last: &mut Instant, chance: &mut Chance) {
        let Weather { latency_ms, bytes_per_second: (up, down), stall_ms, .. } = &self.weather;
        let mut pause_us = chance.below(*stall_ms) * 1000;
        if !latency_ms.is_empty() && last.elapsed() >= Duration::from_millis(latency_ms.start / 2) {
            pause_us += (latency_ms.start + chance.below(latency_ms.end - latency_ms.start)) * 1000;
        }
        let rate = if upwards { *up } else { *down };
        pause_us += (bytes as u64 * 1_000_000).checked_div(rate).unwrap_or(0);
        thread::sleep(Duration::from_micros(pause_us));
        *last = Instant::now();
    }

    /// What happens to a piece; how much of it passes.
    fn befall(&self, piece: &mut [u8], upwards: bool) -> usize {
        let bytes = piece.len() as u64;
        match self.mishap {
            Mishap::None => return piece.len(),
            Mishap::Flip { upwards: wanted, .. } if wanted != upwards => return piece.len(),
            Mishap::Cut | Mishap::Hang { .. } | Mishap::Flip { .. } => {}
        }
        let before = self.left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(bytes))).unwrap_or(0);
        match self.mishap {
            Mishap::Flip { bit, .. } => {
                if before > 0 && before <= bytes {
                    piece[before as usize - 1] ^= 1 << bit;
                    self.state.flips.fetch_add(1, Relaxed);
                }
                piece.len()
            }
            Mishap::Cut | Mishap::Hang { .. } if before < bytes => {
                self.state.cuts.fetch_add(1, Relaxed);
                if let Mishap::Hang { silence_ms } = self.mishap {
                    thread::sleep(Duration::from_millis(silence_ms));
                }
                before as usize
            }
            Mishap::Cut | Mishap::Hang { .. } | Mishap::None => piece.len(),
        }
    }

    fn is_broken(&self) -> bool {
        matches!(self.mishap, Mishap::Cut | Mishap::Hang { .. }) && self.left.load(Relaxed) == 0
    }
}
