//! Requests of devices: signed over method, path, body and a nonce that this server gave the device.
//!
//! ```text
//! nonce = base64url(u64be issued_at_ms ‖ HMAC-SHA256(secret, device16 ‖ u64be issued_at_ms)[..16])
//! ```
//! No table of nonces: the newest one used is remembered for each device, and neither it nor one issued before it counts
//! again. Each answer brings the next, so that a device back after weeks still needs only one round trip.

use aralau_sync_core::{
    auth::{SCHEME, request_preimage},
    id::{DeploymentId, DeviceId, Signature},
    stream::VerifyDevice as _,
    time::{DAY_MS, Millis},
};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use rusqlite::Connection;

use crate::{
    keys::DeviceVerifier,
    store::{DeviceRow, StoreError, device, nonce_floor},
};

/// A nonce lives as long as a device may stay away and still find its way back in one round trip.
const NONCE_LIFE_MS: i64 = 90 * DAY_MS;
const TAG_LEN: usize = 16;

/// The `Authorization` header of a device's request, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who says so.
    pub device: DeviceId,
    /// The nonce used.
    pub nonce: String,
    /// Over [`request_preimage`].
    pub signature: Signature,
}

/// Why a device's request does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No such device, or a signature that is not its own.
    Unknown,
    /// The nonce is too old, was overtaken, or is not ours: a fresh one mends it.
    StaleNonce,
}

impl Credentials {
    /// From the header's value: `Aralau-Device device=<uuid>, nonce=<nonce>, signature=<hex>`.
    pub fn parse(header: &str) -> Option<Self> {
        let parameters = header.strip_prefix(SCHEME)?.strip_prefix(' ')?;
        let (mut device, mut nonce, mut signature) = (None, None, None);
        for parameter in parameters.split(',').take(8) {
            let (name, value) = parameter.trim().split_once('=')?;
            match name {
                "device" => device = value.parse().ok(),
                "nonce" if value.len() <= 64 => nonce = Some(value.to_owned()),
                "signature" => signature = value.parse().ok(),
                _ => {}
            }
        }
        Some(Self { device: device?, nonce: nonce?, signature: signature? })
    }

    /// Whether the device signed this very request.
    pub fn signed(
        &self,
        row: &DeviceRow,
        deployment: &DeploymentId,
        (method, path): (&str, &str),
        body_hash: &[u8; 32],
    ) -> bool {
        let message = request_preimage(deployment, &self.device, method, path, body_hash, &self.nonce);
        DeviceVerifier.verify(&row.key, &message, &self.signature)
    }
}

/// Makes and knows nonces.
pub struct Nonces<'a>(pub &'a [u8; 32]);

impl Nonces<'_> {
    fn tag(&self, device: DeviceId, issued_at: Millis) -> [u8; TAG_LEN] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0);
        let message = [&device.as_bytes()[..], &issued_at.0.to_be_bytes()].concat();
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&hmac::sign(&key, &message).as_ref()[..TAG_LEN]);
        tag
    }

    /// A nonce for a device.
    pub fn issue(&self, device: DeviceId, now: Millis) -> String {
        BASE64URL.encode([&now.0.to_be_bytes()[..], &self.tag(device, now)].concat())
    }

    /// When a nonce was issued, if it is ours, this device's, and not too old.
    pub fn issued_at(&self, nonce: &str, device: DeviceId, now: Millis) -> Option<Millis> {
        let bytes = BASE64URL.decode(nonce).ok()?;
        let (issued_at, tag) = bytes.split_at_checked(8)?;
        let issued_at = Millis(i64::from_be_bytes(issued_at.try_into().ok()?));
        let ours = aws_lc_rs::constant_time::verify_slices_are_equal(tag, &self.tag(device, issued_at)).is_ok();
        (ours && now.since(issued_at) <= NONCE_LIFE_MS).then_some(issued_at)
    }
}

/// Finds the device and checks its nonce; the signature is checked once the body has been read.
pub fn identify(
    connection: &Connection,
    nonces: &Nonces<'_>,
    credentials: &Credentials,
    now: Millis,
) -> Result<Result<(DeviceRow, Millis), Refused>, StoreError> {
    let Some(row) = device(connection, credentials.device)? else { return Ok(Err(Refused::Unknown)) };
    let Some(issued_at) = nonces.issued_at(&credentials.nonce, row.device, now) else {
        return Ok(Err(Refused::StaleNonce));
    };
    Ok(if issued_at <= nonce_floor(connection, row.device)? { Err(Refused::StaleNonce) } else { Ok((row, issued_at)) })
}

/// The next nonce: issued after every earlier one even where the server's clock went back.
pub fn next_nonce(nonces: &Nonces<'_>, device: DeviceId, used: Millis, now: Millis) -> String {
    nonces.issue(device, now.max(used.plus(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_device_and_its_time_only() {
        let nonces = Nonces(&[7; 32]);
        let (mine, other) = (DeviceId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        let now = Millis(1_700_000_000_000);
        let nonce = nonces.issue(mine, now);
        assert_eq!(nonces.issued_at(&nonce, mine, now.plus(5)), Some(now));
        assert_eq!(nonces.issued_at(&nonce, other, now), None);
        assert_eq!(nonces.issued_at(&nonce, mine, now.plus(NONCE_LIFE_MS + 1)), None);
        assert_eq!(Nonces(&[8; 32]).issued_at(&nonce, mine, now), None);
        assert_eq!(nonces.issued_at("", mine, now), None);
    }

    #[test]
    fn credentials_read_back_and_nonsense_does_not() {
        let device = DeviceId::from_bytes([1; 16]);
        let signature = Signature([9; 64]);
        let header = format!("{SCHEME} device={device}, nonce=abc, signature={signature}");
        assert_eq!(Credentials::parse(&header), Some(Credentials { device, nonce: "abc".into(), signature }));
        for nonsense in ["", "Bearer x", SCHEME, "Aralau-Device device=1", "Aralau-Device ,,,,,,,,,,,,"] {
            assert_eq!(Credentials::parse(nonsense), None, "{nonsense}");
        }
    }
}
