//! Where the demonstration plays: a server in a fresh folder, a bad line, and devices in folders of their own.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use aralau::import::ImportPlace;
use aralau_client_sdk::{Client, DocumentId, HttpTransport, Seams, SyncOptions, store::SqliteStore};
use aralau_server::{
    app::App,
    auth,
    authorize::Role,
    entropy::{SystemEntropy, random},
    serve::{MAX_CONNECTIONS, serve},
    settings::Settings,
    store::{self, Store},
};
use aralau_sync_core::{
    id::Kind,
    time::Millis,
    visit::{ACTIVE, Place},
};
use indicatif::ProgressBar;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot, task::JoinHandle};

use super::{
    cast,
    headquarters::Headquarters,
    line::{self, Line},
    script::{Act, Calendar, Script},
};
use crate::{
    command::{cannot_listen, now, told_to_stop},
    failure::Failure,
    output,
    web::{CONSOLE, FIELD},
};

/// The one beat of the demonstration.
const BEAT: &str = "beat-01";
/// Devices that sync at the same moment.
const AT_ONCE: usize = 4;
/// What a demonstration exits with that somebody ended half way.
const INTERRUPTED: i32 = 130;
/// How long a device tries against the bad line.
const PATIENCE: SyncOptions = SyncOptions { wait: Duration::from_secs(120) };

/// Whoever watches looks around first.
const CODE_FOR_WATCHER_MS: i64 = 12 * 60 * 60 * 1000;

pub struct Stage {
    folder: TempDir,
    runtime: Runtime,
    app: App,
    address: SocketAddr,
    line_address: SocketAddr,
    line: Arc<Line>,
    stop: Option<oneshot::Sender<()>>,
    /// Removes the folder where somebody ends the demonstration half way.
    leaving: JoinHandle<Infallible>,
    devices: Vec<Client<SqliteStore>>,
    names: Vec<String>,
}

