//! What a report is about: a run, what was measured of it, and what was promised and expected.

use std::time::Duration;

use replisim_history::measure::Unit;
use replisim_history::{Finding, Promise, Run};

/// A run together with all that a report says of it.
#[derive(Clone, Debug)]
pub struct RunReport<'a> {
    /// The scenario's name in words: `stale read after write`.
    pub title: String,
    /// The scenario's file, as it was given.
    pub file: String,
    /// What the scenario is about, in prose. Line breaks mean nothing.
    pub about: &'a str,
    /// The system under test with the settings that matter: `PostgreSQL, FIRST 1 (s1, s2)`.
    pub system: String,
    /// What happened.
    pub run: &'a Run,
    /// Each check with its verdict, in the order of the report.
    pub findings: Vec<JudgedFinding>,
    /// The scenario's own measures.
    pub bounds: Vec<MeasuredBound>,
    /// How long the run took on the wall clock, in seconds; `None` where output must not differ between two runs.
    pub elapsed: Option<f64>,
    /// The command that runs it again.
    pub replay: String,
    /// The command that runs the sibling scenario in which the anomaly is cured.
    pub cure: Option<String>,
    /// The command that runs the sibling scenario whose anomaly is cured in this one.
    pub anomaly: Option<String>,
}

/// A check's result, beside what the system promises and what the scenario expects.
#[derive(Clone, PartialEq, Debug)]
pub struct JudgedFinding {
    /// What was found.
    pub finding: Finding,
    /// What the system says of it, for this configuration and these faults.
    pub promise: Promise,
    /// Whether the scenario expects the check to hold; `None` if it says nothing.
    pub expected_to_hold: Option<bool>,
    /// Whether the verdict is what the scenario expects or, where it expects nothing, breaks no promise. An unknown one
    /// never is.
    pub as_expected: bool,
}

/// A figure that a scenario asks for, and the bounds that it must keep.
#[derive(Clone, PartialEq, Debug)]
pub struct MeasuredBound {
    /// What is measured, in the scenario's words.
    pub name: String,
    /// The figure; `None` if the run gives none.
    pub value: Option<f64>,
    /// In what it is counted, as are the bounds.
    pub unit: Unit,
    /// The least it may be.
    pub at_least: Option<f64>,
    /// The most it may be.
    pub at_most: Option<f64>,
    /// Whether it keeps its bounds. A figure that is missing does not.
    pub ok: bool,
}

impl RunReport<'_> {
    /// The same, with how long the run took on the wall clock.
    pub fn timed(self, elapsed: Duration) -> Self {
        RunReport { elapsed: Some(elapsed.as_secs_f64()), ..self }
    }

    /// Whether the run came out as its scenario says: every verdict as expected, every bound kept.
    pub fn as_expected(&self) -> bool {
        self.findings.iter().all(|judged| judged.as_expected) && self.bounds.iter().all(|bound| bound.ok)
    }
}

impl JudgedFinding {
    /// Whether the system promises that the check holds.
    pub fn is_promised(&self) -> bool {
        self.promise == Promise::Promised
    }

    /// Whether the system promised that the check holds, and it does not.
    pub fn breaks_promise(&self) -> bool {
        self.is_promised() && self.finding.verdict.witness().is_some()
    }
}
