//! The bytes of protocol version 1, of every encoding once. They never change: another version gets a file of its own.
//!
//! `UPDATE_GOLDEN=1 cargo test -p aralau-sync-core --test golden_protocol` writes the file anew.

use aralau_sync_core::{
    auth, cbor,
    change::{Change, ChangeParts, Put, Value},
    digest,
    directory::Control,
    epoch::{Base, Epoch},
    frame::{Frame, chain},
    id::{
        Actor, ChangeHash, DeploymentId, DeviceId, DocumentId, EpochId, Kind, PersonId, PublicKey, ReplicaId, ScopeId,
        ServerKey, Signature, TokenId, TreeHash,
    },
    log::{Because, Labels, RowKind, Verdict, control_hash, row_leaf},
    merkle::Frontier,
    notice::Notice,
    reason::Reason,
    receipt::{Receipt, SignServer},
    stream::{Entry, Head, Header, Link, Seen, StreamId, Tip},
    sync::{
        Ask, Beat, Content, Directive, FrameFate, FrameRefusal, Gained, Hello, Level, Mark, Noticed, Occasion, Outline,
        Outlines, PROTOCOL, Pack, Ring, Roll, Row, StreamIntro, Unchanged, Welcome, beats_hash,
    },
    time::{Millis, Monotonic},
};

const AT: Millis = Millis(1_795_000_000_123);
const REPLICA: ReplicaId = ReplicaId([0xa1; 14]);
const SCOPE: ScopeId = ScopeId::from_bytes([0xb2; 16]);
const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([0xc3; 16]);
const STREAM: StreamId = StreamId { replica: REPLICA, scope: SCOPE };
const SIGNATURE: Signature = Signature([0xd4; 64]);

struct Signer;
impl SignServer for Signer {
    fn public_key(&self) -> ServerKey {
        ServerKey([0xe5; 32])
    }
    fn sign(&self, _: &[u8]) -> [u8; 64] {
        [0xf6; 64]
    }
}

fn change() -> Change {
    let put = |key: &str, value| Put { key: key.to_owned(), value, predecessors: Vec::new() };
    let parts = ChangeParts {
        actor: Actor { replica: REPLICA, generation: 1 },
        sequence: 1,
        start_op: 1,
        dependencies: Vec::new(),
        puts: vec![
            put("outcome", Value::Text("contacted".to_owned())),
            put("notes/0f8fad5b-d9cb-469f-a165-70867728950e/text", Value::Text("Ёлка".to_owned())),
        ],
    };
    Change::build(parts).expect("within the profile")
}

fn header() -> Header {
    Header {
        kind: Kind::VISIT.0,
        document: DocumentId::from_bytes([7; 16]),
        at: AT,
        monotonic: Some(Monotonic { session: 9, ms: 1_234, counts_sleep: true }),
        seen: Some(Seen { epoch: 1, sequence: 12 }),
        reauthored_from: None,
    }
}

fn frame() -> Frame {
    let hollow = Link::Hollow { header: digest::header_hash(b"header"), content: digest::content_hash(b"content") };
    let named = Header { document: digest::DocumentName::of(change().body()).undated(), ..header() };
    let links = vec![Entry::new(header(), change()).to_link(), Entry::new(named, change()).to_link(), hollow];
    Frame { signature: SIGNATURE, stream: STREAM, before: Tip::default(), links }
}

fn frame_with_a_day_in_a_name() -> Frame {
    let named = Header { document: digest::document_named_by(AT, change().body()), ..header() };
    Frame { links: vec![Entry::new(named, change()).to_link()], ..frame() }
}

fn epoch() -> Epoch {
    let base = Base { scope: SCOPE, size: 3, root: TreeHash([8; 32]) };
    Epoch { number: 2, id: EpochId::from_bytes([1; 16]), parent: Some(EpochId::from_bytes([2; 16])), bases: vec![base] }
}

