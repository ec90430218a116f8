//! `list`, `new` and `explain`: what there is to know before the first run.

use std::fs;

use super::{SCENARIO, empty, repository};

#[test]
fn everything_there_is_can_be_listed() {
    let all = repository().program(&["list"]);
    assert_eq!(all.code, 0, "{all:?}");
    for (section, entry) in [
        ("protocols", "PostgreSql"),
        ("faults", "LoseHost"),
        ("checks", "ReadYourWrites"),
        ("scenarios", "stale_read_after_write.ron"),
        ("flaws", "CountTwice, LeaderFollower\n      "),
    ] {
        let one = repository().program(&["list", section]).output;
        assert!(one.starts_with(&format!("{section}\n  ")) && one.contains(entry), "{one}");
        assert!(all.output.contains(one.trim_end()), "{section} is missing:\n{}", all.output);
    }
    assert!(!all.output.contains("cannot be read"), "{}", all.output);
}

#[test]
fn every_flaw_is_listed_with_a_command_of_its_stage() {
    let flaws = repository().program(&["list", "flaws"]);
    let commands = flaws.commands("fuzz");
    assert!(commands.len() >= 10, "{flaws:?}");
    assert!(flaws.output.starts_with("flaws\n  the commands work at the root of the repository "), "{flaws:?}");
    for command in commands {
        let [_, stage, set, flaw] = command.as_slice() else { panic!("{command:?}") };
        assert!(set == "--set" && flaw.starts_with("protocol.flaw="), "{command:?}");
        let run = repository().program(&["run", stage, "--set", flaw, "--until", "1ms"]);
        assert!(run.output.contains(" · seed "), "{command:?}: {run:?}");
    }
}

#[test]
fn a_new_scenario_runs_and_is_never_written_over() {
    let folder = empty("new");
    assert_eq!(folder.program(&["new", "mine.ron"]).code, 0);
    let run = folder.program(&["run", "mine.ron"]);
    assert_eq!(run.code, 0, "{run:?}");
    let text = fs::read_to_string(folder.path("mine.ron")).expect("it was written");
    assert_eq!(folder.program(&["new"]).output, text);

    let within = folder.program(&["new", "scenarios/of mine/it.ron"]);
    assert_eq!(within.code, 0, "{within:?}");
    assert!(within.output.ends_with("\nrun it    replisim run 'scenarios/of mine/it.ron'\n"), "{}", within.output);
    assert_eq!(folder.read("scenarios/of mine/it.ron"), text.as_bytes());

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

#[cfg(unix)]
#[test]
fn a_terminal_obeys_no_name_of_a_file() {
    let folder = empty("names");
    folder.write("scenarios/it\u{1b}[2J.ron", SCENARIO.replace("A follower", "A \\u{1b}[2Jfollower"));
    for command in
        [&["list", "scenarios"][..], &["run", "it\u{1b}[2J"], &["fuzz", "scenarios", "--runs", "20", "--no-store"]]
    {
        let told = folder.program(command).output;
        // A command that is printed names the file as it is.
        let lines: Vec<&str> = told.lines().filter(|line| !line.contains("replisim ")).collect();
        assert!(lines.iter().any(|line| line.contains("it\\u{1b}[2J")), "{command:?}: {told}");
        assert!(!lines.iter().any(|line| line.contains('\u{1b}')), "{command:?}: {told}");
    }
}

#[test]
fn the_help_is_coloured_if_that_is_asked_for() {
    let folder = empty("help");
    for (command, wanted) in [
        (&["run", "--help", "--color", "always"][..], true),
        (&["--color=always", "--help"], true),
        (&["run", "--help", "--color", "never"], false),
        (&["run", "--help"], false),
    ] {
        let help = folder.program(command);
        assert_eq!((help.code, help.output.contains('\u{1b}')), (0, wanted), "{command:?}");
    }
    for words in [&["help"][..], &["help", "fuzz"], &["help", "campaign", "show"]] {
        let flag = folder.program(&[&words[1..], &["--help"]].concat());
        assert_eq!((flag.code, folder.program(words).output), (0, flag.output), "{words:?}");
    }
}

/// The help says in short what the docs say, code by code.
#[test]
fn exit_codes_are_those_of_the_docs() {
    let docs = String::from_utf8(repository().read("docs/ci.md")).expect("docs are text");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let codes = rows.filter(|(code, _)| code.parse::<u8>().is_ok());
    let told: Vec<_> = codes.map(|(code, row)| format!("{code} {}", row.split(" | ").next().unwrap_or(row))).collect();
    assert_eq!(told.len(), 7, "{told:?}");
    let folder = empty("codes");
    for command in [&["--help"][..], &["fuzz", "--help"]] {
        let help = folder.program(command).output;
        let codes = help.split_once("Exit codes: ").map(|(_, codes)| codes.split_whitespace().collect::<Vec<_>>());
        assert_eq!(codes.expect("it has them").join(" "), told.join("; ") + ".", "{help}");
    }
}
