//! Fuzzing: a scenario is run under seed after seed, and under plans of faults that a search makes up, until a promise
//! breaks.
//!
//! ```text
//!   Subject ──▶ Lot ──▶ Idea ──▶ workers ──▶ Attempt, AttemptResult ──▶ Lot learns ──▶ the next Idea
//!   (knobs)   (search)          (spell it out, run it)        │
//!                                                             └──▶ Ledger (what was done already) ──▶ Tally
//! ```
//!
//! | file | what it says |
//! |---|---|
//! | `subject`, `knobs` | what a campaign runs: a scenario, in one position of its knobs after another |
//! | `orders`, `plan` | what it is to do, and the file in which machines of a fleet read that |
//! | `campaign` | the thread that decides and learns, and the workers |
//! | `lot` | a search of its own, of a fixed number of runs |
//! | `corpus`, `cell`, `encounters` | what a search keeps, for having been somewhere new, and how a store has that |
//! | `attempt`, `mutate`, `frame` | one run; how the next one is made of it; what a mutation may draw |
//! | `cause`, `tally`, `survey` | what a failure is called, how often there was one, and all of that as data |
//! | `twice` | runs done twice to be compared |
//! | `ledger`, `archive` | whoever remembers what was done, and a store that does |
//! | `known` | what failed in earlier campaigns, run again first |
//!
//! A campaign is the same whatever runs it: any number of workers, one machine or many, undisturbed or resumed after it was
//! killed. `lot.rs` says how. A run costs nothing but its history; what fails is run again when more is to be told.

mod archive;
mod attempt;
mod campaign;
mod cause;
mod cell;
mod corpus;
mod encounters;
mod frame;
mod knobs;
mod known;
mod ledger;
mod lot;
mod mutate;
mod orders;
mod plan;
mod subject;
mod survey;
mod tally;
#[cfg(test)]
mod tests;
mod twice;

pub use crate::store::{Mark, Place};
pub use archive::{Archive, campaign_to_grow, manifest, runs_ordered};
pub use attempt::{Attempt, AttemptResult, Change, Idea};
pub use campaign::run_campaign;
pub use cause::Cause;
pub use known::{Reruns, run_known};
pub use ledger::{CampaignRun, Clock, Ledger, NoLedger};
pub use lot::{LOT_RUNS, Lot};
pub use orders::{Orders, Share};
pub use plan::CampaignPlan;
pub use subject::{Demand, Subject, Variant, turned};
pub use survey::{knobs_left, survey};
pub use tally::{DIVERGENCES_MAX, FoundCause, Tally};
pub use twice::Divergence;
