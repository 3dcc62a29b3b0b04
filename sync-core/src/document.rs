//! The accepted changes of one document, and the checks that need them.
//!
//! A document is named by (scope, document id); nothing outside of it is looked at. Every rule but the limits and
//! [`Refusal::Equivocation`] looks only at the causal past of the change (the closure of its dependencies), so every
//! replica decides alike whatever order changes arrive in.
//!
//! The predecessors of a put must be *exactly* the ops on its key that are live in that past: what an honest Automerge
//! writes. A predecessor that is missing, on another key, or outside of the past makes Automerge panic or save what it
//! cannot load.

mod author;
mod index;
mod past;
mod refusal;
#[cfg(test)]
mod tests;

pub use author::AuthorError;
pub use refusal::{Limit, Refusal};

use std::sync::OnceLock;

use crate::{
    change::{Change, MAX_OP_COUNTER, MAX_SEQUENCE, OpId, Put, Value},
    id::{Actor, ChangeHash},
};
use index::{Index, Placed, written_note};
use past::Past;

/// Changes in one document.
pub const MAX_DOCUMENT_CHANGES: usize = 4_096;
/// Ops in one document.
pub const MAX_DOCUMENT_OPS: usize = 50_000;
/// Bytes of all chunks of one document.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

const _: () = assert!(MAX_SEQUENCE == MAX_DOCUMENT_CHANGES as u64 && MAX_OP_COUNTER == MAX_DOCUMENT_OPS as u64);

/// What a document still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Changes.
    pub changes: usize,
    /// Ops.
    pub ops: usize,
    /// Bytes of chunks.
    pub bytes: usize,
}

impl Room {
    /// Whether `change` fits.
    pub fn fits(&self, change: &Change) -> bool {
        self.shortage(change).is_none()
    }

    fn shortage(&self, change: &Change) -> Option<Limit> {
        if self.changes == 0 {
            Some(Limit::Changes)
        } else if self.ops < change.puts().len() {
            Some(Limit::Ops)
        } else if self.bytes < change.chunk().len() {
            Some(Limit::Bytes)
        } else {
            None
        }
    }
}

/// The accepted changes of one document, enough to check the next.
#[derive(Debug, Clone, Default)]
pub struct Document {
    changes: Vec<Change>,
    /// Made when something asks for it beyond the first change: most documents never have another.
    index: OnceLock<Index>,
}

impl Document {
    /// Without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `change` may be applied next.
    pub fn check(&self, change: &Change) -> Result<(), Refusal> {
        if self.has(&change.hash()) {
            return Err(Refusal::AlreadyKnown);
        }
        let last = self.last_of(change.actor());
        let expected = last.map_or(0, |(sequence, _)| sequence) + 1;
        if change.sequence() < expected {
            return Err(Refusal::Equivocation);
        }
        if change.dependencies().is_empty() && !change.carries_nonce() {
            return Err(Refusal::NoNonce);
        }
        let missing: Vec<_> = change.dependencies().iter().filter(|hash| !self.has(hash)).copied().collect();
        if !missing.is_empty() {
            return Err(Refusal::MissingDependencies(missing));
        }
        if change.sequence() > expected {
            return Err(Refusal::SequenceGap { expected });
        }
        let past = self.index().past_of(change.dependencies());
        if last.is_some_and(|(_, own)| !self.index().places.get(&own).is_some_and(|place| past.holds(*place))) {
            return Err(Refusal::OmitsOwnPast);
        }
        let expected = self.max_op_of(change.dependencies()) + 1;
        if change.start_op() != expected {
            return Err(Refusal::WrongStartOp { expected });
        }
        for put in change.puts() {
            self.check_put(put, &past)?;
        }
        self.unused().shortage(change).map_or(Ok(()), |limit| Err(Refusal::DocumentFull(limit)))
    }

    /// Takes in a change that passed [`Self::check`]. One that is here already changes nothing; a dependency that is
    /// not here is passed over.
    pub fn apply(&mut self, change: Change) {
        if self.has(&change.hash()) {
            return;
        }
        if !self.changes.is_empty() {
            self.index();
        }
        if let Some(index) = self.index.get_mut() {
            index.add(&change);
        }
        self.changes.push(change);
    }

