//! A server small enough to be scripted: it decides, numbers and signs like the real one, holds what a test says, and its
//! line breaks where a test says. The real one meets the SDK in the workspace's `tests`.

pub mod line;
pub mod phone;

use std::collections::{BTreeMap, BTreeSet};

use aralau_sync_core::{
    digest::{change_hash, header_hash},
    epoch::{Base, Epoch, shared_rows},
    frame::Frame,
    id::{ChangeHash, DeploymentId, DocumentId, EntryHash, EpochId, PublicKey, ReplicaId, ScopeId, ServerKey},
    log::{Because, RowKind, Verdict, row_leaf},
    merkle::Frontier,
    reason::Reason,
    receipt::{Receipt, SignServer},
    stream::{Entry, Head, Link, StreamId, Tip},
    sync::{
        Ask, Beat, Content, Directive, FrameFate, FrameRefusal, Gained, Hello, LastRow, Level, Occasion, Outlines,
        PROTOCOL, Roll, Row, StreamEnd, StreamIntro, Unchanged, Welcome, beats_hash,
    },
    time::Millis,
};
use ed25519_dalek::Signer as _;

pub const SCOPE: ScopeId = ScopeId::from_bytes([0x51; 16]);
pub const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([0xde; 16]);

/// Signs receipts.
#[derive(Clone)]
pub struct ReceiptKey(ed25519_dalek::SigningKey);

