//! The one writer: a thread that owns the connection and commits in groups, of whoever's [turn](super::fair) it is.

use std::{
    cell::{Cell, RefCell, RefMut},
    mem,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{
    OpenError, StoreError,
    fair::{Lane, Next, Queue},
    recent::Recent,
    search::Learned,
};
use crate::entropy::{Entropy, random};

/// Jobs that share one transaction, at most: with [`GROUP_TIME`] it bounds how long the first of them waits.
const MAX_GROUP: usize = 64;
/// After so long no more jobs join a transaction.
const GROUP_TIME: Duration = Duration::from_millis(10);

/// What a job writes through. Derefs to the connection, inside the writer's transaction.
pub struct Transaction<'a> {
    connection: &'a Connection,
    entropy: &'a dyn Entropy,
    by: Option<String>,
    learned: RefCell<Learned>,
    recent: RefCell<Recent>,
    notices: Cell<bool>,
}

impl<'a> Transaction<'a> {
    /// Over a connection whose transaction somebody else began.
    pub(super) fn over(connection: &'a Connection, entropy: &'a dyn Entropy) -> Self {
        let (learned, recent) = <(RefCell<Learned>, RefCell<Recent>)>::default();
        Self { connection, entropy, by: None, learned, recent, notices: Cell::new(false) }
    }

    /// The same, for somebody.
    pub(super) fn on_behalf(mut self, by: Option<String>) -> Self {
        self.by = by;
        self
    }

    /// Who has the job done that writes now; `None`: the server by itself.
    pub(super) fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// A right ends with this transaction, of which others are to be told.
    pub(super) fn notice(&self) {
        self.notices.set(true);
    }

    /// What the search index learns with this transaction.
    pub(super) fn learned(&self) -> RefMut<'_, Learned> {
        self.learned.borrow_mut()
    }

    /// Large documents that were in hand last.
    pub(super) fn recent(&self) -> RefMut<'_, Recent> {
        self.recent.borrow_mut()
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

/// Something to write, and whoever waits for it.
trait Job: Send {
    /// Does it. Returns whether it succeeded; where it did not, nothing that it wrote may stay.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool;

    /// Tells whoever waits what became of it.
    fn finish(self: Box<Self>, committed: Result<(), &StoreError>);
}

struct Task<T, J, D> {
    by: Option<String>,
    job: J,
    done: D,
    result: Result<T, StoreError>,
}

impl<T, J, D> Job for Task<T, J, D>
where
    T: Send,
    J: Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send,
    D: FnOnce(Result<T, StoreError>) + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool {
        transaction.by.clone_from(&self.by);
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.job)(transaction)));
        self.result = outcome.unwrap_or_else(|_| Err(StoreError::Internal("a job panicked".into())));
        self.result.is_ok()
    }

    fn finish(self: Box<Self>, committed: Result<(), &StoreError>) {
        (self.done)(match committed {
            Ok(()) => self.result,
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        });
    }
}

/// A handle to the writer's thread. With the last one the thread does the jobs already submitted, closes the database,
/// which folds the write-ahead log back into it, and ends.
pub struct Writer {
    jobs: Arc<Queue<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.close();
        // A job may have held the last handle: then this is the thread itself, which cannot wait for its own end.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            drop(thread.join());
        }
    }
}

impl Writer {
    /// Hands the connection to a thread of its own. `notice` is called after each commit with which a right has ended.
    pub fn start(
        connection: Connection,
        entropy: Arc<dyn Entropy>,
        notice: impl Fn(&Connection) + Send + 'static,
    ) -> Result<Self, OpenError> {
        let jobs = Arc::<Queue<Box<dyn Job>>>::default();
        let waiting = Arc::clone(&jobs);
        let write = move || run(&connection, &*entropy, &waiting, &notice);
        let thread = thread::Builder::new().name("store-writer".into()).spawn(write)?;
        Ok(Self { jobs, thread: Some(thread) })
    }

    /// Queues a job in its lane, of somebody's (`None`: of the server's own); `done` is called from the writer's thread, after the
    /// commit. A job may be done twice: where another of the same transaction failed, all of it is taken back and begun anew.
    /// Where too many wait already it is not done.
    pub fn submit<T: Send + 'static>(
        &self,
        lane: Lane,
        by: Option<String>,
        job: impl Fn(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        let result = Err(StoreError::Internal("a job was not done".into()));
        let job: Box<dyn Job> = Box::new(Task { by, job, done, result });
        if let Err(job) = self.jobs.push(lane, job) {
            let why = if self.jobs.is_closed() { "the server is stopping" } else { "too much waits to be written" };
            let busy = StoreError::Unavailable(why.to_owned());
            job.finish(Err(&busy));
        }
    }
}

