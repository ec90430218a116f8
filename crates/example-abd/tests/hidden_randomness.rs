//! A protocol that draws on chance no seed fixes is caught, and the first event that differs is named.

use std::num::NonZero;
use std::ops::ControlFlow;

use example_abd::careless::Careless;
use replisim::history::Survey;
use replisim::lab::Case;
use replisim::lab::fuzz::{Archive, DIVERGENCES_MAX, NoLedger, Orders, Subject, Tally, run_campaign, survey};
use replisim::lab::scenario::Source;
use replisim::lab::store::{Begin, Store};
use replisim::prelude::*;

/// A campaign of so many runs.
fn careless(whim: &str, runs: u64, jobs: usize) -> (Tally, Survey) {
    let catalog = Catalog::new().with::<Careless>();
    let text = format!("Scenario(cluster: (size: 5), protocol: Careless({whim}), run: \"200ms\", settle: \"1s\")");
    let source = Source::new("careless.ron".to_owned(), text);
    let subjects = [Subject::prepare(&source, &catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))];
    let orders = Orders { guided: false, jobs: NonZero::new(jobs).expect("a worker"), ..Orders::of(runs) };
    let mut tallies = run_campaign(&subjects, &orders, &mut NoLedger, &mut |_| ControlFlow::Continue(()));
    let survey = survey(&subjects, &tallies, 1);
    (tallies.remove(0), survey)
}

#[test]
fn hash_order_is_caught_and_the_first_event_that_differs_is_named() {
    let (tally, survey) = careless("", 64, 2);
    let [divergence] = survey.subjects[0].divergences.as_slice() else {
        panic!("{:?}", survey.subjects[0].divergences)
    };
    assert!(divergence.event > 0);
    assert_ne!(divergence.one, divergence.other);
    assert!(divergence.one.contains("Heard") && divergence.other.contains("Heard"), "{divergence:?}");
    assert!(!survey.is_fine());
    let (_, kept) = tally.divergences.first_key_value().expect("one is kept");
    assert_eq!((kept.case().seed, divergence.fresh), (divergence.seed, true), "what differed can be run again");
}

/// Everybody hears the same at the same times, whatever the order in which they were told.
#[test]
fn the_order_of_what_is_sent_is_enough() {
    let (_, survey) = careless("whim: HashOrderOfAll", 64, 2);
    let [divergence] = survey.subjects[0].divergences.as_slice() else {
        panic!("{:?}", survey.subjects[0].divergences)
    };
    assert!(divergence.one != divergence.other && divergence.one.contains("Heard"), "{divergence:?}");
}

#[test]
fn where_every_run_differs_a_few_are_told_and_the_others_counted() {
    let (tally, survey) = careless("", 64 * 12, 2);
    let subject = &survey.subjects[0];
    assert_eq!((subject.divergences.len(), tally.divergences.len()), (DIVERGENCES_MAX, DIVERGENCES_MAX));
    assert!((DIVERGENCES_MAX as u64 + 1..=12).contains(&subject.differing), "{} of 12", subject.differing);
    let told = subject.divergences.iter().map(|divergence| divergence.seed).collect::<Vec<_>>();
    assert!(told.is_sorted(), "the first places first: {told:?}");
    let screen = replisim::report::survey::screen(&survey, None, "", replisim::report::Style::Plain);
    assert!(screen.contains(&format!("\n  and {} more\n", subject.untold())), "{screen}");
}

#[test]
fn a_store_keeps_what_differed() {
    let folder = std::env::temp_dir().join(format!("replisim-careless-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("careless.db");
    let catalog = Catalog::new().with::<Careless>();
    let text = "Scenario(cluster: (size: 5), protocol: Careless(), run: \"200ms\", settle: \"1s\")".to_owned();
    let subject = Subject::prepare(&Source::new("careless.ron".to_owned(), text), &catalog);
    let subjects = [subject.unwrap_or_else(|report| panic!("{}", report.render(false)))];
    let orders = Orders { guided: false, ..Orders::of(64) };
    let mut archive = Archive::open(&path, &subjects, &orders, Begin::Anew).expect("a store");
    let name = archive.campaign();
    let tallies = run_campaign(&subjects, &orders, &mut archive, &mut |_| ControlFlow::Continue(()));
    archive.finish().expect("it is written");
    let kept = Store::open(&path).and_then(|store| store.divergences(name)).expect("it can be read");
    let ([row], Some((at, told))) = (kept.as_slice(), tallies[0].divergences.first_key_value()) else {
        panic!("{kept:?}")
    };
    assert_eq!((row.at, row.event), (*at, told.event));
    // Its fingerprint and marks are of one more run, which came out otherwise again.
    let case = Case::parse(&Source::new("case.ron".to_owned(), row.case.clone()));
    let case = case.unwrap_or_else(|report| panic!("{}", report.render(false)));
    assert_eq!(case.seed, told.case().seed, "what differed can be run again");
    std::fs::remove_dir_all(folder).expect("what was written can be removed");
}

/// Of 64 runs the seventeenth is done twice. Its first process alone speaks, and never again.
#[test]
fn what_shows_once_and_never_again_is_not_forgotten() {
    let (_, survey) = careless("whim: OneBootOf(80)", 64, 1);
    let [divergence] = survey.subjects[0].divergences.as_slice() else {
        panic!("{:?}", survey.subjects[0].divergences)
    };
    assert!(divergence.one.contains("ends after") && divergence.other.contains("ends after"), "{divergence:?}");
    assert_ne!(divergence.one, divergence.other);
    assert!(!survey.is_fine());
}
