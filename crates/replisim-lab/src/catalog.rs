//! The protocols that scenarios can name. The list is open: a program adds its own and has every command for them.
//!
//! Protocols are generic, commands are not. This is where the generics end: [`Entry`], [`Configured`] and [`Assembled`]
//! are a protocol's three stages as object-safe traits, implemented once for every [`Protocol`].
//!
//! ```text
//!   Entry ── settings read ──▶ Configured ── hosts known ──▶ Assembled ── seed ──▶ Simulation
//! ```

use std::collections::BTreeMap;
use std::marker::PhantomData;

use replisim_history::{Check, OpKind, Promise};
use replisim_protocols::{LeaderFollower, MySql, PostgreSql};
use replisim_world::protocol::{Circumstances, FlawInfo, Member, Problem, Protocol};
use replisim_world::spec::{Fault, Topology};
use replisim_world::{Blueprint, Simulation};

use crate::guard::Guarded;
use crate::scenario::{Diagnostic, Excerpt, Scenario, Source, field_names};

/// Every protocol a program knows, in the order they were added.
#[derive(Default)]
pub struct Catalog {
    entries: Vec<Box<dyn Entry>>,
}

/// A protocol that can be named.
pub trait Entry: Send + Sync {
    /// The name in a scenario.
    fn name(&self) -> &'static str;

    /// What it is, in a sentence.
    fn about(&self) -> &'static str;

    /// The mistakes that can be switched on in it.
    fn flaws(&self) -> &'static [FlawInfo];

    /// The scenario that stands for the protocol alone: everything about it is left to a swarm.
    fn swarm(&self) -> Source;

    /// Reads what a scenario says of it.
    ///
    /// # Errors
    /// The first thing about the settings that it cannot read.
    fn configure(&self, settings: &Excerpt<'_>) -> Result<Box<dyn Configured>, Diagnostic>;
}

/// A protocol whose settings are known.
pub trait Configured: Send + Sync {
    /// The settings in a few words.
    fn summary(&self) -> String;

    /// Whether it understands operations of this kind.
    fn supports(&self, kind: OpKind) -> bool;

    /// The names of the states that its processes tell apart.
    fn states(&self) -> &'static [&'static str];

    /// What it promises in these circumstances.
    fn promises(&self, circumstances: &Circumstances<'_>) -> BTreeMap<Check, Promise>;

    /// The same protocol with other settings.
    ///
    /// # Errors
    /// The first thing about the settings that it cannot read.
    fn reconfigure(&self, settings: &Excerpt<'_>) -> Result<Box<dyn Configured>, Diagnostic>;

    /// What its settings are called, where it says so.
    fn settings(&self) -> &'static [&'static str];

    /// The same protocol once an operator has changed a setting of it while it runs.
    ///
    /// # Errors
    /// Why there is no such setting, or it cannot be this value.
    fn set(&self, name: &str, value: &str) -> Result<Box<dyn Configured>, String>;

    /// Puts its processes on a cluster's hosts.
    ///
    /// # Errors
    /// Everything about the settings that does not fit the cluster.
    fn assemble(&self, topology: &Topology) -> Result<Box<dyn Assembled>, Vec<Problem>>;
}

/// A protocol whose processes have their hosts.
pub trait Assembled: Send + Sync {
    /// The names of its processes, in the order of their addresses.
    fn processes(&self) -> Vec<&str>;

    /// The run of a scenario under a seed and a plan of faults, at its beginning. With `trace`, every event will be
    /// written down.
    fn begin(&self, scenario: &Scenario, topology: &Topology, plan: Plan, trace: bool) -> Box<dyn Simulation>;
}

/// All of a run that chance decides: the seed, and what goes wrong, spelled out.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// The seed of every stream of chance.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl Catalog {
    /// A catalog of nothing.
    pub fn new() -> Self {
        Catalog::default()
    }

    /// The protocols that come with replisim.
    pub fn standard() -> Self {
        Catalog::new().with::<LeaderFollower>().with::<PostgreSql>().with::<MySql>()
    }

    /// This catalog and one more protocol.
    ///
    /// # Panics
    /// If it already has a protocol of that name.
    pub fn with<P: Protocol>(mut self) -> Self {
        assert!(self.get(P::NAME).is_none(), "the catalog already has a protocol named {}", P::NAME);
        self.entries.push(Box::new(Registered::<P>(PhantomData)));
        self
    }

    /// The protocol of this name.
    pub fn get(&self, name: &str) -> Option<&dyn Entry> {
        self.entries().find(|entry| entry.name() == name)
    }

    /// Every protocol's name.
    pub fn names(&self) -> Vec<&'static str> {
        self.entries().map(Entry::name).collect()
    }

    /// Every protocol.
    pub fn entries(&self) -> impl Iterator<Item = &dyn Entry> {
        self.entries.iter().map(|entry| &**entry)
    }
}

/// The type of a protocol, as a value.
struct Registered<P>(PhantomData<fn() -> P>);

/// A protocol's settings.
struct Settled<P: Protocol>(P::Settings);

/// A protocol's processes.
struct Placed<P: Protocol>(Vec<Member<P>>);

impl<P: Protocol> Entry for Registered<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn about(&self) -> &'static str {
        P::ABOUT
    }

    fn flaws(&self) -> &'static [FlawInfo] {
        P::FLAWS
    }

    fn swarm(&self) -> Source {
        Source::new(P::NAME.to_owned(), P::swarm())
    }

    fn configure(&self, settings: &Excerpt<'_>) -> Result<Box<dyn Configured>, Diagnostic> {
        Ok(Box::new(Settled::<P>(settings.read()?)))
    }
}

impl<P: Protocol> Configured for Settled<P> {
    fn summary(&self) -> String {
        P::summary(&self.0)
    }

    fn supports(&self, kind: OpKind) -> bool {
        P::supports(&self.0, kind)
    }

    fn states(&self) -> &'static [&'static str] {
        P::STATES
    }

    fn promises(&self, circumstances: &Circumstances<'_>) -> BTreeMap<Check, Promise> {
        P::promises(&self.0, circumstances)
    }

    fn reconfigure(&self, settings: &Excerpt<'_>) -> Result<Box<dyn Configured>, Diagnostic> {
        Ok(Box::new(Settled::<P>(settings.read()?)))
    }

    fn settings(&self) -> &'static [&'static str] {
        field_names::<P::Settings>()
    }

    fn set(&self, name: &str, value: &str) -> Result<Box<dyn Configured>, String> {
        let mut settings = self.0.clone();
        P::set(&mut settings, name, value)?;
        Ok(Box::new(Settled::<P>(settings)))
    }

    fn assemble(&self, topology: &Topology) -> Result<Box<dyn Assembled>, Vec<Problem>> {
        Ok(Box::new(Placed::<P>(P::assemble(&self.0, topology)?)))
    }
}

impl<P: Protocol> Assembled for Placed<P> {
    fn processes(&self) -> Vec<&str> {
        self.0.iter().map(|member| member.name.as_str()).collect()
    }

    fn begin(&self, scenario: &Scenario, topology: &Topology, plan: Plan, trace: bool) -> Box<dyn Simulation> {
        let blueprint = Blueprint {
            cluster: scenario.cluster.clone(),
            topology: topology.clone(),
            members: self.0.clone(),
            clients: scenario.clients.clone(),
            faults: plan.faults,
            run: scenario.run,
            settle: scenario.settle,
            trace,
        };
        Box::new(Guarded::begin(blueprint, plan.seed))
    }
}
