//! Inspectors who write, and a store that takes it in.

use std::{
    path::{Path, PathBuf},
    process,
    sync::{Arc, mpsc::channel},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use aralau_client_sdk::{
    keys::DeviceKey,
    seams::{Entropy as _, SystemEntropy as PhoneEntropy},
};
use aralau_server::{
    calendar::Day,
    entropy::SystemEntropy,
    keys::DeviceVerifier,
    store::{self, Enrollment, Store, Upload},
};
use aralau_sync_core::{
    change::Value,
    digest::{document_named_by, replica_named},
    document::Document,
    frame::{Frame, MAX_FRAME_ENTRIES, chain},
    id::{Actor, DeploymentId, DocumentId, Kind},
    stream::{Entry, Header, SignDevice as _, StreamId, Tip},
    time::{DAY_MS, Millis},
    visit::{Position, VisitDraft},
};
use aralau_tests::{chance::Chance, cost};
use uuid::Builder;

/// Between two visits anywhere: a million a year.
pub const INTERVAL_MS: u64 = 31_500;
/// From beginning to end.
const VISIT_MS: i64 = 300_000;
/// How long after it began a visit arrives, at most.
const UNDER_WAY_MS: u64 = 3 * 24 * 60 * 60 * 1000;
/// Frames that are made before the server gets them: their making does not count.
const FRAMES_AT_ONCE: usize = 100;
/// Places of a beat.
const PLACES: usize = 400;
/// Words of the notes, of which the first stand in many and the last in few.
const WORDS: [&str; 24] = [
    "осмотр",
    "подвал",
    "кровля",
    "насос",
    "щиток",
    "дверь",
    "вентиль",
    "журнал",
    "предписание",
    "устранено",
    "замена",
    "шум",
    "лестница",
    "кабель",
    "датчик",
    "пожарный",
    "требуется",
    "доступ",
    "закрыт",
    "жильцы",
    "повторно",
    "акт",
    "снег",
    "гололёд",
];

/// What is written.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Beats, with two inspectors each.
    pub beats: usize,
    /// When the first visit arrives.
    pub begin: Millis,
    /// Every fifth visit brings a concern, and every tenth a promise, of which half are kept.
    pub follow_up: bool,
}

/// What a visit cost.
pub struct Cost {
    /// Processor time in milliseconds.
    pub cpu_ms: f64,
    /// Time in milliseconds.
    pub wall_ms: f64,
}

/// See the module.
pub struct Organisation {
    /// The server's.
    pub store: Store,
    /// The codes of its beats.
    pub beats: Vec<String>,
    folder: PathBuf,
    phones: Vec<Phone>,
    /// Of each beat.
    places: Vec<Vec<DocumentId>>,
    plan: Plan,
    chance: Chance,
    made: u64,
}

struct Phone {
    key: Arc<DeviceKey>,
    stream: StreamId,
    tip: Tip,
}

impl Organisation {
    /// With two inspectors in each beat and nothing written.
    pub fn begin(folder: &Path, plan: Plan) -> Result<Self> {
        let Plan { begin, .. } = plan;
        let store = Store::open(folder, begin, Arc::new(SystemEntropy))?;
        let codes: Vec<String> = (1..=plan.beats).map(|number| format!("beat-{number:03}")).collect();
        let place = |beat: &String, number| store::PlaceLine {
            beat: beat.clone(),
            address: format!("ул. Абая, {number}"),
            external_code: None,
            place_type: None,
            coordinates: None,
        };
        let organisation = store::Organisation {
            beats: codes.iter().map(|code| (code.clone(), format!("Участок {code}"))).collect(),
            places: codes.iter().flat_map(|beat| (1..=PLACES).map(move |number| place(beat, number))).collect(),
            ..store::Organisation::default()
        };
        let handle = store.clone();
        store.write(move |tx| store::load(tx, handle.identity(), &organisation, begin))?;
        let places = store.read(|connection| {
            let places = codes.iter().map(|code| match store::beat(connection, code)? {
                Some(beat) => store::places_of(connection, &beat),
                None => Ok(Vec::new()),
            });
            places.collect()
        })?;
        let (phones, chance) = (Vec::new(), Chance::of(1));
        let mut this = Self { store, beats: codes, folder: folder.to_owned(), phones, places, plan, chance, made: 0 };
        for number in 0..2 * plan.beats {
            let phone = this.enroll(number)?;
            this.phones.push(phone);
        }
        Ok(this)
    }

