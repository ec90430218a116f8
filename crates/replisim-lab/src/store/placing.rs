//! A store that appears under its name only when it is whole: until then it is written beside it.
//!
//! What is done run by run is written where the next try finds it, and goes on with it; what is written in one go, where
//! nobody's work is lost to it.

use std::fs;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::file::{beside, has_log, remove, remove_logs};
use super::lock::Lock;
use crate::atomic_file;

/// What is behind the name of a store that is not whole yet.
const ENDING: &str = ".part";

/// A store on its way to its place, which nobody else may take meanwhile.
pub struct Placing {
    part: PathBuf,
    output: PathBuf,
    /// Whoever wants the same place would write to the same file beside it, or be there first.
    _lock: Lock,
}

impl Placing {
    /// Claims the place of a store that is not there yet, and goes on with what an earlier try has left beside it.
    ///
    /// # Errors
    /// If there is something, if somebody else has claimed it, or if the system refuses.
    pub fn begin(output: &Path) -> Result<Placing, StoreError> {
        let lock = claim(output)?;
        Ok(Placing { part: beside(output, ENDING), output: output.to_owned(), _lock: lock })
    }

    /// Whether a file is, by its name, one that is not whole yet, or that somebody who ended suddenly has left.
    pub fn is_part(path: &Path) -> bool {
        path.to_string_lossy().ends_with(ENDING)
    }

    /// The same with an empty file, which leaves alone what there is.
    pub(super) fn begin_anew(output: &Path) -> Result<Placing, StoreError> {
        let lock = claim(output)?;
        let (part, _) =
            atomic_file::make_part(output).map_err(|error| StoreError::File { path: output.to_owned(), error })?;
        Ok(Placing { part, output: output.to_owned(), _lock: lock })
    }

    /// Where it is written until it is whole.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Drops what was written: the place is free, and the next try begins with nothing.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn give_up(self) -> Result<(), StoreError> {
        remove(&self.part).map_err(|error| StoreError::File { path: self.part, error })
    }

    /// Gives the store, now whole, the name at which it is looked for: not even a log may stand there. SQLite takes a log
    /// for that of the database beside it, so one that an earlier file left would be played into this one, and one that the
    /// part left behind would be missed.
    ///
    /// # Errors
    /// If what was written to the part is still in its log because somebody reads it, or if the system refuses.
    pub fn finish(self) -> Result<(), StoreError> {
        let Placing { part, output, _lock } = self;
        if has_log(&part) {
            return Err(StoreError::StillRead { path: part });
        }
        let renamed = remove_logs(&output).and_then(|()| fs::rename(&part, &output)).and_then(|()| remove_logs(&part));
        renamed.map_err(|error| StoreError::File { path: output, error })
    }
}

/// Takes the right to put something at a place where nothing is.
fn claim(output: &Path) -> Result<Lock, StoreError> {
    let lock = Lock::take(output)?;
    if output.exists() { Err(StoreError::Exists { path: output.to_owned() }) } else { Ok(lock) }
}
