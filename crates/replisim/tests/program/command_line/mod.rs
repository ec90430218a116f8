//! The program as a person or a script meets it: what it prints, what it writes, and what it exits with.

mod cases;
mod lists;
mod mistakes;
mod refusals;
mod run;

use std::path::Path;

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
