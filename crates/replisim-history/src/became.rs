//! What has become of an anomaly when its run is done again.

use crate::{Finding, Verdict};

/// What has become of an anomaly that was seen before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Became {
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

impl Became {
    /// What has become of an anomaly of this check and kind in a run of which this was found.
    pub fn of(check: &str, kind: &str, findings: &[Finding]) -> Became {
        let found = findings.iter().find(|finding| finding.check.name() == check);
        match found.map(|finding| &finding.verdict) {
            None => Became::NotLookedFor,
            Some(Verdict::Holds) => Became::Gone,
            Some(Verdict::Violated(witness)) if witness.kind == kind => Became::StillThere,
            Some(Verdict::Violated(witness)) => Became::Another(witness.kind.clone()),
            Some(Verdict::Unknown(limit)) => Became::Unknown(limit.to_string()),
        }
    }

    /// The same in a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Became::StillThere => "still there",
            Became::Another(_) => "another",
            Became::Gone => "gone",
            Became::NotLookedFor => "not looked for",
            Became::Unknown(_) => "unknown",
        }
    }
}
