//! The register under a thousand seeds, and a run repeated byte for byte, from outside the workspace's crates.

use example_abd::Register;
use replisim::lab::scenario::Source;
use replisim::lab::{Case, Catalog, Experiment, Trial};
use replisim::world::protocol::Protocol;

const SCENARIO: &str = "scenarios/quorum_register.ron";

fn catalog() -> Catalog {
    Catalog::new().with::<Register>()
}

#[test]
fn it_keeps_its_promises_under_a_thousand_seeds() {
    Trial::of(SCENARIO, &catalog()).seeds(0..1_000).hold();
}

#[test]
fn a_run_replays_byte_for_byte() {
    let source = Source::read(SCENARIO.as_ref()).expect("the scenario is there");
    let experiment = Experiment::prepare(&source, &catalog()).expect("the scenario can be run");
    let first = experiment.run(7, None, true).run;
    let path = std::env::temp_dir().join(format!("quorum_register_{}.case", std::process::id()));
    std::fs::write(&path, Case::of(&experiment, None, &first).text()).expect("a case can be written");
    let case = Case::read(&path).expect("what was written reads back");
    std::fs::remove_file(&path).expect("it was just written");
    let again = Experiment::prepare(&case.source, &catalog()).expect("as before").run(case.seed, None, true).run;
    assert_eq!(again.fingerprint, case.fingerprint);
    assert_eq!(first.trace, again.trace);
}

/// Without its mistake the stage is clean; with it, a session sees a key go back in time.
#[test]
fn a_read_that_tells_nobody_is_found_out() {
    let [flaw] = Register::FLAWS else { panic!("it has one") };
    let stage = Source::new(flaw.stage_file, flaw.stage);
    for (settings, is_found) in [("", false), ("flaw: Some(SkipWriteBack)", true)] {
        let text = stage.text.replace("QuorumRegister()", &format!("QuorumRegister({settings})"));
        let catalog = catalog();
        let experiment = Experiment::prepare(&Source::new("stage.ron", text), &catalog).expect("the stage can be run");
        let is_broken = |seed: &u64| !experiment.run(*seed, None, false).judgement.is_fine();
        assert_eq!((0..1_000).any(|seed| is_broken(&seed)), is_found, "{settings}");
    }
}

/// A record that was torn must not hide what is written behind it from the next restart.
#[test]
fn what_was_written_behind_a_torn_record_is_found_again() {
    const TORN: &str = r#"Scenario(
        cluster: (size: 3),
        protocol: QuorumRegister(),
        clients: [(sessions: 20, reads: Any, keys: Uniform(count: 300), arrive: Every("10ms"), mix: { Read: 1, Write: 1 })],
        faults: [
            During("300ms", "310ms", LoseHost(host: "n2", unsynced: Torn)),
            During("1500ms", "1990ms", Kill("n3")),
            During("1980ms", "1985ms", Kill("n2")),
        ],
        run: "3s",
    )"#;
    let experiment = Experiment::prepare(&Source::new("torn.ron", TORN), &catalog()).expect("the scenario can be run");
    for seed in 0..8 {
        assert!(experiment.run(seed, None, false).judgement.is_fine(), "under seed {seed}");
    }
}
