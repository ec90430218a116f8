//! `replisim campaign show`.

use std::path::{Path, PathBuf};

use replisim_history::Check;
use replisim_lab::fuzz::runs_ordered;
use replisim_lab::store::{self, CheckTally, Manifest, Mark, Status, Store, Tally, rate_bound};
use replisim_report::campaign::{Campaign, Cause, Ran, screen};
use replisim_report::{Style, number};

use super::id_of;
use crate::command::distinct::{Gist, distinct};
use crate::command::output::print;
use crate::command::whereabouts::{STORE, replay};
use crate::command::{Ending, Failure};
use crate::shell::{program, quoted};

const EXAMPLES: &str = "\
Examples:
  replisim campaign show              what `replisim fuzz` keeps here
  replisim campaign show night.db
  replisim campaign show night.db --color never > night.txt

Exit codes: 0 nothing fails; 1 the store knows of a failure that is not fixed, or runs are missing that were ordered, or
            nothing is known of a scenario or a check; 3 there is no such store.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The store
    #[arg(default_value = STORE)]
    store: PathBuf,
}

/// Shows each campaign, then what the store as a whole is.
pub fn run(arguments: &Arguments, style: Style) -> Result<Ending, Failure> {
    let store = Store::open(&arguments.store)?;
    let mut whole = true;
    for manifest in store.campaigns()? {
        let campaign = campaign(&store, &manifest)?;
        whole &= campaign.wanting().is_empty();
        print(&(screen(&campaign, style) + "\n"))?;
    }
    let known = store.known()?;
    let failing = known.iter().filter(|known| known.status == Status::Failing).count();
    let known = number::things(known.len() as u64, "known failure");
    let digest = store.digest()?;
    print(&format!("{known}, {} not fixed\ndigest    {digest}\n", number::count(failing as u64)))?;
    Ok(if whole && failing == 0 { Ending::Fine } else { Ending::NotFine })
}

fn campaign(store: &Store, manifest: &Manifest) -> Result<Campaign, Failure> {
    let digest = manifest.digest();
    let summary = store.summary(digest)?;
    Ok(Campaign {
        digest: digest.to_string(),
        version: manifest.version.clone(),
        settings: manifest.settings.clone(),
        ordered: runs_ordered(manifest),
        subjects: summary.subjects.iter().map(ran).collect(),
        causes: told_once(summary.causes, store.path()),
        export: export(store.path()),
    })
}

/// The causes, those of a subject that came down to the same story told once, and those of the same run as one, as
/// `replisim fuzz` does.
fn told_once(causes: Vec<store::Cause>, store: &Path) -> Vec<Cause> {
    let gist = |cause: &store::Cause| {
        let gist = Gist::of_case(&cause.check, &cause.kind, cause.operations, &cause.case)?;
        Some((cause.subject, gist))
    };
    let unite = |one: &mut store::Cause, other: store::Cause| {
        one.runs += other.runs;
        one.phase.clear();
    };
    let causes = distinct(causes, gist, unite).iter().map(|it| cause(it, store)).collect();
    let run = |cause: &Cause| (cause.replay != UNREADABLE).then(|| (cause.subject.clone(), cause.replay.clone()));
    distinct(causes, run, |one: &mut Cause, other: Cause| one.also.push(other))
}

/// What stands in place of a command where a case is none that can be replayed.
const UNREADABLE: &str = "its case was written by another version";

fn export(store: &Path) -> String {
    if store == Path::new(STORE) {
        return format!("{} campaign export --cases cases", program());
    }
    format!("{} campaign export {} --cases cases", program(), quoted(&store.display().to_string()))
}

fn ran(tally: &Tally) -> Ran {
    let (timed, wall) = tally.timed;
    let checks = tally.checks.iter();
    Ran {
        name: tally.name.clone(),
        runs: tally.runs,
        failed: tally.failed,
        events: tally.events,
        simulated: tally.simulated,
        cells: tally.cells,
        per_second: (!wall.is_zero()).then(|| timed as f64 / wall.as_secs_f64()),
        // Only fresh runs are drawn at random.
        fresh: tally.runs - tally.mutants,
        at_most: rate_bound(tally.runs - tally.mutants).filter(|_| tally.failed == 0),
        checks: checks.map(|it| (in_words(&it.name), counted(it))).collect(),
    }
}

fn counted(check: &CheckTally) -> [u64; 4] {
    [check.holds(), check.count(Mark::Broken), check.count(Mark::Anomaly), check.count(Mark::Undecided)]
}

fn cause(cause: &store::Cause, store: &Path) -> Cause {
    Cause {
        check: in_words(&cause.check),
        kind: cause.kind.clone(),
        phase: cause.phase.clone(),
        also: Vec::new(),
        subject: cause.name.clone(),
        runs: cause.runs,
        of: cause.of,
        faults: cause.faults,
        operations: cause.operations,
        replay: id_of(&cause.case).map_or_else(|| UNREADABLE.to_owned(), |id| replay(&id, store)),
    }
}

/// A check in words; a check of another version, by its name.
fn in_words(check: &str) -> String {
    check.parse::<Check>().map_or_else(|_| check.to_owned(), |check| check.in_words().to_owned())
}
