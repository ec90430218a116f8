//! How long a run takes: it is cut short soon after what goes wrong.

use replisim_kernel::Span;
use replisim_world::spec::{ClientGroup, Fault};

use super::round::shorter;
use super::search::Search;
use crate::Scenario;

/// How many times shorter than before a run may become in one step.
const STEP_MAX: u64 = 1_000;

/// Cuts the run, and how long it may take to come to rest.
pub(super) fn cut(search: &mut Search<'_>) {
    let run = search.scenario().run;
    let proposed =
        shorter(run, run / STEP_MAX).into_iter().filter_map(|run| ending_at(search.scenario(), run)).collect();
    search.first(proposed);
    // A run that never comes to rest is run until its patience ends; any other stops earlier by itself.
    if search.best.run.settling.converged_after.is_none() {
        let settle = search.scenario().settle;
        let settled = |settle| Scenario { settle, ..search.scenario().clone() };
        let proposed = shorter(settle, Span::secs(1)).into_iter().map(settled).collect();
        search.first(proposed);
    }
}

/// The scenario with all that begins after `run` left out. `None` if nobody would ask for anything.
fn ending_at(scenario: &Scenario, run: Span) -> Option<Scenario> {
    let clients: Vec<ClientGroup> = scenario.clients.iter().filter_map(|group| group_until(group, run)).collect();
    let faults = scenario.faults.iter().filter_map(|fault| fault_until(fault, run)).collect();
    (!clients.is_empty()).then(|| Scenario { clients, faults, run, ..scenario.clone() })
}

fn group_until(group: &ClientGroup, run: Span) -> Option<ClientGroup> {
    let mut group = group.clone();
    group.script.iter_mut().for_each(|lines| lines.retain(|line| line.at < run));
    group.until = group.until.filter(|until| *until < run);
    (group.from < run).then_some(group)
}

fn fault_until(fault: &Fault, run: Span) -> Option<Fault> {
    match fault {
        Fault::At(at, _) | Fault::Every(at, _, _) => (*at < run).then(|| fault.clone()),
        Fault::During(from, until, action) => {
            (*from < run).then(|| Fault::During(*from, (*until).min(run), action.clone()))
        }
        Fault::When(..) | Fault::WhenFor(..) => Some(fault.clone()),
    }
}
