//! Room for a case where another one stands, on which somebody may have worked.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Case;
use crate::Scenario;

impl Case {
    /// Where the case of this text is to stand in a folder of cases, which go by their ids: in `{id}.ron`, or else in the
    /// first of `{id}-2.ron`, `{id}-3.ron` and so on in which there is no case of another run. One with other settings or
    /// hosts is another one, too: where these change nothing, its run has the same fingerprint.
    pub fn place(folder: &Path, id: &str, text: &str) -> PathBuf {
        let name = |number| if number == 1 { format!("{id}.ron") } else { format!("{id}-{number}.ron") };
        let own = Case::of_text(text);
        let is_own = |there: &Case| own.as_ref().is_some_and(|own| own.is_of_run(there));
        let is_free = |place: &PathBuf| Case::read(place).map_or(true, |there| is_own(&there));
        (1..).map(|number| folder.join(name(number))).find(is_free).expect("numbers do not end")
    }

    fn is_of_run(&self, other: &Case) -> bool {
        let system = |case: &Case| Scenario::parse(&case.source).ok().map(|it| (it.protocol, it.cluster));
        (self.fingerprint, self.until) == (other.fingerprint, other.until) && system(self) == system(other)
    }

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
    Case::read(file).is_ok_and(|there| Case::of_text(text).map(told) == Some(told(there)))
}
