//! What the words of a command line mean: scenarios, or protocols.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use replisim_lab::fuzz::Subject;
use replisim_lab::scenario::{Report, Source};
use replisim_lab::{Catalog, Experiment, folder};

use super::What;
use crate::command::{Failure, LIBRARY};

/// Every scenario that the words mean, ready to run. If some cannot be, all of these are told.
pub fn read<'c>(what: &What, catalog: &'c Catalog) -> Result<Vec<Subject<'c>>, Failure> {
    let (mut subjects, mut refused, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for word in &what.subjects {
        for source in sources(word, catalog, &mut seen)? {
            let edited = source.and_then(|source| Experiment::set(&source, &what.set, catalog));
            match edited.and_then(|source| Subject::prepare(&source, what.swarm, catalog)) {
                Ok(subject) => subjects.push(subject),
                Err(report) => refused.push(report),
            }
        }
    }
    if refused.is_empty() { Ok(subjects) } else { Err(Failure::AllRefused(refused)) }
}

/// The scenarios that a word means, without those that were `seen`: a file may be meant twice, by itself and by its folder.
fn sources(
    word: &str,
    catalog: &Catalog,
    seen: &mut BTreeSet<PathBuf>,
) -> Result<Vec<Result<Source, Report>>, Failure> {
    if let Some(protocol) = catalog.get(word) {
        return Ok(seen.insert(word.into()).then(|| Ok(protocol.swarm())).into_iter().collect());
    }
    let mut paths = folder::find(word, Path::new(LIBRARY), catalog)?;
    paths.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    Ok(paths.iter().map(|path| Source::read(path)).collect())
}
