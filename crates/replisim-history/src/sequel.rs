//! What has become of an anomaly when its run is done again.

use crate::{Finding, Verdict};

/// What has become of an anomaly that was seen before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sequel {
    /// It is still there.
    StillThere,
    /// The check is violated in another way, of this kind.
    Another(String),
    /// The check holds.
    Gone,
    /// Nobody made the check, so that it was not found says nothing.
    NotLookedFor,
    /// The check could not be decided: the limit that was hit.
    Unknown(String),
}

impl Sequel {
    /// What has become of an anomaly of this check and kind in a run of which this was found.
    pub fn of(check: &str, kind: &str, findings: &[Finding]) -> Sequel {
        let found = findings.iter().find(|finding| finding.check.name() == check);
        match found.map(|finding| &finding.verdict) {
            None => Sequel::NotLookedFor,
            Some(Verdict::Holds) => Sequel::Gone,
            Some(Verdict::Violated(witness)) if witness.kind == kind => Sequel::StillThere,
            Some(Verdict::Violated(witness)) => Sequel::Another(witness.kind.clone()),
            Some(Verdict::Unknown(limit)) => Sequel::Unknown(limit.to_string()),
        }
    }

    /// The same in a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Sequel::StillThere => "still there",
            Sequel::Another(_) => "another",
            Sequel::Gone => "gone",
            Sequel::NotLookedFor => "not looked for",
            Sequel::Unknown(_) => "unknown",
        }
    }
}
