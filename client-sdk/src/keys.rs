//! The device's key and the checking of signatures, in pure Rust so that phones, browsers and servers compute alike.

use aralau_sync_core::{
    id::{PublicKey, ServerKey, Signature},
    receipt::VerifyServer,
    stream::{SignDevice, VerifyDevice},
};
use p256::ecdsa::{
    SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};

use crate::seams::Entropy;

/// A device's P-256 key.
#[derive(Clone)]
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    /// A fresh key.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        loop {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes);
            // Out of range once in 2³² draws.
            if let Some(key) = Self::from_bytes(&bytes) {
                return key;
            }
        }
    }

    /// From its secret scalar; `None` where that is none.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(bytes).ok().map(Self)
    }

    /// The secret scalar.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeviceKey({})", self.public_key())
    }
}

impl SignDevice for DeviceKey {
    #[expect(clippy::expect_used, reason = "a compressed point of this curve is always 33 bytes")]
    fn public_key(&self) -> PublicKey {
        let point = self.0.verifying_key().to_sec1_point(true);
        PublicKey::from_slice(point.as_bytes()).expect("33 bytes")
    }

    fn sign(&self, message: &[u8]) -> Signature {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        Signature(signature.to_bytes().into())
    }
}

/// What stands before the point where a P-256 key is written down as X.509 has it.
const X509_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key as a keystore tells it: as a point, compressed (33 bytes) or not (65, a Secure Enclave), or wrapped
/// into X.509 (91, an Android Keystore). `None` for what is no key.
pub fn read_public_key(bytes: &[u8]) -> Option<PublicKey> {
    let point = bytes.strip_prefix(&X509_PREFIX).unwrap_or(bytes);
    let key = VerifyingKey::from_sec1_bytes(point).ok()?;
    PublicKey::from_slice(key.to_sec1_point(true).as_bytes()).ok()
}

/// A signature as a keystore gives it: `r` and `s` (64 bytes), or those as ASN.1. `None` for what is none.
pub fn read_signature(bytes: &[u8]) -> Option<Signature> {
    let signature = match bytes.len() {
        64 => p256::ecdsa::Signature::from_slice(bytes),
        _ => p256::ecdsa::Signature::from_der(bytes),
    };
    Some(Signature(signature.ok()?.to_bytes().into()))
}

/// Checks the signatures of devices and of the server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verifier;

impl VerifyDevice for Verifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let Ok(key) = VerifyingKey::from_sec1_bytes(key.as_bytes()) else { return false };
        let Ok(signature) = p256::ecdsa::Signature::from_slice(signature.as_bytes()) else { return false };
        key.verify(message, &signature).is_ok()
    }
}

impl VerifyServer for Verifier {
    fn verify(&self, key: &ServerKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes()) else { return false };
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::SystemEntropy;

    #[test]
    fn a_signature_counts_for_its_key_and_message_only() {
        let key = DeviceKey::generate(&mut SystemEntropy);
        let other = DeviceKey::from_bytes(&[7; 32]).expect("in range");
        let signature = key.sign(b"message");
        assert!(VerifyDevice::verify(&Verifier, &key.public_key(), b"message", &signature));
        assert!(!VerifyDevice::verify(&Verifier, &key.public_key(), b"massage", &signature));
        assert!(!VerifyDevice::verify(&Verifier, &other.public_key(), b"message", &signature));
        assert!(!VerifyDevice::verify(&Verifier, &PublicKey([0; 33]), b"message", &signature));
        let again = DeviceKey::from_bytes(&key.to_bytes()).expect("its own bytes");
        assert_eq!(again.public_key(), key.public_key());
    }

    #[test]
    fn keys_and_signatures_are_read_however_a_keystore_writes_them() {
        let key = DeviceKey::from_bytes(&[7; 32]).expect("in range");
        let point = key.0.verifying_key().to_sec1_point(false);
        let x509 = [&X509_PREFIX[..], point.as_bytes()].concat();
        for written in [key.public_key().as_bytes(), point.as_bytes(), &x509] {
            assert_eq!(read_public_key(written), Some(key.public_key()));
        }
        let signature = key.sign(b"message");
        let parsed = p256::ecdsa::Signature::from_slice(&signature.0).expect("sound");
        for written in [&signature.0[..], parsed.to_der().as_bytes()] {
            assert_eq!(read_signature(written), Some(signature));
        }
        for wrong in [&[][..], &[4; 65], &[0; 64], &x509[..90]] {
            assert_eq!((read_public_key(wrong), read_signature(wrong)), (None, None));
        }
    }

    #[test]
    fn a_signature_with_the_other_s_counts_as_well() {
        let key = DeviceKey::from_bytes(&[9; 32]).expect("in range");
        let signature = key.sign(b"message");
        let parsed = p256::ecdsa::Signature::from_slice(&signature.0).expect("sound");
        let (r, s) = parsed.split_scalars();
        let flipped = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-s).to_bytes()).expect("sound");
        let flipped = Signature(flipped.to_bytes().into());
        assert_ne!(flipped, signature);
        assert!(VerifyDevice::verify(&Verifier, &key.public_key(), b"message", &flipped));
    }
}
