//! Reading a store.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use replisim_kernel::{Digest, Span};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Transaction, params};

use super::file::{self, at};
use super::row::blob;
use super::{
    CellRow, DivergenceRow, FailureRow, KnownRow, Manifest, Origin, Place, RunRow, Status, StoreError, Subject,
};

/// A store, open for reading. Another process may write to it meanwhile. It can be sent to a thread but not shared:
/// each thread opens its own.
pub struct Store {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
}

/// What [`run_of`] reads.
pub(super) const RUN_COLUMNS: &str =
    "lot, place, origin, seed, plan, fingerprint, events, simulated_ns, verdicts, failed, cells";
/// What [`failure_of`] reads.
pub(super) const FAILURE_COLUMNS: &str = "lot, place, check_name, kind, phase, faults, operations, case_text";
/// What [`divergence_of`] reads.
pub(super) const DIVERGENCE_COLUMNS: &str = "lot, place, event, one, other, remembered, case_text";
/// What [`known_of`] reads.
pub(super) const KNOWN_COLUMNS: &str =
    "subject_name, scenario, seed, plan, check_name, kind, status, version, case_text";
const KNOWN_ORDER: &str = "ORDER BY subject_name, scenario, seed, plan, check_name, kind";
/// What [`cell_of`] reads.
pub(super) const CELL_COLUMNS: &str = "lot, place, cell, words";

impl Store {
    /// Opens a store that is there.
    ///
    /// # Errors
    /// If it is missing, is no store, or has another schema.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        Ok(Store { path: path.to_owned(), connection: file::open(path)? })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The campaigns, in the order in which they were first begun here; those of a merged store by their digests.
    ///
    /// # Errors
    /// If the store cannot be read, or a manifest is not what its digest says.
    pub fn campaigns(&self) -> Result<Vec<Manifest>, StoreError> {
        let mut found = Vec::new();
        for (id, digest, mut manifest) in self.manifests().map_err(self.refuse())? {
            manifest.subjects = self.subjects(id).map_err(self.refuse())?;
            if manifest.digest() != digest {
                let what = format!("the manifest of campaign {digest} was changed");
                return Err(StoreError::Damaged { path: self.path.clone(), what });
            }
            found.push(manifest);
        }
        Ok(found)
    }

    /// The runs of a lot that are there, in the order of their places. After a sudden end of the process that wrote
    /// them, some may be missing.
    ///
    /// # Errors
    /// If the store cannot be read or does not hold the subject.
    pub fn lot(&self, campaign: Digest, subject: u32, lot: u32) -> Result<Vec<RunRow>, StoreError> {
        self.lot_of(self.subject_id(campaign, subject)?, subject, lot)
    }

