//! `POST /v1/sync`: frames in, each committed by itself; what the scopes gained out.

mod roll;

use std::{collections::BTreeSet, sync::Arc};

use aralau_sync_core::{
    cbor,
    frame::{Frame, FrameError},
    id::{DeviceId, PublicKey, ReplicaId, ScopeId},
    introduction::Introduction,
    receipt::SignServer as _,
    stream::{SignDevice as _, StreamId},
    sync::{
        AUTHOR_UNKNOWN, Directive, FrameFate, Hello, LastRow, MAX_FRAMES, MAX_HELLO_BYTES, MAX_INTRODUCTIONS,
        MAX_NOTICES, MAX_SCOPES, PROTOCOL, StreamEnd, Welcome,
    },
    time::Millis,
};
use axum::{
    body::BodyDataStream,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use futures_util::StreamExt as _;
use minicbor::bytes::ByteVec;
use sha2::{Digest as _, Sha256};

use super::{problem::Problem, turns::Turn};
use crate::{
    app::App,
    compress::{Encoding, Parts},
    device_auth::{self, Credentials, Nonces, Refused},
    keys::{DeviceVerifier, ReceiptVerifier},
    message::MessageReader,
    store::{self, Asking, DeviceRow, Noted, Packed, Pulled, StoreError, Upload},
};
use roll::Call;

/// What an answer may weigh beside the rows that it brings.
const ANSWER_FRAMING_BYTES: usize = 256 * 1024;
/// How long a body may pause between two pieces.
const BODY_PAUSE: std::time::Duration = std::time::Duration::from_secs(20);

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
    let mut upload = Incoming::new(app, &caller, MessageReader::new(encoding));
    // What came whole is decided and durable from here on, whatever becomes of the rest of the request.
    if upload.read(body.into_data_stream()).await? != said {
        return Err(Problem::BodyDamaged);
    }
    let received = upload.finish()?;
    tell_status(app, &caller, &received, now).await?;
    let encoding = Encoding::accepted(&parts.headers);
    let room = app.http().answers.room(app.settings().pull_limits.bytes + ANSWER_FRAMING_BYTES).await?;
    let answer = answer(app, &caller, received, encoding, now).await?;
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

/// A request's body while it arrives.
struct Incoming<'a> {
    app: &'a App,
    caller: &'a Caller,
    message: MessageReader,
    hello: Option<Hello>,
    call: Option<Call>,
    fates: Vec<FrameFate>,
    held: Vec<(ScopeId, u64, String)>,
    own: u64,
}

/// A whole request, taken.
struct Received {
    /// Its scopes are those of the roll, where it called one.
    hello: Hello,
    call: Option<Call>,
    /// Of each frame, in its order.
    fates: Vec<FrameFate>,
    /// Entries that were not accepted.
    held: Vec<(ScopeId, u64, String)>,
    /// The device's own entries among those decided.
    own: u64,
}

impl<'a> Incoming<'a> {
    fn new(app: &'a App, caller: &'a Caller, message: MessageReader) -> Self {
        Self { app, caller, message, hello: None, call: None, fates: Vec::new(), held: Vec::new(), own: 0 }
    }

    /// Reads all of it, frame by frame. Returns the digest of what was sent.
    async fn read(&mut self, mut body: BodyDataStream) -> Result<[u8; 32], Problem> {
        let mut hasher = Sha256::new();
        loop {
            let piece = tokio::time::timeout(BODY_PAUSE, body.next()).await.map_err(|_| Problem::BodyIncomplete)?;
            let Some(piece) = piece else { break };
            let piece = piece.map_err(|_| Problem::BodyIncomplete)?;
            hasher.update(&piece);
            let mut rest = &piece[..];
            while let Some(item) = self.message.next_item(&mut rest)? {
                self.take_item(&item).await?;
            }
        }
        if self.message.is_whole() { Ok(hasher.finalize().into()) } else { Err(Problem::BodyIncomplete) }
    }

    async fn take_item(&mut self, item: &[u8]) -> Result<(), Problem> {
        if self.hello.is_none() {
            return self.take_hello(item).await;
        }
        if self.fates.len() >= MAX_FRAMES {
            return Err(Problem::BodyTooLarge);
        }
        let fate = self.take_frame(item).await?;
        self.fates.push(fate);
        Ok(())
    }

