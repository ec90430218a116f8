//! From a failing run to the smallest story that still fails in the same way.
//!
//! A fuzzer's find is true and useless: twenty faults and two hundred operations, of which one fault and three operations
//! matter. The shrinker tries smaller and plainer scenarios, each a whole run of its own, and keeps what still breaks *the
//! same check with the same kind of witness*. Without that condition it would slip from the anomaly at hand to whichever is
//! easiest to provoke. And where a promise is broken, it stays one: a lost write is no find any more once the settings that
//! protected it are gone. Where it is the scenario alone that expects otherwise, `claim.rs` says what must stay.
//!
//! ```text
//!   spell.rs       swarm ─▶ faults, workloads ─▶ scripts: now there is something to take away
//!        │
//!   ┌─▶ time.rs       the run ends soon after what goes wrong
//!   │   faults.rs     fewer (ddmin), at plain times, at named hosts, less cruel
//!   │   operations.rs fewer sessions and operations (ddmin), plain kinds, fewer keys, round times
//!   │   generator.rs  the same for workloads that could not be spelled out
//!   │   settings.rs   lower limits to reach, fewer settings
//!   │   cluster.rs    fewer hosts, no luck: constants in place of distributions
//!   └────── until a whole round finds nothing
//!        │
//!   needed.rs      what would happen without each thing that is left
//!   tell.rs        the story, in comments above the case
//! ```
//!
//! What makes this work lies elsewhere: every entity has a stream of chance of its own, so a fault less leaves the luck of
//! everything else as it was; and a run costs milliseconds.
//!
//! What works against it is luck. Where a run fails because one sync in a hundred took so long, each of the hundred
//! operations is needed for nothing but to draw its share of chance. So constants take the place of what is drawn as soon
//! as possible; and where that does not fail, fewer operations are tried under other seeds.
//!
//! **Promises**: the result fails as the original does. No single fault or operation of it can be left out, unless the run
//! then exceeds its limit of events: then nothing is known, and the case says so. The same
//! experiment, seed and limit of runs give the same result for any number of threads, for of all candidates that are tried
//! side by side the first in order is taken. **Does not promise** the smallest failing scenario there is.
//!
//! References: Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*, 2002; Scott et al., *Minimizing
//! Faulty Executions of Distributed Systems*, NSDI 2016, which minimises outer events before inner ones, as here.

mod aim;
mod claim;
mod cluster;
mod ddmin;
mod faults;
mod generator;
mod needed;
mod operations;
mod round;
mod script;
mod search;
mod settings;
mod spell;
mod tell;
mod time;

use std::num::NonZero;

use replisim_history::Check;
use replisim_kernel::{SimTime, Span};

use crate::scenario::Expected;
use crate::{Case, Experiment, JudgedRun, Scenario, cores};
use aim::{Aim, Ground};
use claim::Claim;
pub use needed::{Need, Piece, Without};
pub use search::Size;
use search::{Extent, Failing, Search};

/// In how many chunks operations are left out at most, as long as that is done in coarse strokes.
const COARSE: usize = 32;

/// How many operations are few: so many are told one by one, and with more than these left, ways are tried that are not
/// worth their time for fewer.
const FEW: usize = 10;

/// Shrinks one failing run of an experiment.
pub struct Shrinker<'e> {
    experiment: &'e Experiment,
    seed: u64,
    until: Option<Span>,
    check: Option<Check>,
    drawn: usize,
    limits: Limits,
    watch: &'e Watch<'e>,
}

/// What is asked before each run: is told how far the search is, and answers whether it goes on. Called on many threads.
pub type Watch<'w> = dyn Fn(&Progress) -> bool + Sync + 'w;

/// How much may be spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most runs of the search. Some more tell what would happen without each thing that is left.
    pub runs: u64,
    /// How many threads run side by side. Changes nothing but the time it takes.
    pub jobs: NonZero<usize>,
}

/// How far the search is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// How many runs were begun.
    pub runs: u64,
    /// The smallest failing scenario so far.
    pub size: Size,
}

/// What ended a search before it had tried everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// [`Limits::runs`].
    Runs,
    /// [`Watch`] said so.
    Stopped,
}

