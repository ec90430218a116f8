//! Beginning to lead: a new epoch, and nothing in it before the disk knows of it.
//!
//! ```text
//!   Promote ───────▶ all is applied ──────╮
//!   RestoreTo ─────▶ the old log is gone ─┼─▶ Begins ── the disk knows of the epoch ─▶ Leads
//!   a leader that starts again ───────────╯
//! ```
//!
//! A server that gave out places in an epoch which its disk may still forget would take the same number again after a loss
//! of power, and give the same places to other records. So it has the number written down first. Until its disk says that
//! this is done it answers readers as a follower does, and turns writers away. If the power fails before that, nothing has
//! happened: the order to lead is lost. If it fails later, the server begins once more when it is back, with its next
//! number.
//!
//! PostgreSQL syncs the history file of the new timeline, and the record with which recovery ends, before it accepts writes
//! (PostgreSQL 15, `xlog.c`: `StartupXLOG`, `CreateEndOfRecoveryRecord`).

use replisim_world::process::Cx;

use super::commit::Commits;
use super::node::Replica;
use super::profile::Profile;
use super::record::Part;
use super::recover::FIRST_EPOCH;

impl<F: Profile> Replica<F> {
    /// An operator's order to lead is being carried out: all is applied, or restored.
    pub(super) fn take_over(&mut self, cx: &mut Cx<'_, Self>) {
        self.promoting = false;
        self.end_learning(cx);
        self.break_off_backups(cx);
        self.stop_checkpoint();
        self.checkpoint.outdated = true;
        self.begin(cx, true);
        cx.promoted();
        cx.role(self.role(), self.epoch);
    }

    /// Takes the next epoch, at the place where the log ends, and has that written down.
    ///
    /// A leader that restarts does so too. What the process or the host took with it may have had places after the end of
    /// the log that is left, and been acknowledged: new records must not have the same. Real systems give these places out
    /// again, and nobody can tell the two apart; here that would deceive the checks.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_, Self>, promoted: bool) {
        self.part = Part::Begins { promoted };
        self.epoch = self.next_epoch();
        self.save(cx);
    }

    /// The disk knows of the epoch, and has all of the log before it: leads.
    pub(super) fn lead(&mut self, cx: &mut Cx<'_, Self>, promoted: bool) {
        self.apply_rest(cx);
        self.part = Part::Leads;
        self.leader = Some(self.me);
        self.commits = Commits::after(self.shown.contents.clone());
        cx.role(self.role(), self.epoch);
        if promoted {
            // Its own log may hold more, if it leads before all of that was applied.
            cx.milestone(format!("promoted: epoch {} begins after {}", self.epoch, self.shown.position()));
            self.save(cx);
        }
        cx.began(self.epoch, self.log.history.clone());
        self.begin_epoch(cx);
        self.announce_leader(cx);
        // One that was promoted, and restarted before it had made one; or somebody has asked in between.
        if self.checkpoint.outdated || self.awaits_checkpoint() {
            self.begin_checkpoint(cx);
        }
    }

    /// The next epoch's number. Servers take turns at numbers, so that two of them, promoted apart, never take the same
    /// one. PostgreSQL gets there with an archive that all servers look into, MySQL with a random number for each.
    fn next_epoch(&self) -> u32 {
        let (servers, mine) = (u32::from(self.servers.count()), u32::from(self.me.0));
        let after = self.epoch.max(self.log.tip.epoch) + 1;
        after + (mine + servers - (after - FIRST_EPOCH) % servers) % servers
    }

    /// Whether this server is the one that led `epoch`.
    pub(super) fn has_led(&self, epoch: u32) -> bool {
        match epoch {
            0 => false,
            FIRST_EPOCH => self.me == self.first_leader,
            _ => (epoch - FIRST_EPOCH) % u32::from(self.servers.count()) == u32::from(self.me.0),
        }
    }
}