    async fn take_hello(&mut self, item: &[u8]) -> Result<(), Problem> {
        let malformed = |detail: &str| Problem::Malformed(format!("the hello: {detail}"));
        if item.len() > MAX_HELLO_BYTES {
            return Err(malformed("too long"));
        }
        let mut hello: Hello = cbor::decode(item).map_err(|error| malformed(&error.to_string()))?;
        if hello.protocol != PROTOCOL {
            return Err(Problem::ProtocolVersion(PROTOCOL));
        }
        let introductions = hello.introductions.as_deref().unwrap_or_default();
        let elsewhere = hello.elsewhere.as_deref().unwrap_or_default();
        let is_long = hello.app.as_ref().is_some_and(|app| app.len() > 64);
        if hello.scopes.len() > MAX_SCOPES
            || elsewhere.len() > MAX_SCOPES
            || introductions.len() > MAX_INTRODUCTIONS
            || hello.notices.as_ref().is_some_and(|notices| notices.len() > MAX_NOTICES)
            || is_long
        {
            return Err(malformed("more than its limits allow"));
        }
        self.call = self.call(&hello).await?;
        if let Some(call) = &self.call {
            hello.scopes = call.asks();
        }
        self.mend_lost_rows(&hello).await?;
        self.meet(introductions).await?;
        self.hear(hello.notices.as_deref().unwrap_or_default()).await?;
        if self.caller.row.is_unconfirmed && self.caller.row.revoked_at.is_none() {
            return Err(Problem::DeviceUnconfirmed);
        }
        self.hello = Some(hello);
        Ok(())
    }

    /// A roll asks about every beat at once.
    async fn call(&self, hello: &Hello) -> Result<Option<Call>, Problem> {
        let Some(roll) = hello.roll.clone() else { return Ok(None) };
        let (row, now) = (self.caller.row.clone(), self.app.now());
        Ok(self.app.read(move |connection| Call::of(connection, &row, roll, now)).await?)
    }

    /// A device that has seen rows which this server lacks, or others, tells of a database put back by hand. Before
    /// anything else is taken, the server's own receipt proves it, and a new epoch begins.
    async fn mend_lost_rows(&self, hello: &Hello) -> Result<(), Problem> {
        let asks = hello.scopes.clone();
        let is_behind = self.app.read(move |connection| store::is_behind(connection, &asks)).await?;
        let receipts = hello.receipts.clone().unwrap_or_default();
        let (app, person) = (self.app.clone(), self.caller.row.person);
        let find =
            move |connection: &rusqlite::Connection| store::find_loss(connection, app.identity(), &receipts, person);
        let loss = self.app.read(find).await?;
        match loss {
            Some(loss) => {
                let now = self.app.now();
                Ok(self.app.write_for(self.caller.row.device, move |tx| store::mend_loss(tx, loss, now)).await?)
            }
            None if is_behind => Err(Problem::ServerBehind),
            None => Ok(()),
        }
    }

    /// Notes authors whom a restored directory has forgotten, on this server's own earlier word.
    async fn meet(&self, introductions: &[ByteVec]) -> Result<(), Problem> {
        let (deployment, key) = (self.app.deployment(), self.app.identity().receipt_key.public_key());
        let open = |bytes: &ByteVec| Introduction::open(bytes, &deployment, &key, &ReceiptVerifier).ok();
        let met: Vec<Introduction> = introductions.iter().filter_map(open).collect();
        if met.is_empty() {
            return Ok(());
        }
        let now = self.app.now();
        let noted = self.app.write_for(self.caller.row.device, move |tx| {
            met.iter().try_for_each(|author| store::meet(tx, author, now))
        });
        Ok(noted.await?)
    }

    /// Ends again what had ended before this server was restored, on its own earlier word, whoever brings it.
    async fn hear(&self, notices: &[ByteVec]) -> Result<(), Problem> {
        let notices = store::open_notices(self.app.identity(), notices.iter().map(|notice| notice.as_slice()));
        if notices.is_empty() {
            return Ok(());
        }
        let now = self.app.now();
        let ended = self.app.write_for(self.caller.row.device, move |tx| store::bring_back(tx, &notices, now)).await?;
        if ended > 0 {
            tracing::warn!(ended, "a device has brought back what had ended before this server was restored");
        }
        Ok(())
    }

