//! Streams between two nodes, as TCP gives them.
//!
//! What is sent on a stream arrives in order, or the stream breaks. How long that takes, and how a break is noticed, is
//! where real systems' failover times come from:
//!
//! | what happens | what the other side notices |
//! |---|---|
//! | a packet is lost | the rest waits for its retransmission: a round trip on a busy stream, else 200 ms |
//! | the network is cut | nothing; the sender tries again after 0.2, 0.4, 0.8, … s, so a healed cut is felt later than the heal |
//! | the peer's process dies | its kernel sends what was written and closes: a break, one delay later |
//! | the peer's host dies | nothing, until the host is back and refuses (reset), or the kernel gives up |
//! | nothing listens | refused, one round trip later |
//!
//! The retransmission timer is Linux's: at least 200 ms, doubling up to 120 s, given up after 15 tries (about 15
//! minutes). An attempt to connect is repeated after 1, 2, 4, … s and given up after six repetitions.
//!
//! Acknowledgements are not packets here. A sender whose way back is cut notices it when its timer runs out, as TCP does,
//! and then stops sending until both ways are open. Windows and slow start are left out: what a link carries is its
//! bandwidth's matter.

use std::collections::VecDeque;

use replisim_history::NodeId;
use replisim_kernel::{SimTime, Span};

use super::Network;
use crate::process::{Closing, StreamId};
use crate::roster::Roster;

/// All streams of a run. `T` is what travels on them.
#[derive(Clone, Debug)]
pub(crate) struct Streams<T> {
    channels: Vec<Channel<T>>,
    /// For each node, the streams on which it has an open end.
    open_ends: Vec<Vec<StreamId>>,
}

/// Something about a stream that is due at a later time.
#[derive(Clone, Debug)]
pub(crate) enum Signal<T> {
    /// The attempt to connect reaches the peer's host.
    Syn { stream: StreamId },
    /// The connecting side learns that the stream is up.
    SynAck { stream: StreamId },
    /// The connecting side tries again.
    Reconnect { stream: StreamId, tries: u32 },
    /// Something reaches `to`. `wire` tells whether it went down with its sender's host.
    Arrive { stream: StreamId, to: Side, item: Item<T>, bytes: u32, wire: u32 },
    /// The retransmission timer of `side` has run out.
    Retransmit { stream: StreamId, side: Side },
    /// `side` learns that the stream is broken.
    Broken { stream: StreamId, side: Side, why: Closing },
}

/// What an end of a stream learns.
#[derive(Debug)]
pub(crate) enum Upcall<T> {
    Opened { stream: StreamId, at: NodeId, peer: NodeId, incoming: bool },
    Data { stream: StreamId, at: NodeId, peer: NodeId, data: T },
    Closed { stream: StreamId, at: NodeId, peer: NodeId, why: Closing },
}

/// What travels on a stream.
#[derive(Clone, Debug)]
pub(crate) enum Item<T> {
    Data(T),
    /// Nothing more comes from this side.
    Finish,
}

/// An end of a stream: 0 is the one that connected.
pub(crate) type Side = u8;

#[derive(Clone, Debug)]
struct Channel<T> {
    up: bool,
    halves: [Half<T>; 2],
}

/// One end, and what it sends.
#[derive(Clone, Debug)]
struct Half<T> {
    node: NodeId,
    incarnation: u32,
    /// Whether this end takes part no more: closed, broken, or its process dead.
    gone: bool,
    /// When the last of what it sent arrives: nothing overtakes.
    last_arrival: SimTime,
    /// Set while nothing gets through, with what waits.
    stall: Option<Box<Stall<T>>>,
    /// Whether a timer runs because acknowledgements cannot come back.
    unacknowledged: bool,
}

/// A sender that waits for its retransmission timer.
#[derive(Clone, Debug)]
struct Stall<T> {
    waiting: VecDeque<(Item<T>, u32)>,
    /// How many at the front were already on their way when the receiver's host died.
    returned: usize,
    tries: u32,
}

