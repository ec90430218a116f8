//! Commits under way: a leader's transactions between their record and their acknowledgement.
//!
//! A commit goes through three gates in the order of the log, and the rules say which of them it must wait at:
//!
//! ```text
//!            logged ──▶ durable here ──▶ acknowledged by followers ──▶ done
//!
//!   PostgreSQL on           waits             waits        shown, answered
//!   PostgreSQL local        waits       shown, answered
//!   PostgreSQL off     shown, answered
//!   MySQL AFTER_SYNC        waits             waits        shown, answered
//!   MySQL AFTER_COMMIT      waits, shown      waits        answered
//! ```
//!
//! *Shown* is when other sessions see it. A transaction that waits for followers is already in the log, so a restart
//! makes it visible although nobody was ever told that it is committed; and a follower may show it before the leader.
//!
//! A commit keeps the measure that it was made by. When a reload of the settings changes that, those who wait for followers
//! are *set aside*: they are answered when followers have done what was asked of them at the time, and nobody behind them
//! waits for that. Others see what they wrote from then on, for readers are shown the log without gaps.
//!
//! Two writers of one key do not wait for each other here, as row locks would make them: the log orders them, and the
//! second is never acknowledged before the first.

use std::collections::VecDeque;
use std::sync::Arc;

use replisim_history::{Contents, Made, Position, Reason, Seen};
use replisim_kernel::Span;
use replisim_world::clock::Monotonic;
use replisim_world::process::{Cx, Reply, Request, RequestId};

use super::ack::Acknowledge;
use super::execute::{execute, log_bytes};
use super::flaw::Flaw;
use super::node::Replica;
use super::profile::Profile;
use super::record::{Change, Entry};
use super::rules::{Flush, Progress, Show};
use super::silence::Silence;

/// A leader's commits under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Commits {
    /// The data with every logged transaction, shown or not.
    pub head: Contents,
    /// How many values the leader has made up in its epoch.
    pub made_up: u32,
    /// In the order of the log.
    waiting: VecDeque<Commit>,
    /// How many at the front are shown already.
    shown: usize,
    /// Followers have acknowledged this epoch's records up to this index, by the measure that the rules now have.
    pub acknowledged: u64,
    /// Those that wait for followers by another measure, which the rules had before.
    set_aside: Vec<SetAside>,
    /// What the leader makes of followers that do not.
    pub silence: Silence,
}

/// One commit under way.
#[derive(Clone, Debug)]
struct Commit {
    /// Whom to answer; nobody, for what the server did by itself.
    request: Option<RequestId>,
    seen: Seen,
    /// What to show; nothing, if it changed nothing and only waits for those before it.
    entry: Option<Arc<Entry>>,
    position: Position,
    needs: Needs,
    since: Monotonic,
    /// How long it waits for followers before something happens.
    patience: Span,
}

/// A commit that waits for followers by a measure which the rules no longer have.
#[derive(Clone, Debug)]
struct SetAside {
    commit: Commit,
    /// Up to where.
    index: u64,
    /// To do what.
    progress: Progress,
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, Default)]
struct Needs {
    /// The entry at this offset to be durable.
    durable: Option<u64>,
    /// Followers to acknowledge this index.
    acknowledged: Option<u64>,
}

impl Needs {
    /// Whether the log that is durable before `flushed` has what must be.
    fn is_durable(self, flushed: u64) -> bool {
        self.durable.is_none_or(|offset| offset < flushed)
    }
}

impl Commits {
    /// None under way, on data that is all committed.
    pub fn after(head: Contents) -> Self {
        Commits { head, ..Commits::default() }
    }

    /// How many sessions wait.
    pub fn count(&self) -> usize {
        self.waiting.len() + self.set_aside.len()
    }

    /// Whether some commit waits for followers to come so far with its record, though the rules no longer ask for that.
    pub fn still_ask_for(&self, progress: Progress) -> bool {
        self.set_aside.iter().any(|aside| aside.progress == progress)
    }

    /// Whether followers have done their part for this commit.
    fn is_acknowledged(&self, needs: Needs) -> bool {
        needs.acknowledged.is_none_or(|index| index <= self.acknowledged)
    }

    /// Whether others may see the next commit that they do not see yet, with the log durable before `flushed`.
    fn may_show(&self, flushed: u64, show: Show) -> bool {
        let Some(commit) = self.waiting.get(self.shown) else { return false };
        let durable = commit.needs.is_durable(flushed);
        durable && (show == Show::BeforeAcknowledgement || self.is_acknowledged(commit.needs))
    }

    /// The first commit, taken out, if it is shown and acknowledged.
    #[inline]
    fn take_done(&mut self) -> Option<Commit> {
        let done = self.shown > 0 && self.is_acknowledged(self.waiting.front()?.needs);
        if !done {
            return None;
        }
        self.shown -= 1;
        self.waiting.pop_front()
    }

