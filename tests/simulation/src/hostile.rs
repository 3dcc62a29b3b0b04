//! The hostile device: let in like any other, it knows the protocol, everybody's names and what is in every document, signs
//! whatever it likes under its own key, and repeats what it has overheard.

use aralau_client_sdk::{DocumentId, HttpRequest, HttpResponse, ReplicaId, ScopeId, keys::DeviceKey};
use aralau_sync_core::{
    auth::{NONCE_HEADER, SCHEME, body_hash, enroll_preimage, request_preimage},
    cbor,
    change::Change,
    digest::{REPLICA_SALT_BYTES, replica_named},
    frame::{Frame, chain},
    id::{Actor, BeatsHash, DeploymentId, DeviceId, Kind},
    stream::{Header, Link, Seen, SignDevice as _, StreamId, Tip},
    sync::{Ask, FrameFate, Hello, LastRow, PROTOCOL, Roll, Welcome},
    time::{Millis, Monotonic},
};
use aralau_tests::{chance::Chance, forge::Forged, rogue::digest};
use serde_json::{Value as Json, json};

use crate::{
    server::URL,
    time::PhoneDice,
    world::{decompressed_answer, items_of},
};

const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// See the module.
pub struct Hostile {
    /// Signs.
    key: DeviceKey,
    /// Under which name it writes.
    pub replica: ReplicaId,
    /// As the server knows it; none before it is let in.
    account: Option<(DeploymentId, DeviceId)>,
    /// The ends of its streams, as far as the server has told.
    tips: Vec<(ScopeId, Tip)>,
    nonce: String,
    chance: Chance,
}

impl Hostile {
    /// Not let in yet.
    pub fn new(mut chance: Chance) -> Self {
        let key = DeviceKey::generate(&mut PhoneDice(chance.fork()));
        let replica = replica_named(&key.public_key(), salt(&mut chance));
        Self { key, replica, account: None, tips: Vec::new(), nonce: String::new(), chance }
    }

    /// Asks to be let in.
    pub fn enrolling(&mut self, code: &str) -> HttpRequest {
        let public_key = self.key.public_key();
        let signature = self.key.sign(&enroll_preimage(code, &self.replica, &public_key));
        let body = json!({ "code": code, "public_key": public_key, "replica": self.replica, "signature": signature });
        let headers = vec![("content-type", "application/json".to_owned())];
        let url = format!("{URL}/v1/enroll");
        HttpRequest {
            method: "POST",
            url,
            headers,
            body: body.to_string().into_bytes(),
            max_answer_bytes: 65_536,
            certificate: None,
        }
    }

    /// It is in, or was known.
    pub fn enrolled(&mut self, response: &HttpResponse) {
        let answer: Json = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |name: &str| answer[name].as_str();
        let ids = text("deployment").zip(text("device"));
        self.account = ids.and_then(|(deployment, device)| Some((deployment.parse().ok()?, device.parse().ok()?)));
        self.nonce = text("nonce").unwrap_or_default().to_owned();
        self.tips.clear();
    }

    /// The device that it is to the server.
    pub fn device(&self) -> Option<DeviceId> {
        self.account.map(|(_, device)| device)
    }

    /// It writes as this.
    pub fn actor(&mut self) -> Actor {
        Actor { replica: self.replica, generation: self.chance.below(3) as u16 }
    }

    /// It takes another name.
    pub fn rename(&mut self) {
        self.replica = replica_named(&self.key.public_key(), salt(&mut self.chance));
        self.tips.clear();
    }

    /// Signs links as the next entries of its stream, or of any stream from any point on.
    pub fn frame(&self, stream: StreamId, before: Tip, links: Vec<Link>) -> Option<Frame> {
        let (deployment, _) = self.account?;
        Some(Frame::sign(&deployment, stream, before, links, &self.key))
    }

    /// Where its stream ends.
    pub fn tip(&self, scope: ScopeId) -> Tip {
        self.tips.iter().find(|(known, _)| *known == scope).map_or(Tip::default(), |(_, tip)| *tip)
    }

    /// A header, true or not.
    pub fn header(&mut self, document: DocumentId, now: Millis) -> Vec<u8> {
        let at = Millis(now.0.saturating_add(*self.chance.pick(&[0, 0, 0, 1_600_000_000_000, -1_780_000_000_000])));
        let seen =
            (self.chance.below(4) == 0).then(|| Seen { epoch: self.chance.below(4), sequence: self.chance.bits() });
        let kind = if self.chance.below(12) == 0 { 1 + self.chance.below(6) as u16 } else { Kind::VISIT.0 };
        let mut bytes = Header { kind, document, at, monotonic: None, seen, reauthored_from: None }.to_bytes();
        if self.chance.below(12) == 0 {
            let at = self.chance.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << self.chance.below(8);
        }
        bytes
    }

