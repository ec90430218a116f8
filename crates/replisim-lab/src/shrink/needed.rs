//! Why each thing that is left is needed: what the run comes to without it.

use replisim_history::check::check_all;
use replisim_history::{Check, Run};

use super::FEW;
use super::cluster::without_host;
use super::script::{Line, first_session, in_words, lines, with_lines};
use super::search::{Look, Search};
use crate::Scenario;

/// One thing that is left, and what happens without it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    /// What is left.
    pub piece: Piece,
    /// What the run comes to without it.
    pub without: Without,
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
    /// Nothing breaks.
    NothingBreaks,
    /// Not this check, but others that hold with it.
    Others(Vec<Check>),
    /// The same breaks all the same: the search was ended before it came to this.
    Same,
    /// The same breaks, but there it may: the protocol does not promise otherwise any more.
    Allowed,
    /// It cannot be run: something else names it.
    Impossible,
    /// The run has so many more events than the original one that it was given up: nobody knows how it would end.
    Endless,
    /// Nobody has tried: the search was stopped before.
    NotTried,
}

/// Every fault, operation and host that is left, with what happens without it. `checks` are those of the original scenario.
pub(super) fn needed(search: &mut Search<'_>, checks: &[Check]) -> Vec<Need> {
    let broken = broken(&search.best.run, checks);
    let mut needed = Vec::new();
    for (piece, proposed) in pieces(search.scenario(), &search.best.experiment.topology) {
        let without = look(search, proposed, checks, &broken);
        needed.push(Need { piece, without });
    }
    needed
}

/// Each piece, with the scenarios that do without it.
fn pieces(scenario: &Scenario, topology: &replisim_world::spec::Topology) -> Vec<(Piece, Vec<Scenario>)> {
    let mut pieces = Vec::new();
    for index in 0..scenario.faults.len() {
        let mut proposed = scenario.clone();
        let fault = proposed.faults.remove(index);
        pieces.push((Piece::Fault(fault.to_string()), vec![proposed]));
    }
    pieces.extend(match lines(scenario).len() {
        // Of more than these, those of a session are looked at together.
        0..=FEW => operations(scenario),
        _ => sessions(scenario),
    });
    let hosts = topology.hosts.iter().map(|host| host.name.clone());
    pieces.extend(hosts.map(|host| (Piece::Host(host.clone()), without_host(scenario, &host))));
    pieces
}

/// Each operation, with the scenario that does without it.
fn operations(scenario: &Scenario) -> Vec<(Piece, Vec<Scenario>)> {
    let all = lines(scenario);
    let without = |nth: usize| {
        let Line { group, session, op } = &all[nth];
        let others: Vec<_> = [&all[..nth], &all[nth + 1..]].concat();
        let who = number(scenario, *group, *session);
        (Piece::Operation(in_words(who, op)), vec![with_lines(scenario, &others)])
    };
    (0..all.len()).map(without).collect()
}

/// Each session that does anything, with the scenario in which it does nothing.
fn sessions(scenario: &Scenario) -> Vec<(Piece, Vec<Scenario>)> {
    let all = lines(scenario);
    let without = |(group, session)| {
        let others: Vec<_> =
            all.iter().filter(|line| (line.group, line.session) != (group, session)).cloned().collect();
        (Piece::Session(number(scenario, group, session)), vec![with_lines(scenario, &others)])
    };
    super::script::sessions(scenario).into_iter().map(without).collect()
}

/// A session's number among all.
fn number(scenario: &Scenario, group: usize, session: usize) -> u64 {
    (first_session(&scenario.clients, group) + session) as u64
}

fn look(search: &mut Search<'_>, proposed: Vec<Scenario>, checks: &[Check], broken_with: &[Check]) -> Without {
    let looks = proposed.into_iter().map(|scenario| search.look(scenario));
    let (run, grounded) = match looks.into_iter().find(|look| !matches!(look, Look::Impossible)) {
        None | Some(Look::Impossible) => return Without::Impossible,
        Some(Look::Endless) => return Without::Endless,
        Some(Look::Unknown) => return Without::NotTried,
        Some(Look::Run { run, grounded }) => (run, grounded),
    };
    let findings = check_all(&run.history, checks);
    if findings.iter().any(|finding| search.aims_at(finding, &run)) {
        return if grounded { Without::Same } else { Without::Allowed };
    }
    let others: Vec<Check> = broken(&run, checks).into_iter().filter(|check| !broken_with.contains(check)).collect();
    if others.is_empty() { Without::NothingBreaks } else { Without::Others(others) }
}

/// The checks that a run violates.
fn broken(run: &Run, checks: &[Check]) -> Vec<Check> {
    let findings = check_all(&run.history, checks).into_iter();
    findings.filter(|it| it.verdict.witness().is_some()).map(|it| it.check).collect()
}