/// What a failing run was shrunk to.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest scenario that was found to fail in the same way, with its run and its story.
    pub case: Case,
    /// What it was shrunk from.
    pub before: Size,
    /// What is left.
    pub after: Size,
    /// What of the protocol's settings is not as it was before, in words.
    pub settings: Vec<String>,
    /// What would happen without each thing that is left.
    pub needed: Vec<Need>,
    /// How many runs it took.
    pub runs: u64,
    /// What ended the search early; `None` if nothing smaller can be found this way.
    pub ended_by: Option<EndedBy>,
}

/// Why there is nothing to shrink.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NothingToShrink {
    /// No check of the scenario is violated.
    #[error("no check is violated under seed {seed}: there is nothing to shrink")]
    NothingViolated {
        /// The seed.
        seed: u64,
    },
    /// The check that was asked for is not violated, or not made.
    #[error("{check} is not violated under seed {seed}: there is nothing to shrink")]
    NotViolated {
        /// The check.
        check: Check,
        /// The seed.
        seed: u64,
    },
}

impl Default for Limits {
    /// Enough for some hundred operations and some dozen faults, on all cores.
    fn default() -> Self {
        Limits { runs: 20_000, jobs: cores() }
    }
}

impl<'e> Shrinker<'e> {
    /// Shrinks the run of `experiment` that `seed` stands for.
    pub fn new(experiment: &'e Experiment, seed: u64) -> Self {
        Shrinker { experiment, seed, until: None, check: None, drawn: 0, limits: Limits::default(), watch: &|_| true }
    }

    /// Shrinks a run that was broken off at this time. If the whole run fails in the same way, that is shrunk instead: it
    /// takes less to say.
    pub fn until(self, until: Option<Span>) -> Self {
        Shrinker { until, ..self }
    }

    /// Asks for the violation of this check. Without it, the first that was not to be violated is taken, or the first
    /// that is violated at all.
    pub fn check(self, check: Option<Check>) -> Self {
        Shrinker { check, ..self }
    }

    /// Says that the last so many of the experiment's faults were drawn by a swarm or made up by a search, and only spelled
    /// out since. Nobody's word was given for those.
    pub fn drawn(self, drawn: usize) -> Self {
        Shrinker { drawn, ..self }
    }

    /// Spends no more than this.
    pub fn limits(self, limits: Limits) -> Self {
        Shrinker { limits, ..self }
    }

    /// Asks `watch` before each run. What it stops depends on when it says so; a limit of runs does not.
    pub fn watch(self, watch: &'e Watch<'e>) -> Self {
        Shrinker { watch, ..self }
    }

    /// Shrinks.
    ///
    /// # Errors
    /// If the run does not violate the check.
    pub fn shrink(&self) -> Result<Shrunk, NothingToShrink> {
        let until = self.until.map(|until| SimTime::ZERO + until);
        let outcome = self.experiment.run(self.seed, until, false);
        let aim = self.aim(&outcome)?;
        let (failing, extent) = self.begin(&aim, until)?;
        let mut search = Search::new(failing, aim, extent, self.limits, self.watch);
        let before = Size::of(&self.experiment.scenario, &outcome.run);
        narrow(&mut search, self.seed);
        let needed = needed::needed(&mut search, &self.experiment.scenario.checks_made());
        let after = search.size();
        let until = search.until().map(|until| until.since(SimTime::ZERO));
        let mut case = Case::of(&search.best.experiment, until, &search.best.run);
        case.anomaly = Some(tell::anomaly(&search));
        let was = self.experiment.scenario.protocol.as_str();
        let settings = settings::changed(was, search.scenario().protocol.as_str());
        case.story = tell::story(&search, self.experiment, before, &settings, &needed);
        Ok(Shrunk { case, before, after, settings, needed, runs: search.runs, ended_by: search.ended_by })
    }

