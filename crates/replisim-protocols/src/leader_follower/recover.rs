//! The three ways in which a server starts: born with its cluster, arriving with an empty disk, or recovering.
//!
//! ```text
//!   control record?   time zero?   it is
//!         no             yes       born: part and upstream as the settings say, no data, like everybody
//!         no             no        new, or wiped: it copies its upstream's data, or, leading, waits for an operator
//!         yes             –        back: the last checkpoint's data, and every readable entry since
//! ```

use std::sync::Arc;

use replisim_history::words::things;
use replisim_history::{Lineage, NodeId, Position};
use replisim_kernel::Span;
use replisim_world::process::Cx;

use super::learner::Learning;
use super::log::{Log, Places};
use super::node::Replica;
use super::profile::Profile;
use super::record::{Control, Entry, Part, Record, Slot};
use super::replay::Replaying;
use super::rules::{Extent, Flush};

/// The epoch into which a cluster is born.
pub(super) const FIRST_EPOCH: u32 = 1;

impl<F: Profile> Replica<F> {
    /// The cluster begins, and this server is one of its first: all are equally empty.
    pub(super) fn be_born(&mut self, cx: &mut Cx<'_, Self>, upstream: Option<NodeId>) {
        self.part = upstream.map_or(Part::Leads, Part::Follows);
        self.leader = Some(self.first_leader);
        self.slots = self.slots_at_birth();
        self.save(cx);
    }

    /// The slots of those that follow this server from the start: an operator makes them with the cluster, as
    /// `pg_basebackup --create-slot` does, so that no log is dropped before a follower has first connected.
    fn slots_at_birth(&self) -> Vec<Slot> {
        let Ok(tree) = F::tree(&self.settings, &self.servers) else { return Vec::new() };
        let follows = |follower: &NodeId| tree.upstreams[follower.index()] == self.me && !tree.late.contains(follower);
        let has_slot = |follower: &NodeId| F::rules(&self.settings, &self.servers, *follower).slot;
        let followers = self.servers.others(self.me).filter(|it| *it != tree.leader && follows(it) && has_slot(it));
        followers.map(|follower| Slot { follower, index: 0, lost: false }).collect()
    }

    /// The disk is empty although the cluster is not new: a server that joins, or one whose disk was wiped. A follower
    /// copies its upstream's data first. A leader has nobody to copy from, and waits for an operator.
    pub(super) fn arrive(&mut self, cx: &mut Cx<'_, Self>, upstream: Option<NodeId>) {
        match upstream {
            Some(upstream) => self.part = Part::Copies(upstream),
            None => cx.milestone("the data directory is empty: not serving until it is given data"),
        }
        // A loss of power may have left entries there, and not the control record that they belong to.
        self.drop_log(cx);
        self.save(cx);
    }

    /// Starts again from what is on disk: the data of the last checkpoint, and every readable entry since. That makes
    /// transactions visible that were never acknowledged, if their records had been written, as soon as they are durable.
    pub(super) fn recover(&mut self, cx: &mut Cx<'_, Self>, control: Control) {
        for (setting, value) in &control.changed {
            F::set(Arc::make_mut(&mut self.settings), setting, value)
                .expect("only a setting that was accepted is saved");
        }
        self.rules = F::rules(&self.settings, &self.servers, self.me);
        self.part = control.part;
        self.learning = control.learner.then_some(Learning::Asks);
        self.epoch = control.epoch;
        self.slots = control.slots;
        self.backup = control.backup;
        self.changed = control.changed;
        self.checkpoint = control.checkpoint;
        if let Part::Copies(_) | Part::Restores = self.part {
            // If the process was killed, the disk may not know of that yet.
            self.discarding = true;
            self.adopt(cx, self.checkpoint.image.clone());
            return cx.sync();
        }
        self.cut_unreadable(cx);
        // A power failure under a disk that lied can leave a control record that is newer than the log.
        self.checkpoint.redo = self.checkpoint.redo.min(cx.journal().end());
        let redo = self.checkpoint.redo;
        let image = self.checkpoint.image.clone();
        self.recover_log(cx, &image.lineage, control.base);
        // And slots that are ahead of it.
        for slot in &mut self.slots {
            slot.index = slot.index.min(self.log.tip.index);
        }
        self.epoch = self.epoch.max(self.log.tip.epoch);
        self.shown = image;
        self.replay_own_log(cx, redo);
        match self.part {
            Part::Leads => self.begin(cx, false),
            Part::Begins { promoted } => self.begin(cx, promoted),
            Part::Follows(_) | Part::Copies(_) | Part::Rewinds(_) | Part::Restores | Part::Stands | Part::Bare => {}
        }
    }

