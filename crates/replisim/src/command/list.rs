//! `replisim list`.

use std::path::Path;

use clap::ValueEnum;
use replisim_history::Check;
use replisim_history::words::printable;
use replisim_lab::{Catalog, Entry, Scenario, find};
use replisim_world::protocol::FlawInfo;
use replisim_world::spec::Action;

use super::output::print;
use super::{Ending, Failure, LIBRARY};
use crate::shell::{command, in_its_name};

const EXAMPLES: &str = "\
Examples:
  replisim list
  replisim list faults
  replisim list scenarios
  replisim list flaws            what `--set protocol.flaw=NAME` takes, and where each shows";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// protocols, faults, checks, scenarios or flaws; without it, everything
    #[arg(value_enum, hide_possible_values = true)]
    what: Option<What>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum What {
    /// The protocols and system profiles that a scenario can name
    #[value(alias = "profiles")]
    Protocols,
    /// What can go wrong, or be done
    Faults,
    /// What can be checked
    Checks,
    /// The scenarios below scenarios/, with what each shows
    Scenarios,
    /// Mistakes that a protocol can be made to make, to see that they are found
    Flaws,
}

/// Lists what there is.
pub fn run(arguments: &Arguments, catalog: &Catalog) -> Result<Ending, Failure> {
    let wanted = |what| arguments.what.is_none_or(|only| only == what);
    let mut text = String::new();
    let mut section = |what, title: &str, rows: Vec<(String, String)>| {
        if wanted(what) {
            text.push_str(&table(title, &rows));
        }
    };
    section(What::Protocols, "protocols", protocols(catalog));
    section(What::Faults, "faults", faults());
    section(What::Checks, "checks", checks());
    if wanted(What::Scenarios) {
        text.push_str(&scenarios()?);
    }
    if wanted(What::Flaws) {
        text.push_str(&flaws(catalog));
    }
    print(&format!("{}\n", text.trim_end_matches('\n')))
}

fn table(title: &str, rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines = rows.iter().map(|(name, about)| format!("  {name:width$}  {about}\n"));
    format!("{title}\n{}\n", lines.collect::<String>())
}

fn protocols(catalog: &Catalog) -> Vec<(String, String)> {
    let entry = |name: &str| Some((name.to_owned(), catalog.get(name)?.about().to_owned()));
    catalog.names().into_iter().filter_map(entry).collect()
}

fn faults() -> Vec<(String, String)> {
    Action::KINDS.iter().map(|(name, about)| ((*name).to_owned(), (*about).to_owned())).collect()
}

fn checks() -> Vec<(String, String)> {
    Check::ALL.iter().map(|check| (check.name().to_owned(), check.in_words().to_owned())).collect()
}

/// Scenarios, each with what it shows below its path: beside each other they are wider than a screen.
fn scenarios() -> Result<String, Failure> {
    let library = Path::new(LIBRARY);
    let paths = if library.is_dir() { find::below(library)? } else { Vec::new() };
    let about = |path: &Path| match Scenario::read(path) {
        Ok(scenario) => scenario.about.split_whitespace().collect::<Vec<_>>().join(" "),
        Err(_) => in_its_name("cannot be read; `replisim run` says why"),
    };
    if paths.is_empty() {
        return Ok(format!("scenarios\n  none, for there are no files below {LIBRARY}/ here\n\n"));
    }
    let lines = paths.iter().map(|path| format!("  {}\n      {}\n", path.display(), about(path)));
    Ok(format!("scenarios\n{}\n", printable(&lines.collect::<String>())))
}

/// Flaws, each with the protocol on which it shows, and below that what is done wrong, and a command that finds it: a
/// protocol's own swarm may be no place for it.
fn flaws(catalog: &Catalog) -> String {
    let of = |entry: &dyn Entry| {
        let told = |flaw: &FlawInfo| {
            let FlawInfo { name, about, stage_file, .. } = flaw;
            let find = format!("{} --set protocol.flaw={name}", command("fuzz", stage_file));
            format!("  {name}, {}\n      {about}\n      {find}\n", entry.name())
        };
        entry.flaws().iter().map(told).collect::<String>()
    };
    match catalog.entries().map(of).collect::<String>() {
        none if none.is_empty() => "flaws\n  none\n".to_owned(),
        told => format!("flaws\n  the commands work at the root of the repository that a protocol comes from\n{told}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_without_flaws_says_so() {
        assert_eq!(flaws(&Catalog::new()), "flaws\n  none\n");
    }
}