/// Idle for this long, the writer folds the write-ahead log back into the database.
const IDLE: Duration = Duration::from_secs(1);

/// The next job; while there is none, the write-ahead log is folded back once, and the memory of what was in hand given back.
fn next(connection: &Connection, jobs: &Queue<Box<dyn Job>>, recent: &mut Recent) -> Option<(Lane, Box<dyn Job>)> {
    let mut is_folded = false;
    loop {
        match jobs.next(IDLE) {
            Next::Job(lane, job) => return Some((lane, job)),
            Next::Closed => return None,
            Next::Idle if is_folded => {}
            Next::Idle => {
                is_folded = true;
                recent.clear();
                // Fails while somebody reads an old snapshot; the next pause does it then.
                if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
                    tracing::debug!(%error, "the write-ahead log was not folded back");
                }
            }
        }
    }
}

fn run(connection: &Connection, entropy: &dyn Entropy, jobs: &Queue<Box<dyn Job>>, notice: &dyn Fn(&Connection)) {
    let mut recent = Recent::default();
    while let Some(first) = next(connection, jobs, &mut recent) {
        let mut group = Vec::new();
        let committed = write_all(connection, entropy, first, jobs, &mut recent, &mut group);
        match &committed {
            Ok(true) => notice(connection),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "a transaction failed; nothing of it was kept");
                roll_back(connection);
            }
        }
        let committed = committed.map(|_| ());
        for job in group {
            job.finish(committed.as_ref().copied());
        }
    }
}

/// Does this job and others that wait in one transaction, those that fail excepted, and puts them into `group`. Returns whether
/// a right has ended with it. Of `recent` nothing is left unless it commits.
fn write_all(
    connection: &Connection,
    entropy: &dyn Entropy,
    first: (Lane, Box<dyn Job>),
    jobs: &Queue<Box<dyn Job>>,
    recent: &mut Recent,
    group: &mut Vec<Box<dyn Job>>,
) -> Result<bool, StoreError> {
    // In the group before anything can fail: whoever waits for it is told.
    let (mut lane, began) = (first.0, Instant::now());
    group.push(first.1);
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut transaction = Transaction::over(connection, entropy);
    transaction.recent = RefCell::new(mem::take(recent));
    // Within a savepoint SQLite first copies every page that it changes, and hardly ever does a job fail.
    // Some errors end the transaction even where a job does not pass them on: what follows must not be written outside of any.
    let (mut holds, mut upto) = (true, began);
    while let Some(job) = group.last_mut() {
        let is_done = job.run(&mut transaction);
        let (now, has_ended) = (Instant::now(), connection.is_autocommit());
        jobs.took(lane, now - upto);
        upto = now;
        // After a job alone, the commit fails.
        holds = is_done && (!has_ended || group.len() == 1);
        if !holds || has_ended || group.len() >= MAX_GROUP || now - began >= GROUP_TIME {
            break;
        }
        let Some((next, job)) = jobs.try_next() else { break };
        lane = next;
        group.push(job);
    }
    if !holds {
        roll_back(connection);
        connection.execute_batch("BEGIN IMMEDIATE")?;
        transaction = Transaction::over(connection, entropy);
        // One alone has failed, and shall not be done again.
        let others = if group.len() == 1 { &mut [] } else { &mut group[..] };
        others.iter_mut().try_for_each(|job| in_savepoint(&mut transaction, &mut **job))?;
    }
    transaction.learned().write(connection)?;
    connection.execute_batch("COMMIT")?;
    *recent = transaction.recent.take();
    Ok(transaction.notices.get())
}

fn in_savepoint(transaction: &mut Transaction<'_>, job: &mut dyn Job) -> Result<(), StoreError> {
    let (connection, words) = (transaction.connection, transaction.learned().waiting());
    connection.execute_batch("SAVEPOINT job")?;
    if !job.run(transaction) {
        transaction.learned().take_back(words);
        transaction.recent().clear();
        connection.execute_batch("ROLLBACK TO job")?;
    }
    Ok(connection.execute_batch("RELEASE job")?)
}

