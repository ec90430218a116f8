//! replisim with two protocols more, one to follow and one to learn from: every command works for them.

use std::process::ExitCode;

use example_abd::Register;
use example_abd::careless::Careless;
use replisim::lab::Catalog;

fn main() -> ExitCode {
    replisim::program(Catalog::standard().with::<Register>().with::<Careless>())
}
