//! What a leader does when the followers that it waits for do not answer.
//!
//! | rule | what happens | whose rule it is |
//! |---|---|---|
//! | block | commits wait for as long as it takes | PostgreSQL |
//! | fall back | the leader goes on alone, until a follower has caught up | MySQL, semi-synchronous |
//! | replace | another follower takes the place of the silent one | the textbook's semi-synchronous |
//!
//! One timer serves all commits under way: it looks at the one whose patience ends first, and is set again for the rest of
//! that one's time. So a busy leader sets it once for every span of patience, not once for every commit.

use replisim_history::NodeId;
use replisim_history::words::things;
use replisim_kernel::Span;
use replisim_world::clock::Monotonic;
use replisim_world::process::Cx;

use super::ack::Acknowledge;
use super::node::{Replica, Timer};
use super::profile::Profile;
use super::rules::{Progress, Rules, Unanswered};

/// How long commits wait before the observer is told that they do, where nothing else happens.
const STALL: Span = Span::secs(1);

/// What a leader makes of followers that do not answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    /// Whether it has given up waiting for them.
    pub fallen_back: bool,
    /// Whether the observer was told that commits wait in vain.
    pub stalled: bool,
    /// Whether the timer is set.
    timer_set: bool,
    /// Since when a wait counts at the earliest: when the last follower was replaced.
    pub counted_from: Monotonic,
}

impl<F: Profile> Replica<F> {
    /// Followers may have been silent for too long.
    pub(super) fn on_unanswered(&mut self, cx: &mut Cx<'_, Self>) {
        self.commits.silence.timer_set = false;
        let Some((patience, left)) = self.commits.least_patience(cx.monotonic()) else { return };
        if !left.is_zero() {
            // The next commit may have less patience than all that wait.
            return self.set_watch(cx, left.min(self.patience()));
        }
        match self.rules.unanswered {
            Unanswered::Block => self.tell_stall(cx),
            Unanswered::FallBack { .. } => self.fall_back(cx, &format!("no acknowledgement for {patience}")),
            Unanswered::Replace { .. } => self.replace_slow_follower(cx),
        }
    }

    /// A follower's connection is gone. Where the leader does not wait alone, it falls back at once.
    pub(super) fn on_fewer_followers(&mut self, cx: &mut Cx<'_, Self>) {
        if self.must_not_wait_alone() && self.commits.wait_for_followers() {
            self.fall_back(cx, "too few followers connected");
        }
    }

    /// Takes up rules that have changed from `before`. Commits under way keep their patience. Waiting begins anew where it is
    /// switched on, or the leader is told to wait alone; told not to, it releases those who do. That is MySQL's way, and no
    /// other system has such switches (8.4, `semisync_source.cc`: `enableMaster`, `set_wait_no_replica`).
    pub(super) fn take_up_patience(&mut self, cx: &mut Cx<'_, Self>, before: &Rules) {
        let switched_on = before.acknowledge == Acknowledge::Asynchronous;
        let waits_alone = |rules: &Rules| !matches!(rules.unanswered, Unanswered::FallBack { wait_alone: false, .. });
        if switched_on || (!waits_alone(before) && waits_alone(&self.rules)) {
            self.commits.silence.fallen_back = false;
        }
        if self.must_not_wait_alone() && self.synchronous_connected() == 0 && self.commits.wait_for_followers() {
            self.fall_back(cx, "no follower connected");
        }
        if before.unanswered != self.rules.unanswered {
            self.on_unanswered(cx);
        }
    }

    /// Whether too few followers are connected, and the rules say not to wait in that case.
    pub(super) fn must_not_wait_alone(&self) -> bool {
        let alone = matches!(self.rules.unanswered, Unanswered::FallBack { wait_alone: false, .. });
        alone && !self.commits.silence.fallen_back && self.synchronous_connected() < self.synchronous_needed()
    }

    /// Goes on without followers, and releases everybody who waits for them.
    pub(super) fn fall_back(&mut self, cx: &mut Cx<'_, Self>, why: &str) {
        let waiting = things(self.commits.count() as u64, "commit");
        cx.milestone(format!("{why}: semi-synchronous falls back to asynchronous, {waiting} released"));
        self.commits.silence.fallen_back = true;
        self.commits.acknowledged = self.last_index();
        self.settle(cx);
    }

    /// Lets the next follower on the list acknowledge in place of the first, which is too slow.
    fn replace_slow_follower(&mut self, cx: &mut Cx<'_, Self>) {
        self.commits.silence.counted_from = cx.monotonic();
        if let Acknowledge::Quorum(quorum) = &mut self.rules.acknowledge {
            quorum.demote_first();
            let next = quorum.members.first().copied();
            let next = next.map_or_else(|| "nobody".to_owned(), |next| self.name(next).to_owned());
            cx.milestone(format!("the synchronous follower is too slow: {next} takes its place"));
        }
        self.count_acknowledgements(cx);
    }

    /// Tells the observer, once, that commits wait and nothing will end that but a follower.
    fn tell_stall(&mut self, cx: &mut Cx<'_, Self>) {
        if std::mem::replace(&mut self.commits.silence.stalled, true) {
            return;
        }
        let (connected, needed) = (self.synchronous_connected(), self.synchronous_needed());
        cx.milestone(match connected {
            0 => "no synchronous follower connected: commits hang".to_owned(),
            _ if connected < needed => format!("{connected} of {needed} synchronous followers connected: commits hang"),
            _ => "a synchronous follower does not answer: commits hang".to_owned(),
        });
    }

    /// Sees to it that somebody looks when the first commit has waited too long.
    pub(super) fn watch(&mut self, cx: &mut Cx<'_, Self>) {
        let synchronous = matches!(self.rules.acknowledge, Acknowledge::Quorum(_));
        let Silence { timer_set, stalled, .. } = self.commits.silence;
        if synchronous && !timer_set && !stalled && self.commits.wait_for_followers() {
            self.set_watch(cx, self.patience());
        }
    }

    fn set_watch(&mut self, cx: &mut Cx<'_, Self>, after: Span) {
        self.commits.silence.timer_set = true;
        cx.set_timer(Timer::Unanswered, after);
    }

    /// How long a commit made now waits for its followers before something happens.
    pub(super) fn patience(&self) -> Span {
        match self.rules.unanswered {
            Unanswered::Block => STALL,
            Unanswered::FallBack { after, .. } | Unanswered::Replace { after } => after,
        }
    }

    /// How many acknowledgements a commit needs.
    fn synchronous_needed(&self) -> usize {
        match &self.rules.acknowledge {
            Acknowledge::Asynchronous => 0,
            Acknowledge::Quorum(quorum) => quorum.needed(),
        }
    }

    /// How many followers whose acknowledgement counts are connected.
    fn synchronous_connected(&self) -> usize {
        match &self.rules.acknowledge {
            Acknowledge::Asynchronous => 0,
            Acknowledge::Quorum(quorum) => {
                let streams = |member: &&NodeId| self.reached(**member, Progress::Written).is_some();
                quorum.members.iter().filter(streams).count()
            }
        }
    }
}
