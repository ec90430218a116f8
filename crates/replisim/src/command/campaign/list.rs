//! `replisim campaign list`.

use std::fs;
use std::path::{Path, PathBuf};

use replisim_history::words::printable;
use replisim_lab::store::{Placing, Store, StoreError};
use replisim_report::number;

use crate::command::output::print;
use crate::command::whereabouts::STORE;
use crate::command::{Ending, Failure};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// A store, or a folder of them
    #[arg(default_value = STORE, value_name = "STORE|FOLDER")]
    place: PathBuf,
}

/// How many subjects of a campaign are named; a folder's may be many.
const NAMES_MAX: usize = 2;

/// Lists each campaign with how much of it there is. What cannot be read of a folder's stores keeps nothing back of the
/// others.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let place = &arguments.place;
    if !place.is_dir() {
        return print(&listed(place)?);
    }
    let mut text = String::new();
    let mut refused = 0;
    for path in files(place)? {
        match listed(&path) {
            Ok(told) => text += &told,
            Err(StoreError::Foreign { .. } | StoreError::Empty { .. }) => {}
            Err(error) => {
                refused += 1;
                text += &format!("{}\n  error[{}]: {error}\n", path.display(), error.code());
            }
        }
    }
    if text.is_empty() {
        return Err(Failure::Nothing(format!("there is no store in {}", place.display())));
    }
    print(&text)?;
    match refused {
        0 => Ok(Ending::Fine),
        _ => Err(Failure::File(format!("{} cannot be read", number::things(refused, "store")))),
    }
}

/// A store and its campaigns, a line each.
fn listed(path: &Path) -> Result<String, StoreError> {
    let store = Store::open(path)?;
    let mut text = format!("{}\n", path.display());
    for manifest in store.campaigns()? {
        let digest = manifest.digest();
        let summary = store.summary(digest)?;
        let tallies = &summary.subjects;
        let runs: u64 = tallies.iter().map(|tally| tally.runs).sum();
        let failed: u64 = tallies.iter().map(|tally| tally.failed).sum();
        let names: Vec<_> = tallies.iter().map(|tally| tally.name.as_str()).collect();
        let differ = match summary.differing.len() as u64 {
            0 => String::new(),
            differing => format!(", {} differed", number::count(differing)),
        };
        text.push_str(&format!(
            "  {digest}  replisim {}  {}, {} failed{differ}  {}\n",
            manifest.version,
            number::things(runs, "run"),
            number::count(failed),
            printable(&first_of(&names)),
        ));
    }
    Ok(text)
}

fn first_of(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMES_MAX);
    let first = names[..names.len() - more].join(", ");
    if more == 0 { first } else { format!("{first} and {} more", number::count(more as u64)) }
}

/// The files of a folder, in the order of their names, but for those that are not to be stores under their own.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::File(format!("cannot read {}: {error}", folder.display()));
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
    let is_it = |path: &PathBuf| path.is_file() && !Placing::is_part(path);
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(is_it).collect();
    paths.sort();
    Ok(paths)
}
