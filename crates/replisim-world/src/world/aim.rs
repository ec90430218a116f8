//! Whom a fault means: a name, a role, or so many at random, at the moment it strikes.

use std::collections::BTreeSet;

use replisim_history::{NodeId, NodeInfo, Position};

use super::World;
use crate::fault::{FaultIndex, Undo};
use crate::process::{Process, Role};
use crate::spec::Target;

impl<P: Process> World<P> {
    pub(super) fn each_node(
        &mut self,
        fault: FaultIndex,
        target: &Target,
        mut strike: impl FnMut(&mut Self, NodeId) -> Option<Undo>,
    ) -> Vec<Undo> {
        let nodes = self.nodes_of(fault, target);
        nodes.into_iter().filter_map(|node| strike(self, node)).collect()
    }

    /// As [`World::each_node`], leaving out application servers: they have nothing to start or to store.
    pub(super) fn each_process(
        &mut self,
        fault: FaultIndex,
        target: &Target,
        mut strike: impl FnMut(&mut Self, NodeId),
    ) -> Vec<Undo> {
        self.each_node(fault, target, |world, node| {
            if world.is_process(node) {
                strike(world, node);
            }
            None
        })
    }

    pub(super) fn each_host(
        &mut self,
        fault: FaultIndex,
        target: &Target,
        mut strike: impl FnMut(&mut Self, usize) -> Undo,
    ) -> Vec<Undo> {
        let nodes = self.nodes_of(fault, target);
        let hosts: BTreeSet<usize> = nodes.into_iter().map(|node| self.roster.host_of(node)).collect();
        hosts.into_iter().map(|host| strike(self, host)).collect()
    }

    /// The nodes that a target means, with everything that shares their hosts: what the network cuts off together.
    pub(super) fn sites_of(&mut self, fault: FaultIndex, target: &Target) -> Vec<NodeId> {
        let hosts: BTreeSet<usize> = self.nodes_of(fault, target).into_iter().map(|n| self.roster.host_of(n)).collect();
        self.everybody().filter(|node| hosts.contains(&self.roster.host_of(*node))).collect()
    }

    /// The nodes that a target means at this moment; those that its words alone do not tell are remembered.
    pub(super) fn nodes_of(&mut self, fault: FaultIndex, target: &Target) -> Vec<NodeId> {
        if let Target::Several(targets) = target {
            return targets.iter().flat_map(|target| self.nodes_of(fault, target)).collect();
        }
        let order = if target.is_random() { self.shuffled_replicas(fault) } else { Vec::new() };
        let nodes = self.look_up(target, &order);
        if !matches!(target, Target::Named(_) | Target::Replicas | Target::Clients) {
            self.injector.found.extend(&nodes);
        }
        nodes
    }

    /// The nodes that a target means at this moment, if chance has put the replicas into this order.
    pub(super) fn look_up(&self, target: &Target, order: &[NodeId]) -> Vec<NodeId> {
        let first = |count: usize| order.iter().copied().take(count).collect();
        match target {
            Target::Named(name) => self.named(name),
            Target::Several(targets) => targets.iter().flat_map(|target| self.look_up(target, order)).collect(),
            Target::Leader => self.leader().into_iter().collect(),
            Target::Followers => self.followers(),
            Target::Replicas => self.layout.replicas.clone(),
            Target::Minority => first(order.len().saturating_sub(1) / 2),
            Target::Majority => first(order.len() / 2 + 1),
            Target::Random(count) => first(usize::from(*count)),
            Target::Clients => self.everybody().filter(|node| !self.is_process(*node)).collect(),
            Target::MostAdvanced => {
                let advance = |node: &NodeId| (self.is_full_member(*node), self.received(*node));
                self.followers().into_iter().rev().max_by_key(advance).into_iter().collect()
            }
            Target::MostBehind => self.followers().into_iter().min_by_key(|n| self.applied(*n)).into_iter().collect(),
        }
    }

    /// Everything of this name: a process, or all on a host, in a zone, in a region.
    pub(super) fn named(&self, name: &str) -> Vec<NodeId> {
        let infos = || (0u16..).zip(&self.layout.nodes);
        let exact: Vec<NodeId> = infos().filter(|(_, info)| info.name == name).map(|(i, _)| NodeId(i)).collect();
        if !exact.is_empty() {
            return exact;
        }
        let within = |info: &NodeInfo| [&info.host, &info.zone, &info.region].iter().any(|n| *n == name);
        infos().filter(|(_, info)| within(info)).map(|(i, _)| NodeId(i)).collect()
    }

    /// Whoever leads: the living leader that is in charge, or the one that led last.
    pub(super) fn leader(&self) -> Option<NodeId> {
        self.in_charge().or(self.last_leader)
    }

    /// Which of those that lead is in charge: the one that an operator told to lead last, by a promotion or a restoration
    /// that was not refused, or else that of the latest epoch. A former leader that nobody told to stop may take a new
    /// epoch, too, as it restarts: that puts nobody in charge.
    pub(super) fn in_charge(&self) -> Option<NodeId> {
        let leads = |node: &NodeId| self.view(*node).filter(|view| view.role == Role::Leader);
        let rank = |node: &NodeId| Some((self.nodes[node.index()].promoted, leads(node)?.epoch, *node));
        self.layout.replicas.iter().filter_map(rank).max().map(|(_, _, node)| node)
    }

    pub(super) fn followers(&self) -> Vec<NodeId> {
        let leader = self.leader();
        self.layout.replicas.iter().copied().filter(|node| Some(*node) != leader).collect()
    }

    /// Whether a node is up, and a full member by its own account.
    pub(super) fn is_full_member(&self, node: NodeId) -> bool {
        self.view(node).is_some_and(|view| view.serving)
    }

    fn received(&self, node: NodeId) -> Option<Position> {
        self.view(node).map(|view| view.received)
    }

    pub(super) fn applied(&self, node: NodeId) -> Option<Position> {
        self.view(node).map(|view| view.applied)
    }

    /// Every replica, in an order that the fault's own stream decides.
    pub(super) fn shuffled_replicas(&mut self, fault: FaultIndex) -> Vec<NodeId> {
        self.injector[fault].shuffled(&self.layout.replicas)
    }

    pub(super) fn everybody(&self) -> impl Iterator<Item = NodeId> + use<P> {
        (0..self.layout.nodes.len() as u16).map(NodeId)
    }
}
