//! `replisim campaign export`.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, ValueEnum};
use replisim_lab::store::{DivergenceRow, FailureRow, Manifest, RunRow, Store, Subject};
use replisim_lab::{Case, VERSION};
use replisim_report::json::SCHEMA_VERSION;
use replisim_report::number;
use serde_json::json;

use crate::command::output::{is_unread, make_folder, print, write_case};
use crate::command::whereabouts::STORE;
use crate::command::{Ending, Failure};

#[derive(clap::Args, Debug)]
#[command(group = ArgGroup::new("what").args(["format", "cases"]).required(true).multiple(true))]
pub struct Arguments {
    /// The store
    #[arg(default_value = STORE)]
    store: PathBuf,
    /// Print every run, every failure and every run that differed when done again: ndjson
    #[arg(long, value_enum, hide_possible_values = true)]
    format: Option<Format>,
    /// Write every case into this folder: of failures, also of known ones, and of runs that differed
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
}

/// How to print what a store holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// One document a line
    Ndjson,
}

/// Writes what a store holds.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let store = Store::open(&arguments.store)?;
    if let Some(folder) = &arguments.cases {
        let told = write_cases(&store, folder)?;
        // Where lines are printed, nothing else is.
        if arguments.format.is_none() {
            print(&told)?;
        }
    }
    match arguments.format {
        Some(Format::Ndjson) => print_lines(&store),
        None => Ok(Ending::Fine),
    }
}

/// Writes each case once, under the id that `campaign show` tells. Of several about one run the first is enough.
fn write_cases(store: &Store, folder: &Path) -> Result<String, Failure> {
    make_folder(folder)?;
    let mut files = BTreeSet::new();
    for text in store.cases()? {
        let Some(case) = Case::of_text(&text) else { continue };
        let file = Case::place(folder, &case.id(), &text);
        if files.insert(file.clone()) {
            write_case(&file, &text)?;
        }
    }
    Ok(format!("wrote {} to {}\n", number::things(files.len() as u64, "case"), folder.display()))
}

/// Prints a line for each run, and after the runs of a campaign one for each of its failures and divergences. Whoever has
/// stopped reading has seen enough.
fn print_lines(store: &Store) -> Result<Ending, Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for manifest in store.campaigns()? {
        let campaign = manifest.digest();
        let runs = store.each_run(campaign, |run| writeln!(out, "{}", run_line(&manifest, &run)))?;
        let (failures, divergences) = (store.failures(campaign)?, store.divergences(campaign)?);
        let failures = failures.iter().map(|failure| failure_line(&manifest, failure));
        let mut lines = failures.chain(divergences.iter().map(|divergence| divergence_line(&manifest, divergence)));
        if is_unread(runs.and_then(|()| lines.try_for_each(|line| writeln!(out, "{line}"))))? {
            return Ok(Ending::Fine);
        }
    }
    is_unread(out.flush()).map(|_| Ending::Fine)
}

fn subject(manifest: &Manifest, number: u32) -> &Subject {
    &manifest.subjects[number as usize]
}

fn run_line(manifest: &Manifest, run: &RunRow) -> serde_json::Value {
    let subject = subject(manifest, run.at.subject);
    json!({
        "schema_version": SCHEMA_VERSION,
        "version": VERSION,
        "type": "run",
        "campaign": manifest.digest().to_string(),
        "subject": subject.name,
        "lot": run.at.lot,
        "place": run.at.place,
        "origin": run.origin.as_str(),
        "seed": run.seed,
        "plan": run.plan.to_string(),
        "fingerprint": run.fingerprint.to_string(),
        "events": run.events,
        "simulated_ns": run.simulated.as_nanos(),
        "verdicts": verdicts(subject, run),
        "failed": run.failed,
    })
}

/// What came of each check, by the letters of [`Mark`](replisim_lab::store::Mark).
fn verdicts(subject: &Subject, run: &RunRow) -> serde_json::Map<String, serde_json::Value> {
    let marks = run.verdicts.chars().map(|mark| json!(mark));
    subject.checks.iter().cloned().zip(marks).collect()
}

fn failure_line(manifest: &Manifest, failure: &FailureRow) -> serde_json::Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "version": VERSION,
        "type": "failure",
        "campaign": manifest.digest().to_string(),
        "subject": subject(manifest, failure.at.subject).name,
        "lot": failure.at.lot,
        "place": failure.at.place,
        "check": failure.check,
        "kind": failure.kind,
        "phase": failure.phase,
        "faults": failure.faults,
        "operations": failure.operations,
        "case": failure.case,
    })
}

fn divergence_line(manifest: &Manifest, divergence: &DivergenceRow) -> serde_json::Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "version": VERSION,
        "type": "divergence",
        "campaign": manifest.digest().to_string(),
        "subject": subject(manifest, divergence.at.subject).name,
        "lot": divergence.at.lot,
        "place": divergence.at.place,
        "event": divergence.event,
        "one": divergence.one,
        "other": divergence.other,
        "remembered": divergence.remembered,
        "case": divergence.case,
    })
}
