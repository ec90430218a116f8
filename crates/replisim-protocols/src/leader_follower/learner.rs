//! Learners: servers that hold a copy of another's data, and have not caught up with it once.
//!
//! A copy is what its source *showed* when it began. The source's log may go further, by what it has received and not
//! applied yet. Some of that may be acknowledged, and the server that gave up its own data for the copy may be among those
//! that acknowledged it. If it were promoted now, that would be lost, although every server once had it:
//!
//! ```text
//!   source     shows 480@1, its log goes on to 502@1
//!   learner    a copy as of 480@1 ── Inquire ──▶
//!                                 ◀── History up to 502@1 ──
//!              490@1 … 502@1, received and synced: has caught up, and is a learner no more
//! ```
//!
//! So a learner counts for nobody who looks for a new leader, and has caught up once its disk has all that its upstream's
//! log held at some moment after it joined. An upstream that is a learner itself cannot say where that is; it tells its
//! followers when it has caught up.
//!
//! A learner stays one over restarts, and when it is told to follow somebody else. A server that was down or cut off is
//! none, however far behind: it still has all that it ever acknowledged. A learner's acknowledgements count, for they say
//! what its log has. Readers it turns away: what it shows is as old as the beginning of the copy.
//!
//! References: PostgreSQL's `pg_rewind` writes the end of the source's log into the target's control file, and
//! `pg_basebackup` that of the log at the copy's end; a server whose recovery ends before that does not start
//! (PostgreSQL 15, `xlog.c`, "WAL ends before consistent recovery point"), and one that has not come so far yet takes no
//! connections ("Consistent recovery state has not been yet reached"). pg_auto_failover keeps a standby that joins or
//! comes back in the state `catchingup`, in which it is no candidate, until it is `secondary` (pg_auto_failover 2.0
//! documentation, *Failover State Machine*).

use replisim_history::{Lineage, Position};
use replisim_world::process::Cx;

use super::message::Message;
use super::node::Replica;
use super::profile::Profile;

/// What a learner waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Learning {
    /// To hear how far its upstream's log goes.
    Asks,
    /// To receive this record, and with it all that come before.
    Lacks(Position),
    /// For its disk: what it lacked comes before this offset, and the control record says that it lacks nothing.
    Syncs { before: u64 },
}

impl Learning {
    /// Whether it would have to ask again after a restart.
    pub fn lacks_something(self) -> bool {
        match self {
            Learning::Asks | Learning::Lacks(_) => true,
            Learning::Syncs { .. } => false,
        }
    }
}

impl<F: Profile> Replica<F> {
    /// The data are another's from now on.
    pub(super) fn begin_learning(&mut self) {
        self.learning = Some(Learning::Asks);
    }

    /// The upstream serves this follower: a learner asks how far there is to go. It asks every upstream anew, for what
    /// it has heard from a former one need not be in this one's log.
    pub(super) fn inquire_end(&mut self, cx: &mut Cx<'_, Self>) {
        if self.learning.is_some_and(Learning::lacks_something) {
            self.learning = Some(Learning::Asks);
            self.tell_upstream(cx, Message::Inquire);
        }
    }

    /// The upstream's log goes as far as `history`, and the upstream itself is no learner.
    pub(super) fn on_end_known(&mut self, cx: &mut Cx<'_, Self>, history: &Lineage) {
        if self.learning.is_some_and(Learning::lacks_something) {
            self.learning = Some(Learning::Lacks(history.last()));
            self.on_learner_received(cx);
        }
    }

    /// More was received. Once nothing is lacking, one sync makes both durable: the records, and that they were the last.
    pub(super) fn on_learner_received(&mut self, cx: &mut Cx<'_, Self>) {
        if let Some(Learning::Lacks(last)) = self.learning
            && self.log.contains(last)
        {
            self.learning = Some(Learning::Syncs { before: cx.journal().end() });
            self.save(cx);
        }
    }

    /// More is durable.
    pub(super) fn on_learner_flushed(&mut self, cx: &mut Cx<'_, Self>) {
        if let Some(Learning::Syncs { before }) = self.learning
            && before <= self.log.flushed
            && cx.journal().control_is_synced()
        {
            self.end_learning(cx);
            cx.role(self.role(), self.epoch);
            let upstream = self.part.upstream().map_or("?", |upstream| self.name(upstream));
            cx.milestone(format!("has caught up with {upstream}"));
        }
    }

    /// It is a full member from now on; whoever follows it and learns from it may know how far there is to go.
    pub(super) fn end_learning(&mut self, cx: &mut Cx<'_, Self>) {
        if self.learning.take().is_some() {
            for shipper in &self.shippers {
                cx.transmit(shipper.stream, self.history_message());
            }
        }
    }

    /// The answer to whoever wants to know this server's history.
    pub(super) fn history_message(&self) -> Message {
        let (checkpointed, learner) = (!self.checkpoint.outdated, self.learning.is_some());
        Message::History { history: self.history(), checkpointed, learner }
    }
}
