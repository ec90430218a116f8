//! The program as a person or a script meets it: what it prints, what it writes, and what it exits with.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::{Folder, finished};

/// A run of a second, in which one link is slow and a stale read is expected.
const SCENARIO: &str = r#"
// A small one.
Scenario(
    about: "A follower is slow.",
    cluster: (size: 3),
    protocol: PostgreSql(primary: "n1"),
    clients: [(sessions: 10, mix: { Read: 9, Write: 1 }, keys: Uniform(count: 10), reads: AnyFollower)],
    faults: [During("200ms", "700ms", Slow(link: ("n1", "n3"), by: "100ms"))],
    run: "1s",
    seed: 3,
    checks: [ReadYourWrites, NoLostWrites, Convergence],
    expect: { ReadYourWrites: Violated, NoLostWrites: Holds },
)
"#;

// ── run ──

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
    assert_eq!(document["schema_version"], 1);
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
    assert!(stopped["simulated_ns"].as_u64() <= Some(300_000_000));
    assert!(stopped["events"].as_u64() < plain["events"].as_u64());
}

#[test]
fn a_missed_expectation_is_told_by_the_exit_code() {
    let folder = with_scenario("missed");
    let run = folder.program(&["run", "small.ron", "--set", "expect.NoLostWrites=Violated"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.output.contains("NOT as expected"), "{}", run.output);
}

#[test]
fn a_folder_is_run_scenario_by_scenario() {
    let folder = with_scenario("folder");
    folder.write("more/other.ron", SCENARIO.as_bytes());
    let run = folder.program(&["run", "."]);
    assert_eq!((run.code, run.output.lines().count()), (0, 2), "{run:?}");
    assert!(run.output.lines().all(|line| line.starts_with("as expected ")), "{}", run.output);
    let json = folder.program(&["run", ".", "--format", "json"]).output;
    let documents = serde_json::Deserializer::from_str(&json).into_iter::<Value>();
    let scenarios: Vec<_> = documents.map(|document| document.expect("JSON")["scenario"].clone()).collect();
    assert_eq!(scenarios, ["./more/other.ron", "./small.ron"]);
    assert_eq!(folder.program(&["run", ".", "--trace", "trace"]).code, 4, "one file cannot hold two traces");
}

// ── traces and cases ──

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
    folder.write("other.case", format!("{before}fingerprint: \"{digit}{}", &rest[1..]).as_bytes());
    let replay = folder.program(&["replay", "other.case"]);
    assert_eq!(replay.code, 5, "{replay:?}");
    assert!(replay.output.contains("\ndiverged: other.case was written by version "), "{}", replay.output);
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

// ── list, new, explain ──

#[test]
fn everything_there_is_can_be_listed() {
    let all = repository().program(&["list"]);
    assert_eq!(all.code, 0, "{all:?}");
    for (section, entry) in [
        ("protocols", "PostgreSql"),
        ("faults", "LoseHost"),
        ("checks", "ReadYourWrites"),
        ("scenarios", "stale_read_after_write.ron"),
    ] {
        let one = repository().program(&["list", section]).output;
        assert!(one.starts_with(&format!("{section}\n  ")) && one.contains(entry), "{one}");
        assert!(all.output.contains(one.trim_end()), "{section} is missing:\n{}", all.output);
    }
    assert!(!all.output.contains("cannot be read"), "{}", all.output);
}

#[test]
fn a_new_scenario_runs_and_is_never_written_over() {
    let folder = empty("new");
    assert_eq!(folder.program(&["new", "mine.ron"]).code, 0);
    let run = folder.program(&["run", "mine.ron"]);
    assert_eq!(run.code, 0, "{run:?}");
    let text = fs::read_to_string(folder.path("mine.ron")).expect("it was written");
    assert_eq!(folder.program(&["new"]).output, text);

    folder.write("mine.ron", b"precious");
    let again = folder.program(&["new", "mine.ron"]);
    assert_eq!((again.code, again.errors.contains("is there already")), (3, true), "{again:?}");
    assert_eq!(fs::read(folder.path("mine.ron")).expect("it is there"), b"precious");
}

#[test]
fn every_code_is_explained() {
    let folder = empty("explain");
    let all = folder.program(&["explain"]);
    let codes: Vec<&str> = all.output.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 10, "{}", all.output);
    for code in codes {
        let one = folder.program(&["explain", &code.to_lowercase()]);
        assert!(one.code == 0 && one.output.starts_with(&format!("{code}: ")), "{one:?}");
        assert!(one.output.lines().count() >= 3, "{code} has a heading and no more");
    }
    assert_eq!(folder.program(&["explain", "S999"]).code, 4);
}

