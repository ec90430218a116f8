//! Faults begin, go on and end.

use std::collections::BTreeSet;

use replisim_history::NodeId;
use replisim_kernel::{Sampler, SimTime, Span};

use super::World;
use crate::event::Event;
use crate::fault::{FaultEvent, Undo};
use crate::network::Change;
use crate::process::{Command, Input, Process, Role};
use crate::spec::{Action, OldLeader, Target, Trigger, Unsynced, Wire};

impl<P: Process> World<P> {
    pub(super) fn fault_moves(&mut self, event: FaultEvent) {
        self.recorder.fold(&(self.now.as_nanos(), event));
        match event {
            FaultEvent::Begin { fault } => self.begin_fault(fault),
            FaultEvent::Step { active, step } => self.step_fault(active, step),
            FaultEvent::End { active } => self.end_fault(active),
        }
    }

    /// Begins every armed fault whose moment has come.
    pub(super) fn pull_triggers(&mut self) {
        let armed = std::mem::take(&mut self.injector.armed);
        let (due, waiting) = armed.into_iter().partition::<Vec<u32>, _>(|fault| self.is_due(*fault));
        self.injector.armed = waiting;
        for fault in due {
            self.fault_moves(FaultEvent::Begin { fault });
        }
    }

    fn is_due(&mut self, fault: u32) -> bool {
        match self.injector.trigger(fault).cloned() {
            None => false,
            Some(Trigger::LeaderElected(nth)) => self.recorder.elections >= nth,
            Some(Trigger::Commits(count)) => self.recorder.commits >= count,
            Some(Trigger::Acknowledged(count)) => self.recorder.acknowledged >= count,
            Some(Trigger::Lag { of, over }) => {
                self.nodes_of(fault, &of).into_iter().any(|node| self.recorder.lag(self.now, node) > over)
            }
        }
    }

    fn begin_fault(&mut self, fault: u32) {
        if let Some(next) = self.injector.next_beginning(fault, self.now) {
            self.schedule(next, Event::Fault(FaultEvent::Begin { fault }));
        }
        let (active, until) = self.injector.activate(fault, self.now);
        if self.recorder.traces() {
            let text = self.injector.planned[fault as usize].fault.to_string();
            self.recorder.line(self.now, "✗".to_owned(), text);
        }
        let action = self.injector.planned[fault as usize].fault.action().clone();
        self.injector.found.clear();
        let undo = self.strike(fault, active, &action);
        self.injector.active[active as usize].struck = std::mem::take(&mut self.injector.found);
        if let Some(until) = until {
            self.schedule(until, Event::Fault(FaultEvent::End { active }));
        }
        let now = self.now;
        let state = &mut self.injector.active[active as usize];
        state.undo.extend(undo);
        if state.undo.is_empty() && state.steps.is_empty() {
            // What is done at once, as an operator's order is, is never in force.
            state.until = now;
        }
    }

    /// Takes back all that an active fault has done, once.
    pub(super) fn end_fault(&mut self, active: u32) {
        let state = &mut self.injector.active[active as usize];
        state.until = state.until.min(self.now);
        let (undo, fault) = (std::mem::take(&mut state.undo), state.fault);
        if self.recorder.traces() && !undo.is_empty() {
            let text = format!("over: {}", self.injector.planned[fault as usize].fault);
            self.recorder.line(self.now, "✓".to_owned(), text);
        }
        for undo in undo {
            self.take_back(active, undo);
        }
    }

