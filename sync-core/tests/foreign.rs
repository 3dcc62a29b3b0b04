//! What Automerge itself can write but a document of ours never holds is refused, each for its own reason.
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

mod support;

use aralau_sync_core::change::{Change, ChangeError, Value};
use automerge::{
    Author, Automerge, ExpandedChange, ObjType, ROOT, ScalarValue,
    transaction::{CommitOptions, Transactable, Transaction},
};
use support::{World, actor, automerge_actor};

fn empty() -> Automerge {
    Automerge::new().with_actor(automerge_actor(actor(0)))
}

fn written(edit: impl FnOnce(&mut Transaction<'_>)) -> Result<Change, ChangeError> {
    let mut document = empty();
    let mut transaction = document.transaction();
    edit(&mut transaction);
    transaction.commit();
    Change::from_chunk(document.get_last_local_change().unwrap().raw_bytes())
}

#[test]
fn a_nested_object_is_refused() {
    assert_eq!(written(|edit| drop(edit.put_object(ROOT, "a", ObjType::Map).unwrap())), Err(ChangeError::NotAPut));
    assert_eq!(written(|edit| drop(edit.put_object(ROOT, "a", ObjType::Text).unwrap())), Err(ChangeError::NotAPut));
    let nested = written(|edit| {
        let list = edit.put_object(ROOT, "a", ObjType::List).unwrap();
        edit.insert(list, 0, 1).unwrap();
    });
    assert_eq!(nested, Err(ChangeError::NotRoot));
}

#[test]
fn a_put_inside_a_nested_object_is_refused() {
    let mut document = empty();
    let mut transaction = document.transaction();
    let map = transaction.put_object(ROOT, "a", ObjType::Map).unwrap();
    transaction.commit();
    let mut transaction = document.transaction();
    transaction.put(map, "b", 1).unwrap();
    transaction.commit();
    let chunk = document.get_last_local_change().unwrap().raw_bytes().to_vec();
    assert_eq!(Change::from_chunk(&chunk), Err(ChangeError::NotRoot));
}

#[test]
fn a_counter_an_increment_and_a_delete_are_refused() {
    let counter = || ScalarValue::counter(1);
    assert_eq!(written(|edit| edit.put(ROOT, "a", counter()).unwrap()), Err(ChangeError::BadValue));
    let incremented = written(|edit| {
        edit.put(ROOT, "a", counter()).unwrap();
        edit.increment(ROOT, "a", 2).unwrap();
    });
    assert_eq!(incremented, Err(ChangeError::NotAPut));
    let deleted = written(|edit| {
        edit.put(ROOT, "a", 1).unwrap();
        edit.delete(ROOT, "a").unwrap();
    });
    assert_eq!(deleted, Err(ChangeError::NotAPut));
}

#[test]
fn a_key_put_twice_in_one_change_is_refused() {
    let twice = written(|edit| {
        edit.put(ROOT, "a", 1).unwrap();
        edit.put(ROOT, "a", 2).unwrap();
    });
    assert!(matches!(twice, Err(ChangeError::DuplicateKey | ChangeError::BadPredecessor)));
}

#[test]
fn a_time_and_a_message_are_refused() {
    for options in [CommitOptions::default().with_time(1), CommitOptions::default().with_message("hello")] {
        let mut document = empty();
        let mut transaction = document.transaction();
        transaction.put(ROOT, "a", 1).unwrap();
        transaction.commit_with(options);
        let chunk = document.get_last_local_change().unwrap().raw_bytes().to_vec();
        assert_eq!(Change::from_chunk(&chunk), Err(ChangeError::Smuggled));
    }
}

#[test]
fn an_author_footer_and_extra_bytes_are_refused() {
    let mut document = empty().with_author(Some(Author::from(&b"somebody"[..])));
    let mut transaction = document.transaction();
    transaction.put(ROOT, "a", 1).unwrap();
    transaction.commit();
    let change = document.get_last_local_change().unwrap();
    assert_eq!(Change::from_chunk(change.raw_bytes()), Err(ChangeError::Smuggled));

    let expanded = ExpandedChange { extra_bytes: vec![1, 2, 3], author: None, ..change.decode() };
    let change = automerge::Change::from(expanded);
    assert_eq!(Change::from_chunk(change.raw_bytes()), Err(ChangeError::Smuggled));
}

#[test]
fn an_empty_change_is_refused() {
    let mut document = empty();
    document.empty_commit(CommitOptions::default());
    let chunk = document.get_last_local_change().unwrap().raw_bytes().to_vec();
    assert_eq!(Change::from_chunk(&chunk), Err(ChangeError::Empty));
}

#[test]
fn a_deflated_change_and_a_whole_document_are_refused() {
    let mut world = World::new();
    world.edit(0, &[("outcome".to_owned(), Value::Text("a".repeat(5_000)))]).unwrap();
    let mut change = world.documents[0].get_last_local_change().unwrap();
    assert_eq!(Change::from_chunk(&change.bytes()), Err(ChangeError::WrongChunk(2)));
    assert!(Change::from_chunk(change.raw_bytes()).is_ok());
    assert_eq!(Change::from_chunk(&world.documents[0].save()), Err(ChangeError::WrongChunk(0)));
}
