//! `replisim campaign show`.

use std::path::{Path, PathBuf};

use replisim_history::{DivergenceInfo, Replay};
use replisim_lab::fuzz::{DIVERGENCES_MAX, runs_ordered};
use replisim_lab::store::{
    CauseCount, CheckCount, Differing, KnownRow, Manifest, Mark, Origin, Status, Store, SubjectCount, rate_bound,
};
use replisim_report::campaign::{Campaign, Cause, Counted, Standing, SubjectRuns, Whole, is_fine, json, screen};
use replisim_report::{Page, number};

use super::id_of;
use crate::command::distinct::{Gist, distinct};
use crate::command::output::{Format, print};
use crate::command::whereabouts::{self, STORE};
use crate::command::{Ending, Failure};

const EXAMPLES: &str = "\
Examples:
  replisim campaign show              what `replisim fuzz` keeps here
  replisim campaign show night.db
  replisim campaign show night.db --format json > night.json

Exit codes: 0 nothing fails; 1 the store knows of a failure that is not fixed, or runs are missing that were ordered, or \
            nothing is known of a scenario or a check; 3 there is no such store; 5 two runs of one plan differed.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The store
    #[arg(default_value = STORE)]
    store: PathBuf,
    /// What to print: human, or json for a machine
    #[arg(long, value_enum, default_value_t = Format::Human, hide_possible_values = true)]
    format: Format,
}

/// Shows each campaign, then what the store as a whole is.
pub fn run(arguments: &Arguments, page: Page) -> Result<Ending, Failure> {
    let store = Store::open(&arguments.store)?;
    let known = store.known()?;
    let manifests = store.campaigns()?;
    let campaigns = manifests.iter().map(|it| campaign(&store, it, &known)).collect::<Result<Vec<_>, _>>()?;
    let not_fixed = known.iter().filter(|known| known.status == Status::Failing).count() as u64;
    let causes = campaigns.iter().flat_map(|campaign| &campaign.causes);
    let forgotten = causes.filter(|cause| cause.status == Standing::Forgotten).count() as u64;
    let whole = Whole { known: known.len() as u64, not_fixed, forgotten, digest: store.digest()?.to_string() };
    match arguments.format {
        Format::Human => {
            print(&(campaigns.iter().map(|it| screen(it, page) + "\n").collect::<String>() + &last(&whole, page)))?
        }
        Format::Json => print(&json(&campaigns, &whole))?,
    };
    Ok(match is_fine(&campaigns, &whole) {
        _ if campaigns.iter().any(|campaign| campaign.differing() > 0) => Ending::RunsDiffer,
        true => Ending::Fine,
        false => Ending::NotFine,
    })
}

/// What became of a failure: a store keeps a case of each until it is to forget it. One without a case was never known.
fn standing(cause: &CauseCount, known: &[KnownRow]) -> Standing {
    let is_it = |row: &&KnownRow| (&row.subject, &row.check, &row.kind) == (&cause.name, &cause.check, &cause.kind);
    let kept: Vec<Status> = known.iter().filter(is_it).map(|row| row.status).collect();
    match kept.as_slice() {
        [] if id_of(&cause.case).is_some() => Standing::Forgotten,
        [_, ..] if kept.iter().all(|status| *status == Status::Fixed) => Standing::Fixed,
        _ => Standing::Failing,
    }
}

fn last(whole: &Whole, page: Page) -> String {
    let (kept, not_fixed) = (number::things(whole.known, "case"), number::count(whole.not_fixed));
    let told = match whole.known {
        0 => String::new(),
        _ => page.line(&format!("{kept} of failures kept, to be run first next time: {not_fixed} not fixed"), ""),
    };
    told + &format!("digest    {}\n", whole.digest)
}

