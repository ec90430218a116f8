//! `replisim replay`.

use std::path::{Path, PathBuf};

use replisim_history::{Names, Run, Sequel, TraceLine};
use replisim_lab::{Anomaly, Case, Catalog, Experiment, JudgedRun, Parting};
use replisim_report::survey::HIDDEN_CHANCE;
use replisim_report::{Page, RunReport, human, json, number};
use serde_json::json;

use super::output::{FileKind, Format, complain_of_panic, make_way, print, write_trace};
use super::whereabouts::{self, STORE, Where};
use super::{Ending, Failure};
use crate::run_report::run_report;

/// How many lines of a trace are shown where a run diverges.
const LINES_MAX: usize = 24;

const EXAMPLES: &str = "\
Examples:
  replisim replay 243b89c5                       a case that `replisim fuzz` has told
  replisim replay 243b89c5 --store night.db      the same, of a campaign that is kept elsewhere
  replisim replay stale_read-0df1a22c.ron --trace trace.txt --format json

Exit codes: 0 the same run, and nothing wrong in it; 1 the same run, and it still fails, or its check was not made; \
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
    /// What to print: human, or json for a machine
    #[arg(long, value_enum, default_value_t = Format::Human, hide_possible_values = true)]
    format: Format,
}

/// What running a case again came to.
struct Replayed<'a> {
    case: &'a Case,
    outcome: &'a JudgedRun,
    /// What goes wrong in the case, and what has become of that.
    anomaly: Option<(&'a Anomaly, Sequel)>,
    /// Set if it is another run.
    departure: Option<Departure>,
}

/// How a run is not the case's.
struct Departure {
    reason: String,
    /// Where it left the path, if the case has marks.
    parting: Option<Parting>,
}

/// Runs a case again and compares its fingerprint.
pub fn run(arguments: &Arguments, catalog: &Catalog, page: Page) -> Result<Ending, Failure> {
    let place = Where::parse(&arguments.case);
    let found = place.read(arguments.store.as_deref())?;
    let (case, experiment) = (&found.case, found.prepare(catalog)?);
    if let Some(file) = &arguments.trace {
        make_way(file, FileKind::Trace)?;
    }
    let outcome = case.run(&experiment, arguments.trace.is_some());
    complain_of_panic();
    if let Some(file) = &arguments.trace {
        write_trace(file, place.path(), &outcome.run)?;
    }
    let again = whereabouts::replay(&arguments.case, arguments.store.as_deref().unwrap_or(Path::new(STORE)));
    let report = run_report(place.path(), &experiment, &outcome, again);
    let replayed = Replayed::of(case, &experiment, &outcome);
    match arguments.format {
        Format::Human => print(&(human::screen(&report, page) + &replayed.text(&arguments.case)))?,
        Format::Json => print(&replayed.json(&report))?,
    };
    Ok(replayed.ending())
}

impl<'a> Replayed<'a> {
    fn of(case: &'a Case, experiment: &Experiment, outcome: &'a JudgedRun) -> Self {
        let anomaly = case.anomaly.as_ref().map(|anomaly| (anomaly, anomaly.became(&outcome.findings)));
        let departs = outcome.run.fingerprint != case.fingerprint;
        let departure = departs.then(|| Departure {
            reason: match case.run(experiment, false).run.fingerprint == outcome.run.fingerprint {
                true => versions(&case.version),
                false => format!("run once more it is yet another one: {HIDDEN_CHANCE}"),
            },
            parting: case.parting(experiment, &outcome.run),
        });
        Replayed { case, outcome, anomaly, departure }
    }

    fn ending(&self) -> Ending {
        let seen = self.anomaly.as_ref().is_none_or(|(_, became)| *became == Sequel::StillThere);
        match self.departure {
            Some(_) => Ending::RunsDiffer,
            None if self.outcome.judgement.is_fine() && seen => Ending::Fine,
            None => Ending::NotFine,
        }
    }

    /// What there is to say of it besides what there is of any run. `name` is what the case goes by.
    fn text(&self, name: &str) -> String {
        let of_anomaly = |(anomaly, became): &(&Anomaly, Sequel)| of_anomaly(anomaly, became);
        let Some(Departure { reason, parting }) = &self.departure else {
            let unseen = self.anomaly.as_ref().filter(|(_, became)| *became != Sequel::StillThere);
            let same = "the same run: its fingerprint is the case's\n";
            return same.to_owned() + &unseen.map(of_anomaly).unwrap_or_default();
        };
        let [of_case, of_run] = [self.case.fingerprint, self.outcome.run.fingerprint];
        let mut text = format!("diverged: {name} has the fingerprint {of_case}, and this run {of_run}\n{reason}\n");
        text += &parting.as_ref().map(|parting| stretch(parting, &self.outcome.run)).unwrap_or_default();
        text + &self.anomaly.as_ref().map(of_anomaly).unwrap_or_default()
    }

    /// The run as data, with how it compares.
    fn json(&self, report: &RunReport) -> String {
        let anomaly = |(anomaly, became): &(&Anomaly, Sequel)| {
            let kind_now = if let Sequel::Another(kind) = became { Some(kind) } else { None };
            let limit = if let Sequel::Unknown(limit) = became { Some(limit) } else { None };
            json!({
                "check": anomaly.check.name(), "kind": anomaly.kind,
                "became": became.word(), "kind_now": kind_now, "limit": limit,
            })
        };
        let told = told(&self.outcome.run);
        let parting = self.departure.as_ref().and_then(|departure| departure.parting.as_ref());
        let case = json!({
            "version": self.case.version,
            "fingerprint": self.case.fingerprint.to_string(),
            "same": self.departure.is_none(),
            "differs_because": self.departure.as_ref().map(|departure| &departure.reason),
            "same_until": parting.map(|parting| parting.after),
            "differs_from": parting.and_then(|parting| parting.before),
            "lines": parting.map(|parting| parting.lines.iter().map(&told).collect::<Vec<_>>()),
            "last_line": parting.and_then(|parting| parting.last.as_ref().map(&told)),
            "next_line": parting.and_then(|parting| parting.next.as_ref().map(&told)),
            "anomaly": self.anomaly.as_ref().map(anomaly),
        });
        let mut document = json!(json::document(report));
        document["case"] = case;
        format!("{document:#}\n")
    }
}

/// What became of the anomaly that a case was kept for. That it was not found says nothing where nobody looked.
fn of_anomaly(anomaly: &Anomaly, became: &Sequel) -> String {
    let became = match became {
        Sequel::NotLookedFor => "was not looked for, for the case's checks leave it out".to_owned(),
        Sequel::Gone => "is gone".to_owned(),
        Sequel::StillThere => "is still there".to_owned(),
        Sequel::Another(kind) => format!("is another one now, “{kind}”"),
        Sequel::Unknown(limit) => format!("could not be looked for, {limit}"),
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
    let told = told(run);
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

/// How a line of a run's trace is told: with the names that its nodes go by.
fn told(run: &Run) -> impl Fn(&TraceLine) -> String {
    let names = Names::of(run);
    move |line| names.in_text(&line.to_string())
}
