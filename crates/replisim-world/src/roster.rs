//! Who is where, and who is alive: what the network and the disks need to know of hosts and processes.

use replisim_history::NodeId;

/// Every node's host and life, and every host's.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    nodes: Vec<Life>,
    hosts: Vec<HostLife>,
}

/// A node's life: an incarnation ends when the process does.
#[derive(Clone, Copy, Debug)]
struct Life {
    host: u16,
    alive: bool,
    incarnation: u32,
}

/// A host's life.
#[derive(Clone, Copy, Debug)]
struct HostLife {
    /// For how many reasons it is down.
    down: u16,
    /// For how many reasons it stands still.
    paused: u16,
    /// How often packets that it had put on the wire were discarded with it.
    wire: u32,
}

impl Roster {
    /// Nodes on the given hosts; hosts up, no process alive yet.
    pub fn new(host_of: &[u16], hosts: usize) -> Self {
        Roster {
            nodes: host_of.iter().map(|&host| Life { host, alive: false, incarnation: 0 }).collect(),
            hosts: vec![HostLife { down: 0, paused: 0, wire: 0 }; hosts],
        }
    }

    /// The host of a node, as an index.
    pub fn host_of(&self, node: NodeId) -> usize {
        usize::from(self.nodes[node.index()].host)
    }

    /// Whether a node's process runs.
    pub fn is_alive(&self, node: NodeId) -> bool {
        self.nodes[node.index()].alive
    }

    /// Whether a node's process runs, and it is this incarnation of it.
    pub fn is_living(&self, node: NodeId, incarnation: u32) -> bool {
        self.is_alive(node) && self.incarnation(node) == incarnation
    }

    /// The number of a node's present (or last) life.
    pub fn incarnation(&self, node: NodeId) -> u32 {
        self.nodes[node.index()].incarnation
    }

    /// Whether a node's host has power.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.hosts[self.host_of(node)].down == 0
    }

    /// Whether a node's host stands still.
    pub fn is_paused(&self, node: NodeId) -> bool {
        self.hosts[self.host_of(node)].paused > 0
    }

    /// How often a node's host has lost what it had put on the wire.
    pub fn wire(&self, node: NodeId) -> u32 {
        self.hosts[self.host_of(node)].wire
    }

    /// Every node on a host.
    pub fn on_host(&self, host: usize) -> impl Iterator<Item = NodeId> {
        let here = move |life: &Life| usize::from(life.host) == host;
        (0u16..).zip(&self.nodes).filter(move |(_, life)| here(life)).map(|(index, _)| NodeId(index))
    }

    /// A process begins a new life.
    pub fn born(&mut self, node: NodeId) -> u32 {
        let life = &mut self.nodes[node.index()];
        life.alive = true;
        life.incarnation += 1;
        life.incarnation
    }

    /// A process ends.
    pub fn died(&mut self, node: NodeId) {
        self.nodes[node.index()].alive = false;
    }

    /// One more reason for a host to be down; its packets on the wire vanish if `discard`.
    pub fn power_off(&mut self, host: usize, discard: bool) {
        self.hosts[host].down += 1;
        self.hosts[host].wire += u32::from(discard);
    }

    /// One reason less for a host to be down. Returns whether it is up now.
    pub fn power_on(&mut self, host: usize) -> bool {
        self.hosts[host].down -= 1;
        self.hosts[host].down == 0
    }

    /// One more reason for a host to stand still.
    pub fn pause(&mut self, host: usize) {
        self.hosts[host].paused += 1;
    }

    /// One reason less for a host to stand still. Returns whether it moves now.
    pub fn resume(&mut self, host: usize) -> bool {
        self.hosts[host].paused -= 1;
        self.hosts[host].paused == 0
    }
}
