//! The sending side: one shipper for each connected follower, each at its own place in the log.
//!
//! A shipper checks that the follower's log is a part of its own, finds the place to go on from, and from then on sends
//! what the rules allow it to: PostgreSQL's walsender what is synced here, MySQL's dump thread what is written. A
//! follower counts as *streaming* once everything there is has been handed to its stream; only then do its reports count
//! towards synchronous commits.
//!
//! What is handed to a stream is on its way even if this process dies the next moment: the host's kernel sends it. What
//! is not yet handed over is held back by a window, which stands for the socket buffers at both ends.

use replisim_history::{Lineage, NodeId, Position};
use replisim_kernel::Span;
use replisim_world::clock::Monotonic;
use replisim_world::process::{Cx, StreamId};

use super::flaw::Flaw;
use super::log::Places;
use super::message::{Entries, Message, Refusal, Report};
use super::node::{Replica, Timer};
use super::profile::Profile;
use super::record::{Part, Record, Slot};
use super::replay::Replaying;
use super::rules::{Liveness, Progress, Relay, Resume, Retention};

/// Sends the log to one follower.
#[derive(Clone, Debug)]
pub(super) struct Shipper {
    pub follower: NodeId,
    pub stream: StreamId,
    /// The offset of the next entry to send.
    next: u64,
    /// Whether everything there was has been sent once.
    streaming: bool,
    /// How many bytes of log were sent on this stream.
    sent: u64,
    /// What the follower last reported, if it has.
    report: Option<Report>,
    /// When it did.
    heard: Monotonic,
    /// Whether it was asked since.
    asked: bool,
    /// When something was last said to it.
    spoken: Monotonic,
    /// How often it wants to hear something, if it has said so.
    heartbeat: Option<Span>,
}

/// How much log may be under way to a follower: what the buffers of both kernels hold. No less than a default segment,
/// for a standby that reads its segment again was seen to be reported as streaming meanwhile.
pub(super) const WINDOW_BYTES: u64 = 16 << 20;

/// How much log one message carries at most: PostgreSQL's `MAX_SEND_SIZE`.
const MESSAGE_BYTES: u64 = 128 << 10;

impl<F: Profile> Replica<F> {
    /// A follower introduces itself: its log ends with `last` and consists of `history`.
    pub(super) fn on_start(
        &mut self,
        cx: &mut Cx<'_, Self>,
        (stream, follower): (StreamId, NodeId),
        last: Position,
        history: &Lineage,
        slot: bool,
    ) {
        let sent = self.shippers.iter().find(|shipper| shipper.follower == follower).map(|shipper| shipper.next);
        self.forget_follower(cx, follower, stream);
        let place = self.place_of(cx, last, history);
        match place.map(|next| sent.filter(|_| self.rules.has(Flaw::ResumeFromSent)).unwrap_or(next)) {
            Ok(next) => {
                if slot {
                    self.keep_slot(cx, follower, last.index);
                }
                cx.transmit(stream, Message::Accept { leader: self.leader });
                self.shippers.push(Shipper::new(follower, stream, next, cx.monotonic()));
                self.set_sender_timer(cx, follower, Span::ZERO);
                self.ship(cx);
            }
            Err(refusal) => {
                self.forget_slot(follower, refusal);
                self.refuse(cx, stream, refusal);
            }
        }
    }

    /// Sends every follower what it may have by now. One that cannot be served any further is told so, and left.
    pub(super) fn ship(&mut self, cx: &mut Cx<'_, Self>) {
        if self.shippers.is_empty() {
            return;
        }
        let limit = self.extent(cx, self.rules.ship).min(self.relay_limit());
        let mut index = 0;
        while index < self.shippers.len() {
            match self.ship_to(cx, index, limit) {
                Ok(()) => index += 1,
                Err(refusal) => {
                    let Shipper { follower, stream, .. } = self.shippers.remove(index);
                    self.forget_slot(follower, refusal);
                    self.refuse(cx, stream, refusal);
                }
            }
        }
    }