    /// Looks at every run of a campaign, in the order of their places, until one look fails. They are read one by one,
    /// for they may be more than memory holds.
    ///
    /// # Errors
    /// If the store cannot be read or does not hold the campaign. The inner result is that of the looks.
    pub fn each_run<E>(
        &self,
        campaign: Digest,
        mut look: impl FnMut(RunRow) -> Result<(), E>,
    ) -> Result<Result<(), E>, StoreError> {
        for (number, id) in (0..).zip(self.subject_ids(campaign)?) {
            if let Err(error) = self.each_run_of(id, number, &mut look)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// The failures of a campaign, in the order of their places and checks.
    ///
    /// # Errors
    /// If the store cannot be read or does not hold the campaign.
    pub fn failures(&self, campaign: Digest) -> Result<Vec<FailureRow>, StoreError> {
        let mut found = Vec::new();
        for (number, id) in (0..).zip(self.subject_ids(campaign)?) {
            found.extend(self.failures_of(id, number)?);
        }
        Ok(found)
    }

    /// The runs of a campaign that came out otherwise when they were done again, in the order of their places.
    ///
    /// # Errors
    /// If the store cannot be read or does not hold the campaign.
    pub fn divergences(&self, campaign: Digest) -> Result<Vec<DivergenceRow>, StoreError> {
        let mut found = Vec::new();
        for (number, id) in (0..).zip(self.subject_ids(campaign)?) {
            found.extend(self.divergences_of(id, number)?);
        }
        Ok(found)
    }

    /// The last place of each lot that it holds anything of.
    ///
    /// # Errors
    /// If the store holds no such campaign, or cannot be read.
    pub fn ends(&self, campaign: Digest) -> Result<Vec<Place>, StoreError> {
        let sql = "SELECT lot, max(place) FROM run WHERE subject = ?1 GROUP BY lot";
        let mut ends = Vec::new();
        for (subject, id) in (0..).zip(self.subject_ids(campaign)?) {
            let end = |row: &Row| Ok(Place { subject, lot: row.get(0)?, place: row.get(1)? });
            ends.extend(self.rows(sql, [id], end)?);
        }
        Ok(ends)
    }

    /// Every failure that was ever seen, in the order of subject, scenario, seed, plan, check and kind, whatever its
    /// campaign.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn known(&self) -> Result<Vec<KnownRow>, StoreError> {
        self.rows(&format!("SELECT {KNOWN_COLUMNS} FROM known {KNOWN_ORDER}"), [], known_of)
    }

    /// The same, without the failures of this campaign's own runs.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn known_besides(&self, campaign: Option<Digest>) -> Result<Vec<KnownRow>, StoreError> {
        let sql = "SELECT subject.name, run.seed, run.plan
                   FROM campaign
                   JOIN subject ON subject.campaign = campaign.id
                   JOIN failure ON failure.subject = subject.id
                   JOIN run USING (subject, lot, place)
                   WHERE campaign.digest = ?1";
        let mut own = BTreeSet::new();
        if let Some(campaign) = campaign {
            let failing = |row: &Row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as u64, digest(row, 2)?));
            own.extend(self.rows(sql, [blob(campaign)], failing)?);
        }
        let mut known = self.known()?;
        known.retain(|row| !own.contains(&(row.subject.clone(), row.seed, row.plan)));
        Ok(known)
    }

    /// Every case that is kept, of failures, of runs that differed and of what is known, each text once and in the order of
    /// the texts.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn cases(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT case_text FROM failure WHERE case_text <> '' UNION SELECT case_text FROM divergence
                   UNION SELECT case_text FROM known WHERE case_text <> '' ORDER BY 1";
        self.rows(sql, [], |row| row.get(0))
    }

    /// The runs of a lot, under the subject's id in this file.
    pub(super) fn lot_of(&self, id: i64, subject: u32, lot: u32) -> Result<Vec<RunRow>, StoreError> {
        let sql = format!("SELECT {RUN_COLUMNS} FROM run WHERE subject = ?1 AND lot = ?2 ORDER BY place");
        self.rows(&sql, params![id, lot], |row| run_of(row, subject))
    }

    /// Looks at every run of a subject, as [`Store::each_run`] does.
    pub(super) fn each_run_of<E>(
        &self,
        id: i64,
        subject: u32,
        mut look: impl FnMut(RunRow) -> Result<(), E>,
    ) -> Result<Result<(), E>, StoreError> {
        let sql = format!("SELECT {RUN_COLUMNS} FROM run WHERE subject = ?1 ORDER BY lot, place");
        let mut all = || {
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([id])?;
            while let Some(row) = rows.next()? {
                if let Err(error) = look(run_of(row, subject)?) {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(()))
        };
        all().map_err(self.refuse())
    }

    /// The failures of a subject, in the order of their places and checks.
    pub(super) fn failures_of(&self, id: i64, subject: u32) -> Result<Vec<FailureRow>, StoreError> {
        let sql = format!("SELECT {FAILURE_COLUMNS} FROM failure WHERE subject = ?1 ORDER BY lot, place, check_name");
        self.rows(&sql, [id], |row| failure_of(row, subject))
    }

    /// The divergences of a subject, in the order of their places.
    pub(super) fn divergences_of(&self, id: i64, subject: u32) -> Result<Vec<DivergenceRow>, StoreError> {
        let sql = format!("SELECT {DIVERGENCE_COLUMNS} FROM divergence WHERE subject = ?1 ORDER BY lot, place");
        self.rows(&sql, [id], |row| divergence_of(row, subject))
    }

    /// The cells of all lots of a subject, in the order of their bytes and lots.
    pub(super) fn coverage_by_lot(&self, id: i64, subject: u32) -> Result<Vec<CellRow>, StoreError> {
        let sql = format!(
            "SELECT {CELL_COLUMNS} FROM reached JOIN cell USING (subject, cell) WHERE subject = ?1 ORDER BY cell, lot"
        );
        self.rows(&sql, [id], |row| cell_of(row, subject))
    }

    /// The cells of one lot, in the order of their bytes.
    pub(super) fn cells(&self, id: i64, subject: u32, lot: u32) -> Result<Vec<CellRow>, StoreError> {
        let sql = format!(
            "SELECT {CELL_COLUMNS} FROM reached JOIN cell USING (subject, cell)
             WHERE subject = ?1 AND lot = ?2 ORDER BY cell"
        );
        self.rows(&sql, params![id, lot], |row| cell_of(row, subject))
    }

    /// The lots of which there is anything, in order.
    pub(super) fn lots(&self, id: i64) -> Result<Vec<u32>, StoreError> {
        let sql = "SELECT lot FROM run WHERE subject = ?1 UNION SELECT lot FROM reached WHERE subject = ?1 ORDER BY 1";
        self.rows(sql, [id], |row| row.get(0))
    }

    /// The ids of a campaign's subjects, in the order of their numbers.
    pub(super) fn subject_ids(&self, campaign: Digest) -> Result<Vec<i64>, StoreError> {
        match file::find_campaign(&self.connection, campaign).map_err(self.refuse())? {
            Some(_) => file::subject_ids(&self.connection, campaign).map_err(self.refuse()),
            None => Err(StoreError::NoCampaign { path: self.path.clone(), digest: campaign }),
        }
    }

    fn subject_id(&self, campaign: Digest, subject: u32) -> Result<i64, StoreError> {
        let ids = self.subject_ids(campaign)?;
        ids.get(subject as usize).copied().ok_or(StoreError::NoSubject { subject })
    }

    fn manifests(&self) -> rusqlite::Result<Vec<(i64, Digest, Manifest)>> {
        let sql = "SELECT id, digest, version, settings FROM campaign ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let found = statement.query_map([], |row| {
            let manifest = Manifest { version: row.get(2)?, settings: row.get(3)?, subjects: Vec::new() };
            Ok((row.get(0)?, digest(row, 1)?, manifest))
        })?;
        found.collect()
    }

    fn subjects(&self, campaign: i64) -> rusqlite::Result<Vec<Subject>> {
        let checks = "SELECT name FROM subject_check WHERE subject = ?1 ORDER BY position";
        let mut checks = self.connection.prepare(checks)?;
        let sql = "SELECT id, name, scenario FROM subject WHERE campaign = ?1 ORDER BY number";
        let mut statement = self.connection.prepare(sql)?;
        let found = statement.query_map([campaign], |row| {
            let checks = checks.query_map([row.get::<_, i64>(0)?], |row| row.get(0))?;
            Ok(Subject { name: row.get(1)?, scenario: row.get(2)?, checks: checks.collect::<Result<_, _>>()? })
        })?;
        found.collect()
    }

    /// Until this is dropped, all that is read is as of one moment, even while somebody writes.
    pub(super) fn snapshot(&self) -> Result<Transaction<'_>, StoreError> {
        self.connection.unchecked_transaction().map_err(self.refuse())
    }

    /// Every row that a question is answered with.
    pub(super) fn rows<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&Row) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let all = || self.connection.prepare(sql)?.query_map(parameters, read)?.collect::<rusqlite::Result<_>>();
        all().map_err(self.refuse())
    }

    pub(super) fn refuse(&self) -> impl Fn(rusqlite::Error) -> StoreError + Copy + '_ {
        at(&self.path)
    }
}

