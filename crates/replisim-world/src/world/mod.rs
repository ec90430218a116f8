//! A whole run as one value.
//!
//! The world conducts: it takes the earliest event from the queue, moves time, hands the event to whom it concerns, and
//! settles what comes back. The parts that decide (network, disks, clocks, clients, faults) own their state and know
//! nothing of each other.
//!
//! ```text
//!  queue ─▶ step ─▶ dispatch ─▶ Process::on ─▶ settle ─▶ network · disk · client ─▶ queue
//!                                                 └────▶ recorder
//! ```
//!
//! | file | its part |
//! |---|---|
//! | `mod.rs` | the world's state, its beginning, its steps, its end |
//! | `dispatch.rs` | an input reaches a process; its effects are carried out |
//! | `converse.rs` | sessions send operations and take answers |
//! | `life.rs` | processes begin and end, and hosts lose power and come back |
//! | `strike.rs` | faults begin, go on and end: `aim.rs` finds whom they mean, `sever.rs` cuts links, `operate.rs` gives orders |
//! | `rest.rs` | the heal, the quiet phase, convergence |
//! | `coverage.rs` | which states met which faults, if anybody wants to know |
//! | `watchdog.rs` | what a run may come to before it is taken to have no end |

mod aim;
mod converse;
mod coverage;
mod dispatch;
mod life;
mod operate;
mod rest;
mod sever;
mod strike;
#[cfg(test)]
mod tests;
mod watchdog;

use std::fmt;
use std::sync::Arc;

use replisim_history::{NodeId, NodeInfo, Run, SessionInfo, Settling};
use replisim_kernel::{Concern, Digest, Queue, SimTime, Span, Stream};

use self::coverage::Coverage;
use self::watchdog::Watchdog;
use crate::client::{CLIENT, Clients};
use crate::disk::DISK;
use crate::event::{Entry, Event, Parcel};
use crate::fault::{FAULT, Injector};
use crate::machine::{CPU, Machine};
use crate::network::{LINK, Network, Streams};
use crate::node::{NODE, Node};
use crate::process::{Effect, Process, Role, View};
use crate::protocol::Member;
use crate::recorder::Recorder;
use crate::roster::Roster;
use crate::spec::{ClientGroup, Cluster, Fault, Host, Topology};

/// Everything that a run is made of, but for its seed.
#[derive(Clone, Debug)]
pub struct Blueprint<P: Process> {
    /// The machines.
    pub cluster: Cluster,
    /// The machines, resolved.
    pub topology: Topology,
    /// The processes, in the order of their addresses.
    pub members: Vec<Member<P>>,
    /// The clients.
    pub clients: Vec<ClientGroup>,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
    /// How long clients act and faults strike.
    pub run: Span,
    /// How long the system may take to come to rest after that.
    pub settle: Span,
    /// Whether every event is written down.
    pub trace: bool,
}

/// A run under way. Clone it and both copies go on identically.
#[derive(Clone, Debug)]
pub struct World<P: Process> {
    now: SimTime,
    seed: u64,
    queue: Queue<Entry<P>>,
    nodes: Vec<Node<P>>,
    machines: Vec<Machine>,
    roster: Roster,
    network: Network,
    streams: Streams<Parcel<P>>,
    clients: Clients,
    injector: Injector,
    recorder: Recorder,
    /// Where the run has been, if that is watched.
    coverage: Option<Coverage>,
    phase: Phase,
    watchdog: Watchdog,
    /// Who became leader last.
    last_leader: Option<NodeId>,
    /// Whom the runbook of a failover promoted last.
    heir: Option<NodeId>,
    /// How often an operator has ordered somebody to lead.
    promotions: u32,
    /// Of each node the revision of its data, if it has any, once all faults have ended.
    revisions: Vec<Option<u64>>,
    /// When one of these was another one last.
    changed: SimTime,
    /// When all has arrived that was sent until the heal.
    delivered: SimTime,
    layout: Arc<Layout>,
    /// Effects of the handler that runs now; empty between events.
    effects: Vec<Effect<P>>,
    /// Whose handler runs now.
    running: Option<NodeId>,
}

