//! One stream with its two ends: what each sends, what waits where nothing gets through, and what comes back.

use std::collections::VecDeque;

use replisim_history::NodeId;
use replisim_kernel::{SimTime, Span};

use super::stream::{Agenda, Item, Side, Signal, Surroundings, Upcall};
use crate::process::{Closing, StreamId};
use crate::roster::Roster;

/// A stream with its two ends.
#[derive(Clone, Debug)]
pub(super) struct Channel<T> {
    pub up: bool,
    halves: [Half<T>; 2],
}

/// One end, and what it sends.
#[derive(Clone, Debug)]
pub(super) struct Half<T> {
    pub node: NodeId,
    pub incarnation: u32,
    /// Whether this end takes part no more: closed, broken, or its process dead.
    pub gone: bool,
    /// When the last of what it sent arrives: nothing overtakes.
    pub last_arrival: SimTime,
    /// Set while nothing gets through, with what waits.
    pub stall: Option<Box<Stall<T>>>,
    /// Whether a timer runs because acknowledgements cannot come back.
    unacknowledged: bool,
}

/// What one end sends the other at once.
#[derive(Clone, Debug)]
pub(super) struct Segment<T> {
    pub stream: StreamId,
    pub from: Side,
    pub item: Item<T>,
    pub bytes: u32,
}

/// A sender that waits for its retransmission timer.
#[derive(Clone, Debug)]
pub(super) struct Stall<T> {
    waiting: VecDeque<Segment<T>>,
    /// How many at the front were already on their way when the receiver's host died.
    returned: usize,
    tries: u32,
}

/// Linux's smallest retransmission timeout.
const TIMEOUT_MIN: Span = Span::millis(200);
/// Linux's largest retransmission timeout.
const TIMEOUT_MAX: Span = Span::secs(120);
/// How often Linux retransmits before it gives a connection up (`tcp_retries2`).
const TRIES_MAX: u32 = 15;

impl<T> Channel<T> {
    /// A stream that is not up yet.
    pub fn new(roster: &Roster, from: NodeId, to: NodeId) -> Self {
        let half = |node| Half {
            node,
            incarnation: roster.incarnation(node),
            gone: false,
            last_arrival: SimTime::ZERO,
            stall: None,
            unacknowledged: false,
        };
        Channel { up: false, halves: [half(from), half(to)] }
    }

    // ── sending ──

    /// Puts an item on its way, or behind what already waits.
    #[inline]
    pub fn send(&mut self, segment: Segment<T>, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let (stream, side) = (segment.stream, segment.from);
        let (from, to) = self.direction(side);
        let up = self.up;
        let half = self.half_mut(side);
        if let Some(stall) = &mut half.stall {
            stall.waiting.push_back(segment);
            return;
        }
        if !up || around.network.is_cut(from, to) || !around.roster.is_up(to) {
            return self.stall(segment, around);
        }
        if around.network.is_cut(to, from) && !half.unacknowledged {
            half.unacknowledged = true;
            around.after(TIMEOUT_MIN, Signal::Retransmit { stream, side });
        }
        self.put_on_wire(segment, around);
    }

    /// Nothing gets through at present: the item waits for the timer, or for the stream to come up.
    #[cold]
    fn stall(&mut self, segment: Segment<T>, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let (stream, side) = (segment.stream, segment.from);
        let waiting = VecDeque::from([segment]);
        self.half_mut(side).stall = Some(Box::new(Stall { waiting, returned: 0, tries: 0 }));
        if self.up {
            around.after(TIMEOUT_MIN, Signal::Retransmit { stream, side });
        }
    }

    #[inline]
    fn put_on_wire(&mut self, segment: Segment<T>, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let Segment { stream, from: side, item, bytes } = segment;
        let (from, to) = self.direction(side);
        let fate = around.network.fate(around.now, from, to, bytes);
        let half = self.half_mut(side);
        let round_trip = fate.arrives.since(fate.sent) * 2;
        let busy = half.last_arrival > around.now;
        let recovery = match (fate.lost, busy) {
            (false, _) => Span::ZERO,
            (true, true) => round_trip,
            (true, false) => round_trip + TIMEOUT_MIN,
        };
        half.last_arrival = half.last_arrival.max(fate.arrives + recovery);
        let wire = around.roster.wire(from);
        around.agenda.put(half.last_arrival, Signal::Arrive { stream, to: side.other(), item, bytes, wire });
    }

