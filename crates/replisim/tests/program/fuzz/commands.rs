//! A command that is printed does what it says: run as it stands, it shows the failure that it was printed for.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{FAILING, Finished, Folder, finished, folder};

/// Runs a line as a person does who copies it into a shell.
fn pasted(folder: &Folder, line: &str) -> Finished {
    let bin = Path::new(env!("CARGO_BIN_EXE_replisim")).parent().expect("it stands in a folder").display();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    finished(
        shell.args(["-c", line]).env("PATH", path).current_dir(&folder.0).stdout(Stdio::piped()).stderr(Stdio::piped()),
    )
}

/// Runs every replay that a campaign printed, and returns the last lines of what each ended with.
fn replayed(folder: &Folder, fuzz: &Finished) -> Vec<String> {
    let replays: Vec<&str> = fuzz.output.lines().filter(|line| line.trim().starts_with("replisim replay ")).collect();
    assert_eq!((fuzz.code, replays.is_empty()), (1, false), "{fuzz:?}");
    let replayed = replays.iter().map(|line| {
        let replay = pasted(folder, line);
        assert_eq!(replay.code, 1, "what was wrong is wrong again: {replay:?}");
        replay.output.lines().last().unwrap_or_default().to_owned()
    });
    replayed.collect()
}

const THE_SAME: &str = "the same run: its fingerprint is the case's";

#[test]
fn what_the_search_made_up_replays_with_a_store_and_without() {
    let folder = folder("commands");
    for options in [&["--runs", "400"][..], &["--runs", "400", "--no-store"], &["--runs", "400", "--store", "a b.db"]] {
        let fuzz = folder.program(&[&["fuzz", "failing.ron"], options].concat());
        if options.contains(&"a b.db") {
            assert!(fuzz.output.contains(" --store 'a b.db'\n"), "what a shell would split is quoted: {fuzz:?}");
        }
        assert!(replayed(&folder, &fuzz).iter().all(|last| last == THE_SAME), "{options:?}: {fuzz:?}");
        assert!(!fuzz.output.contains("--seed"), "{fuzz:?}");
    }
}

#[test]
fn a_case_carries_what_was_set_and_stirred() {
    let folder = folder("set");
    // Without a swarm of its own, and with settings under which nothing would fail.
    let text = FAILING.replace("swarm: (longest: \"150ms\", families: [Failover, Kill, Delay]),", "");
    assert_ne!(text, FAILING);
    folder.write("calm.ron", text.replace("sessions: 3", "sessions: 1"));
    let stir = "swarm=(longest: \"150ms\", families: [Failover, Kill, Delay])";
    let set = ["fuzz", "calm.ron", "--runs", "400", "--no-store", "--set", "clients[0].sessions=3", "--set", stir];
    let fuzz = folder.program(&[&set[..], &["--swarm"]].concat());
    assert!(replayed(&folder, &fuzz).iter().all(|last| last == THE_SAME), "{fuzz:?}");
}

/// What is set may be a part of the swarm that a scenario is given: it expects nothing of that all the same.
#[test]
fn a_swarm_that_is_given_and_set_is_expected_nothing_of() {
    let folder = folder("given");
    let text = FAILING.replace("swarm: (longest: \"150ms\", families: [Failover, Kill, Delay]),", "");
    folder.write("calm.ron", text);
    let set = ["fuzz", "calm.ron", "--runs", "200", "--no-store", "--swarm", "--set", "swarm.faults=3"];
    let fuzz = folder.program(&set);
    assert_eq!((fuzz.code, fuzz.errors.contains("only what is promised counts")), (0, true), "{fuzz:?}");
}

/// SQLite has a name for what is no file.
#[cfg(unix)]
#[test]
fn a_store_is_a_file_whatever_it_is_called() {
    let folder = folder("memory");
    assert_eq!(folder.program(&["fuzz", "clean.ron", "--runs", "10", "--store", ":memory:"]).code, 0);
    assert!(folder.path(":memory:").is_file());
    assert_eq!(folder.program(&["campaign", "show", ":memory:"]).code, 0);
}