    /// The scenario to begin with: the same run, and nothing said of it but what it violates.
    fn begin(&self, aim: &Aim, until: Option<SimTime>) -> Result<(Failing, Extent), NothingToShrink> {
        let scenario = Scenario {
            about: format!("{}.", tell::broken(aim.check)),
            source: String::new(),
            seed: self.seed,
            checks: vec![aim.check],
            expect: self.experiment.scenario.expect.clone().into_iter().filter(|(it, _)| *it == aim.check).collect(),
            measures: Default::default(),
            cure: None,
            anomaly: None,
            ..self.experiment.scenario.clone()
        };
        let fails = |until| {
            let extent = Extent { until, events: u64::MAX };
            let experiment = self.experiment.vary(scenario.clone()).ok()?;
            Failing::of(experiment, extent, aim).map(|failing| (failing, extent))
        };
        let failing = fails(None).or_else(|| until.and_then(|_| fails(until)));
        failing.ok_or(NothingToShrink::NotViolated { check: aim.check, seed: self.seed })
    }

    fn aim(&self, outcome: &JudgedRun) -> Result<Aim, NothingToShrink> {
        let judged = &outcome.judgement.checks;
        let aim_of = |check: Check| {
            let finding = outcome.findings.iter().find(|finding| finding.check == check)?;
            let judged = judged.iter().find(|it| it.check == check)?;
            // A promise counts first: a scenario that shows a flaw expects its promise broken, and so must the smallest one.
            let ground = match (judged.promised, judged.expected) {
                (true, _) => Ground::Promise,
                (false, Some(Expected::Holds)) => {
                    Ground::Claim(Box::new(Claim::of(self.experiment, self.seed, self.drawn)))
                }
                (false, Some(Expected::Violated) | None) => Ground::Allowed,
            };
            let panic = outcome.run.history.panic.as_ref().filter(|_| check == Check::NoPanic);
            let place = panic.map(|panic| panic.place.clone());
            let kind = finding.verdict.witness()?.kind.clone();
            Some(Aim { check, kind, place, ground })
        };
        if let Some(check) = self.check {
            return aim_of(check).ok_or(NothingToShrink::NotViolated { check, seed: self.seed });
        }
        let wrong = judged.iter().filter(|it| !it.standing.is_fine());
        wrong.chain(judged).find_map(|it| aim_of(it.check)).ok_or(NothingToShrink::NothingViolated { seed: self.seed })
    }
}

/// Goes round all ways to make a scenario smaller until none of them finds anything: in coarse strokes first, for one of the
/// other ways often makes superfluous what would have taken thousands of runs to leave out piece by piece.
fn narrow(search: &mut Search<'_>, seed: u64) {
    spell::faults(search, seed);
    time::cut(search);
    faults::fewer(search);
    cluster::certain(search);
    spell::operations(search);
    settings::smallest(search);
    operations::merged(search);
    operations::fewer(search, COARSE);
    // A usual cluster comes after that: where it takes luck to fail in it, thousands of operations would be that luck.
    cluster::usual(search);
    loop {
        for chunks_max in [COARSE, usize::MAX] {
            while once_around(search, chunks_max) {}
        }
        cluster::unused(search);
        time::unused(search);
        if !fewer_as_it_is_told(search) {
            return;
        }
    }
}

/// Leaves out what can be left out of the scenario as it is told, which may wait longer than those that were tried on the
/// way. Says whether there is a reason to go round again.
fn fewer_as_it_is_told(search: &mut Search<'_>) -> bool {
    let steps = search.steps;
    faults::fewer(search);
    operations::fewer(search, usize::MAX);
    search.steps > steps && search.ended_by.is_none()
}

/// Tries every way once. Says whether there is a reason to do so again.
fn once_around(search: &mut Search<'_>, chunks_max: usize) -> bool {
    let steps = search.steps;
    time::cut(search);
    operations::merged(search);
    operations::fewer(search, chunks_max);
    faults::fewer(search);
    settings::fewest(search);
    generator::smaller(search);
    cluster::fewer(search);
    cluster::constants(search);
    faults::plainer(search);
    operations::plainer(search);
    time::sooner(search);
    time::closer(search);
    if search.steps == steps {
        // The last resort: it takes many runs, and where something else helps, it is not needed.
        cluster::certain_with_other_times(search);
        faults::fewer_with_other_times(search);
        operations::other_luck(search);
    }
    search.steps > steps && search.ended_by.is_none()
}

#[cfg(test)]
mod tests;