    /// A follower tells how far it is.
    pub(super) fn on_report(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId, report: &Report) {
        if report.reply_requested {
            cx.transmit(stream, Message::Keepalive { reply_requested: false, leader: self.leader });
        }
        let Some(shipper) = self.shippers.iter_mut().find(|shipper| shipper.stream == stream) else { return };
        let follower = shipper.follower;
        let held_up = shipper.is_full();
        let again = shipper.report.is_some_and(|before| before.flushed == report.flushed);
        (shipper.report, shipper.heard, shipper.asked) = (Some(*report), cx.monotonic(), false);
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.follower == follower) {
            slot.index = slot.index.max(report.flushed.index);
        }
        if held_up {
            self.ship(cx);
        }
        if self.part == Part::Leads && self.rules.acknowledge.listens_to(follower) {
            if again && self.rules.has(Flaw::CountTwice) {
                self.commits.acknowledged = self.commits.acknowledged.max(report.flushed.index);
            }
            self.count_acknowledgements(cx);
        }
    }

    /// A follower's operating system has read so much; the follower itself says nothing.
    pub(super) fn on_room(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId, received: u64) {
        let Some(shipper) = self.shippers.iter_mut().find(|shipper| shipper.stream == stream) else { return };
        let held_up = shipper.is_full();
        if let Some(report) = &mut shipper.report {
            report.received = received;
        }
        if held_up {
            self.ship(cx);
        }
    }

    /// How far a follower has come in this leader's epoch, by this measure; `None` unless it is streaming and has reported.
    pub(super) fn reached(&self, follower: NodeId, progress: Progress) -> Option<u64> {
        let shipper = self.shippers.iter().find(|shipper| shipper.follower == follower && shipper.streaming)?;
        let reached = shipper.report?.reached(progress);
        let counts = reached.epoch == self.epoch || self.rules.has(Flaw::CountOldEpoch);
        Some(if counts { reached.index } else { 0 })
    }

    /// A stream with a follower is gone.
    pub(super) fn on_follower_lost(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId) {
        self.couriers.retain(|courier| courier.stream != stream);
        let before = self.shippers.len();
        self.shippers.retain(|shipper| shipper.stream != stream);
        if self.shippers.len() < before && self.part == Part::Leads {
            self.on_fewer_followers(cx);
        }
    }

    /// A follower may have been silent for too long. At half the timeout it is asked; at the end of it, given up. Commits
    /// that waited for it go on waiting until the follower that takes over reports something.
    pub(super) fn on_sender_timer(&mut self, cx: &mut Cx<'_, Self>, follower: NodeId) {
        let timeout = self.rules.liveness.sender_timeout;
        let Some(shipper) = self.shippers.iter_mut().find(|shipper| shipper.follower == follower) else { return };
        let silent = cx.monotonic().since(shipper.heard);
        if silent >= timeout {
            let stream = shipper.stream;
            cx.milestone(format!("{} silent for {timeout}: its connection is given up", self.name(follower)));
            cx.close(stream);
            return self.on_follower_lost(cx, stream);
        }
        if silent >= timeout / 2 && !std::mem::replace(&mut shipper.asked, true) {
            cx.transmit(shipper.stream, Message::Keepalive { reply_requested: true, leader: self.leader });
        }
        self.set_sender_timer(cx, follower, silent);
    }

    /// A follower wants to hear something every so often.
    pub(super) fn on_heartbeat_wanted(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId, every: Span) {
        let Some(shipper) = self.shippers.iter_mut().find(|shipper| shipper.stream == stream) else { return };
        shipper.heartbeat = Some(every);
        cx.set_timer(Timer::Heartbeat(shipper.follower), every);
    }

    /// A follower that wants to hear something may have heard nothing for that long.
    pub(super) fn on_heartbeat_timer(&mut self, cx: &mut Cx<'_, Self>, follower: NodeId) {
        let Some(shipper) = self.shippers.iter_mut().find(|shipper| shipper.follower == follower) else { return };
        let Some(every) = shipper.heartbeat else { return };
        if cx.monotonic().since(shipper.spoken) >= every {
            shipper.spoken = cx.monotonic();
            cx.transmit(shipper.stream, Message::Keepalive { reply_requested: false, leader: self.leader });
        }
        cx.set_timer(Timer::Heartbeat(follower), every - cx.monotonic().since(shipper.spoken));
    }

    /// The timeout has changed: judges every follower's silence by the new one.
    pub(super) fn look_at_followers(&mut self, cx: &mut Cx<'_, Self>) {
        let followers: Vec<NodeId> = self.shippers.iter().map(|shipper| shipper.follower).collect();
        for follower in followers {
            self.on_sender_timer(cx, follower);
        }
    }

    /// Says why somebody cannot be served, and ends the connection.
    pub(super) fn refuse(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId, refusal: Refusal) {
        cx.transmit(stream, Message::Refuse(refusal));
        cx.close(stream);
    }

    /// Tells every follower who leads now, but not the one that it follows itself: two servers that follow each other would
    /// pass the same two rumours to and fro for ever.
    pub(super) fn announce_leader(&mut self, cx: &mut Cx<'_, Self>) {
        let upstream = self.part.upstream();
        for shipper in self.shippers.iter().filter(|shipper| Some(shipper.follower) != upstream) {
            cx.transmit(shipper.stream, Message::Keepalive { reply_requested: false, leader: self.leader });
        }
    }

    /// Ends all connections with followers: what they were sent is no longer this server's log.
    pub(super) fn drop_followers(&mut self, cx: &mut Cx<'_, Self>) {
        for shipper in self.shippers.drain(..) {
            cx.close(shipper.stream);
        }
        for courier in self.couriers.drain(..) {
            cx.close(courier.stream);
        }
    }

    /// Keeps the log after `index` for a follower from now on, connected or not, and over restarts.
    fn keep_slot(&mut self, cx: &mut Cx<'_, Self>, follower: NodeId, index: u64) {
        let slot = Slot { follower, index, lost: false };
        match self.slots.iter_mut().find(|slot| slot.follower == follower) {
            Some(known) => *known = slot,
            None => {
                self.slots.push(slot);
                self.save(cx);
            }
        }
    }

    /// The offset at which a follower goes on whose log ends with `last` and consists of `history`.
    fn place_of(&self, cx: &Cx<'_, Self>, last: Position, history: &Lineage) -> Result<u64, Refusal> {
        if !self.part.serves() {
            return Err(Refusal::NoData);
        }
        if self.has_diverged(last) && !self.rules.has(Flaw::KeepDivergentTail) {
            return Err(Refusal::Diverged);
        }
        if self.has_dropped_after(last, history) && !self.rules.has(Flaw::ForgetRetention) {
            return Err(Refusal::Removed);
        }
        match self.rules.numbering.is_one_log() {
            true => Ok(self.place_in_log(cx, last)),
            false => Ok(cx.journal().offset_outside(history)),
        }
    }

    /// Whether a follower's last record shows that its log is not a part of this one.
    ///
    /// In one log, that record must be in it. Between sets, a follower may well have what this server lacks, and will
    /// keep it; only records of an epoch that this server led, and yet does not know, are noticed.
    fn has_diverged(&self, last: Position) -> bool {
        let would_know = self.rules.numbering.is_one_log() || self.has_led(last.epoch);
        would_know && !self.log.contains(last)
    }

    /// Whether anything that a follower lacks is no longer kept.
    fn has_dropped_after(&self, last: Position, history: &Lineage) -> bool {
        match self.rules.numbering.is_one_log() {
            true => last.index < self.log.base.index,
            false => !history.contains(self.log.base),
        }
    }

    /// The offset at which a follower goes on in one log.
    fn place_in_log(&self, cx: &Cx<'_, Self>, last: Position) -> u64 {
        let from = match (self.rules.resume, self.rules.retention) {
            (Resume::SegmentStart, Retention::Size { segment, .. }) => last.index - last.index % segment.max(1),
            (Resume::SegmentStart | Resume::LastRecord, _) => last.index,
        };
        cx.journal().offset_after(from)
    }

    /// A follower whose log is gone must be seeded anew: its slot has become useless.
    fn forget_slot(&mut self, follower: NodeId, refusal: Refusal) {
        self.slots.retain(|slot| slot.follower != follower || refusal != Refusal::Removed);
    }

    /// Sends one follower what lies before `limit`, as far as its window allows.
    fn ship_to(&mut self, cx: &mut Cx<'_, Self>, index: usize, limit: u64) -> Result<(), Refusal> {
        if self.shippers[index].next < limit {
            let report_at = self.progress_to_report(self.shippers[index].follower);
            let shipper = &mut self.shippers[index];
            while shipper.next < limit && !shipper.is_full() {
                shipper.send_batch(cx, limit, report_at, &self.replaying)?;
            }
        }
        let shipper = &mut self.shippers[index];
        shipper.streaming |= shipper.next >= limit;
        Ok(())
    }

    /// Before which offset a follower may ship on what it has received.
    fn relay_limit(&self) -> u64 {
        match (self.part, self.rules.relay) {
            (Part::Follows(_), Relay::Applied) => self.replaying.next,
            _ => u64::MAX,
        }
    }

    /// At which progress a follower is to report at once: the one that commits wait for, if they wait for it. That is the
    /// furthest of several.
    fn progress_to_report(&self, follower: NodeId) -> Option<Progress> {
        if self.part != Part::Leads || !self.rules.acknowledge.listens_to(follower) {
            return None;
        }
        let asked =
            |progress: &Progress| self.rules.progress == Some(*progress) || self.commits.still_ask_for(*progress);
        Progress::ALL.into_iter().rev().find(asked)
    }

    /// A follower that connects again has left its former connection, even if this end of it has not noticed.
    fn forget_follower(&mut self, cx: &mut Cx<'_, Self>, follower: NodeId, stream: StreamId) {
        for old in self.shippers.iter().filter(|shipper| shipper.follower == follower && shipper.stream != stream) {
            cx.close(old.stream);
        }
        self.shippers.retain(|shipper| shipper.follower != follower);
        self.couriers.retain(|courier| courier.stream != stream);
    }

    /// Sets the timer for the next moment at which a follower's silence of so far `silent` means something.
    fn set_sender_timer(&mut self, cx: &mut Cx<'_, Self>, follower: NodeId, silent: Span) {
        let timeout = self.rules.liveness.sender_timeout;
        if timeout != Span::FOREVER {
            cx.set_timer(Timer::Sender(follower), Liveness::next_look(timeout, silent));
        }
    }
}