/// What a stream's handling may look at and schedule.
pub(crate) struct Surroundings<'a, A> {
    pub now: SimTime,
    pub network: &'a mut Network,
    pub roster: &'a Roster,
    pub agenda: A,
}

/// Where signals are put that are due later. Streams know no queue.
pub(crate) trait Agenda<T> {
    /// Has a signal handled at an instant, after those that were put there for it before.
    fn put(&mut self, at: SimTime, signal: Signal<T>);
}

/// Linux's smallest retransmission timeout.
const TIMEOUT_MIN: Span = Span::millis(200);
/// Linux's largest retransmission timeout.
const TIMEOUT_MAX: Span = Span::secs(120);
/// How often Linux retransmits before it gives a connection up (`tcp_retries2`).
const TRIES_MAX: u32 = 15;
/// How often Linux repeats an attempt to connect (`tcp_syn_retries`).
const SYN_TRIES_MAX: u32 = 6;
/// The size of a packet that carries no data.
const CONTROL_BYTES: u32 = 60;

impl<T> Streams<T> {
    /// No streams yet, among so many nodes.
    pub fn new(nodes: usize) -> Self {
        Streams { channels: Vec::new(), open_ends: vec![Vec::new(); nodes] }
    }

    /// The number that the next stream will have, for whoever gives out numbers ahead.
    pub fn next(&self) -> u32 {
        self.channels.len() as u32
    }

    /// The node at the other end.
    pub fn peer(&self, stream: StreamId, node: NodeId) -> Option<NodeId> {
        let channel = self.channels.get(stream.0 as usize)?;
        channel.halves.iter().map(|half| half.node).find(|other| *other != node)
    }

    /// A stream that is up already, as in a pool of connections.
    pub fn open_warm(&mut self, roster: &Roster, from: NodeId, to: NodeId) -> StreamId {
        let stream = self.add(roster, from, to);
        self.channels[stream.0 as usize].up = true;
        self.open_ends[to.index()].push(stream);
        stream
    }

    /// Starts to connect. The stream gets the next number.
    pub fn connect(&mut self, from: NodeId, to: NodeId, around: &mut Surroundings<'_, impl Agenda<T>>) -> StreamId {
        let stream = self.add(around.roster, from, to);
        self.knock(stream, 0, around);
        stream
    }

    /// Whether `node` still has its end of this stream.
    pub fn is_open(&self, stream: StreamId, node: NodeId) -> bool {
        self.side_of(stream, node).is_some_and(|side| !self.half(stream, side).gone)
    }

    /// Whether the stream ever came up.
    pub fn is_up(&self, stream: StreamId) -> bool {
        self.channels[stream.0 as usize].up
    }

    /// Sends `data` from `node`'s end. Nothing happens if that end is gone.
    #[inline]
    pub fn transmit(
        &mut self,
        stream: StreamId,
        node: NodeId,
        data: T,
        bytes: u32,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) {
        let Some(side) = self.side_of(stream, node) else { return };
        if !self.half(stream, side).gone {
            self.send(stream, side, Item::Data(data), bytes, around);
        }
    }

    /// Closes `node`'s end once what was sent has gone out; the other end learns of it after that.
    pub fn close(&mut self, stream: StreamId, node: NodeId, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let Some(side) = self.side_of(stream, node) else { return };
        if self.leave(stream, side) && self.is_up(stream) {
            self.send(stream, side, Item::Finish, CONTROL_BYTES, around);
        }
    }

    /// The process of `node` is dead; its host's kernel closes what it had open.
    pub fn process_died(&mut self, node: NodeId, around: &mut Surroundings<'_, impl Agenda<T>>) {
        for stream in std::mem::take(&mut self.open_ends[node.index()]) {
            self.close(stream, node, around);
        }
    }

