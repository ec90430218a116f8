//! Sessions send their operations and take the answers.

use replisim_history::{NodeId, Operation, Outcome, Position, Reason, Seen, SessionId};
use replisim_kernel::{SimTime, Span};

use super::{Phase, World};
use crate::client::{NextStep, Patience, Sight};
use crate::event::{Event, Parcel};
use crate::process::{Closing, Process, Reply, Request, RequestId, StreamId};
use crate::recorder::Mark;
use crate::spec::{ClientGroup, Routing};

/// What a request weighs on the wire beside its value. Chosen: of the order of a short SQL statement and its headers.
const REQUEST_BYTES: u32 = 100;
/// What an answer weighs on the wire, whatever was seen. Chosen: of the order of a row and its headers.
const REPLY_BYTES: u32 = 200;

impl RequestId {
    /// The name of one attempt at one operation.
    fn of(session: SessionId, ordinal: u32, attempt: u8) -> Self {
        RequestId(u64::from(session.0) << 40 | u64::from(ordinal) << 8 | u64::from(attempt))
    }

    fn session(self) -> SessionId {
        SessionId((self.0 >> 40) as u32)
    }

    fn ordinal(self) -> u32 {
        (self.0 >> 8) as u32
    }

    fn attempt(self) -> u8 {
        self.0 as u8
    }
}

impl<P: Process> World<P> {
    /// Schedules every session's first operation.
    pub(super) fn first_turns(&mut self) {
        for index in 0..self.clients.sessions.len() {
            let session = SessionId(index as u32);
            let group = &self.clients.groups[self.clients.sessions[index].group as usize];
            let at = match group.script(self.clients.sessions[index].index) {
                Some(script) => script.first().map(|line| group.due(line)),
                None => Some(self.clients.sessions[index].workload.first(group)),
            };
            if let Some(at) = at {
                self.schedule(at, Event::Turn { session });
            }
        }
    }

    /// A session is to begin an operation: now, or after the one it is busy with.
    pub(super) fn session_turns(&mut self, session: SessionId) {
        if !self.is_open_for(session) {
            return;
        }
        self.schedule_next_arrival(session);
        let state = &mut self.clients.sessions[session.index()];
        if state.current.is_none() {
            self.begin_operation(session, self.now);
        } else if !state.wait(self.now) {
            self.recorder.never_begins(self.now);
        }
    }

    /// Whether a session may still begin operations.
    fn is_open_for(&self, session: SessionId) -> bool {
        let until = self.clients.group_of(session).spec.until;
        self.phase == Phase::Acting && until.is_none_or(|until| self.now < SimTime::ZERO + until)
    }

    /// An open-loop session begins operations whatever becomes of the last.
    fn schedule_next_arrival(&mut self, session: SessionId) {
        let state = &mut self.clients.sessions[session.index()];
        let group = &self.clients.groups[state.group as usize];
        if group.script(state.index).is_some() {
            return;
        }
        if let Some(interval) = state.workload.interval(group) {
            self.schedule(self.now + interval, Event::Turn { session });
        }
    }

    fn begin_operation(&mut self, session: SessionId, intended: SimTime) {
        let state = &self.clients.sessions[session.index()];
        let ClientGroup { hop, timeout, .. } = self.clients.groups[state.group as usize].spec;
        let (ordinal, server) = (state.workload.drawn, state.server(hop));
        let Some(task) = self.clients.draw(session) else { return };
        self.recorder.fold(&(Mark::Begins, self.now.as_nanos(), session.0, ordinal));
        self.recorder.fold(&task.op);
        let entry = self.recorder.invoke(Operation {
            session,
            ordinal,
            op: task.op.clone(),
            intended,
            invoked: self.now,
            completed: SimTime::NEVER,
            outcome: Outcome::Open,
            seen: Seen::Nothing,
            position: Position::ZERO,
            origin: server,
            node: server,
        });
        let patience = Patience { ends: self.now + timeout, cause: self.recorder.cause };
        let state = &mut self.clients.sessions[session.index()];
        state.begin(task, entry, ordinal, server, patience);
        if !std::mem::replace(&mut state.watched, true) {
            self.schedule(patience.ends, Event::Timeout { session });
        }
        self.send_request(session);
    }

    /// Sends a session's operation to whom its routing says.
    fn send_request(&mut self, session: SessionId) {
        let Some((server, node, leader_only)) = self.choose_node(session) else { return };
        if !self.roster.is_up(server) {
            // Nobody is there to send it. Its time runs out, and the connection that is gone must not pass for a try.
            self.clients.lay_down(session, (server, node));
            return;
        }
        let Some(request) = self.compose_request(session, leader_only) else { return };
        let before = self.recorder.cause;
        if self.recorder.traces() {
            let subject = format!("c{} → {}", session.0, self.recorder.name(node));
            self.recorder.cause = self.recorder.line(self.now, subject, request.op.to_string());
        }
        let bytes = REQUEST_BYTES + if request.op.is_read() { 0 } else { request.value_bytes };
        let stream = self.connection(session, server, node);
        let parcel = Parcel::Request(request);
        self.with_streams(|streams, around| streams.transmit(stream, server, parcel, bytes, around));
        self.recorder.cause = before;
    }

