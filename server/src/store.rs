//! The central store: SQLite, one writer with group commit, a pool of readers.
//!
//! Everything that changes the store is a job for the writer. Jobs that arrive together share one transaction, and if one of
//! them fails all are done again, each in a savepoint of its own; a job's caller hears back only after that transaction is on disk. Other processes may write
//! beside it (`aralau admin`), so that of the database nothing is cached across transactions but what cannot change (`recent`).

mod apply;
mod checkpoint;
mod compact;
mod coverage;
mod custody;
mod directory;
mod epochs;
mod fair;
mod folder;
mod follow_up;
mod hold;
mod ingest;
mod joined;
mod log;
mod notices;
mod old_visits;
mod open;
mod organisation;
mod outlines;
mod projection;
mod pull;
mod rebuild;
mod recent;
mod restore;
mod roll;
mod search;
mod segment;
mod sessions;
mod status;
mod tokens;
mod walk;
mod writer;

use std::sync::Arc;

use aralau_sync_core::{id::DeploymentId, time::Millis};
use rusqlite::Connection;

use crate::entropy::Entropy;

pub use checkpoint::{Checkpoint, next as next_checkpoint};
pub use compact::next_sealed;
pub use coverage::{DEFAULT_TIME_ZONE, set_time_zone, time_zone};
pub use custody::{EditError, HEADQUARTERS_NAME, author, ensure_custody, resolve_visit};
pub use directory::{
    Admission, BeatRow, CUSTODY_DEVICE, DIRECTORY, DeviceRow, EnrollError, Enrolled, Enrollment, HEADQUARTERS,
    PERSON_OF_DEVICE, admit, assign_device, beat, beat_areas, beats, beats_for, beats_of, confirm_device, device,
    device_of_replica, enroll, ensure_beat, ensure_person, ensure_replica, grant, has_phones, make_code, meet, name_of,
    name_of_replica, revoke_device, unconfirmed_devices,
};
pub use epochs::{Loss, find_loss, is_behind, mend_loss};
pub use fair::Lane;
pub use folder::{Disk, Folder, SystemDisk};
pub use follow_up::REPEAT_WITHIN_MS;
pub use hold::{HeldKey, HoldError, Said, reason_in, reject_held, release_held};
pub use ingest::{Ingested, Upload, ingest, ingest_some};
pub use joined::{person as person_goes_as, place_anywhere as place_goes_as};
pub use log::{ScopeLog, current_epoch, epochs_for, has_row, row_id, scope_no};
pub use notices::{bring_back, noticed, open_notices};
pub use old_visits::{Doubled, OldVisit, Register, Written, doubled, write_old_visits, written};
pub use open::{
    BackedUp, Copied, FolderLock, Identity, OpenError, SCHEMA_VERSION, backed_up, backup, shrink, total_rows,
    write_high_water,
};
pub use organisation::{
    BeatAdded, BeatRenamed, FieldChange, FieldValue, FoundPlace, GrantAdded, GrantEnded, Known, KnownPlace, Left, Line,
    LoadOptions, LoadReport, Lookup, Lost, MadeOne, Named, Names, NotJoined, Organisation, PersonAdded, PlaceAdded,
    PlaceChanged, PlaceField, PlaceLine, PlaceMoved, Plan, Refusal, RefusalKind, Sought, StaffLine, Warning,
    WarningKind, apply, clean, has_control, join_people, join_places, key, load, mixes_alphabets, part_person,
    part_place, people, people_called, person_named, places_of, sample,
};
pub use outlines::outlines;

pub use projection::load as load_document;
pub use pull::{Asking, Packed, PullLimits, Pulled, own_tip, pull, receipt};
pub use rebuild::{CheckReport, RebuildReport};
pub use restore::{Restore, Restored, restore};
pub use roll::unchanged;
pub use search::{DOCUMENT_OF_ROWID, document_of_key, hour_of_key, keys_of_hour, scope_of_key};
pub use segment::{Brought, Contents, Kept, SEGMENT_ROWS, Sealed, seal};
pub use sessions::{SessionRow, end_session, keep_session, session};
pub use status::{DeviceStatus, Noted, corrected, nonce_floor, note_status};
pub use tokens::{TokenRow, TokenShown, end_token, keep_token, live_credentials, token, tokens};
pub use walk::leaves;
pub use writer::{Transaction, Writer};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Try again: busy, out of disk, or shutting down. Nothing was changed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What the store holds contradicts itself. Stop and look.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// A job failed inside; its changes were rolled back.
    #[error("the store failed internally: {0}")]
    Internal(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(
                Code::DatabaseBusy | Code::DatabaseLocked | Code::DiskFull | Code::SystemIoFailure | Code::CannotOpen,
            ) => Self::Unavailable(error.to_string()),
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl StoreError {
    /// Bytes in the store that are not what was written there.
    pub fn corrupt(what: &str) -> Self {
        Self::Corrupt(what.to_owned())
    }
}

/// The store of one data folder.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    // Closed before the writer's connection: only the last one to close folds the write-ahead log back.
    readers: Readers,
    writer: Writer,
    folder: Folder,
    identity: Arc<Identity>,
}

