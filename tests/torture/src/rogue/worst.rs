//! What one phone can ask of a server that costs it much and the phone little.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use aralau_sync_core::{
    cbor,
    change::Value,
    frame::MAX_FRAME_ENTRIES,
    id::{DocumentId, Signature},
    stream::{Seen, SignDevice as _, Tip},
    sync::{Ask, Hello, MAX_SCOPES},
};
use aralau_tests::{
    rogue::{self, Rogue, digest, fresh_replica},
    world::World,
};
use clap::ValueEnum;

use super::{Scale, step_aside};
use crate::crowd::beat;

/// It has the beat of this phone.
pub(super) const BEAT_OF: usize = 0;
/// Requests of one device at once.
const AT_ONCE: usize = 12;
/// Connections whose answers nobody reads.
const UNREAD: usize = 120;
/// Of the answers that nobody reads, this is read: their beginning, which says how the next request is signed.
const BEGINNING: usize = 512;
/// Frames of a request.
const FRAMES: usize = 8;
/// Requests that name large documents, made beforehand; there is work in each for seconds.
const OF_DOCUMENTS: usize = 3;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Worst {
    /// It asks for everything, again and again, and reads none of it.
    Unread,
    /// It shows receipts over a long log, each of which has to be borne out by its rows.
    Receipts,
    /// Its frames name as many large documents as they can.
    Documents,
    /// Its frames bring one change of a large document each.
    Piecemeal,
    /// It sends whole frames of honest visits without a pause.
    Flood,
}

impl Worst {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Flood, Self::Receipts, Self::Unread, Self::Documents, Self::Piecemeal];

    /// On the command line and in figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Receipts => "receipts",
            Self::Documents => "documents",
            Self::Piecemeal => "piecemeal",
            Self::Flood => "flood",
        }
    }

    /// A phone that has what it needs for this.
    pub(super) fn prepare(self, world: &World, scale: Scale) -> Prepared {
        let mut rogue = Rogue::enroll(world, &format!("Mallory {}", self.name()), &beat(BEAT_OF));
        let address = world.server.address;
        // What it does until then need not be answered at length.
        rogue.most_bytes = Some(1);
        let (mut bodies, mut receipts) = (Vec::new(), Vec::new());
        match self {
            Self::Unread | Self::Receipts => receipts = lengthen(&mut rogue, scale.rows),
            Self::Documents => {
                let documents: Vec<_> = (0..scale.documents).map(|_| grow(&mut rogue, scale.changes)).collect();
                bodies = requests(&mut rogue, OF_DOCUMENTS, |rogue| {
                    documents.iter().take(MAX_FRAME_ENTRIES).map(|id| turn(rogue, *id)).collect()
                });
            }
            Self::Piecemeal => {
                let document = grow(&mut rogue, scale.changes);
                bodies = requests(&mut rogue, scale.requests, |rogue| vec![turn(rogue, document)]);
            }
            Self::Flood => {
                bodies = requests(&mut rogue, scale.requests, |rogue| {
                    (0..MAX_FRAME_ENTRIES).map(|_| rogue.visit("one of many").1).collect()
                });
            }
        }
        rogue.most_bytes = None;
        Prepared { worst: self, rogue, address, bodies, receipts }
    }
}

/// A phone about to do harm.
pub(super) struct Prepared {
    worst: Worst,
    rogue: Rogue,
    address: SocketAddr,
    /// Frames of whole requests.
    bodies: Vec<Vec<Vec<u8>>>,
    receipts: Vec<String>,
}

impl Prepared {
    /// Does it until it is stopped. Returns how many requests it has sent.
    pub(super) fn harm(&mut self, stop: &AtomicBool) -> u64 {
        match self.worst {
            Worst::Unread => self.leave_unread(stop),
            Worst::Receipts => {
                let mut hello = self.rogue.hello();
                hello.receipts = Some(self.receipts.clone());
                self.at_once(stop, |_| vec![cbor::encode(&hello)])
            }
            Worst::Documents | Worst::Piecemeal | Worst::Flood => {
                let hello = cbor::encode(&self.rogue.hello());
                self.at_once(stop, |number| {
                    let frames = self.bodies[number % self.bodies.len()].iter().cloned();
                    std::iter::once(hello.clone()).chain(frames).collect()
                })
            }
        }
    }

