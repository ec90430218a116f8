//! Rewinding: a former leader gives up what it does not share with the new one, and follows that.
//!
//! ```text
//!   new leader      ── 500@1 ─┬─ 501@2 ── 502@2 ──
//!   former leader   ── 500@1 ─┴─ 501@1 ── 502@1        given up; what it takes to differ no more is copied
//!                             fork
//! ```
//!
//! It asks for the other's history, finds the last record that both have, and copies as much as the records after that one
//! have changed. Then it is a learner, as after a whole copy: see [`super::learner`].

use replisim_history::words::things;
use replisim_history::{Lineage, NodeId};
use replisim_world::process::{Cx, StreamId};

use super::log::Places;
use super::message::Refusal;
use super::node::Replica;
use super::profile::Profile;
use super::record::Part;
use super::rules::Rewind;

impl<F: Profile> Replica<F> {
    /// Gives up what it does not share with another server, and follows that.
    pub(super) fn rewind(&mut self, cx: &mut Cx<'_, Self>, leader: NodeId) {
        match self.rules.rewind {
            _ if leader == self.me => cx.milestone("cannot rewind to itself"),
            _ if !self.part.serves() => self.reseed(cx, leader),
            Rewind::Unsupported => {
                cx.milestone("this system cannot rewind: everything is copied");
                self.reseed(cx, leader);
            }
            Rewind::Refused(why) => {
                cx.milestone(format!("cannot rewind: {why}"));
                // It was stopped for that, and nobody starts it as what it was.
                self.change_part(cx, Part::Stands);
            }
            Rewind::Supported | Rewind::ByCheckpoint => {
                self.change_part(cx, Part::Rewinds(leader));
                self.turn_readers_away(cx);
                self.connect(cx);
            }
        }
    }

    /// A server that rewinds, or a learner, wants to know this one's history.
    pub(super) fn on_inquire(&mut self, cx: &mut Cx<'_, Self>, stream: StreamId) {
        if !self.part.serves() {
            return self.refuse(cx, stream, Refusal::NoData);
        }
        cx.transmit(stream, self.history_message());
    }

    /// The other server's history is known: a learner has been told how far to go, and whoever rewinds goes on with that.
    pub(super) fn on_history(&mut self, cx: &mut Cx<'_, Self>, history: &Lineage, checkpointed: bool, learner: bool) {
        self.heard_upstream(cx);
        match self.part {
            Part::Rewinds(leader) => self.rewind_to(cx, leader, history, checkpointed),
            Part::Follows(_) if !learner => self.on_end_known(cx, history),
            Part::Follows(_)
            | Part::Leads
            | Part::Begins { .. }
            | Part::Copies(_)
            | Part::Restores
            | Part::Stands
            | Part::Bare => {}
        }
    }

    /// Finds out where the own log left the other's, and gives up what comes after.
    fn rewind_to(&mut self, cx: &mut Cx<'_, Self>, leader: NodeId, history: &Lineage, checkpointed: bool) {
        // pg_rewind compares the timelines of the two last checkpoints. A promoted server that has not made its first one
        // yet looks as if nothing had happened.
        let misled = self.rules.rewind == Rewind::ByCheckpoint && !checkpointed;
        if history.contains(self.log.tip) || misled {
            cx.milestone("no rewind required");
            self.change_part(cx, Part::Follows(leader));
            return self.connect(cx);
        }
        let Some(fork) = self.fork(cx, history) else {
            cx.milestone("cannot rewind: the log back to the fork is no longer there");
            return self.change_part(cx, Part::Stands);
        };
        let discarded = cx.journal().end() - fork;
        for offset in fork..cx.journal().end() {
            if let Some(position) = cx.journal().entry(offset).map(|entry| entry.position) {
                cx.discarded(position);
            }
        }
        cx.milestone(format!("rewound: {} discarded", things(discarded, "record")));
        self.begin_copy(cx, leader, Some(discarded * PAGE_BYTES));
    }

    /// The offset of the first own entry that is not part of `history`, if the one before it is still there or known.
    fn fork(&self, cx: &Cx<'_, Self>, history: &Lineage) -> Option<u64> {
        let shared = |offset: u64| cx.journal().entry(offset).is_some_and(|entry| history.contains(entry.position));
        let (start, end) = (cx.journal().start(), cx.journal().end());
        let last_shared = (start..end).rev().find(|offset| shared(*offset)).map(|offset| offset + 1);
        last_shared.or_else(|| history.contains(self.log.base).then_some(start))
    }
}

/// A block of a data file: what a rewind copies for each record that it discards.
const PAGE_BYTES: u64 = 8192;