    fn enroll(&self, number: usize) -> Result<Phone> {
        let key = Arc::new(DeviceKey::generate(&mut PhoneEntropy));
        let (public, begin) = (key.public_key(), self.plan.begin);
        let replica = replica_named(&public, [7; 4]);
        let (beat, name) = (self.beats[number / 2].clone(), format!("Инспектор {number}"));
        let scope = self.store.write(move |tx| {
            let beat = store::beat(tx, &beat)?.ok_or_else(|| store::StoreError::corrupt("no beat"))?;
            let (person, _) = store::ensure_person(tx, &name, begin)?;
            store::grant(tx, person, beat.scope, begin)?;
            let code = store::make_code(tx, person, 60_000, begin)?;
            let enrolled = store::enroll(tx, &Enrollment { code, key: public, replica }, begin)?;
            Ok(enrolled.is_ok().then_some(beat.scope))
        })?;
        let scope = scope.context("a phone could not be enrolled")?;
        Ok(Phone { key, stream: StreamId { replica, scope }, tip: Tip::default() })
    }

    /// Logs visits and has the server take them in. Returns what each cost the server.
    pub fn write(&mut self, visits: usize) -> Result<Cost> {
        let (mut cpu_ms, mut wall_ms, mut left) = (0.0, 0.0, visits);
        while left > 0 {
            let mut frames = Vec::new();
            while left > 0 && frames.len() < FRAMES_AT_ONCE {
                let entries = left.min(MAX_FRAME_ENTRIES);
                frames.push(self.frame(entries));
                left -= entries;
            }
            let (began, before) = (Instant::now(), cost::cpu_ms(process::id()));
            self.take(frames)?;
            cpu_ms += cost::cpu_ms(process::id()) - before;
            wall_ms += began.elapsed().as_secs_f64() * 1000.0;
        }
        let each = |ms: f64| (ms / visits.max(1) as f64 * 10_000.0).round() / 10_000.0;
        Ok(Cost { cpu_ms: each(cpu_ms), wall_ms: each(wall_ms) })
    }

    /// As the server does with what comes over the wire.
    fn take(&self, frames: Vec<(Arc<DeviceKey>, Vec<u8>)>) -> Result<()> {
        let now = self.now();
        let (answer, answers) = channel();
        for (key, bytes) in frames {
            let frame = Frame::from_bytes(&bytes)?;
            let tips = frame.verify(&self.store.deployment(), &key.public_key(), &DeviceVerifier)?;
            let upload = Upload { frame, tips, by: None, brought_by: None };
            let answer = answer.clone();
            let told = move |result| drop::<Result<(), _>>(answer.send(result));
            self.store.submit(None, None, move |tx| store::ingest(tx, &upload, now), told);
        }
        drop(answer);
        for taken in answers {
            let taken = taken?;
            ensure!(taken.held.is_empty(), "held: {:?}", taken.held);
        }
        Ok(())
    }

    fn now(&self) -> Millis {
        self.plan.begin.plus((self.made * INTERVAL_MS).cast_signed())
    }

    fn frame(&mut self, entries: usize) -> (Arc<DeviceKey>, Vec<u8>) {
        let at = self.chance.below(self.phones.len() as u64) as usize;
        let links: Vec<_> = (0..entries).map(|_| self.visit(at).to_link()).collect();
        let deployment: DeploymentId = self.store.deployment();
        let phone = &mut self.phones[at];
        let frame = Frame::sign(&deployment, phone.stream, phone.tip, links, &*phone.key);
        phone.tip = chain(&phone.stream, phone.tip, &frame.links).last().copied().unwrap_or(phone.tip);
        (Arc::clone(&phone.key), frame.to_bytes())
    }

