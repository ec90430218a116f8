//! What a session does next: drawn from its own stream, four words an operation, or read from a script.
//!
//! The n-th operation of a session is the same whatever became of the ones before it, so a run with one fault less asks
//! for the same things.

use replisim_history::{Key, Op, OpKind, SessionId, Value};
use replisim_kernel::{Concern, Sampler, SimTime, Span, Stream, share};

use super::keys::{KeyChoice, fresh};
use crate::spec::{Arrival, ClientGroup, PinMemory, Routing, ScriptedOp};

/// The stream that decides what each session asks for.
pub(crate) const CLIENT: Concern = Concern::new("client");
/// The stream that decides when.
const PACE: Concern = Concern::new("pace");

/// What the sessions of a group have in common, ready to draw from.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub spec: ClientGroup,
    pub keys: KeyChoice,
    pub think: Option<Sampler>,
    /// Where reads look for when a session last wrote: what the group's routing says, and what its scripts' lines say.
    pub pin_memories: Vec<PinMemory>,
    total_weight: u64,
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
}

impl Group {
    pub fn new(spec: &ClientGroup) -> Self {
        let think = match &spec.arrive {
            Arrival::Think(time) => Some(Sampler::new(time)),
            Arrival::Every(_) | Arrival::Poisson(_) => None,
        };
        let total_weight = spec.mix.values().map(|&weight| u64::from(weight)).sum();
        let (keys, pin_memories) = (KeyChoice::new(&spec.keys), pin_memories(spec));
        Group { keys, think, pin_memories, total_weight, spec: spec.clone() }
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
        Workload { session, chance, pace, drawn: 0, inserted: 0 }
    }

    /// Goes on with other streams of chance.
    pub fn reseed(&mut self, seed: u64, entity: u64, salt: u64) {
        (self.chance, self.pace) = streams(seed, entity, salt);
    }

    /// The next operation, of a run with so many sessions.
    pub fn next(&mut self, group: &Group, sessions: u64) -> Task {
        let [kind, key, choice, part] = self.chance.words();
        let ordinal = self.drawn;
        self.drawn += 1;
        let op = match group.kind(kind) {
            OpKind::Txn => {
                let size = u64::from(group.spec.transaction_size);
                let parts = (0..size).map(|i| {
                    let key = self.key(group, spread(key, i), true, sessions);
                    if spread(part, i) >> 63 == 0 { Op::Read { key } } else { self.op(OpKind::Write, key, ordinal) }
                });
                Op::Txn(parts.collect::<Vec<_>>().into())
            }
            kind => {
                let key = self.key(group, key, kind == OpKind::Read, sessions);
                self.op(kind, key, ordinal)
            }
        };
        Task { op, reads: group.spec.reads.clone(), choice }
    }

    /// The operation of a script's line. It takes as many words as a drawn one, and the same one for routing: a script
    /// that spells out what was drawn is answered by the same nodes.
    pub fn scripted(&mut self, group: &Group, line: &ScriptedOp) -> Task {
        let [_kind, _key, choice, _part] = self.chance.words();
        let ordinal = self.drawn;
        self.drawn += 1;
        let reads = line.reads.clone().unwrap_or_else(|| group.spec.reads.clone());
        let op = match line.op {
            OpKind::Txn if !line.parts.is_empty() => {
                let part = |(kind, key): &(OpKind, u64)| self.op(*kind, Key(*key), ordinal);
                Op::Txn(line.parts.iter().map(part).collect::<Vec<_>>().into())
            }
            kind => self.op(kind, Key(line.key), ordinal),
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
            Arrival::Think(time) => Sampler::new(time).sample(1 << 63, 1 << 63),
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

    fn op(&self, kind: OpKind, key: Key, ordinal: u32) -> Op {
        let value = Value::written(self.session, ordinal);
        match kind {
            OpKind::Read => Op::Read { key },
            OpKind::Write => Op::Write { key, value },
            OpKind::Generate => Op::Generate { key },
            OpKind::CompareAndSet => Op::CompareAndSet { key, expect: None, value },
            OpKind::Delete => Op::Delete { key },
            OpKind::Add => Op::Add { key, amount: 1 },
            OpKind::SetAdd => Op::SetAdd { key, element: value },
            OpKind::SetRemove => Op::SetRemove { key, element: value },
            OpKind::Append => Op::Append { key, element: value },
            OpKind::TextInsert => Op::TextInsert { key, at: 0, character: value },
            OpKind::TextDelete => Op::TextDelete { key, at: 0 },
            OpKind::Txn => Op::Txn([Op::Write { key, value }].into()),
        }
    }
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

/// The i-th word made of one: enough variety for the parts of a transaction.
fn spread(word: u64, i: u64) -> u64 {
    (word ^ i).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
