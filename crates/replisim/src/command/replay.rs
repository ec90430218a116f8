//! `replisim replay`.

use std::path::{Path, PathBuf};

use replisim_history::{Names, Run, TraceLine, Verdict};
use replisim_lab::{Anomaly, Case, Catalog, Experiment, Outcome, Parting};
use replisim_report::survey::HIDDEN_CHANCE;
use replisim_report::{Style, human, number};

use super::output::{complain_of_panic, print, write_trace};
use super::whereabouts::{self, STORE, Where};
use super::{Ending, Failure};
use crate::material::Material;

/// How many lines of a trace are shown where a run diverges.
const LINES_MAX: usize = 24;

const EXAMPLES: &str = "\
Examples:
  replisim replay 243b89c5                       a case that `replisim fuzz` has told
  replisim replay 243b89c5 --store night.db      the same, of a campaign that is kept elsewhere
  replisim replay stale_read-0df1a22c.ron --trace trace.txt

Exit codes: 0 the same run, and nothing wrong in it; 1 the same run, and what was wrong is, or it was not looked for;
            5 another run.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A case: a file, or the id that `replisim fuzz` tells, which is the beginning of its fingerprint
    case: String,
    /// The store to look for the id in, after the folder `cases` beside it [default: .replisim/campaign.db]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Write every event to this file, one line each
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Runs a case again and compares its fingerprint.
pub fn run(arguments: &Arguments, catalog: &Catalog, style: Style) -> Result<Ending, Failure> {
    let place = Where::parse(&arguments.case);
    let found = place.read(arguments.store.as_deref())?;
    let (case, experiment) = (&found.case, found.prepare(catalog)?);
    let outcome = case.run(&experiment, arguments.trace.is_some());
    complain_of_panic();
    if let Some(file) = &arguments.trace {
        write_trace(file, place.path(), &outcome.run)?;
    }
    let material = Material::of(place.path(), &experiment, &outcome);
    let again = whereabouts::replay(&arguments.case, arguments.store.as_deref().unwrap_or(Path::new(STORE)));
    let subject = material.subject(&experiment, &outcome, again, None);
    print(&human::screen(&subject, style))?;
    if outcome.run.fingerprint == case.fingerprint {
        print("the same run: its fingerprint is the case's\n")?;
        let unseen = case.anomaly.as_ref().filter(|anomaly| !anomaly.is_among(&outcome.findings));
        if let Some(anomaly) = unseen {
            print(&of_anomaly(anomaly, &outcome))?;
        }
        let fine = outcome.judgement.is_fine() && unseen.is_none();
        return Ok(if fine { Ending::Fine } else { Ending::NotFine });
    }
    let another = case.run(&experiment, false).run.fingerprint != outcome.run.fingerprint;
    let reason =
        if another { format!("run once more it is yet another one: {HIDDEN_CHANCE}") } else { versions(&case.version) };
    print(&diverged(&arguments.case, case, &experiment, &outcome, &reason))?;
    Ok(Ending::Diverged)
}

/// What there is to say of a run that is not the case's: why, where it left the path, and whether that matters.
fn diverged(name: &str, case: &Case, experiment: &Experiment, outcome: &Outcome, reason: &str) -> String {
    let mut text = format!(
        "diverged: {name} has the fingerprint {}, and this run {}\n{reason}\n",
        case.fingerprint, outcome.run.fingerprint,
    );
    if let Some(parting) = case.parting(experiment, &outcome.run) {
        text += &stretch(&parting, &outcome.run);
    }
    if let Some(anomaly) = &case.anomaly {
        text += &of_anomaly(anomaly, outcome);
    }
    text
}

/// What became of the anomaly that a case was kept for. That it was not found says nothing where nobody looked.
fn of_anomaly(anomaly: &Anomaly, outcome: &Outcome) -> String {
    let found = outcome.findings.iter().find(|finding| finding.check == anomaly.check);
    let became = match found.map(|finding| &finding.verdict) {
        None => "was not looked for, for the case's checks leave it out".to_owned(),
        Some(Verdict::Holds) => "is gone".to_owned(),
        Some(Verdict::Violated(witness)) if witness.kind == anomaly.kind => "is still there".to_owned(),
        Some(Verdict::Violated(witness)) => format!("is another one now, “{}”", witness.kind),
        Some(Verdict::Unknown(limit)) => format!("could not be looked for, {limit}"),
    };
    format!("the anomaly {became}: {}, {}\n", anomaly.check.in_words(), anomaly.kind)
}

/// Why the run of a case that this version wrote may be another.
fn versions(writer: &str) -> String {
    match replisim_lab::VERSION {
        this if this == writer => format!(
            "both are of version {this}: the case was edited since, or one of the two was built from other sources"
        ),
        this => format!("version {writer} wrote it, and this is version {this}"),
    }
}

/// The part of a run's trace in which it left the path of its case.
fn stretch(parting: &Parting, run: &Run) -> String {
    let Parting { after, before, lines, last, next } = parting;
    let [after, of] = [*after, run.events].map(number::count);
    let mut text = match before {
        Some(before) => {
            format!("the same up to event {after}, and not any more at event {} of {of}\n", number::count(*before))
        }
        None => {
            format!("the same at every mark, up to event {after} of {of}: only the fingerprint at the end differs\n")
        }
    };
    let names = Names::of(run);
    let told = |line: &TraceLine| names.in_text(&line.to_string());
    if lines.is_empty() && before.is_some() {
        text += "no line of the trace tells what happened there; around it:\n";
        text += &last.iter().map(|line| format!("  before {}\n", told(line))).collect::<String>();
        text += &next.iter().map(|line| format!("  after  {}\n", told(line))).collect::<String>();
    }
    for line in lines.iter().take(LINES_MAX) {
        text += &format!("{}\n", told(line));
    }
    if lines.len() > LINES_MAX {
        text += &format!("  … and {} more\n", number::count((lines.len() - LINES_MAX) as u64));
    }
    text
}
