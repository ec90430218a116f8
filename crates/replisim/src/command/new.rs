//! `replisim new`.

use std::path::PathBuf;

use replisim_lab::TEMPLATE;

use super::output::{print, write_file};
use super::{Ending, Failure};

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

/// Writes a commented scenario; never over a file that is there.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let Some(path) = &arguments.file else { return print(TEMPLATE) };
    if path.exists() {
        return Err(Failure::File(format!("{} is there already; choose another name", path.display())));
    }
    write_file(path, TEMPLATE.as_bytes())?;
    print(&format!("wrote {0}\nrun it    replisim run {0}\n", path.display()))
}
