//! `replisim replay`.

use std::path::{Path, PathBuf};

use replisim_kernel::SimTime;
use replisim_lab::{Case, Catalog, Experiment};
use replisim_report::{Style, human};

use super::output::print;
use super::{Ending, Failure};
use crate::material::Material;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// A case, as `replisim run --case FILE` writes it
    case: PathBuf,
}

/// Runs a case again and compares its fingerprint.
pub fn run(arguments: &Arguments, catalog: &Catalog, colour: bool) -> Result<Ending, Failure> {
    let refuse = |report| Failure::of(&report, colour);
    let case = Case::read(&arguments.case).map_err(refuse)?;
    let experiment = Experiment::prepare(&case.source, catalog).map_err(refuse)?;
    let outcome = experiment.run(case.seed, case.until.map(|span| SimTime::ZERO + span), false);
    let replay = format!("replisim replay {}", arguments.case.display());
    let material = Material::of(&arguments.case, &experiment, &outcome);
    let subject = material.subject(&experiment, &outcome, replay, None);
    print(&human::screen(&subject, if colour { Style::Colour } else { Style::Plain }))?;
    if outcome.run.fingerprint == case.fingerprint {
        print("the same run: its fingerprint is the case's\n")?;
        return Ok(if outcome.judgement.is_fine() { Ending::Fine } else { Ending::NotFine });
    }
    print(&divergence(&arguments.case, &case, outcome.run.fingerprint))?;
    Ok(Ending::Diverged)
}

fn divergence(path: &Path, case: &Case, fingerprint: replisim_kernel::Digest) -> String {
    format!(
        "diverged: {} was written by version {} with fingerprint {}; this is version {} with {fingerprint}\n",
        path.display(),
        case.version,
        case.fingerprint,
        replisim_lab::VERSION,
    )
}
