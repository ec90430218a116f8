//! Small protocols that keep a world busy: two nodes that bounce a message, a leader with followers, many timers.

use std::fmt;

use replisim_history::{Key, Made, NodeId, Position, Value};
use replisim_kernel::{Distribution, SimTime, Span};
use replisim_world::process::{Cx, Input, Payload, Process, Role, View};
use replisim_world::protocol::Member;
use replisim_world::spec::{Cluster, Service, Topology};
use replisim_world::{Blueprint, World};

/// What a node of the bench does.
#[expect(missing_docs, reason = "each variant's sentence names its fields")]
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// Sends a message and answers every one with another.
    Bounce { starts: bool, peer: NodeId },
    /// Appends 64 bytes each millisecond, sends them to all followers, and commits with a majority.
    Lead { followers: u16 },
    /// Appends what it is sent and says so.
    Follow,
    /// Keeps so many messages under way, each to one of its eight neighbours.
    Gossip { nodes: u16, messages: u32 },
}

/// A node of the bench.
#[derive(Clone, Debug)]
pub struct Node {
    part: Part,
    index: u64,
    committed: u64,
    /// How many followers hold each entry that is not yet committed, oldest first.
    acks: std::collections::VecDeque<u16>,
}

/// What nodes send.
#[expect(missing_docs, reason = "each variant's sentence names its fields")]
#[derive(Clone, Debug, Hash)]
pub enum Message {
    /// Of the bouncing pair and the gossips.
    Ball(u64),
    /// An entry of 64 bytes.
    Append { index: u64, entry: Entry },
    /// It is stored.
    Stored { index: u64 },
}

/// 64 bytes.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Entry([u64; 8]);

/// The leader's clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tick;

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Payload for Message {
    fn bytes(&self) -> u32 {
        100
    }
}

impl Payload for Entry {
    fn bytes(&self) -> u32 {
        64
    }
}

impl Process for Node {
    type Config = Part;
    type Message = Message;
    type Timer = Tick;
    type Record = Entry;

    fn boot(cx: &mut Cx<'_, Self>, part: &Part) -> Self {
        match *part {
            Part::Bounce { starts: true, peer } => cx.send(peer, Message::Ball(0)),
            Part::Lead { .. } => {
                cx.role(Role::Leader, 1);
                cx.set_timer(Tick, Span::millis(1));
            }
            Part::Gossip { nodes, messages } => {
                for ball in 0..u64::from(messages) {
                    cx.send(neighbour(cx.me(), ball, nodes), Message::Ball(ball));
                }
            }
            Part::Bounce { starts: false, .. } | Part::Follow => {}
        }
        Node { part: *part, index: 0, committed: 0, acks: std::collections::VecDeque::new() }
    }

    fn on(&mut self, cx: &mut Cx<'_, Self>, input: Input<Self>) {
        match input {
            Input::Message { from, message } => self.hear(cx, from, message),
            Input::Timer(Tick) => self.lead(cx),
            _ => {}
        }
    }

    fn view(&self) -> View {
        let applied = Position::new(1, self.committed);
        View { role: Role::Replica, epoch: 1, received: applied, applied, serving: true }
    }
}

impl Node {
    fn hear(&mut self, cx: &mut Cx<'_, Self>, from: NodeId, message: Message) {
        match message {
            Message::Ball(ball) => self.pass_on(cx, from, ball),
            Message::Append { index, entry } => {
                cx.append(entry);
                cx.send(from, Message::Stored { index });
            }
            Message::Stored { index } => self.count(cx, index),
        }
    }

    fn pass_on(&self, cx: &mut Cx<'_, Self>, from: NodeId, ball: u64) {
        match self.part {
            Part::Gossip { nodes, .. } => {
                let to = neighbour(cx.me(), ball, nodes);
                cx.send(to, Message::Ball(ball.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7)));
            }
            Part::Bounce { .. } | Part::Lead { .. } | Part::Follow => cx.send(from, Message::Ball(ball + 1)),
        }
    }

    fn lead(&mut self, cx: &mut Cx<'_, Self>) {
        let Part::Lead { followers } = self.part else { return };
        self.index += 1;
        let (index, entry) = (self.index, Entry([self.index; 8]));
        cx.append(entry);
        cx.installed(Key(index % 1_000), Made::Value(Value::generated(cx.me(), index)), Position::new(1, index));
        self.acks.push_back(0);
        for follower in 1..=followers {
            cx.send(NodeId(follower), Message::Append { index, entry });
        }
        cx.set_timer(Tick, Span::millis(1));
    }

    fn count(&mut self, cx: &mut Cx<'_, Self>, index: u64) {
        let Part::Lead { followers } = self.part else { return };
        let Some(at) = index.checked_sub(self.committed + 1) else { return };
        self.acks[at as usize] += 1;
        while self.acks.front().is_some_and(|acks| acks + 1 > followers.div_ceil(2)) {
            self.acks.pop_front();
            self.committed += 1;
            cx.committed(Position::new(1, self.committed));
        }
    }
}

fn neighbour(me: NodeId, ball: u64, nodes: u16) -> NodeId {
    NodeId(((u64::from(me.0) + 1 + (ball >> 40) % 8) % u64::from(nodes)) as u16)
}

/// A world of such nodes, with this delay between any two.
pub fn world(parts: &[Part], delay: Distribution, run: Span) -> World<Node> {
    let mut cluster = Cluster { size: Some(parts.len() as u16), ..Cluster::default() };
    cluster.links.same_zone = delay.clone();
    cluster.links.between_zones = delay;
    let nothing = Distribution::Constant(Span::ZERO);
    cluster.service = Service { operation: nothing.clone(), message: nothing, cores: 1 };
    let topology = Topology::resolve(&cluster).expect("a cluster of this size");
    let member = |(host, part): (usize, &Part)| Member {
        name: format!("n{}", host + 1),
        host,
        starts: true,
        replica: true,
        config: *part,
    };
    let members = parts.iter().enumerate().map(member).collect();
    let (clients, faults, settle) = (Vec::new(), Vec::new(), Span::ZERO);
    World::new(Blueprint { cluster, topology, members, clients, faults, run, settle, trace: false }, 7)
}

/// Two nodes that bounce one message over a link of 1 to 2 ms.
pub fn ping_pong() -> World<Node> {
    let parts = [Part::Bounce { starts: true, peer: NodeId(1) }, Part::Bounce { starts: false, peer: NodeId(0) }];
    world(&parts, Distribution::Uniform { min: Span::millis(1), max: Span::millis(2) }, Span::FOREVER)
}

/// A leader that appends each millisecond, with four followers.
pub fn replication() -> World<Node> {
    let parts = [Part::Lead { followers: 4 }, Part::Follow, Part::Follow, Part::Follow, Part::Follow];
    world(&parts, Distribution::Uniform { min: Span::micros(200), max: Span::micros(800) }, Span::FOREVER)
}

/// A thousand nodes with so many messages under way in all.
pub fn gossip(pending: u32) -> World<Node> {
    let nodes = 1_000;
    let parts = vec![Part::Gossip { nodes, messages: pending / u32::from(nodes) }; usize::from(nodes)];
    world(&parts, Distribution::Uniform { min: Span::millis(1), max: Span::secs(2) }, Span::FOREVER)
}

/// Handles so many events.
pub fn run(world: &mut World<Node>, events: u64) {
    for _ in 0..events {
        world.step();
    }
}

/// The instant after so many milliseconds.
pub fn after(millis: u64) -> SimTime {
    SimTime::ZERO + Span::millis(millis)
}
