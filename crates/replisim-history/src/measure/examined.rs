//! What figures need of the checkers: losses and stale reads, found once for all windows.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::{Class, Window, answers, share};
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

    /// How many of the writes acknowledged in the window were lost, and how many there are; `None` if nobody led at the
    /// end, or the run did not come to it.
    pub(super) fn lost(&self, window: Window) -> Option<(u64, u64)> {
        let inside = |at: &&u64| window.contains(self.run.history.operations[**at].completed);
        let lost = self.losses()?.lost.iter().filter(inside).count();
        Some((lost as u64, answers(self.run, window, Class::Writes).count() as u64))
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

    /// How many of the reads invoked in the window were stale, and of how many it is known.
    pub(super) fn stale(&self, window: Window) -> (u64, u64) {
        let report = self.staleness.get_or_init(|| staleness(&self.run.history));
        let inside = |at: u64| window.contains(self.run.history.operations[at].invoked);
        let stale = report.stale.iter().filter(|stale| inside(stale.operation)).count();
        (stale as u64, report.reads.iter().filter(|at| inside(**at)).count() as u64)
    }

    fn losses(&self) -> Option<&Losses> {
        self.losses.get_or_init(|| losses(&self.run.history).ok()).as_ref()
    }
}
