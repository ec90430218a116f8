//! What a configuration promises, reasoned from a few facts about it.
//!
//! A promise is made for a configuration and its [`Circumstances`]: the kinds of faults, how long it all lasts, and how
//! sessions read. It says what the system's own documentation lets a user rely on, not what a lucky run shows: losing a
//! write under asynchronous replication is no broken promise.
//!
//! Two facts decide nearly everything. **One history**: only one server ever leads, and nothing that it shows is ever
//! taken back. Then every server shows a beginning of one log, and sessions differ only in how far theirs reaches.
//! **Everyone**: each commit waits for every single server, so that whoever is promoted has it; a server that gave it up
//! for a copy is a learner until it has it again, and no failover promotes it.
//!
//! | check | promised if |
//! |---|---|
//! | no acknowledged write lost | no fault takes every copy that the acknowledgement stood for |
//! | read your writes | one history; every read goes to the leader or brings a token; or all servers apply first |
//! | fresh reads | one history; every read goes to the leader; or all servers apply first |
//! | monotonic reads and writes, writes follow reads | one history; every session's reads come from ever later states of it |
//! | causal order | the same, and read your writes |
//! | convergence | servers cannot diverge, log cannot run out, nobody gives up, clocks that delays go by are right, the leader shows what it ships |
//!
//! An old leader that is not fenced goes on answering, so a failover ends one history, and with it every guarantee to
//! readers. The routing of reads is judged by [`Readers`].

mod readers;

use std::collections::BTreeMap;

use replisim_history::{Check, NodeId, Promise};
use replisim_kernel::Span;
use replisim_world::protocol::Circumstances;
use replisim_world::spec::FaultFamily;

use self::readers::Readers;
use super::profile::Tree;
use super::rules::{Extent, Flush, Format, Persistence, Progress, Retention, Rules, Show, Unanswered};

/// What is promised by servers that go by these rules, in order of their addresses, and follow each other by this tree at
/// first.
pub fn promises(rules: &[Rules], tree: &Tree, circumstances: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
    let facts = Facts { leader: &rules[tree.leader.index()], servers: rules, tree, circumstances };
    let every = Check::OF_DATA.into_iter();
    every.map(|check| (check, facts.objection(check).map_or(Promise::Promised, not_promised))).collect()
}

/// Why a check is not promised.
type Objection = Option<&'static str>;

#[derive(Clone, Copy)]
struct Facts<'a> {
    leader: &'a Rules,
    servers: &'a [Rules],
    tree: &'a Tree,
    circumstances: &'a Circumstances<'a>,
}

fn not_promised(why: &str) -> Promise {
    Promise::NotPromised(why.to_owned())
}