fn receipt() -> Receipt {
    Receipt {
        deployment: DEPLOYMENT,
        scope: SCOPE,
        size: 12,
        root: TreeHash([3; 32]),
        epoch: 1,
        time: AT,
        durable_upto: 12,
        backed_up_upto: 4,
        decided: Some((REPLICA, 7)),
        held: vec![(6, Reason::NotCanonical)],
    }
}

fn verdict() -> Verdict {
    Verdict {
        labels: Labels::LATE,
        reason: Some(Reason::Because),
        because: Some(Because { replica: REPLICA, index: 5 }),
        by: Some("Сауле".to_owned()),
        note: None,
    }
}

fn hello() -> Hello {
    Hello {
        protocol: PROTOCOL,
        replica: REPLICA,
        clock: AT,
        scopes: vec![Ask { scope: SCOPE, cursor: Seen { epoch: 1, sequence: 12 }, tip: Tip::default() }],
        unsent: 3,
        oldest_unsent_at: Some(AT),
        app: Some("app/1".to_owned()),
        receipts: None,
        most_bytes: None,
        introductions: None,
        elsewhere: None,
        monotonic: None,
        noticed: None,
        notices: None,
        outlines: None,
        roll: None,
    }
}

fn welcome() -> Welcome {
    let (replica, scope, tip) = (REPLICA, SCOPE, Tip::default());
    Welcome {
        protocol: PROTOCOL,
        time: AT,
        epochs: vec![epoch()],
        nonce: "nonce".to_owned(),
        directives: vec![Directive::AssignmentChanged, Directive::Wipe, Directive::Upgrade, Directive::NewReplica],
        beats: vec![Beat { code: "beat-01".to_owned(), scope: SCOPE, name: "Участок № 1".to_owned() }],
        frames: vec![
            FrameFate::Decided { replica, scope, tip },
            FrameFate::Gap { replica, scope, tip },
            FrameFate::Forked { replica, scope, tip },
            FrameFate::Refused { code: FrameRefusal::Size },
        ],
        elsewhere: None,
        noticed: None,
        outlines: None,
        level: None,
        takes_roll: None,
    }
}

fn hello_with_a_roll() -> Hello {
    let mark = |scope, rows, backed_up| Mark { scope: ScopeId::from_bytes([scope; 16]), rows, backed_up };
    let roll = Roll::of(beats_hash(&welcome().beats), 1, &[mark(1, 300, 299), mark(2, 0, 0)]);
    Hello { scopes: Vec::new(), roll: Some(roll), ..hello() }
}

fn welcome_with_a_level() -> Welcome {
    let level = Some(Level::sign(&occasion(), vec![unchanged()], &Signer));
    Welcome { beats: Vec::new(), level, takes_roll: Some(true), ..welcome() }
}

fn welcome_with_outlines() -> Welcome {
    let corners = [[76.9, 43.2], [76.95, 43.2], [76.95, 43.25], [76.9, 43.25], [76.9, 43.2]];
    let hole = [[76.92, 43.22], [76.93, 43.22], [76.93, 43.23]];
    let beats = vec![Outline { scope: SCOPE, rings: vec![Ring::of(corners), Ring::of(hole)] }];
    Welcome { outlines: Some(Outlines { mark: 0x0123_4567_89ab_cdef, beats }), ..welcome() }
}

fn occasion() -> Occasion {
    Occasion { deployment: DEPLOYMENT, replica: REPLICA, epoch: 1, time: AT }
}

fn unchanged() -> Unchanged {
    Unchanged { scope: SCOPE, size: 12, root: TreeHash([3; 32]), decided: Tip::default(), backed_up: 4 }
}

/// What a level signs.
fn level_preimage() -> Vec<u8> {
    struct Seen(std::cell::RefCell<Vec<u8>>);
    impl SignServer for Seen {
        fn public_key(&self) -> ServerKey {
            ServerKey([0xe5; 32])
        }
        fn sign(&self, message: &[u8]) -> [u8; 64] {
            self.0.replace(message.to_vec());
            [0; 64]
        }
    }
    let seen = Seen(Vec::new().into());
    Level::sign(&occasion(), vec![unchanged()], &seen);
    seen.0.into_inner()
}

