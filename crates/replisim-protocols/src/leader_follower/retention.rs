//! Checkpoints, and how much of the log is kept.
//!
//! ```text
//!        kept for followers            needed for recovery
//!   ──┬───────────────────────┬────────────────────────────┬──
//!     │ slots, or a fixed size │ since the last checkpoint  │ tip
//! ```
//!
//! A checkpoint writes the data out, over some time so as not to disturb, and then the log before its beginning is no
//! longer needed for recovery. What is dropped beyond that is a follower's business only if somebody made it so: a slot,
//! or a fixed amount. A follower that asks for what was dropped must be seeded anew.

use replisim_kernel::Span;
use replisim_world::process::Cx;

use super::flaw::Flaw;
use super::log::Places;
use super::node::{Replica, Timer};
use super::profile::Profile;
use super::record::{Checkpoint, Part};
use super::rules::{BeforeCopy, Pace, Retention};
use super::seed::Courier;

/// How far a checkpoint has come.
#[derive(Clone, Debug, Default)]
pub(super) enum Checkpointing {
    /// The next one is not due.
    #[default]
    Idle,
    /// The data are being written out.
    Writing(Checkpoint),
    /// They are written, and wait until the log up to there is durable as well.
    Flushing(Checkpoint),
    /// The control record is on its way to the disk; then the log before this offset can go.
    Recording { cut: u64 },
}

impl<F: Profile> Replica<F> {
    /// A checkpoint is due, or its data are written out.
    pub(super) fn on_checkpoint_timer(&mut self, cx: &mut Cx<'_, Self>) {
        match std::mem::take(&mut self.checkpointing) {
            Checkpointing::Idle => self.begin_checkpoint(cx),
            Checkpointing::Writing(checkpoint) => {
                self.write_buffer(cx);
                self.checkpointing = Checkpointing::Flushing(checkpoint);
                cx.set_timer(Timer::Checkpoint, self.rules.checkpoint_interval);
                cx.sync();
            }
            busy @ (Checkpointing::Flushing(_) | Checkpointing::Recording { .. }) => {
                self.checkpointing = busy;
                cx.set_timer(Timer::Checkpoint, self.rules.checkpoint_interval);
            }
        }
    }

    /// Begins to write the data out, as they are now.
    pub(super) fn begin_checkpoint(&mut self, cx: &mut Cx<'_, Self>) {
        let checkpoint = match self.part {
            Part::Leads => {
                let image = self.logged_image(cx);
                Checkpoint { image, redo: cx.journal().end(), outdated: false }
            }
            Part::Follows(_) | Part::Stands => {
                Checkpoint { image: self.shown.clone(), redo: self.replaying.next, outdated: false }
            }
            Part::Begins { .. } | Part::Copies(_) | Part::Rewinds(_) | Part::Restores | Part::Bare => {
                return cx.set_timer(Timer::Checkpoint, self.rules.checkpoint_interval);
            }
        };
        let hurries = self.is_in_a_hurry();
        self.await_checkpoint();
        cx.set_timer(Timer::Checkpoint, if hurries { Span::ZERO } else { self.time_to_write(&checkpoint) });
        self.checkpointing = Checkpointing::Writing(checkpoint);
    }

    /// Somebody has asked for a checkpoint. One that is under way is not theirs, but hurries if theirs must.
    pub(super) fn ask_for_checkpoint(&mut self, cx: &mut Cx<'_, Self>) {
        match self.checkpointing {
            Checkpointing::Idle => self.begin_checkpoint(cx),
            Checkpointing::Writing(_) if self.is_in_a_hurry() => cx.set_timer(Timer::Checkpoint, Span::ZERO),
            Checkpointing::Writing(_) | Checkpointing::Flushing(_) | Checkpointing::Recording { .. } => {}
        }
    }

    /// Whether somebody has asked for a checkpoint that is not spread over time.
    fn is_in_a_hurry(&self) -> bool {
        self.rules.before_copy == BeforeCopy::Checkpoint(Pace::Fast) && self.awaits_checkpoint()
    }

    /// A checkpoint under way is void: the data it writes are no longer this server's.
    pub(super) fn stop_checkpoint(&mut self) {
        self.checkpointing = Checkpointing::Idle;
    }

    /// Something is durable: a checkpoint may go on.
    pub(super) fn advance_checkpoint(&mut self, cx: &mut Cx<'_, Self>) {
        match &self.checkpointing {
            Checkpointing::Idle => self.checkpoint_early(cx),
            Checkpointing::Flushing(checkpoint) if checkpoint.redo <= self.log.flushed => {
                let checkpoint = checkpoint.clone();
                self.record_checkpoint(cx, checkpoint);
            }
            Checkpointing::Recording { cut }
                if cx.journal().control_is_synced() || self.rules.has(Flaw::DropBeforeCheckpoint) =>
            {
                cx.cut_front(*cut);
                self.replaying.forget_before(*cut);
                self.checkpointing = Checkpointing::Idle;
                self.set_out(cx);
            }
            Checkpointing::Writing(_) | Checkpointing::Flushing(_) | Checkpointing::Recording { .. } => {}
        }
    }

