//! What a failure is called, so that a thousand runs that fail for one reason count as one.

use replisim_history::{Check, Run, Witness};

/// Why a run failed, as far as a name can tell.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cause {
    /// The check that is violated.
    pub check: Check,
    /// The shape of its witness.
    pub kind: String,
    /// How far the system had come: the last thing that a person would tell of it before, without names and numbers;
    /// empty if there was nothing to tell.
    pub phase: String,
}

/// The last milestone before what a witness shows, without names and numbers.
pub(super) fn phase(run: &Run, witness: &Witness) -> String {
    let shown = witness.lines.last().map(|line| line.at);
    let before = run.milestones.iter().rev().find(|milestone| shown.is_none_or(|shown| milestone.at <= shown));
    before.map_or_else(String::new, |milestone| bare(&milestone.text, run))
}

/// What leads to a name or a number, and hangs in the air without it.
const LEADING: [&str; 11] = ["as", "at", "of", "by", "to", "for", "with", "the", "is", "data", "="];

/// A milestone's text up to its first colon or comma, without words that name a node or hold a number, and what led to them.
fn bare(text: &str, run: &Run) -> String {
    let head = text.split([':', ',']).next().unwrap_or_default();
    let names = |word: &str| run.nodes.iter().any(|node| word.strip_suffix("'s").unwrap_or(word) == node.name);
    let mut words: Vec<&str> = Vec::new();
    for word in head.split_whitespace().map(Some).chain([None]) {
        match word.filter(|word| !names(word) && !word.contains(|c: char| c.is_ascii_digit())) {
            Some(word) => words.push(word),
            None => words.truncate(words.iter().rposition(|word| !LEADING.contains(word)).map_or(0, |last| last + 1)),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use replisim_history::{History, NodeInfo, Settling};
    use replisim_kernel::{Digest, SimTime, Span, Tape};

    use super::*;

    #[test]
    fn names_and_numbers_do_not_make_another_phase() {
        let node = |name: &str| NodeInfo {
            name: name.to_owned(),
            host: name.to_owned(),
            zone: String::new(),
            region: String::new(),
            replica: true,
        };
        let run = Run {
            seed: 1,
            fingerprint: Digest(0),
            events: 0,
            simulated: Span::ZERO,
            nodes: vec![node("n1"), node("n2")],
            sessions: Vec::new(),
            faults: Vec::new(),
            milestones: Vec::new(),
            history: History::default(),
            never_begun: Tape::new(),
            lags: Vec::new(),
            settling: Settling { healed: SimTime::ZERO, converged_after: None },
            coverage: Vec::new(),
            trace: None,
        };
        assert_eq!(bare("promoted: epoch 2 begins after 12@1", &run), "promoted");
        for (text, phase) in [
            ("has a copy of n2's data as of 14@1", "has a copy"),
            ("1 of 2 synchronous followers connected: commits hang", "synchronous followers connected"),
            ("n2 silent for 10s: its connection is given up", "silent"),
            ("has caught up with n1", "has caught up"),
            ("the slot of n2 holds back too much log: given up", "the slot holds back too much log"),
            ("wal_keep_size = 5", "wal_keep_size"),
        ] {
            assert_eq!(bare(text, &run), phase, "{text}");
        }
    }
}
