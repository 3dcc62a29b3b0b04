//! Every hashed or signed preimage of the protocol, each fixed-width binary with a domain tag.

use sha2::{Digest, Sha256};

use crate::id::{ContentHash, HeaderHash};

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
