//! Bytes that every later version must read and write.
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

use aralau_sync_core::{
    change::{Change, Value},
    document::Document,
    id::{Actor, ReplicaId},
};

fn actor(number: u8) -> Actor {
    Actor { replica: ReplicaId([number; 14]), generation: u16::from(number) }
}

fn put(key: &str, value: impl Into<Value>) -> (String, Value) {
    (key.to_owned(), value.into())
}

/// A visit by one inspector, edited at once by two, and the conflict resolved by the first.
fn visit() -> [Change; 4] {
    let write =
        |document: &Document, number, puts: &[(String, Value)]| document.author(actor(number), puts).unwrap().unwrap();
    let mut document = Document::new();
    let first = write(
        &document,
        1,
        &[
            put("visit_type", "door_to_door"),
            put("planned", true),
            put("companion", Value::Null),
            put("doors", 12_u64),
            put("offset", -300_i64),
            put("accuracy", Value::Float(4.5)),
            put("nonce", Value::Bytes((0..16).collect())),
            put("started_at", Value::Timestamp(1_753_000_000_000)),
            put("notes/0f8fad5b-d9cb-469f-a165-70867728950e/text", "Есікті ешкім ашпады"),
            put("witness/0101010101010101010101010101/mock", false),
        ],
    );
    document.apply(first.clone());
    let left = write(&document, 1, &[put("outcome", "nobody_home"), put("planned", false)]);
    let right = write(&document, 2, &[put("outcome", "contacted")]);
    document.apply(left.clone());
    document.apply(right.clone());
    let resolved = write(&document, 1, &[put("outcome", "contacted")]);
    [first, left, right, resolved]
}

#[test]
fn version_one_changes_keep_their_bytes() {
    let golden = [
        include_str!("../golden/change-v1-first.hex"),
        include_str!("../golden/change-v1-left.hex"),
        include_str!("../golden/change-v1-right.hex"),
        include_str!("../golden/change-v1-resolved.hex"),
    ];
    let mut document = Document::new();
    for (change, golden) in visit().into_iter().zip(golden) {
        let chunk = hex::decode(golden.trim()).unwrap();
        assert_eq!(hex::encode(change.chunk()), golden.trim());
        let read = Change::from_chunk(&chunk).unwrap();
        assert_eq!(read, change);
        document.accept(read).unwrap();
    }
}
