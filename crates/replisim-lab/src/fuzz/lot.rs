//! A lot: a search of its own, of a fixed number of runs.
//!
//! What is tried at a place of a lot follows from the campaign's settings, the lot's number, and what came of the places
//! at least [`WINDOW`] before it in the same lot. It never depends on timing, on the number of workers, or on other lots.
//! So up to `WINDOW` attempts may be under way at once, and any number of machines may share a campaign out among them
//! lot by lot: the result is the same.
//!
//! ```text
//!   place   0 … 63 | 64 …          the attempt at 64 is chosen once place 0 has been learnt from, at 65 once 1 has, …
//! ```
//!
//! Guided, one attempt in four is fresh: it is what its seed stands for. The ones between change a plan that reached a new
//! [`Cell`], faults and knobs (see `corpus.rs` and `mutate.rs`). Blind, all are fresh.

use std::collections::VecDeque;
use std::sync::Arc;

use replisim_history::Cell;
use replisim_kernel::Stream;

use super::attempt::{Attempt, AttemptResult, Change, Idea};
use super::corpus::Corpus;
use super::mutate::SEARCH;
use super::subject::Subject;

/// How many attempts of a lot may be under way at once.
pub const WINDOW: u32 = 64;

/// How many runs a lot has.
pub const LOT_RUNS: u32 = 4_096;

/// One attempt in so many is fresh, in a guided lot. Fewer changed ones find what takes several faults later; fewer fresh
/// ones say less about what was not found.
const FRESH_ONE_IN: u32 = 4;

/// A lot under way.
pub struct Lot<'s, 'c> {
    subject: &'s Subject<'c>,
    /// Its number within the subject.
    pub number: u32,
    /// The seed of its first place.
    first_seed: u64,
    runs: u32,
    guided: bool,
    decided: u32,
    learnt: u32,
    /// What was decided on and not yet handed out, in order.
    ready: VecDeque<(u32, Idea)>,
    corpus: Corpus,
}

impl<'s, 'c> Lot<'s, 'c> {
    /// The lot with this number, cut off after so many runs.
    pub fn new(subject: &'s Subject<'c>, number: u32, seed_start: u64, runs: u32, guided: bool) -> Self {
        let first_seed = seed_start.wrapping_add(u64::from(number) * u64::from(LOT_RUNS));
        let runs = runs.min(LOT_RUNS);
        let mut lot = Lot {
            subject,
            number,
            first_seed,
            runs,
            guided,
            decided: 0,
            learnt: 0,
            ready: VecDeque::new(),
            corpus: Corpus::default(),
        };
        (0..WINDOW).for_each(|_| lot.decide_next());
        lot
    }

    /// The next place and what is to be tried there; `None` while the results of earlier places are waited for, and at the
    /// end.
    pub fn take(&mut self) -> Option<(u32, Idea)> {
        self.ready.pop_front()
    }

    /// Learns what the attempt at [`Lot::place`] was and what came of it. Returns the cells that are new to attempts of this
    /// lot for which as much is demanded in the face of the same kinds of faults.
    ///
    /// # Panics
    /// If nothing has been decided on there.
    pub fn learn(&mut self, attempt: &Arc<Attempt>, result: &AttemptResult) -> Vec<Cell> {
        assert!(self.learnt < self.decided, "what is learnt from was decided on before");
        self.learnt += 1;
        let new = self.corpus.see(attempt, result);
        if !new.is_empty() && self.guided {
            self.corpus.keep(attempt.clone());
        }
        self.decide_next();
        new
    }

    /// Whether every attempt has been learnt from.
    pub fn is_over(&self) -> bool {
        self.learnt == self.runs
    }

    /// The place that is next to be learnt from.
    pub fn place(&self) -> u32 {
        self.learnt
    }

    /// Decides on one attempt more. This happens exactly when the place a window before it has been learnt from, so what
    /// other results happen to be in already does not count: that would be timing.
    fn decide_next(&mut self) {
        if self.decided < self.runs {
            self.ready.push_back((self.decided, self.decide(self.decided)));
            self.decided += 1;
        }
    }

    fn decide(&self, place: u32) -> Idea {
        let seed = self.first_seed.wrapping_add(u64::from(place));
        let fresh = !self.guided
            || place.is_multiple_of(FRESH_ONE_IN)
            || self.corpus.is_empty()
            || self.subject.swarm().is_none();
        if fresh {
            return Idea::Fresh(seed);
        }
        let mut chance = Stream::derive(seed, SEARCH, 0, 0);
        let (parent, other) = (self.corpus.choose(&mut chance), self.corpus.choose(&mut chance));
        Idea::Like(Box::new(Change { parent, other, seed, chance }))
    }
}
