//! `replisim run`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use replisim_history::Run;
use replisim_history::words::printable;
use replisim_kernel::{SimTime, Span};
use replisim_lab::fuzz::turned;
use replisim_lab::scenario::{Edit, Report, Source};
use replisim_lab::{Case, Catalog, Experiment, JudgedRun, find};
use replisim_report::{Page, human, json, number};

use super::output::{FileKind, Format, complain, complain_of_panic, make_way, print, write_case, write_trace};
use super::time::some_time;
use super::{Colour, Ending, Failure, LIBRARY};
use crate::run_report::{file_of_sibling, run_report};
use crate::shell::{self, quoted};

const EXAMPLES: &str = "\
Examples:
  replisim run scenarios/leader_follower/stale_read_after_write.ron --seed 7
  replisim run stale_read_after_write --set run=30s --set 'clients[0].sessions=50'
  replisim run scenarios/postgresql --format json

Exit codes: 0 all as expected; 1 something was not; 2 bad usage; 3 bad scenario or file; \
4 no such scenario.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A scenario: a file, a folder of them, or a bare name below scenarios/
    scenario: String,
    /// The seed, in place of the scenario's own
    #[arg(long)]
    seed: Option<u64>,
    /// Change a value of the scenario, as in run=30s or 'clients[0].sessions=50'; may be given again
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<Edit>,
    /// Stop after this much simulated time, as in 300ms, 90s or 2m
    #[arg(long, value_name = "TIME", value_parser = some_time, allow_hyphen_values = true)]
    until: Option<Span>,
    /// Write every event to this file, one line each
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write a case to this file, which `replisim replay` runs again and compares
    #[arg(long, value_name = "FILE")]
    case: Option<PathBuf>,
    /// What to print: human, or json for a machine, a document a scenario
    #[arg(long, value_enum, default_value_t = Format::Human, hide_possible_values = true)]
    format: Format,
}

/// Runs every scenario that the arguments mean.
pub fn run(arguments: &Arguments, catalog: &Catalog, colour: Colour) -> Result<Ending, Failure> {
    let whole = |file: &Option<PathBuf>| file.as_ref().and_then(|file| std::path::absolute(file).ok());
    if arguments.trace.is_some() && whole(&arguments.trace) == whole(&arguments.case) {
        return Err(Failure::Usage("--trace and --case name the same file".to_owned()));
    }
    let paths = find::scenarios(&arguments.scenario, Path::new(LIBRARY), catalog)?;
    if let [path] = paths.as_slice() {
        return run_one(path, arguments, catalog, colour.page());
    }
    if arguments.trace.is_some() || arguments.case.is_some() {
        let count = number::count(paths.len() as u64);
        return Err(Failure::Usage(format!(
            "--trace and --case go with a single scenario, and {} holds {count}",
            arguments.scenario
        )));
    }
    run_all(&paths, arguments, catalog, colour)
}