    /// Does what an action says and returns what takes it back.
    fn strike(&mut self, fault: u32, active: u32, action: &Action) -> Vec<Undo> {
        match action {
            Action::Slow { link, by } => self.change_links(fault, active, link, Change::Slower(Sampler::new(by))),
            Action::Lossy { link, loss } => self.change_links(fault, active, link, Change::Lossy(*loss)),
            Action::Duplicating { link, chance } => {
                self.change_links(fault, active, link, Change::Duplicating(*chance))
            }
            Action::Reordering { link, chance, by } => {
                self.change_links(fault, active, link, Change::Reordering(*chance, *by))
            }
            Action::Throttled { link, to } => self.change_links(fault, active, link, Change::Throttled(*to)),
            Action::Hold { link } => {
                let heal = SimTime::ZERO + self.plan.run;
                let until = self.injector.active[active as usize].until.min(heal);
                self.change_links(fault, active, link, Change::HeldUntil(until))
            }
            Action::Cut { between } => self.cut_between(fault, between),
            Action::OneWay { from, to } => {
                let (from, to) = (self.sites_of(fault, from), self.sites_of(fault, to));
                self.cut_pairs(&from, &to)
            }
            Action::Isolate(target) => {
                let inside = self.sites_of(fault, target);
                self.cut_off(&inside)
            }
            Action::Halves => {
                let (one, other) = self.halves(fault, &[]);
                self.cut_apart(&one, &other)
            }
            Action::Bridge(target) => {
                let bridge = self.sites_of(fault, target);
                let (one, other) = self.halves(fault, &bridge);
                self.cut_apart(&one, &other)
            }
            Action::MajorityRing => self.cut_ring(fault),
            Action::Flapping { between, down, .. } => {
                self.step_later(active, 1, *down);
                self.cut_between(fault, between)
            }
            Action::Swizzle { step } => {
                let order = self.shuffled_replicas(fault);
                self.injector.active[active as usize].steps = order;
                self.step_later(active, 0, *step);
                Vec::new()
            }
            Action::Kill(target) => self.each_node(fault, target, |world, node| {
                world.kill(node);
                Some(Undo::Boot(node))
            }),
            Action::LoseHost { host, unsynced, wire } => {
                self.each_host(fault, host, |world, host| world.lose_host(host, *unsynced, *wire))
            }
            Action::Restart(target) => self.each_node(fault, target, |world, node| {
                world.kill(node);
                world.boot(node);
                None
            }),
            Action::Start(target) => self.each_node(fault, target, |world, node| {
                world.nodes[node.index()].starts = true;
                world.boot(node);
                None
            }),
            Action::Pause(target) => self.each_host(fault, target, |world, host| {
                world.roster.pause(host);
                Undo::Resume(host)
            }),
            Action::SlowCpu { host, factor } => self.each_host(fault, host, |world, host| {
                world.machines[host].processor.slowdown *= (*factor).max(1);
                Undo::Speed { host, factor: (*factor).max(1) }
            }),
            Action::Wipe(target) => self.each_node(fault, target, |world, node| {
                world.kill(node);
                world.nodes[node.index()].journal.wipe();
                world.boot(node);
                None
            }),
            Action::SlowDisk { host, by } => self.each_host(fault, host, |world, host| {
                world.machines[host].disk.slow(active, Sampler::new(by));
                Undo::DiskSpeed(host)
            }),
            Action::StallDisk(target) => self.each_host(fault, target, |world, host| {
                world.machines[host].disk.stall();
                Undo::Unstall(host)
            }),
            Action::LyingSync(target) => self.each_host(fault, target, |world, host| {
                world.machines[host].disk.begin_lying();
                Undo::StopLying(host)
            }),
            Action::FullDisk(target) => self.each_host(fault, target, |world, host| {
                world.machines[host].disk.fill();
                Undo::Drain(host)
            }),
            Action::Rot { host, records } => self.each_node(fault, host, |world, node| {
                world.rot(node, *records);
                None
            }),
            Action::Snapshot(target) => self.each_node(fault, target, |world, node| {
                let state = &mut world.nodes[node.index()];
                state.snapshot = Some(state.journal.clone());
                None
            }),
            Action::RestoreSnapshot(target) => self.each_node(fault, target, |world, node| {
                world.kill(node);
                let state = &mut world.nodes[node.index()];
                if let Some(snapshot) = state.snapshot.clone() {
                    state.journal = snapshot;
                }
                world.boot(node);
                None
            }),
            Action::Jump { host, by } => self.each_host(fault, host, |world, host| {
                world.machines[host].clocks.jump(world.now, by.0);
                Undo::JumpBack { host, by: by.0 }
            }),
            Action::Drift { host, ppm } => self.each_host(fault, host, |world, host| {
                world.machines[host].clocks.set_drift(world.now, i64::from(*ppm) * 1_000);
                Undo::DriftBack(host)
            }),
            Action::Strobe { host, by, every } => {
                self.step_later(active, 1, *every);
                self.each_host(fault, host, |world, host| {
                    world.machines[host].clocks.jump(world.now, by.0);
                    Undo::JumpBack { host, by: by.0 }
                })
            }
            Action::Freeze(target) => self.each_host(fault, target, |world, host| {
                world.machines[host].clocks.freeze(world.now);
                Undo::Thaw(host)
            }),
            Action::Failover { to, old } => {
                self.fail_over(fault, to, *old);
                Vec::new()
            }
            Action::Promote(target) => self.order_each(fault, target, &Command::Promote),
            Action::Follow { node, leader } => self.order_towards(fault, node, leader, Command::Follow),
            Action::Rewind { node, leader } => self.order_towards(fault, node, leader, Command::Rewind),
            Action::Reseed { node, from } => self.order_towards(fault, node, from, Command::Reseed),
            Action::Demote(target) => self.order_each(fault, target, &Command::Demote),
            Action::DropTable(target) => self.order_each(fault, target, &Command::DropTable),
            Action::TakeBackup(target) => self.order_each(fault, target, &Command::TakeBackup),
            Action::RestoreTo { node, ago } => self.order_each(fault, node, &Command::RestoreTo { ago: *ago }),
            Action::Configure { node, setting, value } => {
                let command = Command::Configure { setting: setting.clone(), value: value.clone() };
                self.order_each(fault, node, &command)
            }
        }
    }

