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
