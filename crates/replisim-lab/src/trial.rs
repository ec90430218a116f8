//! A scenario under many seeds, on all cores: what a `#[test]` calls.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, fs, io, iter, thread};

use crate::fuzz::Subject;
use crate::scenario::Source;
use crate::shell::quoted;
use crate::shrink::Shrinker;
use crate::{Case, Catalog, JudgedRun, atomic_file, cores};

/// A scenario and the seeds to run it under. A seed turns the knobs of the scenario's swarm as `replisim run --seed` does.
///
/// Each run is judged by itself, as `replisim run` judges it: a broken promise, a missed expectation, a measure out of its
/// bounds or a check that could not be decided fails the trial at one seed. No run is done twice.
///
/// ```no_run
/// # use replisim_lab::{Catalog, Trial};
/// Trial::of("scenarios/mine.ron", &Catalog::standard()).seeds(0..1_000).hold();
/// ```
pub struct Trial<'c> {
    subject: Subject<'c>,
    seeds: Range<u64>,
}

/// A seed under which a run did not come out as it should.
#[derive(Clone, Debug)]
pub struct FailedSeed {
    /// The seed.
    pub seed: u64,
    /// What happened.
    pub outcome: JudgedRun,
}

/// What is said below the commands: a test is not the program, and does not know what that is called.
const OR_YOURS: &str = "(with your own program in place of replisim, if the protocol is yours)";

impl<'c> Trial<'c> {
    /// A trial of the scenario in this file, under its first hundred seeds.
    ///
    /// # Panics
    /// With a diagnostic, if the scenario cannot be run.
    #[track_caller]
    pub fn of(path: &str, catalog: &'c Catalog) -> Self {
        match Source::read(path.as_ref()).and_then(|source| Subject::prepare(&source, catalog)) {
            Ok(subject) => Trial { subject, seeds: 0..100 },
            Err(report) => panic!("{}", report.render(false)),
        }
    }

    /// The same trial under other seeds.
    ///
    /// # Panics
    /// If there is none among them: a trial without a run would pass whatever the scenario says.
    #[track_caller]
    pub fn seeds(self, seeds: Range<u64>) -> Self {
        assert!(!seeds.is_empty(), "no seed to run: {seeds:?} has none");
        Trial { seeds, ..self }
    }

    /// Runs under every seed, on all cores, and returns the failures in the order of their seeds: whatever the number
    /// of cores, the result is the same.
    pub fn failures(&self) -> Vec<FailedSeed> {
        let mut failures = self.failing(|failure| failure);
        failures.sort_by_key(|failure| failure.seed);
        failures
    }

    /// Runs under every seed and demands that each comes out as it should.
    ///
    /// # Panics
    /// If one does not, naming the smallest seed, what was wrong, and the command that runs it again. If a check was
    /// violated that should not have been, the run is shrunk first, and the panic shows the [`Case`] and the
    /// command that replays it. Its file is written into the folder that the environment's `REPLISIM_CASES` names, so that
    /// a build server can keep it, or else into the folder for temporary files: a test that fails should leave nothing
    /// behind in the sources.
    #[track_caller]
    pub fn hold(&self) {
        let failing = self.failing(|failure| failure.seed);
        if let Some(first) = failing.iter().min() {
            let (count, of) = (failing.len(), self.seeds.end - self.seeds.start);
            let first = FailedSeed { seed: *first, outcome: self.run(*first) };
            panic!("{count} of {of} seeds failed. {}{}", self.tell(&first), self.shrunk(&first).unwrap_or_default());
        }
    }

