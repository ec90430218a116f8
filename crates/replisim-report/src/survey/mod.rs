//! A campaign of many runs, printed: for a person, for a machine, and in the two formats that CI systems read.
//!
//! ```text
//!              ┌─ human   what broke, smallest first, each with the command that runs it again; what was never met
//!   Survey ────┼─ json    the same as data, on one line (`ndjson`) or many
//!              ├─ junit   a suite for each subject, a case for each check and for each distinct failure
//!              └─ github  an annotation for each distinct failure
//! ```

mod formats;
mod human;

pub use formats::{SCHEMA_VERSION, github, json, junit, ndjson};
pub use human::screen;

#[cfg(test)]
mod sample;
