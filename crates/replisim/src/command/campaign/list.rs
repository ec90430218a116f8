//! `replisim campaign list`.

use std::fs;
use std::path::{Path, PathBuf};

use replisim_lab::store::{Store, StoreError};
use replisim_report::number;

use super::super::output::print;
use super::super::whereabouts::STORE;
use super::super::{Ending, Failure};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// A store, or a folder of them
    #[arg(default_value = STORE, value_name = "STORE|FOLDER")]
    place: PathBuf,
}

/// Lists each campaign with how much of it there is.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let mut text = String::new();
    for store in stores(&arguments.place)? {
        text.push_str(&format!("{}\n", store.path().display()));
        for manifest in store.campaigns()? {
            let digest = manifest.digest();
            let tallies = store.summary(digest)?.subjects;
            let runs: u64 = tallies.iter().map(|tally| tally.runs).sum();
            let failed: u64 = tallies.iter().map(|tally| tally.failed).sum();
            let names: Vec<_> = tallies.iter().map(|tally| tally.name.as_str()).collect();
            text.push_str(&format!(
                "  {digest}  replisim {}  {}, {} failed  {}\n",
                manifest.version,
                number::things(runs, "run"),
                number::count(failed),
                names.join(", "),
            ));
        }
    }
    print(&text)
}

/// The store at `place`, or those in the folder that it is, in the order of their names. Other files are passed over.
fn stores(place: &Path) -> Result<Vec<Store>, Failure> {
    if !place.is_dir() {
        return Ok(vec![super::open(place)?]);
    }
    let unreadable = |error| Failure::File(format!("cannot read {}: {error}", place.display()));
    let entries = fs::read_dir(place).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        match Store::open(&path) {
            Err(StoreError::Foreign { .. }) => {}
            store => found.push(store?),
        }
    }
    match found.is_empty() {
        true => Err(Failure::Nothing(format!("there is no store in {}", place.display()))),
        false => Ok(found),
    }
}