    /// Runs under every seed, on all cores, and returns what `keep` keeps of each failure, in no order.
    fn failing<T: Send>(&self, keep: impl Fn(FailedSeed) -> T + Sync) -> Vec<T> {
        let seeds = Mutex::new(self.seeds.clone());
        let next = || seeds.lock().expect("nobody panics while they take a seed").next();
        let fails = |seed| {
            let outcome = self.run(seed);
            (!outcome.judgement.is_fine()).then(|| keep(FailedSeed { seed, outcome }))
        };
        let work = || iter::from_fn(next).filter_map(fails).collect::<Vec<T>>();
        let workers = cores().get();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("a run does not panic")).collect()
        })
    }

    /// What happens under a seed.
    fn run(&self, seed: u64) -> JudgedRun {
        let (_, variant) = self.subject.turned(seed);
        variant.experiment.run(seed, None, false)
    }

    /// The failure as a shrunk case, with where it was written; `None` if it is of no check that was violated.
    fn shrunk(&self, failure: &FailedSeed) -> Option<String> {
        let wrong = failure.outcome.judgement.checks.iter().filter(|it| !it.standing.is_fine()).map(|it| it.check);
        let (_, variant) = self.subject.turned(failure.seed);
        let shrink = |check| Shrinker::new(&variant.experiment, failure.seed).check(Some(check)).shrink().ok();
        let case = wrong.into_iter().find_map(shrink)?.case;
        let text = case.text();
        let told = match write_case(&case, Path::new(self.subject.name())) {
            Ok((file, kept)) => {
                let kept = kept.map(|kept| format!("what stood there is {} now\n  ", kept.display()));
                format!("{}replisim replay {}", kept.unwrap_or_default(), quoted(&file.display().to_string()))
            }
            Err(error) => format!("it could not be written to a file: {error}"),
        };
        let luck = match case.seed == failure.seed {
            true => String::new(),
            false => format!("Made smaller, it fails in the same way under another seed, {}:\n\n", case.seed),
        };
        Some(format!("\n\n{luck}{text}\n  {told}"))
    }

    fn tell(&self, failure: &FailedSeed) -> String {
        let wrong = failure.outcome.judgement.checks.iter().filter(|it| !it.standing.is_fine());
        let wrong: Vec<String> = wrong.map(|it| format!("{}: {}", it.check, it.standing.in_words())).collect();
        let outside = failure.outcome.judgement.measures.iter().filter(|it| !it.within);
        let outside = outside.map(|it| format!("{} out of bounds", it.name));
        let all: Vec<String> = wrong.into_iter().chain(outside).collect();
        let (seed, file) = (failure.seed, quoted(self.subject.name()));
        format!("The first is {seed} ({})\n  replisim run {file} --seed {seed}\n  {OR_YOURS}", all.join(", "))
    }
}

