//! Applying what was received: one after the other, as fast as the machine can, and no earlier than the rules allow.
//!
//! Where applying takes no time, a record is visible as soon as it may be applied. Where it does, records queue up: a
//! follower that applies one at a time falls behind a leader that executes many at once, and that is replication lag.
//!
//! ```text
//!   leader      ▟▟▟▟▟▟▟▟            eight transactions, four at a time
//!   follower      ▐ ▐ ▐ ▐ ▐ ▐ ▐ ▐   eight transactions, one at a time
//! ```

use std::sync::Arc;

use replisim_kernel::{Span, Tape};
use replisim_world::clock::WallTime;
use replisim_world::process::Cx;

use super::flaw::Flaw;
use super::log::{Log, Places};
use super::node::{Replica, Timer};
use super::profile::Profile;
use super::record::{Entry, Part};
use super::rules::Relay;

/// How far a follower has applied its log.
#[derive(Clone, Debug, Default)]
pub(super) struct Replaying {
    /// The offset of the next entry to apply.
    pub next: u64,
    /// Entries that are being applied at this moment.
    batch: u16,
    /// Whether the timer is set: for the end of the batch, or for the moment at which the next entry is due.
    timer_set: bool,
    /// On a relay that writes a log of its own as it applies: when it applied the entry at each offset, since it started.
    applied_at: Tape<WallTime>,
}

impl Replaying {
    /// Nothing is being applied; the next entry is the one at this offset.
    pub fn from(next: u64) -> Self {
        Replaying { next, batch: 0, timer_set: false, applied_at: Tape::starting_at(next) }
    }

    /// The entry at `offset` as it is passed on: as it came, unless this server has put it into a log of its own.
    #[inline]
    pub fn pass_on(&self, offset: u64, entry: &Arc<Entry>) -> Arc<Entry> {
        self.applied_at.get(offset).map_or_else(|| entry.clone(), |at| entry.passed_on_at(*at))
    }

    /// Forgets of the entries before `offset` when they were applied: they are no longer there to be passed on.
    pub fn forget_before(&mut self, offset: u64) {
        self.applied_at.cut_front(offset);
    }

    /// The next entry is applied, at the moment `at` if that is to be remembered.
    fn advance(&mut self, at: Option<WallTime>) {
        if let Some(at) = at {
            debug_assert_eq!(self.applied_at.end(), self.next, "what is applied is remembered without gaps");
            self.applied_at.push(at);
        }
        self.next += 1;
    }
}

impl<F: Profile> Replica<F> {
    /// Applies what may be applied by now.
    pub(super) fn replay(&mut self, cx: &mut Cx<'_, Self>) {
        if self.replaying.timer_set {
            return;
        }
        let limit = self.extent(cx, self.rules.replay.from);
        let before = self.replaying.next;
        while self.replaying.next < limit {
            if let Some((wait, batch)) = self.wait_before_next(cx, limit) {
                self.replaying.timer_set = true;
                self.replaying.batch = batch;
                cx.set_timer(Timer::Apply, wait);
                break;
            }
            if !self.apply_next(cx) {
                break;
            }
        }
        self.on_progress(cx, before);
    }

    /// A batch is applied, or the next entry due.
    pub(super) fn on_applied(&mut self, cx: &mut Cx<'_, Self>) {
        let before = self.replaying.next;
        self.replaying.timer_set = false;
        let batch = std::mem::take(&mut self.replaying.batch);
        if self.rules.has(Flaw::ApplyOutOfOrder) {
            self.apply_backwards(cx, u64::from(batch));
        } else {
            (0..batch).for_each(|_| _ = self.apply_next(cx));
        }
        self.on_progress(cx, before);
        self.replay(cx);
    }

    /// Judges anew when the next entry is due: the delay has changed, or the follower is to lead and holds nothing back.
    pub(super) fn reconsider_replay(&mut self, cx: &mut Cx<'_, Self>) {
        if self.replaying.batch == 0 {
            self.replaying.timer_set = false;
            cx.cancel_timer(Timer::Apply);
        }
        self.replay(cx);
    }

    /// Applies everything at once, as whoever starts again does.
    pub(super) fn apply_rest(&mut self, cx: &mut Cx<'_, Self>) {
        while self.replaying.next < cx.journal().end() && self.apply_next(cx) {}
        self.serve_reads(cx);
    }

