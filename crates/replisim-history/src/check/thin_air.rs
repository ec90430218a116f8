//! Thin-air reads: what was read and never written.
//!
//! All other checks place what a read returned among the versions of its key. This one asks for less: that there is such a
//! version at all. It is broken by an **aborted read** (G1a in Adya, *Weak Consistency*, 1999), which returns the value of
//! a write that certainly failed or was refused, by a **thin-air read**, which returns what nobody ever asked to write, and
//! by a **future read**, which returns what somebody only asked to write when the read was over.
//!
//! ```text
//! c1  w(x)1 ── fail
//! c2            r(x)1      c1 was told that it did not happen
//! ```
//!
//! Who answers that a write failed says more than that it was not acknowledged. A system that does not know answers
//! nothing, so every system promises this, whatever else it promises. What a server makes up ([`Op::Generate`]) is written
//! by whoever asked for it, for each replica may have made up its own.

use std::collections::BTreeMap;

use replisim_kernel::SimTime;

use super::access::{Change, Part};
use super::keys::Slot;
use super::placed::Placed;
use super::witness::Story;
use crate::{Check, Datum, Finding, Key, Op, Operation, Value, Verdict, Witness};

/// Nothing was read that was never written. A history without reads has none that was.
pub(super) fn no_thin_air_reads(placed: &Placed) -> Finding {
    let (mut of, mut broken, mut first) = (0, 0, None);
    let mut sources = Sources::of(placed);
    for part in &placed.parts {
        let Some(datum) = part.saw() else { continue };
        of += 1;
        if let Some(value) = sources.lacking(part, datum) {
            broken += 1;
            first.get_or_insert((part, value));
        }
    }
    let verdict = first.map_or(Verdict::Holds, |(part, value)| Verdict::Violated(tell(placed, part, value)));
    Finding { check: Check::NoThinAirReads, verdict, broken, of, unit: "reads".to_owned() }
}

/// Where what was read can have come from.
struct Sources<'a> {
    placed: &'a Placed<'a>,
    /// By slot, the last list that was read and found to be written.
    lists: Vec<Found<'a>>,
    /// Made when a value has no place in the order of its key.
    written: Option<Written>,
}

/// Elements that were written.
#[derive(Clone, Copy, Default)]
struct Found<'a> {
    elements: &'a [Value],
    /// By when all of them had been asked for.
    by: SimTime,
}

impl<'a> Sources<'a> {
    fn of(placed: &'a Placed) -> Self {
        Sources { placed, lists: vec![Found::default(); placed.order.keys().len()], written: None }
    }

    /// The first value that this read saw and nobody had asked to write when it was over.
    fn lacking(&mut self, read: &Part, datum: &'a Datum) -> Option<Value> {
        let values = datum.values();
        let found = match datum {
            Datum::List(_) => self.lists[read.slot.index()],
            Datum::Absent | Datum::Register(_) | Datum::Counter(_) | Datum::Set(_) => Found::default(),
        };
        // Most lists go on where the last one that was read ended.
        let goes_on = values.starts_with(found.elements) && found.by <= read.of.completed;
        let Found { elements, mut by } = if goes_on { found } else { Found::default() };
        for value in &values[elements.len()..] {
            match self.asked(read, *value) {
                Some(asked) => by = by.max(asked),
                None => return Some(*value),
            }
        }
        if let Datum::List(elements) = datum {
            self.lists[read.slot.index()] = Found { elements, by };
        }
        None
    }

    /// When `value` was asked for, if that was before `read` was over.
    fn asked(&mut self, read: &Part, value: Value) -> Option<SimTime> {
        let key = self.placed.order.key(read.slot);
        let in_time = |asked: &SimTime| *asked <= read.of.completed;
        let versions = key.places(value).iter().map(|(_, rank)| key.version(*rank));
        let mut placed = versions.filter(|version| version.writer.is_some()).map(|version| version.invoked);
        let asked = placed.find(in_time);
        asked.or_else(|| {
            let written = self.written.get_or_insert_with(|| Written::in_history(self.placed));
            written.asked(read.slot, value).filter(in_time)
        })
    }
}

/// What may have been written, be it in the order of versions or not, and when it was first asked for.
struct Written {
    values: BTreeMap<(Slot, Value), SimTime>,
    /// The keys whose values a server made up.
    made_up: BTreeMap<Slot, SimTime>,
}

impl Written {
    fn in_history(placed: &Placed) -> Self {
        let mut written = Written { values: BTreeMap::new(), made_up: BTreeMap::new() };
        for part in &placed.parts {
            let (Some(change), asked) = (part.change(), part.of.invoked) else { continue };
            if let Some(value) = change.value() {
                let first = written.values.entry((part.slot, value)).or_insert(asked);
                *first = asked.min(*first);
            }
            if matches!(part.of.op.parts()[part.part as usize], Op::Generate { .. }) {
                let first = written.made_up.entry(part.slot).or_insert(asked);
                *first = asked.min(*first);
            }
        }
        written
    }

    fn asked(&self, slot: Slot, value: Value) -> Option<SimTime> {
        let made_up = || self.made_up.get(&slot).filter(|_| value.author().is_none());
        self.values.get(&(slot, value)).or_else(made_up).copied()
    }
}

/// The read, and the writes of what it saw, if there are any: they failed or were refused, or began when it was over.
fn tell(placed: &Placed, read: &Part, value: Value) -> Witness {
    let key = placed.order.key(read.slot).key;
    let mut story = Story::new(placed.history);
    let operations = (0..).zip(placed.history.operations.iter());
    let writers = operations.filter(|(_, it)| it.op.parts().iter().any(|op| would_write(op, key, value)));
    let writers: Vec<(u32, &Operation)> = writers.collect();
    writers.iter().for_each(|(writer, _)| story.tell_end(*writer));
    let came_later = writers.iter().any(|(_, it)| it.invoked > read.of.completed);
    let (kind, never) = match &writers[..] {
        [] => ("thin-air read", "which was never written"),
        _ if came_later => ("future read", "which nobody had asked to write"),
        _ => ("aborted read", "which was never written"),
    };
    let node = read.of.node;
    story.tell(read.operation, format!("{node} answered with {value}, {never}"));
    story.called(kind)
}

fn would_write(op: &Op, key: Key, value: Value) -> bool {
    op.key() == Some(key) && Change::asked_for(op).and_then(Change::value) == Some(value)
}
