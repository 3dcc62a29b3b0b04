//! Random operations against a model that could not be simpler: lists, looked through from end to end.

use std::cmp::Reverse;

use aralau_sync_core::{
    id::{ContentHash, DocumentId, EntryHash, HeaderHash, Kind, PublicKey, ReplicaId, ScopeId, Signature},
    log::RowKind,
    stream::{Head, Link, Seen, StreamId, Tip},
    time::Millis,
};
use proptest::{prelude::*, test_runner::TestRunner};
use uuid::Uuid;

use super::super::{
    Decided, DraftRecord, EntryId, EntryRecord, Key, MarkRecord, OrphanRecord, ProjectionRecord, ReceiptRecord,
    RowRecord, ScopeRecord, Store, StreamRecord, Summary,
};
use crate::alarm::{AlarmCode, AlarmRecord};

const MAX_OPERATIONS: usize = 60;
const CASES: u32 = 96;
/// Of scopes, replicas, documents and other small sets: few enough that operations meet.
const SMALL: u8 = 3;
const LAST_INDEX: u64 = 5;

/// One call of the store.
#[derive(Debug, Clone)]
enum Operation {
    Begin,
    Commit,
    Rollback,
    /// The process ends and another one begins.
    Reopen,
    SetMeta(Key, Vec<u8>),
    PutScope(ScopeRecord),
    PutStream(ScopeId, StreamRecord),
    PutEntry(EntryRecord),
    DropEntry(EntryId),
    PutRow(ScopeId, RowRecord),
    DropRowsAfter(ScopeId, u64),
    PutOrphan(OrphanRecord),
    DropOrphan(OrphanRecord),
    PutProjection(ProjectionRecord),
    DropProjection(ScopeId, DocumentId),
    PutReceipt(ReceiptRecord),
    PutAlarm(AlarmRecord),
    PutDraft(DraftRecord),
    DropDraft(Uuid),
    Erase,
}

/// What a store should hold.
#[derive(Debug, Clone, Default)]
struct Model {
    meta: Vec<(Key, Vec<u8>)>,
    scopes: Vec<ScopeRecord>,
    streams: Vec<(ScopeId, StreamRecord)>,
    entries: Vec<EntryRecord>,
    rows: Vec<(ScopeId, RowRecord)>,
    orphans: Vec<OrphanRecord>,
    projections: Vec<ProjectionRecord>,
    receipts: Vec<ReceiptRecord>,
    alarms: Vec<AlarmRecord>,
    drafts: Vec<DraftRecord>,
    /// As it was when the transaction began.
    before: Option<Box<Self>>,
}

/// Plays random operations on a fresh store and on the model, and compares all that can be read after each.
pub fn agrees_with_the_model<S: Store>(open: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let played = runner.run(&prop::collection::vec(operation(), 1..MAX_OPERATIONS), |operations| {
        let (mut store, mut model) = (open(), Model::default());
        for operation in operations {
            if matches!(operation, Operation::Reopen) {
                store = reopen(store);
                model.end(false);
            } else if model.allows(&operation) {
                apply(&mut store, &operation);
                model.apply(&operation);
            }
            compare(&store, &model)?;
        }
        Ok(())
    });
    played.unwrap_or_else(|error| panic!("{error}"));
}

fn apply(store: &mut impl Store, operation: &Operation) {
    let done = match operation.clone() {
        Operation::Begin => store.begin(),
        Operation::Commit => store.commit(),
        Operation::Rollback => {
            store.rollback();
            Ok(())
        }
        Operation::Reopen => Ok(()),
        Operation::SetMeta(key, value) => store.set_meta(key, &value),
        Operation::PutScope(record) => store.put_scope(&record),
        Operation::PutStream(scope, record) => store.put_stream(scope, &record),
        Operation::PutEntry(record) => store.put_entry(&record),
        Operation::DropEntry(id) => store.drop_entry(id),
        Operation::PutRow(scope, record) => store.put_row(scope, &record),
        Operation::DropRowsAfter(scope, sequence) => store.drop_rows_after(scope, sequence),
        Operation::PutOrphan(record) => store.put_orphan(&record),
        Operation::DropOrphan(record) => store.drop_orphan(&record),
        Operation::PutProjection(record) => store.put_projection(&record),
        Operation::DropProjection(scope, document) => store.drop_projection(scope, document),
        Operation::PutReceipt(record) => store.put_receipt(&record),
        Operation::PutAlarm(record) => store.put_alarm(&record),
        Operation::PutDraft(record) => store.put_draft(&record),
        Operation::DropDraft(id) => store.drop_draft(id),
        Operation::Erase => store.erase(),
    };
    done.unwrap_or_else(|error| panic!("{operation:?}: {error}"));
}

