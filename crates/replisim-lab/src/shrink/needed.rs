//! Why each thing that is left is needed: what the run comes to without it.

use std::collections::BTreeSet;

use replisim_history::check::check_all;
use replisim_history::{Check, Finding, Firing, Names, NodeId, Operation, Run};
use replisim_kernel::SimTime;
use replisim_world::spec::Fault;

use super::FEW;
use super::cluster::without_host;
use super::script::{Line, first_session, in_words, lines, with_lines};
use super::search::{Failing, Look, Search};
use crate::Scenario;

/// One thing that is left, and what happens without it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    /// What is left.
    pub piece: Piece,
    /// What the run comes to without it.
    pub without: Without,
    /// In which other way the check is violated without it, where it is: the witness's kind, with the names of the run.
    pub otherwise: Option<String>,
    /// Which of the checks that are violated without it are so with it, too: of those it is not the cause.
    pub anyway: Vec<Check>,
}

/// A part of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// A fault, in words.
    Fault(String),
    /// An operation, in words.
    Operation(String),
    /// The operations of a session, by its number among all.
    Session(u64),
    /// A host, by its name.
    Host(String),
}

/// What a run comes to without something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Without {
    /// No check is violated.
    NothingBreaks,
    /// Not the same breaks, but something else: these checks are violated. The same check is among them where it is
    /// violated in another way.
    Others(Vec<Check>),
    /// The same breaks all the same: the search did not come to leave it out.
    Same,
    /// The same breaks, but there it may: the protocol does not promise otherwise any more.
    Allowed,
    /// It cannot be run: something else names it, or the protocol cannot do without it.
    Impossible,
    /// The run has so many more events than the original one that it was given up: nobody knows how it would end.
    Endless,
    /// Nobody has tried: the search was stopped before.
    NotTried,
}

/// Every fault, operation and host that is left, in the order of time, with what happens without it. `checks` are those of
/// the original scenario.
pub(super) fn needed(search: &mut Search<'_>, checks: &[Check]) -> Vec<Need> {
    let anyway: Vec<Check> =
        broken(&search.best.run, checks).into_iter().map(|it| it.check).filter(|it| *it != search.check()).collect();
    let mut needed = Vec::new();
    for Part { piece, without, .. } in parts(&search.best) {
        let (without, otherwise) = look(search, without, checks);
        let others = if let Without::Others(others) = &without { &others[..] } else { &[] };
        let anyway = others.iter().copied().filter(|check| anyway.contains(check)).collect();
        needed.push(Need { piece, without, otherwise, anyway });
    }
    needed
}

/// A piece on its own.
struct Part {
    /// Since when it counts.
    from: SimTime,
    piece: Piece,
    /// The scenarios that do without it.
    without: Vec<Scenario>,
}

/// Every piece, in the order of time: a fault comes before what it causes in the same instant, and hosts come last.
fn parts(best: &Failing) -> Vec<Part> {
    let Failing { experiment, run, .. } = best;
    let scenario = &experiment.scenario;
    let mut parts = faults(scenario, run);
    parts.extend(match lines(scenario).len() {
        // Of more than these, those of a session are looked at together.
        0..=FEW => operations(scenario, run),
        _ => sessions(scenario, run),
    });
    parts.sort_by_key(|part| part.from);
    let hosts = experiment.topology.hosts.iter().map(|host| host.name.clone());
    parts.extend(hosts.map(|host| {
        let without = without_host(scenario, &host);
        Part { from: SimTime::NEVER, piece: Piece::Host(host), without }
    }));
    parts
}

/// Each fault.
fn faults(scenario: &Scenario, run: &Run) -> Vec<Part> {
    let without = |index: usize| {
        let mut proposed = scenario.clone();
        let fault = proposed.faults.remove(index);
        let fired = run.faults.get(index).map_or(&[][..], |planned| &planned.fired);
        let from = fired.first().map_or(SimTime::NEVER, |firing| firing.from);
        Part { from, piece: Piece::Fault(fault_in_words(&fault, fired, run)), without: vec![proposed] }
    };
    (0..scenario.faults.len()).map(without).collect()
}

/// A fault as a story tells it, with whom it struck where its words leave that to the run, and what ended it where they do
/// not say that it ends: `kill random 1 at 2ms (n3), until 30ms`.
fn fault_in_words(fault: &Fault, fired: &[Firing], run: &Run) -> String {
    let struck: BTreeSet<NodeId> = fired.iter().flat_map(|firing| firing.struck.iter().copied()).collect();
    let names: Vec<String> = struck.into_iter().map(|node| Names::of(run).node(node)).collect();
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let ended = match (fault, fired) {
        (Fault::At(..) | Fault::When(..), [only]) if only.from < only.until && only.until < SimTime::NEVER => {
            format!(", until {}", only.until.since(SimTime::ZERO))
        }
        (Fault::At(..) | Fault::When(..) | Fault::During(..) | Fault::Every(..) | Fault::WhenFor(..), _) => {
            String::new()
        }
    };
    format!("{fault}{names}{ended}")
}

