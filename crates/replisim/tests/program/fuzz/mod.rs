//! `replisim fuzz` as a person, a script or an accident meets it: killed and resumed, shared out, interrupted, and asked in
//! every format.

mod commands;
mod endings;
mod formats;
mod kill;
mod shards;
mod times;

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use replisim::lab::store::Store;

use super::{Finished, Folder, finished};

/// Three tenths of a second: about one run in eight loses a write at a promotion that nobody held back.
pub(super) const FAILING: &str = r#"Scenario(
    cluster: (size: 3, links: (same_zone: "5ms")),
    protocol: LeaderFollower(),
    clients: [(sessions: 3, arrive: Every("10ms"), mix: { Read: 1, Write: 1 }, reads: Any)],
    run: "300ms",
    swarm: (longest: "150ms", families: [Failover, Kill, Delay]),
    checks: [NoLostWrites, Convergence],
    expect: { NoLostWrites: Holds },
)"#;

/// The same without promotions and crashes: nothing is lost.
const CLEAN: &str = r#"Scenario(
    cluster: (size: 3, links: (same_zone: "5ms")),
    protocol: LeaderFollower(),
    clients: [(sessions: 2, arrive: Every("20ms"), mix: { Read: 1, Write: 1 }, reads: Any)],
    run: "200ms",
    swarm: (longest: "100ms", families: [Delay, Pause]),
    checks: [NoLostWrites, Convergence],
    expect: { NoLostWrites: Holds },
)"#;

/// A folder with a scenario that fails and one that does not.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(&format!("fuzz/{name}"));
    folder.write("failing.ron", FAILING);
    folder.write("clean.ron", CLEAN);
    folder
}

/// Merges stores into a new one; what the program prints of its digest, and its bytes.
fn merged(folder: &Folder, stores: &[&str], output: &str) -> (String, Vec<u8>) {
    let merged = folder.program(&[&["fuzz", "merge", "-o", output], stores].concat());
    assert_eq!(merged.code, 0, "{merged:?}");
    let digest = merged.output.lines().last().and_then(|line| line.strip_prefix("digest    "));
    let digest = digest.unwrap_or_default().to_owned();
    assert_eq!(digest.len(), 32, "{merged:?}");
    (digest, folder.read(output))
}

/// A number as good as drawn (SplitMix64; Steele, Lea and Flood 2014).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// What a command has begun that keeps a campaign in a store, and how many runs it has committed by now.
fn under_way(folder: &Folder, arguments: &[&str], store: &str) -> (Child, u64) {
    let child = folder.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let committed = (0..600).find_map(|_| {
        thread::sleep(Duration::from_millis(50));
        Some(runs(folder, store)).filter(|runs| *runs > 0)
    });
    (child.expect("the program can be run"), committed.expect("some runs are committed within half a minute"))
}

/// How many runs a store holds.
fn runs(folder: &Folder, store: &str) -> u64 {
    let Ok(store) = Store::open(&folder.path(store)) else { return 0 };
    let campaigns = store.campaigns().expect("it can be read");
    let summaries = campaigns.iter().map(|it| store.summary(it.digest()).expect("it is there"));
    summaries.flat_map(|summary| summary.subjects).map(|subject| subject.runs).sum()
}

/// What a command prints that is told to stop.
fn interrupted(child: Child, kill: &str) -> String {
    let kill = finished(Command::new("sh").args(["-c", kill, &child.id().to_string()]));
    assert_eq!(kill.code, 0, "{kill:?}");
    let output = child.wait_with_output().expect("it has ended");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(130), "{told}");
    told
}
