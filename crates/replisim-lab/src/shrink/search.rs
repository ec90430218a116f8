//! The search: what is smallest so far, and how a smaller one is tried.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use replisim_history::{Check, Run, Verdict, Witness};
use replisim_kernel::Fingerprint;

use super::{Bound, Limits, Progress, Watch};
use crate::{Experiment, Scenario};

/// What every smaller scenario must still break, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Aim {
    pub check: Check,
    /// The witness's kind.
    pub kind: String,
}

/// A scenario that fails as it should, with its run.
pub(super) struct Failing {
    pub experiment: Experiment,
    pub run: Run,
    pub witness: Witness,
}

/// The smallest failing scenario so far, and what it took to find it.
pub(super) struct Search<'w> {
    pub best: Failing,
    /// How many runs it took. Runs that a faster machine did beside them in vain do not count.
    pub runs: u64,
    /// How often something smaller was found.
    pub steps: u64,
    /// What ended the search early.
    pub bound: Option<Bound>,
    aim: Aim,
    seed: u64,
    limits: Limits,
    watch: &'w Watch<'w>,
    /// Scenarios that do not fail, by the digest of their texts. Rounds repeat themselves: most of the last is known.
    harmless: BTreeSet<u128>,
}

/// A scenario to be tried, with its place among those that were proposed.
struct Try {
    place: usize,
    scenario: Scenario,
    digest: u128,
}

impl<'w> Search<'w> {
    pub fn new(best: Failing, aim: Aim, seed: u64, limits: Limits, watch: &'w Watch<'w>) -> Self {
        Search { best, runs: 0, steps: 0, bound: None, aim, seed, limits, watch, harmless: BTreeSet::new() }
    }

    /// The smallest failing scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.best.experiment.scenario
    }

    /// Tries scenarios side by side. The first in order that fails becomes the best; its place is returned.
    pub fn first(&mut self, proposed: Vec<Scenario>) -> Option<usize> {
        let mut tries = self.worth_trying(proposed);
        if self.bound.is_some() {
            return None;
        }
        let left = usize::try_from(self.limits.runs.saturating_sub(self.runs)).unwrap_or(usize::MAX);
        let exhausted = tries.len() > left;
        tries.truncate(left);
        let found = self.race(&tries);
        let (tried, result) = match found {
            Some((tried, failing)) => {
                self.best = failing;
                self.steps += 1;
                (tried + 1, Some(tries[tried].place))
            }
            None => (tries.len(), None),
        };
        if self.bound.is_none() {
            self.runs += tried as u64;
            self.harmless.extend(tries[..tried].iter().map(|it| it.digest));
            self.bound = (exhausted && result.is_none()).then_some(Bound::Runs);
        }
        result
    }

    /// Tries one scenario.
    pub fn accepts(&mut self, proposed: Scenario) -> bool {
        self.first(vec![proposed]).is_some()
    }

    /// Tries one change after another, each on top of those that were accepted.
    pub fn change(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut proposed = self.scenario().clone();
        change(&mut proposed);
        self.accepts(proposed)
    }

    /// Tries a scenario that must not only fail, but come to the very same run.
    pub fn accepts_same_run(&mut self, proposed: Scenario) -> bool {
        if self.bound.is_some() || proposed == *self.scenario() {
            return false;
        }
        self.runs += 1;
        let same = self.attempt(&proposed).filter(|it| it.run.fingerprint == self.best.run.fingerprint);
        same.map(|same| self.best = same).is_some()
    }

    /// What a scenario comes to, whether or not it fails as it should; `None` if it cannot be run.
    pub fn look(&mut self, proposed: Scenario) -> Option<Run> {
        let experiment = self.best.experiment.vary(proposed).ok()?;
        self.runs += 1;
        Some(experiment.begin(self.seed, false).finish())
    }

    /// Whether a verdict is the one that every smaller scenario must come to.
    pub fn aims_at(&self, check: Check, verdict: &Verdict) -> bool {
        check == self.aim.check && matches!(verdict, Verdict::Violated(witness) if witness.kind == self.aim.kind)
    }

    /// Those of the proposed scenarios that differ from the best and were not tried before, each once.
    fn worth_trying(&self, proposed: Vec<Scenario>) -> Vec<Try> {
        let mut seen = BTreeSet::from([digest(self.scenario())]);
        let named = proposed.into_iter().enumerate();
        let named = named.map(|(place, scenario)| Try { place, digest: digest(&scenario), scenario });
        named.filter(|it| !self.harmless.contains(&it.digest) && seen.insert(it.digest)).collect()
    }

    /// Runs on all cores until it is known which is the first to fail: everything before that one is run to the end.
    fn race(&mut self, tries: &[Try]) -> Option<(usize, Failing)> {
        let (next, first, stopped) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX), AtomicBool::new(false));
        let (done, size) = (AtomicU64::new(self.runs), self.size());
        let work = || loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= tries.len().min(first.load(Ordering::Relaxed)) {
                return None;
            }
            if !(self.watch)(&Progress { runs: done.fetch_add(1, Ordering::Relaxed), size }) {
                stopped.store(true, Ordering::Relaxed);
                return None;
            }
            if let Some(failing) = self.attempt(&tries[at].scenario) {
                first.fetch_min(at, Ordering::Relaxed);
                return Some((at, failing));
            }
        };
        let found = match self.limits.jobs.get().min(tries.len()) {
            0 | 1 => work(),
            jobs => thread::scope(|scope| {
                let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
                let found = workers.into_iter().filter_map(|it| it.join().expect("a run does not panic"));
                found.min_by_key(|(at, _)| *at)
            }),
        };
        if stopped.into_inner() {
            self.bound = Some(Bound::Stopped);
        }
        found.filter(|_| self.bound.is_none())
    }

    fn attempt(&self, scenario: &Scenario) -> Option<Failing> {
        let experiment = self.best.experiment.vary(scenario.clone()).ok()?;
        Failing::of(experiment, self.seed, &self.aim)
    }
}

impl Failing {
    /// The run of an experiment, if it fails as it should.
    pub fn of(experiment: Experiment, seed: u64, aim: &Aim) -> Option<Failing> {
        let run = experiment.begin(seed, false).finish();
        let finding = experiment.examine(&run).into_iter().find(|finding| finding.check == aim.check)?;
        match finding.verdict {
            Verdict::Violated(witness) if witness.kind == aim.kind => Some(Failing { experiment, run, witness }),
            Verdict::Violated(_) | Verdict::Holds | Verdict::Unknown(_) => None,
        }
    }
}

/// As many threads as the machine has cores.
pub(super) fn cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

fn digest(scenario: &Scenario) -> u128 {
    let mut print = Fingerprint::new();
    print.fold(&scenario.text());
    print.digest().0
}
