//! Reads: what a server shows now, or, for a session that brings a token, once it shows what the session has seen.
//!
//! A token is a position, and a server has reached it if its history contains it. A bare comparison of indexes would
//! not do: after a failover that lost a tail, the new epoch's indexes pass the token's although the write is gone. A
//! read that cannot be served in time fails; it never returns something older in disguise.

use replisim_history::{Op, Position, Reason};
use replisim_world::clock::Monotonic;
use replisim_world::process::{Cx, Reply, Request};

use super::flaw::Flaw;
use super::node::{Replica, Timer};
use super::profile::Profile;

/// Readers whose token this server has not reached yet.
#[derive(Clone, Debug, Default)]
pub(super) struct WaitingReads(Vec<WaitingRead>);

#[derive(Clone, Debug)]
struct WaitingRead {
    request: Box<Request>,
    token: Position,
    deadline: Monotonic,
}

impl<F: Profile> Replica<F> {
    /// A client wants to read.
    pub(super) fn on_read(&mut self, cx: &mut Cx<'_, Self>, request: Box<Request>) {
        match request.token.filter(|token| !self.covers(*token)) {
            None => self.answer_read(cx, &request),
            Some(_) if self.reads.0.len() >= self.rules.connections_max as usize => {
                cx.reply(request.id, Reply::fail(Reason::Exhausted));
            }
            Some(token) => self.await_token(cx, request, token),
        }
    }

    /// Serves the readers who have waited for what is shown now.
    pub(super) fn serve_reads(&mut self, cx: &mut Cx<'_, Self>) {
        if self.reads.0.is_empty() {
            return;
        }
        let (ready, waiting) = std::mem::take(&mut self.reads.0).into_iter().partition(|read| self.covers(read.token));
        self.reads.0 = waiting;
        let ready: Vec<WaitingRead> = ready;
        for read in ready {
            self.answer_read(cx, &read.request);
        }
    }

    /// Some reader's patience may be at its end.
    pub(super) fn on_reads_timer(&mut self, cx: &mut Cx<'_, Self>) {
        let now = cx.monotonic();
        self.reads.0.retain(|read| {
            if read.deadline <= now {
                cx.reply(read.request.id, Reply::fail(Reason::NotCaughtUp));
            }
            read.deadline > now
        });
        self.set_reads_timer(cx);
    }

    /// Nobody is served here any more: whoever waits is told so.
    pub(super) fn turn_readers_away(&mut self, cx: &mut Cx<'_, Self>) {
        for read in std::mem::take(&mut self.reads.0) {
            cx.reply(read.request.id, Reply::not_serving(self.leader));
        }
    }

    /// Whether the data shown include what a token stands for.
    fn covers(&self, token: Position) -> bool {
        if self.rules.has(Flaw::CompareIndexAlone) {
            return self.shown.position().index >= token.index;
        }
        self.shown.lineage.contains(token)
    }

    fn await_token(&mut self, cx: &mut Cx<'_, Self>, request: Box<Request>, token: Position) {
        let deadline = Monotonic(cx.monotonic().0.saturating_add(request.patience.as_nanos()));
        self.reads.0.push(WaitingRead { request, token, deadline });
        self.set_reads_timer(cx);
    }

    fn answer_read(&mut self, cx: &mut Cx<'_, Self>, request: &Request) {
        // A read changes nothing, so it may run on the data itself.
        let mut made_up = || unreachable!("a read makes nothing up");
        let seen = self.shown.contents.apply(as_read(&request.op), Position::ZERO, &mut made_up);
        cx.reply(request.id, Reply::ok(seen, Position::ZERO, self.shown.position()));
    }

    fn set_reads_timer(&mut self, cx: &mut Cx<'_, Self>) {
        if let Some(earliest) = self.reads.0.iter().map(|read| read.deadline).min() {
            cx.set_timer(Timer::Reads, earliest.since(cx.monotonic()));
        }
    }
}

fn as_read(op: &Op) -> &Op {
    assert!(op.is_read(), "only reads are served without a commit");
    op
}
