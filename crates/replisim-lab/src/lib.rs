//! The laboratory: reads scenarios, finds their protocols, runs them, and judges what came of it.
//!
//! ```text
//!   path ──▶ Source ──▶ Experiment ──▶ Run ──▶ findings ──▶ Judgement
//!            scenario/   catalog        world   checkers     expected? promised?
//! ```
//!
//! Start at [`Experiment::prepare`]. A mistake in a scenario comes back as a [`scenario::Report`], which shows all of them
//! in the text; [`Catalog`] is where a program adds protocols of its own. No panic gets out of a run: see `guard`.
//!
//! **Invariants**: nothing in a scenario is ever ignored; no text makes the reader panic; a verdict that could not be
//! decided never passes.

pub mod atomic_file;
mod case;
mod catalog;
mod cores;
mod experiment;
pub mod find;
pub mod fuzz;
mod guard;
mod judge;
mod judged_run;
mod new;
pub mod scenario;
#[cfg(test)]
mod scratch;
pub mod shell;
pub mod shrink;
pub mod store;
mod targets;
#[cfg(test)]
mod touchy;
mod trial;

pub use case::{Anomaly, Case, Marks, Parting};
pub use catalog::{Assembled, Catalog, Configured, Entry, Plan};
pub use cores::cores;
pub use experiment::Experiment;
pub use guard::backtrace;
pub use judge::{JudgedCheck, JudgedMeasure, Judgement, Standing};
pub use judged_run::JudgedRun;
pub use new::{TEMPLATE, template};
pub use scenario::Scenario;
pub use trial::{FailedSeed, Trial};

/// The version of replisim. A run is the same for the same scenario, seed and version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
