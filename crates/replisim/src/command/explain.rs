//! `replisim explain S014`.

use replisim_lab::scenario::Code;

use super::output::print;
use super::{Ending, Failure};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The code, as a diagnostic prints it; without one, all are listed
    code: Option<String>,
}

/// Explains one code, or lists them all.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let Some(word) = &arguments.code else {
        let lines: String = Code::ALL.iter().map(|code| format!("{}  {}\n", code.as_str(), code.title())).collect();
        return print(&lines);
    };
    let code = Code::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(word));
    let code = code
        .ok_or_else(|| Failure::Nothing(format!("no mistake has the code `{word}`; `replisim explain` lists all")))?;
    print(&format!("{}: {}\n\n{}\n", code.as_str(), code.title(), code.explain()))
}