/// Writes a case where cases of failed tests go, and returns its file, and that of what was edited there.
fn write_case(case: &Case, scenario: &Path) -> io::Result<(PathBuf, Option<PathBuf>)> {
    let folder = env::var_os("REPLISIM_CASES").map_or_else(env::temp_dir, PathBuf::from);
    fs::create_dir_all(&folder)?;
    let file = folder.join(case.file_name(scenario));
    let text = case.text();
    let kept = Case::make_room(&file, &text)?;
    atomic_file::write(&file, text.as_bytes())?;
    Ok((file, kept))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::process;

    use super::*;
    use crate::{Case, Experiment};

    /// An asynchronous leader whose host is lost under some positions of a knob, and not under others.
    const KNOBS: &str = r#"Scenario(
        cluster: (size: 3),
        protocol: PostgreSql(primary: "n1"),
        clients: [(sessions: 2, arrive: Every("20ms"), timeout: "1s")],
        faults: [At("500ms", Failover(to: "n2"))],
        swarm: (families: [], knobs: { "faults": ["[]", "[At(\"500ms\", Failover(to: \"n2\"))]"] }),
        run: "1s",
        checks: [NoLostWrites],
        expect: { NoLostWrites: Holds },
    )"#;

    /// A follower that misses one message in fifty shows a session less than it wrote: which one it is, the seed says.
    const LUCK: &str = r#"Scenario(
        cluster: (size: 2, links: (same_zone: "1ms", loss: "2%")),
        protocol: LeaderFollower(),
        clients: [
            (sessions: 4, arrive: Every("20ms"), mix: { Write: 1, Read: 1 }, reads: AnyFollower, keys: Uniform(count: 4)),
        ],
        run: "1s",
        checks: [ReadYourWrites],
        expect: { ReadYourWrites: Holds },
    )"#;

    /// A file that is gone when the test is over.
    struct File(PathBuf);

    impl File {
        fn new(name: &str, text: &str) -> File {
            let file = env::temp_dir().join(format!("{name}_{}.ron", process::id()));
            fs::write(&file, text).expect("a file can be written");
            File(file)
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    /// The case that is replayed by the command at the end of a text.
    fn replayed(text: &str) -> File {
        let (_, case) = text.rsplit_once("replisim replay ").expect("the command that replays it");
        File(PathBuf::from(case.trim().trim_matches('\'').replace("'\\''", "'")))
    }

    #[test]
    fn a_seed_turns_the_knobs() {
        let file = File::new("trial_knobs", KNOBS);
        let catalog = Catalog::standard();
        let trial = Trial::of(&file.0.display().to_string(), &catalog).seeds(0..256);
        let failing: Vec<u64> = trial.failures().iter().map(|failure| failure.seed).collect();
        assert!((1..256).contains(&failing.len()), "{failing:?}");
        for seed in failing {
            assert_ne!(trial.subject.edits(&trial.subject.turned(seed).0)[0].value, "[]");
        }
    }

    #[test]
    fn the_last_seeds_there_are_end_too() {
        let file = File::new("trial_last", KNOBS);
        let catalog = Catalog::standard();
        let trial = Trial::of(&file.0.display().to_string(), &catalog).seeds(u64::MAX - 2..u64::MAX);
        assert!(trial.failures().iter().all(|failure| failure.seed >= u64::MAX - 2));
    }

    #[test]
    fn the_panic_shows_a_shrunk_case_and_how_to_replay_it() {
        let file = File::new("trial's panic", KNOBS);
        let catalog = Catalog::standard();
        let trial = Trial::of(&file.0.display().to_string(), &catalog).seeds(0..20);
        let panic = catch_unwind(AssertUnwindSafe(|| trial.hold())).expect_err("some seeds fail");
        let text = panic.downcast_ref::<String>().expect("a text");
        assert!(text.contains("of 20 seeds failed"), "{text}");
        let run = format!("\n  replisim run {} --seed ", quoted(&file.0.display().to_string()));
        assert!(text.contains(&run), "{text}");
        assert!(text.contains("with your own program in place of replisim"), "{text}");
        assert!(text.contains("An acknowledged write is lost") && text.contains("\nCase("), "{text}");
        let read = Case::read(&replayed(text).0).expect("a case");
        let experiment = Experiment::prepare(&read.source, &catalog).expect("it can be run");
        assert_eq!(read.run(&experiment, false).run.fingerprint, read.fingerprint);
    }

    #[test]
    fn a_case_under_another_seed_says_so() {
        let file = File::new("trial_luck", LUCK);
        let catalog = Catalog::standard();
        let trial = Trial::of(&file.0.display().to_string(), &catalog);
        for (seed, of_case) in [(6, 7), (8, 8)] {
            let text = trial.shrunk(&FailedSeed { seed, outcome: trial.run(seed) }).expect("it fails");
            assert_eq!(Case::read(&replayed(&text).0).expect("a case").seed, of_case);
            let told = text.starts_with("\n\nMade smaller, it fails in the same way under another seed, 7:\n\n//");
            assert_eq!(told, of_case != seed, "{text}");
        }
        let shrunk = || trial.shrunk(&FailedSeed { seed: 8, outcome: trial.run(8) }).expect("it fails");
        let case = replayed(&shrunk());
        fs::write(&case.0, "what somebody has tried").expect("a file can be written");
        let kept = File(PathBuf::from(format!("{}.before-1", case.0.display())));
        assert!(shrunk().contains(&format!("what stood there is {} now", kept.0.display())));
        assert_eq!(fs::read_to_string(&kept.0).expect("it is kept"), "what somebody has tried");
    }
}
