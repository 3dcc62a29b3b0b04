//! Bodies that are too much, never end, or take their time.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use aralau_sync_core::cbor;
use aralau_tests::{
    phone,
    rogue::{PATH, Rogue, digest},
    world::World,
};

use super::MAX_MEMORY_MIB;

#[test]
fn bombs_are_refused_in_little_memory_while_others_are_served() {
    let world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut honest = world.sdk("Boris", "beat-01");
    let before = world.server.peak_memory_mib();
    // A gigabyte of nothing, and one that begins like a sound body.
    let zeros = vec![0; 1 << 20];
    let zstd_bomb = |head: &[u8]| {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.write_all(head).unwrap();
        (0..1024).for_each(|_| encoder.write_all(&zeros).unwrap());
        encoder.finish().unwrap()
    };
    let gzip_bomb = || {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        (0..1024).for_each(|_| encoder.write_all(&zeros).unwrap());
        encoder.finish().unwrap()
    };
    let mut frame_head = rogue.message(&[]);
    frame_head.extend([0x5a, 0x7f, 0xff, 0xff, 0xff]);
    let bombs = [
        ("zstd", zstd_bomb(&[])),
        ("zstd", zstd_bomb(&rogue.message(&[]))),
        ("zstd", zstd_bomb(&frame_head)),
        ("gzip", gzip_bomb()),
    ];
    let outcomes = thread::scope(|scope| {
        let throwing: Vec<_> = bombs
            .iter()
            .map(|(encoding, bomb)| {
                let rogue = &rogue;
                scope.spawn(move || rogue.post(bomb, &rogue.authorize(bomb), Some(encoding)))
            })
            .collect();
        for n in 0..5 {
            phone::log(&mut honest, &format!("meanwhile {n}"));
            let started = Instant::now();
            assert_eq!(phone::sync(&mut honest, 0).unwrap().pushed, 1);
            assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        }
        throwing.into_iter().map(|thrown| thrown.join().unwrap()).collect::<Vec<_>>()
    });
    for outcome in outcomes {
        let named = [(413, "body_too_large"), (400, "malformed"), (0, "hung_up")];
        assert!(named.contains(&outcome.problem()), "{:?}", outcome.problem());
    }
    let peak = world.server.peak_memory_mib();
    println!("{before} MiB before, {peak} at most");
    assert!(peak < MAX_MEMORY_MIB, "{peak} MiB");
}

/// Begins a request of which more is said than sent.
fn begin(world: &World, rogue: &Rogue, length: &str) -> TcpStream {
    let mut line = TcpStream::connect(world.server.address).expect("connects");
    let (authorization, digest) = (rogue.authorize(&[]), digest(&[]));
    let named = format!("authorization: {authorization}\r\ncontent-digest: {digest}");
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\n{named}\r\n{length}\r\n\r\n");
    line.write_all(head.as_bytes()).expect("writes");
    line
}

#[test]
fn a_body_without_end_is_cut_off() {
    let world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut line = begin(&world, &rogue, "transfer-encoding: chunked");
    let mut sent = 0_u64;
    let item = rogue.message(&[]);
    // Endless, and every piece of it sound: frames that nobody signed.
    let mut frame = Vec::new();
    cbor::push_item(&mut frame, &vec![0xff; 60_000]);
    let mut piece = item;
    loop {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
        if line.write_all(&chunk).is_err() {
            break;
        }
        sent += chunk.len() as u64;
        assert!(sent < 64 << 20, "the server reads for ever");
        piece.clone_from(&frame);
    }
    let mut answer = String::new();
    drop(line.read_to_string(&mut answer));
    println!("{sent} bytes, {}", answer.lines().next().unwrap_or("no answer"));
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(world.server.peak_memory_mib() < MAX_MEMORY_MIB);
    // A length that nobody would send.
    let mut line = begin(&world, &rogue, "content-length: 9000000000000000000");
    drop(line.write_all(&vec![0; 100_000]));
    let mut honest = world.sdk("Boris", "beat-01");
    phone::log(&mut honest, "served");
    assert_eq!(phone::sync(&mut honest, 8).unwrap().pushed, 1);
}

#[test]
fn slow_bodies_hold_nobody_up_and_are_ended() {
    let world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let mut slow: Vec<_> = (0..200).map(|_| begin(&world, &rogue, "content-length: 100000")).collect();
    let headless: Vec<_> = (0..100)
        .map(|_| {
            let mut line = TcpStream::connect(world.server.address).unwrap();
            line.write_all(b"POST /v1/sync HTTP/1.1\r\nhost:").unwrap();
            line
        })
        .collect();
    let mut honest = world.sdk("Boris", "beat-01");
    let headquarters = world.headquarters();
    // The beginning of an item of 4 KiB, byte by byte.
    for (n, byte) in [0x59, 0x10, 0x00, 0xa7, 0x01].into_iter().enumerate() {
        // To most of them it does not listen any more: see below.
        slow.iter_mut().for_each(|line| drop(line.write_all(&[byte])));
        phone::log(&mut honest, &format!("meanwhile {n}"));
        let started = Instant::now();
        assert_eq!(phone::sync(&mut honest, 0).unwrap().pushed, 1);
        assert_eq!(headquarters.visits("").len(), n + 1);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    // Of one device so many are under way at once. Whoever of these says nothing more for twenty seconds is told so.
    let answers = slow.into_iter().map(|mut line| {
        line.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let mut answer = String::new();
        drop(line.read_to_string(&mut answer));
        answer
    });
    let (ended, refused): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.starts_with("HTTP/1.1 408"));
    assert_eq!(ended.len(), 4);
    assert!(refused.iter().all(|answer| answer.is_empty() || answer.starts_with("HTTP/1.1 429")), "{refused:?}");
    drop(headless);
    assert!(world.server.peak_memory_mib() < MAX_MEMORY_MIB);
}
