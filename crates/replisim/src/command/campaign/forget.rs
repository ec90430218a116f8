//! `replisim campaign forget`.

use std::path::PathBuf;

use replisim_lab::Catalog;
use replisim_lab::find::FindError;
use replisim_lab::store::{self, KnownRow, Store};
use replisim_report::number;

use crate::command::fuzz::subjects;
use crate::command::output::print;
use crate::command::whereabouts::STORE;
use crate::command::{Ending, Failure};

const EXAMPLES: &str = "\
Examples:
  replisim campaign forget scenarios/mine.ron     its settings were what was wrong, and have changed
  replisim campaign forget --all --store night.db

What campaigns found stays; only, no later one runs it again, and `campaign show` does not count it as broken.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Whose failures are to be forgotten: scenarios or protocols, as `fuzz` takes them
    #[arg(required_unless_present = "all")]
    subjects: Vec<String>,
    /// Those of every scenario and protocol
    #[arg(long, conflicts_with = "subjects")]
    all: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = STORE)]
    store: PathBuf,
}

/// Drops what is known of the failures of some subjects. Nothing is dropped if one of the words means none that has any: it
/// may be wrong.
pub fn run(arguments: &Arguments, catalog: &Catalog) -> Result<Ending, Failure> {
    let known = Store::open(&arguments.store)?.known()?;
    let meant = arguments.subjects.iter().map(|word| meant(word, &known, catalog)).collect::<Result<Vec<_>, _>>()?;
    let whose: Vec<_> = match arguments.all {
        true => vec![None],
        false => meant.iter().flatten().map(|subject| Some(subject.as_str())).collect(),
    };
    let mut forgotten = 0;
    for subject in whose {
        forgotten += store::forget(&arguments.store, subject)?;
    }
    print(&format!("forgot {} of failures\n", number::things(forgotten, "case")))
}

/// The subjects with known failures that a word means. The scenario may be gone, and go by its name in the store alone.
fn meant(word: &str, known: &[KnownRow], catalog: &Catalog) -> Result<Vec<String>, Failure> {
    let is_known = |name: &String| known.iter().any(|row| row.subject == *name);
    let mut names = match subjects::names(word, catalog) {
        Err(FindError::NotFound { .. }) => Vec::new(),
        names => names?,
    };
    names.insert(0, word.to_owned());
    names.dedup();
    names.retain(is_known);
    if names.is_empty() {
        return Err(Failure::Nothing(format!("no failure is known of `{word}`: {}", of_whom(known))));
    }
    Ok(names)
}

fn of_whom(known: &[KnownRow]) -> String {
    let mut names: Vec<_> = known.iter().map(|row| format!("`{}`", row.subject)).collect();
    names.dedup();
    if names.is_empty() {
        "the store knows of none".to_owned()
    } else {
        format!("there are some of {}", names.join(", "))
    }
}
