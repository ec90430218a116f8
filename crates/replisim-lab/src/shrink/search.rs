//! The search: what is smallest so far, and how a smaller one is tried.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use replisim_history::{Check, Finding, Run, Witness};
use replisim_kernel::{Digest, SimTime, Span};

use super::aim::{Aim, Ground};
use super::{EndedBy, Limits, Progress, Watch};
use crate::{Experiment, Scenario};

/// How many scenarios are in memory at once.
const BATCH: usize = 32;

/// How many times the events of the run that it began with a smaller scenario may have, and how many more. A fault less
/// can send a protocol round in circles; that is another story, and would take for ever to be told.
const EVENTS_FACTOR: u64 = 2;
const EVENTS_SPARE: u64 = 10_000;

/// How far every smaller scenario is run, under the seed that it names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// Where the run is broken off, if it does not go to its end.
    pub until: Option<SimTime>,
    /// The most events of a run.
    pub events: u64,
}

/// A scenario that fails as it should, with its run.
pub(super) struct Failing {
    pub experiment: Experiment,
    pub run: Run,
    pub witness: Witness,
}

/// How large a scenario and its run are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Faults, those of a swarm included.
    pub faults: usize,
    /// Operations that were begun.
    pub operations: usize,
    /// Sessions.
    pub sessions: usize,
    /// Hosts of the cluster.
    pub hosts: usize,
    /// How long clients act and faults strike.
    pub run: Span,
}

impl Size {
    /// The size of a scenario of which `run` is a run.
    pub(super) fn of(scenario: &Scenario, run: &Run) -> Size {
        Size {
            faults: run.faults.len(),
            operations: run.history.operations.len(),
            sessions: run.sessions.len(),
            hosts: scenario.cluster.size.map_or(scenario.cluster.hosts.len(), usize::from),
            run: scenario.run,
        }
    }
}

/// The smallest failing scenario so far, and what it took to find it.
pub(super) struct Search<'w> {
    pub best: Failing,
    /// How many runs it took. Runs that a faster machine did beside them in vain do not count.
    pub runs: u64,
    /// How often something smaller was found.
    pub steps: u64,
    /// What ended the search early.
    pub ended_by: Option<EndedBy>,
    aim: Aim,
    extent: Extent,
    limits: Limits,
    watch: &'w Watch<'w>,
    /// Every scenario that was tried, by the digest of its text. Rounds repeat themselves: most of the last is known. And
    /// what was the best once is not taken for better again, so that the search comes to an end.
    tried: BTreeSet<Digest>,
}

/// What a scenario comes to.
pub(super) enum Look {
    Run {
        run: Box<Run>,
        /// Whether it stands on the same ground.
        grounded: bool,
    },
    /// It cannot be run.
    Impossible,
    /// It has more events than a run may have.
    Endless,
    /// Nobody knows: the search was stopped.
    Unknown,
}

/// What came of a proposal.
enum Try {
    /// There is no need to: it was tried before, is the best itself, or does not stand on the same ground.
    Needless,
    /// It does not fail as it should: the digest of its text.
    Harmless(Digest),
    /// It does: the digest of its text, and the run.
    Fails(Digest, Box<Failing>),
}

impl<'w> Search<'w> {
    pub fn new(best: Failing, aim: Aim, extent: Extent, limits: Limits, watch: &'w Watch<'w>) -> Self {
        let events = best.run.events.saturating_mul(EVENTS_FACTOR).saturating_add(EVENTS_SPARE);
        let extent = Extent { events, ..extent };
        let tried = BTreeSet::from([Digest::of(&best.experiment.source.text)]);
        Search { best, runs: 0, steps: 0, ended_by: None, aim, extent, limits, watch, tried }
    }

    /// Where runs are broken off, if they do not go to their end.
    pub fn until(&self) -> Option<SimTime> {
        self.extent.until
    }

    /// The most events of a run: one with more is given up.
    pub fn events_max(&self) -> u64 {
        self.extent.events
    }

