//! The network: links with their delays and faults, cuts of every shape, datagrams, and streams as TCP gives them.

mod channel;
mod link;
mod stream;

use replisim_history::NodeId;
use replisim_kernel::{Concern, Distribution, Sampler, SimTime, Span, Stream};

pub(crate) use link::{Change, Fate};
pub(crate) use stream::{Agenda, Signal, Streams, Surroundings, Upcall};

use link::{Link, Path};

use crate::spec::{Cluster, LinkSpec, Topology};

/// The stream of chance of each link.
pub(crate) const LINK: Concern = Concern::new("link");

/// All links between all nodes, and which of them are cut.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    seed: u64,
    salt: u64,
    host_count: usize,
    /// For each node, its host.
    hosts: Vec<u16>,
    /// For each pair of hosts, the number of the path between them.
    path_between: Vec<u16>,
    paths: Vec<Path>,
    /// For each pair of nodes, the link from the first to the second, once it was used.
    links: Vec<Option<Box<Link>>>,
    /// For each pair of nodes, how many cuts lie between them; empty until there is one.
    cuts: Vec<u16>,
    /// How many cuts there are at present. Mostly there is none, and nothing to look up.
    cuts_in_force: u32,
}

impl Network {
    /// The network of `cluster` between nodes on `hosts` (indices into the topology).
    pub fn new(cluster: &Cluster, topology: &Topology, hosts: Vec<u16>, seed: u64) -> Self {
        let count = topology.hosts.len();
        let mut network = Network {
            seed,
            salt: 0,
            host_count: count,
            links: vec![None; hosts.len() * hosts.len()],
            hosts,
            path_between: Vec::with_capacity(count * count),
            paths: Vec::new(),
            cuts: Vec::new(),
            cuts_in_force: 0,
        };
        let mut known: Vec<(bool, Distribution, LinkSpec)> = Vec::new();
        for from in 0..count {
            for to in 0..count {
                let loopback = from == to;
                let delay = default_delay(cluster, topology, from, to);
                let key = (loopback, delay, exception(cluster, topology, from, to));
                let number = known.iter().position(|other| *other == key).unwrap_or_else(|| {
                    network.paths.push(path(cluster, &key.1, &key.2, loopback));
                    known.push(key);
                    known.len() - 1
                });
                network.path_between.push(number as u16);
            }
        }
        network
    }

    /// Decides the fate of a packet sent now from one node to another, whether or not there is a cut between them.
    #[inline]
    pub fn fate(&mut self, now: SimTime, from: NodeId, to: NodeId, bytes: u32) -> Fate {
        let at = self.pair(from, to);
        let Some(link) = &mut self.links[at] else {
            self.open(from, to);
            return self.fate(now, from, to, bytes);
        };
        let path = &self.paths[link.path()];
        link.fate(path, now, bytes)
    }

    /// Whether a cut keeps packets of `from` from reaching `to`.
    #[inline]
    pub fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        self.cuts_in_force > 0 && self.cuts[self.pair(from, to)] > 0
    }

    /// Puts one more cut between two nodes, in this direction. Cuts add up; each needs its own [`Network::mend`].
    pub fn cut(&mut self, from: NodeId, to: NodeId) {
        if self.cuts.is_empty() {
            self.cuts = vec![0; self.links.len()];
        }
        let at = self.pair(from, to);
        self.cuts[at] += 1;
        self.cuts_in_force += 1;
    }

    /// Takes one cut away.
    pub fn mend(&mut self, from: NodeId, to: NodeId) {
        let at = self.pair(from, to);
        self.cuts[at] -= 1;
        self.cuts_in_force -= 1;
    }

    /// The link in this direction, to put a fault on it.
    pub fn link(&mut self, from: NodeId, to: NodeId) -> &mut Link {
        self.open(from, to)
    }

    /// The usual delay from one node to another.
    pub fn usual_delay(&self, from: NodeId, to: NodeId) -> Span {
        self.paths[self.path_number(from, to)].delay.typical()
    }

    /// Lets all packets from now on meet another luck.
    pub fn reseed(&mut self, salt: u64) {
        self.salt = salt;
        let nodes = self.hosts.len();
        for (at, link) in self.links.iter_mut().enumerate() {
            if let Some(link) = link {
                link.reseed(Stream::derive(
                    self.seed,
                    LINK,
                    entity(NodeId((at / nodes) as u16), NodeId((at % nodes) as u16)),
                    salt,
                ));
            }
        }
    }

    #[cold]
    fn open(&mut self, from: NodeId, to: NodeId) -> &mut Link {
        let at = self.pair(from, to);
        let path = self.path_number(from, to) as u16;
        let (seed, salt) = (self.seed, self.salt);
        let stream = || Stream::derive(seed, LINK, entity(from, to), salt);
        self.links[at].get_or_insert_with(|| Box::new(Link::new(path, stream())))
    }

    fn path_number(&self, from: NodeId, to: NodeId) -> usize {
        let (from, to) = (usize::from(self.hosts[from.index()]), usize::from(self.hosts[to.index()]));
        usize::from(self.path_between[from * self.host_count + to])
    }

    #[inline]
    fn pair(&self, from: NodeId, to: NodeId) -> usize {
        from.index() * self.hosts.len() + to.index()
    }
}

