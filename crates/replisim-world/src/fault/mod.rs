//! The plan of faults while a run carries it out: what is waiting, what is in force, and how each is undone.
//!
//! Every fault has a stream of chance of its own, named by its text. Taking one fault out of a plan leaves the choices
//! of all others as they were.

mod words;

use std::ops::{Index, IndexMut};

use replisim_history::{NodeId, PlannedFault};
use replisim_kernel::{Concern, SimTime, Stream};

use crate::spec::{Fault, Trigger};

/// The stream of chance of each fault.
pub(crate) const FAULT: Concern = Concern::new("fault");

/// The place of a fault in the plan.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FaultIndex(pub u32);

/// The place of a firing among all of a run. A fault that comes every so often has many.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FiringIndex(pub u32);

/// All faults of a run. It is indexed by either.
#[derive(Clone, Debug)]
pub(crate) struct Injector {
    planned: Vec<Planned>,
    firings: Vec<Firing>,
    /// Faults that wait for something to happen in the run.
    pub armed: Vec<Armed>,
    /// Whom the targets of the fault that begins now turned out to mean; empty between faults.
    pub found: Vec<NodeId>,
}

/// A fault of the plan.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub fault: Fault,
    /// What its stream goes by.
    name: u64,
    pub chance: Stream,
    /// Each time that it struck.
    fired: Vec<FiringIndex>,
}

/// A fault that waits for something to happen in the run.
#[derive(Clone, Debug)]
pub(crate) struct Armed {
    pub fault: FaultIndex,
    /// All replicas, in the order by which its trigger watches some of them at random; none if it does not. It is drawn
    /// once, or else a trigger would sooner or later have watched everybody.
    pub order: Vec<NodeId>,
}

/// One time that a fault struck, be it over or not.
#[derive(Clone, Debug)]
pub(crate) struct Firing {
    pub fault: FaultIndex,
    pub since: SimTime,
    pub until: SimTime,
    /// What takes it back, in this order.
    pub undo: Vec<Undo>,
    /// What its steps work on: the nodes still to be cut off, or taken back.
    pub steps: Vec<NodeId>,
    /// What its last step took back, and its next one does again.
    pub again: Vec<Undo>,
    /// Whom it struck, where its words do not say.
    pub struck: Vec<NodeId>,
}

/// Something of a fault that is due.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum FaultEvent {
    /// A fault of the plan begins.
    Begin { fault: FaultIndex },
    /// One that is in force goes on: the next node of a swizzle, the other half of a flap.
    Step { firing: FiringIndex, step: u32 },
    /// One that is in force ends.
    End { firing: FiringIndex },
}

/// What takes one effect of a fault back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Undo {
    Mend { from: NodeId, to: NodeId },
    RestoreLink { from: NodeId, to: NodeId },
    Boot(NodeId),
    PowerOn(usize),
    Resume(usize),
    Speed(usize),
    DiskSpeed(usize),
    Unstall(usize),
    StopLying(usize),
    Drain(usize),
    JumpBack { host: usize, by: i64 },
    DriftBack { host: usize, by_ppb: i64 },
    Thaw(usize),
}

impl Injector {
    /// The faults of a plan among these replicas, none in force.
    pub fn new(faults: &[Fault], replicas: &[NodeId], seed: u64) -> Self {
        let mut planned: Vec<Planned> = Vec::with_capacity(faults.len());
        for fault in faults {
            let twins = planned.iter().filter(|other| other.fault == *fault).count() as u64;
            let name = name_of(&fault.to_string()).wrapping_add(twins);
            let chance = Stream::derive(seed, FAULT, name, 0);
            planned.push(Planned { fault: fault.clone(), name, chance, fired: Vec::new() });
        }
        let armed = (0..).map(FaultIndex).zip(&mut planned);
        let armed = armed.filter_map(|(fault, planned)| planned.armed(fault, replicas)).collect();
        Injector { planned, firings: Vec::new(), armed, found: Vec::new() }
    }

    /// Lets every fault choose anew from now on.
    pub fn reseed(&mut self, seed: u64, salt: u64) {
        for planned in &mut self.planned {
            planned.chance = Stream::derive(seed, FAULT, planned.name, salt);
        }
    }

    /// When each fault that has a time first begins.
    pub fn beginnings(&self) -> impl Iterator<Item = (SimTime, FaultEvent)> {
        (0..).map(FaultIndex).zip(&self.planned).filter_map(|(fault, planned)| {
            let at = match planned.fault {
                Fault::At(at, _) | Fault::During(at, _, _) | Fault::Every(at, _, _) => at,
                Fault::When(..) | Fault::WhenFor(..) => return None,
            };
            Some((SimTime::ZERO + at, FaultEvent::Begin { fault }))
        })
    }

