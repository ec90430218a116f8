//! What a session does next: drawn from its own stream, four words an operation, or read from a script.
//!
//! The n-th operation of a session is the same whatever became of the ones before it, so a run with one fault less asks
//! for the same things. An operation that refers to what is there (a removal, a compare-and-set, a place in a text) goes by
//! what the session itself has asked for so far: most of them find it, unless another session was faster, and some do not.

use std::collections::BTreeMap;

use replisim_history::{Key, Op, OpKind, SessionId, Value};
use replisim_kernel::{Concern, GOLDEN, Sampler, SimTime, Span, Stream, share};

use super::keys::{KeyChoice, fresh};
use crate::spec::{Arrival, ClientGroup, PinMemory, Routing, ScriptedOp};

/// The stream that decides what each session asks for.
pub(crate) const CLIENT: Concern = Concern::new("client");
/// The stream that decides when.
const PACE: Concern = Concern::new("pace");

/// One of so many removals and compare-and-sets asks for what the session did not put there.
const MISSES_ONE_IN: u64 = 4;
/// The most that is added to a counter or taken off it at once.
const AMOUNT_MAX: i64 = 9;

/// What the sessions of a group have in common, ready to draw from.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub spec: ClientGroup,
    pub keys: KeyChoice,
    pub think: Option<Sampler>,
    /// Where reads look for when a session last wrote: what the group's routing says, and what its scripts' lines say.
    pub pin_memories: Vec<PinMemory>,
    total_weight: u64,
    /// Whether an operation may refer to earlier ones of its session.
    refers: bool,
}

/// An operation that is about to begin.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub op: Op,
    pub reads: Routing,
    /// A random word for whatever routing has to choose.
    pub choice: u64,
}

/// One session's source of operations.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    session: SessionId,
    /// Decides what is asked for.
    chance: Stream,
    /// Decides when. A stream of its own, for an answer that comes late must not change what is asked for next.
    pace: Stream,
    /// How many operations were drawn.
    pub drawn: u32,
    /// How many keys it has inserted, where every write makes a new one.
    inserted: u64,
    /// What it has asked each key to hold, if its operations refer to that: a register's value, a set's elements, a text's
    /// characters in any order.
    put: BTreeMap<Key, Vec<Value>>,
}

impl Group {
    pub fn new(spec: &ClientGroup) -> Self {
        let think = match &spec.arrive {
            Arrival::Think(time) => Some(Sampler::new(time)),
            Arrival::Every(_) | Arrival::Poisson(_) => None,
        };
        let total_weight = spec.mix.values().map(|&weight| u64::from(weight)).sum();
        let (keys, pin_memories) = (KeyChoice::new(&spec.keys), pin_memories(spec));
        Group { keys, think, pin_memories, total_weight, refers: refers(spec), spec: spec.clone() }
    }

    /// The kind that a random word stands for.
    fn kind(&self, word: u64) -> OpKind {
        let mut left = share(word, self.total_weight);
        for (kind, weight) in &self.spec.mix {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *kind,
            }
        }
        unreachable!("a word falls within the total weight")
    }

    /// When a line of a script is due, if its session is idle.
    pub fn due(&self, line: &ScriptedOp) -> SimTime {
        SimTime::ZERO + line.at.max(self.spec.from)
    }

    /// The script of the `index`-th session of this group, if it follows one.
    #[inline]
    pub fn script(&self, index: u32) -> Option<&[ScriptedOp]> {
        let scripts = &self.spec.script;
        (!scripts.is_empty()).then(|| scripts[index as usize % scripts.len()].as_slice())
    }
}

impl Workload {
    pub fn new(session: SessionId, seed: u64, entity: u64) -> Self {
        let (chance, pace) = streams(seed, entity, 0);
        Workload { session, chance, pace, drawn: 0, inserted: 0, put: BTreeMap::new() }
    }

    /// Goes on with other streams of chance.
    pub fn reseed(&mut self, seed: u64, entity: u64, salt: u64) {
        (self.chance, self.pace) = streams(seed, entity, salt);
    }

