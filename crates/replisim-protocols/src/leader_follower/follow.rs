//! The receiving side: a follower's connection to its upstream, from the attempt to connect to the report.
//!
//! ```text
//!   connect ──▶ Start ──▶ Accept ──▶ receive ──▶ write ──▶ sync ──▶ apply
//!      ▲          │                                 ╰─ report ─╯─ report ╯
//!      ╰─ retry ──┴─ Refuse, reset, silence
//! ```
//!
//! A follower knows by itself where it stopped: its log says so, also after a crash. It takes an entry only if that is
//! the one that follows; one that it already has, it skips.

use replisim_history::words::things;
use replisim_history::{NodeId, Position};
use replisim_kernel::Span;
use replisim_world::clock::Monotonic;
use replisim_world::process::{Cx, StreamId};

use super::flaw::Flaw;
use super::message::{Entries, Message, Refusal, Report};
use super::node::{Replica, Timer};
use super::profile::Profile;
use super::record::{Entry, Part};
use super::rules::{Extent, Liveness, Probing, Progress, Reporting};
use super::ship::WINDOW_BYTES;

/// A follower's connection to its upstream.
#[derive(Clone, Debug, Default)]
pub(super) struct Upstream {
    /// The connection, up or being made.
    stream: Option<StreamId>,
    /// When the last attempt began.
    attempted: Monotonic,
    /// How many attempts have come to nothing since the last one that was accepted.
    failed: u32,
    /// Whether the last connection was accepted.
    accepted: bool,
    /// After how long a silence the connection is given up, once it is up.
    timeout: Option<Span>,
    /// When the upstream was last heard.
    heard: Monotonic,
    /// Whether it was asked since.
    asked: bool,
    /// How many bytes of log came on this connection, and how many when that was last told.
    received: u64,
    reported: u64,
    /// The last record that the upstream was told is synced.
    flushed: Position,
    /// At which progress the upstream wants to hear at once.
    report_at: Option<Progress>,
    /// The last refusal that an observer was told of.
    refusal_told: Option<Refusal>,
    /// How much of a copy must travel, after a rewind.
    pub differing_bytes: Option<u64>,
}

impl Upstream {
    /// Whether the upstream serves this follower.
    pub fn serves(&self) -> bool {
        self.accepted && self.stream.is_some()
    }

    /// Why it does not, if it has said so.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal_told
    }

    /// Whether this is the connection to the upstream.
    pub fn is(&self, stream: StreamId) -> bool {
        self.stream == Some(stream)
    }
}

impl<F: Profile> Replica<F> {
    /// Tries to connect to the upstream; not while there is something to do first, for a timer that was set before may
    /// have waited in a paused host.
    pub(super) fn connect(&mut self, cx: &mut Cx<'_, Self>) {
        let busy = self.discarding || self.promoting;
        let Some(upstream) = self.part.upstream().filter(|_| !busy) else { return };
        let now = cx.monotonic();
        self.upstream = Upstream {
            stream: Some(cx.connect(upstream)),
            attempted: now,
            failed: self.upstream.failed,
            heard: now,
            refusal_told: self.upstream.refusal_told,
            differing_bytes: self.upstream.differing_bytes,
            ..Upstream::default()
        };
        cx.cancel_timer(Timer::Retry);
    }

    /// Leaves the upstream.
    pub(super) fn disconnect(&mut self, cx: &mut Cx<'_, Self>) {
        if let Some(stream) = self.upstream.stream.take() {
            cx.close(stream);
        }
        for timer in [Timer::Retry, Timer::Receiver, Timer::Status] {
            cx.cancel_timer(timer);
        }
        self.upstream = Upstream::default();
    }

