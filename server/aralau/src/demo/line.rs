//! A bad line: a TCP relay that now and then cuts a connection in the middle of whatever is passing.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Out of a hundred connections, how many are cut.
const CUT_PERCENT: u64 = 35;
/// A connection that is cut dies after 256 bytes of what it carries, or twice that, and so on up to this many doublings.
const CUT_DOUBLINGS: u64 = 9;

/// What a line has done.
#[derive(Debug, Default)]
pub struct Line {
    /// Connections cut.
    pub cuts: AtomicU64,
    /// Bytes carried, both ways.
    pub bytes: AtomicU64,
    chance: AtomicU64,
}

/// Relays to `server` from a port of its own, for as long as the runtime lives.
pub async fn lay(server: SocketAddr, seed: u64) -> std::io::Result<(SocketAddr, Arc<Line>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let line = Arc::new(Line { chance: AtomicU64::new(seed), ..Line::default() });
    let shared = Arc::clone(&line);
    tokio::spawn(async move {
        while let Ok((phone, _)) = listener.accept().await {
            tokio::spawn(relay(phone, server, Arc::clone(&shared)));
        }
    });
    Ok((address, line))
}

async fn relay(mut phone: TcpStream, server: SocketAddr, line: Arc<Line>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let cut_after = (line.below(100) < CUT_PERCENT).then(|| 256 << line.below(CUT_DOUBLINGS));
    let (mut carried, mut up, mut down) = (0, [0; 4096], [0; 4096]);
    loop {
        let passed = tokio::select! {
            read = phone.read(&mut up) => pass(read, &up, &mut server).await,
            read = server.read(&mut down) => pass(read, &down, &mut phone).await,
        };
        let Some(bytes) = passed else { return };
        carried += bytes;
        line.bytes.fetch_add(bytes, Ordering::Relaxed);
        if cut_after.is_some_and(|cut_after| carried >= cut_after) {
            line.cuts.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}

async fn pass(read: std::io::Result<usize>, buffer: &[u8], to: &mut TcpStream) -> Option<u64> {
    let length = read.ok().filter(|length| *length > 0)?;
    to.write_all(&buffer[..length]).await.ok()?;
    Some(length as u64)
}

impl Line {
    fn below(&self, bound: u64) -> u64 {
        let step = self.chance.fetch_add(SPLITMIX_STEP, Ordering::Relaxed);
        splitmix(step.wrapping_add(SPLITMIX_STEP)) % bound
    }
}

/// What SplitMix64 moves its state by.
pub const SPLITMIX_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's output for a state: a demonstration needs chances, not secrets.
pub fn splitmix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