    async fn take_frame(&mut self, item: &[u8]) -> Result<FrameFate, Problem> {
        let refused = |code: &str| FrameFate::Refused { code: code.to_owned() };
        let frame = match Frame::from_bytes(item) {
            Ok(frame) => frame,
            Err(error) => return Ok(refused(error.code())),
        };
        let replica = frame.stream.replica;
        let app = self.app;
        let author = app.read(move |connection| store::device_of_replica(connection, replica)).await?;
        let signer = match &author {
            Some(author) if author.device == self.caller.row.device => Signer::Caller(author.key),
            Some(author) if author.device == store::CUSTODY_DEVICE => Signer::Server,
            Some(author) => Signer::Other(author.key),
            // A new install of the sending device, noted with its first frame that verifies under the device's key.
            None => Signer::Caller(self.caller.row.key),
        };
        let (handle, is_unknown) = (app.clone(), author.is_none());
        // Of a restored server's own or another's words there are no more than there were.
        let payer = author.as_ref().map_or(self.caller.row.device, |author| author.device);
        let is_out = self.caller.row.revoked_at.is_some();
        if payer != store::CUSTODY_DEVICE
            && let Err(code) = app.http().quotas.admit(payer, is_out, app.settings(), app.now())
        {
            app.http().metrics.refused(code);
            return Ok(refused(code));
        }
        let verified = tokio::task::spawn_blocking(move || verify(&handle, frame, signer, is_unknown));
        let (signer, upload) = match verified.await {
            Ok(Ok(verified)) => verified,
            // Signed by nobody known: whoever has the author's introduction can say who it was.
            Ok(Err(FrameError::Signature)) if is_unknown => return Ok(refused(AUTHOR_UNKNOWN)),
            Ok(Err(error)) => return Ok(refused(error.code())),
            Err(_) => return Ok(refused("frame_malformed")),
        };
        let brought_by = matches!(signer, Signer::Other(_)).then_some(self.caller.row.person);
        let upload = Arc::new(Upload { brought_by, ..upload });
        let entries = upload.frame.links.len() as u64;
        let fate = self.take_verified(signer, payer, upload).await?;
        if matches!(signer, Signer::Caller(_)) && matches!(fate, FrameFate::Decided { .. }) {
            self.own += entries;
        }
        Ok(fate)
    }

    /// Turn by turn, among other devices' turns.
    async fn take_verified(
        &mut self,
        signer: Signer,
        payer: DeviceId,
        upload: Arc<Upload>,
    ) -> Result<FrameFate, Problem> {
        let (device, stream) = (self.caller.row.device, upload.frame.stream);
        loop {
            let (handle, frame, now) = (self.app.clone(), Arc::clone(&upload), self.app.now());
            let ingested = self.app.write_for(device, move |tx| {
                match signer {
                    Signer::Caller(_) if !store::ensure_replica(tx, device, stream.replica, now)? => return Ok(None),
                    Signer::Server => store::ensure_custody(tx, handle.identity(), stream, now)?,
                    Signer::Caller(_) | Signer::Other(_) => {}
                }
                store::ingest_some(tx, &frame, now).map(Some)
            });
            let Some(ingested) = ingested.await? else {
                return Ok(FrameFate::Refused { code: "replica_foreign".to_owned() });
            };
            self.app.http().metrics.ingested(&ingested);
            self.app.http().quotas.note(payer, ingested.bytes, ingested.held_bytes, now);
            self.held.extend(ingested.held.into_iter().map(|(index, reason)| (stream.scope, index, reason)));
            if ingested.is_whole {
                return Ok(ingested.fate);
            }
        }
    }

    fn finish(self) -> Result<Received, Problem> {
        let hello = self.hello.ok_or_else(|| Problem::Malformed("the body is empty".to_owned()))?;
        Ok(Received { hello, call: self.call, fates: self.fates, held: self.held, own: self.own })
    }
}

/// Whose key must have signed a frame.
#[derive(Clone, Copy)]
enum Signer {
    /// The device that sends it.
    Caller(PublicKey),
    /// Another device: its words are brought back to a restored server.
    Other(PublicKey),
    /// This server, for headquarters.
    Server,
}

