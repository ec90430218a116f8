//! Client sessions: what they ask for, of whom, and what they make of the answer.
//!
//! A session is sequential: one operation at a time, each begun after the last one ended. It knows its application
//! server, who it believes to lead, and what it has seen. This module decides; the world carries the requests.

mod keys;
mod routing;
mod workload;

use std::collections::{BTreeMap, VecDeque};

use replisim_history::{NodeId, Outcome, Position, Reason, SessionId};
use replisim_kernel::SimTime;

pub(crate) use routing::{Router, Sight};
pub(crate) use workload::{CLIENT, Group, Task, Workload};

use crate::clock::WallTime;
use crate::process::{Reply, StreamId};
use crate::spec::{ClientGroup, Hop, PinMemory, Remembers, Routing};

/// How often one operation may be sent on from one node to another before it fails.
const HOPS_MAX: u8 = 8;
/// How many operations of an open-loop session may wait. Those that are due beyond that never begin.
const BACKLOG_MAX: usize = 10_000;

/// All sessions, with their application servers.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub groups: Vec<Group>,
    pub sessions: Vec<Session>,
    /// Whose each connection is.
    owners: BTreeMap<StreamId, SessionId>,
    /// When each session last wrote, as remembered by each application server, and last by the store they share.
    pins: Vec<BTreeMap<SessionId, WallTime>>,
    shared_pins: BTreeMap<SessionId, WallTime>,
    first_server: u16,
    seed: u64,
}

/// One session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub id: SessionId,
    pub group: u32,
    /// Which session of its group it is.
    pub index: u32,
    pub workload: Workload,
    /// The application servers of its group: the first, and how many.
    servers: (NodeId, u16),
    /// What it is doing.
    pub current: Option<Current>,
    /// Whether a timeout is pending. Hardly any comes true, so there is one at a time, whatever the session does meanwhile.
    pub watched: bool,
    /// When the operations that wait for their turn were meant to begin.
    backlog: VecDeque<SimTime>,
    /// Who it believes to lead; `None` where nobody does.
    leader: Option<NodeId>,
    sticky: Option<NodeId>,
    /// What it last wrote, and last wrote or read.
    wrote: Position,
    saw: Position,
    /// Its connections, by server and node.
    streams: BTreeMap<(NodeId, NodeId), StreamId>,
}

/// An operation under way.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub task: Task,
    /// Its place in the history.
    pub entry: u64,
    pub ordinal: u32,
    pub patience: Patience,
    pub server: NodeId,
    /// The node that was asked last.
    pub node: NodeId,
    /// How often it was sent; answers to earlier attempts are ignored.
    pub attempt: u8,
    hops: u8,
    retries: u32,
    /// Whether it is sent to the leader after all.
    at_leader: bool,
}

/// How long a session waits for an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub ends: SimTime,
    /// The trace line that the operation began with.
    pub cause: u64,
}

/// What to do with an operation after an answer, or the lack of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NextStep {
    /// It has ended like this.
    Done(Outcome),
    /// Try again at once.
    Again,
    /// Try again after the group's backoff.
    Later,
}

impl Clients {
    /// The sessions of these groups; their application servers have the addresses from `first_server` on.
    pub fn new(specs: &[ClientGroup], first_server: NodeId, seed: u64) -> Self {
        let mut clients = Clients {
            groups: specs.iter().map(Group::new).collect(),
            sessions: Vec::new(),
            owners: BTreeMap::new(),
            pins: Vec::new(),
            shared_pins: BTreeMap::new(),
            first_server: first_server.0,
            seed,
        };
        for (group, spec) in specs.iter().enumerate() {
            let servers = (NodeId(first_server.0 + clients.pins.len() as u16), spec.servers);
            clients.pins.extend((0..spec.servers).map(|_| BTreeMap::new()));
            for index in 0..spec.sessions {
                let id = SessionId(clients.sessions.len() as u32);
                clients.sessions.push(Session::new(id, group as u32, index, servers, seed));
            }
        }
        clients
    }

