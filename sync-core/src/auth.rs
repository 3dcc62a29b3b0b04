//! What a device signs to bind a request to itself. The server's nonce and the path keep a request from being replayed
//! elsewhere or later; the body's digest keeps it from being changed on the way.
//!
//! ```text
//! request = sign("aralau/request/1\0" ‖ deployment16 ‖ device16 ‖ SHA256(method ‖ " " ‖ path) ‖ SHA256(body) ‖ SHA256(nonce))
//! enroll  = sign("aralau/enroll/1\0" ‖ SHA256(code) ‖ replica14 ‖ key33)
//! ```
//! The body is hashed as sent, after compression.

use crate::{
    digest::sha256,
    id::{DeploymentId, DeviceId, PublicKey, ReplicaId},
};

/// Scheme of the `Authorization` header: `Aralau-Device device=<uuid>, nonce=<nonce>, signature=<hex>`.
pub const SCHEME: &str = "Aralau-Device";
/// Header in which the server hands out a fresh nonce, with every 401 that a fresh nonce would mend.
pub const NONCE_HEADER: &str = "aralau-nonce";

/// SHA-256 of a request's body as sent.
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    sha256(&[body])
}

/// What a device signs with each request.
pub fn request_preimage(
    deployment: &DeploymentId,
    device: &DeviceId,
    method: &str,
    path: &str,
    body_hash: &[u8; 32],
    nonce: &str,
) -> Vec<u8> {
    [
        &b"aralau/request/1\0"[..],
        deployment.as_bytes(),
        device.as_bytes(),
        &sha256(&[method.as_bytes(), b" ", path.as_bytes()]),
        body_hash,
        &sha256(&[nonce.as_bytes()]),
    ]
    .concat()
}

/// What a device signs to prove that it holds the key it enrolls.
pub fn enroll_preimage(code: &str, replica: &ReplicaId, key: &PublicKey) -> Vec<u8> {
    [&b"aralau/enroll/1\0"[..], &sha256(&[code.as_bytes()]), replica.as_bytes(), key.as_bytes()].concat()
}
