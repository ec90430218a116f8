//! The program with the protocols that come with it.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use replisim::lab::Catalog;

/// A run makes some hundred small allocations and gives all of them back: with the system's allocator a campaign has a
/// tenth fewer runs a second.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    replisim::program(Catalog::standard())
}
