//! What a variant's swarm may draw, and how a fault that was drawn for another variant becomes one of this.
//!
//! What a protocol promises depends on the kinds of faults that may strike, and what a scenario expects may depend on how
//! many, how long, and when. So whatever a search makes up must be something that the swarm could have drawn:
//!
//! | of a fault | that |
//! |---|---|
//! | kind | is of one of the swarm's families, or the fault goes |
//! | whom it strikes | is there, or another host is struck; a link has two ends |
//! | beginning | is neither while the cluster is born nor in the run's last tenth |
//! | length | is at most the swarm's longest, and ends with the run |
//!
//! And of faults there are at most as many as the swarm draws.

use replisim_kernel::{Span, Stream};
use replisim_world::spec::{Action, Fault, Swarm, Target};

use super::subject::Variant;
use crate::targets::targets_mut;

/// What the swarm of a variant draws from.
pub(super) struct Frame<'v> {
    swarm: Option<&'v Swarm>,
    hosts: Vec<String>,
    /// How long a run is.
    pub run: Span,
}

impl<'v> Frame<'v> {
    /// That of a variant. It is not the subject's own: families, hosts and times can be knobs.
    pub fn of(variant: &'v Variant) -> Self {
        let experiment = &variant.experiment;
        let hosts = experiment.topology.hosts.iter().map(|host| host.name.clone()).collect();
        Frame { swarm: experiment.scenario.swarm.as_ref(), hosts, run: experiment.scenario.run }
    }

    /// The most faults that are drawn.
    pub fn most(&self) -> usize {
        self.swarm.map_or(0, |swarm| usize::from(swarm.faults))
    }

    /// One more fault, if there is anything to draw from.
    pub fn another(&self, chance: &mut Stream) -> Option<Fault> {
        self.swarm?.another(chance, self.run, &self.hosts)
    }

    /// Any host.
    pub fn host(&self, chance: &mut Stream) -> Target {
        Target::Named(self.hosts[chance.below(self.hosts.len() as u64) as usize].clone())
    }

    /// A fault of another variant as it would be in this one; `None` if its like is never drawn here.
    pub fn fit(&self, fault: &Fault, chance: &mut Stream) -> Option<Fault> {
        let family = fault.action().family()?;
        if !self.swarm?.families.contains(&family) {
            return None;
        }
        match fault.clone() {
            Fault::At(at, action) => Some(Fault::At(self.begin(at), self.aim(action, chance))),
            Fault::During(from, until, action) => {
                let begin = self.begin(from);
                Some(Fault::During(begin, self.end(begin, until - from), self.aim(action, chance)))
            }
            Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => None,
        }
    }

    /// When a fault begins that is to begin at `at`.
    pub fn begin(&self, at: Span) -> Span {
        let (first, last) = Swarm::window(self.run);
        at.max(first).min(last)
    }

    /// When a fault ends that begins at `from` and is to last for `length`.
    pub fn end(&self, from: Span, length: Span) -> Span {
        let longest = self.swarm.map_or(Span::ZERO, |swarm| swarm.longest);
        Swarm::end(from, length.min(longest), self.run)
    }

    /// Has an action strike hosts that are there.
    fn aim(&self, mut action: Action, chance: &mut Stream) -> Action {
        let mut struck = None;
        for (_, target) in targets_mut(&mut action) {
            if matches!(&*target, Target::Named(name) if !self.hosts.contains(name)) {
                *target = self.host(chance);
            }
            if struck.as_ref() == Some(&*target) {
                *target = Target::Clients;
            }
            struck = Some(target.clone());
        }
        action
    }
}
