//! What a campaign found, made small enough to be read, and put where `replay` finds it.

use std::num::NonZero;
use std::path::Path;

use replisim_history::{Broken, FailureGroup, KnownFailure, Replay, Survey};
use replisim_lab::fuzz::{Archive, Cause, FoundCause, Ledger, Tally, knobs_left};
use replisim_lab::shrink::{EndedBy, Limits, NothingToShrink, Shrinker, Shrunk};
use replisim_lab::{Case, Catalog, Scenario};
use replisim_report::survey::HIDDEN_CHANCE;

use crate::command::Failure;
use crate::command::distinct::{Gist, distinct, kinds};
use crate::command::interrupt::interrupted;
use crate::command::output::write_case;
use crate::command::progress::Progress;
use crate::command::whereabouts;
use crate::shell::command;

/// How many runs each distinct failure may take to shrink.
const RUNS_MAX: u64 = 4_000;

/// How many events these runs would have together if each had as many as the original: some seconds' worth. A bound on time
/// would depend on the machine.
const EVENTS_MAX: u64 = 40_000_000;

/// How many stories of a scenario are told: beyond that, one cause probably shows in many shapes.
const STORIES_MAX: usize = 8;

/// How many distinct failures of a scenario are shrunk for that: many come down to the same story.
const SHRUNK_MAX: usize = 3 * STORIES_MAX;

/// How a run is done again of which there is no case: by the name of its subject, its seed, and whether that alone stands
/// for its plan.
pub type Again<'k> = &'k dyn Fn(&str, u64, bool) -> Replay;

/// Where what was found is kept.
pub struct Keeping<'k, 's, 'c> {
    /// The protocols that the cases are of.
    pub catalog: &'k Catalog,
    /// The store, if there is one.
    pub archive: Option<&'k mut Archive<'s, 'c>>,
    /// Beside which store the cases are.
    pub store: &'k Path,
    /// What is told in place of a case that cannot be written.
    pub again: Again<'k>,
    /// Whether runs are made smaller first.
    pub shrinking: bool,
    /// How many of these runs are done side by side.
    pub jobs: NonZero<usize>,
}

/// Writes a case to its file in the folder beside a store, and returns the name of that and the command that replays it: by
/// its id, unless another run's case is called by that alone.
fn keep_case(store: &Path, id: &str, text: &str) -> Result<(String, Replay), Failure> {
    let file = Case::place(&whereabouts::cases(store), id, text);
    write_case(&file, text)?;
    let name = file.display().to_string();
    let replay = match file.file_stem().is_some_and(|stem| stem == id) {
        true => replay(id, store),
        false => Replay::Command(command("replay", &name)),
    };
    Ok((name, replay))
}

/// The command that replays a case by its id.
fn replay(id: &str, store: &Path) -> Replay {
    Replay::Command(whereabouts::replay(id, store))
}

