//! Where a case is kept: in a file, or under an id.

use std::path::{Path, PathBuf};

use replisim_lab::Case;

use super::Failure;

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
        match self {
            Where::File(path) => Case::read(path).map_err(|report| Failure::of(&report, colour)),
            Where::Kept(id) => Err(Failure::Nothing(format!(
                "there is no file `{id}`, and no store in which a case of that id could be looked up; \
                 `replisim run --case FILE` and `replisim shrink` write cases to files"
            ))),
        }
    }

    /// What the case is called in reports.
    pub fn path(&self) -> &Path {
        match self {
            Where::File(path) => path,
            Where::Kept(id) => Path::new(id),
        }
    }
}
