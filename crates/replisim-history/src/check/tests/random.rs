//! Random small histories: drafts of operations, the times at which they begin and end, the logs that their writes go into,
//! and what their reads see.

use proptest::prelude::*;
use replisim_kernel::{SimTime, Span};

use crate::{
    Beginning, Contents, Datum, Final, History, Install, Key, Lineage, Made, NodeId, Op, Operation, Outcome, Position,
    Reason, Seen, SessionId, Value,
};

/// One operation of a random history before its times and answers are known.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub session: u32,
    pub parts: Vec<(u8, u64)>,
    begins_after: u64,
    pub lasts: u64,
    pub ends: u8,
    pub pick: u64,
}

pub(super) fn draft() -> impl Strategy<Value = Draft> {
    let parts = prop::collection::vec((0..10u8, 1..4u64), 1..3);
    (0..4u32, parts, 0..4u64, 1..8u64, 0..10u8, any::<u64>()).prop_map(
        |(session, parts, begins_after, lasts, ends, pick)| Draft { session, parts, begins_after, lasts, ends, pick },
    )
}

/// Gives drafts their times: each session one after the other, in order of invocation over all.
pub(super) fn schedule(drafts: &[Draft]) -> Vec<(Draft, u32, SimTime, SimTime)> {
    let (mut free, mut ordinals) = ([0u64; 4], [0u32; 4]);
    let mut scheduled = Vec::new();
    for (turn, draft) in (0..).zip(drafts) {
        let session = draft.session as usize;
        let invoked = (turn * 2).max(free[session]) + draft.begins_after;
        // Some sessions go on at once.
        free[session] = invoked + draft.lasts + (draft.pick >> 40 & 1);
        let at = |millis| SimTime::ZERO + Span::millis(millis);
        scheduled.push((draft.clone(), ordinals[session], at(invoked), at(invoked + draft.lasts)));
        ordinals[session] += 1;
    }
    scheduled.sort_by_key(|(draft, _, invoked, _)| (*invoked, draft.session));
    scheduled
}

/// A history over registers. With a log, its tail may be lost to a second epoch, and its end may lack a key.
pub(super) fn random_history(drafts: &[Draft], logged: bool, fork: Option<Fork>) -> History {
    let mut history = History::default();
    let scheduled = schedule(drafts);
    let mut visible: Vec<(SimTime, Key, Datum)> = Vec::new();
    for (draft, ordinal, invoked, completed) in &scheduled {
        let outcome = match draft.ends {
            0 => Outcome::Fail(Reason::Refused),
            1 => Outcome::Info(Reason::Timeout),
            _ => Outcome::Ok,
        };
        let session = SessionId(draft.session);
        let op = op_of(draft, Value::written(session, *ordinal));
        let installed = *invoked + Span::micros(draft.pick % 1000 * draft.lasts);
        let writes = outcome.may_have_happened() && !op.is_read();
        if writes {
            for part in op.parts() {
                visible.extend(datum_of(part).map(|(key, datum)| (installed, key, datum)));
            }
        }
        history.operations.push(Operation {
            session,
            ordinal: *ordinal,
            op,
            intended: *invoked,
            invoked: *invoked,
            completed: *completed,
            outcome,
            seen: Seen::Nothing,
            position: Position::ZERO,
            origin: NodeId(9),
            node: NodeId(0),
        });
    }
    if logged {
        install_all(&mut history, &scheduled, fork);
    }
    answer_reads(&mut history, &scheduled, &visible);
    history
}

fn op_of(draft: &Draft, value: Value) -> Op {
    let mut written = Vec::new();
    let mut part = |&(kind, key): &(u8, u64)| {
        let key = Key(key);
        let first = !written.contains(&key);
        match kind {
            0..=3 if first => {
                written.push(key);
                Op::Write { key, value }
            }
            4 if first => {
                written.push(key);
                Op::Delete { key }
            }
            _ => Op::Read { key },
        }
    };
    match &draft.parts[..] {
        [single] => part(single),
        several => Op::Txn(several.iter().map(part).collect()),
    }
}

fn datum_of(part: &Op) -> Option<(Key, Datum)> {
    match *part {
        Op::Write { key, value } => Some((key, Datum::Register(value))),
        Op::Delete { key } => Some((key, Datum::Absent)),
        _ => None,
    }
}

/// How the tail of a log is lost to a second epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fork {
    /// After how many writes the former leader's are lost.
    after: u64,
    /// Whether the next leader writes beside the former one; else it begins two writes later, when that one has ended.
    side_by_side: bool,
    /// Whether the former leader begins an epoch of its own then, with a higher number than the next leader's.
    begins_again: bool,
    /// Whether it has heard of all that the next leader wrote by then, and goes on from that.
    has_heard: bool,
}

pub(super) fn fork() -> impl Strategy<Value = Option<Fork>> {
    let fork = (0..8u64, any::<bool>(), any::<bool>(), any::<bool>());
    prop::option::of(fork.prop_map(|(after, side_by_side, begins_again, has_heard)| Fork {
        after,
        side_by_side,
        begins_again,
        has_heard,
    }))
}

