//! A campaign's tallies as plain data for reports.

use std::collections::BTreeSet;

use replisim_history::{Cell, Check, CheckTally, DivergenceInfo, FailureGroup, Replay, SubjectSurvey, Survey};

use super::attempt::Attempt;
use super::cause::Cause;
use super::subject::Subject;
use super::tally::{FoundCause, Tally};
use super::twice::Divergence;
use crate::scenario::{Edit, Expected, Outline, Source};
use crate::store::Mark;
use crate::{Catalog, Experiment, Scenario};

/// What a campaign came to, if it was not broken off. What failed or differed has neither a case nor a command yet, for
/// nobody has kept it: see [`FailureGroup::replay`].
pub fn survey(subjects: &[Subject<'_>], tallies: &[Tally], seed_start: u64) -> Survey {
    let surveyed = subjects.iter().zip(tallies).map(|(subject, tally)| surveyed(subject, tally, seed_start));
    Survey { subjects: surveyed.collect(), known: Vec::new(), interrupted: false }
}

/// The marks of a check that could be decided.
const DECIDED: [Mark; 4] = [Mark::Kept, Mark::Lucky, Mark::Anomaly, Mark::Broken];

/// The marks of a check that is violated.
const VIOLATED: [Mark; 2] = [Mark::Anomaly, Mark::Broken];

fn surveyed(subject: &Subject<'_>, tally: &Tally, seed_start: u64) -> SubjectSurvey {
    let experiment = subject.base();
    let checks = experiment.scenario.checks_made().into_iter().enumerate();
    let mut failures: Vec<_> = tally.causes.iter().collect();
    failures.sort_by_key(|(_, found)| (found.smallest.plan.faults.len(), found.events));
    SubjectSurvey {
        name: subject.name().to_owned(),
        system: experiment.system(),
        swarm: subject.swarm().is_some(),
        runs: tally.runs,
        fresh: tally.fresh,
        failing: tally.failing,
        events: tally.events,
        seed_start,
        checks: checks
            .map(|(place, check)| CheckTally {
                check,
                kept: tally.count(place, Mark::Kept),
                lucky: tally.count(place, Mark::Lucky),
                anomalies: tally.count(place, Mark::Anomaly),
                broken: tally.count(place, Mark::Broken),
                undecided: tally.count(place, Mark::Undecided),
                fresh_decided: DECIDED.iter().map(|mark| tally.count_fresh(place, *mark)).sum(),
                fresh_violated: VIOLATED.iter().map(|mark| tally.count_fresh(place, *mark)).sum(),
            })
            .collect(),
        failures: failures.into_iter().map(|(cause, found)| group(subject, cause, found)).collect(),
        at_most: tally.at_most(),
        cells: tally.cells.len() as u64,
        // One that always goes the same way has no business anywhere else.
        never_reached: match experiment.scenario.swarm {
            Some(_) => never_reached(experiment.states(), &tally.cells),
            None => Vec::new(),
        },
        never_struck: never_struck(tally),
        never_violated: never_violated(experiment, tally),
        twice: tally.twice,
        differing: tally.differing,
        divergences: tally.divergences.values().map(diverged).collect(),
    }
}

fn group(subject: &Subject<'_>, cause: &Cause, found: &FoundCause) -> FailureGroup {
    let attempt: &Attempt = &found.smallest;
    let knobs = subject.edits(&attempt.knobs).into_iter().map(|edit| format!("{}={}", edit.path, edit.value));
    FailureGroup {
        check: cause.check,
        kind: cause.kind.clone(),
        phase: cause.phase.clone(),
        also: Vec::new(),
        runs: found.runs,
        first: found.first,
        seed: attempt.plan.seed,
        fresh: attempt.fresh,
        plan: attempt.digest().to_string(),
        knobs: knobs.collect(),
        knobs_left: None,
        faults: attempt.plan.faults.iter().map(ToString::to_string).collect(),
        struck: Vec::new(),
        operations: None,
        id: String::new(),
        case: None,
        story: Vec::new(),
        replay: Replay::Untold,
    }
}

/// Those of some knobs, written as edits, that a scenario has where they were.
pub fn knobs_left(knobs: &[String], source: &Source, catalog: &Catalog) -> Vec<String> {
    let Ok(scenario) = Scenario::parse(source) else { return Vec::new() };
    let outline = Outline::of(&source.text);
    let says = |knob: &&String| {
        let edit = knob.parse::<Edit>().ok().filter(|edit| outline.find(&edit.path).is_some());
        let edited = edit.and_then(|edit| Experiment::edit(source, &[edit], catalog).ok());
        edited.is_some_and(|edited| Scenario::parse(&edited).is_ok_and(|edited| edited == scenario))
    };
    knobs.iter().filter(says).cloned().collect()
}

fn diverged(divergence: &Divergence) -> DivergenceInfo {
    let Divergence { attempt, event, one, other, remembered } = divergence;
    DivergenceInfo {
        seed: attempt.plan.seed,
        fresh: attempt.fresh,
        plan: attempt.digest().to_string(),
        id: String::new(),
        case: None,
        replay: Replay::Untold,
        event: *event,
        one: one.clone(),
        other: other.clone(),
        remembered: *remembered,
    }
}

/// The states that no replica was in, in any cell.
fn never_reached(states: &[&str], cells: &BTreeSet<Cell>) -> Vec<String> {
    let reached = |state: u8| cells.iter().any(|cell| cell.state == state || cell.replicas_in(state) > 0);
    (0..).zip(states).filter(|(state, _)| !reached(*state)).map(|(_, name)| (*name).to_owned()).collect()
}

fn never_violated(experiment: &Experiment, tally: &Tally) -> Vec<Check> {
    if tally.runs == 0 {
        return Vec::new();
    }
    let expected = |check: &Check| experiment.scenario.expect.get(check) == Some(&Expected::Violated);
    let never = |(place, check): (usize, Check)| (tally.count(place, Mark::Anomaly) == 0).then_some(check);
    experiment.scenario.checks_made().into_iter().enumerate().filter_map(never).filter(expected).collect()
}

fn never_struck(tally: &Tally) -> Vec<String> {
    tally.planned.difference(tally.struck).iter().map(|kind| kind.name().to_owned()).collect()
}
