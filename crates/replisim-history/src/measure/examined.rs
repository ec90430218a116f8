//! What figures need of the checkers: losses and stale reads, found once for all windows.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::{Window, acknowledged, share};
use crate::check::{Losses, StalenessReport, losses, staleness};
use crate::{Position, Run};

/// A run, and what the checkers find in it once somebody asks: a scenario may bound the same figure over many windows.
#[derive(Debug)]
pub struct Examined<'a> {
    run: &'a Run,
    losses: OnceCell<Option<Losses>>,
    staleness: OnceCell<StalenessReport>,
}

impl<'a> Examined<'a> {
    /// This run, of which nothing was asked yet.
    pub fn of(run: &'a Run) -> Self {
        Examined { run, losses: OnceCell::new(), staleness: OnceCell::new() }
    }

    /// The run itself.
    pub fn run(&self) -> &'a Run {
        self.run
    }

    /// How many of the writes acknowledged in the window were lost, and how many there are; `None` if that is not known of
    /// one of them, if nobody led at the end, or if the run did not come to it.
    pub(super) fn lost(&self, window: Window) -> Option<(u64, u64)> {
        let inside = |at: &&u64| window.contains(self.run.history.operations[**at].completed);
        let losses = self.losses()?;
        let is_known = losses.unknown.iter().find(inside).is_none();
        let lost = losses.lost.iter().filter(inside).count() as u64;
        is_known.then(|| (lost, acknowledged(self.run, window)))
    }

    /// The share that was both, of the acknowledged writes that were lost or that a rewind discarded; `None` if there are
    /// none.
    pub(super) fn discarded_is_lost(&self) -> Option<f64> {
        let lost: BTreeSet<u64> = self.losses()?.lost.iter().copied().collect();
        let places: BTreeSet<Position> = self.run.history.discards.iter().map(|discard| discard.position).collect();
        let operations = (0..).zip(self.run.history.operations.iter());
        let discarded = operations.filter(|(_, it)| it.is_acknowledged_write() && places.contains(&it.position));
        let discarded: BTreeSet<u64> = discarded.map(|(at, _)| at).collect();
        share(lost.intersection(&discarded).count() as u64, lost.union(&discarded).count() as u64)
    }

    /// How many of the reads invoked in the window were stale; `None` if that is not known of one of them.
    pub(super) fn stale(&self, window: Window) -> Option<u64> {
        let is_known = self.staleness().unknown.iter().all(|at| !self.began_in(window, *at));
        is_known.then(|| self.found_stale(window))
    }

    /// The share of the reads invoked in the window that was stale, among those of which it is known.
    pub(super) fn stale_share(&self, window: Window) -> Option<f64> {
        let known = self.staleness().reads.iter().filter(|at| self.began_in(window, **at)).count();
        share(self.found_stale(window), known as u64)
    }

    fn found_stale(&self, window: Window) -> u64 {
        self.staleness().stale.iter().filter(|stale| self.began_in(window, stale.operation)).count() as u64
    }

    fn began_in(&self, window: Window, operation: u64) -> bool {
        window.contains(self.run.history.operations[operation].invoked)
    }

    fn staleness(&self) -> &StalenessReport {
        self.staleness.get_or_init(|| staleness(&self.run.history))
    }

    fn losses(&self) -> Option<&Losses> {
        self.losses.get_or_init(|| losses(&self.run.history).ok()).as_ref()
    }
}
