//! Room for a case where another one stands, on which somebody may have worked.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Case;
use crate::scenario::Source;

impl Case {
    /// Keeps what stands where the case of this text is to be written, if that is of another run or its scenario was edited:
    /// under another name, by which no id finds it, and which is returned. The story above may differ. What is a link stays
    /// one.
    ///
    /// # Errors
    /// If it cannot be read, or kept.
    pub fn make_room(path: &Path, text: &str) -> io::Result<Option<PathBuf>> {
        let is_there = path.metadata().is_ok_and(|there| there.is_file() && there.len() > 0);
        if !is_there || fs::read(path)? == text.as_bytes() || holds_run_of(text, path) {
            return Ok(None);
        }
        let ending = |number| format!("{}.before-{number}", path.file_name().unwrap_or_default().to_string_lossy());
        let there = fs::read(path)?;
        let mut names = (1..).map(|number| path.with_file_name(ending(number)));
        let is_it = |name: &PathBuf| !name.exists() || fs::read(name).is_ok_and(|kept| kept == there);
        let kept = names.find(is_it).expect("numbers do not end");
        fs::copy(path, &kept)?;
        Ok(Some(kept))
    }
}

/// Whether the case in a file has the run and the scenario of this text.
fn holds_run_of(text: &str, file: &Path) -> bool {
    let told = |case: Case| (case.fingerprint, case.seed, case.until, case.source.text);
    let written = Case::parse(&Source::new(String::new(), text)).map(told);
    Case::read(file).is_ok_and(|there| written.is_ok_and(|written| told(there) == written))
}
