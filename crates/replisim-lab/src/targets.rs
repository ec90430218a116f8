//! Whom an action names, and where it says so.

use replisim_world::spec::{Action, Target};

/// The same list of places for reading and for writing.
macro_rules! targets {
    ($name:ident, $action:ty, $target:ty) => {
        /// The targets of an action in the order they are written, each with its place in the action: `.link[0]`.
        pub(crate) fn $name(action: $action) -> Vec<(&'static str, $target)> {
            match action {
                Action::Slow { link, .. }
                | Action::Lossy { link, .. }
                | Action::Duplicating { link, .. }
                | Action::Reordering { link, .. }
                | Action::Throttled { link, .. }
                | Action::Hold { link } => {
                    let (one, other) = link;
                    vec![(".link[0]", one), (".link[1]", other)]
                }
                Action::Cut { between } | Action::Flapping { between, .. } => {
                    let (one, other) = between;
                    vec![(".between[0]", one), (".between[1]", other)]
                }
                Action::OneWay { from, to } => vec![(".from", from), (".to", to)],
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
                | Action::TakeBackup(target) => vec![("[0]", target)],
                Action::LoseHost { host, .. }
                | Action::SlowCpu { host, .. }
                | Action::SlowDisk { host, .. }
                | Action::Rot { host, .. }
                | Action::Jump { host, .. }
                | Action::Drift { host, .. }
                | Action::Strobe { host, .. } => vec![(".host", host)],
                Action::Failover { to, .. } => vec![(".to", to)],
                Action::Follow { node, leader } | Action::Rewind { node, leader } => {
                    vec![(".node", node), (".leader", leader)]
                }
                Action::Reseed { node, from } => vec![(".node", node), (".from", from)],
                Action::RestoreTo { node, .. } | Action::Configure { node, .. } => vec![(".node", node)],
            }
        }
    };
}

targets!(targets, &Action, &Target);
targets!(targets_mut, &mut Action, &mut Target);
