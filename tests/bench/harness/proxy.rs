//! A counting TCP proxy between the devices and the server: what really crossed the wire, on any protocol.
//!
//! `proxy LISTEN TARGET CONTROL` (three ports of 127.0.0.1). One line on the control port, `stats`, `reset` or
//! `delay MS` (one way, for every connection), is answered with the counters as JSON.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Default)]
struct Counters {
    up_bytes: AtomicU64,
    down_bytes: AtomicU64,
    connections: AtomicU64,
    /// Upward chunks that follow a downward one (or open the connection): an upper bound of round trips.
    turns: AtomicU64,
    delay_us: AtomicU64,
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Up = 1,
    Down = 2,
}

fn main() {
    let ports: Vec<u16> = std::env::args().skip(1).map(|port| port.parse().expect("a port number")).collect();
    let [listen, target, control] = ports[..] else {
        eprintln!("usage: proxy LISTEN TARGET CONTROL");
        std::process::exit(2);
    };
    let counters = Arc::new(Counters::default());

    let control = TcpListener::bind(("127.0.0.1", control)).expect("the control port is free");
    let counted = counters.clone();
    thread::spawn(move || {
        for stream in control.incoming().flatten() {
            let _ = answer(stream, &counted);
        }
    });

    let devices = TcpListener::bind(("127.0.0.1", listen)).expect("the listening port is free");
    for device in devices.incoming().flatten() {
        let counters = counters.clone();
        thread::spawn(move || {
            let _ = relay(device, target, &counters);
        });
    }
}

fn answer(mut stream: TcpStream, counters: &Counters) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut line)?;
    let mut words = line.split_whitespace();
    match words.next() {
        Some("reset") => {
            for counter in [&counters.up_bytes, &counters.down_bytes, &counters.connections, &counters.turns] {
                counter.store(0, Relaxed);
            }
        }
        Some("delay") => {
            let ms: f64 = words.next().and_then(|ms| ms.parse().ok()).unwrap_or(0.0);
            counters.delay_us.store((ms * 1000.0) as u64, Relaxed);
        }
        _ => {}
    }
    writeln!(
        stream,
        r#"{{"up":{},"down":{},"conns":{},"turns":{}}}"#,
        counters.up_bytes.load(Relaxed),
        counters.down_bytes.load(Relaxed),
        counters.connections.load(Relaxed),
        counters.turns.load(Relaxed)
    )
}

fn relay(device: TcpStream, target: u16, counters: &Arc<Counters>) -> std::io::Result<()> {
    counters.connections.fetch_add(1, Relaxed);
    let server = TcpStream::connect(("127.0.0.1", target))?;
    device.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let last = Arc::new(AtomicU8::new(0));
    let downward = {
        let (from, to) = (server.try_clone()?, device.try_clone()?);
        let (counters, last) = (counters.clone(), last.clone());
        thread::spawn(move || pump(from, to, Direction::Down, &counters, &last))
    };
    pump(device, server, Direction::Up, counters, &last)?;
    let _ = downward.join();
    Ok(())
}

fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    direction: Direction,
    counters: &Arc<Counters>,
    last: &AtomicU8,
) -> std::io::Result<()> {
    let (queue, queued) = mpsc::channel::<(Instant, Vec<u8>)>();
    let late = {
        let (to, counters) = (to.try_clone()?, counters.clone());
        thread::spawn(move || write_late(to, queued, &counters))
    };
    let mut buffer = vec![0; 64 * 1024];
    let mut delayed = false;
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        let before = last.swap(direction as u8, Relaxed);
        if direction == Direction::Up {
            counters.up_bytes.fetch_add(length as u64, Relaxed);
            if before != Direction::Up as u8 {
                counters.turns.fetch_add(1, Relaxed);
            }
        } else {
            counters.down_bytes.fetch_add(length as u64, Relaxed);
        }
        // Once delayed, a direction stays queued: bytes must not overtake each other.
        delayed |= counters.delay_us.load(Relaxed) > 0;
        let sent = if delayed {
            queue.send((Instant::now(), buffer[..length].to_vec())).is_ok()
        } else {
            to.write_all(&buffer[..length]).is_ok()
        };
        if !sent {
            break;
        }
    }
    drop(queue);
    let _ = late.join();
    to.shutdown(Shutdown::Write)
}

fn write_late(mut to: TcpStream, queued: mpsc::Receiver<(Instant, Vec<u8>)>, counters: &Counters) {
    for (read_at, bytes) in queued {
        let due = read_at + Duration::from_micros(counters.delay_us.load(Relaxed));
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
}
