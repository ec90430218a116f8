//! Faults begin, go on and end.

use std::collections::BTreeSet;

use replisim_kernel::{Sampler, SimTime, Span};

use super::{Phase, World};
use crate::event::Event;
use crate::fault::{Armed, FaultEvent, FaultIndex, FiringIndex, Undo};
use crate::network::Change;
use crate::process::{Command, Process};
use crate::spec::{Action, Offset, Target, Trigger};

impl<P: Process> World<P> {
    pub(super) fn fault_moves(&mut self, event: FaultEvent) {
        self.recorder.fold(&(self.now.as_nanos(), event));
        match event {
            FaultEvent::Begin { fault } => self.begin_fault(fault),
            FaultEvent::Step { firing, step } => self.step_fault(firing, step),
            FaultEvent::End { firing } => self.end_fault(firing),
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
    fn begin_fault(&mut self, fault: FaultIndex) {
        if self.phase != Phase::Acting {
            return;
        }
        if let Some(next) = self.injector.next_beginning(fault, self.now) {
            self.schedule(next, Event::Fault(FaultEvent::Begin { fault }));
        }
        let (firing, until) = self.injector.fire(fault, self.now);
        if self.recorder.traces() {
            let text = self.injector[fault].fault.to_string();
            self.recorder.line(self.now, "✗".to_owned(), text);
        }
        let action = self.injector[fault].fault.action().clone();
        let undo = self.strike(fault, firing, &action);
        self.injector[firing].struck = std::mem::take(&mut self.injector.found);
        self.see_fault(&action);
        if let Some(until) = until {
            self.schedule(until, Event::Fault(FaultEvent::End { firing }));
        }
        let now = self.now;
        let struck = &mut self.injector[firing];
        struck.undo.extend(undo);
        if struck.undo.is_empty() && struck.steps.is_empty() {
            // What is done at once, as an operator's order is, is never in force.
            struck.until = now;
        }
    }

    /// Takes back all that a firing has done, once.
    pub(super) fn end_fault(&mut self, firing: FiringIndex) {
        let ending = &mut self.injector[firing];
        ending.until = ending.until.min(self.now);
        let (undo, fault) = (std::mem::take(&mut ending.undo), ending.fault);
        if self.recorder.traces() && !undo.is_empty() {
            let text = format!("over: {}", self.injector[fault].fault);
            self.recorder.line(self.now, "✓".to_owned(), text);
        }
        for undo in undo {
            self.take_back(firing, undo);
        }
    }

    /// When a firing ends: at the heal if it has no end of its own before.
    fn end_of(&self, firing: FiringIndex) -> SimTime {
        self.injector[firing].until.min(SimTime::ZERO + self.layout.run)
    }

    /// Does what an action says and returns what takes it back.
    fn strike(&mut self, fault: FaultIndex, firing: FiringIndex, action: &Action) -> Vec<Undo> {
        match action {
            Action::Slow { link, by } => self.change_links(fault, firing, link, Change::Slower(Sampler::new(by))),
            Action::Lossy { link, loss } => self.change_links(fault, firing, link, Change::Lossy(*loss)),
            Action::Duplicating { link, chance } => {
                self.change_links(fault, firing, link, Change::Duplicating(*chance))
            }
            Action::Reordering { link, chance, by } => {
                self.change_links(fault, firing, link, Change::Reordering(*chance, *by))
            }
            Action::Throttled { link, to } => {
                let until = self.end_of(firing);
                self.change_links(fault, firing, link, Change::ThrottledUntil(until, *to))
            }
            Action::Hold { link } => {
                let until = self.end_of(firing);
                self.change_links(fault, firing, link, Change::HeldUntil(until))
            }
            Action::Cut { between } => self.cut_between(fault, between),
            Action::OneWay { from, to } => {
                let (from, to) = (self.sites_of(fault, from), self.sites_of(fault, to));
                self.cut_pairs(&from, &to)
            }
            Action::Isolate(target) => self.isolate(fault, target),
            Action::Halves => self.cut_in_halves(fault, &[]),
            Action::Bridge(target) => {
                let bridge = self.sites_of(fault, target);
                self.cut_in_halves(fault, &bridge)
            }
            Action::MajorityRing => self.cut_ring(fault),
            Action::Flapping { between, down, .. } => {
                self.step_later(firing, 1, *down);
                self.cut_between(fault, between)
            }
            Action::Swizzle { step } => self.begin_swizzle(fault, firing, *step),
            Action::Kill(target) => self.each_node(fault, target, |world, node| Some(world.hold_down(firing, node))),
            Action::LoseHost { host, unsynced, wire } => {
                self.each_host(fault, host, |world, host| world.lose_host(host, *unsynced, *wire))
            }
            Action::Restart(target) => self.each_node(fault, target, |world, node| {
                world.restart(node);
                None
            }),
            Action::Start(target) => self.each_process(fault, target, World::join),
            Action::Pause(target) => self.each_host(fault, target, |world, host| {
                world.roster.pause(host);
                Undo::Resume(host)
            }),
            Action::SlowCpu { host, factor } => {
                let until = self.end_of(firing);
                self.each_host(fault, host, |world, host| {
                    world.machines[host].processor.slow(firing, *factor, until);
                    Undo::Speed(host)
                })
            }
            Action::Wipe(target) => self.each_process(fault, target, World::wipe),
            Action::SlowDisk { host, by } => self.each_host(fault, host, |world, host| {
                world.machines[host].disk.slow(firing, Sampler::new(by));
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
            Action::Snapshot(target) => self.each_process(fault, target, World::take_snapshot),
            Action::RestoreSnapshot(target) => self.each_process(fault, target, World::restore_snapshot),
            Action::Jump { host, by } => self.jump_clocks(fault, host, *by),
            Action::Strobe { host, by, every } => {
                self.step_later(firing, 1, *every);
                self.jump_clocks(fault, host, *by)
            }
            Action::Drift { host, ppm } => self.each_host(fault, host, |world, host| {
                let by_ppb = i64::from(*ppm) * 1_000;
                world.machines[host].clocks.drift(world.now, by_ppb);
                Undo::DriftBack { host, by_ppb }
            }),
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

    fn take_back(&mut self, firing: FiringIndex, undo: Undo) {
        match undo {
            Undo::Mend { from, to } => self.network.mend(from, to),
            Undo::RestoreLink { from, to } => self.network.link(from, to).restore(firing),
            Undo::Boot(node) => self.end_kill(firing, node),
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
            Undo::Speed(host) => self.machines[host].processor.restore_speed(firing),
            Undo::DiskSpeed(host) => self.machines[host].disk.restore_speed(firing),
            Undo::Unstall(host) => self.machines[host].disk.unstall(),
            Undo::StopLying(host) => self.machines[host].disk.end_lying(),
            Undo::Drain(host) => self.machines[host].disk.drain(),
            Undo::JumpBack { host, by } => self.machines[host].clocks.jump(self.now, -by),
            Undo::DriftBack { host, by_ppb } => self.machines[host].clocks.drift(self.now, -by_ppb),
            Undo::Thaw(host) => self.machines[host].clocks.thaw(),
        }
    }

    // ── faults that go on by themselves ──

    fn step_later(&mut self, firing: FiringIndex, step: u32, after: Span) {
        self.schedule(self.now + after, Event::Fault(FaultEvent::Step { firing, step }));
    }

    fn step_fault(&mut self, firing: FiringIndex, step: u32) {
        if !self.injector.is_in_force(firing, self.now) {
            return;
        }
        let fault = self.injector[firing].fault;
        let undo = match self.injector[fault].fault.action().clone() {
            Action::Flapping { down, up, .. } => {
                self.step_later(firing, step + 1, if step.is_multiple_of(2) { down } else { up });
                self.alternate(firing, step)
            }
            Action::Strobe { every, .. } => {
                self.step_later(firing, step + 1, every);
                self.alternate(firing, step)
            }
            Action::Swizzle { step: pause } => self.swizzle(fault, firing, step as usize, pause),
            _ => return,
        };
        self.injector[firing].undo.extend(undo);
    }

    /// Takes back at every odd step what the fault has done, and does it again, to the same, at every even one. Returns what
    /// takes back what this step has done.
    fn alternate(&mut self, firing: FiringIndex, step: u32) -> Vec<Undo> {
        if step.is_multiple_of(2) {
            let again = std::mem::take(&mut self.injector[firing].again);
            again.iter().for_each(|undo| self.redo(undo));
            return again;
        }
        let undo = std::mem::take(&mut self.injector[firing].undo);
        self.injector[firing].again.clone_from(&undo);
        for undo in undo {
            self.take_back(firing, undo);
        }
        Vec::new()
    }

    /// Does again what a fault that comes and goes has taken back.
    fn redo(&mut self, undone: &Undo) {
        match *undone {
            Undo::Mend { from, to } => self.network.cut(from, to),
            Undo::JumpBack { host, by } => self.machines[host].clocks.jump(self.now, by),
            _ => unreachable!("only cuts and jumps come and go"),
        }
    }

    fn jump_clocks(&mut self, fault: FaultIndex, host: &Target, by: Offset) -> Vec<Undo> {
        self.each_host(fault, host, |world, host| {
            world.machines[host].clocks.jump(world.now, by.0);
            Undo::JumpBack { host, by: by.0 }
        })
    }

    /// Draws the order in which a swizzle isolates the replicas; the first is struck a step later.
    fn begin_swizzle(&mut self, fault: FaultIndex, firing: FiringIndex, step: Span) -> Vec<Undo> {
        self.injector[firing].steps = self.shuffled_replicas(fault);
        self.step_later(firing, 0, step);
        Vec::new()
    }

    /// Isolates the replicas one by one, then takes them back in another order. Returns what takes back what this step has
    /// done.
    fn swizzle(&mut self, fault: FaultIndex, firing: FiringIndex, step: usize, pause: Span) -> Vec<Undo> {
        let order = self.injector[firing].steps.clone();
        if step + 1 < 2 * order.len() {
            self.step_later(firing, step as u32 + 1, pause);
        }
        if step < order.len() {
            return self.cut_off(&[order[step]]);
        }
        if step == order.len() {
            self.injector[firing].steps = self.shuffled_replicas(fault);
        }
        let back = self.injector[firing].steps[step - order.len()];
        // Two that are both isolated are cut twice: what is left of that is the other's.
        let mut mended = BTreeSet::new();
        self.undo_where(firing, |undo| match undo {
            Undo::Mend { from, to } if *from == back || *to == back => mended.insert((*from, *to)),
            _ => false,
        });
        Vec::new()
    }

    fn undo_where(&mut self, firing: FiringIndex, which: impl FnMut(&Undo) -> bool) {
        let all = std::mem::take(&mut self.injector[firing].undo);
        let (now, later) = all.into_iter().partition::<Vec<Undo>, _>(which);
        self.injector[firing].undo = later;
        for undo in now {
            self.take_back(firing, undo);
        }
    }
}