/// A frame with its tips, if whoever must have signed it did. `is_unknown`: the directory does not know its replica.
fn verify(app: &App, frame: Frame, signer: Signer, is_unknown: bool) -> Result<(Signer, Upload), FrameError> {
    let deployment = app.deployment();
    let signed_by = |key: &PublicKey| frame.verify(&deployment, key, &DeviceVerifier);
    let custody_key = app.identity().custody_key.public_key();
    let (signer, tips) = match signer {
        Signer::Server => (signer, signed_by(&custody_key)?),
        Signer::Other(key) => (signer, signed_by(&key)?),
        Signer::Caller(key) => match signed_by(&key) {
            // A restored directory has forgotten names under which the server itself wrote.
            Err(_) if is_unknown => (Signer::Server, signed_by(&custody_key)?),
            tips => (signer, tips?),
        },
    };
    Ok((signer, Upload { frame, tips, by: None, brought_by: None }))
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

async fn answer(
    app: &App,
    caller: &Caller,
    received: Received,
    encoding: Encoding,
    now: Millis,
) -> Result<Vec<u8>, Problem> {
    let Received { mut hello, mut call, fates: frames, held, .. } = received;
    let nonces = Nonces(&app.identity().nonce_secret);
    let nonce = device_auth::next_nonce(&nonces, caller.row.device, caller.nonce_issued_at, now);
    let device = caller.row.device;
    let handle = app.clone();
    let encoded = app.read(move |connection| {
        // As it stands now: the device may have been shut out while it sent, or by what it brought.
        let row =
            store::device(connection, device)?.ok_or_else(|| StoreError::corrupt("a device that sent is gone"))?;
        let noticed = match hello.noticed {
            Some(seen) => store::noticed(connection, handle.identity(), &row, seen)?,
            None => None,
        };
        let epoch = store::current_epoch(connection)?;
        let beats = if row.revoked_at.is_some() { Vec::new() } else { store::beats_of(connection, row.person, now)? };
        if call.take_if(|call| !call.is_of(&beats, epoch)).is_some() {
            // As a roll that did not fit when it came.
            hello.scopes.clear();
        }
        let epochs = store::epochs_for(connection, &hello.scopes)?;
        let pulled = pull_all(connection, &handle, &hello, &beats, &epochs, epoch, &held, call.as_mut(), now)?;
        let key = &handle.identity().receipt_key;
        let level = call.map(|call| call.level(handle.deployment(), hello.replica, now, key));
        let welcome = Welcome {
            protocol: PROTOCOL,
            time: now,
            epochs,
            nonce,
            directives: directives(&row, &hello, &beats),
            takes_roll: (beats.len() > 1).then_some(true),
            beats: if level.is_some() { Vec::new() } else { beats.into_iter().map(Into::into).collect() },
            level,
            frames,
            elsewhere: hello.elsewhere.map(|rows| elsewhere(connection, hello.replica, &rows)).transpose()?,
            noticed,
        };
        // Still in a read's turn, so that only few answers are there uncompressed at once.
        Ok(message(encoding, &welcome, pulled))
    });
    encoded.await?
}

/// The answer's items. Packs are sent as they are stored.
fn message(encoding: Encoding, welcome: &Welcome, pulled: Vec<Pulled>) -> Result<Vec<u8>, Problem> {
    let mut message = Parts::new(encoding);
    cbor::push_item(message.plain(), &cbor::encode(welcome));
    for Pulled { gained, packs, .. } in pulled {
        cbor::push_item(message.plain(), &cbor::encode(&gained));
        for pack in packs {
            match pack {
                Packed::Sealed(frame) => message.push_zstd(&frame)?,
                Packed::Live(pack) => cbor::push_item(message.plain(), &cbor::encode(&pack)),
            }
        }
    }
    message.finish()
}

/// The device's own streams where it may not read, and whether the rows that it has of there are still what they were: no
/// secret to it.
fn elsewhere(
    connection: &rusqlite::Connection,
    replica: ReplicaId,
    rows: &[LastRow],
) -> Result<Vec<StreamEnd>, StoreError> {
    let end = |row: &LastRow| {
        let tip = store::own_tip(connection, StreamId { replica, scope: row.scope })?;
        Ok(StreamEnd { replica, scope: row.scope, tip, has_last_row: store::has_row(connection, row)? })
    };
    rows.iter().map(end).collect()
}

/// What the device should do. A beat given or taken since it last heard shows in what it asks about.
fn directives(row: &DeviceRow, hello: &Hello, beats: &[store::BeatRow]) -> Vec<Directive> {
    if row.revoked_at.is_some() {
        return vec![Directive::Wipe];
    }
    let asked: BTreeSet<ScopeId> = hello.scopes.iter().map(|ask| ask.scope).collect();
    let assigned: BTreeSet<ScopeId> = beats.iter().map(|beat| beat.scope).collect();
    // Nobody may ask about more scopes than so many, but by a roll.
    let asks_for_all = asked.is_subset(&assigned) && asked.len() >= assigned.len().min(MAX_SCOPES);
    if asks_for_all { Vec::new() } else { vec![Directive::AssignmentChanged] }
}

#[expect(clippy::too_many_arguments, reason = "one snapshot answers everything that was asked")]
fn pull_all(
    connection: &rusqlite::Connection,
    app: &App,
    hello: &Hello,
    beats: &[store::BeatRow],
    epochs: &[aralau_sync_core::epoch::Epoch],
    epoch: u64,
    held: &[(ScopeId, u64, String)],
    mut call: Option<&mut Call>,
    now: Millis,
) -> Result<Vec<Pulled>, StoreError> {
    let mut limits = app.settings().pull_limits;
    if let Some(most) = hello.most_bytes {
        limits.bytes = limits.bytes.min(most.max(1) as usize);
        // On a line that cuts long answers, any progress is better than a whole frame.
        limits.whole_frames = false;
    }
    let mut all = Vec::new();
    // Scopes that are not this person's are passed over in silence: foreign and absent look alike.
    for ask in &hello.scopes {
        let Some(beat) = beats.iter().find(|beat| beat.scope == ask.scope) else { continue };
        let mut held = held.iter().filter(|(scope, ..)| *scope == ask.scope).peekable();
        if held.peek().is_none()
            && let Some(call) = &mut call
            && call.passes_over(connection, hello.replica, beat)?
        {
            continue;
        }
        let asking = Asking {
            replica: hello.replica,
            ask: *ask,
            epochs,
            epoch,
            held: held.map(|(_, index, reason)| (*index, reason.clone())).collect(),
        };
        let pulled = store::pull(connection, app.identity(), beat.scope_no, &asking, limits, now)?;
        limits.rows = limits.rows.saturating_sub(pulled.rows);
        limits.bytes = limits.bytes.saturating_sub(pulled.bytes);
        all.push(pulled);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use aralau_sync_core::{
        id::{DeviceId, PersonId, PublicKey, ReplicaId},
        stream::{Seen, Tip},
        sync::Ask,
    };

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

    #[test]
    fn a_device_is_told_of_a_changed_assignment_until_it_asks_for_what_it_was_given() {
        let scope = |byte| ScopeId::from_bytes([byte; 16]);
        let hello = |scopes: &[u8]| {
            let ask = |byte: &u8| Ask { scope: scope(*byte), cursor: Seen::default(), tip: Tip::default() };
            let scopes = scopes.iter().map(ask).collect();
            let (replica, clock) = (ReplicaId([7; 14]), Millis(0));
            Hello {
                protocol: PROTOCOL,
                replica,
                clock,
                scopes,
                unsent: 0,
                oldest_unsent_at: None,
                app: None,
                receipts: None,
                most_bytes: None,
                introductions: None,
                elsewhere: None,
                monotonic: None,
                noticed: None,
                notices: None,
                roll: None,
            }
        };
        let beat = |byte| store::BeatRow { code: String::new(), scope: scope(byte), name: String::new(), scope_no: 2 };
        let (device, person) = (DeviceId(uuid::Uuid::nil()), PersonId(uuid::Uuid::nil()));
        let mut row = DeviceRow { device, key: PublicKey([2; 33]), person, revoked_at: None, is_unconfirmed: false };

        assert_eq!(directives(&row, &hello(&[1]), &[beat(1)]), []);
        assert_eq!(directives(&row, &hello(&[1]), &[beat(2)]), [Directive::AssignmentChanged]);
        assert_eq!(directives(&row, &hello(&[]), &[beat(1)]), [Directive::AssignmentChanged]);
        let many: Vec<_> = (0..=MAX_SCOPES as u8).collect();
        let beats: Vec<_> = many.iter().map(|byte| beat(*byte)).collect();
        assert_eq!(directives(&row, &hello(&many[1..]), &beats), [], "it may not ask for more");
        assert_eq!(directives(&row, &hello(&many), &beats), [], "but by a roll");
        row.revoked_at = Some(Millis(1));
        assert_eq!(directives(&row, &hello(&[1]), &[]), [Directive::Wipe]);
    }
}
