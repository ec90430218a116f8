//! What an operator does to a server: promotion, following another, seeding, backups, settings. Rewinding has a room of its
//! own: see [`super::rewind`].
//!
//! ```text
//!             ┌────── Promote ───▶ Begins ◀── Restores ◀── RestoreTo
//!             │                     ▼
//!   Follows ──┴─ Demote ▶ Stands   Leads ──── Follow ──▶ Follows
//!      ▲                                                  │
//!      ╰── copied ── Copies ◀── Reseed, or Rewinds ◀── Rewind
//! ```
//!
//! Orders are carried out at once and to the letter: an operator who promotes the wrong follower loses what it lacks. Only
//! the runbook of a failover leaves learners alone.

use std::sync::Arc;

use replisim_history::NodeId;
use replisim_kernel::{Span, Tape};
use replisim_world::process::{Command, Cx};

use super::ack::Acknowledge;
use super::flaw::Flaw;
use super::log::Places;
use super::node::Replica;
use super::profile::Profile;
use super::record::{Backup, Entry, Part};
use super::rules::{Liveness, Recount, Rules};

impl<F: Profile> Replica<F> {
    /// Carries out an order.
    pub(super) fn on_command(&mut self, cx: &mut Cx<'_, Self>, command: Command) {
        match command {
            Command::Promote => self.promote(cx),
            Command::Follow(leader) => self.follow(cx, leader),
            Command::Rewind(leader) => self.rewind(cx, leader),
            Command::Reseed(source) => self.reseed(cx, source),
            Command::Demote => self.demote(cx),
            Command::DropTable => match self.part {
                Part::Leads => self.drop_table(cx),
                _ => cx.milestone("cannot drop the table: read-only"),
            },
            Command::TakeBackup => self.take_backup(cx),
            Command::RestoreTo { ago } => self.restore(cx, ago),
            Command::Configure { setting, value } => self.configure(cx, setting, value),
        }
    }

    /// Leads, as soon as all that was received is applied.
    fn promote(&mut self, cx: &mut Cx<'_, Self>) {
        match self.part {
            Part::Leads | Part::Begins { .. } => cx.promoted(),
            Part::Follows(_) | Part::Stands => {
                self.disconnect(cx);
                if self.rules.has(Flaw::PromoteBeforeReplay) {
                    self.stop_replay(cx, cx.journal().end());
                }
                self.promoting = true;
                self.reconsider_replay(cx);
            }
            Part::Restores => {}
            Part::Copies(_) | Part::Rewinds(_) | Part::Bare => cx.milestone("cannot be promoted: it has no data"),
        }
    }

    /// Follows another server from now on.
    fn follow(&mut self, cx: &mut Cx<'_, Self>, leader: NodeId) {
        let part = match self.part {
            _ if leader == self.me => return cx.milestone("cannot follow itself"),
            Part::Leads | Part::Begins { .. } | Part::Follows(_) | Part::Stands => Part::Follows(leader),
            Part::Copies(_) | Part::Restores | Part::Bare => Part::Copies(leader),
            Part::Rewinds(_) => Part::Rewinds(leader),
        };
        self.change_part(cx, part);
        self.connect(cx);
    }

    /// Stops leading, or following, and serves readers alone.
    fn demote(&mut self, cx: &mut Cx<'_, Self>) {
        if self.part.serves() {
            self.change_part(cx, Part::Stands);
        }
    }

    /// Gives up all data and copies those of another.
    pub(super) fn reseed(&mut self, cx: &mut Cx<'_, Self>, source: NodeId) {
        if source == self.me {
            return cx.milestone("cannot be seeded from itself");
        }
        self.step_down(cx);
        self.turn_readers_away(cx);
        self.begin_copy(cx, source, None);
    }

    /// Takes a base backup, and archives the log from here on.
    fn take_backup(&mut self, cx: &mut Cx<'_, Self>) {
        if !self.part.serves() {
            return cx.milestone("cannot take a backup: no data");
        }
        let (image, next) = self.image_to_copy(cx);
        cx.milestone(format!("base backup as of {}", image.position()));
        self.backup = Some(Backup { image, archive: Tape::new(), next });
        self.save(cx);
    }

