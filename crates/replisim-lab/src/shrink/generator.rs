//! Fewer sessions, operations and keys of workloads that could not be spelled out: there the parameters are shrunk.

use replisim_kernel::Span;
use replisim_world::spec::{Arrival, ClientGroup, Keys};

use super::operations::dismiss_groups;
use super::round;
use super::round::shorter;
use super::search::Search;

/// How much slower than before a workload may become in one step.
const SLOWER_MAX: u64 = 100;

/// Makes every workload that is still drawn smaller.
pub(super) fn smaller(search: &mut Search<'_>) {
    dismiss_groups(search);
    for index in 0..search.scenario().clients.len() {
        for forms in [sessions, kinds, keys, arrivals, ends] {
            let group = &search.scenario().clients[index];
            if group.script.is_empty() {
                let forms = forms(group, search.scenario().run);
                search.first_form(forms, |scenario, group| scenario.clients[index] = group);
            }
        }
    }
}

fn sessions(group: &ClientGroup, _: Span) -> Vec<ClientGroup> {
    let counts = round::smaller(u64::from(group.sessions));
    counts.into_iter().map(|count| ClientGroup { sessions: count as u32, ..group.clone() }).collect()
}

/// Without one kind of operation.
fn kinds(group: &ClientGroup, _: Span) -> Vec<ClientGroup> {
    let without = |kind| {
        let mut group = group.clone();
        group.mix.shift_remove(kind);
        group
    };
    group.mix.keys().map(without).collect()
}

fn keys(group: &ClientGroup, _: Span) -> Vec<ClientGroup> {
    let plain = |count| ClientGroup { keys: Keys::Uniform { count }, ..group.clone() };
    match group.keys {
        Keys::Uniform { count } => round::smaller(count).into_iter().map(plain).collect(),
        Keys::Zipf { count, .. } => round::smaller(count + 1).into_iter().map(plain).collect(),
        Keys::PerSession { count } => {
            let keys = round::smaller(count).into_iter().map(|count| Keys::PerSession { count });
            keys.map(|keys| ClientGroup { keys, ..group.clone() }).collect()
        }
        Keys::Fresh => Vec::new(),
    }
}

/// The same operations further apart, the slowest first.
fn arrivals(group: &ClientGroup, _: Span) -> Vec<ClientGroup> {
    let interval = match &group.arrive {
        Arrival::Every(interval) | Arrival::Poisson(interval) => *interval,
        Arrival::Think(_) => return Vec::new(),
    };
    let longer = shorter(interval * SLOWER_MAX, interval + Span::nanos(1)).into_iter().rev();
    longer.map(|interval| ClientGroup { arrive: Arrival::Every(interval), ..group.clone() }).collect()
}

/// The operations from the first on that are enough.
fn ends(group: &ClientGroup, run: Span) -> Vec<ClientGroup> {
    let until = group.until.unwrap_or(run);
    let ends = shorter(until, (until / 1_000).max(group.from + Span::nanos(1)));
    ends.into_iter().map(|until| ClientGroup { until: Some(until), ..group.clone() }).collect()
}
