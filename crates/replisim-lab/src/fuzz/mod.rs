//! Fuzzing: a scenario is run under seed after seed, and under plans of faults that a search makes up, until a promise
//! breaks.
//!
//! ```text
//!   Subject ──▶ Lot ──▶ Idea ──▶ workers ──▶ Attempt, Tried ──▶ Lot learns ──▶ the next Idea
//!   (knobs)   (search)          (spell it out, run it)   │
//!                                                        └──▶ Ledger (what was done already)  ──▶ Tally
//! ```
//!
//! A campaign is the same whatever runs it: any number of workers, one machine or many, undisturbed or resumed after it was
//! killed. `lot.rs` says how. A run costs nothing but its history; what fails is run again when more is to be told.

mod archive;
mod attempt;
mod campaign;
mod cause;
mod cell;
mod charter;
mod corpus;
mod fit;
mod knobs;
mod known;
mod ledger;
mod lot;
mod met;
mod mutate;
mod orders;
mod subject;
mod survey;
mod tally;
#[cfg(test)]
mod tests;
mod twice;

pub use crate::store::{Mark, Place};
pub use archive::{Archive, campaign_to_grow, manifest, runs_ordered};
pub use attempt::{Attempt, Change, Idea, Tried};
pub use campaign::campaign;
pub use cause::Cause;
pub use charter::Charter;
pub use known::{Reruns, run_known};
pub use ledger::{Clock, Forgetful, Ledger, Ran};
pub use lot::{LOT, Lot};
pub use orders::{Orders, Share};
pub use subject::{Demand, Subject, Variant, turned};
pub use survey::{knobs_left, survey};
pub use tally::{DIVERGENCES_MAX, Found, Tally};
pub use twice::Divergence;