    /// The group of a session.
    pub fn group_of(&self, session: SessionId) -> &Group {
        &self.groups[self.sessions[session.index()].group as usize]
    }

    /// The connection that a session has from a server to a node.
    pub fn connection(&self, session: SessionId, ends: (NodeId, NodeId)) -> Option<StreamId> {
        self.sessions.get(session.index())?.streams.get(&ends).copied()
    }

    /// Whose a connection is, if anybody still has it.
    pub fn owner(&self, stream: StreamId) -> Option<SessionId> {
        self.owners.get(&stream).copied()
    }

    /// Gives a session a connection from a server to a node, in place of the one it had.
    pub fn take_up(&mut self, session: SessionId, ends: (NodeId, NodeId), stream: StreamId) {
        let former = self.sessions[session.index()].streams.insert(ends, stream);
        former.map(|former| self.owners.remove(&former));
        self.owners.insert(stream, session);
    }

    /// Takes the connection from a server to a node away from a session.
    pub fn lay_down(&mut self, session: SessionId, ends: (NodeId, NodeId)) -> Option<StreamId> {
        let stream = self.sessions[session.index()].streams.remove(&ends)?;
        self.owners.remove(&stream);
        Some(stream)
    }

    /// Lets every session go on with another luck.
    pub fn reseed(&mut self, salt: u64) {
        for session in &mut self.sessions {
            let entity = Session::entity(session.group, session.index);
            session.workload.reseed(self.seed, entity, salt);
        }
    }

    /// Draws the next operation of a session, which must be idle. `None` at the end of a script.
    #[inline]
    pub fn draw(&mut self, session: SessionId) -> Option<Task> {
        let count = self.sessions.len() as u64;
        let session = &mut self.sessions[session.index()];
        let group = &self.groups[session.group as usize];
        match group.script(session.index) {
            Some(lines) => {
                lines.get(session.workload.drawn as usize).map(|line| session.workload.scripted(group, line))
            }
            None => Some(session.workload.next(group, count)),
        }
    }

    /// Whom the operation of a session goes to now, and whether that is whoever leads and nobody else.
    pub fn route(&self, session: SessionId, sight: &Sight<'_>) -> Option<(NodeId, bool)> {
        let session = &self.sessions[session.index()];
        let current = session.current.as_ref()?;
        let router = Router { leader: session.leader, choice: current.task.choice, turn: current.attempt, sight };
        let for_leader = self.is_for_leader(session.id, current, sight.wall);
        let node = match &current.task.reads {
            _ if for_leader => router.leader(),
            Routing::Leader => router.leader(),
            Routing::Any => router.any(),
            Routing::AnyFollower | Routing::Token { .. } | Routing::Pin { .. } => router.follower(),
            Routing::Nearest => router.nearest(),
            Routing::Host(name) => router.named(name),
            Routing::Sticky => session.sticky.unwrap_or_else(|| router.follower()),
        };
        Some((node, for_leader))
    }

    /// Whether an operation is meant for whoever leads, and for nobody else, at this moment of its application server's
    /// clock.
    fn is_for_leader(&self, session: SessionId, current: &Current, wall: WallTime) -> bool {
        let pinned = match &current.task.reads {
            Routing::Leader => true,
            Routing::Pin { window, memory } => {
                self.last_write(session, current.server, *memory).is_some_and(|wrote| wall.since(wrote) < *window)
            }
            Routing::Any
            | Routing::AnyFollower
            | Routing::Nearest
            | Routing::Host(_)
            | Routing::Sticky
            | Routing::Token { .. } => false,
        };
        current.at_leader || pinned || !current.task.op.is_read()
    }