/// Each operation.
fn operations(scenario: &Scenario, run: &Run) -> Vec<Part> {
    let all = lines(scenario);
    let without = |nth: usize| {
        let Line { group, session, op } = &all[nth];
        let others: Vec<_> = [&all[..nth], &all[nth + 1..]].concat();
        let who = number(scenario, *group, *session);
        let before = all[..nth].iter().filter(|line| (line.group, line.session) == (*group, *session)).count();
        let came = of_session(run, who).find(|operation| operation.ordinal as usize == before);
        let from = came.map_or(SimTime::NEVER, |operation| operation.invoked);
        Part { from, piece: Piece::Operation(in_words(who, op, came)), without: vec![with_lines(scenario, &others)] }
    };
    (0..all.len()).map(without).collect()
}

/// Each session that does anything, with the scenario in which it does nothing.
fn sessions(scenario: &Scenario, run: &Run) -> Vec<Part> {
    let all = lines(scenario);
    let without = |(group, session)| {
        let others: Vec<_> =
            all.iter().filter(|line| (line.group, line.session) != (group, session)).cloned().collect();
        let who = number(scenario, group, session);
        let from = of_session(run, who).map(|operation| operation.invoked).min().unwrap_or(SimTime::NEVER);
        Part { from, piece: Piece::Session(who), without: vec![with_lines(scenario, &others)] }
    };
    super::script::sessions(scenario).into_iter().map(without).collect()
}

/// What came of a session's operations.
fn of_session(run: &Run, session: u64) -> impl Iterator<Item = &Operation> {
    run.history.operations.iter().filter(move |operation| operation.session.index() as u64 == session)
}

/// A session's number among all.
fn number(scenario: &Scenario, group: usize, session: usize) -> u64 {
    (first_session(&scenario.clients, group) + session) as u64
}

/// What the first of these that can be run comes to, and in which other way it violates the same check, if it does.
fn look(search: &mut Search<'_>, proposed: Vec<Scenario>, checks: &[Check]) -> (Without, Option<String>) {
    let looks = proposed.into_iter().map(|scenario| search.look(scenario));
    let (run, grounded) = match looks.into_iter().find(|look| !matches!(look, Look::Impossible)) {
        None | Some(Look::Impossible) => return (Without::Impossible, None),
        Some(Look::Endless) => return (Without::Endless, None),
        Some(Look::Unknown) => return (Without::NotTried, None),
        Some(Look::Run { run, grounded }) => (run, grounded),
    };
    let broken = broken(&run, checks);
    if broken.iter().any(|finding| search.aims_at(finding, &run)) {
        return (if grounded { Without::Same } else { Without::Allowed }, None);
    }
    let same = broken.iter().find(|finding| finding.check == search.check());
    let otherwise =
        same.and_then(|finding| finding.verdict.witness()).map(|witness| Names::of(&run).in_text(&witness.kind));
    let others: Vec<Check> = broken.iter().map(|finding| finding.check).collect();
    (if others.is_empty() { Without::NothingBreaks } else { Without::Others(others) }, otherwise)
}

/// What a run violates.
fn broken(run: &Run, checks: &[Check]) -> Vec<Finding> {
    check_all(&run.history, checks).into_iter().filter(|it| it.verdict.witness().is_some()).collect()
}

#[cfg(test)]
mod tests {
    use replisim_kernel::Span;
    use replisim_world::spec::{Action, Target};

    use super::*;
    use crate::touchy;

    #[test]
    fn a_fault_says_whom_it_struck_where_its_words_do_not() {
        let run = touchy::experiment("Nowhere", "").run(1, None, false).run;
        let firing = |struck: &[u16]| {
            let struck = struck.iter().copied().map(NodeId).collect();
            Firing { from: SimTime::ZERO, until: SimTime::NEVER, struck }
        };
        let fault = Fault::At(Span::millis(2), Action::Kill(Target::Random(1)));
        assert_eq!(fault_in_words(&fault, &[firing(&[1])], &run), "kill random 1 at 2ms (n2)");
        assert_eq!(
            fault_in_words(&fault, &[firing(&[1]), firing(&[0]), firing(&[1])], &run),
            "kill random 1 at 2ms (n1, n2)"
        );
        assert_eq!(fault_in_words(&fault, &[firing(&[])], &run), "kill random 1 at 2ms");
        let ended = Firing { until: SimTime::ZERO + Span::millis(30), ..firing(&[0]) };
        assert_eq!(fault_in_words(&fault, &[ended], &run), "kill random 1 at 2ms (n1), until 30ms");
    }
}
