//! The same bytes everywhere: one vector that every build of the client writes, natively, through UniFFI and in a browser.
//!
//! `vector.json` says what a device is, hears and is asked to write; `signs` is what its next sync wants signed: the head of
//! its one frame, which names every byte of every entry. Whoever adds a build gives a test's device the seams of
//! `Seams::scripted` (as `Device::scripted` of `client-sdk/ffi` does, behind its feature `vectors`) and goes through these steps.

use aralau_client_sdk::{
    Client, EnrollSession, HttpResponse, Millis, Seams, Session as _, Step, SyncOptions, SyncSession, VisitChange,
    VisitForm, keys, store::MemoryStore,
};
use aralau_sync_core::id::Signature;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    public_key: String,
    now: i64,
    seed: u64,
    /// The server's answer to the enrollment.
    enrolled: serde_json::Value,
    form: VisitForm,
    edits: Vec<Vec<VisitChange>>,
    visit: String,
    signs: Vec<String>,
}

#[test]
fn the_same_words_are_the_same_bytes_everywhere() {
    let vector: Vector = serde_json::from_str(include_str!("../vector.json")).expect("JSON");
    let key: Vec<_> =
        vector.public_key.as_bytes().chunks(2).map(|two| byte(str::from_utf8(two).expect("hex"))).collect();
    let key = keys::read_public_key(&key).expect("a key");
    let seams = Seams::scripted(Millis(vector.now), vector.seed);
    let mut client = Client::over(MemoryStore::new(), key, seams).expect("opens");

    let mut enrollment = EnrollSession::new("https://hq.example", "K7WQ-2M4P-AB3C");
    assert!(matches!(enrollment.next(&mut client), Step::Sign(_)));
    enrollment.signed(vec![Signature([1; 64])]);
    assert!(matches!(enrollment.next(&mut client), Step::Send(_)));
    let body = serde_json::to_vec(&vector.enrolled).expect("serializes");
    enrollment.answered(&mut client, Ok(HttpResponse { status: 200, headers: Vec::new(), body }));
    assert!(matches!(enrollment.next(&mut client), Step::Done(())));

    let draft = client.begin_draft(&vector.form).expect("begins");
    let visit = client.log_draft(draft).expect("logs");
    for changes in &vector.edits {
        client.change_visit(visit, changes).expect("edits");
    }
    let Step::Sign(messages) = SyncSession::new(SyncOptions::default()).next(&mut client) else {
        panic!("it has words")
    };
    let signs: Vec<_> = messages.iter().map(|message| hex(message)).collect();
    assert_eq!((visit.to_string(), signs), (vector.visit, vector.signs));
}

fn byte(text: &str) -> u8 {
    u8::from_str_radix(text, 16).expect("hex")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
