//! Whether what a scenario says fits together: names refer to something, numbers are possible, times lie in the run.
//!
//! Every mistake is found, not only the first. What the types already refuse (a probability above 1, a distribution that
//! contradicts itself) never gets here.

mod clients;
mod cluster;
mod faults;
mod goals;
mod names;

use std::collections::BTreeSet;
use std::fmt;

use replisim_kernel::Span;
use replisim_world::protocol::Problem;
use replisim_world::spec::Topology;

pub(crate) use names::Known;

use super::diagnostic::{MISTAKES_MAX, listed, nearest};
use super::{Code, Diagnostic, Outline, Scenario};
use crate::catalog::Configured;

/// The longest a run or any part of it may take.
const TIME_MAX: Span = Span::secs(30 * 24 * 60 * 60);

/// Everything about the scenario's own fields that cannot be. The protocol is `None` where it is not known or its settings
/// cannot be read, and the topology where it does not fit that.
pub(crate) fn validate(
    scenario: &Scenario,
    known: &Known,
    protocol: Option<&dyn Configured>,
    topology: Option<&Topology>,
    mistakes: &mut Mistakes<'_>,
) {
    mistakes.repeated_keys();
    cluster::validate(&scenario.cluster, known, mistakes);
    clients::validate(scenario, known, protocol, mistakes);
    faults::validate(scenario, known, protocol.zip(topology), mistakes);
    goals::validate(scenario, known, mistakes);
}

/// The mistakes found so far, at most [`MISTAKES_MAX`].
#[derive(Debug)]
pub(crate) struct Mistakes<'o> {
    outline: &'o Outline<'o>,
    found: Vec<Diagnostic>,
}

impl<'o> Mistakes<'o> {
    /// None so far, in a text of this outline.
    pub fn new(outline: &'o Outline<'o>) -> Self {
        Mistakes { outline, found: Vec::new() }
    }

    /// All of them, in the order they were found.
    pub fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// One more mistake, unless there are enough to work on.
    pub fn add(&mut self, mistake: Diagnostic) {
        if !self.are_enough() {
            self.found.push(mistake);
        }
    }

    /// Whether there are enough to work on, so that no more are added.
    fn are_enough(&self) -> bool {
        self.found.len() >= MISTAKES_MAX
    }

    /// The places of a list at `path` that say again what an earlier one says.
    fn repeated<T: PartialEq + fmt::Debug>(&mut self, path: &str, kind: &str, list: &[T]) {
        for (place, one) in list.iter().enumerate().filter(|(place, one)| list[..*place].contains(one)) {
            let mistake = Diagnostic::new(Code::Repeated, format!("the {kind} {one:?} is there twice"));
            self.at(&format!("{path}[{place}]"), mistake.label("once is enough"));
        }
    }

    /// A mistake in the value at `path`.
    pub fn at(&mut self, path: &str, mistake: Diagnostic) {
        let mark = self.outline.mark(path);
        self.add(mistake.at(mark));
    }

    /// A mistake in the key that the value at `path` is given under.
    fn at_key(&mut self, path: &str, mistake: Diagnostic) {
        let mark = self.outline.mark_key(path);
        self.add(mistake.at(mark));
    }

    /// A mistake at `path` if it is one.
    fn at_if(&mut self, is: bool, path: &str, mistake: impl FnOnce() -> Diagnostic) {
        if is {
            self.at(path, mistake());
        }
    }

    /// A mistake in a key if it is one.
    fn at_key_if(&mut self, is: bool, path: &str, mistake: impl FnOnce() -> Diagnostic) {
        if is {
            self.at_key(path, mistake());
        }
    }

    /// A name at `path` that refers to nothing, where `accepted` of this `kind` exist.
    fn unknown(&mut self, code: Code, path: &str, kind: &str, name: &str, accepted: &[&str]) {
        if self.are_enough() {
            // Looking for the nearest name takes its time.
            return;
        }
        // `faults[2][1].link[0]` is exact, but `faults[2]` is what a person understands; the mark shows the rest.
        let around = path.split_once("][").map_or(path.to_owned(), |(around, _)| format!("{around}]"));
        let mistake = Diagnostic::new(code, format!("unknown {kind} `{name}` in {around}"))
            .at(self.outline.mark_within(path, name))
            .label(format!("{kind}s are {}", listed(accepted)))
            .did_you_mean(nearest(name, accepted.iter().copied()));
        self.add(mistake);
    }

    /// A length of time that must not be zero, nor longer than anything that can be run.
    fn time(&mut self, path: &str, what: &str, time: Span) {
        self.at_if(time.is_zero(), path, || {
            Diagnostic::new(Code::ImpossibleTime, format!("{what} is zero")).label("must be longer than nothing")
        });
        self.at_if(time > TIME_MAX, path, || {
            Diagnostic::new(Code::ImpossibleTime, format!("{what} is {time}")).label("must be at most 30 days")
        });
    }

    /// A number that must lie within a range.
    fn count(&mut self, path: &str, what: &str, count: u64, range: std::ops::RangeInclusive<u64>) {
        self.at_if(!range.contains(&count), path, || {
            Diagnostic::new(Code::ImpossibleCount, format!("{what} is {count}")).label(format!(
                "must be from {} to {}",
                range.start(),
                range.end()
            ))
        });
    }

    /// A problem that the cluster or a protocol found by itself, below the value at `path`.
    pub fn problem(&mut self, path: &str, code: Code, problem: Problem, known: &Known) {
        let full = match (path.is_empty(), problem.path.is_empty()) {
            (true, _) => problem.path.clone(),
            (_, true) => path.to_owned(),
            (false, false) => format!("{path}.{}", problem.path),
        };
        // By convention a problem that opens with this word is about a name that refers to nothing.
        let nameless = !problem.message.starts_with("unknown ");
        let name = problem.within.clone().or_else(|| quoted(&problem.message).map(str::to_owned)).unwrap_or_default();
        let meant = || if nameless { None } else { nearest(&name, known.places()) };
        let mistake = Diagnostic::new(if nameless { code } else { Code::UnknownPlace }, problem.message.clone())
            .at(self.outline.mark_within(&full, problem.within.as_deref().unwrap_or_default()))
            .label(problem.accepted.unwrap_or_default())
            .did_you_mean(problem.suggestion.or_else(meant));
        self.add(mistake);
    }

    /// Fields and keys that are given twice: of a map's, the reader would silently keep the last.
    fn repeated_keys(&mut self) {
        let outline = self.outline;
        for fields in outline.all_fields() {
            let mut seen = BTreeSet::new();
            for field in fields {
                let key = outline.key_text(&field.key);
                if !seen.insert(key) {
                    let mistake = Diagnostic::new(Code::Repeated, format!("`{key}` is given twice"));
                    self.add(mistake.at(field.key.clone()).label("only one of them could be meant"));
                }
            }
        }
    }
}

/// The first part of a message in backticks.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}
