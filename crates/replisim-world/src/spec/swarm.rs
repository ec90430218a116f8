//! A plan drawn at random: which families of faults strike at all, and then when, what and whom.
//!
//! A swarm (Groce et al., ISSTA 2012) switches whole families off in each run. A run with every kind of fault at once
//! seldom shows what a run with two of them does: the others keep getting in the way.
//!
//! A seed expands to a concrete plan before the run begins, which can be printed, written into a scenario, and shrunk fault
//! by fault. Whom a fault strikes is drawn with it and spelled out by name, unless only the run can tell: the follower whose
//! log goes furthest, as an operator looks for whom to promote; the leader, on which a table is dropped; and the two halves
//! that replicas fall into, which the fault's own stream decides as it strikes. The *knobs* are drawn before, too: settings
//! of the scenario itself, each with the values it may take.

use indexmap::IndexMap;
use replisim_kernel::{Concern, Distribution, Probability, Span, Stream};
use serde::{Deserialize, Serialize};

use super::fault::drifted;
use super::{Action, Fault, FaultFamily, Offset, OldLeader, Target, Unsynced, Wire};

/// The stream of chance of a drawn plan.
const SWARM: Concern = Concern::new("swarm");

/// The shortest that a fault is in force, unless the run is over before.
const SHORTEST: Span = Span::millis(1);

/// The furthest that a clock jumps.
const JUMP_MAX: Span = Span::secs(60);

/// By how many parts per million a clock drifts, at least and at most.
const DRIFT_PPM: (i32, i32) = (100, 50_099);

/// What may be drawn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Swarm {
    /// The families that a run may have; each is switched off in half of all runs.
    pub families: Vec<FaultFamily>,
    /// The most faults of a run; at least one strikes unless every family is off.
    pub faults: u16,
    /// The longest that a fault is in force.
    pub longest: Span,
    /// Settings and the values that each may take, written as after `--set`:
    /// `{ "cluster.size": ["3", "5"], "protocol.synchronous_commit": ["On", "RemoteApply"] }`.
    pub knobs: IndexMap<String, Vec<String>>,
}

impl Default for Swarm {
    /// Everything but what destroys data and what promotes: most systems promise to survive the rest.
    fn default() -> Self {
        use FaultFamily::{Clock, Delay, DiskSlow, HostLoss, Kill, Partition, Pause};
        Swarm {
            families: vec![Delay, Partition, Kill, HostLoss, Pause, DiskSlow, Clock],
            faults: 6,
            longest: Span::secs(3),
            knobs: IndexMap::new(),
        }
    }
}

impl Swarm {
    /// How many values a knob may have: its position is a byte.
    pub const VALUES_MAX: usize = 1 << u8::BITS;

    /// The plan that `seed` stands for, over a run of this length on these hosts.
    pub fn draw(&self, seed: u64, run: Span, hosts: &[String]) -> Vec<Fault> {
        let mut dice = Dice { chance: Stream::derive(seed, SWARM, 0, 0), hosts };
        let on: Vec<FaultFamily> = self.families.iter().copied().filter(|_| dice.chance.below(2) == 1).collect();
        if on.is_empty() || self.faults == 0 || hosts.is_empty() {
            return Vec::new();
        }
        let count = 1 + dice.chance.below(u64::from(self.faults));
        (0..count).map(|_| self.draw_one(&mut dice, run, &on)).collect()
    }

    /// One more fault of any of the families, drawn from `chance`; `None` if there is nothing to draw from.
    pub fn another(&self, chance: &mut Stream, run: Span, hosts: &[String]) -> Option<Fault> {
        if self.families.is_empty() || hosts.is_empty() {
            return None;
        }
        let mut dice = Dice { chance: chance.clone(), hosts };
        let fault = self.draw_one(&mut dice, run, &self.families);
        *chance = dice.chance;
        Some(fault)
    }

    /// Which of its values each knob has under `seed`. Another `attempt` gives another choice, where the first one does
    /// not fit together.
    pub fn turn(&self, seed: u64, attempt: u64) -> Vec<u8> {
        let mut chance = Stream::derive(seed, SWARM, 1, attempt);
        self.knobs.values().map(|values| Swarm::any_position(values, &mut chance)).collect()
    }

    /// The first and the last moment at which a fault may begin in a run of this length: neither while the cluster is born
    /// nor in the run's last tenth.
    pub fn window(run: Span) -> (Span, Span) {
        (run / 20, run - (run / 10).max(Span::nanos(1)))
    }

    /// When a fault ends that begins at `from` and is to last for `length`: not at once, and no later than the run.
    pub fn end(from: Span, length: Span, run: Span) -> Span {
        (from + length.max(SHORTEST)).min(run)
    }

