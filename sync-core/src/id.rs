//! Names of things. Every id, hash and index has a type of its own, so that one can never stand in for another.
//!
//! Ids are random bytes chosen outside this crate (it owns no randomness); hashes come from [`crate::digest`].

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

/// Text that does not name what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}")]
pub struct ParseIdError {
    /// The glossary's word for what was expected.
    pub what: &'static str,
}

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The 16 bytes, as they stand in preimages and frames.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
            /// From its 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| ParseIdError { what: $what })
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.as_bytes())?.ok()
            }
        }
        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes = d.bytes()?.try_into().map_err(|_| minicbor::decode::Error::message($what))?;
                Ok(Self::from_bytes(bytes))
            }
        }
    };
}

macro_rules! hex_newtype {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;
            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
            /// From its bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
            /// From a slice of exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, ParseIdError> {
                bytes.try_into().map(Self).map_err(|_| ParseIdError { what: $what })
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseIdError { what: $what })?;
                Ok(Self(bytes))
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.as_bytes())?.ok()
            }
        }
        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes = d.bytes()?.try_into().map_err(|_| minicbor::decode::Error::message($what))?;
                Ok(Self::from_bytes(bytes))
            }
        }
    };
}

uuid_newtype!(
    /// One installation of Aralau: a server and everyone who syncs with it. Part of every signed head.
    DeploymentId, "deployment id"
);
uuid_newtype!(
    /// The immutable partition of replication, access and log. A beat is a dated set of scopes.
    ScopeId, "scope id"
);
uuid_newtype!(
    /// A visit, place, contact or problem. Identity is (scope, document id) everywhere.
    DocumentId, "document id"
);
uuid_newtype!(
    /// A phone with a key.
    DeviceId, "device id"
);
uuid_newtype!(
    /// Someone in the directory.
    PersonId, "person id"
);
uuid_newtype!(
    /// A token for headquarters; names it without being it.
    TokenId, "token id"
);
hex_newtype!(
    /// One install of the app on a device, 14 random bytes. A reinstall, a restored backup or a clone is a new replica.
    ReplicaId, 14, "replica id"
);
hex_newtype!(
    /// Names an Automerge change within its document: SHA-256 of its chunk, as Automerge computes it.
    ChangeHash, 32, "change hash"
);
hex_newtype!(
    /// `SHA256("aralau/content/1\0" ‖ change)`.
    ContentHash, 32, "content hash"
);
hex_newtype!(
    /// SHA-256 of an entry's header bytes.
    HeaderHash, 32, "header hash"
);
hex_newtype!(
    /// A link of a stream's hash chain; see [`crate::stream`].
    EntryHash, 32, "entry hash"
);
hex_newtype!(
    /// A node or root of a scope's Merkle tree.
    TreeHash, 32, "tree hash"
);
hex_newtype!(
    /// Names a list of beats; see [`crate::sync::beats_hash`].
    BeatsHash, 32, "hash of beats"
);
hex_newtype!(
    /// A device's public key, P-256, SEC1 compressed.
    PublicKey, 33, "public key"
);
hex_newtype!(
    /// The server's Ed25519 public key.
    ServerKey, 32, "server key"
);
hex_newtype!(
    /// SHA-256 of a certificate as TLS carries it (DER): what browsers and `openssl x509 -fingerprint -sha256` show.
    Fingerprint, 32, "fingerprint of a certificate"
);
uuid_newtype!(
    /// One span of the server's history; see [`crate::epoch`].
    EpochId, "epoch id"
);
hex_newtype!(
    /// ECDSA P-256 signature, raw r‖s. Never hashed, never a dedup key: either S is accepted.
    Signature, 64, "signature"
);

/// The Automerge actor: replica (14 bytes) ‖ generation (u16 big-endian).
///
/// A device moves to the next generation of a document when a change of its own is held there, so that the
/// sequence numbers of the held branch are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// Whose install wrote.
    pub replica: ReplicaId,
    /// Counts up within one document when own changes are held.
    pub generation: u16,
}

impl Actor {
    /// Automerge's 16 bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..14].copy_from_slice(&self.replica.0);
        bytes[14..].copy_from_slice(&self.generation.to_be_bytes());
        bytes
    }

    /// From Automerge's 16 bytes; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        let (replica, generation) = bytes.split_at(14);
        Some(Self {
            replica: ReplicaId::from_slice(replica).ok()?,
            generation: u16::from_be_bytes([generation[0], generation[1]]),
        })
    }
}

impl Fingerprint {
    /// Reads one as people copy it: hex in any case, with colons or spaces between, perhaps called `SHA-256`.
    pub fn read(text: &str) -> Result<Self, ParseIdError> {
        let plain = text.trim().to_ascii_lowercase();
        let called = ["sha256 fingerprint=", "sha-256", "sha256"].iter().find_map(|name| plain.strip_prefix(name));
        let hex: String = called.unwrap_or(&plain).chars().filter(|char| !matches!(char, ':' | ' ')).collect();
        hex.parse()
    }
}

/// What a document is. The number stands in entry headers; numbers this build does not know are carried unharmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u16);

impl Kind {
    /// One call at one place.
    pub const VISIT: Self = Self(1);
    /// An address or household.
    pub const PLACE: Self = Self(2);
    /// A person at a place.
    pub const CONTACT: Self = Self(3);
    /// Something to solve.
    pub const PROBLEM: Self = Self(4);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_own_text() {
        let replica = ReplicaId([0xab; 14]);
        assert_eq!(replica.to_string().parse(), Ok(replica));
        assert!("+a".repeat(14).parse::<ReplicaId>().is_err());
        assert!("é".repeat(14).parse::<ReplicaId>().is_err());
    }

    #[test]
    fn a_fingerprint_is_read_as_any_program_shows_it() {
        let fingerprint = Fingerprint([0xab; 32]);
        let plain = fingerprint.to_string();
        let colons = ["AB"; 32].join(":");
        for shown in
            [&plain, &colons, &format!("SHA256 Fingerprint={colons}"), &format!(" SHA-256 {}\n", ["ab"; 32].join(" "))]
        {
            assert_eq!(Fingerprint::read(shown), Ok(fingerprint), "{shown}");
        }
        for wrong in ["", "SHA-256", &plain[1..], &format!("{plain}00"), &plain.replace('b', "g")] {
            assert!(Fingerprint::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_actor_is_its_replica_and_its_generation_big_endian() {
        let actor = Actor { replica: ReplicaId([7; 14]), generation: 0x0102 };
        assert_eq!(actor.to_bytes()[14..], [1, 2]);
        assert_eq!(Actor::from_slice(&actor.to_bytes()), Some(actor));
        assert_eq!(Actor::from_slice(&[0; 15]), None);
    }
}