    /// The smallest failing scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.best.experiment.scenario
    }

    /// How large the smallest failing scenario is.
    pub fn size(&self) -> Size {
        Size::of(self.scenario(), &self.best.run)
    }

    /// The check that must still be violated.
    pub fn check(&self) -> Check {
        self.aim.check
    }

    /// Whether it is not wrong at all that the check is violated.
    pub fn is_allowed(&self) -> bool {
        matches!(self.aim.ground, Ground::Allowed)
    }

    /// Whether it was ended before it had tried everything: nothing more is tried, so there is no use in proposing it.
    pub fn is_over(&self) -> bool {
        self.ended_by.is_some()
    }

    /// Tries scenarios side by side. The first in order that fails becomes the best; its place is returned.
    pub fn first(&mut self, proposed: impl IntoIterator<Item = Scenario>) -> Option<usize> {
        let mut proposed = proposed.into_iter().enumerate();
        while self.ended_by.is_none() {
            let left = usize::try_from(self.limits.runs.saturating_sub(self.runs)).unwrap_or(usize::MAX);
            let batch: Vec<(usize, Scenario)> = proposed.by_ref().take(left.min(BATCH)).collect();
            if batch.is_empty() {
                self.ended_by = proposed.next().map(|_| EndedBy::Runs);
                break;
            }
            if let Some(place) = self.first_of(batch) {
                return Some(place);
            }
        }
        None
    }

    fn first_of(&mut self, batch: Vec<(usize, Scenario)>) -> Option<usize> {
        let mut tried = self.race(&batch);
        if self.ended_by.is_some() {
            return None;
        }
        // What was tried behind the first that fails was tried in vain, on however many threads.
        let found = tried.iter().position(|it| matches!(it, Try::Fails(..)));
        tried.truncate(found.map_or(tried.len(), |found| found + 1));
        self.runs += tried.iter().filter(|it| !matches!(it, Try::Needless)).count() as u64;
        let place = found.map(|found| batch[found].0);
        for it in tried {
            match it {
                Try::Needless => {}
                Try::Harmless(digest) => {
                    self.tried.insert(digest);
                }
                Try::Fails(digest, failing) => {
                    self.tried.insert(digest);
                    (self.best, self.steps) = (*failing, self.steps + 1);
                }
            }
        }
        place
    }

    /// Tries one scenario.
    pub fn accepts(&mut self, proposed: Scenario) -> bool {
        self.first([proposed]).is_some()
    }

    /// Tries the smallest scenario so far with each of some forms put into it, side by side as [`Search::first`] does.
    pub fn first_form<F>(
        &mut self,
        forms: impl IntoIterator<Item = F>,
        put: impl Fn(&mut Scenario, F),
    ) -> Option<usize> {
        let whole = self.scenario().clone();
        self.first(forms.into_iter().map(|form| {
            let mut proposed = whole.clone();
            put(&mut proposed, form);
            proposed
        }))
    }

    /// Tries the smallest scenario so far with one change to it.
    pub fn change(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut proposed = self.scenario().clone();
        change(&mut proposed);
        self.accepts(proposed)
    }

    /// Tries a scenario that must not only fail, but come to the very same run.
    pub fn accepts_same_run(&mut self, proposed: Scenario) -> bool {
        if self.ended_by.is_some() || proposed == *self.scenario() || !self.goes_on() {
            return false;
        }
        self.runs += 1;
        let experiment = self.best.experiment.vary(proposed).ok();
        let failing = experiment.and_then(|experiment| Failing::of(experiment, self.extent, &self.aim));
        match failing.filter(|failing| failing.run.fingerprint == self.best.run.fingerprint) {
            Some(same) => {
                self.tried.insert(Digest::of(&same.experiment.source.text));
                self.best = same;
                true
            }
            None => false,
        }
    }

    /// What a scenario comes to, whether or not it fails as it should.
    pub fn look(&mut self, proposed: Scenario) -> Look {
        let Ok(experiment) = self.best.experiment.vary(proposed) else { return Look::Impossible };
        if !self.goes_on() {
            return Look::Unknown;
        }
        self.runs += 1;
        let grounded = self.aim.is_grounded_in(&experiment);
        run(&experiment, self.extent).map_or(Look::Endless, |run| Look::Run { run: Box::new(run), grounded })
    }

    /// Whether what was found in a run is what every smaller scenario must come to.
    pub fn aims_at(&self, finding: &Finding, run: &Run) -> bool {
        self.aim.is_met_by(finding, run)
    }

    /// Asks whether one more run is wanted.
    fn goes_on(&mut self) -> bool {
        let goes_on =
            self.ended_by != Some(EndedBy::Stopped) && (self.watch)(&Progress { runs: self.runs, size: self.size() });
        if !goes_on {
            self.ended_by = Some(EndedBy::Stopped);
        }
        goes_on
    }

    /// Runs on all cores until it is known which is the first to fail: everything before that one is run to the end.
    /// Returns what came of each, in order, as far as that is known without a gap.
    fn race(&mut self, batch: &[(usize, Scenario)]) -> Vec<Try> {
        let (next, first, stopped) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX), AtomicBool::new(false));
        let (begun, size) = (AtomicU64::new(self.runs), self.size());
        let work = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= batch.len().min(first.load(Ordering::Relaxed)) {
                    return done;
                }
                if !(self.watch)(&Progress { runs: begun.fetch_add(1, Ordering::Relaxed), size }) {
                    stopped.store(true, Ordering::Relaxed);
                    return done;
                }
                let tried = self.attempt(&batch[at].1);
                if matches!(tried, Try::Fails(..)) {
                    first.fetch_min(at, Ordering::Relaxed);
                }
                done.push((at, tried));
            }
        };
        let mut tried = match self.limits.jobs.get().min(batch.len()) {
            0 | 1 => work(),
            jobs => thread::scope(|scope| {
                let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
                workers.into_iter().flat_map(|it| it.join().expect("a run does not panic")).collect()
            }),
        };
        if stopped.into_inner() {
            self.ended_by = Some(EndedBy::Stopped);
        }
        tried.sort_by_key(|(at, _)| *at);
        tried.into_iter().map(|(_, tried)| tried).collect()
    }

    fn attempt(&self, scenario: &Scenario) -> Try {
        if !self.aim.allows(self.scenario(), scenario) {
            return Try::Needless;
        }
        let text = scenario.text();
        let digest = Digest::of(&text);
        if self.tried.contains(&digest) {
            return Try::Needless;
        }
        let experiment = self.best.experiment.vary_as(scenario.clone(), text).ok();
        let failing = experiment.and_then(|experiment| Failing::of(experiment, self.extent, &self.aim));
        failing.map_or(Try::Harmless(digest), |failing| Try::Fails(digest, Box::new(failing)))
    }
}

