//! A small world of devices, each with an Automerge of its own, that edit and merge.
#![allow(dead_code, missing_docs, clippy::unwrap_used, reason = "shared by tests, each of which uses a part")]

use aralau_sync_core::{
    change::{Change, Value},
    id::{Actor, ChangeHash, ReplicaId},
};
use automerge::{ActorId, Automerge, ROOT, ReadDoc, ScalarValue, transaction::Transactable};
use proptest::prelude::*;

pub const DEVICES: u8 = 4;

pub fn actor(number: u8) -> Actor {
    Actor { replica: ReplicaId([number + 1; 14]), generation: 0 }
}

pub fn automerge_actor(actor: Actor) -> ActorId {
    ActorId::from(actor.to_bytes())
}

pub fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Null => ScalarValue::Null,
        Value::Boolean(flag) => ScalarValue::Boolean(*flag),
        Value::Int(number) => ScalarValue::Int(*number),
        Value::Uint(number) => ScalarValue::Uint(*number),
        Value::Float(number) => ScalarValue::F64(*number),
        Value::Text(text) => ScalarValue::Str(text.into()),
        Value::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
        Value::Timestamp(number) => ScalarValue::Timestamp(*number),
    }
}

#[derive(Debug, Clone)]
pub enum Step {
    Edit { device: u8, puts: Vec<(String, Value)> },
    Merge { from: u8, into: u8 },
    Reload { device: u8 },
}

pub fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        (any::<i64>(), 0_u32..64).prop_map(|(number, shift)| Value::Int(number >> shift)),
        (any::<u64>(), 0_u32..64).prop_map(|(number, shift)| Value::Uint(number >> shift)),
        // Automerge takes the two zeros for one value when it looks for edits that change nothing.
        prop::num::f64::NORMAL.prop_map(Value::Float),
        "\\PC{0,20}".prop_map(Value::Text),
        prop::sample::select(vec!["contacted", "refused"]).prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        (any::<i64>(), 0_u32..64).prop_map(|(number, shift)| Value::Timestamp(number >> shift)),
    ]
}

fn keys() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "outcome".to_owned(),
        "visit_type".to_owned(),
        "place".to_owned(),
        "concerns/0f8fad5b-d9cb-469f-a165-70867728950e/category".to_owned(),
        "concerns/7c9e6679-7425-40de-944b-e07fc1f90ae7/status".to_owned(),
    ])
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let puts = prop::collection::btree_map(keys(), values(), 1..4).prop_map(|puts| puts.into_iter().collect());
    let step = prop_oneof![
        5 => (0..DEVICES, puts).prop_map(|(device, puts)| Step::Edit { device, puts }),
        3 => (0..DEVICES, 0..DEVICES).prop_map(|(from, into)| Step::Merge { from, into }),
        1 => (0..DEVICES).prop_map(|device| Step::Reload { device }),
    ];
    prop::collection::vec(step, 1..24)
}

pub struct World {
    pub documents: Vec<Automerge>,
}

impl World {
    pub fn new() -> Self {
        Self {
            documents: (0..DEVICES).map(|number| Automerge::new().with_actor(automerge_actor(actor(number)))).collect(),
        }
    }

    /// Every device's edits, merged at the end.
    pub fn play(steps: &[Step]) -> Automerge {
        let mut world = Self::new();
        for step in steps {
            world.step(step);
        }
        world.merged()
    }

    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Edit { device, puts } => {
                self.edit(*device, puts);
            }
            Step::Merge { from, into } => self.merge(*from, *into),
            Step::Reload { device } => self.reload(*device),
        }
    }

    /// The chunk of the change that Automerge made, if any.
    pub fn edit(&mut self, device: u8, puts: &[(String, Value)]) -> Option<Vec<u8>> {
        let document = &mut self.documents[usize::from(device)];
        let mut puts = puts.to_vec();
        puts.retain(|(key, value)| !resolves_to_winner(document, key, value));
        if document.get_heads().is_empty() {
            puts.push(("nonce".to_owned(), Value::Bytes(vec![device; 16])));
        }
        let mut transaction = document.transaction();
        for (key, value) in &puts {
            transaction.put(ROOT, key.as_str(), scalar(value)).unwrap();
        }
        let (hash, _) = transaction.commit();
        hash?;
        Some(document.get_last_local_change().unwrap().raw_bytes().to_vec())
    }

    pub fn merge(&mut self, from: u8, into: u8) {
        if from != into {
            let mut source = self.documents[usize::from(from)].clone();
            self.documents[usize::from(into)].merge(&mut source).unwrap();
        }
    }

    pub fn reload(&mut self, device: u8) {
        let document = &mut self.documents[usize::from(device)];
        *document = Automerge::load(&document.save()).unwrap().with_actor(automerge_actor(actor(device)));
    }

    pub fn merged(mut self) -> Automerge {
        for device in 1..DEVICES {
            self.merge(device, 0);
        }
        self.documents.swap_remove(0)
    }
}

/// Where Automerge would write a delete.
pub fn resolves_to_winner(document: &Automerge, key: &str, value: &Value) -> bool {
    let all = document.get_all(ROOT, key).unwrap();
    all.len() > 1 && all.last().is_some_and(|(winner, _)| winner.as_scalar() == Some(&scalar(value)))
}

pub fn changes_of(document: &Automerge) -> Vec<Change> {
    document.get_changes(&[]).iter().map(|change| Change::from_chunk(change.raw_bytes()).unwrap()).collect()
}

/// Another causal order of `changes`, chosen by `choices`.
pub fn reordered(changes: &[Change], choices: &[prop::sample::Index]) -> Vec<Change> {
    let mut waiting = changes.to_vec();
    let mut ordered: Vec<Change> = Vec::new();
    let mut choices = choices.iter().cycle();
    while !waiting.is_empty() {
        let ready: Vec<usize> = (0..waiting.len())
            .filter(|at| {
                let known = |hash: &ChangeHash| ordered.iter().any(|change| change.hash() == *hash);
                waiting[*at].dependencies().iter().all(known)
            })
            .collect();
        let chosen = ready[choices.next().unwrap().index(ready.len())];
        ordered.push(waiting.remove(chosen));
    }
    ordered
}
