//! Faults as values: when, what, and whom. A list of them is a plan, which can be written by hand, drawn, and shrunk.

use std::fmt;
use std::str::FromStr;

use replisim_kernel::{Distribution, Probability, Span};
use serde::{Deserialize, Serialize};

use super::unit::read_as_text;
use super::{Offset, Rate};

/// One fault of a plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Fault {
    /// At this moment, and from then on until something undoes it or the run heals.
    At(Span, Action),
    /// From the first moment until the second.
    During(Span, Span, Action),
    /// Again and again: at each multiple of the first span, for the second.
    Every(Span, Span, Action),
    /// Once something happens in the run.
    When(Trigger, Action),
    /// Once something happens in the run, for this long.
    WhenFor(Trigger, Span, Action),
}

/// Something in the run itself that a fault waits for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Trigger {
    /// A node has become leader this many times in the run; the one that led from the start does not count.
    LeaderElected(u32),
    /// The protocol has committed this many records.
    Commits(u64),
    /// Clients have seen this many writes acknowledged.
    Acknowledged(u64),
    /// A replica's data is older than this behind the leader's.
    Lag {
        /// The replica.
        of: Target,
        /// How far.
        over: Span,
    },
}

/// What goes wrong, or is done.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each variant's sentence names its fields")]
pub enum Action {
    // ── network ──
    /// Packets between the two sides take longer by as much.
    Slow { link: (Target, Target), by: Distribution },
    /// Packets between the two sides are lost more often.
    Lossy { link: (Target, Target), loss: Probability },
    /// Datagrams between the two sides arrive twice.
    Duplicating { link: (Target, Target), chance: Probability },
    /// Datagrams between the two sides are held back and overtaken.
    Reordering { link: (Target, Target), chance: Probability, by: Span },
    /// The link between the two sides carries only so much.
    Throttled { link: (Target, Target), to: Rate },
    /// Packets between the two sides are held, and released together at the end.
    Hold { link: (Target, Target) },
    /// Nothing passes between the two sides, either way.
    Cut { between: (Target, Target) },
    /// Nothing passes from the first to the second; the way back is open.
    OneWay { from: Target, to: Target },
    /// Nothing passes to or from these, other hosts and clients alike.
    Isolate(Target),
    /// The replicas fall into two random halves.
    Halves,
    /// Two halves that see each other only through one node.
    Bridge(Target),
    /// Every node sees a majority, no two the same one.
    MajorityRing,
    /// A cut that comes and goes.
    Flapping { between: (Target, Target), down: Span, up: Span },
    /// Nodes are isolated one by one in random order and come back in another (FoundationDB's swizzle).
    Swizzle { step: Span },

    // ── processes and hosts ──
    /// The process is killed, and down until the end. Its kernel still sends what was written to sockets and closes them;
    /// the page cache stays.
    Kill(Target),
    /// The host is lost at once, with all its processes.
    LoseHost {
        host: Target,
        #[serde(default)]
        unsynced: Unsynced,
        #[serde(default)]
        wire: Wire,
    },
    /// The process is killed and started again at once, unless a kill that has an end keeps it down.
    Restart(Target),
    /// Starts it if it is down; from then on the heal starts it, too.
    Start(Target),
    /// The host stands still: nothing runs, packets wait in its kernel.
    Pause(Target),
    /// The processor is slower by this factor.
    SlowCpu { host: Target, factor: u32 },
    /// The process is killed and its disk wiped; it starts again empty.
    Wipe(Target),

    // ── disks ──
    /// Syncs take longer by as much.
    SlowDisk { host: Target, by: Distribution },
    /// Syncs do not complete.
    StallDisk(Target),
    /// Syncs complete at once and nothing reaches the platter.
    LyingSync(Target),
    /// No space is left.
    FullDisk(Target),
    /// Random stored records no longer pass their checksums.
    Rot { host: Target, records: u32 },
    /// Remember the disk as it is now.
    Snapshot(Target),
    /// The process is killed, its disk put back to the last snapshot, and it starts again.
    RestoreSnapshot(Target),

    // ── clocks ──
    /// The wall clock moves at once, and back at the end.
    Jump { host: Target, by: Offset },
    /// Both clocks run fast (slow, if negative) by so many parts per million, on top of what they drift anyway.
    Drift { host: Target, ppm: i32 },
    /// The wall clock jumps back and forth.
    Strobe { host: Target, by: Offset, every: Span },
    /// The wall clock stands still.
    Freeze(Target),