    fn take_back(&mut self, active: u32, undo: Undo) {
        match undo {
            Undo::Mend { from, to } => self.network.mend(from, to),
            Undo::RestoreLink { from, to } => self.network.link(from, to).restore(active),
            Undo::Boot(node) => self.boot(node),
            Undo::PowerOn(host) => {
                if self.roster.power_on(host) {
                    self.boot_host(host);
                }
            }
            Undo::Resume(host) => {
                if self.roster.resume(host) {
                    self.resume_host(host);
                }
            }
            Undo::Speed { host, factor } => self.machines[host].processor.slowdown /= factor,
            Undo::DiskSpeed(host) => self.machines[host].disk.restore_speed(active),
            Undo::Unstall(host) => self.machines[host].disk.unstall(),
            Undo::StopLying(host) => self.machines[host].disk.end_lying(),
            Undo::Drain(host) => self.machines[host].disk.drain(),
            Undo::JumpBack { host, by } => self.machines[host].clocks.jump(self.now, -by),
            Undo::DriftBack(host) => self.machines[host].clocks.set_drift(self.now, 0),
            Undo::Thaw(host) => self.machines[host].clocks.thaw(),
        }
    }

    // ── faults that go on by themselves ──

    fn step_later(&mut self, active: u32, step: u32, after: Span) {
        self.schedule(self.now + after, Event::Fault(FaultEvent::Step { active, step }));
    }

    fn step_fault(&mut self, active: u32, step: u32) {
        if !self.injector.is_in_force(active, self.now) {
            return;
        }
        let fault = self.injector.active[active as usize].fault;
        match self.injector.planned[fault as usize].fault.action().clone() {
            Action::Flapping { between, down, up } => {
                let downwards = step.is_multiple_of(2);
                if downwards {
                    let undo = self.cut_between(fault, &between);
                    self.injector.active[active as usize].undo.extend(undo);
                } else {
                    self.undo_so_far(active);
                }
                self.step_later(active, step + 1, if downwards { down } else { up });
            }
            Action::Strobe { host, by, every } => {
                if step.is_multiple_of(2) {
                    let undo = self.each_host(fault, &host, |world, host| {
                        world.machines[host].clocks.jump(world.now, by.0);
                        Undo::JumpBack { host, by: by.0 }
                    });
                    self.injector.active[active as usize].undo.extend(undo);
                } else {
                    self.undo_so_far(active);
                }
                self.step_later(active, step + 1, every);
            }
            Action::Swizzle { step: pause } => self.step_swizzle(fault, active, step as usize, pause),
            _ => {}
        }
    }

