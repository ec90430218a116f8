//! A campaign of many runs, printed: for a person, for a machine, and in the two formats that CI systems read.
//!
//! ```text
//!              ┌─ human   what broke, smallest first, each with the command that runs it again; what was never met
//!   Survey ────┼─ json    the same as data, on one line (`ndjson`) or many
//!              ├─ junit   a suite for each subject, a case for each check and for each kind of known failure
//!              └─ github  an annotation for each distinct failure and for each kind of known failure
//! ```
//!
//! Whatever makes a campaign end in failure is told in every one of these, known failures that still fail included.

mod formats;
mod human;
mod known;

pub use formats::{github, json, junit, ndjson};
pub use human::{HIDDEN_CHANCE, Pace, divergences, screen};
pub(crate) use human::{also, parted, replay};

#[cfg(test)]
mod sample;
