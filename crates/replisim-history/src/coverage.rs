//! Where a run has been: which states the servers were in while which faults were in force and what was asked of them.
//!
//! Lines of code that were executed say little about a distributed system; what matters is which part of it met what.
//! A [`Cell`] is one such meeting. A search for failures keeps the runs that reach new cells, and a campaign tells which
//! were never reached.

use serde::{Deserialize, Serialize};

use crate::OpKind;

/// A meeting of states, faults and a deed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// The state of the server that was asked, as numbered by its protocol; [`Cell::DOWN`] if it was down.
    pub state: u8,
    /// The families of faults in force, as bits.
    pub faults: u16,
    /// What happened there.
    pub deed: Deed,
    /// How many replicas were in each state, two bits for each: three stands for three or more.
    pub cluster: u64,
}

/// What happened in a cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Deed {
    /// An operation took effect.
    Done(OpKind),
    /// An operation certainly did not.
    Failed(OpKind),
    /// Nobody knows.
    Unknown(OpKind),
    /// A fault of the family with this number struck.
    Struck(u8),
}

impl Cell {
    /// The state of a server that is down.
    pub const DOWN: u8 = 31;

    /// What [`Cell::cluster`] is for replicas in these states.
    pub fn cluster(states: impl IntoIterator<Item = u8>) -> u64 {
        let count = |packed: u64, state: u8| {
            let shift = 2 * u32::from(state.min(Cell::DOWN));
            if packed >> shift & 3 == 3 { packed } else { packed + (1 << shift) }
        };
        states.into_iter().fold(0, count)
    }

    /// How many replicas were in a state; three stands for three or more.
    pub const fn replicas_in(&self, state: u8) -> u64 {
        self.cluster >> (2 * state as u32) & 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_counted_by_state_up_to_three() {
        let cluster = Cell::cluster([0, 1, 1, Cell::DOWN, 7, 7, 7, 7]);
        let cell = Cell { state: 0, faults: 0, deed: Deed::Done(OpKind::Read), cluster };
        assert_eq!([0, 1, 2, 7, Cell::DOWN].map(|state| cell.replicas_in(state)), [1, 2, 0, 3, 1]);
    }
}
