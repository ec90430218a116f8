//! Cuts and changes of links between whoever a fault means.

use std::collections::BTreeSet;

use replisim_history::NodeId;

use super::World;
use crate::fault::{FaultIndex, FiringIndex, Undo};
use crate::network::Change;
use crate::process::Process;
use crate::spec::Target;

impl<P: Process> World<P> {
    pub(super) fn change_links(
        &mut self,
        fault: FaultIndex,
        firing: FiringIndex,
        link: &(Target, Target),
        change: Change,
    ) -> Vec<Undo> {
        let (one, other) = (self.sites_of(fault, &link.0), self.sites_of(fault, &link.1));
        let pairs = both_ways(&one, &other);
        for (from, to) in &pairs {
            self.network.link(*from, *to).change(firing, change.clone());
        }
        pairs.into_iter().map(|(from, to)| Undo::RestoreLink { from, to }).collect()
    }

    pub(super) fn cut_between(&mut self, fault: FaultIndex, between: &(Target, Target)) -> Vec<Undo> {
        let (one, other) = (self.sites_of(fault, &between.0), self.sites_of(fault, &between.1));
        self.cut_apart(&one, &other)
    }

    pub(super) fn isolate(&mut self, fault: FaultIndex, target: &Target) -> Vec<Undo> {
        let inside = self.sites_of(fault, target);
        self.cut_off(&inside)
    }

    pub(super) fn cut_off(&mut self, inside: &[NodeId]) -> Vec<Undo> {
        let outside: Vec<NodeId> = self.everybody().filter(|node| !inside.contains(node)).collect();
        self.cut_apart(inside, &outside)
    }

    pub(super) fn cut_apart(&mut self, one: &[NodeId], other: &[NodeId]) -> Vec<Undo> {
        let mut undo = self.cut_pairs(one, other);
        undo.extend(self.cut_pairs(other, one));
        undo
    }

    pub(super) fn cut_pairs(&mut self, from: &[NodeId], to: &[NodeId]) -> Vec<Undo> {
        let pairs = one_way(from, to);
        for (from, to) in &pairs {
            self.network.cut(*from, *to);
        }
        pairs.into_iter().map(|(from, to)| Undo::Mend { from, to }).collect()
    }

    /// Every replica keeps the nearest majority of a ring, itself included.
    pub(super) fn cut_ring(&mut self, fault: FaultIndex) -> Vec<Undo> {
        let ring = self.shuffled_replicas(fault);
        let reach = ring.len() / 4 + usize::from(ring.len() % 4 > 1);
        let mut undo = Vec::new();
        for (i, one) in ring.iter().enumerate() {
            for (j, other) in ring.iter().enumerate().skip(i + 1) {
                let apart = (j - i).min(ring.len() - (j - i));
                if apart > reach {
                    undo.extend(self.cut_apart(&[*one], &[*other]));
                }
            }
        }
        undo
    }

    /// Cuts two random halves of the replicas apart, `bridge` being in neither.
    pub(super) fn cut_in_halves(&mut self, fault: FaultIndex, bridge: &[NodeId]) -> Vec<Undo> {
        let mut one = self.shuffled_replicas(fault);
        one.retain(|node| !bridge.contains(node));
        let other = one.split_off(one.len() / 2);
        self.cut_apart(&one, &other)
    }
}

/// Each pair of one from either side, in this direction.
fn one_way(from: &[NodeId], to: &[NodeId]) -> Vec<(NodeId, NodeId)> {
    let pairs = from.iter().flat_map(|from| to.iter().map(|to| (*from, *to)));
    pairs.filter(|(from, to)| from != to).collect()
}

/// Each pair of one from either side, in both directions, once.
fn both_ways(one: &[NodeId], other: &[NodeId]) -> Vec<(NodeId, NodeId)> {
    let pairs: BTreeSet<_> = one_way(one, other).into_iter().chain(one_way(other, one)).collect();
    pairs.into_iter().collect()
}
