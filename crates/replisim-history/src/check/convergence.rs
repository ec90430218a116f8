//! Convergence: once the faults have ended and the system has come to rest, every replica holds the same data.
//!
//! The replicas are held against the authority if exactly one of them leads, else against the largest group that agrees. Where
//! they differ, but something was still under way when the quiet phase was over, nobody knows whether they would have come to
//! agree; and of one that is down nobody knows what it holds.

use super::tally::{Tally, undecided};
use super::witness::Story;
use crate::{Check, Final, Finding, History, Key, Limit, Witness};

const UNIT: &str = "replicas";

/// Every replica holds the same data at the end.
pub(super) fn convergence(history: &History) -> Finding {
    let finals = match history.end() {
        Ok(finals) => finals,
        Err(limit) => return undecided(Check::Convergence, UNIT, limit),
    };
    let Some(model) = model(finals) else {
        return undecided(Check::Convergence, UNIT, Limit::NobodyUp);
    };
    let others = finals.iter().filter(|replica| !std::ptr::eq(*replica, model));
    let differing: Vec<&Final> = others.filter(|replica| !replica.contents.same_data(&model.contents)).collect();
    if history.unsettled && !differing.is_empty() {
        return undecided(Check::Convergence, UNIT, Limit::Unsettled);
    }
    if !history.down.is_empty() && differing.is_empty() {
        return undecided(Check::Convergence, UNIT, Limit::SomeDown { replicas: history.down.len() as u64 });
    }
    let tally = Tally { broken: differing.len() as u64, of: finals.len() as u64, ..Tally::default() };
    tally.conclude(Check::Convergence, UNIT, differing.first().map(|other| tell(history, model, other)))
}

/// The replica that the others are held against.
fn model(finals: &[Final]) -> Option<&Final> {
    let mut leading = finals.iter().filter(|replica| replica.leads);
    match (leading.next(), leading.next()) {
        (Some(authority), None) => Some(authority),
        _ => finals.iter().rev().max_by_key(|replica| followers(finals, replica)),
    }
}

/// How many replicas hold the same as this one.
fn followers(finals: &[Final], replica: &Final) -> usize {
    finals.iter().filter(|other| other.contents.same_data(&replica.contents)).count()
}

fn tell(history: &History, model: &Final, other: &Final) -> Witness {
    let key = first_difference(model, other);
    let mut story = Story::new(history);
    story.end(model, key, standing(&history.finals, model));
    story.end(other, key, format!("differs from {}", model.node));
    story.called("replicas differ")
}

/// What makes a replica the one that the others are held against.
fn standing(finals: &[Final], model: &Final) -> String {
    match (model.leads, followers(finals, model)) {
        (true, _) => "it leads".to_owned(),
        (false, 1) => "as no other replica does".to_owned(),
        (false, alike) => format!("as {alike} of {} replicas do", finals.len()),
    }
}

fn first_difference(a: &Final, b: &Final) -> Key {
    let written = a.contents.iter().chain(b.contents.iter()).map(|(key, _)| key);
    let differing = written.filter(|key| a.contents.read(*key) != b.contents.read(*key));
    differing.min().expect("contents that are not the same differ in a key")
}
