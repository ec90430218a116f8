//! Small worlds in which the family does what its pages say: what is lost, what hangs, what comes back.

use replisim_history::{Datum, Key, NodeId, OpKind, Operation, Outcome, Reason, Run, Seen};
use replisim_kernel::{Distribution, SimTime, Span};
use replisim_world::protocol::{Circumstances, Protocol};
use replisim_world::spec::{
    Action, Arrival, ClientGroup, Cluster, Fault, Keys, OldLeader, Remembers, Routing, ScriptedOp, Service, Target,
    Topology, Unsynced, Wire,
};
use replisim_world::{Blueprint, World};

use super::{LeaderFollower, MySql, PostgreSql};

mod beginning;
mod chains;
mod clients;
mod copying;
mod diverging;
mod docs;
mod formats;
mod health;
mod learning;
mod losing;
mod orders;
mod reading;
mod reloading;
mod reporting;
mod retention;
mod semi_synchronous;
mod settling;
mod states;
mod stopping;
mod swarm;
mod waiting;

/// A world to be: a few hosts with constant delays, clients that insert rows, and what goes wrong.
struct Scene<P: Protocol> {
    settings: P::Settings,
    cluster: Cluster,
    clients: Vec<ClientGroup>,
    faults: Vec<Fault>,
    run: Span,
    settle: Span,
    seed: u64,
}

impl<P: Protocol> Scene<P> {
    /// Hosts p, s1, s2 in one zone, 1 ms apart each way, syncs of 1 ms, five writers without pause, for 10 s.
    fn new(settings: &str) -> Self {
        let settings = ron::from_str(settings).unwrap_or_else(|error| panic!("{settings}: {error}"));
        let mut cluster = Cluster::default();
        cluster.regions.insert("here".to_owned(), vec!["a".to_owned()]);
        for host in ["p", "s1", "s2"] {
            cluster.hosts.insert(host.to_owned(), "here/a".to_owned());
        }
        cluster.links.same_zone = Distribution::Constant(Span::millis(1));
        cluster.disk.sync = Distribution::Constant(Span::millis(1));
        let nothing = Distribution::Constant(Span::ZERO);
        cluster.service = Service { operation: nothing.clone(), message: nothing, cores: 8 };
        let (run, settle) = (Span::secs(10), Span::secs(120));
        Scene { settings, cluster, clients: vec![writers()], faults: Vec::new(), run, settle, seed: 7 }
    }

    /// One-way delays between any two hosts.
    fn delay(mut self, delay: Span) -> Self {
        self.cluster.links.same_zone = Distribution::Constant(delay);
        self
    }

    fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    fn at(self, millis: u64, action: Action) -> Self {
        self.fault(Fault::At(Span::millis(millis), action))
    }

    fn lasting(mut self, secs: u64) -> Self {
        self.run = Span::secs(secs);
        self
    }

    fn clients(mut self, group: ClientGroup) -> Self {
        self.clients.push(group);
        self
    }

    fn world(self) -> World<P> {
        let topology = Topology::resolve(&self.cluster).expect("the test's cluster is in order");
        let members = P::assemble(&self.settings, &topology).expect("the test's settings are in order");
        let Scene { cluster, clients, faults, run, settle, seed, .. } = self;
        World::new(Blueprint { cluster, topology, members, clients, faults, run, settle, trace: false }, seed)
    }

    fn run(self) -> Run {
        let mut world = self.world();
        while world.step() {}
        world.into_run()
    }
}

/// Five sessions that insert one row after the other.
fn writers() -> ClientGroup {
    ClientGroup {
        sessions: 5,
        mix: [(OpKind::Write, 1)].into_iter().collect(),
        keys: Keys::Fresh,
        arrive: Arrival::Think(Distribution::Constant(Span::millis(1))),
        timeout: Span::secs(10),
        ..ClientGroup::default()
    }
}

/// Sessions that read a few shared keys.
fn readers(reads: Routing) -> ClientGroup {
    ClientGroup {
        sessions: 2,
        mix: [(OpKind::Read, 1)].into_iter().collect(),
        keys: Keys::Uniform { count: 5 },
        reads,
        ..writers()
    }
}

fn named(name: &str) -> Target {
    name.parse().expect("a name is a target")
}

fn during(from: u64, to: u64, action: Action) -> Fault {
    Fault::During(Span::millis(from), Span::millis(to), action)
}

fn kill(name: &str) -> Action {
    Action::Kill(named(name))
}

fn lose(name: &str) -> Action {
    Action::LoseHost { host: named(name), unsynced: Unsynced::Lost, wire: Wire::Arrives }
}

fn isolate(name: &str) -> Action {
    Action::Isolate(named(name))
}

fn promote(name: &str) -> Action {
    Action::Failover { to: named(name), old: OldLeader::Fenced }
}

fn configure(setting: &str, value: &str) -> Action {
    Action::Configure { node: named("p"), setting: setting.to_owned(), value: value.to_owned() }
}

fn writes(run: &Run) -> impl Iterator<Item = &Operation> {
    run.history.operations.iter().filter(|operation| !operation.op.is_read())
}

fn acknowledged(run: &Run) -> impl Iterator<Item = &Operation> {
    writes(run).filter(|operation| operation.outcome == Outcome::Ok)
}

/// Acknowledged inserts that the last leader does not hold.
fn lost(run: &Run) -> Vec<&Operation> {
    let leader = run.history.finals.iter().find(|last| last.leads).expect("somebody leads at the end");
    acknowledged(run).filter(|write| leader.contents.read(write.op.key().expect("a key")) == Datum::Absent).collect()
}

/// Writes that were never acknowledged and yet are there.
fn unacknowledged_but_there(run: &Run) -> usize {
    let leader = run.history.finals.iter().find(|last| last.leads).expect("somebody leads at the end");
    let there = |write: &&Operation| leader.contents.read(write.op.key().expect("a key")) != Datum::Absent;
    writes(run).filter(|write| write.outcome != Outcome::Ok).filter(there).count()
}

/// How many writes were acknowledged between two moments, in milliseconds.
fn acknowledged_between(run: &Run, from: u64, to: u64) -> usize {
    let within = |at: SimTime| at >= SimTime::ZERO + Span::millis(from) && at < SimTime::ZERO + Span::millis(to);
    acknowledged(run).filter(|write| within(write.completed)).count()
}

/// When a milestone that contains `text` was passed first.
fn milestone(run: &Run, text: &str) -> Option<SimTime> {
    run.milestones.iter().find(|milestone| milestone.text.contains(text)).map(|milestone| milestone.at)
}

#[track_caller]
fn converged(run: &Run) {
    assert!(run.settling.converged_after.is_some(), "not converged: {:#?}", run.milestones);
}

fn secs(at: SimTime) -> f64 {
    at.since(SimTime::ZERO).as_secs_f64()
}
