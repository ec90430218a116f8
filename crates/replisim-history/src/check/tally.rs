//! What a checker counts, and the finding that follows from the counts.

use crate::{Check, Finding, Limit, Verdict, Witness};

/// How many things a checker looked at, and what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Tally {
    /// How many break the guarantee.
    pub broken: u64,
    /// How many were looked at.
    pub of: u64,
    /// How many of those could not be decided, for the order of versions is not known.
    pub unknown: u64,
    /// How many were left out because nothing of their kind can be decided: sums of counters.
    pub unjudged: u64,
}

impl Tally {
    /// The finding: violated if there is a witness, unknown if anything stayed open, else it holds.
    pub(super) fn conclude(self, check: Check, unit: &str, witness: Option<Witness>) -> Finding {
        let verdict = match witness {
            Some(witness) => Verdict::Violated(witness),
            None if self.unknown > 0 => Verdict::Unknown(Limit::UnknownOrder { reads: self.unknown }),
            None if self.of > 0 => Verdict::Holds,
            None if self.unjudged > 0 => Verdict::Unknown(Limit::UnknownOrder { reads: self.unjudged }),
            None => Verdict::Unknown(Limit::NothingToCheck),
        };
        Finding { check, verdict, broken: self.broken, of: self.of, unit: unit.to_owned() }
    }
}

/// A finding that could not be made.
pub(super) fn undecided(check: Check, unit: &str, limit: Limit) -> Finding {
    Finding { check, verdict: Verdict::Unknown(limit), broken: 0, of: 0, unit: unit.to_owned() }
}
