//! Every encoding reads back, whatever the message says.
#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

use std::fmt::Debug;

use aralau_sync_core::{
    cbor::{self, ItemReader},
    directory::Control,
    epoch::{Base, Epoch},
    frame::{Frame, MAX_FRAME_ENTRIES},
    id::{
        BeatsHash, ContentHash, DeploymentId, DeviceId, DocumentId, EntryHash, EpochId, HeaderHash, PersonId,
        PublicKey, ReplicaId, ScopeId, ServerKey, Signature, TokenId, TreeHash,
    },
    log::{Because, RowKind, Verdict},
    reason::Reason,
    receipt::SignServer,
    stream::{Head, Header, Link, Seen, StreamId, Tip},
    sync::{
        Ask, Beat, Content, FrameFate, FrameRefusal, Gained, Hello, LastRow, Level, Noticed, Occasion, Outline,
        Outlines, PROTOCOL, Ring, Roll, Row, StreamEnd, StreamIntro, Welcome,
    },
    time::{Millis, Monotonic},
};
use minicbor::{Decode, Encode};
use proptest::prelude::*;

fn reads_back<T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let bytes = cbor::encode(value);
    let read: T = cbor::decode(&bytes).unwrap();
    prop_assert_eq!(&read, value);
    for cut in 0..bytes.len() {
        prop_assert!(cbor::decode::<T>(&bytes[..cut]).is_err(), "cut at {}", cut);
    }
    prop_assert!(cbor::decode::<T>(&[&bytes[..], &[0]].concat()).is_err());
    Ok(())
}

fn scopes() -> impl Strategy<Value = ScopeId> {
    any::<[u8; 16]>().prop_map(ScopeId::from_bytes)
}

fn replicas() -> impl Strategy<Value = ReplicaId> {
    any::<[u8; 14]>().prop_map(ReplicaId)
}

fn instants() -> impl Strategy<Value = Millis> {
    any::<i64>().prop_map(Millis)
}

fn tips() -> impl Strategy<Value = Tip> {
    (any::<u64>(), any::<[u8; 32]>()).prop_map(|(index, hash)| Tip { index, hash: EntryHash(hash) })
}

fn seen() -> impl Strategy<Value = Seen> {
    (any::<u64>(), any::<u64>()).prop_map(|(epoch, sequence)| Seen { epoch, sequence })
}

fn texts() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

fn signatures() -> impl Strategy<Value = Signature> {
    prop::array::uniform32(any::<u8>())
        .prop_map(|half| Signature([half, half].concat().try_into().expect("two halves")))
}

fn keys() -> impl Strategy<Value = PublicKey> {
    any::<[u8; 32]>().prop_map(|bytes| PublicKey([&[2][..], &bytes].concat().try_into().expect("33 bytes")))
}

fn headers() -> impl Strategy<Value = Header> {
    let monotonic = (any::<u64>(), any::<u64>(), any::<bool>()).prop_map(|(session, ms, counts_sleep)| Monotonic {
        session,
        ms,
        counts_sleep,
    });
    let from = any::<[u8; 32]>().prop_map(EntryHash);
    (
        any::<u16>(),
        any::<[u8; 16]>().prop_map(DocumentId::from_bytes),
        instants(),
        prop::option::of(monotonic),
        prop::option::of(seen()),
        prop::option::of(from),
    )
        .prop_map(|(kind, document, at, monotonic, seen, reauthored_from)| Header {
            kind,
            document,
            at,
            monotonic,
            seen,
            reauthored_from,
        })
}

fn links() -> impl Strategy<Value = Link> {
    prop_oneof![
        (headers(), bytes()).prop_map(|(header, body)| Link::Full { header: header.to_bytes(), body }),
        (bytes(), bytes()).prop_map(|(header, body)| Link::Full { header, body }),
        (any::<[u8; 32]>(), any::<[u8; 32]>())
            .prop_map(|(header, content)| Link::Hollow { header: HeaderHash(header), content: ContentHash(content) }),
    ]
}

