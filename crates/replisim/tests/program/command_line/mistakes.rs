//! A scenario with a mistake in it is refused where the mistake is, with what is accepted there and a hint.

use std::fs::{self, File};
use std::time::Duration;

use super::{SCENARIO, empty, with_scenario};

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
fn a_mistake_is_shown_in_colours_where_they_are_wanted() {
    let folder = empty("colours");
    folder.write("wrong.ron", b"Scenario((");
    for (when, wanted) in [("always", true), ("never", false), ("auto", false)] {
        let run = folder.program(&["run", "wrong.ron", "--color", when]);
        assert_eq!((run.code, run.errors.contains('\u{1b}')), (3, wanted), "{run:?}");
    }
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
fn a_mistake_in_a_text_that_was_edited_is_not_looked_for_in_the_file() {
    let folder = with_scenario("edited");
    for command in [["run", "small.ron"].as_slice(), &["fuzz", "small.ron", "--swarm", "--runs", "10", "--no-store"]] {
        let run = folder.program(&[command, &["--set", "protocol.primary=n9"]].concat());
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.errors.contains("╭▸ small.ron (as changed by --set):6:"), "{}", run.errors);
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
    for (command, told) in [("run", "larger than 1024 kB"), ("replay", "larger than 65536 kB")] {
        let run = folder.program(&[command, "huge.ron"]);
        assert_eq!((run.code, run.errors.contains(told)), (3, true), "{run:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(2), "it took {:?}", began.elapsed());
}