    /// Decides whom a session's operation is sent to next, and writes that down. Returns its application server, the
    /// node, and whether only whoever leads may answer.
    fn choose_node(&mut self, session: SessionId) -> Option<(NodeId, NodeId, bool)> {
        let server = self.clients.sessions[session.index()].current.as_ref()?.server;
        let (node, leader_only) = self.with_sight(server, |clients, sight| clients.route(session, sight))?;
        let current = self.clients.sessions[session.index()].current.as_mut()?;
        current.node = node;
        current.attempt = current.attempt.wrapping_add(1);
        if let Some(operation) = self.recorder.history.operations.get_mut(current.entry) {
            operation.node = node;
        }
        Some((server, node, leader_only))
    }

    /// What a session's operation is to the node that it is sent to.
    fn compose_request(&self, session: SessionId, leader_only: bool) -> Option<Box<Request>> {
        let state = &self.clients.sessions[session.index()];
        let current = state.current.as_ref()?;
        let patience = match &current.task.reads {
            Routing::Token { wait, .. } => *wait,
            _ => Span::ZERO,
        };
        Some(Box::new(Request {
            id: RequestId::of(session, current.ordinal, current.attempt),
            session,
            op: current.task.op.clone(),
            value_bytes: self.clients.groups[state.group as usize].spec.value_bytes,
            token: state.token(&current.task).filter(|_| !current.at_leader()),
            patience,
            leader_only,
        }))
    }

    /// A session's connection from a server to a node: the one it has, or a new one. Pools are warm, so a new one to a
    /// living process in reach is up at once.
    fn connection(&mut self, session: SessionId, server: NodeId, node: NodeId) -> StreamId {
        let known = self.clients.connection(session, (server, node));
        if let Some(stream) = known.filter(|stream| self.streams.is_open(*stream, server)) {
            return stream;
        }
        let reachable = self.roster.is_alive(node)
            && self.roster.is_up(node)
            && !self.network.is_cut(server, node)
            && !self.network.is_cut(node, server);
        let stream = match reachable {
            true => self.streams.open_warm(&self.roster, server, node),
            false => self.with_streams(|streams, around| streams.connect(server, node, around)),
        };
        self.clients.take_up(session, (server, node), stream);
        stream
    }

    /// The stream on which a request came to `node`, if its session still waits for the answer.
    fn stream_of_request(&self, node: NodeId, id: RequestId) -> Option<StreamId> {
        let session = self.clients.sessions.get(id.session().index())?;
        let current = session.current.as_ref().filter(|current| current.ordinal == id.ordinal())?;
        self.clients.connection(id.session(), (current.server, node))
    }

    /// A process answers a request.
    pub(super) fn send_reply(&mut self, from: NodeId, id: RequestId, reply: Box<Reply>) {
        let Some(stream) = self.stream_of_request(from, id) else { return };
        let parcel = Parcel::Reply { id, reply };
        self.with_streams(|streams, around| streams.transmit(stream, from, parcel, REPLY_BYTES, around));
    }

    /// An answer has arrived.
    pub(super) fn session_hears(&mut self, from: NodeId, id: RequestId, reply: Box<Reply>) {
        let session = id.session();
        let Some(current) = &self.clients.sessions[session.index()].current else { return };
        if (current.ordinal, current.attempt, current.node) != (id.ordinal(), id.attempt(), from) {
            return;
        }
        let wall = self.wall_of(current.server);
        let next = self.clients.judge(session, &reply, wall);
        self.take_step(session, next, Some(reply));
    }

    /// A connection has ended: whatever was under way on it ends or is tried elsewhere.
    pub(super) fn session_loses_stream(&mut self, stream: StreamId, server: NodeId, node: NodeId, why: Closing) {
        let Some(session) = self.clients.owner(stream) else { return };
        self.clients.lay_down(session, (server, node));
        let Some(current) = &self.clients.sessions[session.index()].current else { return };
        if (current.server, current.node) != (server, node) {
            return;
        }
        let outcome = match why {
            Closing::Refused => Outcome::Fail(Reason::Refused),
            Closing::TimedOut if !self.streams.is_up(stream) => Outcome::Fail(Reason::Timeout),
            Closing::TimedOut => Outcome::Info(Reason::Timeout),
            Closing::Finished | Closing::Reset => Outcome::Info(Reason::Reset),
        };
        let next = self.with_sight(server, |clients, sight| clients.judge_break(session, outcome, sight));
        self.take_step(session, next, None);
    }

