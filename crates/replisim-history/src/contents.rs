//! What a replica holds: its data with the position of each version, and the lineage of the log it came from.

use std::sync::Arc;

use replisim_kernel::Table;
use serde::{Deserialize, Serialize};

use crate::{Datum, Key, Op, Position, Seen, Value};

/// One key's datum and where in the log it was installed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// What the key holds.
    pub datum: Datum,
    /// The position of the record that made it so.
    pub position: Position,
}

/// A replica's data: the state machine that every log-based protocol applies its log to. Clones in constant time.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    versions: Table<Version>,
    revision: u64,
}

impl Contents {
    /// Nothing stored.
    pub fn new() -> Self {
        Contents::default()
    }

    /// What `key` holds.
    pub fn read(&self, key: Key) -> Datum {
        self.versions.get(key.0).map(|version| version.datum.clone()).unwrap_or_default()
    }

    /// What `key` holds and since which position; `None` if it was never written.
    pub fn version(&self, key: Key) -> Option<&Version> {
        self.versions.get(key.0)
    }

    /// Puts `datum` under `key`, as installed at `position`.
    pub fn install(&mut self, key: Key, datum: Datum, position: Position) {
        self.versions.insert(key.0, Version { datum, position });
        self.revision += 1;
    }

    /// Carries out `op` as of `position` and says what its client sees. `made_up` supplies the value of each
    /// [`Op::Generate`]: whoever executes the operation makes up its own.
    pub fn apply(&mut self, op: &Op, position: Position, made_up: &mut dyn FnMut() -> Value) -> Seen {
        if let Op::Txn(ops) = op {
            return Seen::Many(ops.iter().map(|op| self.apply(op, position, made_up)).collect::<Arc<[_]>>());
        }
        let Some(key) = op.key() else { return Seen::Nothing };
        let now = self.version(key).map_or(&Datum::Absent, |version| &version.datum);
        let (next, seen) = step(op, now, made_up);
        if let Some(datum) = next {
            self.install(key, datum, position);
        }
        seen
    }

    /// Forgets everything, as a dropped table does.
    pub fn clear(&mut self) {
        self.versions.clear();
        self.revision += 1;
    }

    /// Changes whenever something is put under a key, or all is forgotten.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Every key that was ever written, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Version)> {
        self.versions.iter().map(|(key, version)| (Key(key), version))
    }

    /// How many keys were ever written.
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether no key was ever written.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Whether both hold the same data, whatever the positions.
    pub fn same_data(&self, other: &Contents) -> bool {
        self.present().eq(other.present())
    }

    /// Every key that holds something, ascending, and what it holds.
    pub fn present(&self) -> impl Iterator<Item = (Key, &Datum)> {
        let data = self.iter().map(|(key, version)| (key, &version.datum));
        data.filter(|(_, datum)| **datum != Datum::Absent)
    }
}

/// One operation on one datum: the datum after it (`None` if it is left alone) and what the client sees. What is written as
/// if the datum were of another kind replaces it.
fn step(op: &Op, now: &Datum, made_up: &mut dyn FnMut() -> Value) -> (Option<Datum>, Seen) {
    match *op {
        Op::Read { .. } => (None, Seen::Datum(now.clone())),
        Op::Write { value, .. } => (Some(Datum::Register(value)), Seen::Nothing),
        Op::Generate { .. } => {
            let datum = Datum::Register(made_up());
            (Some(datum.clone()), Seen::Datum(datum))
        }
        Op::CompareAndSet { expect, value, .. } => {
            let swap = *now == expect.map_or(Datum::Absent, Datum::Register);
            (swap.then_some(Datum::Register(value)), Seen::Swapped(swap))
        }
        Op::Delete { .. } => (Some(Datum::Absent), Seen::Nothing),
        Op::Add { amount, .. } => (Some(Datum::Counter(sum(now) + amount)), Seen::Nothing),
        Op::SetAdd { element, .. } => {
            let mut elements = set(now);
            if let Err(place) = elements.binary_search(&element) {
                elements.insert(place, element);
            }
            (Some(Datum::Set(elements.into())), Seen::Nothing)
        }
        Op::SetRemove { element, .. } => {
            let mut elements = set(now);
            elements.retain(|other| *other != element);
            (Some(Datum::Set(elements.into())), Seen::Nothing)
        }
        Op::Append { element, .. } => {
            let mut elements = list(now);
            elements.push(element);
            (Some(Datum::List(elements.into())), Seen::Nothing)
        }
        Op::TextInsert { at, character, .. } => {
            let mut characters = list(now);
            characters.insert((at as usize).min(characters.len()), character);
            (Some(Datum::List(characters.into())), Seen::Nothing)
        }
        Op::TextDelete { at, .. } => {
            let mut characters = list(now);
            if (at as usize) < characters.len() {
                characters.remove(at as usize);
            }
            (Some(Datum::List(characters.into())), Seen::Nothing)
        }
        Op::Txn(_) => unreachable!("transactions do not nest"),
    }
}

