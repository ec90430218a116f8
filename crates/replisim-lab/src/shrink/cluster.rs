//! A smaller cluster, in which nothing is left to luck that need not be.

use replisim_kernel::{Distribution, Probability, Span};
use replisim_world::spec::{Cluster, DiskSpec, Links, Service};

use super::round::{self, rounder};
use super::search::Search;
use super::{FEW, time};
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

/// By how much faults are shifted, either way, where nothing is left to luck.
const SHIFTS: [Span; 7] = [
    Span::micros(100),
    Span::micros(200),
    Span::micros(500),
    Span::millis(1),
    Span::millis(2),
    Span::millis(5),
    Span::millis(10),
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
    cluster.hosts.shift_remove(host);
    cluster.clocks.shift_remove(host);
    cluster.links.between.retain(|(one, other, _)| one != host && other != host);
    let forgotten = smaller.protocol.without(host).map(|protocol| Scenario { protocol, ..smaller.clone() });
    let proposed = [Some(smaller), forgotten].into_iter().flatten();
    match scenario.cluster.size {
        Some(size) => proposed.filter_map(|smaller| closed_up(smaller, size, host)).collect(),
        None => proposed.collect(),
    }
}

/// Of `size` hosts that are numbered, one less: those above it have the number of the one before them. `None` if anything
/// names the one that goes, for its name would mean another.
fn closed_up(mut scenario: Scenario, size: u16, host: &str) -> Option<Scenario> {
    let name = |number: u16| format!("n{number}");
    let gone = (1..=size).find(|number| name(*number) == host)?;
    if scenario.mentions(host) {
        return None;
    }
    scenario.cluster.size = Some(size - 1);
    if gone == size {
        return Some(scenario);
    }
    scenario.renamed(&|word| (gone + 1..=size).find(|number| name(*number) == word).map(|number| name(number - 1)))
}

/// Makes the cluster a usual one as far as possible. Where nothing was left to luck, nothing is afterwards.
pub(super) fn usual(search: &mut Search<'_>) {
    for usual in USUAL {
        search.change(|scenario| {
            let cluster = &mut scenario.cluster;
            let certain = delays(cluster).into_iter().all(|delay| round::constants(delay).is_empty());
            usual(cluster);
            if certain {
                make_certain(cluster, 0);
            }
        });
    }
}

/// Replaces all delays by constants at once. Then it is not luck any more that a run fails, and an operation less does not
/// change that of the others.
pub(super) fn certain(search: &mut Search<'_>) {
    let proposed = made_certain(search.scenario());
    search.first(proposed);
}

/// The same with faults that strike sooner or later: one that struck just in time by luck does not without it.
pub(super) fn certain_with_other_times(search: &mut Search<'_>) {
    if search.best.run.history.operations.len() > FEW {
        let certain = made_certain(search.scenario());
        let shifts = SHIFTS.into_iter().flat_map(|by| [(by, true), (by, false)]);
        search.first(shifts.flat_map(|(by, later)| certain.iter().map(move |it| time::shifted(it, by, later))));
    }
}

/// The scenario with nothing left to luck, in as many ways as a constant can stand for what is drawn.
fn made_certain(scenario: &Scenario) -> Vec<Scenario> {
    let with = |nth| {
        let mut proposed = scenario.clone();
        make_certain(&mut proposed.cluster, nth).then_some(proposed)
    };
    (0..).map_while(with).collect()
}

/// Replaces what is drawn by what is certain: delays by constants, and these by rounder ones.
pub(super) fn constants(search: &mut Search<'_>) {
    certain(search);
    for nth in 0..delays(&mut search.scenario().cluster.clone()).len() {
        try_all(search, nth, round::constants);
        try_all(search, nth, |delay| {
            let Distribution::Constant(span) = delay else { return Vec::new() };
            let spans = rounder(*span).into_iter().filter(|span| !span.is_zero());
            spans.map(Distribution::Constant).collect()
        });
    }
}

/// Tries every form of the `nth` delay.
fn try_all(search: &mut Search<'_>, nth: usize, forms: fn(&Distribution) -> Vec<Distribution>) {
    let forms = forms(delays(&mut search.scenario().cluster.clone())[nth]);
    search.first_form(forms, |scenario, form| *delays(&mut scenario.cluster)[nth] = form);
}

/// Leaves delays unsaid that nothing in the run takes: the run stays the same.
pub(super) fn unused(search: &mut Search<'_>) {
    for (nth, usual) in delays(&mut Cluster::default()).into_iter().enumerate() {
        let mut proposed = search.scenario().clone();
        *delays(&mut proposed.cluster)[nth] = usual.clone();
        search.accepts_same_run(proposed);
    }
}

/// Everything that takes a time which may be drawn; what every cluster has comes first, then links that are exceptions.
pub(super) fn delays(cluster: &mut Cluster) -> Vec<&mut Distribution> {
    let Cluster { links, disk, service, .. } = cluster;
    let exceptions = links.between.iter_mut().flat_map(|(_, _, link)| link.delay.iter_mut().chain(&mut link.back));
    let usual = [&mut links.same_host, &mut links.same_zone, &mut links.between_zones, &mut links.between_regions];
    let local = [&mut disk.sync, &mut service.operation, &mut service.message];
    usual.into_iter().chain(local).chain(exceptions).collect()
}

/// Puts the `nth` of its constants in place of everything that is drawn, and says whether anything was.
fn make_certain(cluster: &mut Cluster, nth: usize) -> bool {
    let mut changed = false;
    for delay in delays(cluster) {
        if let Some(constant) = round::constants(delay).into_iter().nth(nth) {
            (*delay, changed) = (constant, true);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Source;

    #[test]
    fn the_numbers_of_hosts_close_up_where_nothing_names_the_one_that_goes() {
        let with = |size: u16, last: &str, settings: &str| {
            let clients = format!("clients: [(script: [[(op: Read, reads: Host(\"{last}\"))]])]");
            let faults = format!("faults: [At(\"1ms\", Cut(between: (\"n1, {last}\", \"clients\")))]");
            let text = format!(
                "Scenario(cluster: (size: {size}), protocol: Any({settings}), {clients}, {faults}, run: \"1s\")"
            );
            Scenario::parse(&Source::new("fixture.ron", text)).expect("a scenario")
        };
        let whole = with(3, "n3", r#"relays: { "n3": "n1" }"#);
        assert_eq!(without_host(&whole, "n2"), [with(2, "n2", r#"relays: { "n2": "n1" }"#)]);
        assert_eq!(without_host(&whole, "n1"), [], "a fault names it");
        let forgettable = with(3, "n3", r#"slots: ["n2", "n3"]"#);
        assert_eq!(without_host(&forgettable, "n2"), [with(2, "n2", r#"slots: ["n2"]"#)]);
        assert_eq!(without_host(&with(3, "n2", ""), "n3"), [with(2, "n2", "")]);
        let standbys = |names: &str| format!("synchronous_standby_names: \"ANY 1 ({names})\"");
        let quorum = with(4, "n1", &standbys("n3, n4"));
        assert_eq!(without_host(&quorum, "n2"), [with(3, "n1", &standbys("n2, n3"))]);
        assert_eq!(without_host(&quorum, "n3"), [], "the standbys name it");
    }
}
