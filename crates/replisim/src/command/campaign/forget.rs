//! `replisim campaign forget`.

use std::path::PathBuf;

use replisim_lab::store::{self, Store};
use replisim_report::number;

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
    /// Whose failures are to be forgotten: a scenario or a protocol, as `fuzz` was given it
    #[arg(required_unless_present = "all")]
    subjects: Vec<String>,
    /// Those of every scenario and protocol
    #[arg(long, conflicts_with = "subjects")]
    all: bool,
    /// The store
    #[arg(long, value_name = "FILE", default_value = STORE)]
    store: PathBuf,
}

/// Drops what is known of the failures of some subjects. Nothing is dropped if one of them has none: its name may be wrong.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let known = Store::open(&arguments.store)?.known()?;
    if let Some(stranger) = arguments.subjects.iter().find(|name| known.iter().all(|row| row.subject != **name)) {
        return Err(Failure::Nothing(format!("no failure is known of `{stranger}`: {}", of_whom(&known))));
    }
    let whose: Vec<_> = match arguments.all {
        true => vec![None],
        false => arguments.subjects.iter().map(|subject| Some(subject.as_str())).collect(),
    };
    let mut forgotten = 0;
    for subject in whose {
        forgotten += store::forget(&arguments.store, subject)?;
    }
    print(&format!("forgot {}\n", number::things(forgotten, "known failure")))
}

fn of_whom(known: &[store::KnownRow]) -> String {
    let mut names: Vec<_> = known.iter().map(|row| format!("`{}`", row.subject)).collect();
    names.dedup();
    if names.is_empty() {
        "the store knows of none".to_owned()
    } else {
        format!("there are some of {}", names.join(", "))
    }
}
