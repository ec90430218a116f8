//! A campaign in figures: what a screen shows of it.

use std::time::Duration;

use replisim_kernel::Digest;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::read::{DIVERGENCE_COLUMNS, digest, divergence_of, origin};
use super::{DivergenceRow, Mark, Origin, Place, Store, StoreError};

/// A campaign, counted.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// Its subjects, in the manifest's order.
    pub subjects: Vec<SubjectCount>,
    /// What failed, the smallest case first.
    pub causes: Vec<CauseCount>,
    /// Which runs came out otherwise when they were done again, in the order of their places.
    pub differing: Vec<Differing>,
}

/// One subject, counted.
#[derive(Clone, PartialEq, Debug)]
pub struct SubjectCount {
    /// Its name.
    pub name: String,
    /// How many lots there is anything of.
    pub lots: u64,
    /// How many runs.
    pub runs: u64,
    /// How many of them are changed from others.
    pub mutants: u64,
    /// How many of those that are not changed from others decided every check.
    pub fresh_decided: u64,
    /// How many of all runs failed.
    pub failed: u64,
    /// How many events all runs took together.
    pub events: u64,
    /// How long all runs were together in simulated time.
    pub simulated: Duration,
    /// How many of them were timed.
    pub timed: u64,
    /// How long these took on the wall, one after the other.
    pub wall: Duration,
    /// How many coverage cells were reached.
    pub cells: u64,
    /// How each check came out, in the scenario's order.
    pub checks: Vec<CheckCount>,
}

/// One check of a subject, counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckCount {
    /// Its name.
    pub name: String,
    /// In how many runs it has each mark, in the order of [`Mark::ALL`].
    marks: [u64; Mark::ALL.len()],
}

impl CheckCount {
    /// In how many runs it has this mark.
    pub const fn count(&self, mark: Mark) -> u64 {
        self.marks[mark as usize]
    }

    /// In how many runs it holds, be it promised or not.
    pub const fn holds(&self) -> u64 {
        self.count(Mark::Kept) + self.count(Mark::Lucky)
    }
}

/// Failures of one shape.
#[derive(Clone, PartialEq, Debug)]
pub struct CauseCount {
    /// The number of the subject.
    pub subject: u32,
    /// Its name.
    pub name: String,
    /// The check that failed.
    pub check: String,
    /// The shape of the anomaly.
    pub kind: String,
    /// In which phase of the run.
    pub phase: String,
    /// In how many runs.
    pub runs: u64,
    /// Of how many.
    pub of: u64,
    /// The run with the smallest case.
    pub at: Place,
    /// Its seed.
    pub seed: u64,
    /// How many faults the case holds.
    pub faults: u32,
    /// How many operations the case holds.
    pub operations: u32,
    /// The case.
    pub case: String,
}

/// A run that came out otherwise when it was done again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Differing {
    /// Its seed.
    pub seed: u64,
    /// The digest of its plan.
    pub plan: Digest,
    /// How it was found.
    pub origin: Origin,
    /// Where it stands, and how the two runs parted.
    pub told: DivergenceRow,
}

impl Store {
    /// Counts a campaign.
    ///
    /// # Errors
    /// If the store cannot be read or does not hold the campaign.
    pub fn summary(&self, campaign: Digest) -> Result<Summary, StoreError> {
        let _snapshot = self.snapshot()?;
        let subjects = self.subject_ids(campaign)?;
        let subjects = subjects.into_iter().map(|id| self.subject_count(id)).collect::<Result<_, _>>()?;
        let sql = "SELECT subject_number, subject, check_name, kind, phase, runs, of_runs, lot, place, faults,
                          operations, case_text, seed
                   FROM causes WHERE campaign = ?1";
        let causes = self.rows(sql, [campaign.to_string()], cause)?;
        let mut differing = Vec::new();
        for (number, id) in (0..).zip(self.subject_ids(campaign)?) {
            differing.extend(self.differing_of(id, number)?);
        }
        Ok(Summary { subjects, causes, differing })
    }

    fn differing_of(&self, id: i64, number: u32) -> Result<Vec<Differing>, StoreError> {
        let sql = format!(
            "SELECT {DIVERGENCE_COLUMNS}, seed, plan, origin FROM divergence JOIN run USING (subject, lot, place)
             WHERE subject = ?1 ORDER BY lot, place"
        );
        self.rows(&sql, [id], |row| {
            let told = divergence_of(row, number)?;
            Ok(Differing { told, seed: count(row, 7)?, plan: digest(row, 8)?, origin: origin(row, 9)? })
        })
    }