impl Keeping<'_, '_, '_> {
    /// Keeps a case of each failure: its smallest run, shrunk. Where a file cannot be written, the others are all the same.
    pub fn keep(&mut self, survey: &mut Survey, tallies: &[Tally]) -> Result<(), Failure> {
        let progress = Progress::shrinking(survey.failures());
        let mut kept = Ok(());
        for (surveyed, tally) in survey.subjects.iter_mut().zip(tallies) {
            let (mut told, mut stories) = (Vec::new(), Vec::new());
            for (number, mut group) in std::mem::take(&mut surveyed.failures).into_iter().enumerate() {
                progress.next();
                let cause = Cause { check: group.check, kind: group.kind.clone(), phase: group.phase.clone() };
                let enough = number >= SHRUNK_MAX || stories.len() >= STORIES_MAX;
                let smaller = !enough && self.shrinking && !interrupted();
                let found = tally.causes.get(&cause);
                let case = found.and_then(|found| self.make_case(&mut group, &cause, found, smaller));
                if let Some(gist) = gist(&group).filter(|gist| !stories.contains(gist)) {
                    stories.push(gist);
                }
                told.push((group, case.unwrap_or_default()));
                progress.done();
            }
            for (mut group, case) in merged(told) {
                if !case.is_empty() {
                    match keep_case(self.store, &group.id, &case) {
                        Ok((file, replay)) => (group.case, group.replay) = (Some(file), replay),
                        Err(failure) => {
                            self.tell_without_case(&mut group, &surveyed.name);
                            kept = kept.and(Err(failure));
                        }
                    }
                }
                surveyed.failures.push(group);
            }
        }
        progress.finish();
        kept
    }

    /// The text of a failure's case, made smaller first if it is to be: none, if the failure did not come again, or is left
    /// to be shrunk by whoever resumes the campaign.
    fn make_case(
        &mut self,
        group: &mut FailureGroup,
        cause: &Cause,
        found: &FoundCause,
        smaller: bool,
    ) -> Option<String> {
        let case = match smaller.then(|| self.shrink(cause, found)) {
            // A run that fails no more when it is done again is one of those that are reported as differing.
            Some(Err(_)) => {
                group.replay = Replay::NoCommand(format!(
                    "its failure did not come again: the code has changed since the run was remembered, or {HIDDEN_CHANCE}"
                ));
                return None;
            }
            Some(Ok(shrunk)) if shrunk.ended_by != Some(EndedBy::Stopped) => {
                self.put_down(group, cause, found, &shrunk);
                shrunk.case
            }
            // What is shrunk in part would be another case each time.
            Some(Ok(_)) | None if self.archive.is_some() && interrupted() => {
                group.replay = later(self.store);
                return None;
            }
            Some(Ok(_)) | None => found.smallest.case(),
        };
        group.id = case.id();
        group.replay = replay(&group.id, self.store);
        Some(case.text())
    }

    /// Says how a failure is found again whose case could not be written. A store has the case, too.
    fn tell_without_case(&self, group: &mut FailureGroup, subject: &str) {
        if self.archive.as_ref().is_none_or(|archive| archive.is_broken()) {
            group.id.clear();
            group.replay = (self.again)(subject, group.seed, group.fresh);
        }
    }

    fn shrink(&self, cause: &Cause, found: &FoundCause) -> Result<Shrunk, NothingToShrink> {
        let (attempt, experiment) = (&found.smallest, found.smallest.experiment());
        let runs = (EVENTS_MAX / found.events.max(1)).clamp(1, RUNS_MAX);
        let limits = Limits { runs, jobs: self.jobs };
        let shrinker = Shrinker::new(&experiment, attempt.plan.seed).drawn(attempt.drawn().len());
        shrinker.check(Some(cause.check)).limits(limits).watch(&|_| !interrupted()).shrink()
    }

    /// Puts down what a failure was shrunk to.
    fn put_down(&mut self, group: &mut FailureGroup, cause: &Cause, found: &FoundCause, shrunk: &Shrunk) {
        if let Some(archive) = &mut self.archive {
            archive.keep(found.place, cause, shrunk);
        }
        if let Ok(scenario) = Scenario::parse(&shrunk.case.source) {
            group.faults = scenario.faults.iter().map(ToString::to_string).collect();
            group.struck = kinds(&scenario);
        }
        group.knobs_left = Some(knobs_left(&group.knobs, &shrunk.case.source, self.catalog));
        group.operations = Some(shrunk.after.operations as u32);
        group.story = shrunk.case.story.lines().map(str::to_owned).collect();
    }
}

/// Keeps the case of what failed before and fails still: the store drops it once it finds a smaller one. What this campaign
/// has `found` may have been shrunk to a run that comes out the same, whose case is there already.
pub fn keep_known(known: &mut KnownFailure, case: &str, found: &Survey, store: &Path) -> Result<(), Failure> {
    // The store has it, too.
    known.replay = replay(&known.id, store);
    let own = found.subjects.iter().filter(|subject| subject.name == known.subject);
    let mut written = own.flat_map(|subject| &subject.failures).filter(|group| group.case.is_some());
    (known.case, known.replay) = match written.find(|group| group.id == known.id) {
        Some(same) => (same.case.clone(), same.replay.clone()),
        None => keep_case(store, &known.id, case).map(|(file, replay)| (Some(file), replay))?,
    };
    Ok(())
}

