//! Frames that lie, and entries whose headers do.

use aralau_sync_core::{
    frame::{Frame, MAX_FRAME_ENTRIES},
    id::{ScopeId, Signature},
    stream::{Header, Link, Tip},
    sync::MAX_FRAMES,
};
use aralau_tests::{rogue::Rogue, world::World};
use uuid::Uuid;

use super::poison::{Poison, document, each_is_held_by_name};

#[test]
fn an_entry_whose_header_is_none_is_held_by_name() {
    each_is_held_by_name(|rogue, _| bad_headers(rogue));
}

/// Sound changes under headers that are none.
fn bad_headers(rogue: &mut Rogue) -> Vec<(String, Poison)> {
    let mut all = Vec::new();
    let mut add = |rogue: &mut Rogue, name: &str, reason, spoil: &dyn Fn(Header) -> Vec<u8>| {
        let document = document();
        let puts = rogue.visit_puts(name);
        let body = rogue.author(document, &puts).body().to_vec();
        let bad = Link::Full { header: spoil(rogue.header(document)), body };
        all.push((name.to_owned(), Poison { reason, before: Vec::new(), bad, document }));
    };
    add(rogue, "no header", "header_malformed", &|_| Vec::new());
    add(rogue, "a header cut short", "header_malformed", &|header| header.to_bytes()[..9].to_vec());
    add(rogue, "a header of 2 KiB", "header_malformed", &|_| vec![0; 2048]);
    add(rogue, "a header with a number not in its shortest form", "header_malformed", &|header| {
        let bytes = header.to_bytes();
        // {1: kind, …}: the kind as one byte more than it needs.
        assert_eq!(&bytes[1..3], [1, 1]);
        [&bytes[..2], &[0x18, 0x01], &bytes[3..]].concat()
    });
    add(rogue, "a header with its keys out of order", "header_malformed", &|header| {
        let bytes = header.to_bytes();
        [&bytes[..1], &bytes[3..], &bytes[1..3]].concat()
    });
    all
}

#[test]
fn frames_that_lie_are_refused_by_name_and_those_beside_them_count() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let other = Rogue::enroll(&world, "Boris", "beat-01");
    let elsewhere = Rogue::enroll(&world, "Zarina", "beat-02");
    let headquarters = world.role("administrator");
    let (_, first) = rogue.visit("first");
    let good = rogue.frame(vec![first]);
    let mark = rogue.tip;
    let sign = |rogue: &Rogue, stream, before, links| Frame::sign(&rogue.deployment, stream, before, links, &rogue.key);
    let (_, second) = rogue.visit("second");
    let sound = sign(&rogue, rogue.stream, mark, vec![second.clone()]);

    let mut liars: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut flipped = sound.clone();
    flipped.signature.0[20] ^= 1;
    liars.push(("frame_signature", flipped.to_bytes()));
    let mut altered = sound.clone();
    altered.links = vec![rogue.visit("put in later").1];
    liars.push(("frame_signature", altered.to_bytes()));
    // Another's stream under one's own key; one's own stream under another's.
    liars.push(("frame_signature", sign(&rogue, other.stream, Tip::default(), vec![second.clone()]).to_bytes()));
    liars.push(("frame_signature", sign(&other, rogue.stream, mark, vec![second.clone()]).to_bytes()));
    let mut zero = sound.clone();
    zero.signature = Signature([0; 64]);
    liars.push(("frame_signature", zero.to_bytes()));
    // Another beat, and one that does not exist: they look alike.
    for scope in [elsewhere.stream.scope, ScopeId(Uuid::new_v4())] {
        let stream = aralau_sync_core::stream::StreamId { scope, ..rogue.stream };
        liars.push(("scope_unknown", sign(&rogue, stream, Tip::default(), vec![second.clone()]).to_bytes()));
    }
    let nothing = Frame { links: Vec::new(), ..sound.clone() };
    liars.push(("frame_size", nothing.to_bytes()));
    let crowd = vec![second.clone(); MAX_FRAME_ENTRIES + 1];
    liars.push(("frame_size", sign(&rogue, rogue.stream, mark, crowd).to_bytes()));
    let bytes = sound.to_bytes();
    liars.push(("frame_malformed", bytes[..bytes.len() - 1].to_vec()));
    liars.push(("frame_malformed", [&bytes[..], &[0]].concat()));
    liars.push(("frame_malformed", vec![0xff; 100]));
    liars.push(("frame_malformed", vec![0x81; 5_000]));
    // [1, …] with the 1 written longer than need be, and an array of indefinite length.
    assert_eq!(&bytes[..2], [0x87, 0x01]);
    liars.push(("frame_malformed", [&[0x87, 0x18, 0x01], &bytes[2..]].concat()));
    liars.push(("frame_malformed", [&[0x9f, 0x01], &bytes[2..], &[0xff]].concat()));
    liars.push(("gap 1", sign(&rogue, rogue.stream, Tip { index: 7, ..mark }, vec![second.clone()]).to_bytes()));
    let forked = rogue.visit("another first").1;
    liars.push(("forked 1", sign(&rogue, rogue.stream, Tip::default(), vec![forked]).to_bytes()));

    let mut upload = vec![good.clone()];
    upload.extend(liars.iter().map(|(_, frame)| frame.clone()));
    upload.extend([good, sound.to_bytes()]);
    rogue.tip = *aralau_sync_core::frame::chain(&rogue.stream, mark, &sound.links).last().unwrap();
    let answer = rogue.send(&upload);
    let mut expected = vec!["decided 1"];
    expected.extend(liars.iter().map(|(fate, _)| *fate));
    expected.extend(["decided 1", "decided 2"]);
    assert_eq!(answer.fates(), expected);
    assert_eq!(headquarters.visits("").len(), 2);
    assert_eq!(headquarters.quarantine().len(), 0);
    world.check();
}

#[test]
fn too_many_frames_are_refused_but_those_before_the_limit_count() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let frames: Vec<_> = (0..=MAX_FRAMES)
        .map(|n| {
            let link = rogue.visit(&format!("frame {n}")).1;
            rogue.frame(vec![link])
        })
        .collect();
    let body = rogue.message(&frames);
    assert_eq!(rogue.post(&body, &rogue.authorize(&body), None).problem(), (413, "body_too_large"));
    assert_eq!(world.headquarters().visits("").len(), MAX_FRAMES);
    assert_eq!(rogue.send(&frames[MAX_FRAMES..]).fates(), [format!("decided {}", MAX_FRAMES + 1)]);
}