impl Failing {
    /// The run of an experiment, if it fails as it should.
    pub fn of(experiment: Experiment, extent: Extent, aim: &Aim) -> Option<Failing> {
        let run = run(&experiment, extent)?;
        let finding = experiment.examine(&run).into_iter().find(|finding| aim.is_met_by(finding, &run))?;
        let witness = finding.verdict.witness().filter(|_| aim.is_grounded_in(&experiment))?.clone();
        Some(Failing { experiment, run, witness })
    }
}

/// The run of an experiment, if it ends within so many events.
fn run(experiment: &Experiment, extent: Extent) -> Option<Run> {
    let mut simulation = experiment.begin(experiment.scenario.seed, false);
    let most = extent.events.saturating_add(1);
    let Some(until) = extent.until else {
        let goes_on = simulation.advance(most);
        return (!goes_on).then(|| simulation.finish());
    };
    simulation.advance_until(until, most);
    (simulation.events() <= extent.events).then(|| simulation.break_off())
}

#[cfg(test)]
mod tests {
    use replisim_kernel::Span;

    use super::*;
    use crate::touchy;

    #[test]
    fn a_run_in_which_time_stands_still_is_given_up() {
        let experiment = touchy::experiment("Standstill", "");
        for until in [None, Some(SimTime::ZERO + Span::secs(1))] {
            assert!(run(&experiment, Extent { until, events: 1_000 }).is_none());
        }
    }
}
