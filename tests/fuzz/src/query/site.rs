//! A small deployment to ask: visits, a conflict, something held.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use aralau_server::{
    app::App,
    auth,
    authorize::Role,
    entropy::SystemEntropy,
    serve,
    store::{self, Enrollment, Store, Upload},
};
use aralau_sync_core::{
    change::Value,
    digest::replica_named,
    document::Document,
    frame::{Frame, chain},
    id::{Actor, DocumentId, Kind, PublicKey, ReplicaId, ScopeId, Signature},
    stream::{Entry, Header, Link, StreamId, Tip},
    time::Millis,
    visit::{Position, VisitDraft},
};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt as _;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use uuid::Uuid;

const NOW: Millis = Millis(1_780_000_000_000);
const VISITS: u128 = 12;

/// See the module.
pub struct Site {
    /// An administrator's: there is no route that it may not ask.
    pub token: String,
    /// What there is.
    pub visits: Vec<DocumentId>,
    runtime: Runtime,
    router: Router,
    /// Gone with the process.
    _folder: tempfile::TempDir,
}

/// What came back.
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// Empty where there is none.
    pub content_type: String,
    /// Whole.
    pub body: String,
}

impl Site {
    /// The one of this process.
    pub fn the() -> &'static Self {
        static SITE: OnceLock<Site> = OnceLock::new();
        SITE.get_or_init(Self::build)
    }

    fn build() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), NOW, Arc::new(SystemEntropy)).expect("a store");
        let handle = store.clone();
        store.write(move |tx| store::sample(tx, handle.identity(), NOW)).expect("an organisation");
        let token = store.write(|tx| auth::mint(tx, Role::Administrator, "Fuzz", NOW, [7; 32])).expect("a token");
        let beat = store.read(|connection| store::beat(connection, "beat-01")).expect("reads").expect("a beat");
        let visits: Vec<_> = (1..=VISITS).map(|number| DocumentId(Uuid::from_u128(number))).collect();
        furnish(&store, beat.scope, &visits);
        let app = App::new(store, Arc::new(|| NOW));
        let router = serve::router(&app);
        Self { token, visits, runtime, router, _folder: folder }
    }

    /// Asks and reads all of the answer.
    pub fn ask(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("a router always answers");
            let (parts, body) = response.into_parts();
            let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let bytes = body.collect().await.expect("a whole answer").to_bytes();
            Answer {
                status: parts.status.as_u16(),
                content_type: content_type.unwrap_or_default().to_owned(),
                body: String::from_utf8_lossy(&bytes).into_owned(),
            }
        })
    }
}

/// Two inspectors log the same visits apart; the second also sends what is no change.
fn furnish(store: &Store, scope: ScopeId, visits: &[DocumentId]) {
    for number in [1, 2] {
        let key = PublicKey([number + 1; 33]);
        let replica = replica_named(&key, [number; 4]);
        enroll(store, scope, key, replica);
        let mut links: Vec<_> = visits.iter().map(|visit| logged(replica, *visit)).collect();
        if number == 2 {
            links.push(Link::Full { header: header(visits[0]).to_bytes(), body: b"poison".to_vec() });
        }
        let frame =
            Frame { signature: Signature([0; 64]), stream: StreamId { replica, scope }, before: Tip::default(), links };
        let tips = chain(&frame.stream, frame.before, &frame.links);
        let upload = Upload { frame, tips, by: None, brought_by: None };
        let taken = store.write(move |tx| store::ingest(tx, &upload, NOW));
        assert_eq!(taken.expect("ingests").held.len(), usize::from(number == 2));
    }
}

fn enroll(store: &Store, scope: ScopeId, key: PublicKey, replica: ReplicaId) {
    let enrolled = store.write(move |tx| {
        let (person, _) = store::ensure_person(tx, &format!("Inspector {replica}"), NOW)?;
        store::grant(tx, person, scope, NOW)?;
        let code = store::make_code(tx, person, 60_000, NOW)?;
        store::enroll(tx, &Enrollment { code, key, replica }, NOW)
    });
    enrolled.expect("writes").expect("is let in");
}

fn logged(replica: ReplicaId, visit: DocumentId) -> Link {
    let number = visit.as_bytes()[15];
    let draft = VisitDraft {
        visit_type: Some("door_to_door".into()),
        outcome: Some(if replica.0[0] == 1 { "contacted" } else { "refused" }.into()),
        started_at: Some(NOW.plus(i64::from(number) * -3_600_000)),
        position: Some(Position { lat: 43.25, lon: 76.9, accuracy_m: Some(12.5), mock: false }),
        note: Some((uuid::Builder::from_random_bytes([number; 16]).into_uuid(), "Дверь закрыта".into())),
        ..VisitDraft::default()
    };
    let actor = Actor { replica, generation: 0 };
    let puts: BTreeMap<String, Value> = draft.puts(replica, [number; 16]).into_iter().collect();
    let puts: Vec<_> = puts.into_iter().collect();
    let change = Document::new().author(actor, &puts).expect("is allowed").expect("says something");
    Entry::new(header(visit), change).to_link()
}

fn header(document: DocumentId) -> Header {
    Header { kind: Kind::VISIT.0, document, at: NOW, monotonic: None, seen: None, reauthored_from: None }
}