/// Settings that change nothing in a run give it the same fingerprint, and its case the same id: also where the files have
/// one name, and in another campaign.
#[test]
fn scenarios_with_one_run_have_a_case_each() {
    let folder = folder("twins");
    for (name, setting) in [("a/x", ""), ("b/x", "connections_max: 9998"), ("c/x", "connections_max: 9999")] {
        let text = FAILING.replace("LeaderFollower()", &format!("LeaderFollower({setting})"));
        folder.write(&format!("{name}.ron"), text);
    }
    let fuzz = |runs: &str, what: &[&str]| {
        folder.program(&[&["fuzz", "--runs", runs, "--format", "json"], what].concat()).json()
    };
    let failures = |told: &Value| {
        let subjects = told["subjects"].as_array().expect("a list").iter();
        let failures = subjects.flat_map(|subject| subject["failures"].as_array().expect("a list"));
        failures
            .map(|it| ["case", "replay"].map(|field| it[field].as_str().expect("a text").to_owned()))
            .collect::<Vec<_>>()
    };
    let all = ["a/x.ron", "b/x.ron", "c/x.ron"];
    let told = failures(&fuzz("600", &all));
    // Whose case is in each file that was told.
    let settings = || {
        let texts = told.iter().map(|[case, _]| String::from_utf8(folder.read(case)).expect("a case is a text"));
        texts.map(|text| ["9998", "9999"].map(|most| text.contains(most))).collect::<Vec<_>>()
    };
    let each = settings();
    for setting in [[false, false], [true, false], [false, true]] {
        assert!(each.contains(&setting), "{setting:?}: {told:?}");
    }
    for [case, replay] in &told {
        let words: Vec<&str> = replay.split(' ').skip(1).collect();
        let replayed = folder.program(&words);
        assert_eq!((replayed.code, replayed.output.lines().last()), (1, Some(THE_SAME)), "{case}: {replayed:?}");
    }
    let cases = Folder::at(folder.path(".replisim/cases"));
    let written = cases.files();
    assert!(["-2.ron", "-3.ron"].iter().all(|end| written.iter().any(|file| file.ends_with(end))), "{written:?}");
    assert_eq!(failures(&fuzz("600", &all)), told);
    assert_eq!(cases.files(), written, "nothing piles up");
    let exported = folder.program(&["campaign", "export", "--cases", "all"]);
    assert!(exported.code == 0 && folder.files().contains(&"all".to_owned()), "{exported:?}");
    assert_eq!(Folder::at(folder.path("all")).files().len(), written.len());
    for alone in all {
        fuzz("200", &[alone]);
        assert_eq!(settings(), each, "{alone}: what another campaign has found stays where it is");
    }
}

#[test]
fn a_mistake_in_a_case_that_was_edited_is_told_where_it_stands_in_its_file() {
    let folder = folder("edited");
    let fuzz = folder.program(&["fuzz", "failing.ron", "--runs", "300"]);
    let id = &fuzz.commands("replay")[0][1];
    let file = format!(".replisim/cases/{id}.ron");
    let text = String::from_utf8(folder.read(&file)).expect("a case is a text");
    let lines: Vec<&str> = text.lines().collect();
    let line = lines.iter().position(|line| line.starts_with("        protocol:")).expect("a scenario has one");
    folder.write(&file, [&lines[..line], &["        sede: 4,"], &lines[line..]].concat().join("\n"));
    for verb in ["replay", "shrink"] {
        let refused = folder.program(&[verb, id]);
        let place = format!("{file}:{}:9", line + 1);
        assert!(refused.code == 3 && refused.errors.contains(&place), "{place}: {refused:?}");
    }
}

#[test]
fn a_case_that_only_the_store_holds_is_told_by_its_id() {
    let folder = folder("stored-id");
    let fuzz = folder.program(&["fuzz", "failing.ron", "--runs", "300"]);
    let id = &fuzz.commands("replay")[0][1];
    std::fs::remove_dir_all(folder.path(".replisim/cases")).expect("it can be removed");
    let shrunk = folder.program(&["shrink", id, "-o", "small.ron"]);
    let told = shrunk.output.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(&format!("Shrunk from case {id} of .replisim/campaign.db in ")), "{shrunk:?}");
}

#[test]
fn json_names_the_same_commands() {
    let folder = folder("json_commands");
    let arguments = ["fuzz", "failing.ron", "--runs", "400", "--no-store"];
    let human = folder.program(&arguments).commands("replay");
    let document = folder.program(&[&arguments[..], &["--format", "json"]].concat()).json();
    let failures = document["subjects"][0]["failures"].as_array().expect("a list");
    let told = |failure: &Value| failure["replay"].as_str().expect("a command").to_owned();
    let human: Vec<String> = human.iter().map(|words| format!("replisim {}", words.join(" "))).collect();
    assert_eq!(failures.iter().map(told).collect::<Vec<_>>(), human);
}