    /// By how much the faults of a plan make a wall clock wrong at most, if the run lasts so long.
    pub fn clock_error(&self, lasts: Span) -> Span {
        match self.families.contains(&FaultFamily::Clock) {
            true => JUMP_MAX.max(drifted(DRIFT_PPM.1, lasts)).max(self.longest) * u64::from(self.faults),
            false => Span::ZERO,
        }
    }

    /// The position of any of a knob's values.
    pub fn any_position(values: &[String], chance: &mut Stream) -> u8 {
        chance.below(values.len().min(Swarm::VALUES_MAX) as u64) as u8
    }

    fn draw_one(&self, dice: &mut Dice<'_>, run: Span, on: &[FaultFamily]) -> Fault {
        let family = on[dice.chance.below(on.len() as u64) as usize];
        let (first, last) = Swarm::window(run);
        let from = dice.between(first, last);
        // Lengths over several orders of magnitude: a short fault and a long one meet different timers.
        let longest = self.longest / (1 << dice.chance.below(6));
        let length = dice.between(longest / 8, longest);
        let until = Swarm::end(from, length, run);
        match dice.action(family) {
            at_once @ (Action::Failover { .. } | Action::DropTable(_) | Action::Wipe(_) | Action::Rot { .. }) => {
                Fault::At(from, at_once)
            }
            lasting => Fault::During(from, until, lasting),
        }
    }
}

/// Draws the parts of a fault.
struct Dice<'a> {
    chance: Stream,
    hosts: &'a [String],
}