    /// The next operation, of a run with so many sessions.
    pub fn next(&mut self, group: &Group, sessions: u64) -> Task {
        let [kind, key, choice, detail] = self.chance.words();
        let value = Value::written(self.session, self.drawn);
        self.drawn += 1;
        let op = match group.kind(kind) {
            OpKind::Txn => {
                let size = u64::from(group.spec.transaction_size);
                let parts = (0..size).map(|i| {
                    let key = self.key(group, spread(key, i), true, sessions);
                    let detail = spread(detail, i);
                    let kind = if detail >> 63 == 0 { OpKind::Read } else { OpKind::Write };
                    self.op(group, kind, key, value.of_part(i as u32), detail)
                });
                Op::Txn(parts.collect::<Vec<_>>().into())
            }
            kind => {
                let key = self.key(group, key, kind == OpKind::Read, sessions);
                self.op(group, kind, key, value, detail)
            }
        };
        Task { op, reads: group.spec.reads.clone(), choice }
    }

    /// The operation of a script's line. It takes as many words as a drawn one, and the same one for routing: a script
    /// that spells out what was drawn is answered by the same nodes.
    pub fn scripted(&mut self, group: &Group, line: &ScriptedOp) -> Task {
        let [_kind, _key, choice, detail] = self.chance.words();
        let value = Value::written(self.session, self.drawn);
        self.drawn += 1;
        let reads = line.reads.clone().unwrap_or_else(|| group.spec.reads.clone());
        let op = match line.op {
            OpKind::Txn if !line.parts.is_empty() => {
                let part = |(i, (kind, key)): (u32, &(OpKind, u64))| {
                    self.op(group, *kind, Key(*key), value.of_part(i), spread(detail, i.into()))
                };
                Op::Txn((0..).zip(&line.parts).map(part).collect::<Vec<_>>().into())
            }
            kind => self.op(group, kind, Key(line.key), value, detail),
        };
        Task { op, reads, choice }
    }

    /// How long after this one the next operation begins, of a session that does not wait for answers.
    pub fn interval(&mut self, group: &Group) -> Option<Span> {
        let level = self.pace.unit();
        match &group.spec.arrive {
            Arrival::Every(interval) => Some(*interval),
            Arrival::Poisson(mean) => Some(Span::from_secs_f64(-libm::log1p(-level) * mean.as_secs_f64())),
            Arrival::Think(_) => None,
        }
    }

    /// How long a session thinks after an answer.
    pub fn think(&mut self, group: &Group) -> Option<Span> {
        group.think.as_ref().map(|time| time.draw(&mut self.pace))
    }

    /// When the first operation begins: spread over the first interval, so that sessions do not march in step.
    pub fn first(&mut self, group: &Group) -> SimTime {
        let word = self.pace.word();
        let interval = match &group.spec.arrive {
            Arrival::Every(interval) | Arrival::Poisson(interval) => *interval,
            Arrival::Think(time) => Sampler::new(time).typical(),
        };
        SimTime::ZERO + group.spec.from + Span::nanos(share(word, interval.as_nanos()))
    }

    fn key(&mut self, group: &Group, word: u64, reads: bool, sessions: u64) -> Key {
        if group.keys.is_fresh() && !reads {
            self.inserted += 1;
            return fresh(self.session.0, self.inserted - 1, sessions);
        }
        group.keys.pick(word, self.session.0, self.inserted, sessions)
    }

