//! The server's word in writing: bytes under its own signature, that somebody carries for it and shows it again.
//!
//! ```text
//! word = Ed25519 signature (64 bytes) over domain ‖ deployment ‖ said, then said
//! ```

use crate::{
    id::{DeploymentId, ServerKey},
    receipt::{SignServer, VerifyServer},
};

const SIGNATURE_BYTES: usize = 64;

/// Signs what is said. The domain tells one kind of word from every other.
pub fn sign(domain: &[u8], deployment: &DeploymentId, said: &[u8], key: &impl SignServer) -> Vec<u8> {
    let signature = key.sign(&preimage(domain, deployment, said));
    [&signature[..], said].concat()
}

/// What is said, if this deployment's server did.
pub fn open<'word>(
    domain: &[u8],
    deployment: &DeploymentId,
    word: &'word [u8],
    key: &ServerKey,
    verifier: &impl VerifyServer,
) -> Option<&'word [u8]> {
    let (signature, said) = word.split_first_chunk::<SIGNATURE_BYTES>()?;
    verifier.verify(key, &preimage(domain, deployment, said), signature).then_some(said)
}

/// What is said, by whomever.
pub fn said(word: &[u8]) -> Option<&[u8]> {
    word.get(SIGNATURE_BYTES..)
}

fn preimage(domain: &[u8], deployment: &DeploymentId, said: &[u8]) -> Vec<u8> {
    [domain, deployment.as_bytes(), said].concat()
}
