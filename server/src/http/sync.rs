//! `POST /v1/sync`: frames in, each committed by itself; what the scopes gained out.

mod answer;
mod incoming;
mod roll;

use aralau_sync_core::{id::DeviceId, time::Millis};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::time::Instant;

use super::{
    problem::Problem,
    turns::{self, Turn},
};
use crate::{
    app::App,
    compress::Encoding,
    device_auth::{self, Credentials, Nonces, Refused},
    message::MessageReader,
    store::{self, DeviceRow, Noted},
};
use answer::answer;
use incoming::{Incoming, Received};

/// What an answer may weigh beside the rows that it brings.
const ANSWER_FRAMING_BYTES: usize = 256 * 1024;

/// After an answer, whatever else its device has under way waits for so many times as long as it took.
const REST: u32 = 4;

/// Pushes what a device wrote and pulls what its scopes gained, in one round trip. Both bodies are CBOR sequences,
/// described in the protocol reference.
#[utoipa::path(
    post, path = "/v1/sync", tag = "devices",
    request_body(content = Vec<u8>, content_type = "application/cbor-seq"),
    responses((status = 200, body = Vec<u8>, content_type = "application/cbor-seq"), Problem)
)]
pub async fn sync(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let app = &app;
    let (parts, body) = request.into_parts();
    let now = app.now();
    let caller = identify(app, &parts.headers, now).await?;
    let encoding = Encoding::of_request(&parts.headers).ok_or(Problem::UnsupportedEncoding)?;
    let target = (parts.method.as_str(), parts.uri.path());
    // Whoever says beforehand what the body will be is known before any of it is read.
    let said = digest_said(&parts.headers).ok_or(Problem::DigestMissing)?;
    if !caller.credentials.signed(&caller.row, &app.deployment(), target, &said) {
        return Err(Problem::DeviceUnknown);
    }
    let turn = Turn::begin(app, caller.row.device).ok_or(Problem::TooManySyncs)?;
    let mut upload = Incoming::new(app, &caller, &turn, MessageReader::new(encoding));
    // What came whole is decided and durable from here on, whatever becomes of the rest of the request.
    if upload.read(body.into_data_stream()).await? != said {
        return Err(Problem::BodyDamaged);
    }
    let received = upload.finish()?;
    let hand = turn.hand().await;
    tell_status(app, &caller, &received, now).await?;
    let encoding = Encoding::accepted(&parts.headers);
    // Room may have to be waited for, while the device does something else.
    drop(hand);
    let room = app.http().answers.room(app.settings().pull_limits.bytes + ANSWER_FRAMING_BYTES).await?;
    let hand = turn.hand().await;
    let began = Instant::now();
    let answer = answer(app, &caller, received, encoding, now).await?;
    // A phone asks one thing at a time; whoever asks for several at once leaves the others their share.
    turns::rest(hand, began.elapsed() * REST);
    let mut response = Response::new(room.answer(answer, turn));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/cbor-seq"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(name) = encoding.name() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    *response.status_mut() = StatusCode::OK;
    Ok(response)
}

/// The SHA-256 of the body by its `Content-Digest` header (RFC 9530), if it has one.
fn digest_said(headers: &HeaderMap) -> Option<[u8; 32]> {
    let value = headers.get("content-digest")?.to_str().ok()?;
    let encoded = value.split(',').find_map(|one| one.trim().strip_prefix("sha-256=:")?.strip_suffix(':'))?;
    BASE64.decode(encoded).ok()?.try_into().ok()
}

/// The device that sent a request, as far as its credentials can tell before the body has been read.
struct Caller {
    credentials: Credentials,
    row: DeviceRow,
    nonce_issued_at: Millis,
}

async fn identify(app: &App, headers: &HeaderMap, now: Millis) -> Result<Caller, Problem> {
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = text.and_then(Credentials::parse).ok_or(Problem::DeviceUnknown)?;
    let secret = app.identity().nonce_secret;
    let asked = credentials.clone();
    let found = app.read(move |connection| device_auth::identify(connection, &Nonces(&secret), &asked, now)).await?;
    match found {
        Ok((row, nonce_issued_at)) => Ok(Caller { credentials, row, nonce_issued_at }),
        Err(Refused::StaleNonce) => Err(stale_nonce(app, credentials.device, now).await?),
        Err(Refused::Unknown) => Err(Problem::DeviceUnknown),
    }
}

/// A refusal that brings a fresh nonce.
async fn stale_nonce(app: &App, device: DeviceId, now: Millis) -> Result<Problem, Problem> {
    let floor = app.read(move |connection| store::nonce_floor(connection, device)).await?;
    Ok(Problem::NonceStale(device_auth::next_nonce(&Nonces(&app.identity().nonce_secret), device, floor, now)))
}

/// Notes what the device says of itself, and that this nonce has been used. What it had not sent before, less what has come with
/// this request, is what it still has.
async fn tell_status(app: &App, caller: &Caller, received: &Received, now: Millis) -> Result<(), Problem> {
    let Received { hello, own, .. } = received;
    let unsent = hello.unsent.saturating_sub(*own);
    let status = store::DeviceStatus {
        device: caller.row.device,
        replica: hello.replica,
        last_sync_at: now,
        clock_skew_ms: hello.clock.since(now),
        monotonic: hello.monotonic,
        unsent,
        oldest_unsent_at: hello.oldest_unsent_at.filter(|_| unsent > 0),
        app: hello.app.clone(),
        nonce_issued_at: caller.nonce_issued_at,
    };
    match app.write_for(caller.row.device, move |tx| store::note_status(tx, &status)).await? {
        Noted::Yes => Ok(()),
        Noted::NonceUsed => Err(stale_nonce(app, caller.row.device, now).await?),
        Noted::ReplicaForeign => Err(Problem::ReplicaForeign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_named_by_its_digest() {
        let said = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-digest", HeaderValue::from_static(value));
            digest_said(&headers)
        };
        let sound = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
        assert_eq!(said(sound), Some([0; 32]));
        assert_eq!(said("sha-512=:AA==:, sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"), Some([0; 32]));
        for other in ["", "sha-256=AA", "sha-256=:AA==:", "md5=:AA==:", "sha-256=:!:"] {
            assert_eq!(said(other), None, "{other}");
        }
    }
}
