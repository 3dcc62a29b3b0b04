//! What every store promises, for the tests of each implementation: promise by promise ([`keeps_every_promise`]), and against a
//! model ([`agrees_with_the_model`]). Behind the feature `contract`, for stores of other crates.

#![expect(clippy::expect_used, reason = "these are tests, wherever they run")]

mod machine;

pub use machine::agrees_with_the_model;

use aralau_sync_core::{
    id::{ContentHash, DocumentId, EntryHash, HeaderHash, Kind, PublicKey, ReplicaId, ScopeId, Signature},
    log::RowKind,
    merkle::{Frontier, leaf_hash},
    stream::{Head, Link, Seen, StreamId, Tip},
    time::Millis,
};
use uuid::Uuid;

use super::{
    Decided, DraftRecord, EntryId, EntryRecord, Key, MarkRecord, OrphanRecord, ProjectionRecord, ReceiptRecord,
    RowRecord, ScopeRecord, Store, StoreError, StreamRecord, Summary, transaction,
};
use crate::alarm::{AlarmCode, AlarmRecord};

/// Every promise, each on a store of its own that `open` gives.
///
/// # Panics
/// Where one is not kept; its name is among the panic's frames.
pub fn keeps_every_promise<S: Store>(open: impl Fn() -> S) {
    let promises: [fn(&mut S); 12] = [
        what_was_put_reads_back,
        a_failed_transaction_leaves_nothing_behind,
        a_transaction_sees_its_own_writes,
        entries_come_by_stream_and_by_document,
        an_entry_moves_with_its_document,
        rows_come_in_order_and_are_dropped_from_the_end,
        orphans_of_one_name_are_told_apart_by_their_hash,
        projections_come_newest_first,
        lists_need_no_bodies,
        an_alarm_raised_again_is_counted,
        a_draft_is_kept_until_it_is_dropped,
        erasing_leaves_an_empty_store,
    ];
    promises.into_iter().for_each(|promise| promise(&mut open()));
}

const SCOPE: ScopeId = ScopeId::from_bytes([1; 16]);
const OTHER_SCOPE: ScopeId = ScopeId::from_bytes([2; 16]);
const DOCUMENT: DocumentId = DocumentId::from_bytes([3; 16]);
const REPLICA: ReplicaId = ReplicaId([0xfe; 14]);

fn id(scope: ScopeId, replica: ReplicaId, index: u64) -> EntryId {
    EntryId { stream: StreamId { replica, scope }, index }
}

fn entry(index: u64, document: Option<DocumentId>) -> EntryRecord {
    EntryRecord {
        id: id(SCOPE, REPLICA, index),
        hash: EntryHash([index as u8; 32]),
        link: match document {
            Some(_) => Link::Full { header: vec![1, index as u8], body: vec![2; 40] },
            None => Link::Hollow { header: HeaderHash([4; 32]), content: ContentHash([5; 32]) },
        },
        document,
        decided: index.is_multiple_of(2).then_some(Decided { kind: RowKind::Held, row: index }),
    }
}

fn row(sequence: u64, index: u64) -> RowRecord {
    RowRecord {
        sequence,
        kind: RowKind::Accepted,
        received_at: Millis(-5),
        entry: (index > 0).then_some((REPLICA, index)),
        hash: EntryHash([sequence as u8; 32]),
        verdict: vec![0xa0],
    }
}

fn scope_record() -> ScopeRecord {
    let mut frontier = Frontier::default();
    (0..5u8).for_each(|n| frontier.push(leaf_hash(&[n])));
    ScopeRecord {
        granted: false,
        cursor: Seen { epoch: 2, sequence: 5 },
        followed: vec![Seen { epoch: 1, sequence: 0 }, Seen { epoch: 2, sequence: 3 }],
        frontier,
        verified: 4,
        backed_up: 3,
        tip: Tip { index: 9, hash: EntryHash([9; 32]) },
        decided: Tip { index: 8, hash: EntryHash([8; 32]) },
        ..ScopeRecord::new(SCOPE)
    }
}

fn projection(document: u8, at: i64) -> ProjectionRecord {
    let document = DocumentId::from_bytes([document; 16]);
    let (kind, at, body) = (Kind::VISIT, Millis(at), vec![document.as_bytes()[0]]);
    ProjectionRecord { scope: SCOPE, document, kind, at, summary: Summary::default(), body }
}

