//! How soon each named flaw is caught, by fresh seeds alone and by the search that learns where it has been.
//!
//! `cargo bench -p replisim-benches --bench flaws [-- NAME]` runs each flaw on its stage, on one core, from several first
//! seeds, and prints for each search the median number of runs and of seconds to the first catch, with the worst in
//! brackets, and what the first catch shrinks to. Runs are the fair measure; seconds are those of this machine.
#![expect(clippy::disallowed_types, reason = "a bench looks at the wall clock")]

use std::num::NonZero;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use replisim_lab::fuzz::{NoLedger, Orders, Subject, Tally, run_campaign};
use replisim_lab::scenario::{Edit, Source};
use replisim_lab::shrink::{Limits, Shrinker};
use replisim_lab::{Catalog, Experiment};

/// From how many first seeds each search begins.
const BEGINNINGS: u64 = 9;

/// How far apart they are.
const APART: u64 = 1_000_000;

/// When a search gives up.
const RUNS_MAX: u64 = 100_000;

/// What one search came to.
struct Catch {
    /// Runs until the first failure; more than [`RUNS_MAX`] if there was none.
    runs: u64,
    took: Duration,
    tally: Tally,
}

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let catalog = Catalog::standard();
    println!("{:24} {:>22} {:>20} {:>22} {:>20}  shrunk to", "flaw", "blind runs", "seconds", "guided runs", "seconds");
    let flaws = catalog.entries().flat_map(|entry| entry.flaws());
    let (mut ratios, mut all) = (Vec::new(), [Vec::new(), Vec::new()]);
    for flaw in flaws.filter(|flaw| only.is_empty() || only.iter().any(|name| name == flaw.name)) {
        let subject = stage(flaw.name, flaw.stage, &catalog);
        let catches = [false, true].map(|guided| search(&subject, guided));
        let shrunk = catches[1].first().map_or_else(String::new, shrunk);
        let [blind, guided] = catches.map(|catches| figures(&catches));
        println!(
            "{:24} {:>22} {:>20} {:>22} {:>20}  {shrunk}",
            flaw.name,
            format!("{} ({})", blind.runs.0, blind.runs.1),
            format!("{:.2} ({:.2})", blind.seconds.0, blind.seconds.1),
            format!("{} ({})", guided.runs.0, guided.runs.1),
            format!("{:.2} ({:.2})", guided.seconds.0, guided.seconds.1),
        );
        ratios.push(blind.mean / guided.mean);
        all[0].push(blind.seconds.0);
        all[1].push(guided.seconds.0);
    }
    let gain = geometric_mean(&ratios);
    let [blind, guided] = all.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        (seconds.get(seconds.len() / 2).copied().unwrap_or(0.0), seconds.last().copied().unwrap_or(0.0))
    });
    println!(
        "median flaw (worst): blind {:.2} ({:.2}) s, guided {:.2} ({:.2}) s",
        blind.0, blind.1, guided.0, guided.1
    );
    println!("guided takes {:.2} times fewer runs (geometric mean of the means)", gain);
}

/// The stage of a flaw, with the flaw on it.
fn stage<'c>(flaw: &str, text: &str, catalog: &'c Catalog) -> Subject<'c> {
    let source = Source::new(flaw.to_owned(), text.to_owned());
    let edit = Edit { path: "protocol.flaw".to_owned(), value: flaw.to_owned() };
    let edited = Experiment::edit(&source, &[edit], catalog);
    let subject = edited.and_then(|source| Subject::prepare(&source, catalog));
    subject.unwrap_or_else(|report| panic!("{}", report.render(false)))
}

fn search(subject: &Subject<'_>, guided: bool) -> Vec<Catch> {
    (0..BEGINNINGS).map(|beginning| catch(subject, 1 + beginning * APART, guided)).collect()
}

fn catch(subject: &Subject<'_>, seed_start: u64, guided: bool) -> Catch {
    let orders = Orders { seed_start, guided, jobs: NonZero::<usize>::MIN, ..Orders::of(RUNS_MAX) };
    let began = Instant::now();
    let mut watch = |tallies: &[Tally]| match tallies[0].failing {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let tally = run_campaign(std::slice::from_ref(subject), &orders, &mut NoLedger, &mut watch).remove(0);
    let first = tally.causes.values().map(|found| found.first).min();
    Catch { runs: first.unwrap_or(RUNS_MAX + 1), took: began.elapsed(), tally }
}

struct Figures {
    /// Median and worst.
    runs: (u64, u64),
    seconds: (f64, f64),
    /// Mean runs.
    mean: f64,
}

fn figures(catches: &[Catch]) -> Figures {
    let mut runs: Vec<u64> = catches.iter().map(|catch| catch.runs).collect();
    let mut seconds: Vec<f64> = catches.iter().map(|catch| catch.took.as_secs_f64()).collect();
    runs.sort_unstable();
    seconds.sort_by(f64::total_cmp);
    let (middle, last) = (runs.len() / 2, runs.len() - 1);
    let mean = runs.iter().sum::<u64>() as f64 / runs.len() as f64;
    Figures { runs: (runs[middle], runs[last]), seconds: (seconds[middle], seconds[last]), mean }
}

fn shrunk(catch: &Catch) -> String {
    let Some((cause, found)) = catch.tally.causes.iter().next() else { return "not caught".to_owned() };
    let experiment = found.smallest.experiment();
    let limits = Limits { runs: 3_000, ..Limits::default() };
    let shrinker = Shrinker::new(&experiment, found.smallest.plan.seed).check(Some(cause.check)).limits(limits);
    match shrinker.shrink() {
        Ok(shrunk) => {
            let (before, after) = (shrunk.before, shrunk.after);
            format!(
                "{} of {} operations, {} of {} faults ({}: {})",
                after.operations, before.operations, after.faults, before.faults, cause.check, cause.kind
            )
        }
        Err(nothing) => nothing.to_string(),
    }
}

/// The geometric mean of some ratios; 1 of none. They are a dozen near one, so their product neither overflows nor vanishes.
fn geometric_mean(ratios: &[f64]) -> f64 {
    let product: f64 = ratios.iter().product();
    if ratios.is_empty() { product } else { libm::pow(product, 1.0 / ratios.len() as f64) }
}
