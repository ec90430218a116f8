//! Rows put into their tables, each statement prepared once.

use rusqlite::{Connection, OptionalExtension, Statement, params};

use super::read::{
    DIVERGENCE_COLUMNS, FAILURE_COLUMNS, KNOWN_COLUMNS, RUN_COLUMNS, divergence_of, failure_of, known_of, run_of,
};
use super::row::blob;
use super::{CellRow, DivergenceRow, FailureRow, KnownRow, Place, RunRow};

/// Everything that is ever inserted, under ids of one connection's file.
pub(super) struct Inserter<'c> {
    put_run: Statement<'c>,
    get_run: Statement<'c>,
    put_time: Statement<'c>,
    put_failure: Statement<'c>,
    get_failure: Statement<'c>,
    put_divergence: Statement<'c>,
    get_divergence: Statement<'c>,
    put_cell: Statement<'c>,
    put_reached: Statement<'c>,
    put_known: Statement<'c>,
    get_known: Statement<'c>,
}

impl<'c> Inserter<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let prepare = |sql: &str| connection.prepare(sql);
        Ok(Inserter {
            put_run: prepare(
                "INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING",
            )?,
            get_run: prepare(&format!("SELECT {RUN_COLUMNS} FROM run WHERE subject = ?1 AND lot = ?2 AND place = ?3"))?,
            put_time: prepare("INSERT OR REPLACE INTO run_time VALUES (?1, ?2, ?3, ?4)")?,
            put_failure: prepare("INSERT OR REPLACE INTO failure VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?,
            get_failure: prepare(&format!(
                "SELECT {FAILURE_COLUMNS} FROM failure
                 WHERE subject = ?1 AND lot = ?2 AND place = ?3 AND check_name = ?4"
            ))?,
            put_divergence: prepare("INSERT OR REPLACE INTO divergence VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?,
            get_divergence: prepare(&format!(
                "SELECT {DIVERGENCE_COLUMNS} FROM divergence WHERE subject = ?1 AND lot = ?2 AND place = ?3"
            ))?,
            put_cell: prepare(
                "INSERT INTO cell VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET words = excluded.words WHERE excluded.words < words",
            )?,
            put_reached: prepare(
                "INSERT INTO reached VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET place = min(place, excluded.place)",
            )?,
            put_known: prepare("INSERT OR REPLACE INTO known VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?,
            get_known: prepare(&format!(
                "SELECT {KNOWN_COLUMNS} FROM known
                 WHERE subject_name = ?1 AND scenario = ?2 AND seed = ?3 AND plan = ?4 AND check_name = ?5 AND kind = ?6"
            ))?,
        })
    }

    /// Puts a run where there is none. If there is one, it is returned; it may differ.
    pub(super) fn run(&mut self, subject: i64, row: &RunRow) -> rusqlite::Result<Option<RunRow>> {
        let inserted = self.put_run.execute(params![
            subject,
            row.at.lot,
            row.at.place,
            row.origin.as_str(),
            row.seed as i64,
            blob(row.plan),
            blob(row.fingerprint),
            row.events as i64,
            row.simulated.as_nanos() as i64,
            row.verdicts,
            row.failed,
            row.cells,
        ])?;
        if inserted == 1 { Ok(None) } else { self.find_run(subject, row.at) }
    }

    /// The run at a place.
    pub(super) fn find_run(&mut self, subject: i64, at: Place) -> rusqlite::Result<Option<RunRow>> {
        let number = at.subject;
        self.get_run.query_row(params![subject, at.lot, at.place], |row| run_of(row, number)).optional()
    }

    /// Puts how long a run took.
    pub(super) fn time(&mut self, subject: i64, at: Place, nanos: u64) -> rusqlite::Result<()> {
        self.put_time.execute(params![subject, at.lot, at.place, nanos as i64]).map(|_| ())
    }

    /// Puts a failure, or the smaller of it and the one that is there.
    pub(super) fn failure(&mut self, subject: i64, row: FailureRow) -> rusqlite::Result<()> {
        let (at, number) = (row.at, row.at.subject);
        let key = params![subject, at.lot, at.place, row.check];
        let there = self.get_failure.query_row(key, |row| failure_of(row, number)).optional()?;
        let kept = there.map_or(row.clone(), |there| there.union(row));
        let FailureRow { at: _, check, kind, phase, faults, operations, case } = &kept;
        let columns = params![subject, at.lot, at.place, check, kind, phase, faults, operations, case];
        self.put_failure.execute(columns).map(|_| ())
    }

    /// Puts a divergence, or the lesser of it and the one that is there.
    pub(super) fn divergence(&mut self, subject: i64, row: DivergenceRow) -> rusqlite::Result<()> {
        let (at, number) = (row.at, row.at.subject);
        let key = params![subject, at.lot, at.place];
        let there = self.get_divergence.query_row(key, |row| divergence_of(row, number)).optional()?;
        let kept = there.map_or(row.clone(), |there| there.min(row));
        let DivergenceRow { at: _, event, one, other, remembered, case } = &kept;
        let columns = params![subject, at.lot, at.place, *event as i64, one, other, remembered, case];
        self.put_divergence.execute(columns).map(|_| ())
    }

    /// Puts a cell, united with what is there of it.
    pub(super) fn cell(&mut self, subject: i64, row: &CellRow) -> rusqlite::Result<()> {
        self.put_cell.execute(params![subject, row.cell, row.words])?;
        self.put_reached.execute(params![subject, row.at.lot, row.cell, row.at.place]).map(|_| ())
    }

    /// Puts a known failure after what was known of it.
    pub(super) fn known(&mut self, row: KnownRow) -> rusqlite::Result<()> {
        let key = params![row.subject, blob(row.scenario), row.seed as i64, blob(row.plan), row.check, row.kind];
        let there = self.get_known.query_row(key, known_of).optional()?;
        let KnownRow { subject, scenario, seed, plan, check, kind, status, version, case } =
            there.map_or(row.clone(), |there| there.then(row));
        let (scenario, plan) = (blob(scenario), blob(plan));
        let columns = params![subject, scenario, seed as i64, plan, check, kind, status.as_str(), version, case];
        self.put_known.execute(columns).map(|_| ())
    }
}
