//! Writing to standard output and to files without ever panicking on a closed pipe or a full disk.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use clap::ValueEnum;
use replisim_history::Run;
use replisim_lab::{Case, atomic_file};
use replisim_report::trace;

use super::{Ending, Failure};
use crate::run_report::title;
use crate::shell::in_its_name;

/// How much of a file is read to see what it is: the comments above a case are some lines.
const BEGINNING_BYTES: u64 = 1 << 20;

/// What a command prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For a person
    Human,
    /// For a machine
    Json,
}

/// Prints `text`. Whoever has stopped reading has seen enough.
pub fn print(text: &str) -> Result<Ending, Failure> {
    let mut out = std::io::stdout().lock();
    is_unread(out.write_all(text.as_bytes()).and_then(|()| out.flush())).map(|_| Ending::Fine)
}

/// Whether what came of printing says that nobody reads any more.
pub fn is_unread(printed: std::io::Result<()>) -> Result<bool, Failure> {
    match printed {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(Failure::File(format!("cannot print: {error}"))),
    }
}

/// Prints what went wrong to standard error, and what to do by the name that the program goes by. If nobody listens there
/// either, the exit code still tells.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", in_its_name(text));
}

/// Prints how the program had come to the panic that ended the run before this, if there was one and `RUST_BACKTRACE`
/// asks for it.
pub fn complain_of_panic() {
    if let Some(backtrace) = replisim_lab::backtrace() {
        complain(&backtrace);
    }
}

/// Writes a file whole or not at all. What is there and no plain file is written in place: a link, a device or a pipe would
/// be lost if another file took its name.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let refuse = |error| Failure::File(format!("cannot write {}: {error}", path.display()));
    if is_written_in_place(path) {
        return fs::write(path, bytes).map_err(refuse);
    }
    atomic_file::write(path, bytes).map_err(refuse)
}

fn is_written_in_place(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|there| !there.is_file())
}

/// What replisim writes into files whose names somebody gives, or looks into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    Case,
    Plan,
    Trace,
}

impl FileKind {
    /// How it begins, after its comments.
    const fn head(self) -> &'static str {
        match self {
            FileKind::Case => "Case(",
            FileKind::Plan => "CampaignPlan(",
            FileKind::Trace => "replisim trace ",
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            FileKind::Case => "case",
            FileKind::Plan => "plan",
            FileKind::Trace => "trace",
        }
    }
}

/// Writes a file of which others may know. One of the same kind may be written again; what else is there is kept.
pub fn write_named(path: &Path, what: FileKind, bytes: &[u8]) -> Result<(), Failure> {
    make_way(path, what)?;
    write_file(path, bytes)
}

/// Writes a case to its file. One there that is of another run, or whose scenario somebody has edited, gets another name.
pub fn write_case(path: &Path, text: &str) -> Result<(), Failure> {
    make_way(path, FileKind::Case)?;
    let kept = Case::make_room(path, text);
    let kept = kept.map_err(|error| Failure::File(format!("cannot keep {}: {error}", path.display())))?;
    if let Some(kept) = kept {
        complain(&format!("{} held another run, or was edited: that is {} now", path.display(), kept.display()));
    }
    write_file(path, text.as_bytes())
}

/// Makes the folder that a file is to stand in, unless nobody means a file by this name.
pub fn make_parent(path: &Path, what: &str) -> Result<(), Failure> {
    if path == Path::new("-") {
        return Err(Failure::File(format!(
            "`-` names no file for the {what}: a file of that name is ./-, and a text can go to /dev/stdout"
        )));
    }
    path.parent().map_or(Ok(()), make_folder)
}

/// Makes the folder that a file is to stand in, unless it is there already and something else, and tries to make one there.
/// Whoever is about to work for long does so before.
pub fn make_way(path: &Path, what: FileKind) -> Result<(), Failure> {
    make_parent(path, what.in_words())?;
    keep_foreign(path, what)?;
    if is_written_in_place(path) { Ok(()) } else { try_out(path) }
}

/// Whether a file can be made where one of this name is to stand.
pub fn try_out(path: &Path) -> Result<(), Failure> {
    let refuse = |error| Failure::File(format!("cannot write {}: {error}", path.display()));
    let (part, _) = atomic_file::make_part(path).map_err(refuse)?;
    fs::remove_file(part).map_err(refuse)
}

/// Refuses to write over a file that is something else.
fn keep_foreign(path: &Path, what: FileKind) -> Result<(), Failure> {
    let is_file = path.metadata().is_ok_and(|there| there.is_file());
    // What cannot be read is not known to be one.
    if !is_file || beginning(path).is_ok_and(|text| is_empty_or_one(&text, what)) {
        return Ok(());
    }
    let (path, what) = (path.display(), what.in_words());
    Err(Failure::File(format!("{path} is there already, and is no {what}; choose another name, or remove it")))
}

/// Whether a file is there, and holds something else.
pub fn is_another(path: &Path, bytes: &[u8]) -> bool {
    let is_file = path.metadata().is_ok_and(|there| there.is_file());
    is_file && fs::read(path).is_ok_and(|there| !there.is_empty() && there != bytes)
}

/// As much of a file as tells what it is.
fn beginning(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(BEGINNING_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a text begins, after its comments, as everything of this kind does; or is none.
fn is_empty_or_one(text: &str, what: FileKind) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    match lines.find(|line| !line.starts_with("//")) {
        Some(line) => line.starts_with(what.head()),
        None => text.trim().is_empty(),
    }
}

/// Makes a folder, and those that it is in, unless they are there.
pub fn make_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::File(format!("cannot make {}: {error}", folder.display())))
}

/// Writes every event of a run to a file, one line each, if its trace was kept. The run is of what was read from `path`.
pub fn write_trace(file: &Path, path: &Path, run: &Run) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    if let Some(lines) = &run.trace {
        trace::write(&mut bytes, &title(path), run, lines).map_err(|error| Failure::File(error.to_string()))?;
    }
    write_named(file, FileKind::Trace, &bytes)
}
