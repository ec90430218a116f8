//! An input reaches a process, and what the process asks for is carried out.

use replisim_history::{Beginning, Discard, Install, NodeId};
use replisim_kernel::{GOLDEN, Queue, SimTime, Span};

use super::{Phase, World};
use crate::disk::SyncFate;
use crate::event::{Entry, Event, Parcel};
use crate::machine::Work;
use crate::network::{Agenda, Signal, Streams, Surroundings, Upcall};
use crate::node::{Node, Syncing};
use crate::process::{Cx, DiskError, Effect, Input, Note, Payload, Process, Role, StreamId};
use crate::recorder::Mark;

/// How often a sync that a stalled disk holds up looks whether the stall is over.
const STALL_LOOK_EVERY: Span = Span::millis(10);

/// The queue as the streams see it: what they put there is caused by what happens now.
pub(super) struct StreamAgenda<'a, P: Process> {
    queue: &'a mut Queue<Entry<P>>,
    cause: u64,
}

impl<P: Process> Agenda<Parcel<P>> for StreamAgenda<'_, P> {
    #[inline]
    fn put(&mut self, at: SimTime, signal: Signal<Parcel<P>>) {
        self.queue.push(at, Entry { cause: self.cause, event: Event::Stream(signal) });
    }
}

impl<P: Process> World<P> {
    // ── what arrives ──

    #[inline]
    pub(super) fn datagram_arrives(&mut self, from: NodeId, to: NodeId, wire: u32, message: P::Message) {
        if wire == self.roster.wire(from) && self.roster.is_up(to) && self.roster.is_alive(to) {
            self.fold_arrival(from, to, &message);
            self.enqueue(to, Input::Message { from, message });
        }
    }

    /// Something on a stream is due: let the streams deal with it, then tell whoever learns of it.
    #[inline]
    pub(super) fn stream_signals(&mut self, signal: Signal<Parcel<P>>) {
        let upcall = self.with_streams(|streams, around| streams.on(signal, around));
        match upcall {
            None => {}
            Some(Upcall::Opened { at, .. }) if !self.is_process(at) => {}
            // A client's connection matters to the client alone: a process answers requests, however they come.
            Some(Upcall::Opened { peer, .. }) if !self.is_process(peer) => {}
            Some(Upcall::Closed { at, peer, .. }) if self.is_process(at) && !self.is_process(peer) => {}
            Some(Upcall::Opened { stream, at, peer, incoming }) => {
                self.recorder.fold(&(Mark::Opened, self.now.as_nanos(), at, peer));
                self.enqueue(at, Input::Opened { stream, peer, incoming });
            }
            Some(Upcall::Closed { stream, at, peer, why }) => {
                self.recorder.fold(&(Mark::Closed, self.now.as_nanos(), at, peer, why));
                match self.is_process(at) {
                    true => self.enqueue(at, Input::Closed { stream, peer, why }),
                    false => self.session_loses_stream(stream, at, peer, why),
                }
            }
            Some(Upcall::Data { stream, at, peer, data }) => self.parcel_arrives(stream, at, peer, data),
        }
    }

    #[inline]
    fn parcel_arrives(&mut self, stream: StreamId, at: NodeId, peer: NodeId, parcel: Parcel<P>) {
        match parcel {
            Parcel::Message(message) => {
                self.fold_arrival(peer, at, &message);
                self.enqueue(at, Input::Segment { stream, peer, message });
            }
            Parcel::Request(request) => {
                self.recorder.fold(&(Mark::Request, self.now.as_nanos(), at, request.id.0));
                self.enqueue(at, Input::Request(request));
            }
            Parcel::Reply { id, reply } => self.session_hears(peer, id, reply),
        }
    }

