//! `replisim new`.

use std::path::PathBuf;

use replisim_lab::TEMPLATE;

use super::output::{make_folder, print, write_file};
use super::{Ending, Failure};
use crate::shell::{program, quoted};

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

/// Writes a commented scenario, and makes the folder that it is to stand in; never over a file that is there.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let Some(path) = &arguments.file else { return print(TEMPLATE) };
    if path.exists() {
        return Err(Failure::File(format!("{} is there already; choose another name", path.display())));
    }
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    write_file(path, TEMPLATE.as_bytes())?;
    let name = path.display().to_string();
    print(&format!("wrote {name}\nrun it    {} run {}\n", program(), quoted(&name)))
}