// ── what cannot be done ──

#[test]
fn a_wrong_command_line_is_refused() {
    let folder = with_scenario("usage");
    for wrong in [
        ["rnu", "small.ron"].as_slice(),
        &[],
        &["run"],
        &["run", "small.ron", "--sed", "7"],
        &["run", "small.ron", "--seed", "seven"],
        &["run", "small.ron", "--set", "sessions"],
        &["run", "small.ron", "--until", "soon"],
        &["run", "small.ron", "--format", "xml"],
        &["list", "everything"],
    ] {
        let run = folder.program(wrong);
        assert_eq!(run.code, 2, "{wrong:?}: {run:?}");
        assert!(run.errors.contains("Usage: ") || run.errors.contains("--help"), "{wrong:?}: {}", run.errors);
    }
    assert!(folder.program(&["runn"]).errors.contains("'run'"), "the nearest command is named");
}

#[test]
fn nothing_selected_has_a_code_of_its_own() {
    let folder = with_scenario("nothing");
    folder.write("scenarios/lost_write.ron", SCENARIO.as_bytes());
    fs::create_dir(folder.path("empty")).expect("a folder can be made");
    let unknown = folder.program(&["run", "lost_wirte"]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
    assert!(unknown.errors.contains("did you mean `lost_write`?"), "{}", unknown.errors);
    let empty = folder.program(&["run", "empty"]);
    assert_eq!((empty.code, empty.errors.contains("there is no scenario")), (4, true), "{empty:?}");
}

#[test]
fn what_cannot_be_written_is_told() {
    let folder = with_scenario("unwritable");
    for option in ["--trace", "--case"] {
        let run = folder.program(&["run", "small.ron", option, "no/such/folder"]);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.errors.starts_with("error: cannot write no/such/folder: "), "{}", run.errors);
    }
}

#[test]
fn nobody_reading_is_no_reason_to_panic() {
    let folder = with_scenario("pipe");
    for arguments in [["run", "small.ron"].as_slice(), &["list"], &["explain"], &["new"], &["--help"]] {
        let run = finished(folder.command(arguments).stdout(unread()).stderr(Stdio::piped()));
        assert_eq!((run.code, run.errors.as_str()), (0, ""), "{arguments:?}");
    }
    let refused = finished(folder.command(&["run", "missing.ron"]).stderr(unread()));
    assert_eq!(refused.code, 3, "{refused:?}");
}

// ── bad scenarios ──

/// A mistake: what of [`SCENARIO`] gives way to what, and where the program points, what it accepts, what it advises.
struct Mistake {
    replaced: &'static str,
    by: &'static str,
    place: &'static str,
    accepted: &'static str,
    hint: &'static str,
}

const MISTAKES: [Mistake; 8] = [
    Mistake {
        replaced: "seed: 3",
        by: "sede: 3",
        place: "10:5",
        accepted: "fields are about, source, cluster, protocol",
        hint: "did you mean `seed`?",
    },
    Mistake {
        replaced: "sessions: 10",
        by: "sessions: \"ten\"",
        place: "7:26",
        accepted: "number",
        hint: "replisim explain S010",
    },
    Mistake {
        replaced: "run: \"1s\"",
        by: "run: \"1 fortnight\"",
        place: "9:10",
        accepted: "ms",
        hint: "replisim explain S010",
    },
    Mistake {
        replaced: "size: 3",
        by: "size: 3, links: (loss: \"120%\")",
        place: "5:38",
        accepted: "%",
        hint: "replisim explain S010",
    },
    Mistake {
        replaced: "size: 3",
        by: "size: 3, links: (between: [(\"n1\", \"n9\", (delay: \"1ms\"))])",
        place: "5:50",
        accepted: "n1, n2, n3",
        hint: "did you mean `n1`?",
    },
    Mistake {
        replaced: "link: (\"n1\", \"n3\")",
        by: "link: (\"n1\", \"n33\")",
        place: "8:58",
        accepted: "n1, n2, n3",
        hint: "did you mean `n3`?",
    },
    Mistake {
        replaced: "primary: \"n1\"",
        by: "primary: \"p\"",
        place: "6:36",
        accepted: "n1, n2, n3",
        hint: "replisim explain S0",
    },
    Mistake {
        replaced: "PostgreSql(",
        by: "PostgresQl(",
        place: "6:15",
        accepted: "protocols are LeaderFollower, PostgreSql, MySql",
        hint: "did you mean `PostgreSql`?",
    },
];

