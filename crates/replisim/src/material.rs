//! Puts what the lab found into the form that the printers take.

use std::path::Path;
use std::time::Duration;

use replisim_history::{Finding, Promise, Verdict};
use replisim_lab::scenario::Expected;
use replisim_lab::{Experiment, Outcome};
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
    outcome: &'a Outcome,
    title: String,
    file: String,
    system: String,
    findings: Vec<Judged>,
    bounds: Vec<MeasuredBound>,
    cure: Option<String>,
}

impl<'a> Material<'a> {
    /// What there is to say of the outcome of a scenario, or a case, that was read from `path`.
    pub fn of(path: &Path, experiment: &'a Experiment, outcome: &'a Outcome) -> Self {
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
            cure: cure(path, experiment),
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

/// The command that runs the sibling scenario with the cure, if it is there: a case may lie anywhere.
fn cure(path: &Path, experiment: &Experiment) -> Option<String> {
    let cure = experiment.scenario.cure.as_ref()?;
    let name = if cure.ends_with(".ron") { cure.clone() } else { format!("{cure}.ron") };
    let sibling = path.with_file_name(name);
    sibling.is_file().then(|| format!("{} run {}", program(), quoted(&sibling.display().to_string())))
}