    /// Hands an input to a node's processor, which comes to it at once or when its turn is.
    #[inline]
    fn enqueue(&mut self, node: NodeId, input: Input<P>) {
        let work = match &input {
            Input::Request(_) => Work::Operation,
            _ => Work::Message,
        };
        let host = self.roster.host_of(node);
        let mut done = self.machines[host].processor.serve(self.now, node, work);
        if work == Work::Message {
            // Messages from other processes are served in the order they came, whatever each one costs.
            let last = &mut self.nodes[node.index()].messages_done;
            done = done.max(*last);
            *last = done;
        }
        let incarnation = self.roster.incarnation(node);
        match done > self.now {
            true => self.schedule(done, Event::Handle { node, incarnation, input }),
            false => self.processor_reaches(node, incarnation, input),
        }
    }

    /// A node's processor has come to an input. On a host that stands still it waits, and so it does behind others that
    /// still wait.
    #[inline]
    pub(super) fn processor_reaches(&mut self, node: NodeId, incarnation: u32, input: Input<P>) {
        if !self.roster.is_living(node, incarnation) {
            return;
        }
        let (paused, parked) = (self.roster.is_paused(node), &mut self.nodes[node.index()].parked);
        if !paused && parked.is_empty() {
            return self.dispatch(node, input);
        }
        parked.push_back(input);
        if !paused {
            self.schedule(self.now, Event::Unpark { node, incarnation });
        }
    }

    /// A node comes to the first input of those that waited, unless its host stands still again.
    #[cold]
    pub(super) fn unpark(&mut self, node: NodeId, incarnation: u32) {
        if self.roster.is_living(node, incarnation)
            && !self.roster.is_paused(node)
            && let Some(input) = self.nodes[node.index()].parked.pop_front()
        {
            self.dispatch(node, input);
        }
    }

    pub(super) fn timer_fires(&mut self, node: NodeId, incarnation: u32, timer: P::Timer, setting: u64) {
        if self.roster.is_living(node, incarnation) && self.nodes[node.index()].take_timer(timer, setting) {
            self.recorder.fold(&(Mark::Timer, self.now.as_nanos(), node, timer));
            self.processor_reaches(node, incarnation, Input::Timer(timer));
        }
    }

    pub(super) fn sync_completes(&mut self, node: NodeId, incarnation: u32, sync: u64, lied: bool) {
        let state = &mut self.nodes[node.index()];
        if self.machines[self.roster.host_of(node)].disk.is_stalled() && state.journal.is_under_way(sync) {
            // A stall has an end, if only the heal.
            let look_at = self.now + STALL_LOOK_EVERY;
            self.schedule(look_at, Event::Synced { node, incarnation, sync, lied });
            return;
        }
        let Some(upto) = state.journal.end_sync(sync, lied) else { return };
        if !self.roster.is_living(node, incarnation) {
            return;
        }
        let another = state.sync == Syncing::Busy { again: true };
        state.sync = Syncing::Idle;
        self.recorder.fold(&(Mark::Synced, self.now.as_nanos(), node, upto));
        if another {
            self.start_sync(node);
        }
        self.processor_reaches(node, incarnation, Input::Synced { upto });
    }

    pub(super) fn disk_fails(&mut self, node: NodeId, incarnation: u32, error: DiskError) {
        if self.roster.is_living(node, incarnation) {
            self.nodes[node.index()].sync = Syncing::Idle;
            self.recorder.fold(&(Mark::DiskFailed, self.now.as_nanos(), node, error));
            self.processor_reaches(node, incarnation, Input::DiskFailed(error));
        }
    }

    // ── a process answers ──

    /// Runs a process's handler, and carries out its effects.
    #[inline(always)]
    pub(super) fn dispatch(&mut self, node: NodeId, input: Input<P>) {
        self.running = Some(node);
        let (process, mut cx) = self.context(node);
        if let Some(process) = process {
            process.on(&mut cx, input);
        }
        self.running = None;
        self.carry_out_all(node);
    }

    /// A process and the world as it may see it. Effects gather for [`World::carry_out_all`].
    #[inline]
    pub(super) fn context(&mut self, node: NodeId) -> (&mut Option<P>, Cx<'_, P>) {
        let Self { nodes, machines, roster, effects, now, streams, .. } = self;
        let clocks = &machines[roster.host_of(node)].clocks;
        let Node { process, chance, journal, .. } = &mut nodes[node.index()];
        (process, Cx { me: node, now: *now, clocks, chance, journal, effects, next_stream: streams.next() })
    }

