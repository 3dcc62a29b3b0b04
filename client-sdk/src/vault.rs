//! Where a device's key lives, and signs. The key may be of the kind that nothing ever reads: only messages go in and
//! signatures come out.

#[cfg(not(target_arch = "wasm32"))]
mod file;

use aralau_sync_core::{
    id::{PublicKey, Signature},
    stream::SignDevice,
};

#[cfg(not(target_arch = "wasm32"))]
pub use file::open;

use crate::{error::Error, keys::DeviceKey};

/// A device's key, wherever it is.
pub trait Vault: Send {
    /// The public half.
    fn public_key(&self) -> PublicKey;
    /// Raw r‖s over SHA-256 of `message`, P-256.
    ///
    /// # Errors
    /// [`Error::Key`] where the key cannot be used now, or cannot be used in this way.
    fn sign(&self, message: &[u8]) -> Result<Signature, Error>;
}

impl Vault for DeviceKey {
    fn public_key(&self) -> PublicKey {
        SignDevice::public_key(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        Ok(SignDevice::sign(self, message))
    }
}

/// A key that answers only who waits for it, as WebCrypto's does. Sessions ask for its signatures by
/// [`Step::Sign`](crate::Step::Sign); nothing else needs any.
impl Vault for PublicKey {
    fn public_key(&self) -> PublicKey {
        *self
    }

    fn sign(&self, _: &[u8]) -> Result<Signature, Error> {
        Err(Error::Key("it signs only for who waits: drive the session"))
    }
}
