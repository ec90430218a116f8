//! The heal, the quiet phase, and the end.

use replisim_history::{Contents, Final, History, NodeId, Panic, Settling};
use replisim_kernel::{SimTime, Span};

use super::{Phase, World};
use crate::event::Event;
use crate::fault::FiringIndex;
use crate::process::{Process, Role};
use crate::recorder::Mark;
use crate::spec::FaultFamily;

/// Replicas still change at the end of the quiet phase if they have changed in the last so many parts of it.
const UNSETTLED: u64 = 10;

/// How soon the quiet phase first looks whether all is done; later it looks again whenever a tenth more has passed.
const LOOK_FIRST: Span = Span::millis(20);

impl<P: Process> World<P> {
    /// Ends every fault, starts whatever is down, and stops the clients from beginning anything new.
    pub(super) fn heal(&mut self) {
        self.recorder.fold(&(Mark::Heal, self.now.as_nanos()));
        self.phase = Phase::Settling { since: self.now };
        self.dismiss_clients();
        // Disks come first: what boots while its own is still full fails at its first sync, and exits for good.
        let (of_disks, others) = self.injector.firings().partition::<Vec<_>, _>(|firing| self.is_of_disks(*firing));
        for firing in of_disks.into_iter().chain(others) {
            self.end_fault(firing);
        }
        self.injector.armed.clear();
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            node.fenced = false;
            if node.starts {
                self.boot(NodeId(index as u16));
            }
        }
        self.promote_again();
        self.schedule(self.now + LOOK_FIRST, Event::Look);
        self.revisions = self.processes().map(|node| self.revision(node)).collect();
        (self.changed, self.delivered) = (self.now, self.streams.last_arrival());
    }

    /// Whether a firing befell disks.
    fn is_of_disks(&self, firing: FiringIndex) -> bool {
        let family = self.injector[self.injector[firing].fault].fault.action().family();
        matches!(family, Some(FaultFamily::DiskSlow | FaultFamily::DiskLoss))
    }

    /// Takes note of whether a handler has changed its node's data, once all faults have ended.
    pub(super) fn note_change(&mut self, node: NodeId) {
        let revision = self.revision(node);
        if let Some(noted) = self.revisions.get_mut(node.index()).filter(|noted| **noted != revision) {
            (*noted, self.changed) = (revision, self.now);
        }
    }

    fn revision(&self, node: NodeId) -> Option<u64> {
        self.contents(node).map(Contents::revision)
    }

    /// Stops the clients from beginning anything new.
    fn dismiss_clients(&mut self) {
        for due in self.clients.stop(self.now) {
            self.recorder.never_begins(due);
        }
    }

    /// Looks whether every replica holds the same and nothing is under way.
    pub(super) fn look(&mut self) {
        let Phase::Settling { since } = self.phase else { return };
        let waited = self.now.since(since);
        self.promote_again();
        if self.is_at_rest() {
            self.end();
        } else if waited >= self.layout.settle {
            self.recorder.history.unsettled = self.is_unsettled(waited);
            self.end();
        } else {
            self.schedule(self.now + LOOK_FIRST.max(waited / 10), Event::Look);
        }
    }

    /// Whether more may come of what was done before the heal: replicas still change, or were sent what has not arrived.
    fn is_unsettled(&self, waited: Span) -> bool {
        let changes = self.now.since(self.changed) < waited / UNSETTLED;
        changes || self.delivered > self.now || self.streams.is_waiting()
    }

    fn is_at_rest(&self) -> bool {
        let busy = self.clients.sessions.iter().any(|session| session.current.is_some());
        !busy && self.agree()
    }

    /// Whether every replica is up, serves, and holds the same data, and none is about to lead.
    fn agree(&self) -> bool {
        let replicas = &self.layout.replicas;
        let rests = |node: &NodeId| self.view(*node).is_some_and(|view| view.serving && view.role != Role::Candidate);
        if !replicas.iter().all(rests) {
            return false;
        }
        let mut contents = replicas.iter().filter_map(|node| self.contents(*node));
        let Some(first) = contents.next() else { return true };
        contents.all(|other| other.same_data(first))
    }

    fn contents(&self, node: NodeId) -> Option<&Contents> {
        self.process(node)?.contents().map(|(contents, _)| contents)
    }

    /// Breaks the run off here, if it is not over.
    pub fn break_off(&mut self) {
        if !matches!(self.phase, Phase::Over { .. }) {
            self.recorder.history.broken_off = Some(self.now);
            self.end();
        }
    }

    /// Ends the run in the middle of an event, because something panicked there: a process, be it as it ran or as it was
    /// looked at, or the world. Nobody is asked what it holds: whoever was interrupted may not know.
    pub fn end_by_panic(&mut self, looked_at: Option<NodeId>, message: String, place: String) {
        let node = self.running.take().or(looked_at);
        self.recorder.fold(&("panics", self.now.as_nanos(), node, &message));
        if self.recorder.traces() {
            let who = node.map_or_else(|| "·".to_owned(), |node| self.recorder.name(node).to_owned());
            self.recorder.line(self.now, who, format!("✗ panics: {message}").replace('\n', " "));
        }
        self.recorder.history.panic = Some(Panic { at: self.now, node, message, place });
        self.close();
    }

    /// Ends the run: writes down what every replica holds.
    pub(super) fn end(&mut self) {
        self.recorder.history.finals = self.finals();
        let has_lived = |node: &&NodeId| self.roster.incarnation(**node) > 0 && self.view(**node).is_none();
        self.recorder.history.down = self.layout.replicas.iter().filter(has_lived).copied().collect();
        self.close();
    }

    fn close(&mut self) {
        if self.phase == Phase::Acting {
            self.dismiss_clients();
        }
        let healed = match self.phase {
            Phase::Settling { since } => since,
            Phase::Acting | Phase::Over { .. } => self.now.min(SimTime::ZERO + self.layout.run),
        };
        let History { finals, down, broken_off, .. } = &self.recorder.history;
        let alike = finals.windows(2).all(|pair| pair[0].contents.same_data(&pair[1].contents));
        let converged = alike && !finals.is_empty() && down.is_empty() && broken_off.is_none();
        let converged_after = converged.then(|| self.changed.since(healed));
        self.phase = Phase::Over { settling: Settling { healed, converged_after } };
    }

    fn finals(&self) -> Vec<Final> {
        let views = || self.layout.replicas.iter().filter_map(|node| Some((*node, self.view(*node)?)));
        let in_charge = self.in_charge();
        let last = |node: NodeId, view: &crate::process::View| Final {
            node,
            at: self.now,
            leads: view.role == Role::Replica || Some(node) == in_charge,
            contents: self.contents(node).cloned().unwrap_or_default(),
            lineage: self.process(node).and_then(P::contents).map(|(_, lineage)| lineage.clone()),
        };
        views().map(|(node, view)| last(node, &view)).collect()
    }
}
