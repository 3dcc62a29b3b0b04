//! The one writer: a thread that owns the connection and commits in groups.

use std::{
    cell::{RefCell, RefMut},
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;

use super::{OpenError, StoreError, words::Words};
use crate::entropy::{Entropy, random};

/// Jobs that share one transaction, at most: bounds how long the first of them waits.
const MAX_GROUP: usize = 64;

/// What a job writes through. Derefs to the connection, inside a savepoint of the writer's transaction.
pub struct Transaction<'a> {
    connection: &'a Connection,
    entropy: &'a dyn Entropy,
    words: RefCell<Words>,
}

impl<'a> Transaction<'a> {
    /// Over a connection whose transaction somebody else began.
    pub(super) fn over(connection: &'a Connection, entropy: &'a dyn Entropy) -> Self {
        Self { connection, entropy, words: RefCell::default() }
    }

    /// What the search index learns with this transaction.
    pub(super) fn words(&self) -> RefMut<'_, Words> {
        self.words.borrow_mut()
    }

    /// Fresh random bytes.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], StoreError> {
        random(self.entropy).map_err(|error| StoreError::Internal(error.to_string()))
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// Runs in the transaction; what it returns is called once the transaction's fate is known.
type Job = Box<dyn FnOnce(Result<&mut Transaction<'_>, &str>) -> Finish + Send>;
type Finish = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// A handle to the writer's thread. With the last one the thread does the jobs already submitted, closes the database,
/// which folds the write-ahead log back into it, and ends.
pub struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // A job may have held the last handle: then this is the thread itself, which cannot wait for its own end.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            drop(thread.join());
        }
    }
}

impl Writer {
    /// Hands the connection to a thread of its own.
    pub fn start(connection: Connection, entropy: Arc<dyn Entropy>) -> Result<Self, OpenError> {
        let (submit, jobs) = channel();
        let write = move || run(&connection, &*entropy, &jobs);
        let thread = thread::Builder::new().name("store-writer".into()).spawn(write)?;
        Ok(Self { jobs: Some(submit), thread: Some(thread) })
    }

    /// Queues a job; `done` is called from the writer's thread, after the commit.
    pub fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        let job: Job = Box::new(move |transaction| {
            let result = match transaction {
                Ok(transaction) => in_savepoint(transaction, job),
                Err(error) => Err(StoreError::Unavailable(error.to_owned())),
            };
            Box::new(move |committed| {
                done(match committed {
                    Ok(()) => result,
                    Err(error) => Err(StoreError::Unavailable(error.to_owned())),
                });
            })
        });
        // The thread only ends with the last handle; a job that cannot be queued drops its `done`, which its caller sees.
        drop(self.jobs.as_ref().map(|jobs| jobs.send(job)));
    }
}

fn in_savepoint<T>(
    transaction: &mut Transaction<'_>,
    job: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let (connection, words) = (transaction.connection, transaction.words().waiting());
    connection.execute_batch("SAVEPOINT job")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| job(transaction)));
    let result = outcome.unwrap_or_else(|_| Err(StoreError::Internal("a job panicked".into())));
    match result {
        Ok(value) => {
            connection.execute_batch("RELEASE job")?;
            Ok(value)
        }
        Err(error) => {
            transaction.words().take_back(words);
            connection.execute_batch("ROLLBACK TO job; RELEASE job")?;
            Err(error)
        }
    }
}

/// Idle for this long, the writer folds the write-ahead log back into the database.
const IDLE: Duration = Duration::from_secs(1);

/// The next job; while there is none, the write-ahead log is folded back once.
fn next(connection: &Connection, jobs: &Receiver<Job>) -> Option<Job> {
    match jobs.recv_timeout(IDLE) {
        Ok(job) => return Some(job),
        Err(RecvTimeoutError::Disconnected) => return None,
        Err(RecvTimeoutError::Timeout) => {}
    }
    // Fails while somebody reads an old snapshot; the next pause does it then.
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the write-ahead log was not folded back");
    }
    jobs.recv().ok()
}

fn run(connection: &Connection, entropy: &dyn Entropy, jobs: &Receiver<Job>) {
    while let Some(first) = next(connection, jobs) {
        let mut finishes = Vec::new();
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        let group = std::iter::once(first).chain(jobs.try_iter().take(MAX_GROUP - 1));
        let committed = match begun {
            Ok(()) => {
                let mut transaction = Transaction::over(connection, entropy);
                finishes.extend(group.map(|job| job(Ok(&mut transaction))));
                let written = transaction.words().write(connection);
                written.and_then(|()| Ok(connection.execute_batch("COMMIT")?))
            }
            Err(error) => {
                let told = error.to_string();
                finishes.extend(group.map(|job| job(Err(&told))));
                Err(error.into())
            }
        };
        let committed = committed.map_err(|error| {
            tracing::error!(%error, "a transaction failed; nothing of it was kept");
            // Fails where SQLite has rolled back by itself already.
            drop(connection.execute_batch("ROLLBACK"));
            error.to_string()
        });
        for finish in finishes {
            finish(match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(error),
            });
        }
    }
}
