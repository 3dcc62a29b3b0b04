//! Requests that are not a device's own, not fresh, or not what they say; and anything at all to any route.

use aralau_sync_core::{cbor, frame::MAX_FRAME_BYTES, id::Signature};
use aralau_tests::{
    chance::Chance,
    rogue::{Rogue, credentials, digest},
    world::World,
};
use serde_json::json;
use uuid::Uuid;

#[test]
fn a_request_that_is_not_this_devices_own_or_not_fresh_is_refused() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let other = Rogue::enroll(&world, "Boris", "beat-01");
    let (_, visit) = rogue.visit("kept out");
    let frame = rogue.frame(vec![visit]);
    let body = rogue.message(std::slice::from_ref(&frame));
    let post = |authorization: &str| rogue.post(&body, authorization, None);
    for nonsense in ["", "Bearer x", "Aralau-Device", "Aralau-Device device=x, nonce=, signature="] {
        assert_eq!(post(nonsense).problem(), (401, "device_unknown"), "{nonsense}");
    }
    // Another device's name; one that nobody has; a signature over another body.
    assert_eq!(post(&rogue.authorize_as(other.device, &body, &other.nonce)).problem(), (401, "device_unknown"));
    let ghost = aralau_sync_core::id::DeviceId(Uuid::new_v4());
    assert_eq!(post(&rogue.authorize_as(ghost, &body, &rogue.nonce)).problem(), (401, "device_unknown"));
    assert_eq!(post(&credentials(rogue.device, &rogue.nonce, Signature([1; 64]))).problem(), (401, "device_unknown"));
    // Another's nonce, one made up, and one cut short: a fresh one comes back.
    for nonce in [other.nonce.as_str(), "AAAA", &rogue.nonce[1..]] {
        let refused = post(&rogue.authorize_as(rogue.device, &body, nonce));
        assert_eq!(refused.problem(), (401, "nonce_stale"), "{nonce}");
        assert!(refused.nonce.is_some());
    }
    // Its own install's name must not be another's.
    let mut foreign = rogue.hello();
    foreign.replica = other.stream.replica;
    let mut message = Vec::new();
    cbor::push_item(&mut message, &cbor::encode(&foreign));
    assert_eq!(rogue.post(&message, &rogue.authorize(&message), None).problem(), (403, "replica_foreign"));

    let authorization = rogue.authorize(&body);
    let answered = rogue.post(&body, &authorization, None);
    assert_eq!(answered.problem(), (200, ""));
    let replayed = rogue.post(&body, &authorization, None);
    assert_eq!(replayed.problem(), (401, "nonce_stale"), "answered once");
    rogue.nonce = replayed.nonce.unwrap();
    assert_eq!(rogue.send(&[frame]).fates(), ["decided 1"], "the fresh nonce counts");
    world.check();
}

#[test]
fn who_says_what_the_body_will_be_is_known_before_it_is_read_and_held_to_it() {
    let world = World::new();
    let mut rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let (_, visit) = rogue.visit("kept");
    let frame = rogue.frame(vec![visit]);
    let body = rogue.message(std::slice::from_ref(&frame));
    let said = digest(&body);
    let post = |rogue: &Rogue, bytes: &[u8], signed: &[u8], said: &str| {
        let answer = rogue.post_under(bytes, &rogue.authorize(signed), &[("content-digest", said)]);
        (answer.status, answer.code)
    };
    let refused = |status, code: &str| (status, code.to_owned());
    let unnamed = rogue.post_under(&body, &rogue.authorize(&body), &[]);
    assert_eq!(unnamed.problem(), (400, "digest_missing"));
    assert_eq!(post(&rogue, &body, b"another body", &said), refused(401, "device_unknown"));
    assert_eq!(world.headquarters().visits("").len(), 0, "nothing was read");
    let longer = [&body[..], b"\x00"].concat();
    assert_eq!(post(&rogue, &longer, &body, &said).0, 400, "a body that is none is told as that");
    let damaged = rogue.message(&[frame.clone(), frame.clone()]);
    assert_eq!(post(&rogue, &damaged, &body, &said), refused(408, "body_damaged"));
    assert_eq!(world.headquarters().visits("").len(), 1, "its frames are signed by themselves");
    assert_eq!(post(&rogue, &body, &body, &said), refused(200, ""));
    world.check();
}

