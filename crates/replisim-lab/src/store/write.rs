//! Writing a store: one thread owns the connection, a bounded channel feeds it, and a counter says what is committed.
//!
//! Rows gather in a transaction, which ends after [`BATCH_TIME`] or [`BATCH_ROWS`], whichever comes first. Only then are
//! its runs counted ([`Writer::committed`]): what is counted survives a sudden end of the process. (A sudden end of the
//! machine may cost the last batches: the file stays whole, and those runs are done again.)

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, after, bounded};
use replisim_kernel::Digest;
use rusqlite::Connection;

use super::file::{self, at};
use super::insert::Inserter;
use super::lock::Lock;
use super::row::blob;
use super::{Conflict, FailureRow, KnownRow, Manifest, Place, Record, Status, StoreError, Subject};

/// How long a row waits for its batch to be committed, if the disk keeps up.
const BATCH_TIME: Duration = Duration::from_millis(200);

/// How long the writer leaves orders to gather when it has written all there are.
const NAP: Duration = Duration::from_millis(5);

/// How many orders make a batch.
const BATCH_ROWS: usize = 20_000;

/// How many orders wait in the channel before whoever feeds it has to.
const WAITING_MAX: usize = 4_096;

/// The one that writes to a store. Many threads may feed it.
pub struct Writer {
    orders: Sender<Order>,
    committed: Arc<AtomicU64>,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// How a campaign begins in a store that may hold some of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// With nothing: what the store holds of its runs is dropped. A protocol may have changed although neither the
    /// scenario nor the version of replisim did, and then it has other runs. Other campaigns, and what is known, stay.
    Anew,
    /// With what is there. A run that comes out otherwise than it did before is a [`Conflict`].
    Resume,
}

/// The writer has stopped, and takes nothing more; [`Writer::finish`] says why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the store's writer has stopped")]
pub struct Stopped;

/// Something to be written. Nearly all are runs, and a box around them would be an allocation for each.
enum Order {
    Run(Record),
    Failure(FailureRow),
    Known(KnownRow),
}

impl Writer {
    /// Opens a store for writing, which is made if it is not there, adds the campaign, unless it is there, and starts the
    /// thread. A campaign that begins anew loses its runs here and now.
    ///
    /// # Errors
    /// If the file is no store, has another schema or cannot be written, if somebody else writes to it, or if the system
    /// refuses a thread.
    pub fn begin(path: &Path, manifest: &Manifest, begin: Begin) -> Result<Writer, StoreError> {
        let lock = Lock::take(path)?;
        let mut connection = file::create(path)?;
        let subjects = enroll(&mut connection, manifest, begin).map_err(at(path))?;
        let committed = Arc::new(AtomicU64::new(0));
        let (orders, waiting) = bounded(WAITING_MAX);
        let writer = WriterThread {
            path: path.to_owned(),
            version: manifest.version.clone(),
            subjects,
            committed: committed.clone(),
        };
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || {
            let _lock = lock;
            writer.work(connection, &waiting)
        });
        let thread = thread.map_err(|error| StoreError::File { path: path.to_owned(), error })?;
        Ok(Writer { orders, committed, thread })
    }

    /// Hands over a run, with all that belongs to it. Waits while the channel is full. A run that is there already does
    /// no harm if it is the same.
    ///
    /// # Errors
    /// If the writer has stopped.
    pub fn put(&self, record: Record) -> Result<(), Stopped> {
        self.orders.send(Order::Run(record)).map_err(|_| Stopped)
    }

    /// Hands over a failure of a run that was handed over before: a smaller case of it, for instance.
    ///
    /// # Errors
    /// If the writer has stopped.
    pub fn put_failure(&self, failure: FailureRow) -> Result<(), Stopped> {
        self.orders.send(Order::Failure(failure)).map_err(|_| Stopped)
    }

    /// Says what became of a known failure. An empty case keeps the one that is there.
    ///
    /// # Errors
    /// If the writer has stopped.
    pub fn put_known(&self, known: KnownRow) -> Result<(), Stopped> {
        self.orders.send(Order::Known(known)).map_err(|_| Stopped)
    }

    /// How many of the runs handed over are committed. What is counted here survives the end of the process, however
    /// sudden.
    pub fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    /// Commits what was handed over, ends the thread and returns how many runs were committed. The file is then a
    /// single one, unless somebody still reads it.
    ///
    /// # Errors
    /// What stopped the writer: a result that differs from the one that is there, or a store that cannot be written.
    pub fn finish(self) -> Result<u64, StoreError> {
        let Writer { orders, committed, thread } = self;
        drop(orders);
        match thread.join() {
            Ok(ended) => ended.map(|()| committed.load(Ordering::Acquire)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// Drops what is known of the failures of a subject, whatever it said, or of all subjects, and returns how many that were.
/// What campaigns found stays.
///
/// # Errors
/// If there is no store, it cannot be written, or somebody else writes to it.
pub fn forget(path: &Path, subject: Option<&str>) -> Result<u64, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let _lock = Lock::take(path)?;
    let connection = file::create(path)?;
    let forgotten = connection.execute("DELETE FROM known WHERE ?1 IS NULL OR subject_name = ?1", [subject]);
    forgotten.map(|rows| rows as u64).map_err(at(path))
}

/// Lets a campaign of a store become the one of this manifest, which has its runs and is to have others besides.
///
/// # Errors
/// If the store cannot be written, or somebody else writes to it.
pub fn rekey(path: &Path, campaign: Digest, manifest: &Manifest) -> Result<(), StoreError> {
    let _lock = Lock::take(path)?;
    let connection = file::create(path)?;
    let update = "UPDATE campaign SET digest = ?1, settings = ?2 WHERE digest = ?3";
    let values = (blob(manifest.digest()), &manifest.settings, blob(campaign));
    connection.execute(update, values).map(drop).map_err(at(path))
}

/// Prepares a connection for many writes, and adds the campaign. Returns its subjects' ids, names, and the digests of
/// what their texts say.
fn enroll(connection: &mut Connection, manifest: &Manifest, begin: Begin) -> rusqlite::Result<Vec<Enrolled>> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "wal_autocheckpoint", 10_000)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    // What the keys refer to is looked up here anyway, once a campaign for subjects and once a failure for runs.
    connection.pragma_update(None, "foreign_keys", false)?;
    let ids = file::enroll(connection, manifest)?;
    if begin == Begin::Anew {
        file::clear(connection, &ids)?;
    }
    let enrolled = |(id, subject): (i64, &Subject)| Enrolled { id, name: subject.name.clone(), text: subject.digest() };
    Ok(ids.into_iter().zip(&manifest.subjects).map(enrolled).collect())
}

