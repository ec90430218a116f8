//! `docs/leader_follower.md` against what the program prints: the figures that it tells, and the anomalies that it knows.

use std::collections::BTreeSet;
use std::path::Path;

use super::Folder;

/// The lines of a section.
fn section(heading: &str) -> Vec<String> {
    let text = String::from_utf8(repository().read("docs/leader_follower.md")).expect("docs are text");
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).expect("the page has the section");
    rest.lines().take_while(|line| !line.starts_with("## ")).map(str::to_owned).collect()
}

fn repository() -> Folder {
    Folder::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
}

/// The cells of a row.
fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// What stands in backticks first.
fn quoted(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or_else(|| panic!("{cell} names nothing"))
}

/// A figure of a run, as the screen has it.
fn figure(which: &str, screen: &str) -> String {
    let columns =
        |line: &str| line.trim().split("  ").map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect();
    let row = |name: &str| -> Vec<String> {
        let is_row = |line: &&str| line.trim_start().contains(name);
        screen.lines().find(is_row).map(columns).unwrap_or_else(|| panic!("no {name} in\n{screen}"))
    };
    match which {
        "median write" => row("writes  ")[1].clone(),
        "lost" => row("no acknowledged write lost")[3].clone(),
        "longest time without a write" => {
            let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
            let (_, figure) = words.split_once(&format!("{which} ")).expect("every run tells it");
            figure.split(' ').take(2).collect::<Vec<_>>().join(" ")
        }
        other => panic!("nobody knows what {other} is"),
    }
}

#[test]
fn its_figures_are_those_of_the_scenarios() {
    let (mut which, mut compared) = (String::new(), 0);
    for line in section("Figures").iter().filter(|line| line.starts_with("| ")) {
        let [scenario, told] = cells(line)[..] else { panic!("{line}") };
        if scenario == "scenario" {
            told.clone_into(&mut which);
            continue;
        }
        let mut words = quoted(scenario).split(' ');
        let file = format!("scenarios/postgresql/{}.ron", words.next().expect("a name"));
        let command: Vec<&str> = ["run", &file, "--seed", "7"].into_iter().chain(words).collect();
        let finished = repository().program(&command);
        // With other settings, a scenario's own expectation may be missed.
        assert!(finished.code <= 1 && finished.errors.is_empty(), "{finished:?}");
        let figure = figure(&which, &finished.output);
        let is_told = match figure.strip_suffix(" acknowledged writes") {
            Some(lost) if lost.contains(" of ") => told.starts_with(lost),
            Some(all) => told.starts_with(&format!("0 of {all}")),
            None => told == figure,
        };
        assert!(is_told, "{which} of {scenario}: {figure}, and not {told}");
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
}

/// A table of scenarios, each with its cure.
#[test]
fn its_anomalies_are_those_of_the_scenarios() {
    let rows = section("Known anomalies");
    let rows = rows.iter().filter(|line| line.starts_with("| `")).map(|line| cells(line));
    let told: BTreeSet<(String, String)> =
        rows.map(|row| (quoted(row[0]).to_owned(), quoted(row[2]).to_owned())).collect();
    let mut known = BTreeSet::new();
    for folder in ["leader_follower", "postgresql", "mysql"] {
        for file in Folder::at(repository().path("scenarios").join(folder)).files() {
            let text = String::from_utf8(repository().read(&format!("scenarios/{folder}/{file}"))).expect("text");
            let cure = text.lines().find_map(|line| line.trim().strip_prefix("cure: \"")?.strip_suffix("\","));
            known.extend(cure.map(|cure| (format!("{folder}/{}", file.trim_end_matches(".ron")), cure.to_owned())));
        }
    }
    let untold: Vec<_> = known.difference(&told).collect();
    let unknown: Vec<_> = told.difference(&known).collect();
    assert!(untold.is_empty() && unknown.is_empty(), "not told: {untold:#?}\ntold and not there: {unknown:#?}");
}
