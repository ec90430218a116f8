//! A smaller cluster, in which nothing is left to luck that need not be.

use replisim_kernel::{Distribution, Probability};
use replisim_world::spec::{Cluster, DiskSpec, Links, Service};

use super::faults::constant;
use super::round::rounder;
use super::search::Search;
use crate::Scenario;

/// What may be usual about a cluster.
const USUAL: [fn(&mut Cluster); 9] = [
    |cluster| cluster.links = Links::default(),
    |cluster| cluster.links.between.clear(),
    |cluster| cluster.links.burst = None,
    |cluster| cluster.links.bandwidth = None,
    |cluster| cluster.links.loss = Probability::NEVER,
    |cluster| cluster.links.duplicate = Probability::NEVER,
    |cluster| (cluster.links.reorder, cluster.links.reorder_by) = (Probability::NEVER, Links::default().reorder_by),
    |cluster| cluster.disk = DiskSpec::default(),
    |cluster| cluster.service = Service::default(),
];

/// All that takes a time which may be drawn.
const DELAYS: [fn(&mut Cluster) -> &mut Distribution; 7] = [
    |cluster| &mut cluster.links.same_host,
    |cluster| &mut cluster.links.same_zone,
    |cluster| &mut cluster.links.between_zones,
    |cluster| &mut cluster.links.between_regions,
    |cluster| &mut cluster.disk.sync,
    |cluster| &mut cluster.service.operation,
    |cluster| &mut cluster.service.message,
];

/// Leaves out hosts, and the places and clocks that are then of no use.
pub(super) fn fewer(search: &mut Search<'_>) {
    for host in search.best.experiment.topology.hosts.clone().iter().rev() {
        let proposed = without_host(search.scenario(), &host.name);
        search.first(proposed);
    }
    let clocks: Vec<String> = search.scenario().cluster.clocks.keys().cloned().collect();
    for host in clocks {
        search.change(|scenario| {
            scenario.cluster.clocks.shift_remove(&host);
        });
    }
    let zones: Vec<(String, Vec<String>)> = search.scenario().cluster.regions.clone().into_iter().collect();
    for (region, zones) in zones {
        search.change(|scenario| {
            scenario.cluster.regions.shift_remove(&region);
        });
        for zone in zones {
            search.change(|scenario| {
                scenario.cluster.regions.entry(region.clone()).and_modify(|zones| zones.retain(|it| *it != zone));
            });
        }
    }
}

/// The scenario without a host: as it is, and with every mention of it in the protocol's settings taken out. Whether the
/// protocol can do without it, it says itself.
pub(super) fn without_host(scenario: &Scenario, host: &str) -> Vec<Scenario> {
    let mut smaller = scenario.clone();
    let cluster = &mut smaller.cluster;
    match cluster.size {
        Some(size) if host == format!("n{size}") => cluster.size = Some(size - 1),
        Some(_) => return Vec::new(),
        None => {
            cluster.hosts.shift_remove(host);
        }
    }
    cluster.clocks.shift_remove(host);
    cluster.links.between.retain(|(one, other, _)| one != host && other != host);
    let forgotten = smaller.protocol.without(host).map(|protocol| Scenario { protocol, ..smaller.clone() });
    [Some(smaller), forgotten].into_iter().flatten().collect()
}

/// Makes the cluster a usual one as far as possible. Where nothing was left to luck, nothing is afterwards.
pub(super) fn usual(search: &mut Search<'_>) {
    for usual in USUAL {
        search.change(|scenario| {
            let certain = is_certain(&mut scenario.cluster);
            usual(&mut scenario.cluster);
            if certain {
                delays(&mut scenario.cluster).into_iter().for_each(settle);
            }
        });
    }
}

/// Replaces all delays by their medians at once. Then it is not luck any more that a run fails, and an operation less does
/// not change that of the others.
pub(super) fn certain(search: &mut Search<'_>) {
    search.change(|scenario| delays(&mut scenario.cluster).into_iter().for_each(settle));
}

/// Replaces what is drawn by what is usual: delays by their medians, and these by rounder ones.
pub(super) fn constants(search: &mut Search<'_>) {
    certain(search);
    for delay in DELAYS {
        search.change(|scenario| settle(delay(&mut scenario.cluster)));
        let mut cluster = search.scenario().cluster.clone();
        if let Distribution::Constant(span) = delay(&mut cluster) {
            let with = |span| {
                let mut proposed = search.scenario().clone();
                *delay(&mut proposed.cluster) = Distribution::Constant(span);
                proposed
            };
            let proposed: Vec<Scenario> = rounder(*span).into_iter().filter(|span| !span.is_zero()).map(with).collect();
            search.first(proposed);
        }
    }
}

/// Leaves delays unsaid that nothing in the run takes: the run stays the same.
pub(super) fn unused(search: &mut Search<'_>) {
    for delay in DELAYS {
        let mut proposed = search.scenario().clone();
        *delay(&mut proposed.cluster) = delay(&mut Cluster::default()).clone();
        search.accepts_same_run(proposed);
    }
}

/// Everything that takes a time which may be drawn, links that are exceptions included.
fn delays(cluster: &mut Cluster) -> Vec<&mut Distribution> {
    let Cluster { links, disk, service, .. } = cluster;
    let exceptions = links.between.iter_mut().flat_map(|(_, _, link)| link.delay.iter_mut().chain(&mut link.back));
    let usual = [&mut links.same_host, &mut links.same_zone, &mut links.between_zones, &mut links.between_regions];
    let local = [&mut disk.sync, &mut service.operation, &mut service.message];
    usual.into_iter().chain(local).chain(exceptions).collect()
}

fn is_certain(cluster: &mut Cluster) -> bool {
    delays(cluster).into_iter().all(|delay| matches!(delay, Distribution::Constant(_)))
}

fn settle(delay: &mut Distribution) {
    if !matches!(delay, Distribution::Constant(_)) {
        *delay = constant(delay);
    }
}
