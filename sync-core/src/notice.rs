//! A notice: the server's signed word that a right has ended.
//!
//! ```cddl
//! notice = bytes .size (64..256)   ; Ed25519 signature, then noticed in CBOR
//! noticed = { 1: seen, 2: bstr .cbor (revoked / grant-ends / token-ended) }
//! ```
//! A server restored from a backup has forgotten who was shut out since. Whoever was told brings the notices back, and what
//! has ended stays ended. They name ids alone, so that any phone may carry them.

use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    cbor,
    directory::Control,
    id::{DeploymentId, ServerKey},
    receipt::{SignServer, VerifyServer},
    stream::Seen,
    word,
};

/// A longer one is refused.
pub const MAX_NOTICE_BYTES: usize = 256;

const DOMAIN: &[u8] = b"aralau/notice/1\0";

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where the row stands that says so in the directory's log.
    pub at: Seen,
    /// What has ended: a control row of a kind that [ends a right](Control::ends_a_right).
    pub ended: Control,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Noticed {
    #[n(1)]
    at: Seen,
    #[n(2)]
    ended: ByteVec,
}

/// Too long, not of this form, or not signed by this deployment's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a notice of this deployment's server")]
pub struct NoNotice;

impl Notice {
    /// Signs it.
    pub fn sign(&self, deployment: &DeploymentId, key: &impl SignServer) -> Vec<u8> {
        let noticed = Noticed { at: self.at, ended: self.ended.to_bytes().into() };
        word::sign(DOMAIN, deployment, &cbor::encode(&noticed), key)
    }

    /// Reads one and checks its signature.
    pub fn open(
        bytes: &[u8],
        deployment: &DeploymentId,
        key: &ServerKey,
        verifier: &impl VerifyServer,
    ) -> Result<Self, NoNotice> {
        let short = Some(bytes).filter(|bytes| bytes.len() <= MAX_NOTICE_BYTES);
        let noticed = short.and_then(|bytes| word::open(DOMAIN, deployment, bytes, key, verifier));
        let noticed: Noticed = cbor::decode(noticed.ok_or(NoNotice)?).map_err(|_| NoNotice)?;
        let ended: Control = cbor::decode(&noticed.ended).map_err(|_| NoNotice)?;
        if ended.ends_a_right() { Ok(Self { at: noticed.at, ended }) } else { Err(NoNotice) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{DeviceId, PersonId, ScopeId, TokenId},
        receipt::toy::Toy,
        time::Millis,
    };

    const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([1; 16]);
    const AT: Seen = Seen { epoch: u64::MAX, sequence: u64::MAX };

    fn endings() -> [Control; 3] {
        let (device, token) = (DeviceId::from_bytes([3; 16]), TokenId::from_bytes([5; 16]));
        let (person, scope) = (PersonId::from_bytes([4; 16]), ScopeId::from_bytes([6; 16]));
        let at = Millis(i64::MAX);
        [
            Control::Revoked { device, at },
            Control::GrantEnds { person, scope, until: at },
            Control::TokenEnded { token, at },
        ]
    }

    fn open(bytes: &[u8], deployment: DeploymentId) -> Result<Notice, NoNotice> {
        Notice::open(bytes, &deployment, &Toy.public_key(), &Toy)
    }

    #[test]
    fn a_notice_of_any_end_reads_back_and_a_changed_one_does_not() {
        for ended in endings() {
            let notice = Notice { at: AT, ended };
            let signed = notice.sign(&DEPLOYMENT, &Toy);
            assert!(signed.len() <= MAX_NOTICE_BYTES, "{}", signed.len());
            assert_eq!(open(&signed, DEPLOYMENT), Ok(notice));
            assert_eq!(open(&signed, DeploymentId::from_bytes([9; 16])), Err(NoNotice), "another deployment's");
            for at in 0..signed.len() {
                let mut changed = signed.clone();
                changed[at] ^= 1;
                // The toy's signature repeats itself, and only its first half counts.
                assert!((32..64).contains(&at) || open(&changed, DEPLOYMENT).is_err(), "byte {at}");
                assert!(open(&signed[..at], DEPLOYMENT).is_err(), "cut at {at}");
            }
        }
    }

    #[test]
    fn nothing_that_gives_a_right_is_a_notice() {
        let person = PersonId::from_bytes([4; 16]);
        let given = Control::Grant { person, scope: ScopeId::from_bytes([6; 16]), from: Millis(0) };
        let signed = Notice { at: AT, ended: given }.sign(&DEPLOYMENT, &Toy);
        assert_eq!(open(&signed, DEPLOYMENT), Err(NoNotice));
        assert_eq!(open(&vec![0; MAX_NOTICE_BYTES + 1], DEPLOYMENT), Err(NoNotice));
    }
}
