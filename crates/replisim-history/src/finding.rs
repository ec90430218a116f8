//! Verdicts: a check holds, is violated with a witness that a person can verify, or is unknown and says why.

use std::fmt;
use std::str::FromStr;

use replisim_kernel::SimTime;
use serde::{Deserialize, Serialize};

use crate::words::{count, span};

/// A guarantee that can be checked over a [`crate::History`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Check {
    /// Every acknowledged write is part of the final history.
    NoLostWrites,
    /// A session's read reflects its own earlier writes (Terry et al. 1994).
    ReadYourWrites,
    /// A session's reads never go back in time (Terry et al. 1994).
    MonotonicReads,
    /// A session's writes are seen in the order it made them (Terry et al. 1994).
    MonotonicWrites,
    /// Who sees a write sees what its author had read before it (Terry et al. 1994).
    WritesFollowReads,
    /// A reply is never seen before its message, however long the chain of replies: causal order.
    CausalOrder,
    /// No read is stale: none misses a version that was acknowledged before the read began.
    FreshReads,
    /// After the faults have ended, every replica comes to hold the same data.
    Convergence,
    /// No read returns what was never written: by nobody, or by an operation that certainly failed (Adya's G1a). It is made
    /// on every run, whatever else is checked, and every system promises it.
    NoThinAirReads,
    /// No process panicked. It is made on every run, whatever else is checked, and every system promises it.
    NoPanic,
}

/// What a system says of a check, for the configuration and the faults of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Promise {
    /// It promises that the check holds.
    Promised,
    /// It does not, for the reason given.
    NotPromised(String),
}

/// The result of a check.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing in the history breaks it.
    Holds,
    /// The history breaks it, and the witness shows where.
    Violated(Witness),
    /// It could not be decided. Never to be taken for [`Verdict::Holds`].
    Unknown(Limit),
}

/// Why a check could not be decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Limit {
    /// The history holds nothing that the check could look at.
    NothingToCheck,
    /// The order of a key's versions is not known, so its reads cannot be placed.
    UnknownOrder {
        /// How many reads could not be placed.
        reads: u64,
    },
    /// The history does not tell whether acknowledged writes were lost.
    UnknownLoss {
        /// Of how many writes.
        writes: u64,
    },
    /// No replica was up at the end of the quiet phase.
    NobodyUp,
    /// So many replicas were down at the end, and nobody knows what they hold.
    SomeDown {
        /// How many.
        replicas: u64,
    },
    /// No replica led at the end of the quiet phase.
    NobodyLed,
    /// The run was broken off before it came to its end.
    BrokenOff {
        /// When, in nanoseconds of true time.
        #[serde(with = "nanos")]
        at: SimTime,
    },
    /// When the quiet phase was over, replicas still changed, or something was on its way to them.
    Unsettled,
    /// A panic cut the run short.
    Panicked,
}

/// Evidence against a check, small enough for a person to verify by hand.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Witness {
    /// The shape of the anomaly in two or three words: `write vanished`, `older than own write`.
    pub kind: String,
    /// The story, in order of time.
    pub lines: Vec<WitnessLine>,
    /// The operations it rests on, as positions in [`crate::History::operations`].
    pub operations: Vec<u64>,
}

/// One line of a witness.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WitnessLine {
    /// Who: a session or a node. Node ids in all three texts print as `node0`, `node1`, …, and reports put names in.
    pub who: String,
    /// Did or saw what.
    pub what: String,
    /// When, in nanoseconds of true time.
    #[serde(with = "nanos")]
    pub at: SimTime,
    /// What to make of it.
    pub remark: String,
}

/// A check's verdict with its numbers and what was promised.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// Its result.
    pub verdict: Verdict,
    /// How many of the things looked at break it.
    pub broken: u64,
    /// How many were looked at.
    pub of: u64,
    /// What they are, in the plural: `reads`, `acknowledged writes`, `replicas`.
    pub unit: String,
}

impl Check {
    /// Every check, in the order of reports.
    pub const ALL: [Check; 10] = [
        Check::NoLostWrites,
        Check::ReadYourWrites,
        Check::MonotonicReads,
        Check::MonotonicWrites,
        Check::WritesFollowReads,
        Check::CausalOrder,
        Check::FreshReads,
        Check::Convergence,
        Check::NoThinAirReads,
        Check::NoPanic,
    ];

