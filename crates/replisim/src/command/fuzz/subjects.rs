//! What the words of a command line mean: scenarios, or protocols.

use std::path::Path;

use replisim_lab::fuzz::Subject;
use replisim_lab::scenario::Source;
use replisim_lab::{Catalog, Experiment, folder};

use super::What;
use crate::command::{Failure, LIBRARY};

/// Every scenario that the words mean, ready to run.
pub fn read<'c>(what: &What, catalog: &'c Catalog) -> Result<Vec<Subject<'c>>, Failure> {
    let mut subjects = Vec::new();
    for word in &what.subjects {
        for source in sources(word, catalog)? {
            let edited = Experiment::edit(&source, &what.set, catalog);
            let subject = edited.and_then(|source| Subject::prepare(&source, what.swarm, catalog));
            subjects.push(subject?);
        }
    }
    Ok(subjects)
}

fn sources(word: &str, catalog: &Catalog) -> Result<Vec<Source>, Failure> {
    if let Some(protocol) = catalog.get(word) {
        return Ok(vec![protocol.swarm()]);
    }
    let paths = folder::find(word, Path::new(LIBRARY), catalog)?;
    paths.iter().map(|path| Ok(Source::read(path)?)).collect()
}
