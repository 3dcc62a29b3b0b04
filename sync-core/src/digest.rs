//! Every hashed or signed preimage of the protocol but the streams' own: fixed-width binary with a domain tag.

use sha2::{Digest, Sha256};

use uuid::Builder;

use crate::{
    id::{ChangeHash, ContentHash, DocumentId, Fingerprint, HeaderHash, PublicKey, ReplicaId},
    time::{DAY_MS, Millis},
};

/// SHA-256 over the concatenation of `parts`.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// `SHA256("aralau/content/1\0" ‖ change)`, `change` being the whole uncompressed Automerge chunk.
pub fn content_hash(change: &[u8]) -> ContentHash {
    ContentHash(sha256(&[b"aralau/content/1\0", change]))
}

/// SHA-256 of an entry's header, exactly as received.
pub fn header_hash(header: &[u8]) -> HeaderHash {
    HeaderHash(sha256(&[header]))
}

/// What a certificate (DER) is known by.
pub fn fingerprint(certificate: &[u8]) -> Fingerprint {
    Fingerprint(sha256(&[certificate]))
}

/// A change's body can name the document that it begins, so that a link need not carry the id. The change's random bytes
/// make it one of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentName([u8; 16]);

impl DocumentName {
    /// From `SHA256("aralau/document/1\0" ‖ body)[..16]`.
    pub fn of(body: &[u8]) -> Self {
        let [name @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = sha256(&[b"aralau/document/1\0", body]);
        Self(name)
    }

    /// A UUIDv8 whose first two bytes are the day on which the change was written, counted from 1970-01-01 UTC, the high byte
    /// first (days before or beyond: the first or the last), the others the name's: what is written together stands together
    /// wherever ids are in order.
    pub fn on_day_of(self, at: Millis) -> DocumentId {
        let day = at.0.div_euclid(DAY_MS).clamp(0, i64::from(u16::MAX));
        let Self(mut id) = self;
        [id[0], id[1]] = [(day >> 8) as u8, day as u8];
        DocumentId(Builder::from_custom_bytes(id).into_uuid())
    }

    /// A UUIDv8 of the name alone, as documents were called before days were part of it.
    pub fn undated(self) -> DocumentId {
        DocumentId(Builder::from_custom_bytes(self.0).into_uuid())
    }
}

/// The id of a document that is named after the change which begins it, given when it was written and its body.
pub fn document_named_by(at: Millis, body: &[u8]) -> DocumentId {
    DocumentName::of(body).on_day_of(at)
}

/// Bytes of a replica id that follow from the device's key.
const REPLICA_TAG_BYTES: usize = 10;
/// Bytes of a replica id that its device chooses.
pub const REPLICA_SALT_BYTES: usize = ReplicaId::LEN - REPLICA_TAG_BYTES;

/// The name of one install of the device with this key: `SHA256("aralau/replica/1\0" ‖ key33 ‖ salt4)[..10] ‖ salt4`.
///
/// A name tells whose it is: nobody can take another device's, whatever a server has forgotten.
pub fn replica_named(key: &PublicKey, salt: [u8; REPLICA_SALT_BYTES]) -> ReplicaId {
    let digest = sha256(&[b"aralau/replica/1\0", key.as_bytes(), &salt]);
    let mut name = [0; ReplicaId::LEN];
    name[..REPLICA_TAG_BYTES].copy_from_slice(&digest[..REPLICA_TAG_BYTES]);
    name[REPLICA_TAG_BYTES..].copy_from_slice(&salt);
    ReplicaId(name)
}

/// Whether a replica is the name of an install of the device with this key.
pub fn is_named_by(replica: &ReplicaId, key: &PublicKey) -> bool {
    let [.., a, b, c, d] = replica.0;
    *replica == replica_named(key, [a, b, c, d])
}

/// The four bytes that every Automerge chunk begins with.
pub(crate) const CHUNK_MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The chunk type of an uncompressed change.
pub(crate) const CHUNK_CHANGE: u8 = 1;

/// The hash that names the change with this body: SHA-256 over chunk type, length and body, as Automerge computes it.
pub fn change_hash(body: &[u8]) -> ChangeHash {
    ChangeHash(sha256(&[&[CHUNK_CHANGE], &uleb(body.len()), body]))
}

/// The whole chunk around a change's body. Its container (magic, checksum, type, length) follows from the body, so frames
/// leave it out.
pub fn chunk_of(body: &[u8]) -> Vec<u8> {
    seal(body, &change_hash(body))
}

/// As [`chunk_of`], for a body whose hash is known.
pub(crate) fn seal(body: &[u8], hash: &ChangeHash) -> Vec<u8> {
    [&CHUNK_MAGIC[..], &hash.0[..4], &[CHUNK_CHANGE], &uleb(body.len()), body].concat()
}

fn uleb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(3);
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_named_by_its_change_and_the_day() {
        let named = |at| document_named_by(Millis(at), b"a first change").to_string();
        assert_eq!(named(20_783 * DAY_MS), "512ffafc-6e7c-83d4-b450-392f0d209cb6");
        assert_eq!(named(20_784 * DAY_MS - 1), named(20_783 * DAY_MS));
        assert!(named(20_784 * DAY_MS).starts_with("5130"));
        assert_eq!(named(i64::MIN)[..4], *"0000");
        assert_eq!(named(i64::MAX)[..4], *"ffff");
        assert_eq!(DocumentName::of(b"a first change").undated().to_string()[4..], named(0)[4..]);
        assert_ne!(document_named_by(Millis(0), b"another"), document_named_by(Millis(0), b"a first change"));
    }

    #[test]
    fn a_replica_is_named_by_one_key_only() {
        let (key, other) = (PublicKey([2; 33]), PublicKey([3; 33]));
        let name = replica_named(&key, [1, 2, 3, 4]);
        assert!(is_named_by(&name, &key));
        assert!(!is_named_by(&name, &other));
        assert_eq!(name.to_string(), "a9e14b854227c8f9d03701020304");
        for at in 0..ReplicaId::LEN {
            let mut changed = name;
            changed.0[at] ^= 1;
            assert!(!is_named_by(&changed, &key), "byte {at}");
        }
    }
}
