//! Every scenario of the repository, and a way to look at all of them: on all cores, with all complaints at the end.
//!
//! A scenario is known by its path from the repository's root, on every platform: `scenarios/failover/split_brain.ron`.

use std::any::Any;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use replisim::lab::scenario::Source;
use replisim::lab::{Catalog, Experiment, find};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All scenarios, in the order of their paths.
pub fn scenarios() -> Vec<Source> {
    let paths = find::below(&root().join("scenarios")).expect("the repository has scenarios");
    assert!(!paths.is_empty(), "the repository has scenarios");
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Source {
    let source = Source::read(path).unwrap_or_else(|report| panic!("{report}"));
    let path = path.strip_prefix(root()).expect("the repository holds its scenarios");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    Source { name: parts.join("/"), ..source }
}

/// A scenario, ready to run.
///
/// # Errors
/// If it cannot be run, with its mistakes.
pub fn prepare(scenario: &Source) -> Result<Experiment, String> {
    Experiment::prepare(scenario, &Catalog::standard()).map_err(|report| report.render(false))
}

/// Looks at every scenario, on all cores, and returns what was found, in the order of their paths.
///
/// # Panics
/// If there was anything to complain of, with all of it. A panic while looking at a scenario is a complaint, too.
pub fn each<T: Send>(look: impl Fn(&Source) -> Result<T, String> + Sync) -> Vec<T> {
    let scenarios = scenarios();
    let looked = on_all_cores(&scenarios, |scenario| {
        let result = catch_unwind(AssertUnwindSafe(|| look(scenario)));
        let result = result.unwrap_or_else(|panic| Err(told(&*panic)));
        result.map_err(|complaint| format!("{}\n{complaint}", scenario.name))
    });
    let (mut found, mut complaints) = (Vec::new(), Vec::new());
    for result in looked {
        match result {
            Ok(it) => found.push(it),
            Err(complaint) => complaints.push(complaint),
        }
    }
    let (wrong, all) = (complaints.len(), scenarios.len());
    assert!(wrong == 0, "{wrong} of {all} scenarios are not as they should be:\n\n{}\n", complaints.join("\n\n"));
    found
}

/// The work done on each item, in the order of the items.
fn on_all_cores<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let indices = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let taken = indices.map_while(|index| Some((index, items.get(index)?)));
        taken.map(|(index, item)| (index, work(item))).collect::<Vec<_>>()
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("panics are caught within")).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What a panic says.
fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