    // ── operators ──
    /// Make this node the leader, now, and point every other one at it; the first of several that can lead. Nothing is done
    /// if none is up and a full member: one that was copied and has not caught up yet is none.
    Failover {
        to: Target,
        #[serde(default)]
        old: OldLeader,
    },
    /// Make this node a leader, and tell nobody.
    Promote(Target),
    /// Have these nodes follow another.
    Follow { node: Target, leader: Target },
    /// Throw away what these nodes do not share with another, then follow it.
    Rewind { node: Target, leader: Target },
    /// Throw away these nodes' data and copy another's.
    Reseed { node: Target, from: Target },
    /// Stop these nodes from serving writes.
    Demote(Target),
    /// Drop the table on this node: an ordinary statement, which replicates.
    DropTable(Target),
    /// Take a base backup of this node.
    TakeBackup(Target),
    /// Restore this node's last backup, replaying the archived log up to the moment so long ago.
    RestoreTo { node: Target, ago: Span },
    /// Change a setting without a restart.
    Configure { node: Target, setting: String, value: String },
}

/// What becomes of records that were not synced when a host is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Unsynced {
    /// All are lost.
    #[default]
    Lost,
    /// A random prefix survives and the next record is torn.
    Torn,
    /// All had reached the platter by luck.
    Kept,
}

/// What becomes of packets that a lost host had handed to the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Wire {
    /// What is on the wire arrives.
    #[default]
    Arrives,
    /// What is on the wire is lost with the host.
    Discarded,
}

/// What the operator does with the old leader at a failover.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum OldLeader {
    /// Nothing: if it lives, or comes back, it still believes that it leads.
    #[default]
    Ignored,
    /// Shut down for good, before the promotion; seeded anew from the new leader at the heal.
    Fenced,
    /// Rewound and made a follower as soon as it is up.
    Rewound,
    /// Seeded anew from the new leader as soon as it is up.
    Reseeded,
}

/// Whom a fault strikes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    /// A process, host, zone or region by its name.
    Named(String),
    /// Several of these: `"s1, s2"`.
    Several(Vec<Target>),
    /// Whoever leads at that moment.
    Leader,
    /// All replicas but the leader.
    Followers,
    /// A random minority of the replicas.
    Minority,
    /// A random majority of the replicas.
    Majority,
    /// So many replicas at random.
    Random(u16),
    /// Every replica.
    Replicas,
    /// Every application server.
    Clients,
    /// The follower whose log goes furthest, of those that are full members if any is.
    MostAdvanced,
    /// The follower that has applied least.
    MostBehind,
}

/// Kinds of faults that a promise may depend on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum FaultFamily {
    /// Slow, lossy, reordering links: nothing that retransmission does not mend.
    Delay,
    /// Cuts of the network.
    Partition,
    /// Processes killed or restarted.
    Kill,
    /// Hosts lost with what was not synced.
    HostLoss,
    /// Hosts standing still, or slow.
    Pause,
    /// Disks wiped, lying, rotten, or put back to an old state.
    DiskLoss,
    /// Disks slow, stalled or full.
    DiskSlow,
    /// Clocks wrong.
    Clock,
    /// A promotion by an operator.
    Failover,
    /// An operator's order that destroys data.
    Destruction,
}

impl Fault {
    /// What is done.
    pub fn action(&self) -> &Action {
        match self {
            Fault::At(_, action)
            | Fault::During(_, _, action)
            | Fault::Every(_, _, action)
            | Fault::When(_, action)
            | Fault::WhenFor(_, _, action) => action,
        }
    }

    /// By how much it makes a wall clock wrong at most, if the run lasts so long. One that comes again and again is over
    /// each time before the next: others are refused.
    pub fn clock_error(&self, lasts: Span) -> Span {
        match self.action() {
            Action::Jump { by, .. } | Action::Strobe { by, .. } => by.length(),
            Action::Drift { ppm, .. } => drifted(*ppm, lasts),
            Action::Freeze(_) => self.length().unwrap_or(lasts),
            other => {
                debug_assert!(other.family() != Some(FaultFamily::Clock), "{other}: clocks of which nothing is known");
                Span::ZERO
            }
        }
    }

    /// How long it is in force each time; `None` for as long as the run.
    fn length(&self) -> Option<Span> {
        match self {
            Fault::During(from, until, _) => Some(*until - *from),
            Fault::Every(_, length, _) | Fault::WhenFor(_, length, _) => Some(*length),
            Fault::At(..) | Fault::When(..) => None,
        }
    }

