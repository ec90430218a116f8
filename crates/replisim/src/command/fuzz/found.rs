//! What a campaign found, made small enough to be read, and put where `replay` finds it.

use std::path::Path;

use replisim_history::{FailureGroup, Survey};
use replisim_lab::Scenario;
use replisim_lab::fuzz::{Archive, Cause, Found, Subject, Tally, kind_name};
use replisim_lab::shrink::{Limits, Shrinker};

use crate::command::Failure;
use crate::command::output::write_file;
use crate::command::whereabouts;

/// How many runs each distinct failure may take to shrink.
const RUNS_MAX: u64 = 4_000;

/// How many events these runs may have together: some seconds' worth. A bound on time would depend on the machine.
const EVENTS_MAX: u64 = 40_000_000;

/// How many distinct failures are shrunk: beyond that, one cause probably shows in many shapes.
const SHRUNK_MAX: usize = 8;

/// Shrinks the smallest run of each failure, and keeps its case in the store and beside it.
pub fn shrink(
    survey: &mut Survey,
    subjects: &[Subject<'_>],
    tallies: &[Tally],
    archive: &mut Archive<'_, '_>,
    store: &Path,
) -> Result<(), Failure> {
    for ((surveyed, subject), tally) in survey.subjects.iter_mut().zip(subjects).zip(tallies) {
        for (number, group) in surveyed.failures.iter_mut().enumerate() {
            let cause = Cause { check: group.check, kind: group.kind.clone(), phase: group.phase.clone() };
            let Some(found) = tally.causes.get(&cause) else { continue };
            shrink_one(group, (subject, &cause, found), number < SHRUNK_MAX, archive, store)?;
        }
        surveyed.failures = merged(std::mem::take(&mut surveyed.failures));
    }
    Ok(())
}

/// The failures, those that came down to the same story told once: what the system had been through before turned out not
/// to matter.
fn merged(groups: Vec<FailureGroup>) -> Vec<FailureGroup> {
    let mut kept: Vec<FailureGroup> = Vec::new();
    for group in groups {
        let alike = |other: &&mut FailureGroup| {
            let story =
                |group: &FailureGroup| (group.check, group.kind.clone(), group.struck.clone(), group.operations);
            group.operations.is_some() && story(other) == story(&group)
        };
        match kept.iter_mut().find(alike) {
            None => kept.push(group),
            Some(other) => {
                other.runs += group.runs;
                other.first = other.first.min(group.first);
                other.phase.clear();
            }
        }
    }
    kept.sort_by_key(|group| (group.faults.len(), group.operations));
    kept
}

fn shrink_one(
    group: &mut FailureGroup,
    (_, cause, found): (&Subject<'_>, &Cause, &Found),
    smaller: bool,
    archive: &mut Archive<'_, '_>,
    store: &Path,
) -> Result<(), Failure> {
    let experiment = found.smallest.experiment();
    let affordable = (EVENTS_MAX / found.events.max(1)).clamp(1, RUNS_MAX);
    let limits = Limits { runs: if smaller { affordable } else { 1 }, ..Limits::default() };
    let shrinker = Shrinker::new(&experiment, found.smallest.plan.seed).check(Some(cause.check)).limits(limits);
    // A run that fails no more when it is done again is one of those that are reported as differing.
    let Ok(shrunk) = shrinker.shrink() else {
        group.replay = "its failure did not come again: it draws on chance that the seed does not fix".to_owned();
        return Ok(());
    };
    archive.keep(found.place, cause, &shrunk.case, shrunk.after.faults as u32, shrunk.after.operations as u32);
    group.id = shrunk.case.id();
    if let Ok(scenario) = Scenario::parse(&shrunk.case.source) {
        group.faults = scenario.faults.iter().map(ToString::to_string).collect();
        group.struck = scenario.faults.iter().map(|fault| kind_name(fault.action()).to_owned()).collect();
        group.struck.sort();
    }
    group.operations = Some(shrunk.after.operations as u32);
    group.story = shrunk.case.story.lines().map(str::to_owned).collect();
    group.replay = whereabouts::replay(&group.id, store);
    let folder = whereabouts::cases(store);
    let refuse = |error| Failure::File(format!("cannot make {}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(refuse)?;
    write_file(&folder.join(format!("{}.ron", group.id)), shrunk.case.text().as_bytes())
}

/// An interrupted campaign shrinks nothing.
pub fn left_for_later(survey: &mut Survey) {
    for group in survey.subjects.iter_mut().flat_map(|subject| &mut subject.failures) {
        group.replay = "to be shrunk when the campaign is over: run the same with --resume".to_owned();
    }
}

/// Where nothing is kept, a failure is replayed by its seed, if that stands for all of the run.
pub fn command_only(survey: &mut Survey, tallies: &[Tally]) {
    for (subject, tally) in survey.subjects.iter_mut().zip(tallies) {
        for group in &mut subject.failures {
            let cause = Cause { check: group.check, kind: group.kind.clone(), phase: group.phase.clone() };
            let is_fresh = tally.causes.get(&cause).is_some_and(|found| found.smallest.fresh);
            group.replay = match is_fresh {
                true => format!("replisim run {} --seed {}", subject.name, group.seed),
                false => "the search made its plan up, and without a store no case of it is kept".to_owned(),
            };
        }
    }
}
