//! What a campaign of many runs leaves behind: what [`crate::Run`] is to one run.

use serde::{Serialize, Serializer};

use crate::{Check, Replay, Sequel};

/// A finished campaign.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Survey {
    /// What was run, in the order in which it was asked for.
    pub subjects: Vec<SubjectSurvey>,
    /// The failures of earlier campaigns that were run again first.
    pub known: Vec<KnownFailure>,
    /// Whether it was broken off before it had done what was asked for.
    pub interrupted: bool,
}

/// A failure of an earlier campaign, run again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KnownFailure {
    /// The scenario's file, or the protocol's name.
    pub subject: String,
    /// The check that was violated.
    pub check: String,
    /// The shape of its witness.
    pub kind: String,
    /// The seed of the run in which it was found. The plan may be one that a search made up, so this does not stand for it.
    pub seed: u64,
    /// The digest of its plan.
    pub plan: String,
    /// What its case goes by: the first digits of the fingerprint. Empty if it cannot be run any more.
    pub id: String,
    /// The file of its case; `None` if it is gone, or cannot be run.
    pub case: Option<String>,
    /// How its case is run again. Untold if it is gone.
    #[serde(flatten)]
    pub replay: Replay,
    /// What has become of it; `None` if its case cannot be run any more.
    #[serde(serialize_with = "in_a_word")]
    pub became: Option<Sequel>,
    /// How many more of its kind are known that were not run again: enough of them had failed, and this was the last.
    pub untried: u64,
}

impl KnownFailure {
    /// Whether it is known to be gone. Nothing but a check that holds shows that.
    pub fn is_fixed(&self) -> bool {
        self.became == Some(Sequel::Gone)
    }

    /// Whether its check is violated, in whichever way.
    pub const fn is_violated(&self) -> bool {
        matches!(self.became, Some(Sequel::StillThere | Sequel::Another(_)))
    }
}

fn in_a_word<S: Serializer>(became: &Option<Sequel>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(became.as_ref().map_or("cannot be run", Sequel::word))
}

/// What the runs of one scenario came to.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SubjectSurvey {
    /// The scenario's file, or the protocol's name.
    pub name: String,
    /// The protocol, with its settings in a few words.
    pub system: String,
    /// Whether a swarm draws its faults. Without one, its runs differ by seed alone.
    pub swarm: bool,
    /// How many runs.
    pub runs: u64,
    /// How many of them are what their seed stands for; the search made the others up.
    pub fresh: u64,
    /// How many broke a promise or missed an expectation.
    pub failing: u64,
    /// Events of all runs.
    pub events: u64,
    /// The first seed; fresh runs have those that follow.
    pub seed_start: u64,
    /// Each check, in the scenario's order.
    pub checks: Vec<CheckTally>,
    /// Each distinct failure, smallest first.
    pub failures: Vec<FailureGroup>,
    /// At most this share of fresh runs breaks something, with a confidence of 95 %, as far as they decided every check;
    /// `None` if some run did, or if there are none of those.
    pub at_most: Option<f64>,
    /// How many cells were reached: states that met faults and operations.
    pub cells: u64,
    /// States of the protocol that no server was seen in.
    pub never_reached: Vec<String>,
    /// Faults that were planned and never struck.
    pub never_struck: Vec<String>,
    /// Checks that the scenario expects to be violated, and that no run violated.
    pub never_violated: Vec<Check>,
    /// How many runs were done twice.
    pub twice: u64,
    /// Of how many the second run was not the first again.
    pub differing: u64,
    /// Where two runs of the same differed: the first of these in the campaign's order.
    pub divergences: Vec<DivergenceInfo>,
}

/// How a check came out, in numbers of runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CheckTally {
    /// Which check.
    pub check: Check,
    /// It held, as promised or expected.
    pub kept: u64,
    /// It held, though nobody promised it.
    pub lucky: u64,
    /// It was violated, and nobody promised otherwise.
    pub anomalies: u64,
    /// It was violated against a promise or an expectation.
    pub broken: u64,
    /// It could not be decided.
    pub undecided: u64,
    /// How many fresh runs decided it. Only these are drawn at random: in the others, the search looks for violations.
    pub fresh_decided: u64,
    /// In how many of these it was violated.
    pub fresh_violated: u64,
}