    /// Whether any waits for followers.
    pub fn wait_for_followers(&self) -> bool {
        self.unanswered().next().is_some()
    }

    /// The patience of the commit whose patience ends first, and how much is left of it at the moment `now`. That need not
    /// be the first that waits: each keeps the patience that it was made with.
    pub fn least_patience(&self, now: Monotonic) -> Option<(Span, Span)> {
        let left = |commit: &Commit| {
            let waited = now.since(commit.since.max(self.silence.counted_from));
            (commit.patience, commit.patience.saturating_sub(waited))
        };
        self.unanswered().map(left).min_by_key(|(_, left)| *left)
    }

    /// Those that wait for followers.
    fn unanswered(&self) -> impl Iterator<Item = &Commit> {
        self.waiting.iter().filter(|commit| !self.is_acknowledged(commit.needs))
    }
}

impl<F: Profile> Replica<F> {
    /// A client wants something changed, and this server leads.
    pub(super) fn on_write(&mut self, cx: &mut Cx<'_, Self>, request: &Request) {
        if self.commits.count() >= self.rules.connections_max as usize {
            return cx.reply(request.id, Reply::fail(Reason::Exhausted));
        }
        let bytes = log_bytes(&request.op, request.value_bytes, self.rules.format);
        let place = self.next_place(bytes);
        let position = place.position;
        let executed = execute(&request.op, &mut self.commits.head, place, self.me, self.rules.format);
        self.commits.made_up = executed.made_up;
        for (key, made) in executed.versions {
            cx.installed(key, made, position);
        }
        match executed.change {
            Some(change) => {
                let entry = Entry::new(place, cx.wall(), bytes, change);
                self.commit(cx, Some(request.id), executed.seen, entry);
            }
            // What it saw may not be committed yet: it is answered after all that came before it.
            None => self.enqueue(cx, (Some(request.id), executed.seen), None, Needs::default()),
        }
    }

    /// Drops the table: an ordinary transaction, which replicates like any other.
    pub(super) fn drop_table(&mut self, cx: &mut Cx<'_, Self>) {
        let entry = self.entry_of(cx, Change::DropTable);
        for (key, _) in self.commits.head.iter() {
            cx.installed(key, Made::Nothing, entry.position);
        }
        self.commits.head.clear();
        self.commit(cx, None, Seen::Nothing, entry);
    }

    /// Writes the record with which a new epoch begins, where the log is one and has such records. It waits for nobody.
    pub(super) fn begin_epoch(&mut self, cx: &mut Cx<'_, Self>) {
        if !self.rules.numbering.is_one_log() {
            return;
        }
        let entry = self.entry_of(cx, Change::Epoch);
        let durable = self.log_commit(cx, entry.clone());
        self.enqueue(cx, (None, Seen::Nothing), Some(entry), Needs { durable, acknowledged: None });
    }