/// Runs every one of several scenarios, also after one that cannot be run.
fn run_all(paths: &[PathBuf], arguments: &Arguments, catalog: &Catalog, colour: Colour) -> Result<Ending, Failure> {
    let (mut missed, mut refused) = (0, 0);
    for path in paths {
        match run_brief(path, arguments, catalog) {
            Ok(Ending::Fine) => {}
            Ok(_) => missed += 1,
            Err(failure @ Failure::Refused(_)) => {
                complain(&failure.told(colour));
                refused += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
    let (all, of) = (paths.len() as u64, number::things(paths.len() as u64, "scenario"));
    let told =
        if missed == 0 { "as expected".to_owned() } else { format!("{} NOT as expected", number::count(missed)) };
    if refused > 0 {
        let others = if refused < all { format!("; of the others, {told}") } else { String::new() };
        return Err(Failure::Diagnosed(format!("{} of {of} cannot be run{others}", number::count(refused))));
    }
    if arguments.format == Format::Human {
        print(&format!("{of}, {told}\n"))?;
    }
    Ok(if missed == 0 { Ending::Fine } else { Ending::NotFine })
}

fn prepare(path: &Path, arguments: &Arguments, catalog: &Catalog) -> Result<Experiment, Failure> {
    let source = Source::read(path)?;
    let source = Experiment::set(&source, &arguments.set, catalog)?;
    let changed = |report: Report| report.as_changed_by(&arguments.set);
    let experiment = Experiment::prepare(&source, catalog).map_err(changed)?;
    let seed = arguments.seed.unwrap_or(experiment.scenario.seed);
    Ok(turned(experiment, seed, catalog).map_err(changed)?)
}

/// A single scenario, with everything there is to say of it.
fn run_one(path: &Path, arguments: &Arguments, catalog: &Catalog, page: Page) -> Result<Ending, Failure> {
    let experiment = prepare(path, arguments, catalog)?;
    for (file, what) in [(&arguments.trace, FileKind::Trace), (&arguments.case, FileKind::Case)] {
        if let Some(file) = file {
            make_way(file, what)?;
        }
    }
    let (outcome, elapsed) = execute(&experiment, arguments);
    complain_of_panic();
    if let Some(file) = &arguments.trace {
        write_trace(file, path, &outcome.run)?;
    }
    if let Some(file) = &arguments.case {
        let case = Case::of(&experiment, arguments.until, &outcome.run);
        write_case(file, &case.text())?;
    }
    complain_of_siblings(path, &experiment);
    let report = run_report(path, &experiment, &outcome, command(path, arguments, &outcome.run)).timed(elapsed);
    match arguments.format {
        Format::Human => print(&human::screen(&report, page))?,
        Format::Json => print(&json::text(&report))?,
    };
    Ok(ending(&outcome))
}

/// Says which of the scenarios that this one names are not beside it.
fn complain_of_siblings(path: &Path, experiment: &Experiment) {
    let named = [("cure", &experiment.scenario.cure), ("anomaly", &experiment.scenario.anomaly)];
    for (field, name) in named.into_iter().filter_map(|(field, name)| Some((field, name.as_ref()?))) {
        let file = file_of_sibling(path, name);
        if !file.is_file() {
            complain(&format!("its `{field}` is not beside it: there is no {}", file.display()));
        }
    }
}

/// One of many scenarios: a line, or a document.
fn run_brief(path: &Path, arguments: &Arguments, catalog: &Catalog) -> Result<Ending, Failure> {
    let experiment = prepare(path, arguments, catalog)?;
    let (outcome, elapsed) = execute(&experiment, arguments);
    complain_of_panic();
    match arguments.format {
        Format::Json => {
            let command = command(path, arguments, &outcome.run);
            print(&json::text(&run_report(path, &experiment, &outcome, command).timed(elapsed)))?;
        }
        Format::Human => {
            let (word, then) = match outcome.judgement.is_fine() {
                true => ("as expected    ", String::new()),
                false => ("NOT as expected", format!("      {}\n", command(path, arguments, &outcome.run))),
            };
            let name = printable(&path.display().to_string());
            print(&format!("{word}  {}  {name}\n{then}", outcome.run.fingerprint))?;
        }
    }
    Ok(ending(&outcome))
}

/// The command that runs a scenario's seed, with edits.
pub fn of_seed(scenario: &str, seed: u64, set: &[Edit]) -> String {
    format!("{} --seed {seed}{}", shell::command("run", scenario), edits(set))
}

/// Edits as a command ends with them.
pub fn edits(set: &[Edit]) -> String {
    set.iter().map(|edit| format!(" --set {}", quoted(&format!("{}={}", edit.path, edit.value)))).collect()
}

fn ending(outcome: &JudgedRun) -> Ending {
    if outcome.judgement.is_fine() { Ending::Fine } else { Ending::NotFine }
}

/// Runs an experiment and takes the time it took.
#[expect(clippy::disallowed_types, reason = "the command line may look at the wall clock; nothing below it does")]
fn execute(experiment: &Experiment, arguments: &Arguments) -> (JudgedRun, Duration) {
    let began = std::time::Instant::now();
    let seed = arguments.seed.unwrap_or(experiment.scenario.seed);
    let until = arguments.until.map(|span| SimTime::ZERO + span);
    let outcome = experiment.run(seed, until, arguments.trace.is_some());
    (outcome, began.elapsed())
}

/// The command that runs the same again.
fn command(path: &Path, arguments: &Arguments, run: &Run) -> String {
    let mut command = of_seed(&path.display().to_string(), run.seed, &arguments.set);
    if let Some(until) = arguments.until {
        command.push_str(&format!(" --until {until}"));
    }
    command
}
