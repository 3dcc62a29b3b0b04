//! One edit: its bytes, its limits, and every check that needs nothing but the edit itself.
//!
//! A change is an uncompressed Automerge change chunk (type 1), restricted to a narrow profile: puts of scalars on
//! the root map, nothing else. The profile is read and written here, by our own bounded codec, so that foreign bytes
//! never meet Automerge before they are known to be harmless, and canonical: a [`Change`] exists only if our encoder
//! writes the very bytes it was read from, which are the bytes that Automerge 0.12 writes for the same edit.
//!
//! ```text
//! chunk = 85 6f 4a 83 ‖ checksum4 ‖ 01 ‖ uleb(length of body) ‖ body       checksum4 = first 4 bytes of the hash
//! hash  = SHA256(01 ‖ uleb(length of body) ‖ body)
//! body  = uleb n ‖ n × dependency hash (ascending) ‖ uleb 16 ‖ actor ‖ uleb sequence ‖ uleb start_op ‖ sleb time = 0
//!         ‖ uleb length of message = 0 ‖ uleb n ‖ n × (uleb 16 ‖ other actor, ascending)
//!         ‖ uleb n ‖ n × (uleb column ‖ uleb length) ‖ the columns
//! ```
//!
//! Columns, in order: keys (21), insert (52, all false), action (66, all put), value types and lengths (86), values
//! (87, left out when empty), number of predecessors (112), their actors (113) and counters (115), both left out when
//! there are none.

mod check;
mod column;
mod decode;
mod encode;
mod error;
mod key;
mod reauthor;
#[cfg(test)]
mod tests;
mod value;

pub use error::ChangeError;
pub use key::{KeyPath, NONCE, NOTES, STATUS, WITNESS};
pub(crate) use key::{hyphenated, is_random};
pub use reauthor::reauthor;
pub use value::Value;

use crate::{
    digest::{self, change_hash},
    id::{Actor, ChangeHash},
};

/// A whole chunk.
pub const MAX_CHANGE_BYTES: usize = 64 * 1024;
/// Puts in one change.
pub const MAX_CHANGE_OPS: usize = 5_000;
/// Dependencies of one change.
pub const MAX_DEPENDENCIES: usize = 64;
/// Predecessors of all puts of one change together.
pub const MAX_CHANGE_PREDECESSORS: usize = 20_000;
/// A key.
pub const MAX_KEY_BYTES: usize = 1024;
/// A text, in UTF-8.
pub const MAX_TEXT_BYTES: usize = 32 * 1024;
/// A byte string.
pub const MAX_BYTES: usize = 32 * 1024;
/// The highest op number: as many as a document may hold, so that no counter ever nears Automerge's 2³².
pub const MAX_OP_COUNTER: u64 = 50_000;
/// The highest sequence number: as many changes as a document may hold.
pub const MAX_SEQUENCE: u64 = 4_096;

/// Names an op. The order is Lamport's: the highest of the concurrent values of a key wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// One more than any op that the author knew.
    pub counter: u64,
    /// Who wrote.
    pub actor: Actor,
}

/// One key of the root map set to one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Within the grammar of [`KeyPath`].
    pub key: String,
    /// What the key is from now on.
    pub value: Value,
    /// The ops on the same key that this one replaces, ascending.
    pub predecessors: Vec<OpId>,
}

/// What a change says, before it has bytes and a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeParts {
    /// Who writes.
    pub actor: Actor,
    /// Counts the actor's changes in this document, from 1.
    pub sequence: u64,
    /// The counter of the first put; the others follow.
    pub start_op: u64,
    /// The changes this one was made upon.
    pub dependencies: Vec<ChangeHash>,
    /// The edit.
    pub puts: Vec<Put>,
}

/// One edit that passed every local check, with its canonical bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    parts: ChangeParts,
    hash: ChangeHash,
    chunk: Vec<u8>,
    body_at: usize,
}

impl Change {
    /// Writes an edit. Dependencies and predecessors may come in any order.
    pub fn build(mut parts: ChangeParts) -> Result<Self, ChangeError> {
        parts.dependencies.sort_unstable();
        for put in &mut parts.puts {
            put.predecessors.sort_unstable();
        }
        parts.check()?;
        let body = encode::body(&parts);
        Self::seal(parts, &body)
    }

