//! Every flaw that a protocol names is found on its stage, and on the same stage nothing is found without it.
//!
//! The seeds are tried one after the other, blindly. How many that takes is written down beside each flaw: it is what a
//! search that looks where it has not been must beat.

use replisim_lab::scenario::{Edit, Source};
use replisim_lab::{Catalog, Experiment, Standing};
use replisim_protocols::{LeaderFollower, MySql, PostgreSql};
use replisim_world::protocol::{Flaw, Protocol};

/// Each flaw and the first seed that shows it.
const FIRST: [(&str, u64); 13] = [
    ("AcknowledgeBeforeSync", 292),
    ("ResumeFromSent", 7),
    ("CompareIndexAlone", 0),
    ("CountOldEpoch", 376),
    ("ReportBeforeSync", 2505),
    ("ForgetRetention", 14),
    ("ApplyOutOfOrder", 34),
    ("CountTwice", 342),
    ("KeepDivergentTail", 29),
    ("PromoteBeforeReplay", 153),
    ("CheckpointBeforeSync", 254),
    ("SeedFromMovingData", 83),
    ("SucceedWhenDemoted", 28),
];

/// How many seeds each stage must stand without its flaw.
const SOUND: u64 = 100;

fn flaws() -> impl Iterator<Item = Flaw> {
    [PostgreSql::FLAWS, MySql::FLAWS, LeaderFollower::FLAWS].into_iter().flatten().copied()
}

/// A flaw's stage, with the flaw or without.
fn stage(flaw: Flaw, flawed: bool) -> Experiment {
    let catalog = Catalog::standard();
    let edits = flawed.then(|| Edit { path: "protocol.flaw".to_owned(), value: flaw.name.to_owned() });
    let source = Source::new(flaw.name, flaw.stage);
    let edited =
        Experiment::edit(&source, edits.as_slice(), &catalog).unwrap_or_else(|it| panic!("{}", it.render(false)));
    Experiment::prepare(&edited, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))
}

/// Whether a check is violated under `seed` that was promised or expected to hold.
fn breaks(stage: &Experiment, seed: u64) -> bool {
    let checks = stage.run(seed, None, false).judgement.checks;
    checks.iter().any(|check| matches!(check.standing, Standing::PromiseBroken | Standing::Unexpected))
}

#[test]
fn every_flaw_is_listed_once() {
    let mut listed: Vec<&str> = flaws().map(|flaw| flaw.name).collect();
    listed.sort_unstable();
    let mut expected: Vec<&str> = FIRST.iter().map(|(name, _)| *name).collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

#[test]
fn each_flaw_is_caught_by_the_seed_that_shows_it() {
    for flaw in flaws() {
        let (_, seed) = FIRST.iter().find(|(name, _)| *name == flaw.name).expect("every flaw is in the table");
        assert!(breaks(&stage(flaw, true), *seed), "{} is no longer caught by seed {seed}", flaw.name);
        assert!(!breaks(&stage(flaw, false), *seed), "{}: seed {seed} fails without the flaw as well", flaw.name);
    }
}

#[test]
fn without_its_flaw_every_stage_holds() {
    for flaw in flaws() {
        let stage = stage(flaw, false);
        for seed in 0..SOUND {
            let outcome = stage.run(seed, None, false);
            assert!(outcome.judgement.is_fine(), "{} under seed {seed}: {:?}", flaw.name, outcome.judgement);
        }
    }
}

/// Prints the table above: `cargo test --release -p replisim-lab --test flaws -- --ignored --nocapture`.
#[test]
#[ignore = "tries thousands of seeds to find out how rare each flaw is"]
fn how_many_seeds_each_flaw_takes() {
    for flaw in flaws() {
        let stage = stage(flaw, true);
        let first = (0..20_000).find(|seed| breaks(&stage, *seed));
        println!("    (\"{}\", {}),", flaw.name, first.map_or_else(|| "never".to_owned(), |seed| seed.to_string()));
        assert!(first.is_some(), "{} is not caught by 20,000 seeds", flaw.name);
    }
}
