//! The failures of earlier campaigns are run again before anything else.

use std::collections::BTreeMap;
use std::path::Path;

use replisim_history::KnownFailure;

use super::subject::Subject;
use crate::scenario::Source;
use crate::store::{KnownRow, Status, Store, StoreError, digest_of};
use crate::{Case, Catalog, Experiment};

/// How many failures of one kind must still fail before the others are taken to fail, too.
const OF_A_KIND: usize = 4;

/// Runs the known failures of these subjects again, as their scenarios are written now, of each kind the smallest first.
/// Returns what became of each, with its row as it is to be stored; no command replays it before somebody keeps its case.
///
/// # Errors
/// If there is a store that cannot be read.
pub fn run_known(
    path: &Path,
    subjects: &[Subject<'_>],
    catalog: &Catalog,
) -> Result<Vec<(KnownFailure, KnownRow)>, StoreError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let texts: Vec<_> =
        subjects.iter().map(|subject| (subject.name(), digest_of(&subject.base().source.text))).collect();
    let is_subject = |row: &KnownRow| texts.contains(&(row.subject.as_str(), row.scenario));
    let mut kinds: BTreeMap<(String, String, String), Vec<KnownRow>> = BTreeMap::new();
    for row in Store::open(path)?.known()? {
        if row.status == Status::Failing && !row.case.is_empty() && is_subject(&row) {
            kinds.entry((row.subject.clone(), row.check.clone(), row.kind.clone())).or_default().push(row);
        }
    }
    Ok(kinds.into_values().flat_map(|rows| run_kind(rows, catalog)).collect())
}

fn run_kind(mut rows: Vec<KnownRow>, catalog: &Catalog) -> Vec<(KnownFailure, KnownRow)> {
    rows.sort_by_key(|row| (row.case.len(), row.seed));
    let mut failing = 0;
    let runs = rows.into_iter().filter_map(|row| run_one(row, catalog));
    let enough = |(known, _): &(KnownFailure, KnownRow)| {
        failing += usize::from(!known.fixed);
        failing <= OF_A_KIND
    };
    runs.take_while(enough).collect()
}

/// Runs one again; `None` if its case cannot be run any more, so that nothing can be said of it.
fn run_one(row: KnownRow, catalog: &Catalog) -> Option<(KnownFailure, KnownRow)> {
    let case = Case::parse(&Source::new(row.subject.clone(), row.case.clone())).ok()?;
    let experiment = Experiment::prepare(&case.source, catalog).ok()?;
    let run = experiment.begin(case.seed, false).finish();
    let findings = experiment.examine(&run);
    let still = findings.iter().any(|finding| {
        let kind = match &finding.verdict {
            replisim_history::Verdict::Violated(witness) => Some(&witness.kind),
            replisim_history::Verdict::Holds | replisim_history::Verdict::Unknown(_) => None,
        };
        finding.check.name() == row.check && kind == Some(&row.kind)
    });
    let status = if still { Status::Failing } else { Status::Fixed };
    let known = KnownFailure {
        subject: row.subject.clone(),
        check: row.check.clone(),
        kind: row.kind.clone(),
        seed: row.seed,
        plan: row.plan.to_string(),
        id: case.id(),
        case: None,
        replay: String::new(),
        fixed: !still,
    };
    Some((known, KnownRow { status, version: crate::VERSION.to_owned(), ..row }))
}
