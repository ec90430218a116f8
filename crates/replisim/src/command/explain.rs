//! `replisim explain S014`.

use replisim_lab::{scenario, store};
use replisim_report::Page;

use super::output::print;
use super::{Ending, Failure};
use crate::shell::in_its_name;

const EXAMPLES: &str = "\
Examples:
  replisim explain
  replisim explain S014
  replisim explain C004";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The code, as a diagnostic prints it; without one, all are listed
    code: Option<String>,
}

/// Explains one code, or lists them all: those of scenarios, then those of campaign stores.
pub fn run(arguments: &Arguments, page: Page) -> Result<Ending, Failure> {
    let codes = codes();
    let Some(word) = &arguments.code else {
        let lines: String = codes.iter().map(|(code, title, _)| format!("{code}  {title}\n")).collect();
        return print(&lines);
    };
    let found = codes.iter().find(|(code, ..)| code.eq_ignore_ascii_case(word));
    let (code, title, text) = found
        .ok_or_else(|| Failure::Nothing(format!("no mistake has the code `{word}`; `replisim explain` lists all")))?;
    print(&in_its_name(&format!("{code}: {title}\n\n{}", page.wrapped(text, ""))))
}

/// Every code with its title and its explanation.
fn codes() -> Vec<(&'static str, &'static str, &'static str)> {
    let of_scenarios = scenario::Code::ALL.iter().map(|code| (code.as_str(), code.title(), code.explain()));
    of_scenarios.chain(store::CODES.iter().map(|it| (it.code, it.title, it.hint))).collect()
}
