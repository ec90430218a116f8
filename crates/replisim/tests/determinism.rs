//! The same scenario and seed give the same run: again, traced or not, and from a fork taken anywhere.

mod library;

use replisim::history::{Run, Trace};
use replisim::kernel::{Concern, Stream};
use replisim::lab::Experiment;
use replisim::world::Simulation;

/// The seed of every run here.
const SEED: u64 = 7;

/// How many forks are taken of a run at random, beside those at its quarters.
const RANDOM_FORKS: u64 = 2;

#[test]
fn every_scenario_runs_the_same_again() {
    library::each(|scenario| {
        let experiment = library::prepare(scenario)?;
        let (first, second) = (experiment.run(SEED, None, true), experiment.run(SEED, None, true));
        let plain = experiment.run(SEED, None, false);
        same_end("run again", &first.run, &second.run)?;
        same_end("run without a trace", &first.run, &plain.run)?;
        same_trace(&first.run, &second.run)?;
        match first.findings == second.findings && first.findings == plain.findings {
            true => Ok(()),
            false => Err("the checkers find different things in the same run".to_owned()),
        }
    });
}

#[test]
fn a_fork_ends_as_its_original_wherever_it_is_taken() {
    library::each(|scenario| {
        let experiment = library::prepare(scenario)?;
        let original = experiment.begin(SEED, false).finish();
        let mut simulation = experiment.begin(SEED, false);
        for at in places(original.events) {
            go_to(&mut *simulation, at);
            let fork = simulation.fork().finish();
            same_end(&format!("a fork after {at} of {} events", original.events), &original, &fork)?;
        }
        same_end("the run that forks were taken of", &original, &simulation.finish())
    });
}

#[test]
fn a_fork_writes_the_rest_of_the_trace() {
    library::each(|scenario| {
        let experiment = library::prepare(scenario)?;
        let original = experiment.begin(SEED, true).finish();
        let mut simulation = experiment.begin(SEED, true);
        go_to(&mut *simulation, original.events / 2);
        same_trace(&original, &simulation.fork().finish())
    });
}

#[test]
fn a_fork_goes_its_own_way_once_a_concern_is_reseeded() {
    let scenarios = library::scenarios();
    let differs = |scenario, concern| {
        let experiment = library::prepare(scenario).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        reseeded_differs(&experiment, Concern::new(concern))
    };
    for concern in ["link", "disk", "client"] {
        let changes = scenarios.iter().any(|scenario| differs(scenario, concern));
        assert!(changes, "no scenario depends on the streams of `{concern}`");
    }
}

#[test]
fn another_seed_is_another_run() {
    let differs = library::each(|scenario| {
        let experiment = library::prepare(scenario)?;
        let end = |seed| experiment.begin(seed, false).finish().fingerprint;
        Ok(end(SEED) != end(SEED + 1))
    });
    assert!(differs.contains(&true), "no scenario depends on the seed");
}

/// Whether a run ends otherwise if a fork of it, taken half way, draws from other streams from there on.
fn reseeded_differs(experiment: &Experiment, concern: Concern) -> bool {
    let original = experiment.begin(SEED, false).finish();
    let mut simulation = experiment.begin(SEED, false);
    go_to(&mut *simulation, original.events / 2);
    let mut fork = simulation.fork();
    fork.reseed(concern, 1).expect("a concern that the world draws for");
    let fork = fork.finish();
    let untouched = simulation.finish();
    assert_eq!(untouched.fingerprint, original.fingerprint, "a reseeded fork leaves its original alone");
    fork.fingerprint != original.fingerprint
}

/// Lets a run go on until it has handled so many events.
fn go_to(simulation: &mut dyn Simulation, events: u64) {
    while simulation.events() < events && simulation.step() {}
}

/// Where forks are taken of a run of so many events: before the first, at each quarter, somewhere, and after the last.
fn places(events: u64) -> Vec<u64> {
    let mut stream = Stream::derive(SEED, Concern::new("forks"), events, 0);
    let mut places = vec![0, events / 4, events / 2, events / 4 * 3, events];
    places.extend((0..RANDOM_FORKS).map(|_| stream.below(events)));
    places.sort_unstable();
    places
}

fn same_end(what: &str, expected: &Run, actual: &Run) -> Result<(), String> {
    let ends = |run: &Run| (run.fingerprint, run.events, run.simulated, run.history.operations.end());
    match ends(expected) == ends(actual) {
        true => Ok(()),
        false => Err(format!("{what} ends otherwise: {:?}, not {:?}", ends(actual), ends(expected))),
    }
}

fn same_trace(expected: &Run, actual: &Run) -> Result<(), String> {
    let (Some(Trace { lines: one }), Some(Trace { lines: other })) = (&expected.trace, &actual.trace) else {
        return Err("a trace is missing".to_owned());
    };
    if let Some((one, other)) = one.iter().zip(other).find(|(one, other)| one != other) {
        return Err(format!("the traces differ first here:\n{one}\n{other}"));
    }
    match one.len() == other.len() {
        true => Ok(()),
        false => Err(format!("one trace has {} lines, the other {}", one.len(), other.len())),
    }
}
