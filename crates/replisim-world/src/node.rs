//! A process in its place: its state while it lives, and what outlives it.

use std::collections::VecDeque;

use replisim_kernel::{Concern, SimTime, Stream};

use crate::disk::Journal;
use crate::fault::FiringIndex;
use crate::process::{Command, Input, Process, Role};

/// The stream of chance that each process draws from.
pub(crate) const NODE: Concern = Concern::new("node");

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
    /// What came in while the host stood still, and behind that while it caught up.
    pub parked: VecDeque<Input<P>>,
    /// The last role it told of.
    pub role: Option<Role>,
    /// Orders that wait for it to be up.
    pub on_boot: Vec<Command>,
    /// Whether the cluster's start and the heal start it.
    pub starts: bool,
    /// Whether an operator keeps it down until the heal.
    pub fenced: bool,
    /// Which of all orders to lead was the last one that it got, counted from 1, and which the last that it carried out; 0
    /// if there was none.
    pub ordered: u32,
    pub promoted: u32,
    /// The kills in force that struck it: it stays down until the last of them is over.
    pub killed_by: Vec<FiringIndex>,
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
            parked: VecDeque::new(),
            role: None,
            on_boot: Vec::new(),
            starts,
            fenced: false,
            ordered: 0,
            promoted: 0,
            killed_by: Vec::new(),
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

    /// Whether something keeps it from starting, whatever its host does.
    pub fn is_held_down(&self) -> bool {
        self.fenced || !self.killed_by.is_empty()
    }

    /// The process ends. What is on disk stays, and what part it had is remembered.
    pub fn die(&mut self) {
        self.process = None;
        self.timers.clear();
        self.parked.clear();
        self.sync = Syncing::Idle;
        self.messages_done = SimTime::ZERO;
    }
}