fn what_was_put_reads_back<S: Store>(store: &mut S) {
    assert_eq!(store.meta(Key::Nonce).expect("reads"), None);
    store.set_meta(Key::Nonce, b"one").expect("writes");
    store.set_meta(Key::Nonce, b"two").expect("writes");
    assert_eq!(store.meta(Key::Nonce).expect("reads"), Some(b"two".to_vec()));

    store.put_scope(&ScopeRecord::new(OTHER_SCOPE)).expect("writes");
    store.put_scope(&scope_record()).expect("writes");
    assert_eq!(store.scope(SCOPE).expect("reads"), Some(scope_record()));
    assert_eq!(store.scopes().expect("reads"), [scope_record(), ScopeRecord::new(OTHER_SCOPE)]);

    let head = Head { tip: Tip { index: 3, hash: EntryHash([3; 32]) }, signature: Signature([7; 64]) };
    let stream = StreamRecord {
        replica: REPLICA,
        key: PublicKey([2; 33]),
        person: "Сауле".into(),
        tip: head.tip,
        head: Some(head),
        offer: None,
        introduction: Some(vec![4, 2]),
    };
    store.put_stream(SCOPE, &stream).expect("writes");
    let other = StreamRecord {
        replica: ReplicaId([1; 14]),
        head: None,
        offer: Some(head),
        introduction: None,
        ..stream.clone()
    };
    store.put_stream(SCOPE, &other).expect("writes");
    assert_eq!(store.streams(SCOPE).expect("reads"), [other, stream]);
    assert_eq!(store.streams(OTHER_SCOPE).expect("reads"), []);

    let receipt = |epoch, size| ReceiptRecord { scope: SCOPE, epoch, size, note: format!("{epoch}/{size}\n") };
    for record in [receipt(2, 4), receipt(1, 9), receipt(2, 3)] {
        store.put_receipt(&record).expect("writes");
    }
    assert_eq!(store.receipts(SCOPE).expect("reads"), [receipt(1, 9), receipt(2, 3), receipt(2, 4)]);
}

fn a_failed_transaction_leaves_nothing_behind<S: Store>(store: &mut S) {
    store.put_entry(&entry(1, Some(DOCUMENT))).expect("writes");
    store.put_row(SCOPE, &row(1, 1)).expect("writes");
    store.put_projection(&projection(1, 1)).expect("writes");
    let failed = transaction::<_, (), StoreError>(store, |store| {
        store.put_entry(&entry(1, None))?;
        store.put_entry(&entry(2, Some(DOCUMENT)))?;
        store.drop_entry(id(SCOPE, REPLICA, 1))?;
        store.drop_rows_after(SCOPE, 0)?;
        store.put_projection(&projection(1, 2))?;
        store.drop_projection(SCOPE, DocumentId::from_bytes([1; 16]))?;
        store.set_meta(Key::Nonce, b"no")?;
        Err(StoreError::InUse)
    });
    assert!(failed.is_err());
    assert_eq!(store.entries_of(SCOPE, DOCUMENT).expect("reads"), [entry(1, Some(DOCUMENT))]);
    assert_eq!(store.rows_of(id(SCOPE, REPLICA, 1)).expect("reads"), [row(1, 1)]);
    assert_eq!(store.projections(Kind::VISIT).expect("reads"), [projection(1, 1)]);
    assert_eq!(store.meta(Key::Nonce).expect("reads"), None);
}

fn a_transaction_sees_its_own_writes<S: Store>(store: &mut S) {
    let seen = transaction::<_, _, StoreError>(store, |store| {
        store.put_entry(&entry(1, Some(DOCUMENT)))?;
        store.put_row(SCOPE, &row(1, 1))?;
        Ok((store.entries_of(SCOPE, DOCUMENT)?.len(), store.rows_of(id(SCOPE, REPLICA, 1))?.len()))
    });
    assert_eq!(seen.expect("commits"), (1, 1));
    assert_eq!(store.entries_of(SCOPE, DOCUMENT).expect("reads").len(), 1);
}

