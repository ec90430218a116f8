//! `replisim new`.

use std::path::PathBuf;

use replisim_lab::{Catalog, template};

use super::output::{make_parent, print, write_file};
use super::{Ending, Failure};
use crate::shell::{command, program};

const EXAMPLES: &str = "\
Examples:
  replisim new mine.ron
  replisim new scenarios/mine/lost_write.ron
  replisim new | less";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The file to write; without one, the scenario is printed
    file: Option<PathBuf>,
}

/// Writes a commented scenario of a protocol in the catalog, and makes the folder that it is to stand in; never over a file
/// that is there.
pub fn run(arguments: &Arguments, catalog: &Catalog) -> Result<Ending, Failure> {
    let text = template(catalog, program());
    let Some(path) = &arguments.file else { return print(&text) };
    if path.exists() {
        return Err(Failure::File(format!("{} is there already; choose another name", path.display())));
    }
    make_parent(path, "scenario")?;
    write_file(path, text.as_bytes())?;
    let name = path.display().to_string();
    print(&format!("wrote {name}\nrun it    {}\n", command("run", &name)))
}
