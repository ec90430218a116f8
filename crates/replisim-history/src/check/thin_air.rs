//! Thin-air reads: what was read and never written.
//!
//! All other checks place what a read returned among the versions of its key. This one asks for less: that there is such a
//! version at all. It is broken by an **aborted read** (G1a in Adya, *Weak Consistency*, 1999), which returns the value of a
//! write that certainly failed, and by a **thin-air read**, which returns what nobody ever asked to write.
//!
//! ```text
//! c1  w(x)1 ── fail
//! c2            r(x)1      c1 was told that it did not happen
//! ```
//!
//! Who answers that a write failed says more than that it was not acknowledged. A system that does not know answers
//! nothing, so every system promises this, whatever else it promises. What a server makes up ([`Op::Generate`]) is written
//! by whoever asked for it, for each replica may have made up its own.

use std::collections::BTreeSet;

use super::deed::{Change, Part};
use super::keys::Slot;
use super::placed::Placed;
use super::witness::Story;
use crate::{Check, Finding, Key, Op, Value, Verdict, Witness};

/// Nothing was read that was never written. A history without reads has none that was.
pub(super) fn no_thin_air_reads(placed: &Placed) -> Finding {
    let (mut of, mut broken, mut written, mut first) = (0, 0, None, None);
    for part in &placed.parts {
        let Some(datum) = part.saw() else { continue };
        of += 1;
        let unplaced = |value: &&Value| !is_placed(placed, part.slot, **value);
        let mut unplaced = datum.values().iter().filter(unplaced).peekable();
        if unplaced.peek().is_none() {
            continue;
        }
        let written = written.get_or_insert_with(|| Written::in_history(placed));
        if let Some(value) = unplaced.find(|value| !written.has(part.slot, **value)) {
            broken += 1;
            first.get_or_insert((part, *value));
        }
    }
    let verdict = first.map_or(Verdict::Holds, |(part, value)| Verdict::Violated(tell(placed, part, value)));
    Finding { check: Check::NoThinAirReads, verdict, broken, of, unit: "reads".to_owned() }
}

/// Whether a version of this value has a place in the order of its key, and a writer.
fn is_placed(placed: &Placed, slot: Slot, value: Value) -> bool {
    let key = placed.order.key(slot);
    key.places(value).iter().any(|(_, rank)| key.writer(*rank).is_some())
}

/// What may have been written, be it in the order of versions or not.
struct Written {
    values: BTreeSet<(Slot, Value)>,
    /// The keys whose values a server made up.
    made_up: BTreeSet<Slot>,
}

impl Written {
    fn in_history(placed: &Placed) -> Self {
        let changes = || placed.parts.iter().filter_map(|part| Some((part, part.change()?)));
        let makes_up = |part: &Part| matches!(part.of.op.parts()[part.part as usize], Op::Generate { .. });
        Written {
            values: changes().filter_map(|(part, change)| Some((part.slot, change.value()?))).collect(),
            made_up: changes().filter(|(part, _)| makes_up(part)).map(|(part, _)| part.slot).collect(),
        }
    }

    fn has(&self, slot: Slot, value: Value) -> bool {
        self.values.contains(&(slot, value)) || (value.author().is_none() && self.made_up.contains(&slot))
    }
}

/// The read, and the write that failed if there is one.
fn tell(placed: &Placed, read: &Part, value: Value) -> Witness {
    let key = placed.order.key(read.slot).key;
    let mut story = Story::new(placed.history);
    let operations = (0..).zip(placed.history.operations.iter());
    let writers = operations.filter(|(_, it)| it.op.parts().iter().any(|op| would_write(op, key, value)));
    let writers: Vec<u32> = writers.map(|(number, _)| number).collect();
    writers.iter().for_each(|writer| story.tell_end(*writer));
    let node = read.of.node;
    story.tell(read.operation, format!("{node} answered with {value}, which was never written"));
    story.called(if writers.is_empty() { "thin-air read" } else { "aborted read" })
}

fn would_write(op: &Op, key: Key, value: Value) -> bool {
    op.key() == Some(key) && Change::asked_for(op).and_then(Change::value) == Some(value)
}
