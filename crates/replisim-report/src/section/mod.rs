//! The parts that a screen and a snapshot are put together from, each a few lines of text, or none where there is
//! nothing to tell.

mod clock;
mod measures;
mod story;
mod verdicts;

pub use clock::clock;
pub use measures::{bounds, measures};
pub use story::story;
pub use verdicts::verdicts;

/// How wide prose may run. Tables are as wide as what they hold.
pub(crate) const WIDTH: usize = 100;