    /// Stops applying: the log is about to be replaced.
    pub(super) fn stop_replay(&mut self, cx: &mut Cx<'_, Self>, next: u64) {
        cx.cancel_timer(Timer::Apply);
        self.replaying = Replaying::from(next);
    }

    /// Whether everything that was received is applied.
    pub(super) fn is_caught_up(&self, cx: &Cx<'_, Self>) -> bool {
        self.replaying.next >= cx.journal().end()
    }

    /// Whether everything that may be applied is, so that there is nothing to do but wait for more.
    pub(super) fn is_idle(&self, cx: &Cx<'_, Self>) -> bool {
        self.replaying.next >= self.extent(cx, self.rules.replay.from)
    }

    /// How long to wait before the next entry can be shown, and how many are applied meanwhile: until it is due, with none,
    /// or until a batch that begins with it is done. `None` if it can be shown at once.
    fn wait_before_next(&self, cx: &Cx<'_, Self>, limit: u64) -> Option<(Span, u16)> {
        let replay = self.rules.replay;
        let held = self.held_back(cx);
        if !held.is_zero() {
            return Some((held, 0));
        }
        if replay.cost.is_zero() {
            return None;
        }
        let batch = u64::from(replay.workers.max(1)).min(limit - self.replaying.next) as u16;
        Some((replay.cost, batch))
    }

    /// For how long the next entry must still be held back.
    fn held_back(&self, cx: &Cx<'_, Self>) -> Span {
        let delay = self.rules.replay.delay;
        if delay.is_zero() || self.promoting {
            return Span::ZERO;
        }
        let stamp = cx.journal().entry(self.replaying.next).map(|entry| entry.passed_on);
        stamp.map_or(Span::ZERO, |stamp| delay.saturating_sub(cx.wall().since(stamp)))
    }

    /// Applies the next entry. Returns false if it cannot be read.
    fn apply_next(&mut self, cx: &mut Cx<'_, Self>) -> bool {
        let Some(entry) = cx.journal().entry(self.replaying.next) else {
            self.refetch(cx);
            return false;
        };
        self.shown.apply(entry, self.me);
        let position = entry.position;
        cx.applied(position);
        self.replaying.advance(self.moment_to_remember(cx));
        true
    }

    /// When this server puts into its own log what it applies now; `None` if that is the log that it received.
    fn moment_to_remember(&self, cx: &Cx<'_, Self>) -> Option<WallTime> {
        (self.rules.relay == Relay::Applied).then(|| cx.wall())
    }

    /// What [`Flaw::ApplyOutOfOrder`] does in place of applying a batch.
    fn apply_backwards(&mut self, cx: &mut Cx<'_, Self>, batch: u64) {
        let next = self.replaying.next;
        let entries: Vec<Arc<Entry>> = (next..next + batch).map_while(|at| cx.journal().entry(at).cloned()).collect();
        for entry in entries.iter().rev() {
            entry.apply_to(&mut self.shown.contents, self.me);
        }
        for entry in &entries {
            self.shown.lineage.extend(entry.previous, entry.position);
            cx.applied(entry.position);
        }
        let at = self.moment_to_remember(cx);
        entries.iter().for_each(|_| self.replaying.advance(at));
    }

    /// Something was applied: readers who waited for it are served, and whoever wants to know is told.
    fn on_progress(&mut self, cx: &mut Cx<'_, Self>, before: u64) {
        if self.replaying.next > before {
            self.serve_reads(cx);
            self.on_received_applied(cx);
            if self.rules.relay == Relay::Applied {
                self.ship(cx);
            }
        }
        if self.promoting && self.is_caught_up(cx) {
            self.take_over(cx);
        }
    }

    /// A record of the own log cannot be read: drops it and all that follows, and has them sent again if it follows
    /// somebody.
    fn refetch(&mut self, cx: &mut Cx<'_, Self>) {
        let offset = self.replaying.next;
        if offset >= cx.journal().end() {
            return;
        }
        cx.milestone(match self.part {
            Part::Follows(_) => "a record of the own log cannot be read: it is fetched again",
            _ => "a record of the own log cannot be read: the log ends before it",
        });
        self.drop_followers(cx);
        cx.cut_back(offset);
        self.log = Log::recovered(self.shown.lineage.clone(), self.log.base, offset, &[]);
        self.stop_replay(cx, offset);
        if let Part::Follows(_) = self.part {
            self.disconnect(cx);
            self.connect(cx);
        }
    }
}
