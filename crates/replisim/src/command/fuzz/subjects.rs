//! What the words of a command line mean: scenarios, or protocols.

use std::collections::BTreeSet;
use std::path::Path;

use replisim_lab::fuzz::Subject;
use replisim_lab::scenario::Source;
use replisim_lab::{Catalog, Experiment, folder};

use super::What;
use crate::command::{Failure, LIBRARY};

/// Every scenario that the words mean, ready to run.
pub fn read<'c>(what: &What, catalog: &'c Catalog) -> Result<Vec<Subject<'c>>, Failure> {
    let (mut subjects, mut named) = (Vec::new(), BTreeSet::new());
    for word in &what.subjects {
        // A file may be meant twice, by itself and by its folder.
        let sources = sources(word, catalog)?;
        for source in sources.into_iter().filter(|source| named.insert(source.name.clone())) {
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
