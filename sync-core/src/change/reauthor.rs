//! Keeps every word where an actor's numbers were used twice: the same edits under a new actor.

use std::collections::BTreeMap;

use super::{Change, ChangeError, ChangeParts, KeyPath, OpId, Put};
use crate::id::{Actor, ChangeHash};

/// Writes `changes` anew under the actor `to`.
///
/// `changes` are by `from`, in causal order: all that follow its last accepted change. Their ops have counters from
/// `first_op_not_accepted` on, and predecessors naming one of those are renamed with them. `to` must be new in the
/// document: its sequence starts at 1. `renamed` maps the hashes of changes that were themselves written anew before;
/// each of `changes` is added to the mapping, other dependencies stay as they are.
///
/// Where the replica changes too, `witness/<old>/…` becomes `witness/<new>/…`; what the old replica had accepted there
/// stays its own.
pub fn reauthor(
    changes: &[Change],
    from: Actor,
    to: Actor,
    first_op_not_accepted: u64,
    renamed: &BTreeMap<ChangeHash, ChangeHash>,
) -> Result<Vec<Change>, ChangeError> {
    let author = Reauthor { from, to, first_op_not_accepted };
    let mut renamed = renamed.clone();
    (1..)
        .zip(changes)
        .map(|(sequence, change)| {
            let dependencies = change.dependencies();
            let parts = ChangeParts {
                actor: to,
                sequence,
                start_op: change.start_op(),
                dependencies: dependencies.iter().map(|hash| *renamed.get(hash).unwrap_or(hash)).collect(),
                puts: change.puts().iter().map(|put| author.put(put)).collect(),
            };
            let written = Change::build(parts)?;
            renamed.insert(change.hash(), written.hash());
            Ok(written)
        })
        .collect()
}

struct Reauthor {
    from: Actor,
    to: Actor,
    first_op_not_accepted: u64,
}

impl Reauthor {
    fn put(&self, put: &Put) -> Put {
        let moved = match KeyPath::parse(&put.key) {
            Some(KeyPath::Witness { replica, field }) if replica == self.from.replica && replica != self.to.replica => {
                Some(KeyPath::Witness { replica: self.to.replica, field }.to_key())
            }
            Some(KeyPath::Witness { .. } | KeyPath::Field(_) | KeyPath::Item { .. }) | None => None,
        };
        // An accepted op on the old witness key is no predecessor on the new one.
        let kept = put.predecessors.iter().filter(|op| moved.is_none() || self.is_renamed(op));
        let predecessors = kept.map(|op| self.op(op)).collect();
        Put { key: moved.unwrap_or_else(|| put.key.clone()), value: put.value.clone(), predecessors }
    }

    fn is_renamed(&self, op: &OpId) -> bool {
        op.actor == self.from && op.counter >= self.first_op_not_accepted
    }

    fn op(&self, op: &OpId) -> OpId {
        OpId { counter: op.counter, actor: if self.is_renamed(op) { self.to } else { op.actor } }
    }
}
