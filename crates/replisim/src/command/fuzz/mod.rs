//! `replisim fuzz`.

mod conduct;
mod fleet;
mod found;
pub mod subjects;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use replisim_history::{Replay, Survey};
use replisim_kernel::Span;
use replisim_lab::Catalog;
use replisim_lab::fuzz::{Orders, Share};
use replisim_lab::scenario::Edit;
use replisim_lab::store::Begin;
use replisim_report::{Page, number, survey as reports};

use super::jobs::{jobs, workers};
use super::output::print;
use super::run::{edits, of_seed};
use super::time::some_time;
use super::whereabouts::{self, STORE};
use super::{Ending, Failure};
use crate::shell::command;

/// How many runs, if nobody says how many or how long.
const RUNS: u64 = 10_000;

const EXAMPLES: &str = "\
Examples:
  replisim fuzz PostgreSql --for 60s
  replisim fuzz scenarios/mysql --runs 20000 --swarm --format junit
  replisim fuzz plan LeaderFollower --runs 1000000 -o plan.ron";

#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    fleet: Option<fleet::Command>,
    #[command(flatten)]
    what: What,
    /// How many runs, over all subjects [default: 10000, unless --for is given]
    #[arg(long, value_name = "N", value_parser = some_runs)]
    runs: Option<u64>,
    /// Stop after so much time on the clock, as in 90s, 60m or 1h
    #[arg(long = "for", value_name = "TIME", value_parser = some_time, allow_hyphen_values = true)]
    time: Option<Span>,
    /// How many workers [default: one for each core]
    #[arg(long, value_name = "N", value_parser = jobs())]
    jobs: Option<u16>,
    /// Stop at the first new failure
    #[arg(long)]
    fail_fast: bool,
    /// Where the campaign is kept
    #[arg(long, value_name = "FILE", default_value = STORE)]
    store: PathBuf,
    /// Keep nothing but the cases of what fails, in .replisim/cases
    #[arg(long, conflicts_with_all = ["store", "resume"])]
    no_store: bool,
    /// Do not do again what the store holds of this campaign
    #[arg(long)]
    resume: bool,
    /// What to print: human, json, ndjson, junit or github
    #[arg(long, value_enum, default_value_t = Format::Human, hide_possible_values = true)]
    format: Format,
}

/// What a campaign runs.
#[derive(clap::Args, Debug)]
struct What {
    /// Scenarios: files, folders, bare names below scenarios/, or names of protocols
    #[arg(required = true)]
    subjects: Vec<String>,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed_start: u64,
    /// Give scenarios without a swarm the default one, and drop their `expect`, which was not written for it
    #[arg(long)]
    swarm: bool,
    /// Try fresh seeds alone, without searching on from what reached somewhere new
    #[arg(long)]
    blind: bool,
    /// Change a value of every scenario, as in protocol.flaw=Name; may be given again
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<Edit>,
}

/// What to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
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
pub fn run(arguments: &Arguments, catalog: &Catalog, page: Page) -> Result<Ending, Failure> {
    if let Some(command) = &arguments.fleet {
        return fleet::run(command, catalog, page);
    }
    let subjects = subjects::read(&arguments.what, catalog)?;
    let runs = arguments.runs.or(if arguments.time.is_some() { None } else { Some(RUNS) });
    let orders = orders(&arguments.what, runs, arguments.jobs, Share::ALL);
    let limits = conduct::Limits { time: arguments.time, fail_fast: arguments.fail_fast };
    let begin = if arguments.resume { Begin::Resume } else { Begin::Anew };
    let again = |name: &str, seed, fresh| arguments.what.again(name, seed, fresh);
    let begin = (!arguments.no_store).then_some(begin);
    let keep = conduct::Keep { store: &arguments.store, begin, again: &again };
    let conduct::Ended { survey, pace, kept } = conduct::campaign(&subjects, &orders, limits, keep, catalog)?;
    let text = match arguments.format {
        Format::Human => reports::screen(&survey, Some(pace), &arguments.rest(), page),
        Format::Json => reports::json(&survey),
        Format::Ndjson => reports::ndjson(&survey),
        Format::Junit => reports::junit(&survey),
        Format::Github => reports::github(&survey),
    };
    print(&text)?;
    kept?;
    Ok(ending(&survey))
}

impl Arguments {
    /// Where the failures are for which a screen has no room.
    fn rest(&self) -> String {
        match self.no_store {
            true => format!("their cases are in {}", whereabouts::cases(&self.store).display()),
            false => format!("`{}` has them", whereabouts::campaign("show", &self.store)),
        }
    }
}

impl What {
    /// How a run is done again of which no case could be written. There is a command where its seed alone stands for it.
    fn again(&self, name: &str, seed: u64, fresh: bool) -> Replay {
        if !fresh {
            return Replay::NoCommand(NO_CASE.to_owned());
        }
        // Neither a protocol nor a swarm that the scenario has not got is anything to `run`.
        if Path::new(name).is_file() && !self.swarm {
            return Replay::Command(of_seed(name, seed, &self.set));
        }
        let swarm = if self.swarm { " --swarm" } else { "" };
        let (fuzz, edits) = (command("fuzz", name), edits(&self.set));
        Replay::Command(format!("{fuzz} --seed-start {seed} --runs 1 --no-store{swarm}{edits}"))
    }
}

/// What is said in place of a command of a plan that the search has made up, and of which there is no case.
const NO_CASE: &str =
    "no seed stands for it, and its case cannot be written here: the same campaign finds it again where it can";

/// How many runs, of which there is at least one.
fn some_runs(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("a campaign has at least one run".to_owned()),
        Ok(runs) if runs > Orders::RUNS_MAX => {
            Err(format!("a campaign has at most {} runs", number::count(Orders::RUNS_MAX)))
        }
        Ok(runs) => Ok(runs),
        Err(error) => Err(format!("{error}")),
    }
}

fn orders(what: &What, runs: Option<u64>, jobs: Option<u16>, share: Share) -> Orders {
    let swarm = what.swarm.then(|| "--swarm".to_owned());
    let set = what.set.iter().map(|edit| format!("--set {}={}", edit.path, edit.value));
    let changes = swarm.into_iter().chain(set).collect();
    Orders { runs, seed_start: what.seed_start, guided: !what.blind, jobs: workers(jobs), share, changes }
}

fn ending(survey: &Survey) -> Ending {
    let diverged = survey.subjects.iter().any(|subject| subject.differing > 0);
    match (survey.interrupted, survey.is_fine()) {
        (true, _) => Ending::Interrupted,
        (false, true) => Ending::Fine,
        (false, false) if diverged => Ending::RunsDiffer,
        (false, false) => Ending::NotFine,
    }
}
