//! Every scenario of the repository is a test: it comes out as it says, tells what it shows, and its history is pinned.
//!
//! The pinned histories stand below `snapshots/`, in the folders and under the names of their scenarios. `just accept`
//! writes down what they say now; look at the difference before you commit it.

mod library;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use replisim::history::{Check, Finding, Verdict};
use replisim::lab::scenario::{Expected, Source};
use replisim::lab::{Experiment, JudgedRun, Scenario};
use replisim::report::history;

/// The least number of lines that a scenario's essay has.
const ESSAY_LINES_MIN: usize = 3;

#[test]
fn every_scenario_comes_out_as_it_says() {
    library::each(|source| {
        let experiment = library::prepare(source)?;
        let outcome = run(&experiment);
        let undecided = outcome.findings.iter().any(|it| matches!(it.verdict, Verdict::Unknown(_)));
        match outcome.judgement.is_fine() && !undecided {
            true => Ok(()),
            false => Err(what_is_wrong(&outcome) + &format!("  replisim run {}", source.name)),
        }
    });
}

/// An anomaly may have several cures. It names one, and that one names it.
#[test]
fn every_anomaly_has_its_cure_and_every_cure_its_anomaly() {
    library::each(|source| {
        let scenario = parse(source)?;
        if let Some(name) = &scenario.anomaly {
            let anomaly = sibling(source, name)?;
            demand(anomaly.cure.is_some(), || format!("its anomaly, {name}, names no cure"))?;
        }
        if let Some(name) = &scenario.cure {
            let cure = sibling(source, name)?;
            demand(names(&cure.anomaly, source), || format!("its cure, {name}, does not name it as the anomaly"))?;
            return cures_all(&scenario, &cure);
        }
        let violations: Vec<_> = violations(&scenario).into_iter().map(Check::name).collect();
        demand(violations.is_empty(), || format!("it names no cure for what it violates: {}", violations.join(", ")))
    });
}

#[test]
fn every_scenario_tells_what_it_shows_and_where_that_is_told() {
    library::each(|source| {
        let scenario = parse(source)?;
        let essay = source.text.lines().take_while(|line| line.starts_with("//")).count();
        demand(essay >= ESSAY_LINES_MIN, || format!("its essay has {essay} lines; it needs {ESSAY_LINES_MIN}"))?;
        demand(!scenario.about.trim().is_empty(), || "`about` is empty".to_owned())?;
        demand(!scenario.source.trim().is_empty(), || "`source` is empty".to_owned())
    });
}

#[test]
fn every_history_is_as_pinned() {
    library::each(|source| {
        let experiment = library::prepare(source)?;
        let text = summary(source, &experiment, &run(&experiment));
        pin(&snapshot(source), &text)
    });
}

#[test]
fn every_pinned_history_has_its_scenario() {
    let pinned = snapshots_below(&snapshots()).into_iter().collect::<BTreeSet<_>>();
    let wanted = library::scenarios().iter().map(snapshot).collect::<BTreeSet<_>>();
    let orphans: Vec<_> = pinned.difference(&wanted).map(|path| path.display().to_string()).collect();
    assert!(orphans.is_empty(), "no scenario has these histories; remove them:\n{}", orphans.join("\n"));
}

fn parse(source: &Source) -> Result<Scenario, String> {
    Scenario::parse(source).map_err(|report| report.render(false))
}

/// Runs under the scenario's own seed.
fn run(experiment: &Experiment) -> JudgedRun {
    experiment.run(experiment.scenario.seed, None, false)
}

fn demand(condition: bool, complaint: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(complaint()) }
}

// ── verdicts ──

/// Everything that did not come out as it should, a line each.
fn what_is_wrong(outcome: &JudgedRun) -> String {
    let verdict = |check| outcome.findings.iter().find(|finding| finding.check == check).map(in_a_word);
    let checks = outcome.judgement.checks.iter().filter(|it| !it.standing.is_fine()).map(|it| {
        let verdict = verdict(it.check).unwrap_or("missing");
        format!("  {} is {verdict}: {}\n", it.check.name(), it.standing.in_words())
    });
    let measures = outcome.judgement.measures.iter().filter(|it| !it.within);
    let measures = measures.map(|it| format!("  `{}` is out of bounds: {:?}\n", it.name, it.value));
    checks.chain(measures).collect()
}

fn in_a_word(finding: &Finding) -> &'static str {
    match finding.verdict {
        Verdict::Holds => "holds",
        Verdict::Violated(_) => "violated",
        Verdict::Unknown(_) => "unknown",
    }
}

// ── anomalies and cures ──

/// The scenario of this name in the same folder.
fn sibling(source: &Source, name: &str) -> Result<Scenario, String> {
    let path = Path::new(&source.name).with_file_name(name).with_extension("ron");
    let sibling = library::scenarios().into_iter().find(|other| Path::new(&other.name) == path);
    parse(&sibling.ok_or_else(|| format!("it names {}, and there is no such file", path.display()))?)
}

/// Whether a sibling's field is the name of this scenario.
fn names(field: &Option<String>, source: &Source) -> bool {
    field.as_deref().map(|name| name.trim_end_matches(".ron").as_ref()) == Path::new(&source.name).file_stem()
}

/// Whether every check that `scenario` expects to be violated is expected to hold by `cure`.
fn cures_all(scenario: &Scenario, cure: &Scenario) -> Result<(), String> {
    let left = violations(scenario).into_iter().filter(|check| cure.expect.get(check) != Some(&Expected::Holds));
    let left: Vec<_> = left.map(|check| check.name()).collect();
    demand(left.is_empty(), || format!("its cure does not expect that these hold: {}", left.join(", ")))
}

fn violations(scenario: &Scenario) -> Vec<Check> {
    let expected = scenario.expect.iter().filter(|(_, expected)| **expected == Expected::Violated);
    expected.map(|(check, _)| *check).collect()
}

// ── pinned histories ──

/// A run as a snapshot holds it: nothing that differs between two runs, or between two machines.
fn summary(source: &Source, experiment: &Experiment, outcome: &JudgedRun) -> String {
    let replay = format!("replisim run {}", source.name);
    history::summary(&replisim::run_report(source.name.as_ref(), experiment, outcome, replay))
}

/// Compares a text with the one that is pinned in a file.
///
/// # Errors
/// If they differ, or if nothing is pinned there.
fn pin(file: &Path, text: &str) -> Result<(), String> {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(file.parent().expect("a snapshot stands in a folder"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = file.file_stem().expect("a snapshot has a name").to_string_lossy().into_owned();
    let compare = AssertUnwindSafe(|| settings.bind(|| insta::assert_snapshot!(name, text)));
    let compared = catch_unwind(compare);
    demand(file.is_file(), || "no history is pinned for it; `just accept` pins the one it has".to_owned())?;
    compared.map_err(|_| "its history is not the one that is pinned; the difference is printed above".to_owned())
}

/// The file with a scenario's pinned history.
fn snapshot(source: &Source) -> PathBuf {
    let path = Path::new(&source.name).strip_prefix("scenarios").expect("all scenarios stand in one folder");
    snapshots().join(path).with_extension("snap")
}

fn snapshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

/// Every snapshot below a folder.
fn snapshots_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let found = paths.flat_map(|path| if path.is_dir() { snapshots_below(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "snap")).collect()
}
