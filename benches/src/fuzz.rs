//! One run of a fuzz campaign, from its seed to its judgement: three nodes, clients, faults, and all checks.

use replisim_lab::scenario::Source;
use replisim_lab::{Catalog, Experiment};

/// About 2,000 events: a leader with two followers, four sessions that write and read anywhere, a host cut off and
/// another that stands still for a moment.
const SCENARIO: &str = r#"
Scenario(
    about: "A small run, as a fuzz campaign makes them by the thousand.",
    cluster: (
        regions: { "eu": ["a", "b", "c"] },
        hosts: { "main": "eu/a", "near": "eu/b", "far": "eu/c" },
        links: (between_zones: Uniform(min: "500us", max: "2ms")),
    ),
    protocol: LeaderFollower(leader: "main", acknowledge: Any(1)),
    clients: [
        (sessions: 4, at: "eu/a", arrive: Every("12ms"), mix: { Write: 1, Read: 1 }, keys: Uniform(count: 16), reads: Any),
    ],
    faults: [
        During("300ms", "400ms", Isolate("far")),
        During("500ms", "550ms", Pause("near")),
    ],
    run: "630ms",
    seed: 7,
    checks: [
        NoLostWrites, ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads, CausalOrder, FreshReads,
        Convergence,
    ],
)
"#;

/// The experiment, ready to run under any seed.
///
/// # Panics
/// With a diagnostic, if the scenario above cannot be run.
pub fn experiment() -> Experiment {
    let source = Source::new("fuzz_run".to_owned(), SCENARIO);
    Experiment::prepare(&source, &Catalog::standard()).unwrap_or_else(|report| panic!("{}", report.render(false)))
}
