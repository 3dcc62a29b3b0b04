//! The device: its store, and everything that a screen asks of it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use aralau_client_sdk::{
    Client, DocumentId, Draft, Error, HttpTransport, Invitation, OutlineView, Seams, Session as _, Status, Step, Stop,
    SyncOptions, Talk, Transport as _, VisitChange, VisitForm, keys, store::SqliteStore,
};
use aralau_sync_core::id::PublicKey;
use serde::Serialize;
use uuid::Uuid;

use crate::{error::DeviceError, session::Session, types::Report};

type Result<T> = std::result::Result<T, DeviceError>;

/// A device over a folder. Nothing but syncing and enrolling touches the network; what is written is on disk when the call
/// returns. It may be asked from any thread.
#[derive(uniffi::Object)]
pub struct Device {
    /// Nothing once it was let go of.
    client: Mutex<Option<Client<SqliteStore>>>,
    transport: HttpTransport,
}

#[uniffi::export]
impl Device {
    /// Opens the device in `folder`, or makes a new one there, with its key in a file of that folder.
    #[uniffi::constructor]
    pub fn open(folder: String) -> Result<Arc<Self>> {
        Self::over(|| Client::open(Path::new(&folder), Seams::system()))
    }

    /// The same with a P-256 key that a keystore has: its public half as a point, compressed or not, or as X.509. What it
    /// has to sign is asked for by sessions; `enroll` and `sync` fail.
    #[uniffi::constructor]
    pub fn open_with(folder: String, public_key: Vec<u8>) -> Result<Arc<Self>> {
        let key = read_key(&public_key)?;
        Self::over(|| Client::open_with(Path::new(&folder), key, Seams::system()))
    }

    /// Closes the device and lets go of its folder, whoever still holds this object.
    pub fn release(&self) {
        drop(self.client.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Whether a server knows it.
    pub fn is_enrolled(&self) -> Result<bool> {
        self.with(|client| Ok(client.is_enrolled()))
    }

    /// Makes it known to the server at `url` by a code that its person was handed. Blocks; repeating it is safe.
    pub fn enroll(&self, url: &str, code: &str) -> Result<()> {
        self.drive(Talk::enroll(url, code)).map(drop)
    }

    /// The same by the link that headquarters shows as a picture. A device that a link gives a certificate's fingerprint knows the
    /// server by that certificate alone from then on.
    pub fn enroll_by(&self, link: &str) -> Result<()> {
        self.drive(Talk::enroll_by(read_link(link)?)).map(drop)
    }

    /// Brings device and server level; while the server cannot be reached, it goes on trying for so many milliseconds.
    /// Blocks its caller, and nobody else.
    pub fn sync(&self, wait_ms: u64) -> Result<Report> {
        Ok(Report::from(&self.drive(sync(wait_ms))?.report()))
    }

    /// An enrollment, to be driven by the app.
    pub fn begin_enrollment(self: Arc<Self>, url: &str, code: &str) -> Arc<Session> {
        Arc::new(Session::new(self, Talk::enroll(url, code)))
    }

    /// The same by a link.
    pub fn begin_enrollment_by(self: Arc<Self>, link: &str) -> Result<Arc<Session>> {
        Ok(Arc::new(Session::new(self, Talk::enroll_by(read_link(link)?))))
    }

    /// A sync, to be driven by the app.
    pub fn begin_sync(self: Arc<Self>, wait_ms: u64) -> Arc<Session> {
        Arc::new(Session::new(self, sync(wait_ms)))
    }

    /// How it stands.
    pub fn status(&self) -> Result<Status> {
        self.with(|client| client.status())
    }

    /// The places of this person's beats, by address, each with what is known of it.
    pub fn round(&self) -> Result<Vec<Stop>> {
        self.with(|client| client.round())
    }

    /// The outlines of this person's beats, as far as the server has told any.
    pub fn outlines(&self) -> Result<Vec<OutlineView>> {
        self.with(|client| client.outlines())
    }

    /// Visits known here, the newest first: so many behind one that was shown. JSON: `Visit[]`.
    #[uniffi::method(default(behind = None, limit = 50))]
    pub fn visits(&self, behind: Option<DocumentId>, limit: u32) -> Result<String> {
        json(&self.with(|client| client.visits_behind(behind, limit as usize))?)
    }

    /// Visits that count at a place, the newest first. JSON: `Visit[]`.
    pub fn visits_at(&self, place: DocumentId) -> Result<String> {
        json(&self.with(|client| client.visits_at(place))?)
    }

    /// Visits that somebody has to look at. JSON: `Visit[]`.
    pub fn visits_asking(&self) -> Result<String> {
        json(&self.with(|client| client.visits_asking())?)
    }

    /// One visit. JSON: `Visit`.
    pub fn visit(&self, id: DocumentId) -> Result<String> {
        json(&self.with(|client| client.visit(id))?)
    }

    /// Every change of a visit or place, oldest first. JSON: `Change[]`.
    pub fn history(&self, id: DocumentId) -> Result<String> {
        json(&self.with(|client| client.history(id))?)
    }

    /// The visits that are being written down, the last one written to first.
    pub fn drafts(&self) -> Result<Vec<Draft>> {
        self.with(|client| client.drafts())
    }

    /// Begins to write a visit down. The draft's id.
    pub fn begin_draft(&self, form: VisitForm) -> Result<Uuid> {
        self.with(|client| client.begin_draft(&form))
    }

    /// Keeps a visit as far as it is filled in; refused once it was logged or given up.
    pub fn keep_draft(&self, id: Uuid, form: VisitForm) -> Result<()> {
        self.with(|client| client.keep_draft(id, &form))
    }

    /// Gives one up.
    pub fn drop_draft(&self, id: Uuid) -> Result<()> {
        self.with(|client| client.drop_draft(id))
    }

    /// Makes a visit of a draft, once. The visit's id.
    pub fn log_draft(&self, id: Uuid) -> Result<DocumentId> {
        self.with(|client| client.log_draft(id))
    }

    /// Changes a visit: all of it is one change.
    pub fn edit_visit(&self, id: DocumentId, changes: Vec<VisitChange>) -> Result<()> {
        self.with(|client| client.change_visit(id, &changes))
    }

    /// Ends a conflict by one of the values that are shown: as JSON, as `Visit` has it.
    pub fn choose(&self, id: DocumentId, field: &str, value: &str) -> Result<()> {
        let value = serde_json::from_str(value).map_err(|error| DeviceError::invalid(error.to_string()))?;
        self.with(|client| client.choose(id, field, &value))
    }

    /// Forgets everything: for a device that was shut out.
    pub fn erase(&self) -> Result<()> {
        self.with(|client| client.erase())
    }
}

/// For tests that compare what is written byte by byte.
#[cfg(feature = "vectors")]
#[uniffi::export]
impl Device {
    /// One whose clock stands still and whose randomness follows from a seed.
    #[uniffi::constructor]
    pub fn scripted(
        folder: String,
        public_key: Vec<u8>,
        now: aralau_client_sdk::Millis,
        seed: u64,
    ) -> Result<Arc<Self>> {
        let key = read_key(&public_key)?;
        Self::over(|| Client::open_with(Path::new(&folder), key, Seams::scripted(now, seed)))
    }
}

impl Device {
    fn over(open: impl FnOnce() -> std::result::Result<Client<SqliteStore>, Error>) -> Result<Arc<Self>> {
        let client = catch_unwind(AssertUnwindSafe(open)).map_err(|_| DeviceError::internal())??;
        Ok(Arc::new(Self { client: Mutex::new(Some(client)), transport: HttpTransport::default() }))
    }

    /// Where `work` panics, nothing that it left half-done is used again: the device is let go of.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Client<SqliteStore>) -> std::result::Result<T, Error>,
    ) -> Result<T> {
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let client = slot.as_mut().ok_or_else(DeviceError::released)?;
        if let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| work(client))) {
            return Ok(outcome?);
        }
        *slot = None;
        Err(DeviceError::internal())
    }

    /// As `Client::run`, but that others may ask the device while a request is under way.
    fn drive(&self, mut talk: Talk) -> Result<Talk> {
        loop {
            match self.with(|client| Ok(talk.next(client)))? {
                Step::Sign(messages) => talk.signed(self.with(|client| client.sign(&messages))?),
                Step::Send(request) => {
                    let answer = self.transport.send(&request);
                    self.with(|client| {
                        talk.answered(client, answer);
                        Ok(())
                    })?;
                }
                Step::Wait(ms) => thread::sleep(Duration::from_millis(ms)),
                Step::Done(()) => return Ok(talk),
                Step::Failed(error) => return Err(error.into()),
            }
        }
    }
}

