//! Every flaw that a protocol names is found on its stage, and on the same stage nothing is found without it.
//!
//! `cargo bench -p replisim-benches --bench flaws` tells how soon, blind and guided.

use std::ops::ControlFlow;

use replisim_lab::fuzz::{NoLedger, Orders, Subject, Tally, run_campaign};
use replisim_lab::scenario::{Edit, Source};
use replisim_lab::{Catalog, Experiment};
use replisim_world::protocol::FlawInfo;

/// How many runs a search may take. The rarest flaw took 24,400 at worst, of nine searches.
const RUNS_MAX: u64 = 30_000;

/// How many seeds each stage must stand without its flaw.
const SOUND: u64 = 200;

fn flaws(catalog: &Catalog) -> Vec<FlawInfo> {
    catalog.entries().flat_map(|entry| entry.flaws()).copied().collect()
}

/// A flaw's stage, with the flaw or without.
fn stage<'c>(flaw: &FlawInfo, flawed: bool, catalog: &'c Catalog) -> Subject<'c> {
    let edits = flawed.then(|| Edit { path: "protocol.flaw".to_owned(), value: flaw.name.to_owned() });
    let edited = Experiment::edit(&Source::new(flaw.name, flaw.stage), edits.as_slice(), catalog);
    let subject = edited.and_then(|source| Subject::prepare(&source, catalog));
    subject.unwrap_or_else(|report| panic!("{}", report.render(false)))
}

/// Searches a stage until something fails.
fn search(subject: Subject<'_>, runs: u64) -> Tally {
    let orders = Orders::of(runs);
    let mut watch = |tallies: &[Tally]| match tallies[0].failing {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    run_campaign(&[subject], &orders, &mut NoLedger, &mut watch).remove(0)
}

#[test]
fn flaws_have_names_of_their_own_and_sources() {
    let mut names: Vec<&str> = flaws(&Catalog::standard()).iter().map(|flaw| flaw.name).collect();
    assert!(names.len() >= 10);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    assert!(flaws(&Catalog::standard()).iter().all(|flaw| !flaw.source.is_empty() && !flaw.about.is_empty()));
}

/// What was caught of a flaw must be gone without it, or it was another mistake.
#[test]
fn every_flaw_is_caught() {
    let catalog = Catalog::standard();
    for flaw in flaws(&catalog) {
        let tally = search(stage(&flaw, true, &catalog), RUNS_MAX);
        let (cause, found) = tally.causes.first_key_value().unwrap_or_else(|| panic!("{}: not caught", flaw.name));
        let breaks = |source: &Source| {
            let experiment = Experiment::prepare(source, &catalog).expect("a stage can be run");
            let findings = experiment.run(found.smallest.plan.seed, None, false).findings;
            findings.iter().any(|finding| finding.check == cause.check && finding.verdict.witness().is_some())
        };
        let flawed = found.smallest.experiment().source;
        let mend = Edit { path: "protocol.flaw".to_owned(), value: "None".to_owned() };
        let mended = Experiment::edit(&flawed, &[mend], &catalog).expect("a flaw can be left out");
        assert!(breaks(&flawed) && !breaks(&mended), "{} is not what was caught", flaw.name);
    }
}

#[test]
fn without_its_flaw_every_stage_holds() {
    let catalog = Catalog::standard();
    for flaw in flaws(&catalog) {
        let tally = search(stage(&flaw, false, &catalog), SOUND);
        assert_eq!(tally.failing, 0, "{}: {:?}", flaw.name, tally.causes);
        assert_eq!(tally.differing, 0);
    }
}