#[test]
fn a_body_that_is_not_what_it_says_is_refused_by_name() {
    let world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let post = |body: &[u8], encoding| {
        let answer = rogue.post(body, &rogue.authorize(body), encoding);
        (answer.status, answer.code)
    };
    let refused = |status, code: &str| (status, code.to_owned());
    let sound = rogue.message(&[]);
    let mut hello = rogue.hello();
    hello.protocol = 99;
    let mut message = Vec::new();
    cbor::push_item(&mut message, &cbor::encode(&hello));
    assert_eq!(post(&message, None), refused(426, "protocol_version"));
    assert_eq!(post(&[], None), refused(400, "malformed"));
    assert_eq!(post(&sound[..sound.len() - 1], None), refused(408, "body_incomplete"));
    assert_eq!(post(b"{\"json\": true}", None), refused(400, "malformed"));
    // An item that says it is as long as the world.
    assert_eq!(post(&[0x5b, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], None), refused(400, "malformed"));
    let mut long = sound.clone();
    cbor::push_item(&mut long, &vec![0; MAX_FRAME_BYTES + 1]);
    // It may answer before it has heard all of that, and hang up.
    assert!([refused(400, "malformed"), refused(0, "hung_up")].contains(&post(&long, None)));
    hello = rogue.hello();
    hello.scopes = vec![hello.scopes[0]; 65];
    message.clear();
    cbor::push_item(&mut message, &cbor::encode(&hello));
    assert_eq!(post(&message, None), refused(400, "malformed"));
    hello = rogue.hello();
    hello.app = Some("x".repeat(20_000));
    message.clear();
    cbor::push_item(&mut message, &cbor::encode(&hello));
    assert_eq!(post(&message, None), refused(400, "malformed"));
    assert_eq!(post(&sound, Some("br")), refused(415, "unsupported_encoding"));
    assert_eq!(post(&sound, Some("zstd")), refused(400, "malformed"));
    assert_eq!(post(&sound, Some("gzip")), refused(400, "malformed"));
    let zipped = zstd::bulk::compress(&sound, 3).unwrap();
    assert_eq!(post(&zipped, Some("zstd")).0, 200);
}

#[test]
fn no_bytes_to_any_route_make_the_server_fail() {
    let mut world = World::new();
    let rogue = Rogue::enroll(&world, "Mallory", "beat-01");
    let headquarters = world.role("administrator");
    let mut chance = Chance::new();
    let sound = rogue.message(&[]);
    let id = Uuid::new_v4();
    for _ in 0..200 {
        let mut body = sound.clone();
        for _ in 0..=chance.below(6) {
            let at = chance.below(body.len() as u64) as usize;
            body[at] = chance.bits() as u8;
        }
        let encoding = *chance.pick(&[None, Some("zstd"), Some("gzip"), Some("identity")]);
        let answer = rogue.post(&body, &rogue.authorize(&body), encoding);
        assert!(answer.status < 500, "{} {}", answer.status, answer.code);
    }
    let odd = ["%00", "%ff%fe", "'%22;--", "..%2f..%2f", "%F0%9F%98%80", "9223372036854775808", "-1", "NaN"];
    for odd in odd {
        for path in [
            format!("/v1/visits?text={odd}"),
            format!("/v1/visits?beat={odd}"),
            format!("/v1/visits?author={odd}"),
            format!("/v1/visits?from={odd}"),
            format!("/v1/visits?limit={odd}"),
            format!("/v1/visits?cursor={odd}"),
            format!("/v1/visits/{odd}"),
            format!("/v1/visits/{id}/history?cursor={odd}"),
            format!("/v1/places/{odd}/visits"),
            format!("/v1/quarantine?reason={odd}"),
            format!("/v1/conflicts?beat={odd}"),
            format!("/v1/export.csv?beat={odd}"),
        ] {
            let reply = headquarters.ask(&path);
            assert!(reply.status < 500, "{path}: {}", reply.text);
        }
        for body in [json!({ "field": odd, "value": odd }), json!([odd]), json!({ "code": odd })] {
            for path in [format!("/v1/visits/{id}/resolve"), "/v1/enroll".to_owned()] {
                let reply = headquarters.post(&path, &body);
                assert!((400..500).contains(&reply.status), "{path}: {}", reply.text);
            }
        }
    }
    assert!(world.server.is_running());
    assert!(!world.server.log().contains("panicked"), "{}", world.server.log());
}