    /// Shows and answers every commit that has all it needs.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_, Self>) {
        self.settle_aside(cx);
        if self.commits.waiting.is_empty() {
            return;
        }
        let shown_before = self.commits.shown;
        while self.commits.may_show(self.log.flushed, self.rules.show) {
            self.show_next(cx);
        }
        let shows_more = self.commits.shown > shown_before;
        while let Some(commit) = self.commits.take_done() {
            self.answer(cx, commit);
        }
        self.watch(cx);
        if shows_more {
            self.serve_reads(cx);
        }
    }

    /// A follower has come further, or the rules or whose word counts have changed: counts how far commits are acknowledged
    /// now.
    pub(super) fn count_acknowledgements(&mut self, cx: &mut Cx<'_, Self>) {
        match &self.rules.acknowledge {
            // Nobody is waited for any more: whoever waits is released.
            Acknowledge::Asynchronous => self.commits.acknowledged = self.last_index(),
            Acknowledge::Quorum(quorum) => {
                let Some(progress) = self.rules.progress else { return self.settle(cx) };
                let Some(index) = quorum.acknowledged(|follower| self.reached(follower, progress)) else { return };
                self.commits.acknowledged = self.commits.acknowledged.max(index);
                if self.commits.silence.fallen_back && index >= self.last_index() {
                    self.commits.silence.fallen_back = false;
                    cx.milestone("a follower has caught up: semi-synchronous again");
                }
            }
        }
        self.settle(cx);
    }

    /// Commits made from now on wait for followers by another measure than `progress`: those that wait by this one are set
    /// aside.
    pub(super) fn set_aside(&mut self, cx: &mut Cx<'_, Self>, progress: Progress) {
        let Commits { waiting, acknowledged, set_aside, .. } = &mut self.commits;
        for commit in waiting {
            let Some(index) = commit.needs.acknowledged.take().filter(|index| *index > *acknowledged) else { continue };
            let (request, seen) = (commit.request.take(), commit.seen.clone());
            let position = std::mem::replace(&mut commit.position, Position::ZERO);
            let Commit { needs, since, patience, .. } = *commit;
            let commit = Commit { request, seen, entry: None, position, needs, since, patience };
            set_aside.push(SetAside { commit, index, progress });
        }
        self.settle(cx);
    }

    /// Answers those set aside for whom followers have done what was asked of them.
    fn settle_aside(&mut self, cx: &mut Cx<'_, Self>) {
        if self.commits.set_aside.is_empty() {
            return;
        }
        let reached = Progress::ALL.map(|progress| match &self.rules.acknowledge {
            Acknowledge::Asynchronous => Some(self.last_index()),
            Acknowledge::Quorum(quorum) => quorum.acknowledged(|follower| self.reached(follower, progress)),
        });
        let flushed = self.log.flushed;
        let is_done = |SetAside { commit, index, progress }: &SetAside| {
            let acknowledged = reached[*progress as usize].is_some_and(|reached| *index <= reached);
            commit.needs.is_durable(flushed) && acknowledged
        };
        let all = std::mem::take(&mut self.commits.set_aside);
        let (done, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(is_done);
        self.commits.set_aside = waiting;
        for SetAside { commit, .. } in done {
            self.answer(cx, commit);
        }
    }

    /// Stops leading: all that is logged is shown, as after a restart, and nobody hears how their commit ended.
    pub(super) fn abandon_commits(&mut self, cx: &mut Cx<'_, Self>) {
        self.write_buffer(cx);
        while self.commits.shown < self.commits.waiting.len() {
            self.show_next(cx);
        }
        let Commits { waiting, set_aside, .. } = std::mem::take(&mut self.commits);
        for commit in waiting.into_iter().chain(set_aside.into_iter().map(|aside| aside.commit)) {
            let Some(request) = commit.request else { continue };
            cx.reply(
                request,
                match self.rules.has(Flaw::SucceedWhenDemoted) {
                    false => Reply::unknown(Reason::Reset),
                    true => Reply::ok(commit.seen, commit.position, commit.position),
                },
            );
        }
    }

    /// An entry that the server writes by itself.
    fn entry_of(&mut self, cx: &Cx<'_, Self>, change: Change) -> Arc<Entry> {
        let place = self.next_place(SERVER_RECORD_BYTES);
        Entry::new(place, cx.wall(), SERVER_RECORD_BYTES, change)
    }

    /// Logs an entry and has its commit wait for what the rules say.
    fn commit(&mut self, cx: &mut Cx<'_, Self>, request: Option<RequestId>, seen: Seen, entry: Arc<Entry>) {
        let index = entry.position.index;
        let offset = self.log_commit(cx, entry.clone());
        let waits_here = self.rules.flush == Flush::BeforeAnswer && !self.rules.has(Flaw::AcknowledgeBeforeSync);
        let needs = Needs {
            durable: offset.filter(|_| waits_here),
            acknowledged: self.waits_for_followers(cx).then_some(index),
        };
        self.enqueue(cx, (request, seen), Some(entry), needs);
    }

    /// Lets a commit wait for its turn: what to answer to whom, what to show, and what it needs first.
    fn enqueue(
        &mut self,
        cx: &mut Cx<'_, Self>,
        (request, seen): (Option<RequestId>, Seen),
        entry: Option<Arc<Entry>>,
        needs: Needs,
    ) {
        let position = entry.as_ref().map_or(Position::ZERO, |entry| entry.position);
        let (since, patience) = (cx.monotonic(), self.patience());
        let commit = Commit { request, seen, entry, position, needs, since, patience };
        self.commits.waiting.push_back(commit);
        self.ship(cx);
        self.settle(cx);
    }

    /// Makes the next commit visible to others.
    fn show_next(&mut self, cx: &mut Cx<'_, Self>) {
        let commit = &mut self.commits.waiting[self.commits.shown];
        self.commits.shown += 1;
        if let Some(entry) = commit.entry.take() {
            self.shown.apply(&entry, self.me);
            cx.applied(entry.position);
        }
    }

    /// Tells the client that its commit is done.
    fn answer(&mut self, cx: &mut Cx<'_, Self>, commit: Commit) {
        if commit.position != Position::ZERO {
            cx.committed(commit.position);
        }
        if let Some(request) = commit.request {
            let token = if commit.position == Position::ZERO { self.shown.position() } else { commit.position };
            cx.reply(request, Reply::ok(commit.seen, commit.position, token));
        }
        if std::mem::take(&mut self.commits.silence.stalled) {
            cx.milestone("commits go on");
        }
    }

    /// Whether a commit made now waits for followers.
    fn waits_for_followers(&mut self, cx: &mut Cx<'_, Self>) -> bool {
        if self.rules.awaited().is_none() || self.commits.silence.fallen_back {
            return false;
        }
        if self.must_not_wait_alone() {
            self.fall_back(cx, "too few followers connected");
            return false;
        }
        true
    }
}

/// The size of a record that is not a client's. Chosen, of the order of a record's headers; such records are rare.
const SERVER_RECORD_BYTES: u32 = 64;
