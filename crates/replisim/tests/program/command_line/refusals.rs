//! What cannot be done is told by words and by an exit code of its own, also where nobody reads.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{SCENARIO, finished, with_scenario};

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
        &["run", "small.ron", "--until", "0s"],
        &["run", "small.ron", "--format", "xml"],
        &["shrink", "small.ron", "--for", "0s"],
        &["shrink", "small.ron", "--for", "-1s"],
        &["shrink", "small.ron", "--jobs", "0"],
        &["shrink", "small.ron", "--jobs", "100000"],
        &["list", "everything"],
    ] {
        let run = folder.program(wrong);
        assert_eq!(run.code, 2, "{wrong:?}: {run:?}");
        assert!(run.errors.contains("Usage: ") || run.errors.contains("--help"), "{wrong:?}: {}", run.errors);
    }
    assert!(folder.program(&["runn"]).errors.contains("'run'"), "the nearest command is named");
    let twice = folder.program(&["run", "small.ron", "--trace", "it", "--case", "./it"]);
    assert_eq!((twice.code, twice.errors.contains("name the same file")), (2, true), "{twice:?}");
}

#[test]
fn a_store_is_for_an_id() {
    let folder = with_scenario("needless");
    assert_eq!(folder.program(&["run", "small.ron", "--case", "it.case"]).code, 0);
    for (verb, file) in [("replay", "it.case"), ("shrink", "it.case"), ("shrink", "small.ron")] {
        let refused = folder.program(&[verb, file, "--store", "a.db"]);
        let told = format!("error: --store goes with an id, and `{file}` is a file\n");
        assert_eq!((refused.code, refused.errors), (2, told));
    }
}

