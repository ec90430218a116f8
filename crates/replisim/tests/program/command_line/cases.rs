//! Traces, cases, and what shrinks to one: the same bytes each time, and a word where they are not.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{SCENARIO, finished, with_scenario};

#[test]
fn a_trace_is_the_same_each_time() {
    let folder = with_scenario("trace");
    let traced = ["a", "b"].map(|file| {
        let run = folder.program(&["run", "small.ron", "--seed", "7", "--format", "json", "--trace", file]);
        assert_eq!(run.code, 0, "{run:?}");
        (run.json()["fingerprint"].clone(), fs::read(folder.path(file)).expect("a trace was written"))
    });
    assert!(traced[0] == traced[1], "the two traces differ");
    let text = std::str::from_utf8(&traced[0].1).expect("a trace is text");
    assert!(text.starts_with("replisim trace · small · seed 7 · version "), "{}", &text[..80]);
    assert!(text.lines().count() > 1_000);
    let plain = folder.program(&["run", "small.ron", "--seed", "7", "--format", "json"]).json();
    assert_eq!(plain["fingerprint"], traced[0].0, "a run does not know whether it is traced");
}

#[test]
fn a_case_replays_and_one_that_was_changed_diverges() {
    let folder = with_scenario("case");
    let options = ["--seed", "9", "--set", "clients[0].sessions=4", "--case", "it.case"];
    let run = folder.program(&[&["run", "small.ron"], options.as_slice()].concat());
    assert!(run.code <= 1, "{run:?}");
    let replay = folder.program(&["replay", "it.case"]);
    assert_eq!(replay.code, run.code, "{replay:?}");
    assert!(replay.output.ends_with("the same run: its fingerprint is the case's\n"), "{}", replay.output);

    let case = fs::read_to_string(folder.path("it.case")).expect("a case was written");
    let (before, rest) = case.split_once("fingerprint: \"").expect("a case has a fingerprint");
    let digit = if rest.starts_with('0') { "1" } else { "0" };
    folder.write("an other.case", format!("{before}fingerprint: \"{digit}{}", &rest[1..]).as_bytes());
    let replay = folder.program(&["replay", "an other.case"]);
    assert_eq!(replay.code, 5, "{replay:?}");
    for told in [
        "\nreplay    replisim replay 'an other.case'\n",
        "\ndiverged: an other.case has the fingerprint ",
        ": the case was edited since, or ",
        "\nthe same at every mark, up to event ",
        ": only the fingerprint at the end differs\n",
    ] {
        assert!(replay.output.contains(told), "{told} is missing:\n{}", replay.output);
    }

    folder.write(
        "older.case",
        case.replacen(env!("CARGO_PKG_VERSION"), "0.0.9", 1).replace("sessions: 4", "sessions: 5"),
    );
    let replay = folder.program(&["replay", "older.case"]);
    assert_eq!(replay.code, 5, "{replay:?}");
    assert!(replay.output.contains("\nversion 0.0.9 wrote it, and this is version "), "{}", replay.output);
}

/// Events that are no line of the trace are told by the lines around them.
#[test]
fn where_runs_part_without_a_word_the_words_around_are_shown() {
    let folder = with_scenario("silent");
    let few = SCENARIO.replace("sessions: 10", "sessions: 1").replace("run: \"1s\"", "run: \"5ms\", settle: \"20ms\"");
    folder.write(
        "few.ron",
        few.replace("faults: [During(\"200ms\", \"700ms\", Slow(link: (\"n1\", \"n3\"), by: \"100ms\"))],", ""),
    );
    folder.program(&["run", "few.ron", "--case", "it.case"]);
    let case = String::from_utf8(folder.read("it.case")).expect("a case is text");
    assert!(case.contains("marks: (every: 1,"), "{case}");
    folder.write("other.case", case.replace("(size: 3)", "(size: 3, disk: (sync: \"3ms\"))"));
    let replay = folder.program(&["replay", "other.case"]);
    assert_eq!(replay.code, 5, "{replay:?}");
    let told = folder.program(&["replay", "other.case", "--format", "json"]).json();
    assert_eq!(told["case"]["lines"], json!([]), "{told}");
    for (shown, field) in [("before", "last_line"), ("after ", "next_line")] {
        let line = told["case"][field].as_str().expect("a line");
        assert!(replay.output.contains(&format!("\n  {shown} {line}\n")), "{line}: {}", replay.output);
    }
}