    /// Reads an edit from the content of its chunk, as frames carry it.
    pub fn from_body(body: &[u8]) -> Result<Self, ChangeError> {
        if body.len() > MAX_CHANGE_BYTES {
            return Err(ChangeError::TooLarge);
        }
        let parts = decode::body(body)?;
        parts.check()?;
        if encode::body(&parts) != body {
            return Err(ChangeError::NotCanonical);
        }
        Self::seal(parts, body)
    }

    /// Reads an edit from exactly one chunk, whose checksum must be right.
    pub fn from_chunk(chunk: &[u8]) -> Result<Self, ChangeError> {
        if chunk.len() > MAX_CHANGE_BYTES {
            return Err(ChangeError::TooLarge);
        }
        let (checksum, body) = decode::container(chunk)?;
        if change_hash(body).0[..4] != checksum {
            return Err(ChangeError::BadChecksum);
        }
        let change = Self::from_body(body)?;
        if change.chunk != chunk {
            return Err(ChangeError::NotCanonical);
        }
        Ok(change)
    }

    fn seal(parts: ChangeParts, body: &[u8]) -> Result<Self, ChangeError> {
        let hash = change_hash(body);
        let chunk = digest::seal(body, &hash);
        let body_at = chunk.len() - body.len();
        if chunk.len() > MAX_CHANGE_BYTES {
            return Err(ChangeError::TooLarge);
        }
        Ok(Self { parts, hash, chunk, body_at })
    }

    /// The whole chunk, as any Automerge library reads it.
    pub fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// The chunk without its container.
    pub fn body(&self) -> &[u8] {
        &self.chunk[self.body_at..]
    }

    /// Names the change within its document.
    pub const fn hash(&self) -> ChangeHash {
        self.hash
    }

    /// What the change says.
    pub const fn parts(&self) -> &ChangeParts {
        &self.parts
    }

    /// Who wrote.
    pub const fn actor(&self) -> Actor {
        self.parts.actor
    }

    /// Counts the actor's changes in this document, from 1.
    pub const fn sequence(&self) -> u64 {
        self.parts.sequence
    }

    /// The counter of the first put.
    pub const fn start_op(&self) -> u64 {
        self.parts.start_op
    }

    /// The counter of the last put.
    pub const fn max_op(&self) -> u64 {
        self.parts.start_op + self.parts.puts.len() as u64 - 1
    }

    /// The changes this one was made upon, ascending.
    pub fn dependencies(&self) -> &[ChangeHash] {
        &self.parts.dependencies
    }

    /// The edit. Never empty; no key twice.
    pub fn puts(&self) -> &[Put] {
        &self.parts.puts
    }

    /// The puts with the op that each of them is.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = (OpId, &Put)> {
        self.puts().iter().enumerate().map(|(at, put)| (self.op_id(at), put))
    }

    /// The op that the `at`-th put is.
    pub const fn op_id(&self, at: usize) -> OpId {
        OpId { counter: self.parts.start_op + at as u64, actor: self.parts.actor }
    }

    /// Whether the change knows nothing before it: a document may begin here, and be read straight from the ops.
    pub fn is_first(&self) -> bool {
        self.dependencies().is_empty() && self.puts().iter().all(|put| put.predecessors.is_empty())
    }

    /// Whether the change holds at least 122 random bits, so that the hash of erased content cannot be guessed: an
    /// item named by a UUIDv4, or 16 bytes under [`NONCE`].
    pub fn carries_nonce(&self) -> bool {
        self.puts().iter().any(|put| match KeyPath::parse(&put.key) {
            Some(path @ KeyPath::Item { .. }) => path.is_random(),
            Some(KeyPath::Field(NONCE) | KeyPath::Witness { field: NONCE, .. }) => {
                matches!(&put.value, Value::Bytes(bytes) if bytes.len() == 16)
            }
            Some(KeyPath::Field(_) | KeyPath::Witness { .. }) | None => false,
        })
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change").field("hash", &self.hash).field("parts", &self.parts).finish_non_exhaustive()
    }
}
