//! Writes a file whole or not at all: into a *part* beside it, which then takes its name in a single step.
//!
//! A part has a name of its own: neither a file of somebody else nor what another process writes at the same time is ever in
//! its place. This holds for a process that ends, not for a machine: nothing is synced.
//!
//! ```text
//!   .case.ron.4711.0.part      what process 4711 writes, to be case.ron
//!   .case.ron.4711.1.part      the same, where an earlier process of that number has left the first
//! ```
//!
//! Whoever ends suddenly leaves it behind. That does no harm: it is hidden, and taken for nothing else by its name.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;

const ENDING: &str = ".part";

/// How many names are tried. Each that is taken is one that an earlier process of the same number left.
const TRIES_MAX: u32 = 1_024;

/// Writes a file whole or not at all.
///
/// # Errors
/// If the system refuses. Nothing is left then, and what was at `path` is there still.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (part, mut file) = make_part(path)?;
    let written = file.write_all(bytes);
    // Not every system renames a file that is open.
    drop(file);
    written.and_then(|()| fs::rename(&part, path)).inspect_err(|_| {
        // The first error says more than one of the cleaning up would.
        let _ = fs::remove_file(&part);
    })
}

/// Makes the empty file of what is to stand at `path`.
///
/// # Errors
/// If the system refuses.
pub fn make_part(path: &Path) -> io::Result<(PathBuf, File)> {
    for number in 0..TRIES_MAX {
        let part = path.with_file_name(name(path, number));
        match File::create_new(&part) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (part, file)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn name(path: &Path, number: u32) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.{number}{ENDING}", process::id()));
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_is_beside_a_file_is_left_alone() {
        let scratch = Scratch::new("part");
        let path = scratch.path("it.ron");
        let [users, left] = [scratch.path("it.ron.part"), path.with_file_name(name(&path, 0))];
        [&users, &left].into_iter().for_each(|beside| fs::write(beside, "precious").unwrap());
        write(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert!([&users, &left].into_iter().all(|beside| fs::read(beside).unwrap() == b"precious"));
        assert_eq!(fs::read_dir(scratch.folder()).unwrap().count(), 3);
    }

    #[test]
    fn what_takes_no_name_is_removed() {
        let scratch = Scratch::new("part-refused");
        fs::create_dir(scratch.path("folder")).unwrap();
        assert!(write(&scratch.path("folder"), b"whole").is_err());
        assert_eq!(fs::read_dir(scratch.folder()).unwrap().count(), 1);
    }

    #[test]
    fn two_who_write_one_file_write_two() {
        let scratch = Scratch::new("part-two");
        let [(one, _), (other, _)] = [(); 2].map(|()| make_part(&scratch.path("it")).unwrap());
        let is_hidden =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".it."));
        assert!(one != other && is_hidden(&one) && is_hidden(&other));
    }
}
