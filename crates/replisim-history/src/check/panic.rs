//! A run that code cut short by panicking: a verdict of its own, and a shadow on all others.
//!
//! A failed assertion is what a protocol's author knows to be wrong without asking any client. The witness names the
//! panic as a person would: its kind is the message without its numbers and the file it is in, but not the line, so that
//! one mistake is one under a thousand seeds, and the same again when the code above it has grown.
//!
//! What the clients had seen until then still counts. But where code panicked no guarantee that a system may give or not is
//! said to *hold*, and what the replicas hold there says nothing at all.
//!
//! A run that was broken off is another matter. What its clients saw until then is what they would have seen in a shorter
//! run, so that a check of reads may hold; those that ask for the end are unknown ([`History::end`]).

use super::witness::Story;
use crate::{Check, Finding, History, Limit, Operation, Outcome, Panic, Verdict, Witness};

/// Nothing else is counted here: there is one run, and it panics or does not.
const UNIT: &str = "run";

/// How many characters of a message are part of the witness's kind.
const KIND_MAX: usize = 96;

/// How many of the operations under way are told.
const UNDER_WAY_MAX: usize = 8;

/// No process panicked, nor did the world.
pub(super) fn no_panic(history: &History) -> Finding {
    let verdict = history.panic.as_ref().map_or(Verdict::Holds, |panic| Verdict::Violated(tell(history, panic)));
    Finding { check: Check::NoPanic, verdict, broken: u64::from(history.panic.is_some()), of: 1, unit: UNIT.to_owned() }
}

/// What is left of a finding in a history that a panic may have cut short.
pub(super) fn tempered(mut finding: Finding, history: &History) -> Finding {
    let is_known = finding.verdict.witness().is_some() && !finding.check.asks_for_the_end();
    if history.panic.is_some() && !Check::ALWAYS.contains(&finding.check) && !is_known {
        finding.verdict = Verdict::Unknown(Limit::Panicked);
    }
    finding
}

/// The panic, and the last operations that were under way where it happened.
fn tell(history: &History, panic: &Panic) -> Witness {
    let mut story = Story::new(history);
    let there = |it: &Operation| it.outcome == Outcome::Open && Some(it.node) == panic.node;
    let under_way = (0..).zip(history.operations.iter()).filter(|(_, it)| there(it)).map(|(number, _)| number);
    let under_way: Vec<u32> = under_way.collect();
    under_way.iter().rev().take(UNDER_WAY_MAX).for_each(|number| story.tell(*number, "under way"));
    let message = lines(&panic.message).collect::<Vec<_>>().join(", ");
    let (who, remark) = match panic.node {
        Some(node) => (node.to_string(), panic.place.clone()),
        None => ("the world itself".to_owned(), format!("{}, while no process was running", panic.place)),
    };
    story.end_with(who, format!("panics: {message}"), panic.at, remark);
    story.called(&kind(panic))
}

/// The message's first line and the file, without numbers.
fn kind(panic: &Panic) -> String {
    let first = lines(&panic.message).next().unwrap_or("no message");
    let said = without_numbers(first);
    let said = match said.char_indices().nth(KIND_MAX) {
        Some((cut, _)) => format!("{}…", &said[..cut]),
        None => said,
    };
    let file = panic.place.rsplit('/').next().unwrap_or_default();
    match file.split(':').next().unwrap_or_default() {
        "" => said,
        file => format!("{said} (in {file})"),
    }
}

fn lines(message: &str) -> impl Iterator<Item = &str> {
    message.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// A text with `#` for each number in it; `1.5` is one.
fn without_numbers(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let goes_on = plain.ends_with('#');
        match c {
            '0'..='9' if goes_on => {}
            '0'..='9' => plain.push('#'),
            '.' if goes_on && rest.peek().is_some_and(char::is_ascii_digit) => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use replisim_kernel::SimTime;

    use super::*;

    #[test]
    fn one_mistake_has_one_kind_whatever_the_numbers_and_the_line() {
        let kind = |message: &str, place: &str| {
            kind(&Panic { at: SimTime::ZERO, node: None, message: message.to_owned(), place: place.to_owned() })
        };
        let index = |len: u32, line: u32| {
            kind(&format!("index out of bounds: the len is {len} but the index is 12"), &format!("src/log.rs:{line}"))
        };
        assert_eq!(index(3, 41), "index out of bounds: the len is # but the index is # (in log.rs)");
        assert_eq!(index(3, 41), index(1_024, 7));
        assert_eq!(kind("late by 1.5s, no. 3.", ""), "late by #s, no. #.");
        assert_eq!(
            kind("assertion `left == right` failed\n  left: 3\n right: 4", "a.rs:1"),
            "assertion `left == right` failed (in a.rs)"
        );
        assert_eq!(kind(&"é".repeat(200), "").chars().count(), KIND_MAX + 1);
        assert_eq!(kind("", ""), "no message");
    }
}