/// The name of a link's stream: by its two addresses, not by its place in a table.
fn entity(from: NodeId, to: NodeId) -> u64 {
    u64::from(from.0) << 16 | u64::from(to.0)
}

/// The delay between two hosts where no exception says otherwise.
fn default_delay(cluster: &Cluster, topology: &Topology, from: usize, to: usize) -> Distribution {
    let links = &cluster.links;
    let same_zone = topology.hosts[from].zone == topology.hosts[to].zone;
    let same_region = topology.region_of(from) == topology.region_of(to);
    match (from == to, same_zone, same_region) {
        (true, _, _) => links.same_host.clone(),
        (_, true, _) => links.same_zone.clone(),
        (_, _, true) => links.between_zones.clone(),
        _ => links.between_regions.clone(),
    }
}

/// What the most specific exception says of two hosts, turned to this direction; nothing for a host and itself.
fn exception(cluster: &Cluster, topology: &Topology, from: usize, to: usize) -> LinkSpec {
    if from == to {
        return LinkSpec::default();
    }
    let best = cluster.links.between.iter().filter_map(|(a, b, spec)| {
        let forward = rank(topology, from, a).zip(rank(topology, to, b)).map(|(x, y)| (x.min(y), false));
        let backward = rank(topology, from, b).zip(rank(topology, to, a)).map(|(x, y)| (x.min(y), true));
        forward.or(backward).map(|(rank, reversed)| (rank, reversed, spec))
    });
    match best.max_by_key(|(rank, _, _)| *rank) {
        Some((_, true, spec)) => LinkSpec { delay: spec.back.clone().or_else(|| spec.delay.clone()), ..spec.clone() },
        Some((_, false, spec)) => spec.clone(),
        None => LinkSpec::default(),
    }
}

/// How specifically `place` names a host: as itself 2, as its zone 1, as its region 0.
fn rank(topology: &Topology, host: usize, place: &str) -> Option<u8> {
    let Topology { regions, zones, hosts } = topology;
    let zone = &zones[hosts[host].zone];
    [&regions[zone.region], &zone.name, &hosts[host].name].iter().rposition(|name| *name == place).map(|r| r as u8)
}

/// The path between two hosts. From a host to itself nothing is lost and no bandwidth is used up.
fn path(cluster: &Cluster, delay: &Distribution, exception: &LinkSpec, loopback: bool) -> Path {
    let links = &cluster.links;
    let delay = Sampler::new(exception.delay.as_ref().unwrap_or(delay));
    if loopback {
        return Path { delay, ..Path::perfect() };
    }
    Path {
        delay,
        loss: exception.loss.unwrap_or(links.loss),
        burst: links.burst,
        duplicate: links.duplicate,
        reorder: links.reorder,
        reorder_by: links.reorder_by,
        bandwidth: exception.bandwidth.or(links.bandwidth),
    }
}