    /// An operation of a kind on `key`, which writes `value` if it writes one. What else it says is in the word `detail`.
    fn op(&mut self, group: &Group, kind: OpKind, key: Key, value: Value, detail: u64) -> Op {
        let put = self.put.get(&key).map_or(&[][..], Vec::as_slice);
        let misses = share(spread(detail, 1), MISSES_ONE_IN) == 0;
        let op = match kind {
            OpKind::Read => Op::Read { key },
            OpKind::Write => Op::Write { key, value },
            OpKind::Generate => Op::Generate { key },
            OpKind::CompareAndSet => Op::CompareAndSet { key, expect: put.last().copied().filter(|_| !misses), value },
            OpKind::Delete => Op::Delete { key },
            OpKind::Add => Op::Add { key, amount: amount(detail) },
            OpKind::SetAdd => Op::SetAdd { key, element: value },
            OpKind::SetRemove => {
                let any = put.get(share(detail, put.len() as u64) as usize);
                Op::SetRemove { key, element: any.copied().filter(|_| !misses).unwrap_or(value) }
            }
            OpKind::Append => Op::Append { key, element: value },
            OpKind::TextInsert => {
                Op::TextInsert { key, at: share(detail, put.len() as u64 + 1) as u32, character: value }
            }
            OpKind::TextDelete => Op::TextDelete { key, at: share(detail, put.len() as u64) as u32 },
            OpKind::Txn => Op::Txn([Op::Write { key, value }].into()),
        };
        if group.refers {
            op.parts().iter().for_each(|part| self.remember(part));
        }
        op
    }

    /// Takes note of what an operation asks a key to hold.
    fn remember(&mut self, op: &Op) {
        let Some(key) = op.key() else { return };
        let put = self.put.entry(key).or_default();
        match *op {
            Op::Write { value, .. } => *put = vec![value],
            // One that misses changes nothing.
            Op::CompareAndSet { expect, value, .. } if expect == put.last().copied() => *put = vec![value],
            Op::SetAdd { element, .. } => put.push(element),
            Op::SetRemove { element, .. } => put.retain(|other| *other != element),
            Op::TextInsert { character, .. } => put.push(character),
            Op::TextDelete { .. } => drop(put.pop()),
            Op::Delete { .. } => put.clear(),
            Op::CompareAndSet { .. }
            | Op::Read { .. }
            | Op::Generate { .. }
            | Op::Add { .. }
            | Op::Append { .. }
            | Op::Txn(_) => {}
        }
    }
}

/// Whether an operation of the group may refer to what its session has put somewhere.
fn refers(spec: &ClientGroup) -> bool {
    let refers = |kind: &OpKind| match kind {
        OpKind::CompareAndSet | OpKind::SetRemove | OpKind::TextInsert | OpKind::TextDelete => true,
        OpKind::Read
        | OpKind::Write
        | OpKind::Generate
        | OpKind::Delete
        | OpKind::Add
        | OpKind::SetAdd
        | OpKind::Append
        | OpKind::Txn => false,
    };
    let lines = spec.script.iter().flatten();
    let of_line = |line: &ScriptedOp| refers(&line.op) || line.parts.iter().any(|(kind, _)| refers(kind));
    spec.mix.keys().any(refers) || lines.into_iter().any(of_line)
}

/// What is added to a counter: a little more or less, never nothing.
fn amount(word: u64) -> i64 {
    let drawn = share(word, 2 * AMOUNT_MAX as u64) as i64 - AMOUNT_MAX;
    if drawn < 0 { drawn } else { drawn + 1 }
}

/// Each memory that a read of the group may be pinned by, once.
fn pin_memories(spec: &ClientGroup) -> Vec<PinMemory> {
    let lines = spec.script.iter().flatten().filter_map(|line| line.reads.as_ref());
    let mut memories = Vec::new();
    for reads in lines.chain([&spec.reads]) {
        if let Routing::Pin { memory, .. } = reads
            && !memories.contains(memory)
        {
            memories.push(*memory);
        }
    }
    memories
}

fn streams(seed: u64, entity: u64, salt: u64) -> (Stream, Stream) {
    (Stream::derive(seed, CLIENT, entity, salt), Stream::derive(seed, PACE, entity, salt))
}