    /// Takes note of an answer and says what becomes of the operation.
    pub fn judge(&mut self, session: SessionId, reply: &Reply, wall: WallTime) -> NextStep {
        let state = &mut self.sessions[session.index()];
        let retries = self.groups[state.group as usize].spec.retries;
        let Some(current) = &mut state.current else { return NextStep::Done(reply.outcome) };
        match reply.outcome {
            Outcome::Ok => {
                let (reads, server) = (current.task.op.is_read(), current.server);
                state.learn(reply, reads);
                if !reads {
                    self.remember_write(session, server, wall);
                }
                NextStep::Done(Outcome::Ok)
            }
            Outcome::Fail(Reason::NotServing) if current.hops < HOPS_MAX => {
                current.hops += 1;
                state.leader = reply.redirect.or(state.leader);
                if reply.redirect.is_some() { NextStep::Again } else { NextStep::Later }
            }
            Outcome::Fail(Reason::NotCaughtUp) if !current.at_leader && falls_back(&current.task.reads) => {
                current.at_leader = true;
                NextStep::Again
            }
            outcome => state.retry_or(outcome, retries, reply.redirect),
        }
    }

    /// A connection has ended under an operation.
    pub fn judge_break(&mut self, session: SessionId, outcome: Outcome, sight: &Sight<'_>) -> NextStep {
        let retries = self.group_of(session).spec.retries;
        let state = &mut self.sessions[session.index()];
        let Some(current) = &state.current else { return NextStep::Done(outcome) };
        state.turn_from(current.node, sight);
        let Some(current) = &mut state.current else { return NextStep::Done(outcome) };
        let certain = matches!(outcome, Outcome::Fail(_)) || current.task.op.is_read();
        if certain && current.hops < HOPS_MAX {
            current.hops += 1;
            return NextStep::Later;
        }
        state.retry_or(outcome, retries, None)
    }

    /// A session's time for an operation is over: whom it asked may be dead, so it asks somebody else who leads.
    pub fn give_up(&mut self, session: SessionId, sight: &Sight<'_>) {
        let state = &mut self.sessions[session.index()];
        if let Some(current) = &state.current {
            state.turn_from(current.node, sight);
        }
    }

    /// Nothing begins from `now` on. Returns when the operations were due that wait still.
    pub fn stop(&mut self, now: SimTime) -> Vec<SimTime> {
        let mut due = Vec::new();
        for session in &mut self.sessions {
            due.extend(session.backlog.drain(..));
            let group = &self.groups[session.group as usize];
            let end = group.spec.until.map_or(now, |until| now.min(SimTime::ZERO + until));
            let script = group.script(session.index).unwrap_or_default();
            let left = script.iter().skip(session.workload.drawn as usize).map(|line| group.due(line));
            due.extend(left.take_while(|at| *at < end));
        }
        due
    }

    /// Tells every session who leads at the start.
    pub fn introduce(&mut self, leader: Option<NodeId>) {
        for session in &mut self.sessions {
            session.leader = leader;
        }
    }

    /// An application server's process has restarted: what it remembered is gone.
    pub fn server_restarted(&mut self, server: NodeId) {
        if let Some(pins) = self.pins.get_mut(usize::from(server.0.wrapping_sub(self.first_server))) {
            pins.clear();
        }
    }

    fn last_write(&self, session: SessionId, server: NodeId, memory: PinMemory) -> Option<WallTime> {
        let pins = match memory {
            PinMemory::Process => &self.pins[usize::from(server.0 - self.first_server)],
            PinMemory::Shared => &self.shared_pins,
        };
        pins.get(&session).copied()
    }

    /// Takes note of when a session wrote, wherever a read of its group may look for that.
    fn remember_write(&mut self, session: SessionId, server: NodeId, wall: WallTime) {
        let Clients { groups, sessions, pins, shared_pins, first_server, .. } = self;
        for memory in &groups[sessions[session.index()].group as usize].pin_memories {
            let pins = match memory {
                PinMemory::Process => &mut pins[usize::from(server.0 - *first_server)],
                PinMemory::Shared => &mut *shared_pins,
            };
            pins.insert(session, wall);
        }
    }
}

fn falls_back(reads: &Routing) -> bool {
    matches!(reads, Routing::Token { fallback: true, .. })
}

