//! A campaign shared out among machines: a plan, shards of it, and what they come to together.
//!
//! A shard does its part of the plan's lots into a store of its own, which appears under its name only when it is whole.
//! Doing a shard again does no harm, and neither does merging it twice: merged stores are the same bytes whatever they
//! were merged from.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use replisim_history::{Replay, Survey};
use replisim_kernel::Digest;
use replisim_lab::Catalog;
use replisim_lab::fuzz::{self, Archive, CampaignPlan, Orders, Share};
use replisim_lab::store::{Begin, Place, Placing, Store, StoreError, SubjectCount};
use replisim_report::{Page, number, survey as reports};

use super::conduct::{self, Limits};
use super::{What, found, orders, some_runs, subjects};
use crate::command::jobs::{jobs, workers};
use crate::command::output::{FileKind, is_another, make_parent, make_way, print, write_named};
use crate::command::{Ending, Failure, campaign};

const SHARD_CODES: &str = "\
Exit codes: 0 it is whole, also where runs failed; 2 bad usage; 3 bad plan, store or file; 5 two runs of one plan \
differ, and no store is kept; 130 interrupted.";

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Write down what a campaign is to run, to be shared out
    Plan {
        #[command(flatten)]
        what: What,
        /// How many runs, over all subjects
        #[arg(long, value_name = "N", value_parser = some_runs)]
        runs: u64,
        /// Where to write it
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Run a part of a plan into a store of its own; doing it again does no harm
    #[command(after_help = SHARD_CODES)]
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
        #[arg(long, value_name = "N", value_parser = jobs())]
        jobs: Option<u16>,
    },
    /// Put stores together: the same bytes whatever their number and order; the same as `campaign merge`
    Merge(campaign::Merge),
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
pub fn run(command: &Command, catalog: &Catalog, page: Page) -> Result<Ending, Failure> {
    match command {
        Command::Plan { what, runs, output } => plan(what, *runs, output, catalog),
        Command::Shard { plan, shard, output, jobs } => run_shard(plan, shard.0, output, *jobs, catalog, page),
        Command::Merge(arguments) => campaign::merge(arguments),
    }
}

fn plan(what: &What, runs: u64, output: &Path, catalog: &Catalog) -> Result<Ending, Failure> {
    let subjects = subjects::read(what, catalog)?;
    let plan = CampaignPlan::of(&subjects, runs, &orders(what, Some(runs), None, Share::ALL));
    let text = plan.text();
    make_way(output, FileKind::Plan)?;
    if is_another(output, text.as_bytes()) {
        return Err(Failure::File(format!(
            "{} is another campaign's plan, whose shards would not fit this one; choose another name, or remove it",
            output.display()
        )));
    }
    write_named(output, FileKind::Plan, text.as_bytes())?;
    print(&format!(
        "{} over {}, to be shared out: {}\n",
        number::things(plan.lot_count(), "lot"),
        number::things(subjects.len() as u64, "subject"),
        output.display()
    ))
}

fn run_shard(
    plan: &Path,
    share: Share,
    output: &Path,
    jobs: Option<u16>,
    catalog: &Catalog,
    page: Page,
) -> Result<Ending, Failure> {
    let plan = CampaignPlan::read(plan)?;
    let subjects = plan.subjects(catalog)?;
    let orders = Orders { jobs: workers(jobs), ..plan.orders(share) };
    if output.exists() {
        return is_whole(output, fuzz::manifest(&subjects, &orders).digest(), plan.lots_of(share));
    }
    make_parent(output, "store")?;
    let placing = Placing::begin(output)?;
    is_of_this(placing.part(), fuzz::manifest(&subjects, &orders).digest(), &plan, share)?;
    let mut archive = Archive::open(placing.part(), &subjects, &orders, Begin::Resume)?;
    let (tallies, _) = conduct::runs(&subjects, &orders, Limits { time: None, fail_fast: false }, &mut archive);
    archive.finish()?;
    let survey = fuzz::survey(&subjects, &tallies, orders.seed_start);
    let (done, runs) = (survey.runs(), plan.lots_of(share).map(|(_, _, runs)| u64::from(runs)).sum());
    if done < runs {
        let told = format!("{} are done; the same command does the others", number::tally(done, runs, "runs"));
        print(&format!("{told}\n"))?;
        return Ok(Ending::Interrupted);
    }
    if survey.subjects.iter().any(|subject| subject.differing > 0) {
        return give_up(placing, survey, &tallies, output, page);
    }
    placing.finish()?;
    let told = match runs {
        0 => format!("nothing to do, for the plan has no more than {}", number::things(plan.lot_count(), "lot")),
        _ => counted(runs, tallies.iter().map(|tally| tally.failing).sum()),
    };
    print(&format!("{told}: {}\n", output.display()))
}

/// Keeps nothing of runs that would not come out the same again: whoever went on with them would have to take one of two for
/// the true one.
fn give_up(
    placing: Placing,
    mut survey: Survey,
    tallies: &[fuzz::Tally],
    output: &Path,
    page: Page,
) -> Result<Ending, Failure> {
    let again = |_: &str, _, _| Replay::NoCommand(MET_AGAIN.to_owned());
    let kept = found::keep_differing(&mut survey, tallies, output, &again);
    placing.give_up()?;
    let differ = reports::divergences(&survey, page);
    print(&format!("{differ}not kept, for its runs would not come out the same again: {}\n", output.display()))?;
    kept?;
    Ok(Ending::RunsDiffer)
}

/// What is said in place of a command where the case of a plan cannot be written.
const MET_AGAIN: &str = "its case cannot be written here: the same shard meets it again where it can";

/// Demands that what an earlier try has left is of the same shard of the same plan: whoever went on with anything else would
/// merge it, too.
fn is_of_this(part: &Path, campaign: Digest, plan: &CampaignPlan, share: Share) -> Result<(), Failure> {
    // Whoever writes to it says what is wrong with it.
    let Ok(store) = Store::open(part) else { return Ok(()) };
    let taken = StoreError::Exists { path: part.to_owned() };
    for manifest in store.campaigns()? {
        let is_its = |end: &Place| plan.has(*end, share);
        if manifest.digest() != campaign || !store.ends(campaign)?.iter().all(is_its) {
            return Err(taken.into());
        }
    }
    Ok(())
}

/// Says what is in a store that stands where this shard's is to appear, if it is the shard's. No two runs of one plan
/// differed then, or it would not stand there.
fn is_whole(output: &Path, campaign: Digest, lots: impl Iterator<Item = (u32, u32, u32)>) -> Result<Ending, Failure> {
    let taken = StoreError::Exists { path: output.to_owned() };
    let store = Store::open(output)?;
    let summary = match store.summary(campaign) {
        Err(StoreError::NoCampaign { .. }) => return Err(taken.into()),
        summary => summary?,
    };
    for (subject, lot, runs) in lots {
        if store.lot(campaign, subject, lot)?.len() != runs as usize {
            return Err(taken.into());
        }
    }
    let total = |of: fn(&SubjectCount) -> u64| summary.subjects.iter().map(of).sum();
    let told = counted(total(|it| it.runs), total(|it| it.failed));
    print(&format!("already whole: {told}: {}\n", output.display()))
}

fn counted(runs: u64, failing: u64) -> String {
    format!("{}, {} failing", number::things(runs, "run"), number::count(failing))
}