    /// A connection is up: says what it is for.
    pub(super) fn on_connected(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId) {
        if !self.upstream.is(stream) {
            return;
        }
        self.heard_upstream(cx);
        self.upstream.timeout = Some(self.rules.liveness.receiver_timeout);
        self.set_receiver_timer(cx, Span::ZERO);
        match self.part {
            Part::Follows(_) => self.introduce(cx, stream),
            Part::Copies(_) => cx.transmit(stream, Message::Fetch { bytes: self.upstream.differing_bytes }),
            Part::Rewinds(_) => cx.transmit(stream, Message::Inquire),
            Part::Leads | Part::Begins { .. } | Part::Restores | Part::Stands | Part::Bare => {
                unreachable!("{:?} has no upstream", self.part)
            }
        }
    }

    /// Says where the own log ends, to go on from there.
    pub(super) fn introduce(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId) {
        let (last, history, slot) = (self.log.tip, self.history(), self.rules.slot);
        cx.transmit(stream, Message::Start { last, history, slot });
        if let (Probing::Heartbeats, Some(timeout)) = (self.rules.liveness.probing, self.upstream.timeout) {
            cx.transmit(stream, Message::Heartbeat { every: timeout / 2 });
        }
    }

    /// As [`Replica::introduce`], on the connection that is up.
    pub(super) fn introduce_again(&mut self, cx: &mut Cx<'_, Self>) {
        if let Some(stream) = self.upstream.stream {
            self.introduce(cx, stream);
        }
    }

    /// The upstream has accepted: the log follows.
    pub(super) fn on_accept(&mut self, cx: &mut Cx<'_, Self>, leader: Option<NodeId>) {
        self.heard_upstream(cx);
        (self.upstream.accepted, self.upstream.failed) = (true, 0);
        self.upstream.refusal_told = None;
        self.learn_leader(cx, leader);
        self.report(cx);
        self.inquire_end(cx);
        self.set_status_timer(cx);
    }

    /// The upstream cannot serve this follower. It is asked again, if the rules say so, for an operator may mend that.
    pub(super) fn on_refuse(&mut self, cx: &mut Cx<'_, Self>, refusal: Refusal) {
        let ends = self.rules.liveness.persistence.ends_at(refusal);
        if self.upstream.refusal_told != Some(refusal) {
            self.upstream.refusal_told = Some(refusal);
            let upstream = self.part.upstream().map_or("?", |upstream| self.name(upstream));
            let then = if ends { "; follows nobody until it is told to" } else { "" };
            cx.milestone(format!("refused by {upstream}: {}{then}", F::complaint(refusal)));
        }
        // What was accepted and then refused would be again: only a connection that broke is made anew at once.
        self.upstream.accepted = false;
        if ends {
            self.close_connection(cx);
            return self.forget_connection(cx);
        }
        self.give_up_connection(cx);
    }

    /// Entries of the log have arrived.
    pub(super) fn on_entries(&mut self, cx: &mut Cx<'_, Self>, report_at: Option<Progress>, entries: Entries) {
        self.heard_upstream(cx);
        self.upstream.report_at = report_at;
        let before = cx.journal().end();
        for entry in entries {
            self.upstream.received += u64::from(entry.bytes);
            if self.log.contains(entry.position) {
                continue;
            }
            if !self.follows_on(&entry) {
                cx.milestone(format!("record {} does not follow {}: not taken", entry.position, self.log.tip));
                return self.give_up_connection(cx);
            }
            self.epoch = self.epoch.max(entry.position.epoch);
            self.log_received(cx, entry);
        }
        if cx.journal().end() > before {
            self.on_received_written(cx);
            self.on_learner_received(cx);
        }
        if self.upstream.received - self.upstream.reported >= WINDOW_BYTES / 4 {
            self.make_room(cx);
        }
    }

    /// The upstream says that it is there, and may want to hear the same.
    pub(super) fn on_keepalive(&mut self, cx: &mut Cx<'_, Self>, reply_requested: bool, leader: Option<NodeId>) {
        self.heard_upstream(cx);
        self.learn_leader(cx, leader);
        if reply_requested {
            self.report(cx);
        }
    }

