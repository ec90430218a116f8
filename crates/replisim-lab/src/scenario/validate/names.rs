//! What the names in a scenario can refer to.

use std::collections::BTreeSet;

use replisim_world::server_name;
use replisim_world::spec::{ClientGroup, Cluster};

use crate::scenario::Scenario;

/// Every name there is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Known {
    /// Regions.
    pub regions: Vec<String>,
    /// Zones, with their region: `us-east/a`.
    pub zones: Vec<String>,
    /// Hosts.
    pub hosts: Vec<String>,
    /// Application servers.
    pub servers: Vec<String>,
    /// Processes, as far as the protocol could be assembled.
    pub processes: Vec<String>,
}

impl Known {
    /// The names of a scenario, whether or not all of it makes sense; without those that its protocol gives.
    pub fn of(scenario: &Scenario) -> Self {
        let places = match scenario.cluster.size {
            Some(size) => Known::of_size(size),
            None => Known::of_names(&scenario.cluster),
        };
        Known { servers: server_names(&scenario.clients), ..places }
    }

    fn of_size(size: u16) -> Self {
        Known {
            regions: vec!["local".to_owned()],
            zones: ["local/a", "local/b", "local/c"].map(str::to_owned).to_vec(),
            hosts: (1..=size).map(|number| format!("n{number}")).collect(),
            ..Known::default()
        }
    }

    fn of_names(cluster: &Cluster) -> Self {
        let zones = |(region, zones): (&String, &Vec<String>)| -> Vec<String> {
            zones.iter().map(|zone| format!("{region}/{zone}")).collect()
        };
        Known {
            regions: cluster.regions.keys().cloned().collect(),
            zones: cluster.regions.iter().flat_map(zones).collect(),
            hosts: cluster.hosts.keys().cloned().collect(),
            ..Known::default()
        }
    }

    /// Hosts, zones and regions.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        [&self.hosts, &self.zones, &self.regions].into_iter().flatten().map(String::as_str)
    }

    /// Everything that a fault can strike by its name, none twice: processes often have their hosts' names.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        let hosts: BTreeSet<&String> = self.hosts.iter().collect();
        let others = self.processes.iter().filter(move |process| !hosts.contains(process)).chain(&self.servers);
        self.places().chain(others.map(String::as_str))
    }

    /// Whether a fault can strike something of this name.
    pub fn is_target(&self, name: &str) -> bool {
        let others = self.processes.iter().chain(&self.servers).map(String::as_str);
        self.places().chain(others).any(|target| target == name)
    }
}

/// The application servers of every group. A group with an absurd number of them is reported, not counted out.
fn server_names(clients: &[ClientGroup]) -> Vec<String> {
    let of_group = |(number, group): (usize, &ClientGroup)| {
        let servers = usize::from(group.servers).min(super::clients::SERVERS_MAX as usize);
        (0..servers).map(move |server| server_name(number, server, clients.len())).collect::<Vec<_>>()
    };
    clients.iter().enumerate().take(super::clients::SERVERS_MAX as usize).flat_map(of_group).collect()
}
