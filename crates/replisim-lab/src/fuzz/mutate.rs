//! Changes a plan a little: what reached somewhere new may reach further.

use replisim_kernel::{Concern, Span, Stream};
use replisim_world::spec::{Action, Fault, Target};

use super::attempt::Attempt;
use crate::Plan;

/// The stream of chance that a search draws from.
pub(super) const SEARCH: Concern = Concern::new("search");

/// The most faults that a plan grows to.
const FAULTS_MAX: usize = 24;

/// Changes plans.
pub(super) struct Mutator {
    pub chance: Stream,
}

impl Mutator {
    /// A plan that differs from `parent` in one to three ways; `other` is one more plan to take faults from, and `seed`
    /// one that no attempt has had.
    pub fn change(&mut self, parent: &Attempt, other: &Attempt, seed: u64) -> Attempt {
        let experiment = &parent.variant.experiment;
        let hosts: Vec<String> = experiment.topology.hosts.iter().map(|host| host.name.clone()).collect();
        let (written, run) = (experiment.scenario.faults.len(), experiment.scenario.run);
        // Not the subject's own: which families there may be can itself be a knob.
        let swarm = experiment.scenario.swarm.as_ref();
        let mut drawn = parent.plan.faults[written..].to_vec();
        let mut luck = parent.plan.seed;
        for _ in 0..=self.chance.below(3) {
            match self.chance.below(8) {
                0 => drawn.extend(swarm.and_then(|swarm| swarm.another(&mut self.chance, run, &hosts))),
                1 => self.drop(&mut drawn),
                2 | 3 => self.shift(&mut drawn, run),
                4 => self.stretch(&mut drawn, run),
                5 => self.retarget(&mut drawn, &hosts),
                6 if other.knobs == parent.knobs => self.splice(&mut drawn, &other.plan.faults[written..]),
                _ => luck = seed,
            }
        }
        drawn.truncate(FAULTS_MAX);
        let faults = parent.plan.faults[..written].iter().cloned().chain(drawn).collect();
        let (knobs, variant) = (parent.knobs.clone(), parent.variant.clone());
        Attempt { knobs, variant, plan: Plan { seed: luck, faults }, fresh: false }
    }

    fn drop(&mut self, faults: &mut Vec<Fault>) {
        if let Some(index) = self.pick(faults) {
            faults.remove(index);
        }
    }

    /// Moves a fault in time, rather a little than a lot, or to where another one is.
    fn shift(&mut self, faults: &mut [Fault], run: Span) {
        let Some(index) = self.pick(faults) else { return };
        let beside = self.pick(faults).and_then(|other| begin(&faults[other]));
        let far = run / (1 << self.chance.below(12));
        let by = Span::nanos(self.chance.below(far.as_nanos() + 1));
        let later = self.chance.below(2) == 0;
        // Faults that matter together mostly meet in time, which two draws over a whole run seldom do.
        let joins = self.chance.below(2) == 0;
        let Some(from) = begin(&faults[index]) else { return };
        let from = if joins { beside.unwrap_or(from) } else { from };
        let to = if later { from + by } else { from.saturating_sub(by) };
        move_to(&mut faults[index], to, run);
    }

    fn stretch(&mut self, faults: &mut [Fault], run: Span) {
        let Some(index) = self.pick(faults) else { return };
        let times = [1, 2, 3, 5, 8, 12][self.chance.below(6) as usize];
        if let Fault::During(from, until, _) = &mut faults[index] {
            let length = (*until - *from) * times / 4;
            *until = (*from + length.max(Span::millis(1))).min(run);
        }
    }

    fn retarget(&mut self, faults: &mut [Fault], hosts: &[String]) {
        let Some(index) = self.pick(faults) else { return };
        let host = Target::Named(hosts[self.chance.below(hosts.len() as u64) as usize].clone());
        if let Some(target) = target(&mut faults[index]) {
            *target = host;
        }
    }

    /// Takes a fault over from another plan.
    fn splice(&mut self, faults: &mut Vec<Fault>, other: &[Fault]) {
        if let Some(index) = self.pick(other) {
            faults.push(other[index].clone());
        }
    }

    fn pick(&mut self, faults: &[Fault]) -> Option<usize> {
        (!faults.is_empty()).then(|| self.chance.below(faults.len() as u64) as usize)
    }
}

fn begin(fault: &Fault) -> Option<Span> {
    match fault {
        Fault::At(at, _) | Fault::During(at, _, _) => Some(*at),
        Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => None,
    }
}

/// Moves a fault to begin at `to`, as long as it was, within the run, and not while the cluster is being born: a swarm
/// draws nothing there either.
fn move_to(fault: &mut Fault, to: Span, run: Span) {
    let to = to.max(run / 20).min(run - Span::millis(2));
    match fault {
        Fault::At(at, _) => *at = to,
        Fault::During(from, until, _) => {
            let length = *until - *from;
            (*from, *until) = (to, (to + length).min(run));
        }
        Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => {}
    }
}

/// The one host that a fault strikes, where it strikes one.
fn target(fault: &mut Fault) -> Option<&mut Target> {
    let (Fault::At(_, action) | Fault::During(_, _, action)) = fault else { return None };
    match action {
        Action::Isolate(target)
        | Action::Kill(target)
        | Action::Restart(target)
        | Action::Pause(target)
        | Action::Wipe(target)
        | Action::StallDisk(target)
        | Action::LyingSync(target)
        | Action::FullDisk(target)
        | Action::Freeze(target)
        | Action::LoseHost { host: target, .. }
        | Action::SlowCpu { host: target, .. }
        | Action::SlowDisk { host: target, .. }
        | Action::Rot { host: target, .. }
        | Action::Jump { host: target, .. }
        | Action::Drift { host: target, .. }
        | Action::Strobe { host: target, .. }
        | Action::Failover { to: target, .. }
        | Action::Promote(target) => Some(target),
        _ => None,
    }
}
