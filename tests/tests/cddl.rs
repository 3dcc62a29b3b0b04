//! The description of the protocol in CDDL against real messages: the golden ones, and those of devices and a server.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use aralau_client_sdk::{
    HttpTransport, SyncOptions,
    transport::{HttpRequest, HttpResponse, Transport, TransportError},
};
use aralau_sync_core::cbor;
use aralau_tests::{phone, rogue::Rogue, world::World};
use cddl_cat::validate_cbor_bytes;

const DESCRIPTION: &str = include_str!("../../docs/reference/protocol.cddl");
const GOLDEN: &str = include_str!("../../sync-core/golden/protocol-1.txt");

/// Whether bytes are what a rule of the description says.
fn fits(rule: &str, bytes: &[u8]) -> Result<(), String> {
    validate_cbor_bytes(rule, DESCRIPTION, bytes).map_err(|error| format!("{rule}: {error}"))
}

fn golden(name: &str) -> Vec<u8> {
    let (_, hex) = GOLDEN.lines().filter_map(|line| line.split_once(": ")).find(|(known, _)| *known == name).unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The items of a CBOR sequence.
fn sequence(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        let length = (1..=bytes.len()).find(|length| cbor::check(&bytes[..*length]).is_ok()).unwrap();
        let (item, rest) = bytes.split_at(length);
        items.push(item);
        bytes = rest;
    }
    items
}

#[test]
fn every_golden_message_is_as_described() {
    for rule in ["frame", "hello", "welcome", "gained", "pack", "header", "verdict"] {
        fits(rule, &golden(rule)).unwrap();
    }
    fits("frame", &golden("frame with a day in a name")).unwrap();
    fits("hello", &golden("hello with a roll")).unwrap();
    fits("welcome", &golden("welcome with a level")).unwrap();
    fits("hello", &golden("hello with outlines")).unwrap();
    fits("welcome", &golden("welcome with outlines")).unwrap();
    let controls = golden("controls");
    for control in sequence(&controls) {
        fits("control", control).unwrap();
    }
    assert_eq!(sequence(&controls).len(), 9, "one of each");
}

#[test]
fn what_the_code_refuses_the_description_refuses_too() {
    let hello = golden("hello");
    assert_eq!(&hello[..3], [0xa7, 1, 1]);
    let spoilt = |at: usize, with: &[u8]| [&hello[..at], with, &hello[at + 1..]].concat();
    for (what, bytes) in [
        ("another protocol", spoilt(2, &[2])),
        (
            "a replica of 13 bytes",
            spoilt(4, &[0x4d]).iter().enumerate().filter(|(at, _)| *at != 5).map(|(_, b)| *b).collect(),
        ),
        ("a number for the clock's map key", spoilt(1, &[0x20])),
        ("no map", vec![0x80]),
    ] {
        assert!(fits("hello", &bytes).is_err(), "{what}");
    }
    let frame = golden("frame");
    assert!(fits("frame", &[&[0x86], &frame[1..frame.len() - 1]].concat()).is_err(), "a frame without links");
    assert!(fits("control", &[0x82, 0x18, 99, 0x80]).is_err(), "a control row of a later version");
    assert!(fits("verdict", &[0xa1, 1, 0]).is_err(), "labels that are none are left out");
}

/// Passes on, and keeps what was sent and answered.
#[derive(Default)]
struct Recording {
    line: HttpTransport,
    bodies: Mutex<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl Transport for Recording {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let response = self.line.send(request)?;
        if response.status == 200 && request.url.ends_with("/v1/sync") {
            let answer = decoded(response.header("content-encoding"), &response.body);
            let asked = request.headers.iter().find(|(name, _)| *name == "content-encoding");
            let asked = decoded(asked.map(|(_, value)| value.as_str()), &request.body);
            self.bodies.lock().unwrap().push((asked, answer));
        }
        Ok(response)
    }
}

fn decoded(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    match encoding {
        Some("zstd") => zstd::decode_all(body).unwrap(),
        _ => body.to_vec(),
    }
}

#[test]
fn whatever_devices_and_a_server_say_to_each_other_is_as_described() {
    let world = World::new();
    let line = Recording::default();
    let patient = SyncOptions { wait: Duration::from_secs(8) };
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let (mut one, mut two) = (world.sdk("Boris", "beat-01"), world.sdk("Zarina", "beat-01"));
    phone::log(&mut one, "first");
    one.sync(&line, patient).unwrap();
    two.sync(&line, patient).unwrap();
    // Something held, something waiting, and a phone shut out.
    let document = rogue.visit("sound").0;
    let poison = rogue.link(document, b"no change");
    let frame = rogue.frame(vec![poison]);
    rogue.send(&[frame]);
    phone::log(&mut two, "second");
    two.sync(&line, patient).unwrap();
    world.admin(&["revoke", &world.device("Boris")]).ok();
    phone::log(&mut one, "too late");
    drop(one.sync(&line, patient));

    let mut seen = BTreeMap::<&str, usize>::new();
    for (asked, answered) in line.bodies.lock().unwrap().iter() {
        for (message, first, others) in [(asked, "hello", "frame"), (answered, "welcome", "gained")] {
            let items = cbor::items(message, 64 << 20).unwrap();
            for (at, item) in items.iter().enumerate() {
                let rule = if at == 0 { first } else { others };
                fits(rule, item).unwrap();
                *seen.entry(rule).or_default() += 1;
            }
        }
    }
    assert!(["hello", "frame", "welcome", "gained"].iter().all(|rule| seen[rule] >= 3), "{seen:?}");
}
