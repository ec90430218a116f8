//! One run of a campaign: what is to be tried, what it is in full, and what came of it.

use std::fmt;
use std::sync::Arc;

use replisim_history::{Cell, Finding, Run, Verdict};
use replisim_kernel::{Digest, Fingerprint, Span, Stream};
use replisim_world::spec::{Fault, KindSet};

use super::cause::{Cause, phase};
use super::mutate::Mutator;
use super::subject::{Demand, Subject, Variant};
use crate::store::Mark;
use crate::{Case, Experiment, Plan, Scenario};

/// What is to be tried. It says all that an [`Attempt`] follows from and is as cheap as a seed: who decides on it has more
/// to do than to draw faults and to turn knobs, so whoever runs it spells it out.
#[derive(Clone, Debug)]
pub enum Idea {
    /// What this seed stands for.
    Fresh(u64),
    /// Something like what was tried before.
    Like(Box<Change>),
}

/// What is to be changed, and how.
#[derive(Clone, Debug)]
pub struct Change {
    /// What is changed a little.
    pub parent: Arc<Attempt>,
    /// What a fault may be taken over from.
    pub other: Arc<Attempt>,
    /// A seed that no attempt has had.
    pub seed: u64,
    /// Decides on the changes.
    pub chance: Stream,
}

/// What is tried.
#[derive(Clone)]
pub struct Attempt {
    /// The positions of the knobs.
    pub knobs: Vec<u8>,
    /// The scenario with the knobs there.
    pub variant: Arc<Variant>,
    /// The seed, and what goes wrong.
    pub plan: Plan,
    /// Whether the plan is the one that the seed stands for.
    pub fresh: bool,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Debug)]
pub struct AttemptResult {
    /// The run's fingerprint.
    pub fingerprint: Digest,
    /// How many events it had.
    pub events: u64,
    /// How much time passed in it.
    pub simulated: Span,
    /// How many operations its clients began.
    pub operations: u32,
    /// How each check stands, in the scenario's order.
    pub marks: Vec<Mark>,
    /// What was broken, one for each check that was.
    pub failures: Vec<Cause>,
    /// Where it has been, ascending.
    pub cells: Vec<Cell>,
    /// The kinds of the planned faults that struck.
    pub struck: KindSet,
    /// The kinds of those that never did. One of several faults of a kind may have struck and another not.
    pub idle: KindSet,
}

impl Idea {
    /// The attempt that this is the idea of: the same one whoever asks, and whenever.
    pub fn spell_out(&self, subject: &Subject<'_>) -> Attempt {
        match self {
            Idea::Fresh(seed) => Attempt::fresh(subject, *seed),
            Idea::Like(change) => {
                let Change { parent, other, seed, chance } = &**change;
                Mutator { subject, chance: chance.clone() }.change(parent, other, *seed)
            }
        }
    }
}

impl Attempt {
    /// The attempt that `seed` stands for.
    pub fn fresh(subject: &Subject<'_>, seed: u64) -> Self {
        let (knobs, variant) = subject.turned(seed);
        let plan = variant.experiment.plan(seed);
        Attempt { knobs, variant, plan, fresh: true }
    }

    /// The faults that a swarm drew, or a search made up; not those that the scenario writes down.
    pub fn drawn(&self) -> &[Fault] {
        &self.plan.faults[self.variant.experiment.scenario.faults.len()..]
    }

    /// A number that stands for the knobs and the plan, seed included.
    pub fn digest(&self) -> Digest {
        let mut print = Fingerprint::new();
        print.fold(&(&self.knobs, self.plan.seed));
        for fault in &self.plan.faults {
            print.fold(&fault.to_string());
        }
        print.digest()
    }

    /// Itself as an experiment: the scenario with the knobs where they are and the faults spelled out.
    ///
    /// # Panics
    /// If that cannot be run, though the attempt was.
    pub fn experiment(&self) -> Experiment {
        let scenario = &self.variant.experiment.scenario;
        let (faults, seed) = (self.plan.faults.clone(), self.plan.seed);
        let varied = self.variant.experiment.vary(Scenario { faults, swarm: None, seed, ..scenario.clone() });
        varied.unwrap_or_else(|report| panic!("an attempt that was run can be written down: {}", report.render(false)))
    }

    /// Itself as a case, as large as it is.
    pub fn case(&self) -> Case {
        let experiment = self.experiment();
        let run = experiment.begin(self.plan.seed, false).finish();
        Case::of(&experiment, None, &run)
    }

    /// Runs it.
    pub fn run(&self) -> AttemptResult {
        let Variant { experiment, demands } = &*self.variant;
        let mut simulation = experiment.enact(self.plan.clone(), false);
        simulation.watch();
        let run = simulation.finish();
        let findings = experiment.examine(&run);
        AttemptResult::of(demands, &self.plan.faults, run, &findings)
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attempt { knobs, variant: _, plan, fresh } = self;
        f.debug_struct("Attempt").field("knobs", knobs).field("plan", plan).field("fresh", fresh).finish()
    }
}

impl AttemptResult {
    fn of(demands: &[Demand], faults: &[Fault], run: Run, findings: &[Finding]) -> Self {
        let judged = demands.iter().zip(findings);
        let marks: Vec<Mark> = judged.map(|(demand, finding)| mark(*demand, &finding.verdict)).collect();
        let broken = |(finding, mark): (&Finding, &Mark)| {
            let witness = finding.verdict.witness().filter(|_| *mark == Mark::Broken)?;
            Some(Cause { check: finding.check, kind: witness.kind.clone(), phase: phase(&run, witness) })
        };
        let failures = findings.iter().zip(&marks).filter_map(broken).collect();
        let (mut struck, mut idle) = (KindSet::default(), KindSet::default());
        for (fault, planned) in faults.iter().zip(&run.faults) {
            let into = if planned.fired.is_empty() { &mut idle } else { &mut struck };
            into.insert(fault.action().kind());
        }
        AttemptResult {
            fingerprint: run.fingerprint,
            events: run.events,
            simulated: run.simulated,
            operations: run.history.operations.len() as u32,
            marks,
            failures,
            cells: run.coverage,
            struck,
            idle,
        }
    }

    /// Whether it broke a promise or missed an expectation.
    pub fn failed(&self) -> bool {
        self.marks.contains(&Mark::Broken)
    }
}

/// The mark of a check. An anomaly that a scenario expects and that does not show under this seed is no failure: seeds
/// differ.
const fn mark(demand: Demand, verdict: &Verdict) -> Mark {
    match (verdict, demand) {
        (Verdict::Holds, Demand::Holds) => Mark::Kept,
        (Verdict::Holds, Demand::Nothing) => Mark::Lucky,
        (Verdict::Violated(_), Demand::Holds) => Mark::Broken,
        (Verdict::Violated(_), Demand::Nothing) => Mark::Anomaly,
        (Verdict::Unknown(_), _) => Mark::Undecided,
    }
}
