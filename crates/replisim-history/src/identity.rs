//! The names of things: nodes, sessions, keys, values, and positions in a log.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// Something with an address on the network: a process of the system under test, or an application server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u16);

/// One client session: a single thread of operations, each begun after the last one ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SessionId(pub u32);

/// The name of one datum. Keys are small and dense. Prints as `k17`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub u64);

/// The identity of one written value: no two writes of a run carry the same, so a read names the write it saw.
///
/// A client's value tells who wrote it: `4.12` is the value of session 4's operation 12, and `4.12.1` that of its part 1,
/// if it is a transaction. A value that a server made up (a UUID, a random number, its local time) prints as `node2~7`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Value(u64);

/// A place in a replicated log: the log's epoch (term, timeline, source of a GTID) and the index within it.
///
/// Positions of one epoch are ordered by index. Across epochs the derived order is the order of installation only
/// where the later epoch began after the earlier one ended; [`crate::Lineage`] decides what belongs to a history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Position {
    /// Term, timeline or source.
    pub epoch: u32,
    /// Place within the epoch: a record's number, or its end in bytes, as the system counts.
    pub index: u64,
}

/// The bytes that the derived one would write, in one go: a run hashes positions more often than anything else.
impl Hash for Position {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[4..].copy_from_slice(&self.index.to_le_bytes());
        state.write(&bytes);
    }
}

impl NodeId {
    /// As an index into a vector of nodes.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl SessionId {
    /// As an index into a vector of sessions.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Value {
    // The highest bit, ten of the part, 21 of the session and 32 of the ordinal.
    const MADE_BY_SERVER: u64 = 1 << 63;
    const PART_SHIFT: u32 = 53;
    const SESSIONS: u32 = (1 << 21) - 1;

    /// How wide the number of a value that a server makes up is.
    pub const GENERATED_BITS: u32 = 47;
    const NUMBER: u64 = (1 << Value::GENERATED_BITS) - 1;

    /// The value that `session` writes with its `ordinal`-th operation.
    pub const fn written(session: SessionId, ordinal: u32) -> Self {
        Value((session.0 as u64) << 32 | ordinal as u64)
    }

    /// The value that the `part`-th part of a transaction writes, counted from 0, where this is the first one's.
    ///
    /// # Panics
    /// If `part` is 1,024 or more: no transaction has as many.
    pub const fn of_part(self, part: u32) -> Self {
        assert!(part < 1 << (63 - Value::PART_SHIFT), "a transaction has fewer parts");
        Value(self.0 | (part as u64) << Value::PART_SHIFT)
    }

    /// The value of this number that server `node` makes up. It counts to 2^[`GENERATED_BITS`](Value::GENERATED_BITS).
    pub const fn generated(node: NodeId, number: u64) -> Self {
        Value(Value::MADE_BY_SERVER | (node.0 as u64) << Value::GENERATED_BITS | number & Value::NUMBER)
    }

    /// The session and ordinal of the operation that wrote this; `None` for what a server made up.
    pub const fn author(self) -> Option<(SessionId, u32)> {
        match self.0 & Value::MADE_BY_SERVER {
            0 => Some((SessionId((self.0 >> 32) as u32 & Value::SESSIONS), self.0 as u32)),
            _ => None,
        }
    }

    /// Which part of a transaction wrote this; 0 if it was the first, or no transaction.
    const fn part(self) -> u64 {
        (self.0 & !Value::MADE_BY_SERVER) >> Value::PART_SHIFT
    }
}

impl Position {
    /// Before everything.
    pub const ZERO: Position = Position { epoch: 0, index: 0 };

    /// The place `index` of `epoch`.
    pub const fn new(epoch: u32, index: u64) -> Self {
        Position { epoch, index }
    }
}

macro_rules! print_as {
    ($type:ty, |$it:ident, $f:ident| $body:expr) => {
        impl fmt::Display for $type {
            fn fmt(&self, $f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $it = self;
                $body
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

print_as!(NodeId, |it, f| write!(f, "node{}", it.0));
print_as!(SessionId, |it, f| write!(f, "c{}", it.0));
print_as!(Key, |it, f| write!(f, "k{}", it.0));
print_as!(Position, |it, f| write!(f, "{}@{}", it.index, it.epoch));
print_as!(Value, |it, f| match it.author() {
    Some((session, ordinal)) if it.part() == 0 => write!(f, "{}.{ordinal}", session.0),
    Some((session, ordinal)) => write!(f, "{}.{ordinal}.{}", session.0, it.part()),
    None => write!(f, "node{}~{}", (it.0 >> Value::GENERATED_BITS) as u16, it.0 & Value::NUMBER),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_tells_its_author() {
        let value = Value::written(SessionId(4), 12);
        assert_eq!(value.to_string(), "4.12");
        assert_eq!(value.author(), Some((SessionId(4), 12)));
        let second = value.of_part(1);
        assert_eq!((second.to_string().as_str(), second.author()), ("4.12.1", value.author()));
        assert_eq!(value.of_part(0), value);
        let made_up = Value::generated(NodeId(2), 7);
        assert_eq!(made_up.to_string(), "node2~7");
        assert_eq!(made_up.author(), None);
        assert_eq!(Value::generated(NodeId(u16::MAX), 1 << 46).to_string(), "node65535~70368744177664");
    }
}