    /// What it waits for, if that is something in the run.
    pub fn trigger(&self) -> Option<&Trigger> {
        match self {
            Fault::When(trigger, _) | Fault::WhenFor(trigger, _, _) => Some(trigger),
            Fault::At(..) | Fault::During(..) | Fault::Every(..) => None,
        }
    }
}

/// By how much a clock is wrong that has run fast or slow for so long, by so many parts per million.
pub(super) fn drifted(ppm: i32, lasts: Span) -> Span {
    Span::nanos((u128::from(lasts.as_nanos()) * u128::from(ppm.unsigned_abs()) / 1_000_000) as u64)
}

impl Target {
    /// Whether chance decides, be it in part, whom it means.
    pub fn is_random(&self) -> bool {
        match self {
            Target::Minority | Target::Majority | Target::Random(_) => true,
            Target::Several(targets) => targets.iter().any(Target::is_random),
            Target::Named(_)
            | Target::Leader
            | Target::Followers
            | Target::Replicas
            | Target::Clients
            | Target::MostAdvanced
            | Target::MostBehind => false,
        }
    }
}

impl FaultFamily {
    /// Every family.
    pub const ALL: [FaultFamily; 10] = [
        FaultFamily::Delay,
        FaultFamily::Partition,
        FaultFamily::Kill,
        FaultFamily::HostLoss,
        FaultFamily::Pause,
        FaultFamily::DiskLoss,
        FaultFamily::DiskSlow,
        FaultFamily::Clock,
        FaultFamily::Failover,
        FaultFamily::Destruction,
    ];

    /// Its bit in a [`replisim_history::Cell`].
    pub const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// The family in plain words: `slow disk`.
    pub const fn in_words(self) -> &'static str {
        match self {
            FaultFamily::Delay => "delay",
            FaultFamily::Partition => "partition",
            FaultFamily::Kill => "kill",
            FaultFamily::HostLoss => "host lost",
            FaultFamily::Pause => "pause",
            FaultFamily::DiskLoss => "disk lost",
            FaultFamily::DiskSlow => "slow disk",
            FaultFamily::Clock => "wrong clock",
            FaultFamily::Failover => "failover",
            FaultFamily::Destruction => "destruction",
        }
    }
}

impl Action {
    /// The family it belongs to; `None` for orders, of which [`Action::reconfigures`] tells, and for what only prepares
    /// others.
    pub fn family(&self) -> Option<FaultFamily> {
        Some(match self {
            Action::Slow { .. }
            | Action::Lossy { .. }
            | Action::Duplicating { .. }
            | Action::Reordering { .. }
            | Action::Throttled { .. }
            | Action::Hold { .. } => FaultFamily::Delay,
            Action::Cut { .. }
            | Action::OneWay { .. }
            | Action::Isolate(_)
            | Action::Halves
            | Action::Bridge(_)
            | Action::MajorityRing
            | Action::Flapping { .. }
            | Action::Swizzle { .. } => FaultFamily::Partition,
            Action::Kill(_) | Action::Restart(_) => FaultFamily::Kill,
            Action::LoseHost { .. } => FaultFamily::HostLoss,
            Action::Pause(_) | Action::SlowCpu { .. } => FaultFamily::Pause,
            Action::Wipe(_) | Action::LyingSync(_) | Action::Rot { .. } | Action::RestoreSnapshot(_) => {
                FaultFamily::DiskLoss
            }
            Action::SlowDisk { .. } | Action::StallDisk(_) | Action::FullDisk(_) => FaultFamily::DiskSlow,
            Action::Jump { .. } | Action::Drift { .. } | Action::Strobe { .. } | Action::Freeze(_) => {
                FaultFamily::Clock
            }
            Action::Failover { .. } | Action::Promote(_) | Action::Rewind { .. } => FaultFamily::Failover,
            Action::DropTable(_) | Action::RestoreTo { .. } => FaultFamily::Destruction,
            Action::Start(_)
            | Action::Snapshot(_)
            | Action::Follow { .. }
            | Action::Reseed { .. }
            | Action::Demote(_)
            | Action::TakeBackup(_)
            | Action::Configure { .. } => return None,
        })
    }