/// A run, from [`RUN_COLUMNS`].
pub(super) fn run_of(row: &Row, subject: u32) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        at: Place { subject, lot: row.get(0)?, place: row.get(1)? },
        origin: origin(row, 2)?,
        seed: row.get::<_, i64>(3)? as u64,
        plan: digest(row, 4)?,
        fingerprint: digest(row, 5)?,
        events: row.get::<_, i64>(6)? as u64,
        simulated: Span::nanos(row.get::<_, i64>(7)? as u64),
        verdicts: row.get(8)?,
        failed: row.get(9)?,
        cells: row.get(10)?,
    })
}

/// A failure, from [`FAILURE_COLUMNS`].
pub(super) fn failure_of(row: &Row, subject: u32) -> rusqlite::Result<FailureRow> {
    Ok(FailureRow {
        at: Place { subject, lot: row.get(0)?, place: row.get(1)? },
        check: row.get(2)?,
        kind: row.get(3)?,
        phase: row.get(4)?,
        faults: row.get(5)?,
        operations: row.get(6)?,
        case: row.get(7)?,
    })
}

/// A divergence, from [`DIVERGENCE_COLUMNS`].
pub(super) fn divergence_of(row: &Row, subject: u32) -> rusqlite::Result<DivergenceRow> {
    Ok(DivergenceRow {
        at: Place { subject, lot: row.get(0)?, place: row.get(1)? },
        event: row.get::<_, i64>(2)? as u64,
        one: row.get(3)?,
        other: row.get(4)?,
        remembered: row.get(5)?,
        case: row.get(6)?,
    })
}

/// A known failure, from [`KNOWN_COLUMNS`].
pub(super) fn known_of(row: &Row) -> rusqlite::Result<KnownRow> {
    Ok(KnownRow {
        subject: row.get(0)?,
        scenario: digest(row, 1)?,
        seed: row.get::<_, i64>(2)? as u64,
        plan: digest(row, 3)?,
        check: row.get(4)?,
        kind: row.get(5)?,
        status: word(row, 6, [Status::Fixed, Status::Failing], Status::as_str)?,
        version: row.get(7)?,
        case: row.get(8)?,
    })
}

/// A cell of a lot, from [`CELL_COLUMNS`].
pub(super) fn cell_of(row: &Row, subject: u32) -> rusqlite::Result<CellRow> {
    Ok(CellRow { at: Place { subject, lot: row.get(0)?, place: row.get(1)? }, cell: row.get(2)?, words: row.get(3)? })
}

pub(super) fn origin(row: &Row, column: usize) -> rusqlite::Result<Origin> {
    word(row, column, [Origin::Fresh, Origin::Mutant], Origin::as_str)
}

pub(super) fn digest(row: &Row, column: usize) -> rusqlite::Result<Digest> {
    row.get::<_, [u8; 16]>(column).map(|bytes| Digest(u128::from_be_bytes(bytes)))
}

/// The one of `all` that is written as the column says.
fn word<T: Copy, const N: usize>(
    row: &Row,
    column: usize,
    all: [T; N],
    written: fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    let unknown = || rusqlite::Error::InvalidColumnType(column, text.clone(), Type::Text);
    all.into_iter().find(|it| written(*it) == text).ok_or_else(unknown)
}