fn campaign(store: &Store, manifest: &Manifest, known: &[KnownRow]) -> Result<Campaign, Failure> {
    let digest = manifest.digest();
    let summary = store.summary(digest)?;
    let mut subjects: Vec<_> = summary.subjects.iter().map(subject_runs).collect();
    for differing in &summary.differing {
        let subject = &mut subjects[differing.told.at.subject as usize];
        subject.differing += 1;
        if subject.divergences.len() < DIVERGENCES_MAX {
            subject.divergences.push(diverged(differing, store.path()));
        }
    }
    Ok(Campaign {
        digest: digest.to_string(),
        version: manifest.version.clone(),
        settings: manifest.settings.clone(),
        ordered: runs_ordered(manifest),
        subjects,
        causes: told_once(summary.causes, store.path(), known),
        export: whereabouts::campaign("export", store.path()) + " --cases cases",
    })
}

/// The causes, those of a subject that came down to the same story told once, and those of the same run as one, as
/// `replisim fuzz` does.
fn told_once(causes: Vec<CauseCount>, store: &Path, known: &[KnownRow]) -> Vec<Cause> {
    let gist = |cause: &CauseCount| {
        let gist = Gist::of_case(&cause.check, &cause.kind, cause.operations, &cause.case)?;
        Some((cause.subject, gist))
    };
    let unite = |one: &mut CauseCount, other: CauseCount| {
        one.runs += other.runs;
        one.phase.clear();
    };
    let causes = distinct(causes, gist, unite).iter().map(|it| cause(it, store, known)).collect();
    let run = |cause: &Cause| (!cause.id.is_empty()).then(|| (cause.subject.clone(), cause.id.clone()));
    distinct(causes, run, |one: &mut Cause, other: Cause| {
        one.status = one.status.min(other.status);
        one.also.push(other);
    })
}

/// Why there is no command that replays a case.
const UNREADABLE: &str = "its case was written by another version";

fn subject_runs(tally: &SubjectCount) -> SubjectRuns {
    let checks = tally.checks.iter();
    SubjectRuns {
        name: tally.name.clone(),
        runs: tally.runs,
        failed: tally.failed,
        events: tally.events,
        simulated: tally.simulated,
        cells: tally.cells,
        per_second: (!tally.wall.is_zero()).then(|| tally.timed as f64 / tally.wall.as_secs_f64()),
        fresh: tally.runs - tally.mutants,
        // Only fresh runs are drawn at random.
        at_most: rate_bound(tally.fresh_decided).filter(|_| tally.failed == 0),
        checks: checks.map(counted).collect(),
        differing: 0,
        divergences: Vec::new(),
    }
}

fn diverged(Differing { seed, plan, origin, told }: &Differing, store: &Path) -> DivergenceInfo {
    let id = id_of(&told.case);
    DivergenceInfo {
        seed: *seed,
        fresh: *origin == Origin::Fresh,
        plan: plan.to_string(),
        replay: replayed(id.as_deref(), store),
        id: id.unwrap_or_default(),
        case: None,
        event: told.event,
        one: told.one.clone(),
        other: told.other.clone(),
        remembered: told.remembered,
    }
}

fn replayed(id: Option<&str>, store: &Path) -> Replay {
    id.map_or_else(|| Replay::NoCommand(UNREADABLE.to_owned()), |id| Replay::Command(whereabouts::replay(id, store)))
}

fn counted(check: &CheckCount) -> Counted {
    Counted {
        check: check.name.clone(),
        kept: check.count(Mark::Kept),
        lucky: check.count(Mark::Lucky),
        anomalies: check.count(Mark::Anomaly),
        broken: check.count(Mark::Broken),
        undecided: check.count(Mark::Undecided),
    }
}

fn cause(cause: &CauseCount, store: &Path, known: &[KnownRow]) -> Cause {
    let id = id_of(&cause.case);
    Cause {
        status: standing(cause, known),
        check: cause.check.clone(),
        kind: cause.kind.clone(),
        phase: cause.phase.clone(),
        also: Vec::new(),
        subject: cause.name.clone(),
        runs: cause.runs,
        of: cause.of,
        faults: cause.faults,
        operations: cause.operations,
        replay: replayed(id.as_deref(), store),
        id: id.unwrap_or_default(),
    }
}
