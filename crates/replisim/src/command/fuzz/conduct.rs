//! Runs a campaign until it is over, time is up, somebody interrupts it, or, if so asked, something fails.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use replisim_history::Survey;
use replisim_kernel::Span;
use replisim_lab::Catalog;
use replisim_lab::fuzz::{self, Archive, Forgetful, Ledger, Orders, Subject, Tally};
use replisim_lab::store::Begin;

use super::found::{self, Keeping};
use crate::command::Failure;
use crate::command::interrupt::interrupted;
use crate::command::progress::Progress;

/// What ends a campaign early.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So much time on the clock.
    pub time: Option<Span>,
    /// The first failure.
    pub fail_fast: bool,
}

/// Where a campaign is kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'k> {
    /// The store; the cases of what fails are written beside it.
    pub store: &'k Path,
    /// How it is begun; `None` if there is to be no store, and only cases are kept.
    pub begin: Option<Begin>,
}

/// Runs a campaign and says what came of it and how long it took. What fails is shrunk.
pub fn campaign(
    subjects: &[Subject<'_>],
    orders: &Orders,
    limits: Limits,
    Keep { store, begin }: Keep<'_>,
    catalog: &Catalog,
) -> Result<(Survey, Duration), Failure> {
    let jobs = orders.jobs;
    let Some(begin) = begin else {
        let (tallies, elapsed) = conduct(subjects, orders, limits, &mut Forgetful);
        let mut survey = survey(subjects, &tallies, orders);
        // Nobody can go on with it later, so what an interrupted one has found is kept as it is.
        let mut keeping = Keeping { catalog, archive: None, store, shrinking: !survey.interrupted, jobs };
        keeping.keep(&mut survey, &tallies)?;
        found::keep_differing(&mut survey, &tallies, store)?;
        return Ok((survey, elapsed));
    };
    if let Some(folder) = store.parent() {
        let refuse = |error| Failure::File(format!("cannot make {}: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(refuse)?;
    }
    let known = fuzz::run_known(store, subjects, catalog)?;
    let mut archive = Archive::open(store, subjects, orders, begin)?.timed(elapsed);
    let (tallies, elapsed) = conduct(subjects, orders, limits, &mut archive);
    let mut survey = survey(subjects, &tallies, orders);
    // What is shrunk belongs to a campaign's results, and an interrupted one is to have those of an undisturbed one later.
    if survey.interrupted {
        found::left_for_later(&mut survey);
    } else {
        let archive = Some(&mut archive);
        Keeping { catalog, archive, store, shrinking: true, jobs }.keep(&mut survey, &tallies)?;
    }
    found::keep_differing(&mut survey, &tallies, store)?;
    for (mut failure, row) in known {
        if !failure.fixed && !failure.id.is_empty() {
            found::keep_known(&mut failure, &row.case, store)?;
        }
        survey.known.push(failure);
        archive.keep_known(row);
    }
    archive.finish()?;
    Ok((survey, elapsed))
}

/// Runs a campaign's part of the work and nothing else.
#[expect(clippy::disallowed_types, reason = "the command line may look at the wall clock; nothing below it does")]
pub fn conduct(
    subjects: &[Subject<'_>],
    orders: &Orders,
    limits: Limits,
    ledger: &mut dyn Ledger,
) -> (Vec<Tally>, Duration) {
    let began = std::time::Instant::now();
    let time = limits.time.map(|time| Duration::from_nanos(time.as_nanos()));
    let mut progress = Progress::new(orders.runs, time);
    let stop = interrupted();
    let mut watch = |tallies: &[Tally]| {
        let elapsed = began.elapsed();
        progress.show(tallies, elapsed);
        let failed = limits.fail_fast && tallies.iter().any(|tally| tally.failing > 0);
        let over = time.is_some_and(|time| elapsed >= time);
        if failed || over || stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let tallies = fuzz::campaign(subjects, orders, ledger, &mut watch);
    progress.finish();
    (tallies, began.elapsed())
}

/// How long it has been since this was first asked.
#[expect(clippy::disallowed_types, reason = "what a run took on the wall is told, and decides nothing")]
fn elapsed() -> Duration {
    static FIRST: OnceLock<std::time::Instant> = OnceLock::new();
    FIRST.get_or_init(std::time::Instant::now).elapsed()
}

fn survey(subjects: &[Subject<'_>], tallies: &[Tally], orders: &Orders) -> Survey {
    fuzz::survey(subjects, tallies, orders.seed_start, interrupted().load(Ordering::Relaxed))
}
