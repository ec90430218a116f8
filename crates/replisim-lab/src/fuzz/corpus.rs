//! What a lot keeps in order to change it: attempts that reached a new [`Cell`].
//!
//! In most positions of a scenario's knobs little is promised, or nothing. What can fail at all is then a small part of
//! what is drawn, and what was promised though much goes wrong a smaller one; but that is where mistakes show. So
//! attempts are kept apart by the kinds of faults that may strike them, and by what is demanded of them all the same. A
//! cell is new to each such *niche* by itself. Kinds of faults have their turn equally often, and so have the niches of
//! each:
//!
//! ```text
//!   what may strike                      half of the turns each
//!   ├─ delay, kill                       a third of these each
//!   │    ├─ no write lost, fresh reads
//!   │    ├─ no write lost, convergence
//!   │    └─ no write lost
//!   └─ delay, kill, failover
//!        └─ no write lost
//! ```
//!
//! Without knobs there is one niche.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use replisim_history::Cell;
use replisim_kernel::Stream;
use replisim_world::spec::FaultFamily;

use super::attempt::{Attempt, AttemptResult};
use super::subject::Demand;

/// How many attempts of a niche are kept: the latest.
const KEPT_MAX: usize = 512;

/// Something of each niche: by the kinds of faults that may strike, then by what is demanded.
type Niches<T> = BTreeMap<Vec<FaultFamily>, BTreeMap<Vec<Demand>, T>>;

/// What a lot has learnt.
#[derive(Default)]
pub(super) struct Corpus {
    seen: Niches<BTreeSet<Cell>>,
    attempts: Niches<VecDeque<Arc<Attempt>>>,
    /// Whether what is kept can fail. What cannot is changed only as long as nothing is known that can.
    can_fail: bool,
}

impl Corpus {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    /// Takes note of where an attempt has been. Returns the cells that are new to its niche.
    pub fn see(&mut self, attempt: &Attempt, result: &AttemptResult) -> Vec<Cell> {
        let variant = &attempt.variant;
        let niches = self.seen.entry(variant.experiment.families()).or_default();
        let seen = niches.entry(variant.demands.clone()).or_default();
        result.cells.iter().copied().filter(|cell| seen.insert(*cell)).collect()
    }

    /// Keeps an attempt.
    pub fn keep(&mut self, attempt: Arc<Attempt>) {
        let variant = attempt.variant.clone();
        if variant.can_fail() && !self.can_fail {
            self.attempts.clear();
            self.can_fail = true;
        }
        if variant.can_fail() == self.can_fail {
            let niches = self.attempts.entry(variant.experiment.families()).or_default();
            let niche = niches.entry(variant.demands.clone()).or_default();
            niche.push_back(attempt);
            if niche.len() > KEPT_MAX {
                niche.pop_front();
            }
        }
    }

    /// One of the kept attempts, in half of all cases one of the latest eighth of its niche.
    ///
    /// # Panics
    /// If there is none.
    pub fn choose(&self, chance: &mut Stream) -> Arc<Attempt> {
        let niche = any(any(&self.attempts, chance), chance);
        let all = niche.len() as u64;
        let among = if chance.below(2) == 0 { all } else { all.div_ceil(8) };
        niche[(all - 1 - chance.below(among)) as usize].clone()
    }
}

/// Any value of a map that has some.
fn any<'m, K, V>(map: &'m BTreeMap<K, V>, chance: &mut Stream) -> &'m V {
    let nth = chance.below(map.len() as u64) as usize;
    map.values().nth(nth).expect("a number below its length")
}

#[cfg(test)]
mod tests {
    use super::super::Subject;
    use super::*;
    use crate::Catalog;

    /// A swarm in whose positions different things are promised.
    fn subject(catalog: &Catalog) -> Subject<'_> {
        let source = catalog.get("LeaderFollower").expect("it is there").swarm();
        Subject::prepare(&source, catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))
    }

    #[test]
    fn what_can_fail_drives_out_what_cannot_and_kinds_of_faults_take_turns() {
        let catalog = Catalog::standard();
        let subject = subject(&catalog);
        let attempts = (0..200).map(|seed| Arc::new(Attempt::fresh(&subject, seed)));
        let (able, unable): (Vec<_>, Vec<_>) = attempts.partition(|attempt| attempt.variant.can_fail());
        let mut corpus = Corpus::default();
        unable.iter().for_each(|attempt| corpus.keep(attempt.clone()));
        let mut chance = Stream::derive(1, super::super::mutate::SEARCH, 0, 0);
        assert!(!corpus.choose(&mut chance).variant.can_fail(), "there is nothing else yet");
        able.iter().chain(&unable).for_each(|attempt| corpus.keep(attempt.clone()));
        let chosen: Vec<_> = (0..400).map(|_| corpus.choose(&mut chance)).collect();
        assert!(chosen.iter().all(|attempt| attempt.variant.can_fail()));
        let (drawn, turns) = (by_families(&able), by_families(&chosen));
        assert!(drawn.values().any(|count| count * 5 < able.len()), "some are rarely drawn: {drawn:?}");
        let equal = chosen.len() / turns.len();
        assert!(turns.len() > 1 && turns.values().all(|count| count.abs_diff(equal) < equal / 2), "{turns:?}");
    }

    fn by_families(attempts: &[Arc<Attempt>]) -> BTreeMap<Vec<FaultFamily>, usize> {
        let mut counts = BTreeMap::new();
        attempts.iter().for_each(|it| *counts.entry(it.variant.experiment.families()).or_default() += 1);
        counts
    }

    #[test]
    fn a_cell_is_new_to_each_niche() {
        let catalog = Catalog::standard();
        let subject = subject(&catalog);
        let mut corpus = Corpus::default();
        let one = Attempt::fresh(&subject, 1);
        let result = one.run();
        assert_eq!(corpus.see(&one, &result), result.cells);
        assert_eq!(corpus.see(&one, &result), []);
        let demands = |seed: &u64| Attempt::fresh(&subject, *seed).variant.demands != one.variant.demands;
        let elsewhere = (2..).find(demands).expect("other positions promise other things");
        assert_eq!(corpus.see(&Attempt::fresh(&subject, elsewhere), &result), result.cells);
    }
}