fn frames() -> impl Strategy<Value = Frame> {
    let before = (0..u64::from(u32::MAX), any::<[u8; 32]>());
    (signatures(), replicas(), scopes(), before, prop::collection::vec(links(), 1..8)).prop_map(
        |(signature, replica, scope, (index, hash), links)| Frame {
            signature,
            stream: StreamId { replica, scope },
            before: Tip { index, hash: EntryHash(hash) },
            links,
        },
    )
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    let because = (replicas(), any::<u64>()).prop_map(|(replica, index)| Because { replica, index });
    let text = || prop::option::of(texts());
    (text(), prop::option::of(because), text(), text()).prop_map(|(reason, because, by, note)| Verdict {
        reason: reason.map(|code: String| Reason::from_code(&code)),
        because,
        by,
        note,
        ..Verdict::default()
    })
}

fn epochs() -> impl Strategy<Value = Epoch> {
    let base = (scopes(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(scope, size, root)| Base {
        scope,
        size,
        root: TreeHash(root),
    });
    let ids = || any::<[u8; 16]>().prop_map(EpochId::from_bytes);
    (any::<u64>(), ids(), prop::option::of(ids()), prop::collection::vec(base, 0..3))
        .prop_map(|(number, id, parent, bases)| Epoch { number, id, parent, bases })
}

fn fates() -> impl Strategy<Value = FrameFate> {
    (0..4_u8, replicas(), scopes(), tips(), texts()).prop_map(|(which, replica, scope, tip, code)| match which {
        0 => FrameFate::Decided { replica, scope, tip },
        1 => FrameFate::Gap { replica, scope, tip },
        2 => FrameFate::Forked { replica, scope, tip },
        _ => FrameFate::Refused { code: FrameRefusal::from_code(&code) },
    })
}

/// Rows, some of which go on where the one before them ended.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((row(), contents(), any::<bool>()), 0..8).prop_map(|made| {
        let mut rows: Vec<Row> = Vec::new();
        for (row, content, goes_on) in made {
            rows.push(match rows.last().filter(|_| goes_on) {
                Some(last) => Row { index: last.index.wrapping_add(1), content, ..last.clone() },
                None => row,
            });
        }
        rows
    })
}

fn contents() -> impl Strategy<Value = Content> {
    prop_oneof![Just(Content::Known), links().prop_map(Content::Link), bytes().prop_map(Content::Control)]
}

fn row() -> impl Strategy<Value = Row> {
    let content = contents();
    (1..=5_u8, instants(), any::<u32>(), any::<u64>(), verdicts(), content).prop_map(
        |(kind, received_at, stream, index, verdict, content)| {
            let kind = RowKind::from_number(kind).expect("a kind");
            Row { kind, received_at, stream, index, verdict: verdict.to_bytes(), content }
        },
    )
}

fn controls() -> impl Strategy<Value = Control> {
    let person = || any::<[u8; 16]>().prop_map(PersonId::from_bytes);
    let device = || any::<[u8; 16]>().prop_map(DeviceId::from_bytes);
    let token = || any::<[u8; 16]>().prop_map(TokenId::from_bytes);
    prop_oneof![
        epochs().prop_map(Control::Epoch),
        (person(), texts()).prop_map(|(person, name)| Control::Person { person, name }),
        (texts(), scopes(), texts()).prop_map(|(code, scope, name)| Control::Beat { code, scope, name }),
        (device(), keys(), person(), any::<bool>()).prop_map(|(device, key, person, server_custody)| {
            Control::Device { device, key, person, server_custody }
        }),
        (replicas(), device()).prop_map(|(replica, device)| Control::Replica { replica, device }),
        (person(), scopes(), instants()).prop_map(|(person, scope, from)| Control::Grant { person, scope, from }),
        (person(), scopes(), instants()).prop_map(|(person, scope, until)| Control::GrantEnds { person, scope, until }),
        (device(), instants()).prop_map(|(device, at)| Control::Revoked { device, at }),
        any::<u32>().prop_map(|version| Control::CodeLists { version }),
        (token(), texts(), texts(), prop::option::of(prop::collection::vec(scopes(), 0..3)))
            .prop_map(|(token, role, name, within)| Control::Token { token, role, name, within }),
        (token(), instants()).prop_map(|(token, at)| Control::TokenEnded { token, at }),
        (person(), instants()).prop_map(|(person, until)| Control::Code { person, until }),
        prop::option::of(device()).prop_map(|device| Control::Unconfirmed { device }),
        device().prop_map(|device| Control::Confirmed { device }),
    ]
}

