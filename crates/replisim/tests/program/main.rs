//! The program, run as a process: what it prints, what it writes, and what it exits with.

mod campaign;
mod command_line;
mod documents;
mod fuzz;
mod leader_follower;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What the program did.
#[derive(Debug)]
struct Finished {
    code: i32,
    output: String,
    errors: String,
}

/// A folder of one test's own.
struct Folder(PathBuf);

impl Finished {
    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error} in\n{}", self.output))
    }

    /// The commands of the program that stand in its output on lines of their own, as words.
    fn commands(&self, verb: &str) -> Vec<Vec<String>> {
        let lines = self.output.lines().filter_map(|line| line.trim().strip_prefix("replisim "));
        let words = lines.map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        words.filter(|words| words[0] == verb).collect()
    }
}

impl Folder {
    /// An empty folder.
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
        if path.exists() {
            fs::remove_dir_all(&path).expect("what an earlier test left can be removed");
        }
        fs::create_dir_all(&path).expect("a folder can be made");
        Folder(path)
    }

    /// A folder that is there, with what is in it.
    fn at(path: PathBuf) -> Self {
        Folder(path)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder can be made");
        fs::write(path, contents).expect("a file can be written");
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// What is in it, by name.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("a folder can be read");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("so can what is in it").file_name();
        let mut names: Vec<_> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn command<W: AsRef<str>>(&self, arguments: &[W]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_replisim"));
        command.current_dir(&self.0).args(arguments.iter().map(AsRef::as_ref)).stdin(Stdio::null());
        command
    }

    /// Runs the program in this folder.
    fn program<W: AsRef<str>>(&self, arguments: &[W]) -> Finished {
        finished(self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }
}

/// Runs a command to its end.
fn finished(command: &mut Command) -> Finished {
    let output = command.spawn().and_then(|child| child.wait_with_output()).expect("the program can be run");
    let text = |bytes| String::from_utf8(bytes).expect("the program prints text");
    let code = output.status.code().expect("the program ends by itself");
    Finished { code, output: text(output.stdout), errors: text(output.stderr) }
}
