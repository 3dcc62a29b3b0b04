//! A sync request as it is sent, and an answer as it is read: compression, digest, signature, bounds.

use aralau_sync_core::{
    auth::{SCHEME, body_hash, request_preimage},
    cbor,
    id::{DeviceId, Signature},
    sync::{Answer, Hello, MAX_ANSWER_ITEM_BYTES},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::{
    enrollment::Enrollment,
    error::Error,
    transport::{HttpRequest, HttpResponse},
};

const PATH: &str = "/v1/sync";
/// An answer, decompressed, at most.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// A nonce's longest text.
const MAX_NONCE_BYTES: usize = 64;

/// A nonce as it can stand in a header. Answers are not signed as a whole: one that was spoilt on the way, and kept, would
/// never leave this device, and nothing else with it. In its place goes none, upon which the server gives a fresh one.
pub(super) fn usable(nonce: &[u8]) -> &str {
    let is_usable = |nonce: &&str| {
        nonce.len() <= MAX_NONCE_BYTES && nonce.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
    };
    str::from_utf8(nonce).ok().filter(is_usable).unwrap_or_default()
}

/// A request that its device has not signed yet.
#[derive(Debug)]
pub(super) struct Unsigned {
    /// What it signs.
    pub(super) preimage: Vec<u8>,
    device: DeviceId,
    nonce: String,
    request: HttpRequest,
}

/// The request, but for its signature.
pub(super) fn request(
    enrollment: &Enrollment,
    nonce: &str,
    hello: &Hello,
    frames: &[Vec<u8>],
) -> Result<Unsigned, Error> {
    let body = body(hello, frames)?;
    let hash = body_hash(&body);
    let preimage = request_preimage(&enrollment.deployment, &enrollment.device, "POST", PATH, &hash, nonce);
    let mut headers = vec![
        ("content-type", "application/cbor-seq".into()),
        ("accept", "application/cbor-seq, application/problem+json".into()),
        ("content-digest", format!("sha-256=:{}:", BASE64.encode(hash))),
    ];
    headers.extend(compression_headers());
    let url = format!("{}{PATH}", enrollment.url);
    let (max_answer_bytes, certificate) = (MAX_ANSWER_BYTES, enrollment.certificate);
    let request = HttpRequest { method: "POST", url, headers, body, max_answer_bytes, certificate };
    Ok(Unsigned { preimage, device: enrollment.device, nonce: nonce.to_owned(), request })
}

impl Unsigned {
    /// Ready to send.
    pub(super) fn signed(self, signature: Signature) -> HttpRequest {
        let Self { device, nonce, mut request, .. } = self;
        let credentials = format!("{SCHEME} device={device}, nonce={nonce}, signature={signature}");
        request.headers.insert(0, ("authorization", credentials));
        request
    }
}

/// Reads an answer with status 200.
pub(super) fn read(response: &HttpResponse) -> Result<Answer, Error> {
    let message = decompress(response)?;
    let items = cbor::items(&message, MAX_ANSWER_ITEM_BYTES).map_err(|_| Error::Answer)?;
    Answer::from_items(&items).map_err(|_| Error::Answer)
}

#[cfg(not(target_arch = "wasm32"))]
fn compression_headers() -> Vec<(&'static str, String)> {
    vec![("content-encoding", "zstd".into()), ("accept-encoding", "zstd".into())]
}

/// A browser compresses nothing that it sends, and decompresses what it receives by itself.
#[cfg(target_arch = "wasm32")]
fn compression_headers() -> Vec<(&'static str, String)> {
    Vec::new()
}

/// Flushed after each frame, so that the server has whole frames of an upload that breaks.
#[cfg(not(target_arch = "wasm32"))]
fn body(hello: &Hello, frames: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    use std::io::Write as _;

    // 40 ms a hundred visits on a busy core, which a slow line gives back.
    const LEVEL: i32 = 15;
    let cannot = |_| Error::Store(crate::store::StoreError::Unavailable("out of memory".into()));
    let framed = |item: &[u8]| {
        let mut message = Vec::with_capacity(item.len() + 9);
        cbor::push_item(&mut message, item);
        message
    };
    let hello = cbor::encode(hello);
    let items: Vec<_> = std::iter::once(&hello).chain(frames).map(|item| framed(item)).collect();
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL).map_err(cannot)?;
    // Tables only as large as what they are for: most syncs carry a few visits.
    let size: usize = items.iter().map(Vec::len).sum();
    encoder.set_pledged_src_size(Some(size as u64)).map_err(cannot)?;
    for item in &items {
        encoder.write_all(item).map_err(cannot)?;
        encoder.flush().map_err(cannot)?;
    }
    encoder.finish().map_err(cannot)
}

#[cfg(target_arch = "wasm32")]
fn body(hello: &Hello, frames: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    let mut message = Vec::new();
    cbor::push_item(&mut message, &cbor::encode(hello));
    frames.iter().for_each(|frame| cbor::push_item(&mut message, frame));
    Ok(message)
}

fn decompress(response: &HttpResponse) -> Result<Vec<u8>, Error> {
    match response.header("content-encoding") {
        None | Some("identity" | "") => Ok(response.body.clone()),
        Some("zstd") => unzstd(&response.body),
        Some(_) => Err(Error::Protocol),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn unzstd(body: &[u8]) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;

    let decoder = zstd::stream::read::Decoder::new(body).map_err(|_| Error::Answer)?;
    let mut message = Vec::new();
    decoder.take(MAX_ANSWER_BYTES + 1).read_to_end(&mut message).map_err(|_| Error::Answer)?;
    if message.len() as u64 > MAX_ANSWER_BYTES { Err(Error::Answer) } else { Ok(message) }
}

#[cfg(target_arch = "wasm32")]
fn unzstd(_: &[u8]) -> Result<Vec<u8>, Error> {
    Err(Error::Protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_that_no_header_can_carry_is_none() {
        assert_eq!(usable(b"AAABogVHfKP1QYHY4qD9h3px--8OxzoV"), "AAABogVHfKP1QYHY4qD9h3px--8OxzoV");
        for spoilt in [&b"\x03AABogVH"[..], b"AAA\xffBog", b"AAA Bog", b"AAA,nonce=x", "Ж".as_bytes(), &[b'A'; 65]] {
            assert_eq!(usable(spoilt), "", "{spoilt:?}");
        }
    }
}