    /// Restores the last base backup, replays the archived log up to the moment so long `ago`, and leads from there. The log
    /// stays until the disk knows of that, as it does before a copy.
    fn restore(&mut self, cx: &mut Cx<'_, Self>, ago: Span) {
        let Some(backup) = self.backup.take() else { return cx.milestone("cannot restore: there is no backup") };
        // What is still in memory is part of the log, too.
        self.step_down(cx);
        let moment = cx.wall().0.saturating_sub(ago.as_nanos() as i64);
        let in_time = |entry: &&Arc<Entry>| entry.stamp.0 <= moment;
        let mut image = backup.image;
        let since = (backup.next..cx.journal().end()).map_while(|offset| cx.journal().entry(offset));
        for entry in backup.archive.iter().chain(since).take_while(in_time) {
            image.apply(entry, self.me);
        }
        self.turn_readers_away(cx);
        self.disconnect(cx);
        self.part = Part::Restores;
        self.adopt(cx, image);
        self.discarding = true;
        self.save(cx);
        cx.role(self.role(), self.epoch);
    }

    /// The former log is gone: what is restored is the next backup, too.
    pub(super) fn finish_restoring(&mut self, cx: &mut Cx<'_, Self>) {
        self.backup = Some(Backup { image: self.shown.clone(), archive: Tape::new(), next: cx.journal().end() });
        cx.milestone(format!("restored to {}", self.shown.position()));
        self.take_over(cx);
    }

    /// Changes a setting.
    fn configure(&mut self, cx: &mut Cx<'_, Self>, setting: String, value: String) {
        if let Err(why) = F::set(Arc::make_mut(&mut self.settings), &setting, &value) {
            return cx.milestone(format!("{setting} = {value}: {why}"));
        }
        cx.milestone(format!("{setting} = {value}"));
        let before = std::mem::replace(&mut self.rules, F::rules(&self.settings, &self.servers, self.me));
        self.changed.retain(|(other, _)| *other != setting);
        self.changed.push((setting, value));
        self.save(cx);
        match self.part {
            Part::Leads => self.take_up_as_leader(cx, &before),
            Part::Follows(_) => {
                self.reset_status_timer(cx);
                self.reconsider_replay(cx);
            }
            Part::Begins { .. } | Part::Copies(_) | Part::Rewinds(_) | Part::Restores | Part::Stands | Part::Bare => {}
        }
        self.take_up_timeouts(cx, before.liveness);
    }

    /// Goes by changed rules as leader.
    fn take_up_as_leader(&mut self, cx: &mut Cx<'_, Self>, before: &Rules) {
        if let Some(progress) = before.progress.filter(|before| self.rules.progress != Some(*before)) {
            self.set_aside(cx, progress);
        }
        self.take_up_patience(cx, before);
        if self.rules.recount == Recount::AtOnce || self.rules.acknowledge == Acknowledge::Asynchronous {
            self.count_acknowledgements(cx);
        }
    }

    /// Goes by changed timeouts on the connections that are up. A silence that has begun counts.
    fn take_up_timeouts(&mut self, cx: &mut Cx<'_, Self>, before: Liveness) {
        if before.sender_timeout != self.rules.liveness.sender_timeout {
            self.look_at_followers(cx);
        }
        if before.receiver_timeout != self.rules.liveness.receiver_timeout {
            self.look_at_upstream(cx);
        }
    }

    /// Leaves its part for another, and remembers that.
    pub(super) fn change_part(&mut self, cx: &mut Cx<'_, Self>, part: Part) {
        self.step_down(cx);
        self.disconnect(cx);
        self.part = part;
        self.leader = part.upstream();
        self.save(cx);
        cx.role(self.role(), self.epoch);
        self.announce_leader(cx);
    }

    /// Stops leading, if it does. Everything that is logged stays, as after a restart.
    fn step_down(&mut self, cx: &mut Cx<'_, Self>) {
        self.promoting = false;
        match self.part {
            Part::Leads => {
                self.abandon_commits(cx);
                self.stop_replay(cx, cx.journal().end());
                cx.sync();
            }
            Part::Begins { .. } => self.apply_rest(cx),
            Part::Follows(_) | Part::Copies(_) | Part::Rewinds(_) | Part::Restores | Part::Stands | Part::Bare => {}
        }
    }
}
