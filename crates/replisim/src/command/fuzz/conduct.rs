//! Runs a campaign until it is over, time is up, somebody interrupts it, or, if so asked, something fails.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use replisim_history::{Replay, Survey};
use replisim_kernel::Span;
use replisim_lab::Catalog;
use replisim_lab::fuzz::{self, Archive, Ledger, NoLedger, Orders, Reruns, Subject, Tally};
use replisim_lab::store::{Begin, Manifest, Store, StoreError};
use replisim_report::number;
use replisim_report::survey::Pace;

use super::found::{self, Again, Keeping};
use crate::command::Failure;
use crate::command::interrupt::interrupted;
use crate::command::output::{complain, make_parent};
use crate::command::progress::Progress;
use crate::command::whereabouts;

/// What ends a campaign early.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So much time on the clock.
    pub time: Option<Span>,
    /// The first failure that it finds.
    pub fail_fast: bool,
}

/// Where a campaign is kept.
#[derive(Clone, Copy)]
pub struct Keep<'k> {
    /// The store; the cases of what fails are written beside it.
    pub store: &'k Path,
    /// How it is begun; `None` if there is to be no store, and only cases are kept.
    pub begin: Option<Begin>,
    /// What is told in place of a case that cannot be written.
    pub again: Again<'k>,
}

/// A campaign that is over.
pub struct Ended {
    /// What came of it.
    pub survey: Survey,
    /// How fast it was.
    pub pace: Pace,
    /// What could not be kept, and why.
    pub kept: Result<(), Failure>,
}

/// Runs a campaign and says what came of it. What fails is shrunk, unless the campaign was broken off: with a store, whoever
/// goes on with it is to have the results of an undisturbed one; without, what was found is kept as it is. What goes wrong
/// once the runs are done is no reason not to tell of them.
pub fn campaign(
    subjects: &[Subject<'_>],
    orders: &Orders,
    limits: Limits,
    Keep { store, begin, again }: Keep<'_>,
    catalog: &Catalog,
) -> Result<Ended, Failure> {
    let mut archive = begin.map(|begin| open(subjects, orders, store, begin)).transpose()?;
    let reruns = match &archive {
        Some(archive) => fuzz::run_known(store, subjects, archive.resumed(), catalog)?,
        None => Reruns::default(),
    };
    say_what_is_left_alone(&reruns, store);
    if let Some(archive) = &mut archive {
        // Before anything is found: what fails now fails, whatever has become of an older case of it.
        reruns.failures.iter().for_each(|(_, row)| archive.keep_known(row.clone()));
    }
    let (tallies, pace) = match &mut archive {
        Some(archive) => runs(subjects, orders, limits, archive),
        None => runs(subjects, orders, limits, &mut NoLedger),
    };
    let mut survey = fuzz::survey(subjects, &tallies, orders.seed_start);
    let mut kept = Ok(());
    if archive.is_some() && interrupted() {
        found::left_for_later(&mut survey, store);
    } else {
        let shrinking = !interrupted() && !archive.as_ref().is_some_and(Archive::is_broken);
        let (archive, jobs) = (archive.as_mut(), orders.jobs);
        kept = Keeping { catalog, archive, store, again, shrinking, jobs }.keep(&mut survey, &tallies);
    }
    kept = kept.and(found::keep_differing(&mut survey, &tallies, store, again));
    kept = kept.and(add_reruns(&mut survey, reruns, store));
    let written = archive.map_or(Ok(()), Archive::finish);
    survey.interrupted = interrupted() || written.is_err();
    // What stopped the writing says more than what could not be kept for that.
    let kept = written.map_err(Failure::from).and(kept);
    Ok(Ended { survey, pace, kept })
}

/// Adds what became of the failures that were known, keeps the cases of those that are not fixed, and says how to be rid of
/// those that nobody can run any more.
fn add_reruns(survey: &mut Survey, reruns: Reruns, store: &Path) -> Result<(), Failure> {
    let mut kept = Ok(());
    for (mut failure, row) in reruns.failures {
        if let Replay::NoCommand(why) = &mut failure.replay {
            *why += &format!("; `{}` drops all that is known of it", whereabouts::forget(&failure.subject, store));
        }
        if !failure.is_fixed() && !failure.id.is_empty() {
            kept = kept.and(found::keep_known(&mut failure, &row.case, survey, store));
        }
        survey.known.push(failure);
    }
    kept
}

fn open<'s, 'c>(
    subjects: &'s [Subject<'c>],
    orders: &Orders,
    store: &Path,
    begin: Begin,
) -> Result<Archive<'s, 'c>, Failure> {
    make_parent(store, "store").map_err(|failure| {
        Failure::Diagnosed(format!("{failure}\n  --store FILE keeps the campaign elsewhere, and --no-store not at all"))
    })?;
    let before = Before::of(store, &fuzz::manifest(subjects, orders), orders).unwrap_or_default();
    let archive = Archive::open(store, subjects, orders, begin)?.timed(elapsed);
    say_what_becomes_of(before, begin, store);
    Ok(archive)
}