/// Keeps a case of each plan that is told of which two runs differed: no seed stands for one that the search has made up.
/// Where a file cannot be written, the others are all the same.
pub fn keep_differing(survey: &mut Survey, tallies: &[Tally], store: &Path, again: Again<'_>) -> Result<(), Failure> {
    let mut kept = Ok(());
    for (surveyed, tally) in survey.subjects.iter_mut().zip(tallies) {
        for (told, divergence) in surveyed.divergences.iter_mut().zip(tally.divergences.values()) {
            let case = divergence.case();
            match keep_case(store, &case.id(), &case.text()) {
                Ok((file, replay)) => {
                    (told.id, told.case, told.replay) = (case.id(), Some(file), replay);
                }
                Err(failure) => {
                    told.replay = again(&surveyed.name, told.seed, told.fresh);
                    kept = kept.and(Err(failure));
                }
            }
        }
    }
    kept
}

/// The failures with their cases, the smallest case first, and of as many faults what was shrunk. Those that came down to
/// the same story are told once, and those that came down to the same run as one that breaks several checks.
fn merged(mut told: Vec<(FailureGroup, String)>) -> Vec<(FailureGroup, String)> {
    // What was not shrunk has as many operations as it happens to have.
    let size =
        |(group, case): &(FailureGroup, String)| (group.faults.len(), group.operations.unwrap_or(u32::MAX), case.len());
    told.sort_by(|one, other| size(one).cmp(&size(other)).then_with(|| one.1.cmp(&other.1)));
    let told = distinct(
        told,
        |(group, _)| gist(group),
        |(one, _), (other, _)| {
            one.runs += other.runs;
            one.first = one.first.min(other.first);
            one.phase.clear();
        },
    );
    let run = |(group, _): &(FailureGroup, String)| Some(group.id.clone()).filter(|id| !id.is_empty());
    distinct(told, run, |(one, _), (other, _)| {
        one.also.push(Broken { check: other.check, kind: other.kind, runs: other.runs });
    })
}

/// What a failure's story is made of, if it was shrunk.
fn gist(group: &FailureGroup) -> Option<Gist> {
    let (check, kind) = (group.check.name().to_owned(), group.kind.clone());
    Some(Gist { check, kind, struck: group.struck.clone(), operations: group.operations? })
}

/// What is said in place of a command of what is to be shrunk yet. The store has it as it was found.
fn later(store: &Path) -> Replay {
    let show = whereabouts::campaign("show", store);
    Replay::NoCommand(format!("not shrunk yet: --resume does that; `{show}` has a case to replay now"))
}