/// Replaces what is the same, or adds.
fn put<T>(list: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) {
    list.retain(|known| !same(known, &new));
    list.push(new);
}

fn sorted<T: Clone, K: Ord>(list: &[T], keep: impl Fn(&T) -> bool, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut kept: Vec<T> = list.iter().filter(|item| keep(item)).cloned().collect();
    kept.sort_by_key(key);
    kept
}

impl Model {
    /// Transactions do not nest, and end only where they began.
    fn allows(&self, operation: &Operation) -> bool {
        if matches!(operation, Operation::Commit | Operation::Rollback) {
            return self.before.is_some();
        }
        !matches!(operation, Operation::Begin) || self.before.is_none()
    }

    fn end(&mut self, keep: bool) {
        if let Some(before) = self.before.take()
            && !keep
        {
            *self = *before;
        }
    }

    fn apply(&mut self, operation: &Operation) {
        match operation.clone() {
            Operation::Begin => self.before = Some(Box::new(self.clone())),
            Operation::Commit => self.end(true),
            Operation::Rollback => self.end(false),
            Operation::Reopen => {}
            Operation::SetMeta(key, value) => put(&mut self.meta, (key, value), |a, b| a.0 == b.0),
            Operation::PutScope(record) => put(&mut self.scopes, record, |a, b| a.scope == b.scope),
            Operation::PutStream(scope, record) => {
                put(&mut self.streams, (scope, record), |a, b| (a.0, a.1.replica) == (b.0, b.1.replica));
            }
            Operation::PutEntry(record) => put(&mut self.entries, record, |a, b| a.id == b.id),
            Operation::DropEntry(id) => self.entries.retain(|entry| entry.id != id),
            Operation::PutRow(scope, record) => {
                put(&mut self.rows, (scope, record), |a, b| (a.0, a.1.sequence) == (b.0, b.1.sequence));
            }
            Operation::DropRowsAfter(scope, sequence) => {
                self.rows.retain(|(of, row)| *of != scope || row.sequence <= sequence);
            }
            Operation::PutOrphan(record) => put(&mut self.orphans, record, |a, b| (a.id, a.hash) == (b.id, b.hash)),
            Operation::DropOrphan(record) => {
                self.orphans.retain(|orphan| (orphan.id, orphan.hash) != (record.id, record.hash));
            }
            Operation::PutProjection(record) => {
                put(&mut self.projections, record, |a, b| (a.document, a.scope) == (b.document, b.scope));
            }
            Operation::DropProjection(scope, document) => {
                self.projections.retain(|known| (known.scope, known.document) != (scope, document));
            }
            Operation::PutReceipt(record) => {
                put(&mut self.receipts, record, |a, b| (a.scope, a.epoch, a.size) == (b.scope, b.epoch, b.size));
            }
            Operation::PutAlarm(record) => self.put_alarm(record),
            Operation::PutDraft(record) => put(&mut self.drafts, record, |a, b| a.id == b.id),
            Operation::DropDraft(id) => self.drafts.retain(|draft| draft.id != id),
            Operation::Erase => *self = Self { before: self.before.take(), ..Self::default() },
        }
    }

    fn put_alarm(&mut self, mut record: AlarmRecord) {
        let same = |a: &AlarmRecord, b: &AlarmRecord| (a.code, a.scope, &a.detail) == (b.code, b.scope, &b.detail);
        record.count += self.alarms.iter().find(|known| same(known, &record)).map_or(0, |known| known.count);
        put(&mut self.alarms, record, same);
    }

    fn entries(&self, keep: impl Fn(&EntryRecord) -> bool) -> Vec<EntryRecord> {
        sorted(&self.entries, keep, |entry| (entry.id.stream.replica, entry.id.index))
    }

