//! How many threads there are to be where nobody says.

use std::num::NonZero;
use std::thread;

/// As many as the machine has cores, or one if it does not tell.
pub fn cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}
