//! Finds the scenarios that a word on the command line means: a file, a folder of them, or one by its bare name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use crate::Catalog;
use crate::scenario::{Outline, SOURCE_BYTES_MAX, listed, nearest};

/// What scenario files end in.
const EXTENSION: &str = "ron";

/// How deep folders are searched.
const DEPTH_MAX: usize = 16;

/// What to do where nothing has a name.
fn advice(meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`replisim list` names them, and a bare name is looked up below scenarios/".to_owned(),
    }
}

/// Why no scenario was found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Nothing has this name.
    #[error("no scenario and no protocol is called `{name}`; {}", advice(meant.as_deref()))]
    NotFound {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// A protocol has this name, which is no scenario.
    #[error("`{0}` is a protocol, and no scenario; `replisim fuzz {0}` runs it with nothing but a swarm")]
    Protocol(String),
    /// Nothing is named.
    #[error("the name of a scenario is empty")]
    Nameless,
    /// Several have this name.
    #[error("`{name}` could be any of {}", listed(paths.iter().map(|path| path.display())))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What it could be.
        paths: Vec<PathBuf>,
    },
    /// The folder holds none.
    #[error("there is no scenario (`*.ron`) in {}", .0.display())]
    Empty(PathBuf),
    /// A file has a name that is no text: no command could name it, and a report would show another one.
    #[error("the name of {} is not UTF-8, so that no command can name it: give the file another one", .0.display())]
    Unnameable(PathBuf),
    /// A folder is deeper inside the one that was asked for than folders are searched.
    #[error("{} is more than {DEPTH_MAX} folders deep: name a folder that is nearer to its scenarios", .0.display())]
    TooDeep(PathBuf),
    /// A folder could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// The scenario files that `word` means: the file of this path; every scenario below the folder of this path, in order;
/// or the one of this name below `library`. A protocol of `catalog` may have been meant instead.
///
/// # Errors
/// If there is none, or a bare name is that of several.
pub fn scenarios(word: &str, library: &Path, catalog: &Catalog) -> Result<Vec<PathBuf>, FindError> {
    if word.is_empty() {
        return Err(FindError::Nameless);
    }
    let path = Path::new(word);
    if path.is_dir() {
        let found = below(path)?;
        return if found.is_empty() { Err(FindError::Empty(path.to_owned())) } else { Ok(found) };
    }
    // A path that looks like one is taken for one even if it does not exist: reading it then tells why.
    if path.exists() || path.extension().is_some_and(|extension| extension == EXTENSION) {
        return Ok(vec![path.to_owned()]);
    }
    by_name(word, library, catalog).map(|path| vec![path])
}

/// Every scenario below a folder, in the order of their paths. Links to folders are not followed. The cases and plans that
/// replisim writes among them are passed over; whoever means one of these names it.
///
/// # Errors
/// If one of the folders cannot be read, or lies too deep.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>, FindError> {
    let mut found = files(folder)?;
    found.retain(|path| !is_case_or_plan(path));
    Ok(found)
}

/// Whether a file is one that replisim has written itself. What cannot be read is not known to be.
fn is_case_or_plan(path: &Path) -> bool {
    let mut bytes = Vec::new();
    // A plan may be long, but begins with its name.
    let read = File::open(path).and_then(|file| file.take(SOURCE_BYTES_MAX).read_to_end(&mut bytes));
    read.is_ok() && matches!(Outline::of(&String::from_utf8_lossy(&bytes)).name(), Some("Case" | "CampaignPlan"))
}

/// Every file below a folder that ends as scenarios do.
fn files(folder: &Path) -> Result<Vec<PathBuf>, FindError> {
    let mut found = Vec::new();
    let mut pending = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = pending.pop() {
        let unreadable = |error| FindError::Unreadable { path: folder.clone(), error };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            if entry.file_type().map_err(unreadable)?.is_dir() {
                if depth == DEPTH_MAX {
                    return Err(FindError::TooDeep(path));
                }
                pending.push((path, depth + 1));
            } else if path.extension().is_some_and(|extension| extension == EXTENSION) && !is_special(&path) {
                if path.to_str().is_none() {
                    return Err(FindError::Unnameable(path));
                }
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a path leads to something that is no file: a folder behind a link, or a pipe, which would be waited at. What
/// leads nowhere is told by whoever reads it.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_file())
}

/// The one name of a file however its path, which begins at `folder`, is spelled: with no `.` and no `..` in it, relative to
/// `folder` if it is below that, and absolute if not. A path that leaves a link by `..` stays as it is.
pub fn plain(path: &Path, folder: &Path) -> PathBuf {
    let spelled = folder.join(path);
    let mut plain = PathBuf::new();
    for component in spelled.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(component),
        }
    }
    if plain.canonicalize().ok() != spelled.canonicalize().ok() {
        return path.to_owned();
    }
    // A shell that went through a link names the folder otherwise than the system does.
    let here = folder.canonicalize().ok();
    let is_here = |above: &&Path| here.is_some() && above.canonicalize().ok() == here;
    let below = plain.ancestors().skip(1).find(is_here).and_then(|above| plain.strip_prefix(above).ok());
    below.map(Path::to_owned).unwrap_or(plain)
}