    fn rows(&self, scope: ScopeId, keep: impl Fn(&RowRecord) -> bool) -> Vec<RowRecord> {
        let rows = sorted(&self.rows, |(of, row)| *of == scope && keep(row), |(_, row)| row.sequence);
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// Everything that can be asked.
fn compare(store: &impl Store, model: &Model) -> Result<(), TestCaseError> {
    const KEYS: [Key; 5] = [Key::Replica, Key::ClosedReplicas, Key::Enrollment, Key::Nonce, Key::SkewMs];
    for key in KEYS {
        let known = model.meta.iter().find(|(of, _)| *of == key).map(|(_, value)| value.clone());
        prop_assert_eq!(store.meta(key).expect("reads"), known);
    }
    prop_assert_eq!(store.scopes().expect("reads"), sorted(&model.scopes, |_| true, |scope| scope.scope));
    let alarms = sorted(&model.alarms, |_| true, |alarm| (alarm.code.code(), alarm.scope, alarm.detail.clone()));
    prop_assert_eq!(store.alarms().expect("reads"), alarms);
    let drafts = sorted(&model.drafts, |_| true, |draft| (Reverse(draft.at), draft.id));
    prop_assert_eq!(store.drafts().expect("reads"), drafts);
    for number in 0..SMALL {
        compare_scope(store, model, scope_id(number))?;
        let document = document_id(number);
        let projections = sorted(&model.projections, |known| known.document == document, |known| known.scope);
        prop_assert_eq!(store.projections_of(document).expect("reads"), projections);
        let kind = Kind(u16::from(number));
        let newest = newest_first(model, |known| known.kind == kind);
        prop_assert_eq!(store.projections(kind).expect("reads"), newest.clone());
        let behind = newest.first().map(|first| (first.at, first.document, first.scope));
        let rest: Vec<_> = newest.into_iter().skip(usize::from(behind.is_some())).take(2).collect();
        prop_assert_eq!(store.projections_behind(kind, behind, 2).expect("reads"), rest);
        let at_place = newest_first(model, |known| known.summary.place == Some(document));
        prop_assert_eq!(store.projections_at(document).expect("reads"), at_place);
    }
    prop_assert_eq!(store.projections_asking().expect("reads"), newest_first(model, |known| known.summary.asks));
    let mut marks: Vec<_> = newest_first(model, |_| true).into_iter().filter_map(mark).collect();
    marks.sort_by_key(|mark| mark.place);
    prop_assert_eq!(store.marks().expect("reads"), marks);
    Ok(())
}

fn newest_first(model: &Model, keep: impl Fn(&ProjectionRecord) -> bool) -> Vec<ProjectionRecord> {
    sorted(&model.projections, keep, |a| Reverse((a.at, a.document, a.scope)))
}

fn mark(record: ProjectionRecord) -> Option<MarkRecord> {
    let (at, document) = (record.at, record.document);
    let Summary { place, outcome, due, asks: _ } = record.summary;
    Some(MarkRecord { place: place?, at, document, outcome, due })
}

fn compare_scope(store: &impl Store, model: &Model, scope: ScopeId) -> Result<(), TestCaseError> {
    let known = model.scopes.iter().find(|known| known.scope == scope).cloned();
    prop_assert_eq!(store.scope(scope).expect("reads"), known);
    let streams = sorted(&model.streams, |(of, _)| *of == scope, |(_, stream)| stream.replica);
    let streams: Vec<_> = streams.into_iter().map(|(_, stream)| stream).collect();
    prop_assert_eq!(store.streams(scope).expect("reads"), streams);
    let orphans = sorted(&model.orphans, |orphan| orphan.id.stream.scope == scope, |a| (a.id, a.hash));
    prop_assert_eq!(store.orphans(scope).expect("reads"), orphans);
    let receipts = sorted(&model.receipts, |receipt| receipt.scope == scope, |a| (a.epoch, a.size));
    prop_assert_eq!(store.receipts(scope).expect("reads"), receipts);
    for number in 0..SMALL {
        let document = document_id(number);
        let of_it = |entry: &EntryRecord| entry.id.stream.scope == scope && entry.document == Some(document);
        prop_assert_eq!(store.entries_of(scope, document).expect("reads"), model.entries(of_it));
        compare_stream(store, model, StreamId { replica: replica(number), scope })?;
    }
    for sequence in 0..=LAST_INDEX {
        let one = model.rows(scope, |row| row.sequence == sequence).pop();
        prop_assert_eq!(store.row(scope, sequence).expect("reads"), one);
        let limit = usize::try_from(sequence).expect("small");
        let mut rows = model.rows(scope, |row| row.sequence > sequence);
        rows.truncate(limit);
        prop_assert_eq!(store.rows_after(scope, sequence, limit).expect("reads"), rows);
    }
    prop_assert_eq!(store.rows_after(scope, 0, usize::MAX).expect("reads"), model.rows(scope, |_| true));
    Ok(())
}

fn compare_stream(store: &impl Store, model: &Model, stream: StreamId) -> Result<(), TestCaseError> {
    for index in 0..=LAST_INDEX {
        let id = EntryId { stream, index };
        prop_assert_eq!(store.entry(id).expect("reads"), model.entries(|entry| entry.id == id).pop());
        let about = |row: &RowRecord| row.entry == Some((stream.replica, index));
        prop_assert_eq!(store.rows_of(id).expect("reads"), model.rows(stream.scope, about));
    }
    for (index, limit) in [(0, usize::MAX), (0, 2), (2, 1), (LAST_INDEX, 9)] {
        let mut entries = model.entries(|entry| entry.id.stream == stream && entry.id.index > index);
        entries.truncate(limit);
        prop_assert_eq!(store.entries_after(stream, index, limit).expect("reads"), entries);
    }
    Ok(())
}

fn scope_id(number: u8) -> ScopeId {
    ScopeId::from_bytes([[0, 7, 0xff][usize::from(number)]; 16])
}

fn document_id(number: u8) -> DocumentId {
    DocumentId::from_bytes([[0, 9, 0xff][usize::from(number)]; 16])
}

fn replica(number: u8) -> ReplicaId {
    ReplicaId([[0, 5, 0xff][usize::from(number)]; 14])
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => Just(Operation::Begin),
        4 => Just(Operation::Commit),
        2 => Just(Operation::Rollback),
        1 => Just(Operation::Reopen),
        2 => (keys(), bytes()).prop_map(|(key, value)| Operation::SetMeta(key, value)),
        3 => scope_record().prop_map(Operation::PutScope),
        3 => (scopes(), stream_record()).prop_map(|(scope, record)| Operation::PutStream(scope, record)),
        8 => entry_record().prop_map(Operation::PutEntry),
        2 => entry_id().prop_map(Operation::DropEntry),
        8 => (scopes(), row_record()).prop_map(|(scope, record)| Operation::PutRow(scope, record)),
        2 => (scopes(), 0..=LAST_INDEX).prop_map(|(scope, sequence)| Operation::DropRowsAfter(scope, sequence)),
        3 => orphan_record().prop_map(Operation::PutOrphan),
        2 => orphan_record().prop_map(Operation::DropOrphan),
        4 => projection_record().prop_map(Operation::PutProjection),
        2 => (scopes(), documents()).prop_map(|(scope, document)| Operation::DropProjection(scope, document)),
        3 => receipt_record().prop_map(Operation::PutReceipt),
        4 => alarm_record().prop_map(Operation::PutAlarm),
        3 => draft_record().prop_map(Operation::PutDraft),
        2 => draft_ids().prop_map(Operation::DropDraft),
        1 => Just(Operation::Erase),
    ]
}

fn draft_ids() -> impl Strategy<Value = Uuid> {
    (0..SMALL).prop_map(|number| Uuid::from_u128(number.into()))
}

fn draft_record() -> impl Strategy<Value = DraftRecord> {
    (draft_ids(), 0_i64..3, bytes()).prop_map(|(id, at, body)| DraftRecord { id, at: Millis(at), body })
}

fn scopes() -> impl Strategy<Value = ScopeId> {
    (0..SMALL).prop_map(scope_id)
}

fn documents() -> impl Strategy<Value = DocumentId> {
    (0..SMALL).prop_map(document_id)
}

fn replicas() -> impl Strategy<Value = ReplicaId> {
    (0..SMALL).prop_map(replica)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..4)
}