    /// A session's patience may have run out.
    pub(super) fn session_times_out(&mut self, session: SessionId) {
        let state = &mut self.clients.sessions[session.index()];
        let Some(current) = state.current.as_ref().filter(|current| current.patience.ends > self.now) else {
            state.watched = false;
            return self.give_up(session);
        };
        // What the timeout was set for is done by now: the session has gone on to something else.
        let ends = current.patience.ends;
        self.schedule(ends, Event::Timeout { session });
    }

    /// A session waits no longer for what it does, if it does anything.
    fn give_up(&mut self, session: SessionId) {
        let Some(current) = &self.clients.sessions[session.index()].current else { return };
        self.recorder.cause = current.patience.cause;
        let (server, node) = (current.server, current.node);
        let stream = self.clients.lay_down(session, (server, node));
        let sent = stream.is_some_and(|stream| self.streams.is_up(stream));
        self.with_sight(server, |clients, sight| clients.give_up(session, sight));
        if let Some(stream) = stream {
            self.with_streams(|streams, around| streams.close(stream, server, around));
        }
        let outcome = if sent { Outcome::Info(Reason::Timeout) } else { Outcome::Fail(Reason::Timeout) };
        self.take_step(session, NextStep::Done(outcome), None);
    }

    pub(super) fn session_retries(&mut self, session: SessionId, ordinal: u32, attempt: u8) {
        let current = self.clients.sessions[session.index()].current.as_ref();
        if current.is_some_and(|current| (current.ordinal, current.attempt) == (ordinal, attempt)) {
            self.send_request(session);
        }
    }

    fn take_step(&mut self, session: SessionId, next: NextStep, reply: Option<Box<Reply>>) {
        match next {
            NextStep::Done(outcome) => self.complete(session, outcome, reply),
            NextStep::Again => self.send_request(session),
            NextStep::Later => {
                let backoff = self.clients.group_of(session).spec.backoff;
                let Some(current) = &self.clients.sessions[session.index()].current else { return };
                let (ordinal, attempt) = (current.ordinal, current.attempt);
                self.schedule(self.now + backoff, Event::Retry { session, ordinal, attempt });
            }
        }
    }

    /// An operation has ended: write it down, and begin the next if it is due.
    fn complete(&mut self, session: SessionId, outcome: Outcome, reply: Option<Box<Reply>>) {
        let Some(current) = &self.clients.sessions[session.index()].current else { return };
        let (entry, node, op) = (current.entry, current.node, &current.task.op);
        let kind = op.kind();
        self.recorder.acknowledged += u64::from(outcome.is_ok() && !op.is_read());
        self.recorder.fold(&(Mark::Ends, self.now.as_nanos(), session.0, current.ordinal, outcome));
        self.clients.sessions[session.index()].current = None;
        let now = self.now;
        let (seen, position) = reply.map_or((Seen::Nothing, Position::ZERO), |reply| (reply.seen, reply.position));
        self.recorder.fold(&(&seen, position));
        if let Some(operation) = self.recorder.history.operations.get_mut(entry) {
            (operation.completed, operation.outcome) = (now, outcome);
            (operation.seen, operation.position) = (seen, position);
        }
        self.see_answer(node, kind, outcome);
        if self.recorder.traces() {
            self.trace_completion(session, entry);
        }
        self.next_operation(session);
    }

    fn next_operation(&mut self, session: SessionId) {
        if !self.is_open_for(session) {
            return;
        }
        let state = &mut self.clients.sessions[session.index()];
        let group = &self.clients.groups[state.group as usize];
        if let Some(script) = group.script(state.index) {
            if let Some(line) = script.get(state.workload.drawn as usize) {
                let at = group.due(line).max(self.now);
                self.schedule(at, Event::Turn { session });
            }
        } else if let Some(intended) = state.next_waiting() {
            self.begin_operation(session, intended);
        } else if let Some(think) = state.workload.think(group) {
            self.schedule(self.now + think, Event::Turn { session });
        }
    }

    fn trace_completion(&mut self, session: SessionId, entry: u64) {
        let Some(operation) = self.recorder.history.operations.get(entry) else { return };
        let took = self.now.since(operation.intended).as_millis_f64();
        let seen = match &operation.seen {
            Seen::Nothing => String::new(),
            seen => format!(" → {seen}"),
        };
        let text = format!("{}{seen} … {} ({took:.3} ms)", operation.op, operation.outcome);
        self.recorder.line(self.now, format!("c{}", session.0), text);
    }

    /// Lets the clients decide something with a view from an application server.
    fn with_sight<T>(
        &mut self,
        server: NodeId,
        decide: impl FnOnce(&mut crate::client::Clients, &Sight<'_>) -> T,
    ) -> T {
        let wall = self.wall_of(server);
        let Self { clients, network, layout, .. } = self;
        let distance = |node| network.usual_delay(server, node).as_nanos();
        decide(clients, &Sight { replicas: &layout.replicas, names: &layout.names, distance: &distance, wall })
    }

    fn wall_of(&self, node: NodeId) -> crate::clock::WallTime {
        self.machines[self.roster.host_of(node)].clocks.wall(self.now)
    }
}
