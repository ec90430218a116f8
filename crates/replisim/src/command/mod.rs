//! The command line: parses it, hands the work to the lab, prints what comes back, and maps it to an exit code.
//! What the exit codes mean is told once, in the table of `docs/ci.md`: the help says the same in short.

mod campaign;
mod distinct;
mod explain;
mod fuzz;
mod interrupt;
mod jobs;
mod list;
mod new;
mod output;
mod progress;
mod replay;
mod run;
mod shrink;
mod time;
mod whereabouts;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use replisim_lab::Catalog;
use replisim_lab::find::FindError;
use replisim_lab::scenario::Report;
use replisim_lab::store::StoreError;
use replisim_report::{Page, Style, number};

use crate::shell;

/// Where scenarios are looked up by their bare names.
const LIBRARY: &str = "scenarios";

const EXAMPLES: &str = "\
Examples:
  replisim run scenarios/leader_follower/stale_read_after_write.ron --seed 7
  replisim run stale_read_after_write --set run=30s --format json
  replisim fuzz PostgreSql --for 60s";

/// The column `in short` of the table in `docs/ci.md`.
const EXIT_CODES: &str = "\
Exit codes: 0 nothing wrong; 1 something broken, missed, undecided or never run; 2 bad usage; \
3 bad scenario, store or file; 4 nothing selected; 5 runs differ; 130 interrupted.";

/// A deterministic simulation workbench for database replication.
#[derive(Parser, Debug)]
#[command(name = "replisim", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, hide_possible_values = true)]
    color: Colour,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a scenario, or every scenario of a folder, and say which guarantees held
    Run(run::Arguments),
    /// Run scenarios or protocols under seed after seed, in search of a broken promise
    Fuzz(fuzz::Arguments),
    /// Run a case again and compare it with what it says
    Replay(replay::Arguments),
    /// Shrink a failing run to the smallest story that still fails in the same way
    Shrink(shrink::Arguments),
    /// List protocols, faults, checks, scenarios and flaws
    List(list::Arguments),
    /// Write a commented scenario to start from
    New(new::Arguments),
    /// Look into the stores of campaigns, and put them together
    Campaign(campaign::Arguments),
    /// Explain the code of a mistake, such as S014
    Explain(explain::Arguments),
}

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Colour {
    /// On a terminal, unless `NO_COLOR` is set to anything.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a command ended, other than well.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// What was asked for does not go together.
    #[error("error: {0}")]
    Usage(String),
    /// Scenarios, a case or a plan cannot be read or used.
    #[error("{} refused", number::things(.0.len() as u64, "file"))]
    Refused(Vec<Report>),
    /// A store cannot be read or used, or not all of several scenarios. The text is a whole diagnostic.
    #[error("{0}")]
    Diagnosed(String),
    /// A file cannot be written or read.
    #[error("error: {0}")]
    File(String),
    /// Nothing was selected.
    #[error("error: {0}")]
    Nothing(String),
}

/// What a command that went through came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    Fine,
    NotFine,
    RunsDiffer,
    Interrupted,
}

/// Runs the command line of this process with the protocols of `catalog`. The program goes by the name of its file: in its
/// help, and in the commands that it prints.
pub fn program(catalog: Catalog) -> ExitCode {
    shell::go_by(std::env::args_os().next().as_deref());
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let help = Colour::asked_for(words).of_help();
    let arguments = match Arguments::from_arg_matches(&command_line().color(help).get_matches()) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let colour = arguments.color;
    let result = match arguments.command {
        Command::Run(arguments) => run::run(&arguments, &catalog, colour),
        Command::Fuzz(arguments) => fuzz::run(&arguments, &catalog, colour.page()),
        Command::Replay(arguments) => replay::run(&arguments, &catalog, colour.page()),
        Command::Shrink(arguments) => shrink::run(&arguments, &catalog, colour.page()),
        Command::List(arguments) => list::run(&arguments, &catalog),
        Command::New(arguments) => new::run(&arguments, &catalog),
        Command::Campaign(arguments) => campaign::run(&arguments, &catalog, colour.page()),
        Command::Explain(arguments) => explain::run(&arguments, colour.page()),
    };
    match result {
        Ok(ending) => ExitCode::from(ending.code()),
        Err(failure) => {
            output::complain(&failure.told(colour));
            ExitCode::from(failure.code())
        }
    }
}

