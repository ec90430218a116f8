//! `replisim shrink`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::ProgressBar;
use replisim_history::Check;
use replisim_history::words::printable;
use replisim_kernel::Span;
use replisim_lab::find::{self, FindError};
use replisim_lab::fuzz::turned;
use replisim_lab::scenario::Source;
use replisim_lab::shrink::{EndedBy, Limits, Need, Piece, Progress, Shrinker, Shrunk, Size, Without};
use replisim_lab::{Case, Catalog, Experiment};
use replisim_report::json::SCHEMA_VERSION;
use replisim_report::{Page, number};
use serde_json::{Value, json};

use super::interrupt::interrupted;
use super::jobs::{jobs, workers};
use super::output::{FileKind, Format, make_way, print, try_out, write_case};
use super::time::some_time;
use super::whereabouts::{FoundCase, Where, is_id};
use super::{Ending, Failure, LIBRARY};
use crate::run_report::title;
use crate::shell::command;

const EXAMPLES: &str = "\
Examples:
  replisim shrink lost_write_on_promotion
  replisim shrink mine.ron --seed 17 --check ReadYourWrites --for 30s
  replisim shrink found.ron -o smallest.ron

Exit codes: 0 it was made as small as it gets, or as --for allows; 4 nothing is violated; 130 interrupted, with what \
was found until then written.";

/// In place of the name of a case that is still to be made.
const NOT_YET_NAMED: &str = "a case";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A case, or a scenario: a file, the id of a case that `replisim fuzz` has told, or a bare name below scenarios/
    failing: String,
    /// The store to look for the id in, after the folder `cases` beside it [default: .replisim/campaign.db]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// The seed, in place of the case's or the scenario's own
    #[arg(long)]
    seed: Option<u64>,
    /// Where to write the shrunk case
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The check whose violation is wanted, as in NoLostWrites; else the first that should not be violated
    #[arg(long)]
    check: Option<Check>,
    /// How many threads to use; the result is the same for any number
    #[arg(long, value_name = "N", value_parser = jobs())]
    jobs: Option<u16>,
    /// Stop after this long, as in 90s or 10m, with what was found until then
    #[arg(long = "for", value_name = "TIME", value_parser = some_time, allow_hyphen_values = true)]
    time: Option<Span>,
    /// What to print: human, or json for a machine
    #[arg(long, value_enum, default_value_t = Format::Human, hide_possible_values = true)]
    format: Format,
}

/// What is to be shrunk.
struct Failing {
    path: PathBuf,
    experiment: Experiment,
    seed: u64,
    /// Where its run was broken off, if it was.
    until: Option<Span>,
    check: Option<Check>,
}

/// Shrinks a failing run and writes what is left of it.
pub fn run(arguments: &Arguments, catalog: &Catalog, page: Page) -> Result<Ending, Failure> {
    let failing = read(arguments, catalog)?;
    match &arguments.output {
        Some(file) => make_way(file, FileKind::Case)?,
        None => try_out(Path::new(NOT_YET_NAMED))?,
    }
    let shrunk = shrink(&failing, arguments)?;
    let file = arguments.output.clone().unwrap_or_else(|| shrunk.case.file_name(&failing.path).into());
    let written = write_case(&file, &shrunk.case.text());
    // What took so long is told also where it cannot be kept.
    let file = written.is_ok().then_some(file.as_path());
    match arguments.format {
        Format::Human => print(&screen(&failing, &shrunk, file, page))?,
        Format::Json => print(&format!("{}\n", document(&failing, &shrunk, file)))?,
    };
    written?;
    Ok(if is_interrupted(&shrunk) { Ending::Interrupted } else { Ending::Fine })
}

/// Whether it was the user who ended the search, and not the clock.
fn is_interrupted(shrunk: &Shrunk) -> bool {
    shrunk.ended_by == Some(EndedBy::Stopped) && interrupted()
}

fn read(arguments: &Arguments, catalog: &Catalog) -> Result<Failing, Failure> {
    let place = find(&arguments.failing, catalog)?;
    place.admit(arguments.store.as_deref())?;
    let found = match &place {
        Where::Kept(_) => place.read(arguments.store.as_deref())?,
        Where::File(path) => match Case::source(path)? {
            source if Case::is_one(&source) => FoundCase::of(source)?,
            source => return of_scenario(&source, path, arguments, catalog),
        },
    };
    of_case(&found, place.path(), arguments, catalog)
}

fn of_scenario(source: &Source, path: &Path, arguments: &Arguments, catalog: &Catalog) -> Result<Failing, Failure> {
    let experiment = Experiment::prepare(source, catalog)?;
    let seed = arguments.seed.unwrap_or(experiment.scenario.seed);
    let experiment = turned(experiment, seed, catalog)?;
    Ok(Failing { path: path.to_owned(), experiment, seed, until: None, check: arguments.check })
}

/// A case is what it says: its seed turns no knobs any more.
fn of_case(found: &FoundCase, path: &Path, arguments: &Arguments, catalog: &Catalog) -> Result<Failing, Failure> {
    let (case, experiment) = (&found.case, found.prepare(catalog)?);
    let seed = arguments.seed.unwrap_or(case.seed);
    let until = case.until.filter(|_| case.seed == seed);
    let check = arguments.check.or(case.anomaly.as_ref().map(|anomaly| anomaly.check));
    Ok(Failing { path: path.to_owned(), experiment, seed, until, check })
}