/// Fails where SQLite has rolled back by itself already.
fn roll_back(connection: &Connection) {
    drop(connection.execute_batch("ROLLBACK"));
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    };

    use super::*;
    use crate::entropy::SystemEntropy;

    const FAIL: i64 = 3;
    const PANIC: i64 = 5;

    fn writer(folder: &std::path::Path) -> Writer {
        let connection = Connection::open(folder.join("writer.db")).unwrap();
        connection
            .execute_batch("CREATE TABLE kept (number INTEGER PRIMARY KEY, done INTEGER NOT NULL) STRICT")
            .unwrap();
        connection
            .execute_batch(
                "CREATE VIRTUAL TABLE note_text USING fts5 (folded, content = '', contentless_delete = 1);
                 CREATE TABLE note_word (word TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
            )
            .unwrap();
        Writer::start(connection, Arc::new(SystemEntropy), |_| ()).unwrap()
    }

    fn write(tx: &Transaction<'_>, number: i64) -> Result<i64, StoreError> {
        tx.execute("INSERT INTO kept (number, done) VALUES (?, 1)", [number])?;
        tx.learned().note(number, 0, None, "word ".to_owned());
        match number {
            FAIL => Err(StoreError::corrupt("on purpose")),
            PANIC => panic!("on purpose"),
            _ => Ok(number),
        }
    }

    /// A job that waits: behind it, others are there together once it may go on.
    fn hold_back(writer: &Writer) -> Arc<AtomicBool> {
        let open = Arc::new(AtomicBool::new(false));
        let gate = Arc::clone(&open);
        let wait = move |_: &mut Transaction<'_>| {
            while !gate.load(Ordering::Acquire) {
                thread::yield_now();
            }
            Ok(())
        };
        writer.submit(None, None, wait, |_| {});
        open
    }

    #[test]
    fn a_job_that_hides_that_the_transaction_ended_has_nothing_written_outside_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        let open = hold_back(&writer);
        let (answer, answers) = channel();
        for number in [1, 2, 4] {
            let answer = answer.clone();
            let job = move |tx: &mut Transaction<'_>| {
                if number == 2 {
                    drop(tx.execute_batch("ROLLBACK"));
                }
                write(tx, number)
            };
            writer.submit(None, None, job, move |result| answer.send(result.ok()).unwrap());
        }
        open.store(true, Ordering::Release);
        let told: Vec<i64> = answers.iter().take(3).flatten().collect();
        assert!(!told.contains(&1) && !told.contains(&2), "what shared its transaction is gone: {told:?}");
        let (answer, answers) = channel();
        let of_others = |tx: &mut Transaction<'_>| {
            let mut kept = tx.prepare("SELECT number FROM kept WHERE number <> 2")?;
            Ok(kept.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?)
        };
        writer.submit(None, None, of_others, move |result| answer.send(result.unwrap()).unwrap());
        assert_eq!(answers.recv().unwrap(), told, "neither more nor less is there than was said");
    }

    #[test]
    fn of_jobs_that_share_a_transaction_those_that_fail_leave_nothing_and_the_others_all() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        let open = hold_back(&writer);
        let (answer, answers) = channel();
        for number in 1..=6 {
            let answer = answer.clone();
            writer.submit(
                None,
                None,
                move |tx| write(tx, number),
                move |result| answer.send((number, result.is_ok())).unwrap(),
            );
        }
        open.store(true, Ordering::Release);
        let mut told: Vec<_> = answers.iter().take(6).collect();
        told.sort_unstable();
        assert_eq!(told, [(1, true), (2, true), (FAIL, false), (4, true), (PANIC, false), (6, true)]);
        let (answer, answers) = channel();
        let numbers = |tx: &mut Transaction<'_>| {
            let numbers = |sql: &str| tx.query_row(sql, [], |row| row.get::<_, String>(0));
            Ok((
                numbers("SELECT group_concat(number) FROM kept")?,
                numbers("SELECT group_concat(rowid & 7) FROM note_text WHERE note_text MATCH 'word'")?,
            ))
        };
        writer.submit(None, None, numbers, move |result| drop(answer.send(result.unwrap())));
        assert_eq!(answers.recv().unwrap(), ("1,2,4,6".to_owned(), "1,2,4,6".to_owned()));
    }

    #[test]
    fn a_job_alone_that_fails_leaves_nothing_and_is_done_once() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        let (times, tried) = channel();
        let (answer, answers) = channel();
        let fail = move |tx: &mut Transaction<'_>| {
            times.send(()).unwrap();
            write(tx, FAIL)
        };
        writer.submit(None, None, fail, move |result| drop(answer.send(result)));
        assert!(matches!(answers.recv().unwrap(), Err(StoreError::Corrupt(_))));
        assert_eq!(tried.iter().count(), 1);
    }
}