/// The command line as it is parsed, by the name that the program goes by.
fn command_line() -> clap::Command {
    let codes = |command: clap::Command| {
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        command.after_help(format!("{examples}\n\n{EXIT_CODES}"))
    };
    // `fuzz` can end with most of them; others name their own.
    let whole = codes(Arguments::command()).mut_subcommand("fuzz", codes);
    match shell::program() {
        "replisim" => whole,
        name => in_its_name(whole.bin_name(name).display_name(format!("{name}, with replisim"))),
    }
}

/// A command, and all below it, whose help is of the program by its name.
fn in_its_name(mut command: clap::Command) -> clap::Command {
    if let Some(told) = command.get_after_help().map(ToString::to_string) {
        command = command.after_help(shell::in_its_name(&told));
    }
    let argument = |argument: clap::Arg| match argument.get_help().map(ToString::to_string) {
        Some(told) => argument.help(shell::in_its_name(&told)),
        None => argument,
    };
    command.mut_args(argument).mut_subcommands(in_its_name)
}

impl Ending {
    /// The exit code.
    const fn code(self) -> u8 {
        match self {
            Ending::Fine => 0,
            Ending::NotFine => 1,
            Ending::RunsDiffer => 5,
            Ending::Interrupted => 130,
        }
    }
}

impl Failure {
    /// The exit code.
    const fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Refused(_) | Failure::Diagnosed(_) | Failure::File(_) => 3,
            Failure::Nothing(_) => 4,
        }
    }

    /// What there is to say of it, with colours if they are wanted where it is printed.
    fn told(&self, colour: Colour) -> String {
        let render = |report: &Report| report.render(colour.wanted_on(&std::io::stderr()));
        match self {
            Failure::Refused(reports) => reports.iter().map(render).collect::<Vec<_>>().join("\n"),
            Failure::Usage(_) | Failure::Diagnosed(_) | Failure::File(_) | Failure::Nothing(_) => self.to_string(),
        }
    }
}

impl From<FindError> for Failure {
    /// Why a word means no scenario.
    fn from(error: FindError) -> Self {
        match error {
            FindError::Unreadable { .. } | FindError::Unnameable(_) | FindError::TooDeep(_) => {
                Failure::File(error.to_string())
            }
            FindError::Nameless
            | FindError::NotFound { .. }
            | FindError::Protocol(_)
            | FindError::Ambiguous { .. }
            | FindError::Empty(_) => Failure::Nothing(error.to_string()),
        }
    }
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        Failure::Refused(vec![report])
    }
}

impl From<StoreError> for Failure {
    /// What is wrong with a store, and what to do about it.
    fn from(error: StoreError) -> Self {
        Failure::Diagnosed(format!("error[{}]: {error}\n  {}", error.code(), error.hint()))
    }
}

impl Colour {
    /// What these words of a command line ask for. The help is printed before they are parsed.
    fn asked_for(words: impl Iterator<Item = String>) -> Colour {
        let words: Vec<String> = words.take_while(|word| word != "--").collect();
        let last = words.iter().rposition(|word| word.starts_with("--color"));
        let when = last.and_then(|at| words[at].strip_prefix("--color=").or(words.get(at + 1).map(String::as_str)));
        when.and_then(|when| Colour::from_str(when, false).ok()).unwrap_or(Colour::Auto)
    }

    /// How the help looks.
    const fn of_help(self) -> clap::ColorChoice {
        match self {
            Colour::Auto => clap::ColorChoice::Auto,
            Colour::Always => clap::ColorChoice::Always,
            Colour::Never => clap::ColorChoice::Never,
        }
    }

    /// How what is printed to standard output looks.
    fn style(self) -> Style {
        if self.wanted_on(&std::io::stdout()) { Style::Colour } else { Style::Plain }
    }

    /// What standard output is: where it is a narrow terminal, prose is wrapped to that.
    fn page(self) -> Page {
        let terminal = console::Term::stdout().size_checked();
        let columns = terminal.map_or(Page::WIDTH, |(_, columns)| usize::from(columns));
        Page { width: columns.min(Page::WIDTH), ..Page::from(self.style()) }
    }

    /// Whether to use them on a stream.
    fn wanted_on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Colour::Auto => !refuses_colours(std::env::var_os("NO_COLOR")) && stream.is_terminal(),
            Colour::Always => true,
            Colour::Never => false,
        }
    }
}

/// Whether `NO_COLOR` asks for none: set to nothing, it does not (no-color.org).
fn refuses_colours(no_color: Option<OsString>) -> bool {
    no_color.is_some_and(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_refused_by_a_word() {
        let refuses = |no_color: &str| refuses_colours(Some(no_color.into()));
        assert_eq!([refuses("1"), refuses("0"), refuses(""), refuses_colours(None)], [true, true, false, false]);
    }
}
