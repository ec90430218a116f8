//! What a trial that fails says: why, in the words of whoever wrote the test, and at which line of theirs.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use example_abd::Register;
use replisim::lab::{Catalog, Trial};

const SCENARIO: &str = "scenarios/quorum_register.ron";

thread_local! {
    /// Where the last panic of this thread was.
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The words of the panic that this ends in, and the place that is told of it.
fn panic_of(it: impl FnOnce()) -> (String, String) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            LAST.set(info.location().map(ToString::to_string).unwrap_or_default());
            before(info);
        }));
    });
    let panic = catch_unwind(AssertUnwindSafe(it)).expect_err("it panics");
    let words = panic.downcast_ref::<String>().cloned().expect("a text");
    (words, LAST.take())
}

/// A line of this file.
fn here(place: &str) -> bool {
    place.replace('\\', "/").contains("tests/trial.rs:")
}

#[test]
fn a_scenario_that_cannot_be_run_is_told_where_the_test_names_it() {
    let (words, place) = panic_of(|| drop(Trial::of("scenarios/none.ron", &Catalog::new().with::<Register>())));
    assert!(words.contains("S001") && here(&place), "{place}: {words}");
}

#[test]
fn a_trial_of_no_seed_is_none() {
    let catalog = Catalog::new().with::<Register>();
    let from = 50;
    for seeds in [0..0, from..10] {
        let (words, place) = panic_of(|| Trial::of(SCENARIO, &catalog).seeds(seeds.clone()).hold());
        assert!(words.starts_with("no seed to run: ") && here(&place), "{place}: {words}");
    }
}

#[test]
fn what_fails_is_told_where_the_test_demands_it() {
    let text = std::fs::read_to_string(SCENARIO).expect("the scenario is there");
    let file = std::env::temp_dir().join(format!("it fails {}.ron", std::process::id()));
    std::fs::write(&file, text.replace("FreshReads: Holds", "FreshReads: Violated")).expect("a file can be written");
    let catalog = Catalog::new().with::<Register>();
    let name = file.display().to_string();
    let (words, place) = panic_of(|| Trial::of(&name, &catalog).seeds(0..2).hold());
    std::fs::remove_file(&file).expect("it was just written");
    assert!(words.starts_with("2 of 2 seeds failed. The first is 0 (FreshReads: not as expected)"), "{words}");
    assert!(words.contains(&format!("\n  replisim run '{name}' --seed 0\n")) && here(&place), "{place}: {words}");
}
