//! `replisim fuzz`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::ValueEnum;
use replisim_history::Survey;
use replisim_kernel::Span;
use replisim_lab::fuzz::{Forgetful, Orders, Share, Subject, Tally, campaign, survey};
use replisim_lab::scenario::{Edit, Source};
use replisim_lab::{Catalog, Experiment, folder};
use replisim_report::{Style, survey as reports};

use super::output::print;
use super::progress::Progress;
use super::{Ending, Failure, LIBRARY};

/// How many runs, if nobody says how many or how long.
const RUNS: u64 = 10_000;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Scenarios: files, folders, bare names below scenarios/, or names of protocols
    #[arg(required = true)]
    subjects: Vec<String>,
    /// How many runs, over all subjects [default: 10000, unless --for is given]
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Stop after so much time on the clock
    #[arg(long = "for", value_name = "TIME")]
    time: Option<Span>,
    /// How many workers [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed_start: u64,
    /// Give every scenario without a swarm the default one
    #[arg(long)]
    swarm: bool,
    /// Try fresh seeds alone, without searching from what reached somewhere new
    #[arg(long)]
    blind: bool,
    /// Stop at the first failure
    #[arg(long)]
    fail_fast: bool,
    /// Change a value of every scenario, as in protocol.flaw=Name; may be given again
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<Edit>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For a person
    Human,
    /// For a machine: one document
    Json,
    /// For a machine: one line a subject
    Ndjson,
    /// For CI systems that read JUnit's XML
    Junit,
    /// For GitHub's annotations
    Github,
}

/// Fuzzes everything that the arguments mean.
pub fn run(arguments: &Arguments, catalog: &Catalog, colour: bool) -> Result<Ending, Failure> {
    let subjects = subjects(arguments, catalog, colour)?;
    let orders = Orders {
        runs: arguments.runs.or(if arguments.time.is_some() { None } else { Some(RUNS) }),
        seed_start: arguments.seed_start,
        guided: !arguments.blind,
        jobs: arguments.jobs.map_or_else(cores, usize::from),
        share: Share::ALL,
    };
    let interrupted = interruptible();
    let (tallies, elapsed) = conduct(&subjects, &orders, arguments, interrupted);
    let broken_off = interrupted.load(Ordering::Relaxed);
    let survey = survey(&subjects, &tallies, orders.seed_start, broken_off);
    print(&shown(&survey, arguments.format, elapsed, colour))?;
    Ok(match (broken_off, survey.is_fine()) {
        (true, _) => Ending::Interrupted,
        (false, true) => Ending::Fine,
        (false, false) if survey.subjects.iter().any(|subject| !subject.divergences.is_empty()) => Ending::Diverged,
        (false, false) => Ending::NotFine,
    })
}

fn shown(survey: &Survey, format: Format, elapsed: Duration, colour: bool) -> String {
    let style = if colour { Style::Colour } else { Style::Plain };
    match format {
        Format::Human => reports::screen(survey, Some(elapsed.as_secs_f64()), style),
        Format::Json => reports::json(survey),
        Format::Ndjson => reports::ndjson(survey),
        Format::Junit => reports::junit(survey),
        Format::Github => reports::github(survey),
    }
}

/// Every scenario that the words mean, ready to run.
fn subjects<'c>(arguments: &Arguments, catalog: &'c Catalog, colour: bool) -> Result<Vec<Subject<'c>>, Failure> {
    let mut subjects = Vec::new();
    for word in &arguments.subjects {
        for source in sources(word, catalog, colour)? {
            let edited = Experiment::edit(&source, &arguments.set, catalog);
            let subject = edited.and_then(|source| Subject::prepare(&source, arguments.swarm, catalog));
            subjects.push(subject.map_err(|report| Failure::of(&report, colour))?);
        }
    }
    Ok(subjects)
}

fn sources(word: &str, catalog: &Catalog, colour: bool) -> Result<Vec<Source>, Failure> {
    if let Some(protocol) = catalog.get(word) {
        return Ok(vec![protocol.swarm()]);
    }
    let paths: Vec<PathBuf> = folder::find(word, Path::new(LIBRARY)).map_err(|error| match error {
        folder::FolderError::Unreadable { .. } => Failure::File(error.to_string()),
        other => Failure::Nothing(other.to_string()),
    })?;
    paths.iter().map(|path| Source::read(path).map_err(|report| Failure::of(&report, colour))).collect()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Runs the campaign until it is over, time is up, somebody interrupts it, or, if so asked, something fails.
#[expect(clippy::disallowed_types, reason = "the command line may look at the wall clock; nothing below it does")]
fn conduct(
    subjects: &[Subject<'_>],
    orders: &Orders,
    arguments: &Arguments,
    interrupted: &AtomicBool,
) -> (Vec<Tally>, Duration) {
    let began = std::time::Instant::now();
    let limit = arguments.time.map(|time| Duration::from_nanos(time.as_nanos()));
    let mut progress = Progress::new(orders.runs, limit);
    let mut watch = |tallies: &[Tally]| {
        let elapsed = began.elapsed();
        progress.show(tallies, elapsed);
        let failed = arguments.fail_fast && tallies.iter().any(|tally| tally.failing > 0);
        let over = limit.is_some_and(|limit| elapsed >= limit);
        if failed || over || interrupted.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let tallies = campaign(subjects, orders, &mut Forgetful, &mut watch);
    progress.finish();
    (tallies, began.elapsed())
}

/// Whether somebody has asked to stop. Asked once, runs under way are finished and saved; asked twice, everything stops
/// where it is.
fn interruptible() -> &'static AtomicBool {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    // Without a handler an interrupt ends the process at once, which loses nothing but the summary.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    &INTERRUPTED
}
