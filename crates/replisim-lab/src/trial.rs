//! A scenario under many seeds, on all cores: what a `#[test]` calls.

use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, io, thread};

use crate::scenario::Source;
use crate::shrink::Shrinker;
use crate::{Catalog, Experiment, Outcome, Standing};

/// A scenario and the seeds to run it under.
///
/// ```no_run
/// # use replisim_lab::{Catalog, Trial};
/// Trial::of("scenarios/mine.ron", &Catalog::standard()).seeds(0..1_000).hold();
/// ```
pub struct Trial {
    experiment: Experiment,
    seeds: Range<u64>,
}

/// A seed under which a run did not come out as it should.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What happened.
    pub outcome: Outcome,
}

impl Trial {
    /// A trial of the scenario in this file, under its first hundred seeds.
    ///
    /// # Panics
    /// With a diagnostic, if the scenario cannot be run.
    pub fn of(path: &str, catalog: &Catalog) -> Self {
        let source = Source::read(path.as_ref()).unwrap_or_else(|report| panic!("{}", report.render(false)));
        let experiment = Experiment::prepare(&source, catalog);
        Trial { experiment: experiment.unwrap_or_else(|report| panic!("{}", report.render(false))), seeds: 0..100 }
    }

    /// The same trial under other seeds.
    pub fn seeds(self, seeds: Range<u64>) -> Self {
        Trial { seeds, ..self }
    }

    /// Runs under every seed, on all cores, and returns the failures in the order of their seeds: whatever the number
    /// of cores, the result is the same.
    pub fn failures(&self) -> Vec<Failure> {
        let next = AtomicU64::new(self.seeds.start);
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        let mut failures: Vec<Failure> = thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| self.work(&next))).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("a run does not panic")).collect()
        });
        failures.sort_by_key(|failure| failure.seed);
        failures
    }

    /// Runs under every seed and demands that each comes out as it should.
    ///
    /// # Panics
    /// If one does not, naming the smallest seed, what was wrong, and the command that runs it again. If a check was
    /// violated that should not have been, the run is shrunk first, and the panic shows the [`Case`](crate::Case) and the
    /// command that replays it. Its file is written into the folder that the environment's `REPLISIM_CASES` names, so that
    /// a build server can keep it, or else into the folder for temporary files: a test that fails should leave nothing
    /// behind in the sources.
    pub fn hold(&self) {
        let failures = self.failures();
        if let Some(first) = failures.first() {
            let (count, of) = (failures.len(), self.seeds.end - self.seeds.start);
            panic!("{count} of {of} seeds failed. {}{}", self.tell(first), self.shrunk(first).unwrap_or_default());
        }
    }

    /// The failure as a shrunk case, with where it was written; `None` if it is of no check that was violated.
    fn shrunk(&self, failure: &Failure) -> Option<String> {
        let wrong = failure.outcome.judgement.checks.iter().filter(|it| !it.standing.is_fine()).map(|it| it.check);
        let shrink = |check| Shrinker::new(&self.experiment, failure.seed).check(Some(check)).shrink().ok();
        let case = wrong.into_iter().find_map(shrink)?.case;
        let text = case.text();
        let told = match write_case(&self.experiment.source.name, &case.fingerprint.to_string(), &text) {
            Ok(file) => format!("replisim replay {}", file.display()),
            Err(error) => format!("it could not be written to a file: {error}"),
        };
        Some(format!("\n\n{text}\n  {told}"))
    }

    fn work(&self, next: &AtomicU64) -> Vec<Failure> {
        let seeds = std::iter::from_fn(|| {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            (seed < self.seeds.end).then_some(seed)
        });
        let run = |seed| Failure { seed, outcome: self.experiment.run(seed, None, false) };
        seeds.map(run).filter(|failure| !failure.outcome.judgement.is_fine()).collect()
    }

    fn tell(&self, failure: &Failure) -> String {
        let wrong = failure.outcome.judgement.checks.iter().filter(|it| !it.standing.is_fine());
        let wrong: Vec<String> = wrong.map(|it| format!("{}: {}", it.check, Standing::in_words(it.standing))).collect();
        let outside = failure.outcome.judgement.measures.iter().filter(|it| !it.within);
        let outside = outside.map(|it| format!("{} out of bounds", it.name));
        let all: Vec<String> = wrong.into_iter().chain(outside).collect();
        let (seed, file) = (failure.seed, &self.experiment.source.name);
        format!("The first is {seed} ({})\n  replisim run {file} --seed {seed}", all.join(", "))
    }
}

/// Writes a case where cases of failed tests go, and returns its file.
fn write_case(scenario: &str, fingerprint: &str, text: &str) -> io::Result<PathBuf> {
    let folder = env::var_os("REPLISIM_CASES").map_or_else(env::temp_dir, PathBuf::from);
    fs::create_dir_all(&folder)?;
    let stem = Path::new(scenario).file_stem().unwrap_or_default().to_string_lossy();
    let file = folder.join(format!("{stem}-{}.ron", fingerprint.get(..8).unwrap_or(fingerprint)));
    fs::write(&file, text)?;
    Ok(file)
}