    /// Makes a checkpoint the one to recover from.
    fn record_checkpoint(&mut self, cx: &mut Cx<'_, Self>, checkpoint: Checkpoint) {
        self.checkpoint = checkpoint;
        let cut = self.first_kept(cx).max(cx.journal().start());
        let dropped = cut.checked_sub(1).and_then(|last| cx.journal().entry(last));
        self.log.base = dropped.map_or(self.log.base, |entry| entry.position);
        self.archive(cx, cut);
        self.save(cx);
        self.checkpointing = Checkpointing::Recording { cut };
    }

    /// Begins a checkpoint before its time if the log since the last one has grown too long.
    fn checkpoint_early(&mut self, cx: &mut Cx<'_, Self>) {
        let Retention::Size { checkpoint_every, .. } = self.rules.retention else { return };
        let grown = self.log.tip.index.saturating_sub(self.checkpoint.image.position().index);
        if grown >= checkpoint_every && self.part.serves() {
            self.begin_checkpoint(cx);
        }
    }

    /// The offset of the first entry that must be kept.
    fn first_kept(&mut self, cx: &mut Cx<'_, Self>) -> u64 {
        let kept = match self.rules.retention {
            Retention::Forever => 0,
            Retention::Age(age) => {
                let now = cx.wall();
                cx.journal().partition_point(|record| record.entry().is_some_and(|entry| now.since(entry.stamp) >= age))
            }
            Retention::Size { keep, segment, slot_max, .. } => {
                self.give_up_slots(cx, slot_max);
                let slots = self.slots.iter().filter(|slot| !slot.lost).map(|slot| slot.index).min();
                let fixed = self.log.tip.index.saturating_sub(keep);
                let index = self.checkpoint.image.position().index.min(fixed).min(slots.unwrap_or(u64::MAX));
                cx.journal().offset_after(index - index % segment.max(1))
            }
        };
        let pinned = self.couriers.iter().filter_map(Courier::pin).min().unwrap_or(u64::MAX);
        kept.min(self.checkpoint.redo).min(pinned)
    }

    /// Gives up the slots that hold back more than they may.
    fn give_up_slots(&mut self, cx: &mut Cx<'_, Self>, max: Option<u64>) {
        let Some(max) = max else { return };
        for index in 0..self.slots.len() {
            let slot = &mut self.slots[index];
            if !slot.lost && self.log.tip.index.saturating_sub(slot.index) > max {
                slot.lost = true;
                let follower = slot.follower;
                cx.milestone(format!("the slot of {} holds back too much log: given up", self.name(follower)));
            }
        }
    }

    /// Puts what is about to be dropped into the archive, if there is a backup that it belongs to.
    fn archive(&mut self, cx: &Cx<'_, Self>, cut: u64) {
        let Some(backup) = &mut self.backup else { return };
        for offset in backup.next..cut {
            if let Some(entry) = cx.journal().entry(offset) {
                backup.archive.push(entry.clone());
            }
        }
        backup.next = backup.next.max(cut);
    }

    /// How long it takes to write out what has changed since the last checkpoint: a page every 100 ms if there are few,
    /// spread over nine tenths of the interval if there are many, as PostgreSQL does (`checkpoint_completion_target`).
    fn time_to_write(&self, checkpoint: &Checkpoint) -> Span {
        let changes = checkpoint.redo - self.checkpoint.redo;
        let pages = checkpoint.image.contents.len() as u64 / ROWS_PER_PAGE;
        (PAGE_PAUSE * (pages.min(changes) + CATALOG_PAGES)).min(self.rules.checkpoint_interval / 10 * 9)
    }
}

/// How many rows share a page of 8 kB: as many as fit if a row takes 160 bytes, rounded. How long a checkpoint takes
/// hangs on it, and so for how long a promoted server looks to `pg_rewind` as if nothing had happened.
const ROWS_PER_PAGE: u64 = 50;

/// Pages that every checkpoint writes, whatever the clients did. Chosen; it makes the shortest checkpoint take half a
/// second.
const CATALOG_PAGES: u64 = 5;

/// The pause after each page while a checkpoint is ahead of its schedule: PostgreSQL's `CheckpointWriteDelay`.
const PAGE_PAUSE: Span = Span::millis(100);