    /// The host of `node` is lost: its ends, and what waited in its kernel, are gone without a word.
    pub fn host_lost(&mut self, node: NodeId) {
        for stream in std::mem::take(&mut self.open_ends[node.index()]) {
            if let Some(side) = self.side_of(stream, node) {
                let half = self.half_mut(stream, side);
                half.gone = true;
                half.stall = None;
            }
        }
    }

    /// Carries out what was due, and says what an end learns from it.
    #[inline]
    pub fn on(&mut self, signal: Signal<T>, around: &mut Surroundings<'_, impl Agenda<T>>) -> Option<Upcall<T>> {
        match signal {
            Signal::Syn { stream } => self.on_syn(stream, around),
            Signal::SynAck { stream } => self.on_syn_ack(stream, around),
            Signal::Reconnect { stream, tries } => {
                if !self.half(stream, 0).gone && !self.is_up(stream) {
                    self.knock(stream, tries, around);
                }
                None
            }
            Signal::Arrive { stream, to, item, bytes, wire } => self.on_arrival(stream, to, item, bytes, wire, around),
            Signal::Retransmit { stream, side } => {
                self.on_timeout(stream, side, around);
                None
            }
            Signal::Broken { stream, side, why } => self.leave(stream, side).then(|| self.closed(stream, side, why)),
        }
    }

    // ── opening ──

    fn add(&mut self, roster: &Roster, from: NodeId, to: NodeId) -> StreamId {
        let stream = StreamId(self.next());
        let half = |node| Half {
            node,
            incarnation: roster.incarnation(node),
            gone: false,
            last_arrival: SimTime::ZERO,
            stall: None,
            unacknowledged: false,
        };
        self.channels.push(Channel { up: false, halves: [half(from), half(to)] });
        self.open_ends[from.index()].push(stream);
        stream
    }

    /// Sends a packet that asks to connect, and sets the timer to ask again.
    fn knock(&mut self, stream: StreamId, tries: u32, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let [from, to] = self.ends(stream);
        let fate = around.network.fate(around.now, from, to, CONTROL_BYTES);
        if !fate.lost && !around.network.is_cut(from, to) {
            around.agenda.put(fate.arrives, Signal::Syn { stream });
        }
        let again = around.now + Span::secs(1 << tries);
        let next = match tries {
            SYN_TRIES_MAX => Signal::Broken { stream, side: 0, why: Closing::TimedOut },
            _ => Signal::Reconnect { stream, tries: tries + 1 },
        };
        around.agenda.put(again, next);
    }

    fn on_syn(&mut self, stream: StreamId, around: &mut Surroundings<'_, impl Agenda<T>>) -> Option<Upcall<T>> {
        let [from, to] = self.ends(stream);
        if self.is_up(stream) || !around.roster.is_up(to) {
            return None;
        }
        let back = around.network.fate(around.now, to, from, CONTROL_BYTES);
        if around.network.is_cut(to, from) || back.lost {
            return None;
        }
        if !around.roster.is_alive(to) {
            around.agenda.put(back.arrives, Signal::Broken { stream, side: 0, why: Closing::Refused });
            return None;
        }
        self.channels[stream.0 as usize].up = true;
        self.open_ends[to.index()].push(stream);
        let half = self.half_mut(stream, 1);
        half.incarnation = around.roster.incarnation(to);
        half.last_arrival = back.arrives;
        around.agenda.put(back.arrives, Signal::SynAck { stream });
        Some(Upcall::Opened { stream, at: to, peer: from, incoming: true })
    }

    fn on_syn_ack(&mut self, stream: StreamId, around: &mut Surroundings<'_, impl Agenda<T>>) -> Option<Upcall<T>> {
        let [from, to] = self.ends(stream);
        if self.half(stream, 0).gone {
            self.reset(stream, 1, around);
            return None;
        }
        if let Some(stall) = self.half_mut(stream, 0).stall.take() {
            self.flush(stream, 0, *stall, around);
        }
        Some(Upcall::Opened { stream, at: from, peer: to, incoming: false })
    }

