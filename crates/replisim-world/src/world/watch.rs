//! Takes note of where a run has been. Nothing here changes what happens.

use replisim_history::{Cell, Deed, NodeId, OpKind, Outcome};

use super::World;
use crate::process::{Process, STATES_MAX};
use crate::spec::Action;

impl<P: Process> World<P> {
    /// Takes note of every cell from now on.
    pub fn watch(&mut self) {
        assert!(P::STATES.len() <= STATES_MAX, "a protocol tells at most {STATES_MAX} states apart");
        self.recorder.coverage.get_or_insert_default();
    }

    /// An operation of this kind has ended that `node` was asked for.
    #[inline]
    pub(super) fn see_answer(&mut self, node: NodeId, kind: OpKind, outcome: Outcome) {
        if self.recorder.coverage.is_none() {
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

    /// A fault has struck: seen from the server that leads, where one does.
    pub(super) fn see_fault(&mut self, action: &Action) {
        if self.recorder.coverage.is_none() {
            return;
        }
        if let Some(family) = action.family() {
            let witness = self.last_leader.or(self.plan.replicas.first().copied());
            self.see(witness.unwrap_or(NodeId(0)), Deed::Struck(family as u8));
        }
    }

    fn see(&mut self, node: NodeId, deed: Deed) {
        let state = |node| self.process(node).map_or(Cell::DOWN, Process::state);
        let cluster = Cell::cluster(self.plan.replicas.iter().map(|replica| state(*replica)));
        let cell = Cell { state: state(node), faults: self.injector.families(self.now), deed, cluster };
        if let Some(coverage) = &mut self.recorder.coverage {
            coverage.insert(cell);
        }
    }
}