/// What does not change in a run.
#[derive(Debug)]
struct Layout {
    topology: Topology,
    nodes: Vec<NodeInfo>,
    names: Arc<[String]>,
    replicas: Vec<NodeId>,
    first_server: NodeId,
    run: Span,
    settle: Span,
}

/// A concern that no stream of a run under way is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownConcern(pub Concern);

impl fmt::Display for UnknownConcern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a run under way draws nothing for `{}`", self.0)
    }
}

impl std::error::Error for UnknownConcern {}

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Clients act and faults strike.
    Acting,
    /// All faults have ended; the system comes to rest.
    Settling { since: SimTime },
    /// Nothing more happens.
    Over { settling: Settling },
}

impl<P: Process> World<P> {
    /// The run of `blueprint` that `seed` stands for, at its beginning.
    pub fn new(blueprint: Blueprint<P>, seed: u64) -> Self {
        let mut world = World::laid_out(blueprint, seed);
        world.begin();
        world
    }

    /// The same before any process has started, for whoever wants to have a world even if one of them panics at that.
    /// Then comes [`World::begin`].
    pub fn laid_out(blueprint: Blueprint<P>, seed: u64) -> Self {
        let layout = Arc::new(Layout::of(&blueprint));
        let host_of: Vec<u16> = layout.nodes.iter().map(|node| layout.host_index(&node.host) as u16).collect();
        let cluster = &blueprint.cluster;
        let hosts = &layout.topology.hosts;
        let stream = |concern, entity| Stream::derive(seed, concern, entity as u64, 0);
        let machine = |(i, host)| Machine::new(cluster, host, |concern| stream(concern, i));
        World {
            now: SimTime::ZERO,
            seed,
            queue: Queue::new(),
            machines: hosts.iter().enumerate().map(machine).collect(),
            roster: Roster::new(&host_of, hosts.len()),
            streams: Streams::new(host_of.len()),
            network: Network::new(cluster, &layout.topology, host_of, seed),
            clients: Clients::new(&blueprint.clients, layout.first_server, seed),
            injector: Injector::new(&blueprint.faults, &layout.replicas, seed),
            recorder: Recorder::new(layout.names.clone(), blueprint.trace),
            nodes: (0..).zip(blueprint.members).map(|(i, m)| Node::new(m.config, m.starts, stream(NODE, i))).collect(),
            coverage: None,
            phase: Phase::Acting,
            watchdog: Watchdog::default(),
            last_leader: None,
            heir: None,
            promotions: 0,
            revisions: Vec::new(),
            changed: SimTime::ZERO,
            delivered: SimTime::ZERO,
            layout,
            effects: Vec::new(),
            running: None,
        }
    }

    /// True time in the run.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The fingerprint of all that happened so far.
    pub fn fingerprint(&self) -> Digest {
        self.recorder.digest()
    }

    /// How many events were handled.
    pub fn events(&self) -> u64 {
        self.recorder.events
    }

    /// What an observer may know of a node; `None` while it is down.
    pub fn view(&self, node: NodeId) -> Option<View> {
        self.nodes.get(node.index())?.process.as_ref().map(Process::view)
    }

    /// A node's process, while it lives.
    pub fn process(&self, node: NodeId) -> Option<&P> {
        self.nodes.get(node.index())?.process.as_ref()
    }

    /// Everyone who may have a process.
    pub fn processes(&self) -> impl Iterator<Item = NodeId> + use<P> {
        (0..self.nodes.len() as u16).map(NodeId)
    }

    /// Whose handler runs now, or was interrupted by a panic.
    pub fn running(&self) -> Option<NodeId> {
        self.running
    }

    /// What clients have done and seen so far.
    pub fn history(&self) -> &replisim_history::History {
        &self.recorder.history
    }

