//! What operators do: orders to nodes, and the runbook of a failover.

use replisim_history::NodeId;

use super::World;
use crate::fault::{FaultIndex, Undo};
use crate::process::{Command, Input, Process, Role};
use crate::recorder::Mark;
use crate::spec::{OldLeader, Target};

impl<P: Process> World<P> {
    /// The runbook of a failover: deal with the old leader, promote the new one, point everybody at it.
    pub(super) fn fail_over(&mut self, fault: FaultIndex, to: &Target, old: OldLeader) {
        let candidates = self.nodes_of(fault, to);
        // Whatever else goes wrong, nobody gives up a leader for a server that cannot take its place.
        let can_lead = |node: &NodeId| self.is_full_member(*node) && !self.roster.is_paused(*node);
        let Some(new) = candidates.iter().copied().find(can_lead) else {
            return candidates.first().into_iter().for_each(|node| self.say_why_not(*node));
        };
        let leader = self.leader().filter(|leader| *leader != new);
        if let Some(leader) = leader {
            self.deal_with(leader, new, old);
        }
        self.heir = Some(new);
        self.order(new, Command::Promote);
        for node in self.layout.replicas.clone() {
            if node != new && Some(node) != leader {
                self.order(node, Command::Follow(new));
            }
        }
    }

    /// Tells why a server is not promoted.
    fn say_why_not(&mut self, node: NodeId) {
        let why = match self.view(node) {
            None => "it is down",
            Some(_) if self.roster.is_paused(node) => "it does not answer",
            Some(_) => "it has no data, or has not caught up since they were copied",
        };
        self.recorder.milestone(self.now, Some(node), format!("not promoted: {why}"));
    }

    /// A server may die before its promotion is on its disk, and come back as the follower that it was. If nobody leads
    /// or is about to after the heal, the operator says it once more, as soon as that server can take the place.
    pub(super) fn promote_again(&mut self) {
        let role = |node: &NodeId| self.view(*node).map(|view| view.role);
        let leads = |node: &NodeId| matches!(role(node), Some(Role::Leader | Role::Candidate));
        let heir = self.heir.filter(|heir| self.is_full_member(*heir));
        if let Some(heir) = heir.filter(|_| !self.layout.replicas.iter().any(leads)) {
            self.order(heir, Command::Promote);
        }
    }

    pub(super) fn deal_with(&mut self, leader: NodeId, new: NodeId, old: OldLeader) {
        match old {
            OldLeader::Ignored => {}
            OldLeader::Fenced => {
                self.kill(leader);
                self.nodes[leader.index()].fenced = true;
                self.nodes[leader.index()].on_boot.push(Command::Reseed(new));
            }
            OldLeader::Rewound => self.order(leader, Command::Rewind(new)),
            OldLeader::Reseeded => self.order(leader, Command::Reseed(new)),
        }
    }

    /// Gives a node an order now, or when it is up.
    pub(super) fn order(&mut self, node: NodeId, command: Command) {
        if !self.is_process(node) {
            return;
        }
        if !self.roster.is_alive(node) {
            return self.nodes[node.index()].on_boot.push(command);
        }
        self.recorder.fold(&(Mark::Order, self.now.as_nanos(), node));
        self.recorder.fold(&command);
        if let Command::Promote | Command::RestoreTo { .. } = command {
            self.promotions += 1;
            self.nodes[node.index()].ordered = self.promotions;
        }
        self.trace_node(node, || format!("is told: {command:?}"));
        let incarnation = self.roster.incarnation(node);
        self.processor_reaches(node, incarnation, Input::Operator(command));
    }

    pub(super) fn order_each(&mut self, fault: FaultIndex, target: &Target, command: &Command) -> Vec<Undo> {
        for node in self.nodes_of(fault, target) {
            self.order(node, command.clone());
        }
        Vec::new()
    }

    pub(super) fn order_towards(
        &mut self,
        fault: FaultIndex,
        target: &Target,
        whom: &Target,
        command: impl Fn(NodeId) -> Command,
    ) -> Vec<Undo> {
        let Some(whom) = self.nodes_of(fault, whom).first().copied() else { return Vec::new() };
        for node in self.nodes_of(fault, target) {
            self.order(node, command(whom));
        }
        Vec::new()
    }
}