impl Shipper {
    /// Begins to send a follower the entries from offset `next` on.
    fn new(follower: NodeId, stream: StreamId, next: u64, now: Monotonic) -> Self {
        Shipper {
            follower,
            stream,
            next,
            streaming: false,
            sent: 0,
            report: None,
            heard: now,
            asked: false,
            spoken: now,
            heartbeat: None,
        }
    }

    /// Whether as much is under way as the window allows.
    #[inline]
    fn is_full(&self) -> bool {
        let received = self.report.map_or(0, |report| report.received);
        self.sent.saturating_sub(received) >= WINDOW_BYTES
    }

    /// Sends as many of the next entries before `limit` as fit into one message, as a server passes them on that has
    /// `applied` some itself. The follower reports at `tell`.
    fn send_batch<F: Profile>(
        &mut self,
        cx: &mut Cx<'_, Replica<F>>,
        limit: u64,
        report_at: Option<Progress>,
        applied: &Replaying,
    ) -> Result<(), Refusal> {
        let (mut entries, mut bytes) = (Entries::new(), 0);
        while self.next < limit && bytes < MESSAGE_BYTES {
            if self.next < cx.journal().start() {
                return Err(Refusal::Removed);
            }
            let Some(Record::Entry(entry)) = cx.journal().get(self.next) else { return Err(Refusal::Damaged) };
            entries.push(applied.pass_on(self.next, entry));
            bytes += u64::from(entry.bytes);
            self.next += 1;
        }
        self.sent += bytes;
        self.spoken = cx.monotonic();
        cx.transmit(self.stream, Message::Entries { report_at, entries });
        Ok(())
    }
}
