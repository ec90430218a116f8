//! What a store holds, as plain data: a manifest, and what its runs left.

use std::time::Duration;

use replisim_kernel::{Digest, Span};

use crate::scenario::Outline;

/// What a campaign runs. Everything that its runs follow from stands here, so two campaigns with one digest may share
/// their results.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Manifest {
    /// The version of replisim.
    pub version: String,
    /// The settings in their canonical text: how many runs, the size of a lot, the first seed, guided or not.
    pub settings: String,
    /// What is run. A subject's number is its position here.
    pub subjects: Vec<Subject>,
}

/// One scenario of a campaign.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Subject {
    /// What it is called: the scenario's path as it was given. Known failures are known under this name.
    pub name: String,
    /// The scenario's text, edits included.
    pub scenario: String,
    /// The names of its checks, in the scenario's order: what the characters of [`RunRow::verdicts`] stand for.
    pub checks: Vec<String>,
}

/// Where a run stands in its campaign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The number of the subject.
    pub subject: u32,
    /// The number of the lot, which any worker may run.
    pub lot: u32,
    /// The position in the lot. What is run here follows from the manifest and from the lot's earlier places.
    pub place: u32,
}

/// How a run was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// Drawn from its seed alone.
    Fresh,
    /// Another run of the lot, changed.
    Mutant,
}

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RunRow {
    /// Where it stands.
    pub at: Place,
    /// How it was found.
    pub origin: Origin,
    /// Its seed.
    pub seed: u64,
    /// The digest of its plan: seed, knobs and faults.
    pub plan: Digest,
    /// Its fingerprint.
    pub fingerprint: Digest,
    /// How many events it took.
    pub events: u64,
    /// How long it was in simulated time.
    pub simulated: Span,
    /// One character for each check, in the scenario's order; what they mean is in [`Mark`].
    pub verdicts: String,
    /// Whether the run fails its campaign.
    pub failed: bool,
    /// What the search has to remember of it, as it writes that: the kinds of its faults, how many operations it had, and
    /// the coverage cells that were new to those of its lot with which it competes. Opaque here.
    pub cells: Vec<u8>,
}

/// How a check stands after a run: one character of [`RunRow::verdicts`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mark {
    /// `.`: it holds, and was promised or expected to.
    Kept,
    /// `,`: it holds, and nobody promised it.
    Lucky,
    /// `a`: it is violated, and nobody promised otherwise.
    Anomaly,
    /// `x`: it is violated, against a promise or an expectation.
    Broken,
    /// `?`: it could not be decided.
    Undecided,
}

/// A check that failed in a run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FailureRow {
    /// Where the run stands, which must be in the store or in the same [`Record`].
    pub at: Place,
    /// The name of the check.
    pub check: String,
    /// The shape of the anomaly, as its witness tells it.
    pub kind: String,
    /// In which phase of the run it came about.
    pub phase: String,
    /// How many faults the case holds.
    pub faults: u32,
    /// How many operations the case holds.
    pub operations: u32,
    /// A case that replays it, or nothing. Of several for one failure the smallest is kept.
    pub case: String,
}

/// A run that came out otherwise when it was done again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DivergenceRow {
    /// Where the run stands, which must be in the store or in the same [`Record`].
    pub at: Place,
    /// The first event that was not the same, from one.
    pub event: u64,
    /// What the first run did then; empty if it had ended.
    pub one: String,
    /// What the second did.
    pub other: String,
    /// Whether the first is one that the store remembered: the code may have changed since.
    pub remembered: bool,
    /// A case that replays the plan. Of several rows for one run the least is kept.
    pub case: String,
}

/// A coverage cell that a lot reached. In how many of its runs is not kept: a run that was done before the campaign was
/// resumed tells only of cells that were new then.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CellRow {
    /// The first place of the lot that reached it. Of several for one lot the earliest is kept.
    pub at: Place,
    /// The cell, as the search writes it. Opaque here.
    pub cell: Vec<u8>,
    /// The cell in words.
    pub words: String,
}

/// A failure that outlives its campaign: the next one runs it first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KnownRow {
    /// The name of the subject.
    pub subject: String,
    /// The digest of the subject's text: a scenario that has been changed since is another one.
    pub scenario: Digest,
    /// The seed.
    pub seed: u64,
    /// The digest of the plan.
    pub plan: Digest,
    /// The name of the check.
    pub check: String,
    /// The shape of the anomaly.
    pub kind: String,
    /// What became of it.
    pub status: Status,
    /// The version of replisim that saw it last.
    pub version: String,
    /// A case that replays it.
    pub case: String,
}

/// What became of a known failure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Status {
    /// It was run again, and its check held.
    Fixed,
    /// It fails, or nobody knows that it does not.
    Failing,
}

/// All that one run leaves; it is committed together or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What it came to.
    pub run: RunRow,
    /// The checks that failed. Each that has a case becomes known as failing.
    pub failures: Vec<FailureRow>,
    /// The cells that were new to those of its lot with which it competes.
    pub cells: Vec<CellRow>,
    /// How it came out when it was done again, if that was otherwise.
    pub divergence: Option<DivergenceRow>,
    /// How long it took on the wall, where somebody looked. Never part of a merged store or of a digest.
    pub elapsed: Option<Duration>,
}

impl Manifest {
    /// What the campaign is known by: the digest of everything in it.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

impl Subject {
    /// The digest of what its text says.
    pub fn digest(&self) -> Digest {
        digest_of(&self.scenario)
    }
}

/// The digest of what a scenario's text says: comments and white space change nothing.
pub fn digest_of(scenario: &str) -> Digest {
    Digest::of(&Outline::of(scenario).bare())
}

impl Origin {
    /// As the store writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Origin::Fresh => "fresh",
            Origin::Mutant => "mutant",
        }
    }
}

impl Mark {
    /// Every mark.
    pub const ALL: [Mark; 5] = [Mark::Kept, Mark::Lucky, Mark::Anomaly, Mark::Broken, Mark::Undecided];

    /// The letter that a store writes for it.
    pub const fn letter(self) -> char {
        match self {
            Mark::Kept => '.',
            Mark::Lucky => ',',
            Mark::Anomaly => 'a',
            Mark::Broken => 'x',
            Mark::Undecided => '?',
        }
    }

    /// The mark that a letter stands for.
    pub fn from_letter(letter: char) -> Option<Self> {
        Mark::ALL.into_iter().find(|mark| mark.letter() == letter)
    }
}

impl Status {
    /// As the store writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Fixed => "fixed",
            Status::Failing => "failing",
        }
    }
}

impl From<RunRow> for Record {
    fn from(run: RunRow) -> Self {
        Record { run, failures: Vec::new(), cells: Vec::new(), divergence: None, elapsed: None }
    }
}

/// A digest as the store writes it: its most significant byte first, as it is printed.
pub(super) fn blob(digest: Digest) -> [u8; 16] {
    digest.0.to_be_bytes()
}
