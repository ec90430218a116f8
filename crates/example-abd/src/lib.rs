//! The quorum register of Attiya, Bar-Noy and Dolev, as somebody outside replisim would add it.
//!
//! There is no leader and no log. Every replica keeps, for each key, the value with the highest tag it has seen; a tag
//! is a counter and, among equals, the value itself. Whichever replica a client asks coordinates two rounds, each with a
//! majority:
//!
//! ```text
//!           round 1: ask               round 2: tell
//!   read    the highest (tag, value)   that same one, so that no later read sees an older
//!   write   the highest tag            (a higher tag, the new value)
//! ```
//!
//! Any two majorities share a replica, so round 1 meets whatever an earlier round 2 has told: the register is
//! linearizable while a majority lives, without clocks, leases or elections. A replica syncs before it acknowledges, so
//! that a majority's memory outlives the loss of hosts. Messages may be lost, doubled or overtaken: a coordinator asks
//! again until enough have answered, and telling twice does no harm.
//!
//! The second round of a read is what everybody is tempted to leave out. [`Flaw::SkipWriteBack`] does, and a search finds what
//! comes of it:
//!
//! ```text
//! cargo run --release -p example-abd -- fuzz crates/example-abd/stages/skip_write_back.ron --set protocol.flaw=SkipWriteBack
//! ```
//!
//! References: Attiya, Bar-Noy and Dolev, "Sharing Memory Robustly in Message-Passing Systems", J. ACM 42(1), 1995;
//! Lynch and Shvartsman, FTCS 1997, for several writers.

pub mod careless;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use replisim::prelude::*;
use replisim::world::protocol::FlawInfo;
use serde::Deserialize;

/// What a scenario may say: nothing, but to get it wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A mistake to make.
    pub flaw: Option<Flaw>,
}

/// A mistake that can be made on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Flaw {
    /// A read answers with what it saw, and tells nobody.
    SkipWriteBack,
}

/// What a replica is told whenever it starts.
#[derive(Clone, Debug, Default)]
pub struct Config {
    replicas: u16,
    flaw: Option<Flaw>,
}

/// A value with its counter; the higher is the later. Values differ, so no two writes tie, not even those of one
/// coordinator at once, or before and after a crash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Tagged {
    counter: u64,
    value: Option<Value>,
}

/// What replicas send each other. `round` names one round of one operation at its coordinator.
#[expect(missing_docs, reason = "each variant's sentence names its fields")]
#[derive(Clone, Hash, Debug)]
pub enum Message {
    /// A coordinator begins round 1.
    Ask { round: u64, key: Key },
    /// The answer: the highest this replica has seen.
    Answer { round: u64, held: Tagged },
    /// A coordinator begins round 2.
    Tell { round: u64, key: Key, tagged: Tagged },
    /// The value told, or a higher one, is on this replica's disk.
    Told { round: u64 },
}

/// A value that was told, on its way to the disk or on it.
#[derive(Clone, Hash, Debug)]
pub struct Record(Key, Tagged);

/// A coordinator asks again whoever has not answered the round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AskAgain(u64);

/// One replica.
#[derive(Clone, Debug, Default)]
pub struct Register {
    config: Config,
    held: BTreeMap<Key, Tagged>,
    contents: Contents,
    lineage: Lineage,
    rounds: BTreeMap<u64, Round>,
    next_round: u64,
    /// Who waits for records up to this journal position to be durable, and for which round.
    unsynced: Vec<(u64, NodeId, u64)>,
}

/// A round under way at its coordinator.
#[derive(Clone, Debug)]
struct Round {
    request: Request,
    key: Key,
    /// What round 2 tells; `None` in round 1.
    telling: Option<Tagged>,
    best: Tagged,
    answered: BTreeSet<NodeId>,
}

/// How long a coordinator waits for answers before it asks again: several round trips between zones.
const PATIENCE: Span = Span::millis(50);

