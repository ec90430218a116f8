//! Kinds of faults, and sets of them.

use super::Action;

/// A kind of fault: its place in [`Action::KINDS`]. Stores know kinds by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kind(u8);

impl Kind {
    /// Its name, as a scenario writes it.
    pub fn name(self) -> &'static str {
        Action::KINDS[usize::from(self.0)].0
    }
}

/// Some kinds of faults.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct KindSet(u64);

const _: () = assert!(Action::KINDS.len() <= u64::BITS as usize, "every kind has a bit of a `KindSet`");

impl KindSet {
    /// Adds a kind.
    pub const fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind.0;
    }

    /// The kinds that are in either.
    #[must_use]
    pub const fn union(self, other: KindSet) -> KindSet {
        KindSet(self.0 | other.0)
    }

    /// The kinds that are not in the other.
    #[must_use]
    pub const fn difference(self, other: KindSet) -> KindSet {
        KindSet(self.0 & !other.0)
    }

    /// The kinds, in the order of [`Action::KINDS`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        let all = (0..Action::KINDS.len() as u8).map(Kind);
        all.filter(move |kind| self.0 >> kind.0 & 1 == 1)
    }

    /// One bit for each kind, the first kind's the lowest.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set with these bits. Those that stand for no kind are left out.
    pub const fn from_bits(bits: u64) -> KindSet {
        KindSet(bits & (u64::MAX >> (u64::BITS as usize - Action::KINDS.len())))
    }
}

impl Action {
    /// Every kind of fault with what it does, in the order of the scenario language's manual.
    pub const KINDS: &'static [(&'static str, &'static str)] = &[
        ("Slow", "packets between two sides take longer"),
        ("Lossy", "packets between two sides are lost more often"),
        ("Duplicating", "datagrams between two sides arrive twice"),
        ("Reordering", "datagrams between two sides are held back and overtaken"),
        ("Throttled", "a link carries only so much"),
        ("Hold", "packets are held, and released together at the end"),
        ("Cut", "nothing passes between two sides"),
        ("OneWay", "nothing passes from one side to the other; the way back is open"),
        ("Isolate", "nothing passes to or from these hosts"),
        ("Halves", "the replicas fall into two random halves"),
        ("Bridge", "two halves see each other only through one node"),
        ("MajorityRing", "every node sees a majority, no two the same one"),
        ("Flapping", "a cut comes and goes"),
        ("Swizzle", "nodes are isolated one by one and come back in another order"),
        ("Kill", "a process is killed; its host lives on"),
        ("LoseHost", "a host is lost with all that was not synced"),
        ("Restart", "a process is killed and started again"),
        ("Start", "a process starts if it is down; from then on the heal starts it, too"),
        ("Pause", "a host stands still; packets wait in its kernel"),
        ("SlowCpu", "a processor is slower"),
        ("Wipe", "a process is killed and its disk wiped"),
        ("SlowDisk", "syncs take longer"),
        ("StallDisk", "syncs do not complete"),
        ("LyingSync", "syncs complete at once and nothing reaches the platter"),
        ("FullDisk", "no space is left"),
        ("Rot", "random records no longer pass their checksums"),
        ("Snapshot", "remember the disk as it is"),
        ("RestoreSnapshot", "put the disk back to the last snapshot"),
        ("Jump", "a wall clock moves at once, and back at the end"),
        ("Drift", "both clocks of a host run fast or slow"),
        ("Strobe", "a wall clock jumps back and forth"),
        ("Freeze", "a wall clock stands still"),
        ("Failover", "an operator makes a node the leader and points every other at it"),
        ("Promote", "an operator makes a node a leader and tells nobody"),
        ("Follow", "an operator has nodes follow another"),
        ("Rewind", "an operator rewinds nodes to another's history"),
        ("Reseed", "an operator seeds nodes anew from another"),
        ("Demote", "an operator stops nodes from serving writes"),
        ("DropTable", "an operator drops the table; that replicates"),
        ("TakeBackup", "an operator takes a base backup"),
        ("RestoreTo", "an operator restores a backup to a moment"),
        ("Configure", "an operator changes a setting"),
    ];

    /// Its kind.
    pub fn kind(&self) -> Kind {
        Kind(match self {
            Action::Slow { .. } => 0,
            Action::Lossy { .. } => 1,
            Action::Duplicating { .. } => 2,
            Action::Reordering { .. } => 3,
            Action::Throttled { .. } => 4,
            Action::Hold { .. } => 5,
            Action::Cut { .. } => 6,
            Action::OneWay { .. } => 7,
            Action::Isolate(_) => 8,
            Action::Halves => 9,
            Action::Bridge(_) => 10,
            Action::MajorityRing => 11,
            Action::Flapping { .. } => 12,
            Action::Swizzle { .. } => 13,
            Action::Kill(_) => 14,
            Action::LoseHost { .. } => 15,
            Action::Restart(_) => 16,
            Action::Start(_) => 17,
            Action::Pause(_) => 18,
            Action::SlowCpu { .. } => 19,
            Action::Wipe(_) => 20,
            Action::SlowDisk { .. } => 21,
            Action::StallDisk(_) => 22,
            Action::LyingSync(_) => 23,
            Action::FullDisk(_) => 24,
            Action::Rot { .. } => 25,
            Action::Snapshot(_) => 26,
            Action::RestoreSnapshot(_) => 27,
            Action::Jump { .. } => 28,
            Action::Drift { .. } => 29,
            Action::Strobe { .. } => 30,
            Action::Freeze(_) => 31,
            Action::Failover { .. } => 32,
            Action::Promote(_) => 33,
            Action::Follow { .. } => 34,
            Action::Rewind { .. } => 35,
            Action::Reseed { .. } => 36,
            Action::Demote(_) => 37,
            Action::DropTable(_) => 38,
            Action::TakeBackup(_) => 39,
            Action::RestoreTo { .. } => 40,
            Action::Configure { .. } => 41,
        })
    }
}