    /// As many requests at once as it is let, each under the newest nonce that it was told. Those of the first line are taken one
    /// after another, in their order.
    fn at_once(&self, stop: &AtomicBool, items: impl Fn(usize) -> Vec<Vec<u8>> + Sync) -> u64 {
        let sent = AtomicU64::new(0);
        thread::scope(|scope| {
            for number in 0..AT_ONCE {
                let (sent, items) = (&sent, &items);
                scope.spawn(move || {
                    // Its own machine would not take the phones' processor.
                    step_aside();
                    let (mut nonce, mut round) = (self.rogue.nonce.clone(), number);
                    while !stop.load(Relaxed) {
                        let mut body = Vec::new();
                        items(round).iter().for_each(|item| cbor::push_item(&mut body, item));
                        let signed = self.rogue.authorize_as(self.rogue.device, &body, &nonce);
                        // One of three says nothing of itself that could be known before its body is read.
                        let answer = if number % 3 == 2 {
                            let device = self.rogue.device;
                            let unsigned = rogue::credentials(device, &nonce, Signature([7; 64]));
                            self.rogue.post_under(&body, &unsigned, &[])
                        } else {
                            self.rogue.post_under(&body, &signed, &[("content-digest", &digest(&body))])
                        };
                        let told = answer.welcome.map(|welcome| welcome.nonce).or(answer.nonce);
                        nonce = told.unwrap_or(nonce);
                        round += usize::from(number > 0 || answer.status == 200);
                        sent.fetch_add(1, Relaxed);
                        if answer.status == 429 {
                            thread::sleep(Duration::from_millis(50));
                        }
                    }
                });
            }
        });
        sent.into_inner()
    }

    /// Asks for everything on a connection of its own, and again on another.
    fn leave_unread(&mut self, stop: &AtomicBool) -> u64 {
        let (mut held, mut sent) = (Vec::new(), 0);
        while !stop.load(Relaxed) {
            if held.len() == UNREAD {
                thread::sleep(Duration::from_millis(50));
                continue;
            }
            let body = cbor::encode(&from_the_start(&self.rogue));
            let mut message = Vec::new();
            cbor::push_item(&mut message, &body);
            let mut line = narrow(self.address);
            let head = format!(
                "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-digest: {}\r\ncontent-length: {}\r\n\r\n",
                rogue::PATH,
                self.rogue.authorize(&message),
                digest(&message),
                message.len()
            );
            line.write_all(&[head.as_bytes(), &message].concat()).expect("it listens");
            let mut beginning = [0; BEGINNING];
            let read = line.read(&mut beginning).unwrap_or(0);
            sent += 1;
            if beginning[..read].starts_with(b"HTTP/1.1 200") {
                held.push(line);
            } else {
                thread::sleep(Duration::from_millis(20));
            }
            // Whatever it was answered, a request under a nonce of before is told the next one.
            let stale = self.rogue.post_under(b"", &self.rogue.authorize(b""), &[("content-digest", &digest(b""))]);
            self.rogue.nonce = stale.nonce.unwrap_or_else(|| self.rogue.nonce.clone());
        }
        sent
    }
}

/// A connection that keeps little of what it is sent, so that the server has to.
fn narrow(address: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let line = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4 * 1024)?;
        socket.connect(address).await?.into_std()
    });
    let line = line.expect("it listens");
    line.set_nonblocking(false).expect("a blocking line");
    line.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    line
}

/// It says that it is installed anew, and has nothing.
fn from_the_start(rogue: &Rogue) -> Hello {
    let ask = Ask { scope: rogue.stream.scope, cursor: Seen::default(), tip: Tip::default() };
    Hello { replica: fresh_replica(&rogue.key.public_key()), scopes: vec![ask], ..rogue.hello() }
}

/// Writes so many visits. Returns receipts that say so, of as many sizes of the log as a request may show.
fn lengthen(rogue: &mut Rogue, rows: usize) -> Vec<String> {
    let note = "A long note that nobody needs to read, as there are many. ".repeat(4);
    let mut receipts = Vec::new();
    for _ in 0..rows.div_ceil(MAX_FRAME_ENTRIES * FRAMES) {
        let frames: Vec<_> = (0..FRAMES)
            .map(|_| {
                let links = (0..MAX_FRAME_ENTRIES).map(|_| rogue.visit(&note).1).collect();
                rogue.frame(links)
            })
            .collect();
        let answer = rogue.send(&frames);
        receipts.extend(answer.gained.into_iter().map(|gained| gained.receipt));
    }
    receipts.split_off(receipts.len().saturating_sub(MAX_SCOPES))
}

/// A visit changed so many times.
fn grow(rogue: &mut Rogue, changes: usize) -> DocumentId {
    let (document, first) = rogue.visit("large");
    let mut links = vec![first];
    links.extend((1..changes).map(|_| turn(rogue, document)));
    let frames: Vec<_> = links.chunks(MAX_FRAME_ENTRIES).map(<[_]>::to_vec).map(|links| rogue.frame(links)).collect();
    frames.chunks(FRAMES).for_each(|frames| drop(rogue.send(frames)));
    document
}

/// An edit like any other.
fn turn(rogue: &mut Rogue, document: DocumentId) -> aralau_sync_core::stream::Link {
    let outcome = uuid::Uuid::new_v4().simple().to_string();
    rogue.edit(document, &[("outcome".to_owned(), Value::Text(outcome))])
}

/// The frames of whole requests, each of these links.
fn requests(
    rogue: &mut Rogue,
    count: usize,
    links: impl Fn(&mut Rogue) -> Vec<aralau_sync_core::stream::Link>,
) -> Vec<Vec<Vec<u8>>> {
    let frame = |rogue: &mut Rogue| {
        let links = links(rogue);
        rogue.frame(links)
    };
    (0..count).map(|_| (0..FRAMES).map(|_| frame(rogue)).collect()).collect()
}