/// A distinct failure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FailureGroup {
    /// The check that is violated.
    pub check: Check,
    /// The shape of its witness.
    pub kind: String,
    /// The last thing that a person would tell of the run before; empty if there was nothing.
    pub phase: String,
    /// What its case breaks besides, and was found as a failure of its own.
    pub also: Vec<Broken>,
    /// In how many runs it was found.
    pub runs: u64,
    /// After how many runs it was first found, the one that shows it included.
    pub first: u64,
    /// The seed of the smallest run that shows it.
    pub seed: u64,
    /// Whether the seed alone stands for that run, knobs included. If not, a search has made the plan up.
    pub fresh: bool,
    /// The digest of that run's plan, which a store knows it by.
    pub plan: String,
    /// The positions of the knobs in that run, as edits: `protocol.synchronous_commit=On`.
    pub knobs: Vec<String>,
    /// Those of them that its case still says: shrinking has left the others out, or changed them. `None` if it was not
    /// shrunk.
    pub knobs_left: Option<Vec<String>>,
    /// Its faults, in words.
    pub faults: Vec<String>,
    /// The kinds of its faults, in alphabetical order.
    pub struck: Vec<String>,
    /// How many operations its clients had; `None` if it was not shrunk.
    pub operations: Option<u32>,
    /// What it goes by: the first digits of its case's fingerprint. Empty as long as there is no case.
    pub id: String,
    /// The file of its case, which stands for the run whatever its seed does; `None` as long as there is none.
    pub case: Option<String>,
    /// The story in lines, where it was shrunk.
    pub story: Vec<String>,
    /// How it is run again.
    #[serde(flatten)]
    pub replay: Replay,
}

/// A check that is broken, and how.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Broken {
    /// The check that is violated.
    pub check: Check,
    /// The shape of its witness.
    pub kind: String,
    /// In how many runs it was found.
    pub runs: u64,
}

/// Two runs of the same plan that were not the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DivergenceInfo {
    /// The seed of both.
    pub seed: u64,
    /// Whether the seed alone stands for the plan, knobs included. If not, a search has made it up.
    pub fresh: bool,
    /// The digest of the plan.
    pub plan: String,
    /// What its case goes by; empty if none was kept.
    pub id: String,
    /// The file of its case; `None` if none was kept.
    pub case: Option<String>,
    /// How it is run again. Untold as long as nobody has kept its case.
    #[serde(flatten)]
    pub replay: Replay,
    /// The first event that differs, from one; if two more runs went the same way, one by which the first two had parted.
    pub event: u64,
    /// What one of the runs did then, in the first line that is told otherwise of the other.
    pub one: String,
    /// What the other did.
    pub other: String,
    /// Whether the one is what a store remembers: the code may have changed since.
    pub remembered: bool,
}

impl Survey {
    /// Whether no promise was broken, no run diverged, every scenario had a run and every check was decided in some, nothing
    /// that failed before fails still, and all was done that was asked for.
    pub fn is_fine(&self) -> bool {
        let fixed = self.known.iter().all(KnownFailure::is_fixed);
        self.subjects.iter().all(SubjectSurvey::is_fine) && fixed && !self.interrupted
    }

    /// How many runs, of all subjects.
    pub fn runs(&self) -> u64 {
        self.subjects.iter().map(|subject| subject.runs).sum()
    }

    /// How many distinct failures.
    pub fn failures(&self) -> usize {
        self.subjects.iter().map(|subject| subject.failures.len()).sum()
    }
}

impl FailureGroup {
    /// Whether the check is one of those that its case breaks.
    pub fn breaks(&self, check: Check) -> bool {
        self.check == check || self.also.iter().any(|also| also.check == check)
    }
}

impl SubjectSurvey {
    /// Whether no promise was broken, no run diverged, and every check was decided in some run. Nothing is known of a
    /// scenario without a run.
    pub fn is_fine(&self) -> bool {
        self.runs > 0 && self.failing == 0 && self.differing == 0 && self.never_decided().next().is_none()
    }

    /// How many divergences there are beside those that are told one by one.
    pub const fn untold(&self) -> u64 {
        self.differing.saturating_sub(self.divergences.len() as u64)
    }

    /// The checks that could not be decided in any run: nothing is known of them.
    pub fn never_decided(&self) -> impl Iterator<Item = Check> {
        let never = |tally: &&CheckTally| self.runs > 0 && tally.undecided == self.runs;
        self.checks.iter().filter(never).map(|tally| tally.check)
    }
}

impl CheckTally {
    /// In how many runs it could be decided.
    pub const fn decided(&self) -> u64 {
        self.kept + self.lucky + self.anomalies + self.broken
    }
}