    // ── sending ──

    /// Puts an item on its way, or behind what already waits.
    #[inline]
    fn send(
        &mut self,
        stream: StreamId,
        side: Side,
        item: Item<T>,
        bytes: u32,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) {
        let (from, to) = self.direction(stream, side);
        let up = self.is_up(stream);
        let half = self.half_mut(stream, side);
        if let Some(stall) = &mut half.stall {
            stall.waiting.push_back((item, bytes));
            return;
        }
        if !up || around.network.is_cut(from, to) || !around.roster.is_up(to) {
            half.stall = Some(Box::new(Stall { waiting: VecDeque::from([(item, bytes)]), returned: 0, tries: 0 }));
            if up {
                around.agenda.put(around.now + TIMEOUT_MIN, Signal::Retransmit { stream, side });
            }
            return;
        }
        if around.network.is_cut(to, from) && !half.unacknowledged {
            half.unacknowledged = true;
            around.agenda.put(around.now + TIMEOUT_MIN, Signal::Retransmit { stream, side });
        }
        self.put_on_wire(stream, side, item, bytes, around);
    }

    #[inline]
    fn put_on_wire(
        &mut self,
        stream: StreamId,
        side: Side,
        item: Item<T>,
        bytes: u32,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) {
        let (from, to) = self.direction(stream, side);
        let fate = around.network.fate(around.now, from, to, bytes);
        let half = self.half_mut(stream, side);
        let round_trip = fate.arrives.since(around.now) * 2;
        let busy = half.last_arrival > around.now;
        let recovery = match (fate.lost, busy) {
            (false, _) => Span::ZERO,
            (true, true) => round_trip,
            (true, false) => round_trip + TIMEOUT_MIN,
        };
        half.last_arrival = half.last_arrival.max(fate.arrives + recovery);
        let wire = around.roster.wire(from);
        around.agenda.put(half.last_arrival, Signal::Arrive { stream, to: 1 - side, item, bytes, wire });
    }

    /// The retransmission timer has run out: try again, or find that the peer is no more, or that all is well.
    fn on_timeout(&mut self, stream: StreamId, side: Side, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let (from, to) = self.direction(stream, side);
        let network = &around.network;
        let passable = !network.is_cut(from, to) && !network.is_cut(to, from) && around.roster.is_up(to);
        let half = self.half_mut(stream, side);
        half.unacknowledged = false;
        match half.stall.take() {
            None if passable => {}
            Some(stall) if passable => self.flush(stream, side, *stall, around),
            stall => self.wait_longer(stream, side, stall, around),
        }
    }

    fn wait_longer(
        &mut self,
        stream: StreamId,
        side: Side,
        stall: Option<Box<Stall<T>>>,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) {
        let mut stall = stall.unwrap_or_else(|| Box::new(Stall { waiting: VecDeque::new(), returned: 0, tries: 0 }));
        stall.tries += 1;
        if stall.tries > TRIES_MAX {
            around.agenda.put(around.now, Signal::Broken { stream, side, why: Closing::TimedOut });
            return;
        }
        let wait = (TIMEOUT_MIN * (1 << stall.tries)).min(TIMEOUT_MAX);
        around.agenda.put(around.now + wait, Signal::Retransmit { stream, side });
        self.half_mut(stream, side).stall = Some(stall);
    }

    /// Sends what waited, if there is still somebody to send it to.
    fn flush(&mut self, stream: StreamId, side: Side, stall: Stall<T>, around: &mut Surroundings<'_, impl Agenda<T>>) {
        if self.is_deserted(stream, 1 - side, around.roster) {
            let (from, to) = self.direction(stream, side);
            let there = around.network.usual_delay(from, to) + around.network.usual_delay(to, from);
            around.agenda.put(around.now + there, Signal::Broken { stream, side, why: Closing::Reset });
            return;
        }
        for (item, bytes) in stall.waiting {
            self.put_on_wire(stream, side, item, bytes, around);
        }
    }

