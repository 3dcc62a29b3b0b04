//! The value of a document, with every conflict.
//!
//! Reading is total: changes that passed the checks of [`crate::document`] always have a value. Concurrent values of
//! one key are all kept, the winner first (every replica picks the same one); equal values are one candidate with
//! several authors.

mod automerge;

pub use automerge::export;

use std::{collections::BTreeMap, ops::Bound};

use serde::{Serialize, Serializer, ser::SerializeStruct};
use uuid::Uuid;

use crate::{
    change::{Change, KeyPath, NONCE, OpId, Value, WITNESS},
    document::{AuthorError, Document},
    id::{Actor, ChangeHash, ReplicaId},
    time::Millis,
};

/// Changes that did not pass the checks, or an Automerge that failed on ones that did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadingError {
    /// Some dependency is not among the changes.
    #[error("the changes are not causally closed")]
    MissingDependencies,
    /// Automerge refused, or answered with something outside of the profile.
    #[error("Automerge refused the changes")]
    Refused,
    /// Automerge panicked; the document is suspect, the process is not.
    #[error("Automerge panicked")]
    Panicked,
}

impl ReadingError {
    /// A stable name for logs, outcomes and quarantine.
    pub const fn code(self) -> &'static str {
        match self {
            Self::MissingDependencies => "reading_missing_dependencies",
            Self::Refused => "reading_refused",
            Self::Panicked => "reading_panicked",
        }
    }
}

/// A document's value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reading {
    /// By key.
    pub fields: BTreeMap<String, Field>,
}

/// What one key holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Field {
    /// The distinct values, the winner first. Never empty; more than one is a conflict.
    pub values: Vec<Candidate>,
}

/// One of the values that a key holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The value.
    pub value: Value,
    /// Who put it, the latest op first.
    pub authors: Vec<Authorship>,
}

/// Who wrote, when, and in which change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorship {
    /// Who.
    pub actor: Actor,
    /// The device's wall clock when the change was made.
    pub at: Millis,
    /// Where.
    pub change: ChangeHash,
}

impl Serialize for Authorship {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Authorship", 4)?;
        fields.serialize_field("replica", &self.actor.replica)?;
        fields.serialize_field("generation", &self.actor.generation)?;
        fields.serialize_field("at", &self.at)?;
        fields.serialize_field("change", &self.change)?;
        fields.end()
    }
}

impl Reading {
    /// The value after one first change ([`Change::is_first`]), straight from its ops.
    pub fn of_first(change: &Change, at: Millis) -> Self {
        let authorship = Authorship { actor: change.actor(), at, change: change.hash() };
        let fields = change.puts().iter().map(|put| {
            let candidate = Candidate { value: put.value.clone(), authors: vec![authorship] };
            (put.key.clone(), Field { values: vec![candidate] })
        });
        Self { fields: fields.collect() }
    }