fn hellos() -> impl Strategy<Value = Hello> {
    let ask = (scopes(), seen(), tips()).prop_map(|(scope, cursor, tip)| Ask { scope, cursor, tip });
    let receipts = prop::option::of(prop::collection::vec(texts(), 0..3));
    (replicas(), instants(), prop::collection::vec(ask, 0..4), any::<u64>(), prop::option::of(instants()), receipts)
        .prop_map(|(replica, clock, scopes, unsent, oldest_unsent_at, receipts)| Hello {
            protocol: PROTOCOL,
            replica,
            clock,
            monotonic: receipts.as_ref().map(|_| Monotonic {
                session: unsent,
                ms: unsent / 2,
                counts_sleep: unsent % 2 == 0,
            }),
            roll: receipts.as_ref().map(|_| Roll {
                beats: BeatsHash([unsent as u8; 32]),
                epoch: unsent,
                rows: vec![unsent; scopes.len()],
                unsaved: vec![unsent / 2; scopes.len()],
            }),
            elsewhere: receipts.as_ref().map(|_| scopes.iter().map(|ask| last_row(ask, clock)).collect()),
            noticed: receipts.as_ref().map(|_| Seen { epoch: unsent, sequence: unsent / 3 }),
            outlines: receipts.as_ref().map(|_| unsent),
            notices: receipts.as_ref().map(|texts| texts.iter().map(|text| text.clone().into_bytes().into()).collect()),
            scopes,
            unsent,
            oldest_unsent_at,
            app: receipts.as_ref().map(|_| "app/1".to_owned()),
            most_bytes: receipts.as_ref().and_then(|_| u32::try_from(unsent).ok()),
            introductions: receipts
                .as_ref()
                .map(|texts| texts.iter().map(|text| text.clone().into_bytes().into()).collect()),
            receipts,
        })
}

fn last_row(ask: &Ask, received_at: Millis) -> LastRow {
    LastRow { scope: ask.scope, cursor: ask.cursor, received_at }
}

fn ends() -> impl Strategy<Value = StreamEnd> {
    (replicas(), scopes(), tips(), any::<bool>()).prop_map(|(replica, scope, tip, has_last_row)| StreamEnd {
        replica,
        scope,
        tip,
        has_last_row,
    })
}

fn level(time: Millis) -> Level {
    struct Constant;
    impl SignServer for Constant {
        fn public_key(&self) -> ServerKey {
            ServerKey([1; 32])
        }
        fn sign(&self, _: &[u8]) -> [u8; 64] {
            [2; 64]
        }
    }
    let occasion =
        Occasion { deployment: DeploymentId::from_bytes([3; 16]), replica: ReplicaId([4; 14]), epoch: 5, time };
    Level::sign(&occasion, Vec::new(), &Constant)
}

fn outlines() -> impl Strategy<Value = Outlines> {
    let corner = (-180.0..180.0, -90.0..90.0).prop_map(|(lon, lat)| [lon, lat]);
    let ring = prop::collection::vec(corner, 0..5).prop_map(Ring::of);
    let outline = (scopes(), prop::collection::vec(ring, 0..3)).prop_map(|(scope, rings)| Outline { scope, rings });
    (any::<u64>(), prop::collection::vec(outline, 0..3)).prop_map(|(mark, beats)| Outlines { mark, beats })
}