    // ── arriving ──

    fn on_arrival(
        &mut self,
        stream: StreamId,
        to: Side,
        item: Item<T>,
        bytes: u32,
        wire: u32,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) -> Option<Upcall<T>> {
        let (receiver, sender) = self.direction(stream, to);
        if wire != around.roster.wire(sender) {
            return None;
        }
        if !around.roster.is_up(receiver) {
            self.bounce(stream, 1 - to, item, bytes, around);
            return None;
        }
        if self.is_deserted(stream, to, around.roster) {
            self.reset(stream, 1 - to, around);
            return None;
        }
        match item {
            Item::Data(data) => Some(Upcall::Data { stream, at: receiver, peer: sender, data }),
            Item::Finish => self.leave(stream, to).then(|| self.closed(stream, to, Closing::Finished)),
        }
    }

    /// The receiver's host is dead: what was under way goes back to the front of what its sender will try again.
    fn bounce(
        &mut self,
        stream: StreamId,
        sender: Side,
        item: Item<T>,
        bytes: u32,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) {
        let half = self.half_mut(stream, sender);
        if half.stall.is_none() {
            half.stall = Some(Box::new(Stall { waiting: VecDeque::new(), returned: 0, tries: 0 }));
            around.agenda.put(around.now + TIMEOUT_MIN, Signal::Retransmit { stream, side: sender });
        }
        if let Some(stall) = &mut half.stall {
            stall.waiting.insert(stall.returned, (item, bytes));
            stall.returned += 1;
        }
    }

    /// A kernel that knows of no such stream says so.
    fn reset(&mut self, stream: StreamId, side: Side, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let (at, peer) = self.direction(stream, side);
        if !around.network.is_cut(peer, at) {
            let after = around.network.usual_delay(peer, at);
            around.agenda.put(around.now + after, Signal::Broken { stream, side, why: Closing::Reset });
        }
    }

    // ── small questions ──

    /// Whether nobody is at this end any more: closed, dead, or reborn without knowing of the stream.
    fn is_deserted(&self, stream: StreamId, side: Side, roster: &Roster) -> bool {
        let half = self.half(stream, side);
        half.gone || !roster.is_alive(half.node) || half.incarnation != roster.incarnation(half.node)
    }

    /// Ends one side's part. Returns whether it had one.
    fn leave(&mut self, stream: StreamId, side: Side) -> bool {
        let half = self.half_mut(stream, side);
        let node = half.node;
        let was_here = !std::mem::replace(&mut half.gone, true);
        self.open_ends[node.index()].retain(|other| *other != stream);
        was_here
    }

    fn closed(&self, stream: StreamId, side: Side, why: Closing) -> Upcall<T> {
        let (at, peer) = self.direction(stream, side);
        Upcall::Closed { stream, at, peer, why }
    }

    fn ends(&self, stream: StreamId) -> [NodeId; 2] {
        self.channels[stream.0 as usize].halves.each_ref().map(|half| half.node)
    }

    /// The node at `side` and the node at the other.
    fn direction(&self, stream: StreamId, side: Side) -> (NodeId, NodeId) {
        (self.half(stream, side).node, self.half(stream, 1 - side).node)
    }

    fn side_of(&self, stream: StreamId, node: NodeId) -> Option<Side> {
        let channel = self.channels.get(stream.0 as usize)?;
        channel.halves.iter().position(|half| half.node == node).map(|side| side as Side)
    }

    fn half(&self, stream: StreamId, side: Side) -> &Half<T> {
        &self.channels[stream.0 as usize].halves[usize::from(side)]
    }

    fn half_mut(&mut self, stream: StreamId, side: Side) -> &mut Half<T> {
        &mut self.channels[stream.0 as usize].halves[usize::from(side)]
    }
}
