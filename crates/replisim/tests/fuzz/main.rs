//! `replisim fuzz` as a person, a script or an accident meets it: killed and resumed, shared out, interrupted, and asked in
//! every format.

mod endings;
mod formats;
mod kill;
mod shards;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Three tenths of a second: about one run in eight loses a write at a promotion that nobody held back.
const FAILING: &str = r#"Scenario(
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

/// What the program did.
#[derive(Debug)]
struct Finished {
    code: i32,
    output: String,
    errors: String,
}

/// A folder of one test's own.
struct Folder(PathBuf);

impl Folder {
    /// A folder with a scenario that fails and one that does not.
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(name);
        if path.exists() {
            fs::remove_dir_all(&path).expect("what an earlier test left can be removed");
        }
        fs::create_dir_all(&path).expect("a folder can be made");
        let folder = Folder(path);
        folder.write("failing.ron", FAILING);
        folder.write("clean.ron", CLEAN);
        folder
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).expect("a file can be written");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_replisim"));
        command.current_dir(&self.0).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the program in this folder.
    fn program(&self, arguments: &[&str]) -> Finished {
        finished(self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Merges stores into a new one; what the program prints of its digest, and its bytes.
    fn merged(&self, stores: &[&str], output: &str) -> (String, Vec<u8>) {
        let merged = self.program(&[&["fuzz", "merge", "-o", output], stores].concat());
        assert_eq!(merged.code, 0, "{merged:?}");
        let digest = merged.output.split(' ').next().unwrap_or_default().to_owned();
        assert_eq!(digest.len(), 32, "{merged:?}");
        (digest, fs::read(self.path(output)).expect("it was written"))
    }
}

fn finished(command: &mut Command) -> Finished {
    let output = command.spawn().and_then(|child| child.wait_with_output()).expect("the program can be run");
    let text = |bytes| String::from_utf8(bytes).expect("the program prints text");
    let code = output.status.code().expect("the program ends by itself");
    Finished { code, output: text(output.stdout), errors: text(output.stderr) }
}

/// A number as good as drawn (SplitMix64; Steele, Lea and Flood 2014).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