    /// [`Self::check`], then [`Self::apply`].
    pub fn accept(&mut self, change: Change) -> Result<(), Refusal> {
        self.check(&change)?;
        self.apply(change);
        Ok(())
    }

    /// Whether this change is here.
    pub fn has(&self, hash: &ChangeHash) -> bool {
        self.index().places.contains_key(hash)
    }

    /// The change of this name.
    pub fn get(&self, hash: &ChangeHash) -> Option<&Change> {
        self.index().places.get(hash).and_then(|place| self.changes.get(*place))
    }

    /// The changes that no other depends on, ascending.
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.index().heads.iter().copied().collect()
    }

    /// Every change, in the order applied, which is a causal one.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether there is no change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The actor's latest change: its sequence number and its hash.
    pub fn last_of(&self, actor: Actor) -> Option<(u64, ChangeHash)> {
        let change = self.changes.get(*self.index().actors.get(&actor)?.last()?)?;
        Some((change.sequence(), change.hash()))
    }

    /// The highest op in the causal past of `dependencies`, 0 where there is none.
    pub fn max_op_of(&self, dependencies: &[ChangeHash]) -> u64 {
        dependencies.iter().filter_map(|hash| self.get(hash)).map(Change::max_op).max().unwrap_or(0)
    }

    /// The live ops of each key with their values, the winner last: one, or all concurrent ones.
    pub fn live(&self) -> impl Iterator<Item = (&str, Vec<(OpId, &Value)>)> {
        self.index().keys.iter().map(|(key, ops)| (key.as_str(), self.live_among(ops)))
    }

    /// The live ops of one key with their values, the winner last.
    pub fn live_of(&self, key: &str) -> Vec<(OpId, &Value)> {
        self.live_among(self.index().ops_of(key))
    }

    /// What the document takes before a device should start a successor. A tenth is kept back, so that a conflict
    /// among the last changes can always be resolved; resolutions are bound only by [`Self::check`].
    pub fn room(&self) -> Room {
        const fn nine_tenths(limit: usize) -> usize {
            limit / 10 * 9
        }
        Room {
            changes: nine_tenths(MAX_DOCUMENT_CHANGES).saturating_sub(self.changes.len()),
            ops: nine_tenths(MAX_DOCUMENT_OPS).saturating_sub(self.index().ops),
            bytes: nine_tenths(MAX_DOCUMENT_BYTES).saturating_sub(self.index().bytes),
        }
    }

    fn unused(&self) -> Room {
        Room {
            changes: MAX_DOCUMENT_CHANGES.saturating_sub(self.changes.len()),
            ops: MAX_DOCUMENT_OPS.saturating_sub(self.index().ops),
            bytes: MAX_DOCUMENT_BYTES.saturating_sub(self.index().bytes),
        }
    }

    fn check_put(&self, put: &Put, past: &Past) -> Result<(), Refusal> {
        if let Some(id) = written_note(&put.key) {
            let touched =
                self.index().notes.get(&id).is_some_and(|places| places.iter().any(|place| past.holds(*place)));
            if touched || !put.predecessors.is_empty() {
                return Err(Refusal::ImmutableNote);
            }
        }
        let known = |op: &OpId| {
            self.index().ops_of(&put.key).iter().any(|placed| placed.id == *op && past.holds(placed.change))
        };
        if self.index().live_in(&put.key, past).map(|op| op.id).eq(put.predecessors.iter().copied()) {
            Ok(())
        } else if put.predecessors.iter().all(known) {
            Err(Refusal::StalePredecessors)
        } else {
            Err(Refusal::BadPredecessor)
        }
    }

    /// Of an empty document none is kept: it would be in the first change's way.
    fn index(&self) -> &Index {
        static EMPTY: Index = Index::new();
        if self.changes.is_empty() { &EMPTY } else { self.index.get_or_init(|| self.changes.iter().collect()) }
    }

    fn live_among(&self, ops: &[Placed]) -> Vec<(OpId, &Value)> {
        let live = ops.iter().filter(|op| op.superseded_by.is_empty());
        let mut values: Vec<_> = live.filter_map(|op| Some((op.id, self.value_of(op)?))).collect();
        values.sort_unstable_by_key(|(id, _)| *id);
        values
    }

    fn value_of(&self, op: &Placed) -> Option<&Value> {
        self.changes.get(op.change)?.puts().get(op.put).map(|put| &put.value)
    }
}