fn gained() -> Gained {
    let row =
        |kind, content| Row { kind, received_at: AT, stream: 0, index: 1, verdict: verdict().to_bytes(), content };
    let [full, named, hollow] = &frame().links[..] else { unreachable!("three links") };
    Gained {
        scope: SCOPE,
        epoch: 1,
        from: 12,
        streams: vec![StreamIntro {
            replica: REPLICA,
            key: PublicKey([2; 33]),
            person: "Айгүл".to_owned(),
            head: Head { tip: Tip::default(), signature: SIGNATURE },
            introduction: None,
        }],
        rows: vec![
            row(RowKind::Accepted, Content::Link(full.clone())),
            row(RowKind::Accepted, Content::Link(named.clone())),
            row(RowKind::Held, Content::Link(hollow.clone())),
            row(RowKind::Rejected, Content::Known),
            row(RowKind::Control, Content::Control(Control::CodeLists { version: 1 }.to_bytes())),
        ],
        more: true,
        receipt: "receipt".to_owned(),
        decided: Tip::default(),
        packs: None,
    }
}

fn pack() -> Pack {
    Pack { streams: vec![REPLICA], rows: gained().rows }
}

fn vectors() -> Vec<(&'static str, Vec<u8>)> {
    let (change, header, frame) = (change(), header().to_bytes(), frame());
    let tips = chain(&STREAM, frame.before, &frame.links);
    let mut frontier = Frontier::default();
    (0..5).for_each(|leaf| frontier.push(TreeHash([leaf; 32])));
    let device = DeviceId::from_bytes([4; 16]);
    let controls = [
        Control::Epoch(epoch()),
        Control::Person { person: PersonId::from_bytes([5; 16]), name: "Айгүл".to_owned() },
        Control::Beat { code: "beat-01".to_owned(), scope: SCOPE, name: "Участок № 1".to_owned() },
        Control::Device {
            device,
            key: PublicKey([2; 33]),
            person: PersonId::from_bytes([5; 16]),
            server_custody: false,
        },
        Control::Replica { replica: REPLICA, device },
        Control::Grant { person: PersonId::from_bytes([5; 16]), scope: SCOPE, from: AT },
        Control::GrantEnds { person: PersonId::from_bytes([5; 16]), scope: SCOPE, until: AT },
        Control::Revoked { device, at: AT },
        Control::CodeLists { version: 1 },
    ];
    let token = TokenId::from_bytes([8; 16]);
    let limited =
        Control::Token {
            token, role: "supervisor".to_owned(), name: "Айгүл".to_owned(), within: Some(vec![SCOPE])
        };
    let later_controls = [
        Control::Token { token, role: "auditor".to_owned(), name: "Айгүл".to_owned(), within: None },
        Control::TokenEnded { token, at: AT },
        Control::Code { person: PersonId::from_bytes([5; 16]), until: AT },
        Control::Unconfirmed { device: None },
        Control::Unconfirmed { device: Some(device) },
        Control::Confirmed { device },
    ];
    let person = PersonId::from_bytes([5; 16]);
    let joined = [Some(PersonId::from_bytes([6; 16])), None].map(|into| Control::PersonJoined { person, into });
    let notice = Notice { at: Seen { epoch: 2, sequence: 9 }, ended: Control::Revoked { device, at: AT } };
    let notice = notice.sign(&DEPLOYMENT, &Signer);
    let noticed = Noticed { upto: Seen { epoch: 2, sequence: 9 }, notices: vec![notice.clone().into()] };
    let ChangeHash(hash) = change.hash();
    let leaf = row_leaf(RowKind::Held, AT, &tips[0].hash, &verdict().to_bytes());
    vec![
        ("change body", change.body().to_vec()),
        ("change chunk", change.chunk().to_vec()),
        ("change hash", hash.to_vec()),
        ("content hash", digest::content_hash(change.chunk()).0.to_vec()),
        ("header", header.clone()),
        ("header hash", digest::header_hash(&header).0.to_vec()),
        ("entry hash 1", tips[0].hash.0.to_vec()),
        ("entry hash 2", tips[1].hash.0.to_vec()),
        ("head preimage", tips[1].head_preimage(&DEPLOYMENT, &STREAM)),
        ("frame", frame.to_bytes()),
        ("frame with a day in a name", frame_with_a_day_in_a_name().to_bytes()),
        ("verdict", verdict().to_bytes()),
        ("leaf hash", leaf.0.to_vec()),
        ("control hash", control_hash(&SCOPE, b"payload").0.to_vec()),
        ("root of five", frontier.root().0.to_vec()),
        ("frontier", cbor::encode(&frontier)),
        ("controls", controls.iter().flat_map(Control::to_bytes).collect()),
        ("hello", cbor::encode(&hello())),
        ("welcome", cbor::encode(&welcome())),
        ("gained", cbor::encode(&gained())),
        ("pack", cbor::encode(&pack())),
        ("receipt", receipt().sign(&Signer).into_bytes()),
        ("request preimage", auth::request_preimage(&DEPLOYMENT, &device, "POST", "/v1/sync", &[6; 32], "nonce")),
        ("enroll preimage", auth::enroll_preimage("CODE", &REPLICA, &PublicKey([2; 33]))),
        ("token within beats", limited.to_bytes()),
        ("person joined", joined.iter().flat_map(Control::to_bytes).collect()),
        ("later controls", later_controls.iter().flat_map(Control::to_bytes).collect()),
        ("notice", notice),
        ("noticed", cbor::encode(&noticed)),
        (
            "hello with notices",
            cbor::encode(&Hello { noticed: Some(noticed.upto), notices: Some(noticed.notices.clone()), ..hello() }),
        ),
        ("welcome with notices", cbor::encode(&Welcome { noticed: Some(noticed), ..welcome() })),
        ("hello with a roll", cbor::encode(&hello_with_a_roll())),
        ("welcome with a level", cbor::encode(&welcome_with_a_level())),
        ("level preimage", level_preimage()),
        ("hello with outlines", cbor::encode(&Hello { outlines: Some(0x0123_4567_89ab_cdef), ..hello() })),
        ("welcome with outlines", cbor::encode(&welcome_with_outlines())),
    ]
}