    /// What is checked on every run, whatever else is, and what every system promises.
    pub const ALWAYS: [Check; 2] = [Check::NoThinAirReads, Check::NoPanic];

    /// What may be asked of a system's data, and promised or not: every check but those of [`Check::ALWAYS`].
    pub const OF_DATA: [Check; 8] = {
        let [data @ .., Check::NoThinAirReads, Check::NoPanic] = Check::ALL else {
            panic!("what every system promises comes last")
        };
        data
    };

    /// Whether it asks what the replicas hold once all is quiet.
    pub const fn asks_for_the_end(self) -> bool {
        match self {
            Check::NoLostWrites | Check::Convergence => true,
            Check::ReadYourWrites
            | Check::MonotonicReads
            | Check::MonotonicWrites
            | Check::WritesFollowReads
            | Check::CausalOrder
            | Check::FreshReads
            | Check::NoThinAirReads
            | Check::NoPanic => false,
        }
    }

    /// The check's name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Check::NoLostWrites => "NoLostWrites",
            Check::ReadYourWrites => "ReadYourWrites",
            Check::MonotonicReads => "MonotonicReads",
            Check::MonotonicWrites => "MonotonicWrites",
            Check::WritesFollowReads => "WritesFollowReads",
            Check::CausalOrder => "CausalOrder",
            Check::FreshReads => "FreshReads",
            Check::Convergence => "Convergence",
            Check::NoThinAirReads => "NoThinAirReads",
            Check::NoPanic => "NoPanic",
        }
    }

    /// The check in plain words, as a report prints it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Check::NoLostWrites => "no acknowledged write lost",
            Check::ReadYourWrites => "read your writes",
            Check::MonotonicReads => "monotonic reads",
            Check::MonotonicWrites => "monotonic writes",
            Check::WritesFollowReads => "writes follow reads",
            Check::CausalOrder => "a reply never before its message",
            Check::FreshReads => "no stale read",
            Check::Convergence => "convergence",
            Check::NoThinAirReads => "nothing read that was never written",
            Check::NoPanic => "no process panicked",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Check {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Check::ALL.map(Check::name).join(", ");
        let found = Check::ALL.into_iter().find(|check| check.name() == text);
        found.ok_or_else(|| format!("`{text}` is not a check: these are {}", names()))
    }
}

impl Verdict {
    /// `holds`, `violated` or `unknown`.
    pub const fn word(&self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Violated(_) => "violated",
            Verdict::Unknown(_) => "unknown",
        }
    }

    /// What shows that the check is violated, if it is.
    pub const fn witness(&self) -> Option<&Witness> {
        match self {
            Verdict::Violated(witness) => Some(witness),
            Verdict::Holds | Verdict::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::NothingToCheck => f.write_str("the history holds nothing to check"),
            Limit::UnknownOrder { reads } => {
                let s = if *reads == 1 { "" } else { "s" };
                write!(f, "the order of versions is not known for {} read{s}", count(*reads))
            }
            Limit::UnknownLoss { writes } => {
                let (s, were) = if *writes == 1 { ("", "was") } else { ("s", "were") };
                write!(f, "the history does not tell whether {} acknowledged write{s} {were} lost", count(*writes))
            }
            Limit::NobodyUp => f.write_str("no replica was up at the end"),
            Limit::SomeDown { replicas: 1 } => f.write_str("a replica was down at the end"),
            Limit::SomeDown { replicas } => write!(f, "{} replicas were down at the end", count(*replicas)),
            Limit::NobodyLed => f.write_str("no replica led at the end"),
            Limit::BrokenOff { at } => {
                write!(f, "the run was broken off at {}", span(at.since(SimTime::ZERO)))
            }
            Limit::Unsettled => f.write_str("something was still under way when the quiet phase was over"),
            Limit::Panicked => f.write_str("a panic cut the run short"),
        }
    }
}

mod nanos {
    use replisim_kernel::SimTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &SimTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(at.as_nanos())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SimTime, D::Error> {
        u64::deserialize(deserializer).map(SimTime::from_nanos)
    }
}
