//! `replisim campaign`: looks into the stores that `replisim fuzz` writes, and puts them together.

mod export;
mod forget;
mod list;
mod show;
mod sql;

use std::path::PathBuf;

use clap::Subcommand;
use replisim_lab::store;
use replisim_lab::{Case, Catalog};
use replisim_report::{Page, number};

use super::output::{make_parent, print};
use super::{Ending, Failure};

const EXAMPLES: &str = "\
Examples:
  replisim campaign show
  replisim campaign sql \"SELECT check_name, kind, runs FROM causes\"
  replisim campaign merge -o all.db shard-*.db

Without a store, the one of `replisim fuzz` is meant: .replisim/campaign.db";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List the campaigns of a store, or of every store of a folder
    List(list::Arguments),
    /// Show what a store's campaigns found: failures by cause, smallest first
    Show(show::Arguments),
    /// Ask a store a question in SQL; what is in a table stands in sqlite_schema
    Sql(sql::Arguments),
    /// Write what a store holds: a line a run and a failure, or its failures as cases
    Export(export::Arguments),
    /// Forget what failed before, so that it is not run again
    Forget(forget::Arguments),
    /// Put stores together into a new one, the same to the byte whatever their order: `fuzz merge`, too
    Merge(Merge),
}

#[derive(clap::Args, Debug)]
pub struct Merge {
    /// The file to write; it must not be there yet
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The stores to put together
    #[arg(required = true, value_name = "STORE")]
    stores: Vec<PathBuf>,
}

/// Does what was asked of a campaign.
pub fn run(arguments: &Arguments, catalog: &Catalog, page: Page) -> Result<Ending, Failure> {
    match &arguments.verb {
        Verb::List(arguments) => list::run(arguments),
        Verb::Show(arguments) => show::run(arguments, page),
        Verb::Sql(arguments) => sql::run(arguments),
        Verb::Export(arguments) => export::run(arguments),
        Verb::Forget(arguments) => forget::run(arguments, catalog),
        Verb::Merge(arguments) => merge(arguments),
    }
}

/// Puts stores together: `replisim campaign merge`, and `replisim fuzz merge`, for those of shards.
pub fn merge(arguments: &Merge) -> Result<Ending, Failure> {
    make_parent(&arguments.output, "store")?;
    let digest = store::merge(&arguments.stores, &arguments.output)?;
    let (parts, output) = (arguments.stores.len() as u64, arguments.output.display());
    print(&format!("merged {} into {output}\ndigest    {digest}\n", number::things(parts, "store")))
}

/// What the case with this text goes by; `None` if the text is not one that this version can read.
fn id_of(case: &str) -> Option<String> {
    Case::of_text(case).map(|case| case.id())
}