/// A few read-only connections, handed out one at a time.
type Readers = std::sync::Mutex<Vec<Connection>>;

/// Read-only connections kept open between reads.
const IDLE_READERS: usize = 4;

impl Store {
    /// Opens (or makes) the store in a folder. `now` stamps what is made on first opening; every id, key and code that the
    /// store ever makes is drawn from `entropy`.
    pub fn open(folder: impl Into<Folder>, now: Millis, entropy: Arc<dyn Entropy>) -> Result<Self, OpenError> {
        Self::open_telling(folder, now, entropy, |_| ())
    }

    /// As [`Self::open`]. `tell` hears, every few thousand log rows, how many have been read where a store of an older version
    /// is made ready for this one.
    pub fn open_telling(
        folder: impl Into<Folder>,
        now: Millis,
        entropy: Arc<dyn Entropy>,
        tell: impl FnMut(u64),
    ) -> Result<Self, OpenError> {
        let folder = folder.into();
        let (connection, identity) = open::open_writer(&folder, now, &*entropy, tell)?;
        let identity = Arc::new(identity);
        let (beside, of) = (folder.clone(), Arc::clone(&identity));
        let notice = move |connection: &Connection| {
            // It ended all the same; the next end, or the next start, brings the file up to it.
            if let Err(error) = notices::keep_beside(&beside, connection, &of) {
                tracing::error!(%error, "a right has ended, and the file `notices` does not say so yet");
            }
        };
        let writer = Writer::start(connection, entropy, notice)?;
        Ok(Self(Arc::new(Inner { writer, readers: Readers::default(), folder, identity })))
    }

    /// Where its files are.
    pub fn folder(&self) -> &Folder {
        &self.0.folder
    }

    /// Which deployment this is, and its keys.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Which deployment this is.
    pub fn deployment(&self) -> DeploymentId {
        self.0.identity.deployment
    }

    /// Does a job of the server's own in the next transaction and waits until it is on disk.
    pub fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_by(None, job)
    }

    /// As [`Self::write`], for somebody, whom the rows that the job writes in the directory name; `None`: for the server itself.
    pub fn write_by<T: Send + 'static>(
        &self,
        by: Option<String>,
        job: impl Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, receive) = std::sync::mpsc::sync_channel(1);
        self.submit(None, by, job, move |result| drop(answer.send(result)));
        receive.recv().unwrap_or_else(|_| Err(StoreError::Unavailable("shutting down".into())))
    }

    /// As [`Self::write_by`], in a lane of its own (`None`: the server's and headquarters'), calling `done` from the writer's thread
    /// instead of blocking.
    pub fn submit<T: Send + 'static>(
        &self,
        lane: Lane,
        by: Option<String>,
        job: impl Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.0.writer.submit(lane, by, job, done);
    }

    fn connect_reader(&self) -> Result<Connection, StoreError> {
        self.0.folder.connect_reader(&self.0.folder.file(open::DATABASE))
    }

    /// Reads from one consistent snapshot.
    pub fn read<T>(&self, job: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.0.readers.lock().ok().and_then(|mut idle| idle.pop());
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect_reader()?,
        };
        connection.execute_batch("BEGIN DEFERRED")?;
        let result = job(&connection);
        // After some errors SQLite has ended the transaction by itself. Then the job says what happened, and the
        // connection goes.
        let ended = connection.execute_batch("ROLLBACK");
        if ended.is_ok()
            && let Ok(mut idle) = self.0.readers.lock()
            && idle.len() < IDLE_READERS
        {
            idle.push(connection);
        }
        result
    }
}
