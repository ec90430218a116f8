//! The file: how it is opened, made, and told from other files.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use replisim_kernel::Digest;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::row::blob;
use super::{Manifest, SCHEMA_VERSION, StoreError};

/// What tells a store from any other SQLite file: `rsim` in ASCII.
pub(super) const APPLICATION_ID: i64 = 0x7273_696d;

const SCHEMA: &str = include_str!("schema.sql");

/// How long one process waits for another to finish a batch.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a store that is there, to be read.
///
/// Whoever wrote it may have ended suddenly. Only a connection that could write to the file puts right what that left, and
/// takes its log away when nobody needs it any more; so this one could, but changes nothing that is in the store.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let read = |connection: Result<Connection, StoreError>| {
        let connection = connection?;
        connection.pragma_update(None, "query_only", true).map_err(at(path))?;
        match is_blank(&connection).map_err(at(path))? {
            true => Err(StoreError::Empty { path: path.to_owned() }),
            false => recognize(&connection, path).map(|()| connection),
        }
    };
    match read(connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)) {
        Err(StoreError::File { .. }) if has_log(path) => Err(StoreError::LogUnrecovered { path: path.to_owned() }),
        Err(StoreError::File { .. }) => read(connect_as_it_is(path)),
        other => other,
    }
}

/// Opens a store of which all is in its one file, and beside which nothing can be written.
fn connect_as_it_is(path: &Path) -> Result<Connection, StoreError> {
    let refuse = |error| StoreError::File { path: path.to_owned(), error };
    let whole = path.canonicalize().map_err(refuse)?.display().to_string();
    let escaped = whole.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags).map_err(at(path))
}

/// Opens a store for writing. One that is not there, or is empty, is made.
pub(super) fn create(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    if is_blank(&connection).map_err(at(path))? {
        create_schema(&mut connection).map_err(at(path))?;
    }
    recognize(&connection, path)?;
    Ok(connection)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    // SQLite opens a folder, and fails when it reads from it.
    if path.is_dir() {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    // To SQLite, `:memory:` and `file:…` are no files of these names.
    let plain = if path.is_relative() { Path::new(".").join(path) } else { path.to_owned() };
    let connection = Connection::open_with_flags(plain, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(at(path))?;
    connection.busy_timeout(PATIENCE).map_err(at(path))?;
    Ok(connection)
}

/// Makes an empty file a store. Where two processes find it empty, the second finds the tables of the first.
pub(super) fn create_schema(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_blank(&transaction)? {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()
}

/// Adds a campaign, unless it is there, and returns the ids of its subjects in the order of their numbers.
pub(super) fn enroll(connection: &mut Connection, manifest: &Manifest) -> rusqlite::Result<Vec<i64>> {
    let digest = manifest.digest();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if find_campaign(&transaction, digest)?.is_none() {
        write_manifest(&transaction, manifest)?;
    }
    let ids = subject_ids(&transaction, digest)?;
    transaction.commit()?;
    Ok(ids)
}

/// Drops all that runs of these subjects left, but for what is known.
pub(super) fn clear(connection: &mut Connection, subjects: &[i64]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in ["failure", "divergence", "run_time", "run", "reached", "cell"] {
        let mut delete = transaction.prepare(&format!("DELETE FROM {table} WHERE subject = ?1"))?;
        for subject in subjects {
            delete.execute([subject])?;
        }
    }
    transaction.commit()
}

/// Writes a manifest that is not there.
pub(super) fn write_manifest(connection: &Connection, manifest: &Manifest) -> rusqlite::Result<Vec<i64>> {
    let campaign = "INSERT INTO campaign (digest, version, settings) VALUES (?1, ?2, ?3)";
    connection.execute(campaign, params![blob(manifest.digest()), manifest.version, manifest.settings])?;
    let campaign = connection.last_insert_rowid();
    let mut ids = Vec::with_capacity(manifest.subjects.len());
    for (number, subject) in (0_u32..).zip(&manifest.subjects) {
        let insert = "INSERT INTO subject (campaign, number, name, scenario) VALUES (?1, ?2, ?3, ?4)";
        connection.execute(insert, params![campaign, number, subject.name, subject.scenario])?;
        let id = connection.last_insert_rowid();
        for (position, check) in (0_u32..).zip(&subject.checks) {
            connection.execute("INSERT INTO subject_check VALUES (?1, ?2, ?3)", params![id, position, check])?;
        }
        ids.push(id);
    }
    Ok(ids)
}

/// The id of a campaign.
pub(super) fn find_campaign(connection: &Connection, digest: Digest) -> rusqlite::Result<Option<i64>> {
    let mut found = connection.prepare("SELECT id FROM campaign WHERE digest = ?1")?;
    found.query_row([blob(digest)], |row| row.get(0)).optional()
}

/// The ids of a campaign's subjects, in the order of their numbers; none if there is no such campaign.
pub(super) fn subject_ids(connection: &Connection, digest: Digest) -> rusqlite::Result<Vec<i64>> {
    let ids = "SELECT subject.id FROM subject JOIN campaign ON campaign.id = subject.campaign
               WHERE digest = ?1 ORDER BY number";
    connection.prepare(ids)?.query_map([blob(digest)], |row| row.get(0))?.collect()
}

/// Refuses what is not a store, or is one of another version.
fn recognize(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(at(path));
    if number("application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    match number("user_version")? {
        SCHEMA_VERSION => Ok(()),
        found if found > SCHEMA_VERSION => Err(StoreError::Newer { path: path.to_owned(), found }),
        found => Err(StoreError::Older { path: path.to_owned(), found }),
    }
}

/// Whether nothing was ever written to a database.
fn is_blank(connection: &Connection) -> rusqlite::Result<bool> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(application == 0 && tables == 0)
}

/// What SQLite may have left beside a database: logs, and an index of one.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file whose name is that of the store and this.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether some of a database is still in a log beside it.
pub(super) fn has_log(path: &Path) -> bool {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let is_full = |suffix: &&str| fs::metadata(beside(&path, suffix)).is_ok_and(|log| log.len() > 0);
    ["-wal", "-journal"].iter().any(is_full)
}

/// Removes a database and the files that SQLite may have left beside it.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    remove_file(path)?;
    remove_logs(path)
}

pub(super) fn remove_logs(path: &Path) -> std::io::Result<()> {
    BESIDE.iter().try_for_each(|suffix| remove_file(&beside(path, suffix)))
}

fn remove_file(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What went wrong with the file at `path`.
pub(super) fn at(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError + Copy + '_ {
    move |error| {
        let error = without_path(error, path);
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => StoreError::Foreign { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                StoreError::File { path, error: std::io::Error::other(error) }
            }
            Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, what: error.to_string() },
            None if is_of_a_value(&error) => StoreError::Damaged { path, what: error.to_string() },
            _ => StoreError::Sqlite { path, error },
        }
    }
}

/// The error without the path that rusqlite puts behind it where a file cannot be opened: every [`StoreError`] names it.
fn without_path(error: rusqlite::Error, path: &Path) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, Some(why)) => {
            let bare = why.strip_suffix(&format!(": {}", path.display())).unwrap_or(&why).to_owned();
            rusqlite::Error::SqliteFailure(code, Some(bare))
        }
        other => other,
    }
}

/// Whether a value was not what its column holds.
fn is_of_a_value(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..))
}
