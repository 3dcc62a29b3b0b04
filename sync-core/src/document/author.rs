//! Writing the next change of a document.

use super::{Document, Refusal, past::Past};
use crate::{
    change::{Change, ChangeError, ChangeParts, MAX_DEPENDENCIES, Put, Value},
    id::Actor,
};

/// Why an edit cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorError {
    /// The edit itself is not allowed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The document does not take it.
    #[error(transparent)]
    Document(#[from] Refusal),
}

impl Document {
    /// The change with which `actor` begins a document, whatever others may write under the same id.
    pub fn begin(actor: Actor, puts: &[(String, Value)]) -> Result<Change, AuthorError> {
        let put =
            |(key, value): &(String, Value)| Put { key: key.clone(), value: value.clone(), predecessors: Vec::new() };
        let puts = puts.iter().map(put).collect();
        let change = Change::build(ChangeParts { actor, sequence: 1, start_op: 1, dependencies: Vec::new(), puts })?;
        Self::new().check(&change)?;
        Ok(change)
    }

    /// The change by which `actor` sets each key to its value, upon everything that is here; not yet applied. `None`
    /// where nothing would change.
    ///
    /// A put replaces all live values of its key, so that it resolves any conflict. These are Automerge's bytes for
    /// the same edit, with one difference: where a conflict is resolved to the value that already wins, Automerge
    /// would delete the losers, and this puts the value again, because nothing is ever deleted.
    ///
    /// Of more heads than a change may depend on, as many as it may are taken, and only what they know is replaced:
    /// the same edit again takes the next ones.
    pub fn author(&self, actor: Actor, puts: &[(String, Value)]) -> Result<Option<Change>, AuthorError> {
        let (last, own) = self.last_of(actor).unzip();
        // As Automerge does: one's own last change stands among the dependencies even where it is no head.
        let heads = self.index().heads.iter().copied().filter(|hash| Some(*hash) != own);
        let dependencies: Vec<_> = own.into_iter().chain(heads).take(MAX_DEPENDENCIES).collect();
        let past = self.index().past_of(&dependencies);
        let puts: Vec<Put> = puts.iter().filter_map(|(key, value)| self.put(key, value, &past)).collect();
        if puts.is_empty() {
            return Ok(None);
        }
        let change = Change::build(ChangeParts {
            actor,
            sequence: last.unwrap_or(0) + 1,
            start_op: self.max_op_of(&dependencies) + 1,
            dependencies,
            puts,
        })?;
        self.check(&change)?;
        Ok(Some(change))
    }

    fn put(&self, key: &str, value: &Value, past: &Past) -> Option<Put> {
        let unchanged = self.live_of(key);
        if !unchanged.is_empty() && unchanged.iter().all(|(_, current)| *current == value) {
            return None;
        }
        let predecessors = self.index().live_in(key, past).map(|op| op.id).collect();
        Some(Put { key: key.to_owned(), value: value.clone(), predecessors })
    }
}