#[test]
fn nothing_selected_has_a_code_of_its_own() {
    let folder = with_scenario("nothing");
    folder.write("scenarios/lost_write.ron", SCENARIO.as_bytes());
    fs::create_dir(folder.path("empty")).expect("a folder can be made");
    let unknown = folder.program(&["run", "lost_wirte"]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
    assert!(unknown.errors.contains("did you mean `lost_write`?"), "{}", unknown.errors);
    let stranger = folder.program(&["run", "nothing_like_it"]);
    assert!(stranger.code == 4 && stranger.errors.contains("`replisim list` names them"), "{stranger:?}");
    for command in ["run", "fuzz", "shrink", "replay"] {
        let nameless = folder.program(&[command, ""]);
        assert_eq!((nameless.code, nameless.errors.lines().count()), (4, 1), "{nameless:?}");
    }
    let empty = folder.program(&["run", "empty"]);
    assert_eq!((empty.code, empty.errors.contains("there is no scenario")), (4, true), "{empty:?}");
}

#[test]
fn a_file_of_another_kind_is_called_what_it_is() {
    let folder = with_scenario("kinds");
    folder.write("short.ron", b"Case(version: \"0.1.0\")");
    for (command, told) in [
        (&["replay", "small.ron"][..], "this is a scenario, and not a case"),
        (&["fuzz", "shard", "small.ron", "--shard", "1/2", "-o", "it.db"], "this is a scenario, and not a plan"),
        (&["replay", "short.ron"], "this is not a case: it has no `seed`"),
    ] {
        let refused = folder.program(command);
        assert!(refused.code == 3 && refused.errors.contains(told), "{refused:?}");
    }
}

#[test]
fn a_sibling_that_is_not_there_is_missed() {
    let folder = with_scenario("siblings");
    let cured = folder.program(&["run", "small.ron", "--set", "cure=small"]);
    assert!(cured.output.ends_with("the cure  replisim run small.ron\n") && cured.errors.is_empty(), "{cured:?}");
    let cure = folder.program(&["run", "small.ron", "--set", "anomaly=small"]);
    assert!(cure.output.ends_with("it cures  replisim run small.ron\n") && cure.errors.is_empty(), "{cure:?}");
    let alone = folder.program(&["run", "small.ron", "--set", "cure=nope"]);
    assert!(alone.errors.contains("its `cure` is not beside it: there is no nope.ron"), "{alone:?}");
}

#[test]
fn what_cannot_be_written_is_told() {
    let folder = with_scenario("unwritable");
    for option in ["--trace", "--case"] {
        for (file, told) in [(".", "cannot write .: "), ("small.ron/it", "cannot make small.ron: ")] {
            let run = folder.program(&["run", "small.ron", option, file]);
            assert_eq!((run.code, run.output.as_str()), (3, ""), "{run:?}");
            assert!(run.errors.starts_with(&format!("error: {told}")), "{}", run.errors);
        }
    }
}

#[test]
fn what_goes_to_standard_output_is_named_so() {
    let folder = with_scenario("dash");
    for option in ["--trace", "--case"] {
        let refused = folder.program(&["run", "small.ron", option, "-"]);
        assert_eq!(refused.code, 3, "{option}: {refused:?}");
        assert!(refused.errors.contains("a text can go to /dev/stdout"), "{option}: {refused:?}");
        assert_eq!(folder.program(&["run", "small.ron", option, "./-"]).code, 0, "{option}");
        fs::remove_file(folder.path("-")).expect("it was written");
    }
}

#[test]
fn a_dash_is_no_file() {
    let folder = with_scenario("no-dash");
    let plan = ["fuzz", "plan", "small.ron", "--swarm", "--runs", "10", "-o", "plan.ron"];
    assert_eq!(folder.program(&plan).code, 0);
    for (command, what) in [
        (&["new", "-"][..], "scenario"),
        (&["fuzz", "plan", "small.ron", "--swarm", "--runs", "10", "-o", "-"], "plan"),
        (&["fuzz", "small.ron", "--runs", "1", "--store", "-"], "store"),
        (&["fuzz", "shard", "plan.ron", "--shard", "1/1", "-o", "-"], "store"),
        (&["fuzz", "merge", "a.db", "-o", "-"], "store"),
        (&["shrink", "small.ron", "-o", "-"], "case"),
    ] {
        let refused = folder.program(command);
        let told = format!("error: `-` names no file for the {what}: ");
        assert!(refused.code == 3 && refused.errors.contains(&told), "{refused:?}");
        assert_eq!(folder.files(), ["plan.ron", "small.ron"]);
    }
}

#[test]
fn a_campaign_that_cannot_be_kept_says_what_to_do() {
    let folder = with_scenario("unkept");
    let fuzz = folder.program(&["fuzz", "small.ron", "--swarm", "--runs", "10", "--store", "small.ron/a.db"]);
    assert_eq!((fuzz.code, fuzz.errors.contains("--no-store")), (3, true), "{fuzz:?}");
}

/// A pipe that nobody writes into would be waited at.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_only_where_the_system_hands_it_over() {
    let folder = with_scenario("fifo");
    assert!(Command::new("mkfifo").arg(folder.path("pipe.ron")).status().expect("it is there").success());
    for command in ["run", "replay"] {
        let run = folder.program(&[command, "pipe.ron"]);
        assert_eq!((run.code, run.errors.contains("this is a pipe or a device")), (3, true), "{run:?}");
    }
    assert_eq!(folder.program(&["run", "."]).code, 0, "it is passed over");
    let (reader, mut writer) = std::io::pipe().expect("a pipe can be made");
    writer.write_all(SCENARIO.as_bytes()).expect("it holds so much");
    drop(writer);
    let run =
        finished(folder.command(&["run", "/dev/stdin"]).stdin(reader).stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(run.code, 0, "{run:?}");
}

/// Nobody makes a file in a folder of the kernel's.
#[cfg(target_os = "linux")]
#[test]
fn what_is_shrunk_is_not_begun_where_it_cannot_be_kept() {
    let folder = with_scenario("shrink-nowhere");
    let file = folder.path("small.ron").display().to_string();
    let shrink =
        finished(folder.command(&["shrink", &file]).current_dir("/proc").stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!((shrink.code, shrink.output.as_str()), (3, ""), "{shrink:?}");
    assert!(shrink.errors.starts_with("error: cannot write a case: "), "{shrink:?}");
}

#[test]
fn what_was_shrunk_and_cannot_be_kept_is_told() {
    let folder = with_scenario("shrink-unkept");
    assert_eq!(folder.program(&["shrink", "small.ron"]).code, 0);
    let mut files = folder.files();
    files.retain(|file| file.starts_with("small-"));
    let case = folder.read(&files[0]);
    folder.write(&files[0], "somebody's own");
    let shrink = folder.program(&["shrink", "small.ron"]);
    assert_eq!((shrink.code, shrink.errors.contains("is no case")), (3, true), "{shrink:?}");
    assert!(shrink.output.ends_with(&String::from_utf8_lossy(&case).into_owned()), "{}", shrink.output);
    let json = folder.program(&["shrink", "small.ron", "--format", "json"]).json();
    assert_eq!((json["case"].is_null(), json["text"].as_str().map(str::as_bytes)), (true, Some(case.as_slice())));
}

/// An edit may have taken an hour; a run is done again in no time.
#[test]
fn a_case_of_another_run_is_kept_under_another_name() {
    let folder = with_scenario("another-case");
    for command in [
        ["run", "small.ron", "--case", "rc.ron"].as_slice(),
        &["run", "small.ron", "--case", "rc.ron"],
        &["run", "small.ron", "--seed", "99", "--case", "rc.ron"],
        &["shrink", "small.ron", "-o", "rc.ron"],
    ] {
        assert!(folder.program(command).code <= 1, "{command:?}");
    }
    assert_eq!(folder.files(), ["rc.ron", "rc.ron.before-1", "rc.ron.before-2", "small.ron"]);
    let kept = folder.program(&["replay", "rc.ron.before-1"]);
    assert!(kept.output.starts_with("rc.ron") && kept.output.contains(" · seed 3\n"), "{kept:?}");
}

#[test]
fn a_folder_that_is_missing_is_made() {
    let folder = with_scenario("missing-folder");
    for (command, file) in [
        (["run", "small.ron", "--case", "a/b/case.ron"].as_slice(), "a/b/case.ron"),
        (&["run", "small.ron", "--trace", "c/trace.txt"], "c/trace.txt"),
        (&["replay", "a/b/case.ron", "--trace", "d/trace.txt"], "d/trace.txt"),
        (&["shrink", "small.ron", "-o", "e/shrunk.ron"], "e/shrunk.ron"),
        (&["fuzz", "plan", "small.ron", "--swarm", "--runs", "100", "-o", "f/plan.ron"], "f/plan.ron"),
        (&["fuzz", "shard", "f/plan.ron", "--shard", "1/1", "-o", "g/shard.db"], "g/shard.db"),
        (&["fuzz", "merge", "g/shard.db", "-o", "h/all.db"], "h/all.db"),
        (&["campaign", "merge", "g/shard.db", "-o", "i/all.db"], "i/all.db"),
    ] {
        let run = folder.program(command);
        assert_eq!((run.code, folder.path(file).is_file()), (0, true), "{run:?}");
    }
}

/// An hour of the simulation takes longer than what is waited for here.
#[test]
#[expect(clippy::disallowed_types, reason = "how long the program takes is what is tested; no run depends on it")]
fn where_nothing_can_be_written_nothing_is_run() {
    let folder = with_scenario("before");
    assert_eq!(folder.program(&["run", "small.ron", "--case", "case.ron"]).code, 0);
    let case = String::from_utf8(folder.read("case.ron")).expect("a case is text");
    let long = |text: &str| text.replace("run: \"1s\"", "run: \"1h\"");
    folder.write("long.case", long(&case));
    folder.write("long.ron", long(SCENARIO));
    for command in [
        ["replay", "long.case", "--trace", "case.ron"],
        ["replay", "long.case", "--trace", "case.ron/trace.txt"],
        ["run", "long.ron", "--case", "case.ron/case.ron"],
        ["shrink", "long.ron", "-o", "case.ron/case.ron"],
    ] {
        let began = std::time::Instant::now();
        let run = folder.program(&command);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "{command:?} took {:?}", began.elapsed());
    }
}

#[test]
fn what_somebody_wrote_is_not_written_over() {
    let folder = with_scenario("foreign");
    folder.write("notes.txt", "// Nothing but a remark.");
    assert_eq!(folder.program(&["run", "small.ron", "--case", "case.ron"]).code, 0);
    for (file, what, command) in [
        ("small.ron", "case", ["run", "small.ron", "--case", "small.ron"].as_slice()),
        ("small.ron", "trace", &["run", "small.ron", "--trace", "small.ron"]),
        ("small.ron", "case", &["shrink", "small.ron", "-o", "small.ron"]),
        ("small.ron", "plan", &["fuzz", "plan", "small.ron", "--swarm", "--runs", "100", "-o", "small.ron"]),
        ("notes.txt", "case", &["run", "small.ron", "--case", "notes.txt"]),
        ("case.ron", "trace", &["replay", "case.ron", "--trace", "case.ron"]),
        ("case.ron", "plan", &["fuzz", "plan", "small.ron", "--swarm", "--runs", "100", "-o", "case.ron"]),
    ] {
        let before = folder.read(file);
        let run = folder.program(command);
        assert_eq!((run.code, folder.read(file) == before), (3, true), "{run:?}");
        let told = format!("error: {file} is there already, and is no {what}; choose another");
        assert!(run.errors.lines().any(|line| line.starts_with(&told)), "{}", run.errors);
    }
}

/// But for the plan of another campaign, which is kept.
#[test]
fn what_replisim_wrote_may_be_written_again() {
    let folder = with_scenario("own");
    for commands in [
        [["run", "small.ron", "--case", "it"].as_slice(), &["shrink", "small.ron", "-o", "it"]],
        [&["run", "small.ron", "--trace", "it"], &["run", "small.ron", "--seed", "8", "--trace", "it"]],
    ] {
        folder.write("it", "");
        for command in commands {
            let before = folder.read("it");
            let run = folder.program(command);
            assert_eq!((run.code, folder.read("it") != before), (0, true), "{run:?}");
        }
    }
}

#[test]
fn one_file_is_for_one_run() {
    let folder = with_scenario("one-file");
    folder.write("other.ron", SCENARIO);
    for command in [["run", ".", "--trace", "it"], ["run", ".", "--case", "it"], ["shrink", ".", "-o", "it"]] {
        let run = folder.program(&command);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.errors.starts_with("error: ") && !folder.path("it").exists(), "{run:?}");
    }
}