/// What a word means: the one scenario or case that is a file, or a case that is kept under an id.
fn find(word: &str, catalog: &Catalog) -> Result<Where, Failure> {
    let paths = match find::scenarios(word, Path::new(LIBRARY), catalog) {
        Err(FindError::NotFound { .. }) if is_id(word) => return Ok(Where::Kept(word.to_owned())),
        paths => paths?,
    };
    match <[PathBuf; 1]>::try_from(paths) {
        Ok([path]) => Ok(Where::File(path)),
        Err(paths) => {
            let many = number::things(paths.len() as u64, "scenario");
            Err(Failure::Usage(format!("one run is shrunk at a time, and `{word}` is {many}")))
        }
    }
}

/// Shrinks until nothing smaller is found, the time is over, or the user interrupts.
#[expect(clippy::disallowed_types, reason = "the command line may look at the wall clock; nothing below it does")]
fn shrink(failing: &Failing, arguments: &Arguments) -> Result<Shrunk, Failure> {
    let began = std::time::Instant::now();
    let time = arguments.time.map(|span| Duration::from_nanos(span.as_nanos()));
    // From here on an interrupt ends the search, and not the program.
    interrupted();
    let bar = ProgressBar::new_spinner();
    let watch = |progress: &Progress| {
        bar.set_message(format!("{} · {}", number::things(progress.runs, "run"), in_words(&progress.size)));
        bar.tick();
        !interrupted() && time.is_none_or(|time| began.elapsed() < time)
    };
    let limits = Limits { jobs: workers(arguments.jobs), ..Limits::default() };
    let shrinker = Shrinker::new(&failing.experiment, failing.seed).until(failing.until).check(failing.check);
    let shrunk =
        shrinker.limits(limits).watch(&watch).shrink().map_err(|nothing| Failure::Nothing(nothing.to_string()));
    bar.finish_and_clear();
    shrunk
}

/// What was made of it, and the case itself where there is no file of it.
fn screen(failing: &Failing, shrunk: &Shrunk, file: Option<&Path>, page: Page) -> String {
    let story = page.reflowed(&shrunk.case.story, "  ");
    let case = file
        .map_or_else(|| shrunk.case.text(), |file| format!("case    {}\nreplay  {}\n", file.display(), replay(file)));
    let seed = match shrunk.case.seed {
        same if same == failing.seed => String::new(),
        other => format!(", seed {other}"),
    };
    format!(
        "{} · seed {}\n  from  {}\n  to    {}{seed}\n\n{story}\n{case}",
        printable(&title(&failing.path)),
        failing.seed,
        in_words(&shrunk.before),
        in_words(&shrunk.after),
    )
}

/// The command that runs the shrunk case again.
fn replay(file: &Path) -> String {
    command("replay", &file.display().to_string())
}

fn in_words(size: &Size) -> String {
    let of = |count: usize, one: &str| number::things(count as u64, one);
    format!(
        "{}, {}, {}, {}, {}",
        of(size.faults, "fault"),
        of(size.operations, "operation"),
        of(size.sessions, "session"),
        of(size.hosts, "host"),
        number::span(size.run)
    )
}

fn document(failing: &Failing, shrunk: &Shrunk, file: Option<&Path>) -> Value {
    let anomaly = shrunk.case.anomaly.as_ref();
    json!({
        "schema_version": SCHEMA_VERSION,
        "version": replisim_lab::VERSION,
        "from": failing.path.display().to_string(),
        "seed": failing.seed,
        "check": anomaly.map(|anomaly| anomaly.check.name()),
        "kind": anomaly.map(|anomaly| anomaly.kind.as_str()),
        "witness": anomaly.map(|anomaly| &anomaly.lines),
        "before": counted(&shrunk.before),
        "after": counted(&shrunk.after),
        "settings": shrunk.settings,
        "story": shrunk.case.story.lines().collect::<Vec<_>>(),
        "needed": shrunk.needed.iter().map(need).collect::<Vec<_>>(),
        "case_seed": shrunk.case.seed,
        "runs": shrunk.runs,
        "ended_by": shrunk.ended_by.map(|it| match it {
            EndedBy::Runs => "runs",
            EndedBy::Stopped if is_interrupted(shrunk) => "interrupted",
            EndedBy::Stopped => "time",
        }),
        "fingerprint": shrunk.case.fingerprint.to_string(),
        "case": file.map(|file| file.display().to_string()),
        "text": file.is_none().then(|| shrunk.case.text()),
        "replay": file.map(replay),
    })
}

fn counted(size: &Size) -> Value {
    json!({
        "faults": size.faults, "operations": size.operations, "sessions": size.sessions, "hosts": size.hosts,
        "run_ns": size.run.as_nanos(),
    })
}

fn need(need: &Need) -> Value {
    let (kind, what) = match &need.piece {
        Piece::Fault(words) => ("fault", words.clone()),
        Piece::Operation(words) => ("operation", words.clone()),
        Piece::Session(number) => ("session", format!("c{number}")),
        Piece::Host(name) => ("host", name.clone()),
    };
    let (without, others) = match &need.without {
        Without::NothingBreaks => ("nothing breaks", Vec::new()),
        Without::Others(checks) => ("something else breaks", checks.iter().map(|check| check.name()).collect()),
        Without::Same => ("the same breaks", Vec::new()),
        Without::Allowed => ("the same is allowed", Vec::new()),
        Without::Impossible => ("cannot be run", Vec::new()),
        Without::Endless => ("too many events", Vec::new()),
        Without::NotTried => ("not tried", Vec::new()),
    };
    let anyway: Vec<&str> = need.anyway.iter().map(|check| check.name()).collect();
    json!({
        "kind": kind, "what": what, "without": without, "broken": others, "anyway": anyway, "otherwise": need.otherwise,
    })
}
