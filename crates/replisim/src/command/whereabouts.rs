//! Where a case is kept: in a file, or under an id.

use std::path::{Path, PathBuf};

use replisim_lab::Case;

use super::Failure;

/// Where `replisim fuzz` keeps cases, unless it is told otherwise.
pub const CASES: &str = ".replisim/cases";

/// The one case in a folder whose name begins like this.
fn find(id: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let begins = |path: &PathBuf| path.file_stem().is_some_and(|name| name.to_string_lossy().starts_with(id));
    let mut found: Vec<PathBuf> = entries.filter(begins).collect();
    found.sort();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::Nothing(format!(
            "there is neither a file `{id}` nor a case of that name in {}; `replisim fuzz`, `replisim shrink` and \
             `replisim run --case FILE` write cases",
            folder.display()
        ))),
        _ => Err(Failure::Nothing(format!("`{id}` could be any of {} cases in {}", found.len(), folder.display()))),
    }
}

/// What a word that stands for a case means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Where {
    /// A file.
    File(PathBuf),
    /// A case kept under this id: the beginning of its fingerprint, or its number in a store.
    Kept(String),
}

impl Where {
    /// A word that is a path, or looks like one, is a file; any other is an id.
    pub fn parse(word: &str) -> Self {
        let path = Path::new(word);
        let looks_like_one = path.extension().is_some() || path.components().count() != 1;
        if path.exists() || looks_like_one { Where::File(path.to_owned()) } else { Where::Kept(word.to_owned()) }
    }

    /// Reads the case.
    pub fn read(&self, colour: bool) -> Result<Case, Failure> {
        let path = match self {
            Where::File(path) => path.clone(),
            Where::Kept(id) => find(id, Path::new(CASES))?,
        };
        Case::read(&path).map_err(|report| Failure::of(&report, colour))
    }

    /// What the case is called in reports.
    pub fn path(&self) -> &Path {
        match self {
            Where::File(path) => path,
            Where::Kept(id) => Path::new(id),
        }
    }
}
