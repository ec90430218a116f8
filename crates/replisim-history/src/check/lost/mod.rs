//! Lost writes: acknowledged to a client, and gone at the end.
//!
//! Whoever leads at the end has the last word; where several lead, as in a leaderless system, a write is lost only if none
//! of them has it. A write is lost if either
//!
//! - **its record is gone**: its position is known and is not in the leader's lineage, nor is that of any other
//!   install of the same value. This is how a promotion loses a tail, or a crash a leader's own, and it holds even for what
//!   was overwritten before;
//! - **its effect is gone**: the leader holds an older version, and no acknowledged write is newer. What was
//!   overwritten or deleted, or may have been by a write that was never answered, is not lost. A set, list or text must
//!   hold the element unless it may have been removed since, or replaced: a key that is written as if it were of another
//!   kind keeps nothing of what it was.
//!
//! What a counter lacks is told by its sum: see `sums.rs`.
//!
//! A history with operations but without a single acknowledged write has lost nothing: the check holds over none. That is
//! on purpose: a system that blocks in a partition loses no writes, and availability is measured elsewhere.

mod sums;
mod tell;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use replisim_kernel::SimTime;

use super::access::{Change, Part};
use super::keys::Slot;
use super::order::{KeyOrder, Rank};
use super::placed::Placed;
use super::tally::{Tally, undecided};
use crate::{Check, Datum, Final, Finding, History, Limit, Lineage, Position, Value, Verdict};
use sums::{Counted, count, must_count};
use tell::tell;

const UNIT: &str = "acknowledged writes";

/// Which acknowledged writes were lost.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Losses {
    /// The lost ones, as positions in [`History::operations`], ascending.
    pub lost: Vec<u64>,
    /// How many writes were acknowledged.
    pub acknowledged: u64,
    /// Those of which the history does not tell whether they were lost, ascending.
    pub unknown: Vec<u64>,
}

/// Finds the lost writes.
///
/// # Errors
/// [`Limit::BrokenOff`] if the run did not come to its end; [`Limit::NobodyLed`] if writes were acknowledged and no
/// replica led there.
pub fn losses(history: &History) -> Result<Losses, Limit> {
    examine(&Placed::new(history)).map(|(losses, _)| losses)
}

/// Every acknowledged write is part of the final history.
pub(super) fn no_lost_writes(placed: &Placed) -> Finding {
    let (losses, first) = match examine(placed) {
        Ok(examined) => examined,
        Err(limit) => return undecided(Check::NoLostWrites, UNIT, limit),
    };
    let (broken, unknown) = (losses.lost.len() as u64, losses.unknown.len() as u64);
    let tally = Tally { broken, of: losses.acknowledged, ..Tally::default() };
    let mut finding = tally.conclude(Check::NoLostWrites, UNIT, first.map(|loss| tell(placed, &loss)));
    match finding.verdict {
        Verdict::Violated(_) => {}
        _ if unknown > 0 => finding.verdict = Verdict::Unknown(Limit::UnknownLoss { writes: unknown }),
        _ if losses.acknowledged == 0 && !placed.history.operations.is_empty() => finding.verdict = Verdict::Holds,
        Verdict::Holds | Verdict::Unknown(_) => {}
    }
    finding
}

/// What became of an acknowledged write, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fate {
    /// It is there, or by the rules need not be.
    NotLost,
    Unknown,
    Lost(Way),
}

/// In which way a write was lost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Way {
    Vanished,
    Undone,
    RecordGone,
    MissingFromSum,
}

/// One acknowledged write of one key.
struct Write<'a> {
    part: &'a Part<'a>,
    key: &'a KeyOrder,
    rank: Option<Rank>,
    change: Change,
}

/// The first loss that was found.
struct Loss {
    operation: u32,
    slot: Slot,
    way: Way,
}

fn examine(placed: &Placed) -> Result<(Losses, Option<Loss>), Limit> {
    placed.history.end()?;
    let leaders = Leaders::of(placed);
    let (mut losses, mut first) = (Losses::default(), None);
    let mut writes = Vec::with_capacity(placed.parts.len());
    writes.extend(acknowledged_writes(placed));
    for of_one_operation in writes.chunk_by(|a, b| a.part.operation == b.part.operation) {
        // Of an operation's writes the worst off counts, and among equals the one of the largest key.
        let fates = of_one_operation.iter().map(|write| (leaders.fate(write), write.key.key, write.part.slot));
        let Some((fate, _, slot)) = fates.max() else { continue };
        losses.acknowledged += 1;
        let operation = of_one_operation[0].part.operation;
        match fate {
            Fate::NotLost => {}
            Fate::Unknown => losses.unknown.push(u64::from(operation)),
            Fate::Lost(way) => {
                losses.lost.push(u64::from(operation));
                first.get_or_insert(Loss { operation, slot, way });
            }
        }
    }
    if losses.acknowledged > 0 && leaders.leading.is_empty() {
        return Err(Limit::NobodyLed);
    }
    Ok((losses, first))
}

