//! Where a case is kept: in a file, or under an id, which is the beginning of its fingerprint.

use std::path::{Path, PathBuf};

use replisim_kernel::Digest;
use replisim_lab::scenario::{Report, Source};
use replisim_lab::store::{RunRow, Store};
use replisim_lab::{Case, Catalog, Experiment};

use super::Failure;
use crate::shell::{command, program, quoted};

/// Where `replisim fuzz` keeps a campaign, unless it is told otherwise.
pub const STORE: &str = ".replisim/campaign.db";

/// How many digits an id has at least.
const ID_MIN: usize = 4;

/// Where the shrunk cases of a store are.
pub fn cases(store: &Path) -> PathBuf {
    store.with_file_name("cases")
}

/// The command that replays a case, which is a file or in a store.
pub fn replay(case: &str, store: &Path) -> String {
    of_store(command("replay", case), store)
}

/// A command that takes a store by `--store`, where it is not the usual one.
pub fn of_store(command: String, store: &Path) -> String {
    if store == Path::new(STORE) {
        command
    } else {
        format!("{command} --store {}", quoted(&store.display().to_string()))
    }
}

/// The command `campaign` of this verb, which takes a store as it is, where that is not the usual one.
pub fn campaign(verb: &str, store: &Path) -> String {
    let verb = format!("campaign {verb}");
    if store == Path::new(STORE) {
        format!("{} {verb}", program())
    } else {
        command(&verb, &store.display().to_string())
    }
}

/// The command that forgets what is known of a subject.
pub fn forget(subject: &str, store: &Path) -> String {
    of_store(command("campaign forget", subject), store)
}

/// What a word that stands for a case means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Where {
    /// A file.
    File(PathBuf),
    /// A case kept under this id.
    Kept(String),
}

/// A case that was found.
#[derive(Debug)]
pub struct FoundCase {
    /// The case.
    pub case: Case,
    /// What it was read from.
    text: Source,
}

impl Where {
    /// A word that is a path, or looks like one, is a file; any other is an id.
    pub fn parse(word: &str) -> Self {
        let path = Path::new(word);
        let looks_like_one = path.extension().is_some() || path.components().count() > 1;
        if path.exists() || looks_like_one { Where::File(path.to_owned()) } else { Where::Kept(word.to_owned()) }
    }

    /// Refuses a store where there is nothing to be looked for in one.
    pub fn admit(&self, store: Option<&Path>) -> Result<(), Failure> {
        match (self, store) {
            (Where::File(path), Some(_)) => {
                Err(Failure::Usage(format!("--store goes with an id, and `{}` is a file", path.display())))
            }
            (Where::File(_), None) | (Where::Kept(_), _) => Ok(()),
        }
    }

    /// Reads the case. An id is looked for in `store`, if there is one, or else in [`STORE`].
    pub fn read(&self, store: Option<&Path>) -> Result<FoundCase, Failure> {
        self.admit(store)?;
        match self {
            Where::File(path) => FoundCase::read(path),
            Where::Kept(id) => find(&id.to_ascii_lowercase(), store),
        }
    }

    /// What the case is called in reports.
    pub fn path(&self) -> &Path {
        match self {
            Where::File(path) => path,
            Where::Kept(id) => Path::new(id),
        }
    }
}

impl FoundCase {
    /// Reads a file.
    fn read(path: &Path) -> Result<FoundCase, Failure> {
        Ok(FoundCase::of(Case::source(path)?)?)
    }

    /// Reads a text.
    pub fn of(text: Source) -> Result<FoundCase, Report> {
        Ok(FoundCase { case: Case::parse(&text)?, text })
    }

    /// The same, called by its id in a store of many.
    fn by_id(mut self) -> Self {
        let name = format!("case {} of {}", self.case.id(), self.text.name);
        self.case.source.name.clone_from(&name);
        self.text.name = name;
        self
    }

    /// Makes the case ready to run. A mistake in it is told where it stands in the text.
    pub fn prepare(&self, catalog: &Catalog) -> Result<Experiment, Report> {
        Experiment::prepare(&self.case.source, catalog).map_err(|report| Case::in_file(&self.text, report))
    }
}

/// Whether a word can be the id of a case.
pub fn is_id(word: &str) -> bool {
    word.len() >= ID_MIN && word.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// The one case with this id: a shrunk one first, which is a file, and then any other that the store holds.
fn find(id: &str, store: Option<&Path>) -> Result<FoundCase, Failure> {
    if !is_id(id) {
        let why =
            format!("there is no file `{id}`, and the id of a case is {ID_MIN} digits or more of its fingerprint");
        return Err(Failure::Nothing(why));
    }
    let place = store.unwrap_or(Path::new(STORE));
    let mut found = filed(id, &cases(place))?;
    if found.is_empty() && (store.is_some() || place.exists()) {
        found = stored(place)?;
    }
    found.retain(|found| found.case.fingerprint.to_string().starts_with(id));
    // Two failures of one run are one case here.
    found.sort_by_key(|found| found.case.fingerprint);
    found.dedup_by_key(|found| found.case.fingerprint);
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::Nothing(run_without_case(id, place)?.unwrap_or_else(|| {
            format!(
                "there is neither a file `{id}` nor a case of that id in {}; `replisim fuzz`, `replisim shrink` and \
                 `replisim run --case FILE` write cases",
                place.display()
            )
        }))),
        _ => {
            let ids: Vec<String> = found.iter().map(|found| found.case.id()).collect();
            Err(Failure::Nothing(format!("`{id}` could be any of {}", ids.join(", "))))
        }
    }
}

/// What there is to say of a whole fingerprint that is that of a run in a store, if it is one, but of no case.
fn run_without_case(id: &str, store: &Path) -> Result<Option<String>, Failure> {
    let Ok(fingerprint) = id.parse::<Digest>() else { return Ok(None) };
    if !store.exists() {
        return Ok(None);
    }
    let open = Store::open(store)?;
    for manifest in open.campaigns()? {
        let look = |run: RunRow| match run.fingerprint == fingerprint {
            true => Err((run.at.subject, run.seed)),
            false => Ok(()),
        };
        if let Err((subject, seed)) = open.each_run(manifest.digest(), look)? {
            let (subject, store) = (&manifest.subjects[subject as usize].name, store.display());
            return Ok(Some(format!(
                "`{id}` is a run of {subject} in {store}, with the seed {seed}, and no case: cases are kept of what fails, of \
                 each kind the smallest"
            )));
        }
    }
    Ok(None)
}

/// The cases in a folder whose files are called by this id, or by the beginning of it.
fn filed(id: &str, folder: &Path) -> Result<Vec<FoundCase>, Failure> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_it = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        // What was being written when the program was killed ends otherwise, and so does an editor's copy.
        let is_whole = path.extension().is_some_and(|extension| extension == "ron");
        is_whole && (name.starts_with(id) || name.len() >= ID_MIN && id.starts_with(&*name))
    };
    let mut paths: Vec<PathBuf> = entries.filter(is_it).collect();
    // Of several cases of one run, the one that is called by its id alone comes first.
    paths.sort_by_cached_key(|path| (path.as_os_str().len(), path.clone()));
    paths.iter().map(|path| FoundCase::read(path)).collect()
}

/// The cases of a store. What another version wrote and this one cannot read is passed over.
fn stored(store: &Path) -> Result<Vec<FoundCase>, Failure> {
    let name = store.display().to_string();
    let texts = Store::open(store)?.cases()?;
    Ok(texts
        .into_iter()
        .filter_map(|text| Some(FoundCase::of(Source::new(name.clone(), text)).ok()?.by_id()))
        .collect())
}
