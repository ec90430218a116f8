//! Compares what was found with what was expected and promised.
//!
//! A violated check is not yet a failure. Losing a write under asynchronous replication is what was promised, and a
//! scenario that shows an anomaly expects it:
//!
//! | the scenario expects | the protocol promises | holds | violated | unknown |
//! |---|---|---|---|---|
//! | `Holds` | | as expected | **unexpected** | **undecided** |
//! | `Violated` | | **unexpected** | as expected | **undecided** |
//! | nothing | it | promise kept | **promise broken** | **undecided** |
//! | nothing | nothing | holds anyway | allowed anomaly | **undecided** |
//!
//! What is printed in bold fails the run. An expectation outweighs a promise: who writes it down has looked.

use std::collections::BTreeMap;

use replisim_history::measure::{Examined, Unit, Window};
use replisim_history::{Check, Finding, Promise, Run, Verdict};
use replisim_kernel::{SimTime, Span};

use crate::scenario::{Bound, Expected, Scenario};

/// What to think of a run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Judgement {
    /// Each check that is made, in the order of [`Scenario::checks_made`].
    pub checks: Vec<JudgedCheck>,
    /// Each bounded measure, in the scenario's order.
    pub measures: Vec<JudgedMeasure>,
}

/// What to think of a check's verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JudgedCheck {
    /// Which check.
    pub check: Check,
    /// What the scenario expects of it.
    pub expected: Option<Expected>,
    /// Whether the protocol promises it.
    pub promised: bool,
    /// How the verdict compares with both.
    pub standing: Standing,
}

/// What to think of a measure.
#[derive(Clone, PartialEq, Debug)]
pub struct JudgedMeasure {
    /// Its name in the scenario.
    pub name: String,
    /// What was measured; `None` where there was nothing to measure.
    pub value: Option<f64>,
    /// In what.
    pub unit: Unit,
    /// Whether it lies within its bounds. What was not measured does not.
    pub within: bool,
}

/// How a verdict compares with what was expected and promised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// The scenario expects this verdict.
    AsExpected,
    /// The scenario expects the other verdict.
    Unexpected,
    /// It holds, as promised.
    PromiseKept,
    /// It is violated, though the protocol promises it.
    PromiseBroken,
    /// It holds, though nobody promised it.
    HoldsAnyway,
    /// It is violated, and nobody promised otherwise.
    AllowedAnomaly,
    /// It could not be decided.
    Undecided,
}

impl Judgement {
    /// Judges what the checks found and what the run measures.
    pub fn of(scenario: &Scenario, promises: &BTreeMap<Check, Promise>, findings: &[Finding], run: &Run) -> Self {
        let judge = |check| {
            let finding = findings.iter().find(|finding| finding.check == check);
            judge_check(scenario, promises, check, finding.map(|finding| &finding.verdict))
        };
        let checks = scenario.checks_made().into_iter().map(judge).collect();
        let examined = Examined::of(run);
        let measures = scenario.measures.iter().map(|(name, bound)| judge_measure(name, bound, &examined)).collect();
        Judgement { checks, measures }
    }

    /// Whether every expectation was met, every promise kept, and everything decided.
    pub fn is_fine(&self) -> bool {
        self.checks.iter().all(|it| it.standing.is_fine()) && self.measures.iter().all(|it| it.within)
    }

    /// The same of one check alone; one that was not made is not fine.
    pub fn is_fine_with(&self, check: Check) -> bool {
        self.checks.iter().any(|it| it.check == check && it.standing.is_fine())
    }
}

impl Standing {
    /// How a verdict stands; a missing one is undecided.
    pub const fn of(expected: Option<Expected>, promised: bool, verdict: Option<&Verdict>) -> Self {
        match (verdict, expected, promised) {
            (None | Some(Verdict::Unknown(_)), _, _) => Standing::Undecided,
            (Some(verdict), Some(expected), _) if expected.is_met_by(verdict) => Standing::AsExpected,
            (Some(_), Some(_), _) => Standing::Unexpected,
            (Some(Verdict::Holds), None, true) => Standing::PromiseKept,
            (Some(Verdict::Holds), None, false) => Standing::HoldsAnyway,
            (Some(Verdict::Violated(_)), None, true) => Standing::PromiseBroken,
            (Some(Verdict::Violated(_)), None, false) => Standing::AllowedAnomaly,
        }
    }

    /// Whether a run may end well with it.
    pub const fn is_fine(self) -> bool {
        match self {
            Standing::AsExpected | Standing::PromiseKept | Standing::HoldsAnyway | Standing::AllowedAnomaly => true,
            Standing::Unexpected | Standing::PromiseBroken | Standing::Undecided => false,
        }
    }

    /// The standing as a report prints it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Standing::AsExpected => "as expected",
            Standing::Unexpected => "not as expected",
            Standing::PromiseKept => "promised",
            Standing::PromiseBroken => "promise broken",
            Standing::HoldsAnyway | Standing::AllowedAnomaly => "not promised",
            Standing::Undecided => "undecided",
        }
    }
}

fn judge_check(
    scenario: &Scenario,
    promises: &BTreeMap<Check, Promise>,
    check: Check,
    verdict: Option<&Verdict>,
) -> JudgedCheck {
    let expected = scenario.expect.get(&check).copied();
    let promised = matches!(promises.get(&check), Some(Promise::Promised));
    JudgedCheck { check, expected, promised, standing: Standing::of(expected, promised, verdict) }
}

fn judge_measure(name: &str, bound: &Bound, examined: &Examined<'_>) -> JudgedMeasure {
    let instant = |span: Span| SimTime::ZERO + span;
    let window = bound.during.map(|(from, to)| Window { from: instant(from), to: instant(to) });
    let value = bound.what.evaluate(examined, window);
    let within = value.is_some_and(|value| bound.admits(value));
    JudgedMeasure { name: name.to_owned(), value, unit: bound.what.unit(), within }
}

#[cfg(test)]
mod tests {
    use replisim_history::{Limit, Witness};

    use super::*;

    #[test]
    fn only_what_was_expected_or_promised_can_fail_and_unknown_always_does() {
        let violated = Verdict::Violated(Witness { kind: String::new(), lines: Vec::new(), operations: Vec::new() });
        let unknown = Verdict::Unknown(Limit::NothingToCheck);
        let fine = |expected, promised, verdict| Standing::of(expected, promised, verdict).is_fine();
        for promised in [true, false] {
            for expected in [None, Some(Expected::Holds), Some(Expected::Violated)] {
                assert!(!fine(expected, promised, Some(&unknown)));
                assert!(!fine(expected, promised, None));
            }
            assert!(fine(Some(Expected::Holds), promised, Some(&Verdict::Holds)));
            assert!(fine(Some(Expected::Violated), promised, Some(&violated)));
            assert!(!fine(Some(Expected::Violated), promised, Some(&Verdict::Holds)));
            assert!(!fine(Some(Expected::Holds), promised, Some(&violated)));
            assert!(fine(None, promised, Some(&Verdict::Holds)));
            assert_eq!(fine(None, promised, Some(&violated)), !promised);
        }
    }
}
