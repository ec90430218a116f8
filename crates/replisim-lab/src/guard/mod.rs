//! A run in which something panics ends there, and what is left of it is a run like any other.
//!
//! A failed assertion in the code under test is a finding, to be shrunk, kept and replayed. So whatever drives a run in
//! the lab drives a [`Guarded`] one: there is no other way to begin a run. The world stays outside of what is unwound,
//! takes note of the panic with [`World::end_by_panic`], and does nothing more. Nobody looks at the process that was
//! interrupted, for it may be in any state.
//!
//! A panic is as much a part of a run as any event is, and falls under the same promise: the same scenario, seed and
//! version panic in the same place. Of debug and release that is true for code whose arithmetic does not overflow:
//! debug panics where release wraps around.
//!
//! What this does not guard against: a handler that never returns, a stack that overflows, a second panic while the first
//! unwinds, and a program that was built to abort. Nor against a process that panics as it is copied: whoever forks a run
//! is told so by the panic itself. No command forks one.

mod hook;

use replisim_history::{NodeId, Run};
use replisim_kernel::{Concern, Digest, SimTime};
use replisim_world::process::{Process, View};
use replisim_world::{Blueprint, Simulation, UnknownConcern, World};

pub use hook::backtrace;
use hook::{CaughtPanic, catch_panic};

/// A run that no panic gets out of.
pub(crate) struct Guarded<P: Process>(World<P>);

impl<P: Process> Guarded<P> {
    /// The run of `blueprint` that `seed` stands for, at its beginning; at its end, if a process panics as it starts.
    pub fn begin(blueprint: Blueprint<P>, seed: u64) -> Self {
        let mut guarded = Guarded(World::laid_out(blueprint, seed));
        guarded.drive(World::begin);
        guarded
    }

    /// Drives the world on; `None` if something panics, which is the run's end.
    fn drive<T>(&mut self, drive: impl FnOnce(&mut World<P>) -> T) -> Option<T> {
        match catch_panic(|| drive(&mut self.0)) {
            Ok(done) => Some(done),
            Err(heard) => {
                let looked_at = if self.0.running().is_none() { self.looked_at(&heard) } else { None };
                self.0.end_by_panic(looked_at, heard.message, heard.place);
                None
            }
        }
    }

    /// The first process that says what was heard when it is looked at. The world looks at processes between their turns,
    /// and does not take down at whom; but as looking changes nothing, whoever panicked does so again.
    fn looked_at(&self, heard: &CaughtPanic) -> Option<NodeId> {
        let view = |node| catch_panic(|| self.0.view(node)).err();
        let contents = |node| catch_panic(|| self.0.process(node).and_then(P::contents).is_some()).err();
        let says_so = |node: &NodeId| [view(*node), contents(*node)].iter().flatten().any(|said| said == heard);
        self.0.processes().find(says_so)
    }
}

impl<P: Process> Simulation for Guarded<P> {
    fn now(&self) -> SimTime {
        self.0.now()
    }

    fn step(&mut self) -> bool {
        self.drive(World::step).unwrap_or(false)
    }

    fn advance(&mut self, events: u64) -> bool {
        self.drive(|world| world.advance(events)).unwrap_or(false)
    }

    fn advance_until(&mut self, until: SimTime, events: u64) -> bool {
        self.drive(|world| world.advance_until(until, events)).unwrap_or(false)
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(Guarded(self.0.clone()))
    }

    fn reseed(&mut self, concern: Concern, salt: u64) -> Result<(), UnknownConcern> {
        self.0.reseed(concern, salt)
    }

    fn watch(&mut self) {
        self.0.watch();
    }

    fn fingerprint(&self) -> Digest {
        self.0.fingerprint()
    }

    fn events(&self) -> u64 {
        self.0.events()
    }

    fn view(&self, node: NodeId) -> Option<View> {
        // Who looks in from outside is no part of the run: it goes on, and where a look panics there is nothing to see.
        catch_panic(|| self.0.view(node)).unwrap_or_default()
    }

    fn finish(mut self: Box<Self>) -> Run {
        self.drive(|world| while world.step() {});
        self.0.into_run()
    }

    fn break_off(mut self: Box<Self>) -> Run {
        // Whoever is asked what it holds may panic, too.
        self.drive(World::break_off);
        self.0.into_run()
    }
}

#[cfg(test)]
mod tests;