    /// The retransmission timer has run out: try again, or find that the peer is no more, or that all is well.
    pub fn on_timeout(&mut self, stream: StreamId, side: Side, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let (from, to) = self.direction(side);
        let network = &around.network;
        let passable = !network.is_cut(from, to) && !network.is_cut(to, from) && around.roster.is_up(to);
        let half = self.half_mut(side);
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
            around.after(Span::ZERO, Signal::Broken { stream, side, why: Closing::TimedOut });
            return;
        }
        let wait = (TIMEOUT_MIN * (1 << stall.tries)).min(TIMEOUT_MAX);
        around.after(wait, Signal::Retransmit { stream, side });
        self.half_mut(side).stall = Some(stall);
    }

    /// Sends what waited, if there is still somebody to send it to.
    pub fn flush(
        &mut self,
        stream: StreamId,
        side: Side,
        stall: Stall<T>,
        around: &mut Surroundings<'_, impl Agenda<T>>,
    ) {
        if self.is_deserted(side.other(), around.roster) {
            let (from, to) = self.direction(side);
            let there = around.network.usual_delay(from, to) + around.network.usual_delay(to, from);
            around.after(there, Signal::Broken { stream, side, why: Closing::Reset });
            return;
        }
        for segment in stall.waiting {
            self.put_on_wire(segment, around);
        }
    }

    // ── on the way ──

    /// Whether both ends take part.
    pub fn is_open(&self) -> bool {
        self.halves.iter().all(|half| !half.gone)
    }

    /// When the last of what both ends have sent arrives.
    pub fn last_arrival(&self) -> SimTime {
        self.halves.iter().map(|half| half.last_arrival).max().unwrap_or(SimTime::ZERO)
    }

    /// Whether what an end has sent waits for its timer.
    pub fn is_waiting(&self) -> bool {
        self.halves.iter().any(|half| half.stall.as_ref().is_some_and(|stall| !stall.waiting.is_empty()))
    }

    // ── coming back ──

    /// The receiver's host is dead: what was under way goes back to the front of what its sender will try again.
    #[cold]
    pub fn bounce(&mut self, segment: Segment<T>, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let (stream, sender) = (segment.stream, segment.from);
        let half = self.half_mut(sender);
        if half.stall.is_none() {
            half.stall = Some(Box::new(Stall { waiting: VecDeque::new(), returned: 0, tries: 0 }));
            around.after(TIMEOUT_MIN, Signal::Retransmit { stream, side: sender });
        }
        if let Some(stall) = &mut half.stall {
            stall.waiting.insert(stall.returned, segment);
            stall.returned += 1;
        }
    }

    /// A kernel that knows of no such stream says so.
    #[cold]
    pub fn reset(&self, stream: StreamId, side: Side, around: &mut Surroundings<'_, impl Agenda<T>>) {
        let (at, peer) = self.direction(side);
        if !around.network.is_cut(peer, at) {
            let after = around.network.usual_delay(peer, at);
            around.after(after, Signal::Broken { stream, side, why: Closing::Reset });
        }
    }

    // ── small questions ──

    /// Whether nobody is at this end any more: closed, dead, or reborn without knowing of the stream.
    pub fn is_deserted(&self, side: Side, roster: &Roster) -> bool {
        let half = self.half(side);
        half.gone || !roster.is_living(half.node, half.incarnation)
    }

    pub fn closed(&self, stream: StreamId, side: Side, why: Closing) -> Upcall<T> {
        let (at, peer) = self.direction(side);
        Upcall::Closed { stream, at, peer, why }
    }

    /// The node at `side` and the node at the other.
    pub fn direction(&self, side: Side) -> (NodeId, NodeId) {
        (self.half(side).node, self.half(side.other()).node)
    }

    /// The node at the other end.
    pub fn peer(&self, node: NodeId) -> Option<NodeId> {
        self.halves.iter().map(|half| half.node).find(|other| *other != node)
    }

    /// Which end is `node`'s.
    pub fn side_of(&self, node: NodeId) -> Option<Side> {
        let [connecting, accepting] = &self.halves;
        match connecting.node == node {
            true => Some(Side::Connecting),
            false => (accepting.node == node).then_some(Side::Accepting),
        }
    }

    pub fn half(&self, side: Side) -> &Half<T> {
        &self.halves[side as usize]
    }

    pub fn half_mut(&mut self, side: Side) -> &mut Half<T> {
        &mut self.halves[side as usize]
    }
}