impl Fork {
    /// Whether two lead at a time, so that positions can say too little.
    pub fn is_split(&self) -> bool {
        self.side_by_side || self.begins_again
    }

    /// The epoch of the write of this number, `pick` being what chance says of it.
    fn epoch_of(&self, number: u64, pick: u64) -> usize {
        let succeeded = if self.side_by_side { pick & 1024 == 0 } else { number >= self.after + 2 };
        match number >= self.after {
            false => 1,
            true if succeeded => 2,
            true if self.begins_again => 3,
            true => 1,
        }
    }
}

/// Puts every write into the log in order of time; from the fork on those of the former leader are lost.
fn install_all(history: &mut History, scheduled: &[(Draft, u32, SimTime, SimTime)], fork: Option<Fork>) {
    let mut order: Vec<(SimTime, u64)> = Vec::new();
    for (at, (draft, _, invoked, _)) in (0..).zip(scheduled) {
        let it = &history.operations[at];
        if it.outcome.may_have_happened() && !it.op.is_read() {
            order.push((*invoked + Span::micros(draft.pick % 1000 * draft.lasts), at));
        }
    }
    order.sort_unstable();
    let mut log = Logs::default();
    let mut contents = Contents::new();
    for (index, (at, number)) in (0..).zip(order) {
        let pick = scheduled[number as usize].0.pick;
        let forked = fork.filter(|fork| index >= fork.after);
        if let Some(fork) = forked {
            log.begin(history, at, 2, 1);
            if fork.epoch_of(index, pick) == 3 {
                log.begin(history, at, 3, if fork.has_heard { 2 } else { 1 });
            }
        }
        let epoch = fork.map_or(1, |fork| fork.epoch_of(index, pick));
        let position = log.append(epoch);
        let survives = epoch == 2 || forked.is_none();
        let it = history.operations.get_mut(number).expect("it was scheduled");
        it.position = position;
        for part in it.op.parts() {
            let Some((key, datum)) = datum_of(part) else { continue };
            let made = match datum {
                Datum::Register(value) => Made::Value(value),
                _ => Made::Nothing,
            };
            history.installs.push(Install { at, node: NodeId(epoch as u16), key, made, position });
            // Now and then a replica forgets to apply a write.
            if survives && pick & 0x7000 != 0 {
                contents.install(key, datum, position);
            }
        }
    }
    let lineage = log.lineages[2].clone().or(log.lineages[1].clone());
    history.finals.push(Final { node: NodeId(2), at: SimTime::ZERO, leads: true, contents, lineage });
}

/// The log of each epoch's leader, by epoch: the first, that of the next leader, and that of the former one when it begins
/// again.
struct Logs {
    lineages: [Option<Lineage>; 4],
    ends: [u64; 4],
}

impl Default for Logs {
    fn default() -> Self {
        Logs { lineages: [None, Some(Lineage::new()), None, None], ends: [0; 4] }
    }
}

impl Logs {
    /// Begins an epoch with what the log of another consists of, unless it has begun.
    fn begin(&mut self, history: &mut History, at: SimTime, epoch: usize, other: usize) {
        if self.lineages[epoch].is_none() {
            let built_on = self.lineages[other].clone().expect("it has begun");
            (self.lineages[epoch], self.ends[epoch]) = (Some(built_on.clone()), self.ends[other]);
            let (node, epoch) = (NodeId(epoch as u16), epoch as u32);
            history.beginnings.push(Beginning { at, node, epoch, built_on });
        }
    }

    /// Adds a record to the log of an epoch that has begun.
    fn append(&mut self, epoch: usize) -> Position {
        let previous = self.ends[epoch];
        self.ends[epoch] += 1;
        let position = Position::new(epoch as u32, self.ends[epoch]);
        self.lineages[epoch].as_mut().expect("it has begun").extend(previous, position);
        position
    }
}

/// Lets every read see one of the versions that can have been seen, most often one of the last.
fn answer_reads(
    history: &mut History,
    scheduled: &[(Draft, u32, SimTime, SimTime)],
    visible: &[(SimTime, Key, Datum)],
) {
    for (at, (draft, _, _, completed)) in (0..).zip(scheduled) {
        let it = history.operations.get_mut(at).expect("it was scheduled");
        if !it.outcome.is_ok() {
            continue;
        }
        let seen = |(number, part): (u64, &Op)| match part {
            Op::Read { key } => {
                let mut versions: Vec<_> =
                    visible.iter().filter(|(since, of, _)| of == key && since <= completed).collect();
                versions.sort_by_key(|(since, ..)| *since);
                let back = (draft.pick >> (16 + 4 * number)) as usize % 4;
                let seen = versions.len().checked_sub(1 + back).map(|index| versions[index].2.clone());
                Seen::Datum(seen.unwrap_or_default())
            }
            _ => Seen::Nothing,
        };
        let parts: Vec<Seen> = (0..).zip(it.op.parts()).map(seen).collect();
        it.seen = match &it.op {
            Op::Txn(_) => Seen::Many(parts.into()),
            _ => parts[0].clone(),
        };
    }
}
