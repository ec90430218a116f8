//! Takes note of where a run has been. Nothing here changes what happens.

use std::collections::BTreeSet;

use replisim_history::{Cell, Deed, NodeId, OpKind, Outcome};
use replisim_kernel::GOLDEN;

use super::World;
use crate::process::{Process, STATES_MAX};
use crate::spec::Action;

/// How many cells are known to have been reached without a search for them, as a power of two.
const AT_HAND_LOG2: u32 = 6;

/// The cells that a run has reached. It mostly comes back to those that it has just left.
#[derive(Clone, Debug)]
pub(super) struct Coverage {
    cells: BTreeSet<Cell>,
    /// Of the cells that share a place here, the one that was reached last.
    at_hand: [Option<Cell>; 1 << AT_HAND_LOG2],
}

impl Coverage {
    fn reach(&mut self, cell: Cell) {
        if self.at_hand[place_of(&cell)].replace(cell) != Some(cell) {
            self.cells.insert(cell);
        }
    }

    /// All cells that were reached, in order.
    pub(super) fn into_cells(self) -> impl Iterator<Item = Cell> {
        self.cells.into_iter()
    }
}

impl Default for Coverage {
    fn default() -> Self {
        Coverage { cells: BTreeSet::new(), at_hand: [None; 1 << AT_HAND_LOG2] }
    }
}

/// The place of a cell among those at hand: what mostly tells it from others, spread by a multiplication.
fn place_of(cell: &Cell) -> usize {
    let subject = match cell.deed {
        Deed::Done(kind) | Deed::Failed(kind) | Deed::Unknown(kind) => kind as u8,
        Deed::Struck(family) => family,
    };
    let told = cell.cluster ^ u64::from(cell.state) << 48 ^ u64::from(subject) << 56;
    (told.wrapping_mul(GOLDEN) >> (u64::BITS - AT_HAND_LOG2)) as usize
}

impl<P: Process> World<P> {
    /// Takes note of every cell from now on.
    pub fn watch(&mut self) {
        assert!(P::STATES.len() <= STATES_MAX, "a protocol tells at most {STATES_MAX} states apart");
        self.coverage.get_or_insert_default();
    }

    /// An operation of this kind has ended that `node` was asked for.
    #[inline]
    pub(super) fn see_answer(&mut self, node: NodeId, kind: OpKind, outcome: Outcome) {
        if self.coverage.is_none() {
            return;
        }
        self.see(
            node,
            match outcome {
                Outcome::Ok => Deed::Done(kind),
                Outcome::Fail(_) => Deed::Failed(kind),
                Outcome::Open | Outcome::Info(_) => Deed::Unknown(kind),
            },
        );
    }

    /// A fault has struck: seen from the server that became leader last, or else from the first.
    pub(super) fn see_fault(&mut self, action: &Action) {
        if self.coverage.is_none() {
            return;
        }
        if let Some(family) = action.family() {
            let witness = self.last_leader.or(self.layout.replicas.first().copied());
            self.see(witness.unwrap_or(NodeId(0)), Deed::Struck(family as u8));
        }
    }

    fn see(&mut self, node: NodeId, deed: Deed) {
        let state = |node| self.process(node).map_or(Cell::DOWN, Process::state);
        let cluster = Cell::cluster(self.layout.replicas.iter().map(|replica| state(*replica)));
        let cell = Cell { state: state(node), faults: self.injector.families(self.now), deed, cluster };
        if let Some(coverage) = &mut self.coverage {
            coverage.reach(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More cells than have a place at hand, come back to in another order.
    #[test]
    fn every_cell_that_was_reached_is_kept_once() {
        let cell = |n: u64| Cell { state: n as u8 % 5, faults: 0, deed: Deed::Struck(n as u8 % 3), cluster: n / 4 };
        let mut coverage = Coverage::default();
        (0..1_000).chain((0..1_000).rev()).for_each(|n| coverage.reach(cell(n)));
        assert!(coverage.into_cells().eq((0..1_000).map(cell).collect::<BTreeSet<_>>()));
    }
}
