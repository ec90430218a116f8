//! Whom an action names.

use replisim_world::spec::{Action, Target};

/// The same list of places for reading and for writing.
macro_rules! targets {
    ($name:ident, $action:ty, $target:ty) => {
        /// The targets of an action, in the order they are written.
        pub(super) fn $name(action: $action) -> Vec<$target> {
            match action {
                Action::Slow { link, .. }
                | Action::Lossy { link, .. }
                | Action::Duplicating { link, .. }
                | Action::Reordering { link, .. }
                | Action::Throttled { link, .. }
                | Action::Hold { link } => {
                    let (one, other) = link;
                    vec![one, other]
                }
                Action::Cut { between } | Action::Flapping { between, .. } => {
                    let (one, other) = between;
                    vec![one, other]
                }
                Action::OneWay { from, to } => vec![from, to],
                Action::Halves | Action::MajorityRing | Action::Swizzle { .. } => Vec::new(),
                Action::Isolate(target)
                | Action::Bridge(target)
                | Action::Kill(target)
                | Action::Restart(target)
                | Action::Start(target)
                | Action::Pause(target)
                | Action::Wipe(target)
                | Action::StallDisk(target)
                | Action::LyingSync(target)
                | Action::FullDisk(target)
                | Action::Snapshot(target)
                | Action::RestoreSnapshot(target)
                | Action::Freeze(target)
                | Action::Promote(target)
                | Action::Demote(target)
                | Action::DropTable(target)
                | Action::TakeBackup(target) => vec![target],
                Action::LoseHost { host, .. }
                | Action::SlowCpu { host, .. }
                | Action::SlowDisk { host, .. }
                | Action::Rot { host, .. }
                | Action::Jump { host, .. }
                | Action::Drift { host, .. }
                | Action::Strobe { host, .. } => vec![host],
                Action::Failover { to, .. } => vec![to],
                Action::Follow { node, leader } | Action::Rewind { node, leader } => vec![node, leader],
                Action::Reseed { node, from } => vec![node, from],
                Action::RestoreTo { node, .. } | Action::Configure { node, .. } => vec![node],
            }
        }
    };
}

targets!(targets, &Action, &Target);
targets!(targets_mut, &mut Action, &mut Target);