    /// The connection is gone, or could not be made.
    pub(super) fn on_upstream_lost(&mut self, cx: &mut Cx<'_, Self>) {
        self.forget_connection(cx);
        let liveness = self.rules.liveness;
        self.upstream.failed += u32::from(!self.upstream.accepted);
        if let Part::Follows(upstream) = self.part
            && liveness.persistence.ends_after(self.upstream.failed)
        {
            let (failed, upstream) = (things(self.upstream.failed.into(), "attempt"), self.name(upstream));
            return cx
                .milestone(format!("follows nobody until it is told to: {failed} to connect to {upstream} failed"));
        }
        let since = cx.monotonic().since(self.upstream.attempted);
        let at_once = liveness.retry_at_once && self.upstream.accepted;
        let wait = if at_once { Span::ZERO } else { liveness.retry_interval.saturating_sub(since) };
        cx.set_timer(Timer::Retry, wait);
    }

    /// What was received is durable.
    pub(super) fn on_received_flushed(&mut self, cx: &mut Cx<'_, Self>) {
        self.report_progress(cx, Progress::Flushed);
        self.on_learner_flushed(cx);
        if self.rules.replay.from == Extent::Flushed {
            self.replay(cx);
        }
    }

    /// More is applied than before.
    pub(super) fn on_received_applied(&mut self, cx: &mut Cx<'_, Self>) {
        let done = self.rules.reporting == Reporting::WhenIdle && self.is_idle(cx) && self.upstream.serves();
        if done || self.upstream.report_at == Some(Progress::Applied) {
            self.report(cx);
        }
    }

    /// The upstream may have been silent for too long. At half the timeout it is asked, where receivers ask; at the end of
    /// it, given up.
    pub(super) fn on_receiver_timer(&mut self, cx: &mut Cx<'_, Self>) {
        let Some(timeout) = self.upstream.timeout else { return };
        let silent = cx.monotonic().since(self.upstream.heard);
        if silent >= timeout {
            return self.give_up_connection(cx);
        }
        let asks = self.rules.liveness.probing == Probing::Questions;
        if asks && silent >= timeout / 2 && !std::mem::replace(&mut self.upstream.asked, true) {
            self.report_and_ask(cx);
        }
        self.set_receiver_timer(cx, silent);
    }

    /// The timeout has changed: judges the upstream's silence by the new one, unless the two have agreed on another.
    pub(super) fn look_at_upstream(&mut self, cx: &mut Cx<'_, Self>) {
        let agreed = self.rules.liveness.probing == Probing::Heartbeats;
        if let Some(timeout) = self.upstream.timeout.as_mut().filter(|_| !agreed) {
            *timeout = self.rules.liveness.receiver_timeout;
            self.on_receiver_timer(cx);
        }
    }

    /// It is time for a report, whatever happened.
    pub(super) fn on_status_timer(&mut self, cx: &mut Cx<'_, Self>) {
        self.report(cx);
        self.set_status_timer(cx);
    }

    /// The settings have changed, and with them perhaps how often to report.
    pub(super) fn reset_status_timer(&mut self, cx: &mut Cx<'_, Self>) {
        cx.cancel_timer(Timer::Status);
        if self.upstream.serves() {
            self.set_status_timer(cx);
        }
    }

    /// The upstream has been heard.
    pub(super) fn heard_upstream(&mut self, cx: &Cx<'_, Self>) {
        self.upstream.heard = cx.monotonic();
        self.upstream.asked = false;
    }

    /// Sends on the connection to the upstream, if there is one.
    pub(super) fn tell_upstream(&mut self, cx: &mut Cx<'_, Self>, message: Message) {
        if let Some(stream) = self.upstream.stream {
            cx.transmit(stream, message);
        }
    }

    /// Closes the connection, and tries again later.
    fn give_up_connection(&mut self, cx: &mut Cx<'_, Self>) {
        self.close_connection(cx);
        self.on_upstream_lost(cx);
    }

