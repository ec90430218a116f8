//! What the clients did and saw, what the node in charge installed, and what each replica held at the end.

use replisim_kernel::{SimTime, Span, Tape};

use crate::{Contents, Datum, Key, Limit, Lineage, NodeId, Op, Outcome, Position, Seen, SessionId, Value};

/// One operation of one session, from the client's side.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Who asked.
    pub session: SessionId,
    /// Its number among the operations of the session, from 0.
    pub ordinal: u32,
    /// What was asked.
    pub op: Op,
    /// When the workload meant it to begin; it waits if the session is still busy. Latency counts from here.
    pub intended: SimTime,
    /// When the request was first sent.
    pub invoked: SimTime,
    /// When the answer came, or [`SimTime::NEVER`].
    pub completed: SimTime,
    /// How it ended.
    pub outcome: Outcome,
    /// What the client saw.
    pub seen: Seen,
    /// Where in the log it was committed, for an acknowledged write of a protocol that tells; else zero.
    pub position: Position,
    /// The application server it was sent from.
    pub origin: NodeId,
    /// The node that answered, or was asked last.
    pub node: NodeId,
}

/// One version as the node in charge of its order put it into its log. Installed is not yet committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Install {
    /// When, in true time.
    pub at: SimTime,
    /// The node that ordered it.
    pub node: NodeId,
    /// The key.
    pub key: Key,
    /// What it makes of the key.
    pub made: Made,
    /// Its place in the order.
    pub position: Position,
}

/// What a version makes of its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Made {
    /// What this value identifies: a register, or a set, list or text with one more element.
    Value(Value),
    /// Nothing: the key was deleted, or its table was dropped.
    Nothing,
    /// A counter with another sum.
    Sum,
    /// A set without this element.
    Without(Value),
    /// A text with a character less, which nobody names.
    Shorter,
}

impl Made {
    /// What a single operation makes of its key where it is carried out and its client sees this; `None` if that changes
    /// nothing.
    pub fn by(op: &Op, seen: &Seen) -> Option<Made> {
        match (op, seen) {
            (Op::CompareAndSet { .. }, Seen::Swapped(false)) => None,
            (Op::Write { value, .. } | Op::CompareAndSet { value, .. }, _) => Some(Made::Value(*value)),
            (Op::SetAdd { element, .. } | Op::Append { element, .. }, _) => Some(Made::Value(*element)),
            (Op::TextInsert { character, .. }, _) => Some(Made::Value(*character)),
            (Op::Generate { .. }, Seen::Datum(Datum::Register(value))) => Some(Made::Value(*value)),
            (Op::Delete { .. }, _) => Some(Made::Nothing),
            (Op::Add { .. }, _) => Some(Made::Sum),
            (Op::SetRemove { element, .. }, _) => Some(Made::Without(*element)),
            (Op::TextDelete { .. }, _) => Some(Made::Shorter),
            (Op::Read { .. } | Op::Generate { .. } | Op::Txn(_), _) => None,
        }
    }

    /// The value that identifies the version, if one does.
    pub fn value(self) -> Option<Value> {
        match self {
            Made::Value(value) => Some(value),
            Made::Nothing | Made::Sum | Made::Without(_) | Made::Shorter => None,
        }
    }
}

/// The beginning of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// When, in true time.
    pub at: SimTime,
    /// The node that is in charge of the order in it.
    pub node: NodeId,
    /// Its number.
    pub epoch: u32,
    /// The records that it goes on from.
    pub built_on: Lineage,
}

/// One record that a server gave up to fit another's history again, as `pg_rewind` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discard {
    /// When, in true time.
    pub at: SimTime,
    /// The server.
    pub node: NodeId,
    /// The record's place in the order.
    pub position: Position,
}

/// What one replica held after the quiet phase.
#[derive(Clone, Debug)]
pub struct Final {
    /// The replica.
    pub node: NodeId,
    /// When it was looked at, in true time.
    pub at: SimTime,
    /// Whether it was the authority on the order of writes at the end: a leader, or any replica of a leaderless system.
    pub leads: bool,
    /// Its data.
    pub contents: Contents,
    /// The records its data is made of: none if it has lost them all, `None` if it does not tell.
    pub lineage: Option<Lineage>,
}

/// What cut a run short: code that panicked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panic {
    /// When, in true time.
    pub at: SimTime,
    /// The node whose process was running; `None` if the world itself panicked.
    pub node: Option<NodeId>,
    /// What it said, in as many lines as it took.
    pub message: String,
    /// Where in the code: `src/log.rs:41`. Nothing in it depends on the machine.
    pub place: String,
}

/// A whole run as the checkers see it. Clones in constant time, so that a run can be forked.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Every operation, in order of invocation, from position 0 on: nothing is ever taken from a history.
    pub operations: Tape<Operation>,
    /// Every version, in order of installation in true time.
    pub installs: Tape<Install>,
    /// Every epoch whose beginning was told of, in true time.
    pub beginnings: Tape<Beginning>,
    /// Every record that was given up by a rewind, in true time.
    pub discards: Tape<Discard>,
    /// Every replica that was up at the end, or where the run was broken off; empty while the run is under way, and in one
    /// that a panic cut short.
    pub finals: Vec<Final>,
    /// The replicas that were started and were down at the end.
    pub down: Vec<NodeId>,
    /// What cut it short, if anything did.
    pub panic: Option<Panic>,
    /// When somebody broke it off, if that was before it came to its end.
    pub broken_off: Option<SimTime>,
    /// Whether the quiet phase was over while replicas still changed, or something was on its way to them: what differs may
    /// be no more than late.
    pub unsettled: bool,
}

impl History {
    /// What the replicas held once all was quiet.
    ///
    /// # Errors
    /// [`Limit::BrokenOff`] if the run never came so far: what is missing somewhere may still have been on its way.
    pub fn end(&self) -> Result<&[Final], Limit> {
        match self.broken_off {
            Some(at) => Err(Limit::BrokenOff { at }),
            None => Ok(&self.finals),
        }
    }
}

impl Operation {
    /// From the moment it was meant to begin to its answer; `None` if there was none.
    pub fn latency(&self) -> Option<Span> {
        self.completed.is_reached().then(|| self.completed.since(self.intended))
    }

    /// What the client saw of its part of this number, as [`Op::parts`] counts them; `None` if it saw less.
    pub fn seen_in(&self, part: usize) -> Option<&Seen> {
        match &self.seen {
            Seen::Many(parts) => parts.get(part),
            single => Some(single),
        }
    }

    /// Whether it changed data, or may have, and was acknowledged: what was not swapped, was not written.
    pub fn is_acknowledged_write(&self) -> bool {
        self.outcome.is_ok() && !self.op.is_read() && self.seen != Seen::Swapped(false)
    }
}