    fn undo_so_far(&mut self, active: u32) {
        for undo in std::mem::take(&mut self.injector.active[active as usize].undo) {
            self.take_back(active, undo);
        }
    }

    /// Isolates the replicas one by one, then takes them back in another order.
    fn step_swizzle(&mut self, fault: u32, active: u32, step: usize, pause: Span) {
        let order = self.injector.active[active as usize].steps.clone();
        if step < order.len() {
            let undo = self.cut_off(&[order[step]]);
            self.injector.active[active as usize].undo.extend(undo);
        } else {
            if step == order.len() {
                self.injector.active[active as usize].steps = self.shuffled_replicas(fault);
            }
            let back = self.injector.active[active as usize].steps[step - order.len()];
            self.undo_where(active, |undo| matches!(undo, Undo::Mend { from, to } if *from == back || *to == back));
        }
        if step + 1 < 2 * order.len() {
            self.step_later(active, step as u32 + 1, pause);
        }
    }

    fn undo_where(&mut self, active: u32, which: impl Fn(&Undo) -> bool) {
        let all = std::mem::take(&mut self.injector.active[active as usize].undo);
        let (now, later) = all.into_iter().partition::<Vec<Undo>, _>(which);
        self.injector.active[active as usize].undo = later;
        for undo in now {
            self.take_back(active, undo);
        }
    }

    // ── the network ──

    fn change_links(&mut self, fault: u32, active: u32, link: &(Target, Target), change: Change) -> Vec<Undo> {
        let (one, other) = (self.sites_of(fault, &link.0), self.sites_of(fault, &link.1));
        let pairs = both_ways(&one, &other);
        for (from, to) in &pairs {
            self.network.link(*from, *to).change(active, change.clone());
        }
        pairs.into_iter().map(|(from, to)| Undo::RestoreLink { from, to }).collect()
    }

    fn cut_between(&mut self, fault: u32, between: &(Target, Target)) -> Vec<Undo> {
        let (one, other) = (self.sites_of(fault, &between.0), self.sites_of(fault, &between.1));
        self.cut_apart(&one, &other)
    }

    fn cut_off(&mut self, inside: &[NodeId]) -> Vec<Undo> {
        let outside: Vec<NodeId> = self.everybody().filter(|node| !inside.contains(node)).collect();
        self.cut_apart(inside, &outside)
    }

    fn cut_apart(&mut self, one: &[NodeId], other: &[NodeId]) -> Vec<Undo> {
        let mut undo = self.cut_pairs(one, other);
        undo.extend(self.cut_pairs(other, one));
        undo
    }

    fn cut_pairs(&mut self, from: &[NodeId], to: &[NodeId]) -> Vec<Undo> {
        let pairs = one_way(from, to);
        for (from, to) in &pairs {
            self.network.cut(*from, *to);
        }
        pairs.into_iter().map(|(from, to)| Undo::Mend { from, to }).collect()
    }