/// An interrupted campaign shrinks nothing.
pub fn left_for_later(survey: &mut Survey, store: &Path) {
    for group in survey.subjects.iter_mut().flat_map(|subject| &mut subject.failures) {
        group.replay = later(store);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Arc;

    use replisim_lab::Experiment;
    use replisim_lab::fuzz::{Attempt, DIVERGENCES_MAX, Divergence, Place, Subject, survey};
    use replisim_lab::scenario::Source;

    use super::*;
    use crate::command::whereabouts::Where;
    use crate::shell::quoted;

    const SCENARIO: &str = r#"Scenario(
        cluster: (size: 3),
        protocol: LeaderFollower(),
        clients: [(sessions: 2, arrive: Every("20ms"))],
        run: "200ms",
        swarm: (longest: "100ms"),
    )"#;

    #[test]
    fn a_plan_of_which_two_runs_differed_has_a_case() {
        let folder = std::env::temp_dir().join(format!("replisim-differing-{}", std::process::id()));
        let store = folder.join("campaign.db");
        let catalog = Catalog::standard();
        let source = Source::new("it.ron".to_owned(), SCENARIO.to_owned());
        let subjects =
            [Subject::prepare(&source, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))];
        let mut tally = Tally::new(0);
        for seed in 1..=2 * DIVERGENCES_MAX as u32 {
            let attempt = Arc::new(Attempt::fresh(&subjects[0], seed.into()));
            let (one, other) = ("this".to_owned(), "that".to_owned());
            let divergence = Divergence { attempt, event: 1, one, other, remembered: false };
            tally.add_twice(Place { subject: 0, lot: 0, place: seed }, Some(divergence));
        }
        let tallies = [tally];
        let mut survey = survey(&subjects, &tallies, 1);
        keep_differing(&mut survey, &tallies, &store, &|_, _, _| Replay::Untold).expect("cases can be written");

        let told = &survey.subjects[0].divergences;
        assert_eq!((told.len(), survey.subjects[0].untold()), (DIVERGENCES_MAX, DIVERGENCES_MAX as u64));
        for told in told {
            let case = Case::read(Path::new(told.case.as_deref().expect("a file"))).expect("it is a case");
            assert_eq!((case.id(), case.seed), (told.id.clone(), told.seed));
            let Replay::Command(command) = &told.replay else { panic!("{:?}", told.replay) };
            assert!(command.starts_with(&format!("replisim replay {} --store ", told.id)), "{command}");
            assert_eq!(Where::parse(&told.id).read(Some(&store)).expect("it is found").case.text(), case.text());
        }
        fs::remove_dir_all(folder).expect("what was written can be removed");
    }

    #[test]
    fn an_id_means_the_case_that_is_called_by_it_alone() {
        let folder = std::env::temp_dir().join(format!("replisim-twins-{}", std::process::id()));
        let store = folder.join("campaign.db");
        let source = Source::new("it.ron".to_owned(), SCENARIO.to_owned());
        let experiment = Experiment::prepare(&source, &Catalog::standard());
        let experiment = experiment.unwrap_or_else(|report| panic!("{}", report.render(false)));
        let case = Case::of(&experiment, None, &experiment.run(1, None, false).run);
        let twin =
            |most: u32| case.text().replace("LeaderFollower()", &format!("LeaderFollower(connections_max: {most})"));
        let texts = [case.text(), twin(9_998), twin(9_999)];
        let keep = |text: &String| keep_case(&store, &case.id(), text).expect("it can be written");
        let kept = texts.each_ref().map(keep);
        for ((file, replay), text) in kept.iter().zip(&texts) {
            assert_eq!(&fs::read_to_string(file).unwrap(), text);
            let Replay::Command(command) = replay else { panic!("{replay:?}") };
            let by_id = text == &case.text();
            assert_eq!(*command != format!("replisim replay {}", quoted(file)), by_id, "{command}");
        }
        assert_eq!(Where::parse(&case.id()).read(Some(&store)).expect("it is found").case.text(), case.text());
        assert_eq!(texts.each_ref().map(keep), kept, "each is its own still");
        fs::write(&kept[1].0, "Case(seed: ").unwrap();
        assert_eq!(keep(&texts[2]).0, kept[1].0, "what is no case has no run");
        fs::remove_dir_all(folder).expect("what was written can be removed");
    }

    #[test]
    fn a_case_that_was_edited_is_kept() {
        let folder = std::env::temp_dir().join(format!("replisim-edited-{}", std::process::id()));
        let store = folder.join("campaign.db");
        let source = Source::new("it.ron".to_owned(), SCENARIO.to_owned());
        let experiment = Experiment::prepare(&source, &Catalog::standard());
        let experiment = experiment.unwrap_or_else(|report| panic!("{}", report.render(false)));
        let case = Case::of(&experiment, None, &experiment.run(1, None, false).run);
        let write = |text: &str| keep_case(&store, &case.id(), text).expect("cases can be written").0;
        let file = PathBuf::from(write(&case.text()));
        let retold = Case { story: "The same, told otherwise.".to_owned(), ..case.clone() };
        write(&retold.text());
        assert_eq!(fs::read_dir(whereabouts::cases(&store)).unwrap().count(), 1, "it is of the same run");
        for (number, edited) in [retold.text().replace("200ms", "300ms"), "Case(seed: 1".to_owned()].iter().enumerate()
        {
            fs::write(&file, edited).unwrap();
            write(&case.text());
            assert_eq!(fs::read_to_string(&file).unwrap(), case.text());
            let kept = file.with_extension(format!("ron.before-{}", number + 1));
            assert_eq!(&fs::read_to_string(kept).unwrap(), edited);
            assert_eq!(Where::parse(&case.id()).read(Some(&store)).expect("it is found").case.text(), case.text());
        }
        fs::remove_dir_all(folder).expect("what was written can be removed");
    }
}