impl Session {
    /// It asks another server from now on, and takes another for the leader if it took this one.
    fn turn_from(&mut self, node: NodeId, sight: &Sight<'_>) {
        self.sticky = self.sticky.filter(|other| *other != node);
        if self.leader == Some(node) {
            self.leader = Some(sight.after(node));
        }
    }

    fn new(id: SessionId, group: u32, index: u32, servers: (NodeId, u16), seed: u64) -> Self {
        Session {
            id,
            group,
            index,
            workload: Workload::new(id, seed, Session::entity(group, index)),
            servers,
            current: None,
            watched: false,
            backlog: VecDeque::new(),
            leader: None,
            sticky: None,
            wrote: Position::ZERO,
            saw: Position::ZERO,
            streams: BTreeMap::new(),
        }
    }

    /// What a session's streams go by. It is named by group and place in it, so that a session more in one group moves no
    /// other group's luck.
    fn entity(group: u32, index: u32) -> u64 {
        u64::from(group) << 32 | u64::from(index)
    }

    /// The application server that its first operation goes through.
    pub fn home(&self) -> NodeId {
        let (first, count) = self.servers;
        NodeId(first.0 + (self.index % u32::from(count.max(1))) as u16)
    }

    /// The application server that the next operation goes through.
    pub fn server(&self, hop: Hop) -> NodeId {
        let (first, count) = self.servers;
        let turn = match hop {
            Hop::Never => self.index,
            Hop::EveryOperation => self.index.wrapping_add(self.workload.drawn),
        };
        NodeId(first.0 + (turn % u32::from(count.max(1))) as u16)
    }

    /// Begins an operation.
    #[inline]
    pub fn begin(&mut self, task: Task, entry: u64, ordinal: u32, server: NodeId, patience: Patience) {
        self.current = Some(Current {
            task,
            entry,
            ordinal,
            patience,
            server,
            node: server,
            attempt: 0,
            hops: 0,
            retries: 0,
            at_leader: false,
        });
    }

    /// An operation was meant to begin now but the session is busy. Returns whether it can still begin.
    pub fn wait(&mut self, intended: SimTime) -> bool {
        let has_room = self.backlog.len() < BACKLOG_MAX;
        if has_room {
            self.backlog.push_back(intended);
        }
        has_room
    }

    /// The operation that has waited longest.
    #[inline]
    pub fn next_waiting(&mut self) -> Option<SimTime> {
        self.backlog.pop_front()
    }

    /// What the request for a task carries so that the answer is not older: nothing, or the position of what the session
    /// has seen.
    #[inline]
    pub fn token(&self, task: &Task) -> Option<Position> {
        match &task.reads {
            Routing::Token { remembers, .. } if task.op.is_read() => Some(match remembers {
                Remembers::Writes => self.wrote,
                Remembers::WritesAndReads => self.saw,
            }),
            _ => None,
        }
    }

    fn learn(&mut self, reply: &Reply, read: bool) {
        self.saw = self.saw.max(reply.token);
        if !read {
            self.wrote = self.wrote.max(reply.token);
        } else if let Some(current) = &self.current {
            self.sticky = self.sticky.or(Some(current.node));
        }
    }

    /// Tries again what certainly failed, as often as is allowed: where the last answer said, if it did.
    fn retry_or(&mut self, outcome: Outcome, allowed: u32, redirect: Option<NodeId>) -> NextStep {
        match &mut self.current {
            Some(current) if matches!(outcome, Outcome::Fail(_)) && current.retries < allowed => {
                current.retries += 1;
                self.leader = redirect.or(self.leader);
                NextStep::Later
            }
            _ => NextStep::Done(outcome),
        }
    }
}

impl Current {
    /// Whether it is to go to the leader whatever the routing says.
    pub fn at_leader(&self) -> bool {
        self.at_leader
    }
}

#[cfg(test)]
mod tests {
    use replisim_history::{OpKind, Seen};
    use replisim_kernel::Span;

    use super::*;
    use crate::spec::ScriptedOp;

    const SERVER: NodeId = NodeId(3);