    /// Handles the next event. Returns false once the run is over.
    #[inline]
    pub fn step(&mut self) -> bool {
        if let Phase::Over { .. } = self.phase {
            return false;
        }
        if watchdog::is_due(self.recorder.events) {
            self.check_progress();
        }
        let Some(next) = self.queue.pop() else {
            self.end();
            return false;
        };
        self.now = next.at;
        self.recorder.cause = next.event.cause;
        self.recorder.events += 1;
        self.handle(next.event.event);
        if !self.injector.armed.is_empty() {
            self.pull_triggers();
        }
        true
    }

    /// Handles every event up to and including `until`, and lets time pass until then. Returns false once the run is over.
    pub fn run_until(&mut self, until: SimTime) -> bool {
        self.advance_until(until, u64::MAX)
    }

    /// The same, but handles no more than so many events.
    pub fn advance_until(&mut self, until: SimTime, events: u64) -> bool {
        let most = self.recorder.events.saturating_add(events);
        while self.recorder.events < most && self.queue.next_at().is_some_and(|at| at <= until) {
            if !self.step() {
                return false;
            }
        }
        if let Phase::Over { .. } = self.phase {
            return false;
        }
        if self.recorder.events < most && until.is_reached() {
            self.now = self.now.max(until);
        }
        true
    }

    /// Draws everything that `concern` decides from now on from other streams, named by `salt`. The concerns are
    /// `link`, `disk`, `cpu`, `node`, `client` and `fault`; `client` covers `pace`, and what `swarm` decides was decided
    /// before the run began.
    ///
    /// # Errors
    /// If the world draws nothing for `concern`. It then goes on as it would have.
    pub fn reseed(&mut self, concern: Concern, salt: u64) -> Result<(), UnknownConcern> {
        let stream = |entity: usize| Stream::derive(self.seed, concern, entity as u64, salt);
        match concern {
            LINK => self.network.reseed(salt),
            CLIENT => self.clients.reseed(salt),
            NODE => self.nodes.iter_mut().enumerate().for_each(|(i, node)| node.chance = stream(i)),
            DISK => self.machines.iter_mut().enumerate().for_each(|(i, machine)| machine.disk.reseed(stream(i))),
            CPU => self.machines.iter_mut().enumerate().for_each(|(i, machine)| machine.processor.reseed(stream(i))),
            FAULT => self.injector.reseed(self.seed, salt),
            _ => return Err(UnknownConcern(concern)),
        }
        Ok(())
    }

    /// What is left of the run, at its end or wherever it is.
    pub fn into_run(mut self) -> Run {
        self.break_off();
        let Phase::Over { settling } = self.phase else { unreachable!("the run has just been ended") };
        let sessions = self.clients.sessions.iter();
        Run {
            seed: self.seed,
            fingerprint: self.recorder.digest(),
            events: self.recorder.events,
            simulated: self.now.since(SimTime::ZERO),
            nodes: self.layout.nodes.clone(),
            sessions: sessions.map(|session| SessionInfo { server: session.home(), group: session.group }).collect(),
            faults: self.injector.outcome(self.now),
            coverage: self.coverage.into_iter().flat_map(Coverage::into_cells).collect(),
            trace: self.recorder.take_trace(),
            milestones: self.recorder.milestones,
            history: self.recorder.history,
            never_begun: self.recorder.never_begun,
            lags: self.recorder.lags,
            settling,
        }
    }

    /// Starts the processes, the sessions and the plan: once, and before the first step.
    pub fn begin(&mut self) {
        for node in 0..self.nodes.len() {
            if self.nodes[node].starts {
                self.boot(NodeId(node as u16));
            }
        }
        for server in self.nodes.len()..self.layout.nodes.len() {
            self.roster.born(NodeId(server as u16));
        }
        let leader = self.layout.replicas.iter().find(|node| self.view(**node).is_some_and(|v| v.role == Role::Leader));
        self.clients.introduce(leader.copied());
        // The leader that is there from the start was not elected.
        self.recorder.elections = 0;
        for (at, event) in self.injector.beginnings().collect::<Vec<_>>() {
            self.schedule(at, Event::Fault(event));
        }
        self.first_turns();
        self.schedule(SimTime::ZERO + self.layout.run, Event::Heal);
    }

