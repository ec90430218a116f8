//! What mistakes look like, and that no text whatever makes the reader panic.

mod edits;
mod mutations;
mod outline;
mod toy;
mod written;

use std::fmt::Write as _;
use std::path::Path;

use super::{Code, Report, Scenario, Source};
use crate::scratch::Scratch;
use crate::{Catalog, Experiment, TEMPLATE};

/// The cases: each begins with a line `## what is wrong`, and the scenario follows.
const MISTAKES: &str = include_str!("mistakes.txt");

/// A scenario that is right, for other tests to spoil.
const RIGHT: &str = r#"Scenario(
    about: "all is well",
    cluster: (
        regions: { "us-east": ["a", "b", "c"], "eu": ["a"] },
        hosts: { "p": "us-east/a", "s1": "us-east/b", "s2": "eu" },
        links: (same_zone: "0.1ms", between: [("p", "eu", (delay: "80ms"))]),
        clocks: { "s2": (offset: "-2s") },
    ),
    protocol: Toy(primary: "p", commit: Local, standbys: "FIRST 1 (s1, s2)"),
    clients: [(sessions: 20, at: "us-east", mix: { Read: 9, Write: 1 }, reads: Host("s1"))],
    faults: [
        During("2s", "4s", Slow(link: ("p", "s2"), by: "300ms")),
        At("5s", Kill("leader")),
        When(Acknowledged(10), Cut(between: ("us-east", "eu/a"))),
    ],
    expect: { ReadYourWrites: Violated },
)"#;

fn catalog() -> Catalog {
    Catalog::new().with::<toy::Toy>()
}

/// Everything that is wrong with a text; `None` if nothing is.
fn mistakes(name: &str, text: &str) -> Option<Report> {
    Experiment::prepare(&Source::new(name, text), &catalog()).err()
}

fn codes(text: &str) -> Vec<Code> {
    mistakes("mine.ron", text).map_or_else(Vec::new, |report| report.diagnostics.iter().map(|it| it.code).collect())
}

#[test]
fn a_right_scenario_is_accepted() {
    assert_eq!(mistakes("right.ron", RIGHT).map(|report| report.to_string()), None);
}

#[test]
fn the_shortest_scenario_is_accepted() {
    assert_eq!(codes("(cluster: (size: 3), protocol: Toy)"), []);
    assert_eq!(codes("(cluster: (size: 3), protocol: Toy())"), []);
}

#[test]
fn the_template_is_a_scenario() {
    Scenario::parse(&Source::new("new.ron", TEMPLATE)).unwrap();
}

#[test]
fn every_mistake_is_shown_where_it_is() {
    let mut shown = String::new();
    for case in MISTAKES.split("## ").skip(1) {
        let (title, text) = case.split_once('\n').unwrap();
        let report = mistakes("mine.ron", text).unwrap_or_else(|| panic!("nothing is wrong with: {title}"));
        writeln!(shown, "## {title}\n\n{report}\n").unwrap();
    }
    insta::assert_snapshot!("mistakes", shown);
}

#[test]
fn every_code_of_a_text_has_a_case() {
    let found: Vec<Code> =
        MISTAKES.split("## ").skip(1).flat_map(|case| codes(case.split_once('\n').unwrap().1)).collect();
    // The first three are about files that hold no text, and the last two are about edits and knobs.
    let of_texts = &Code::ALL[3..Code::ALL.len() - 2];
    let missing: Vec<&Code> = of_texts.iter().filter(|code| !found.contains(code)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn a_prepared_scenario_runs_and_is_judged() {
    let experiment = Experiment::prepare(&Source::new("right.ron", RIGHT), &catalog()).ok().unwrap();
    let runs = [experiment.begin(7, false).finish(), experiment.begin(7, false).finish()];
    assert_eq!(runs[0].fingerprint, runs[1].fingerprint);
    let judgement = experiment.judge(&runs[0], &experiment.examine(&runs[0]));
    assert_eq!(judgement.checks.len(), experiment.scenario.checks_made().len());
    // The toy answers nothing, so that the expected violation cannot be found.
    assert!(!judgement.is_fine());
}

#[test]
fn a_scenario_prints_and_reads_back() {
    let scenario = Scenario::parse(&Source::new("", RIGHT)).unwrap();
    let printed = ron::ser::to_string_pretty(&scenario, ron::ser::PrettyConfig::new()).unwrap();
    assert_eq!(Scenario::parse(&Source::new("", printed)).unwrap(), scenario);
}

#[test]
fn files_that_hold_no_text_are_refused() {
    let scratch = Scratch::new("refused");
    let folder = scratch.folder();
    let refused = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        refusal(&path)
    };
    let shown = [
        refused("binary.ron", b"Scenario(\n    about: \"\xff\xfe\",\n)"),
        refused("large.ron", &vec![b' '; (1 << 20) + 1]),
        refusal(&folder.join("missing.ron")),
        refusal(folder),
    ];
    let plain = shown.join("\n\n").replace(&*folder.to_string_lossy(), "scenarios");
    insta::assert_snapshot!("files", plain);
}

fn refusal(path: &Path) -> String {
    Scenario::read(path).unwrap_err().to_string()
}
