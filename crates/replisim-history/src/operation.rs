//! One vocabulary of operations for every protocol, so that one workload runs over all and every checker reads all.
//!
//! Values are identities with a declared size: payload bytes are accounted for by the network and the disk, never
//! carried. What a protocol does not support is refused when a scenario is read, not when it runs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Key, Value};

/// What a client asks for.
#[expect(missing_docs, reason = "each variant's sentence tells of its fields")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Read a datum.
    Read { key: Key },
    /// Overwrite a register.
    Write { key: Key, value: Value },
    /// Overwrite a register with something the server makes up: `UUID()`, `SYSDATE()`.
    Generate { key: Key },
    /// Write `value` if the register holds `expect` (absent for `None`).
    CompareAndSet { key: Key, expect: Option<Value>, value: Value },
    /// Remove a datum.
    Delete { key: Key },
    /// Add to a counter.
    Add { key: Key, amount: i64 },
    /// Add an element to a set.
    SetAdd { key: Key, element: Value },
    /// Remove an element from a set.
    SetRemove { key: Key, element: Value },
    /// Append an element to a list.
    Append { key: Key, element: Value },
    /// Insert a character (an identity) into a text, before offset `at`.
    TextInsert { key: Key, at: u32, character: Value },
    /// Delete the character of a text at offset `at`.
    TextDelete { key: Key, at: u32 },
    /// Several of these as one transaction. Transactions do not nest.
    Txn(Arc<[Op]>),
}

/// The kind of an operation, as scenarios and measures name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum OpKind {
    /// [`Op::Read`].
    Read,
    /// [`Op::Write`].
    Write,
    /// [`Op::Generate`].
    Generate,
    /// [`Op::CompareAndSet`].
    CompareAndSet,
    /// [`Op::Delete`].
    Delete,
    /// [`Op::Add`].
    Add,
    /// [`Op::SetAdd`].
    SetAdd,
    /// [`Op::SetRemove`].
    SetRemove,
    /// [`Op::Append`].
    Append,
    /// [`Op::TextInsert`].
    TextInsert,
    /// [`Op::TextDelete`].
    TextDelete,
    /// [`Op::Txn`].
    Txn,
}

/// What one key holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Datum {
    /// Nothing was ever written, or it was deleted.
    #[default]
    Absent,
    /// A register's value.
    Register(Value),
    /// A counter's sum.
    Counter(i64),
    /// A set's elements, ascending.
    Set(Arc<[Value]>),
    /// A list's elements or a text's characters, in order.
    List(Arc<[Value]>),
}

/// What the client saw in the answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Seen {
    /// The operation tells nothing but that it was done.
    #[default]
    Nothing,
    /// The datum that was read, or that a server made up.
    Datum(Datum),
    /// Whether a compare-and-set took place.
    Swapped(bool),
    /// One answer for each operation of a transaction.
    Many(Arc<[Seen]>),
}

/// How an operation ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// Not yet, or never: to a checker the same as [`Outcome::Info`].
    Open,
    /// It took effect between invocation and completion.
    Ok,
    /// It certainly did not happen.
    Fail(Reason),
    /// Unknown: it may take effect at any time after its invocation, or never.
    Info(Reason),
}

/// Why an operation did not end well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Reason {
    /// No answer within the session's timeout.
    Timeout,
    /// Nothing listens there: the process is down on a host that is up.
    Refused,
    /// The connection broke while the request was under way.
    Reset,
    /// The node does not accept such operations now: a follower was asked to write, a minority to serve.
    NotServing,
    /// The node could not catch up with the session's token in time.
    NotCaughtUp,
    /// A limit was hit: the disk is full, too many connections, too few replicas in reach.
    Exhausted,
    /// Aborted by a conflict with another transaction.
    Conflict,
}

impl OpKind {
    /// Every kind, in the order of its number.
    pub const ALL: [OpKind; 12] = [
        OpKind::Read,
        OpKind::Write,
        OpKind::Generate,
        OpKind::CompareAndSet,
        OpKind::Delete,
        OpKind::Add,
        OpKind::SetAdd,
        OpKind::SetRemove,
        OpKind::Append,
        OpKind::TextInsert,
        OpKind::TextDelete,
        OpKind::Txn,
    ];
}

impl Op {
    /// The key, of an operation on a single one.
    pub fn key(&self) -> Option<Key> {
        match *self {
            Op::Read { key }
            | Op::Write { key, .. }
            | Op::Generate { key }
            | Op::CompareAndSet { key, .. }
            | Op::Delete { key }
            | Op::Add { key, .. }
            | Op::SetAdd { key, .. }
            | Op::SetRemove { key, .. }
            | Op::Append { key, .. }
            | Op::TextInsert { key, .. }
            | Op::TextDelete { key, .. } => Some(key),
            Op::Txn(_) => None,
        }
    }