fn sync(wait_ms: u64) -> Talk {
    Talk::sync(SyncOptions { wait: Duration::from_millis(wait_ms) })
}

fn read_link(link: &str) -> Result<Invitation> {
    Invitation::read(link).ok_or_else(|| DeviceError::invalid("this is no link to enroll by, or not the whole of it"))
}

fn read_key(bytes: &[u8]) -> Result<PublicKey> {
    keys::read_public_key(bytes).ok_or_else(|| DeviceError::invalid("this is no public key on P-256"))
}

pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| DeviceError::internal())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T>) -> String {
        let DeviceError::Failed { code, .. } = result.map(drop).expect_err("fails");
        code
    }

    #[test]
    fn a_fault_of_ours_is_told_and_the_device_can_be_opened_again() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = || home.path().join("phone").to_string_lossy().into_owned();
        let device = Device::open(folder()).expect("opens");
        let id = device.begin_draft(VisitForm { note: "kept".into(), ..VisitForm::default() }).expect("keeps");
        assert_eq!(code(Device::open(folder())), "store_in_use");
        assert_eq!(code(device.with(|_| -> std::result::Result<(), Error> { panic!("a fault") })), "internal");
        assert_eq!(code(device.drafts()), "device_released");
        let again = Device::open(folder()).expect("opens");
        assert_eq!(again.drafts().expect("reads")[0].id, id);
        again.release();
        assert_eq!(code(again.status()), "device_released");
    }

    #[test]
    fn while_one_thread_syncs_others_ask() {
        let home = tempfile::tempdir().expect("a folder");
        let device = Device::open(home.path().to_string_lossy().into_owned()).expect("opens");
        let (url, listener) = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
            (format!("http://{}", listener.local_addr().expect("an address")), listener)
        };
        thread::scope(|scope| {
            let enrolls = scope.spawn(|| device.enroll(&url, "K7WQ-2M4P-AB3C"));
            let (line, _) = listener.accept().expect("a request");
            assert!(!device.is_enrolled().expect("answers while the request is under way"));
            drop((line, listener));
            assert_eq!(code(enrolls.join().expect("ends")), "unreachable");
        });
    }
}
