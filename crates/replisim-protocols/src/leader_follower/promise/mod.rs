//! What a configuration promises, reasoned from a few facts about it.
//!
//! A promise is made for a configuration and for the kinds of faults in a run. It says what the system's own
//! documentation lets a user rely on, not what a lucky run shows: losing a write under asynchronous replication is no
//! broken promise.
//!
//! | check | promised unless |
//! |---|---|
//! | no acknowledged write lost | a fault takes every copy that the acknowledgement stood for |
//! | read your writes, fresh reads | a read may go to a follower that has not applied yet |
//! | monotonic reads and writes, writes follow reads, causal order | two reads may go to two servers that are not equally far |
//! | convergence | servers can diverge, or log run out, so that an operator must step in |

use std::collections::BTreeMap;

use replisim_history::{Check, Promise};
use replisim_kernel::Span;
use replisim_world::spec::FaultFamily;

use super::ack::Acknowledge;
use super::rules::{Extent, Flush, Format, Progress, Retention, Rules, Unanswered};

/// What a leader's rules promise under `faults`, if `everyone` tells whether a commit waits for each single follower.
pub fn promises(rules: &Rules, everyone: bool, faults: &[FaultFamily]) -> BTreeMap<Check, Promise> {
    let facts = Facts { rules, everyone, faults };
    let every = Check::ALL.into_iter();
    every.map(|check| (check, facts.objection(check).map_or(Promise::Promised, not_promised))).collect()
}

/// No run lasts as long: what is kept for that long is kept.
const LONGER_THAN_A_RUN: Span = Span::secs(7 * 86_400);

struct Facts<'a> {
    rules: &'a Rules,
    everyone: bool,
    faults: &'a [FaultFamily],
}

fn not_promised(why: &str) -> Promise {
    Promise::NotPromised(why.to_owned())
}

impl Facts<'_> {
    /// Why a check is not promised.
    fn objection(&self, check: Check) -> Option<&'static str> {
        match check {
            Check::NoLostWrites => self.loss(),
            Check::ReadYourWrites | Check::FreshReads => self.staleness(),
            Check::MonotonicReads | Check::MonotonicWrites | Check::WritesFollowReads | Check::CausalOrder => {
                Some("servers are not equally far, and reads may go to any")
            }
            Check::Convergence => self.divergence(),
        }
    }

    /// How an acknowledged write could be lost.
    fn loss(&self) -> Option<&'static str> {
        if self.any(&[FaultFamily::DiskLoss, FaultFamily::Destruction]) {
            return Some("data that are destroyed are gone, and a destruction may be replicated");
        }
        self.local_loss().or_else(|| self.failover_loss())
    }

    /// How the leader could lose what it acknowledged, and lead again without it.
    fn local_loss(&self) -> Option<&'static str> {
        match self.rules.flush {
            Flush::BeforeAnswer => None,
            Flush::EveryNth(_) if !self.any(&[FaultFamily::HostLoss]) => None,
            Flush::EveryNth(_) => Some("commits are acknowledged before the leader's disk has them"),
            Flush::Buffered { .. } if !self.any(&[FaultFamily::HostLoss, FaultFamily::Kill]) => None,
            Flush::Buffered { .. } => Some("commits are acknowledged before they have left the leader's memory"),
        }
    }

    /// How a promoted follower could lack what the former leader acknowledged.
    fn failover_loss(&self) -> Option<&'static str> {
        if !self.any(&[FaultFamily::Failover]) {
            return None;
        }
        if self.rules.acknowledge == Acknowledge::Asynchronous {
            return Some("a promoted follower lacks what it had not yet received");
        }
        if !self.everyone {
            return Some("the promoted follower need not be one of those that acknowledged");
        }
        if matches!(self.rules.unanswered, Unanswered::FallBack { .. }) {
            return Some("after the timeout the leader acknowledges alone");
        }
        let fragile = self.rules.progress == Progress::Written && self.any(&[FaultFamily::HostLoss]);
        fragile.then_some("a follower acknowledges before its disk has the record")
    }

    /// How a read could miss an acknowledged write.
    fn staleness(&self) -> Option<&'static str> {
        if self.everyone && self.rules.progress == Progress::Applied {
            return self.loss();
        }
        Some(match self.rules.progress {
            Progress::Applied => "only those followers that acknowledged have applied it",
            Progress::Written | Progress::Flushed => "followers apply later than the leader acknowledges",
        })
    }

    /// How servers could stay different for good.
    fn divergence(&self) -> Option<&'static str> {
        if matches!(self.rules.format, Format::Statement) {
            return Some("a statement that is not deterministic gives another result on each server");
        }
        if self.any(&[FaultFamily::Failover, FaultFamily::DiskLoss, FaultFamily::Destruction]) {
            return Some("a server that has diverged must be rewound or seeded anew by an operator");
        }
        if self.rules.ship == Extent::Written && self.any(&[FaultFamily::HostLoss]) {
            return Some("a follower may keep what the leader's disk never had");
        }
        let away = [FaultFamily::Partition, FaultFamily::Kill, FaultFamily::HostLoss, FaultFamily::Pause];
        let forgets = match self.rules.retention {
            Retention::Forever => false,
            Retention::Age(age) => age < LONGER_THAN_A_RUN,
            Retention::Size { .. } => true,
        };
        (forgets && self.any(&away))
            .then_some("a follower that is away for longer than log is kept must be seeded anew")
    }

    fn any(&self, families: &[FaultFamily]) -> bool {
        families.iter().any(|family| self.faults.contains(family))
    }
}