    /// Carries out what a handler asked for, in order. No other handler runs meanwhile.
    #[inline]
    pub(super) fn carry_out_all(&mut self, node: NodeId) {
        if self.effects.len() > 1 {
            self.fold_order();
        }
        self.effects.reverse();
        while let Some(effect) = self.effects.pop() {
            self.carry_out(node, effect);
        }
        if let Phase::Settling { .. } = self.phase {
            self.note_change(node);
        }
    }

    /// Folds in the order in which a handler has spoken to several others. What reaches them draws on a stream of chance of
    /// its own for each, so that it would come to the same in any order, and nothing but a trace would tell.
    #[inline]
    fn fold_order(&mut self) {
        let (mut spoken, mut order) = (0, 0_u64);
        for whom in self.effects.iter().filter_map(Effect::whom) {
            spoken += 1;
            order = order.wrapping_mul(GOLDEN) ^ whom;
        }
        if spoken > 1 {
            self.recorder.fold(&order);
        }
    }

    #[inline]
    fn carry_out(&mut self, node: NodeId, effect: Effect<P>) {
        match effect {
            Effect::Send { to, message } => self.send_datagram(node, to, message),
            Effect::Transmit { stream, message } => self.transmit(node, stream, message),
            Effect::Connect { stream, to } => {
                let given = self.with_streams(|streams, around| streams.connect(node, to, around));
                assert_eq!(given, stream, "streams are numbered in the order they are asked for");
            }
            Effect::Close { stream } => self.with_streams(|streams, around| streams.close(stream, node, around)),
            Effect::SetTimer { timer, after } => self.set_timer(node, timer, after),
            Effect::CancelTimer { timer } => self.nodes[node.index()].cancel_timer(timer),
            Effect::Appended { position } => self.fold_append(node, position),
            Effect::Sync => self.sync(node),
            Effect::Reply { id, reply } => self.send_reply(node, id, reply),
            Effect::Note(note) => self.note(node, note),
            Effect::Exit { why } => {
                self.recorder.milestone(self.now, Some(node), format!("exits: {why}"));
                self.effects.clear();
                self.kill(node);
            }
        }
    }

    #[inline]
    fn send_datagram(&mut self, from: NodeId, to: NodeId, message: P::Message) {
        let fate = self.network.fate(self.now, from, to, message.bytes());
        let before = self.recorder.cause;
        if self.recorder.traces() {
            self.recorder.cause = self.trace_send(from, to, &message);
        }
        if !fate.lost && !self.network.is_cut(from, to) {
            let wire = self.roster.wire(from);
            if let Some(again) = fate.again {
                self.schedule(again, Event::Datagram { from, to, wire, message: message.clone() });
            }
            self.schedule(fate.arrives, Event::Datagram { from, to, wire, message });
        }
        self.recorder.cause = before;
    }

    #[inline]
    fn transmit(&mut self, from: NodeId, stream: StreamId, message: P::Message) {
        let before = self.recorder.cause;
        if self.recorder.traces()
            && let Some(to) = self.streams.peer(stream, from)
        {
            self.recorder.cause = self.trace_send(from, to, &message);
        }
        let bytes = message.bytes();
        let parcel = Parcel::Message(message);
        self.with_streams(|streams, around| streams.transmit(stream, from, parcel, bytes, around));
        self.recorder.cause = before;
    }

    fn set_timer(&mut self, node: NodeId, timer: P::Timer, after: Span) {
        let setting = self.nodes[node.index()].set_timer(timer);
        let clocks = &self.machines[self.roster.host_of(node)].clocks;
        let at = self.now + clocks.true_span(after);
        let incarnation = self.roster.incarnation(node);
        if at.is_reached() {
            self.schedule(at, Event::Timer { node, incarnation, timer, setting });
        }
    }

    /// Asks the disk to sync; if it is busy with this process's last sync, one more follows that covers everything.
    fn sync(&mut self, node: NodeId) {
        match self.nodes[node.index()].sync {
            Syncing::Idle => self.start_sync(node),
            Syncing::Busy { .. } => self.nodes[node.index()].sync = Syncing::Busy { again: true },
        }
    }