fn entries_come_by_stream_and_by_document<S: Store>(store: &mut S) {
    for index in (1..=5).rev() {
        store.put_entry(&entry(index, (index != 3).then_some(DOCUMENT))).expect("writes");
    }
    let elsewhere = EntryRecord { id: id(OTHER_SCOPE, REPLICA, 4), ..entry(4, Some(DOCUMENT)) };
    store.put_entry(&elsewhere).expect("writes");
    let stream = StreamId { replica: REPLICA, scope: SCOPE };
    let indexes = |entries: Vec<EntryRecord>| entries.iter().map(|entry| entry.id.index).collect::<Vec<_>>();
    assert_eq!(indexes(store.entries_after(stream, 0, 100).expect("reads")), [1, 2, 3, 4, 5]);
    assert_eq!(indexes(store.entries_after(stream, 2, 2).expect("reads")), [3, 4]);
    assert_eq!(indexes(store.entries_after(stream, 5, 2).expect("reads")), [0; 0]);
    assert_eq!(indexes(store.entries_after(stream, 0, usize::MAX).expect("reads")), [1, 2, 3, 4, 5]);
    assert_eq!(indexes(store.entries_of(SCOPE, DOCUMENT).expect("reads")), [1, 2, 4, 5]);
    assert_eq!(store.entry(id(SCOPE, REPLICA, 3)).expect("reads"), Some(entry(3, None)));
    assert_eq!(store.entry(id(SCOPE, REPLICA, 4)).expect("reads"), Some(entry(4, Some(DOCUMENT))));
    assert_eq!(store.entry(id(SCOPE, REPLICA, 6)).expect("reads"), None);
}

fn an_entry_moves_with_its_document<S: Store>(store: &mut S) {
    store.put_entry(&entry(1, None)).expect("writes");
    store.put_entry(&entry(1, Some(DOCUMENT))).expect("writes");
    assert_eq!(store.entries_of(SCOPE, DOCUMENT).expect("reads").len(), 1);
    store.put_entry(&entry(1, None)).expect("writes");
    assert_eq!(store.entries_of(SCOPE, DOCUMENT).expect("reads"), []);
    store.drop_entry(id(SCOPE, REPLICA, 1)).expect("removes");
    assert_eq!(store.entry(id(SCOPE, REPLICA, 1)).expect("reads"), None);
}

fn rows_come_in_order_and_are_dropped_from_the_end<S: Store>(store: &mut S) {
    let rows = [row(1, 1), row(2, 2), row(3, 0), row(4, 1)];
    rows.iter().rev().for_each(|row| store.put_row(SCOPE, row).expect("writes"));
    store.put_row(OTHER_SCOPE, &row(4, 1)).expect("writes");
    assert_eq!(store.rows_after(SCOPE, 0, 100).expect("reads"), rows);
    assert_eq!(store.rows_after(SCOPE, 1, 2).expect("reads"), rows[1..3]);
    assert_eq!(store.rows_of(id(SCOPE, REPLICA, 1)).expect("reads"), [rows[0].clone(), rows[3].clone()]);
    store.drop_rows_after(SCOPE, 2).expect("removes");
    assert_eq!(store.rows_after(SCOPE, 0, 100).expect("reads"), rows[..2]);
    assert_eq!(store.rows_of(id(SCOPE, REPLICA, 1)).expect("reads"), rows[..1]);
    assert_eq!(store.row(SCOPE, 4).expect("reads"), None);
    assert_eq!(store.row(OTHER_SCOPE, 4).expect("reads"), Some(row(4, 1)));
}

fn orphans_of_one_name_are_told_apart_by_their_hash<S: Store>(store: &mut S) {
    let orphan = |index, hash| OrphanRecord {
        id: id(SCOPE, REPLICA, index),
        hash: EntryHash([hash; 32]),
        header: vec![1],
        body: vec![2],
        document: DOCUMENT,
    };
    let all = [orphan(1, 7), orphan(2, 1), orphan(2, 2)];
    all.iter().rev().for_each(|orphan| store.put_orphan(orphan).expect("writes"));
    assert_eq!(store.orphans(SCOPE).expect("reads"), all);
    store.drop_orphan(&all[1]).expect("removes");
    assert_eq!(store.orphans(SCOPE).expect("reads"), [all[0].clone(), all[2].clone()]);
    assert_eq!(store.orphans(OTHER_SCOPE).expect("reads"), []);
}

fn projections_come_newest_first<S: Store>(store: &mut S) {
    for record in [projection(1, 10), projection(2, 30), projection(3, 20), projection(2, 5)] {
        store.put_projection(&record).expect("writes");
    }
    store.put_projection(&ProjectionRecord { kind: Kind::PLACE, ..projection(4, 1) }).expect("writes");
    let elsewhere = ProjectionRecord { scope: OTHER_SCOPE, ..projection(3, 1) };
    store.put_projection(&elsewhere).expect("writes");
    let newest_first = [projection(3, 20), projection(1, 10), projection(2, 5), elsewhere.clone()];
    assert_eq!(store.projections(Kind::VISIT).expect("reads"), newest_first);
    let both = [projection(3, 20), elsewhere];
    assert_eq!(store.projections_of(both[0].document).expect("reads"), both);
    store.drop_projection(SCOPE, both[0].document).expect("removes");
    assert_eq!(store.projections_of(both[0].document).expect("reads"), both[1..]);
}