#[test]
fn every_encoding_of_protocol_1_has_the_bytes_it_always_had() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/protocol-1.txt");
    let now: String = vectors().iter().map(|(name, bytes)| format!("{name}: {}\n", hex::encode(bytes))).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &now).expect("the golden file can be written");
    }
    let kept = std::fs::read_to_string(path).expect("the golden file");
    for (now, kept) in now.lines().zip(kept.lines()) {
        assert_eq!(now, kept);
    }
    assert_eq!(now.lines().count(), kept.lines().count());
}

#[test]
fn every_message_reads_back() {
    assert_eq!(cbor::decode::<Hello>(&cbor::encode(&hello())), Ok(hello()));
    assert_eq!(cbor::decode::<Welcome>(&cbor::encode(&welcome())), Ok(welcome()));
    assert_eq!(cbor::decode::<Hello>(&cbor::encode(&hello_with_a_roll())), Ok(hello_with_a_roll()));
    assert_eq!(cbor::decode::<Welcome>(&cbor::encode(&welcome_with_a_level())), Ok(welcome_with_a_level()));
    assert_eq!(cbor::decode::<Welcome>(&cbor::encode(&welcome_with_outlines())), Ok(welcome_with_outlines()));
    assert_eq!(cbor::decode::<Gained>(&cbor::encode(&gained())), Ok(gained()));
    assert_eq!(cbor::decode::<Pack>(&cbor::encode(&pack())), Ok(pack()));
    for frame in [frame(), frame_with_a_day_in_a_name()] {
        assert_eq!(Frame::from_bytes(&frame.to_bytes()), Ok(frame));
    }
    assert_eq!(Header::from_bytes(&header().to_bytes()), Ok(header()));
    assert_eq!(cbor::decode::<Verdict>(&verdict().to_bytes()), Ok(verdict()));
}
