//! An introduction: the server's signed word about whose install writes a stream.
//!
//! ```cddl
//! introduction = bytes .size (64..1024)   ; Ed25519 signature, then introduced in CBOR
//! introduced = { 1: replica, 2: device, 3: key, 4: person, 5: name: tstr }
//! ```
//! A server restored from a backup has forgotten everybody enrolled since. A partner's phone that holds their words brings
//! them back together with the introduction that came with them; without it nobody could tell whose they are.

use minicbor::{Decode, Encode};

use crate::{
    cbor,
    id::{DeploymentId, DeviceId, PersonId, PublicKey, ReplicaId, ServerKey},
    receipt::{SignServer, VerifyServer},
    word,
};

/// A longer one is refused.
pub const MAX_INTRODUCTION_BYTES: usize = 1024;

const DOMAIN: &[u8] = b"aralau/introduction/1\0";

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Introduction {
    /// The install that writes.
    #[n(1)]
    pub replica: ReplicaId,
    /// The device it is on.
    #[n(2)]
    pub device: DeviceId,
    /// The device's key.
    #[n(3)]
    pub key: PublicKey,
    /// In whose hands the device is.
    #[n(4)]
    pub person: PersonId,
    /// That person's name, as shown beside their words.
    #[n(5)]
    pub name: String,
}

/// Too long, not of this form, or not signed by this deployment's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an introduction by this deployment's server")]
pub struct NotIntroduced;

impl Introduction {
    /// Signs it; `None` if a name is so long that nobody would read it.
    pub fn sign(&self, deployment: &DeploymentId, key: &impl SignServer) -> Option<Vec<u8>> {
        let bytes = word::sign(DOMAIN, deployment, &cbor::encode(self), key);
        (bytes.len() <= MAX_INTRODUCTION_BYTES).then_some(bytes)
    }

    /// Reads one and checks its signature.
    pub fn open(
        bytes: &[u8],
        deployment: &DeploymentId,
        key: &ServerKey,
        verifier: &impl VerifyServer,
    ) -> Result<Self, NotIntroduced> {
        let short = Some(bytes).filter(|bytes| bytes.len() <= MAX_INTRODUCTION_BYTES);
        let introduced = short.and_then(|bytes| word::open(DOMAIN, deployment, bytes, key, verifier));
        cbor::decode(introduced.ok_or(NotIntroduced)?).map_err(|_| NotIntroduced)
    }

    /// Whose install it says writes, whoever signed it: to be shown with the name that came beside it, and for nothing else.
    pub fn person_said(bytes: &[u8]) -> Option<PersonId> {
        let introduced: Self = cbor::decode(word::said(bytes)?).ok()?;
        Some(introduced.person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::toy::Toy;

    const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([1; 16]);

    fn introduction(name: &str) -> Introduction {
        Introduction {
            replica: ReplicaId([2; 14]),
            device: DeviceId::from_bytes([3; 16]),
            key: PublicKey([2; 33]),
            person: PersonId::from_bytes([4; 16]),
            name: name.to_owned(),
        }
    }

    fn open(bytes: &[u8], deployment: DeploymentId) -> Result<Introduction, NotIntroduced> {
        Introduction::open(bytes, &deployment, &Toy.public_key(), &Toy)
    }

    #[test]
    fn an_introduction_reads_back_and_a_changed_one_does_not() {
        let signed = introduction("Айгүл").sign(&DEPLOYMENT, &Toy).expect("short enough");
        assert_eq!(open(&signed, DEPLOYMENT), Ok(introduction("Айгүл")));
        assert_eq!(Introduction::person_said(&signed), Some(PersonId::from_bytes([4; 16])), "whoever asks");
        assert_eq!(Introduction::person_said(&signed[..64]), None);
        assert_eq!(open(&signed, DeploymentId::from_bytes([9; 16])), Err(NotIntroduced), "another deployment's");
        for at in 0..signed.len() {
            let mut changed = signed.clone();
            changed[at] ^= 1;
            // The toy's signature repeats itself, and only its first half counts.
            assert!((32..64).contains(&at) || open(&changed, DEPLOYMENT).is_err(), "byte {at}");
            assert!(open(&signed[..at], DEPLOYMENT).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_name_without_end_is_not_introduced() {
        assert_eq!(introduction(&"а".repeat(MAX_INTRODUCTION_BYTES)).sign(&DEPLOYMENT, &Toy), None);
        assert_eq!(open(&vec![0; MAX_INTRODUCTION_BYTES + 1], DEPLOYMENT), Err(NotIntroduced));
    }
}