    /// A change that is not quite what it was.
    pub fn spoil(&mut self, change: &Change, others: &[ReplicaId]) -> Vec<u8> {
        let chance = &mut self.chance;
        let mut body = change.body().to_vec();
        if chance.below(4) == 0 {
            for _ in 0..=chance.below(3) {
                let at = chance.below(body.len() as u64) as usize;
                body[at] ^= 1 << chance.below(8);
            }
            return body;
        }
        if chance.below(12) == 0 {
            body.truncate(chance.below(body.len() as u64) as usize);
            return body;
        }
        let mut forged = Forged::of(&body);
        for _ in 0..=chance.below(2) {
            match chance.below(10) {
                0 => forged.sequence = forged.sequence.wrapping_add(chance.below(5)).wrapping_sub(2),
                1 => {
                    forged.start_op =
                        *chance.pick(&[0, 1, forged.start_op.wrapping_add(1), u64::from(u32::MAX), u64::MAX])
                }
                2 => drop(forged.dependencies.pop()),
                3 => forged.dependencies.push(std::array::from_fn(|_| chance.below(256) as u8)),
                4 => {
                    let replica = *chance.pick(others);
                    forged.actor = Actor { replica, generation: 0 }.to_bytes().to_vec();
                }
                5 => forged.message = vec![b'm'; 1 + chance.below(9) as usize],
                6 => forged.extra = vec![b'x'; 1 + chance.below(9) as usize],
                7 => forged.time = chance.bits().cast_signed(),
                8 => forged.others.push(vec![7; 16]),
                _ => {
                    let (number, mut bytes) = chance.pick(&forged.columns).clone();
                    if let Some(byte) = bytes.last_mut() {
                        *byte ^= 1 << chance.below(8);
                    }
                    forged.set(number, bytes);
                }
            }
        }
        forged.body()
    }

    /// A whole request with these frames, asking for what it likes, now and then in another's name.
    pub fn syncing(
        &mut self,
        asks: Vec<Ask>,
        frames: &[Frame],
        others: &[ReplicaId],
        now: Millis,
    ) -> Option<HttpRequest> {
        let frames: Vec<_> = frames.iter().map(Frame::to_bytes).collect();
        let replica = if self.chance.below(16) == 0 { *self.chance.pick(others) } else { self.replica };
        let last_row = |ask: &Ask| LastRow { scope: ask.scope, cursor: ask.cursor, received_at: now };
        let elsewhere = asks.iter().map(last_row).collect();
        let hello = Hello {
            protocol: PROTOCOL,
            replica,
            clock: now,
            scopes: asks,
            unsent: self.chance.bits(),
            oldest_unsent_at: Some(Millis(self.chance.bits().cast_signed())),
            app: Some("<script>alert(1)</script>".to_owned()),
            receipts: (self.chance.below(4) == 0).then(|| vec!["forged\n\n\u{2014} x AAAA\n".to_owned(); 3]),
            most_bytes: (self.chance.below(3) == 0).then(|| self.chance.bits() as u32),
            introductions: (self.chance.below(4) == 0).then(|| vec![vec![0x80; 200].into()]),
            elsewhere: Some(elsewhere),
            monotonic: Some(Monotonic { session: u64::MAX, ms: u64::MAX, counts_sleep: true }),
            noticed: Some(Seen { epoch: u64::MAX, sequence: u64::MAX }),
            notices: None,
            outlines: None,
            roll: (self.chance.below(4) == 0).then(|| Roll {
                beats: BeatsHash([7; 32]),
                epoch: self.chance.bits(),
                rows: vec![self.chance.bits(); 3],
                unsaved: vec![self.chance.bits(); 3],
            }),
        };
        let mut body = Vec::new();
        cbor::push_item(&mut body, &cbor::encode(&hello));
        for mut frame in frames {
            if self.chance.below(16) == 0 {
                let at = self.chance.below(frame.len() as u64) as usize;
                frame[at] ^= 1 << self.chance.below(8);
            }
            cbor::push_item(&mut body, &frame);
        }
        self.sign(body)
    }

    /// Bytes that are no message.
    pub fn noise(&mut self) -> Option<HttpRequest> {
        let length = self.chance.below(2_000);
        let body = (0..length).map(|_| self.chance.below(256) as u8).collect();
        self.sign(body)
    }

    fn sign(&mut self, mut body: Vec<u8>) -> Option<HttpRequest> {
        let (deployment, device) = self.account?;
        let mut headers = vec![("accept-encoding", "zstd".to_owned())];
        if self.chance.below(2) == 0 {
            body = zstd::bulk::compress(&body, 3).expect("compresses");
            headers.push(("content-encoding", "zstd".to_owned()));
        }
        headers.push(("content-digest", digest(&body)));
        let url = format!("{URL}/v1/sync");
        let preimage = request_preimage(&deployment, &device, "POST", "/v1/sync", &body_hash(&body), &self.nonce);
        let (nonce, signature) = (&self.nonce, self.key.sign(&preimage));
        headers.push(("authorization", format!("{SCHEME} device={device}, nonce={nonce}, signature={signature}")));
        Some(HttpRequest { method: "POST", url, headers, body, max_answer_bytes: MAX_ANSWER_BYTES, certificate: None })
    }

    /// Learns from an answer: nonces and the ends of its streams.
    pub fn hear(&mut self, response: &HttpResponse) {
        if let Some(nonce) = response.header(NONCE_HEADER) {
            self.nonce = nonce.to_owned();
        }
        let body = decompressed_answer(response);
        let welcome: Option<Welcome> = items_of(&body).first().and_then(|item| cbor::decode(item).ok());
        let Some(welcome) = welcome else { return };
        self.nonce = welcome.nonce;
        for fate in welcome.frames {
            let (FrameFate::Decided { replica, scope, tip }
            | FrameFate::Gap { replica, scope, tip }
            | FrameFate::Forked { replica, scope, tip }) = fate
            else {
                continue;
            };
            if replica == self.replica {
                self.tips.retain(|(known, _)| *known != scope);
                self.tips.push((scope, tip));
            }
        }
    }
}

/// The end of a stream after links.
pub fn end(stream: &StreamId, before: Tip, links: &[Link]) -> Tip {
    chain(stream, before, links).last().copied().unwrap_or(before)
}

fn salt(chance: &mut Chance) -> [u8; REPLICA_SALT_BYTES] {
    std::array::from_fn(|_| chance.below(256) as u8)
}