impl Process for Register {
    type Config = Config;
    type Message = Message;
    type Timer = AskAgain;
    type Record = Record;

    fn boot(cx: &mut Cx<'_, Self>, config: &Config) -> Self {
        // A round's name must not come again in a later life, when answers to the earlier one may still arrive.
        let next_round = cx.chance().word();
        let mut register = Register { config: config.clone(), next_round, ..Register::default() };
        let records: Vec<(u64, Record)> =
            cx.journal().iter_from(0).map(|(place, record)| (place, record.clone())).collect();
        // Behind a torn record nobody would find what is written from now on.
        cx.cut_back(records.last().map_or(0, |(place, _)| place + 1));
        records.into_iter().for_each(|(_, Record(key, tagged))| register.keep(key, tagged));
        register
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        match input {
            Input::Request(request) => self.coordinate(cx, *request),
            Input::Message { from, message } => self.hear(cx, from, message),
            Input::Timer(AskAgain(round)) => self.ask_everybody(cx, round),
            Input::Synced { upto } => {
                for (_, to, round) in self.unsynced.extract_if(.., |(position, ..)| *position < upto) {
                    cx.send(to, Message::Told { round });
                }
            }
            Input::Opened { .. } | Input::Segment { .. } | Input::Closed { .. } => unreachable!("it opens no streams"),
            Input::DiskFailed(_) => cx.exit("the disk has failed"),
            Input::Operator(_) => {}
        }
    }

    fn view(&self) -> View {
        View {
            role: Role::Replica,
            epoch: 0,
            received: self.lineage.last(),
            applied: self.lineage.last(),
            serving: true,
        }
    }

    fn contents(&self) -> Option<(&Contents, &Lineage)> {
        Some((&self.contents, &self.lineage))
    }
}

impl Register {
    fn coordinate(&mut self, cx: &mut Cx<'_, Self>, request: Request) {
        let Some(key) = request.op.key() else { return cx.reply(request.id, Reply::fail(Reason::NotServing)) };
        self.begin(cx, Round { request, key, telling: None, best: Tagged::default(), answered: BTreeSet::new() });
    }

    fn begin(&mut self, cx: &mut Cx<'_, Self>, round: Round) {
        self.next_round = self.next_round.wrapping_add(1);
        self.rounds.insert(self.next_round, round);
        self.ask_everybody(cx, self.next_round);
    }

    /// Asks or tells whoever has not answered yet, itself included, and comes back to it later.
    fn ask_everybody(&mut self, cx: &mut Cx<'_, Self>, name: u64) {
        let Some(round) = self.rounds.get(&name) else { return };
        for to in (0..self.config.replicas).map(NodeId).filter(|node| !round.answered.contains(node)) {
            let key = round.key;
            let ask = Message::Ask { round: name, key };
            cx.send(to, round.telling.map_or(ask, |tagged| Message::Tell { round: name, key, tagged }));
        }
        cx.set_timer(AskAgain(name), PATIENCE);
    }

    fn hear(&mut self, cx: &mut Cx<'_, Self>, from: NodeId, message: Message) {
        match message {
            Message::Ask { round, key } => {
                let held = self.held.get(&key).copied().unwrap_or_default();
                cx.send(from, Message::Answer { round, held });
            }
            Message::Tell { round, key, tagged } => {
                self.keep(key, tagged);
                self.unsynced.push((cx.append(Record(key, tagged)), from, round));
                cx.sync();
            }
            Message::Answer { round, held } => self.count(cx, from, round, held),
            Message::Told { round } => self.count(cx, from, round, Tagged::default()),
        }
    }

    /// Counts an answer; with a majority of them the round is over.
    fn count(&mut self, cx: &mut Cx<'_, Self>, from: NodeId, name: u64, held: Tagged) {
        let Some(round) = self.rounds.get_mut(&name) else { return };
        round.answered.insert(from);
        round.best = round.best.max(held);
        if round.answered.len() > usize::from(self.config.replicas) / 2 {
            cx.cancel_timer(AskAgain(name));
            let round = self.rounds.remove(&name);
            self.advance(cx, round.expect("it was just counted"));
        }
    }

