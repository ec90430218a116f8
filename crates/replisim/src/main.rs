//! The program with the protocols that come with it.

use std::process::ExitCode;

use replisim::lab::Catalog;

fn main() -> ExitCode {
    replisim::program(Catalog::standard())
}