    /// The value after all of `changes`, in any order, read through Automerge. They must have passed the checks.
    pub fn of<'a>(changes: impl IntoIterator<Item = (&'a Change, Millis)>) -> Result<Self, ReadingError> {
        let (changes, times): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
        let ops = automerge::live_ops(&changes)?;
        let stamps = Stamps::new(changes.into_iter().zip(times));
        let mut fields = BTreeMap::new();
        for (key, ops) in ops {
            let ops = ops.into_iter().map(|(id, value)| Some((stamps.of(id)?, value)));
            let ops: Vec<_> = ops.collect::<Option<_>>().ok_or(ReadingError::Refused)?;
            fields.insert(key, Field::of(ops));
        }
        Ok(Self { fields })
    }

    /// The value of a document from its own table of live ops, without Automerge: equal to [`Self::of`] and much
    /// cheaper. `at` tells each change's time.
    pub fn of_document(document: &Document, at: impl Fn(&ChangeHash) -> Millis) -> Self {
        let times = document.changes().iter().map(|change| (change, at(&change.hash())));
        let stamps = Stamps::new(times);
        let fields = document.live().map(|(key, ops)| {
            let ops = ops.into_iter().filter_map(|(id, value)| Some((stamps.of(id)?, value.clone())));
            (key.to_owned(), Field::of(ops.collect()))
        });
        Self { fields: fields.collect() }
    }

    /// The winning value of a key.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.fields.get(key).map(Field::winner)?
    }

    /// The winning value of a key, where it is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.value(key).and_then(Value::as_text)
    }

    /// The keys with two or more distinct values. Two [`NONCE`]s are none: they say nothing that anyone could resolve.
    pub fn conflicts(&self) -> impl Iterator<Item = (&str, &Field)> {
        let disputed = self.fields.iter().filter(|(key, field)| field.is_conflict() && key.as_str() != NONCE);
        disputed.map(|(key, field)| (key.as_str(), field))
    }

    /// The items of a collection, each with its fields.
    pub fn items(&self, collection: &str) -> BTreeMap<Uuid, BTreeMap<&str, &Field>> {
        let mut items = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (key, value) in self.below(collection) {
            if let Some(KeyPath::Item { id, field, .. }) = KeyPath::parse(key) {
                items.entry(id).or_default().insert(field, value);
            }
        }
        items
    }

    /// The keys that begin with a name and a slash.
    fn below(&self, name: &str) -> impl Iterator<Item = (&str, &Field)> {
        let prefix = format!("{name}/");
        let after = self.fields.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        let below = after.take_while(move |(key, _)| key.starts_with(&prefix));
        below.map(|(key, field)| (key.as_str(), field))
    }

    /// What each replica alone observed.
    pub fn witnesses(&self) -> BTreeMap<ReplicaId, BTreeMap<&str, &Field>> {
        let mut witnesses = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (key, value) in self.below(WITNESS) {
            if let Some(KeyPath::Witness { replica, field }) = KeyPath::parse(key) {
                witnesses.entry(replica).or_default().insert(field, value);
            }
        }
        witnesses
    }
}

impl Field {
    /// The value that every replica shows.
    pub fn winner(&self) -> Option<&Value> {
        self.values.first().map(|candidate| &candidate.value)
    }

    /// Whether there are two or more distinct values.
    pub const fn is_conflict(&self) -> bool {
        self.values.len() > 1
    }

    /// From live ops, the winner last.
    fn of(ops: Vec<(Authorship, Value)>) -> Self {
        let mut values: Vec<Candidate> = Vec::new();
        for (author, value) in ops.into_iter().rev() {
            match values.iter_mut().find(|candidate| candidate.value == value) {
                Some(candidate) => candidate.authors.push(author),
                None => values.push(Candidate { value, authors: vec![author] }),
            }
        }
        Self { values }
    }
}

/// The change that each op stands in: by actor, then by first op.
struct Stamps(BTreeMap<(Actor, u64), (u64, Authorship)>);

impl Stamps {
    fn new<'a>(changes: impl Iterator<Item = (&'a Change, Millis)>) -> Self {
        let stamps = changes.map(|(change, at)| {
            let authorship = Authorship { actor: change.actor(), at, change: change.hash() };
            ((change.actor(), change.start_op()), (change.max_op(), authorship))
        });
        Self(stamps.collect())
    }

    fn of(&self, op: OpId) -> Option<Authorship> {
        let before = self.0.range((op.actor, 0)..=(op.actor, op.counter));
        before.last().filter(|(_, (max_op, _))| op.counter <= *max_op).map(|(_, (_, authorship))| *authorship)
    }
}

/// The change by which `actor` sets each key to its value upon all of `changes` (in causal order); `None` where
/// nothing would change. See [`Document::author`].
pub fn author(changes: &[Change], actor: Actor, puts: &[(String, Value)]) -> Result<Option<Change>, AuthorError> {
    let mut document = Document::new();
    for change in changes {
        document.apply(change.clone());
    }
    document.author(actor, puts)
}
