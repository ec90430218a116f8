//! Puts what the lab found into the form that the printers take.

use std::path::{Path, PathBuf};
use std::time::Duration;

use replisim_history::{Finding, Promise, Verdict};
use replisim_lab::scenario::Expected;
use replisim_lab::{Experiment, JudgedRun};
use replisim_report::{Judged, MeasuredBound, Subject};

use crate::shell::{program, quoted};

/// A report's contents, with what it borrows kept beside it.
///
/// ```no_run
/// # use replisim::Material;
/// # use replisim::lab::{Catalog, Experiment, scenario::Source};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = "scenarios/mine.ron".as_ref();
/// let experiment = Experiment::prepare(&Source::read(file)?, &Catalog::standard())?;
/// let outcome = experiment.run(7, None, false);
/// let material = Material::of(file, &experiment, &outcome);
/// let subject = material.subject("replisim run mine --seed 7".to_owned(), None);
/// println!("{}", replisim::report::history::summary(&subject));
/// # Ok(())
/// # }
/// ```
pub struct Material<'a> {
    experiment: &'a Experiment,
    outcome: &'a JudgedRun,
    title: String,
    file: String,
    system: String,
    findings: Vec<Judged>,
    bounds: Vec<MeasuredBound>,
    cure: Option<String>,
    anomaly: Option<String>,
}

impl<'a> Material<'a> {
    /// What there is to say of the outcome of a scenario, or a case, that was read from `path`.
    pub fn of(path: &Path, experiment: &'a Experiment, outcome: &'a JudgedRun) -> Self {
        let promises = experiment.promises();
        let silent = || Promise::NotPromised("the protocol does not speak of it".to_owned());
        let judged = |finding: &Finding| Judged {
            finding: finding.clone(),
            promise: promises.get(&finding.check).cloned().unwrap_or_else(silent),
            expected_to_hold: experiment.scenario.expect.get(&finding.check).map(|it| *it == Expected::Holds),
            as_expected: outcome.judgement.is_fine_with(finding.check),
        };
        let bound = |measure: &replisim_lab::JudgedMeasure| {
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
        Material {
            experiment,
            outcome,
            system: experiment.system(),
            findings: outcome.findings.iter().filter(|it| is_told(it, experiment)).map(judged).collect(),
            bounds: outcome.judgement.measures.iter().map(bound).collect(),
            cure: sibling(path, experiment.scenario.cure.as_deref()),
            anomaly: sibling(path, experiment.scenario.anomaly.as_deref()),
            title: title(path),
            file: path.display().to_string(),
        }
    }

    /// The report's subject. `replay` is the command that runs the same again, `elapsed` how long it took; a report
    /// that is to be the same each time does without.
    pub fn subject(&self, replay: String, elapsed: Option<Duration>) -> Subject<'_> {
        Subject {
            title: &self.title,
            file: &self.file,
            about: &self.experiment.scenario.about,
            system: &self.system,
            run: &self.outcome.run,
            findings: &self.findings,
            bounds: &self.bounds,
            elapsed: elapsed.map(|elapsed| elapsed.as_secs_f64()),
            replay,
            cure: self.cure.clone(),
            anomaly: self.anomaly.clone(),
        }
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
    file.is_file().then(|| format!("{} run {}", program(), quoted(&file.display().to_string())))
}

/// The file of the scenario that one in `path` calls its cure or its anomaly.
pub(crate) fn file_of_sibling(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(if name.ends_with(".ron") { name.to_owned() } else { format!("{name}.ron") })
}
