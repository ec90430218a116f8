//! A finished run and its verdicts, printed: for a person, for a machine, for a snapshot, and event by event.
//!
//! ```text
//!                  ┌─ human    the screen: verdict first, evidence under it, the command to go on last
//! Run + verdicts ──┼─ json     the same as data, with a versioned schema
//!   (RunReport)    ├─ history  a text that is the same on every platform, to be pinned by a snapshot
//!                  └─ trace    one line an event
//! ```
//!
//! All but `trace` take a [`RunReport`]; [`survey`] tells of a campaign that has ended, [`campaign`] of those in a store,
//! and [`grid`] shows any rows at all. What human and history print alike stands in `section`: what happened, the verdicts,
//! the measures. All of them put the scenario's names where a run says `node0` ([`Names`]), and print numbers in one manner
//! ([`number`]): thousands grouped, each with its unit, each share with what it is a share of.
//!
//! **Invariant**: reports read what is handed in alone. Nothing here depends on the wall clock, the terminal or the
//! platform; how long a run took, whether colours are wanted and how wide a screen is arrive as arguments.

pub mod campaign;
pub mod figures;
mod grid;
pub mod history;
pub mod human;
pub mod json;
pub mod number;
mod prose;
mod run_report;
mod section;
mod style;
pub mod survey;
mod table;
pub mod trace;

#[cfg(test)]
mod sample;

pub use grid::grid;
pub use replisim_history::Names;
pub use run_report::{JudgedFinding, MeasuredBound, RunReport};
pub use style::{Page, Style};
