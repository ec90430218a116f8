//! A run under way, whatever protocol it is of: here generics end.

use replisim_history::{NodeId, Run};
use replisim_kernel::{Concern, Digest, SimTime};

use crate::process::{Process, View};
use crate::world::{UnknownConcern, World};

/// A run under way. Forking gives a second one that goes on identically until a stream of chance is reseeded.
pub trait Simulation: Send {
    /// True time in the run.
    fn now(&self) -> SimTime;

    /// Handles the next event. Returns false once the run is over.
    fn step(&mut self) -> bool;

    /// Handles so many events. Returns false once the run is over.
    fn advance(&mut self, events: u64) -> bool {
        (0..events).all(|_| self.step())
    }

    /// Handles every event up to and including `until`, and lets time pass until then. Returns false once the run is over.
    fn run_until(&mut self, until: SimTime) -> bool {
        self.advance_until(until, u64::MAX)
    }

    /// The same, but handles no more than so many events.
    fn advance_until(&mut self, until: SimTime, events: u64) -> bool;

    /// A copy that shares nothing that could change.
    fn fork(&self) -> Box<dyn Simulation>;

    /// Draws everything that `concern` decides from now on from other streams, named by `salt`.
    ///
    /// # Errors
    /// If it decides nothing: see [`World::reseed`].
    fn reseed(&mut self, concern: Concern, salt: u64) -> Result<(), UnknownConcern>;

    /// Takes note of every [`replisim_history::Cell`] from now on. It changes nothing of what happens.
    fn watch(&mut self);

    /// The fingerprint of all that happened so far.
    fn fingerprint(&self) -> Digest;

    /// How many events were handled.
    fn events(&self) -> u64;

    /// What an observer may know of a node; `None` while it is down.
    fn view(&self, node: NodeId) -> Option<View>;

    /// Runs to the end and returns what is left of it.
    fn finish(self: Box<Self>) -> Run;

    /// Ends the run here, wherever it is.
    fn break_off(self: Box<Self>) -> Run;
}

impl<P: Process> Simulation for World<P> {
    fn now(&self) -> SimTime {
        World::now(self)
    }

    fn step(&mut self) -> bool {
        World::step(self)
    }

    fn advance_until(&mut self, until: SimTime, events: u64) -> bool {
        World::advance_until(self, until, events)
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(self.clone())
    }

    fn reseed(&mut self, concern: Concern, salt: u64) -> Result<(), UnknownConcern> {
        World::reseed(self, concern, salt)
    }

    fn watch(&mut self) {
        World::watch(self);
    }

    fn fingerprint(&self) -> Digest {
        World::fingerprint(self)
    }

    fn events(&self) -> u64 {
        World::events(self)
    }

    fn view(&self, node: NodeId) -> Option<View> {
        World::view(self, node)
    }

    fn finish(mut self: Box<Self>) -> Run {
        while self.step() {}
        self.into_run()
    }

    fn break_off(self: Box<Self>) -> Run {
        self.into_run()
    }
}