    fn visit(&mut self, phone: usize) -> Entry {
        self.made += 1;
        let replica = self.phones[phone].stream.replica;
        let nonce: [u8; 16] = random();
        let started = self.now().plus(-(self.chance.below(UNDER_WAY_MS).cast_signed()));
        let places = &self.places[phone / 2];
        let draft = VisitDraft {
            place: Some(places[self.chance.below(places.len() as u64) as usize]),
            visit_type: Some(["door_to_door", "follow_up", "complaint"][self.chance.below(3) as usize].into()),
            outcome: Some(["contacted", "not_home", "refused", "vacant"][self.chance.below(4) as usize].into()),
            started_at: Some(started),
            ended_at: Some(started.plus(VISIT_MS)),
            position: Some(Position {
                lat: 43.0 + self.chance.below(1_000_000) as f64 / 1e6,
                lon: 76.0 + self.chance.below(1_000_000) as f64 / 1e6,
                accuracy_m: Some(self.chance.below(5_000) as f64 / 100.0),
                mock: false,
            }),
            note: Some((Builder::from_random_bytes(nonce).into_uuid(), self.words())),
            other: (0..6)
                .map(|field| (format!("field_{field}"), Value::Int(self.chance.below(997).cast_signed())))
                .chain(self.plan.follow_up.then(|| follow_up(self.made, started)).into_iter().flatten())
                .collect(),
        };
        let actor = Actor { replica, generation: 0 };
        let puts = draft.puts(replica, nonce);
        #[expect(clippy::expect_used, reason = "what is written here is within every limit")]
        let change = Document::begin(actor, &puts).expect("a visit");
        // Written at the end of the visit, as phones do: it is under way from then.
        let at = started.plus(VISIT_MS);
        let header = Header {
            kind: Kind::VISIT.0,
            document: document_named_by(at, change.body()),
            at,
            monotonic: None,
            seen: None,
            reauthored_from: None,
        };
        Entry::new(header, change)
    }

    /// About 200 letters.
    fn words(&mut self) -> String {
        let mut words = String::new();
        while words.chars().count() < 190 {
            // The lower of two throws: some words are common, some are rare.
            let (one, other) = (self.chance.below(WORDS.len() as u64), self.chance.below(WORDS.len() as u64));
            words.push_str(WORDS[one.min(other) as usize]);
            words.push(' ');
        }
        words
    }

    /// Bytes of its files, once the write-ahead log is folded back.
    pub fn disk_bytes(&self) -> Result<u64> {
        // The writer folds it back when it has had nothing to do for a second.
        std::thread::sleep(std::time::Duration::from_millis(2_500));
        let files = std::fs::read_dir(&self.folder)?;
        files.map(|file| Ok(file?.metadata()?.len())).sum()
    }
}

/// What the visit of this number leaves to come back for.
fn follow_up(number: u64, started: Millis) -> Vec<(String, Value)> {
    const CATEGORIES: [&str; 4] = ["noise", "lighting", "drugs", "waste"];
    let item = Builder::from_random_bytes(random()).into_uuid();
    let mut fields = Vec::new();
    if number.is_multiple_of(5) {
        let category = CATEGORIES[(number / 5 % 4) as usize].to_owned();
        fields.push((format!("concerns/{item}/category"), Value::Text(category)));
    }
    if number.is_multiple_of(10) {
        let due = Day::of(started.plus(30 * DAY_MS), store::DEFAULT_TIME_ZONE).text();
        fields.push((format!("commitments/{item}/due"), Value::Text(due)));
        if number.is_multiple_of(20) {
            fields.push((format!("commitments/{item}/fulfilled_at"), Value::Timestamp(started.0)));
        }
    }
    fields
}

/// Bytes that nobody can guess.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    PhoneEntropy.fill(&mut bytes);
    bytes
}
