//! Bodies of requests: whatever a device sends, in whatever encoding, cut anywhere, what comes out is bounded and right.

use std::io::Write as _;

use aralau_server::{
    compress::Encoding,
    http::problem::Problem,
    message::{MAX_BODY_BYTES, MAX_DECODED_BYTES, MessageReader},
};
use aralau_sync_core::{
    cbor,
    frame::{Frame, MAX_FRAME_BYTES},
    id::{ContentHash, DeploymentId, HeaderHash, PublicKey, ReplicaId, ScopeId, Signature},
    stream::{Link, Seen, StreamId, Tip},
    sync::{Ask, Hello, MAX_FRAMES},
    time::Millis,
};
use arbitrary::{Result, Unstructured};

use crate::{edit, heap, passed, wire::Credulous};

const STREAM: StreamId = StreamId { replica: ReplicaId([1; 14]), scope: ScopeId::from_bytes([2; 16]) };

/// The input makes a body, and says how it is cut.
pub fn body(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(sent) = Sent::draw(&mut input) else { return };
    let received = receive(&sent);
    if let Some(items) = &sent.sound {
        let fits = items.iter().map(|item| item.len() + 9).sum::<usize>() < MAX_DECODED_BYTES
            && items.iter().all(|item| item.len() <= MAX_FRAME_BYTES)
            && sent.body.len() <= MAX_BODY_BYTES;
        match received {
            Ok(count) => assert_eq!(count, items.len()),
            Err(problem) => assert!(!fits, "a sound body is refused: {problem:?}"),
        }
    }
}

struct Sent {
    encoding: Encoding,
    body: Vec<u8>,
    piece_bytes: usize,
    /// The items in it, where nothing was spoilt.
    sound: Option<Vec<Vec<u8>>>,
}

impl Sent {
    fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        let encoding = *input.choose(&[Encoding::Identity, Encoding::Gzip, Encoding::Zstd])?;
        let piece_bytes = *input.choose(&[1, 3, 100, 16 * 1024, usize::MAX])?;
        if input.ratio(1, 4)? {
            let body = input.bytes(input.len())?.to_vec();
            return Ok(Self { encoding, body, piece_bytes, sound: None });
        }
        let is_bomb = input.ratio(1, 400)?;
        let spoilt = input.ratio(1, 2)?;
        let items = items(input, is_bomb)?;
        let mut message = Vec::new();
        items.iter().for_each(|item| cbor::push_item(&mut message, item));
        if spoilt && input.ratio(1, 2)? {
            edit::spoil(input, &mut message)?;
        }
        let mut body = encode(encoding, &message, input)?;
        if spoilt {
            edit::spoil(input, &mut body)?;
        }
        // As the line would cut it: no piece is as long as a body.
        let piece_bytes = piece_bytes.min(256 * 1024);
        Ok(Self { encoding, body, piece_bytes, sound: (!spoilt).then_some(items) })
    }
}

fn items(input: &mut Unstructured<'_>, is_bomb: bool) -> Result<Vec<Vec<u8>>> {
    let mut items = Vec::new();
    for _ in 0..input.int_in_range(0..=5_u8)? {
        let sound = if items.is_empty() { hello } else { frame };
        let mut item = if input.ratio(1, 2)? { sound() } else { input.arbitrary::<&[u8]>()?.to_vec() };
        if input.ratio(1, 16)? {
            item.resize(input.int_in_range(0..=MAX_FRAME_BYTES + 2)?, 7);
        }
        items.push(item);
    }
    if is_bomb {
        let many = input.int_in_range(1..=MAX_DECODED_BYTES / MAX_FRAME_BYTES + 4)?;
        items.resize(many, vec![0; MAX_FRAME_BYTES]);
    }
    Ok(items)
}

fn hello() -> Vec<u8> {
    let ask = Ask { scope: STREAM.scope, cursor: Seen::default(), tip: Tip::default() };
    cbor::encode(&Hello { unsent: 1, ..Hello::about(STREAM.replica, Millis(1_780_000_000_000), vec![ask]) })
}

fn frame() -> Vec<u8> {
    let link = Link::Full { header: vec![0xa0], body: b"not a change".to_vec() };
    let links = vec![link, Link::Hollow { header: HeaderHash([4; 32]), content: ContentHash([5; 32]) }];
    Frame { signature: Signature([3; 64]), stream: STREAM, before: Tip::default(), links }.to_bytes()
}

fn encode(encoding: Encoding, message: &[u8], input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    Ok(match encoding {
        Encoding::Identity => message.to_vec(),
        Encoding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(message).expect("into memory");
            encoder.finish().expect("into memory")
        }
        Encoding::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("a level of zstd's");
            if input.ratio(1, 8)? {
                encoder.window_log(input.int_in_range(10..=22_u32)?).expect("a window of zstd's");
            }
            let flushed_at = input.int_in_range(0..=message.len())?;
            encoder.write_all(&message[..flushed_at]).expect("into memory");
            encoder.flush().expect("into memory");
            encoder.write_all(&message[flushed_at..]).expect("into memory");
            encoder.finish().expect("into memory")
        }
    })
}

/// As the handler does it, up to where the store begins. How many items came out.
fn receive(sent: &Sent) -> std::result::Result<usize, Problem> {
    let mut reader = MessageReader::new(sent.encoding);
    let mut beside = 0;
    let result = heap::bounded(|| {
        let mut items = 0;
        for mut piece in sent.body.chunks(sent.piece_bytes) {
            while let Some(item) = reader.next_item(&mut piece)? {
                take(&item, items);
                items += 1;
                beside = beside.max(reader.window_bytes());
                // The handler stops at its limit; here the reader must bear the rest as well.
                if items > 4 * MAX_FRAMES {
                    return Err(Problem::BodyTooLarge);
                }
            }
            beside = beside.max(reader.window_bytes());
        }
        if reader.is_whole() { Ok(items) } else { Err(Problem::BodyIncomplete) }
    });
    heap::beside(beside);
    result
}

fn take(item: &[u8], position: usize) {
    if position == 0 {
        if cbor::decode::<Hello>(item).is_ok() {
            passed();
        }
    } else if let Ok(frame) = Frame::from_bytes(item) {
        passed();
        drop(frame.verify(&DeploymentId::from_bytes([0xd0; 16]), &PublicKey([2; 33]), &Credulous));
    }
}