    /// Finds out what the log consists of. What a killed process had written but not synced is there, and synced now.
    fn recover_log(&mut self, cx: &mut Cx<'_, Self>, before: &Lineage, base: Position) {
        let since = cx.journal().iter_from(self.checkpoint.redo);
        let since: Vec<(u64, Arc<Entry>)> =
            since.filter_map(|(offset, record)| Some((offset, record.entry()?.clone()))).collect();
        self.log = Log::recovered(before.clone(), base, cx.journal().durable(), &since);
        cx.sync();
    }

    /// Recovery ends where the log cannot be read: what comes after a torn or rotten record is as if never written.
    fn cut_unreadable(&mut self, cx: &mut Cx<'_, Self>) {
        let redo = self.checkpoint.redo;
        let end = cx.journal().iter_from(redo).last().map_or(redo, |(offset, _)| offset + 1);
        let lost = cx.journal().end().saturating_sub(end);
        if lost > 0 {
            cx.milestone(format!("recovery ends at an unreadable record: {} dropped", things(lost, "record")));
            cx.cut_back(end);
        }
    }

    /// Writes the control record, durable with the sync asked for here.
    pub(super) fn save(&mut self, cx: &mut Cx<'_, Self>) {
        let control = Control {
            part: self.part,
            learner: self.learning.is_some_and(Learning::lacks_something),
            epoch: self.epoch,
            base: self.log.base,
            checkpoint: self.checkpoint.clone(),
            slots: self.slots.clone(),
            backup: self.backup.clone(),
            changed: self.changed.clone(),
        };
        cx.write_control(Record::Control(control.into()));
        cx.sync();
    }

    /// Up to where the log may be shown at once after a restart. What a killed leader had written but not synced waits for
    /// the sync that recovery asks for: a loss of the host before that must not take back what somebody has read.
    fn extent_recovered(&self, cx: &Cx<'_, Self>) -> u64 {
        self.extent(
            cx,
            match self.part {
                Part::Leads | Part::Begins { .. } if self.rules.flush == Flush::BeforeAnswer => Extent::Flushed,
                Part::Follows(_) => self.rules.replay.from,
                Part::Leads
                | Part::Begins { .. }
                | Part::Copies(_)
                | Part::Rewinds(_)
                | Part::Restores
                | Part::Stands
                | Part::Bare => Extent::Written,
            },
        )
    }

    /// Applies the log from `offset` on, but for what a delayed follower holds back and what the disk may still lose.
    fn replay_own_log(&mut self, cx: &mut Cx<'_, Self>, offset: u64) {
        let held = if let Part::Follows(_) = self.part { self.rules.replay.delay } else { Span::ZERO };
        let now = cx.wall();
        let due = |entry: &&Arc<Entry>| now.since(entry.passed_on) >= held;
        let me = self.me;
        let mut next = offset;
        for entry in (offset..self.extent_recovered(cx)).map_while(|at| cx.journal().entry(at)).take_while(due) {
            self.shown.apply(entry, me);
            next += 1;
        }
        self.replaying = Replaying::from(next);
    }
}