fn hashes() -> impl Strategy<Value = EntryHash> {
    (0..SMALL).prop_map(|number| EntryHash([number; 32]))
}

fn tips() -> impl Strategy<Value = Tip> {
    (0..=LAST_INDEX, hashes()).prop_map(|(index, hash)| Tip { index, hash })
}

fn keys() -> impl Strategy<Value = Key> {
    prop::sample::select(vec![Key::Replica, Key::ClosedReplicas, Key::Enrollment, Key::Nonce, Key::SkewMs])
}

fn kinds() -> impl Strategy<Value = RowKind> {
    (1_u8..=5).prop_map(|number| RowKind::from_number(number).expect("a kind"))
}

fn entry_id() -> impl Strategy<Value = EntryId> {
    (scopes(), replicas(), 1..=LAST_INDEX)
        .prop_map(|(scope, replica, index)| EntryId { stream: StreamId { replica, scope }, index })
}

fn scope_record() -> impl Strategy<Value = ScopeRecord> {
    (scopes(), any::<bool>(), 0_u64..9, tips(), tips()).prop_map(|(scope, granted, number, tip, decided)| {
        let cursor = Seen { epoch: number, sequence: number + 1 };
        ScopeRecord {
            granted,
            cursor,
            verified: number,
            backed_up: number / 2,
            tip,
            decided,
            ..ScopeRecord::new(scope)
        }
    })
}