    /// When a fault that begins now begins again, if it does.
    pub fn next_beginning(&self, fault: FaultIndex, now: SimTime) -> Option<SimTime> {
        match self[fault].fault {
            Fault::Every(period, _, _) => Some(now + period),
            Fault::At(..) | Fault::During(..) | Fault::When(..) | Fault::WhenFor(..) => None,
        }
    }

    /// Puts a fault into force: returns this firing, and its end, if it has one before the heal.
    pub fn fire(&mut self, fault: FaultIndex, now: SimTime) -> (FiringIndex, Option<SimTime>) {
        let until = match self[fault].fault {
            Fault::During(_, until, _) => Some(SimTime::ZERO + until),
            Fault::Every(_, length, _) | Fault::WhenFor(_, length, _) => Some(now + length),
            Fault::At(..) | Fault::When(..) => None,
        };
        let firing = FiringIndex(self.firings.len() as u32);
        self.firings.push(Firing {
            fault,
            since: now,
            until: until.unwrap_or(SimTime::NEVER),
            undo: Vec::new(),
            steps: Vec::new(),
            again: Vec::new(),
            struck: Vec::new(),
        });
        self[fault].fired.push(firing);
        (firing, until)
    }

    /// Whether this fault is still to be undone. Faults that do their work at once are never in force.
    pub fn is_in_force(&self, firing: FiringIndex, now: SimTime) -> bool {
        self[firing].until > now
    }

    /// Every firing so far.
    pub fn firings(&self) -> impl Iterator<Item = FiringIndex> + use<> {
        (0..self.firings.len() as u32).map(FiringIndex)
    }

    /// The families of the faults in force, as bits.
    pub fn families(&self, now: SimTime) -> u16 {
        let in_force = self.firings.iter().filter(|firing| firing.until > now);
        let families = in_force.filter_map(|firing| self[firing.fault].fault.action().family());
        families.fold(0, |bits, family| bits | family.bit())
    }

    /// What became of the plan in a run that ended at `end`. What was to end later has no end, for the run was broken off
    /// before.
    pub fn outcome(&self, end: SimTime) -> Vec<PlannedFault> {
        let firing = |firing: &FiringIndex| {
            let Firing { since, until, struck, .. } = &self[*firing];
            let until = if *until > end { SimTime::NEVER } else { *until };
            replisim_history::Firing { from: *since, until, struck: struck.clone() }
        };
        let firings = |planned: &Planned| planned.fired.iter().map(firing).collect();
        let text = |planned: &Planned| planned.fault.action().to_string();
        self.planned.iter().map(|planned| PlannedFault { text: text(planned), fired: firings(planned) }).collect()
    }

    /// What an armed fault waits for.
    pub fn trigger(&self, fault: FaultIndex) -> Option<&Trigger> {
        self[fault].fault.trigger()
    }
}

impl Index<FaultIndex> for Injector {
    type Output = Planned;
    fn index(&self, FaultIndex(index): FaultIndex) -> &Planned {
        &self.planned[index as usize]
    }
}

impl IndexMut<FaultIndex> for Injector {
    fn index_mut(&mut self, FaultIndex(index): FaultIndex) -> &mut Planned {
        &mut self.planned[index as usize]
    }
}

impl Index<FiringIndex> for Injector {
    type Output = Firing;
    fn index(&self, FiringIndex(index): FiringIndex) -> &Firing {
        &self.firings[index as usize]
    }
}

impl IndexMut<FiringIndex> for Injector {
    fn index_mut(&mut self, FiringIndex(index): FiringIndex) -> &mut Firing {
        &mut self.firings[index as usize]
    }
}

impl Planned {
    /// How it waits, if it does.
    fn armed(&mut self, fault: FaultIndex, replicas: &[NodeId]) -> Option<Armed> {
        let random = match self.fault.trigger()? {
            Trigger::Lag { of, .. } => of.is_random(),
            Trigger::LeaderElected(_) | Trigger::Commits(_) | Trigger::Acknowledged(_) => false,
        };
        Some(Armed { fault, order: if random { self.shuffled(replicas) } else { Vec::new() } })
    }

    /// The replicas in an order that the fault's own stream decides.
    pub fn shuffled(&mut self, replicas: &[NodeId]) -> Vec<NodeId> {
        let mut order = replicas.to_vec();
        for i in (1..order.len()).rev() {
            order.swap(i, self.chance.below(i as u64 + 1) as usize);
        }
        order
    }
}

/// A number that stands for a text.
fn name_of(text: &str) -> u64 {
    let mut print = replisim_kernel::Fingerprint::new();
    print.fold(&text);
    print.digest().0 as u64
}