    #[inline]
    fn handle(&mut self, event: Event<P>) {
        match event {
            Event::Datagram { from, to, wire, message } => self.datagram_arrives(from, to, wire, message),
            Event::Stream(signal) => self.stream_signals(signal),
            Event::Handle { node, incarnation, input } => self.processor_reaches(node, incarnation, input),
            Event::Unpark { node, incarnation } => self.unpark(node, incarnation),
            Event::Timer { node, incarnation, timer, setting } => self.timer_fires(node, incarnation, timer, setting),
            Event::Synced { node, incarnation, sync, lied } => self.sync_completes(node, incarnation, sync, lied),
            Event::DiskFailed { node, incarnation, error } => self.disk_fails(node, incarnation, error),
            Event::Turn { session } => self.session_turns(session),
            Event::Retry { session, ordinal, attempt } => self.session_retries(session, ordinal, attempt),
            Event::Timeout { session } => self.session_times_out(session),
            Event::Fault(event) => self.fault_moves(event),
            Event::Heal => self.heal(),
            Event::Look => self.look(),
        }
    }

    /// Puts an event into the queue, caused by what happens now.
    #[inline(always)]
    fn schedule(&mut self, at: SimTime, event: Event<P>) {
        let cause = self.recorder.cause;
        self.queue.push(at, Entry { cause, event });
    }
}

impl Layout {
    fn of<P: Process>(blueprint: &Blueprint<P>) -> Self {
        let mut topology = blueprint.topology.clone();
        let mut nodes: Vec<NodeInfo> = Vec::new();
        for member in &blueprint.members {
            nodes.push(info(&topology, &member.name, member.host, member.replica));
        }
        for (number, group) in blueprint.clients.iter().enumerate() {
            for server in 0..group.servers {
                let name = server_name(number, usize::from(server), blueprint.clients.len());
                let host = place_server(&mut topology, &name, &group.at);
                nodes.push(info(&topology, &name, host, false));
            }
        }
        let replicas = (0..).zip(&blueprint.members).filter(|(_, member)| member.replica);
        Layout {
            names: nodes.iter().map(|node| node.name.clone()).collect(),
            replicas: replicas.map(|(index, _)| NodeId(index)).collect(),
            first_server: NodeId(blueprint.members.len() as u16),
            topology,
            nodes,
            run: blueprint.run,
            settle: blueprint.settle,
        }
    }

    fn host_index(&self, name: &str) -> usize {
        self.topology.host(name).expect("every node stands on a host of the topology")
    }
}

/// `app1`, `app2`, … of a single group of clients; `app1.1`, `app2.1`, … of several.
pub fn server_name(group: usize, server: usize, groups: usize) -> String {
    match groups {
        1 => format!("app{}", server + 1),
        _ => format!("app{}.{}", group + 1, server + 1),
    }
}

/// The host of an application server: the cluster's host that is named, or a new one in the zone or region.
fn place_server(topology: &mut Topology, name: &str, at: &str) -> usize {
    if let Some(host) = topology.host(at) {
        return host;
    }
    let zone = topology.zone_of(at).unwrap_or(0);
    topology.hosts.push(Host { name: name.to_owned(), zone });
    topology.hosts.len() - 1
}

fn info(topology: &Topology, name: &str, host: usize, replica: bool) -> NodeInfo {
    let Host { name: host_name, zone } = &topology.hosts[host];
    NodeInfo {
        name: name.to_owned(),
        host: host_name.clone(),
        zone: topology.zones[*zone].name.clone(),
        region: topology.regions[topology.zones[*zone].region].clone(),
        replica,
    }
}
