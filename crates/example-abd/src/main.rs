//! replisim with one protocol more: every command works for it.

use std::process::ExitCode;

use example_abd::Register;
use replisim::lab::Catalog;

fn main() -> ExitCode {
    replisim::program(Catalog::standard().with::<Register>())
}
