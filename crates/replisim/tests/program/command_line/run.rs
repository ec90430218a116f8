//! `replisim run`: what a run shows, in words and in JSON, and what its options choose.

use serde_json::Value;

use super::{SCENARIO, finished, repository, with_scenario};

#[test]
fn a_run_shows_its_verdicts_and_how_to_run_it_again() {
    let folder = with_scenario("run");
    let run = folder.program(&["run", "small.ron"]);
    assert_eq!((run.code, run.errors.as_str()), (0, ""));
    let head = "small · PostgreSql, ";
    assert!(run.output.starts_with(head), "{}", run.output);
    for shown in ["A follower is slow.", "\n  violated  read your writes", "\n  holds ", "seed 3", " · fingerprint "] {
        assert!(run.output.contains(shown), "{shown} is missing:\n{}", run.output);
    }
    assert!(run.output.ends_with("\nreplay    replisim run small.ron --seed 3\n"), "{}", run.output);
    assert!(!run.output.contains('\u{1b}'), "no colours where there is no terminal");
    assert!(folder.program(&["run", "small.ron", "--color", "always"]).output.contains("\u{1b}["));
}

/// What stands between the first of one text and the next of another.
fn between(text: &str, begin: &str, end: &str) -> String {
    let rest = text.split_once(begin).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| rest.split_once(end)).map(|(found, _)| found.to_owned());
    found.unwrap_or_else(|| panic!("nothing stands between {begin:?} and {end:?} in:\n{text}"))
}

/// The page on how to write a scenario shows a first one, and a part of what that prints.
#[test]
fn the_first_scenario_of_the_docs_prints_what_they_show() {
    let page = String::from_utf8(repository().read("docs/scenarios.md")).expect("a page is text");
    let folder = with_scenario("docs");
    folder.write("first.ron", between(&page, "```ron\n", "```").as_bytes());
    let run = folder.program(&["run", "first.ron"]);
    let shown = between(&page, "```text\n", "```");
    assert!(run.code == 0 && run.output.contains(&shown), "{shown}\nis not part of\n{}", run.output);
}

/// But for how long it takes, the README shows what its first command prints.
#[test]
fn the_readme_shows_a_run_as_it_is() {
    let readme = String::from_utf8(repository().read("README.md")).expect("the README is text");
    let untimed = |text: &str| {
        let seconds = between(text, " simulated in ", " s · ");
        text.trim_end().replace(&format!(" simulated in {seconds} s"), " simulated")
    };
    let command = between(&readme, "cargo run --release -- ", "\n");
    let run = repository().program(&command.split(' ').collect::<Vec<_>>());
    assert_eq!(untimed(&between(&readme, "```text\n", "```")), untimed(&run.output));
}

#[test]
fn a_scenario_of_the_library_is_found_by_its_name() {
    let run = repository().program(&["run", "stale_read_after_write", "--format", "json"]);
    assert!(run.code <= 1, "{run:?}");
    assert_eq!(run.json()["scenario"], "scenarios/leader_follower/stale_read_after_write.ron");
}

