//! A request while it arrives: the hello, then frame by frame, each decided and durable before the next.

use std::sync::Arc;

use aralau_sync_core::{
    cbor,
    frame::{Frame, FrameError},
    id::{DeviceId, PublicKey, ScopeId},
    introduction::Introduction,
    reason::Reason,
    receipt::SignServer as _,
    stream::SignDevice as _,
    sync::{
        FrameFate, FrameRefusal, Hello, MAX_FRAMES, MAX_HELLO_BYTES, MAX_INTRODUCTIONS, MAX_NOTICES, MAX_SCOPES,
        PROTOCOL,
    },
};
use axum::body::BodyDataStream;
use futures_util::StreamExt as _;
use minicbor::bytes::ByteVec;
use sha2::{Digest as _, Sha256};

use super::{Caller, roll::Call};
use crate::{
    app::App,
    authorize::{Action, Standing, Who, authorize},
    http::{problem::Problem, turns::Turn},
    keys::{DeviceVerifier, ReceiptVerifier},
    message::MessageReader,
    store::{self, StoreError, Upload},
};

/// How long a body may pause between two pieces.
const BODY_PAUSE: std::time::Duration = std::time::Duration::from_secs(20);

/// A request's body while it arrives.
pub(super) struct Incoming<'a> {
    app: &'a App,
    caller: &'a Caller,
    turn: &'a Turn,
    message: MessageReader,
    hello: Option<Hello>,
    call: Option<Call>,
    fates: Vec<FrameFate>,
    held: Vec<(ScopeId, u64, Reason)>,
    own: u64,
}

/// A whole request, taken.
pub(super) struct Received {
    /// Its scopes are those of the roll, where it called one.
    pub(super) hello: Hello,
    pub(super) call: Option<Call>,
    /// Of each frame, in its order.
    pub(super) fates: Vec<FrameFate>,
    /// The install's own entries that were held.
    pub(super) held: Vec<(ScopeId, u64, Reason)>,
    /// The device's own entries among those decided.
    pub(super) own: u64,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(app: &'a App, caller: &'a Caller, turn: &'a Turn, message: MessageReader) -> Self {
        Self { app, caller, turn, message, hello: None, call: None, fates: Vec::new(), held: Vec::new(), own: 0 }
    }

    /// Reads all of it, frame by frame. Returns the digest of what was sent.
    pub(super) async fn read(&mut self, mut body: BodyDataStream) -> Result<[u8; 32], Problem> {
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
        let _hand = self.turn.hand().await;
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
        // What it said of others counts: perhaps of this very device.
        authorize(Who::Device(self.caller.row.standing()), Action::SendEntries)
            .map_err(|_| Problem::DeviceUnconfirmed)?;
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
        if introductions.is_empty() {
            return Ok(());
        }
        let (app, introductions) = (self.app.clone(), introductions.to_vec());
        let met: Vec<Introduction> = apart(move || {
            let (deployment, key) = (app.deployment(), app.identity().receipt_key.public_key());
            let open = |bytes: &ByteVec| Introduction::open(bytes, &deployment, &key, &ReceiptVerifier).ok();
            introductions.iter().filter_map(open).collect()
        })
        .await?;
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
        if notices.is_empty() {
            return Ok(());
        }
        let (app, notices) = (self.app.clone(), notices.to_vec());
        let open = move || store::open_notices(app.identity(), notices.iter().map(|notice| notice.as_slice()));
        let notices = apart(open).await?;
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
        let refused = |code| FrameFate::Refused { code };
        let frame = match Frame::from_bytes(item) {
            Ok(frame) => frame,
            Err(error) => return Ok(refused(error.into())),
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
        let is_out = self.caller.row.standing() == Standing::ShutOut;
        if payer != store::CUSTODY_DEVICE
            && let Err(code) = app.http().quotas.admit(payer, is_out, app.settings(), app.now())
        {
            app.http().metrics.refused(&code);
            return Ok(refused(code));
        }
        let verified = tokio::task::spawn_blocking(move || verify(&handle, frame, signer, is_unknown));
        let (signer, upload) = match verified.await {
            Ok(Ok(verified)) => verified,
            // Signed by nobody known: whoever has the author's introduction can say who it was.
            Ok(Err(FrameError::Signature)) if is_unknown => return Ok(refused(FrameRefusal::AuthorUnknown)),
            Ok(Err(error)) => return Ok(refused(error.into())),
            Err(_) => return Ok(refused(FrameRefusal::Malformed)),
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
                return Ok(FrameFate::Refused { code: FrameRefusal::ReplicaForeign });
            };
            self.app.http().metrics.ingested(&ingested);
            self.app.http().quotas.note(payer, ingested.bytes, ingested.held_bytes, now);
            // Of words that it only brings back, their author's phone is told.
            if self.hello.as_ref().is_some_and(|hello| hello.replica == stream.replica) {
                self.held.extend(ingested.held.into_iter().map(|(index, reason)| (stream.scope, index, reason)));
            }
            if ingested.is_whole {
                return Ok(ingested.fate);
            }
        }
    }

    pub(super) fn finish(self) -> Result<Received, Problem> {
        let hello = self.hello.ok_or_else(|| Problem::Malformed("the body is empty".to_owned()))?;
        Ok(Received { hello, call: self.call, fates: self.fates, held: self.held, own: self.own })
    }
}

/// Does what takes the processor for long where it holds no other request up.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| StoreError::Internal("a signature's check panicked".to_owned()).into())
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
