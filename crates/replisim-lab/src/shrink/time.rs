//! How long a run takes: it is cut short soon after what goes wrong.

use replisim_history::Check;
use replisim_kernel::Span;
use replisim_world::spec::{ClientGroup, Fault};

use super::round::shorter;
use super::search::Search;
use crate::Scenario;

/// The shortest run that is tried: what is shorter is over before it is answered.
const RUN_MIN: Span = Span::millis(10);

/// How many times sooner everything is tried to happen.
const SOONER: [u64; 3] = [1_000, 100, 10];

/// Cuts the run, and how long it may take to come to rest.
pub(super) fn cut(search: &mut Search<'_>) {
    let run = search.scenario().run;
    let ends = shorter(run, (run / 1_000).max(RUN_MIN)).into_iter();
    let proposed: Vec<Scenario> = ends.filter_map(|run| ending_at(search.scenario(), run)).collect();
    search.first(proposed);
    settle(search);
}

/// Lets everything happen sooner, at the same pace.
pub(super) fn sooner(search: &mut Search<'_>) {
    let run = search.scenario().run;
    let factors = SOONER.into_iter().filter(|factor| run / *factor >= RUN_MIN);
    let proposed: Vec<Scenario> = factors.map(|factor| faster(search.scenario(), factor)).collect();
    search.first(proposed);
}

/// A run that never comes to rest is run until its patience ends; any other stops earlier by itself. Where the replicas'
/// last state decides, less patience would make a case of replicas that are merely late.
fn settle(search: &mut Search<'_>) {
    let impatient = match search.check() {
        Check::NoLostWrites | Check::Convergence => false,
        Check::ReadYourWrites
        | Check::MonotonicReads
        | Check::MonotonicWrites
        | Check::WritesFollowReads
        | Check::CausalOrder
        | Check::FreshReads => search.best.run.settling.converged_after.is_none(),
    };
    if impatient {
        let settle = search.scenario().settle;
        let settled = |settle| Scenario { settle, ..search.scenario().clone() };
        let proposed: Vec<Scenario> = shorter(settle, Span::secs(1)).into_iter().map(settled).collect();
        search.first(proposed);
    }
}

/// The scenario with everything that has a time so many times sooner.
fn faster(scenario: &Scenario, factor: u64) -> Scenario {
    let mut scenario = Scenario { run: scenario.run / factor, ..scenario.clone() };
    for group in &mut scenario.clients {
        group.from = group.from / factor;
        group.until = group.until.map(|until| until / factor);
        group.script.iter_mut().flatten().for_each(|line| line.at = line.at / factor);
    }
    for fault in &mut scenario.faults {
        match fault {
            Fault::At(at, _) => *at = *at / factor,
            Fault::During(from, until, _) => (*from, *until) = (*from / factor, *until / factor),
            Fault::Every(period, length, _) => (*period, *length) = (*period / factor, *length / factor),
            Fault::When(..) | Fault::WhenFor(..) => {}
        }
    }
    scenario
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
