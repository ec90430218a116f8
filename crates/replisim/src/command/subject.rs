//! Puts what the lab found into the form that the printers take.

use std::time::Duration;

use replisim_history::{Finding, Promise};
use replisim_lab::scenario::Expected;
use replisim_lab::{Experiment, Outcome};
use replisim_report::{Judged, MeasuredBound, Subject};

/// A report's contents, with what it borrows kept beside it.
pub struct Material {
    title: String,
    file: String,
    system: String,
    findings: Vec<Judged>,
    bounds: Vec<MeasuredBound>,
    cure: Option<String>,
}

impl Material {
    /// What there is to say of an outcome.
    pub fn of(title: String, file: String, experiment: &Experiment, outcome: &Outcome) -> Self {
        let promises = experiment.promises();
        let judged = |finding: &Finding| Judged {
            finding: finding.clone(),
            promise: promises
                .get(&finding.check)
                .cloned()
                .unwrap_or_else(|| Promise::NotPromised("the protocol does not speak of it".to_owned())),
            expected_to_hold: experiment.scenario.expect.get(&finding.check).map(|it| *it == Expected::Holds),
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
            system: system(experiment),
            findings: outcome.findings.iter().map(judged).collect(),
            bounds: outcome.judgement.measures.iter().map(bound).collect(),
            cure: cure(&file, experiment),
            title,
            file,
        }
    }

    /// The report's subject.
    pub fn subject<'a>(
        &'a self,
        experiment: &'a Experiment,
        outcome: &'a Outcome,
        replay: String,
        elapsed: Option<Duration>,
    ) -> Subject<'a> {
        Subject {
            title: &self.title,
            file: &self.file,
            about: &experiment.scenario.about,
            system: &self.system,
            run: &outcome.run,
            findings: &self.findings,
            bounds: &self.bounds,
            elapsed: elapsed.map(|elapsed| elapsed.as_secs_f64()),
            replay,
            cure: self.cure.clone(),
        }
    }
}

fn system(experiment: &Experiment) -> String {
    let (name, summary) = (experiment.scenario.protocol.name(), experiment.summary());
    if summary.is_empty() { name.to_owned() } else { format!("{name}, {summary}") }
}

/// The command that runs the sibling scenario with the cure.
fn cure(file: &str, experiment: &Experiment) -> Option<String> {
    let cure = experiment.scenario.cure.as_ref()?;
    let name = if cure.ends_with(".ron") { cure.clone() } else { format!("{cure}.ron") };
    let path = std::path::Path::new(file).with_file_name(name);
    Some(format!("replisim run {}", path.display()))
}
