//! How long a run takes: it is cut short soon after what goes wrong.

use std::collections::BTreeSet;

use replisim_kernel::Span;
use replisim_world::spec::{ClientGroup, Fault};

use super::round::{digits, shorter};
use super::search::Search;
use crate::Scenario;
use crate::scenario::default_settle;

/// The shortest run that is tried: what is shorter is over before it is answered.
const RUN_MIN: Span = Span::millis(10);

/// By which factors everything is sped up.
const SOONER: [u64; 3] = [1_000, 100, 10];

/// The most moments of a scenario between which time is taken out.
const MOMENTS_MAX: usize = 24;

/// The pauses that are tried in place of a longer one.
const GAPS: [Span; 5] = [Span::ZERO, Span::millis(1), Span::millis(10), Span::millis(100), Span::secs(1)];

/// Cuts the run, and how long it may take to come to rest.
pub(super) fn cut(search: &mut Search<'_>) {
    let run = search.scenario().run;
    let ends = shorter(run, (run / 1_000).max(RUN_MIN)).into_iter();
    let proposed: Vec<Scenario> = ends.filter_map(|run| ending_at(search.scenario(), run)).collect();
    search.first(proposed);
    shorten_settle(search);
}

/// Lets everything happen sooner, at the same pace.
pub(super) fn sooner(search: &mut Search<'_>) {
    let run = search.scenario().run;
    let factors = SOONER.into_iter().filter(|factor| run / *factor >= RUN_MIN);
    search.first_form(factors, speed_up);
}

/// Takes out time in which nothing is done: all that comes after it happens earlier by the same amount.
pub(super) fn closer(search: &mut Search<'_>) {
    let count = instants(search.scenario()).len();
    if count > MOMENTS_MAX {
        return;
    }
    for nth in 0..count {
        let scenario = search.scenario();
        let instants = instants(scenario);
        let Some(at) = instants.get(nth).copied() else { return };
        let gap = at.saturating_sub(nth.checked_sub(1).map_or(Span::ZERO, |before| instants[before]));
        // Times that take longer to write would be rounded again, and so on for ever.
        let written = |scenario: &Scenario| -> usize { instants_of(scenario).into_iter().map(digits).sum() };
        let most = written(scenario);
        let proposed = GAPS.into_iter().filter(|left| *left < gap).map(|left| without_gap(scenario, at, gap - left));
        let proposed: Vec<Scenario> = proposed.filter(|proposed| written(proposed) <= most).collect();
        search.first(proposed);
    }
}

/// The scenario with all that happens at `at` or later so much earlier.
fn without_gap(scenario: &Scenario, at: Span, by: Span) -> Scenario {
    let mut scenario = scenario.clone();
    for moment in moments(&mut scenario).into_iter().filter(|moment| **moment >= at) {
        *moment = *moment - by;
    }
    scenario
}

/// When anything is done, each instant once, ascending.
fn instants(scenario: &Scenario) -> Vec<Span> {
    instants_of(scenario).into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

fn instants_of(scenario: &Scenario) -> Vec<Span> {
    moments(&mut scenario.clone()).into_iter().map(|moment| *moment).collect()
}

/// Every instant that a scenario names: when operations and faults begin, and when they end.
fn moments(scenario: &mut Scenario) -> Vec<&mut Span> {
    let mut moments = Vec::new();
    for ClientGroup { from, until, script, .. } in &mut scenario.clients {
        moments.push(from);
        moments.extend(until);
        moments.extend(script.iter_mut().flatten().map(|line| &mut line.at));
    }
    moments.extend(fault_moments(&mut scenario.faults));
    moments
}

/// When faults begin and end, where they say so.
fn fault_moments(faults: &mut [Fault]) -> Vec<&mut Span> {
    let mut moments = Vec::new();
    for fault in faults {
        match fault {
            Fault::At(at, _) => moments.push(at),
            Fault::During(from, until, _) => moments.extend([from, until]),
            Fault::Every(..) | Fault::When(..) | Fault::WhenFor(..) => {}
        }
    }
    moments
}

/// The scenario with every fault that names its times so much sooner or later.
pub(super) fn shifted(scenario: &Scenario, by: Span, later: bool) -> Scenario {
    let mut scenario = scenario.clone();
    for moment in fault_moments(&mut scenario.faults) {
        *moment = if later { *moment + by } else { moment.saturating_sub(by) };
    }
    scenario
}

/// A run that never comes to rest is run until its patience ends; any other stops earlier by itself. So patience costs the
/// smallest run nothing as long as it comes to rest. What is smaller still may not, and would be given up for its many
/// events of waiting: so there is little patience from the beginning. Where the replicas' last state decides, that would
/// make a case of replicas that are merely late.
fn shorten_settle(search: &mut Search<'_>) {
    if !search.check().asks_for_the_end() {
        let settles = shorter(search.scenario().settle, Span::secs(1));
        search.first_form(settles, |scenario, settle| scenario.settle = settle);
    }
}

/// Leaves the patience unsaid that the run does not need.
pub(super) fn unused(search: &mut Search<'_>) {
    search.accepts_same_run(Scenario { settle: default_settle(), ..search.scenario().clone() });
}

/// Has everything that has a time happen so many times sooner.
fn speed_up(scenario: &mut Scenario, factor: u64) {
    scenario.run = scenario.run / factor;
    for moment in moments(scenario) {
        *moment = *moment / factor;
    }
    for fault in &mut scenario.faults {
        match fault {
            Fault::Every(period, length, _) => (*period, *length) = (*period / factor, *length / factor),
            Fault::At(..) | Fault::During(..) | Fault::When(..) | Fault::WhenFor(..) => {}
        }
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

/// A fault of a run that ends then; `None` if it begins no sooner.
pub(super) fn fault_until(fault: &Fault, run: Span) -> Option<Fault> {
    match fault {
        Fault::At(at, _) | Fault::Every(at, _, _) => (*at < run).then(|| fault.clone()),
        Fault::During(from, until, action) => {
            (*from < run).then(|| Fault::During(*from, (*until).min(run), action.clone()))
        }
        Fault::When(..) | Fault::WhenFor(..) => Some(fault.clone()),
    }
}