    /// What kind of operation this is.
    pub fn kind(&self) -> OpKind {
        match self {
            Op::Read { .. } => OpKind::Read,
            Op::Write { .. } => OpKind::Write,
            Op::Generate { .. } => OpKind::Generate,
            Op::CompareAndSet { .. } => OpKind::CompareAndSet,
            Op::Delete { .. } => OpKind::Delete,
            Op::Add { .. } => OpKind::Add,
            Op::SetAdd { .. } => OpKind::SetAdd,
            Op::SetRemove { .. } => OpKind::SetRemove,
            Op::Append { .. } => OpKind::Append,
            Op::TextInsert { .. } => OpKind::TextInsert,
            Op::TextDelete { .. } => OpKind::TextDelete,
            Op::Txn(_) => OpKind::Txn,
        }
    }

    /// Whether it only reads.
    #[inline]
    pub fn is_read(&self) -> bool {
        match self {
            Op::Read { .. } => true,
            Op::Txn(ops) => ops.iter().all(Op::is_read),
            _ => false,
        }
    }

    /// The operations it consists of: itself, or a transaction's parts.
    pub fn parts(&self) -> &[Op] {
        match self {
            Op::Txn(ops) => ops,
            single => std::slice::from_ref(single),
        }
    }
}

impl Outcome {
    /// Whether the client knows that it took effect.
    pub const fn is_ok(self) -> bool {
        matches!(self, Outcome::Ok)
    }

    /// Whether it may have taken effect: everything but a certain failure.
    pub const fn may_have_happened(self) -> bool {
        !matches!(self, Outcome::Fail(_))
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Read { key } => write!(f, "read {key}"),
            Op::Write { key, value } => write!(f, "write {key} = {value}"),
            Op::Generate { key } => write!(f, "write {key} = uuid()"),
            Op::CompareAndSet { key, expect: Some(expect), value } => write!(f, "cas {key} {expect} → {value}"),
            Op::CompareAndSet { key, expect: None, value } => write!(f, "cas {key} absent → {value}"),
            Op::Delete { key } => write!(f, "delete {key}"),
            Op::Add { key, amount } => write!(f, "add {key} {amount:+}"),
            Op::SetAdd { key, element } => write!(f, "add {key} ∋ {element}"),
            Op::SetRemove { key, element } => write!(f, "remove {key} ∌ {element}"),
            Op::Append { key, element } => write!(f, "append {key} · {element}"),
            Op::TextInsert { key, at, character } => write!(f, "insert {key}[{at}] {character}"),
            Op::TextDelete { key, at } => write!(f, "erase {key}[{at}]"),
            Op::Txn(ops) => {
                f.write_str("txn {")?;
                for (i, op) in ops.iter().enumerate() {
                    write!(f, "{}{op}", if i == 0 { " " } else { "; " })?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl Datum {
    /// The elements of a set or list, or the characters of a text, in its order; nothing of what is neither.
    pub fn elements(&self) -> &[Value] {
        match self {
            Datum::Set(elements) | Datum::List(elements) => elements,
            Datum::Absent | Datum::Register(_) | Datum::Counter(_) => &[],
        }
    }

    /// The values that it shows: a register's, or the elements of a set, list or text.
    pub fn values(&self) -> &[Value] {
        match self {
            Datum::Register(value) => std::slice::from_ref(value),
            Datum::Absent | Datum::Counter(_) | Datum::Set(_) | Datum::List(_) => self.elements(),
        }
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Datum::Absent => f.write_str("nothing"),
            Datum::Register(value) => write!(f, "{value}"),
            Datum::Counter(sum) => write!(f, "{sum}"),
            Datum::Set(elements) => write!(f, "{{{}}}", Spaced(elements)),
            Datum::List(elements) => write!(f, "[{}]", Spaced(elements)),
        }
    }
}

/// Values with a space between them.
struct Spaced<'a>(&'a [Value]);

impl fmt::Display for Spaced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, value) in self.0.iter().enumerate() {
            write!(f, "{}{value}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::Nothing => Ok(()),
            Seen::Datum(datum) => write!(f, "{datum}"),
            Seen::Swapped(true) => f.write_str("swapped"),
            Seen::Swapped(false) => f.write_str("not swapped"),
            Seen::Many(answers) => {
                for (i, seen) in answers.iter().enumerate() {
                    write!(f, "{}{seen}", if i == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Open => f.write_str("open"),
            Outcome::Ok => f.write_str("ok"),
            Outcome::Fail(reason) => write!(f, "fail: {reason}"),
            Outcome::Info(reason) => write!(f, "unknown: {reason}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Timeout => "timed out",
            Reason::Refused => "connection refused",
            Reason::Reset => "connection reset",
            Reason::NotServing => "not serving",
            Reason::NotCaughtUp => "not caught up",
            Reason::Exhausted => "exhausted",
            Reason::Conflict => "conflict",
        })
    }
}