/// Every acknowledged write, in the order of operations.
fn acknowledged_writes<'a>(placed: &'a Placed<'a>) -> impl Iterator<Item = Write<'a>> {
    writes(placed).filter(|write| write.part.of.outcome.is_ok())
}

/// Every write that may have happened, in the order of operations.
fn writes<'a>(placed: &'a Placed<'a>) -> impl Iterator<Item = Write<'a>> {
    placed.parts.iter().zip(placed.order.made()).filter_map(|(part, rank)| {
        Some(Write { part, key: placed.order.key(part.slot), rank: *rank, change: part.change()? })
    })
}

/// The replicas whose word counts at the end.
struct Leaders<'a> {
    leading: Vec<Leader<'a>>,
}

/// A replica that leads at the end, and what it holds of each key, by slot.
struct Leader<'a> {
    lineage: Option<&'a Lineage>,
    holds: Vec<Held<'a>>,
    /// What its counters must hold, by slot.
    counted: BTreeMap<Slot, Counted>,
}

/// What a replica holds of a key.
struct Held<'a> {
    datum: &'a Datum,
    /// The position of the record that made it so; zero if it was never written.
    position: Position,
    /// The last version that a register's value was installed as.
    register: Option<Rank>,
}

impl<'a> Leader<'a> {
    fn of(placed: &Placed<'a>, replica: &'a Final) -> Self {
        let held = |key: &KeyOrder| {
            let version = replica.contents.version(key.key);
            let (datum, position) = version.map_or((&Datum::Absent, Position::ZERO), |it| (&it.datum, it.position));
            Held { datum, position, register: register(datum).and_then(|value| Some(key.place(value)?.1)) }
        };
        let lineage = replica.lineage.as_ref();
        let holds = placed.order.keys().iter().map(held).collect();
        Leader { lineage, holds, counted: count(placed, lineage) }
    }

    fn fate_of_addition(&self, write: &Write) -> Fate {
        let counted = &self.counted[&write.part.slot];
        let held = match self.held(write).datum {
            Datum::Counter(sum) => *sum,
            Datum::Absent | Datum::Register(_) | Datum::Set(_) | Datum::List(_) => 0,
        };
        if !must_count(self.lineage, write) {
            return Fate::NotLost;
        }
        counted.fate(write.part.operation, counted.sum() - held)
    }

    /// What it holds of the key that was written.
    fn held(&self, write: &Write) -> &Held<'a> {
        &self.holds[write.part.slot.index()]
    }
}

impl<'a> Leaders<'a> {
    fn of(placed: &Placed<'a>) -> Self {
        let leading = placed.history.finals.iter().filter(|replica| replica.leads);
        let leading = leading.map(|replica| Leader::of(placed, replica)).collect();
        Leaders { leading }
    }

    /// The best fate that the write has with any of the leading replicas.
    fn fate(&self, write: &Write) -> Fate {
        let fates = self.leading.iter().map(|leader| Self::fate_with(leader, write));
        fates.min().unwrap_or(Fate::Unknown)
    }

    fn fate_with(leader: &Leader, write: &Write) -> Fate {
        let record = record(leader.lineage, write);
        if record == Some(false) {
            return Fate::Lost(Way::RecordGone);
        }
        match write.change {
            Change::Trim | Change::MakeUp if record == Some(true) => Fate::NotLost,
            Change::Trim | Change::MakeUp => Fate::Unknown,
            // What another kind of datum left of the sum, nobody knows.
            Change::Count(_) if write.key.mixes_kinds => Fate::Unknown,
            Change::Count(_) => leader.fate_of_addition(write),
            Change::Put(value) => fate_of_register(leader, write, value),
            Change::Grow(element) | Change::Append(element) | Change::Insert(element) => {
                fate_of_element(leader, write, element)
            }
            Change::Remove(element) => fate_of_removal(leader, write, element),
            Change::Erase => fate_of_deletion(leader, write),
        }
    }
}

