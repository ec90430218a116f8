//! The figures of a run that every report shows, worked out once: latency, throughput, lag, staleness, availability.
//!
//! They are over the time of the clients, from the beginning of the run to the heal, so that the quiet phase does not
//! dilute them. Lag and staleness are over the whole run. Quantiles are by nearest rank: each occurred.

use std::collections::BTreeMap;

use replisim_history::check::{StalenessReport, staleness};
use replisim_history::measure::{self, Class, Latencies, Quantile, Window};
use replisim_history::{Reason, Run};
use replisim_kernel::Span;
use serde::{Deserialize, Serialize};

/// What a run cost its clients, and how far its replicas were behind. All lengths of time are in nanoseconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// The time of the clients.
    pub over_ns: u64,
    /// Operations that only read.
    pub reads: Flow,
    /// All others.
    pub writes: Flow,
    /// The same for each region that operations were sent from, by name.
    pub regions: Vec<Region>,
    /// How late each replica applied each record, in the order of the nodes. Without those that applied none.
    pub lag: Vec<Lag>,
    /// How far reads were behind.
    pub staleness: Staleness,
    /// How operations ended.
    pub outcomes: Outcomes,
    /// The longest time from when a write was wanted until one was acknowledged.
    pub downtime_ns: u64,
}

/// A class of operations that were answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// How many.
    pub answered: u64,
    /// How many in a second, cut after three places.
    pub per_second: f64,
    /// From the moment each was meant to begin to its answer; `None` if there were none.
    pub latency: Option<Quantiles>,
}

/// A region's share in the traffic.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Region {
    /// Its name.
    pub region: String,
    /// Operations that only read.
    pub reads: Flow,
    /// All others.
    pub writes: Flow,
}

/// How late a replica was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lag {
    /// Its name.
    pub node: String,
    /// How many records it applied.
    pub records: u64,
    /// From a record's arrival in the log of the node in charge to its effect here.
    pub behind: Quantiles,
}

/// How far reads were behind what had been acknowledged before they began.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Staleness {
    /// How many reads missed something.
    pub stale: u64,
    /// How many reads it is known of.
    pub of: u64,
    /// How many reads it is not known of.
    pub unknown: u64,
    /// By how much time, over all of them, where a fresh read is behind by nothing; `None` if there were none.
    pub behind: Option<Quantiles>,
    /// By how many versions at most.
    pub versions_behind_max: u64,
}

/// Some figures out of many, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quantiles {
    /// The middle.
    pub median_ns: u64,
    /// One in a hundred is larger.
    pub p99_ns: u64,
    /// One in a thousand is larger.
    pub p999_ns: u64,
    /// The largest.
    pub max_ns: u64,
}

/// How the operations of the clients ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcomes {
    /// How many there were, or should have been.
    pub operations: u64,
    /// How many ended well.
    pub ok: u64,
    /// How many certainly did not happen, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Of how many nobody knows, by reason.
    pub unknown: BTreeMap<String, u64>,
    /// How many were due and never began, for their session was busy until the clients stopped.
    pub never_begun: u64,
}

impl Figures {
    /// The figures of `run`.
    pub fn of(run: &Run) -> Self {
        let window = Window::of_clients(run);
        let flow = |class| Flow::new(&measure::latencies(run, window, class), window);
        Figures {
            over_ns: window.length().as_nanos(),
            reads: flow(Class::Reads),
            writes: flow(Class::Writes),
            regions: regions(run, window),
            lag: run.nodes.iter().filter_map(|node| Lag::of(run, &node.name)).collect(),
            staleness: Staleness::new(&staleness(&run.history)),
            outcomes: Outcomes::new(&measure::outcomes(run, window)),
            downtime_ns: measure::downtime(run, window).as_nanos(),
        }
    }
}

fn regions(run: &Run, window: Window) -> Vec<Region> {
    let [reads, writes] = [Class::Reads, Class::Writes].map(|class| measure::latencies_by_region(run, window, class));
    let mut names: Vec<&String> = reads.keys().chain(writes.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let none = Latencies::default();
    let flow = |class: &BTreeMap<String, Latencies>, name: &String| Flow::new(class.get(name).unwrap_or(&none), window);
    let region =
        |name: &String| Region { region: name.clone(), reads: flow(&reads, name), writes: flow(&writes, name) };
    names.into_iter().map(region).collect()
}

impl Flow {
    fn new(latencies: &Latencies, window: Window) -> Self {
        let answered = latencies.count() as u64;
        Flow { answered, per_second: per_second(answered, window.length()), latency: Quantiles::new(latencies) }
    }
}

/// Cut after three places, by whole numbers, so that it is the same everywhere.
fn per_second(number: u64, time: Span) -> f64 {
    let thousandths = u128::from(number) * 1_000_000_000_000 / u128::from(time.as_nanos().max(1));
    thousandths as f64 / 1e3
}

impl Lag {
    fn of(run: &Run, node: &str) -> Option<Self> {
        let behind = measure::lag(run, node)?;
        Some(Lag { node: node.to_owned(), records: behind.count() as u64, behind: Quantiles::new(&behind)? })
    }
}

impl Staleness {
    fn new(report: &StalenessReport) -> Self {
        let behind = |quantile| report.time_behind(quantile);
        Staleness {
            stale: report.stale.len() as u64,
            of: report.reads.len() as u64,
            unknown: report.unknown.len() as u64,
            behind: Quantiles::of_each(behind, report.worst().map_or(Span::ZERO, |read| read.behind.time_behind)),
            versions_behind_max: report.stale.iter().map(|read| read.behind.versions_behind).max().unwrap_or(0),
        }
    }
}

impl Quantiles {
    fn new(spans: &Latencies) -> Option<Self> {
        Quantiles::of_each(|quantile| spans.quantile(quantile), spans.max()?)
    }

    fn of_each(quantile: impl Fn(Quantile) -> Option<Span>, max: Span) -> Option<Self> {
        Some(Quantiles {
            median_ns: quantile(Quantile::MEDIAN)?.as_nanos(),
            p99_ns: quantile(Quantile::P99)?.as_nanos(),
            p999_ns: quantile(Quantile::P999)?.as_nanos(),
            max_ns: max.as_nanos(),
        })
    }
}

impl Outcomes {
    fn new(outcomes: &measure::Outcomes) -> Self {
        let by_reason = |counts: &BTreeMap<Reason, u64>| {
            counts.iter().map(|(reason, count)| (reason.to_string(), *count)).collect::<BTreeMap<_, _>>()
        };
        let mut unknown = by_reason(&outcomes.indeterminate);
        if outcomes.open > 0 {
            unknown.insert("still open".to_owned(), outcomes.open);
        }
        Outcomes {
            operations: outcomes.in_all(),
            ok: outcomes.ok,
            failed: by_reason(&outcomes.failed),
            unknown,
            never_begun: outcomes.never_begun,
        }
    }
}
