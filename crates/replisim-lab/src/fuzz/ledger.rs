//! What a campaign asks of whoever remembers what it has done.

use std::sync::Arc;
use std::time::Duration;

use replisim_history::Cell;

use super::attempt::{Attempt, AttemptResult};
use super::twice::Divergence;
use crate::store::Place;

/// Says how much time has passed on the wall since some moment, which is always the same one. Whoever runs a campaign hands
/// it in, for nothing below looks at a clock by itself. Nothing that is decided depends on what it says.
pub type Clock = fn() -> Duration;

/// A run of a campaign.
#[derive(Clone, Debug)]
pub struct CampaignRun {
    /// What was tried.
    pub attempt: Arc<Attempt>,
    /// What came of it.
    pub result: AttemptResult,
    /// Whether that was remembered, and not done now.
    pub recalled: bool,
    /// How long it took by [`Ledger::clock`], if there is one and the run was done now.
    pub elapsed: Option<Duration>,
    /// Whether it was done once more to be compared.
    pub twice: bool,
    /// How the two runs differed then, if they did.
    pub divergence: Option<Divergence>,
}

/// Remembers what a campaign has done.
pub trait Ledger {
    /// What came of this place, if it has been done before. Its cells need only be those that were new.
    fn recall(&mut self, place: Place) -> Option<AttemptResult>;

    /// Takes note of a run. `new` are the cells that [`Lot::learn`](super::Lot::learn) found new.
    fn record(&mut self, place: Place, run: &CampaignRun, new: &[Cell]);

    /// By what runs are timed, if their times are to be kept.
    fn clock(&self) -> Option<Clock> {
        None
    }

    /// Whether it can take note of nothing more, so that there is no use in going on.
    fn is_broken(&self) -> bool {
        false
    }
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoLedger;

impl Ledger for NoLedger {
    fn recall(&mut self, _: Place) -> Option<AttemptResult> {
        None
    }

    fn record(&mut self, _: Place, _: &CampaignRun, _: &[Cell]) {}
}