#[test]
fn json_says_what_stands_for_a_failing_run() {
    let folder = folder("stands_for");
    let failures = |start: u32| {
        let start = (start * 1_000).to_string();
        let fuzz = ["fuzz", "failing.ron", "--runs", "100", "--format", "json", "--seed-start", &start];
        folder.program(&fuzz).json()["subjects"][0]["failures"].as_array().expect("a list").clone()
    };
    let made_up = |failures: &Vec<Value>| failures.iter().any(|failure| failure["fresh"] == false);
    let failures = (1..40).map(failures).find(made_up).expect("at some time the search makes one of them up");
    for failure in &failures {
        let text = |field: &str| failure[field].as_str().unwrap_or_else(|| panic!("{field} in {failure}")).to_owned();
        let case = folder.program(&["replay", &text("case")]);
        assert_eq!((case.code, case.output.lines().last()), (1, Some(THE_SAME)), "{case:?}");
        let origin =
            format!("SELECT origin FROM every_run WHERE plan = '{}' AND seed = {}", text("plan"), failure["seed"]);
        let origin = folder.program(&["campaign", "sql", &origin, "--format", "csv"]).output;
        let expected = if failure["fresh"] == true { "fresh" } else { "mutant" };
        assert_eq!(origin.lines().collect::<Vec<_>>(), ["origin", expected], "{failure}");
    }
    // What a seed alone stands for is run by that seed.
    let blind = folder.program(&["fuzz", "failing.ron", "--runs", "200", "--blind", "--format", "json"]).json();
    let failure = &blind["subjects"][0]["failures"][0];
    assert_eq!(failure["fresh"], true);
    let run = folder.program(&["run", "failing.ron", "--seed", &failure["seed"].to_string()]);
    assert_eq!(run.code, 1, "{run:?}");
}

#[test]
fn what_still_fails_is_told_with_a_case_that_replays() {
    let folder = folder("still");
    for options in [&[][..], &["--store", "a b.db"]] {
        let fuzz = || folder.program(&[&["fuzz", "failing.ron", "--runs", "300"], options].concat());
        assert!(!fuzz().output.contains("still failing"));
        let lines = fuzz().output;
        let mut lines = lines.lines();
        assert!(
            lines
                .next()
                .is_some_and(|line| line.starts_with("still failing  failing.ron: no acknowledged write lost: "))
        );
        let command = lines.next().and_then(|line| line.strip_prefix("      replisim replay ")).expect("a command");
        let id = command.split(' ').next().expect("an id");
        let replay = folder.program(&[&["replay", id], options].concat());
        assert_eq!((replay.code, replay.output.lines().last()), (1, Some(THE_SAME)), "{replay:?}");
    }
    let document = folder.program(&["fuzz", "failing.ron", "--runs", "300", "--format", "json"]).json();
    let known = document["known"].as_array().expect("a list");
    assert!(!known.is_empty());
    for known in known {
        let text = |field: &str| known[field].as_str().unwrap_or_else(|| panic!("{field} in {known}")).to_owned();
        assert_eq!((text("plan").len(), text("replay")), (32, format!("replisim replay {}", text("id"))));
        for case in [text("id"), text("case")] {
            let replay = folder.program(&["replay", &case]);
            assert_eq!((replay.code, replay.output.lines().last()), (1, Some(THE_SAME)), "{replay:?}");
        }
    }
}

#[test]
fn a_seed_that_fails_in_a_campaign_is_shrunk_alone_with_its_knobs() {
    let folder = folder("knobs");
    // Only with its knob in one position anything can fail.
    let knobs = "knobs: { \"swarm.families\": [\"[Delay]\", \"[Failover, Kill, Delay]\"] },\n    swarm_end";
    let text = FAILING.replace("families: [Failover, Kill, Delay]),", &format!("families: [Delay], {knobs}"));
    folder.write("knobs.ron", text.replace("},\n    swarm_end", "}),"));
    let failing = (1..200)
        .map(|seed: u32| seed.to_string())
        .find(|seed| folder.program(&["run", "knobs.ron", "--seed", seed]).code == 1);
    let seed = failing.expect("one of two hundred seeds fails");
    let shrunk = folder.program(&["shrink", "knobs.ron", "--seed", &seed, "-o", "small.ron"]);
    assert_eq!(shrunk.code, 0, "{shrunk:?}");
    let replay = folder.program(&["replay", "small.ron"]);
    assert_eq!((replay.code, replay.output.lines().last()), (1, Some(THE_SAME)), "{replay:?}");
}

#[test]
fn show_tells_as_many_failures_apart_as_fuzz_did() {
    let folder = folder("alike");
    let fuzz = folder.program(&["fuzz", "failing.ron", "--runs", "1500"]);
    let shown = folder.program(&["campaign", "show"]);
    assert_eq!(fuzz.commands("replay"), shown.commands("replay"), "{fuzz:?} {shown:?}");
    assert!(replayed(&folder, &shown).iter().all(|last| last == THE_SAME), "{shown:?}");
    let distinct = |finished: &Finished| {
        let line =
            finished.output.lines().find(|line| line.contains("distinct failure")).unwrap_or_default().to_owned();
        line.split(" distinct").next().unwrap_or_default().to_owned()
    };
    assert_eq!(distinct(&fuzz), distinct(&shown));
}
