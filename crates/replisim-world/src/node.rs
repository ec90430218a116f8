//! A process in its place: its state while it lives, and what outlives it.

use replisim_kernel::{Concern, Sampler, SimTime, Span, Stream};

use crate::clock::Clocks;
use crate::disk::{Device, Journal};
use crate::process::{Command, Input, Process, Role};
use crate::spec::Service;

/// The stream of chance that each process draws from.
pub(crate) const NODE: Concern = Concern::new("node");
/// The stream of chance of each host's processor.
pub(crate) const CPU: Concern = Concern::new("cpu");

/// A process, alive or dead, with what is its own.
#[derive(Clone, Debug)]
pub(crate) struct Node<P: Process> {
    pub config: P::Config,
    /// The process, while it lives.
    pub process: Option<P>,
    pub journal: Journal<P::Record>,
    /// The journal as it was when somebody took a snapshot of the disk.
    pub snapshot: Option<Journal<P::Record>>,
    pub chance: Stream,
    /// The timers that are set, each with the number of its setting.
    timers: Vec<(P::Timer, u64)>,
    settings: u64,
    pub sync: Syncing,
    /// What came in while the host stood still.
    pub parked: Vec<Input<P>>,
    /// The last role it told of.
    pub role: Option<Role>,
    /// Orders that wait for it to be up.
    pub on_boot: Vec<Command>,
    /// Whether the cluster's start and the heal start it.
    pub starts: bool,
    /// Whether an operator keeps it down until the heal.
    pub fenced: bool,
    /// How often its host lost power: what was under way to the platter then never arrived.
    pub power_losses: u32,
    /// When its processor is done with the last message from another process: they are served in order.
    pub messages_done: SimTime,
}

/// Whether a sync is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Syncing {
    Idle,
    /// One is, and `again` if another was asked for meanwhile.
    Busy {
        again: bool,
    },
}

/// What a host's processes share.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub clocks: Clocks,
    pub disk: Device,
    pub processor: Processor,
}

/// Serves requests and messages at a finite rate: a queue in front of so many cores.
#[derive(Clone, Debug)]
pub(crate) struct Processor {
    /// How long each kind of work takes.
    costs: [Sampler; 2],
    /// When each core is free.
    cores: Vec<SimTime>,
    chance: Stream,
    /// How much slower it is than it should be.
    pub slowdown: u32,
    idle: bool,
}

/// What there is to do: a place among a processor's costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    Operation,
    Message,
}

impl<P: Process> Node<P> {
    pub fn new(config: P::Config, starts: bool, chance: Stream) -> Self {
        Node {
            config,
            process: None,
            journal: Journal::new(),
            snapshot: None,
            chance,
            timers: Vec::new(),
            settings: 0,
            sync: Syncing::Idle,
            parked: Vec::new(),
            role: None,
            on_boot: Vec::new(),
            starts,
            fenced: false,
            power_losses: 0,
            messages_done: SimTime::ZERO,
        }
    }

    /// Sets a timer in place of its earlier setting, and returns the number that the new one goes by.
    pub fn set_timer(&mut self, timer: P::Timer) -> u64 {
        self.settings += 1;
        match self.timers.binary_search_by(|(other, _)| other.cmp(&timer)) {
            Ok(at) => self.timers[at].1 = self.settings,
            Err(at) => self.timers.insert(at, (timer, self.settings)),
        }
        self.settings
    }

    /// Unsets a timer.
    pub fn cancel_timer(&mut self, timer: P::Timer) {
        if let Ok(at) = self.timers.binary_search_by(|(other, _)| other.cmp(&timer)) {
            self.timers.remove(at);
        }
    }

    /// Whether this setting of the timer still holds; if so it is used up.
    pub fn take_timer(&mut self, timer: P::Timer, setting: u64) -> bool {
        match self.timers.binary_search_by(|(other, _)| other.cmp(&timer)) {
            Ok(at) if self.timers[at].1 == setting => {
                self.timers.remove(at);
                true
            }
            _ => false,
        }
    }

    /// The process ends. What is on disk stays.
    pub fn die(&mut self) {
        self.process = None;
        self.timers.clear();
        self.parked.clear();
        self.sync = Syncing::Idle;
        self.role = None;
    }
}

impl Processor {
    pub fn new(service: &Service, chance: Stream) -> Self {
        let costs = [&service.operation, &service.message].map(Sampler::new);
        let idle = costs.iter().all(|cost| cost.mean() == Some(Span::ZERO));
        let cores = vec![SimTime::ZERO; usize::from(service.cores.max(1))];
        Processor { costs, cores, chance, slowdown: 1, idle }
    }

    /// Goes on with another stream of chance.
    pub fn reseed(&mut self, chance: Stream) {
        self.chance = chance;
    }

    /// When work that comes in now is done: at once on an idle processor that takes no time for anything.
    #[inline]
    pub fn serve(&mut self, now: SimTime, work: Work) -> SimTime {
        if self.idle {
            return now;
        }
        let cost = self.costs[work as usize].constant().unwrap_or_else(|| self.draw(work)) * u64::from(self.slowdown);
        // Any core that is free now will do; if none is, the first that will be.
        let core = match self.cores.iter().position(|core| *core <= now) {
            Some(free) => &mut self.cores[free],
            None => self.cores.iter_mut().min().expect("a processor has a core"),
        };
        *core = (*core).max(now) + cost;
        *core
    }

    /// How long a piece of work takes, where it does not always take as long: most does.
    #[cold]
    fn draw(&mut self, work: Work) -> Span {
        self.costs[work as usize].draw(&mut self.chance)
    }
}