fn lists_need_no_bodies<S: Store>(store: &mut S) {
    let [one, other] = [7, 8].map(|byte| DocumentId::from_bytes([byte; 16]));
    let at = |place, document, at| {
        let (outcome, due) = (Some("contacted".to_owned()), Some("2026-12-31".to_owned()));
        let summary = Summary { place: Some(place), outcome, due, asks: document == 2 };
        ProjectionRecord { summary, ..projection(document, at) }
    };
    let (first, second, third) = (at(other, 1, 10), at(one, 2, 20), at(other, 3, 20));
    let elsewhere = ProjectionRecord { scope: OTHER_SCOPE, ..third.clone() };
    let nowhere = projection(4, 30);
    for record in [&first, &second, &third, &elsewhere, &nowhere] {
        store.put_projection(record).expect("writes");
    }
    let mark = |record: &ProjectionRecord| MarkRecord {
        place: record.summary.place.expect("has one"),
        at: record.at,
        document: record.document,
        outcome: record.summary.outcome.clone(),
        due: record.summary.due.clone(),
    };
    assert_eq!(store.marks().expect("reads"), [&second, &elsewhere, &third, &first].map(mark));
    assert_eq!(store.projections_at(other).expect("reads"), [elsewhere.clone(), third.clone(), first.clone()]);
    assert_eq!(store.projections_asking().expect("reads"), std::slice::from_ref(&second));
    let all = [nowhere, elsewhere, third, second, first];
    let mut behind = None;
    for page in all.chunks(2) {
        assert_eq!(store.projections_behind(Kind::VISIT, behind, 2).expect("reads"), page);
        behind = page.last().map(|last| (last.at, last.document, last.scope));
    }
    assert_eq!(store.projections_behind(Kind::VISIT, behind, 2).expect("reads"), []);
    assert_eq!(store.projections_behind(Kind::PLACE, None, 2).expect("reads"), []);
}

fn an_alarm_raised_again_is_counted<S: Store>(store: &mut S) {
    let alarm = |at, detail: &str, scope| AlarmRecord {
        code: AlarmCode::Root,
        scope,
        detail: detail.into(),
        at: Millis(at),
        count: 1,
    };
    store.put_alarm(&alarm(1, "", Some(SCOPE))).expect("writes");
    store.put_alarm(&alarm(2, "", Some(SCOPE))).expect("writes");
    store.put_alarm(&alarm(3, "x", None)).expect("writes");
    let counted = AlarmRecord { count: 2, ..alarm(2, "", Some(SCOPE)) };
    assert_eq!(store.alarms().expect("reads"), [alarm(3, "x", None), counted]);
}

fn a_draft_is_kept_until_it_is_dropped<S: Store>(store: &mut S) {
    let draft =
        |id, at, body: &str| DraftRecord { id: Uuid::from_u128(id), at: Millis(at), body: body.as_bytes().to_vec() };
    for record in [draft(1, 10, "a"), draft(2, 30, "b"), draft(3, 20, "c"), draft(2, 5, "d")] {
        store.put_draft(&record).expect("writes");
    }
    let newest_first = [draft(3, 20, "c"), draft(1, 10, "a"), draft(2, 5, "d")];
    assert_eq!(store.drafts().expect("reads"), newest_first);
    let failed = transaction::<_, (), StoreError>(store, |store| {
        store.drop_draft(newest_first[0].id)?;
        Err(StoreError::InUse)
    });
    assert!(failed.is_err());
    store.drop_draft(newest_first[1].id).expect("removes");
    assert_eq!(store.drafts().expect("reads"), [newest_first[0].clone(), newest_first[2].clone()]);
}

fn erasing_leaves_an_empty_store<S: Store>(store: &mut S) {
    store.set_meta(Key::Nonce, b"one").expect("writes");
    store.put_entry(&entry(1, Some(DOCUMENT))).expect("writes");
    store.put_projection(&projection(1, 1)).expect("writes");
    store.put_draft(&DraftRecord { id: Uuid::nil(), at: Millis(1), body: vec![1] }).expect("writes");
    transaction::<_, _, StoreError>(store, Store::erase).expect("erases");
    assert_eq!(store.meta(Key::Nonce).expect("reads"), None);
    assert_eq!(store.entries_of(SCOPE, DOCUMENT).expect("reads"), []);
    assert_eq!(store.projections(Kind::VISIT).expect("reads"), []);
    assert_eq!(store.drafts().expect("reads"), []);
}