fn set(datum: &Datum) -> Vec<Value> {
    match datum {
        Datum::Set(elements) => elements.to_vec(),
        Datum::Absent | Datum::Register(_) | Datum::Counter(_) | Datum::List(_) => Vec::new(),
    }
}

fn list(datum: &Datum) -> Vec<Value> {
    match datum {
        Datum::List(elements) => elements.to_vec(),
        Datum::Absent | Datum::Register(_) | Datum::Counter(_) | Datum::Set(_) => Vec::new(),
    }
}

fn sum(datum: &Datum) -> i64 {
    match datum {
        Datum::Counter(sum) => *sum,
        Datum::Absent | Datum::Register(_) | Datum::Set(_) | Datum::List(_) => 0,
    }
}

/// Which records a replica's history consists of: stretches of epochs, oldest first.
///
/// After a promotion that lost a tail the new epoch starts before the old one ended, so a bare index says nothing:
/// `502@1` may be gone although the log has long passed 502 in epoch 2. A lineage answers by epoch.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Lineage(Vec<Stretch>);

/// The records of one epoch with `after < index <= upto`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Stretch {
    epoch: u32,
    after: u64,
    upto: u64,
}

impl Lineage {
    /// No records at all.
    pub fn new() -> Self {
        Lineage::default()
    }

    /// Adds the record at `position`; what lies between it and the epoch's last record is taken to be there too.
    /// `previous` is the index at which the epoch began, used when `position` is its first record.
    #[inline]
    pub fn extend(&mut self, previous: u64, position: Position) {
        match self.0.iter_mut().rev().find(|stretch| stretch.epoch == position.epoch && stretch.upto >= previous) {
            Some(stretch) => stretch.upto = stretch.upto.max(position.index),
            None => self.0.push(Stretch { epoch: position.epoch, after: previous, upto: position.index }),
        }
    }

    /// Whether the record at `position` is part of this history. The beginning of all is part of every history.
    #[inline]
    pub fn contains(&self, position: Position) -> bool {
        position == Position::ZERO
            || self.0.iter().any(|stretch| {
                stretch.epoch == position.epoch && stretch.after < position.index && position.index <= stretch.upto
            })
    }

    /// The last position of the last epoch.
    #[inline]
    pub fn last(&self) -> Position {
        self.0.last().map_or(Position::ZERO, |stretch| Position::new(stretch.epoch, stretch.upto))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionId;

    #[test]
    fn a_lost_tail_is_not_in_the_lineage() {
        let mut lineage = Lineage::new();
        lineage.extend(0, Position::new(1, 480));
        lineage.extend(480, Position::new(2, 600));
        assert!(lineage.contains(Position::new(1, 480)));
        assert!(!lineage.contains(Position::new(1, 502)), "the tail of epoch 1 was lost");
        assert!(lineage.contains(Position::new(2, 502)));
        assert!(!lineage.contains(Position::new(2, 480)), "epoch 2 begins after 480");
    }

    #[test]
    fn every_kind_of_datum_takes_its_operations() {
        let value = |n| Value::written(SessionId(1), n);
        let key = Key(3);
        let mut contents = Contents::new();
        let mut apply = |op: Op| contents.apply(&op, Position::new(1, 1), &mut || value(99));
        assert_eq!(apply(Op::CompareAndSet { key, expect: None, value: value(1) }), Seen::Swapped(true));
        assert_eq!(apply(Op::CompareAndSet { key, expect: None, value: value(2) }), Seen::Swapped(false));
        assert_eq!(apply(Op::Read { key }), Seen::Datum(Datum::Register(value(1))));
        assert_eq!(apply(Op::Generate { key }), Seen::Datum(Datum::Register(value(99))));
        apply(Op::Delete { key });
        apply(Op::Append { key, element: value(5) });
        apply(Op::Append { key, element: value(4) });
        assert_eq!(apply(Op::Read { key }), Seen::Datum(Datum::List([value(5), value(4)].into())));
    }

    #[test]
    fn what_is_written_as_if_it_were_of_another_kind_replaces_the_datum() {
        let value = |n| Value::written(SessionId(1), n);
        let key = Key(3);
        let mut contents = Contents::new();
        let mut then = |op: Op| {
            contents.apply(&op, Position::new(1, 1), &mut || value(99));
            contents.read(key)
        };
        then(Op::Append { key, element: value(5) });
        assert_eq!(then(Op::Append { key, element: value(4) }), Datum::List([value(5), value(4)].into()));
        assert_eq!(then(Op::SetAdd { key, element: value(6) }), Datum::Set([value(6)].into()));
        assert_eq!(then(Op::SetAdd { key, element: value(2) }), Datum::Set([value(2), value(6)].into()));
        assert_eq!(then(Op::TextInsert { key, at: 7, character: value(8) }), Datum::List([value(8)].into()));
        assert_eq!(then(Op::SetRemove { key, element: value(8) }), Datum::Set([].into()));
    }
}