/// A subject as the file knows it.
struct Enrolled {
    id: i64,
    name: String,
    /// The digest of what its text says.
    text: Digest,
}

/// What the thread knows.
struct WriterThread {
    path: PathBuf,
    version: String,
    subjects: Vec<Enrolled>,
    committed: Arc<AtomicU64>,
}

impl WriterThread {
    /// Writes until nobody can order any more.
    fn work(&self, connection: Connection, waiting: &Receiver<Order>) -> Result<(), StoreError> {
        let mut inserter = Inserter::new(&connection).map_err(at(&self.path))?;
        while let Ok(first) = waiting.recv() {
            connection.execute_batch("BEGIN IMMEDIATE").map_err(at(&self.path))?;
            let runs = self.batch(&mut inserter, first, waiting)?;
            connection.execute_batch("COMMIT").map_err(at(&self.path))?;
            self.committed.fetch_add(runs, Ordering::Release);
        }
        drop(inserter);
        // One plain file is easier to hand on. Where somebody still reads, the log stays beside it, emptied if possible.
        let _ = connection.busy_timeout(Duration::ZERO);
        if connection.pragma_update(None, "journal_mode", "delete").is_err() {
            let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        Ok(())
    }

    /// Writes what makes a batch, and returns how many runs are in it.
    fn batch(&self, inserter: &mut Inserter, first: Order, waiting: &Receiver<Order>) -> Result<u64, StoreError> {
        let end = after(BATCH_TIME);
        let mut runs = 0;
        let mut next = Some(first);
        for _ in 0..BATCH_ROWS {
            let Some(order) = next.take().or_else(|| receive(waiting, &end)) else { break };
            runs += u64::from(matches!(order, Order::Run(_)));
            self.write(inserter, order)?;
        }
        Ok(runs)
    }

    fn write(&self, inserter: &mut Inserter, order: Order) -> Result<(), StoreError> {
        match order {
            Order::Run(record) => self.write_record(inserter, record),
            Order::Failure(failure) => self.write_failure(inserter, failure),
            Order::Known(known) => inserter.known(known).map_err(at(&self.path)),
        }
    }

    fn write_record(&self, inserter: &mut Inserter, record: Record) -> Result<(), StoreError> {
        let Record { run, failures, cells, divergence, elapsed } = record;
        let Enrolled { id, name, .. } = self.subject(run.at)?;
        let id = *id;
        if let Some(there) = inserter.run(id, &run).map_err(at(&self.path))? {
            Conflict::unless_same(name, (self.path.display(), &there), ("this run", &run))?;
        }
        if let Some(elapsed) = elapsed {
            let nanos = elapsed.as_nanos().min(i64::MAX as u128) as u64;
            inserter.time(id, run.at, nanos).map_err(at(&self.path))?;
        }
        for cell in &cells {
            inserter.cell(self.subject(cell.at)?.id, cell).map_err(at(&self.path))?;
        }
        if let Some(divergence) = divergence {
            inserter.divergence(id, divergence).map_err(at(&self.path))?;
        }
        failures.into_iter().try_for_each(|failure| self.write_failure(inserter, failure))
    }

    /// Writes a failure, which is known from now on if it has a case: without one nobody could see whether it is fixed.
    fn write_failure(&self, inserter: &mut Inserter, failure: FailureRow) -> Result<(), StoreError> {
        let Enrolled { id, name, text } = self.subject(failure.at)?;
        let (id, text) = (*id, *text);
        let run = inserter.find_run(id, failure.at).map_err(at(&self.path))?;
        let run = run.ok_or_else(|| StoreError::NoRun { path: self.path.clone(), at: failure.at })?;
        let known = (!failure.case.is_empty()).then(|| KnownRow {
            subject: name.clone(),
            scenario: text,
            seed: run.seed,
            plan: run.plan,
            check: failure.check.clone(),
            kind: failure.kind.clone(),
            status: Status::Failing,
            version: self.version.clone(),
            case: failure.case.clone(),
        });
        let written = inserter.failure(id, failure).and_then(|()| known.map_or(Ok(()), |known| inserter.known(known)));
        written.map_err(at(&self.path))
    }

    fn subject(&self, at: Place) -> Result<&Enrolled, StoreError> {
        self.subjects.get(at.subject as usize).ok_or(StoreError::NoSubject { subject: at.subject })
    }
}

/// The next order, unless the time is up or nobody is left to give one. Who finds the channel empty naps instead of waiting
/// at it: to be woken for every order would cost whoever gives it more than the order itself.
fn receive<T>(waiting: &Receiver<Order>, end: &Receiver<T>) -> Option<Order> {
    loop {
        match waiting.try_recv() {
            Ok(order) => return Some(order),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if end.recv_timeout(NAP).is_ok() => return None,
            Err(TryRecvError::Empty) => {}
        }
    }
}