#[test]
fn a_mistake_is_shown_where_it_is_with_what_is_accepted_and_a_hint() {
    let folder = empty("mistakes");
    for Mistake { replaced, by, place, accepted, hint } in MISTAKES {
        assert!(SCENARIO.contains(replaced), "{replaced} stands in the scenario");
        folder.write("wrong.ron", SCENARIO.replace(replaced, by).as_bytes());
        let run = folder.program(&["run", "wrong.ron"]);
        assert_eq!((run.code, run.output.as_str()), (3, ""), "{by}: {run:?}");
        assert!(run.errors.starts_with("error[S"), "{}", run.errors);
        for told in [&format!("╭▸ wrong.ron:{place}"), accepted, hint] {
            assert!(run.errors.contains(told), "{by}: {told} is missing:\n{}", run.errors);
        }
    }
}

#[test]
fn all_mistakes_of_meaning_are_shown_at_once() {
    let folder = empty("all-mistakes");
    let wrong = SCENARIO
        .replace("primary: \"n1\"", "primary: \"p\"")
        .replace("\"n3\"), by", "\"n9\"), by")
        .replace("reads: AnyFollower", "reads: Host(\"n7\")")
        .replace("\"200ms\", \"700ms\"", "\"700ms\", \"200ms\"")
        .replace("NoLostWrites: Holds", "FreshReads: Holds");
    folder.write("wrong.ron", wrong.as_bytes());
    let run = folder.program(&["run", "wrong.ron"]);
    assert_eq!(run.code, 3, "{run:?}");
    let places: Vec<&str> =
        run.errors.lines().filter_map(|line| line.split_once("╭▸ wrong.ron:")).map(|it| it.1).collect();
    let lines: Vec<&str> = places.iter().filter_map(|place| place.split(':').next()).collect();
    assert_eq!(lines, ["6", "7", "8", "8", "12"], "{}", run.errors);
}

#[test]
fn an_edit_that_leads_nowhere_is_refused() {
    let folder = with_scenario("edit");
    for (edit, told) in [("clients[3].sessions=5", "its only element is [0]"), ("rnu=3s", "did you mean `run`?")] {
        let run = folder.program(&["run", "small.ron", "--set", edit]);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.errors.contains(told), "{edit}: {told} is missing:\n{}", run.errors);
    }
}

#[test]
fn a_file_that_holds_no_scenario_is_refused() {
    let folder = empty("files");
    folder.write("empty.ron", b"");
    folder.write("latin1.ron", b"Scenario(\n    about: \"gr\xf6\xdfer\",\n)");
    folder.write("binary.ron", [0, 159, 146, 150, 0, 255]);
    fs::create_dir(folder.path("folder")).expect("a folder can be made");
    for (file, place, told) in [
        ("empty.ron", "empty.ron:1:1", "replisim new"),
        ("latin1.ron", "latin1.ron:2:15", "save the file as UTF-8 text"),
        ("binary.ron", "binary.ron:1:2", "is not UTF-8"),
        ("missing.ron", "missing.ron", "there is no such file"),
    ] {
        let run = folder.program(&["run", file]);
        assert_eq!(run.code, 3, "{run:?}");
        for told in [&format!("╭▸ {place}"), told] {
            assert!(run.errors.contains(told), "{file}: {told} is missing:\n{}", run.errors);
        }
    }
}

#[test]
#[expect(clippy::disallowed_types, reason = "how long the program takes is what is tested; no run depends on it")]
fn a_huge_file_is_refused_before_it_is_read() {
    let folder = empty("huge");
    let file = File::create(folder.path("huge.ron")).expect("a file can be made");
    file.set_len(100 << 20).expect("a file can have holes");
    let began = std::time::Instant::now();
    for command in ["run", "replay"] {
        let run = folder.program(&[command, "huge.ron"]);
        assert_eq!((run.code, run.errors.contains("larger than 1024 kB")), (3, true), "{run:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(2), "it took {:?}", began.elapsed());
}

// ── places ──

/// A folder with [`SCENARIO`] in `small.ron`.
fn with_scenario(name: &str) -> Folder {
    let folder = empty(name);
    folder.write("small.ron", SCENARIO.as_bytes());
    folder
}

fn empty(name: &str) -> Folder {
    Folder::new(&format!("command_line/{name}"))
}

fn repository() -> Folder {
    Folder::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
}

/// A pipe that nobody reads any more.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    writer.into()
}