    fn close_connection(&mut self, cx: &mut Cx<'_, Self>) {
        if let Some(stream) = self.upstream.stream {
            cx.close(stream);
        }
    }

    /// The connection is no more, nor what was to be done about it.
    fn forget_connection(&mut self, cx: &mut Cx<'_, Self>) {
        (self.upstream.stream, self.upstream.timeout) = (None, None);
        cx.cancel_timer(Timer::Receiver);
        cx.cancel_timer(Timer::Status);
    }

    /// New entries are written: they are on their way to the disk, to relays, and perhaps to the readers.
    fn on_received_written(&mut self, cx: &mut Cx<'_, Self>) {
        cx.sync();
        self.report_progress(cx, Progress::Written);
        self.ship(cx);
        if self.rules.replay.from == Extent::Written {
            self.replay(cx);
        }
    }

    /// Whether an entry is the next one after what this follower has.
    fn follows_on(&self, entry: &Entry) -> bool {
        let unasked = self.rules.has(Flaw::ForgetRetention);
        !self.rules.numbering.is_one_log() || entry.previous == self.log.tip.index || unasked
    }

    /// What was received is written or synced: reports it, if the rules have it told.
    fn report_progress(&mut self, cx: &mut Cx<'_, Self>, progress: Progress) {
        let waited_for = self.upstream.report_at == Some(progress);
        let due = match self.rules.reporting {
            Reporting::AtProgress => waited_for,
            Reporting::AtSync => waited_for || self.upstream.serves() && self.log.flushed_tip != self.upstream.flushed,
            Reporting::WhenIdle => false,
        };
        if due {
            self.report(cx);
        }
    }

    /// Tells the upstream that it may send on. That must never wait for anything: where progress is not told, the
    /// operating systems see to it.
    fn make_room(&mut self, cx: &mut Cx<'_, Self>) {
        match self.rules.reporting {
            Reporting::AtProgress | Reporting::AtSync => self.report(cx),
            Reporting::WhenIdle => {
                self.upstream.reported = self.upstream.received;
                self.tell_upstream(cx, Message::Room { received: self.upstream.received });
            }
        }
    }

    /// Tells the upstream how far this follower is.
    fn report(&mut self, cx: &mut Cx<'_, Self>) {
        self.send_report(cx, false);
    }

    /// The same, and asks whether the upstream is there.
    fn report_and_ask(&mut self, cx: &mut Cx<'_, Self>) {
        self.send_report(cx, true);
    }

    fn send_report(&mut self, cx: &mut Cx<'_, Self>, reply_requested: bool) {
        self.upstream.reported = self.upstream.received;
        self.upstream.flushed = self.log.flushed_tip;
        let report = Report {
            written: self.log.tip,
            flushed: if self.rules.has(Flaw::ReportBeforeSync) { self.log.tip } else { self.log.flushed_tip },
            applied: self.shown.position(),
            received: self.upstream.received,
            reply_requested,
        };
        self.tell_upstream(cx, Message::Report(Box::new(report)));
    }

    fn set_receiver_timer(&mut self, cx: &mut Cx<'_, Self>, silent: Span) {
        let Some(timeout) = self.upstream.timeout.filter(|timeout| *timeout != Span::FOREVER) else { return };
        let look = match self.rules.liveness.probing {
            Probing::Questions => Liveness::next_look(timeout, silent),
            Probing::Heartbeats => timeout - silent,
        };
        cx.set_timer(Timer::Receiver, look);
    }

    fn set_status_timer(&mut self, cx: &mut Cx<'_, Self>) {
        if self.rules.liveness.status_interval != Span::FOREVER {
            cx.set_timer(Timer::Status, self.rules.liveness.status_interval);
        }
    }

    fn learn_leader(&mut self, cx: &mut Cx<'_, Self>, leader: Option<NodeId>) {
        if self.leader != leader {
            self.leader = leader;
            self.announce_leader(cx);
        }
    }
}
