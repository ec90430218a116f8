//! What scripts say, line by line: a scenario's operations once they are spelled out.

use std::collections::BTreeSet;

use replisim_history::{Op, OpKind, Operation, Value};
use replisim_kernel::SimTime;
use replisim_world::spec::{ClientGroup, Routing, ScriptedOp};

use crate::Scenario;

/// A line of a script, and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    pub group: usize,
    /// The session within the group.
    pub session: usize,
    pub op: ScriptedOp,
}

/// Every line of every script, in the order they are written.
pub(super) fn lines(scenario: &Scenario) -> Vec<Line> {
    let groups = scenario.clients.iter().enumerate();
    let of_group = |(group, it): (usize, &ClientGroup)| -> Vec<Line> {
        let line = |session, op: &ScriptedOp| Line { group, session, op: op.clone() };
        let sessions = it.script.iter().enumerate();
        sessions.flat_map(|(session, ops)| ops.iter().map(move |op| line(session, op))).collect()
    };
    groups.flat_map(of_group).collect()
}

/// Every session that does anything: its group, and its place there.
pub(super) fn sessions(scenario: &Scenario) -> BTreeSet<(usize, usize)> {
    lines(scenario).iter().map(|line| (line.group, line.session)).collect()
}

/// The number, among the sessions of all groups, of the first one of a group.
pub(super) fn first_session(clients: &[ClientGroup], group: usize) -> usize {
    clients[..group].iter().map(|group| group.sessions as usize).sum()
}

/// The scenario with these lines in its scripts and no others. Nobody's number changes: sessions without any line stay.
pub(super) fn with_lines(scenario: &Scenario, lines: &[Line]) -> Scenario {
    let mut scenario = scenario.clone();
    for script in scenario.clients.iter_mut().flat_map(|group| &mut group.script) {
        script.clear();
    }
    for Line { group, session, op } in lines {
        scenario.clients[*group].script[*session].push(op.clone());
    }
    scenario
}

/// Changes every line of every script.
pub(super) fn each_line(scenario: &mut Scenario, change: impl Fn(&mut ScriptedOp)) {
    scenario.clients.iter_mut().flat_map(|group| group.script.iter_mut().flatten()).for_each(change);
}

/// Changes the `nth` line of all scripts.
pub(super) fn change_line(scenario: &mut Scenario, nth: usize, change: impl FnOnce(&mut ScriptedOp)) {
    let mut lines = scenario.clients.iter_mut().flat_map(|group| group.script.iter_mut().flatten());
    if let Some(line) = lines.nth(nth) {
        change(line);
    }
}

/// The keys that a line touches.
pub(super) fn keys_of(line: &ScriptedOp) -> Vec<u64> {
    if line.parts.is_empty() { vec![line.key] } else { line.parts.iter().map(|(_, key)| *key).collect() }
}

/// Gives the keys that a line touches other names.
pub(super) fn rename(line: &mut ScriptedOp, name: impl Fn(u64) -> u64) {
    line.key = name(line.key);
    line.parts.iter_mut().for_each(|(_, key)| *key = name(*key));
}

/// A line as a story tells it: `c0 writes k1 = 0.1 at 20ms`. What came of it names the values that it writes, and says
/// whether it came when the session was done with the line before it, and not at its own time.
pub(super) fn in_words(session: u64, line: &ScriptedOp, came: Option<&Operation>) -> String {
    let ops = came.map_or(&[][..], |operation| operation.op.parts());
    let value = |nth: usize| ops.get(nth).and_then(written).map_or_else(String::new, |value| format!(" = {value}"));
    let does = match line.parts.as_slice() {
        [] => format!("{} k{}{}", verb(line.op), line.key, value(0)),
        parts => {
            let part = |(nth, (op, key)): (usize, &(OpKind, u64))| format!("{} k{key}{}", verb(*op), value(nth));
            let parts: Vec<String> = parts.iter().enumerate().map(part).collect();
            format!("at once {}", parts.join(", "))
        }
    };
    let from = match &line.reads {
        Some(Routing::Host(host)) => format!(" from {host}"),
        Some(Routing::Leader) => " from the leader".to_owned(),
        Some(
            Routing::Any
            | Routing::AnyFollower
            | Routing::Nearest
            | Routing::Sticky
            | Routing::Pin { .. }
            | Routing::Token { .. },
        )
        | None => String::new(),
    };
    let waited = |it: &Operation| it.ordinal > 0 && it.invoked > SimTime::ZERO + line.at;
    match came.is_some_and(waited) {
        true => format!("c{session} then {does}{from}"),
        false => format!("c{session} {does}{from} at {}", line.at),
    }
}

/// The value that names what an operation writes.
fn written(op: &Op) -> Option<Value> {
    match op {
        Op::Write { value, .. } | Op::CompareAndSet { value, .. } => Some(*value),
        Op::SetAdd { element, .. } | Op::SetRemove { element, .. } | Op::Append { element, .. } => Some(*element),
        Op::TextInsert { character, .. } => Some(*character),
        Op::Read { .. }
        | Op::Generate { .. }
        | Op::Delete { .. }
        | Op::Add { .. }
        | Op::TextDelete { .. }
        | Op::Txn(_) => None,
    }
}

const fn verb(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Read => "reads",
        OpKind::Write => "writes",
        OpKind::Generate => "generates",
        OpKind::CompareAndSet => "compares and sets",
        OpKind::Delete => "deletes",
        OpKind::Add => "adds to",
        OpKind::SetAdd => "adds an element to",
        OpKind::SetRemove => "removes an element from",
        OpKind::Append => "appends to",
        OpKind::TextInsert => "inserts text into",
        OpKind::TextDelete => "deletes text from",
        OpKind::Txn => "changes, in a transaction,",
    }
}
