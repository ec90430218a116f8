//! The resolved cluster: hosts by number, each in a zone and a region.

use super::Cluster;
use crate::protocol::Problem;

/// Who stands where. Hosts come in the order of the scenario.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Topology {
    /// Names of regions.
    pub regions: Vec<String>,
    /// Every zone.
    pub zones: Vec<Zone>,
    /// Every host.
    pub hosts: Vec<Host>,
}

/// A zone: what fails together less often than a host and more often than a region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    /// Its full name: `us-east/a`.
    pub name: String,
    /// Its region, as an index.
    pub region: usize,
}

/// A host: what loses power together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its zone, as an index.
    pub zone: usize,
}

impl Topology {
    /// The topology of a cluster, or everything that is wrong with it.
    pub fn resolve(cluster: &Cluster) -> Result<Self, Vec<Problem>> {
        match cluster.size {
            Some(size) => Topology::of_size(cluster, size),
            None => Topology::of_names(cluster),
        }
    }

    /// `n1` to `n<size>`, each in a zone of its own as far as the letters a, b and c go.
    fn of_size(cluster: &Cluster, size: u16) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        if !cluster.hosts.is_empty() || !cluster.regions.is_empty() {
            problems.push(Problem::new("cluster.size", "a cluster has either a size or named regions and hosts"));
        }
        if size == 0 || size > 1_000 {
            problems.push(Problem::new("cluster.size", format!("a cluster has 1 to 1000 hosts, not {size}")));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let zones = ["a", "b", "c"].map(|zone| Zone { name: format!("local/{zone}"), region: 0 }).to_vec();
        let hosts = (0..usize::from(size)).map(|i| Host { name: format!("n{}", i + 1), zone: i % 3 }).collect();
        Ok(Topology { regions: vec!["local".to_owned()], zones, hosts })
    }

    fn of_names(cluster: &Cluster) -> Result<Self, Vec<Problem>> {
        let mut topology = Topology::default();
        let mut problems = Vec::new();
        for (index, (region, zones)) in cluster.regions.iter().enumerate() {
            topology.regions.push(region.clone());
            if zones.is_empty() {
                problems.push(Problem::new(format!("cluster.regions.{region}"), "a region has at least one zone"));
            }
            topology.zones.extend(zones.iter().map(|zone| Zone { name: format!("{region}/{zone}"), region: index }));
        }
        if cluster.hosts.is_empty() {
            problems.push(Problem::new("cluster.hosts", "a cluster has at least one host: give `hosts`, or a `size`"));
        }
        for (name, place) in &cluster.hosts {
            match topology.zone_of(place) {
                Some(zone) => topology.hosts.push(Host { name: name.clone(), zone }),
                // That it has no zones is said already.
                None if cluster.regions.contains_key(place) => {}
                None => problems.push(topology.unknown_place(name, place)),
            }
        }
        if problems.is_empty() { Ok(topology) } else { Err(problems) }
    }

    /// The zone that a place names: itself, or a region's first.
    pub fn zone_of(&self, place: &str) -> Option<usize> {
        let region = self.regions.iter().position(|region| region == place);
        self.zones.iter().position(|zone| zone.name == place || Some(zone.region) == region)
    }

    /// The host called `name`.
    pub fn host(&self, name: &str) -> Option<usize> {
        self.hosts.iter().position(|host| host.name == name)
    }

    /// The region of a host, as an index.
    pub fn region_of(&self, host: usize) -> usize {
        self.zones[self.hosts[host].zone].region
    }

    fn unknown_place(&self, host: &str, place: &str) -> Problem {
        let zones: Vec<&str> = self.zones.iter().map(|zone| zone.name.as_str()).collect();
        Problem {
            accepted: Some(format!("zones are {}", zones.join(", "))),
            ..Problem::new(format!("cluster.hosts.{host}"), format!("unknown zone `{place}`"))
        }
    }
}