/// The scenario called `name`, with or without the folders before it: `leader_follower/stale_read_after_write`.
fn by_name(name: &str, library: &Path, catalog: &Catalog) -> Result<PathBuf, FindError> {
    let scenarios = if library.is_dir() { files(library)? } else { Vec::new() };
    let is_meant = |path: &&PathBuf| path.with_extension("").ends_with(name);
    let mut paths: Vec<PathBuf> = scenarios.iter().filter(is_meant).cloned().collect();
    match paths.len() {
        1 => Ok(paths.remove(0)),
        0 if catalog.get(name).is_some() => Err(FindError::Protocol(name.to_owned())),
        0 => {
            let names =
                catalog.names().into_iter().chain(scenarios.iter().filter_map(|path| path.file_stem()?.to_str()));
            Err(FindError::NotFound { name: name.to_owned(), meant: nearest(name, names) })
        }
        _ => Err(FindError::Ambiguous { name: name.to_owned(), paths }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn words_find_files_folders_and_names() {
        let scratch = Scratch::new("find-library");
        let library = scratch.folder().to_owned();
        for name in ["failover/split_brain", "failover/lost_write", "leader/lost_write", "leader/stale_read"] {
            let path = library.join(name).with_extension("ron");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::create_dir_all(library.join("nothing")).unwrap();
        let found = |word: &str| {
            let paths = scenarios(word, &library, &Catalog::standard()).map_err(|error| error.to_string())?;
            let names = paths.iter().map(|path| path.strip_prefix(&library).unwrap_or(path).display().to_string());
            Ok::<_, String>(names.collect::<Vec<_>>().join(" "))
        };
        let within = |name: &str| library.join(name).display().to_string();
        let shown = |text: &str| text.replace(&within(""), "");
        assert_eq!(found("split_brain").unwrap(), "failover/split_brain.ron");
        assert_eq!(found("leader/lost_write").unwrap(), "leader/lost_write.ron");
        assert_eq!(found(&within("failover")).unwrap(), "failover/lost_write.ron failover/split_brain.ron");
        assert_eq!(found("mine.ron").unwrap(), "mine.ron");
        assert_eq!(
            found("split_brian").unwrap_err(),
            "no scenario and no protocol is called `split_brian`; did you mean `split_brain`?"
        );
        assert!(found("LeaderFolower").unwrap_err().ends_with("did you mean `LeaderFollower`?"));
        assert!(found("LeaderFollower").unwrap_err().starts_with("`LeaderFollower` is a protocol, and no scenario"));
        assert_eq!(
            shown(&found("lost_write").unwrap_err()),
            "`lost_write` could be any of failover/lost_write.ron, leader/lost_write.ron"
        );
        assert_eq!(shown(&found(&within("nothing")).unwrap_err()), "there is no scenario (`*.ron`) in nothing");
    }

    #[test]
    fn cases_and_plans_in_a_folder_are_no_scenarios_of_it() {
        let scratch = Scratch::new("find-own");
        let folder = scratch.folder().to_owned();
        fs::create_dir_all(folder.join("cases")).unwrap();
        let plan = format!("CampaignPlan(\n    scenario: \"{}\",\n)", "long ".repeat(SOURCE_BYTES_MAX as usize));
        for (name, text) in [
            ("it.ron", "// Case(\nScenario(cluster: (size: 3))"),
            ("it-243b89c5.ron", "// A write is lost.\n\nCase(\n    version: \"0.1.0\",\n)"),
            ("cases/243b89c5.ron", "Case(seed: 1)"),
            ("plan.ron", &plan),
            ("broken.ron", "Scenario(cluster:"),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        assert_eq!(below(&folder).unwrap(), ["broken.ron", "it.ron"].map(|name| folder.join(name)));
        let case = folder.join("it-243b89c5.ron");
        assert_eq!(
            scenarios(case.to_str().unwrap(), &folder, &Catalog::new()).unwrap(),
            [case],
            "it is named by itself"
        );
        let cases = folder.join("cases");
        assert!(matches!(scenarios(cases.to_str().unwrap(), &folder, &Catalog::new()), Err(FindError::Empty(_))));
    }

    #[cfg(unix)]
    #[test]
    fn pipes_in_a_folder_are_passed_over_and_links_to_files_are_not() {
        let scratch = Scratch::new("find-special");
        let folder = scratch.folder().to_owned();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("it.txt"), "").unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(folder.join("pipe.ron")).status();
        assert!(pipe.unwrap().success());
        std::os::unix::fs::symlink("it.txt", folder.join("link.ron")).unwrap();
        std::os::unix::fs::symlink("gone.ron", folder.join("lost.ron")).unwrap();
        std::os::unix::fs::symlink(".", folder.join("folder.ron")).unwrap();
        assert_eq!(below(&folder).unwrap(), ["link.ron", "lost.ron"].map(|name| folder.join(name)));
        let named = crate::scenario::Source::read(&folder.join("pipe.ron")).unwrap_err();
        assert_eq!(named.diagnostics[0].message, "this is a pipe or a device, not a file");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_whose_name_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let scratch = Scratch::new("find-bytes");
        let folder = scratch.folder().to_owned();
        fs::create_dir_all(&folder).unwrap();
        let name =
            |ending: &str| folder.join(std::ffi::OsStr::from_bytes(&[b"gr\xf6\xdfer.", ending.as_bytes()].concat()));
        fs::write(name("txt"), "").unwrap();
        assert_eq!(below(&folder).unwrap(), Vec::<PathBuf>::new(), "it is no scenario");
        fs::write(name("ron"), "").unwrap();
        assert!(matches!(below(&folder), Err(FindError::Unnameable(path)) if path == name("ron")));
    }

    #[test]
    fn a_file_has_one_name_however_it_is_spelled() {
        let scratch = Scratch::new("find-plain");
        let above = scratch.folder().to_owned();
        let folder = above.join("here");
        fs::create_dir_all(folder.join("a/b")).unwrap();
        fs::write(folder.join("a/it.ron"), "").unwrap();
        let named = |path: &str| plain(Path::new(path), &folder);
        let whole = |path: &str| named(above.join(path).to_str().unwrap());
        for name in ["a/it.ron", "./a/it.ron", "a/b/../it.ron", "a//it.ron", "../here/a/it.ron"] {
            assert_eq!(named(name), Path::new("a/it.ron"), "{name}");
        }
        assert_eq!(whole("here/a/./it.ron"), Path::new("a/it.ron"));
        assert_eq!([named("../it.ron"), whole("it.ron")], [above.join("it.ron"), above.join("it.ron")]);
        assert_eq!(named("./gone.ron"), Path::new("gone.ron"), "what is not there has a name, too");
        #[cfg(unix)]
        {
            fs::create_dir_all(above.join("there/deep")).unwrap();
            fs::write(above.join("there/it.ron"), "").unwrap();
            std::os::unix::fs::symlink(above.join("there/deep"), folder.join("deep")).unwrap();
            assert_eq!(named("deep/../it.ron"), Path::new("deep/../it.ron"), "this is not `it.ron`");
            std::os::unix::fs::symlink(&above, folder.join("up")).unwrap();
            assert_eq!(named("up/here/a/it.ron"), Path::new("a/it.ron"));
        }
    }

    #[test]
    fn what_lies_too_deep_is_told_and_not_left_out() {
        let scratch = Scratch::new("find-deep");
        let folder = scratch.folder().to_owned();
        let deepest = (0..DEPTH_MAX).fold(folder.clone(), |path, depth| path.join(depth.to_string()));
        fs::create_dir_all(&deepest).unwrap();
        fs::write(deepest.join("it.ron"), "").unwrap();
        assert_eq!(below(&folder).unwrap(), [deepest.join("it.ron")]);
        fs::create_dir(deepest.join("deeper")).unwrap();
        let refused = below(&folder).unwrap_err();
        assert!(matches!(&refused, FindError::TooDeep(path) if path.ends_with("deeper")), "{refused}");
    }
}
