//! What a smaller scenario must come to, and what it must not change, to be the same failure.

use replisim_history::{Check, Finding, Run};

use super::claim::{Claim, only_leaves_out};
use crate::{Experiment, Scenario};

/// What every smaller scenario must still break, and how.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Aim {
    pub check: Check,
    /// The witness's kind.
    pub kind: String,
    /// Where in the code something panics, if that is what is wrong: two places may say the same.
    pub place: Option<String>,
    pub ground: Ground,
}

/// Why it is wrong that the check is violated. On this ground every smaller scenario must stand, too: where the protocol
/// promises nothing, what breaks is no mistake any more.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Ground {
    /// The protocol promises that it holds.
    Promise,
    /// The scenario says that it holds.
    Claim(Box<Claim>),
    /// It is not wrong.
    Allowed,
}

impl Aim {
    /// Whether a finding is this, in the run that it is of.
    pub fn is_met_by(&self, finding: &Finding, run: &Run) -> bool {
        let violated = finding.verdict.witness().is_some_and(|witness| witness.kind == self.kind);
        let place = run.history.panic.as_ref().map(|panic| &panic.place);
        finding.check == self.check && violated && (self.place.is_none() || self.place.as_ref() == place)
    }

    /// Whether a smaller scenario may take the place of one that stands on this ground, as far as can be said without a look
    /// at what is promised.
    pub fn allows(&self, whole: &Scenario, smaller: &Scenario) -> bool {
        match &self.ground {
            Ground::Claim(claim) => claim.covers(smaller) && only_leaves_out(whole, smaller),
            Ground::Promise | Ground::Allowed => true,
        }
    }

    /// Whether the check's violation would be wrong in an experiment for the reason that it is wrong at all.
    pub fn is_grounded_in(&self, experiment: &Experiment) -> bool {
        match &self.ground {
            Ground::Promise => experiment.promises_that(self.check),
            Ground::Claim(claim) => claim.covers(&experiment.scenario),
            Ground::Allowed => true,
        }
    }
}