/// How many runs a store holds before a campaign begins in it.
#[derive(Clone, Copy, Default)]
struct Before {
    /// Of that campaign.
    own: u64,
    /// Of the one with another `--runs` that becomes it, if it is resumed.
    smaller: u64,
}

impl Before {
    fn of(store: &Path, manifest: &Manifest, orders: &Orders) -> Result<Self, StoreError> {
        let store = Store::open(store)?;
        let runs = |campaign| -> Result<u64, StoreError> {
            Ok(store.summary(campaign)?.subjects.iter().map(|subject| subject.runs).sum())
        };
        let smaller = fuzz::campaign_to_grow(&store, manifest, orders)?.map_or(Ok(0), runs)?;
        Ok(Before { own: runs(manifest.digest()).unwrap_or(0), smaller })
    }
}

fn say_what_becomes_of(Before { own, smaller }: Before, begin: Begin, store: &Path) {
    let store = store.display();
    match (begin, own, smaller) {
        (Begin::Anew, 0, _) => {}
        (Begin::Anew, own, _) => {
            let told = number::things(own, "run");
            complain(&format!("{store} held {told} of this campaign, which begins anew: --resume goes on"))
        }
        (Begin::Resume, 0, 0) => complain(&format!("{store} holds no run of this campaign: it begins")),
        (Begin::Resume, 0, smaller) => {
            let told = number::things(smaller, "run");
            complain(&format!("{store} holds {told} of this campaign with another --runs: it goes on with them"))
        }
        (Begin::Resume, ..) => {}
    }
}

fn say_what_is_left_alone(reruns: &Reruns, store: &Path) {
    for (subject, count) in &reruns.of_others {
        let (told, forget) = (number::things(*count, "known case"), whereabouts::forget(subject, store));
        complain(&format!(
            "{told} of {subject} as it was before, or with other settings, not run again: `{forget}` drops all that is known of it"
        ));
    }
}

/// Does the runs of a campaign and nothing else.
#[expect(clippy::disallowed_types, reason = "the command line may look at the wall clock; nothing below it does")]
pub fn runs(subjects: &[Subject<'_>], orders: &Orders, limits: Limits, ledger: &mut dyn Ledger) -> (Vec<Tally>, Pace) {
    let began = std::time::Instant::now();
    let time = limits.time.map(|time| Duration::from_nanos(time.as_nanos()));
    let mut progress = Progress::new(orders.runs, time);
    // From here on an interrupt ends the campaign, and not the program.
    interrupted();
    let mut watch = |tallies: &[Tally]| {
        let elapsed = began.elapsed();
        progress.show(tallies, elapsed);
        let failed = limits.fail_fast && tallies.iter().any(|tally| tally.failing > tally.recalled_failing);
        let over = time.is_some_and(|time| elapsed >= time);
        if failed || over || interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let tallies = fuzz::run_campaign(subjects, orders, ledger, &mut watch);
    progress.finish();
    let sum = |figure: fn(&Tally) -> u64| tallies.iter().map(figure).sum();
    let (runs, events) = (sum(|it| it.runs - it.recalled), sum(|it| it.events - it.recalled_events));
    let pace = Pace { runs, events, seconds: began.elapsed().as_secs_f64() };
    (tallies, pace)
}

/// How long it has been since this was first asked.
#[expect(clippy::disallowed_types, reason = "what a run took on the wall is told, and decides nothing")]
fn elapsed() -> Duration {
    static FIRST: OnceLock<std::time::Instant> = OnceLock::new();
    FIRST.get_or_init(std::time::Instant::now).elapsed()
}