fn stream_record() -> impl Strategy<Value = StreamRecord> {
    let heads = || prop::option::of(tips().prop_map(|tip| Head { tip, signature: Signature([7; 64]) }));
    (replicas(), 0..SMALL, "[а-я]{0,3}", tips(), heads(), heads(), prop::option::of(bytes())).prop_map(
        |(replica, key, person, tip, head, offer, introduction)| StreamRecord {
            replica,
            key: PublicKey([key; 33]),
            person,
            tip,
            head,
            offer,
            introduction,
        },
    )
}

fn entry_record() -> impl Strategy<Value = EntryRecord> {
    let link = prop_oneof![
        (bytes(), bytes()).prop_map(|(header, body)| Link::Full { header, body }),
        (0..SMALL).prop_map(|n| Link::Hollow { header: HeaderHash([n; 32]), content: ContentHash([n; 32]) }),
    ];
    let decided = prop::option::of((kinds(), 1_u64..9).prop_map(|(kind, row)| Decided { kind, row }));
    (entry_id(), hashes(), link, prop::option::of(documents()), decided)
        .prop_map(|(id, hash, link, document, decided)| EntryRecord { id, hash, link, document, decided })
}

fn row_record() -> impl Strategy<Value = RowRecord> {
    let entry = prop::option::of((replicas(), 1..=LAST_INDEX));
    (1..=LAST_INDEX, kinds(), any::<i64>(), entry, hashes(), bytes()).prop_map(
        |(sequence, kind, at, entry, hash, verdict)| RowRecord {
            sequence,
            kind,
            received_at: Millis(at),
            entry,
            hash,
            verdict,
        },
    )
}

fn orphan_record() -> impl Strategy<Value = OrphanRecord> {
    (entry_id(), hashes(), bytes(), bytes(), documents()).prop_map(|(id, hash, header, body, document)| OrphanRecord {
        id,
        hash,
        header,
        body,
        document,
    })
}

fn projection_record() -> impl Strategy<Value = ProjectionRecord> {
    let summary = (proptest::option::of(documents()), any::<bool>()).prop_map(|(place, asks)| Summary {
        place,
        outcome: asks.then(|| "moved".to_owned()),
        due: place.map(|_| "2026-12-31".to_owned()),
        asks,
    });
    (scopes(), documents(), 0..SMALL, -2_i64..3, summary, bytes()).prop_map(
        |(scope, document, kind, at, summary, body)| ProjectionRecord {
            scope,
            document,
            kind: Kind(u16::from(kind)),
            at: Millis(at),
            summary,
            body,
        },
    )
}

fn receipt_record() -> impl Strategy<Value = ReceiptRecord> {
    (scopes(), 0_u64..3, 0_u64..3, "[a-z]{0,3}").prop_map(|(scope, epoch, size, note)| ReceiptRecord {
        scope,
        epoch,
        size,
        note,
    })
}

fn alarm_record() -> impl Strategy<Value = AlarmRecord> {
    (prop::sample::select(AlarmCode::ALL.to_vec()), prop::option::of(scopes()), "[ab]{0,1}", any::<i64>())
        .prop_map(|(code, scope, detail, at)| AlarmRecord { code, scope, detail, at: Millis(at), count: 1 })
}