    fn start_sync(&mut self, node: NodeId) {
        let disk = &mut self.machines[self.roster.host_of(node)].disk;
        let state = &mut self.nodes[node.index()];
        state.sync = Syncing::Busy { again: false };
        let fate = disk.sync(state.journal.take_unsynced_bytes(), state.journal.bytes());
        let incarnation = self.roster.incarnation(node);
        match fate {
            SyncFate::Takes { span, lied } => {
                let sync = state.journal.begin_sync();
                self.schedule(self.now + span, Event::Synced { node, incarnation, sync, lied });
            }
            SyncFate::Fails(error) => self.schedule(self.now, Event::DiskFailed { node, incarnation, error }),
        }
    }

    fn note(&mut self, node: NodeId, note: Note) {
        match note {
            Note::Installed { key, made, position } => {
                self.recorder.install(Install { at: self.now, node, key, made, position });
            }
            Note::Committed { .. } => self.recorder.commits += 1,
            Note::Applied { position } => self.recorder.apply(self.now, node, position),
            Note::Began { epoch, built_on } => {
                self.recorder.begin(Beginning { at: self.now, node, epoch, built_on: *built_on });
            }
            Note::Discarded { position } => self.recorder.discard(Discard { at: self.now, node, position }),
            Note::Promoted => self.nodes[node.index()].promoted = self.nodes[node.index()].ordered,
            Note::Milestone(text) => self.recorder.milestone(self.now, Some(node), text),
            Note::Role { role, epoch } => self.note_role(node, role, epoch),
        }
    }

    fn note_role(&mut self, node: NodeId, role: Role, epoch: u32) {
        self.recorder.fold(&(Mark::Role, self.now.as_nanos(), node, role, epoch));
        let known = &mut self.nodes[node.index()].role;
        match (role, *known) {
            // Who led, and is about to again, was not elected.
            (Role::Candidate, Some(Role::Leader)) => {}
            (Role::Leader, before) if before != Some(Role::Leader) => {
                *known = Some(role);
                self.recorder.elections += 1;
                self.last_leader = Some(node);
            }
            _ => *known = Some(role),
        }
        self.trace_node(node, || format!("⇨ {}@{epoch}", format!("{role:?}").to_lowercase()));
    }

    // ── small parts ──

    /// Whether an address is a process's, not an application server's.
    pub(super) fn is_process(&self, node: NodeId) -> bool {
        node.index() < self.nodes.len()
    }

    /// Lets the streams do something.
    #[inline]
    pub(super) fn with_streams<T>(
        &mut self,
        run: impl FnOnce(&mut Streams<Parcel<P>>, &mut Surroundings<'_, StreamAgenda<'_, P>>) -> T,
    ) -> T {
        let Self { streams, network, roster, now, queue, recorder, .. } = self;
        let agenda = StreamAgenda { queue, cause: recorder.cause };
        run(streams, &mut Surroundings { now: *now, network, roster, agenda })
    }

    #[inline]
    fn fold_arrival(&mut self, from: NodeId, to: NodeId, message: &P::Message) {
        self.recorder.fold(&(self.now.as_nanos(), from.0, to.0, message));
    }

    #[inline]
    fn fold_append(&mut self, node: NodeId, position: u64) {
        self.recorder.fold(&(node.0, position));
        if let Some(record) = self.nodes[node.index()].journal.get(position) {
            self.recorder.fold(record);
        }
    }

    /// Writes a line about a node, if the run is traced.
    pub(super) fn trace_node(&mut self, node: NodeId, text: impl FnOnce() -> String) {
        if self.recorder.traces() {
            let name = self.recorder.name(node).to_owned();
            self.recorder.line(self.now, name, text());
        }
    }

    fn trace_send(&mut self, from: NodeId, to: NodeId, message: &P::Message) -> u64 {
        let subject = format!("{} → {}", self.recorder.name(from), self.recorder.name(to));
        self.recorder.line(self.now, subject, message.to_string())
    }
}
