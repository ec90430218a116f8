//! A run done twice must be the same run. Where it is not, something in it draws on chance that the seed does not fix: the
//! order of a hash map, a clock, an address.

use std::sync::Arc;

use replisim_history::Run;

use super::attempt::{Attempt, Tried};
use crate::Case;

/// Where two runs of one attempt went different ways.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// What was run twice.
    pub attempt: Arc<Attempt>,
    /// The number of the first event that was not the same, from one.
    pub event: u64,
    /// What the first run did there, as its trace tells it; empty if it had ended.
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
    let event = one.events().max(other.events());
    let (one, other) = (one.stop(), other.stop());
    let line = first_difference(&one, &other);
    let (one, other) = (told(&one, line), told(&other, line));
    Some(Divergence { attempt: attempt.clone(), event, one, other, remembered: false })
}

impl Divergence {
    /// That of two runs which were seen to differ at their end, while two more went the same way. Hidden chance may well do
    /// that, but it is there, unless the first run is `remembered`.
    pub(super) fn at_end(attempt: &Arc<Attempt>, one: &Tried, other: &Tried, remembered: bool) -> Self {
        let told = |run: &Tried| format!("ends after {} events with fingerprint {}", run.events, run.fingerprint);
        let event = one.events.max(other.events);
        Divergence { attempt: attempt.clone(), event, one: told(one), other: told(other), remembered }
    }

    /// The attempt run once more, as a case. What it draws on that the seed does not fix it draws anew each time, so the
    /// case's fingerprint is one of several.
    pub fn case(&self) -> Case {
        self.attempt.case()
    }
}

/// The first line in which two traces differ: the one behind the end of the shorter, if all that it has is alike. Of two that
/// are alike it is the last, for something that is not told of differs there.
fn first_difference(one: &Run, other: &Run) -> usize {
    let lines = |run: &Run| run.trace.as_ref().map_or(0, |trace| trace.lines.len());
    let pairs = one.trace.iter().flat_map(|t| &t.lines).zip(other.trace.iter().flat_map(|t| &t.lines));
    let differ = pairs.into_iter().position(|(one, other)| one != other);
    differ.unwrap_or_else(|| match lines(one) == lines(other) {
        true => lines(one).saturating_sub(1),
        false => lines(one).min(lines(other)),
    })
}

fn told(run: &Run, line: usize) -> String {
    let line = run.trace.as_ref().and_then(|trace| trace.lines.get(line));
    line.map_or_else(String::new, |line| format!("{}  {}  {}", line.at, line.subject, line.text))
}
