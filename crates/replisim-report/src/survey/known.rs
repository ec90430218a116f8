//! The failures of earlier campaigns, those of one kind told once, so that every format says the same of them.

use std::collections::BTreeMap;

use replisim_history::{KnownFailure, Replay};

use crate::number;

/// Known failures of one subject that violate the same check in the same shape. At least one of the two lists holds some.
pub struct KnownKind<'s> {
    /// The scenario's file, or the protocol's name.
    pub subject: &'s str,
    /// The check that was violated.
    pub check: &'s str,
    /// The shape of its witness.
    pub kind: &'s str,
    /// Those that are not fixed, as far as anybody knows, the smallest first.
    pub failing: Vec<&'s KnownFailure>,
    /// Those that are violated no more.
    pub fixed: Vec<&'s KnownFailure>,
    /// How many more there are that were not run again.
    pub untried: u64,
}

/// The kinds among known failures, by subject, check and shape.
pub fn kinds(known: &[KnownFailure]) -> Vec<KnownKind<'_>> {
    let mut kinds = BTreeMap::<_, KnownKind>::new();
    for failure in known {
        let (subject, check, kind) = (failure.subject.as_str(), failure.check.as_str(), failure.kind.as_str());
        let none = || KnownKind { subject, check, kind, failing: Vec::new(), fixed: Vec::new(), untried: 0 };
        let kind = kinds.entry((subject, check, kind)).or_insert_with(none);
        kind.untried += failure.untried;
        if failure.is_fixed() { &mut kind.fixed } else { &mut kind.failing }.push(failure);
    }
    kinds.into_values().collect()
}

impl KnownKind<'_> {
    /// What goes wrong: the check, and the shape.
    pub fn what(&self) -> String {
        format!("{}, {}", self.check, self.kind)
    }

    /// How many cases of it there are, and how many of those were not run again.
    pub fn cases(&self, run: usize) -> String {
        let cases = number::things(run as u64, "case");
        match self.untried {
            0 => cases,
            untried => format!("{cases}, {} more not run again", number::count(untried)),
        }
    }

    /// That it is not fixed, in a word: its check may be decided no more.
    pub fn word(&self) -> &'static str {
        if self.failing.iter().any(|failure| failure.is_violated()) { "still failing" } else { "not known to be fixed" }
    }

    /// How what is not fixed is run again, as far as that is told, the smallest first.
    pub fn replays(&self) -> impl Iterator<Item = &Replay> {
        self.failing.iter().map(|failure| &failure.replay).filter(|replay| replay.told().is_some())
    }
}
