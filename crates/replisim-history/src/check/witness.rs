//! How a witness is written: one line for each operation it rests on, in order of time.

use replisim_kernel::SimTime;

use super::keys::Slot;
use super::order::{Basis, KeyOrder, Rank};
use super::placed::{Event, Most, Placed, What};
use crate::{Check, Final, History, Key, Op, Operation, Outcome, Seen, Witness, WitnessLine};

/// A witness under way: operations with what to make of each.
pub(super) struct Story<'a> {
    history: &'a History,
    told: Vec<(u64, WitnessLine)>,
    untold: Vec<u64>,
    ending: Vec<WitnessLine>,
}

/// Whether `witness` violates `check` on its own: in the history that holds nothing but its operations, what was
/// installed, what the replicas held at the end, and what ended it early.
pub fn recheck(check: Check, history: &History, witness: &Witness) -> bool {
    let reduced = History {
        operations: witness.operations.iter().filter_map(|&at| history.operations.get(at)).cloned().collect(),
        installs: history.installs.clone(),
        beginnings: history.beginnings.clone(),
        discards: history.discards.clone(),
        finals: history.finals.clone(),
        down: history.down.clone(),
        panic: history.panic.clone(),
        broken_off: history.broken_off,
        unsettled: history.unsettled,
    };
    super::check(check, &reduced).verdict.witness().is_some()
}

impl<'a> Story<'a> {
    /// A story that nothing was told of yet.
    pub(super) fn new(history: &'a History) -> Self {
        Story { history, told: Vec::new(), untold: Vec::new(), ending: Vec::new() }
    }

    /// Tells of an operation at its completion; what did not complete is told of at its invocation. An operation is
    /// told of once: the first remark stays.
    pub(super) fn tell(&mut self, operation: u32, remark: impl Into<String>) {
        let position = u64::from(operation);
        if self.told.iter().any(|(told, _)| *told == position) {
            return;
        }
        let it = &self.history.operations[position];
        let at = if it.completed.is_reached() { it.completed } else { it.invoked };
        let line = WitnessLine { who: it.session.to_string(), what: did(it), at, remark: remark.into() };
        self.told.push((position, line));
    }

    /// Tells of an operation and remarks how it ended.
    pub(super) fn tell_end(&mut self, operation: u32) {
        let position = u64::from(operation);
        self.tell(operation, acknowledged(&self.history.operations[position]));
    }

    /// Rests on an operation without a line of its own.
    pub(super) fn rest_on(&mut self, operation: u32) {
        self.untold.push(u64::from(operation));
    }

    /// Ends with what a replica held of a key when all was quiet.
    pub(super) fn end(&mut self, replica: &Final, key: Key, remark: impl Into<String>) {
        let what = format!("holds {key} = {}", replica.contents.read(key));
        self.end_with(replica.node.to_string(), what, replica.at, remark.into());
    }

    /// Ends with what befell somebody.
    pub(super) fn end_with(&mut self, who: String, what: String, at: SimTime, remark: String) {
        self.ending.push(WitnessLine { who, what, at, remark });
    }

    /// The witness, under the name of its kind of anomaly.
    pub(super) fn called(mut self, kind: &str) -> Witness {
        self.told.sort_by_key(|(position, line)| (line.at, *position));
        let mut operations = self.untold;
        operations.extend(self.told.iter().map(|(position, _)| *position));
        operations.sort_unstable();
        operations.dedup();
        let lines = self.told.into_iter().map(|(_, line)| line).chain(self.ending).collect();
        Witness { kind: kind.to_owned(), lines, operations }
    }
}

/// What the client of `it` did and learned.
fn did(it: &Operation) -> String {
    let parts = it.op.parts().iter().enumerate();
    let parts = parts.map(|(part, op)| part_did(op, it.seen_in(part).unwrap_or(&Seen::Nothing)));
    parts.collect::<Vec<_>>().join("; ")
}

fn part_did(op: &Op, seen: &Seen) -> String {
    match (op, seen) {
        (Op::Read { key }, Seen::Datum(datum)) => format!("read {key} = {datum}"),
        (Op::Generate { key }, Seen::Datum(datum)) => format!("wrote {key} = {datum}"),
        (Op::Write { key, value }, _) => format!("wrote {key} = {value}"),
        (Op::Delete { key }, _) => format!("deleted {key}"),
        (Op::Append { key, element }, _) => format!("appended {element} to {key}"),
        (Op::SetAdd { key, element }, _) => format!("added {element} to {key}"),
        (Op::CompareAndSet { .. }, Seen::Swapped(_)) => format!("{op}: {seen}"),
        _ => op.to_string(),
    }
}

/// Who acknowledged or answered an operation, or how it ended.
pub(super) fn acknowledged(it: &Operation) -> String {
    match it.outcome {
        Outcome::Ok if it.op.is_read() => format!("answered by {}", it.node),
        Outcome::Ok => format!("acknowledged by {}", it.node),
        other => other.to_string(),
    }
}

/// Where real time tells that what was seen is older than the version of rank `missed`, a sighting rests on those whose
/// times do, and a sighting of nothing on all that it may have been of.
pub(super) fn rest_on_order(placed: &Placed, event: &Event, missed: Rank, story: &mut Story) {
    let key = placed.key_of(event);
    if missed != Rank::INITIAL && key.version(missed).is_of_elements() {
        rest_on_keepers(key, missed, story);
    }
    let (Basis::RealTime, What::Saw(most)) = (event.basis, event.what) else { return };
    key.unlogged.into_iter().for_each(|acknowledged| story.rest_on(acknowledged));
    if event.rank == Rank::INITIAL {
        let by_then = key.absences_by(placed.operation_of(event).completed);
        by_then
            .flat_map(|gone| [key.writer(gone), key.writer_that_ends(gone)])
            .flatten()
            .for_each(|of| story.rest_on(of));
    } else if let Most::Rank(most) = most {
        key.writer_that_ends(most).into_iter().for_each(|writer| story.rest_on(writer));
    }
    key.writer_that_begins(missed).into_iter().for_each(|writer| story.rest_on(writer));
}

/// That an element was not swept away is told by all that was written to its key and is not certainly older.
pub(super) fn rest_on_keepers(key: &KeyOrder, rank: Rank, story: &mut Story) {
    let from = if key.basis == Basis::Log { rank.0 as usize - 1 } else { 0 };
    key.versions[from..].iter().filter_map(|version| version.writer).for_each(|writer| story.rest_on(writer));
}

/// How the version of `rank` reads: `k3 = 1.4`, `the deletion of k3`.
pub(super) fn name(placed: &Placed, slot: Slot, rank: Rank) -> String {
    let key = placed.order.key(slot);
    if rank == Rank::INITIAL {
        return format!("the initial {}", key.key);
    }
    match key.version(rank).value {
        Some(value) => format!("{} = {value}", key.key),
        None => format!("a change of {}", key.key),
    }
}