impl Stage {
    /// Starts the server and lays the line.
    pub fn build(listen: SocketAddr, seed: u64) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("aralau-demo-").tempdir()?;
        let data = folder.path().join("server");
        let store = Store::open(&data, now(), Arc::new(SystemEntropy))?;
        let settings = Settings { console: CONSOLE, field: FIELD, ..Settings::default() };
        let app = App::with(store, Arc::new(now), settings);
        let runtime = Runtime::new()?;
        let (stop, stopped) = oneshot::channel();
        let home = folder.path().to_owned();
        let (address, line_address, line, leaving) = runtime.block_on(async {
            let told = told_to_stop()?;
            let leaving = tokio::spawn(async move {
                told.await;
                drop(std::fs::remove_dir_all(home));
                std::process::exit(INTERRUPTED);
            });
            let listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, &error))?;
            let address = listener.local_addr()?;
            tokio::spawn(serve(app.clone(), listener, MAX_CONNECTIONS, async { drop(stopped.await) }));
            let (line_address, line) = line::lay(address, seed).await?;
            Ok::<_, Failure>((address, line_address, line, leaving))
        })?;
        let (devices, names) = (Vec::new(), Vec::new());
        Ok(Self { folder, runtime, app, address, line_address, line, stop: Some(stop), leaving, devices, names })
    }

    /// The server's own address, without the bad line.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// What the line has done.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// A fresh token.
    pub fn token(&self, role: Role) -> Result<String, Failure> {
        let entropy = random(&SystemEntropy).map_err(|error| Failure::new("entropy", error))?;
        Ok(self.app.store().write(move |tx| auth::mint(tx, role, "demo", now(), entropy))?)
    }

    /// The sample organisation; returns the places of the beat.
    pub fn furnish(&self) -> Result<Vec<DocumentId>, Failure> {
        let store = self.app.store();
        let handle = store.clone();
        store.write(move |tx| store::sample(tx, handle.identity(), now()))?;
        let places = store.read(|connection| match store::beat(connection, BEAT)? {
            Some(beat) => store::places_of(connection, &beat),
            None => Ok(Vec::new()),
        });
        Ok(places?)
    }

    /// The working days before now, by the clocks of the deployment.
    pub fn calendar(&self, now: Millis) -> Result<Calendar, Failure> {
        let zone = self.app.store().read(store::time_zone)?;
        Ok(Calendar { days: cast::working_days(now, zone), zone })
    }

    /// One beat with the places of a table.
    pub fn furnish_with(&self, places: &[ImportPlace]) -> Result<Vec<DocumentId>, Failure> {
        let store = self.app.store();
        let handle = store.clone();
        let places = places.to_vec();
        let made = store.write(move |tx| {
            let (beat, _) = store::ensure_beat(tx, BEAT, "Inspections", now())?;
            for place in &places {
                let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
                let puts = Place {
                    address: some(&place.address),
                    external_code: some(&place.external_code),
                    place_type: place.place_type.map(str::to_owned),
                    coordinates: None,
                    status: ACTIVE.to_owned(),
                    joined_into: None,
                }
                .puts(*uuid::Uuid::new_v5(&place.id, b"nonce").as_bytes());
                let document = (Kind::PLACE, DocumentId(place.id));
                let made = store::author(tx, handle.identity(), beat.scope_no, document, &puts, None, now())?;
                made.map_err(|error| store::StoreError::Internal(format!("a place: {error:?}")))?;
            }
            Ok(places.iter().map(|place| DocumentId(place.id)).collect())
        });
        Ok(made?)
    }

    /// Every inspector enrolls a device and syncs once, to learn the places.
    pub fn enroll(&mut self, names: &[String], bar: &ProgressBar) -> Result<(), Failure> {
        for (number, name) in names.iter().enumerate() {
            let person = name.clone();
            let code = self.app.store().write(move |tx| {
                let beat = store::beat(tx, BEAT)?.ok_or_else(|| store::StoreError::Internal("no beat".to_owned()))?;
                let (person, _) = store::ensure_person(tx, &person, now())?;
                store::grant(tx, person, beat.scope, now())?;
                store::make_code(tx, person, 15 * 60_000, now())
            })?;
            let home = self.folder.path().join("devices").join(format!("{number:03}"));
            std::fs::create_dir_all(&home)?;
            let mut client = Client::open(&home, Seams::system())?;
            let transport = HttpTransport::default();
            // The line may cut this too; a lost answer is asked for again with the same code.
            let mut tries = 0;
            while let Err(error) = client.enroll(&transport, &format!("http://{}", self.line_address), &code) {
                tries += 1;
                if tries > 20 {
                    return Err(error.into());
                }
            }
            client.sync(&transport, PATIENCE)?;
            self.devices.push(client);
            self.names.push(name.clone());
            bar.inc(1);
        }
        bar.finish();
        Ok(())
    }

    /// Everybody does what the script says, without a network.
    pub fn act(&mut self, script: &Script, bar: &ProgressBar) -> Result<(), Failure> {
        let names = &self.names;
        let outcomes: Vec<Result<(), Failure>> = std::thread::scope(|scope| {
            let actors = names.iter().zip(&mut self.devices).map(|(name, device)| {
                scope.spawn(move || perform(device, script.inspectors.get(name).map_or(&[], Vec::as_slice), bar))
            });
            let join = |actor: std::thread::ScopedJoinHandle<'_, Result<(), Failure>>| {
                actor.join().unwrap_or_else(|_| Err(Failure::new("internal", "a device panicked")))
            };
            actors.collect::<Vec<_>>().into_iter().map(join).collect()
        });
        bar.finish();
        outcomes.into_iter().collect()
    }

    /// Everybody syncs over the bad line, in this order; then once more, to hear of those who came later.
    pub fn come_back(&mut self, order: &[usize], bar: &ProgressBar) -> Result<(), Failure> {
        for _ in 0..2 {
            let mut devices: Vec<_> = self.devices.iter_mut().enumerate().collect();
            devices.sort_by_key(|(number, _)| order.iter().position(|at| at == number));
            let turns = Mutex::new(devices.into_iter());
            let outcomes: Vec<Result<(), Failure>> = std::thread::scope(|scope| {
                let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| sync_in_turn(&turns, bar))).collect();
                let join = |worker: std::thread::ScopedJoinHandle<'_, Result<(), Failure>>| {
                    worker.join().unwrap_or_else(|_| Err(Failure::new("internal", "a device panicked")))
                };
                workers.into_iter().map(join).collect()
            });
            outcomes.into_iter().collect::<Result<(), _>>()?;
        }
        bar.finish();
        Ok(())
    }

    /// How many devices, after one more sync, show a visit without a conflict.
    pub fn everybody_agrees(&mut self, visit: &str) -> Result<usize, Failure> {
        let id: DocumentId = visit.parse().map_err(|_| Failure::new("internal", "headquarters names no visit"))?;
        let mut agreed = 0;
        for device in &mut self.devices {
            device.sync(&HttpTransport::default(), PATIENCE)?;
            agreed += usize::from(device.visit(id)?.conflicts.is_empty());
        }
        Ok(agreed)
    }

    /// By which whoever watches joins the first of the inspectors, from a browser.
    fn code_for_another_phone(&self) -> Result<String, Failure> {
        let person = self.names.first().cloned().unwrap_or_default();
        Ok(self.app.store().write(move |tx| {
            let (person, _) = store::ensure_person(tx, &person, now())?;
            store::make_code(tx, person, CODE_FOR_WATCHER_MS, now())
        })?)
    }

    /// Keeps serving until told to stop, and says what to try.
    pub fn go_on(mut self, hq: &Headquarters, json: bool) -> Result<(), Failure> {
        if !json {
            let (url, token, data) = (self.url(), hq.token(), self.data());
            let code = self.code_for_another_phone()?;
            let home = self.folder.path().join("devices").join("000");
            output::line(&format!(
                "\nThe console is at {url}/; sign in with this token:\n  {token}\n\
                 Be an inspector yourself, in the app; it goes on when the network does not:\n  {url}/field/#code={code}\n\
                 Ctrl-C ends it and removes the folder. Also try:\n  \
                 curl -H 'Authorization: Bearer {token}' {url}/v1/visits?limit=3\n  \
                 curl -H 'Authorization: Bearer {token}' {url}/v1/conflicts\n  \
                 curl -H 'Authorization: Bearer {token}' {url}/v1/export.csv\n  \
                 aralau device --home {} visits\n  \
                 aralau admin --data {} check\n  {url}/openapi.json",
                home.display(),
                Path::new(&data).display(),
            ));
        }
        // The devices' folders can then be opened by the commands above.
        self.devices.clear();
        self.leaving.abort();
        self.runtime.block_on(async {
            told_to_stop()?.await;
            Ok::<_, Failure>(())
        })?;
        drop(self.stop.take());
        Ok(())
    }
}

fn perform(device: &mut Client<SqliteStore>, acts: &[Act], bar: &ProgressBar) -> Result<(), Failure> {
    let beat = device.beats().first().map(|beat| beat.scope);
    let beat = beat.ok_or_else(|| Failure::new("internal", "a device without a beat"))?;
    for act in acts {
        match act {
            Act::Log(id, draft) => drop(device.log_visit_in(beat, *id, (**draft).clone())?),
            Act::Edit(id, edits) => device.edit_visit(*id, edits)?,
        }
        bar.inc(1);
    }
    Ok(())
}

fn sync_in_turn<'a>(
    turns: &Mutex<impl Iterator<Item = (usize, &'a mut Client<SqliteStore>)>>,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let transport = HttpTransport::default();
    loop {
        let next = turns.lock().map_err(|_| Failure::new("internal", "a device panicked"))?.next();
        let Some((_, device)) = next else { return Ok(()) };
        device.sync(&transport, PATIENCE)?;
        bar.inc(1);
    }
}
