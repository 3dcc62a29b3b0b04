//! What travels: whatever can be decoded is written again as it was, in bounded memory.

use std::{collections::BTreeMap, fmt::Debug};

use aralau_server::device_auth::Credentials;
use aralau_sync_core::{
    cbor::{self, CborError, ItemReader},
    change::KeyPath,
    directory::Control,
    frame::{Frame, MAX_FRAME_BYTES},
    id::{DeploymentId, EntryHash, PublicKey, ReplicaId, ServerKey, Signature, TreeHash},
    log::Verdict,
    merkle::Frontier,
    receipt::{Receipt, VerifyServer},
    stream::{Header, VerifyDevice},
    sync::{Gained, Hello, Intake, MAX_HELLO_BYTES, Welcome},
    time::Millis,
};
use minicbor::{Decode, Encode};

use crate::{heap, passed};

const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([0xd0; 16]);

/// Believes every signature: what lies behind them must hold by itself.
pub struct Credulous;

impl VerifyDevice for Credulous {
    fn verify(&self, _: &PublicKey, _: &[u8], _: &Signature) -> bool {
        true
    }
}

impl VerifyServer for Credulous {
    fn verify(&self, _: &ServerKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// The first byte chooses the door.
pub fn wire(data: &[u8]) {
    let Some((door, bytes)) = data.split_first() else { return };
    heap::bounded(|| match door % 11 {
        0 => frame(bytes),
        1 => reads_back::<Hello>(bytes),
        2 => reads_back::<Welcome>(bytes),
        3 => gained(bytes),
        4 => reads_back::<Header>(bytes),
        5 => reads_back::<Verdict>(bytes),
        6 => reads_back::<Control>(bytes),
        7 => frontier(bytes),
        8 => message(bytes),
        9 => repeated(bytes),
        _ => texts(bytes),
    });
}

fn reads_back<T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(value) = cbor::decode::<T>(bytes) else { return };
    passed();
    let again = cbor::encode(&value);
    assert!(again.len() <= bytes.len(), "unknown parts may go, nothing may be added");
    assert_eq!(cbor::decode::<T>(&again), Ok(value));
}

fn frame(bytes: &[u8]) {
    let Ok(frame) = Frame::from_bytes(bytes) else { return };
    passed();
    // A name that could have been left out may stand there; nothing else is free.
    let again = frame.to_bytes();
    assert!(again.len() <= bytes.len());
    assert_eq!(Frame::from_bytes(&again).as_ref(), Ok(&frame));
    let tips = frame.verify(&DEPLOYMENT, &PublicKey([2; 33]), &Credulous).expect("every signature is believed");
    assert_eq!(tips.len(), frame.links.len());
    assert_eq!(frame.head(&tips).map(|head| head.tip), tips.last().copied());
    frame.links.iter().for_each(|link| drop(link.open()));
}

/// A device takes in what a server says, or raises an alarm and is as it was.
fn gained(bytes: &[u8]) {
    reads_back::<Gained>(bytes);
    let Ok(mut gained) = cbor::decode::<Gained>(bytes) else { return };
    gained.from = 0;
    gained.more = true;
    let streams = BTreeMap::new();
    let mut intake = Intake { deployment: DEPLOYMENT, scope: gained.scope, frontier: Frontier::default(), streams };
    let receipt = Receipt {
        deployment: DEPLOYMENT,
        scope: gained.scope,
        size: u64::MAX,
        root: TreeHash([0; 32]),
        epoch: gained.epoch,
        time: Millis(0),
        durable_upto: 0,
        backed_up_upto: 0,
        decided: None,
        held: Vec::new(),
    };
    let known = |_: ReplicaId, index: u64| Some(EntryHash([index as u8; 32]));
    let rows = gained.rows.len() as u64;
    match intake.take(&gained, &receipt, &Credulous, known) {
        Ok(taken) => {
            passed();
            assert_eq!((taken.len() as u64, intake.frontier.size()), (rows, rows));
        }
        Err(_) => assert!(intake.frontier.size() == 0 && intake.streams.is_empty(), "all or nothing"),
    }
}

fn frontier(bytes: &[u8]) {
    reads_back::<Frontier>(bytes);
    if let Ok(mut frontier) = cbor::decode::<Frontier>(bytes)
        && frontier.is_sound()
        && frontier.size() < u64::MAX
    {
        frontier.push(TreeHash([1; 32]));
        assert!(frontier.is_sound());
        frontier.root();
    }
}

/// Items come out alike however the message is cut.
fn message(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    let whole = cbor::items(bytes, MAX_FRAME_BYTES);
    let mut reader = ItemReader::new(MAX_FRAME_BYTES);
    let mut cut_up = Ok(Vec::new());
    'pieces: for piece in bytes.chunks(usize::from(*cut).max(1)) {
        reader.push(piece);
        loop {
            match (reader.next_item(), &mut cut_up) {
                (Ok(Some(item)), Ok(items)) => items.push(item),
                (Ok(_), _) => break,
                (Err(error), _) => {
                    cut_up = Err(error);
                    break 'pieces;
                }
            }
        }
    }
    let cut_up = cut_up.and_then(|items| if reader.is_empty() { Ok(items) } else { Err(CborError::Truncated) });
    assert_eq!(cut_up, whole);
    let Ok(items) = whole else { return };
    passed();
    let mut again = Vec::new();
    items.iter().for_each(|item| cbor::push_item(&mut again, item));
    assert_eq!(again, bytes, "there is one way to write a message");
}

/// One small element so often that the item is as large as it may be: what is decoded must not be many times its bytes.
fn repeated(bytes: &[u8]) {
    let Some((which, element)) = bytes.split_first() else { return };
    let zeros = |length: usize| cbor::encode::<&minicbor::bytes::ByteSlice>(&vec![0; length][..].into());
    let (before, max_bytes) = match which % 3 {
        0 => ([&[0x87, 1][..], &zeros(64), &zeros(14), &zeros(16), &[1], &zeros(32)].concat(), MAX_FRAME_BYTES),
        1 => ([&[0xa5, 1, 1, 2][..], &zeros(14), &[3, 0, 4]].concat(), MAX_HELLO_BYTES),
        _ => ([&[0xa6, 1, 1, 2][..], &zeros(14), &[3, 0, 4, 0x80, 5, 0, 8]].concat(), MAX_HELLO_BYTES),
    };
    let count = (max_bytes - before.len() - 8) / element.len().max(1);
    let mut item = before;
    minicbor::Encoder::new(&mut item).array(count as u64).expect("into memory");
    (0..count).for_each(|_| item.extend_from_slice(element));
    if which % 3 == 1 {
        item.extend([5, 0]);
    }
    match which % 3 {
        0 => frame(&item),
        _ => reads_back::<Hello>(&item),
    }
}

fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(receipt) = Receipt::open(text, &ServerKey([5; 32]), &Credulous) {
        passed();
        assert!(text.starts_with(&format!("aralau/{}/", receipt.deployment)) || !text.is_ascii() || !text.is_empty());
    }
    Credentials::parse(text);
    if let Some(path) = KeyPath::parse(text) {
        assert_eq!(path.to_key(), text, "one spelling for one key");
    }
    if let Ok(replica) = text.parse::<ReplicaId>() {
        assert_eq!(replica.to_string(), text.to_ascii_lowercase());
    }
}