#[test]
fn what_a_kill_has_left_among_cases_is_passed_over_and_an_id_of_several_lists_them() {
    let folder = with_scenario("ids");
    folder.program(&["run", "small.ron", "--case", "it.ron"]);
    let case = String::from_utf8(folder.read("it.ron")).expect("a case is text");
    let whole = case.split_once("fingerprint: \"").map(|(_, rest)| rest[..32].to_owned()).expect("a fingerprint");
    let id = &whole[..8];
    folder.write(&format!(".replisim/cases/{id}.ron"), &case);
    folder.write(&format!(".replisim/cases/.{id}.ron.4711.0.part"), &case[..100]);
    let replay = folder.program(&["replay", id]);
    assert_eq!(replay.code, 0, "{replay:?}");

    let shrink = folder.program(&["shrink", &id[..4], "-o", "shrunk.case"]);
    assert_eq!(shrink.code, 0, "{shrink:?}");
    assert!(shrink.output.starts_with(&format!("case {} · seed 3\n", &id[..4])), "{}", shrink.output);

    let other = format!("{}00000000{}", &id[..4], &whole[12..]);
    folder.write(&format!(".replisim/cases/{}.ron", &other[..8]), case.replace(&whole, &other));
    let replay = folder.program(&["replay", &id[..4]]);
    assert_eq!(replay.code, 4, "{replay:?}");
    for told in [id, &other[..8]] {
        assert!(replay.errors.contains(told), "{told} is missing: {}", replay.errors);
    }
}

/// The run takes so long that the interrupt comes before anything smaller is found: it is kept as it is.
#[cfg(unix)]
#[test]
fn an_interrupted_search_keeps_what_it_has_found() {
    let folder = with_scenario("interrupt");
    let long = SCENARIO.replace("run: \"1s\"", "run: \"60s\"").replace("sessions: 10", "sessions: 100");
    folder.write("long.ron", long);
    let shrink = ["shrink", "long.ron", "--jobs", "1", "--format", "json", "-o", "it.case"];
    let child = folder.command(&shrink).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the program can be run");
    thread::sleep(Duration::from_secs(1));
    let kill = finished(Command::new("kill").args(["-INT", &child.id().to_string()]));
    assert_eq!(kill.code, 0, "{kill:?}");
    let output = child.wait_with_output().expect("it has ended");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(document["ended_by"], "interrupted");
    assert!(folder.read("it.case").starts_with(b"// A session does not see what it wrote itself"));
    assert_eq!(folder.program(&["shrink", "small.ron", "--for", "1ns", "--format", "json"]).json()["ended_by"], "time");
}

#[test]
fn a_replay_writes_the_trace_that_the_run_wrote() {
    let folder = with_scenario("replay_trace");
    folder.program(&["run", "small.ron", "--until", "400ms", "--case", "it.case", "--trace", "run.txt"]);
    let replay = folder.program(&["replay", "it.case", "--trace", "replay.txt"]);
    assert!(replay.output.ends_with("the same run: its fingerprint is the case's\n"), "{replay:?}");
    let [run, replay] = ["run.txt", "replay.txt"].map(|file| {
        let text = fs::read_to_string(folder.path(file)).expect("a trace was written");
        let (head, lines) = text.split_once('\n').expect("a trace has a first line");
        (head.to_owned(), lines.to_owned())
    });
    assert!(run.1.lines().count() > 100 && run.1 == replay.1, "the two traces differ");
    assert!(replay.0.starts_with("replisim trace · it · seed 3 · version "), "{}", replay.0);
}

#[test]
fn a_case_of_a_run_that_was_stopped_replays_as_far() {
    let folder = with_scenario("stopped");
    let run = folder.program(&["run", "small.ron", "--until", "400ms", "--case", "it.case"]);
    let replay = folder.program(&["replay", "it.case"]);
    assert_eq!(replay.code, run.code, "{replay:?}");
    assert!(replay.output.ends_with("the same run: its fingerprint is the case's\n"), "{}", replay.output);
}

#[test]
fn a_violation_shrinks_to_a_case_that_replays_and_shrinks_no_further() {
    let folder = with_scenario("shrink");
    let shrink = folder.program(&["shrink", "small.ron", "-o", "small.case"]);
    assert_eq!(shrink.code, 0, "{shrink:?}");
    assert!(shrink.output.starts_with("small · seed 3\n  from  1 fault, "), "{}", shrink.output);
    assert!(shrink.output.ends_with("\nreplay  replisim replay small.case\n"), "{}", shrink.output);
    let replay = folder.program(&["replay", "small.case"]);
    assert_eq!(replay.code, 0, "{replay:?}");
    assert!(replay.output.ends_with("the same run: its fingerprint is the case's\n"), "{}", replay.output);

    let again = folder.program(&["shrink", "small.case", "-o", "again.case", "--format", "json", "--jobs", "1"]);
    let document: Value = serde_json::from_str(&again.output).expect("a document");
    assert_eq!((&document["check"], &document["before"]), (&"ReadYourWrites".into(), &document["after"]));
    let case = String::from_utf8(folder.read("again.case")).expect("a case is text");
    let above: Vec<&str> = case.lines().map_while(|line| line.strip_prefix("//")).map(str::trim_start).collect();
    let story = document["story"].as_array().expect("a list").iter().map(|line| line.as_str().expect("a text"));
    assert!(above.starts_with(&story.map(str::trim_start).collect::<Vec<_>>()), "{document}\n{case}");
    let value = |file| {
        fs::read_to_string(folder.path(file)).expect("a case was written").split_once("Case(").map(|it| it.1.to_owned())
    };
    assert_eq!(value("small.case"), value("again.case"));
}

