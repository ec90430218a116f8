//! The machines: how many, how they are linked, what is wrong with their clocks.

use replisim_world::spec::{Cluster, DiskSpec, Links, Service, Target};

use super::{Code, Diagnostic, Known, Mistakes};

/// The most hosts a cluster has.
const HOSTS_MAX: usize = 1_000;

/// Within which drifts are possible, in parts per million: a clock counts from half to twice the time that passes.
/// One that all but stands still would keep the timers that were set on it long after it is right again.
pub(super) const DRIFT_PPM: std::ops::RangeInclusive<i32> = -500_000..=1_000_000;

/// What is impossible about the cluster, beside what [`replisim_world::spec::Topology::resolve`] finds.
pub(super) fn validate(cluster: &Cluster, known: &Known, mistakes: &mut Mistakes<'_>) {
    let Cluster { size: _, regions: _, hosts, links, disk, service, clocks } = cluster;
    mistakes.at_if(hosts.len() > HOSTS_MAX, "cluster.hosts", || {
        Diagnostic::new(Code::ImpossibleCluster, format!("a cluster has 1 to {HOSTS_MAX} hosts, not {}", hosts.len()))
    });
    check_names(hosts.keys(), known, mistakes);
    check_links(links, known, mistakes);
    check_hardware(disk, service, mistakes);
    let hosts: Vec<&str> = known.hosts.iter().map(String::as_str).collect();
    for (host, clock) in clocks {
        let path = format!("cluster.clocks.{host}");
        if !hosts.contains(&host.as_str()) {
            let mistake = Diagnostic::new(Code::UnknownPlace, format!("unknown host `{host}` in cluster.clocks"));
            let label = format!("hosts are {}", super::listed(&hosts));
            mistakes.at_key(&path, mistake.label(label).did_you_mean(super::nearest(host, hosts.iter().copied())));
        }
        check_drift(&format!("{path}.drift_ppm"), clock.drift_ppm, mistakes);
    }
}

/// A host may not have a name under which faults would find something else.
fn check_names<'h>(hosts: impl Iterator<Item = &'h String>, known: &Known, mistakes: &mut Mistakes<'_>) {
    for host in hosts {
        let plain = host.parse() == Ok(Target::Named(host.clone()));
        mistakes.at_key_if(!plain || known.servers.contains(host), &format!("cluster.hosts.{host}"), || {
            Diagnostic::new(Code::ImpossibleCluster, format!("a host cannot be called `{host}`"))
                .label("faults mean something else by this")
        });
        mistakes.at_key_if(host.contains(char::is_control), &format!("cluster.hosts.{host}"), || {
            Diagnostic::new(Code::ImpossibleCluster, "a host's name with control characters")
                .label("reports and traces have it in a line")
        });
    }
}

/// A clock may be wrong, but it moves, and it moves on.
pub(super) fn check_drift(path: &str, ppm: i32, mistakes: &mut Mistakes<'_>) {
    mistakes.at_if(!DRIFT_PPM.contains(&ppm), path, || {
        Diagnostic::new(Code::ImpossibleCluster, format!("a clock that drifts by {ppm} parts per million"))
            .label(format!("must be from {} to {}", DRIFT_PPM.start(), DRIFT_PPM.end()))
    });
}

fn check_links(links: &Links, known: &Known, mistakes: &mut Mistakes<'_>) {
    let places: Vec<&str> = known.places().collect();
    for (index, (one, other, _)) in links.between.iter().enumerate() {
        for (end, place) in [one, other].into_iter().enumerate() {
            if !places.contains(&place.as_str()) {
                let path = format!("cluster.links.between[{index}][{end}]");
                mistakes.unknown(Code::UnknownPlace, &path, "place", place, &places);
            }
        }
    }
}

fn check_hardware(disk: &DiskSpec, service: &Service, mistakes: &mut Mistakes<'_>) {
    mistakes.at_if(disk.capacity.is_some_and(|capacity| capacity.0 == 0), "cluster.disk.capacity", || {
        Diagnostic::new(Code::ImpossibleCluster, "a disk that holds nothing").label("leave it out for an unlimited one")
    });
    mistakes.at_if(service.cores == 0, "cluster.service.cores", || {
        Diagnostic::new(Code::ImpossibleCluster, "a processor without cores").label("must be at least 1")
    });
}
