//! How many workers a command may be given.

use std::num::NonZero;

use clap::builder::RangedI64ValueParser;
use replisim_lab::cores;

/// How many there may be: more than any machine has cores, and fewer than what it can have threads.
const JOBS_MAX: i64 = 1_024;

/// Reads a number of workers, of which there is at least one.
pub fn jobs() -> RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=JOBS_MAX)
}

/// How many workers there are, if so many are asked for: else one for each core.
pub fn workers(asked: Option<u16>) -> NonZero<usize> {
    asked.and_then(NonZero::new).map_or_else(cores, NonZero::from)
}
