//! What the words of a command line mean: scenarios, or protocols.

use std::path::{Path, PathBuf};

use replisim_lab::fuzz::Subject;
use replisim_lab::scenario::Source;
use replisim_lab::{Catalog, Experiment, folder};

use super::What;
use crate::command::{Failure, LIBRARY};

/// Every scenario that the words mean, ready to run.
pub fn read<'c>(what: &What, catalog: &'c Catalog, colour: bool) -> Result<Vec<Subject<'c>>, Failure> {
    let mut subjects = Vec::new();
    for word in &what.subjects {
        for source in sources(word, catalog, colour)? {
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