#[cfg(test)]
mod tests {
    use replisim_kernel::{Distribution, Probability, Span};

    use super::*;
    use crate::spec::{Offset, OldLeader, Rate, Target, Unsynced, Wire};

    /// An action of each kind, in their order.
    fn actions() -> Vec<Action> {
        let link = || (Target::Leader, Target::Clients);
        let by = || Distribution::Constant(Span::ZERO);
        vec![
            Action::Slow { link: link(), by: by() },
            Action::Lossy { link: link(), loss: Probability::default() },
            Action::Duplicating { link: link(), chance: Probability::default() },
            Action::Reordering { link: link(), chance: Probability::default(), by: Span::ZERO },
            Action::Throttled { link: link(), to: Rate(1) },
            Action::Hold { link: link() },
            Action::Cut { between: link() },
            Action::OneWay { from: Target::Leader, to: Target::Leader },
            Action::Isolate(Target::Leader),
            Action::Halves,
            Action::Bridge(Target::Leader),
            Action::MajorityRing,
            Action::Flapping { between: link(), down: Span::ZERO, up: Span::ZERO },
            Action::Swizzle { step: Span::ZERO },
            Action::Kill(Target::Leader),
            Action::LoseHost { host: Target::Leader, unsynced: Unsynced::Lost, wire: Wire::Arrives },
            Action::Restart(Target::Leader),
            Action::Start(Target::Leader),
            Action::Pause(Target::Leader),
            Action::SlowCpu { host: Target::Leader, factor: 1 },
            Action::Wipe(Target::Leader),
            Action::SlowDisk { host: Target::Leader, by: by() },
            Action::StallDisk(Target::Leader),
            Action::LyingSync(Target::Leader),
            Action::FullDisk(Target::Leader),
            Action::Rot { host: Target::Leader, records: 1 },
            Action::Snapshot(Target::Leader),
            Action::RestoreSnapshot(Target::Leader),
            Action::Jump { host: Target::Leader, by: Offset(1) },
            Action::Drift { host: Target::Leader, ppm: 1 },
            Action::Strobe { host: Target::Leader, by: Offset(1), every: Span::ZERO },
            Action::Freeze(Target::Leader),
            Action::Failover { to: Target::Leader, old: OldLeader::Ignored },
            Action::Promote(Target::Leader),
            Action::Follow { node: Target::Leader, leader: Target::Leader },
            Action::Rewind { node: Target::Leader, leader: Target::Leader },
            Action::Reseed { node: Target::Leader, from: Target::Leader },
            Action::Demote(Target::Leader),
            Action::DropTable(Target::Leader),
            Action::TakeBackup(Target::Leader),
            Action::RestoreTo { node: Target::Leader, ago: Span::ZERO },
            Action::Configure { node: Target::Leader, setting: String::new(), value: String::new() },
        ]
    }

    #[test]
    fn every_kind_goes_by_its_own_name() {
        let actions = actions();
        assert_eq!(actions.len(), Action::KINDS.len());
        for (action, (name, _)) in actions.iter().zip(Action::KINDS) {
            let written = format!("{action:?}");
            assert_eq!(written.split(|c: char| !c.is_alphanumeric()).next(), Some(*name));
            assert_eq!(action.kind().name(), *name);
        }
    }

    #[test]
    fn a_set_is_its_bits() {
        let (halves, kill) = (Action::Halves.kind(), Action::Kill(Target::Leader).kind());
        let mut set = KindSet::default();
        set.insert(kill);
        set.insert(halves);
        assert_eq!(set.bits(), 1 << 9 | 1 << 14, "stores hold these numbers");
        assert_eq!(KindSet::from_bits(set.bits()), set);
        assert_eq!(set.iter().collect::<Vec<_>>(), [halves, kill]);
        assert_eq!(KindSet::from_bits(u64::MAX).iter().count(), Action::KINDS.len());
    }

    #[test]
    fn sets_are_united_and_parted() {
        let [one, two, both] = [1, 2, 3].map(KindSet::from_bits);
        assert_eq!(one.union(two), both);
        assert_eq!((both.difference(one), one.difference(both)), (two, KindSet::default()));
    }
}
