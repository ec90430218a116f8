//! Puts what the lab found into the form that reports are written from.

use std::path::{Path, PathBuf};

use replisim_history::{Finding, Promise, Verdict};
use replisim_lab::scenario::Expected;
use replisim_lab::{Experiment, JudgedMeasure, JudgedRun};
use replisim_report::{JudgedFinding, MeasuredBound, RunReport};

use crate::shell::command;

/// All that is told of the outcome of a scenario, or a case, that was read from `path`. `replay` is the command that runs the
/// same again. How long the run took is left unsaid, as it must be where two reports of a run are to be the same.
///
/// ```no_run
/// # use replisim::run_report;
/// # use replisim::lab::{Catalog, Experiment, scenario::Source};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = "scenarios/mine.ron".as_ref();
/// let experiment = Experiment::prepare(&Source::read(file)?, &Catalog::standard())?;
/// let outcome = experiment.run(7, None, false);
/// let report = run_report(file, &experiment, &outcome, "replisim run mine --seed 7".to_owned());
/// println!("{}", replisim::report::history::summary(&report));
/// # Ok(())
/// # }
/// ```
pub fn run_report<'a>(
    path: &Path,
    experiment: &'a Experiment,
    outcome: &'a JudgedRun,
    replay: String,
) -> RunReport<'a> {
    let promises = experiment.promises();
    let silent = || Promise::NotPromised("the protocol does not speak of it".to_owned());
    let judged = |finding: &Finding| JudgedFinding {
        finding: finding.clone(),
        promise: promises.get(&finding.check).cloned().unwrap_or_else(silent),
        expected_to_hold: experiment.scenario.expect.get(&finding.check).map(|it| *it == Expected::Holds),
        as_expected: outcome.judgement.is_fine_with(finding.check),
    };
    let bound = |measure: &JudgedMeasure| {
        let bound = &experiment.scenario.measures[&measure.name];
        MeasuredBound {
            name: measure.name.clone(),
            value: measure.value,
            unit: measure.unit,
            at_least: bound.at_least,
            at_most: bound.at_most,
            ok: measure.within,
        }
    };
    RunReport {
        title: title(path),
        file: path.display().to_string(),
        about: &experiment.scenario.about,
        system: experiment.system(),
        run: &outcome.run,
        findings: outcome.findings.iter().filter(|it| is_told(it, experiment)).map(judged).collect(),
        bounds: outcome.judgement.measures.iter().map(bound).collect(),
        elapsed: None,
        replay,
        cure: sibling(path, experiment.scenario.cure.as_deref()),
        anomaly: sibling(path, experiment.scenario.anomaly.as_deref()),
    }
}

/// Whether a finding is worth a line: what every system promises is not while it holds, unless somebody asks.
fn is_told(finding: &Finding, experiment: &Experiment) -> bool {
    let asked = experiment.scenario.checks.contains(&finding.check);
    let expected = experiment.scenario.expect.contains_key(&finding.check);
    asked || expected || finding.verdict != Verdict::Holds
}

/// A scenario's name in words: `stale read after write` of `scenarios/…/stale_read_after_write.ron`. What is no file is
/// the id of a case: `case 243b`.
pub(crate) fn title(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    if path.extension().is_some() || path.is_file() { name.replace('_', " ") } else { format!("case {name}") }
}

/// The command that runs a sibling scenario, if that is there: a case may lie anywhere.
fn sibling(path: &Path, name: Option<&str>) -> Option<String> {
    let file = file_of_sibling(path, name?);
    file.is_file().then(|| command("run", &file.display().to_string()))
}

/// The file of the scenario that one in `path` calls its cure or its anomaly.
pub(crate) fn file_of_sibling(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(if name.ends_with(".ron") { name.to_owned() } else { format!("{name}.ron") })
}
