//! How a loss is told: who wrote, where, and what is held instead.

use replisim_kernel::SimTime;

use super::{Loss, Way};
use crate::check::access::{Change, Part};
use crate::check::keys::Slot;
use crate::check::order::{Basis, KeyOrder};
use crate::check::placed::Placed;
use crate::check::witness::{Story, acknowledged, rest_on_keepers};
use crate::{Datum, History, Lineage, Operation, Position, Value, Witness};

/// The lost write, and what the leader holds instead.
pub(super) fn tell(placed: &Placed, loss: &Loss) -> Witness {
    let it = placed.operation(loss.operation);
    let place = if it.position == Position::ZERO { String::new() } else { format!(" at {}", it.position) };
    let mut story = Story::new(placed.history);
    story.tell(loss.operation, acknowledged(it) + &place);
    if loss.way == Way::MissingFromSum {
        rest_on_additions(placed, loss.slot, &mut story);
    }
    rest_on_keepers_of(placed, loss, &mut story);
    let key = placed.order.key(loss.slot);
    key.unlogged.into_iter().for_each(|acknowledged| story.rest_on(acknowledged));
    // What it holds may be the same for another reason: a key that was deleted, and one that was never written.
    let gone = match loss.way {
        Way::RecordGone if it.position == Position::ZERO => "; its record is gone".to_owned(),
        Way::RecordGone => format!("; record {} is gone", it.position),
        Way::Vanished | Way::Undone | Way::MissingFromSum => String::new(),
    };
    for replica in placed.history.finals.iter().filter(|replica| replica.leads).take(3) {
        let remark = match replica.lineage.as_ref().map(Lineage::last) {
            None => "it leads at the end".to_owned(),
            Some(Position::ZERO) => format!("it leads at the end, with no records{gone}"),
            Some(last) => format!("it leads at the end, at {last}{gone}"),
        };
        rest_on_writers(key, &replica.contents.read(key.key), &mut story);
        story.end(replica, key.key, remark);
    }
    story.called(match loss.way {
        Way::RecordGone if is_succeeded(placed.history, it) => "tail lost at promotion",
        way => way.kind(),
    })
}

/// Whether another than the leader that acknowledged a write leads at the end, or has ordered anything since: who lost the
/// record by a crash of its own has no successor.
fn is_succeeded(history: &History, it: &Operation) -> bool {
    let since = history.installs.iter().filter(|install| install.at > it.completed).map(|install| install.node);
    let leading = history.finals.iter().filter(|replica| replica.leads).map(|replica| replica.node);
    leading.chain(since).any(|node| node != it.node)
}

/// What is held instead is older than what was lost: where no log says so, the times of its writes do.
fn rest_on_writers(key: &KeyOrder, held: &Datum, story: &mut Story) {
    let writer = |value: Value| key.version(key.place(value)?.0).writer;
    match held {
        Datum::Register(value) => {
            writer(*value).into_iter().for_each(|writer| story.tell_end(writer));
            let last = key.place(*value).filter(|_| key.basis == Basis::RealTime);
            last.and_then(|(_, last)| key.writer_that_ends(last)).into_iter().for_each(|writer| story.rest_on(writer));
        }
        Datum::Absent if key.basis == Basis::RealTime => {
            let gone = key.absences_by(SimTime::NEVER);
            let writers = gone.flat_map(|gone| [key.writer(gone), key.writer_that_ends(gone)]).flatten();
            writers.for_each(|writer| story.rest_on(writer));
        }
        Datum::Absent | Datum::Counter(_) | Datum::Set(_) | Datum::List(_) => {}
    }
    held.elements().iter().filter_map(|element| writer(*element)).for_each(|writer| story.rest_on(writer));
}

fn rest_on_keepers_of(placed: &Placed, loss: &Loss, story: &mut Story) {
    let is_it = |part: &Part| part.operation == loss.operation && part.slot == loss.slot;
    let mut ranked = placed.parts.iter().zip(placed.order.made()).filter(|(part, _)| is_it(part));
    let Some((_, Some(rank))) = ranked.find(|(part, _)| part.change().is_some_and(Change::grows)) else { return };
    rest_on_keepers(placed.order.key(loss.slot), *rank, story);
}

fn rest_on_additions(placed: &Placed, slot: Slot, story: &mut Story) {
    let touching = placed.parts.iter().filter(|part| part.slot == slot && part.change().is_some());
    touching.for_each(|part| story.rest_on(part.operation));
}

impl Way {
    const fn kind(self) -> &'static str {
        match self {
            Way::Vanished => "write vanished",
            Way::Undone => "deletion undone",
            Way::RecordGone => "gone from the leader's log",
            Way::MissingFromSum => "addition missing",
        }
    }
}
