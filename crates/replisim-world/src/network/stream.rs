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

use replisim_history::NodeId;
use replisim_kernel::{SimTime, Span};

use super::Network;
use super::channel::{Channel, Segment};
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

/// An end of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The one that connected.
    Connecting,
    /// The one that was connected to.
    Accepting,
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

/// How often Linux repeats an attempt to connect (`tcp_syn_retries`).
const SYN_TRIES_MAX: u32 = 6;
/// The size of a packet that carries no data: the headers of IPv4 and TCP with the options of a `SYN`.
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
        self.channels.get(stream.index())?.peer(node)
    }

    /// A stream that is up already, as in a pool of connections.
    pub fn open_warm(&mut self, roster: &Roster, from: NodeId, to: NodeId) -> StreamId {
        let stream = self.add(roster, from, to);
        self.channel_mut(stream).up = true;
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
        self.end_of(stream, node).is_some_and(|(channel, side)| !channel.half(side).gone)
    }

    /// Whether the stream ever came up.
    pub fn is_up(&self, stream: StreamId) -> bool {
        self.channel(stream).up
    }

    /// Sends `data` from `node`'s end. Nothing happens if that end is gone, or if `node` is at both ends.
    #[inline]
    pub fn transmit(
        &mut self,
        stream: StreamId,
        node: NodeId,
        data: T,
        bytes: u32,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) {
        let Some(channel) = self.channels.get_mut(stream.index()) else { return };
        let Some(side) = channel.side_of(node) else { return };
        let (from, to) = channel.direction(side);
        if !channel.half(side).gone && from != to {
            channel.send(Segment { stream, from: side, item: Item::Data(data), bytes }, around);
        }
    }

    /// Closes `node`'s end once what was sent has gone out; the other end learns of it after that.
    pub fn close(&mut self, stream: StreamId, node: NodeId, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let Some((_, side)) = self.end_of(stream, node) else { return };
        if self.leave(stream, side) && self.is_up(stream) {
            let segment = Segment { stream, from: side, item: Item::Finish, bytes: CONTROL_BYTES };
            self.channel_mut(stream).send(segment, around);
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
            if let Some((_, side)) = self.end_of(stream, node) {
                let half = self.channel_mut(stream).half_mut(side);
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
                if !self.channel(stream).half(Side::Connecting).gone && !self.is_up(stream) {
                    self.knock(stream, tries, around);
                }
                None
            }
            Signal::Arrive { stream, to, item, bytes, wire } => self.on_arrival(stream, to, item, bytes, wire, around),
            Signal::Retransmit { stream, side } => {
                self.channel_mut(stream).on_timeout(stream, side, around);
                None
            }
            Signal::Broken { stream, side, why } => {
                self.leave(stream, side).then(|| self.channel(stream).closed(stream, side, why))
            }
        }
    }

    // ── on the way ──

    /// When the last of what was sent until now arrives, as far as it still can.
    pub fn last_arrival(&self) -> SimTime {
        self.open().map(Channel::last_arrival).max().unwrap_or(SimTime::ZERO)
    }

    /// Whether anything that was sent waits for a timer to be sent again.
    pub fn is_waiting(&self) -> bool {
        self.open().any(Channel::is_waiting)
    }

    /// The streams of which both ends are there.
    fn open(&self) -> impl Iterator<Item = &Channel<T>> {
        self.channels.iter().filter(|channel| channel.is_open())
    }

    // ── opening ──

    fn add(&mut self, roster: &Roster, from: NodeId, to: NodeId) -> StreamId {
        let stream = StreamId(self.next());
        self.channels.push(Channel::new(roster, from, to));
        self.open_ends[from.index()].push(stream);
        stream
    }

    /// Sends a packet that asks to connect, and sets the timer to ask again.
    fn knock(&mut self, stream: StreamId, tries: u32, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let (from, to) = self.channel(stream).direction(Side::Connecting);
        let fate = around.network.fate(around.now, from, to, CONTROL_BYTES);
        if !fate.lost && !around.network.is_cut(from, to) {
            around.agenda.put(fate.arrives, Signal::Syn { stream });
        }
        let next = match tries {
            SYN_TRIES_MAX => Signal::Broken { stream, side: Side::Connecting, why: Closing::TimedOut },
            _ => Signal::Reconnect { stream, tries: tries + 1 },
        };
        around.after(Span::secs(1 << tries), next);
    }

    fn on_syn(&mut self, stream: StreamId, around: &mut Surroundings<'_, impl Agenda<T>>) -> Option<Upcall<T>> {
        let (from, to) = self.channel(stream).direction(Side::Connecting);
        if self.is_up(stream) || !around.roster.is_up(to) {
            return None;
        }
        let back = around.network.fate(around.now, to, from, CONTROL_BYTES);
        if around.network.is_cut(to, from) || back.lost {
            return None;
        }
        if !around.roster.is_alive(to) {
            around.agenda.put(back.arrives, Signal::Broken { stream, side: Side::Connecting, why: Closing::Refused });
            return None;
        }
        self.channel_mut(stream).up = true;
        self.open_ends[to.index()].push(stream);
        let half = self.channel_mut(stream).half_mut(Side::Accepting);
        half.incarnation = around.roster.incarnation(to);
        half.last_arrival = back.arrives;
        around.agenda.put(back.arrives, Signal::SynAck { stream });
        Some(Upcall::Opened { stream, at: to, peer: from, incoming: true })
    }

    fn on_syn_ack(&mut self, stream: StreamId, around: &mut Surroundings<'_, impl Agenda<T>>) -> Option<Upcall<T>> {
        let (from, to) = self.channel(stream).direction(Side::Connecting);
        if !around.roster.is_up(from) {
            return None;
        }
        if self.channel(stream).half(Side::Connecting).gone {
            self.channel(stream).reset(stream, Side::Accepting, around);
            return None;
        }
        let channel = self.channel_mut(stream);
        if let Some(stall) = channel.half_mut(Side::Connecting).stall.take() {
            channel.flush(stream, Side::Connecting, *stall, around);
        }
        Some(Upcall::Opened { stream, at: from, peer: to, incoming: false })
    }

    // ── arriving ──

    #[inline]
    fn on_arrival(
        &mut self,
        stream: StreamId,
        to: Side,
        item: Item<T>,
        bytes: u32,
        wire: u32,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) -> Option<Upcall<T>> {
        let channel = self.channel_mut(stream);
        let (receiver, sender) = channel.direction(to);
        if wire != around.roster.wire(sender) {
            return None;
        }
        if !around.roster.is_up(receiver) {
            channel.bounce(Segment { stream, from: to.other(), item, bytes }, around);
            return None;
        }
        if channel.is_deserted(to, around.roster) {
            channel.reset(stream, to.other(), around);
            return None;
        }
        match item {
            Item::Data(data) => Some(Upcall::Data { stream, at: receiver, peer: sender, data }),
            Item::Finish => self.leave(stream, to).then(|| self.channel(stream).closed(stream, to, Closing::Finished)),
        }
    }

    // ── small questions ──

    /// Ends one side's part. Returns whether it had one.
    fn leave(&mut self, stream: StreamId, side: Side) -> bool {
        let half = self.channel_mut(stream).half_mut(side);
        let node = half.node;
        let was_here = !std::mem::replace(&mut half.gone, true);
        self.open_ends[node.index()].retain(|other| *other != stream);
        was_here
    }

    fn channel(&self, stream: StreamId) -> &Channel<T> {
        &self.channels[stream.index()]
    }

    fn channel_mut(&mut self, stream: StreamId) -> &mut Channel<T> {
        &mut self.channels[stream.index()]
    }

    /// The stream and which end of it is `node`'s.
    fn end_of(&self, stream: StreamId, node: NodeId) -> Option<(&Channel<T>, Side)> {
        let channel = self.channels.get(stream.index())?;
        channel.side_of(node).map(|side| (channel, side))
    }
}

impl<A> Surroundings<'_, A> {
    /// Has a signal handled after a while. What this is for happens seldom: timers, and streams that break.
    #[cold]
    pub fn after<T>(&mut self, span: Span, signal: Signal<T>)
    where
        A: Agenda<T>,
    {
        self.agenda.put(self.now + span, signal);
    }
}

impl Side {
    /// The other end.
    pub fn other(self) -> Side {
        match self {
            Side::Connecting => Side::Accepting,
            Side::Accepting => Side::Connecting,
        }
    }
}
