//! One change by its own bytes: refused by name in bounded memory, or the very bytes that Automerge writes for it.

use aralau_sync_core::{
    change::{Change, ChangeError},
    digest::chunk_of,
    document::Document,
    reading::Reading,
    time::Millis,
};
use arbitrary::Unstructured;

use crate::{edit, heap, passed};

/// The first byte chooses how the rest is to be taken.
pub fn change(data: &[u8]) {
    let Some((door, bytes)) = data.split_first() else { return };
    match door % 8 {
        0 => drop(read_body(bytes)),
        1 => drop(read_chunk(bytes)),
        2 => {
            // A container that is right about everything: what remains to be found is inside.
            let whole = read_chunk(&chunk_of(bytes));
            let bare = read_body(bytes);
            if whole != Err(ChangeError::TooLarge) {
                assert_eq!(whole, bare);
            }
        }
        _ => {
            let mut input = Unstructured::new(bytes);
            let Ok(parts) = edit::parts(&mut input) else { return };
            let Ok(built) = Change::build(parts) else { return };
            sound(&built);
            let mut body = built.body().to_vec();
            if edit::spoil(&mut input, &mut body).is_ok() {
                drop(read_body(&body));
            }
        }
    }
}

fn read_body(bytes: &[u8]) -> Result<Change, ChangeError> {
    let change = heap::bounded(|| Change::from_body(bytes))?;
    assert_eq!(change.body(), bytes);
    sound(&change);
    Ok(change)
}

fn read_chunk(bytes: &[u8]) -> Result<Change, ChangeError> {
    let change = heap::bounded(|| Change::from_chunk(bytes))?;
    assert_eq!(change.chunk(), bytes);
    sound(&change);
    Ok(change)
}

/// What passed is what Automerge reads in it, and has one encoding.
fn sound(change: &Change) {
    passed();
    assert_eq!(Change::build(change.parts().clone()).as_ref(), Ok(change));
    assert_eq!(Change::from_body(change.body()).as_ref(), Ok(change));
    let theirs = automerge::Change::from_bytes(change.chunk().to_vec()).expect("Automerge reads it");
    assert_eq!(theirs.hash().0, change.hash().0);
    assert_eq!(theirs.raw_bytes(), change.chunk());
    assert_eq!((theirs.seq(), theirs.start_op().get()), (change.sequence(), change.start_op()));
    assert_eq!((theirs.max_op(), theirs.len()), (change.max_op(), change.puts().len()));
    assert_eq!(theirs.actor_id().to_bytes(), change.actor().to_bytes());
    let dependencies: Vec<_> = theirs.deps().iter().map(|hash| hash.0).collect();
    assert_eq!(dependencies, change.dependencies().iter().map(|hash| hash.0).collect::<Vec<_>>());
    if Document::new().check(change).is_ok() {
        let through_automerge = Reading::of([(change, Millis(7))]).expect("Automerge applies it");
        assert_eq!(Reading::of_first(change, Millis(7)), through_automerge);
    }
}