impl Dice<'_> {
    fn action(&mut self, family: FaultFamily) -> Action {
        let choice = self.chance.below(4);
        match family {
            FaultFamily::Delay => self.delay(choice),
            FaultFamily::Partition => self.partition(choice),
            FaultFamily::Kill => Action::Kill(self.host()),
            FaultFamily::HostLoss => self.host_loss(choice),
            FaultFamily::Pause if choice == 0 => Action::SlowCpu { host: self.host(), factor: 20 },
            FaultFamily::Pause => Action::Pause(self.host()),
            FaultFamily::DiskLoss => self.disk_loss(choice),
            FaultFamily::DiskSlow if choice == 0 => Action::StallDisk(self.host()),
            FaultFamily::DiskSlow => {
                let mean = self.between(Span::millis(1), Span::millis(200));
                Action::SlowDisk { host: self.host(), by: Distribution::Exponential { mean } }
            }
            FaultFamily::Clock => self.clock(choice),
            FaultFamily::Failover => self.failover(choice),
            FaultFamily::Destruction => Action::DropTable(Target::Leader),
        }
    }

    fn delay(&mut self, choice: u64) -> Action {
        let link = self.link();
        let chance = Probability::new(0.02 + 0.3 * self.chance.unit()).unwrap_or_default();
        match choice {
            0 => Action::Lossy { link, loss: chance },
            1 => Action::Hold { link },
            2 => Action::Reordering { link, chance, by: self.between(Span::millis(1), Span::millis(50)) },
            _ => {
                let mean = self.between(Span::millis(1), Span::millis(500));
                Action::Slow { link, by: Distribution::Exponential { mean } }
            }
        }
    }

    fn partition(&mut self, choice: u64) -> Action {
        match choice {
            0 => Action::Halves,
            1 => {
                let (from, to) = self.link();
                Action::OneWay { from, to }
            }
            2 => Action::Cut { between: self.link() },
            _ => Action::Isolate(self.host()),
        }
    }

    fn host_loss(&mut self, choice: u64) -> Action {
        let unsynced = [Unsynced::Lost, Unsynced::Torn, Unsynced::Kept][(choice % 3) as usize];
        let wire = if self.chance.below(2) == 0 { Wire::Arrives } else { Wire::Discarded };
        Action::LoseHost { host: self.host(), unsynced, wire }
    }

    fn disk_loss(&mut self, choice: u64) -> Action {
        match choice {
            0 => Action::Wipe(self.host()),
            1 => Action::Rot { host: self.host(), records: 1 + self.chance.below(3) as u32 },
            _ => Action::LyingSync(self.host()),
        }
    }

    fn clock(&mut self, choice: u64) -> Action {
        let host = self.host();
        let sign = if self.chance.below(2) == 0 { 1 } else { -1 };
        let by = Offset(sign * self.between(Span::millis(10), JUMP_MAX).as_nanos() as i64);
        match choice {
            0 => Action::Freeze(host),
            1 => {
                let (least, most) = DRIFT_PPM;
                let ppm = least + self.chance.below((most - least) as u64 + 1) as i32;
                Action::Drift { host, ppm: sign as i32 * ppm }
            }
            2 => Action::Strobe { host, by, every: self.between(Span::millis(20), Span::secs(1)) },
            _ => Action::Jump { host, by },
        }
    }

    /// A promotion after which somebody has seen to the old leader. Two leaders are a mistake of the operator's, which
    /// hides all others.
    fn failover(&mut self, choice: u64) -> Action {
        let to = if choice == 0 { Target::MostAdvanced } else { self.host() };
        let old = [OldLeader::Reseeded, OldLeader::Rewound, OldLeader::Fenced][self.chance.below(3) as usize];
        Action::Failover { to, old }
    }

    fn host(&mut self) -> Target {
        let index = self.chance.below(self.hosts.len() as u64) as usize;
        Target::Named(self.hosts[index].clone())
    }

    /// Two hosts, or one and all clients where there is no other.
    fn link(&mut self) -> (Target, Target) {
        let (one, other) = (self.host(), self.host());
        let other = if one == other { Target::Clients } else { other };
        (one, other)
    }

    fn between(&mut self, least: Span, most: Span) -> Span {
        let nanos = least.as_nanos() + self.chance.below((most - least).as_nanos() + 1);
        // Whole milliseconds where there are any, so that a plan reads well.
        if nanos > 10_000_000 { Span::millis(nanos / 1_000_000) } else { Span::nanos(nanos) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const RUN: Span = Span::secs(10);

    fn hosts() -> Vec<String> {
        ["h1", "h2", "h3"].map(str::to_owned).to_vec()
    }

    /// Faults of every family.
    fn any_faults() -> impl Iterator<Item = Fault> {
        let swarm = Swarm { families: FaultFamily::ALL.to_vec(), ..Swarm::default() };
        (0..500).flat_map(move |seed| swarm.draw(seed, RUN, &hosts()))
    }

    #[test]
    fn a_seed_stands_for_one_plan() {
        let swarm = Swarm::default();
        assert_eq!(swarm.draw(7, RUN, &hosts()), swarm.draw(7, RUN, &hosts()));
        assert_ne!(swarm.draw(7, RUN, &hosts()), swarm.draw(8, RUN, &hosts()));
    }

    #[test]
    fn every_family_strikes_in_some_runs_and_is_off_in_others() {
        let swarm = Swarm::default();
        let plans: Vec<_> = (0..200).map(|seed| swarm.draw(seed, RUN, &hosts())).collect();
        for family in &swarm.families {
            let has = |plan: &&Vec<Fault>| plan.iter().any(|fault| fault.action().family() == Some(*family));
            let with = plans.iter().filter(has).count();
            assert!((20..180).contains(&with), "{family:?} strikes in {with} of 200 runs");
        }
    }

    #[test]
    fn a_plan_stays_within_its_run() {
        let (first, last) = (Span::millis(500), Span::secs(9));
        assert_eq!(Swarm::window(RUN), (first, last));
        assert!(Swarm::window(Span::nanos(5)).1 < Span::nanos(5), "in however short a run");
        for fault in any_faults() {
            match fault {
                Fault::At(from, _) => assert!(first <= from && from <= last, "{fault}"),
                Fault::During(from, until, _) => assert!(first <= from && from < until && until <= RUN, "{fault}"),
                Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => panic!("{fault}: no plain time"),
            }
        }
    }

    #[test]
    fn no_plan_makes_a_clock_more_wrong_than_the_swarm_says() {
        let swarm = Swarm { families: vec![FaultFamily::Clock], ..Swarm::default() };
        for seed in 0..1_000 {
            let drawn: Span = swarm.draw(seed, RUN, &hosts()).iter().map(|fault| fault.clock_error(RUN)).sum();
            assert!(drawn <= swarm.clock_error(RUN), "seed {seed}: {drawn}");
        }
        assert_eq!(Swarm { families: vec![FaultFamily::Kill], ..swarm }.clock_error(RUN), Span::ZERO);
    }

    #[test]
    fn a_plan_names_whom_its_faults_strike_unless_only_the_run_can_tell() {
        let mut by_the_run = BTreeSet::new();
        for fault in any_faults() {
            match fault.action() {
                Action::Halves
                | Action::DropTable(Target::Leader)
                | Action::Failover { to: Target::MostAdvanced, .. } => {
                    by_the_run.insert(fault.action().kind());
                }
                Action::Failover { to, .. } => assert!(matches!(to, Target::Named(_)), "{fault}"),
                action => {
                    let text = action.to_string();
                    let roles = ["leader", "followers", "minority", "majority", "random", "replicas", "most", "halves"];
                    assert!(hosts().iter().any(|host| text.contains(host)), "{fault}");
                    assert!(!roles.iter().any(|role| text.contains(role)), "{fault}");
                }
            }
        }
        assert_eq!(by_the_run.len(), 3, "{by_the_run:?}");
    }
}