    /// Every replica keeps the nearest majority of a ring, itself included.
    fn cut_ring(&mut self, fault: u32) -> Vec<Undo> {
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

    /// The replicas but for `without`, in two random halves.
    fn halves(&mut self, fault: u32, without: &[NodeId]) -> (Vec<NodeId>, Vec<NodeId>) {
        let mut one = self.shuffled_replicas(fault);
        one.retain(|node| !without.contains(node));
        let other = one.split_off(one.len() / 2);
        (one, other)
    }

    // ── processes and hosts ──

    /// Ends a process. Its kernel sends what was written to sockets and closes them; its files stay.
    pub(super) fn kill(&mut self, node: NodeId) {
        if !self.is_process(node) {
            return self.clients.server_restarted(node);
        }
        if !self.roster.is_alive(node) {
            return;
        }
        self.recorder.fold(&("killed", self.now.as_nanos(), node));
        self.nodes[node.index()].die();
        self.roster.died(node);
        self.with_streams(|streams, around| streams.process_died(node, around));
    }

    fn lose_host(&mut self, host: usize, unsynced: Unsynced, wire: Wire) -> Undo {
        for node in self.roster.on_host(host).collect::<Vec<_>>() {
            self.streams.host_lost(node);
            if !self.is_process(node) {
                self.clients.server_restarted(node);
                continue;
            }
            self.roster.died(node);
            let state = &mut self.nodes[node.index()];
            state.die();
            state.power_losses += 1;
            let volatile = state.journal.end() - state.journal.durable();
            let spared = self.machines[host].disk.spared(volatile);
            let lost = match unsynced {
                Unsynced::Lost => state.journal.lose_power(0, false),
                Unsynced::Torn => state.journal.lose_power(spared, true),
                Unsynced::Kept => state.journal.lose_power(volatile, false),
            };
            if lost > 0 && self.recorder.traces() {
                let name = self.recorder.name(node).to_owned();
                self.recorder.line(self.now, name, format!("{lost} records unsynced, lost"));
            }
        }
        self.roster.power_off(host, wire == Wire::Discarded);
        Undo::PowerOn(host)
    }

    pub(super) fn boot_host(&mut self, host: usize) {
        for node in self.roster.on_host(host).collect::<Vec<_>>() {
            if self.is_process(node) && self.nodes[node.index()].starts {
                self.boot(node);
            }
        }
    }

    /// A host moves again: what waited in its kernel is handled now, in the order it came.
    fn resume_host(&mut self, host: usize) {
        for node in self.roster.on_host(host).collect::<Vec<_>>() {
            if !self.is_process(node) {
                continue;
            }
            let incarnation = self.roster.incarnation(node);
            for input in std::mem::take(&mut self.nodes[node.index()].parked) {
                self.schedule(self.now, Event::Handle { node, incarnation, input });
            }
        }
    }

    fn rot(&mut self, node: NodeId, records: u32) {
        let host = self.roster.host_of(node);
        for _ in 0..records {
            let journal = &self.nodes[node.index()].journal;
            let (start, len) = (journal.start(), journal.end() - journal.start());
            let position = self.machines[host].disk.anywhere(start, len);
            self.nodes[node.index()].journal.rot(position);
        }
    }

    // ── operators ──

    /// The runbook of a failover: deal with the old leader, promote the new one, point everybody at it.
    fn fail_over(&mut self, fault: u32, to: &Target, old: OldLeader) {
        let Some(new) = self.nodes_of(fault, to).first().copied() else { return };
        let leader = self.leader().filter(|leader| *leader != new);
        if let Some(leader) = leader {
            self.deal_with(leader, new, old);
        }
        self.order(new, Command::Promote);
        for node in self.plan.replicas.clone() {
            if node != new && Some(node) != leader {
                self.order(node, Command::Follow(new));
            }
        }
    }

    fn deal_with(&mut self, leader: NodeId, new: NodeId, old: OldLeader) {
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
        self.recorder.fold(&("order", self.now.as_nanos(), node));
        self.recorder.fold(&command);
        if self.recorder.traces() {
            let name = self.recorder.name(node).to_owned();
            self.recorder.line(self.now, name, format!("is told: {command:?}"));
        }
        let incarnation = self.roster.incarnation(node);
        self.processor_reaches(node, incarnation, Input::Operator(command));
    }

    fn order_each(&mut self, fault: u32, target: &Target, command: &Command) -> Vec<Undo> {
        for node in self.nodes_of(fault, target) {
            self.order(node, command.clone());
        }
        Vec::new()
    }

    fn order_towards(
        &mut self,
        fault: u32,
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

    // ── whom ──

    fn each_node(
        &mut self,
        fault: u32,
        target: &Target,
        mut strike: impl FnMut(&mut Self, NodeId) -> Option<Undo>,
    ) -> Vec<Undo> {
        let nodes = self.nodes_of(fault, target);
        nodes.into_iter().filter_map(|node| strike(self, node)).collect()
    }

    fn each_host(
        &mut self,
        fault: u32,
        target: &Target,
        mut strike: impl FnMut(&mut Self, usize) -> Undo,
    ) -> Vec<Undo> {
        let nodes = self.nodes_of(fault, target);
        let hosts: BTreeSet<usize> = nodes.into_iter().map(|node| self.roster.host_of(node)).collect();
        hosts.into_iter().map(|host| strike(self, host)).collect()
    }

    /// The nodes that a target means, with everything that shares their hosts: what the network cuts off together.
    fn sites_of(&mut self, fault: u32, target: &Target) -> Vec<NodeId> {
        let hosts: BTreeSet<usize> = self.nodes_of(fault, target).into_iter().map(|n| self.roster.host_of(n)).collect();
        self.everybody().filter(|node| hosts.contains(&self.roster.host_of(*node))).collect()
    }

    /// The nodes that a target means at this moment; those that its words alone do not tell are remembered.
    fn nodes_of(&mut self, fault: u32, target: &Target) -> Vec<NodeId> {
        let nodes = self.look_up(fault, target);
        if !matches!(target, Target::Named(_) | Target::Several(_) | Target::Replicas | Target::Clients) {
            self.injector.found.extend(&nodes);
        }
        nodes
    }

    fn look_up(&mut self, fault: u32, target: &Target) -> Vec<NodeId> {
        let replicas = self.plan.replicas.clone();
        match target {
            Target::Named(name) => self.named(name),
            Target::Several(targets) => targets.iter().flat_map(|target| self.nodes_of(fault, target)).collect(),
            Target::Leader => self.leader().into_iter().collect(),
            Target::Followers => self.followers(),
            Target::Replicas => replicas,
            Target::Minority => self.some_replicas(fault, (replicas.len().max(1) - 1) / 2),
            Target::Majority => self.some_replicas(fault, replicas.len() / 2 + 1),
            Target::Random(count) => self.some_replicas(fault, usize::from(*count)),
            Target::Clients => self.everybody().filter(|node| !self.is_process(*node)).collect(),
            Target::MostAdvanced => {
                self.followers().into_iter().rev().max_by_key(|n| self.applied(*n)).into_iter().collect()
            }
            Target::MostBehind => self.followers().into_iter().min_by_key(|n| self.applied(*n)).into_iter().collect(),
        }
    }

    /// Everything of this name: a process, or all on a host, in a zone, in a region.
    fn named(&self, name: &str) -> Vec<NodeId> {
        let infos = || (0u16..).zip(&self.plan.nodes);
        let exact: Vec<NodeId> = infos().filter(|(_, info)| info.name == name).map(|(i, _)| NodeId(i)).collect();
        if !exact.is_empty() {
            return exact;
        }
        let within =
            |info: &replisim_history::NodeInfo| [&info.host, &info.zone, &info.region].iter().any(|n| *n == name);
        infos().filter(|(_, info)| within(info)).map(|(i, _)| NodeId(i)).collect()
    }

    /// Whoever leads: the living leader of the latest epoch, or the one that led last.
    fn leader(&self) -> Option<NodeId> {
        let leads = |node: &NodeId| self.view(*node).filter(|view| view.role == Role::Leader);
        let living = self.plan.replicas.iter().filter_map(|node| leads(node).map(|view| (view.epoch, *node)));
        living.max_by_key(|(epoch, _)| *epoch).map(|(_, node)| node).or(self.last_leader)
    }

    fn followers(&self) -> Vec<NodeId> {
        let leader = self.leader();
        self.plan.replicas.iter().copied().filter(|node| Some(*node) != leader).collect()
    }

    fn applied(&self, node: NodeId) -> Option<replisim_history::Position> {
        self.view(node).map(|view| view.applied)
    }

    fn some_replicas(&mut self, fault: u32, count: usize) -> Vec<NodeId> {
        let mut some = self.shuffled_replicas(fault);
        some.truncate(count);
        some
    }

    /// Every replica, in an order that the fault's own stream decides.
    fn shuffled_replicas(&mut self, fault: u32) -> Vec<NodeId> {
        let chance = &mut self.injector.planned[fault as usize].chance;
        let mut order = self.plan.replicas.clone();
        for i in (1..order.len()).rev() {
            order.swap(i, chance.below(i as u64 + 1) as usize);
        }
        order
    }

    fn everybody(&self) -> impl Iterator<Item = NodeId> + use<P> {
        (0..self.plan.nodes.len() as u16).map(NodeId)
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
