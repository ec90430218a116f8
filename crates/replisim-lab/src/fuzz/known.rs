//! The failures of earlier campaigns are run again before anything else.

use std::collections::BTreeMap;
use std::path::Path;

use replisim_history::{KnownFailure, Replay, Sequel};
use replisim_kernel::Digest;

use super::subject::Subject;
use crate::scenario::{Report, Source};
use crate::store::{KnownRow, Status, Store, StoreError, digest_of};
use crate::{Case, Catalog, Experiment, VERSION};

/// How many failures of one kind must still fail before the others are taken to fail, too.
const OF_A_KIND: usize = 4;

/// What is known of the failures of some subjects.
#[derive(Debug, Default)]
pub struct Reruns {
    /// What became of each that was run again, with its row as it is to be stored; no command replays it before somebody
    /// keeps its case.
    pub failures: Vec<(KnownFailure, KnownRow)>,
    /// How many are known of a subject when it said something else, by its name. Those are not run again: what failed may
    /// have been taken out.
    pub of_others: BTreeMap<String, u64>,
}

/// Runs the known failures of these subjects again, of each kind the smallest first. A campaign that is resumed tells of its
/// own with what it finds.
///
/// # Errors
/// If there is a store that cannot be read.
pub fn run_known(
    path: &Path,
    subjects: &[Subject<'_>],
    resumed: Option<Digest>,
    catalog: &Catalog,
) -> Result<Reruns, StoreError> {
    let mut reruns = Reruns::default();
    if !path.exists() {
        return Ok(reruns);
    }
    let says = |subject: &Subject<'_>| (subject.name().to_owned(), digest_of(&subject.base().source.text));
    let says: BTreeMap<_, _> = subjects.iter().map(says).collect();
    let mut kinds: BTreeMap<(String, String, String), Vec<KnownRow>> = BTreeMap::new();
    let store = Store::open(path)?;
    for row in store.known_besides(resumed)? {
        match says.get(&row.subject) {
            Some(_) if row.status == Status::Fixed || row.case.is_empty() => {}
            Some(says) if *says == row.scenario => {
                kinds.entry((row.subject.clone(), row.check.clone(), row.kind.clone())).or_default().push(row);
            }
            Some(_) => *reruns.of_others.entry(row.subject).or_default() += 1,
            None => {}
        }
    }
    reruns.failures = kinds.into_values().flat_map(|rows| run_kind(rows, catalog)).collect();
    Ok(reruns)
}

fn run_kind(mut rows: Vec<KnownRow>, catalog: &Catalog) -> Vec<(KnownFailure, KnownRow)> {
    rows.sort_by_key(|row| (!Case::is_shrunk(&row.case), Case::weight(&row.case), row.seed));
    let mut known = Vec::new();
    let (mut failing, mut left) = (0, rows.len() as u64);
    for row in rows {
        let (mut failure, row) = run_one(row, catalog);
        failing += usize::from(!failure.is_fixed());
        left -= 1;
        failure.untried = if failing == OF_A_KIND { left } else { 0 };
        known.push((failure, row));
        if failing == OF_A_KIND {
            break;
        }
    }
    known
}

/// Runs one again. Where that cannot be done any more nobody knows that it is fixed.
fn run_one(row: KnownRow, catalog: &Catalog) -> (KnownFailure, KnownRow) {
    let mut known = KnownFailure {
        subject: row.subject.clone(),
        check: row.check.clone(),
        kind: row.kind.clone(),
        seed: row.seed,
        plan: row.plan.to_string(),
        id: String::new(),
        case: None,
        replay: Replay::Untold,
        became: None,
        untried: 0,
    };
    match became(&row, catalog) {
        Ok((id, became)) => (known.id, known.became) = (id, Some(became)),
        Err(report) => {
            let why = report.diagnostics.first().map_or("", |first| &first.message);
            known.replay = Replay::NoCommand(format!("its case cannot be run any more: {why}"));
        }
    }
    let status = if known.is_fixed() { Status::Fixed } else { Status::Failing };
    (known, KnownRow { status, version: VERSION.to_owned(), ..row })
}

/// What the case of a failure goes by, and what became of the failure.
fn became(row: &KnownRow, catalog: &Catalog) -> Result<(String, Sequel), Report> {
    let case = Case::parse(&Source::new(row.subject.clone(), row.case.clone()))?;
    let outcome = case.run(&Experiment::prepare(&case.source, catalog)?, false);
    Ok((case.id(), Sequel::of(&row.check, &row.kind, &outcome.findings)))
}