    fn advance(&mut self, cx: &mut Cx<'_, Self>, round: Round) {
        let told = match (round.telling, &round.request.op) {
            (None, Op::Write { value, .. }) => {
                let tagged = Tagged { counter: round.best.counter + 1, value: Some(*value) };
                cx.installed(round.key, Made::Value(*value), tagged.position());
                tagged
            }
            (None, _) if self.config.flaw == Some(Flaw::SkipWriteBack) => return answer(cx, &round, round.best),
            (None, _) => round.best,
            (Some(told), _) => return answer(cx, &round, told),
        };
        self.begin(cx, Round { telling: Some(told), answered: BTreeSet::new(), ..round });
    }

    /// Keeps the higher of what is held and what is told.
    fn keep(&mut self, key: Key, tagged: Tagged) {
        let held = self.held.entry(key).or_default();
        if let (true, Some(value)) = (tagged > *held, tagged.value) {
            *held = tagged;
            self.contents.install(key, Datum::Register(value), tagged.position());
            self.lineage.extend(0, tagged.position());
        }
    }
}

/// Answers the client: a majority holds `tagged`, or it was read.
fn answer(cx: &mut Cx<'_, Register>, round: &Round, tagged: Tagged) {
    let datum = Seen::Datum(tagged.value.map_or(Datum::Absent, Datum::Register));
    let seen = if round.request.op.is_read() { datum } else { Seen::Nothing };
    cx.reply(round.request.id, Reply::ok(seen, tagged.position(), tagged.position()));
}

impl Tagged {
    /// As a position: one epoch, ordered by counter, then by value.
    fn position(self) -> Position {
        let (session, ordinal) = self.value.and_then(Value::author).unwrap_or_default();
        Position::new(1, self.counter << 32 | u64::from(session.0 & 0xfff) << 20 | u64::from(ordinal & 0xf_ffff))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Payload for Message {}
impl Payload for Record {}

impl Protocol for Register {
    const NAME: &'static str = "QuorumRegister";
    const ABOUT: &'static str = "a linearizable register without a leader: two rounds, each with a majority";
    type Settings = Settings;
    const FLAWS: &'static [FlawInfo] = &[FlawInfo {
        name: "SkipWriteBack",
        about: "A read answers with what it saw, and tells nobody.",
        source: "Apache Cassandra documentation, Read Repair: with NONE, quorum reads may go back in time",
        stage: include_str!("../stages/skip_write_back.ron"),
        stage_file: "crates/example-abd/stages/skip_write_back.ron",
    }];

    fn assemble(settings: &Settings, topology: &Topology) -> Result<Vec<Member<Self>>, Vec<Problem>> {
        let config = Config { replicas: topology.hosts.len() as u16, flaw: settings.flaw };
        let member = |(host, name): (usize, String)| {
            let config = config.clone();
            Member { name, host, starts: true, replica: true, config }
        };
        Ok(topology.hosts.iter().map(|host| host.name.clone()).enumerate().map(member).collect())
    }

    fn supports(_: &Settings, kind: OpKind) -> bool {
        matches!(kind, OpKind::Read | OpKind::Write)
    }

    /// Everything but convergence: a replica that no round told of a value never learns it.
    fn promises(_: &Settings, circumstances: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        let forgets = circumstances.may_have(&[FaultFamily::DiskLoss]);
        let promise = |check| match check {
            Check::Convergence => Promise::NotPromised("only a majority is told of a write".to_owned()),
            _ if forgets => Promise::NotPromised("disks must keep what they synced".to_owned()),
            _ => Promise::Promised,
        };
        Check::ALL.into_iter().map(|check| (check, promise(check))).collect()
    }

    fn summary(_: &Settings) -> String {
        "majorities of all hosts".to_owned()
    }
}