/// Whether the write's record is in the replica's lineage; `None` if positions or lineages are not told.
fn record(lineage: Option<&Lineage>, write: &Write) -> Option<bool> {
    let lineage = lineage?;
    let told = (write.part.of.position != Position::ZERO).then_some(write.part.of.position);
    if told.is_some_and(|position| lineage.contains(position)) {
        return Some(true);
    }
    let mut installed = positions(write.key, write.change).filter(|position| *position != Position::ZERO).peekable();
    let known = told.is_some() || installed.peek().is_some();
    known.then(|| installed.any(|position| lineage.contains(position)))
}

/// Where the value that the change put was installed: more than once if a retry was.
fn positions(key: &KeyOrder, change: Change) -> impl Iterator<Item = Position> {
    let places = change.value().map_or(&[][..], |value| key.places(value));
    places.iter().map(|(_, rank)| key.version(*rank).position)
}

fn fate_of_register(leader: &Leader, write: &Write, value: Value) -> Fate {
    let held = leader.held(write);
    let there = match held.datum {
        Datum::Register(other) if *other == value => return Fate::NotLost,
        Datum::Register(_) => held.register,
        Datum::Absent => Some(write.key.absence(SimTime::NEVER)),
        Datum::Counter(_) | Datum::Set(_) | Datum::List(_) => held_since(held, write),
    };
    fate_beside(leader, write, there, Way::Vanished)
}

/// The version that a replica holds where the write's value would not be a register: the one at the position where it was
/// installed, or else one that made an element of it, the last to be certainly older than the write.
fn held_since(held: &Held, write: &Write) -> Option<Rank> {
    let made = || held.datum.elements().iter().filter_map(|element| write.key.place(*element)).map(|(_, last)| last);
    let older = |rank: &Rank| write.rank.is_some_and(|mine| write.key.compare(*rank, mine) == Some(Ordering::Less));
    write.key.since(held.position).or_else(|| made().find(|rank| !older(rank))).or_else(|| made().max())
}

fn fate_of_deletion(leader: &Leader, write: &Write) -> Fate {
    let held = leader.held(write);
    match held.datum {
        Datum::Absent => Fate::NotLost,
        Datum::Register(_) => fate_beside(leader, write, held.register, Way::Undone),
        Datum::Set(elements) | Datum::List(elements) => {
            let back = elements.iter().any(|element| added_before(write, *element));
            if back { Fate::Lost(Way::Undone) } else { Fate::NotLost }
        }
        Datum::Counter(_) => fate_beside(leader, write, held_since(held, write), Way::Undone),
    }
}

/// The fate of a write beside the version that a replica holds.
fn fate_beside(leader: &Leader, write: &Write, there: Option<Rank>, way: Way) -> Fate {
    let (Some(there), Some(rank)) = (there, write.rank) else {
        let nothing_ever_deleted = there == Some(Rank::INITIAL);
        return if nothing_ever_deleted { Fate::Lost(way) } else { Fate::Unknown };
    };
    let older = write.key.compare(there, rank) == Some(Ordering::Less);
    if older && !superseded(leader, write.key, rank) { Fate::Lost(way) } else { Fate::NotLost }
}

/// Whether an acknowledged write whose record the replica has is certainly newer. Then that one is lost, not this.
fn superseded(leader: &Leader, key: &KeyOrder, rank: Rank) -> bool {
    let newer = &key.versions[key.newer_than(rank).0 as usize - 1..];
    newer.iter().any(|version| {
        let recorded = leader.lineage.is_none_or(|lineage| lineage.contains(version.position));
        version.acknowledged.is_reached() && recorded
    })
}

fn fate_of_element(leader: &Leader, write: &Write, element: Value) -> Fate {
    let is_there = leader.held(write).datum.elements().contains(&element);
    let may_be_gone = write.rank.is_some_and(|rank| write.key.swept_from(write.change.kind(), rank).is_reached());
    if is_there || may_be_gone || write.key.removed_from(element).is_reached() {
        return Fate::NotLost;
    }
    Fate::Lost(Way::Vanished)
}

fn fate_of_removal(leader: &Leader, write: &Write, element: Value) -> Fate {
    let there = leader.held(write).datum.elements().contains(&element);
    if there && added_before(write, element) { Fate::Lost(Way::Undone) } else { Fate::NotLost }
}

/// Whether `element` was acknowledged before the write began, so that the write certainly removed it.
fn added_before(write: &Write, element: Value) -> bool {
    let added = write.key.place(element);
    added.is_some_and(|(first, _)| write.key.version(first).acknowledged < write.part.of.invoked)
}

fn register(datum: &Datum) -> Option<Value> {
    match datum {
        Datum::Register(value) => Some(*value),
        Datum::Absent | Datum::Counter(_) | Datum::Set(_) | Datum::List(_) => None,
    }
}
