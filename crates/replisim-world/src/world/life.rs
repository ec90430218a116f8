//! Processes begin, end and begin again; hosts lose power, stand still and come back.

use replisim_history::NodeId;
use replisim_history::words::things;

use super::World;
use crate::event::Event;
use crate::fault::{FiringIndex, Undo};
use crate::process::Process;
use crate::recorder::Mark;
use crate::spec::{Unsynced, Wire};

impl<P: Process> World<P> {
    // ── processes ──

    /// Starts a node's process, for the first time or again.
    pub(super) fn boot(&mut self, node: NodeId) {
        if self.roster.is_alive(node) || !self.roster.is_up(node) || self.nodes[node.index()].is_held_down() {
            return;
        }
        let incarnation = self.roster.born(node);
        self.recorder.fold(&(Mark::Boot, self.now.as_nanos(), node, incarnation));
        if incarnation > 1 {
            self.trace_node(node, || "starts".to_owned());
        }
        let config = self.nodes[node.index()].config.clone();
        self.running = Some(node);
        let (process, mut cx) = self.context(node);
        *process = Some(P::boot(&mut cx, &config));
        self.running = None;
        self.carry_out_all(node);
        for command in std::mem::take(&mut self.nodes[node.index()].on_boot) {
            self.order(node, command);
        }
    }

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
        self.machines[self.roster.host_of(node)].processor.drop_work_of(node);
        self.roster.died(node);
        self.with_streams(|streams, around| streams.process_died(node, around));
    }

    /// A kill is over: whom it struck starts, unless something else keeps it down, or nobody has started it yet.
    pub(super) fn end_kill(&mut self, firing: FiringIndex, node: NodeId) {
        let Some(process) = self.nodes.get_mut(node.index()) else { return };
        process.killed_by.retain(|kill| *kill != firing);
        if process.starts {
            self.boot(node);
        }
    }

    /// Somebody starts a process. That undoes the kills that have no end of their own, and no others.
    fn start(&mut self, node: NodeId) {
        let Self { nodes, injector, .. } = self;
        let Some(process) = nodes.get_mut(node.index()) else { return };
        process.killed_by.retain(|kill| injector[*kill].until.is_reached());
        self.boot(node);
    }

    /// Kills a process for as long as a fault lasts.
    pub(super) fn hold_down(&mut self, firing: FiringIndex, node: NodeId) -> Undo {
        self.kill(node);
        if let Some(process) = self.nodes.get_mut(node.index()) {
            process.killed_by.push(firing);
        }
        Undo::Boot(node)
    }

    /// Ends a process and starts it at once.
    pub(super) fn restart(&mut self, node: NodeId) {
        self.kill(node);
        self.start(node);
    }

    /// Starts a process that need not have been there from the beginning; the heal starts it from now on, too.
    pub(super) fn join(&mut self, node: NodeId) {
        self.nodes[node.index()].starts = true;
        self.start(node);
    }

    // ── their files ──

    /// Empties a process's directory under its feet.
    pub(super) fn wipe(&mut self, node: NodeId) {
        self.kill(node);
        self.nodes[node.index()].journal.wipe();
        self.start(node);
    }

    /// Keeps a copy of a process's files.
    pub(super) fn take_snapshot(&mut self, node: NodeId) {
        let process = &mut self.nodes[node.index()];
        process.snapshot = Some(process.journal.clone());
    }

    /// Puts the copy in place of a process's files.
    pub(super) fn restore_snapshot(&mut self, node: NodeId) {
        let Some(snapshot) = self.nodes[node.index()].snapshot.clone() else {
            return self.recorder.milestone(self.now, Some(node), "there is no snapshot".to_owned());
        };
        self.kill(node);
        self.nodes[node.index()].journal.put_back(snapshot);
        self.start(node);
    }

    /// Damages so many of a process's records, wherever chance has it.
    pub(super) fn rot(&mut self, node: NodeId, records: u32) {
        let host = self.roster.host_of(node);
        let journal = &self.nodes[node.index()].journal;
        let (start, len) = (journal.start(), journal.end() - journal.start());
        for _ in 0..u64::from(records).min(len) {
            let position = self.machines[host].disk.anywhere(start, len);
            self.nodes[node.index()].journal.rot(position);
        }
    }

    // ── hosts ──

    /// A host loses power, and its disks what was not synced.
    pub(super) fn lose_host(&mut self, host: usize, unsynced: Unsynced, wire: Wire) -> Undo {
        for node in self.roster.on_host(host).collect::<Vec<_>>() {
            self.streams.host_lost(node);
            if !self.is_process(node) {
                self.clients.server_restarted(node);
                continue;
            }
            self.roster.died(node);
            self.nodes[node.index()].die();
            self.machines[host].processor.drop_work_of(node);
            let journal = &mut self.nodes[node.index()].journal;
            let volatile = journal.end() - journal.durable();
            let spared = self.machines[host].disk.spared(volatile);
            let lost = match unsynced {
                Unsynced::Lost => journal.lose_power(0, false),
                Unsynced::Torn => journal.lose_power(spared, true),
                Unsynced::Kept => journal.lose_power_after_sync(),
            };
            if lost > 0 {
                self.trace_node(node, || format!("{} unsynced, lost", things(lost, "record")));
            }
        }
        self.roster.power_off(host, wire == Wire::Discarded);
        Undo::PowerOn(host)
    }

    /// A host has power again: what it runs from the start is started.
    pub(super) fn boot_host(&mut self, host: usize) {
        for node in self.roster.on_host(host).collect::<Vec<_>>() {
            if self.is_process(node) && self.nodes[node.index()].starts {
                self.boot(node);
            }
        }
    }

    /// A host moves again: what waited in its kernel is handled now, in the order it came.
    pub(super) fn resume_host(&mut self, host: usize) {
        for node in self.roster.on_host(host).collect::<Vec<_>>() {
            if !self.is_process(node) {
                continue;
            }
            let incarnation = self.roster.incarnation(node);
            for _ in 0..self.nodes[node.index()].parked.len() {
                self.schedule(self.now, Event::Unpark { node, incarnation });
            }
        }
    }
}
