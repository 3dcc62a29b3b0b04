//! A document whose changes passed every check, against Automerge: any causal order, saved and loaded, and edited on.

use aralau_sync_core::{
    change::{Change, Value},
    document::Document,
    id::{Actor, ChangeHash, ReplicaId},
    reading::{self, Reading},
    time::Millis,
};
use automerge::{ActorId, Automerge, ROOT, ReadDoc as _, transaction::Transactable as _};

/// Panics where ours and theirs part. `chance` chooses the orders.
pub fn judge(document: &Document, chance: &[u8]) {
    let changes = document.changes();
    if changes.is_empty() {
        return;
    }
    let reading = Reading::of_document(document, at);
    let orders = [changes.to_vec(), reordered(changes, chance), reordered(changes, &vec![u8::MAX; changes.len()])];
    for order in &orders {
        let mut again = Document::new();
        for change in order {
            again.accept(change.clone()).expect("what one order accepts, every causal order accepts");
        }
        assert_eq!(again.heads(), document.heads());
        assert_eq!(Reading::of_document(&again, at), reading);
    }
    let drawn = chance.last().copied().unwrap_or(0);
    let order = &orders[usize::from(drawn) % orders.len()];
    if drawn & 0x80 == 0 {
        one_by_one(document, order);
    } else {
        against_all_causality(order, &reading);
    }
    let theirs = Reading::of(order.iter().map(|change| (change, at(&change.hash()))));
    assert_eq!(theirs.as_ref(), Ok(&reading));
    let saved = reading::export(order).expect("Automerge saves it");
    edit_on(document, loaded(document, &saved));
    if let [first] = changes
        && first.is_first()
    {
        assert_eq!(Reading::of_first(first, at(&first.hash())), reading);
    }
}

fn one_by_one(document: &Document, order: &[Change]) {
    let mut theirs = Automerge::new();
    for change in order {
        let parsed = automerge::Change::from_bytes(change.chunk().to_vec()).expect("Automerge reads it");
        theirs.apply_changes([parsed]).expect("Automerge applies it");
    }
    agrees(document, &theirs);
}

/// All in one heap, the last first.
fn against_all_causality(order: &[Change], reading: &Reading) {
    let backwards = order.iter().rev().map(|change| (change, at(&change.hash())));
    assert_eq!(Reading::of(backwards).as_ref(), Ok(reading));
}

fn at(hash: &ChangeHash) -> Millis {
    Millis(i64::from(hash.0[0]))
}

/// Another causal order.
fn reordered(changes: &[Change], chance: &[u8]) -> Vec<Change> {
    let mut waiting = changes.to_vec();
    let mut done: Vec<Change> = Vec::new();
    let mut chance = chance.iter().copied().chain(std::iter::repeat(0));
    while !waiting.is_empty() {
        let is_ready =
            |change: &Change| change.dependencies().iter().all(|hash| done.iter().any(|change| change.hash() == *hash));
        let ready: Vec<usize> = (0..waiting.len()).filter(|at| is_ready(&waiting[*at])).collect();
        let drawn = usize::from(chance.next().unwrap_or(0));
        let chosen = if drawn == usize::from(u8::MAX) { ready.len() - 1 } else { drawn % ready.len() };
        done.push(waiting.remove(ready[chosen]));
    }
    done
}

fn loaded(document: &Document, saved: &[u8]) -> Automerge {
    let loaded = Automerge::load(saved).expect("what Automerge saved it loads");
    assert_eq!(loaded.get_changes(&[]).len(), document.changes().len());
    for change in loaded.get_changes(&[]) {
        let ours = document.get(&ChangeHash(change.hash().0)).expect("the same changes");
        assert_eq!(ours.chunk(), change.raw_bytes());
    }
    agrees(document, &loaded);
    loaded
}

/// Heads, keys, live ops and their values.
fn agrees(document: &Document, theirs: &Automerge) {
    let mut heads: Vec<_> = theirs.get_heads().iter().map(|hash| ChangeHash(hash.0)).collect();
    heads.sort();
    assert_eq!(document.heads(), heads);
    assert_eq!(theirs.keys(ROOT).count(), document.live().count());
    for (key, ops) in document.live() {
        let all = theirs.get_all(ROOT, key).expect("a key of the root");
        assert_eq!(all.len(), ops.len(), "{key}");
        for ((id, value), (their_value, their_id)) in ops.into_iter().zip(all) {
            let automerge::ObjId::Id(counter, actor, _) = their_id else { panic!("a value is never the root") };
            assert_eq!((id.counter, id.actor.to_bytes().as_slice()), (counter, actor.to_bytes()), "{key}");
            assert_eq!(their_value.as_str(), value.as_text(), "{key}");
        }
    }
}

/// The next honest edit: no earlier change may break it, and ours has Automerge's bytes.
fn edit_on(document: &Document, theirs: Automerge) {
    let actor = Actor { replica: ReplicaId([0xee; 14]), generation: 0 };
    let put = ("visit_type".to_owned(), Value::from("edited on"));
    let Ok(Some(ours)) = document.author(actor, std::slice::from_ref(&put)) else { return };
    let mut theirs = theirs.with_actor(ActorId::from(actor.to_bytes()));
    if document.live_of(&put.0).iter().any(|(_, value)| **value == put.1) {
        return;
    }
    let mut transaction = theirs.transaction();
    transaction.put(ROOT, put.0.as_str(), "edited on").expect("Automerge edits it");
    transaction.commit();
    let theirs = theirs.get_last_local_change().expect("an edit");
    assert_eq!(ours.chunk(), theirs.raw_bytes());
}
