//! Where everything is in a document's changes.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::past::Past;
use crate::{
    change::{Change, KeyPath, NOTES, OpId, Put, STATUS},
    id::{Actor, ChangeHash},
};

/// Changes are named by their place in the order they were applied in.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) places: BTreeMap<ChangeHash, usize>,
    /// Each actor's changes, by sequence − 1.
    pub(super) actors: BTreeMap<Actor, Vec<usize>>,
    pub(super) keys: BTreeMap<String, Vec<Placed>>,
    /// The changes that touched each note.
    pub(super) notes: BTreeMap<Uuid, Vec<usize>>,
    pub(super) heads: BTreeSet<ChangeHash>,
    pub(super) ops: usize,
    pub(super) bytes: usize,
    pasts: Vec<Past>,
}

/// An op on some key, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) id: OpId,
    pub(super) change: usize,
    pub(super) put: usize,
    pub(super) superseded_by: Vec<usize>,
}

impl<'a> FromIterator<&'a Change> for Index {
    fn from_iter<T: IntoIterator<Item = &'a Change>>(changes: T) -> Self {
        let mut index = Self::new();
        changes.into_iter().for_each(|change| index.add(change));
        index
    }
}

impl Index {
    /// Of no changes.
    pub(super) const fn new() -> Self {
        Self {
            places: BTreeMap::new(),
            actors: BTreeMap::new(),
            keys: BTreeMap::new(),
            notes: BTreeMap::new(),
            heads: BTreeSet::new(),
            ops: 0,
            bytes: 0,
            pasts: Vec::new(),
        }
    }

    /// Follows the next change applied.
    pub(super) fn add(&mut self, change: &Change) {
        let place = self.pasts.len();
        let mut past = self.past_of(change.dependencies());
        past.add(place);
        for (at, put) in change.puts().iter().enumerate() {
            self.place(place, at, change.op_id(at), put);
        }
        for dependency in change.dependencies() {
            self.heads.remove(dependency);
        }
        self.heads.insert(change.hash());
        self.places.insert(change.hash(), place);
        self.actors.entry(change.actor()).or_default().push(place);
        self.ops += change.puts().len();
        self.bytes += change.chunk().len();
        self.pasts.push(past);
    }

    fn place(&mut self, change: usize, put_at: usize, id: OpId, put: &Put) {
        if let Some((id, _)) = of_note(&put.key) {
            self.notes.entry(id).or_default().push(change);
        }
        let ops = self.keys.entry(put.key.clone()).or_default();
        for predecessor in &put.predecessors {
            // Mostly the last one.
            if let Some(op) = ops.iter_mut().rev().find(|op| op.id == *predecessor) {
                op.superseded_by.push(change);
            }
        }
        ops.push(Placed { id, change, put: put_at, superseded_by: Vec::new() });
    }

    pub(super) fn past_of(&self, dependencies: &[ChangeHash]) -> Past {
        let places = dependencies.iter().filter_map(|hash| self.places.get(hash));
        places.filter_map(|place| self.pasts.get(*place)).fold(Past::default(), Past::union)
    }

    pub(super) fn ops_of(&self, key: &str) -> &[Placed] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// The ops on `key` that are in `past` and not superseded there, ascending.
    ///
    /// A put replaces all that is live in its past, and ops stand in a causal order: from the last one on, each that is found
    /// hides its own past, and once all of `past` is hidden there is no other. Mostly that is so after the first one.
    pub(super) fn live_in(&self, key: &str, past: &Past) -> impl Iterator<Item = &Placed> {
        let (mut live, mut hidden) = (Vec::new(), Past::default());
        for op in self.ops_of(key).iter().rev() {
            if !past.holds(op.change) || hidden.holds(op.change) {
                continue;
            }
            live.push(op);
            hidden = self.pasts.get(op.change).map_or(Past::default(), |own| hidden.union(own));
            if past.is_within(&hidden, op.change) {
                break;
            }
        }
        live.sort_unstable_by_key(|op| op.id);
        live.into_iter()
    }
}

/// The note whose content this key holds: everything but its status.
pub(super) fn written_note(key: &str) -> Option<Uuid> {
    of_note(key).filter(|(_, field)| *field != STATUS).map(|(id, _)| id)
}

/// The note that this key belongs to, and what of it. Few keys do, so that most are told by their first letters.
fn of_note(key: &str) -> Option<(Uuid, &str)> {
    match key.starts_with(NOTES).then(|| KeyPath::parse(key))?? {
        KeyPath::Item { collection: NOTES, id, field } => Some((id, field)),
        KeyPath::Item { .. } | KeyPath::Field(_) | KeyPath::Witness { .. } => None,
    }
}
