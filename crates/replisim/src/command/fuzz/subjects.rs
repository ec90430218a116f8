//! What the words of a command line mean: scenarios, or protocols.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use replisim_lab::find::FindError;
use replisim_lab::fuzz::Subject;
use replisim_lab::scenario::{Report, Source};
use replisim_lab::{Catalog, Experiment, Scenario, find};

use super::What;
use crate::command::output::complain;
use crate::command::{Failure, LIBRARY};

/// Every scenario that the words mean, ready to run. If some cannot be, all of these are told.
pub(super) fn read<'c>(what: &What, catalog: &'c Catalog) -> Result<Vec<Subject<'c>>, Failure> {
    let (mut subjects, mut refused, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for word in &what.subjects {
        for source in sources(word, catalog, &mut seen)? {
            let prepared = source.and_then(|source| {
                // What is set may be a part of the swarm; who sets all of it has said what is expected of it.
                let is_given = what.swarm && what.set.iter().all(|edit| edit.path != "swarm");
                let swarm = if is_given { Subject::with_swarm(&source, catalog)? } else { source.clone() };
                let edited = Experiment::set(&swarm, &what.set, catalog)?;
                let subject = Subject::prepare(&edited, catalog);
                Ok((subject.map_err(|report| report.as_changed_by(&what.set))?, source))
            });
            match prepared {
                Ok((subject, source)) => {
                    say_what_is_expected_no_more(&subject, &source);
                    subjects.push(subject);
                }
                Err(report) => refused.push(report),
            }
        }
    }
    if refused.is_empty() { Ok(subjects) } else { Err(Failure::Refused(refused)) }
}

/// Says that a scenario was given a swarm, of which nobody has said what it expects.
fn say_what_is_expected_no_more(subject: &Subject<'_>, source: &Source) {
    let expects = Scenario::parse(source).is_ok_and(|scenario| !scenario.expect.is_empty());
    if expects && subject.base().scenario.expect.is_empty() {
        let name = subject.name();
        complain(&format!(
            "{name} says what it expects of its own faults, not of a swarm's: only what is promised counts"
        ));
    }
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
    let mut paths = files(word, catalog)?;
    paths.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    Ok(paths.iter().map(|path| Source::read(path)).collect())
}

/// What campaigns call the subjects that a word means.
pub fn names(word: &str, catalog: &Catalog) -> Result<Vec<String>, FindError> {
    if catalog.get(word).is_some() {
        return Ok(vec![word.to_owned()]);
    }
    Ok(files(word, catalog)?.iter().map(|path| path.display().to_string()).collect())
}

/// The files that a word means, each under the one name that a campaign knows it by.
fn files(word: &str, catalog: &Catalog) -> Result<Vec<PathBuf>, FindError> {
    let paths = find::scenarios(word, Path::new(LIBRARY), catalog)?;
    // Where nobody knows which folder this is, files are called as they were named.
    let Ok(here) = std::env::current_dir() else { return Ok(paths) };
    Ok(paths.iter().map(|path| find::plain(path, &here)).collect())
}
