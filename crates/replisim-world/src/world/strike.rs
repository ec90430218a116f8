//! Faults begin, go on and end.

use replisim_history::NodeId;
use replisim_history::words::things;
use replisim_kernel::{Sampler, SimTime, Span};

use super::{Phase, World};
use crate::event::Event;
use crate::fault::{Armed, FaultEvent, Undo};
use crate::network::Change;
use crate::process::{Command, Process};
use crate::recorder::Mark;
use crate::spec::{Action, Offset, Target, Trigger, Unsynced, Wire};

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
        if !self.injector.armed.iter().any(|armed| self.is_due(armed)) {
            return;
        }
        let armed = std::mem::take(&mut self.injector.armed);
        let (due, waiting) = armed.into_iter().partition::<Vec<Armed>, _>(|armed| self.is_due(armed));
        self.injector.armed = waiting;
        for Armed { fault, .. } in due {
            self.fault_moves(FaultEvent::Begin { fault });
        }
    }

    fn is_due(&self, armed: &Armed) -> bool {
        match self.injector.trigger(armed.fault) {
            None => false,
            Some(Trigger::LeaderElected(nth)) => self.recorder.elections >= *nth,
            Some(Trigger::Commits(count)) => self.recorder.commits >= *count,
            Some(Trigger::Acknowledged(count)) => self.recorder.acknowledged >= *count,
            Some(Trigger::Lag { of, over }) => {
                self.look_up(of, &armed.order).into_iter().any(|node| self.recorder.lag(self.now, node) > *over)
            }
        }
    }

    /// Begins a fault, unless the run has healed: then nothing goes wrong any more.
    fn begin_fault(&mut self, fault: u32) {
        if self.phase != Phase::Acting {
            return;
        }
        if let Some(next) = self.injector.next_beginning(fault, self.now) {
            self.schedule(next, Event::Fault(FaultEvent::Begin { fault }));
        }
        let (active, until) = self.injector.activate(fault, self.now);
        if self.recorder.traces() {
            let text = self.injector.planned[fault as usize].fault.to_string();
            self.recorder.line(self.now, "✗".to_owned(), text);
        }
        let action = self.injector.planned[fault as usize].fault.action().clone();
        let undo = self.strike(fault, active, &action);
        self.injector.active[active as usize].struck = std::mem::take(&mut self.injector.found);
        self.see_fault(&action);
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
            Action::Flapping { between, down, up } => self.flap(fault, active, 0, between, *down, *up),
            Action::Swizzle { step } => {
                let order = self.shuffled_replicas(fault);
                self.injector.active[active as usize].steps = order;
                self.step_later(active, 0, *step);
                Vec::new()
            }
            Action::Kill(target) => self.each_node(fault, target, |world, node| {
                world.kill(node);
                if let Some(state) = world.nodes.get_mut(node.index()) {
                    state.killed_by.push(active);
                }
                Some(Undo::Boot(node))
            }),
            Action::LoseHost { host, unsynced, wire } => {
                self.each_host(fault, host, |world, host| world.lose_host(host, *unsynced, *wire))
            }
            Action::Restart(target) => self.each_node(fault, target, |world, node| {
                world.kill(node);
                world.start(node);
                None
            }),
            Action::Start(target) => self.each_process(fault, target, |world, node| {
                world.nodes[node.index()].starts = true;
                world.start(node);
            }),
            Action::Pause(target) => self.each_host(fault, target, |world, host| {
                world.roster.pause(host);
                Undo::Resume(host)
            }),
            Action::SlowCpu { host, factor } => self.each_host(fault, host, |world, host| {
                world.machines[host].processor.slow(active, *factor);
                Undo::Speed(host)
            }),
            Action::Wipe(target) => self.each_process(fault, target, |world, node| {
                world.kill(node);
                world.nodes[node.index()].journal.wipe();
                world.start(node);
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
            Action::Rot { host, records } => self.each_process(fault, host, |world, node| world.rot(node, *records)),
            Action::Snapshot(target) => self.each_process(fault, target, |world, node| {
                let state = &mut world.nodes[node.index()];
                state.snapshot = Some(state.journal.clone());
            }),
            Action::RestoreSnapshot(target) => self.each_process(fault, target, |world, node| {
                let Some(snapshot) = world.nodes[node.index()].snapshot.clone() else {
                    return world.recorder.milestone(world.now, Some(node), "there is no snapshot".to_owned());
                };
                world.kill(node);
                world.nodes[node.index()].journal.put_back(snapshot);
                world.start(node);
            }),
            Action::Jump { host, by } => self.jump_clocks(fault, host, *by),
            Action::Drift { host, ppm } => self.each_host(fault, host, |world, host| {
                let by_ppb = i64::from(*ppm) * 1_000;
                world.machines[host].clocks.drift(world.now, by_ppb);
                Undo::DriftBack { host, by_ppb }
            }),
            Action::Strobe { host, by, every } => self.strobe(fault, active, 0, host, *by, *every),
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
            Undo::Boot(node) => self.end_kill(active, node),
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
            Undo::Speed(host) => self.machines[host].processor.restore_speed(active),
            Undo::DiskSpeed(host) => self.machines[host].disk.restore_speed(active),
            Undo::Unstall(host) => self.machines[host].disk.unstall(),
            Undo::StopLying(host) => self.machines[host].disk.end_lying(),
            Undo::Drain(host) => self.machines[host].disk.drain(),
            Undo::JumpBack { host, by } => self.machines[host].clocks.jump(self.now, -by),
            Undo::DriftBack { host, by_ppb } => self.machines[host].clocks.drift(self.now, -by_ppb),
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
        let undo = match self.injector.planned[fault as usize].fault.action().clone() {
            Action::Flapping { between, down, up } => self.flap(fault, active, step, &between, down, up),
            Action::Strobe { host, by, every } => self.strobe(fault, active, step, &host, by, every),
            Action::Swizzle { step: pause } => self.swizzle(fault, active, step as usize, pause),
            _ => return,
        };
        self.injector.found.clear();
        self.injector.active[active as usize].undo.extend(undo);
    }

    /// Cuts at every even step and mends at every odd one. Returns what takes back what this step has done.
    fn flap(
        &mut self,
        fault: u32,
        active: u32,
        step: u32,
        between: &(Target, Target),
        down: Span,
        up: Span,
    ) -> Vec<Undo> {
        let cuts = step.is_multiple_of(2);
        self.step_later(active, step + 1, if cuts { down } else { up });
        if cuts {
            return self.cut_between(fault, between);
        }
        self.undo_so_far(active);
        Vec::new()
    }

    /// Lets clocks jump at every even step and back at every odd one. Returns what takes back what this step has done.
    fn strobe(&mut self, fault: u32, active: u32, step: u32, host: &Target, by: Offset, every: Span) -> Vec<Undo> {
        self.step_later(active, step + 1, every);
        if step.is_multiple_of(2) {
            return self.jump_clocks(fault, host, by);
        }
        self.undo_so_far(active);
        Vec::new()
    }

    fn jump_clocks(&mut self, fault: u32, host: &Target, by: Offset) -> Vec<Undo> {
        self.each_host(fault, host, |world, host| {
            world.machines[host].clocks.jump(world.now, by.0);
            Undo::JumpBack { host, by: by.0 }
        })
    }

    fn undo_so_far(&mut self, active: u32) {
        for undo in std::mem::take(&mut self.injector.active[active as usize].undo) {
            self.take_back(active, undo);
        }
    }

    /// Isolates the replicas one by one, then takes them back in another order. Returns what takes back what this step has
    /// done.
    fn swizzle(&mut self, fault: u32, active: u32, step: usize, pause: Span) -> Vec<Undo> {
        let order = self.injector.active[active as usize].steps.clone();
        if step + 1 < 2 * order.len() {
            self.step_later(active, step as u32 + 1, pause);
        }
        if step < order.len() {
            return self.cut_off(&[order[step]]);
        }
        if step == order.len() {
            self.injector.active[active as usize].steps = self.shuffled_replicas(fault);
        }
        let back = self.injector.active[active as usize].steps[step - order.len()];
        self.undo_where(active, |undo| matches!(undo, Undo::Mend { from, to } if *from == back || *to == back));
        Vec::new()
    }

    fn undo_where(&mut self, active: u32, which: impl Fn(&Undo) -> bool) {
        let all = std::mem::take(&mut self.injector.active[active as usize].undo);
        let (now, later) = all.into_iter().partition::<Vec<Undo>, _>(which);
        self.injector.active[active as usize].undo = later;
        for undo in now {
            self.take_back(active, undo);
        }
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
        self.recorder.fold(&(Mark::Killed, self.now.as_nanos(), node));
        self.nodes[node.index()].die();
        self.roster.died(node);
        self.with_streams(|streams, around| streams.process_died(node, around));
    }

    /// A kill is over: whom it struck starts, unless something else keeps it down.
    fn end_kill(&mut self, active: u32, node: NodeId) {
        let Some(state) = self.nodes.get_mut(node.index()) else { return };
        state.killed_by.retain(|kill| *kill != active);
        self.boot(node);
    }

    /// Somebody starts a process. That undoes the kills that have no end of their own, and no others.
    fn start(&mut self, node: NodeId) {
        let Some(state) = self.nodes.get_mut(node.index()) else { return };
        let active = &self.injector.active;
        state.killed_by.retain(|kill| active[*kill as usize].until.is_reached());
        self.boot(node);
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
            let volatile = state.journal.end() - state.journal.durable();
            let spared = self.machines[host].disk.spared(volatile);
            let lost = match unsynced {
                Unsynced::Lost => state.journal.lose_power(0, false),
                Unsynced::Torn => state.journal.lose_power(spared, true),
                Unsynced::Kept => state.journal.lose_power(volatile, false),
            };
            if lost > 0 && self.recorder.traces() {
                let name = self.recorder.name(node).to_owned();
                self.recorder.line(self.now, name, format!("{} unsynced, lost", things(lost, "record")));
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
        let journal = &self.nodes[node.index()].journal;
        let (start, len) = (journal.start(), journal.end() - journal.start());
        for _ in 0..u64::from(records).min(len) {
            let position = self.machines[host].disk.anywhere(start, len);
            self.nodes[node.index()].journal.rot(position);
        }
    }
}
