//! `docs/leader_follower.md` against the engine: settings with their defaults, states, and flaws.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use replisim_world::process::Process;
use serde::de::DeserializeOwned;

use super::*;

/// The cells of the tables of a section, row by row, without their headings.
fn rows(section: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/leader_follower.md");
    let text = std::fs::read_to_string(path).expect("the page is there");
    let (_, section) = text.split_once(&format!("\n## {section}\n")).expect("the page has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let lines: Vec<&str> = section.lines().collect();
    let is_row = |at: &usize| {
        let is_ruled = lines.get(at + 1).is_some_and(|next| next.starts_with("|--"));
        lines[*at].starts_with("| ") && !is_ruled
    };
    (0..lines.len()).filter(is_row).map(|at| cells(lines[at])[1..].to_vec()).collect()
}

/// The first word or words in backticks.
fn quoted(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or_else(|| panic!("{cell} names nothing"))
}

/// A default as a page has it, in the ways in which RON may have it; none, in all ways in which something is empty.
fn written(default: &str) -> Vec<String> {
    if matches!(default, "none" | "the first host") {
        return ["\"\"", "{}", "[]"].map(str::to_owned).to_vec();
    }
    if default.starts_with('`') {
        return vec![quoted(default).to_owned()];
    }
    let plain = default.split(" (").next().unwrap_or_default().replace(',', "");
    vec![plain.clone(), format!("\"{}\"", plain.replace(' ', ""))]
}

/// Every setting is in a table of the section, with its default, and nothing else is.
fn settings_are_told<S: DeserializeOwned + Debug + PartialEq>(section: &str) {
    let usual: S = ron::from_str("()").expect("every setting has a default");
    let no_field = ron::from_str::<S>("(no_setting: 1)").expect_err("this is none").code;
    let ron::Error::NoSuchStructField { expected, .. } = no_field else { panic!("{no_field}") };
    let mut told = BTreeSet::from(["flaw".to_owned()]);
    for row in rows(section) {
        let names: Vec<&str> = row[0].split(", ").map(quoted).collect();
        let defaults = row[1].split(';').next().unwrap_or_default().split(':').next().unwrap_or_default();
        let defaults: Vec<&str> = defaults.split(", ").take(names.len()).collect();
        assert_eq!(defaults.len(), names.len(), "{row:?}");
        for (name, default) in names.into_iter().zip(defaults) {
            let read: Vec<S> =
                written(default).iter().filter_map(|it| ron::from_str(&format!("({name}: {it})")).ok()).collect();
            assert!(!read.is_empty() && read.iter().all(|it| *it == usual), "{name} is not {default}: {read:#?}");
            assert!(told.insert(name.to_owned()), "{name} is told twice");
        }
    }
    assert_eq!(told, expected.iter().map(|&name| name.to_owned()).collect());
}

#[test]
fn every_setting_is_told_with_its_default() {
    settings_are_told::<<PostgreSql as Protocol>::Settings>("PostgreSQL");
    settings_are_told::<<MySql as Protocol>::Settings>("MySQL");
    settings_are_told::<<LeaderFollower as Protocol>::Settings>("In general");
}

#[test]
fn every_state_is_told() {
    let mut told = BTreeSet::new();
    for row in rows("States") {
        let part = row[0].trim_matches('*');
        for state in row[1].split("; ") {
            told.insert(match (part, state) {
                (_, "and nothing unusual" | "with all it was sent applied") => part.to_owned(),
                ("neither", state) => state.to_owned(),
                (part, state) => format!("{part}, {state}"),
            });
        }
    }
    assert_eq!(told, LeaderFollower::STATES.iter().map(|&name| name.to_owned()).collect());
}

#[test]
fn every_flaw_is_told_with_its_stage_and_its_source() {
    let stages = [
        (LeaderFollower::NAME, LeaderFollower::FLAWS),
        (PostgreSql::NAME, PostgreSql::FLAWS),
        (MySql::NAME, MySql::FLAWS),
    ];
    let flaws = stages.iter().flat_map(|(stage, flaws)| flaws.iter().map(move |flaw| (*stage, flaw)));
    let (flaws, rows) = (flaws.collect::<Vec<_>>(), rows("Flaws"));
    assert_eq!(rows.len(), flaws.len());
    for row in rows {
        let name = quoted(&row[0]);
        let (stage, flaw) = flaws.iter().find(|(_, flaw)| flaw.name == name).unwrap_or_else(|| panic!("no {name}"));
        let about = flaw.about.trim_end_matches('.');
        assert_eq!((quoted(&row[1]), row[2].to_lowercase()), (*stage, about.to_lowercase()), "{name}");
        assert!(flaw.source.starts_with(&row[3]), "{name}: {}", flaw.source);
    }
}
