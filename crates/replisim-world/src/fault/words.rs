//! Faults in plain words, as reports and traces tell them.

use std::fmt;

use replisim_history::words::things;
use replisim_kernel::Distribution;

use crate::spec::{Action, Fault, OldLeader, Target, Trigger, Unsynced, Wire};

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::At(at, action) => write!(f, "{action} at {at}"),
            Fault::During(from, until, action) => write!(f, "{action} from {from} to {until}"),
            Fault::Every(period, length, action) => write!(f, "{action} every {period} for {length}"),
            Fault::When(trigger, action) => write!(f, "{action} when {trigger}"),
            Fault::WhenFor(trigger, length, action) => write!(f, "{action} for {length} when {trigger}"),
        }
    }
}

/// So many of something: `1 record is`, `2,000 records are`.
fn are(count: u64, singular: &str) -> String {
    things(count, singular) + if count == 1 { " is" } else { " are" }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trigger::LeaderElected(nth) => write!(f, "a leader is elected ({nth})"),
            Trigger::Commits(count) => write!(f, "{} committed", are(*count, "record")),
            Trigger::Acknowledged(count) => write!(f, "{} acknowledged", are(*count, "write")),
            Trigger::Lag { of, over } => write!(f, "{of} lags by more than {over}"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Slow { link, by } => write!(f, "{} slower by {}", Link(link), Delay(by)),
            Action::Lossy { link, loss } => write!(f, "{} loses {loss}", Link(link)),
            Action::Duplicating { link, chance } => write!(f, "{} doubles {chance}", Link(link)),
            Action::Reordering { link, chance, by } => write!(f, "{} holds {chance} back by {by}", Link(link)),
            Action::Throttled { link, to } => write!(f, "{} carries only {to}", Link(link)),
            Action::Hold { link } => write!(f, "{} holds everything back", Link(link)),
            Action::Cut { between } => write!(f, "cut {{{}}} | {{{}}}", between.0, between.1),
            Action::OneWay { from, to } => write!(f, "cut {{{from}}} ↛ {{{to}}}"),
            Action::Isolate(target) => write!(f, "isolate {target}"),
            Action::Halves => f.write_str("cut into halves"),
            Action::Bridge(target) => write!(f, "cut into halves with {target} as the bridge"),
            Action::MajorityRing => f.write_str("cut into a ring of majorities"),
            Action::Flapping { between, down, up } => {
                write!(f, "flapping cut {{{}}} | {{{}}}, {down} down, {up} up", between.0, between.1)
            }
            Action::Swizzle { step } => write!(f, "swizzle, a step each {step}"),
            Action::Kill(target) => write!(f, "kill {target}"),
            Action::LoseHost { host, unsynced, wire } => {
                write!(f, "lose host {host}")?;
                f.write_str(match unsynced {
                    Unsynced::Lost => "",
                    Unsynced::Torn => ", unsynced records torn",
                    Unsynced::Kept => ", unsynced records kept",
                })?;
                f.write_str(match wire {
                    Wire::Arrives => "",
                    Wire::Discarded => ", its packets discarded",
                })
            }
            Action::Restart(target) => write!(f, "restart {target}"),
            Action::Start(target) => write!(f, "start {target}"),
            Action::Pause(target) => write!(f, "pause {target}"),
            Action::SlowCpu { host, factor } => write!(f, "processor of {host} slower {factor} times"),
            Action::Wipe(target) => write!(f, "wipe {target}"),
            Action::SlowDisk { host, by } => write!(f, "disk of {host} slower by {}", Delay(by)),
            Action::StallDisk(target) => write!(f, "disk of {target} stalls"),
            Action::LyingSync(target) => write!(f, "disk of {target} lies about syncs"),
            Action::FullDisk(target) => write!(f, "disk of {target} full"),
            Action::Rot { host, records: 1 } => write!(f, "1 record rots on {host}"),
            Action::Rot { host, records } => write!(f, "{} rot on {host}", things(u64::from(*records), "record")),
            Action::Snapshot(target) => write!(f, "snapshot the disk of {target}"),
            Action::RestoreSnapshot(target) => write!(f, "put the disk of {target} back to its snapshot"),
            Action::Jump { host, by } => write!(f, "clock of {host} jumps by {by}"),
            Action::Drift { host, ppm } => write!(f, "clock of {host} drifts by {ppm:+} ppm"),
            Action::Strobe { host, by, every } => write!(f, "clock of {host} jumps {by} and back every {every}"),
            Action::Freeze(target) => write!(f, "clock of {target} stands still"),
            Action::Failover { to, old } => {
                let fate = match old {
                    OldLeader::Ignored => "left alone",
                    OldLeader::Fenced => "fenced",
                    OldLeader::Rewound => "rewound",
                    OldLeader::Reseeded => "seeded anew",
                };
                write!(f, "fail over to {to}, old leader {fate}")
            }
            Action::Promote(target) => write!(f, "promote {target}"),
            Action::Follow { node, leader } => write!(f, "{node} is told to follow {leader}"),
            Action::Rewind { node, leader } => write!(f, "rewind {node} to {leader}"),
            Action::Reseed { node, from } => write!(f, "seed {node} anew from {from}"),
            Action::Demote(target) => write!(f, "demote {target}"),
            Action::DropTable(target) => write!(f, "drop the table on {target}"),
            Action::TakeBackup(target) => write!(f, "back up {target}"),
            Action::RestoreTo { node, ago } => write!(f, "restore {node} to {ago} ago"),
            Action::Configure { node, setting, value } => write!(f, "set {setting} = {value} on {node}"),
        }
    }
}

/// A delay, without the quotes that a scenario puts around a constant one.
struct Delay<'a>(&'a Distribution);

impl fmt::Display for Delay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Distribution::Constant(span) => write!(f, "{span}"),
            drawn => write!(f, "{drawn}"),
        }
    }
}

/// Two ends of a link.
struct Link<'a>(&'a (Target, Target));

impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {} – {}", self.0.0, self.0.1)
    }
}
