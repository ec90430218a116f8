//! What a campaign has come to so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use replisim_history::Cell;
use replisim_world::spec::KindSet;

use super::attempt::{Attempt, AttemptResult};
use super::cause::Cause;
use super::ledger::CampaignRun;
use super::twice::Divergence;
use crate::store::{Mark, Place, rate_bound};

/// How many divergences of a subject are kept: they probably have one cause.
pub const DIVERGENCES_MAX: usize = 4;

/// What the runs of one subject came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many runs.
    pub runs: u64,
    /// How many of them broke something.
    pub failing: u64,
    /// How many were what their seed stands for; the others were made up by the search.
    pub fresh: u64,
    /// Events of all runs.
    pub events: u64,
    /// How many of the runs had been done before the campaign was resumed.
    pub recalled: u64,
    /// Events of those.
    pub recalled_events: u64,
    /// How many of these runs failed.
    pub recalled_failing: u64,
    /// For each of the scenario's checks, how often it had which mark.
    pub marks: Vec<BTreeMap<Mark, u64>>,
    /// The same of the fresh runs alone.
    pub fresh_marks: Vec<BTreeMap<Mark, u64>>,
    /// How many fresh runs decided every check.
    pub fresh_decided: u64,
    /// The failures, by cause.
    pub causes: BTreeMap<Cause, FoundCause>,
    /// Where the runs have been.
    pub cells: BTreeSet<Cell>,
    /// The kinds of faults that were in a plan.
    pub planned: KindSet,
    /// Those of them that struck.
    pub struck: KindSet,
    /// How many runs were done twice.
    pub twice: u64,
    /// Of how many of these the second run was not the first again.
    pub differing: u64,
    /// Where two runs of one attempt differed: those at the [`DIVERGENCES_MAX`] first places.
    pub divergences: BTreeMap<Place, Divergence>,
}

/// How often a cause was found, and its smallest run.
#[derive(Clone, Debug)]
pub struct FoundCause {
    /// In how many runs.
    pub runs: u64,
    /// How many runs there had been with the first of them.
    pub first: u64,
    /// Where the smallest stands.
    pub place: Place,
    /// The run with the fewest faults, and of those with the fewest events.
    pub smallest: Arc<Attempt>,
    /// Its events.
    pub events: u64,
}

impl Tally {
    /// A tally of nothing, for a scenario with so many checks.
    pub fn new(checks: usize) -> Self {
        let marks = vec![BTreeMap::new(); checks];
        Tally { fresh_marks: marks.clone(), marks, ..Tally::default() }
    }

    /// Adds a run. `new` are the cells that its lot had not seen of its like.
    pub fn add(&mut self, place: Place, run: CampaignRun, new: &[Cell]) {
        let CampaignRun { attempt, result, recalled, elapsed: _, twice, divergence } = run;
        if recalled {
            self.recalled += 1;
            self.recalled_events += result.events;
            self.recalled_failing += u64::from(result.failed());
        }
        if twice {
            self.add_twice(place, divergence);
        }
        self.runs += 1;
        self.fresh += u64::from(attempt.fresh);
        self.failing += u64::from(result.failed());
        self.events += result.events;
        let mark = |marks: &mut [BTreeMap<Mark, u64>]| {
            for (marks, mark) in marks.iter_mut().zip(&result.marks) {
                *marks.entry(*mark).or_default() += 1;
            }
        };
        mark(&mut self.marks);
        if attempt.fresh {
            mark(&mut self.fresh_marks);
            self.fresh_decided += u64::from(!result.marks.contains(&Mark::Undecided));
        }
        self.cells.extend(new);
        self.planned = self.planned.union(result.struck).union(result.idle);
        self.struck = self.struck.union(result.struck);
        self.add_failures(place, &attempt, &result);
    }

    /// Adds what a run broke, which is counted already.
    fn add_failures(&mut self, place: Place, attempt: &Arc<Attempt>, result: &AttemptResult) {
        let (first, events) = (self.runs, result.events);
        for cause in &result.failures {
            let smallest = || FoundCause { runs: 0, first, place, smallest: attempt.clone(), events };
            let found = self.causes.entry(cause.clone()).or_insert_with(smallest);
            found.runs += 1;
            let size = |attempt: &Attempt, events| (attempt.plan.faults.len(), events);
            if size(attempt, events) < size(&found.smallest, found.events) {
                (found.place, found.smallest, found.events) = (place, attempt.clone(), events);
            }
        }
    }

    /// Adds that a run was done twice, and how the two differed if they did.
    pub fn add_twice(&mut self, place: Place, divergence: Option<Divergence>) {
        self.twice += 1;
        let Some(divergence) = divergence else { return };
        self.differing += 1;
        if self.divergences.len() < DIVERGENCES_MAX {
            self.divergences.insert(place, divergence);
        }
    }

    /// How often the check at this place had a mark.
    pub fn count(&self, check: usize, mark: Mark) -> u64 {
        counted(&self.marks, check, mark)
    }

    /// In how many fresh runs the check at this place had a mark.
    pub fn count_fresh(&self, check: usize, mark: Mark) -> u64 {
        counted(&self.fresh_marks, check, mark)
    }

    /// At most this share of runs breaks something, with a confidence of 95 %; `None` if some did, or if there are none that
    /// say so. It speaks of fresh runs alone, for only they are drawn at random, and of those that decided every check.
    pub fn at_most(&self) -> Option<f64> {
        rate_bound(self.fresh_decided).filter(|_| self.failing == 0)
    }
}

fn counted(marks: &[BTreeMap<Mark, u64>], check: usize, mark: Mark) -> u64 {
    marks.get(check).and_then(|marks| marks.get(&mark)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_campaign_bounds_what_it_may_have_missed() {
        let tally = Tally { runs: 3_000, fresh: 3_000, fresh_decided: 3_000, ..Tally::default() };
        let bound = tally.at_most().unwrap();
        assert!((bound - 3.0 / 3_000.0).abs() < 1e-5, "{bound}");
        assert!(Tally { fresh_decided: 30, ..tally.clone() }.at_most().unwrap() > 0.09, "undecided runs show nothing");
        assert_eq!(Tally { failing: 1, ..tally }.at_most(), None);
        assert_eq!(Tally::default().at_most(), None);
    }
}