fn welcomes() -> impl Strategy<Value = Welcome> {
    let beat = (texts(), scopes(), texts()).prop_map(|(code, scope, name)| Beat { code, scope, name });
    let list = |most| 0..most;
    (
        instants(),
        prop::collection::vec(epochs(), list(3)),
        texts(),
        prop::collection::vec(beat, list(3)),
        prop::collection::vec(fates(), list(5)),
        prop::option::of(prop::collection::vec(ends(), list(3))),
        prop::option::of((seen(), prop::collection::vec(bytes(), list(3)))),
        prop::option::of(outlines()),
    )
        .prop_map(|(time, epochs, nonce, beats, frames, elsewhere, noticed, outlines)| Welcome {
            level: elsewhere.as_ref().map(|_| level(time)),
            takes_roll: elsewhere.as_ref().map(|ends| ends.is_empty()),
            protocol: PROTOCOL,
            time,
            epochs,
            nonce,
            directives: Vec::new(),
            beats,
            frames,
            elsewhere,
            noticed: noticed
                .map(|(upto, notices)| Noticed { upto, notices: notices.into_iter().map(Into::into).collect() }),
            outlines,
        })
}

fn gained() -> impl Strategy<Value = Gained> {
    let head = (tips(), signatures()).prop_map(|(tip, signature)| Head { tip, signature });
    let introduction = prop::option::of(prop::collection::vec(any::<u8>(), 0..9));
    let intro = (replicas(), keys(), texts(), head, introduction);
    let intro = intro.prop_map(|(replica, key, person, head, introduction)| StreamIntro {
        replica,
        key,
        person,
        head,
        introduction,
    });
    (scopes(), any::<u64>(), any::<u64>(), prop::collection::vec(intro, 0..3), rows(), any::<bool>(), texts(), tips())
        .prop_map(|(scope, epoch, from, streams, rows, more, receipt, decided)| Gained {
            scope,
            epoch,
            from,
            streams,
            rows,
            more,
            receipt,
            decided,
            packs: None,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_a_device_says_reads_back(hello in hellos(), header in headers()) {
        reads_back(&hello)?;
        reads_back(&header)?;
    }

    #[test]
    fn what_the_server_says_reads_back(welcome in welcomes(), verdict in verdicts(), control in controls()) {
        reads_back(&welcome)?;
        reads_back(&verdict)?;
        reads_back(&control)?;
    }

    #[test]
    fn what_a_scope_gained_reads_back(gained in gained()) {
        prop_assert_eq!(cbor::decode::<Gained>(&cbor::encode(&gained)), Ok(gained));
    }

    #[test]
    fn a_frame_reads_back_and_its_chain_too(frame in frames()) {
        let read = Frame::from_bytes(&frame.to_bytes()).unwrap();
        prop_assert!(read.links.len() <= MAX_FRAME_ENTRIES);
        let hashes = |frame: &Frame| frame.links.iter().map(Link::hashes).collect::<Vec<_>>();
        prop_assert_eq!(hashes(&read), hashes(&frame));
        prop_assert_eq!(read, frame);
    }

    #[test]
    fn a_message_comes_apart_alike_however_it_is_cut(
        items in prop::collection::vec(bytes(), 0..6),
        cuts in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let mut message = Vec::new();
        items.iter().for_each(|item| cbor::push_item(&mut message, item));
        let mut reader = ItemReader::new(300);
        let (mut rest, mut read, mut cuts) = (&message[..], Vec::new(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            reader.push(piece);
            rest = after;
            while let Some(item) = reader.next_item().unwrap() {
                read.push(item);
            }
        }
        prop_assert!(reader.is_empty());
        prop_assert_eq!(read, items);
    }
}
