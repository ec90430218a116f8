//! What the words of a command line mean: scenarios, or protocols.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use replisim_lab::fuzz::Subject;
use replisim_lab::scenario::Source;
use replisim_lab::{Catalog, Experiment, folder};

use super::What;
use crate::command::{Failure, LIBRARY};

/// Every scenario that the words mean, ready to run.
pub fn read<'c>(what: &What, catalog: &'c Catalog, colour: bool) -> Result<Vec<Subject<'c>>, Failure> {
    let (mut subjects, mut named) = (Vec::new(), BTreeSet::new());
    for word in &what.subjects {
        // A file may be meant twice, by itself and by its folder.
        let sources = sources(word, catalog, colour)?;
        for source in sources.into_iter().filter(|source| named.insert(source.name.clone())) {
            let edited = Experiment::edit(&source, &what.set, catalog);
            let subject = edited.and_then(|source| Subject::prepare(&source, what.swarm, catalog));
            subjects.push(subject.map_err(|report| Failure::of(&report, colour))?);
        }
    }
    Ok(subjects)
}

fn sources(word: &str, catalog: &Catalog, colour: bool) -> Result<Vec<Source>, Failure> {
    if let Some(protocol) = catalog.get(word) {
        return Ok(vec![protocol.swarm()]);
    }
    let paths: Vec<PathBuf> = folder::find(word, Path::new(LIBRARY)).map_err(|error| match error {
        folder::FolderError::Unreadable { .. } => Failure::File(error.to_string()),
        other => Failure::Nothing(format!("{other}; protocols are {}", catalog.names().join(", "))),
    })?;
    paths.iter().map(|path| Source::read(path).map_err(|report| Failure::of(&report, colour))).collect()
}
