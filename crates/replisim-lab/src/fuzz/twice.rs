//! A run done twice must be the same run. Where it is not, something in it draws on chance that the seed does not fix: the
//! order of a hash map, a clock, an address.

use std::sync::Arc;

use replisim_history::{Run, TraceLine};

use super::attempt::{Attempt, AttemptResult};
use crate::Case;

/// Where two runs of one attempt went different ways.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// What was run twice.
    pub attempt: Arc<Attempt>,
    /// The number of the first event that was not the same, from one. Where two more runs went the same way, that of an
    /// event by which the first two had parted.
    pub event: u64,
    /// What the first run did then, in the first line of its trace that is not the other's; empty if it had ended.
    pub one: String,
    /// What the second did.
    pub other: String,
    /// Whether the first is one that a store remembers. Then the code may have changed since, and there is no hidden chance.
    pub remembered: bool,
}

/// Runs an attempt twice, side by side, and finds the first event at which they differ. `None` if they do not: what is
/// drawn from hidden chance may well be drawn the same twice.
pub fn compare(attempt: &Arc<Attempt>) -> Option<Divergence> {
    let begin = || attempt.variant.experiment.enact(attempt.plan.clone(), true);
    let (mut one, mut other) = (begin(), begin());
    while one.fingerprint() == other.fingerprint() {
        match (one.step(), other.step()) {
            (true, true) => {}
            (false, false) if one.fingerprint() == other.fingerprint() => return None,
            _ => break,
        }
    }
    // What differs before the first event differs by it.
    let event = one.events().max(other.events()).max(1);
    // What differed there, as when a timer will fire, a trace may tell only later.
    one.advance(u64::MAX);
    other.advance(u64::MAX);
    let (one, other) = told(&one.break_off(), &other.break_off());
    Some(Divergence { attempt: attempt.clone(), event, one, other, remembered: false })
}

impl Divergence {
    /// That of two runs which were seen to differ at their end, while two more went the same way. Hidden chance may well do
    /// that, but it is there, unless the first run is `remembered`.
    pub(super) fn at_end(attempt: &Arc<Attempt>, one: &AttemptResult, other: &AttemptResult, remembered: bool) -> Self {
        let told =
            |run: &AttemptResult| format!("ends after {} events with fingerprint {}", run.events, run.fingerprint);
        let event = if one.events == other.events { one.events } else { one.events.min(other.events) + 1 };
        Divergence { attempt: attempt.clone(), event, one: told(one), other: told(other), remembered }
    }

    /// The attempt run once more, as a case. What it draws on that the seed does not fix it draws anew each time, so the
    /// case's fingerprint is one of several.
    pub fn case(&self) -> Case {
        self.attempt.case()
    }
}

/// The first line of each trace that is not the other's; nothing of the one that had ended.
fn told(one: &Run, other: &Run) -> (String, String) {
    let lines = |run: &Run| -> Vec<TraceLine> { run.trace.iter().flat_map(|trace| &trace.lines).cloned().collect() };
    let (one, other) = (lines(one), lines(other));
    let alike = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    if alike == one.len() && alike == other.len() {
        return (UNTOLD.to_owned(), UNTOLD.to_owned());
    }
    let line = |lines: &[TraceLine]| {
        lines.get(alike).map_or_else(String::new, |line| format!("{}  {}  {}", line.at, line.subject, line.text))
    };
    (line(&one), line(&other))
}

/// What two runs did whose traces are alike.
const UNTOLD: &str = "something that no line of the trace tells of";