impl SignServer for ReceiptKey {
    fn public_key(&self) -> ServerKey {
        ServerKey(self.0.verifying_key().to_bytes())
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// The whole of it; cloning it is a backup.
#[derive(Clone)]
pub struct Server {
    pub key: ReceiptKey,
    pub beats: Vec<Beat>,
    /// What it tells of their outlines.
    pub outlines: Outlines,
    pub directives: Vec<Directive>,
    pub epochs: Vec<Epoch>,
    pub logs: BTreeMap<ScopeId, Log>,
    /// Key and name behind each replica; one that syncs first is introduced by its line.
    pub authors: BTreeMap<ReplicaId, (PublicKey, String)>,
    /// Documents whose entries are held until they are taken out.
    pub held_documents: BTreeSet<DocumentId>,
    /// Frames of these replicas are refused with this code.
    pub refusals: BTreeMap<ReplicaId, &'static str>,
    pub rows_per_answer: usize,
    /// Whether it takes a roll.
    pub takes_roll: bool,
    pub now: Millis,
}

#[derive(Clone, Default)]
pub struct Log {
    pub rows: Vec<LogRow>,
    pub streams: BTreeMap<ReplicaId, Vec<(Tip, Link)>>,
    pub heads: BTreeMap<ReplicaId, Head>,
    held: BTreeMap<ChangeHash, Because>,
    accepted: BTreeSet<ChangeHash>,
    waiting: Vec<(ReplicaId, Tip, Entry)>,
}

#[derive(Clone)]
pub struct LogRow {
    pub kind: RowKind,
    pub received_at: Millis,
    pub replica: ReplicaId,
    pub index: u64,
    pub hash: EntryHash,
    pub verdict: Vec<u8>,
}

impl Server {
    pub fn new() -> Self {
        let epoch = Epoch { number: 1, id: EpochId::from_bytes([1; 16]), parent: None, bases: Vec::new() };
        Self {
            key: ReceiptKey(ed25519_dalek::SigningKey::from_bytes(&[0x77; 32])),
            beats: vec![Beat { code: "beat-01".into(), scope: SCOPE, name: "Beat 1".into() }],
            outlines: Outlines::default(),
            directives: Vec::new(),
            epochs: vec![epoch],
            logs: BTreeMap::from([(SCOPE, Log::default())]),
            authors: BTreeMap::new(),
            held_documents: BTreeSet::new(),
            refusals: BTreeMap::new(),
            rows_per_answer: 10_000,
            takes_roll: false,
            now: Millis(1_700_000_000_000),
        }
    }

    pub fn log(&self) -> &Log {
        &self.logs[&SCOPE]
    }

    /// What a server restored from `backup` is: an older one with a new epoch.
    pub fn restored(mut backup: Self, lost: &Self) -> Self {
        let bases = backup.logs.iter().map(|(scope, log)| Base {
            scope: *scope,
            size: log.rows.len() as u64,
            root: log.frontier(log.rows.len()).root(),
        });
        let number = lost.epochs.last().expect("one").number + 1;
        let epoch = Epoch { number, id: EpochId::from_bytes([number as u8; 16]), parent: None, bases: bases.collect() };
        backup.epochs.push(epoch);
        backup.authors = lost.authors.clone();
        backup
    }

    pub fn answer(&mut self, hello: &Hello, frames: &[Frame]) -> (Welcome, Vec<Gained>) {
        self.now = self.now.plus(1000);
        let called = hello.roll.as_ref().and_then(|roll| self.called(roll));
        let asks = called.as_ref().unwrap_or(&hello.scopes);
        let fates = frames.iter().map(|frame| self.ingest(frame)).collect();
        let is_strange = |ask: &Ask| ask.cursor.epoch > 0 && self.epochs.iter().all(|e| e.number != ask.cursor.epoch);
        let oldest = asks.iter().map(|ask| if is_strange(ask) { 0 } else { ask.cursor.epoch }).min().unwrap_or(0);
        let changed = |ask: &&Ask| called.is_none() || self.size(ask.scope) != ask.cursor.sequence;
        let (told, unchanged): (Vec<_>, Vec<_>) = asks.iter().partition(changed);
        let welcome = Welcome {
            protocol: PROTOCOL,
            time: self.now,
            epochs: self.epochs.iter().filter(|epoch| epoch.number > oldest).cloned().collect(),
            nonce: "next".into(),
            directives: self.directives.clone(),
            beats: if called.is_some() { Vec::new() } else { self.beats.clone() },
            frames: fates,
            elsewhere: hello.elsewhere.as_ref().map(|rows| {
                let end =
                    |scope: &ScopeId| self.logs.get(scope)?.streams.get(&hello.replica)?.last().map(|(tip, _)| *tip);
                let end = |row: &LastRow| StreamEnd {
                    replica: hello.replica,
                    scope: row.scope,
                    tip: end(&row.scope).unwrap_or_default(),
                    has_last_row: true,
                };
                rows.iter().map(end).collect()
            }),
            noticed: None,
            outlines: hello.outlines.filter(|mark| *mark != self.outlines.mark).map(|_| self.outlines.clone()),
            level: called.as_ref().map(|_| self.level(hello.replica, &unchanged)),
            takes_roll: self.takes_roll.then_some(true),
        };
        let granted = |ask: &&Ask| self.beats.iter().any(|beat| beat.scope == ask.scope);
        let gained = told.into_iter().filter(granted).map(|ask| self.pull(hello.replica, ask)).collect();
        (welcome, gained)
    }

    /// What a roll asks about, if it fits.
    fn called(&self, roll: &Roll) -> Option<Vec<Ask>> {
        let fits = self.takes_roll
            && roll.beats == beats_hash(&self.beats)
            && Some(roll.epoch) == self.epochs.last().map(|epoch| epoch.number);
        let marks = roll.marks(self.beats.iter().map(|beat| beat.scope)).filter(|_| fits)?;
        Some(marks.iter().map(|mark| roll.ask(mark)).collect())
    }

    fn size(&self, scope: ScopeId) -> u64 {
        self.logs.get(&scope).map_or(0, |log| log.rows.len() as u64)
    }

    fn level(&self, replica: ReplicaId, unchanged: &[&Ask]) -> Level {
        let epoch = self.epochs.last().expect("one").number;
        let unchanged = unchanged.iter().map(|ask| {
            let log = self.logs.get(&ask.scope).cloned().unwrap_or_default();
            let decided = log.streams.get(&replica).and_then(|stream| Some(stream.last()?.0)).unwrap_or_default();
            let (size, root) = (log.rows.len(), log.frontier(log.rows.len()).root());
            Unchanged { scope: ask.scope, size: size as u64, root, decided, backed_up: 0 }
        });
        Level::sign(
            &Occasion { deployment: DEPLOYMENT, replica, epoch, time: self.now },
            unchanged.collect(),
            &self.key,
        )
    }

    fn ingest(&mut self, frame: &Frame) -> FrameFate {
        let StreamId { replica, scope } = frame.stream;
        if let Some(code) = self.refusals.get(&replica) {
            return FrameFate::Refused { code: FrameRefusal::from_code(code) };
        }
        let key = self.authors[&replica].0;
        let tips = frame.verify(&DEPLOYMENT, &key, &aralau_client_sdk::keys::Verifier).expect("signed");
        let log = self.logs.entry(scope).or_default();
        let stream = log.streams.entry(replica).or_default();
        let tip = stream.last().map_or(Tip::default(), |(tip, _)| *tip);
        if frame.before.index > tip.index {
            return FrameFate::Gap { replica, scope, tip };
        }
        let have = (tip.index - frame.before.index) as usize;
        let shared = if have == 0 { frame.before } else { tips[have.min(tips.len()) - 1] };
        let ours = if shared.index == 0 { Tip::default() } else { stream[shared.index as usize - 1].0 };
        if ours != shared {
            return FrameFate::Forked { replica, scope, tip };
        }
        for (link, tip) in frame.links.iter().zip(&tips).skip(have) {
            if matches!(link, Link::Hollow { .. }) {
                break;
            }
            log.streams.entry(replica).or_default().push((*tip, link.clone()));
            log.decide(replica, *tip, link, &self.held_documents, self.now);
        }
        let head = frame.head(&tips).expect("not empty");
        let tip = log.streams[&replica].last().map_or(Tip::default(), |(tip, _)| *tip);
        // Best a head at the tip; until one comes, one beyond it, which readers pass over.
        if head.tip == tip || !log.heads.contains_key(&replica) {
            log.heads.insert(replica, head);
        }
        FrameFate::Decided { replica, scope, tip }
    }

    fn pull(&self, replica: ReplicaId, ask: &Ask) -> Gained {
        let log = self.logs.get(&ask.scope).cloned().unwrap_or_default();
        let size = log.rows.len();
        let is_known = ask.cursor.epoch == 0 || self.epochs.iter().any(|epoch| epoch.number == ask.cursor.epoch);
        let shared = if is_known { shared_rows(ask.cursor, ask.scope, &self.epochs) } else { 0 };
        let from = (shared as usize).min(size);
        let upto = if is_known { (from + self.rows_per_answer).min(size) } else { from };
        let mut streams: Vec<ReplicaId> = Vec::new();
        let rows = log.rows[from..upto].iter().map(|row| {
            let at = streams.iter().position(|known| *known == row.replica).unwrap_or_else(|| {
                streams.push(row.replica);
                streams.len() - 1
            });
            Row {
                kind: row.kind,
                received_at: row.received_at,
                stream: at as u32,
                index: row.index,
                verdict: row.verdict.clone(),
                content: log.content(row, row.replica == replica),
            }
        });
        let rows = rows.collect();
        let epoch = self.epochs.last().expect("one").number;
        let decided = log.streams.get(&replica).and_then(|stream| Some(stream.last()?.0)).unwrap_or_default();
        let receipt = Receipt {
            deployment: DEPLOYMENT,
            scope: ask.scope,
            size: size as u64,
            root: log.frontier(size).root(),
            epoch,
            time: self.now,
            durable_upto: size as u64,
            backed_up_upto: 0,
            decided: Some((replica, decided.index)),
            held: Vec::new(),
        };
        Gained {
            scope: ask.scope,
            epoch,
            from: from as u64,
            streams: streams.into_iter().map(|replica| self.intro(&log, replica)).collect(),
            rows,
            more: !is_known || upto < size,
            receipt: receipt.sign(&self.key),
            decided,
            packs: None,
        }
    }

    fn intro(&self, log: &Log, replica: ReplicaId) -> StreamIntro {
        let (key, person) = self.authors[&replica].clone();
        StreamIntro { replica, key, person, head: log.heads[&replica], introduction: None }
    }
}

impl Log {
    pub fn frontier(&self, size: usize) -> Frontier {
        let mut frontier = Frontier::default();
        for row in &self.rows[..size] {
            frontier.push(row_leaf(row.kind, row.received_at, &row.hash, &row.verdict));
        }
        frontier
    }

    fn decide(&mut self, replica: ReplicaId, tip: Tip, link: &Link, held: &BTreeSet<DocumentId>, now: Millis) {
        let Link::Full { header, body } = link else { return };
        let entry = Entry::open(header.clone(), body).expect("an honest device");
        let dependencies = entry.change.dependencies();
        let because = dependencies.iter().find_map(|dep| self.held.get(dep).copied());
        let reason = match because {
            Some(_) => Some("because"),
            None if held.contains(&entry.header.document) => Some("not_granted"),
            None if dependencies.iter().any(|dep| !self.accepted.contains(dep)) => Some("waiting"),
            None => None,
        };
        let verdict = Verdict { reason: reason.map(Reason::from_code), because, ..Verdict::default() };
        let Some(reason) = reason else {
            self.push(RowKind::Accepted, replica, tip, &verdict, now);
            self.accepted.insert(change_hash(body));
            return self.fill(now);
        };
        self.push(RowKind::Held, replica, tip, &verdict, now);
        if reason == "waiting" {
            self.waiting.push((replica, tip, entry));
        } else {
            self.held.insert(change_hash(body), Because { replica, index: tip.index });
        }
    }

    /// Whatever waited only for what has just been accepted.
    fn fill(&mut self, now: Millis) {
        while let Some(at) = self.waiting.iter().position(|(_, _, entry)| self.is_ready(entry)) {
            let (replica, tip, entry) = self.waiting.remove(at);
            self.push(RowKind::Filled, replica, tip, &Verdict::default(), now);
            self.accepted.insert(entry.change.hash());
        }
    }

    fn is_ready(&self, entry: &Entry) -> bool {
        entry.change.dependencies().iter().all(|dep| self.accepted.contains(dep))
    }

    fn push(&mut self, kind: RowKind, replica: ReplicaId, tip: Tip, verdict: &Verdict, received_at: Millis) {
        let (index, hash, verdict) = (tip.index, tip.hash, verdict.to_bytes());
        self.rows.push(LogRow { kind, received_at, replica, index, hash, verdict });
    }

    /// A person releases, or rejects, everything held.
    pub fn judge_held(&mut self, kind: RowKind, now: Millis) {
        let mut held: Vec<_> = std::mem::take(&mut self.held).into_values().collect();
        held.sort_by_key(|because| (because.replica, because.index));
        for Because { replica, index } in held {
            let tip = self.streams[&replica][index as usize - 1].0;
            self.push(kind, replica, tip, &Verdict { by: Some("Supervisor".into()), ..Verdict::default() }, now);
        }
    }

    fn content(&self, row: &LogRow, own: bool) -> Content {
        let link = &self.streams[&row.replica][row.index as usize - 1].1;
        match (row.kind, link) {
            (RowKind::Accepted | RowKind::Filled, link) if !own => Content::Link(link.clone()),
            (RowKind::Held, Link::Full { header, .. }) if !own => {
                let (_, content) = link.hashes();
                Content::Link(Link::Hollow { header: header_hash(header), content })
            }
            _ => Content::Known,
        }
    }
}
