//! The program with a protocol of its own, as a person meets it: by its own name.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What the program exits with, and all that it prints, in a folder of the test's own.
fn program(folder: &str, arguments: &[&str]) -> (i32, String) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_example-abd")).args(arguments).current_dir(folder).output();
    let output = output.expect("the program can be run");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("the program prints text");
    (output.status.code().expect("the program ends by itself"), text)
}

#[test]
fn help_and_version_have_its_name() {
    let (code, version) = program("help", &["--version"]);
    assert_eq!((code, version.starts_with("example-abd, with replisim ")), (0, true), "{version}");
    for command in
        [&[][..], &["run"], &["fuzz"], &["fuzz", "plan"], &["replay"], &["shrink"], &["list"], &["new"], &["explain"]]
            .into_iter()
            .chain([&["campaign"][..], &["campaign", "show"], &["campaign", "sql"]])
    {
        let (code, help) = program("help", &[command, &["--help"]].concat());
        assert_eq!(code, 0, "{help}");
        assert!(help.contains("Usage: example-abd") && !help.contains("replisim "), "{help}");
    }
}

#[test]
fn what_it_advises_can_be_done_with_it() {
    let (code, explained) = program("advice", &["explain", "S012"]);
    assert_eq!((code, explained.contains("`example-abd list protocols`")), (0, true), "{explained}");
    let (code, refused) = program("advice", &["run", "missing.ron"]);
    assert_eq!((code, refused.contains("note: example-abd explain S001")), (3, true), "{refused}");
    let (code, refused) = program("advice", &["run", "QuorumRegister"]);
    assert_eq!((code, refused.contains("`example-abd fuzz QuorumRegister`")), (4, true), "{refused}");
    let (code, template) = program("advice", &["new"]);
    assert_eq!((code, template.contains("//   example-abd run FILE ")), (0, true), "{template}");
}

/// A fresh folder of the test's own.
fn fresh(folder: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder of an earlier test can be removed");
    }
    folder
}

#[test]
fn a_case_that_no_seed_fixes_is_told_to_be_one() {
    fresh("careless");
    let (code, found) = program("careless", &["fuzz", "Careless", "--runs", "64"]);
    assert_eq!((code, found.contains("chance that the seed does not fix")), (5, true), "{found}");
    let id = found.lines().find_map(|line| line.trim().strip_prefix("example-abd replay ")).expect("its case is told");
    let (code, replayed) = program("careless", &["replay", id]);
    assert_eq!((code, replayed.contains("run once more it is yet another one")), (5, true), "{replayed}");
}

#[test]
fn a_shard_whose_runs_differ_keeps_nothing_and_is_not_whole_the_next_time() {
    let folder = fresh("careless-shard");
    let (code, _) = program("careless-shard", &["fuzz", "plan", "Careless", "--runs", "64", "-o", "plan.ron"]);
    assert_eq!(code, 0);
    for _ in 0..2 {
        let (code, told) = program("careless-shard", &["fuzz", "shard", "plan.ron", "--shard", "1/1", "-o", "one.db"]);
        assert_eq!(
            (code, told.contains("not kept, for its runs would not come out the same again")),
            (5, true),
            "{told}"
        );
        let files =
            fs::read_dir(&folder).expect("the folder can be read").map(|file| file.expect("a file").file_name());
        let mut files = files.collect::<Vec<_>>();
        files.sort();
        assert_eq!(files, ["cases", "plan.ron"], "{told}");
    }
}
