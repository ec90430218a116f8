//! An operation taken apart: which keys it wrote, which data it saw.

use replisim_kernel::SimTime;

use super::keys::{Keys, Slot};
use crate::{Datum, History, Op, Operation, Outcome, Seen, Value};

/// One access of a history and where it stands there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The operation it is part of.
    pub of: &'a Operation,
    /// The operation's position in the history.
    pub operation: u32,
    /// Which part of the operation it is.
    pub part: u32,
    /// The key.
    pub slot: Slot,
    /// What was done.
    pub access: Access<'a>,
}

/// What one part of an operation did to one key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access<'a> {
    /// It made a new version, or may have.
    Wrote(Change),
    /// It saw the key's datum.
    Saw(&'a Datum),
}

/// How a write changes a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// The register holds this from now on.
    Put(Value),
    /// The set holds this too from now on.
    Grow(Value),
    /// The list holds this too from now on, at its end.
    Append(Value),
    /// The text holds this too from now on, somewhere.
    Insert(Value),
    /// The set holds this no longer.
    Remove(Value),
    /// The key holds nothing from now on.
    Erase,
    /// The counter changed by so much.
    Count(i64),
    /// The text holds a character less, of which the history does not tell which.
    Trim,
    /// The register holds a value that was made up and that nobody was told.
    MakeUp,
}

/// What a key is. What is written to it as if it were of another kind replaces it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Register,
    Counter,
    Set,
    /// A list or a text.
    List,
}

/// Whether a change clears away the elements that a set, list or text held before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Clearing {
    Never,
    Perhaps,
    Certainly,
}

impl Change {
    /// What `op` asks for on its one key, if that is a write.
    pub(super) fn asked_for(op: &Op) -> Option<Self> {
        Some(match *op {
            Op::Write { value, .. } | Op::CompareAndSet { value, .. } => Change::Put(value),
            Op::Delete { .. } => Change::Erase,
            Op::Add { amount, .. } => Change::Count(amount),
            Op::SetAdd { element, .. } => Change::Grow(element),
            Op::Append { element, .. } => Change::Append(element),
            Op::SetRemove { element, .. } => Change::Remove(element),
            Op::TextInsert { character, .. } => Change::Insert(character),
            Op::TextDelete { .. } => Change::Trim,
            Op::Generate { .. } => Change::MakeUp,
            Op::Read { .. } | Op::Txn(_) => return None,
        })
    }

    /// The value that names the version it made.
    pub(super) fn value(self) -> Option<Value> {
        match self {
            Change::Put(value) | Change::Grow(value) | Change::Append(value) | Change::Insert(value) => Some(value),
            Change::Remove(_) | Change::Erase | Change::Count(_) | Change::Trim | Change::MakeUp => None,
        }
    }

    /// What the key is after it, if that is certain and not nothing.
    pub(super) fn kind(self) -> Option<Kind> {
        match self {
            Change::Put(_) | Change::MakeUp => Some(Kind::Register),
            Change::Count(_) => Some(Kind::Counter),
            Change::Grow(_) | Change::Remove(_) => Some(Kind::Set),
            Change::Append(_) | Change::Insert(_) | Change::Trim => Some(Kind::List),
            Change::Erase => None,
        }
    }

    /// Whether it adds an element.
    pub(super) fn grows(self) -> bool {
        matches!(self, Change::Grow(_) | Change::Append(_) | Change::Insert(_))
    }

    /// Whether it clears away the elements that the key held before.
    pub(super) fn clearing(self) -> Clearing {
        match self {
            Change::Erase | Change::Put(_) | Change::Count(_) | Change::MakeUp => Clearing::Certainly,
            Change::Trim => Clearing::Perhaps,
            Change::Grow(_) | Change::Append(_) | Change::Insert(_) | Change::Remove(_) => Clearing::Never,
        }
    }
}

/// Every access of a history, in the order of operations: all checks start from these. A certain failure did nothing; a
/// read that did not end well saw nothing. Numbers the keys.
pub(super) fn take_apart<'a>(history: &'a History, keys: &mut Keys) -> Vec<Part<'a>> {
    let mut parts = Vec::with_capacity(history.operations.len());
    for (operation, of) in (0..).zip(history.operations.iter()) {
        for (part, op) in (0..).zip(of.op.parts()) {
            let Some(access) = access(op, of.outcome, of.seen_in(part as usize)) else { continue };
            let Some(key) = op.key() else { continue };
            parts.push(Part { of, operation, part, slot: keys.intern(key), access });
        }
    }
    parts
}

impl Part<'_> {
    /// When the client was told that it was done, or never.
    pub(super) fn acknowledged(&self) -> SimTime {
        if self.of.outcome.is_ok() { self.of.completed } else { SimTime::NEVER }
    }

    /// How it changed the key, if it did.
    pub(super) fn change(&self) -> Option<Change> {
        match self.access {
            Access::Wrote(change) => Some(change),
            Access::Saw(_) => None,
        }
    }

    /// The datum that it saw, if it saw one.
    pub(super) fn saw(&self) -> Option<&Datum> {
        match self.access {
            Access::Saw(datum) => Some(datum),
            Access::Wrote(_) => None,
        }
    }
}

/// The datum that part `part` of `operation` saw.
pub(super) fn datum_seen(operation: &Operation, part: u32) -> Option<&Datum> {
    match operation.seen_in(part as usize)? {
        Seen::Datum(datum) => Some(datum),
        Seen::Nothing | Seen::Swapped(_) | Seen::Many(_) => None,
    }
}

fn access<'a>(op: &Op, outcome: Outcome, seen: Option<&'a Seen>) -> Option<Access<'a>> {
    if !outcome.may_have_happened() {
        return None;
    }
    match op {
        Op::Read { .. } => saw(outcome, seen),
        Op::Generate { .. } => Some(Access::Wrote(generated(seen))),
        // Only an answer can tell that nothing was swapped; without one it may have been.
        Op::CompareAndSet { .. } if seen == Some(&Seen::Swapped(false)) => None,
        op => Change::asked_for(op).map(Access::Wrote),
    }
}

fn saw(outcome: Outcome, seen: Option<&Seen>) -> Option<Access<'_>> {
    match seen {
        Some(Seen::Datum(datum)) if outcome.is_ok() => Some(Access::Saw(datum)),
        _ => None,
    }
}

fn generated(seen: Option<&Seen>) -> Change {
    match seen {
        Some(Seen::Datum(Datum::Register(value))) => Change::Put(*value),
        _ => Change::MakeUp,
    }
}