/// What is not a plain file is written in place: another file in its place would not be what it was.
#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = with_scenario("link");
    folder.write("target.txt", "replisim trace · old");
    std::os::unix::fs::symlink("target.txt", folder.path("link")).expect("a link can be made");
    let run = folder.program(&["run", "small.ron", "--trace", "link"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(folder.path("link").is_symlink(), "the link is gone");
    assert!(folder.read("target.txt").starts_with(b"replisim trace"), "its target was not written");
}

/// A file may have no more than some blocks here, and what a signal would say is told to the program.
#[cfg(target_os = "linux")]
#[test]
fn what_could_not_be_written_whole_is_removed() {
    let folder = with_scenario("part");
    folder.write("it.txt", "");
    let few = "trap '' XFSZ; ulimit -f 8; exec \"$0\" run small.ron --trace it.txt";
    let command = ["-c", few, env!("CARGO_BIN_EXE_replisim")];
    let run = Command::new("sh").current_dir(&folder.0).args(command).output().expect("there is a shell");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert_eq!((run.status.code(), errors.starts_with("error: cannot write it.txt: ")), (Some(3), true), "{errors}");
    assert_eq!((folder.read("it.txt").len(), folder.files()), (0, ["it.txt", "small.ron"].map(str::to_owned).into()));
}

#[test]
fn what_stands_beside_a_file_is_not_written_over() {
    let folder = with_scenario("beside");
    for (file, command) in [
        ("new.ron", ["new", "new.ron"].as_slice()),
        ("case.ron", &["run", "small.ron", "--case", "case.ron"]),
        ("trace.txt", &["run", "small.ron", "--trace", "trace.txt"]),
        ("shrunk.ron", &["shrink", "small.ron", "-o", "shrunk.ron"]),
        ("plan.ron", &["fuzz", "plan", "small.ron", "--swarm", "--runs", "100", "-o", "plan.ron"]),
    ] {
        let beside = format!("{file}.part");
        folder.write(&beside, "precious");
        let run = folder.program(command);
        assert_eq!((run.code, folder.read(&beside).as_slice()), (0, b"precious".as_slice()), "{run:?}");
        assert!(folder.files().contains(&file.to_owned()) && !folder.files().iter().any(|it| it.starts_with('.')));
    }
}

#[test]
fn a_word_that_means_something_else_is_told_what_it_means() {
    let folder = with_scenario("words");
    for (command, code, told) in [
        (["run", "LeaderFollower"], 4, "`replisim fuzz LeaderFollower`"),
        (["run", "LeaderFolower"], 4, "did you mean `LeaderFollower`?"),
        (["fuzz", "LeaderFolower"], 4, "did you mean `LeaderFollower`?"),
        (["replay", "missing.ron"], 3, "`replisim run --case FILE` writes one"),
    ] {
        let run = folder.program(&command);
        assert_eq!(run.code, code, "{run:?}");
        assert!(run.errors.contains(told) && !run.errors.contains("replisim list"), "{}", run.errors);
    }
}

#[test]
fn a_case_and_a_plan_are_no_scenarios() {
    let folder = with_scenario("no-scenario");
    folder.program(&["run", "small.ron", "--case", "case.ron"]);
    folder.program(&["fuzz", "plan", "small.ron", "--swarm", "--runs", "100", "-o", "plan.ron"]);
    for (file, told) in [
        ("case.ron", "`replisim replay case.ron`"),
        ("plan.ron", "`replisim fuzz shard plan.ron --shard 1/1 -o STORE`"),
    ] {
        for command in ["run", "fuzz"] {
            let run = folder.program(&[command, file]);
            assert_eq!((run.code, run.errors.contains(told)), (3, true), "{run:?}");
        }
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

/// A pipe that nobody reads any more.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    writer.into()
}
