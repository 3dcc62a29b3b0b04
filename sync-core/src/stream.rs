//! A stream: one replica's own append-only, hash-chained list of entries in one scope.
//!
//! ```text
//! content_hash = SHA256("aralau/content/1\0" ‖ change)
//! entry_hash   = SHA256("aralau/entry/1\0" ‖ replica14 ‖ scope16 ‖ u64be index ‖ prev32 ‖ SHA256(header) ‖ content_hash)
//! head         = sign("aralau/head/1\0" ‖ deployment16 ‖ replica14 ‖ scope16 ‖ u64be index ‖ entry_hash)
//! ```
//! The first index is 1 and its `prev` is zero. The signature of a head vouches for every entry up to it.

use minicbor::{Decode, Encode};

use crate::{
    cbor::{self, CborError},
    change::{Change, ChangeError},
    digest::{content_hash, header_hash, sha256},
    id::{
        ContentHash, DeploymentId, DocumentId, EntryHash, HeaderHash, Kind, PublicKey, ReplicaId, ScopeId, Signature,
    },
    time::{Millis, Monotonic},
};

/// A header longer than this is refused.
pub const MAX_HEADER_BYTES: usize = 1024;

/// Where a scope's log stood, as a device had seen it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Seen {
    /// Number of the epoch.
    #[n(0)]
    pub epoch: u64,
    /// Rows of the scope's log in that epoch.
    #[n(1)]
    pub sequence: u64,
}

/// What stands beside a change in its entry. Travels and is hashed as the bytes its author wrote, so that keys which
/// this build does not know survive.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Header {
    /// What kind of document the change belongs to.
    #[n(1)]
    pub kind: u16,
    /// Which document.
    #[n(2)]
    pub document: DocumentId,
    /// The device's wall clock when the change was written.
    #[n(3)]
    pub at: Millis,
    /// The device's monotonic clock at the same moment.
    #[n(4)]
    pub monotonic: Option<Monotonic>,
    /// How much of the scope's log the device had seen: a cheap not-before bound that exposes back-dating.
    #[n(5)]
    pub seen: Option<Seen>,
    /// The entry whose words this one carries on under a new actor.
    #[n(6)]
    pub reauthored_from: Option<EntryHash>,
}

impl Header {
    /// The document's kind.
    pub fn kind(&self) -> Kind {
        Kind(self.kind)
    }

    /// Reads a header; the caller keeps the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
        if bytes.len() > MAX_HEADER_BYTES {
            return Err(CborError::TooLong);
        }
        cbor::decode(bytes)
    }

    /// The deterministic encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }
}

/// One link of a stream as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// An entry with its content.
    Full {
        /// The header, as its author encoded it.
        header: Vec<u8>,
        /// The change without its container; see [`Change::body`].
        body: Vec<u8>,
    },
    /// An entry without its content: a gap, an erasure, something held. The chain still verifies.
    Hollow {
        /// SHA-256 of the header.
        header: HeaderHash,
        /// Hash of the change.
        content: ContentHash,
    },
}

impl Link {
    /// The two hashes that the chain is made of.
    pub fn hashes(&self) -> (HeaderHash, ContentHash) {
        match self {
            Self::Full { header, body } => (header_hash(header), content_hash(&crate::digest::chunk_of(body))),
            Self::Hollow { header, content } => (*header, *content),
        }
    }

    /// The entry inside, parsed and locally checked; `None` if hollow.
    pub fn open(&self) -> Option<Result<Entry, EntryError>> {
        match self {
            Self::Full { header, body } => Some(Entry::open(header.clone(), body)),
            Self::Hollow { .. } => None,
        }
    }
}

/// An entry with its content, parsed and locally checked.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The header as bytes: hashed and carried on exactly so.
    pub header_bytes: Vec<u8>,
    /// What the header says.
    pub header: Header,
    /// The change.
    pub change: Change,
}

/// Why an entry cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The header.
    #[error("the entry's header: {0}")]
    Header(#[from] CborError),
    /// The change.
    #[error("the entry's change: {0}")]
    Change(#[from] ChangeError),
}

impl Entry {
    /// Opens an entry's bytes: every check that needs nothing but them.
    pub fn open(header_bytes: Vec<u8>, body: &[u8]) -> Result<Self, EntryError> {
        let header = Header::from_bytes(&header_bytes)?;
        let change = Change::from_body(body)?;
        Ok(Self { header_bytes, header, change })
    }

    /// An entry of one's own.
    pub fn new(header: Header, change: Change) -> Self {
        Self { header_bytes: header.to_bytes(), header, change }
    }

    /// As it travels.
    pub fn to_link(&self) -> Link {
        Link::Full { header: self.header_bytes.clone(), body: self.change.body().to_vec() }
    }
}

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Who writes it.
    pub replica: ReplicaId,
    /// In which scope.
    pub scope: ScopeId,
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Tip {
    /// Index of the last entry; 0 before the first.
    #[n(0)]
    pub index: u64,
    /// Its hash; zero before the first.
    #[n(1)]
    pub hash: EntryHash,
}

impl Default for Tip {
    fn default() -> Self {
        Self { index: 0, hash: EntryHash([0; 32]) }
    }
}

impl Tip {
    /// The tip after one more entry.
    pub fn extend(self, stream: &StreamId, header: &HeaderHash, content: &ContentHash) -> Self {
        let index = self.index + 1;
        let hash = EntryHash(sha256(&[
            b"aralau/entry/1\0",
            stream.replica.as_bytes(),
            stream.scope.as_bytes(),
            &index.to_be_bytes(),
            self.hash.as_bytes(),
            header.as_bytes(),
            content.as_bytes(),
        ]));
        Self { index, hash }
    }

    /// What the replica's device signs to vouch for everything up to this tip.
    pub fn head_preimage(&self, deployment: &DeploymentId, stream: &StreamId) -> Vec<u8> {
        [
            &b"aralau/head/1\0"[..],
            deployment.as_bytes(),
            stream.replica.as_bytes(),
            stream.scope.as_bytes(),
            &self.index.to_be_bytes(),
            self.hash.as_bytes(),
        ]
        .concat()
    }
}

/// A tip with its author's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Head {
    /// The tip vouched for.
    #[n(0)]
    pub tip: Tip,
    /// Over [`Tip::head_preimage`].
    #[n(1)]
    pub signature: Signature,
}

/// Checks device signatures: ECDSA P-256 over SHA-256, raw r‖s, either S. Implemented by whoever owns a crypto library.
pub trait VerifyDevice {
    /// Whether `signature` over `message` was made with the key.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;
}

/// Makes device signatures.
pub trait SignDevice {
    /// The public half.
    fn public_key(&self) -> PublicKey;
    /// Raw r‖s over SHA-256 of `message`.
    fn sign(&self, message: &[u8]) -> Signature;
}