    /// Whether an operator thereby takes a server out of replication, or points it at another one: perhaps at one that
    /// nothing leads to.
    pub fn detaches(&self) -> bool {
        matches!(self, Action::Follow { .. } | Action::Demote(_))
    }

    /// Whether an operator thereby changes a setting, replaces a server's data or promotes one by hand: what a protocol
    /// promised of the cluster as it was says nothing of the one that this makes.
    pub fn reconfigures(&self) -> bool {
        match self {
            Action::Promote(_) | Action::Reseed { .. } | Action::Configure { .. } => true,
            // Whoever gets these keeps its data, and nobody leads who did not.
            Action::Follow { .. } | Action::Demote(_) => false,
            Action::Slow { .. }
            | Action::Lossy { .. }
            | Action::Duplicating { .. }
            | Action::Reordering { .. }
            | Action::Throttled { .. }
            | Action::Hold { .. }
            | Action::Cut { .. }
            | Action::OneWay { .. }
            | Action::Isolate(_)
            | Action::Halves
            | Action::Bridge(_)
            | Action::MajorityRing
            | Action::Flapping { .. }
            | Action::Swizzle { .. } => false,
            Action::Kill(_) | Action::LoseHost { .. } | Action::Restart(_) | Action::Start(_) => false,
            Action::Pause(_) | Action::SlowCpu { .. } | Action::Wipe(_) => false,
            Action::SlowDisk { .. } | Action::StallDisk(_) | Action::LyingSync(_) | Action::FullDisk(_) => false,
            Action::Rot { .. } | Action::Snapshot(_) | Action::RestoreSnapshot(_) => false,
            Action::Jump { .. } | Action::Drift { .. } | Action::Strobe { .. } | Action::Freeze(_) => false,
            // Of these the family tells.
            Action::Failover { .. } | Action::Rewind { .. } | Action::DropTable(_) | Action::RestoreTo { .. } => false,
            Action::TakeBackup(_) => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Named(name) => f.write_str(name),
            Target::Several(targets) => {
                for (i, target) in targets.iter().enumerate() {
                    write!(f, "{}{target}", if i == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Target::Leader => f.write_str("leader"),
            Target::Followers => f.write_str("followers"),
            Target::Minority => f.write_str("minority"),
            Target::Majority => f.write_str("majority"),
            Target::Random(count) => write!(f, "random {count}"),
            Target::Replicas => f.write_str("replicas"),
            Target::Clients => f.write_str("clients"),
            Target::MostAdvanced => f.write_str("most advanced"),
            Target::MostBehind => f.write_str("most behind"),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains(',') {
            return text.split(',').map(Target::from_str).collect::<Result<_, _>>().map(Target::Several);
        }
        Ok(match text {
            "" => return Err("a target is a name, or leader, followers, minority, majority, random 2, replicas, clients, most advanced, most behind".to_owned()),
            "leader" => Target::Leader,
            "followers" => Target::Followers,
            "minority" => Target::Minority,
            "majority" => Target::Majority,
            "replicas" => Target::Replicas,
            "clients" => Target::Clients,
            "most advanced" => Target::MostAdvanced,
            "most behind" => Target::MostBehind,
            _ => match text.strip_prefix("random ").map(str::parse) {
                Some(Ok(count)) => Target::Random(count),
                Some(Err(_)) => return Err(format!("`{text}` does not say how many: \"random 2\"")),
                None => Target::Named(text.to_owned()),
            },
        })
    }
}

read_as_text! { Target: "a target such as \"s1\", \"leader\" or \"random 2\"" }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_by_no_more_than_its_faults_add_up_to() {
        let secs = Span::secs;
        let error = |fault: Fault| fault.clock_error(secs(1_000));
        let jump = Action::Jump { host: Target::Leader, by: Offset(-30_000_000_000) };
        assert_eq!(error(Fault::At(secs(1), jump.clone())), secs(30));
        assert_eq!(error(Fault::Every(secs(10), secs(9), jump)), secs(30), "one is over before the next");
        assert_eq!(error(Fault::At(secs(1), Action::Drift { host: Target::Leader, ppm: -50_000 })), secs(50));
        assert_eq!(error(Fault::During(secs(10), secs(30), Action::Freeze(Target::Leader))), secs(20));
        assert_eq!(error(Fault::At(secs(1), Action::Freeze(Target::Leader))), secs(1_000), "until the run heals");
        assert_eq!(error(Fault::At(secs(1), Action::Kill(Target::Leader))), Span::ZERO);
    }
}
