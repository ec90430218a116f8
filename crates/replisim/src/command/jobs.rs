//! How many workers a command may be given.

use std::num::NonZero;
use std::thread;

use clap::builder::RangedI64ValueParser;

/// How many there may be: more than any machine has cores, and fewer than what it can have threads.
const JOBS_MAX: i64 = 1_024;

/// Reads a number of workers, of which there is at least one.
pub fn jobs() -> RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=JOBS_MAX)
}

/// One for each core.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
