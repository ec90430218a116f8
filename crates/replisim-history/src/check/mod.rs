//! The consistency checkers: each reads a [`History`] and returns a [`Finding`].
//!
//! | file | what it says |
//! |---|---|
//! | `lost/` | which acknowledged writes are gone at the end |
//! | `session.rs` | the four session guarantees |
//! | `causal.rs` | causal order |
//! | `fresh.rs` | which reads are stale, and by how much |
//! | `convergence.rs` | whether all replicas hold the same at the end |
//! | `thin_air.rs` | whether what was read was written at all |
//! | `panic.rs` | whether the run was cut short, and what that leaves of the other verdicts |
//!
//! What they share: `access.rs` takes operations apart; `keys.rs` numbers their keys; `order/` says which version is newer;
//! `placed.rs` puts every write and sighting in its place; `past.rs` gathers what a read must reflect; `tally.rs` counts;
//! `witness.rs` writes a violation down.
//!
//! **Sound**: a violation is one, and its witness shows it on its own ([`recheck`]). Where the history does not tell
//! which of two versions is newer, the verdict is unknown, never a guess. **Complete** for registers and deletions in keys
//! that one log ordered; elsewhere the most favourable reading of what was seen is taken. Of a set, list or text a session
//! must see again only the newest element of its past. A compare-and-set is a write: what it found is not held against it.

mod access;
mod causal;
mod convergence;
mod fresh;
mod keys;
mod lost;
mod order;
mod panic;
mod past;
mod placed;
mod session;
mod tally;
mod thin_air;
mod witness;

pub use fresh::{StaleRead, Staleness, StalenessReport, staleness};
pub use lost::{Losses, losses};
pub use witness::recheck;

use crate::{Check, Finding, History};
use placed::Placed;

/// Checks one guarantee.
pub fn check(check: Check, history: &History) -> Finding {
    panic::tempered(judge(check, &Placed::new(history)), history)
}

/// Checks several guarantees, and puts the history in order only once. Where causal order is among them, the session
/// guarantees follow from it for all reads that keep it, and only the others are looked at again.
pub fn check_all(history: &History, checks: &[Check]) -> Vec<Finding> {
    let mut placed = Placed::new(history);
    if checks.contains(&Check::CausalOrder) {
        placed.causal = Some(causal::look_at(&placed));
    }
    checks.iter().map(|&check| panic::tempered(judge(check, &placed), history)).collect()
}

fn judge(check: Check, placed: &Placed) -> Finding {
    match check {
        Check::NoLostWrites => lost::no_lost_writes(placed),
        Check::ReadYourWrites => session::read_your_writes(placed),
        Check::MonotonicReads => session::monotonic_reads(placed),
        Check::MonotonicWrites => session::monotonic_writes(placed),
        Check::WritesFollowReads => session::writes_follow_reads(placed),
        Check::CausalOrder => causal::causal_order(placed),
        Check::FreshReads => fresh::fresh_reads(placed),
        Check::Convergence => convergence::convergence(placed.history),
        Check::NoThinAirReads => thin_air::no_thin_air_reads(placed),
        Check::NoPanic => panic::no_panic(placed.history),
    }
}

#[cfg(test)]
mod tests;