/// The i-th word made of one: enough variety for the parts of a transaction. The second factor is one of SplitMix64's
/// (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014).
fn spread(word: u64, i: u64) -> u64 {
    (word ^ i).wrapping_mul(GOLDEN).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use indexmap::IndexMap;
    use replisim_history::{Contents, Position, Seen};

    use super::*;
    use crate::spec::Keys;

    fn group<const N: usize>(mix: [(OpKind, u32); N]) -> Group {
        let keys = Keys::PerSession { count: 3 };
        Group::new(&ClientGroup { mix: IndexMap::from(mix), keys, transaction_size: 5, ..ClientGroup::default() })
    }

    fn workload() -> Workload {
        Workload::new(SessionId(0), 7, 0)
    }

    /// What a session asks for first.
    fn drawn(group: &Group) -> Vec<Op> {
        let mut workload = workload();
        (0..1_000).map(|_| workload.next(group, 1).op).collect()
    }

    /// Runs the operations, and counts those of a kind that find what they ask for and those that do not.
    fn found(ops: &[Op], kind: OpKind) -> (usize, usize) {
        let mut contents = Contents::default();
        let (mut hits, mut misses) = (0, 0);
        for op in ops {
            let before = op.key().map(|key| contents.read(key));
            let seen = contents.apply(op, Position::ZERO, &mut || unreachable!("no server makes a value up"));
            let changed = before != op.key().map(|key| contents.read(key));
            if op.kind() == kind {
                if changed { hits += 1 } else { misses += 1 }
            }
            assert!(kind != OpKind::CompareAndSet || op.kind() != kind || seen == Seen::Swapped(changed));
        }
        (hits, misses)
    }

    #[test]
    fn most_of_what_a_session_refers_to_is_there_and_some_is_not() {
        for (kind, beside) in [
            (OpKind::SetRemove, [(OpKind::SetAdd, 2), (OpKind::Delete, 0)]),
            (OpKind::CompareAndSet, [(OpKind::Write, 1), (OpKind::Delete, 1)]),
            (OpKind::TextDelete, [(OpKind::TextInsert, 2), (OpKind::Delete, 0)]),
        ] {
            let [one, other] = beside;
            let (hits, misses) = found(&drawn(&group([(kind, 1), one, other])), kind);
            assert!(hits > 2 * misses, "{kind:?}: {hits} hits, {misses} misses");
            assert!(misses > 0 || kind == OpKind::TextDelete, "{kind:?}: {hits} hits, {misses} misses");
        }
    }

    #[test]
    fn texts_are_edited_in_the_middle_and_sums_go_both_ways() {
        let ops = drawn(&group([(OpKind::TextInsert, 2), (OpKind::TextDelete, 1), (OpKind::Add, 1)]));
        let inserts = ops.iter().filter_map(|op| if let Op::TextInsert { at, .. } = op { Some(*at) } else { None });
        let places: BTreeSet<u32> = inserts.collect();
        assert!(places.len() > 20, "{places:?}");
        let adds = ops.iter().filter_map(|op| if let Op::Add { amount, .. } = op { Some(*amount) } else { None });
        assert_eq!(adds.collect::<BTreeSet<i64>>(), (-9..=9).filter(|amount| *amount != 0).collect());
    }

    #[test]
    fn no_two_writes_carry_the_same_value() {
        let ops = drawn(&group([(OpKind::Txn, 1), (OpKind::Write, 1)]));
        let parts = || ops.iter().flat_map(Op::parts);
        let written: Vec<Value> =
            parts().filter_map(|op| if let Op::Write { value, .. } = op { Some(*value) } else { None }).collect();
        assert!(written.len() > 1_200, "{}", written.len());
        assert_eq!(written.iter().collect::<BTreeSet<_>>().len(), written.len());
    }

    #[test]
    fn a_script_that_spells_out_what_was_drawn_asks_for_the_same() {
        let group = group(OpKind::ALL.map(|kind| (kind, 1)));
        let mut scripted = workload();
        for op in drawn(&group) {
            let parts = match &op {
                Op::Txn(parts) => parts.iter().filter_map(|part| Some((part.kind(), part.key()?.0))).collect(),
                _ => Vec::new(),
            };
            let key = op.key().map_or(0, |key| key.0);
            let line = ScriptedOp { at: Span::ZERO, op: op.kind(), key, parts, reads: None };
            assert_eq!(scripted.scripted(&group, &line).op, op);
        }
    }
}
