//! A campaign shared out among machines: a plan, shards of it, and what they come to together.
//!
//! A shard does its part of the plan's lots into a store of its own, which appears under its name only when it is whole.
//! Doing a shard again does no harm, and neither does merging it twice: merged stores are the same bytes whatever they
//! were merged from.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use replisim_lab::Catalog;
use replisim_lab::fuzz::{self, Archive, Charter, Share};
use replisim_lab::store::{self, Begin};

use replisim_report::survey as reports;

use super::conduct::{Limits, conduct};
use super::{What, cores, found, orders, style, subjects};
use crate::command::output::{print, write_file};
use crate::command::{Ending, Failure};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Write down what a campaign is to run, to be shared out
    Plan {
        #[command(flatten)]
        what: What,
        /// Where to write it
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Run a part of a plan into a store of its own; doing it again does no harm
    Shard {
        /// What `fuzz plan` wrote
        plan: PathBuf,
        /// Which part of how many, as in 3/7
        #[arg(long, value_name = "N/M")]
        shard: Part,
        /// Where the store appears once it is whole
        #[arg(short, long, value_name = "STORE")]
        output: PathBuf,
        /// How many workers [default: one for each core]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        jobs: Option<u16>,
    },
    /// Put stores together: the same bytes whatever their number and order
    Merge {
        /// The stores
        #[arg(required = true)]
        stores: Vec<PathBuf>,
        /// Where to write the merged one
        #[arg(short, long, value_name = "STORE")]
        output: PathBuf,
    },
}

/// A part of a whole, as the command line has it: `3/7`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part(Share);

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(shard, of)| Some((shard.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((shard, of)) if (1..=of).contains(&shard) => Ok(Part(Share { shard: shard - 1, of })),
            _ => Err(format!("`{text}` is not a part of a whole: 1/7 is the first of seven, 7/7 the last")),
        }
    }
}

/// Does what the command says.
pub fn run(command: &Command, catalog: &Catalog, colour: bool) -> Result<Ending, Failure> {
    match command {
        Command::Plan { what, output } => plan(what, output, catalog),
        Command::Shard { plan, shard, output, jobs } => run_shard(plan, shard.0, output, *jobs, catalog, colour),
        Command::Merge { stores, output } => {
            let digest = store::merge(stores, output)?;
            print(&format!("{digest}  {}\n", output.display()))
        }
    }
}

fn plan(what: &What, output: &Path, catalog: &Catalog) -> Result<Ending, Failure> {
    let subjects = subjects::read(what, catalog)?;
    let Some(runs) = what.runs else { return Err(Failure::Nothing("a plan says how many runs: --runs N".to_owned())) };
    let charter = Charter::of(&subjects, &orders(what, Some(runs), None, Share::ALL));
    write_file(output, charter.text().as_bytes())?;
    print(&format!(
        "{} lots over {} subjects, to be shared out: {}\n",
        charter.lots(),
        subjects.len(),
        output.display()
    ))
}

fn run_shard(
    plan: &Path,
    share: Share,
    output: &Path,
    jobs: Option<u16>,
    catalog: &Catalog,
    colour: bool,
) -> Result<Ending, Failure> {
    let charter = Charter::read(plan)?;
    let subjects = charter.subjects(catalog)?;
    let orders = charter.orders(jobs.map_or_else(cores, usize::from), share);
    if output.exists() {
        return print(&format!("{} is there already\n", output.display()));
    }
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = output.with_file_name(name);
    let mut archive = Archive::open(&part, &subjects, &orders, Begin::Resume)?;
    let (tallies, _) = conduct(&subjects, &orders, Limits { time: None, fail_fast: false }, &mut archive);
    archive.finish()?;
    if crate::command::interrupt::interrupted().load(std::sync::atomic::Ordering::Relaxed) {
        return Ok(Ending::Interrupted);
    }
    store::put_in_place(&part, output)?;
    let mut survey = fuzz::survey(&subjects, &tallies, orders.seed_start, false);
    found::keep_differing(&mut survey, &tallies, output)?;
    let failing: u64 = tallies.iter().map(|tally| tally.failing).sum();
    let differ = reports::divergences(&survey, style(colour));
    print(&format!("{differ}{} runs, {failing} failing: {}\n", survey.runs(), output.display()))?;
    Ok(if differ.is_empty() { Ending::Fine } else { Ending::Diverged })
}
