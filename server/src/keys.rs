//! The server's keys and signatures, by `aws-lc-rs`.

use aralau_sync_core::{
    id::{PublicKey, ServerKey, Signature},
    receipt::{SignServer, VerifyServer},
    stream::{SignDevice, VerifyDevice},
};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};

use crate::entropy::{Entropy, random};

/// A key that cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server's key cannot be made or read")]
pub struct KeyError;

/// The Ed25519 key that signs receipts.
pub struct ReceiptKey(Ed25519KeyPair);

impl ReceiptKey {
    /// A fresh key, as PKCS#8.
    pub fn generate(entropy: &dyn Entropy) -> Result<Vec<u8>, KeyError> {
        let seed: [u8; 32] = random(entropy).map_err(|_| KeyError)?;
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError)?;
        key.to_pkcs8().map(|key| key.as_ref().to_vec()).map_err(|_| KeyError)
    }

    /// From PKCS#8.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_pkcs8(bytes).map(Self).map_err(|_| KeyError)
    }
}

impl SignServer for ReceiptKey {
    fn public_key(&self) -> ServerKey {
        ServerKey::from_slice(self.0.public_key().as_ref()).unwrap_or(ServerKey([0; 32]))
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().unwrap_or([0; 64])
    }
}

/// The P-256 key of the replica that the server itself holds, for headquarters' own edits.
pub struct CustodyKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl CustodyKey {
    /// A fresh key, as PKCS#8. The system's own randomness: so are its signatures, and nothing depends on either.
    pub fn generate(random: &SystemRandom) -> Result<Vec<u8>, KeyError> {
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random);
        key.map(|key| key.as_ref().to_vec()).map_err(|_| KeyError)
    }

    /// From PKCS#8.
    pub fn from_pkcs8(bytes: &[u8], random: &SystemRandom) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes);
        Ok(Self { pair: pair.map_err(|_| KeyError)?, random: random.clone() })
    }
}

impl SignDevice for CustodyKey {
    fn public_key(&self) -> PublicKey {
        // The library gives the uncompressed point 04 ‖ x ‖ y; compressed is 02 or 03 (y's parity) ‖ x.
        let point = self.pair.public_key().as_ref();
        let mut key = [0; 33];
        key[0] = 2 + (point[64] & 1);
        key[1..].copy_from_slice(&point[1..33]);
        PublicKey(key)
    }

    fn sign(&self, message: &[u8]) -> Signature {
        // Only the system's randomness can fail; a zero signature then verifies nowhere.
        let signature = self.pair.sign(&self.random, message);
        signature.ok().and_then(|bytes| Signature::from_slice(bytes.as_ref()).ok()).unwrap_or(Signature([0; 64]))
    }
}

/// Checks the server's own receipts when a device shows them.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptVerifier;

impl VerifyServer for ReceiptVerifier {
    fn verify(&self, key: &ServerKey, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(message, signature).is_ok()
    }
}

/// Checks device signatures.
#[derive(Clone, Copy, Debug)]
pub struct DeviceVerifier;

impl VerifyDevice for DeviceVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes()).verify(message, signature.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custody_signature_verifies_under_the_compressed_key_and_no_other() {
        let random = SystemRandom::new();
        let key = |()| CustodyKey::from_pkcs8(&CustodyKey::generate(&random).unwrap(), &random).unwrap();
        let (mine, other) = (key(()), key(()));
        let signature = mine.sign(b"message");
        assert!(DeviceVerifier.verify(&mine.public_key(), b"message", &signature));
        assert!(!DeviceVerifier.verify(&other.public_key(), b"message", &signature));
        assert!(!DeviceVerifier.verify(&PublicKey([0; 33]), b"message", &signature));
    }
}