#[test]
fn a_run_is_told_in_json() {
    let run = with_scenario("json").program(&["run", "small.ron", "--format", "json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let document = run.json();
    assert_eq!(document["schema_version"], 3);
    assert_eq!(document["scenario"], "small.ron");
    assert_eq!(document["seed"], 3);
    assert_eq!(document["fingerprint"].as_str().map(str::len), Some(32));
    assert!(document["events"].as_u64() > Some(100));
    assert!(document["measures"].is_object());
    let verdicts = document["verdicts"].as_array().expect("a list");
    let checks: Vec<_> = verdicts.iter().map(|it| it["check"].as_str().expect("a name")).collect();
    assert_eq!(checks, ["ReadYourWrites", "NoLostWrites", "Convergence"]);
    for verdict in verdicts {
        assert!(verdict["promised"].is_boolean(), "{verdict}");
        assert_eq!(verdict["witness"].is_object(), verdict["verdict"] == "violated", "{verdict}");
    }
    assert_eq!([&verdicts[0]["verdict"], &verdicts[1]["verdict"]], ["violated", "holds"]);
}

#[test]
fn the_same_command_prints_the_same_bytes() {
    let folder = with_scenario("again");
    let json = || folder.program(&["run", "small.ron", "--seed", "7", "--format", "json"]).output;
    assert_eq!(json(), json());
}

#[test]
fn options_choose_the_seed_the_values_and_the_end() {
    let folder = with_scenario("options");
    let json = |options: &[&str]| {
        let run = folder.program(&[&["run", "small.ron", "--format", "json"], options].concat());
        assert!(run.code <= 1, "{run:?}");
        run.json()
    };
    let (plain, seeded) = (json(&[]), json(&["--seed", "4"]));
    assert_eq!(seeded["seed"], 4);
    assert_ne!(plain["fingerprint"], seeded["fingerprint"]);
    assert_eq!(json(&["--set", "seed=4"])["fingerprint"], seeded["fingerprint"]);

    let edited = json(&["--set", "run=500ms", "--set", "clients[0].sessions=2"]);
    assert_eq!(edited["settling"]["healed_ns"], 500_000_000);
    assert_eq!(
        edited["replay"], "replisim run small.ron --seed 3 --set run=500ms --set 'clients[0].sessions=2'",
        "what is printed runs the same again"
    );

    let stopped = json(&["--until", "300ms"]);
    assert_eq!(stopped["simulated_ns"].as_u64(), Some(300_000_000));
    assert!(stopped["events"].as_u64() < plain["events"].as_u64());
}

/// The link is still slow where it is broken off: nobody can say what would have come of it.
#[test]
fn a_run_that_is_broken_off_is_not_judged_by_its_end() {
    let folder = with_scenario("broken_off");
    let run = folder.program(&["run", "small.ron", "--until", "300ms", "--case", "it.case"]);
    for check in ["convergence", "no acknowledged write lost"] {
        let row = run.output.lines().find(|line| line.contains(check)).unwrap_or_default();
        assert!(row.starts_with("  unknown "), "{row}");
        assert!(row.contains("the run was broken off at 300 ms"), "{row}");
    }
    assert!(!run.output.contains("promise broken"), "{}", run.output);
    assert!(run.output.contains("slower by 100ms\n"), "nobody has seen an end of it: {}", run.output);
    let shrink = folder.program(&["shrink", "it.case", "--check", "Convergence"]);
    assert_eq!(shrink.code, 4, "nothing was found that could be shrunk: {shrink:?}");
}

#[test]
fn nothing_in_a_run_ends_after_it() {
    let folder = with_scenario("within");
    let stretches = |until: &str| {
        let run = folder.program(&["run", "small.ron", "--until", until, "--format", "json"]).json();
        let fired = run["faults"][0]["fired"].as_array().expect("a list").clone();
        let ends = fired.iter().map(|stretch| stretch["until_ns"].as_u64());
        assert!(ends.clone().flatten().all(|end| Some(end) <= run["simulated_ns"].as_u64()), "{run}");
        ends.collect::<Vec<_>>()
    };
    assert_eq!(["100ms", "300ms", "800ms"].map(stretches), [vec![], vec![None], vec![Some(700_000_000)]]);
}

#[test]
fn a_missed_expectation_is_told_by_the_exit_code() {
    let folder = with_scenario("missed");
    let run = folder.program(&["run", "small.ron", "--set", "expect.NoLostWrites=Violated"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.output.contains("NOT as expected"), "{}", run.output);
}

#[test]
fn a_folder_counts_what_is_not_as_expected_also_beside_what_cannot_be_run() {
    let folder = with_scenario("mixed");
    folder.write("broken.ron", b"Scenario(cluster: (size: 0))");
    folder.write("wrong.ron", SCENARIO.replace("NoLostWrites: Holds", "NoLostWrites: Violated").as_bytes());
    let run = folder.program(&["run", "."]);
    assert!(run.errors.contains("1 of 3 scenarios cannot be run; of the others, 1 NOT as expected"), "{run:?}");
    assert!(run.output.contains("wrong.ron\n      replisim run ./wrong.ron --seed "), "{run:?}");
    folder.write("broken/one.ron", b"Scenario(cluster: (size: 0))");
    folder.write("broken/two.ron", b"Scenario(cluster: (size: 0))");
    let none = folder.program(&["run", "broken"]);
    assert_eq!((none.code, none.errors.lines().last()), (3, Some("2 of 2 scenarios cannot be run")), "{none:?}");
}

/// What cannot be printed says nothing of the scenario.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_told_of_is_not_called_wrong() {
    let folder = with_scenario("full");
    folder.write("other.ron", SCENARIO.as_bytes());
    let full = std::fs::File::options().write(true).open("/dev/full").expect("it is there");
    let run = finished(folder.command(&["run", "."]).stdout(full).stderr(std::process::Stdio::piped()));
    assert_eq!((run.code, run.errors.lines().count()), (3, 1), "{run:?}");
    assert!(run.errors.starts_with("error: cannot print: "), "{run:?}");
}

#[test]
fn a_folder_is_run_scenario_by_scenario() {
    let folder = with_scenario("folder");
    folder.write("more/other.ron", SCENARIO.as_bytes());
    let run = folder.program(&["run", "."]);
    let lines: Vec<&str> = run.output.lines().collect();
    assert_eq!((run.code, lines.len(), lines[2]), (0, 3, "2 scenarios, as expected"), "{run:?}");
    assert!(lines[..2].iter().all(|line| line.starts_with("as expected ")), "{}", run.output);
    let json = folder.program(&["run", ".", "--format", "json"]).output;
    let documents = serde_json::Deserializer::from_str(&json).into_iter::<Value>();
    let scenarios: Vec<_> = documents.map(|document| document.expect("JSON")["scenario"].clone()).collect();
    assert_eq!(scenarios, ["./more/other.ron", "./small.ron"]);
}