#[test]
fn what_holds_is_not_shrunk_and_an_id_is_not_a_file() {
    let folder = with_scenario("no-shrink");
    let shrink = folder.program(&["shrink", "small.ron", "--check", "NoLostWrites"]);
    assert_eq!(shrink.code, 4, "{shrink:?}");
    assert!(shrink.errors.contains("NoLostWrites is not violated under seed 3"), "{}", shrink.errors);
    let replay = folder.program(&["replay", "a1f3"]);
    assert_eq!(replay.code, 4, "{replay:?}");
    assert!(replay.errors.contains("there is neither a file `a1f3`"), "{}", replay.errors);
}

#[test]
fn a_case_whose_code_has_changed_says_where_and_whether_it_matters() {
    let folder = with_scenario("changed");
    let shrink = folder.program(&["shrink", "small.ron", "-o", "small.case"]);
    assert_eq!(shrink.code, 0, "{shrink:?}");
    let case = fs::read_to_string(folder.path("small.case")).expect("a case was written");
    // A write to another key stands for other code: the read then misses nothing.
    folder.write("other.case", case.replace("op: Write", "op: Write, key: 7").as_bytes());
    let replay = folder.program(&["replay", "other.case"]);
    assert_eq!(replay.code, 5, "{replay:?}");
    assert!(replay.output.contains("\nthe same up to event "), "{}", replay.output);
    assert!(
        replay.output.ends_with("\nthe anomaly is gone: read your writes, older than own write\n"),
        "{}",
        replay.output
    );

    let told = folder.program(&["replay", "other.case", "--format", "json"]);
    let case = &told.json()["case"];
    assert_eq!((told.code, case["same"].as_bool(), case["anomaly"]["became"].as_str()), (5, Some(false), Some("gone")));
    let [until, from] = ["same_until", "differs_from"].map(|field| case[field].as_u64().expect("a number of events"));
    assert!(until < from, "{case}");
    let lines: Vec<&str> = case["lines"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let shown: Vec<&str> =
        replay.output.lines().skip_while(|line| !line.starts_with("the same up to ")).skip(1).collect();
    assert!(!lines.is_empty() && shown.starts_with(&lines), "{case}\n{}", replay.output);
}

#[test]
fn a_case_that_does_not_look_for_its_anomaly_says_so_and_is_not_fine() {
    let folder = with_scenario("not-looked-for");
    let shrink = folder.program(&["shrink", "small.ron", "-o", "small.case"]);
    assert_eq!(shrink.code, 0, "{shrink:?}");
    let case = String::from_utf8(folder.read("small.case")).expect("a case is text");
    let checks = "checks: [ReadYourWrites]";
    assert!(case.contains(checks), "{case}");
    let expected = "expect: { ReadYourWrites: Violated },";
    folder.write("other.case", case.replace(checks, "checks: [Convergence]").replace(expected, ""));
    let replay = folder.program(&["replay", "other.case"]);
    assert_eq!(replay.code, 1, "{replay:?}");
    let told = "the same run: its fingerprint is the case's\n\
                the anomaly was not looked for, for the case's checks leave it out: read your writes, older than own write\n";
    assert!(replay.output.ends_with(told), "{}", replay.output);
}

#[test]
fn an_anomaly_that_cannot_be_seen_or_is_another_one_is_not_gone() {
    let folder = with_scenario("undecided");
    let shrink = folder.program(&["shrink", "small.ron", "-o", "small.case"]);
    assert_eq!(shrink.code, 0, "{shrink:?}");
    let case = String::from_utf8(folder.read("small.case")).expect("a case is text");
    let kind = "kind: \"older than own write\"";
    assert!(case.contains(kind), "{case}");
    folder.write("renamed.case", case.replace(kind, "kind: \"as it was called before\""));
    let replay = folder.program(&["replay", "renamed.case"]);
    let told = "the anomaly is another one now, “older than own write”: read your writes, as it was called before\n";
    assert!(replay.code == 1 && replay.output.ends_with(told), "{replay:?}");

    // Broken off, it has no end at which replicas could differ.
    let broken_off = case.replace("ReadYourWrites", "Convergence").replacen(
        "    fingerprint:",
        "    until: \"1ms\",\n    fingerprint:",
        1,
    );
    folder.write("broken_off.case", broken_off);
    let replay = folder.program(&["replay", "broken_off.case"]);
    assert_eq!(replay.code, 5, "{replay:?}");
    assert!(
        replay.output.contains("\nthe anomaly could not be looked for, the run was broken off"),
        "{}",
        replay.output
    );
}

#[test]
fn what_is_no_case_is_refused() {
    let folder = with_scenario("no-case");
    folder.write("cut.case", b"Case(\n    version: \"0.1.0\",\n    seed: ");
    for (file, place) in [("small.ron", "small.ron:"), ("cut.case", "cut.case:3:"), ("missing.case", "missing.case")] {
        let replay = folder.program(&["replay", file]);
        assert_eq!(replay.code, 3, "{replay:?}");
        assert!(replay.errors.contains(&format!("╭▸ {place}")), "{}", replay.errors);
    }
}
