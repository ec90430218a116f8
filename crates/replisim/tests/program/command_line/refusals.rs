//! What cannot be done is told by words and by an exit code of its own, also where nobody reads.

use std::fs;
use std::process::Stdio;

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

/// A pipe that nobody reads any more.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    writer.into()
}