    fn subject_count(&self, id: i64) -> Result<SubjectCount, StoreError> {
        // As the view `speed`, and more: that leaves out subjects that have not run yet. Months of simulated time are too
        // many nanoseconds for one of SQLite's integers after some thousand runs.
        let sql = "SELECT subject.name, count(DISTINCT run.lot), count(run.lot),
                          coalesce(sum(run.origin = 'mutant'), 0), coalesce(sum(run.failed), 0),
                          coalesce(sum(run.events), 0), coalesce(sum(run.simulated_ns / 1000000000), 0),
                          coalesce(sum(run.simulated_ns % 1000000000), 0), count(wall_ns), coalesce(sum(wall_ns), 0),
                          (SELECT count(*) FROM cell WHERE cell.subject = subject.id),
                          coalesce(sum(run.origin = 'fresh' AND instr(run.verdicts, '?') = 0), 0)
                   FROM subject LEFT JOIN run ON run.subject = subject.id
                   LEFT JOIN run_time USING (subject, lot, place)
                   WHERE subject.id = ?1";
        let mut found = self.rows(sql, [id], subject_count)?.remove(0);
        found.checks = self.rows(CHECKS, [id], check)?;
        Ok(found)
    }
}

/// Every check of a subject, also if nothing has run yet. Runs with the same verdicts are counted before they are taken
/// apart, for there are few different ones. The marks are in the order of [`Mark::ALL`].
const CHECKS: &str = "
    WITH shapes AS (SELECT verdicts, count(*) AS runs FROM run WHERE subject = ?1 GROUP BY verdicts)
    SELECT name,
           coalesce(sum(runs) FILTER (WHERE substr(verdicts, position + 1, 1) = '.'), 0),
           coalesce(sum(runs) FILTER (WHERE substr(verdicts, position + 1, 1) = ','), 0),
           coalesce(sum(runs) FILTER (WHERE substr(verdicts, position + 1, 1) = 'a'), 0),
           coalesce(sum(runs) FILTER (WHERE substr(verdicts, position + 1, 1) = 'x'), 0),
           coalesce(sum(runs) FILTER (WHERE substr(verdicts, position + 1, 1) = '?'), 0)
    FROM subject_check LEFT JOIN shapes
    WHERE subject = ?1 GROUP BY position ORDER BY position";

/// At most this share of runs breaks something, with a confidence of 95 %, if none of so many did that were drawn at random;
/// `None` if there were none.
///
/// Had a larger share p been broken, n clean runs in a row would have a chance of (1 − p)ⁿ below 5 %. It is close to the
/// three in n of the rule of three (Hanley and Lippman-Hand 1983).
pub fn rate_bound(runs: u64) -> Option<f64> {
    (runs > 0).then(|| -libm::expm1(libm::log(0.05) / runs as f64))
}

fn count(row: &Row, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| number as u64)
}

/// A seed as a view tells it. A text may also be a small one: a store keeps the views that it was made with.
fn seed(row: &Row, column: usize) -> rusqlite::Result<u64> {
    match row.get_ref(column)? {
        ValueRef::Text(_) => row.get::<_, String>(column)?.parse().map_err(|_| rusqlite::Error::InvalidQuery),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => count(row, column),
    }
}

fn subject_count(row: &Row) -> rusqlite::Result<SubjectCount> {
    Ok(SubjectCount {
        name: row.get(0)?,
        lots: count(row, 1)?,
        runs: count(row, 2)?,
        mutants: count(row, 3)?,
        failed: count(row, 4)?,
        events: count(row, 5)?,
        simulated: Duration::from_secs(count(row, 6)?) + Duration::from_nanos(count(row, 7)?),
        timed: count(row, 8)?,
        wall: Duration::from_nanos(count(row, 9)?),
        cells: count(row, 10)?,
        fresh_decided: count(row, 11)?,
        checks: Vec::new(),
    })
}

fn check(row: &Row) -> rusqlite::Result<CheckCount> {
    let marks = [count(row, 1)?, count(row, 2)?, count(row, 3)?, count(row, 4)?, count(row, 5)?];
    Ok(CheckCount { name: row.get(0)?, marks })
}

fn cause(row: &Row) -> rusqlite::Result<CauseCount> {
    let subject = row.get(0)?;
    Ok(CauseCount {
        subject,
        name: row.get(1)?,
        check: row.get(2)?,
        kind: row.get(3)?,
        phase: row.get(4)?,
        runs: count(row, 5)?,
        of: count(row, 6)?,
        at: Place { subject, lot: row.get(7)?, place: row.get(8)? },
        seed: seed(row, 12)?,
        faults: row.get(9)?,
        operations: row.get(10)?,
        case: row.get(11)?,
    })
}