impl Facts<'_> {
    fn objection(&self, check: Check) -> Objection {
        if self.circumstances.reconfigured {
            return Some("an operator changes settings, replaces data or promotes by hand while it runs");
        }
        match check {
            Check::NoLostWrites => self.loss(),
            Check::ReadYourWrites => self.several_histories().or_else(|| self.own_write_missed()),
            Check::FreshReads => self.several_histories().or_else(|| self.staleness()),
            Check::MonotonicReads | Check::MonotonicWrites | Check::WritesFollowReads => {
                self.several_histories().or_else(|| self.regress())
            }
            Check::CausalOrder => {
                self.several_histories().or_else(|| self.regress()).or_else(|| self.own_write_missed())
            }
            Check::Convergence => self.divergence(),
            Check::NoThinAirReads | Check::NoPanic => None,
        }
    }

    /// How an acknowledged write could be lost.
    fn loss(&self) -> Objection {
        if self.may_have(&[FaultFamily::DiskLoss, FaultFamily::Destruction]) {
            return Some("data that are destroyed are gone, and a destruction may be replicated");
        }
        self.local_loss().or_else(|| self.failover_loss())
    }

    /// How the leader could lose what it acknowledged, and lead again without it.
    fn local_loss(&self) -> Objection {
        use FaultFamily::{DiskSlow, HostLoss, Kill};
        match self.leader.flush {
            Flush::BeforeAnswer => None,
            Flush::EveryNth(_) if !self.may_have(&[HostLoss]) => None,
            Flush::EveryNth(_) => Some("commits are acknowledged before the leader's disk has them"),
            // A full disk ends the process.
            Flush::Buffered { .. } if !self.may_have(&[HostLoss, Kill, DiskSlow]) => None,
            Flush::Buffered { .. } => Some("commits are acknowledged before they have left the leader's memory"),
        }
    }

    /// How a promoted follower could lack what the former leader acknowledged.
    fn failover_loss(&self) -> Objection {
        if !self.may_have(&[FaultFamily::Failover]) {
            return None;
        }
        let Some((_, progress)) = self.leader.awaited() else {
            return Some("a promoted follower lacks what it had not yet received");
        };
        if !self.everyone() {
            return Some("the promoted follower need not be one of those that acknowledged");
        }
        if self.leader_may_go_on_alone() {
            return Some("after the timeout the leader acknowledges alone");
        }
        let fragile = progress == Progress::Written && self.may_have(&[FaultFamily::HostLoss]);
        fragile.then_some("a follower acknowledges before its disk has the record")
    }

    /// How there could be more than one history, or one that loses what somebody has seen.
    fn several_histories(&self) -> Objection {
        if self.may_have(&[FaultFamily::Failover]) {
            return Some("a former leader goes on answering after a failover");
        }
        self.loss()
    }

    /// How a session could miss its own write.
    fn own_write_missed(&self) -> Objection {
        let readers = self.readers();
        if readers.all_at_leader_or_with_token() || self.all_apply_first() {
            return None;
        }
        self.lag()
    }

    /// How a read could miss an acknowledged write.
    fn staleness(&self) -> Objection {
        if self.readers().all_at_leader() || self.all_apply_first() { None } else { self.lag() }
    }

    /// Why a follower may be behind when the leader acknowledges.
    fn lag(&self) -> Objection {
        Some(match self.leader.progress {
            Some(Progress::Applied) => "only those followers that acknowledged have applied it",
            Some(Progress::Written | Progress::Flushed) | None => "followers apply later than the leader acknowledges",
        })
    }

    /// How a session could read an earlier state than before.
    fn regress(&self) -> Objection {
        if self.readers().all_at_leader() {
            return None;
        }
        if self.leader.format == Format::Statement {
            return Some("a statement that is not deterministic gives another result on each server");
        }
        if self.followers_are_taken_at_their_word() {
            return Some("a follower may have shown what the leader's disk never had");
        }
        self.readers().regress(self.leader_shows_first(), self.follower_forgets())
    }

    /// Whether followers show records that the leader itself may yet lose.
    fn followers_are_taken_at_their_word(&self) -> bool {
        self.leader.ship == Extent::Written && self.may_have(&[FaultFamily::HostLoss])
    }

    /// Whether no follower shows a record before the leader does.
    fn leader_shows_first(&self) -> bool {
        self.leader.awaited().is_none() || self.leader.show == Show::BeforeAcknowledgement
    }

    /// Whether a follower that restarts may show less than before.
    fn follower_forgets(&self) -> bool {
        use FaultFamily::{Clock, DiskSlow, HostLoss, Kill};
        let shows_unsynced = self.servers.iter().any(|server| server.replay.from == Extent::Written);
        // What it holds back is counted by its wall clock.
        let holds_back = self.any_delay() && self.may_have(&[Clock]) && self.may_have(&[Kill, HostLoss, DiskSlow]);
        holds_back || (shows_unsynced && self.may_have(&[HostLoss]))
    }

    /// Whether every server shows a write before it is acknowledged, and goes on showing it.
    fn all_apply_first(&self) -> bool {
        let waits = !self.leader_may_go_on_alone();
        self.everyone() && waits && self.leader.progress == Some(Progress::Applied) && !self.follower_forgets()
    }

    /// Whether a commit waits for every single server, whoever leads.
    fn everyone(&self) -> bool {
        let others = self.servers.len() - 1;
        others > 0
            && self.servers.iter().all(|server| match server.awaited() {
                None => false,
                // Of fewer members than it needs it never gets enough, and acknowledges nothing.
                Some((quorum, _)) => quorum.needed() >= others,
            })
    }

    /// How servers could stay different for good.
    fn divergence(&self) -> Objection {
        use FaultFamily::{Destruction, DiskLoss, Failover, HostLoss, Kill, Partition, Pause};
        if self.leader.format == Format::Statement {
            return Some("a statement that is not deterministic gives another result on each server");
        }
        if self.may_have(&[Failover, DiskLoss, Destruction]) {
            return Some("a server that has diverged must be rewound or seeded anew by an operator");
        }
        if self.circumstances.detached {
            return Some("an operator takes a server out of replication, or points it at another");
        }
        if self.followers_are_taken_at_their_word() {
            return Some("a follower may keep what the leader's disk never had");
        }
        if self.any_delay() && self.may_have(&[FaultFamily::Clock]) {
            return Some("a delayed follower waits by its clock, and for as long as that or the leader's was wrong");
        }
        if self.waits_for_ever() {
            return Some("the leader never shows what it has shipped: it waits for more followers than it has");
        }
        if self.log_may_run_out() && self.may_have(&[Partition, Kill, HostLoss, Pause]) {
            return Some("a follower that is away for longer than log is kept must be seeded anew");
        }
        self.somebody_may_give_up().then_some(
            "a follower that has tried to connect for too long gives up until an operator has it follow again",
        )
    }

    /// Whether commits wait for more servers than follow the leader, and nobody sees them there until they are acknowledged.
    fn waits_for_ever(&self) -> bool {
        let Some((quorum, _)) = self.leader.awaited() else { return false };
        let direct = |member: &&NodeId| self.tree.upstreams[member.index()] == self.tree.leader;
        let hides = self.leader.show == Show::AfterAcknowledgement;
        let blocks = !self.leader_may_go_on_alone();
        hides && blocks && quorum.members.iter().filter(direct).count() < quorum.needed()
    }

    /// Whether an upstream may be away for as long as a follower tries to connect to it: the first attempt is made at once,
    /// and each of the others an interval after the one before.
    fn somebody_may_give_up(&self) -> bool {
        use FaultFamily::{DiskSlow, HostLoss, Kill, Partition, Pause};
        let gives_up = |server: &Rules| match server.liveness.persistence {
            Persistence::Attempts(most) => {
                server.liveness.retry_interval * u64::from(most.saturating_sub(1)) <= self.longest()
            }
            Persistence::Unlimited | Persistence::UntilRefused => false,
        };
        self.may_have(&[Partition, Kill, HostLoss, Pause, DiskSlow]) && self.servers.iter().any(gives_up)
    }

    /// Whether a follower that is away may come back too late.
    fn log_may_run_out(&self) -> bool {
        match self.leader.retention {
            Retention::Forever => false,
            // What is kept for longer than there is anybody to ask for it is kept. It looks older than it is if the clock
            // that stamped it was behind, and if the one that tells its age is ahead.
            Retention::Age(age) => age <= self.longest(),
            Retention::Size { slot_max: None, .. } => {
                self.servers.iter().filter(|server| !std::ptr::eq(*server, self.leader)).any(|server| !server.slot)
            }
            Retention::Size { slot_max: Some(_), .. } => true,
        }
    }

    /// Whether commits may be acknowledged by the leader alone after they have waited for followers. A patience that
    /// outlasts the run never ends.
    fn leader_may_go_on_alone(&self) -> bool {
        match self.leader.unanswered {
            Unanswered::Block | Unanswered::Replace { .. } => false,
            Unanswered::FallBack { after, wait_alone } => !wait_alone || after <= self.longest(),
        }
    }

    /// How much time may seem to pass from the beginning to the end, at most.
    fn longest(&self) -> Span {
        self.circumstances.lasts + self.circumstances.clock_error * 2
    }

    fn any_delay(&self) -> bool {
        self.servers.iter().any(|server| !server.replay.delay.is_zero())
    }

    fn readers(&self) -> Readers<'_> {
        Readers::among(self.circumstances)
    }

    fn may_have(&self, families: &[FaultFamily]) -> bool {
        self.circumstances.may_have(families)
    }
}

#[cfg(test)]
mod tests;