    /// A session that follows this script, whose reads else go to any follower of the leader, node 0.
    fn scripted(lines: [ScriptedOp; 2]) -> Clients {
        let reads = Routing::AnyFollower;
        let group =
            ClientGroup { sessions: 1, servers: 1, reads, script: vec![lines.into()], ..ClientGroup::default() };
        let mut clients = Clients::new(&[group], SERVER, 7);
        clients.introduce(Some(NodeId(0)));
        clients
    }

    fn line(op: OpKind, reads: Option<Routing>) -> ScriptedOp {
        ScriptedOp { at: Span::ZERO, op, key: 1, parts: Vec::new(), reads }
    }

    /// Begins the session's next operation and says whether it is for the leader alone.
    fn begin(clients: &mut Clients, ordinal: u32, wall: WallTime) -> bool {
        let session = SessionId(0);
        let task = clients.draw(session).expect("the script has another line");
        let patience = Patience { ends: SimTime::NEVER, cause: 0 };
        clients.sessions[0].begin(task, u64::from(ordinal), ordinal, SERVER, patience);
        let (replicas, names) = ([0, 1, 2].map(NodeId), ["p", "s1", "s2"].map(str::to_owned));
        let sight = Sight { replicas: &replicas, names: &names, distance: &|_| 0, wall };
        clients.route(session, &sight).expect("an operation is under way").1
    }

    #[test]
    fn a_connection_is_its_sessions_until_it_is_laid_down_or_another_takes_its_place() {
        let mut clients = scripted([line(OpKind::Write, None), line(OpKind::Read, None)]);
        let (session, ends) = (SessionId(0), (SERVER, NodeId(0)));
        let [first, second] = [0, 1].map(StreamId);
        clients.take_up(session, ends, first);
        assert_eq!((clients.connection(session, ends), clients.owner(first)), (Some(first), Some(session)));
        clients.take_up(session, ends, second);
        assert_eq!((clients.owner(first), clients.owner(second)), (None, Some(session)));
        assert_eq!(clients.lay_down(session, ends), Some(second));
        assert_eq!((clients.connection(session, ends), clients.owner(second)), (None, None));
    }

    #[test]
    fn a_lines_own_pin_holds_whatever_its_group_reads_by() {
        for memory in [PinMemory::Process, PinMemory::Shared] {
            let pin = Routing::Pin { window: Span::secs(1), memory };
            for (after, pinned) in [(Span::millis(999), true), (Span::secs(1), false)] {
                let lines = [line(OpKind::Write, None), line(OpKind::Read, Some(pin.clone()))];
                let mut clients = scripted(lines);
                assert!(begin(&mut clients, 0, WallTime(0)), "a write is for the leader");
                let answer = Reply::ok(Seen::Nothing, Position::ZERO, Position::ZERO);
                let next = clients.judge(SessionId(0), &answer, WallTime(0));
                assert_eq!(next, NextStep::Done(Outcome::Ok));
                let read_at = WallTime(after.as_nanos() as i64);
                assert_eq!(begin(&mut clients, 1, read_at), pinned, "{memory:?} {after}");
            }
        }
    }

    #[test]
    fn of_a_script_is_due_what_may_still_begin_and_had_its_time() {
        let lines = [0, 100, 200].map(|millis| ScriptedOp { at: Span::millis(millis), ..line(OpKind::Write, None) });
        let at = |millis| SimTime::ZERO + Span::millis(millis);
        for (until, now, due) in
            [(None, 50, vec![]), (None, 300, vec![at(100), at(200)]), (Some(150), 300, vec![at(100)])]
        {
            let script = vec![lines.to_vec()];
            let until = until.map(Span::millis);
            let group = ClientGroup { sessions: 1, servers: 1, script, until, ..ClientGroup::default() };
            let mut clients = Clients::new(&[group], SERVER, 7);
            begin(&mut clients, 0, WallTime(0));
            assert_eq!(clients.stop(at(now)), due, "until {until:?}, stopped at {now} ms");
        }
    }
}
